"""Clusters: rows that must stay together, the connected components of similarity and groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.components import connected_components
from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph


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
        first, row = group_edges(codes)
        lefts.append(first)
        rights.append(row)
    return Clustering.of(connected_components(np.concatenate(lefts), np.concatenate(rights), graph.n_rows))


def group_edges(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return edges from the first row of each group to its other rows: a star, not all pairs."""
    rows = np.flatnonzero(codes >= 0)
    _, first, group = np.unique(codes[rows], return_index=True, return_inverse=True)
    star = rows[first[group]]
    other = star != rows
    return star[other].astype(np.int64), rows[other].astype(np.int64)
