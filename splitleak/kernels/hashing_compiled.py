"""The hashes of `hashing`, compiled: for inputs where NumPy's temporaries would dominate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak.kernels.compiling import njit
from splitleak.kernels.hashing import GOLDEN, MULTIPLIERS, QUIET_NAN

_GOLDEN = np.uint64(GOLDEN)
_FIRST, _SECOND = np.uint64(MULTIPLIERS[0]), np.uint64(MULTIPLIERS[1])
_NAN = np.uint64(QUIET_NAN)


@njit(cache=True, nogil=True, inline="always")
def _mix(z):  # type: ignore[no-untyped-def]
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def bytes_rows(
    buffer: NDArray[np.uint8], offsets: NDArray[np.int64], first: int, last: int
) -> NDArray[np.uint64]:
    """Return the hashes of the rows first <= i < last of a flat buffer."""
    hashes = np.empty(last - first, dtype=np.uint64)
    for row in range(first, last):
        start, stop = offsets[row], offsets[row + 1]
        total = np.uint64(0)
        place = np.uint64(0)
        at = start
        while at + 8 <= stop:
            word = np.uint64(0)
            for k in range(8):
                word |= np.uint64(buffer[at + k]) << np.uint64(8 * k)
            place += _GOLDEN
            total += _mix(word + place)
            at += 8
        if at < stop:
            word = np.uint64(0)
            for k in range(stop - at):
                word |= np.uint64(buffer[at + k]) << np.uint64(8 * k)
            place += _GOLDEN
            total += _mix(word + place)
        hashes[row - first] = _mix(total + _mix(np.uint64(stop - start)))
    return hashes


@njit(cache=True, nogil=True)
def dense_rows(matrix: NDArray[np.floating]) -> NDArray[np.uint64]:
    """Return the hashes of the rows of a float matrix."""
    n, d = matrix.shape
    hashes = np.empty(n, dtype=np.uint64)
    value = np.empty(1, dtype=np.float64)
    bits = value.view(np.uint64)
    of_width = _mix(np.uint64(d))
    for row in range(n):
        total = np.uint64(0)
        place = np.uint64(0)
        for column in range(d):
            place += _GOLDEN
            value[0] = np.float64(matrix[row, column])
            if value[0] == 0.0:  # 0.0 and -0.0 count nothing, as in sparse rows, which do not store them
                continue
            word = bits[0]
            if value[0] != value[0]:
                word = _NAN
            total += _mix(word + place)
        hashes[row] = _mix(total + of_width)
    return hashes
