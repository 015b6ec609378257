"""How improbably close two rows are, all columns together."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(nogil=True, cache=True)
def closest_rows(
    ranks: np.ndarray, ties: np.ndarray, known: np.ndarray, own: np.ndarray, start: int, stop: int,
    best: np.ndarray, closeness: np.ndarray, second: np.ndarray,
) -> None:  # fmt: skip
    """Find the known row that is most improbably close to each of the rows `start` to `stop`.

    In a column, the chance that a random row is as close is twice the distance of the two ranks plus the share of
    rows with the same value; over the columns these are multiplied.

    Parameters
    ----------
    ranks, ties : float32 arrays of shape (n_rows, n_columns)
        Rank of the value in [0, 1], and share of the rows that hold it.
    known : float32 array of shape (n_known, n_columns)
        Ranks of the rows that are searched.
    own : int64 array of shape (n_rows,)
        Place in `known` of the row itself, which is left out; -1: it is not there.
    best : int64 array of shape (n_rows,)
        Filled: place of the closest row; ties go to the first.
    closeness, second : float64 arrays of shape (n_rows,)
        Filled: minus the logarithm of the chance, of the closest row and of the next one.
    """
    n_columns = ranks.shape[1]
    for i in range(start, stop):
        lowest = next_lowest = np.inf
        place = -1
        for j in range(known.shape[0]):
            if j == own[i]:
                continue
            chance = np.float64(1.0)
            for c in range(n_columns):
                chance *= min(np.float32(1.0), np.float32(2.0) * abs(ranks[i, c] - known[j, c]) + ties[i, c])
            if chance < lowest:
                lowest, next_lowest, place = chance, lowest, j
            elif chance < next_lowest:
                next_lowest = chance
        best[i] = place
        closeness[i] = -np.log(max(lowest, 1e-300))
        second[i] = -np.log(max(next_lowest, 1e-300))
