"""How many sets are similar to each of a few, without an index; whether there are too many pairs to list."""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from splitleak.kernels.compiling import njit
from splitleak.kernels.pair_count import surely_more_pairs


def too_many_set_pairs(
    tokens: NDArray[np.uint64],
    span: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    side: NDArray[np.int64],
    keys: NDArray[np.uint64],
    threshold: float,
    limit: int,
) -> bool:
    """Return whether there are surely more than `limit` pairs of similar sets (`surely_more_pairs`).

    Parameters
    ----------
    tokens : uint64 array
    span, sketch, side : arrays
        See `splitleak.kernels.prefix_index.PrefixIndex`.
    keys : uint64 array of shape (n_sets,)
        A hash of each set.
    threshold : float
        Jaccard similarity, inclusive.
    limit : int
        Number of pairs.
    """

    def count(places: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(_count(tokens, span, sketch, side, threshold, places))

    return surely_more_pairs(count, keys, limit)


@intrinsic
def _popcount(typing_context, x):  # type: ignore[no-untyped-def]
    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), code


@njit(nogil=True, cache=True)
def _count(tokens, span, sketch, side, threshold, places):  # type: ignore[no-untyped-def]
    """Return the number of sets that are similar to each of those at `places`."""
    out = np.zeros(len(places), np.int64)
    for y in range(len(span)):  # outermost: each set is fetched once
        size_y = span[y, 1] - span[y, 0]
        for k in range(len(places)):
            x = places[k]
            size_x = span[x, 1] - span[x, 0]
            # one token less than needed: rounding is left to the quotient below
            needed = np.int64(np.ceil(threshold / (1 + threshold) * (size_x + size_y))) - 1
            spare = size_x + size_y - 2 * needed
            even, odd = _popcount(sketch[x, 0] ^ sketch[y, 0]), _popcount(sketch[x, 1] ^ sketch[y, 1])
            if np.int64(even + odd) > spare or min(size_x, size_y) < needed or x == y:
                continue
            if len(side) and side[x] == side[y] and side[x] != -2:
                continue
            a, b, shared = span[x, 0], span[y, 0], 0
            while a < span[x, 1] and b < span[y, 1] and spare >= 0:
                one, other = tokens[a], tokens[b]
                shared += one == other
                spare -= one != other
                a += one <= other
                b += other <= one
            out[k] += spare >= 0 and shared >= threshold * (size_x + size_y - shared)
    return out
