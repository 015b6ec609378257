"""Pairs of token sets from equal band hashes, each checked exactly where it is found.

Rows stand in order of set size ("ranks"), so a row's partners in a bucket end where the sets become too large.
A pair that several bands propose is checked in the first of them only: no list of candidates is ever kept.

Sources: P. Indyk, R. Motwani, Approximate nearest neighbors, 1998 (banding); the length filter of
R. J. Bayardo, Y. Ma, R. Srikant, Scaling up all pairs similarity search, 2007; the prefix filter of
S. Chaudhuri, V. Ganti, R. Kaushik, A primitive operator for similarity joins, 2006.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

U32 = np.uint32
U64 = np.uint64
_RANKS = 48


@intrinsic
def _popcount(context, x):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@njit(inline="always")
def _needed(total, threshold):  # type: ignore[no-untyped-def]
    """Return a lower bound of the common tokens of two similar sets with `total` tokens together."""
    # the factor holds back rounding: a pair exactly at the threshold must reach the division that decides
    return np.int64(math.ceil(threshold / (1.0 + threshold) * total * (1.0 - 1e-12)))


@njit(inline="always")
def _similarity(tokens, a, a_end, b, b_end, threshold):  # type: ignore[no-untyped-def]
    """Return the Jaccard similarity of two sorted sets, or -1 where it is below the threshold."""
    total = (a_end - a) + (b_end - b)
    spare = total - 2 * _needed(total, threshold)
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
            total += token
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
            need = _needed(total, threshold)
            if n_i < need:
                break  # sizes ascend within a bucket, and what is needed grows with them
            if (
                np.int64(_popcount(even ^ bits[other, 0]) + _popcount(odd ^ bits[other, 1]))
                > total - 2 * need
            ):
                continue
            j = rank[other]
            if not _may_meet(side, i, j) or _in_earlier_band(bands, i, j, band):
                continue
            a, b = starts[order[i]], starts[order[j]]
            s = _similarity(tokens, a, a + n_i, b, b + count[other], threshold)
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
def token_ranks(tokens, starts, rows, bits):  # type: ignore[no-untyped-def]
    """Return a table of ``2**bits`` ranks by hash of a token: 0 = in none of `rows`, larger = in more of them."""
    shift = U64(64 - bits)
    count = np.zeros(1 << bits, np.int32)
    for row in rows:
        for at in range(starts[row], starts[row + 1]):
            count[tokens[at] >> shift] += 1
    out = np.zeros(1 << bits, np.uint8)
    for h in range(1 << bits):
        if count[h]:
            out[h] = min(_RANKS - 1, 1 + np.int64(2.0 * math.log2(count[h])))
    return out


@njit(inline="always")
def _prefix(tokens, a, a_end, ranks, shift, threshold, count, out):  # type: ignore[no-untyped-def]
    """Write the tokens of a set's prefix, rarest first, that are in the sample at all; return their number.

    The order (rank, token) is one for all rows, so two similar sets share a token of their prefixes.
    """
    size = a_end - a
    length = size - np.int64(math.ceil(threshold * size * (1.0 - 1e-12))) + 1
    count[:] = 0
    for at in range(a, a_end):
        count[ranks[tokens[at] >> shift]] += 1
    if count[0] >= length:
        return 0
    last, left = 0, length
    while left > count[last]:
        left -= count[last]
        last += 1
    m = 0
    for at in range(a, a_end):
        rank = ranks[tokens[at] >> shift]
        if rank == last:
            if left == 0:
                continue
            left -= 1
        if 0 < rank <= last:
            out[m] = tokens[at]
            m += 1
    return m


@njit(nogil=True, cache=True)
def prefix_index(tokens, starts, rows, ranks, bits, threshold):  # type: ignore[no-untyped-def]
    """Return ``(first, postings)``: the rows (as places in `rows`) by hash of each token of their prefixes.

    At most 2**16 rows, ascending in size.
    """
    shift = U64(64 - bits)
    most = np.int64(0)
    for row in rows:
        most = max(most, starts[row + 1] - starts[row])
    count, prefix = np.empty(_RANKS, np.int64), np.empty(most, np.uint64)
    first = np.zeros((1 << bits) + 1, np.uint32)
    for row in rows:
        for k in range(_prefix(tokens, starts[row], starts[row + 1], ranks, shift, threshold, count, prefix)):
            first[(prefix[k] >> shift) + U64(1)] += U32(1)
    for b in range(1 << bits):
        first[b + 1] += first[b]
    postings = np.empty(first[-1], np.uint16)
    free = first.copy()
    for place in range(rows.shape[0]):
        row = rows[place]
        for k in range(_prefix(tokens, starts[row], starts[row + 1], ranks, shift, threshold, count, prefix)):
            b = prefix[k] >> shift
            postings[free[b]] = place
            free[b] += U32(1)
    return first, postings


@njit(nogil=True, cache=True)
def pairs_of_sample(  # type: ignore[no-untyped-def]
    sample, sample_size, sample_bitmap, ranks, first, postings, bits, rows, places, tokens, starts, bitmap, side,
    sample_side, threshold, resume, left, right
):  # fmt: skip
    """Write every similar pair of a row of `sample` and one of `rows`; return how many were written.

    The prefix filter over an index of the sample alone finds all of them. A pair is written once for each row of
    it that is in the sample, that row left. `resume` (one entry) is the next of `rows` to look up; ``places[k]``
    is where row ``rows[k]`` stands in `bitmap` and `side`.
    """
    shift = U64(64 - bits)
    seen = np.full(sample.shape[0], -1, np.int64)
    most = np.int64(0)
    for row in rows:
        most = max(most, starts[row + 1] - starts[row])
    count, prefix = np.empty(_RANKS, np.int64), np.empty(most, np.uint64)
    written, at = 0, resume[0]
    while at < rows.shape[0] and written + sample.shape[0] <= left.shape[0]:
        row, a, a_end = rows[at], starts[rows[at]], starts[rows[at] + 1]
        even, odd = bitmap[places[at], 0], bitmap[places[at], 1]
        # the sample is in order of size: partners that are too small or too large come first and last in a bucket
        low = np.searchsorted(sample_size, np.int64(math.ceil(threshold * (a_end - a) * (1.0 - 1e-12))))
        high = np.searchsorted(sample_size, np.int64((a_end - a) / threshold * (1.0 + 1e-12)) + 1)
        for k in range(
            _prefix(tokens, a, a_end, ranks, shift, threshold, count, prefix) if low < high else 0
        ):
            b = prefix[k] >> shift
            for p in range(first[b], first[b + U64(1)]):
                other = np.int64(postings[p])
                if other < low:
                    continue
                if other >= high:
                    break
                total = (a_end - a) + sample_size[other]
                differ = _popcount(even ^ sample_bitmap[other, 0]) + _popcount(odd ^ sample_bitmap[other, 1])
                if np.int64(differ) > total - 2 * _needed(total, threshold):
                    continue
                if seen[other] == at or sample[other] == row:
                    continue
                seen[other] = at
                if side.shape[0] and side[places[at]] == sample_side[other] and sample_side[other] != -2:
                    continue
                c = starts[sample[other]]
                if _similarity(tokens, a, a_end, c, c + sample_size[other], threshold) >= 0.0:
                    left[written], right[written] = sample[other], row
                    written += 1
        at += 1
    resume[0] = at
    return written
