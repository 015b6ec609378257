"""How improbably close two rows are, all columns together; how far apart; in how many columns equal."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(nogil=True, cache=True)
def closest_rows(
    ranks: np.ndarray, ties: np.ndarray, values: np.ndarray, group: np.ndarray, known: np.ndarray,
    known_values: np.ndarray, known_group: np.ndarray, missing: float, start: int, stop: int,
    place: np.ndarray, measure: np.ndarray,
) -> None:  # fmt: skip
    """Find the known rows that are closest to each of the rows `start` to `stop`, by three measures.

    The first is minus the logarithm of a chance: in a column, that a random row is as close is twice the distance of
    the two ranks plus the share of rows with the same value; over the columns these are multiplied. The second is minus
    the mean square difference of the values, one at most in a column, over the columns that both rows know; pairs that
    know fewer than half of them together have none. The third counts the columns in which both know the same value.

    Parameters
    ----------
    ranks, ties : float32 arrays of shape (n_rows, n_columns)
        Rank of the value in [0, 1], and share of the rows that hold it.
    values : float32 array of shape (n_rows, n_columns)
        Values in units of their spread; categories differ by one and more.
    group : int64 array of shape (n_rows,)
        Known rows of the same group are left out: the row itself and those equal to it.
    known, known_values, known_group
        Ranks, values and groups of the rows that are searched.
    missing : float
        What stands in `values` where a value is missing.
    place : int64 array of shape (n_rows, 3)
        Filled: place of the closest known row by each measure; ties go to the first; -1: there is none.
    measure : float64 array of shape (n_rows, 4)
        Filled: the three measures of these rows, and the first one of the row that is next in it; minus infinity: there
        is none.
    """
    n_columns = ranks.shape[1]
    for i in range(start, stop):
        lowest = next_lowest = np.inf
        place[i, :] = -1
        measure[i, :] = -np.inf
        for j in range(known.shape[0]):
            if known_group[j] == group[i]:
                continue
            chance = np.float64(1.0)
            total = np.float32(0.0)
            equal = both = 0
            for c in range(n_columns):
                off = abs(ranks[i, c] - known[j, c])
                chance *= min(np.float32(1.0), np.float32(2.0) * off + ties[i, c])
                value = values[i, c]
                apart = min(np.float32(1.0), abs(value - known_values[j, c]))
                total += apart * apart
                gone = apart == 0 and value == missing
                both += gone
                equal += off == 0 and not gone
            if chance < lowest:
                lowest, next_lowest, place[i, 0] = chance, lowest, j
            elif chance < next_lowest:
                next_lowest = chance
            known_columns = n_columns - both
            if 2 * known_columns >= n_columns and -total / known_columns > measure[i, 1]:
                measure[i, 1] = -total / known_columns
                place[i, 1] = j
            if equal > measure[i, 2]:
                measure[i, 2] = equal
                place[i, 2] = j
        if place[i, 0] >= 0:
            measure[i, 0] = -np.log(max(lowest, 1e-300))
        if next_lowest < np.inf:
            measure[i, 3] = -np.log(max(next_lowest, 1e-300))
