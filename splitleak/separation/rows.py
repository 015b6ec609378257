"""Rows of a similarity graph, copies and groups included, as the nodes of a separation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splitleak.errors import InputError
from splitleak.sampling import mix
from splitleak.separation.request import Request
from splitleak.separation.separate import Separation, solve

if TYPE_CHECKING:
    from splitleak.graph import SimilarityGraph

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Nodes:
    """One node for each set of equal rows, then one of weight 0 for each group that joins several.

    Attributes
    ----------
    left, right : int64 arrays of shape (n_edges,)
        Joined nodes.
    of_row : int64 array of shape (n_rows,)
        Node of each row.
    n : int
        Number of nodes.
    """

    left: Ints
    right: Ints
    of_row: Ints
    n: int

    @classmethod
    def of(cls, graph: SimilarityGraph, groups: Sequence[Ints] = ()) -> Nodes:
        """Make nodes of the rows of a graph; `groups` as in `splitleak.clustering.cluster`."""
        if graph.copies is None:
            of_row, n = np.arange(graph.n_rows, dtype=np.int64), graph.n_rows
        else:
            _, of_row = np.unique(graph.copies, return_inverse=True)
            n = int(of_row.max()) + 1
        lefts, rights = [of_row[graph.left]], [of_row[graph.right]]
        for codes in groups:
            if codes.shape != (graph.n_rows,):
                raise InputError(
                    f"groups must have one code per row ({graph.n_rows}), got shape {codes.shape}"
                )
            tied, group, joining = _ties(of_row, codes)
            lefts.append(tied)
            rights.append(group + n)
            n += joining
        return cls(np.concatenate(lefts), np.concatenate(rights), of_row.astype(np.int64), n)


def _ties(of_row: Ints, codes: Ints) -> tuple[Ints, Ints, int]:
    """Return (node, number of its group) of the groups with several nodes, and how many groups those are."""
    rows = np.flatnonzero(codes >= 0)
    pairs = np.unique(np.stack([codes[rows], of_row[rows]], axis=1), axis=0)
    _, group, size = np.unique(pairs[:, 0], return_inverse=True, return_counts=True)
    several = size[group] > 1
    numbers, group = np.unique(group[several], return_inverse=True)
    return pairs[several, 1], group.astype(np.int64), len(numbers)


def separate_rows(
    graph: SimilarityGraph,
    sizes: ArrayLike,
    *,
    groups: Sequence[Ints] = (),
    classes: Ints | None = None,
    row_hashes: NDArray[np.uint64] | None = None,
    protected: NDArray[np.bool_] | None = None,
    tolerance: float = 0.02,
    max_dropped: int | None = None,
    seed: int = 0,
    start: Ints | None = None,
    names: Sequence[str] | None = None,
    weights: Ints | None = None,
) -> Separation:
    """Drop as few rows as possible so that the others can be split at the sizes asked for.

    Equal rows stay or go together. Rows of one group that stay are in one partition.

    Parameters
    ----------
    graph : SimilarityGraph
        The pairs that must not cross.
    sizes : array-like of shape (n_partitions,)
        Fractions or rows; only their proportions count, as shares of the rows that stay.
    groups : sequence of int64 arrays of shape (n_rows,)
        Group of each row, one array per grouping; negative: in no group.
    classes : int64 array of shape (n_rows,), optional
        Class of each row to balance; negative: missing, a class of its own.
    row_hashes : uint64 array of shape (n_rows,), optional
        A hash of each row's content; with it, the order of the rows does not matter.
    protected : bool array of shape (n_rows,), optional
        Rows that are never dropped.
    tolerance, max_dropped, seed
        As for `separate`.
    start : int64 array of shape (n_rows,), optional
        Codes of an answer for a lower threshold, to start from.
    names : sequence of str, optional
        What messages call the partitions.
    weights : int64 array of shape (n_rows,), optional
        What each row counts in whole units, at least 1: as little of it as possible is dropped, `sizes` are shares of
        what stays, and `max_dropped` and the counts of the answer are units.

    Returns
    -------
    Separation
        Its codes are per row.

    Examples
    --------
    >>> from splitleak.graph import SimilarityGraph
    >>> chain = SimilarityGraph.from_edges(range(9), range(1, 10), n_rows=10, threshold=0.8)
    >>> found = separate_rows(chain, [0.5, 0.5])
    >>> found.dropped, int(found.removed.sum())
    (1, 1)
    """
    graph._require_complete("separate_rows()")
    nodes = Nodes.of(graph, groups)
    row, n = nodes.of_row, nodes.n
    keys = np.zeros(n, dtype=np.uint64)
    if row_hashes is not None:
        # sums: the order of the rows does not matter, and rows equal for the measure may differ in content
        np.add.at(keys, row, mix(row_hashes))
        joins = nodes.right > row.max()
        np.add.at(keys, nodes.right[joins], mix(keys[nodes.left[joins]] + np.uint64(1)))
    worth, counts = summed(row, n, weights, classes)
    kept = np.bincount(row, np.zeros(len(row)) if protected is None else protected, minlength=n) > 0
    begun = None
    if start is not None:
        begun = np.full(n, -1, dtype=np.int64)
        begun[row] = start
        _place_groups(nodes, begun)
    request = Request.of(
        nodes.left, nodes.right, n, sizes, worth, counts, keys, kept, tolerance, begun
    )  # fmt: skip
    first = np.full(n, -1, dtype=np.int64)
    first[row[::-1]] = np.arange(len(row) - 1, -1, -1)
    found = solve(
        request, max_dropped=max_dropped, seed=seed, rows=first, names=names, weighted=weights is not None
    )
    return replace(found, codes=found.codes[row])


def summed(of_row: Ints, n: int, weights: Ints | None, classes: Ints | None) -> tuple[Ints, Ints | None]:
    """Return what each of `n` nodes counts, and that of each class in it, shape (n, n_classes), by its rows."""
    each = np.ones(len(of_row), dtype=np.int64) if weights is None else weights
    worth = np.zeros(n, dtype=np.int64)
    np.add.at(worth, of_row, each)
    if classes is None:
        return worth, None
    kinds, kind = np.unique(np.maximum(classes, -1), return_inverse=True)
    counts = np.zeros((n, len(kinds)), dtype=np.int64)
    np.add.at(counts, (of_row, kind), each)
    return worth, counts


def _place_groups(nodes: Nodes, codes: Ints) -> None:
    """Give each group's node the partition of its kept rows; `codes` is changed in place."""
    n_rows_nodes = int(nodes.of_row.max()) + 1
    codes[n_rows_nodes:] = 0
    tie = nodes.right >= n_rows_nodes
    member, group = nodes.left[tie], nodes.right[tie]
    kept = codes[member] >= 0
    codes[group[kept]] = codes[member[kept]]
