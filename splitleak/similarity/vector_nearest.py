"""Brute-force look-up of some vectors among all: the independent check of the joins, without their bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import thread_count
from splitleak.similarity.base import IGNORED, Neighbours
from splitleak.similarity.vector_bound import at_most, whole_rows
from splitleak.similarity.vector_measures import U64, Measure, is_sparse
from splitleak.similarity.vector_rows import copies_of

_BLOCK = 4096
_CELLS = 1 << 22  # of one block of queries x rows

Ints = NDArray[np.int64]


def nearest_vectors(measure: Measure, queries: Ints, *, threshold: float, sides: Ints) -> Neighbours:
    """Look up some rows in float64, block by block; near-ties are decided by the values of the pairs.

    Parameters
    ----------
    measure : Measure
        All rows.
    queries : int64 array of shape (n_queries,)
        Row positions.
    threshold : float
        Inclusive bound in (0, 1].
    sides : int64 array of shape (n,)
        Side of each row; -1: in no side.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    copies = copies_of(measure)
    lookup = _Lookup(measure, queries, copies, sides, threshold)
    lookup.count_copies()
    with threadpool_limits(thread_count(), user_api="blas"):
        for start in range(0, len(lookup.targets), _BLOCK):
            targets = lookup.targets[start : start + _BLOCK]
            points = measure.points(targets)
            step = max(1, _CELLS // len(targets))
            for at in range(0, len(queries), step):
                lookup.visit(np.arange(at, min(at + step, len(queries))), targets, points)
    nearest = np.where(np.isnan(lookup.nearest), np.nan, np.maximum(lookup.nearest, 0.0))
    return Neighbours(nearest, lookup.degree)


class _Lookup:
    """The state of a look-up: what each query has found so far."""

    def __init__(self, measure: Measure, queries: Ints, copies: Ints, sides: Ints, threshold: float) -> None:
        self.measure, self.queries, self.threshold = measure, queries, threshold
        self.n_sides = int(sides.max(initial=0)) + 1
        self.own = copies[queries]
        used = sides != IGNORED
        counts = np.bincount(copies[used] * self.n_sides + sides[used], minlength=len(copies) * self.n_sides)
        self.counts = counts.reshape(len(copies), self.n_sides)  # rows that equal a representative, by side
        self.sides = sides
        self.targets = np.flatnonzero(self.counts.any(axis=1))
        self.nearest = np.full((len(queries), self.n_sides), np.nan)
        self.degree = np.zeros(len(queries), dtype=np.int64)
        # smallest half squared distance to each side so far, as the blocks computed it
        self.closest = np.full((len(queries), self.n_sides), np.inf)
        self.points = measure.points(queries)
        self.half = _half_norms(self.points)
        self.outer = measure.half_reach(threshold)
        self.inner = measure.half_reach(threshold, inner=True)

    def count_copies(self) -> None:
        """Equal rows first: similarity 1."""
        others = self.counts[self.own].copy()
        inside = np.flatnonzero(self.sides[self.queries] != IGNORED)
        others[inside, self.sides[self.queries[inside]]] -= 1
        self.nearest[others > 0] = 1.0
        self.closest[others > 0] = 0.0
        self.degree += others.sum(axis=1)

    def visit(self, at: Ints, targets: Ints, points: Any) -> None:
        """Compare the queries `at` with a block of representatives."""
        half = _half_norms(points)
        product = self.points[at] @ points.T
        apart = self.half[at][:, None] + half - (product.toarray() if is_sparse(product) else product)
        apart[self.own[at][:, None] == targets] = np.inf  # the query's own group has been counted
        error = 16 * (points.shape[1] + 8) * U64 * (self.half[at] + half.max())
        weight = self.counts[targets].sum(axis=1)
        sure = apart < self.inner - error[:, None]
        self.degree[at] += sure @ weight
        unsure = np.nonzero(~sure & (apart <= self.outer + error[:, None]))
        counted = self.measure.similarity(self.queries[at[unsure[0]]], targets[unsure[1]]) >= self.threshold
        np.add.at(self.degree, at[unsure[0][counted]], weight[unsure[1][counted]])
        for side in range(self.n_sides):
            self._update(side, at, targets, apart, error)

    def _update(
        self, side: int, at: Ints, targets: Ints, apart: NDArray[np.float64], error: NDArray[np.float64]
    ) -> None:
        members = np.flatnonzero(self.counts[targets, side])
        if len(members) == 0:
            return
        apart = apart[:, members]
        self.closest[at, side] = np.minimum(self.closest[at, side], apart.min(axis=1))
        # whatever is as close as that, but for rounding, is decided by its value
        query, member = np.nonzero(
            (apart <= (self.closest[at, side] + 2 * error)[:, None]) & np.isfinite(apart)
        )
        values = self.measure.similarity(self.queries[at[query]], targets[members[member]])
        best = np.full(len(at), -np.inf)
        np.maximum.at(best, query, values)
        known = np.isfinite(best)
        self.nearest[at[known], side] = np.fmax(self.nearest[at[known], side], best[known])


def _half_norms(points: Any) -> NDArray[np.float64]:
    squares = points.multiply(points) if is_sparse(points) else np.square(points)
    return np.asarray(squares.sum(axis=1), dtype=np.float64).ravel() / 2


def pairs_of_rows(measure: Measure, queries: Ints, targets: Ints, threshold: float) -> tuple[Ints, Ints]:
    """Return all pairs ``(query, target)`` with similarity >= threshold, by brute force.

    Parameters
    ----------
    measure : Measure
        Dense rows.
    queries, targets : int64 arrays
        Row positions. A row that is in both is a pair with itself.
    threshold : float
        Inclusive bound in (0, 1].
    """
    from threadpoolctl import threadpool_limits

    mine = whole_rows(measure, queries, threshold)
    found = [(queries[:0], targets[:0])]
    with threadpool_limits(thread_count(), user_api="blas"):
        for start in range(0, len(targets), _BLOCK):
            block = targets[start : start + _BLOCK]
            product = mine.left @ whole_rows(measure, block, threshold).right.T
            query, target = np.nonzero(product >= at_most(mine.limit, product.dtype))
            keep = measure.similarity(queries[query], block[target]) >= threshold
            found.append((queries[query[keep]], block[target[keep]]))
    left, right = (np.concatenate(part) for part in zip(*found, strict=True))
    return left, right
