"""Rows kept one by one, where they are tied to no row kept before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak.kernels.compiling import njit


@njit(nogil=True, cache=True)
def untied(
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    hubs: NDArray[np.int64],
    start: NDArray[np.int64],
    heads: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Return which rows are kept.

    Parameters
    ----------
    first, last : int64 arrays of shape (n_rows,)
        The hubs of row i, in the order in which rows are tried, are ``hubs[first[i] : last[i]]``.
    hubs : int64 array of shape (n_memberships,)
    start : int64 array of shape (n_hubs + 1,)
        Hub h is tied to the hubs ``heads[start[h] : start[h + 1]]``.
    heads : int64 array of shape (n_arcs,)
    """
    taken = np.zeros(start.shape[0] - 1, dtype=np.bool_)
    kept = np.ones(first.shape[0], dtype=np.bool_)
    for row in range(first.shape[0]):
        for at in range(first[row], last[row]):
            for arc in range(start[hubs[at]], start[hubs[at] + 1]):
                if taken[heads[arc]]:
                    kept[row] = False
                    break
            if not kept[row]:
                break
        if kept[row]:
            for at in range(first[row], last[row]):
                taken[hubs[at]] = True
    return kept
