"""Exact alignments of pairs, in a band of the matrix wherever that can be proved to be enough.

A path that leaves the band by more than w diagonals on either side leaves more than w letters of the shorter sequence
unpaired. It scores at most what the other letters could earn at best. Where the best path within the band
already scores more than that, it is the best of all. A narrow band comes first; its score tells how wide the band must
be, or that the whole matrix is needed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak.kernels.alignment import (
    FULL,
    LOCAL,
    Alignments,
    Sequences,
    best_in_bands,
    decode,
    encode_scores,
)
from splitleak.kernels.compiling import njit
from splitleak.kernels.score_scan import Needs, asked_of, pair_scores, score_limit

_NARROW = 15  # diagonals on either side, to begin with
_LONG = 8 * _NARROW  # of shorter sequences the whole matrix is computed at once
_WORTH = 0.6  # of the matrix: a band beyond that saves nothing


class Scores(NamedTuple):
    """How letters and gaps score.

    Attributes
    ----------
    weights : int64 array of shape (n_letters, n_letters)
        Score of each pair of letters, symmetric.
    identical : bool array of shape (n_letters,)
        Whether two of this letter count as identical (ambiguous letters do not).
    gap_open, gap_extend : int
        Cost of the first and of each further column of a gap.
    """

    weights: NDArray[np.int64]
    identical: NDArray[np.bool_]
    gap_open: int
    gap_extend: int


def align(
    sequences: Sequences, scores: Scores, mode: int, left: NDArray[np.int64], right: NDArray[np.int64]
) -> Alignments:
    """Align pairs of sequences; of two strands, the one of the better alignment counts.

    Parameters
    ----------
    sequences, scores
        What is aligned, and how it scores.
    mode : int
        `LOCAL`, `SEMIGLOBAL` (gaps at the ends are free) or `GLOBAL` of `splitleak.kernels.alignment`.
    left, right : int64 arrays
        Positions of the sequences; quickest where equal `right` stand together, with `left` of similar lengths.
    """
    strands = sequences.strands
    table = encode_scores(scores.weights, scores.identical)
    lengths = np.diff(sequences.starts)
    shorter = np.where(lengths[left] < lengths[right], left, right)
    narrow = np.where(lengths[shorter] >= _LONG, _NARROW, FULL)

    def sweep(strand: NDArray[np.uint8], which: NDArray[np.int64], width: NDArray[np.int64]) -> None:
        order = np.lexsort(
            (lengths[left[which]], width, right[which])
        )  # packs of one right, of similar widths
        w, width = which[order], width[order]
        costs = scores.gap_open, scores.gap_extend, mode
        values = best_in_bands(sequences, strand, table, *costs, left[w], right[w], width)
        best[w] = np.maximum(best[w], values)

    every = np.arange(len(left))
    best = np.full(len(left), np.iinfo(np.int64).min)
    by_strand = []
    for strand in strands:
        before, best = best, np.full(len(left), np.iinfo(np.int64).min)
        sweep(strand, every, narrow)
        by_strand.append(best)
        best = np.maximum(before, best)
    needed = _width_needed(sequences, scores, shorter, decode(best).score)
    wide = (2 * needed + np.abs(lengths[left] - lengths[right])) > _WORTH * np.maximum(
        lengths[left], lengths[right]
    )
    needed[wide] = FULL
    open_pairs = np.flatnonzero(needed > narrow)
    for number, strand in enumerate(strands):
        which = open_pairs
        if len(strands) == 2:  # the strand that is behind need not be aligned where its score stays behind
            behind = by_strand[number][which] < by_strand[1 - number][which]
            behind &= needed[which] > 2 * _NARROW
            lost = which[behind]
            lost = lost[
                _stays_below(sequences, strand, scores, left[lost], right[lost], decode(best[lost]).score)
            ]
            which = np.setdiff1d(which, lost)
        sweep(strand, which, needed[which])
    return decode(best)


def reach_narrowly(
    sequences: Sequences,
    weights: NDArray[np.int64],
    gap_open: int,
    gap_extend: int,
    needs: Needs,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Tell which pairs reach what they need within a narrow band already; the others may reach it beyond."""
    asked, possible = asked_of(np.diff(sequences.starts), needs, left, right)
    table = encode_scores(weights, np.zeros(len(weights), dtype=np.bool_))
    width = np.full(len(left), _NARROW)
    reached = np.zeros(len(left), dtype=np.bool_)
    for strand in sequences.strands:
        rest = np.flatnonzero(possible & ~reached)
        values = best_in_bands(
            sequences, strand, table, gap_open, gap_extend, LOCAL, left[rest], right[rest], width[rest]
        )
        reached[rest] = decode(values).score >= asked[rest]
    return reached


def local_scores(
    sequences: Sequences, scores: Scores, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the best local score of pairs of sequences: in 8 bits, and in full where these do not hold it."""
    found, beyond = np.zeros(len(left), dtype=np.int64), np.ones(len(left), dtype=np.bool_)
    if _fits_bytes(scores):
        costs = scores.weights, scores.gap_open, scores.gap_extend
        for strand in sequences.strands:
            found = np.maximum(found, pair_scores(sequences, strand, *costs, left, right))
        beyond = found >= score_limit(scores.weights)
    found[beyond] = np.maximum(align(sequences, scores, LOCAL, left[beyond], right[beyond]).score, 0)
    return found


def _fits_bytes(scores: Scores) -> bool:
    fits = scores.weights.max() - min(0, int(scores.weights.min())) < 200
    return bool(fits and max(scores.gap_open, scores.gap_extend) <= 255)


def _width_needed(
    sequences: Sequences, scores: Scores, shorter: NDArray[np.int64], reached: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how wide a band must be, so that every path that leaves it scores less than `reached`."""
    most = np.maximum(scores.weights.max(axis=1), 0)
    return _widths(sequences.codes, sequences.starts, most, np.unique(most), shorter, reached)


@njit(nogil=True, cache=True)
def _widths(codes, starts, most, levels, shorter, reached):  # type: ignore[no-untyped-def]
    count = np.zeros(
        (len(starts) - 1, len(levels)), dtype=np.int64
    )  # letters of each sequence that can earn so much
    for s in range(len(starts) - 1):
        for i in range(starts[s], starts[s + 1]):
            count[s, np.searchsorted(levels, most[codes[i]])] += 1
    out = np.empty(len(shorter), dtype=np.int64)
    for p in range(len(shorter)):
        spare = np.int64(-reached[p])
        for level in range(len(levels)):
            spare += count[shorter[p], level] * levels[level]
        # the letters left out are at best those that earn least
        left_out = 0
        for level in range(len(levels)):
            value, letters = levels[level], count[shorter[p], level]
            if value > 0 and letters * value > spare:
                left_out += spare // value
                spare = np.int64(-1)
                break
            left_out += letters
            spare -= letters * value
        out[p] = left_out if spare < 0 else FULL
    return out


def _stays_below(
    sequences: Sequences,
    strand: NDArray[np.uint8],
    scores: Scores,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    reached: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Tell which pairs score less than `reached` on this strand, as far as 8 bits can tell."""
    if not _fits_bytes(scores) or not len(left):
        return np.zeros(len(left), dtype=np.bool_)
    order = np.lexsort((left, right))
    costs = scores.weights, scores.gap_open, scores.gap_extend
    found = np.empty(len(left), dtype=np.int64)
    found[order] = pair_scores(sequences, strand, *costs, left[order], right[order])
    return np.asarray(found < np.minimum(reached, score_limit(scores.weights)))
