"""Sets of tokens as flat arrays: which rows have equal sets, and which tokens are rare."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges
from splitleak.kernels.compiling import njit
from splitleak.kernels.sorting import LEVEL_BITS, LEVELS

_CHUNKS = 64
_GROUP_BITS = 19  # more tell rare tokens apart better, and fall out of the processor's cache


def equal_sets(
    tokens: NDArray[np.uint64], starts: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each of the rows the first of them with the same set, shape (len(rows),).

    Rows are grouped by a hash of their sets; each is then compared in full, so that no hash is trusted.

    Parameters
    ----------
    tokens, starts : uint64 and int64 arrays
        The set of row i is ``tokens[starts[i]:starts[i + 1]]``, ascending.
    rows : int64 array
        Rows to compare, ascending.

    Examples
    --------
    >>> import numpy as np
    >>> tokens = np.array([1, 2, 1, 2, 3], dtype=np.uint64)
    >>> equal_sets(tokens, np.array([0, 2, 4, 5]), np.arange(3)).tolist()
    [0, 0, 2]
    """
    hashes = set_hashes(tokens, starts, rows)
    order = np.argsort(hashes, kind="stable")
    same_as = np.empty(len(rows), dtype=np.int64)
    _verify_groups(tokens, starts, rows, hashes, order, same_as)
    return same_as


def set_hashes(
    tokens: NDArray[np.uint64], starts: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Return a hash of the set of each of the rows."""
    hashes = np.empty(len(rows), dtype=np.uint64)
    map_threads(
        lambda r: _hash_sets(tokens, starts, rows[r[0] : r[1]], hashes[r[0] : r[1]]),
        ranges(len(rows), _CHUNKS),
    )
    return hashes


class Rarity(NamedTuple):
    """An order of tokens, rare ones first.

    Tokens are grouped by their leading bits. A token's key is the token with its group's number replaced by
    the group's rank: one key per token, and smaller ones for rarer groups.

    Attributes
    ----------
    rank : uint32 array of shape (2**k,)
        Rank of each group by number of members, smallest first.
    levels : uint8 array of shape (4096,)
        Spreads the keys of all sets evenly over 256 levels, by their 12 leading bits (see `sort_range`).
    """

    rank: NDArray[np.uint32]
    levels: NDArray[np.uint8]


def rarity(tokens: NDArray[np.uint64], starts: NDArray[np.int64], rows: NDArray[np.int64]) -> Rarity:
    """Return the order of the tokens of the given rows, which must be spread evenly over 64 bits."""
    group_bits = int(np.clip(len(tokens).bit_length() - 3, LEVEL_BITS, _GROUP_BITS))
    members = np.zeros(1 << group_bits, dtype=np.int64)
    _count_groups(tokens, starts, rows, 64 - group_bits, members)
    # ties by number: one sort of plain numbers is many times quicker than an argsort, and the same everywhere
    by_size = np.sort((members << group_bits) | np.arange(len(members))) & (len(members) - 1)
    rank = np.empty(len(members), dtype=np.uint32)
    rank[by_size] = np.arange(len(members), dtype=np.uint32)
    up_to = np.cumsum(members[by_size])
    before = (up_to - members[by_size])[:: len(members) >> LEVEL_BITS]
    levels = (before * LEVELS // max(1, int(up_to[-1]))).clip(max=LEVELS - 1).astype(np.uint8)
    return Rarity(rank, levels)


@njit(nogil=True, cache=True)
def _hash_sets(tokens, starts, rows, hashes):  # type: ignore[no-untyped-def]
    for i in range(len(rows)):
        h = np.uint64(0)
        for k in range(starts[rows[i]], starts[rows[i] + 1]):
            h = (h ^ tokens[k]) * np.uint64(0x9E3779B97F4A7C15)
            h ^= h >> np.uint64(32)
        hashes[i] = h


@njit(nogil=True, cache=True)
def _verify_groups(tokens, starts, rows, hashes, order, same_as):  # type: ignore[no-untyped-def]
    """Write for each place in `rows` the first row with an equal set; `order` sorts by hash, stably."""
    group = 0
    different = np.empty(len(order), np.int64)  # places of the sets of one hash that differ from each other
    for at in range(len(order)):
        if hashes[order[at]] != hashes[order[group]]:
            group = at
        if at == group:
            n_different = 0
        row = rows[order[at]]
        same_as[order[at]] = row
        for k in range(n_different):
            if _equal(tokens, starts, row, different[k]):
                same_as[order[at]] = different[k]
                break
        else:
            different[n_different] = row
            n_different += 1


@njit(nogil=True, cache=True, inline="always")
def _equal(tokens, starts, a, b):  # type: ignore[no-untyped-def]
    size = starts[a + 1] - starts[a]
    if starts[b + 1] - starts[b] != size:
        return False
    for k in range(size):  # noqa: SIM110
        if tokens[starts[a] + k] != tokens[starts[b] + k]:
            return False
    return True


@njit(nogil=True, cache=True)
def _count_groups(tokens, starts, rows, shift, members):  # type: ignore[no-untyped-def]
    for row in rows:
        for k in range(starts[row], starts[row + 1]):
            members[np.int64(tokens[k] >> np.uint64(shift))] += 1
