"""Connected components of an edge list by union-find."""

from __future__ import annotations

import numpy as np

from splitleak.kernels.compiling import njit


@njit(cache=True, nogil=True)
def root(parent, x):  # type: ignore[no-untyped-def]
    """Return the root of `x`, path halving: every second node on the way is hung one level higher."""
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x


@njit(cache=True, nogil=True)
def components(left: np.ndarray, right: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Return the component of each row, numbered by first row.

    Parameters
    ----------
    left, right : int64 array of shape (n_edges,)
        Row positions in [0, n_rows).
    parent : int array of shape (n_rows,)
        ``arange(n_rows)``; used as working space. Below 2**31 rows 32 bits are enough: half the cache misses.

    Returns
    -------
    int64 array of shape (n_rows,)
    """
    for e in range(left.size):
        a, b = left[e], right[e]
        while a != parent[a]:  # as in `root`, without the call
            parent[a] = parent[parent[a]]
            a = parent[a]
        while b != parent[b]:
            parent[b] = parent[parent[b]]
            b = parent[b]
        # the smaller row becomes the root, so a root is the first row of its component
        if a < b:
            parent[b] = a
        elif b < a:
            parent[a] = b
    labels = np.empty(parent.size, np.int64)
    found = 0
    for row in range(parent.size):
        if parent[row] == row:
            labels[row] = found
            found += 1
        else:  # a parent precedes its row, so it has its label by now
            labels[row] = labels[parent[row]]
    return labels
