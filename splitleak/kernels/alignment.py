"""Exact alignments of many pairs of sequences, 16 at a time.

An alignment is compared as one number, ``score * 2**40 + identities * 2**20 - columns``: of the alignments of
the best score it is the one with the most identical pairs, and of these the shortest. That is a property of the two
sequences alone, whichever comes first, and does not depend on how ties happen to be broken in the matrix.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads
from splitleak.kernels.compiling import njit
from splitleak.kernels.lane_sweep import EXACT_LANES, sweep_exact

LOCAL, SEMIGLOBAL, GLOBAL = 0, 1, 2
SCORE_SHIFT, IDENTITY_SHIFT = 40, 20
MIXED, IGNORED = -2, -1
PACKS = 512  # of one job: enough to keep threads busy, few enough to start quickly
FULL = 1 << 40  # a width of band beyond any
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

    @property
    def strands(self) -> list[NDArray[np.uint8]]:
        """The letters to compare with: of one strand, or of both."""
        return [self.codes, self.reverse] if len(self.reverse) else [self.codes]


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


def encode_scores(weights: NDArray[np.int64], identical: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return what each pair of letters adds to the number that an alignment is compared by."""
    table = np.zeros((len(weights) + 1, len(weights)), dtype=np.int64)
    table[:-1] = (weights << SCORE_SHIFT) - 1
    table[np.arange(len(weights)), np.arange(len(weights))] += identical.astype(np.int64) << IDENTITY_SHIFT
    return table


def decode(values: NDArray[np.int64]) -> Alignments:
    """Return score, identities and columns of the numbers that alignments are compared by."""
    columns = -values & ((1 << IDENTITY_SHIFT) - 1)
    rest = values + columns
    identities = (rest >> IDENTITY_SHIFT) & ((1 << (SCORE_SHIFT - IDENTITY_SHIFT)) - 1)
    return Alignments(rest >> SCORE_SHIFT, identities, columns)


def best_in_bands(
    sequences: Sequences,
    rows: NDArray[np.uint8],
    table: NDArray[np.int64],
    gap_open: int,
    gap_extend: int,
    mode: int,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    width: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the best alignment of each pair among those that keep to a band, as a number for `decode`.

    Parameters
    ----------
    sequences, gap_open, gap_extend, mode, left, right
        As for `splitleak.kernels.banded_alignment.align`.
    rows : uint8 array
        Letters of the right sequences: those of one strand.
    table : int64 array
        Of `encode_scores`.
    width : int64 array of shape (n_pairs,)
        The band is at least all diagonals within `width` of those between the two corners; `FULL`: everything.
    """
    packs = packs_of(right, EXACT_LANES)
    opening, extending = (gap_open << SCORE_SHIFT) + 1, (gap_extend << SCORE_SHIFT) + 1

    def work(at: int) -> Any:
        part = packs[at : at + PACKS + 1]
        return _align(
            sequences.codes, rows, sequences.starts, table, opening, extending, mode, left, right, width, part
        )

    jobs = list(range(0, len(packs) - 1, PACKS))
    return np.concatenate([np.empty(0, dtype=np.int64), *map_threads(work, jobs)])


@njit(nogil=True, cache=True)
def _align(  # type: ignore[no-untyped-def]
    codes, letters_of_rows, starts, table, gap_open, gap_extend, mode, left, right, width, packs
):
    letters = table.shape[1]
    rows = 1
    for p in range(packs[0], packs[-1]):
        rows = max(rows, starts[right[p] + 1] - starts[right[p]])
    h = np.empty((rows, EXACT_LANES), dtype=np.int64)
    e = np.empty((rows, EXACT_LANES), dtype=np.int64)
    weights = np.zeros((letters, EXACT_LANES), dtype=np.int64)
    first = np.empty(EXACT_LANES, dtype=np.int64)
    best = np.empty(EXACT_LANES, dtype=np.int64)
    result = np.empty(EXACT_LANES, dtype=np.int64)
    out = np.empty(packs[-1] - packs[0], dtype=np.int64)
    for pack in range(len(packs) - 1):
        begin, end = packs[pack], packs[pack + 1]
        r = right[begin]
        _align_pack(
            codes, starts, left[begin:end], letters_of_rows[starts[r] : starts[r + 1]], table, gap_open,
            gap_extend, mode, width[begin:end].max(), h, e, weights, first, best, result,
        )  # fmt: skip
        for k in range(end - begin):
            out[begin - packs[0] + k] = result[k]
    return out


@njit(nogil=True, cache=True)
def _align_pack(  # type: ignore[no-untyped-def]
    codes,
    starts,
    targets,
    query,
    table,
    gap_open,
    gap_extend,
    mode,
    width,
    h,
    e,
    weights,
    first,
    best,
    result,
):
    n, letters = len(query), table.shape[1]
    floor = np.int64(0) if mode == LOCAL else np.int64(_FAR)
    columns, fewest = 0, 1 << 62
    for k in range(len(targets)):
        columns = max(columns, starts[targets[k] + 1] - starts[targets[k]])
        fewest = min(fewest, starts[targets[k] + 1] - starts[targets[k]])
    # diagonals (row less column) of the band
    lowest, highest = min(0, n - columns) - width, max(0, n - fewest) + width
    for i in range(n):
        h[i] = -gap_open - i * gap_extend if mode == GLOBAL else 0
        e[i] = (
            h[i, 0] - gap_open if i <= highest else _FAR
        )  # a row that enters later is not reached from the left
    best[:] = 0
    result[:] = 0
    for j in range(columns):
        for k in range(len(targets)):
            at = starts[targets[k]] + j
            code = codes[at] if at < starts[targets[k] + 1] else letters
            for letter in range(letters):
                weights[letter, k] = table[code, letter]
        top, bottom = max(0, j + lowest), min(n, j + highest + 1)
        entering = np.int64(_FAR)
        above = np.uint64(first.ctypes.data)
        if top > 0:
            above = np.uint64(h[top - 1].ctypes.data)  # of the column before, where the band had this row
        elif mode == GLOBAL:
            first[:] = -gap_open - (j - 1) * gap_extend if j > 0 else 0
            entering = -gap_open - j * gap_extend - gap_open
        else:
            first[:] = 0
            entering = np.int64(-gap_open)
        sweep_exact(
            np.uint64(h[top:].ctypes.data), np.uint64(e[top:].ctypes.data), np.uint64(weights.ctypes.data),
            np.uint64(query[top:].ctypes.data), bottom - top, np.uint64(best.ctypes.data), above, entering, floor,
            gap_open, gap_extend,
        )  # fmt: skip
        if mode != LOCAL:
            for k in range(len(targets)):
                left_over = starts[targets[k] + 1] - starts[targets[k]] - j - 1
                if mode == SEMIGLOBAL and left_over >= 0 and bottom == n:
                    result[k] = max(result[k], h[n - 1, k])
                if mode == SEMIGLOBAL and left_over == 0:
                    for i in range(top, bottom):
                        result[k] = max(result[k], h[i, k])
                if mode == GLOBAL and left_over == 0:
                    result[k] = h[n - 1, k]
    if mode == LOCAL:
        result[:] = best
