"""Exact Tanimoto join of bit fingerprints: every pair at or above a threshold.

The fingerprints stand column by column, a byte a bit, so that the shared bits of one fingerprint with 64 others are
counted by adding up the few columns of its own bits: a byte addition each. Fingerprints of a and b bits can have
similarity t only when ``min(a, b) >= t max(a, b)`` (Swamidass and Baldi 2007), so they are kept in order of bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from splitleak._threads import map_threads
from splitleak.kernels.compiling import njit

BLOCK = 512  # fingerprints whose columns stay in the cache together
_STRIP = 64
_MIXED = -2


@intrinsic
def _popcount(_context, word):  # type: ignore[no-untyped-def]
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        word_type = ir.IntType(64)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(word_type, [word_type]), "llvm.ctpop.i64"
        )
        return builder.call(function, arguments)

    return types.uint64(types.uint64), generate


def bit_counts(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return how many bits are set in each row of packed fingerprints."""
    return np.bitwise_count(words).sum(axis=1, dtype=np.int64)


def tanimoto_pairs(
    words: NDArray[np.uint64], threshold: float, *, sides: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return ``(left, right, similarity)`` of all pairs with Tanimoto similarity >= threshold.

    The float64 quotient ``shared / (a + b - shared)`` decides, so ties count. A fingerprint without a bit is in no
    pair.

    Parameters
    ----------
    words : uint64 array of shape (n, n_words)
        Packed fingerprints, least significant bit first.
    threshold : float
        Inclusive bound in (0, 1].
    sides : int64 array of shape (n,), optional
        Only pairs of different sides (-1: no pair; -2: meets every row).

    Examples
    --------
    >>> import numpy as np
    >>> left, right, similarity = tanimoto_pairs(np.array([[0b0111], [0b1111], [1 << 9]], dtype=np.uint64), 0.75)
    >>> left.tolist(), right.tolist(), similarity.tolist()
    ([0], [1], [0.75])
    """
    bits = bit_counts(words)
    side = np.zeros(0, dtype=np.int64) if sides is None else sides
    order = np.argsort(bits, kind="stable") if sides is None else np.lexsort((bits, sides))
    order = order[bits[order] > 0]
    if sides is not None:
        order = order[side[order] != -1]
        side = side[order]
    ordered, bits = words[order], bits[order]
    byte = np.uint8 if bits.max(initial=0) < 256 else np.uint16

    def work(first: int) -> Any:
        return _join_block(ordered, bits, side, first, min(first + BLOCK, len(order)), threshold, byte(0))

    found = map_threads(work, list(range(0, len(order), BLOCK)))
    pairs = np.concatenate([np.empty((0, 3), dtype=np.int64), *found])
    a, b, shared = pairs[:, 0], pairs[:, 1], pairs[:, 2]
    left, right = order[a], order[b]
    by_place = np.lexsort((np.maximum(left, right), np.minimum(left, right)))
    similarity = shared / (bits[a] + bits[b] - shared)
    return np.minimum(left, right)[by_place], np.maximum(left, right)[by_place], similarity[by_place]


@njit(nogil=True, cache=True)
def _join_block(words, bits, side, first, last, threshold, zero):  # type: ignore[no-untyped-def]
    """Join the fingerprints `first` to `last` with those from `first` on; `zero` has the type of the counters."""
    n, n_words = words.shape
    columns = np.zeros((n_words * 64 + 1, BLOCK), dtype=type(zero))  # the last column stays empty
    for k in range(last - first):
        for w in range(n_words):
            for b in range(64):
                columns[w * 64 + b, k] = (words[first + k, w] >> np.uint64(b)) & np.uint64(1)
    fewest, most = bits[first:last].min(), bits[first:last].max()
    one_side = len(side) > 0 and side[first:last].min() == side[first:last].max()
    count = np.empty(BLOCK, dtype=type(zero))
    own = np.empty(n_words * 64 + 4, dtype=np.int64)
    pairs = np.empty((1024, 3), dtype=np.int64)
    m = 0
    for q in range(first, n):
        a = bits[q]
        # bounds on whole numbers are taken a little low; the quotients decide
        if most < threshold * a * (1 - 1e-12) or a < threshold * fewest * (1 - 1e-12):
            continue
        if one_side and side[q] == side[first] and side[q] != _MIXED:
            continue
        least = np.int64(np.ceil(threshold / (1 + threshold) * (a + fewest) * (1 - 1e-12) - 1e-9))
        m_own = 0
        for w in range(n_words):
            word = words[q, w]
            while word:
                low = word & (~word + np.uint64(1))
                own[m_own] = w * 64 + np.int64(_popcount(low - np.uint64(1)))
                m_own += 1
                word ^= low
        own[m_own : m_own + 4] = n_words * 64
        count[:] = 0
        for p in range(0, m_own, 4):
            c0, c1, c2, c3 = columns[own[p]], columns[own[p + 1]], columns[own[p + 2]], columns[own[p + 3]]
            for k in range(BLOCK):
                count[k] += c0[k] + c1[k] + c2[k] + c3[k]
        for strip in range(0, min(last, q) - first, _STRIP):
            top = zero
            for k in range(strip, strip + _STRIP):
                top = max(top, count[k])
            if top < least:
                continue
            for k in range(strip, min(strip + _STRIP, min(last, q) - first)):
                shared = np.int64(count[k])
                t = first + k
                if shared < least or shared / (a + bits[t] - shared) < threshold:
                    continue
                if len(side) and side[t] == side[q] and side[t] != _MIXED:
                    continue
                if m == len(pairs):
                    grown = np.empty((2 * m, 3), dtype=np.int64)
                    grown[:m] = pairs
                    pairs = grown
                pairs[m, 0], pairs[m, 1], pairs[m, 2] = t, q, shared
                m += 1
    return pairs[:m].copy()


@njit(nogil=True, cache=True)
def tanimoto_nearest(  # type: ignore[no-untyped-def]
    words, bits, queries, sides, n_sides, threshold
):
    """Compare rows with all rows, word by word.

    Returns the largest similarity of each query to another row of each side (NaN: no other row), shape
    (n_queries, n_sides), and the number of other rows at or above `threshold`; rows of side -1 are left out. Equal
    fingerprints have similarity 1, empty ones too.
    """
    nearest = np.full((len(queries), n_sides), np.nan)
    degree = np.zeros(len(queries), dtype=np.int64)
    for at in range(len(queries)):
        q = queries[at]
        for r in range(len(words)):
            if r == q or sides[r] < 0:
                continue
            shared = np.uint64(0)
            for w in range(words.shape[1]):
                shared += _popcount(words[q, w] & words[r, w])
            either = bits[q] + bits[r] - np.int64(shared)
            similarity = np.int64(shared) / either if either else 1.0
            if not nearest[at, sides[r]] >= similarity:
                nearest[at, sides[r]] = similarity
            degree[at] += similarity >= threshold
    return nearest, degree
