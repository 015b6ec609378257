"""Which sums of several partitions can be reached at once: exact subset sums on a grid.

A combination of partition sums is a cell of a grid with one axis per partition but one, which takes the rest. The
cells that can be reached are bits of one long Python integer, and giving clusters to a partition is a shift of it
(subset sums by bit sets: Pisinger, J. Algorithms 33, 1999, carried to several partitions). Where the grid is vast
but few cells can be reached, the cells are listed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Bits:
    """Reachable cells as bits, before the first bundle, after it, after the second, ..."""

    def __init__(self, weights: list[int], dims: list[int]) -> None:
        self.tables = _reachable(weights, dims)

    def has(self, step: int, cell: int) -> bool:
        """Return whether `cell` can be reached with the first `step` bundles."""
        return bool(self.tables[step] >> cell & 1)

    def cells(self) -> Iterator[NDArray[np.int64]]:
        """Yield the cells that can be reached with all bundles, a few million at a time."""
        yield from _set_bits(self.tables[-1])


class Lists:
    """Reachable cells as sorted arrays."""

    def __init__(self, tables: list[NDArray[np.int64]]) -> None:
        self.tables = tables

    def has(self, step: int, cell: int) -> bool:
        """Return whether `cell` can be reached with the first `step` bundles."""
        at = int(np.searchsorted(self.tables[step], cell))
        return at < len(self.tables[step]) and int(self.tables[step][at]) == cell

    def cells(self) -> Iterator[NDArray[np.int64]]:
        """Yield the cells that can be reached with all bundles."""
        yield self.tables[-1]


def reachable(weights: list[int], dims: list[int], *, bits: int, cells: int = 0) -> Bits | Lists | None:
    """Return which cells can be reached.

    Parameters
    ----------
    weights : list of int
        Rows of each bundle of clusters that goes to one partition as a whole.
    dims : list of int
        Length of each axis: one more than the most rows that its partition may get.
    bits : int
        Most bits that all tables together may have.
    cells : int
        Most cells that all lists together may have.

    Returns
    -------
    Bits, Lists or None
        None where both ways would take too much.
    """
    if math.prod(dims) * len(weights) <= bits:
        return Bits(weights, dims)
    return _listed(weights, dims, cells)


def _listed(weights: list[int], dims: list[int], cells: int) -> Lists | None:
    if math.prod(dims) >= 2**62:
        return None
    tables = [np.zeros(1, dtype=np.int64)]
    total = 1
    for weight in weights:
        before = tables[-1]
        if total > cells:
            return None
        after = [before]
        for dim, stride in zip(dims, strides(dims), strict=True):
            fits = before // stride % dim + weight < dim
            after.append(before[fits] + weight * stride)
        tables.append(np.unique(np.concatenate(after)))
        total += len(tables[-1])
    return Lists(tables)


def bundles(count: int, partitions: int) -> list[int]:
    """Cut `count` equal clusters into bundles that can still be shared out in every possible way.

    At most `partitions` shares are odd, so that many single clusters leave only even shares, and the rest can go
    in pairs; then the same for pairs, and so on: about `partitions` times log2(count) bundles.
    """
    found, bundle = [], 1
    while count:
        odd = count if count <= partitions else partitions - (count - partitions) % 2
        found += [bundle] * odd
        count, bundle = (count - odd) // 2, bundle * 2
    return found


def strides(dims: list[int]) -> list[int]:
    return [math.prod(dims[axis + 1 :]) for axis in range(len(dims))]


def coordinates(cell: Any, dims: list[int]) -> list[Any]:
    return [cell // stride % dim for dim, stride in zip(dims, strides(dims), strict=True)]


def _reachable(weights: list[int], dims: list[int]) -> list[int]:
    """Return the reachable combinations before the first bundle, after it, after the second, ..."""
    tables = [1]
    keep: dict[tuple[int, int], int] = {}
    for weight in weights:
        before = after = tables[-1]
        for axis, stride in enumerate(strides(dims)):
            if weight >= dims[axis]:
                continue
            if (axis, weight) not in keep:
                block = (1 << (dims[axis] - weight) * stride) - 1
                keep[axis, weight] = _repeat(block, dims[axis] * stride, math.prod(dims[:axis]))
            # without the mask a sum beyond the end of one axis would carry into the next
            after |= (before & keep[axis, weight]) << weight * stride
        tables.append(after)
    return tables


def _repeat(block: int, width: int, times: int) -> int:
    """Return `times` copies of a block of `width` bits."""
    if times <= 1:
        return block
    half = _repeat(block, width, times // 2)
    both = half | half << width * (times // 2)
    return both << width | block if times % 2 else both


def _set_bits(table: int, chunk: int = 1 << 19) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of the set bits, a few million at a time."""
    buffer = np.frombuffer(table.to_bytes(table.bit_length() // 8 + 1, "little"), dtype=np.uint8)
    for start in range(0, len(buffer), chunk):
        bits = np.flatnonzero(np.unpackbits(buffer[start : start + chunk], bitorder="little"))
        if len(bits):
            yield bits.astype(np.int64) + 8 * start
