"""Is a number the sum, difference, product or ratio of two columns? All pairs at once, from correlations."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.statistics import normal_tail

Floats = NDArray[np.float64]
_COLLINEAR = 1e-6  # share of a column that the other must leave
_SHOWN = 5


class TwoColumns(NamedTuple):
    """Two columns of which the target is made."""

    left: str
    right: str
    how: str  # "sum or difference", "product or ratio"
    share: float
    alone: float
    p_value: float


def sums_of_two(context: AuditContext, rows: NDArray[np.int64]) -> list[TwoColumns]:
    """Return the pairs that a numeric target is a weighted sum of, or of whose logarithms its logarithm is.

    R2 beyond ``limits["r2_leak"]`` with certainty over all pairs, where neither column is beyond
    ``limits["r2_caution"]`` alone. The best five, the best first.
    """
    assert context.target is not None
    y = context.target.values[rows]
    columns = [
        c for c in context.of_kind("numeric") if not c.missing[rows].any() and np.ptp(c.values[rows]) > 0
    ]
    if context.target.task != "regression" or len(columns) < 2 or np.ptp(y) == 0:
        return []
    x = np.stack([column.values[rows] for column in columns], axis=1)
    found = _made_of(context, columns, x, y, "sum or difference")
    positive = np.flatnonzero(x.min(axis=0) > 0)
    if y.min() > 0 and len(positive) >= 2:
        inside = [columns[i] for i in positive]
        found += _made_of(context, inside, np.log(x[:, positive]), np.log(y), "product or ratio")
    return sorted(found, key=lambda one: (-one.share, one.left, one.right))[:_SHOWN]


def _made_of(
    context: AuditContext, columns: list[AuditColumn], x: Floats, y: Floats, how: str
) -> list[TwoColumns]:
    r = np.atleast_2d(np.corrcoef(np.column_stack([x, y]), rowvar=False))
    with_y, between = r[:-1, -1], r[:-1, :-1]
    left, right = np.triu_indices(len(columns), 1)
    a, b, c = with_y[left], with_y[right], between[left, right]
    free = 1 - c**2
    share = np.where(free > _COLLINEAR, (a**2 + b**2 - 2 * a * b * c) / np.maximum(free, _COLLINEAR), 0.0)
    alone = np.maximum(a**2, b**2)
    limit, most = context.limits["r2_leak"], context.limits["r2_caution"]
    found = []
    for i in np.flatnonzero((share > limit) & (alone < most)):
        z = np.arctanh(np.sqrt(min(share[i], 1 - 1e-12))) - np.arctanh(np.sqrt(limit))
        p = min(1.0, normal_tail(float(z * np.sqrt(max(1, len(y) - 4)))) * 2 * len(share))
        if p < context.alpha:
            one, other = sorted((columns[left[i]].name, columns[right[i]].name))
            found.append(TwoColumns(one, other, how, float(min(1.0, share[i])), float(alone[i]), p))
    return found
