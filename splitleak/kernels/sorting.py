"""Sorting the token sets of rows in place: many short ranges, now and then a very long one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak.kernels.compiling import njit

LEVELS = 256
LEVEL_BITS = 12  # a level table is looked up by the 12 leading bits of a key
_SHORT = 24
_MIDDLE = 1024


def uniform_levels() -> NDArray[np.uint8]:
    """Return the level table of keys that are spread evenly over 64 bits, such as hashes."""
    return (np.arange(1 << LEVEL_BITS) >> (LEVEL_BITS - 8)).astype(np.uint8)


@njit(nogil=True, cache=True)
def sort_range(keys, first, m, levels, spare, count):  # type: ignore[no-untyped-def]
    """Sort ``keys[first : first + m]`` (uint64) in place.

    `levels` (uint8, 4096 entries, not decreasing) spreads keys evenly over 256 levels by their 12 leading
    bits; it decides only the speed. `spare` has room for m keys, `count` for 257 numbers.
    """
    if m <= _SHORT:
        for i in range(first + 1, first + m):
            key = keys[i]
            j = i - 1
            while j >= first and keys[j] > key:
                keys[j + 1] = keys[j]
                j -= 1
            keys[j + 1] = key
        return
    if m > _MIDDLE:
        _radix_sort(keys, first, m, spare, count)
        return
    narrow = 2 if m <= 128 else 0  # 64 levels are enough for the usual row, and cheaper to reset
    n_levels = LEVELS >> narrow
    for level in range(n_levels + 1):
        count[level] = 0
    for i in range(first, first + m):
        count[(levels[keys[i] >> np.uint64(64 - LEVEL_BITS)] >> narrow) + 1] += 1
    for level in range(n_levels):
        count[level + 1] += count[level]
    for i in range(first, first + m):
        level = levels[keys[i] >> np.uint64(64 - LEVEL_BITS)] >> narrow
        spare[count[level]] = keys[i]
        count[level] += 1
    for i in range(m):
        key = spare[i]
        j = first + i - 1
        while j >= first and keys[j] > key:
            keys[j + 1] = keys[j]
            j -= 1
        keys[j + 1] = key


@njit(nogil=True, cache=True)
def _radix_sort(keys, first, m, spare, count):  # type: ignore[no-untyped-def]
    for digit in range(8):
        shift = np.uint64(8 * digit)
        for value in range(257):
            count[value] = 0
        for i in range(m):
            count[np.int64((keys[first + i] >> shift) & np.uint64(255)) + 1] += 1
        for value in range(256):
            count[value + 1] += count[value]
        for i in range(m):
            bin_ = np.int64((keys[first + i] >> shift) & np.uint64(255))
            spare[count[bin_]] = keys[first + i]
            count[bin_] += 1
        for i in range(m):  # a loop compiles in a fraction of a slice assignment's time
            keys[first + i] = spare[i]
