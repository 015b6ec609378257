"""Which pairs of sequences reach a score? Best local scores in 8 bits, 64 pairs at a time.

The shorter sequences are in the lanes, the longer one goes down the rows: so a lane is padded to the length of the
longest of 64 neighbours in order of length, and the longest of all sequences cost no more than they must.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Listed
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads
from splitleak.kernels.alignment import PACKS, Sequences, packs_of
from splitleak.kernels.compiling import njit
from splitleak.kernels.lane_sweep import SCORE_LANES, sweep_scores

_ROWS = 16_384  # of one job: bounds the memory for its pairs


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
    batches: Listed[int] | None = None,
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
    batches, rows : sequence of int and int64 array, optional
        Only pairs whose left sequence is in these batches of 64, whose right sequence is in `rows` (ascending).
    advance : callable, optional
        Told of each batch done.
    """
    n = len(sequences.starts) - 1
    table, bias = _byte_table(weights)
    rows = np.arange(n) if rows is None else rows
    batches = range((n + SCORE_LANES - 1) // SCORE_LANES) if batches is None else batches
    jobs = []
    for b in batches:
        later = rows[np.searchsorted(rows, b * SCORE_LANES, side="right") :]
        jobs += [(b, later[at : at + _ROWS], at) for at in range(0, len(later), _ROWS)]

    def work(job: tuple[int, NDArray[np.int64], int]) -> Any:
        costs = (np.uint8(bias), np.uint8(gap_open), np.uint8(gap_extend), score_limit(weights))
        pairs = _scan(*sequences, table, *costs, *needs, job[0] * SCORE_LANES, job[1])
        if advance is not None and job[2] == 0:
            advance(1)
        return pairs

    found = [np.empty((0, 2), dtype=np.int64), *map_threads(work, jobs)]
    pairs = np.concatenate(found)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def _byte_table(weights: NDArray[np.int64]) -> tuple[NDArray[np.uint8], int]:
    """Return the weights without a sign, and what was added to each."""
    bias = max(0, -int(weights.min(initial=0)))
    table = np.zeros((len(weights) + 1, len(weights)), dtype=np.uint8)
    table[:-1] = weights + bias
    table[-1] = bias  # the letter behind the end of a lane: no score, so that the maximum stays
    return table, bias


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
    codes, reverse, starts, sides, table, bias, gap_open, gap_extend, limit, score, matches, of_longer,
    first, rows,
):  # fmt: skip
    """Sweep the lanes of one batch (the sequences from `first`) down each of `rows`."""
    length = np.diff(starts)
    lanes = min(SCORE_LANES, len(length) - first)
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


def scan_pairs(
    sequences: Sequences,
    weights: NDArray[np.int64],
    gap_open: int,
    gap_extend: int,
    needs: Needs,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Do what `scan` does for listed pairs: tell which of them reach what they need.

    Quickest where equal `right` stand together, with `left` of similar lengths.
    """
    asked, possible = asked_of(np.diff(sequences.starts), needs, left, right)
    asked = np.minimum(asked, score_limit(weights))
    scored = np.zeros(len(left), dtype=np.uint8)
    for rows in sequences.strands:
        np.maximum(
            scored, pair_scores(sequences, rows, weights, gap_open, gap_extend, left, right), out=scored
        )
    return np.asarray((scored >= asked) & possible)


def asked_of(
    lengths: NDArray[np.int64], needs: Needs, left: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the least score of listed pairs, and whether their lengths leave room for the matches they need."""
    combine = np.maximum if needs.of_longer else np.minimum
    possible = combine(needs.matches[left], needs.matches[right]) <= np.minimum(lengths[left], lengths[right])
    return combine(needs.score[left], needs.score[right]), possible


def pair_scores(
    sequences: Sequences,
    rows: NDArray[np.uint8],
    weights: NDArray[np.int64],
    gap_open: int,
    gap_extend: int,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """Return the best local scores of listed pairs, those from `score_limit` on as `score_limit`.

    `rows` are the letters of the right sequences: of one strand.
    """
    table, bias = _byte_table(weights)
    packs = packs_of(right, SCORE_LANES)
    costs = np.uint8(bias), np.uint8(gap_open), np.uint8(gap_extend)

    def work(at: int) -> Any:
        part = packs[at : at + PACKS + 1]
        return _scan_packs(sequences.codes, rows, sequences.starts, table, *costs, left, right, part)

    jobs = list(range(0, len(packs) - 1, PACKS))
    return np.concatenate([np.empty(0, dtype=np.uint8), *map_threads(work, jobs)])


@njit(nogil=True, cache=True)
def _scan_packs(  # type: ignore[no-untyped-def]
    codes, letters_of_rows, starts, table, bias, gap_open, gap_extend, left, right, packs
):
    letters = table.shape[1]
    rows = 1
    for p in range(packs[0], packs[-1]):
        rows = max(rows, starts[right[p] + 1] - starts[right[p]])
    h = np.empty((rows, SCORE_LANES), dtype=np.uint8)
    e = np.empty((rows, SCORE_LANES), dtype=np.uint8)
    weights = np.empty((letters, SCORE_LANES), dtype=np.uint8)
    column = np.empty(SCORE_LANES, dtype=np.uint8)
    best = np.empty(SCORE_LANES, dtype=np.uint8)
    out = np.empty(packs[-1] - packs[0], dtype=np.uint8)
    for pack in range(len(packs) - 1):
        begin, lanes = packs[pack], packs[pack + 1] - packs[pack]
        r = right[begin]
        n = starts[r + 1] - starts[r]
        letters_of_row = letters_of_rows[starts[r] :]
        columns = 0
        for k in range(lanes):
            columns = max(columns, starts[left[begin + k] + 1] - starts[left[begin + k]])
        best[:] = 0
        h[:n] = 0
        e[:n] = 0
        for j in range(columns):
            for k in range(SCORE_LANES):
                column[k] = letters
                if k < lanes and starts[left[begin + k]] + j < starts[left[begin + k] + 1]:
                    column[k] = codes[starts[left[begin + k]] + j]
            for letter in range(letters):
                for k in range(SCORE_LANES):
                    weights[letter, k] = table[column[k], letter]
            sweep_scores(
                np.uint64(h.ctypes.data), np.uint64(e.ctypes.data), np.uint64(weights.ctypes.data),
                np.uint64(letters_of_row.ctypes.data), n, np.uint64(best.ctypes.data), bias, gap_open, gap_extend,
            )  # fmt: skip
        out[begin - packs[0] : begin - packs[0] + lanes] = best[:lanes]
    return out
