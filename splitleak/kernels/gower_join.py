"""Exact join of rows of mixed columns: every pair at or above a similarity, without comparing all pairs.

Leaves of close rows are compared as boxes, then each row with a box, then with the sketches of its rows (see
`gower_leaves`); what passes is summed column by column, those that tell rows apart best first, until the sum is too
large. The similarity of what is left is summed again, in the order of the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges
from splitleak.kernels.compiling import njit
from splitleak.kernels.gower_bounds import MIXED, box_gaps, boxes_apart, largest_of, sketch_gaps, within
from splitleak.kernels.gower_leaves import LEAF, column_order, make_leaves, sketch_slack
from splitleak.kernels.gower_links import count_partners, link_leaves
from splitleak.kernels.gower_measure import gower_pair
from splitleak.kernels.hashing import hash_bytes
from splitleak.kernels.pair_count import surely_more_pairs

MAX_PAIRS = 20_000_000  # beyond it, only the pairs that join components are stored
_PARTS = 500
_HASHED = 16  # columns that choose a sample of the rows

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], bool]


def distance_limits(
    values: NDArray[np.float64], weights: NDArray[np.float64], threshold: float, *, leave_out: bool
) -> NDArray[np.float64]:
    """Return a summed distance beyond which no row is at or above `threshold` to each row, a little generous."""
    known = np.full(len(values), weights.sum())
    if leave_out:
        known -= np.isnan(values) @ weights
    return (1 - threshold) * known + 2e-9 * weights.sum()


def gower_pairs(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    levels: NDArray[np.int64],
    threshold: float,
    *,
    leave_out: bool,
    sides: NDArray[np.int64] | None = None,
    advance: Callable[[int], None] | None = None,
) -> Pairs:
    """Return ``(left, right, similarity, complete)`` of all pairs of rows with similarity >= threshold.

    Beyond `MAX_PAIRS` pairs, only pairs that join components are returned, and `complete` is False.

    Parameters
    ----------
    values : float64 array of shape (n, n_columns)
        Coordinates; NaN: missing.
    weights : float64 array of shape (n_columns,)
        Weights, each above 0.
    levels : int64 array of shape (n_columns,)
        Number of codes of a column of categories (which are 0, 1, ...), 0 for numbers.
    threshold : float
        Inclusive bound in (0, 1].
    leave_out : bool
        Whether missing values are left out of the mean; else they are 1 apart from every value.
    sides : int64 array of shape (n,), optional
        Only pairs of different sides (-1: no pair; -2: meets every row).
    advance : callable, optional
        Told of progress, 1,000 units in all.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.array([[0.0, 1], [0.25, 1], [0.0, 0]])
    >>> left, right, similarity, _ = gower_pairs(values, np.ones(2), np.array([0, 2]), 0.875, leave_out=False)
    >>> left.tolist(), right.tolist(), similarity.tolist()
    ([0], [1], [0.875])
    """
    used = np.arange(len(values)) if sides is None else np.flatnonzero(sides != -1)
    if len(used) < 2:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0), True
    limits = distance_limits(values, weights, threshold, leave_out=leave_out)[used]
    side = None if sides is None else sides[used]
    leaves = make_leaves(
        values[used], weights, levels, float(np.median(limits)), leave_out=leave_out, sides=side
    )
    quick = column_order(values[used], weights)
    rows = used[leaves.order]
    inputs = (
        np.ascontiguousarray(values[rows][:, quick]),
        weights[quick],
        np.argsort(quick),
        limits[leaves.order],
        *leaves[1:6],
        np.full(len(leaves.side), MIXED) if side is None else leaves.side,
        sketch_slack(weights),
        threshold,
        leave_out,
    )
    n_leaves = len(leaves.side)
    parts = ranges(n_leaves, _PARTS)
    lock, total, done = Lock(), [0], [0]
    if _too_many_pairs(inputs):
        total[0] = MAX_PAIRS + 1

    def search(part: tuple[int, int]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        if total[0] > MAX_PAIRS:
            return np.empty((0, 2), dtype=np.int32), np.empty(0)
        found = _join(*inputs, *part, MAX_PAIRS)
        with lock:
            total[0] += len(found[1])
            done[0] += 1
            if advance is not None:
                advance(1000 * done[0] // len(parts) - 1000 * (done[0] - 1) // len(parts))
        return found

    found = map_threads(search, parts)
    complete = total[0] <= MAX_PAIRS
    if not complete:
        # begun again and in one thread: which pairs link components must not depend on who came first
        del found
        found = [link_leaves(*inputs, np.arange(len(rows), dtype=np.int32))]
    pairs = np.concatenate([one for one, _ in found])
    left, right = rows[pairs[:, 0]], rows[pairs[:, 1]]
    similarity = np.concatenate([other for _, other in found])
    return np.minimum(left, right), np.maximum(left, right), similarity, complete


def _too_many_pairs(inputs: tuple[Any, ...]) -> bool:
    """Return whether there are surely more than `MAX_PAIRS` pairs; see `splitleak.kernels.pair_count`."""
    values, start = inputs[0], inputs[4]
    n = len(values)
    if n * (n - 1) // 2 <= MAX_PAIRS:
        return False
    words = np.ascontiguousarray(values[:, :_HASHED]).view(np.uint8).reshape(n, -1)
    keys = hash_bytes(words.reshape(-1), np.arange(n + 1, dtype=np.int64) * words.shape[1])
    side = np.repeat(inputs[9], np.diff(start))
    known = (*inputs[:4], side, inputs[11], inputs[12])
    return surely_more_pairs(lambda places: np.asarray(count_partners(*known, places)), keys, MAX_PAIRS)


@njit(nogil=True, cache=True)
def _join(  # type: ignore[no-untyped-def]
    values,
    weights,
    place,
    limits,
    start,
    low,
    high,
    box_low,
    box_high,
    side,
    slack,
    threshold,
    leave_out,
    begin,
    end,
    most,
):
    """Join the leaves `begin` to `end` with those from each on; stop at more than `most` pairs."""
    pairs, similar = np.empty((1024, 2), np.int32), np.empty(1024)
    gaps = np.empty(LEAF, np.float32)
    near = np.empty(len(side), np.int64)
    near_low = np.empty((low.shape[1], len(side)), np.float32)
    near_high = np.empty_like(near_low)
    reached = np.empty((LEAF, len(side)), np.float32)
    m = 0
    for a in range(begin, end):
        largest = slack + largest_of(limits, start[a], start[a + 1])
        n_near = 0
        for b in range(a, len(side)):
            if side[a] == side[b] and side[a] != MIXED:
                continue
            if not boxes_apart(box_low, box_high, a, b, largest):
                near[n_near] = b
                for i in range(low.shape[1]):
                    near_low[i, n_near], near_high[i, n_near] = box_low[b, i], box_high[b, i]
                n_near += 1
        for q in range(start[a + 1] - start[a]):
            box_gaps(low, high, a, q, near_low, near_high, n_near, reached[q])
        for at in range(n_near):
            b = near[at]
            for x in range(start[a], start[a + 1]):
                q = x - start[a]
                limit = limits[x] + slack
                if reached[q, at] > limit:
                    continue
                sketch_gaps(low, high, a, q, b, gaps)
                for k in range(q + 1 if a == b else 0, start[b + 1] - start[b]):
                    if gaps[k] > limit:
                        continue
                    y = start[b] + k
                    if not within(values, weights, x, y, limits[x], leave_out):
                        continue
                    similarity = gower_pair(values, weights, place, x, y, leave_out)
                    if similarity < threshold:
                        continue
                    if m == len(similar):
                        grown, longer = np.empty((2 * m, 2), np.int32), np.empty(2 * m)
                        for i in range(m):  # a loop compiles in a fraction of a slice assignment's time
                            grown[i, 0], grown[i, 1], longer[i] = pairs[i, 0], pairs[i, 1], similar[i]
                        pairs, similar = grown, longer
                    pairs[m, 0], pairs[m, 1], similar[m] = x, y, similarity
                    m += 1
                if m > most:
                    return pairs[:m].copy(), similar[:m].copy()
    return pairs[:m].copy(), similar[:m].copy()
