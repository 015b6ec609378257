"""The nearest rows of mixed columns: leaf after leaf, the closest box first, until no box can hold a nearer row."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges
from splitleak.kernels.gower_join import row_to_box, sketch_gaps, within
from splitleak.kernels.gower_leaves import LEAF, column_order, make_leaves, sketch_slack
from splitleak.kernels.gower_measure import gower_pair

_SURE = 2e-9  # rounding of sums and of similarities, as a part of the summed weights


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
    known = np.full(len(rows), weights.sum())
    if leave_out:
        known -= np.isnan(values[rows]) @ weights
    inputs = (
        np.ascontiguousarray(values[rows[order]][:, quick]),
        weights[quick],
        np.argsort(quick),
        known[order],
        *leaves[1:6],
        int((leaves.side == 0).sum()),
        order,
        rows,
        sketch_slack(weights),
        leave_out,
        k,
    )
    first = int((leaves.side == 0).sum())
    parts = [(first + a, first + b) for a, b in ranges(len(leaves.side) - first, 500)]
    found = map_threads(lambda part: _nearest(*inputs, *part), parts)
    similarity, position = np.empty((len(queries), k)), np.empty((len(queries), k), dtype=np.int64)
    place = order[len(pool) :] - len(pool)
    similarity[place] = np.concatenate([one for one, _ in found])
    position[place] = np.concatenate([other for _, other in found])
    return similarity, position


@njit(nogil=True, cache=True)
def _nearest(  # type: ignore[no-untyped-def]
    values,
    weights,
    place,
    known,
    start,
    low,
    high,
    box_low,
    box_high,
    n_leaves,
    order,
    rows,
    slack,
    leave_out,
    k,
    begin,
    end,
):
    """Look the rows of the leaves `begin` to `end` up in the first `n_leaves` leaves."""
    n = start[end] - start[begin]
    best, rank = np.full((n, k), -1.0), np.full((n, k), -1, np.int64)
    bounds = np.empty(n_leaves)
    gaps = np.empty(LEAF, np.float32)
    sure = _SURE * weights.sum()
    for a in range(begin, end):
        for x in range(start[a], start[a + 1]):
            q, at = x - start[a], x - start[begin]
            for b in range(n_leaves):
                bounds[b] = row_to_box(low, high, a, box_low, box_high, b, q, np.inf)
            for b in np.argsort(bounds):
                limit = (1 - best[at, k - 1]) * known[x] + sure
                if bounds[b] > limit + slack:
                    break
                sketch_gaps(low, high, a, q, b, gaps)
                for y in range(start[b], start[b + 1]):
                    if gaps[y - start[b]] > limit + slack or rows[order[y]] == rows[order[x]]:
                        continue
                    if not within(values, weights, x, y, limit, leave_out):
                        continue
                    similarity = gower_pair(values, weights, place, x, y, leave_out)
                    i = k
                    while i > 0 and (
                        similarity > best[at, i - 1]
                        or (similarity == best[at, i - 1] and order[y] < rank[at, i - 1])
                    ):
                        i -= 1
                    if i < k:
                        for later in range(k - 1, i, -1):
                            best[at, later], rank[at, later] = best[at, later - 1], rank[at, later - 1]
                        best[at, i], rank[at, i] = similarity, order[y]
                        limit = (1 - best[at, k - 1]) * known[x] + sure
    for at in range(n):
        for i in range(k):
            if rank[at, i] < 0:
                best[at, i] = np.nan
            else:
                rank[at, i] = rows[rank[at, i]]
    return best, rank
