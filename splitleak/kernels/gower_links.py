"""Rows of mixed columns that have too many pairs to list: only the pairs that join components.

Leaves that are one component each, and the same one, are passed over as a whole: a giant cluster costs a look at each
pair of its leaves, not at each pair of its rows. The loops over leaves stand here and in `gower_join._join`: shared
functions in their place, inlined or not, made both 40 % slower.
"""

from __future__ import annotations

import numpy as np

from splitleak.kernels.compiling import njit
from splitleak.kernels.gower_bounds import MIXED, box_gaps, boxes_apart, largest_of, sketch_gaps, within
from splitleak.kernels.gower_leaves import LEAF
from splitleak.kernels.gower_measure import gower_pair
from splitleak.kernels.union_find import root as root_of


@njit(nogil=True, cache=True)
def count_partners(  # type: ignore[no-untyped-def]
    values, weights, place, limits, side, threshold, leave_out, places
):
    """Return the number of rows similar to each of those at `places`."""
    out = np.zeros(len(places), np.int64)
    for k in range(len(places)):
        x = places[k]
        for y in range(len(values)):
            if y == x or (side[x] == side[y] and side[x] != MIXED):
                continue
            if within(values, weights, x, y, limits[x], leave_out):
                out[k] += gower_pair(values, weights, place, x, y, leave_out) >= threshold
    return out


@njit(nogil=True, cache=True)
def _one_component(parent, first, last):  # type: ignore[no-untyped-def]
    root, one = root_of(parent, first), True
    for x in range(first + 1, last):
        one &= root_of(parent, x) == root
    return one


@njit(nogil=True, cache=True)
def _passed(parent, one, start, a, b):  # type: ignore[no-untyped-def]
    """Tell whether two leaves are one component, as far as is known."""
    return one[a] and one[b] and root_of(parent, start[a]) == root_of(parent, start[b])


@njit(nogil=True, cache=True)
def link_leaves(  # type: ignore[no-untyped-def]
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
    parent,
):
    """Return pairs, and their similarity, that join all rows which similar pairs join.

    Parameters are those of `gower_join._join`; `parent` is a union-find over the rows, ``arange(n)``.
    """
    n_leaves, m = len(side), 0
    pairs, similar = np.empty((len(parent), 2), np.int32), np.empty(len(parent))
    gaps = np.empty(LEAF, np.float32)
    one = np.zeros(n_leaves, np.bool_)
    near = np.empty(n_leaves, np.int64)
    near_low = np.empty((low.shape[1], n_leaves), np.float32)
    near_high = np.empty_like(near_low)
    reached = np.empty((LEAF, n_leaves), np.float32)
    # first each leaf with itself: most of a giant cluster is then known to be one component, leaf by leaf
    for step in range(2 * n_leaves):
        a, apart = step % n_leaves, step >= n_leaves
        largest = slack + largest_of(limits, start[a], start[a + 1])
        n_near = 0
        for b in range(a + 1 if apart else a, n_leaves if apart else a + 1):
            if (side[a] == side[b] and side[a] != MIXED) or _passed(parent, one, start, a, b):
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
                if _passed(parent, one, start, a, b):
                    break
                q, linked = x - start[a], False
                limit = limits[x] + slack
                if reached[q, at] > limit or (one[b] and root_of(parent, x) == root_of(parent, start[b])):
                    continue
                sketch_gaps(low, high, a, q, b, gaps)
                for k in range(q + 1 if a == b else 0, start[b + 1] - start[b]):
                    y = start[b] + k
                    if gaps[k] > limit or root_of(parent, x) == root_of(parent, y):
                        continue
                    if not within(values, weights, x, y, limits[x], leave_out):
                        continue
                    similarity = gower_pair(values, weights, place, x, y, leave_out)
                    if similarity < threshold:
                        continue
                    pairs[m, 0], pairs[m, 1], similar[m] = x, y, similarity
                    m += 1
                    top, other = root_of(parent, x), root_of(parent, y)
                    parent[max(top, other)] = min(top, other)
                    linked = True
                    if one[b]:
                        break
                if linked:
                    one[a] = one[a] or _one_component(parent, start[a], start[a + 1])
                    one[b] = one[b] or _one_component(parent, start[b], start[b + 1])
    return pairs[:m].copy(), similar[:m].copy()
