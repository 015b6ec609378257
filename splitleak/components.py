"""Connected components of rows joined by edges; the pairs that pairs of representatives stand for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# below this, loading compiled code takes longer than SciPy takes for the whole answer
FEW_EDGES = 50_000


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

    ones = np.ones(len(left))  # repeats of an edge are summed: no narrow type, which would wrap to 0
    matrix = coo_array((ones, (left, right)), shape=(n_rows, n_rows))
    _, labels = label(matrix, directed=False)
    _, first, component = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    labels_by_first_row: NDArray[np.int64] = rank[component]
    return labels_by_first_row


def expanded_pairs(
    left: NDArray[np.int64], right: NDArray[np.int64], copies: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return all pairs that pairs of representatives stand for, and those among copies.

    Parameters
    ----------
    left, right : int64 array of shape (n_stored,)
        Pairs of representatives.
    copies : int64 array of shape (n_rows,)
        The representative of each row.

    Returns
    -------
    a, b, stored : int64 arrays of shape (n_pairs,)
        Pairs of rows in any orientation, each once, and the stored pair that each is of; -1: of two copies.
    """
    order = np.argsort(copies, kind="stable")
    size = np.bincount(copies, minlength=len(copies))
    start = np.cumsum(size) - size
    # each stored pair (p, q) stands for every member of p with every member of q
    total = size[left] * size[right]
    pair, within = _counted(total)
    a = order[start[left][pair] + within // size[right][pair]]
    b = order[start[right][pair] + within % size[right][pair]]
    # and each member of a group stands beside every member before it
    first = start[copies[order]]
    member, before = _counted(np.arange(len(order)) - first)
    return (
        np.concatenate([a, order[member]]),
        np.concatenate([b, order[first[member] + before]]),
        np.concatenate([pair, np.full(len(member), -1)]),
    )


def _counted(times: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each index as often as `times` says, and a count from 0 within each."""
    index = np.repeat(np.arange(len(times)), times)
    return index, np.arange(len(index)) - np.repeat(np.cumsum(times) - times, times)
