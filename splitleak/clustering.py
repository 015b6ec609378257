"""Clusters: rows that must stay together, the connected components of similarity and groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph

# below this, loading compiled code takes longer than SciPy takes for the whole answer
FEW_EDGES = 50_000


@dataclass(frozen=True)
class Clustering:
    """Which rows must stay together.

    Attributes
    ----------
    labels : int64 array of shape (n_rows,)
        Cluster of each row, numbered 0, 1, ... by first row.
    n_clusters : int
        Number of clusters; a row that is like no other is a cluster of its own.
    sizes : int64 array of shape (n_clusters,)
        Rows in each cluster.
    """

    labels: NDArray[np.int64]
    n_clusters: int
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, labels: NDArray[np.int64]) -> Clustering:
        """Make a clustering of labels 0, 1, ..., n_clusters - 1."""
        sizes = np.bincount(labels).astype(np.int64)
        return cls(labels, len(sizes), sizes)

    def __repr__(self) -> str:
        largest = int(self.sizes.max()) if self.n_clusters else 0
        return f"Clustering({self.n_clusters:,} clusters of {len(self.labels):,} rows, largest {largest:,})"


def cluster(graph: SimilarityGraph, groups: Sequence[NDArray[np.int64]] = ()) -> Clustering:
    """Join rows that are similar, or that belong to one group, directly or through other rows.

    Parameters
    ----------
    graph : SimilarityGraph
        The pairs of similar rows.
    groups : sequence of int64 arrays of shape (n_rows,)
        Group of each row, one array per grouping; negative: in no group.

    Raises
    ------
    InputError
        Groups of another length than the graph.

    Examples
    --------
    >>> graph = SimilarityGraph.from_edges([0], [1], n_rows=5, threshold=0.8)
    >>> cluster(graph).labels.tolist()
    [0, 0, 1, 2, 3]
    >>> cluster(graph, [np.array([-1, 7, 7, 3, 3])]).labels.tolist()
    [0, 0, 0, 1, 1]
    """
    left, right = graph.links()
    lefts, rights = [left], [right]
    for number, codes in enumerate(groups):
        if codes.shape != (graph.n_rows,):
            raise InputError(
                f"groups must have one code per row: grouping {number} has shape {codes.shape}, the graph has"
                f" {graph.n_rows} rows"
            )
        first, row = _group_edges(codes)
        lefts.append(first)
        rights.append(row)
    return Clustering.of(connected_components(np.concatenate(lefts), np.concatenate(rights), graph.n_rows))


def connected_components(left: NDArray[np.int64], right: NDArray[np.int64], n_rows: int) -> NDArray[np.int64]:
    """Return the connected component of each row.

    Parameters
    ----------
    left, right : int64 array of shape (n_edges,)
        Row positions in [0, n_rows); orientation, order and repeats do not matter.
    n_rows : int
        Number of rows.

    Returns
    -------
    int64 array of shape (n_rows,)
        Components numbered 0, 1, ... by first row.

    Examples
    --------
    >>> connected_components(np.array([3, 1]), np.array([1, 4]), 5).tolist()
    [0, 1, 2, 1, 1]
    """
    if len(left) == 0:
        return np.arange(n_rows, dtype=np.int64)
    if len(left) < FEW_EDGES:
        return _components_of_few(left, right, n_rows)
    from splitleak.kernels.union_find import components

    width = np.int32 if n_rows < 2**31 else np.int64
    labels: NDArray[np.int64] = components(
        np.ascontiguousarray(left), np.ascontiguousarray(right), np.arange(n_rows, dtype=width)
    )
    return labels


def _components_of_few(left: NDArray[np.int64], right: NDArray[np.int64], n_rows: int) -> NDArray[np.int64]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components as label

    ones = np.ones(len(left), dtype=np.int8)
    matrix = coo_array((ones, (left, right)), shape=(n_rows, n_rows))
    _, labels = label(matrix, directed=False)
    _, first, component = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    labels_by_first_row: NDArray[np.int64] = rank[component]
    return labels_by_first_row


def _group_edges(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return edges from the first row of each group to its other rows: a star, not all pairs."""
    rows = np.flatnonzero(codes >= 0)
    _, first, group = np.unique(codes[rows], return_index=True, return_inverse=True)
    star = rows[first[group]]
    other = star != rows
    return star[other].astype(np.int64), rows[other].astype(np.int64)
