"""Index of the prefixes of token sets, for a join by Jaccard similarity: which sets may meet, and where."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from splitleak.kernels.sets import OrderedSets

MIXED = -2  # a set of this side meets every other


class PrefixIndex(NamedTuple):
    """Which set meets which, and the index of the prefixes."""

    side: NDArray[np.int64]  # of each set; empty: every set meets every other
    low: NDArray[np.int64]  # set i looks for partners among the sets low[i] to high[i]
    high: NDArray[np.int64]
    bucket_start: NDArray[np.uint32]
    postings: NDArray[np.uint64]  # two numbers each: set and place of the token; the first half of its sketch


def prefix_index(sets: OrderedSets, threshold: float, sides: NDArray[np.int64] | None) -> PrefixIndex:
    """Index the prefixes of `sets`, for a join at `threshold` (across `sides` only, a code of each row)."""
    n, size = len(sets.rows), sets.span[:, 1] - sets.span[:, 0]
    high = np.arange(n)
    side = np.zeros(0, dtype=np.int64)
    is_indexed = np.ones(n, dtype=np.bool_)
    share = 2 * threshold / (1 + threshold)
    smallest, largest = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    if sides is not None:
        side = sides[sets.rows].astype(np.int64)
        codes, counts = np.unique(side[side != MIXED], return_counts=True)
        if len(codes) and 2 * counts.max() > n:
            # one side has most rows, as a training set has: it looks in the index of the others, which then
            # needs the longer prefix because partners may be larger, and its own sets are never indexed
            is_largest = side == codes[counts.argmax()]
            is_indexed, share = ~is_largest, threshold
            others_meet = len(codes) > 2 or bool((side == MIXED).any())
            high = np.where(is_largest, n, high if others_meet else 0)
    n_postings = _bounds(size, threshold, share, is_indexed, smallest, largest)
    low = np.searchsorted(size, smallest, side="left")
    high = np.minimum(high, np.searchsorted(size, largest, side="right"))
    n_buckets = 1 << max(10, n_postings.bit_length())
    bucket_start = np.zeros(n_buckets + 1, dtype=np.uint32)
    postings = np.empty((n_postings, 2), dtype=np.uint64)
    _index(sets.keys, sets.span, sets.bits, is_indexed, share, bucket_start, postings)
    return PrefixIndex(side, low, high, bucket_start, postings)


# bounds on whole numbers must never be too tight by a rounding error; the quotients decide ties
@njit(nogil=True, cache=True)
def at_least(x):  # type: ignore[no-untyped-def]
    return max(np.int64(np.ceil(x * (1 - 1e-12) - 1e-9)), 1)


@njit(nogil=True, cache=True)
def at_most(x):  # type: ignore[no-untyped-def]
    return np.int64(np.floor(min(x * (1 + 1e-12) + 1e-9, 2.0**62)))


@njit(nogil=True, cache=True)
def prefix(size, share):  # type: ignore[no-untyped-def]
    return size - at_least(share * size) + 1 if size > 0 else np.int64(0)


@njit(nogil=True, cache=True)
def _bounds(size, threshold, share, is_indexed, low, largest):  # type: ignore[no-untyped-def]
    """Write the smallest and the largest size of a partner of each set; return the number of postings."""
    n_postings = 0
    for i in range(len(size)):
        low[i], largest[i] = at_least(threshold * size[i]), at_most(size[i] / threshold)
        if is_indexed[i]:
            n_postings += prefix(size[i], share)
    return n_postings


@njit(nogil=True, cache=True, inline="always")
def bucket(key, shift):  # type: ignore[no-untyped-def]
    return np.int64(((key ^ (key >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)) >> shift)


@njit(nogil=True, cache=True, inline="always")
def bucket_shift(bucket_start):  # type: ignore[no-untyped-def]
    bits = 0
    while (1 << bits) < len(bucket_start) - 1:
        bits += 1
    return np.uint64(64 - bits)


@njit(nogil=True, cache=True)
def _index(keys, span, bits, is_indexed, share, bucket_start, postings):  # type: ignore[no-untyped-def]
    """Fill the postings of each bucket, in order of sets."""
    shift = bucket_shift(bucket_start)
    for row in range(len(span)):
        if is_indexed[row]:
            for k in range(span[row, 0], span[row, 0] + prefix(span[row, 1] - span[row, 0], share)):
                bucket_start[bucket(keys[k], shift) + 1] += np.uint32(1)
    for b in range(len(bucket_start) - 1):
        bucket_start[b + 1] += bucket_start[b]
    filled = bucket_start.copy()
    for row in range(len(span)):
        if is_indexed[row]:
            for k in range(span[row, 0], span[row, 0] + prefix(span[row, 1] - span[row, 0], share)):
                b = bucket(keys[k], shift)
                postings[filled[b], 0] = (np.uint64(row) << np.uint64(32)) | np.uint64(k - span[row, 0])
                postings[filled[b], 1] = bits[row, 0]
                filled[b] += np.uint32(1)
