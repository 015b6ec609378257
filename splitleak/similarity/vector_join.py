"""All pairs of dense vectors at or above a threshold: blocks of the upper triangle, bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._threads import map_threads
from splitleak.similarity.base import IGNORED, MIXED
from splitleak.similarity.pair_store import Found, PairStore
from splitleak.similarity.vector_bound import Bound, at_most, bound
from splitleak.similarity.vector_measures import Cosine, Measure

ROWS, COLUMNS = 1024, 2048  # of a tile: its products stay in the cache
BATCH = 8  # tiles between two looks at what is joined already; not the number of threads, results must not depend on it

_ROUNDS = 3

Ints = NDArray[np.int64]
NOTHING: Found = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True)
class Join:
    """One join: rows in the order of the blocks, their bound, and how a candidate is decided."""

    measure: Measure
    threshold: float
    rows: Ints
    bound: Bound
    side: Ints | None
    check: Callable[[Ints, Ints], Found]


def join_dense(
    measure: Measure,
    threshold: float,
    *,
    sides: Ints | None,
    store: PairStore,
    progress: Progress,
) -> None:
    """Add all pairs of rows with similarity >= threshold to `store`.

    Parameters
    ----------
    measure : Measure
        Dense rows.
    threshold : float
        Inclusive bound in (0, 1].
    sides : int64 array of shape (n,) or None
        Sides of the rows, see `splitleak.similarity.copies.sides_of`.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    rows = np.arange(len(measure.rows), dtype=np.int64)
    if sides is not None:
        rows = rows[sides != IGNORED]
    if len(rows) < 2:
        return
    # tiles run side by side, each on one thread
    with threadpool_limits(1, user_api="blas"):
        _run(_prepare(measure, threshold, rows, sides), store, progress)


def _prepare(measure: Measure, threshold: float, rows: Ints, sides: Ints | None) -> Join:
    found = bound(measure, rows, threshold)
    side = None if sides is None else sides[rows]
    # one side after the other, so that whole tiles lie within one; then by place, so that far tiles are skipped
    keys = (found.first_axis,) if side is None else (found.first_axis, side)
    order = np.lexsort(keys)
    left = found.left[order]
    right = left if found.right is found.left else found.right[order]
    ordered = Bound(left, right, found.limit, found.axes, found.gap)
    side = None if side is None else side[order]
    return Join(measure, threshold, rows[order], ordered, side, _checker(measure, threshold, found))


