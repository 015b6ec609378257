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
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges
from splitleak.kernels.compiling import njit
from splitleak.kernels.prefix_index import (
    MIXED,
    Block,
    PrefixIndex,
    at_least,
    at_most,
    bucket_shift,
    prefix_index,
)
from splitleak.kernels.set_partners import too_many_set_pairs
from splitleak.kernels.sets import set_hashes
from splitleak.kernels.union_find import root as root_of

IGNORED = -1  # a row of this side is in no pair
MAX_PAIRS = 50_000_000  # beyond it, only the pairs that join components are stored
_PROBES = 1 << 15  # sets that one call of the search looks for partners of
_ROOM = 1 << 16
_ASKED_AT = 50  # part of `MAX_PAIRS` after which a sample is asked whether there are more
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
    labels: NDArray[np.int64] | None = None,
    advance: Callable[[int], None] | None = None,
) -> SetPairs:
    """Return all pairs of rows whose sets have Jaccard similarity >= threshold.

    The float64 quotient ``shared / union`` decides, so ties count. Empty sets have no token to be found by and
    are in no pair; equal sets cost one stored pair each, so join one of each group (see `equal_sets`). Beyond
    `MAX_PAIRS` pairs, only pairs that join components are returned, and `complete` is False. Whether there are so
    many is asked of a sample as soon as a small part of that number was found.

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
    labels : int64 array of shape (n_rows,), optional
        Rows of one label count as joined: only pairs that join further components are returned.
    advance : callable, optional
        Told of progress, 1,000 units in all.

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
        rows = rows[sides[rows] != IGNORED]
    index = prefix_index(tokens, starts, rows, threshold, sides)
    parts = [(block, *part) for block in index.blocks for part in _probing(index, block)]
    lock, total, done, asked = Lock(), [0], [0], [False]

    def search(part: tuple[Block, int, int], parent: NDArray[np.int32]) -> list[NDArray[np.int32]]:
        block, at, end = part
        found = []
        run = np.zeros(len(block.bucket_start) if len(parent) else 0, dtype=np.int64)
        while at < end and (len(parent) or total[0] <= MAX_PAIRS):
            # a set has at most a block of partners there, so that each call gets at least one set done
            pairs = np.empty((max(block.end - block.begin, _ROOM), 3), dtype=np.int32)
            at, m = _search(tokens, *index[1:-1], *block, threshold, at, end, parent, run, pairs)
            found.append(pairs[:m].copy())
            with lock:
                total[0] += m
                if not len(parent) and not asked[0] and total[0] > MAX_PAIRS // _ASKED_AT:
                    asked[0] = True
                    total[0] += MAX_PAIRS * _too_many(index, tokens, starts, threshold)
        with lock:
            done[0] += 1
            if advance is not None and not len(parent):
                advance(1000 * done[0] // len(parts) - 1000 * (done[0] - 1) // len(parts))
        return found

    found = map_threads(lambda part: search(part, _NO_PARENT), parts) if labels is None else []
    complete = labels is None and total[0] <= MAX_PAIRS
    if not complete:
        # begun again and in one thread: which pairs link components must not depend on who came first
        del found
        parent = (
            np.arange(len(index.rows), dtype=np.int32) if labels is None else _first_of(labels[index.rows])
        )
        found = [search(part, parent) for part in parts]
    return _in_rows(index, [pairs for part in found for pairs in part], complete)


def _too_many(
    index: PrefixIndex, tokens: NDArray[np.uint64], starts: NDArray[np.int64], threshold: float
) -> bool:
    keys = set_hashes(tokens, starts, index.rows)
    return too_many_set_pairs(tokens, index.span, index.sketch, index.side, keys, threshold, MAX_PAIRS)


def _first_of(labels: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the first place of each label: the roots of a union-find in which equal labels are joined."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int32)


def _probing(index: PrefixIndex, block: Block) -> list[tuple[int, int]]:
    """Return the ranges of sets that may have partners in a block."""
    end = int(np.searchsorted(index.low, block.end, side="left"))
    looking = np.flatnonzero(index.high[:end] > block.begin)
    if not len(looking):
        return []
    begin = int(looking[0])
    return [(begin + a, begin + b) for a, b in ranges(end - begin, -((begin - end) // _PROBES))]


def _in_rows(index: PrefixIndex, found: list[NDArray[np.int32]], complete: bool) -> SetPairs:
    pairs = np.concatenate([*found, np.empty((0, 3), dtype=np.int32)])
    one, other, shared = pairs[:, 0], pairs[:, 1], pairs[:, 2].astype(np.int64)
    size = index.span[:, 1] - index.span[:, 0]
    similarity = shared / (size[one] + size[other] - shared)
    left, right = index.rows[one], index.rows[other]
    return SetPairs(np.minimum(left, right), np.maximum(left, right), similarity, complete)


@intrinsic
def _popcount(typing_context, x):  # type: ignore[no-untyped-def]
    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), code


@njit(nogil=True, cache=True, inline="always")
def _set_of(posting):  # type: ignore[no-untyped-def]
    return np.int64(posting >> np.uint64(32))


@njit(nogil=True, cache=True)
def _shared(tokens, x, x_end, y, y_end, needed):  # type: ignore[no-untyped-def]
    """Count the shared tokens, or return -1 as soon as there cannot be as many as needed."""
    spare = (x_end - x) + (y_end - y) - 2 * needed
    shared = 0
    while x < x_end and y < y_end:
        a, b = tokens[x], tokens[y]
        shared += a == b
        spare -= a != b
        x += a <= b
        y += b <= a
        if spare < 0:
            return -1
    return shared


@njit(nogil=True, cache=True)
def _past_run(parent, postings, start, end, run, b, root):  # type: ignore[no-untyped-def]
    """Return where the postings of bucket b stop to be, from its first one on, all in component `root`."""
    at = start + run[b]
    while at < end and root_of(parent, _set_of(postings[at, 0])) == root:
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
    one, other = root_of(parent, x), root_of(parent, y)
    parent[max(one, other)] = min(one, other)
    return min(one, other)


@njit(nogil=True, cache=True)
def _search(  # type: ignore[no-untyped-def]
    tokens,
    span,
    sketch,
    side,
    low,
    high,
    probe_start,
    probes,
    block_begin,
    block_end,
    bucket_start,
    postings,
    threshold,
    begin,
    end,
    parent,
    run,
    pairs,
):
    """Find partners in a block, from set `begin` on; return where it stopped for lack of room, and the pairs.

    With `parent` (a union-find over the sets), pairs within one component are skipped.
    """
    shift = bucket_shift(bucket_start)
    share = threshold / (1 + threshold)
    linked = len(parent) > 0
    seen = np.full(block_end - block_begin, -1, np.int32)
    m = 0
    for x in range(begin, end):
        lo, hi = max(low[x], block_begin), min(high[x], block_end)
        if lo >= hi:
            continue
        if m + hi - lo > len(pairs):
            return x, m
        a, size = span[x, 0], span[x, 1] - span[x, 0]
        size_up = max(size, span[hi - 1, 1] - span[hi - 1, 0])
        apart = np.uint64(at_most((size + size_up) * (1 - threshold) / (1 + threshold)))
        even, odd = sketch[x, 0], sketch[x, 1]
        for t in range(probe_start[x + 1] - probe_start[x]):
            b = np.int64(probes[probe_start[x] + t] >> shift)
            start, stop = np.int64(bucket_start[b]), np.int64(bucket_start[b + 1])
            if start == stop:
                continue
            i = start
            if linked and root_of(parent, _set_of(postings[start, 0])) == root_of(parent, x):
                i = _past_run(parent, postings, start, stop, run, b, root_of(parent, x))
            if low[x] > block_begin:
                i = _first_from(postings, i, stop, lo)
            i -= 1
            while i + 1 < stop:
                i += 1
                y = _set_of(postings[i, 0])
                if y >= hi:
                    break
                if _popcount(postings[i, 1] ^ even) > apart or seen[y - block_begin] == x:
                    continue
                if len(side) and side[x] == side[y] and side[x] != MIXED:
                    continue
                size_y = span[y, 1] - span[y, 0]
                needed = at_least(share * (size + size_y))
                place = np.int64(postings[i, 0] & np.uint64(0xFFFFFFFF))
                # not marked as seen: another token may have met it here by sharing its bucket only
                if size - t < needed or size_y - place < needed:
                    continue
                seen[y - block_begin] = x
                differ = _popcount(sketch[y, 0] ^ even) + _popcount(sketch[y, 1] ^ odd)
                if np.int64(differ) > size + size_y - 2 * needed:
                    continue
                if linked and root_of(parent, x) == root_of(parent, y):
                    continue
                shared = _shared(tokens, a, a + size, span[y, 0], span[y, 1], needed)
                if shared < 0 or shared / (size + size_y - shared) < threshold:
                    continue
                pairs[m, 0], pairs[m, 1], pairs[m, 2] = x, y, shared
                m += 1
                if linked:
                    root = _join_components(parent, x, y)
                    if root_of(parent, _set_of(postings[start, 0])) == root:
                        i = max(i, _past_run(parent, postings, start, stop, run, b, root) - 1)
    return end, m
