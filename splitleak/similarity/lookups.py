"""From pairs of representatives to the nearest similarity and the degree of looked-up rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak.similarity.base import IGNORED, Neighbours


def neighbours_of_pairs(
    queries: NDArray[np.int64],
    sides: NDArray[np.int64],
    copies: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    similarity: NDArray[np.float64],
    *,
    threshold: float,
) -> Neighbours:
    """Return what the pairs say about the queries; rows in no pair with a query have similarity 0 to it.

    Parameters
    ----------
    queries : int64 array
        Row positions.
    sides : int64 array of shape (n_rows,)
        Side of each row, -1: ignored.
    copies : int64 array of shape (n_rows,)
        The representative of each row.
    left, right, similarity : arrays
        Pairs of representatives, each once; at least all pairs with the representative of a query.
    threshold : float
        Pairs at or above it count for the degree.
    """
    n, n_sides = len(copies), int(sides.max(initial=0)) + 1
    used = sides != IGNORED
    members = np.bincount(copies[used] * n_sides + sides[used], minlength=n * n_sides).reshape(n, n_sides)
    best = np.zeros((n, n_sides))
    degree = np.zeros(n, dtype=np.int64)
    similar = similarity >= threshold
    for a, b in ((left, right), (right, left)):
        for side in range(n_sides):
            there = members[b, side] > 0
            np.maximum.at(best[:, side], a[there], similarity[there])
        np.add.at(degree, a[similar], members[b[similar]].sum(axis=1))
    own = copies[queries]
    others = np.tile(np.bincount(sides[used], minlength=n_sides), (len(queries), 1))
    equal = members[own]
    inside = np.flatnonzero(used[queries])
    others[inside, sides[queries][inside]] -= 1
    equal[inside, sides[queries][inside]] -= 1
    nearest = np.where(equal > 0, 1.0, best[own])
    return Neighbours(np.where(others > 0, nearest, np.nan), degree[own] + equal.sum(axis=1))
