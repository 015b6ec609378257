"""MinHash signatures and band hashes of token sets: the ``affine32`` family, vectorised over permutations.

A permutation of the 32-bit integers is ``x -> a * x + b mod 2**32`` with odd ``a``, applied to token hashes that
MurmurHash3's finaliser has mixed; a signature holds the minimum over a row's tokens for each permutation. That is
the default family of datasketch 2, so equal token hashes, seed and number of permutations give equal signatures.

Source: A. Z. Broder, On the resemblance and containment of documents, 1997.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak.kernels.compiling import njit

U32 = np.uint32
U64 = np.uint64
EMPTY = U32(0xFFFFFFFF)  # the signature of a row without tokens, as in datasketch
_BLOCK = 2048  # token hashes that stay in the first-level cache while the permutations pass over them


@njit(inline="always")
def _fmix32(x):  # type: ignore[no-untyped-def]
    x ^= x >> U32(16)
    x = U32(x * U32(0x85EBCA6B))
    x ^= x >> U32(13)
    x = U32(x * U32(0xC2B2AE35))
    return x ^ (x >> U32(16))


@njit(inline="always")
def _lower(signature, xs, m, a, b):  # type: ignore[no-untyped-def]
    """Lower `signature` by the first `m` mixed hashes; `xs` has room for three more."""
    while m & 3:  # a repeated token changes no minimum, and spares the vector loop a remainder
        xs[m] = xs[m - 1]
        m += 1
    for i in range(0, m, 4):
        # four tokens a pass: the multiplications, not the loads of a, b and signature, set the pace
        x0, x1, x2, x3 = xs[i], xs[i + 1], xs[i + 2], xs[i + 3]
        for j in range(a.shape[0]):
            aj, bj = a[j], b[j]
            low = min(U32(aj * x0 + bj), U32(aj * x1 + bj))
            high = min(U32(aj * x2 + bj), U32(aj * x3 + bj))
            signature[j] = min(signature[j], min(low, high))


@njit(nogil=True, cache=True)
def _signatures(tokens, starts, a, b, out):  # type: ignore[no-untyped-def]
    xs = np.empty(_BLOCK + 3, np.uint32)
    for row in range(starts.shape[0] - 1):
        signature = out[row]
        for j in range(a.shape[0]):
            signature[j] = EMPTY
        at = starts[row]
        while at < starts[row + 1]:
            m = min(_BLOCK, starts[row + 1] - at)
            for i in range(m):
                xs[i] = _fmix32(tokens[at + i])
            _lower(signature, xs, m, a, b)
            at += m


def minhash_signatures(
    tokens: NDArray[np.uint32], starts: NDArray[np.int64], a: NDArray[np.uint32], b: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """Return the signatures of rows of 32-bit token hashes.

    Parameters
    ----------
    tokens : uint32 array
        Token hashes of all rows, one after the other; repeats and order within a row do not matter.
    starts : int64 array of shape (n_rows + 1,)
        Row i has the tokens ``tokens[starts[i]:starts[i + 1]]``.
    a, b : uint32 arrays of shape (n_permutations,)
        The permutations; each ``a`` odd.

    Returns
    -------
    uint32 array of shape (n_rows, n_permutations)
        All ones for a row without tokens.
    """
    out = np.empty((len(starts) - 1, len(a)), dtype=np.uint32)
    _signatures(tokens, starts, a, b, out)
    return out


@njit(nogil=True, cache=True)
def fill_band_hashes(tokens, starts, rows, places, a, b, band_rows, out):  # type: ignore[no-untyped-def]
    """Write the band hashes of row ``rows[k]`` to ``out[places[k]]``, uint32 of shape (..., bands).

    The signatures themselves are never stored: of a row's ``bands * band_rows`` minima, only one 32-bit hash a
    band is kept. `tokens` are 64-bit hashes.
    """
    xs = np.empty(_BLOCK + 3, np.uint32)
    signature = np.empty(a.shape[0], np.uint32)
    for k in range(rows.shape[0]):
        signature[:] = EMPTY
        at, end = starts[rows[k]], starts[rows[k] + 1]
        while at < end:
            m = min(_BLOCK, end - at)
            for i in range(m):
                xs[i] = _fmix32(U32(tokens[at + i] >> U64(32)))
            _lower(signature, xs, m, a, b)
            at += m
        for band in range(out.shape[1]):
            h = U64(0x243F6A8885A308D3)
            for j in range(band * band_rows, (band + 1) * band_rows):
                h = (h ^ U64(signature[j])) * U64(0x9E3779B97F4A7C15)
                h ^= h >> U64(29)
            out[places[k], band] = U32(h >> U64(32))
