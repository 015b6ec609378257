"""Reverse complements of encoded nucleotide sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak.kernels.compiling import njit


@njit(nogil=True, cache=True)
def reverse_complements(
    codes: NDArray[np.uint8], starts: NDArray[np.int64], complement: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return the reverse complement of each sequence, at the place of the sequence."""
    out = np.empty_like(codes)
    for s in range(len(starts) - 1):
        for i in range(starts[s], starts[s + 1]):
            out[i] = complement[codes[starts[s] + starts[s + 1] - 1 - i]]
    return out


@njit(nogil=True, cache=True)
def first_strands(
    codes: NDArray[np.uint8], reverse: NDArray[np.uint8], starts: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Return of each sequence and its reverse complement the one that comes first in order of codes."""
    out = codes.copy()
    for s in range(len(starts) - 1):
        for i in range(starts[s], starts[s + 1]):
            if codes[i] != reverse[i]:
                if reverse[i] < codes[i]:
                    out[starts[s] : starts[s + 1]] = reverse[starts[s] : starts[s + 1]]
                break
    return out
