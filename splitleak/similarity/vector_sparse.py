"""All pairs of sparse vectors at or above a threshold, by sparse products of blocks of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak.similarity.base import IGNORED, MIXED
from splitleak.similarity.pair_store import Found, PairStore
from splitleak.similarity.vector_measures import U64, Measure

_BLOCK_PRODUCTS = 1 << 22  # multiplications of one block, and so the most numbers that it can give
_SUFFIXES = 16  # how often the part of the matrix to the right of the diagonal is cut anew
_CHUNK = 1 << 20

Ints = NDArray[np.int64]


def join_sparse(
    measure: Measure, threshold: float, *, sides: Ints | None, store: PairStore, progress: Progress
) -> None:
    """Add all pairs of rows with similarity >= threshold to `store` (parameters: see `join_dense`)."""
    rows = np.arange(measure.rows.shape[0], dtype=np.int64)
    if sides is not None:
        rows = rows[sides != IGNORED]
        rows = rows[np.argsort(sides[rows], kind="stable")]
    if len(rows) < 2:
        return
    points = measure.points(rows)
    half = np.asarray(points.multiply(points).sum(axis=1)).ravel() / 2
    half_reach = measure.half_reach(threshold)
    # float64 products of d numbers; the error grows with the norms
    half *= 1 - 16 * (points.shape[1] + 8) * U64
    found = _Candidates(measure, threshold, rows, None if sides is None else sides[rows], store)
    blocks = _blocks(points)
    transposed, origin = points.T.tocsr(), 0
    with progress.stage("comparing vectors", len(rows)) as stage:
        for a, b in blocks:
            first = _first_column(found.side, a, b)
            if first - origin > len(rows) // _SUFFIXES:
                transposed, origin = points[first:].T.tocsr(), first
            if first < len(rows):
                _search_block(points[a:b], a, transposed, origin, half, half_reach, found)
            stage.advance(b - a)
    if not measure.unit:
        _short_rows(half, half_reach, found)


def _search_block(
    block: Any,
    a: int,
    transposed: Any,
    origin: int,
    half: NDArray[np.float64],
    half_reach: float,
    found: _Candidates,
) -> None:
    products = (block @ transposed).tocoo()
    left, right = products.row.astype(np.int64) + a, products.col.astype(np.int64) + origin
    norms = half[left] + half[right]
    near = (right > left) & (norms - products.data <= half_reach)
    if not found.measure.unit:
        near &= norms > half_reach  # the others are found by their norms
    found.decide(left[near], right[near])


class _Candidates:
    """Decides candidates (positions in the order of the join) and stores the pairs that count."""

    def __init__(
        self, measure: Measure, threshold: float, rows: Ints, side: Ints | None, store: PairStore
    ) -> None:
        self.measure, self.threshold, self.rows, self.side, self.store = measure, threshold, rows, side, store

    def decide(self, left: Ints, right: Ints) -> None:
        if self.side is not None:
            keep = (self.side[left] != self.side[right]) | (self.side[left] == MIXED)
            left, right = left[keep], right[keep]
        for at in range(0, len(left), _CHUNK):
            i, j = self.rows[left[at : at + _CHUNK]], self.rows[right[at : at + _CHUNK]]
            self.store.add(*self.store.settle(i, j, self._check))

    def _check(self, left: Ints, right: Ints) -> Found:
        similarity = self.measure.similarity(left, right)
        keep = similarity >= self.threshold
        return left[keep], right[keep], similarity[keep]


def _short_rows(half: NDArray[np.float64], half_reach: float, found: _Candidates) -> None:
    """Pairs within reach even at a right angle: where they share no column, no sparse product lists them."""
    short = np.flatnonzero(half <= half_reach)
    short = short[np.argsort(half[short], kind="stable")]
    reach = (half_reach - half[short]) * (1 + 8 * U64)
    partners = np.minimum(np.searchsorted(half[short], reach, side="right"), np.arange(len(short)))
    running = np.append(0, np.cumsum(partners))
    start = 0
    while start < len(short):
        end = max(start + 1, int(np.searchsorted(running, running[start] + _CHUNK, side="right")) - 1)
        n = partners[start:end]
        one = short[np.repeat(np.arange(start, end), n)]
        two = short[np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)]
        near = half[one] + half[two] <= half_reach
        found.decide(np.minimum(one, two)[near], np.maximum(one, two)[near])
        start = end


def _blocks(points: Any) -> list[tuple[int, int]]:
    """Cut the rows into blocks whose product with all rows costs about the same."""
    in_column = np.bincount(points.indices, minlength=points.shape[1])
    running = np.concatenate([[0], np.cumsum(in_column[points.indices])])
    cost = np.diff(running[points.indptr])
    block = np.cumsum(cost) // _BLOCK_PRODUCTS
    starts = np.flatnonzero(np.append(True, block[1:] != block[:-1]))
    return list(zip(starts.tolist(), [*starts[1:].tolist(), points.shape[0]], strict=True))


def _first_column(side: Ints | None, a: int, b: int) -> int:
    """Return the first row that rows a ... b - 1 are still to be compared with (sides are sorted)."""
    if side is None or side[a] != side[b - 1] or side[a] == MIXED:
        return a
    return int(np.searchsorted(side, side[a], side="right"))
