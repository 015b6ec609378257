"""Exact Jaccard self-join of token sets: every pair at or above a threshold, by filters that lose no pair.

Two sets of sizes a <= b with Jaccard >= t share at least ``t / (1 + t) * (a + b)`` tokens. Hence, with the tokens
of all sets in one order (rare ones first): they share a token among the first ``b - ceil(t b) + 1`` of the larger
and the first ``a - ceil(2 t / (1 + t) a) + 1`` of the smaller set (prefix filter, Chaudhuri et al. 2006; Xiao
et al. 2008, PPJoin), ``a >= t b`` (length filter), the place of the shared token leaves room for enough others
(position filter), and they differ in few bits of a 128-bit parity sketch. What passes is merged, stopping early.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges
from splitleak.kernels.prefix_index import (
    MIXED,
    at_least,
    at_most,
    bucket,
    bucket_shift,
    prefix,
    prefix_index,
)
from splitleak.kernels.sets import OrderedSets, rare_first

MAX_PAIRS = 50_000_000  # beyond it, only the pairs that join components are stored
_CHUNKS = 128
_NO_PARENT = np.zeros(0, dtype=np.int32)


class SetPairs(NamedTuple):
    """Pairs of rows, ``left < right`` (int64), their `similarity` (float64), and whether they are all pairs."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    similarity: NDArray[np.float64]
    complete: bool


def jaccard_pairs(
    tokens: NDArray[np.uint64],
    starts: NDArray[np.int64],
    threshold: float,
    *,
    rows: NDArray[np.int64] | None = None,
    sides: NDArray[np.int64] | None = None,
) -> SetPairs:
    """Return all pairs of rows whose sets have Jaccard similarity >= threshold.

    The float64 quotient ``shared / union`` decides, so ties count. Empty sets have no token to be found by and
    are in no pair; equal sets cost one stored pair each, so join one of each group (see `equal_sets`).

    Parameters
    ----------
    tokens, starts : uint64 and int64 arrays
        The set of row i is ``tokens[starts[i]:starts[i + 1]]``: ascending, unique, spread evenly as hashes are.
    threshold : float
        Inclusive bound in (0, 1].
    rows : int64 array, optional
        The rows to join; default: all.
    sides : int64 array of shape (n_rows,), optional
        Search only pairs of different sides; rows of side -1 are left out, rows of side -2 meet every row.

    Examples
    --------
    >>> import numpy as np
    >>> tokens = np.array([1, 2, 3, 4, 1, 2, 3, 9], dtype=np.uint64)
    >>> pairs = jaccard_pairs(tokens, np.array([0, 4, 7, 8]), 0.75)
    >>> pairs.left.tolist(), pairs.right.tolist(), pairs.similarity.tolist()
    ([0], [1], [0.75])
    """
    if rows is None:
        rows = np.arange(len(starts) - 1)
    if sides is not None:
        rows = rows[sides[rows] != -1]
    return join_sets(rare_first(tokens, starts, rows), threshold, sides=sides)


def join_sets(
    sets: OrderedSets,
    threshold: float,
    *,
    sides: NDArray[np.int64] | None = None,
    advance: Callable[[int], None] | None = None,
) -> SetPairs:
    """Do what `jaccard_pairs` does for sets that are in order already; `advance` is told of sets done."""
    index = prefix_index(sets, threshold, sides)
    n, lock, total = len(sets.rows), Lock(), [0]

    def search(
        part: tuple[int, int], parent: NDArray[np.int32], run: NDArray[np.int32]
    ) -> list[NDArray[np.int32]]:
        at, end = part
        found = []
        while at < end and (len(parent) or total[0] <= MAX_PAIRS):
            # a set has at most n - 1 partners, so that each call gets at least one set done
            pairs = np.empty((max(n, 1 << 16), 3), dtype=np.int32)
            begin = at
            at, m = _search(sets.keys, sets.span, sets.bits, *index, threshold, at, end, parent, run, pairs)
            found.append(pairs[:m].copy())
            with lock:
                total[0] += m
            if advance is not None:
                advance(at - begin)
        return found

    parts = ranges(n, _CHUNKS)
    found = [
        pairs for part in map_threads(lambda p: search(p, _NO_PARENT, _NO_PARENT), parts) for pairs in part
    ]
    complete = total[0] <= MAX_PAIRS
    if not complete:
        # begun again and in one thread: which pairs link components must not depend on who came first
        del found
        parent, run = np.arange(n, dtype=np.int32), np.zeros(len(index.bucket_start), dtype=np.int32)
        found = search((0, n), parent, run)
    pairs = np.concatenate([*found, np.empty((0, 3), dtype=np.int32)])
    size = sets.span[:, 1] - sets.span[:, 0]
    shared = pairs[:, 2].astype(np.int64)
    similarity = shared / (size[pairs[:, 0]] + size[pairs[:, 1]] - shared)
    one, other = sets.rows[pairs[:, 0]], sets.rows[pairs[:, 1]]
    return SetPairs(np.minimum(one, other), np.maximum(one, other), similarity, complete)


