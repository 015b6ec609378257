"""The nearest rows of mixed columns: leaf after leaf, the closest first, where a box can hold a nearer row.

The rows of a leaf are summed side by side, column by column in float32, until none can be nearer; those that may are
summed again as pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges
from splitleak.kernels.compiling import njit
from splitleak.kernels.gower_bounds import box_gaps
from splitleak.kernels.gower_leaves import LEAF, column_order, make_leaves, sketch_slack
from splitleak.kernels.gower_measure import gower_pair

_FINE = 1e-5  # rounding of coordinates to float32, in spreads
_ROUNDED = 1e-7  # rounding of each sum in float32
_CLIPPED = 64.0  # spreads from the centre: numbers beyond are moved there, so that float32 is fine enough
_STEP = 4  # columns between two looks at whether any row of a leaf can be nearer


def gower_nearest(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    levels: NDArray[np.int64],
    queries: NDArray[np.int64],
    pool: NDArray[np.int64],
    k: int,
    *,
    leave_out: bool,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the similarities and positions of the k nearest rows of `pool` to each query, nearest first.

    Of equally near rows those that come first in `pool` are taken.

    Parameters
    ----------
    values, weights, levels, leave_out
        See `gower_pairs`.
    queries, pool : int64 arrays
        Row positions; no row is its own neighbour.
    k : int
        Number of neighbours, at least 1.

    Returns
    -------
    similarity : float64 array of shape (n_queries, k)
        NaN where the pool has fewer rows.
    position : int64 array of shape (n_queries, k)
        Row positions, -1 where there are fewer.
    """
    if not len(queries) or not len(pool):
        return np.full((len(queries), k), np.nan), np.full((len(queries), k), -1, dtype=np.int64)
    rows = np.concatenate([pool, queries])
    side = np.repeat([0, 1], [len(pool), len(queries)])
    # what tells rows apart at a few times the distance of near-duplicates tells nearest rows apart as well
    leaves = make_leaves(
        values[rows], weights, levels, 0.1 * float(weights.sum()), leave_out=leave_out, sides=side
    )
    quick = column_order(values[rows], weights)
    order = leaves.order
    first = int((leaves.side == 0).sum())
    known = np.full(len(rows), weights.sum())
    if leave_out:
        known -= np.isnan(values[rows]) @ weights
    lanes = _lanes(values[rows[order]][:, quick], levels[quick], leaves.start)
    inputs = (
        np.ascontiguousarray(values[rows[order]]),
        weights,
        np.arange(len(weights)),
        known[order],
        lanes,
        weights[quick].astype(np.float32),
        *leaves[1:4],
        np.ascontiguousarray(leaves.box_low[:first].T),
        np.ascontiguousarray(leaves.box_high[:first].T),
        order,
        rows,
        (_FINE + _ROUNDED * len(weights)) * float(weights.sum()),
        sketch_slack(weights),
        leave_out,
        k,
    )
    parts = [(first + a, first + b) for a, b in ranges(len(leaves.side) - first, 500)]
    found = map_threads(lambda part: _nearest(*inputs, *part), parts)
    similarity, position = np.empty((len(queries), k)), np.empty((len(queries), k), dtype=np.int64)
    place = order[len(pool) :] - len(pool)
    similarity[place] = np.concatenate([one for one, _ in found])
    position[place] = np.concatenate([other for _, other in found])
    return similarity, position


def _lanes(
    values: NDArray[np.float64], levels: NDArray[np.int64], start: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the rows of each leaf side by side, shape (n_leaves, n_columns, 64); moved ones are no further apart."""
    lanes = np.full((len(start) - 1, values.shape[1], LEAF), np.nan, dtype=np.float32)
    leaf = np.repeat(np.arange(len(start) - 1), np.diff(start))
    within = np.arange(len(values)) - start[leaf]
    for j, n_levels in enumerate(levels):
        column = values[:, j] if n_levels else np.clip(values[:, j], -_CLIPPED, _CLIPPED)
        lanes[leaf, j, within] = column
    return lanes


@njit(nogil=True, cache=True)
def _sum_lanes(lanes, weights, a, q, b, limit, leave_out, sums):  # type: ignore[no-untyped-def]
    """Sum the distances of row q of leaf a to the rows of leaf b; tell whether any is at most `limit`."""
    sums[:] = np.float32(0)
    one, nothing = np.float32(1), np.float32(0)
    p = lanes.shape[1]
    for j in range(p):
        own, weight = lanes[a, j, q], weights[j]
        for k in range(LEAF):
            apart = abs(own - lanes[b, j, k])
            short = apart if apart < one else one
            short = nothing if leave_out and apart != apart else short
            sums[k] += weight * short
        if j % _STEP == _STEP - 1 or j == p - 1:
            may_be = 0
            for k in range(LEAF):  # a count is compiled to run side by side, the least of floats is not
                may_be += 1 if sums[k] <= limit else 0
            if may_be == 0:
                return False
    return True


@njit(nogil=True, cache=True)
def _insert(best, rank, similarity, row):  # type: ignore[no-untyped-def]
    """Place a row among the best, the most similar and, of equals, the first in order before the others."""
    i = len(best)
    while i > 0 and (similarity > best[i - 1] or (similarity == best[i - 1] and row < rank[i - 1])):
        i -= 1
    if i < len(best):
        for later in range(len(best) - 1, i, -1):
            best[later], rank[later] = best[later - 1], rank[later - 1]
        best[i], rank[i] = similarity, row


@njit(nogil=True, cache=True)
def _nearest(  # type: ignore[no-untyped-def]
    values,
    weights,
    place,
    known,
    lanes,
    lane_weights,
    start,
    low,
    high,
    pool_low,
    pool_high,
    order,
    rows,
    sure,
    slack,
    leave_out,
    k,
    begin,
    end,
):
    """Look the rows of the leaves `begin` to `end` up in the leaves of the pool, which come first."""
    n, n_leaves = start[end] - start[begin], pool_low.shape[1]
    best, rank = np.full((n, k), -1.0), np.full((n, k), -1, np.int64)
    bounds = np.empty((LEAF, n_leaves), np.float32)
    sums = np.empty(LEAF, np.float32)
    for a in range(begin, end):
        size = start[a + 1] - start[a]
        for q in range(size):
            box_gaps(low, high, a, q, pool_low, pool_high, pool_low.shape[1], bounds[q])
        together = bounds[:size].sum(
            axis=0
        )  # the rows of a leaf go the same way: leaves of the pool are read once
        for b in np.argsort(together):
            for x in range(start[a], start[a + 1]):
                q, at = x - start[a], x - start[begin]
                limit = np.float32((1 - best[at, k - 1]) * known[x] + sure)
                if bounds[q, b] > limit + slack:
                    continue
                if not _sum_lanes(lanes, lane_weights, a, q, b, limit, leave_out, sums):
                    continue
                for y in range(start[b], start[b + 1]):
                    if sums[y - start[b]] > limit or rows[order[y]] == rows[order[x]]:
                        continue
                    similarity = gower_pair(values, weights, place, x, y, leave_out)
                    _insert(best[at], rank[at], similarity, order[y])
                    limit = np.float32((1 - best[at, k - 1]) * known[x] + sure)
    for at in range(n):
        for i in range(k):
            if rank[at, i] < 0:
                best[at, i] = np.nan
            else:
                rank[at, i] = rows[rank[at, i]]
    return best, rank
