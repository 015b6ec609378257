"""The similarity of two rows of mixed columns, decided in float64 by that pair alone.

A row is a line of coordinates: numbers divided by the spread of their column, codes of categories as whole numbers. Two
coordinates lie ``min(1, |a - b|)`` apart, so that different codes lie 1 apart; the similarity is 1 less the weighted
mean of that, rounded to 12 decimals, well above what float64 leaves uncertain, so that ties stay ties. NaN is a missing
value: 1 apart from every value, or left out of the mean (Gower 1971).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads, ranges
from splitleak.kernels.compiling import njit

ROUNDED = 1e12
_TILE = 1024


@njit(nogil=True, cache=True)
def gower_similarity(total, known):  # type: ignore[no-untyped-def]
    """Return the similarity of a summed distance under the summed weights; no column in common: 0."""
    return np.rint((known - total) / known * ROUNDED) / ROUNDED if known > 0 else 0.0


@njit(nogil=True, cache=True)
def gower_pair(values, weights, place, a, b, leave_out):  # type: ignore[no-untyped-def]
    """Return the similarity of rows a and b, summed in the order of `place` (the columns in order of the data)."""
    total, known = 0.0, 0.0
    for j in place:
        apart = abs(values[a, j] - values[b, j])
        if apart != apart and leave_out:
            continue
        known += weights[j]
        total += weights[j] * (apart if apart < 1 else 1.0)
    return gower_similarity(total, known)


def gower_scan(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    queries: NDArray[np.int64],
    sides: NDArray[np.int64],
    threshold: float,
    *,
    leave_out: bool,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Compare some rows with all rows, without any filter.

    Parameters
    ----------
    values : float64 array of shape (n, n_columns)
        Coordinates.
    weights : float64 array of shape (n_columns,)
        Weights, each above 0.
    queries : int64 array
        Rows looked up.
    sides : int64 array of shape (n,)
        Side of each row; rows of a side below 0 are left out.
    threshold : float
        Rows at or above it are counted.
    leave_out : bool
        Whether missing values are left out of the mean.

    Returns
    -------
    nearest : float64 array of shape (n_queries, n_sides)
        Largest similarity to another row of each side; NaN: there is none.
    degree : int64 array of shape (n_queries,)
        Number of other rows at or above `threshold`.
    """
    columns = np.ascontiguousarray(values.T)
    n_sides = int(sides.max(initial=0)) + 1
    parts = [queries[a:b] for a, b in ranges(len(queries), 64)]
    found = map_threads(
        lambda part: _scan(columns, weights, part, sides, n_sides, threshold, leave_out), parts
    )
    nearest = [np.empty((0, n_sides)), *(one for one, _ in found)]
    degree = [np.empty(0, dtype=np.int64), *(other for _, other in found)]
    return np.concatenate(nearest), np.concatenate(degree)


@njit(nogil=True, cache=True)
def _scan(columns, weights, queries, sides, n_sides, threshold, leave_out):  # type: ignore[no-untyped-def]
    p, n = columns.shape
    nearest = np.full((len(queries), n_sides), np.nan)
    degree = np.zeros(len(queries), dtype=np.int64)
    total, known = np.empty(_TILE), np.empty(_TILE)
    for first in range(0, n, _TILE):
        m = min(_TILE, n - first)
        for at in range(len(queries)):
            q = queries[at]
            total[:], known[:] = 0.0, 0.0
            for j in range(p):
                own, weight, column = columns[j, q], weights[j], columns[j, first : first + m]
                for k in range(m):
                    apart = abs(own - column[k])
                    counts = 1.0 if (apart == apart or not leave_out) else 0.0
                    known[k] += counts * weight
                    total[k] += counts * weight * (apart if apart < 1 else 1.0)
            for k in range(m):
                r = first + k
                if r == q or sides[r] < 0:
                    continue
                similarity = gower_similarity(total[k], known[k])
                if not nearest[at, sides[r]] >= similarity:
                    nearest[at, sides[r]] = similarity
                degree[at] += similarity >= threshold
    return nearest, degree
