"""64-bit content hashes of flat buffers, vectorised over all rows.

The hash of a row is a sum over its 8-byte words: each word, shifted by its place, goes through the finaliser of
SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014); the sum goes
through it once more with the row's length. A sum has no order of evaluation, so NumPy and the compiled kernels
in `hashing_compiled` give the same values on every machine. It is no defence against someone who constructs
collisions: rows of equal hashes are verified where that matters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges, thread_count

GOLDEN = 0x9E3779B97F4A7C15
MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
QUIET_NAN = 0x7FF8000000000000  # one bit pattern for every NaN

# Up to here NumPy is done before numba would be imported and its kernels loaded.
COMPILED_FROM_BYTES = 8 << 20
_BLOCK = 1 << 18  # words at a time: the temporaries stay in the cache

Words = NDArray[np.uint64]


def mix(words: Words) -> Words:
    """Return the finaliser of SplitMix64 of each word (a bijection of 64 bits)."""
    z = words ^ (words >> np.uint64(30))
    z *= np.uint64(MULTIPLIERS[0])
    z ^= z >> np.uint64(27)
    z *= np.uint64(MULTIPLIERS[1])
    z ^= z >> np.uint64(31)
    return z


def placed(words: Words, places: NDArray[np.integer]) -> Words:
    """Return each word's contribution to its row's sum; `places` counts from 0 within the row."""
    return mix(words + (places.astype(np.uint64) + np.uint64(1)) * np.uint64(GOLDEN))


def finish(sums: Words, lengths: NDArray[np.integer]) -> Words:
    """Return the row hashes of the sums of their words and their lengths."""
    return mix(sums + mix(lengths.astype(np.uint64)))


def segment_sums(values: Words, offsets: NDArray[np.int64]) -> Words:
    """Return the sums (modulo 2**64) of ``values[offsets[i]:offsets[i + 1]]``."""
    running = np.zeros(len(values) + 1, dtype=np.uint64)
    np.cumsum(values, out=running[1:])
    return running[offsets[1:]] - running[offsets[:-1]]


def number_words(values: NDArray[np.floating]) -> Words:
    """Return the bits of each number as a float64; -0.0 is 0.0, and all NaN are one."""
    exact = values.astype(np.float64) + 0.0  # -0.0 + 0.0 is 0.0
    words = exact.view(np.uint64)
    words[np.isnan(exact)] = np.uint64(QUIET_NAN)
    return words


def hash_bytes(buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Words:
    """Return the hash of each ``buffer[offsets[i]:offsets[i + 1]]``.

    Parameters
    ----------
    buffer : uint8 array
    offsets : int64 array of shape (n + 1,)

    Returns
    -------
    uint64 array of shape (n,)
    """
    if len(buffer) >= COMPILED_FROM_BYTES:
        from splitleak.kernels import hashing_compiled

        pieces = ranges(len(offsets) - 1, thread_count())
        done = map_threads(lambda r: hashing_compiled.bytes_rows(buffer, offsets, r[0], r[1]), pieces)
        return np.concatenate(done)
    return hash_bytes_numpy(buffer, offsets)


def hash_bytes_numpy(buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Words:
    """Return what `hash_bytes` returns, by NumPy alone."""
    hashes = np.empty(len(offsets) - 1, dtype=np.uint64)
    per_row = (np.diff(offsets) + 7) // 8
    first_word = np.concatenate([[0], np.cumsum(per_row)])
    start = 0
    while start < len(hashes):
        stop = int(np.searchsorted(first_word, first_word[start] + _BLOCK, side="right")) - 1
        stop = min(max(stop, start + 1), len(hashes))
        hashes[start:stop] = _hash_block(buffer, offsets[start : stop + 1])
        start = stop
    return hashes


def _hash_block(buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Words:
    base = offsets[0]
    padded = np.concatenate([buffer[base : offsets[-1]], np.zeros(8, dtype=np.uint8)])
    lengths = np.diff(offsets)
    per_row = (lengths + 7) // 8
    word_offsets = np.concatenate([[0], np.cumsum(per_row)])
    places = np.arange(word_offsets[-1]) - np.repeat(word_offsets[:-1], per_row)
    starts = np.repeat(offsets[:-1] - base, per_row) + 8 * places
    # a view of the words that begin at each byte; little-endian wherever it runs
    at_byte = np.ndarray((len(padded) - 7,), dtype="<u8", buffer=padded, strides=(1,))
    words = at_byte[starts].astype(np.uint64)
    surplus = np.maximum(8 - (np.repeat(lengths, per_row) - 8 * places), 0).astype(np.uint64)
    words &= np.uint64(0xFFFFFFFFFFFFFFFF) >> (surplus * np.uint64(8))
    return finish(segment_sums(placed(words, places), word_offsets), lengths)


def hash_dense(matrix: NDArray[np.floating]) -> Words:
    """Return the hash of each row of a float matrix, the same for float32, float64 and sparse rows of equal value."""
    if matrix.nbytes >= COMPILED_FROM_BYTES and matrix.flags.c_contiguous:
        from splitleak.kernels import hashing_compiled

        pieces = ranges(len(matrix), thread_count())
        return np.concatenate(map_threads(lambda r: hashing_compiled.dense_rows(matrix[r[0] : r[1]]), pieces))
    return hash_dense_numpy(matrix)


def hash_dense_numpy(matrix: NDArray[np.floating]) -> Words:
    """Return what `hash_dense` returns, by NumPy alone."""
    n, d = matrix.shape
    hashes = np.empty(n, dtype=np.uint64)
    step = max(1, _BLOCK // max(1, d))
    places = np.arange(d)
    for start in range(0, n, step):
        block = number_words(matrix[start : start + step])
        words = placed(block, places[None, :])
        words[block == 0] = 0  # as in sparse rows, which do not store zeros
        sums = words.sum(axis=1, dtype=np.uint64)
        hashes[start : start + step] = finish(sums, np.full(len(block), d))
    return hashes


def hash_sparse(
    data: NDArray[np.floating], indices: NDArray[np.integer], indptr: NDArray[np.integer], n_columns: int
) -> Words:
    """Return the hash of each row of a CSR matrix without explicit zeros, over its (index, value) pairs."""
    contributions = placed(number_words(data), indices)
    offsets = indptr.astype(np.int64)
    return finish(segment_sums(contributions, offsets), np.full(len(offsets) - 1, n_columns))
