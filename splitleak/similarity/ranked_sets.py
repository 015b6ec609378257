"""Token sets in order of their size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges
from splitleak.errors import InputError
from splitleak.kernels.banding import summarize_sets
from splitleak.similarity.base import IGNORED
from splitleak.similarity.sketches import permutations

_CHUNKS = 64
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


class RankedSets(NamedTuple):
    """Token sets in order of their size ("ranks"); empty and ignored rows are left out.

    Attributes
    ----------
    tokens, starts : uint64 and int64 arrays
        The set of row i is ``tokens[starts[i]:starts[i + 1]]``: hashes, ascending and unique.
    rows, places : int64 arrays of shape (n_ranks,)
        The rows that take part, ascending, and the rank of each.
    order, size : int64 and int32 arrays of shape (n_ranks,)
        The row of each rank, and the size of its set.
    side : int64 array of shape (n_ranks,), or of length 0 where all rows meet
    bitmap : uint64 array of shape (n_ranks, 2)
        Parities of 128 groups of tokens.
    key : uint64 array of shape (n_ranks,)
        Hash of the set: an order of the rows that only their content decides.
    """

    tokens: NDArray[np.uint64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    order: NDArray[np.int64]
    size: NDArray[np.int32]
    side: NDArray[np.int64]
    bitmap: NDArray[np.uint64]
    key: NDArray[np.uint64]

    @classmethod
    def of(
        cls,
        tokens: NDArray[np.uint64],
        starts: NDArray[np.int64],
        rows: NDArray[np.int64],
        sides: NDArray[np.int64] | None = None,
    ) -> RankedSets:
        """Order the sets of `rows` (ascending); `sides` has an entry for each row of the data."""
        size = np.diff(starts)
        rows = rows[size[rows] > 0]
        if sides is not None:
            rows = rows[sides[rows] != IGNORED]
        if len(starts) > 2**32 or size.max(initial=0) >= 2**31:
            raise InputError(
                f"minhash compares at most 2**32 rows of fewer than 2**31 shingles, got {len(starts) - 1:,} rows,"
                f" the longest with {size.max(initial=0):,}; cut the data or the texts into parts"
            )
        keyed = np.sort((size[rows].astype(np.uint64) << _HALF) | rows.astype(np.uint64))
        order = (keyed & _LOW).astype(np.int64)
        rank_of = np.empty(len(size), np.int64)
        rank_of[order] = np.arange(len(order))
        places = rank_of[rows]
        bitmap, key = np.empty((len(order), 2), np.uint64), np.empty(len(order), np.uint64)

        def summarize(part: tuple[int, int]) -> None:
            summarize_sets(tokens, starts, rows[slice(*part)], places[slice(*part)], bitmap, key)

        map_threads(summarize, ranges(len(rows), _CHUNKS))
        side = np.empty(0, np.int64) if sides is None else sides[order]
        return cls(tokens, starts, rows, places, order, size[order].astype(np.int32), side, bitmap, key)

    def sample(self, n: int, seed: int) -> NDArray[np.int64]:
        """Return the ranks, ascending, of n rows that content and seed choose, whatever the order of the rows."""
        if n >= len(self.order):
            return np.arange(len(self.order))
        a, b = permutations(2, seed)
        keys = self.key ^ ((a[0].astype(np.uint64) << _HALF) | b[0])
        keys ^= keys >> _HALF
        keys *= np.uint64(0xD6E8FEB86659FD93)
        keys ^= keys >> _HALF
        return np.flatnonzero(keys <= np.partition(keys, n - 1)[n - 1])


def sides_by_row(sets: RankedSets) -> NDArray[np.int64] | None:
    """Return the side of each row of the data, or None where all rows meet."""
    if not len(sets.side):
        return None
    sides = np.full(len(sets.starts) - 1, IGNORED)
    sides[sets.order] = sets.side
    return sides
