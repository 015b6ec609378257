"""Alignments of many pairs of sequences: a scan by local score in 8 bits, and exact alignments in 64 bits.

An exact alignment is compared as one number, ``score * 2**40 + identities * 2**20 - columns``: of the alignments of
the best score it is the one with the most identical pairs, and of these the shortest. That is a property of the two
sequences alone, whichever comes first, and does not depend on how ties happen to be broken in the matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from splitleak._threads import map_threads
from splitleak.kernels.lane_sweep import EXACT_LANES, SCORE_LANES, sweep_exact, sweep_scores

LOCAL, SEMIGLOBAL, GLOBAL = 0, 1, 2
SCORE_SHIFT, IDENTITY_SHIFT = 40, 20
MIXED, IGNORED = -2, -1
_ROWS = 16_384  # of one job: bounds the memory for its pairs
_PACKS = 512  # of one job: enough to keep threads busy, few enough to start quickly
_FAR = -(1 << 61)


class Sequences(NamedTuple):
    """Encoded sequences, one after the other.

    Attributes
    ----------
    codes : uint8 array
        Letters of all sequences as numbers below `n_letters`.
    reverse : uint8 array
        Their reverse complements at the same places; empty: compare one strand.
    starts : int64 array of shape (n + 1,)
        Sequence i is ``codes[starts[i]:starts[i + 1]]``; none is empty.
    sides : int64 array of shape (n,)
        Only pairs of different sides meet (-1: no pair, -2: meets every row); empty: all pairs.
    """

    codes: NDArray[np.uint8]
    reverse: NDArray[np.uint8]
    starts: NDArray[np.int64]
    sides: NDArray[np.int64]


class Needs(NamedTuple):
    """What the scan asks of a pair: ``max`` (or ``min``) of the numbers of its two sequences.

    Attributes
    ----------
    score : int64 array of shape (n,)
        Least local score.
    matches : int64 array of shape (n,)
        Least number of identical pairs; a sequence shorter than that cannot have them.
    of_longer : bool
        Whether the larger or the smaller number of the two sequences holds for a pair.
    """

    score: NDArray[np.int64]
    matches: NDArray[np.int64]
    of_longer: bool


def scan(
    sequences: Sequences,
    weights: NDArray[np.int64],
    gap_open: int,
    gap_extend: int,
    needs: Needs,
    *,
    n_left: int | None = None,
    batches: Sequence[int] | None = None,
    rows: NDArray[np.int64] | None = None,
    advance: Callable[[int], None] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs ``(left, right)``, left < right, whose best local score reaches what they need.

    Parameters
    ----------
    sequences : Sequences
        Ordered by length: 64 neighbours share a sweep, which is as long as the longest of them.
    weights : int64 array of shape (n_letters, n_letters)
        Score of each pair of letters, symmetric; at most 255 wide.
    gap_open, gap_extend : int
        Cost of the first and of each further column of a gap, in [0, 255].
    needs : Needs
        Scores above `score_limit` cannot be told apart in 8 bits: pairs that reach it are returned.
    n_left : int, optional
        Only pairs whose left sequence is one of the first `n_left`.
    batches, rows : sequence of int and int64 array, optional
        Only pairs whose left sequence is in these batches of 64, whose right sequence is in `rows` (ascending).
    advance : callable, optional
        Told of each batch done.
    """
    n = len(sequences.starts) - 1
    bias = max(0, -int(weights.min(initial=0)))
    table = np.zeros((len(weights) + 1, len(weights)), dtype=np.uint8)
    table[:-1] = weights + bias
    table[-1] = bias  # the letter behind the end of a lane: no score, so that the maximum stays
    n_left = n if n_left is None else n_left
    rows = np.arange(n) if rows is None else rows
    batches = range((n_left + SCORE_LANES - 1) // SCORE_LANES) if batches is None else batches
    jobs = []
    for b in batches:
        later = rows[np.searchsorted(rows, b * SCORE_LANES, side="right") :]
        jobs += [(b, later[at : at + _ROWS], at) for at in range(0, len(later), _ROWS)]

    def work(job: tuple[int, NDArray[np.int64], int]) -> Any:
        costs = (np.uint8(bias), np.uint8(gap_open), np.uint8(gap_extend), score_limit(weights))
        pairs = _scan(*sequences, table, *costs, *needs, n_left, job[0] * SCORE_LANES, job[1])
        if advance is not None and job[2] == 0:
            advance(1)
        return pairs

    found = [np.empty((0, 2), dtype=np.int64), *map_threads(work, jobs)]
    pairs = np.concatenate(found)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def score_limit(weights: NDArray[np.int64]) -> int:
    """Return the largest score that the scan can tell from larger ones."""
    return 255 - max(0, -int(weights.min(initial=0)))


@njit(nogil=True, cache=True, inline="always")
def _meet(a, b):  # type: ignore[no-untyped-def]
    return a != -1 and b != -1 and (a != b or a == -2)


@njit(nogil=True, cache=True)
def _lane_profile(codes, starts, first, lanes, columns, table):  # type: ignore[no-untyped-def]
    """Return the weight of each letter against each lane's letter in each column."""
    letters = table.shape[1]
    profile = np.empty((columns, letters, SCORE_LANES), dtype=np.uint8)
    column = np.empty(SCORE_LANES, dtype=np.uint8)
    for j in range(columns):
        for k in range(SCORE_LANES):
            inside = k < lanes and starts[first + k] + j < starts[first + k + 1]
            column[k] = codes[starts[first + k] + j] if inside else np.uint8(letters)
        for letter in range(letters):
            for k in range(SCORE_LANES):
                profile[j, letter, k] = table[column[k], letter]
    return profile


@njit(nogil=True, cache=True)
def _scan(  # type: ignore[no-untyped-def]
    codes, reverse, starts, sides, table, bias, gap_open, gap_extend, limit, score, matches, of_longer, n_left,
    first, rows,
):  # fmt: skip
    """Sweep the lanes of one batch (the sequences from `first`) down each of `rows`."""
    length = np.diff(starts)
    lanes = min(SCORE_LANES, len(length) - first, n_left - first)
    profile = _lane_profile(codes, starts, first, lanes, length[first : first + lanes].max(), table)
    h = np.empty((length[rows].max(), SCORE_LANES), dtype=np.uint8)
    e = np.empty_like(h)
    best = np.empty(SCORE_LANES, dtype=np.uint8)
    ask = np.empty(SCORE_LANES, dtype=np.int64)
    pairs = np.empty((len(rows) * lanes, 2), dtype=np.int64)
    m = 0
    for r in rows:
        columns = 0
        for k in range(lanes):
            q = first + k
            ask[k] = 1 << 62
            if q >= r or (len(sides) and not _meet(sides[q], sides[r])):
                continue
            least = max(matches[q], matches[r]) if of_longer else min(matches[q], matches[r])
            if least > min(length[q], length[r]):
                continue
            ask[k] = min(limit, max(score[q], score[r]) if of_longer else min(score[q], score[r]))
            columns = max(columns, length[q])
        if columns == 0:
            continue
        best[:] = 0
        for strand in range(2 if len(reverse) else 1):
            letters = codes[starts[r] :] if strand == 0 else reverse[starts[r] :]
            h[: length[r]] = 0
            e[: length[r]] = 0
            for j in range(columns):
                sweep_scores(
                    np.uint64(h.ctypes.data), np.uint64(e.ctypes.data), np.uint64(profile[j].ctypes.data),
                    np.uint64(letters.ctypes.data), length[r], np.uint64(best.ctypes.data), bias, gap_open,
                    gap_extend,
                )  # fmt: skip
        for k in range(lanes):
            if best[k] >= ask[k]:
                pairs[m, 0] = first + k
                pairs[m, 1] = r
                m += 1
    return pairs[:m].copy()


class Alignments(NamedTuple):
    """Best alignments of pairs: score, identical pairs, and columns (gaps included, free end gaps not)."""

    score: NDArray[np.int64]
    identities: NDArray[np.int64]
    columns: NDArray[np.int64]


def align(
    sequences: Sequences,
    weights: NDArray[np.int64],
    identical: NDArray[np.bool_],
    gap_open: int,
    gap_extend: int,
    mode: int,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
) -> Alignments:
    """Align pairs of sequences; of two strands, the one of the better alignment counts.

    Parameters
    ----------
    sequences, weights, gap_open, gap_extend
        As for `scan`.
    identical : bool array of shape (n_letters,)
        Whether two of this letter count as identical (ambiguous letters do not).
    mode : int
        `LOCAL`, `SEMIGLOBAL` (gaps at the ends are free) or `GLOBAL`.
    left, right : int64 arrays
        Positions of the sequences; quickest where equal `right` stand together, with `left` of similar lengths.
    """
    table = np.zeros((len(weights) + 1, len(weights)), dtype=np.int64)
    table[:-1] = (weights << SCORE_SHIFT) - 1
    table[np.arange(len(weights)), np.arange(len(weights))] += identical.astype(np.int64) << IDENTITY_SHIFT
    opening, extending = (gap_open << SCORE_SHIFT) + 1, (gap_extend << SCORE_SHIFT) + 1
    new = np.append(True, right[1:] != right[:-1])[: len(right)]
    group_start = np.flatnonzero(new)
    place = np.arange(len(right)) - group_start[np.cumsum(new) - 1] if len(right) else right
    packs = np.append(np.flatnonzero(place % EXACT_LANES == 0), len(left))
    jobs = list(range(0, len(packs) - 1, _PACKS))

    def work(at: int) -> Any:
        return _align(
            *sequences[:3], table, opening, extending, mode, left, right, packs[at : at + _PACKS + 1]
        )

    values = np.concatenate([np.empty(0, dtype=np.int64), *map_threads(work, jobs)])
    columns = -values & ((1 << IDENTITY_SHIFT) - 1)
    rest = values + columns
    identities = (rest >> IDENTITY_SHIFT) & ((1 << (SCORE_SHIFT - IDENTITY_SHIFT)) - 1)
    return Alignments(rest >> SCORE_SHIFT, identities, columns)


@njit(nogil=True, cache=True)
def _align(  # type: ignore[no-untyped-def]
    codes, reverse, starts, table, gap_open, gap_extend, mode, left, right, packs
):
    letters = table.shape[1]
    rows = 1
    for p in range(packs[0], packs[-1]):
        rows = max(rows, starts[right[p] + 1] - starts[right[p]])
    h = np.empty((rows, EXACT_LANES), dtype=np.int64)
    e = np.empty((rows, EXACT_LANES), dtype=np.int64)
    weights = np.zeros((letters, EXACT_LANES), dtype=np.int64)
    best = np.empty(EXACT_LANES, dtype=np.int64)
    result = np.empty(EXACT_LANES, dtype=np.int64)
    out = np.empty(packs[-1] - packs[0], dtype=np.int64)
    for pack in range(len(packs) - 1):
        begin, lanes = packs[pack], packs[pack + 1] - packs[pack]
        r = right[begin]
        n = starts[r + 1] - starts[r]
        for strand in range(2 if len(reverse) else 1):
            letters_of_row = codes[starts[r] :] if strand == 0 else reverse[starts[r] :]
            _align_pack(
                codes, starts, left[begin : begin + lanes], letters_of_row[:n], table, gap_open, gap_extend,
                mode, h, e, weights, best, result,
            )  # fmt: skip
            for k in range(lanes):
                at = begin - packs[0] + k
                out[at] = result[k] if strand == 0 else max(out[at], result[k])
    return out


@njit(nogil=True, cache=True)
def _align_pack(  # type: ignore[no-untyped-def]
    codes, starts, targets, query, table, gap_open, gap_extend, mode, h, e, weights, best, result
):
    n, letters = len(query), table.shape[1]
    floor = np.int64(0) if mode == LOCAL else np.int64(_FAR)
    columns = 0
    for k in range(len(targets)):
        columns = max(columns, starts[targets[k] + 1] - starts[targets[k]])
    for i in range(n):
        h[i] = -gap_open - i * gap_extend if mode == GLOBAL else 0
        e[i] = h[i, 0] - gap_open
    best[:] = 0
    result[:] = 0
    for j in range(columns):
        for k in range(len(targets)):
            at = starts[targets[k]] + j
            code = codes[at] if at < starts[targets[k] + 1] else letters
            for letter in range(letters):
                weights[letter, k] = table[code, letter]
        above, entering = np.int64(0), np.int64(0)
        if mode == GLOBAL:
            above = -gap_open - (j - 1) * gap_extend if j > 0 else np.int64(0)
            entering = -gap_open - j * gap_extend
        sweep_exact(
            np.uint64(h.ctypes.data), np.uint64(e.ctypes.data), np.uint64(weights.ctypes.data),
            np.uint64(query.ctypes.data), n, np.uint64(best.ctypes.data), above, entering - gap_open, floor,
            gap_open, gap_extend,
        )  # fmt: skip
        if mode != LOCAL:
            for k in range(len(targets)):
                left_over = starts[targets[k] + 1] - starts[targets[k]] - j - 1
                if mode == SEMIGLOBAL and left_over >= 0:
                    result[k] = max(result[k], h[n - 1, k])
                if mode == SEMIGLOBAL and left_over == 0:
                    result[k] = max(result[k], h[:n, k].max())
                if mode == GLOBAL and left_over == 0:
                    result[k] = h[n - 1, k]
    if mode == LOCAL:
        result[:] = best