@intrinsic
def _popcount(typing_context, x):  # type: ignore[no-untyped-def]
    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), code


@njit(nogil=True, cache=True, inline="always")
def _set_of(posting):  # type: ignore[no-untyped-def]
    return np.int64(posting >> np.uint64(32))


@njit(nogil=True, cache=True)
def _shared(keys, x, x_end, y, y_end, needed):  # type: ignore[no-untyped-def]
    """Count the shared tokens, or return -1 as soon as there cannot be as many as needed."""
    spare = (x_end - x) + (y_end - y) - 2 * needed
    shared = 0
    while x < x_end and y < y_end:
        a, b = keys[x], keys[y]
        shared += a == b
        spare -= a != b
        x += a <= b
        y += b <= a
        if spare < 0:
            return -1
    return shared


@njit(nogil=True, cache=True)
def _root(parent, x):  # type: ignore[no-untyped-def]
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x


@njit(nogil=True, cache=True)
def _past_run(parent, postings, start, end, run, b, root):  # type: ignore[no-untyped-def]
    """Return where the postings of bucket b stop to be, from its first one on, all in component `root`."""
    at = start + run[b]
    while at < end and _root(parent, _set_of(postings[at, 0])) == root:
        at += 1
    run[b] = at - start
    return at


@njit(nogil=True, cache=True)
def _first_from(postings, i, stop, low):  # type: ignore[no-untyped-def]
    """Return the first posting from i on, before `stop`, of a set that is not before `low`."""
    while i < stop:
        middle = (i + stop) >> 1
        if _set_of(postings[middle, 0]) < low:
            i = middle + 1
        else:
            stop = middle
    return i


@njit(nogil=True, cache=True)
def _join_components(parent, x, y):  # type: ignore[no-untyped-def]
    one, other = _root(parent, x), _root(parent, y)
    parent[max(one, other)] = min(one, other)
    return min(one, other)


@njit(nogil=True, cache=True)
def _search(  # type: ignore[no-untyped-def]
    keys, span, bits, side, low, high, bucket_start, postings, threshold, begin, end, parent, run, pairs
):
    """Find the partners of the sets from `begin` on; return where it stopped for lack of room, and the pairs.

    With `parent` (a union-find over the sets), pairs within one component are skipped.
    """
    shift = bucket_shift(bucket_start)
    share = threshold / (1 + threshold)
    linked = len(parent) > 0
    seen = np.full(len(span), -1, np.int32)
    m = 0
    for x in range(begin, end):
        lo, hi = low[x], high[x]
        if lo >= hi:
            continue
        if m + hi - lo > len(pairs) and not linked:  # linking pairs are fewer than sets, and always fit
            return x, m
        a, size = span[x, 0], span[x, 1] - span[x, 0]
        size_up = max(size, span[hi - 1, 1] - span[hi - 1, 0])
        apart = np.uint64(at_most((size + size_up) * (1 - threshold) / (1 + threshold)))
        even, odd = bits[x, 0], bits[x, 1]
        for t in range(prefix(size, threshold)):
            b = bucket(keys[a + t], shift)
            start, stop = np.int64(bucket_start[b]), np.int64(bucket_start[b + 1])
            if start == stop:
                continue
            i = start
            if linked and _root(parent, _set_of(postings[start, 0])) == _root(parent, x):
                i = _past_run(parent, postings, start, stop, run, b, _root(parent, x))
            i = _first_from(postings, i, stop, lo) - 1
            while i + 1 < stop:
                i += 1
                y = _set_of(postings[i, 0])
                if y >= hi:
                    break
                if _popcount(postings[i, 1] ^ even) > apart or seen[y] == x:
                    continue
                if len(side) and side[x] == side[y] and side[x] != MIXED:
                    continue
                size_y = span[y, 1] - span[y, 0]
                needed = at_least(share * (size + size_y))
                place = np.int64(postings[i, 0] & np.uint64(0xFFFFFFFF))
                # not marked as seen: another token may have met it here by sharing its bucket only
                if size - t < needed or size_y - place < needed:
                    continue
                seen[y] = x
                differ = _popcount(bits[y, 0] ^ even) + _popcount(bits[y, 1] ^ odd)
                if np.int64(differ) > size + size_y - 2 * needed:
                    continue
                if linked and _root(parent, x) == _root(parent, y):
                    continue
                shared = _shared(keys, a, a + size, span[y, 0], span[y, 1], needed)
                if shared < 0 or shared / (size + size_y - shared) < threshold:
                    continue
                pairs[m, 0], pairs[m, 1], pairs[m, 2] = x, y, shared
                m += 1
                if linked:
                    root = _join_components(parent, x, y)
                    if _root(parent, _set_of(postings[start, 0])) == root:
                        i = max(i, _past_run(parent, postings, start, stop, run, b, root) - 1)
    return end, m
