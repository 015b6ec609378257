"""Every similar pair of a few sampled rows with any row, by the prefix filter over an index of the sample alone.

Two sets with Jaccard >= t share a token among the first ``n - ceil(t n) + 1`` of each (of n tokens), whatever the
one order of tokens is; here tokens that are rare in the sample come first, and those that are in no sampled row
before them, so that most rows have little to look up.

Source: S. Chaudhuri, V. Ganti, R. Kaushik, A primitive operator for similarity joins, 2006.
"""

from __future__ import annotations

import math

import numpy as np

from splitleak.kernels.banding import needed_tokens, popcount, similarity_of
from splitleak.kernels.compiling import njit

U32 = np.uint32
U64 = np.uint64
_RANKS = 48


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
                differ = popcount(even ^ sample_bitmap[other, 0]) + popcount(odd ^ sample_bitmap[other, 1])
                if np.int64(differ) > total - 2 * needed_tokens(total, threshold):
                    continue
                if seen[other] == at or sample[other] == row:
                    continue
                seen[other] = at
                if side.shape[0] and side[places[at]] == sample_side[other] and sample_side[other] != -2:
                    continue
                c = starts[sample[other]]
                if similarity_of(tokens, a, a_end, c, c + sample_size[other], threshold) >= 0.0:
                    left[written], right[written] = sample[other], row
                    written += 1
        at += 1
    resume[0] = at
    return written
