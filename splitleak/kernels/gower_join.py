"""Exact join of rows of mixed columns: every pair at or above a similarity, without comparing all pairs.

Leaves of close rows are compared as boxes, then each row with a box, then with the sketches of its rows (see
`gower_leaves`); what passes is summed column by column, those that tell rows apart best first, until the sum is too
large. The similarity of what is left is summed again, in the order of the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import numpy as np
from numba import njit
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges
from splitleak.kernels.gower_leaves import LEAF, column_order, make_leaves, sketch_slack
from splitleak.kernels.gower_measure import gower_pair

MAX_PAIRS = 20_000_000  # beyond it, only the pairs that join components are stored
_PARTS = 500
_MIXED = -2
_AGAIN = 64  # rows between two looks at whether all of a leaf is one component

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
        np.full(len(leaves.side), _MIXED) if side is None else leaves.side,
        sketch_slack(weights),
        threshold,
        leave_out,
    )
    n_leaves = len(leaves.side)
    parts = ranges(n_leaves, _PARTS)
    lock, total, done = Lock(), [0], [0]

    def search(part: tuple[int, int]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        if total[0] > MAX_PAIRS:
            return np.empty((0, 2), dtype=np.int32), np.empty(0)
        found = _join(*inputs, *part, None, MAX_PAIRS)
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
        found = [_join(*inputs, 0, n_leaves, np.arange(len(rows), dtype=np.int32), len(rows))]
    pairs = np.concatenate([one for one, _ in found])
    left, right = rows[pairs[:, 0]], rows[pairs[:, 1]]
    similarity = np.concatenate([other for _, other in found])
    return np.minimum(left, right), np.maximum(left, right), similarity, complete


@njit(nogil=True, cache=True)
def _root(parent, x):  # type: ignore[no-untyped-def]
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x


@njit(nogil=True, cache=True)
def _one_component(parent, first, last):  # type: ignore[no-untyped-def]
    root, one = _root(parent, first), True
    for x in range(first + 1, last):
        one &= _root(parent, x) == root
    return one


@njit(nogil=True, cache=True)
def boxes_apart(low, high, a, b, limit):  # type: ignore[no-untyped-def]
    """Tell whether some sum is further apart than `limit` for all rows of two leaves."""
    apart = False
    for i in range(low.shape[1]):
        apart |= low[a, i] - high[b, i] > limit or low[b, i] - high[a, i] > limit
    return apart


@njit(nogil=True, cache=True)
def box_gaps(low, high, own, q, box_low, box_high, gaps):  # type: ignore[no-untyped-def]
    """Write the largest gap of a sum between row q of leaf `own` and each box into `gaps`.

    `box_low` and `box_high` have shape (n_sums, n_boxes): all boxes at once cost less than stopping at each early.
    """
    gaps[:] = np.float32(0)
    for i in range(low.shape[1]):
        own_low, own_high = low[own, i, q], high[own, i, q]
        for b in range(len(gaps)):
            above, below = own_low - box_high[i, b], box_low[i, b] - own_high
            gap = above if above > below else below
            gaps[b] = gap if gap > gaps[b] else gaps[b]


@njit(nogil=True, cache=True)
def sketch_gaps(low, high, own, q, leaf, gaps):  # type: ignore[no-untyped-def]
    """Write the largest gap of a sum between row q of leaf `own` and each row of a leaf into `gaps`."""
    gaps[:] = np.float32(0)
    for i in range(low.shape[1]):
        own_low, own_high = low[own, i, q], high[own, i, q]
        for k in range(
            LEAF
        ):  # no slice of an array in here: counting its references costs more than the loop
            above, below = own_low - high[leaf, i, k], low[leaf, i, k] - own_high
            gap = above if above > below else below
            gaps[k] = gap if gap > gaps[k] else gaps[k]


@njit(nogil=True, cache=True)
def within(values, weights, x, y, limit, leave_out):  # type: ignore[no-untyped-def]
    """Tell whether the summed distance of two rows is at most `limit`, stopping early."""
    total = 0.0
    for j in range(values.shape[1]):
        apart = abs(values[x, j] - values[y, j])
        if apart < 1:
            total += weights[j] * apart
        elif apart >= 1 or not leave_out:
            total += weights[j]
        if total > limit:
            return False
    return True


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
    parent,
    most,
):
    """Join the leaves `begin` to `end` with those from each on; with `parent`, only pairs that join components.

    Without it `parent` is None, not an empty array: what it asks for is then left out of the compiled loops, which are
    several times faster for it.
    """
    pairs, similar = np.empty((1024, 2), np.int32), np.empty(1024)
    gaps = np.empty(LEAF, np.float32)
    looked = np.zeros(
        len(side), np.int64
    )  # rows that a leaf has met since it was last looked at; -1: one component
    near = np.empty(len(side), np.int64)
    near_low = np.empty((low.shape[1], len(side)), np.float32)
    near_high = np.empty_like(near_low)
    reached = np.empty((LEAF, len(side)), np.float32)
    m = 0
    for a in range(begin, end):
        largest = limits[start[a] : start[a + 1]].max() + slack
        n_near = 0
        for b in range(a, len(side)):
            if side[a] == side[b] and side[a] != _MIXED:
                continue
            if not boxes_apart(box_low, box_high, a, b, largest):
                near[n_near] = b
                near_low[:, n_near], near_high[:, n_near] = box_low[b], box_high[b]
                n_near += 1
        for q in range(start[a + 1] - start[a]):
            box_gaps(low, high, a, q, near_low[:, :n_near], near_high[:, :n_near], reached[q, :n_near])
        for at in range(n_near):
            b = near[at]
            for x in range(start[a], start[a + 1]):
                q = x - start[a]
                limit = limits[x] + slack
                if reached[q, at] > limit:
                    continue
                if parent is not None:
                    if looked[b] >= 0:
                        looked[b] += 1
                        if looked[b] % _AGAIN == 0 and _one_component(parent, start[b], start[b + 1]):
                            looked[b] = -1
                    if looked[b] < 0 and _root(parent, x) == _root(parent, start[b]):
                        continue
                sketch_gaps(low, high, a, q, b, gaps)
                for k in range(q + 1 if a == b else 0, start[b + 1] - start[b]):
                    if gaps[k] > limit:
                        continue
                    y = start[b] + k
                    if parent is not None:  # noqa: SIM102 - compiled away where there is none
                        if _root(parent, x) == _root(parent, y):
                            continue
                    if not within(values, weights, x, y, limits[x], leave_out):
                        continue
                    similarity = gower_pair(values, weights, place, x, y, leave_out)
                    if similarity < threshold:
                        continue
                    if m == len(similar):
                        grown, longer = np.empty((2 * m, 2), np.int32), np.empty(2 * m)
                        grown[:m], longer[:m] = pairs, similar
                        pairs, similar = grown, longer
                    pairs[m, 0], pairs[m, 1], similar[m] = x, y, similarity
                    m += 1
                    if parent is not None:
                        one, other = _root(parent, x), _root(parent, y)
                        parent[max(one, other)] = min(one, other)
                        if looked[b] < 0:
                            break
                if m > most:
                    return pairs[:m].copy(), similar[:m].copy()
    return pairs[:m].copy(), similar[:m].copy()
