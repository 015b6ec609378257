"""How far apart rows of mixed columns are at least: leaf and leaf, row and leaf, row and row (see `gower_leaves`)."""

from __future__ import annotations

import numpy as np

from splitleak.kernels.compiling import njit
from splitleak.kernels.gower_leaves import LEAF

MIXED = -2  # a row of this side meets every row


@njit(nogil=True, cache=True)
def boxes_apart(low, high, a, b, limit):  # type: ignore[no-untyped-def]
    """Tell whether some sum is further apart than `limit` for all rows of two leaves."""
    apart = False
    for i in range(low.shape[1]):
        apart |= low[a, i] - high[b, i] > limit or low[b, i] - high[a, i] > limit
    return apart


@njit(nogil=True, cache=True)
def box_gaps(low, high, own, q, box_low, box_high, n_boxes, gaps):  # type: ignore[no-untyped-def]
    """Write the largest gap of a sum between row q of leaf `own` and each of `n_boxes` boxes into `gaps`.

    `box_low` and `box_high` have shape (n_sums, >= n_boxes): all boxes at once cost less than stopping at each early.
    """
    for b in range(n_boxes):
        gaps[b] = np.float32(0)
    for i in range(low.shape[1]):
        own_low, own_high = low[own, i, q], high[own, i, q]
        for b in range(n_boxes):
            above, below = own_low - box_high[i, b], box_low[i, b] - own_high
            gap = above if above > below else below
            gaps[b] = gap if gap > gaps[b] else gaps[b]


@njit(nogil=True, cache=True)
def largest_of(values, first, last):  # type: ignore[no-untyped-def]
    """Return the largest of some values."""
    top = values[first]  # no slice: what NumPy's own functions bring along takes seconds to compile
    for i in range(first + 1, last):
        top = max(top, values[i])
    return top


@njit(nogil=True, cache=True)
def sketch_gaps(low, high, own, q, leaf, gaps):  # type: ignore[no-untyped-def]
    """Write the largest gap of a sum between row q of leaf `own` and each row of a leaf into `gaps`."""
    for k in range(LEAF):
        gaps[k] = np.float32(0)
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
