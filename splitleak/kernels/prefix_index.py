"""Index of the prefixes of token sets, for a join by Jaccard similarity: which sets may meet, and where.

The index is cut into blocks of sets of like size, each small enough for a processor's cache: a set looks only in
the blocks with sets of sizes that its partners may have, and each look-up there is cheap.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges
from splitleak.kernels.compiling import njit
from splitleak.kernels.sets import rarity
from splitleak.kernels.sorting import LEVEL_BITS, LEVELS, sort_range

MIXED = -2  # a set of this side meets every other
_CHUNKS = 64
_BLOCK = 1 << 17  # postings, at most, unless one set has more
_MAX_BLOCKS = 64


class Block(NamedTuple):
    """The postings of the sets from `begin` to `end`.

    Attributes
    ----------
    begin, end : int
        Positions among the ordered sets.
    bucket_start : uint32 array of shape (n_buckets + 1,)
        Bucket b has ``postings[bucket_start[b]:bucket_start[b + 1]]``, in order of sets.
    postings : uint64 array of shape (n_postings, 2)
        Set (upper half) and place of the token in it (lower half); the first half of the set's sketch.
    """

    begin: int
    end: int
    bucket_start: NDArray[np.uint32]
    postings: NDArray[np.uint64]


class PrefixIndex(NamedTuple):
    """Sets in order of size, what each of them looks for, and where.

    Attributes
    ----------
    rows : int64 array of shape (n_sets,)
        Where each set stands in the data; sets are in order of size, and of row among equal sizes.
    span : int64 array of shape (n_sets, 2)
        Set i is ``tokens[span[i, 0]:span[i, 1]]``.
    sketch : uint64 array of shape (n_sets, 2)
        For each of 128 groups of tokens the parity of the number of members. Two sets that differ in d
        tokens differ in at most d of these bits.
    side : int64 array of shape (n_sets,) or (0,)
        The side of each set; empty: every set meets every other.
    low, high : int64 arrays of shape (n_sets,)
        Set i looks for partners among the sets ``low[i]`` to ``high[i]``.
    probe_start : int64 array of shape (n_sets + 1,)
        Set i looks for ``probes[probe_start[i]:probe_start[i + 1]]``.
    probes : uint32 array
        Hashes of the tokens of each set's prefix: its rarest tokens, the rarest first.
    blocks : list of Block
        The index itself.
    """

    rows: NDArray[np.int64]
    span: NDArray[np.int64]
    sketch: NDArray[np.uint64]
    side: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    probe_start: NDArray[np.int64]
    probes: NDArray[np.uint32]
    blocks: list[Block]


def prefix_index(
    tokens: NDArray[np.uint64],
    starts: NDArray[np.int64],
    rows: NDArray[np.int64],
    threshold: float,
    sides: NDArray[np.int64] | None,
) -> PrefixIndex:
    """Index the prefixes of the sets of `rows`, for a join at `threshold` (across `sides` only, if given)."""
    size = np.diff(starts)[rows]
    order = np.argsort(size, kind="stable")
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows))
    size, ordered = size[order], rows[order]
    side = np.zeros(0, dtype=np.int64) if sides is None else sides[ordered].astype(np.int64)
    is_indexed, high, share = _roles(side, len(rows), threshold)

    n_probes, n_postings, smallest, largest = (np.empty(len(rows), dtype=np.int64) for _ in range(4))
    _bounds(size, threshold, share, is_indexed, n_probes, n_postings, smallest, largest)
    low = np.searchsorted(size, smallest, side="left")
    high = np.minimum(high, np.searchsorted(size, largest, side="right"))
    probe_start = np.concatenate([[0], np.cumsum(n_probes)])
    probes = np.empty(probe_start[-1], dtype=np.uint32)
    sketch = np.empty((len(rows), 2), dtype=np.uint64)
    order_of_tokens = rarity(tokens, starts, rows)

    def choose(part: tuple[int, int]) -> None:
        a, b = part
        spare = np.empty((3, size[place[a:b]].max()), dtype=np.uint64)
        _choose(tokens, starts, rows[a:b], place[a:b], *order_of_tokens, spare, probe_start, probes, sketch)

    map_threads(choose, ranges(len(rows), _CHUNKS))
    blocks = _blocks(probe_start, probes, n_postings, sketch)
    span = np.stack([starts[ordered], starts[ordered + 1]], axis=1)
    return PrefixIndex(ordered, span, sketch, side, low, high, probe_start, probes, blocks)


def _roles(
    side: NDArray[np.int64], n: int, threshold: float
) -> tuple[NDArray[np.bool_], NDArray[np.int64], float]:
    """Return which sets are indexed, up to where each looks for partners, and the share that sets prefixes."""
    codes, counts = np.unique(side[side != MIXED], return_counts=True)
    if not len(codes) or 2 * counts.max() <= n:
        return np.ones(n, dtype=np.bool_), np.arange(n), 2 * threshold / (1 + threshold)
    # one side has most rows, as a training set has: it looks in the index of the others, which then needs the
    # longer prefix because partners may be larger, and its own sets are never indexed
    is_largest = side == codes[counts.argmax()]
    others_meet = len(codes) > 2 or bool((side == MIXED).any())
    return ~is_largest, np.where(is_largest, n, np.arange(n) if others_meet else 0), threshold


def _blocks(
    probe_start: NDArray[np.int64],
    probes: NDArray[np.uint32],
    n_postings: NDArray[np.int64],
    sketch: NDArray[np.uint64],
) -> list[Block]:
    up_to = np.cumsum(n_postings)
    total = int(n_postings.sum())
    cuts = np.searchsorted(up_to, np.arange(0, total, max(_BLOCK, total // _MAX_BLOCKS)), side="right")
    edges = np.unique(np.append(cuts, len(n_postings))).tolist()

    def fill(part: tuple[int, int]) -> Block:
        a, b = part
        room = int(n_postings[a:b].sum())
        bucket_start = np.zeros((1 << max(8, room.bit_length())) + 1, dtype=np.uint32)
        postings = np.empty((room, 2), dtype=np.uint64)
        _fill_block(probe_start, probes, n_postings, sketch, a, b, bucket_start, postings)
        return Block(a, b, bucket_start, postings)

    return map_threads(fill, list(pairwise(edges)))


# bounds on whole numbers must never be too tight by a rounding error; the quotients decide ties
@njit(nogil=True, cache=True)
def at_least(x):  # type: ignore[no-untyped-def]
    return max(np.int64(np.ceil(x * (1 - 1e-12) - 1e-9)), 1)


@njit(nogil=True, cache=True)
def at_most(x):  # type: ignore[no-untyped-def]
    return np.int64(np.floor(min(x * (1 + 1e-12) + 1e-9, 2.0**62)))


@njit(nogil=True, cache=True)
def _bounds(  # type: ignore[no-untyped-def]
    size, threshold, share, is_indexed, n_probes, n_postings, smallest, largest
):
    """Write each set's prefix lengths (to look for, to be found by) and the sizes of possible partners."""
    for i in range(len(size)):
        n_probes[i] = size[i] - at_least(threshold * size[i]) + 1 if size[i] > 0 else 0
        n_postings[i] = size[i] - at_least(share * size[i]) + 1 if size[i] > 0 and is_indexed[i] else 0
        smallest[i], largest[i] = at_least(threshold * size[i]), at_most(size[i] / threshold)


