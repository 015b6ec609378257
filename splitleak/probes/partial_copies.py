"""Held-out rows that agree with one training row in most columns, in too many to be a row that is merely alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.equal_rows import is_identifier, underived
from splitleak.probes.near_neighbours import FALSE_DISCOVERIES, spacing_p
from splitleak.statistics import benjamini_hochberg

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_LEAST_COLUMNS = 5
_MOST_COLUMNS = 200
_QUERIES = 2_000
_CELLS, _FAST_CELLS = (
    1.2e9,
    3e8,
)  # values compared; fewer rows are looked up where there are many to compare with
_LEAST_QUERIES = 100
_AGREE = 0.7  # share of the columns in which a partial copy agrees
_SCATTERED = 0.8  # a column that differs in more of the pairs tells rows of one entity apart


@dataclass(frozen=True, eq=False)
class Agreement:
    """The training row that each of some held-out rows agrees with most.

    Attributes
    ----------
    rows, partners : int64 arrays of shape (n_tested,)
        Held-out rows and training rows.
    share : float64 array of shape (n_tested,)
        Share of the columns that agree.
    p_values : float64 array of shape (n_tested,)
        Of "agrees no more than the next best training rows foretell".
    differ : bool array of shape (n_tested, n_columns)
        Columns that differ.
    """

    rows: Ints
    partners: Ints
    share: Floats
    p_values: Floats
    differ: NDArray[np.bool_]

    def copies(self) -> NDArray[np.bool_]:
        """Return which rows are partial copies.

        Where the same columns differ in nearly all pairs, rows belong to one entity (a product on several days): that
        is no copy.
        """
        rare = benjamini_hochberg(self.p_values) < FALSE_DISCOVERIES
        hit = rare & (self.share >= _AGREE) & (self.share < 1)
        if hit.any() and self.differ[hit].mean(axis=0).max() > _SCATTERED:
            return np.zeros(len(hit), dtype=bool)
        return np.asarray(hit)


def best_agreement(context: AuditContext) -> Agreement | None:
    """Compare a sample of the held-out rows with all training rows; None where columns or rows are too few or many."""
    columns = [c for c in context.of_kind("numeric", "time", "category") if not is_identifier(c)]
    if not _LEAST_COLUMNS <= len(columns) <= _MOST_COLUMNS:
        return None
    columns = [columns[i] for i in underived(context, columns)]
    train = context.train
    k = min(30, len(train) // 2)
    budget = (_FAST_CELLS if context.fast else _CELLS) / (len(columns) * max(1, len(train)))
    held = context.sample(context.held_out, int(min(_QUERIES, budget)), "partial copies")
    if len(columns) < _LEAST_COLUMNS or k < 10 or len(held) < min(_LEAST_QUERIES, len(context.held_out)):
        return None
    codes = np.stack([c.codes + 1 for c in columns]).astype(np.int32)
    rng = context.rng("spread of agreement")
    top, best = _most_agreeing(columns, codes, held, train, k, rng)
    differ = (codes[:, held] != codes[:, best]).T
    # agreement adds up as logarithms of distances do: the nearest is the one that agrees in most columns
    return Agreement(held, best, 1 - differ.mean(axis=1), spacing_p(-top), differ)


def _most_agreeing(
    columns: Sequence[AuditColumn],
    codes: NDArray[np.int32],
    held: Ints,
    train: Ints,
    k: int,
    rng: np.random.Generator,
) -> tuple[Floats, Ints]:
    """Return the k largest sums of agreement of each held-out row, descending, and the training row of the largest.

    Agreeing on a value is worth minus the logarithm of its share of the rows. To this an exponential variable is
    added, as if the value were a cell of a continuous column: sums of few levels then have no ties.
    """
    worth = [
        -np.log(np.append(max(1, int(c.missing.sum())), c.counts) / c.n_rows).astype(np.float32)
        for c in columns
    ]
    known = np.ascontiguousarray(codes[:, train])
    spread = rng.standard_exponential(known.shape, dtype=np.float32)
    top, best = np.empty((len(held), k)), np.empty(len(held), dtype=np.int64)
    for i, row in enumerate(held):
        total = np.zeros(len(train), dtype=np.float32)
        for values, value, weight, more in zip(known, codes[:, row], worth, spread, strict=True):
            total += (values == value) * (weight[value] + more)
        places = np.argpartition(total, len(train) - k)[len(train) - k :]
        order = places[np.lexsort((places, -total[places]))]
        top[i], best[i] = total[order], train[order[0]]
    return top, best
