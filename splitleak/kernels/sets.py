"""Sets of tokens as flat arrays: which rows have equal sets, and sets ordered for a join."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges
from splitleak.kernels.sorting import LEVEL_BITS, LEVELS, sort_range

_CHUNKS = 64
_GROUP_BITS = 19  # more tell rare tokens apart better, and fall out of the processor's cache


class OrderedSets(NamedTuple):
    """Token sets in the order in which a join wants them: small sets first, rare tokens first.

    Attributes
    ----------
    rows : int64 array of shape (n_sets,)
        Where each set stands in the data; sets are in order of size, and of row among equal sizes.
    keys : uint64 array
        The tokens, renamed one to one so that a token from a rarer group is smaller; ascending in each set.
    span : int64 array of shape (n_sets, 2)
        Set i is ``keys[span[i, 0]:span[i, 1]]``.
    bits : uint64 array of shape (n_sets, 2)
        For each of 128 groups of tokens the parity of the number of members. Two sets that differ in d
        tokens differ in at most d of these bits.
    """

    rows: NDArray[np.int64]
    keys: NDArray[np.uint64]
    span: NDArray[np.int64]
    bits: NDArray[np.uint64]


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
    hashes = np.empty(len(rows), dtype=np.uint64)
    map_threads(
        lambda r: _hash_sets(tokens, starts, rows[r[0] : r[1]], hashes[r[0] : r[1]]),
        ranges(len(rows), _CHUNKS),
    )
    order = np.argsort(hashes, kind="stable")
    same_as = np.empty(len(rows), dtype=np.int64)
    _verify_groups(tokens, starts, rows, hashes, order, same_as)
    return same_as


def rare_first(
    tokens: NDArray[np.uint64], starts: NDArray[np.int64], rows: NDArray[np.int64], *, overwrite: bool = False
) -> OrderedSets:
    """Return the sets of the given rows in the order of `OrderedSets`.

    Tokens must be spread evenly over 64 bits, as hashes are: groups of tokens are told apart by leading bits.
    With `overwrite`, the memory of `tokens` is used for the keys.
    """
    keys = tokens if overwrite else tokens.copy()
    group_bits = int(np.clip(len(tokens).bit_length() - 3, LEVEL_BITS, _GROUP_BITS))
    shift = 64 - group_bits
    members = np.zeros(1 << group_bits, dtype=np.int64)
    _count_groups(tokens, starts, rows, shift, members)
    # ties by number: one sort of plain numbers is many times quicker than an argsort, and the same everywhere
    by_size = np.sort((members << group_bits) | np.arange(len(members))) & (len(members) - 1)
    rank = np.empty(len(members), dtype=np.uint32)
    rank[by_size] = np.arange(len(members), dtype=np.uint32)
    up_to = np.cumsum(members[by_size])
    before = (up_to - members[by_size])[:: len(members) >> LEVEL_BITS]
    levels = (before * LEVELS // max(1, int(up_to[-1]))).clip(max=LEVELS - 1).astype(np.uint8)

    size = np.diff(starts)
    bits = np.empty((len(rows), 2), dtype=np.uint64)

    def fill(part: tuple[int, int]) -> None:
        a, b = part
        spare = np.empty(size[rows[a:b]].max(), dtype=np.uint64)
        _rename(keys, starts, rows[a:b], rank, shift, levels, spare, bits[a:b])

    map_threads(fill, ranges(len(rows), _CHUNKS))
    order = np.argsort(size[rows], kind="stable")
    rows = rows[order]
    return OrderedSets(rows, keys, np.stack([starts[rows], starts[rows + 1]], axis=1), bits[order])


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


@njit(nogil=True, cache=True)
def _rename(keys, starts, rows, rank, shift, levels, spare, bits):  # type: ignore[no-untyped-def]
    bins = np.zeros(257, np.int64)
    up = np.uint64(shift)
    low = (np.uint64(1) << up) - np.uint64(1)
    for i in range(len(rows)):
        even, odd = np.uint64(0), np.uint64(0)
        begin, end = starts[rows[i]], starts[rows[i] + 1]
        for k in range(begin, end):
            token = keys[k]
            flip = np.uint64(1) << ((token >> np.uint64(1)) & np.uint64(63))
            if token & np.uint64(1):
                odd ^= flip
            else:
                even ^= flip
            keys[k] = (np.uint64(rank[np.int64(token >> up)]) << up) | (token & low)
        bits[i, 0], bits[i, 1] = even, odd
        sort_range(keys, begin, end - begin, levels, spare, bins)
