"""Exact alignments of many pairs of sequences, 16 at a time.

An alignment is compared as one number, ``score * 2**40 + identities * 2**20 - columns``: of the alignments of
the best score it is the one with the most identical pairs, and of these the shortest. That is a property of the two
sequences alone, whichever comes first, and does not depend on how ties happen to be broken in the matrix.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from splitleak._threads import map_threads
from splitleak.kernels.lane_sweep import EXACT_LANES, sweep_exact

LOCAL, SEMIGLOBAL, GLOBAL = 0, 1, 2
SCORE_SHIFT, IDENTITY_SHIFT = 40, 20
MIXED, IGNORED = -2, -1
PACKS = 512  # of one job: enough to keep threads busy, few enough to start quickly
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


def packs_of(right: NDArray[np.int64], lanes: int) -> NDArray[np.int64]:
    """Return where packs of pairs of one right sequence, at most `lanes` each, begin, and the end of the last."""
    new = np.append(True, right[1:] != right[:-1])[: len(right)]
    group_start = np.flatnonzero(new)
    place = np.arange(len(right)) - group_start[np.cumsum(new) - 1] if len(right) else right
    return np.append(np.flatnonzero(place % lanes == 0), len(right))


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
    packs = packs_of(right, EXACT_LANES)
    jobs = list(range(0, len(packs) - 1, PACKS))

    def work(at: int) -> Any:
        return _align(
            *sequences[:3], table, opening, extending, mode, left, right, packs[at : at + PACKS + 1]
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