def _checker(measure: Measure, threshold: float, found: Bound) -> Callable[[Ints, Ints], Found]:
    """Return the function that decides candidates (row positions)."""

    def decide(left: Ints, right: Ints) -> Found:
        similarity = measure.similarity(left, right)
        keep = similarity >= threshold
        return left[keep], right[keep], similarity[keep]

    d = measure.rows.shape[1]
    if not isinstance(measure, Cosine) or measure.rows.dtype != np.float32 or found.axes == d:
        return decide
    # candidates of a projection are many: whole rows in single precision first, with the bound on its error
    x, scale = measure.rows, 1.0 / np.sqrt(measure.squared)
    floor = 1.0 - measure.half_reach(threshold) - 1.01 * (d + 4) * 2.0**-24

    def sift(left: Ints, right: Ints) -> Found:
        parts = []
        for a in range(0, len(left), 512):
            i, j = left[a : a + 512], right[a : a + 512]
            cosine = np.einsum("ij,ij->i", x[i], x[j]) * (scale[i] * scale[j])
            keep = cosine >= floor
            parts.append((i[keep], j[keep]))
        if not parts:
            return NOTHING
        return decide(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    return sift


def _run(join: Join, store: PairStore, progress: Progress) -> None:
    n = len(join.rows)
    tiles = [(a, b) for a in range(0, n, ROWS) for b in range(a, n, COLUMNS)]
    tiles = [tile for tile in tiles if not _skipped_by_side(join, *tile)]
    tiles = _within_reach(join, tiles)
    own = threading.local()

    def search(tile: tuple[int, int]) -> Found:
        if not hasattr(
            own, "products"
        ):  # one buffer per thread: fresh pages for each tile cost as much as the product
            own.products = np.empty(ROWS * COLUMNS, dtype=join.bound.left.dtype)
        return _search_tile(join, store, own.products, *tile)

    with progress.stage("comparing vectors", len(tiles)) as stage:
        for start in range(0, len(tiles), BATCH):
            batch = tiles[start : start + BATCH]
            for left, right, similarity in map_threads(search, batch):
                store.add(left, right, similarity)
            stage.advance(len(batch))


def _search_tile(join: Join, store: PairStore, buffer: NDArray[np.floating], a: int, b: int) -> Found:
    rows, columns = join.rows[a : a + ROWS], join.rows[b : b + COLUMNS]
    if store.joined(rows, columns):
        return NOTHING
    products = buffer[: len(rows) * len(columns)].reshape(len(rows), len(columns))
    np.matmul(join.bound.left[a : a + ROWS], join.bound.right[b : b + COLUMNS].T, out=products)
    limit = at_most(join.bound.limit, products.dtype)
    if store.labels is not None:
        return _link_tile(join, store, products >= limit, a, b)
    row, column = np.divmod(np.flatnonzero(products >= limit), len(columns))
    if b < a + ROWS:  # a tile on the diagonal
        keep = column + b > row + a
        row, column = row[keep], column[keep]
    if join.side is not None:
        s, t = join.side[row + a], join.side[column + b]
        keep = (s != t) | (s == MIXED)
        row, column = row[keep], column[keep]
    return store.settle(rows[row], columns[column], join.check)


def _link_tile(join: Join, store: PairStore, near: NDArray[np.bool_], a: int, b: int) -> Found:
    """Return pairs of a tile that join components; one for each row and column first leaves little to check."""
    rows, columns = join.rows[a : a + ROWS], join.rows[b : b + COLUMNS]
    if b < a + ROWS:
        near &= np.arange(b, b + len(columns)) > np.arange(a, a + len(rows))[:, None]
    if join.side is not None:
        s, t = join.side[a : a + ROWS], join.side[b : b + COLUMNS]
        near &= (s[:, None] != t) | (s[:, None] == MIXED)
    local = PairStore(store.n_rows)
    local.labels = store.labels
    assert local.labels is not None
    for _ in range(_ROUNDS):
        near &= local.labels[rows][:, None] != local.labels[columns]
        column, row = np.flatnonzero(near.any(axis=0)), np.flatnonzero(near.any(axis=1))
        i = np.append(near[:, column].argmax(axis=0), row)
        j = np.append(column, near[row].argmax(axis=1))
        near[i, j] = False
        local.add(*local.settle(rows[i], columns[j], join.check))
    near &= local.labels[rows][:, None] != local.labels[columns]
    row, column = np.nonzero(near)
    local.add(*local.settle(rows[row], columns[column], join.check))
    return local.pairs()


def _skipped_by_side(join: Join, a: int, b: int) -> bool:
    """Whether all rows of a tile lie on one side (sides are sorted)."""
    if join.side is None:
        return False
    first, last = join.side[a], join.side[min(b + COLUMNS, len(join.side)) - 1]
    return bool(first == last != MIXED)


def _within_reach(join: Join, tiles: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Drop tiles whose blocks lie too far apart: by the gaps between their bounding boxes."""
    h, n = join.bound.axes, len(join.rows)
    if n <= COLUMNS or not np.isfinite(join.bound.gap):
        return tiles
    h = min(h, 32)  # the leading axes hold the gaps
    points = join.bound.left[:, :h].astype(np.float64)
    starts = np.arange(0, n, ROWS)
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    rounding = 1e-6 * (np.abs(low) + np.abs(high)) + 1e-30

    def near(tile: tuple[int, int]) -> bool:
        i, first = tile[0] // ROWS, tile[1] // ROWS
        last = min(first + COLUMNS // ROWS, len(starts))
        for j in range(first, last):
            gaps = np.maximum(low[j] - high[i], low[i] - high[j]) - rounding[i] - rounding[j]
            if np.square(np.maximum(gaps, 0)).sum() <= join.bound.gap:
                return True
        return False

    return [tile for tile in tiles if near(tile)]
