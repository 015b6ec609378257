"""Jaccard similarity of a few query sets to all sets, by counting shared tokens (ScanCount, Li et al. 2008).

No filter is used: each token of each set is looked up among the tokens of the queries, and what they share is
counted. So it is an independent check of the join, affordable for some thousands of queries.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges
from splitleak.kernels.compiling import njit

_CHUNKS = 32
_BATCH = 1024  # queries at a time: what is counted for them must stay in the processor's first cache
_IGNORED = -1


def scan_nearest(
    tokens: NDArray[np.uint64],
    starts: NDArray[np.int64],
    queries: NDArray[np.int64],
    threshold: float,
    sides: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return each query row's largest similarity to the rows of each side, and its number of similar rows.

    Parameters
    ----------
    tokens, starts : uint64 and int64 arrays
        The set of row i is ``tokens[starts[i]:starts[i + 1]]``, unique tokens.
    queries : int64 array of shape (n_queries,)
        Rows looked up.
    threshold : float
        Rows with similarity >= threshold count as similar.
    sides : int64 array of shape (n_rows,)
        Side of each row, 0, 1, ...; -1: the row is left out.

    Returns
    -------
    nearest : float64 array of shape (n_queries, n_sides)
        Largest similarity to another row of each side, in [0, 1]; NaN where the side has no other row.
    degree : int64 array of shape (n_queries,)
        Number of other rows, on any side, at or above the threshold.

    Examples
    --------
    >>> import numpy as np
    >>> tokens = np.array([1, 2, 1, 2, 3], dtype=np.uint64)
    >>> nearest, degree = scan_nearest(tokens, np.array([0, 2, 5]), np.array([0]), 0.5, np.array([0, 1]))
    >>> degree.tolist(), bool(nearest[0, 1] == 2 / 3)
    ([1], True)
    """
    n_sides = int(sides.max(initial=0)) + 1
    nearest = np.zeros((len(queries), n_sides))
    degree = np.zeros(len(queries), dtype=np.int64)
    for a, b in ranges(len(queries), -(-len(queries) // _BATCH)):
        nearest[a:b], degree[a:b] = _scan_batch(tokens, starts, queries[a:b], threshold, sides, n_sides)
    _compare_empty(np.diff(starts), queries, sides, nearest, degree)
    return nearest, degree


def _scan_batch(
    tokens: NDArray[np.uint64],
    starts: NDArray[np.int64],
    queries: NDArray[np.int64],
    threshold: float,
    sides: NDArray[np.int64],
    n_sides: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    lengths = starts[queries + 1] - starts[queries]
    held_by = np.repeat(np.arange(len(queries)), lengths)
    within = np.arange(len(held_by)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    values = tokens[np.repeat(starts[queries], lengths) + within]
    order = np.argsort(values, kind="stable")
    known, first = np.unique(values[order], return_index=True)
    holders_start = np.append(first, len(values)).astype(np.int64)
    holders = held_by[order].astype(np.int32)
    slot = np.full(1 << max(4, (2 * len(known)).bit_length()), -1, dtype=np.int32)
    _fill_slots(known, slot)
    index = (known, slot, holders_start, holders)

    def scan(part: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        nearest = np.zeros((n_sides, len(queries)))
        degree = np.zeros(len(queries), dtype=np.int32)
        _scan(
            tokens,
            starts,
            sides,
            *part,
            *index,
            queries,
            lengths.astype(np.int32),
            threshold,
            nearest,
            degree,
        )
        return nearest, degree

    parts = map_threads(scan, ranges(len(starts) - 1, _CHUNKS))
    return np.maximum.reduce([p[0] for p in parts]).T, np.add.reduce([p[1] for p in parts], dtype=np.int64)


def _compare_empty(
    size: NDArray[np.int64],
    queries: NDArray[np.int64],
    sides: NDArray[np.int64],
    nearest: NDArray[np.float64],
    degree: NDArray[np.int64],
) -> None:
    """Correct, in place, for what no shared token tells: empty sets, and sides without another row."""
    used = sides != _IGNORED
    n_sides = nearest.shape[1]
    rows = np.bincount(sides[used], minlength=n_sides)
    empty = np.bincount(sides[used & (size == 0)], minlength=n_sides)
    for i, row in enumerate(queries):
        itself = np.zeros(n_sides, dtype=np.int64)
        if used[row]:
            itself[sides[row]] = 1
        if size[row] == 0:
            nearest[i] = empty - itself > 0
            degree[i] = (empty - itself).sum()
        nearest[i, rows - itself == 0] = np.nan


@njit(nogil=True, cache=True, inline="always")
def _slot_of(token, n_slots):  # type: ignore[no-untyped-def]
    return np.int64((token * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & (n_slots - 1)


@njit(nogil=True, cache=True)
def _fill_slots(known, slot):  # type: ignore[no-untyped-def]
    for k in range(len(known)):
        s = _slot_of(known[k], len(slot))
        while slot[s] >= 0:
            s = (s + 1) & (len(slot) - 1)
        slot[s] = k


@njit(nogil=True, cache=True, error_model="numpy")
def _scan(  # type: ignore[no-untyped-def]
    tokens,
    starts,
    sides,
    begin,
    end,
    known,
    slot,
    holders_start,
    holders,
    queries,
    lengths,
    threshold,
    nearest,
    degree,
):
    shared = np.empty(len(queries), np.int32)
    for row in range(begin, end):
        if sides[row] == _IGNORED:
            continue
        shared[:] = 0
        for k in range(starts[row], starts[row + 1]):
            s = _slot_of(tokens[k], len(slot))
            while slot[s] >= 0 and known[slot[s]] != tokens[k]:
                s = (s + 1) & (len(slot) - 1)
            if slot[s] >= 0:
                for h in range(holders_start[slot[s]], holders_start[slot[s] + 1]):
                    shared[holders[h]] += 1
        size, best = np.int32(starts[row + 1] - starts[row]), nearest[sides[row]]
        # without branches, so that it is done for many queries at a time; 0 / 0 is seen to afterwards
        for q in range(len(queries)):
            similarity = shared[q] / (size + lengths[q] - shared[q])
            similarity = -1.0 if queries[q] == row else similarity
            degree[q] += np.int32(similarity >= threshold)
            best[q] = similarity if similarity > best[q] else best[q]
