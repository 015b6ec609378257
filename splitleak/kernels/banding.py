"""Pairs of token sets from equal band hashes, each checked exactly where it is found.

Rows stand in order of set size ("ranks"), so a row's partners in a bucket end where the sets become too large.
A pair that several bands propose is checked in the first of them only: no list of candidates is ever kept.

Sources: P. Indyk, R. Motwani, Approximate nearest neighbors, 1998 (banding); R. J. Bayardo, Y. Ma, R. Srikant,
Scaling up all pairs similarity search, 2007 (the length filter).
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numba.extending import intrinsic

from splitleak.kernels.compiling import njit
from splitleak.kernels.union_find import root as root_of

U32 = np.uint32
U64 = np.uint64


@intrinsic
def popcount(context, x):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@njit(inline="always")
def needed_tokens(total, threshold):  # type: ignore[no-untyped-def]
    """Return a lower bound of the common tokens of two similar sets with `total` tokens together."""
    # the factor holds back rounding: a pair exactly at the threshold must reach the division that decides
    return np.int64(math.ceil(threshold / (1.0 + threshold) * total * (1.0 - 1e-12)))


@njit(inline="always")
def similarity_of(tokens, a, a_end, b, b_end, threshold):  # type: ignore[no-untyped-def]
    """Return the Jaccard similarity of two sorted sets, or -1 where it is below the threshold."""
    total = (a_end - a) + (b_end - b)
    spare = total - 2 * needed_tokens(total, threshold)
    common = np.int64(0)
    while a < a_end and b < b_end:
        x, y = tokens[a], tokens[b]
        common += x == y
        spare -= x != y
        a += x <= y
        b += y <= x
        if spare < 0:
            return -1.0
    similarity = common / (total - common)
    return similarity if similarity >= threshold else -1.0


@njit(inline="always")
def _may_meet(side, i, j):  # type: ignore[no-untyped-def]
    # no sides: all meet; -2: copies on several sides; rows of side -1 never come here
    return side.shape[0] == 0 or side[i] != side[j] or side[i] == -2


@njit(nogil=True, cache=True)
def summarize_sets(tokens, starts, rows, places, bitmap, key):  # type: ignore[no-untyped-def]
    """Write the parities of 128 groups of tokens (uint64, two columns) and a hash of the whole set of each row.

    Two sets that differ in d tokens differ in at most d parities. Row ``rows[k]`` is written to ``places[k]``.
    """
    for k in range(rows.shape[0]):
        low, high, total = U64(0), U64(0), U64(0)
        for at in range(starts[rows[k]], starts[rows[k] + 1]):
            token = tokens[at]
            bit = U64(1) << (token & U64(63))
            upper = U64(0) - ((token >> U64(6)) & U64(1))  # all ones or none: no branch to mispredict
            low ^= bit & ~upper
            high ^= bit & upper
            mixed = token + U64(0x9E3779B97F4A7C15)  # so that no token adds nothing, and sums seldom agree
            mixed = (mixed ^ (mixed >> U64(30))) * U64(0xBF58476D1CE4E5B9)
            total += mixed ^ (mixed >> U64(27))
        bitmap[places[k], 0], bitmap[places[k], 1] = low, high
        total ^= total >> U64(29)
        key[places[k]] = total * U64(0x9E3779B97F4A7C15)


@njit(nogil=True, cache=True)
def count_bucket_pairs(keys):  # type: ignore[no-untyped-def]
    """Return the number of pairs with equal keys; `keys` are sorted."""
    pairs, run = np.int64(0), np.int64(0)
    for i in range(1, keys.shape[0]):
        run = run + np.int64(1) if keys[i] == keys[i - 1] else np.int64(0)
        pairs += run
    return pairs


@njit(inline="always")
def _in_earlier_band(bands, i, j, band):  # type: ignore[no-untyped-def]
    for q in range(band):  # noqa: SIM110 (compiled: a loop, not a generator)
        if bands[i, q] == bands[j, q]:
            return True
    return False


@njit(nogil=True, cache=True)
def pairs_of_band(  # type: ignore[no-untyped-def]
    keys,
    band,
    bands,
    order,
    size,
    tokens,
    starts,
    bitmap,
    side,
    threshold,
    large,
    resume,
    left,
    right,
    similarity,
):
    """Write the similar pairs that `band` is the first to propose; return how many were written.

    `keys` are sorted: the band hash in the upper half, the rank in the lower. Buckets of more than `large` rows
    are left out. `resume` (int64, two entries) says where to go on after `left` was full; at the end,
    ``resume[0] == len(keys)``.
    """
    n, written = keys.shape[0], 0
    at, end, start = resume[0], resume[1], resume[0]
    # the bucket's rows side by side: its pairs are looked at many times, and its rows lie far apart
    rank, count, bits = np.empty(large, np.int64), np.empty(large, np.int64), np.empty((large, 2), np.uint64)
    loaded = False
    while at < n:
        if at >= end:  # a new bucket
            start, end, loaded = at, at + 1, False
            while end < n and keys[end] >> U64(32) == keys[at] >> U64(32):
                end += 1
            if end - at == 1 or end - at > large:
                at = end
                continue
        if written + (end - at) > left.shape[0]:
            break
        if not loaded:
            for k in range(start, end):
                j = np.int64(keys[k] & U64(0xFFFFFFFF))
                rank[k - start], count[k - start] = j, size[j]
                bits[k - start, 0], bits[k - start, 1] = bitmap[j, 0], bitmap[j, 1]
            loaded = True
        one = at - start
        i, n_i, even, odd = rank[one], count[one], bits[one, 0], bits[one, 1]
        for other in range(one + 1, end - start):
            total = n_i + count[other]
            need = needed_tokens(total, threshold)
            if n_i < need:
                break  # sizes ascend within a bucket, and what is needed grows with them
            if np.int64(popcount(even ^ bits[other, 0]) + popcount(odd ^ bits[other, 1])) > total - 2 * need:
                continue
            j = rank[other]
            if not _may_meet(side, i, j) or _in_earlier_band(bands, i, j, band):
                continue
            a, b = starts[order[i]], starts[order[j]]
            s = similarity_of(tokens, a, a + n_i, b, b + count[other], threshold)
            if s >= 0.0:
                left[written], right[written], similarity[written] = order[i], order[j], s
                written += 1
        at += 1
    resume[0], resume[1] = at, end
    return written


@njit(nogil=True, cache=True)
def first_proposed(bands, i, j, band):  # type: ignore[no-untyped-def]
    """Return, for pairs of ranks, whether no band before `band` proposes them."""
    out = np.empty(i.shape[0], np.bool_)
    for p in range(i.shape[0]):
        out[p] = not _in_earlier_band(bands, i[p], j[p], band)
    return out


@njit(nogil=True, cache=True)
def linking_pairs(left, right, parent):  # type: ignore[no-untyped-def]
    """Return which pairs join two components that the pairs before them do not; `parent` is ``arange(n_rows)``."""
    out = np.empty(left.shape[0], np.bool_)
    for p in range(left.shape[0]):
        a, b = left[p], right[p]
        while a != parent[a]:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while b != parent[b]:
            parent[b] = parent[parent[b]]
            b = parent[b]
        out[p] = a != b
        parent[max(a, b)] = min(a, b)
    return out


@njit(nogil=True, cache=True)
def roots_of(ranks, parent):  # type: ignore[no-untyped-def]
    """Return the root of each rank in a union-find."""
    out = np.empty(ranks.shape[0], np.int64)
    for k in range(ranks.shape[0]):
        out[k] = root_of(parent, ranks[k])
    return out


@njit(nogil=True, cache=True)
def links_of_band(  # type: ignore[no-untyped-def]
    keys, order, size, tokens, starts, bitmap, side, threshold, large, parent
):
    """Return the similar pairs of ranks of one band that join components of `parent`, which is changed.

    `keys` are sorted as for `pairs_of_band`; buckets of more than `large` ranks are left out.
    """
    n, m, at = keys.shape[0], 0, 0
    # each link takes one from the components: fewer than ranks
    left, right, similarity = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    while at < n:
        end = at + 1
        while end < n and keys[end] >> U64(32) == keys[at] >> U64(32):
            end += 1
        apart = 0  # ranks that are not joined to the first: at 0, all are one
        top = root_of(parent, np.int64(keys[at] & U64(0xFFFFFFFF)))
        for k in range(at + 1, end):
            apart += root_of(parent, np.int64(keys[k] & U64(0xFFFFFFFF))) != top
        one = at
        while apart > 0 and end - at <= large and one < end - 1:
            i = np.int64(keys[one] & U64(0xFFFFFFFF))
            n_i, root = np.int64(size[i]), root_of(parent, i)
            linked = 0
            for other in range(one + 1, end):
                j = np.int64(keys[other] & U64(0xFFFFFFFF))
                total = n_i + np.int64(size[j])
                need = needed_tokens(total, threshold)
                if n_i < need:
                    break  # sizes ascend within a bucket, and what is needed grows with them
                if np.int64(popcount(bitmap[i, 0] ^ bitmap[j, 0]) + popcount(bitmap[i, 1] ^ bitmap[j, 1])) > (
                    total - 2 * need
                ):
                    continue
                if not _may_meet(side, i, j) or root_of(parent, j) == root:
                    continue
                a, b = starts[order[i]], starts[order[j]]
                s = similarity_of(tokens, a, a + n_i, b, b + np.int64(size[j]), threshold)
                if s >= 0.0:
                    left[m], right[m], similarity[m] = i, j, s
                    m += 1
                    linked += 1
                    away = root_of(parent, j)
                    parent[max(root, away)] = min(root, away)
                    root = min(root, away)
            if linked > 0:
                top, apart = root_of(parent, np.int64(keys[at] & U64(0xFFFFFFFF))), 0
                for k in range(at + 1, end):
                    apart += root_of(parent, np.int64(keys[k] & U64(0xFFFFFFFF))) != top
            one += 1
        at = end
    return left[:m].copy(), right[:m].copy(), similarity[:m].copy()
