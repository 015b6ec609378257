"""Has a number moved between the partitions, given the other numbers? What moves with others is seen much sooner so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_ROWS_PER_COLUMN = 5
_MOST_COLUMNS = 300
_MOST_TAKEN = 20
_DEPENDENT = 1e-6  # of the largest axis: columns that follow from others


def partial_shifts(
    columns: Sequence[AuditColumn], rows: Ints, held: NDArray[np.bool_], level: float
) -> Floats:
    """Return the chance of each number's own shift between the two sides, given all other numbers.

    The normal scores of all numbers (missing: 0) are looked at together, in the metric of their covariance within the
    sides, where a shift of one column stands out by what the others do not foretell of it. Forward selection: the
    column whose shift explains most is taken as moved, the others are asked what is left. Where the split is by
    chance, each chance is as it says, whatever the columns are.

    Parameters
    ----------
    columns : sequence of AuditColumn
        Categories, and numbers that the others determine, get 1; so do all where there are too few rows.
    rows : int64 array of shape (n,)
        Rows looked at.
    held : bool array of shape (n,)
        Which of them are held out; some are, and some are not.
    level : float
        Chance below which (over all columns) a column is taken as moved.
    """
    p = np.ones(len(columns))
    numbers = [i for i, column in enumerate(columns) if column.kind == "numeric"]
    if not 2 <= len(numbers) <= min(_MOST_COLUMNS, len(rows) / _ROWS_PER_COLUMN):
        return p
    x = np.stack([_normal_scores(columns[i], rows) for i in numbers], axis=1)
    shift = x[held].mean(axis=0) - x[~held].mean(axis=0)
    within = x - np.where(held[:, None], x[held].mean(axis=0), x[~held].mean(axis=0))
    spread = within.std(axis=0)
    varied = spread > 0
    if varied.sum() < 2:
        return p
    places = np.asarray(numbers)[varied]
    shift, within = shift[varied] / spread[varied], within[:, varied] / spread[varied]
    free = len(rows) - within.shape[1] - 1
    precision = np.linalg.pinv(within.T @ within / free, hermitian=True, rcond=_DEPENDENT)
    n = held.sum() * (~held).sum() / len(held)
    p[places] = _selected(shift, precision, n, free, level / len(places))
    return p


def _selected(shift: Floats, precision: Floats, n: float, free: int, level: float) -> Floats:
    """Return the chance of each column's shift given those of the columns that were taken before it."""
    from scipy.stats import t as student

    p = np.ones(len(shift))
    taken: list[int] = []
    while len(taken) < min(_MOST_TAKEN, len(shift)):
        inner = precision[np.ix_(taken, taken)]
        cross = precision[:, taken]
        weight = np.linalg.pinv(inner, hermitian=True) if taken else np.zeros((0, 0))
        left = precision @ shift
        left -= cross @ (weight @ left[taken])
        own = np.diag(precision) - np.einsum("ij,jk,ik->i", cross, weight, cross)
        open_ = (own > _DEPENDENT) & ~np.isin(np.arange(len(shift)), taken)
        t = np.where(open_, np.abs(left) * np.sqrt(n / np.maximum(own, _DEPENDENT)), 0.0)
        chance = 2 * student.sf(t, free)
        p[open_] = chance[open_]
        best = int(np.argmax(t))
        if not open_.any() or chance[best] >= level:
            break
        taken.append(best)
    return p


def _normal_scores(column: AuditColumn, rows: Ints) -> Floats:
    from scipy.special import ndtri
    from scipy.stats import rankdata

    values = column.values[rows]
    known = ~np.isnan(values)
    out = np.zeros(len(rows))
    if known.any():
        out[known] = ndtri((rankdata(values[known]) - 0.5) / known.sum())
        out[known] -= out[known].mean()
    return out