@njit(nogil=True, cache=True)
def _choose(  # type: ignore[no-untyped-def]
    tokens, starts, rows, place, rank, levels, spare, probe_start, probes, sketch
):
    """Write the sketch of each row's set and the hashes of its rarest tokens, at its place among the sets."""
    count = np.zeros(257, np.int64)
    up = np.uint64(64)
    while (1 << (np.uint64(64) - up)) < len(rank):
        up -= np.uint64(1)
    low = (np.uint64(1) << up) - np.uint64(1)
    keys, chosen, spare_too = spare[0], spare[1], spare[2]
    for i in range(len(rows)):
        x, begin, m = place[i], starts[rows[i]], starts[rows[i] + 1] - starts[rows[i]]
        even, odd = np.uint64(0), np.uint64(0)
        for k in range(m):
            token = tokens[begin + k]
            flip = np.uint64(1) << ((token >> np.uint64(1)) & np.uint64(63))
            if token & np.uint64(1):
                odd ^= flip
            else:
                even ^= flip
            keys[k] = (np.uint64(rank[np.int64(token >> up)]) << up) | (token & low)
        sketch[x, 0], sketch[x, 1] = even, odd
        wanted = probe_start[x + 1] - probe_start[x]
        n_chosen = _smallest(keys, m, wanted, levels, count, chosen)
        sort_range(chosen, np.int64(0), n_chosen, levels, spare_too, count)
        for t in range(wanted):
            key = (chosen[t] ^ (chosen[t] >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
            probes[probe_start[x] + t] = np.uint32(key >> np.uint64(32))


@njit(nogil=True, cache=True)
def _smallest(keys, m, wanted, levels, count, chosen):  # type: ignore[no-untyped-def]
    """Copy at least the `wanted` smallest of m keys to `chosen`; return how many were copied."""
    narrow = 2 if m <= 128 else 0
    n_levels = LEVELS >> narrow
    for level in range(n_levels):
        count[level] = 0
    for k in range(m):
        count[levels[keys[k] >> np.uint64(64 - LEVEL_BITS)] >> narrow] += 1
    cut, below = 0, count[0]
    while below < wanted:
        cut += 1
        below += count[cut]
    n_chosen = 0
    for k in range(m):
        chosen[n_chosen] = keys[k]
        n_chosen += (levels[keys[k] >> np.uint64(64 - LEVEL_BITS)] >> narrow) <= cut
    return n_chosen


@njit(nogil=True, cache=True)
def bucket_shift(bucket_start):  # type: ignore[no-untyped-def]
    """Return how far a probe is shifted to give its bucket."""
    bits = 0
    while (1 << bits) < len(bucket_start) - 1:
        bits += 1
    return np.uint32(32 - bits)


@njit(nogil=True, cache=True)
def _fill_block(  # type: ignore[no-untyped-def]
    probe_start, probes, n_postings, sketch, begin, end, bucket_start, postings
):
    shift = bucket_shift(bucket_start)
    for i in range(begin, end):
        for k in range(probe_start[i], probe_start[i] + n_postings[i]):
            bucket_start[np.int64(probes[k] >> shift) + 1] += np.uint32(1)
    for b in range(len(bucket_start) - 1):
        bucket_start[b + 1] += bucket_start[b]
    filled = bucket_start.copy()
    for i in range(begin, end):
        for t in range(n_postings[i]):
            at = np.int64(probes[probe_start[i] + t] >> shift)
            postings[filled[at], 0] = (np.uint64(i) << np.uint64(32)) | np.uint64(t)
            postings[filled[at], 1] = sketch[i, 0]
            filled[at] += np.uint32(1)
