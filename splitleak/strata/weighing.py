"""Weights as whole numbers, so that sums do not depend on the order of the rows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

UNITS = 2**25  # of all rows together; whole weights that sum to no more count as they are
FINE = 2**60


def row_units(weights: NDArray[np.float64]) -> tuple[Ints, bool]:
    """Return the weight of each row in whole units, and whether these are the weights themselves.

    Examples
    --------
    >>> row_units(np.array([2.0, 0.0, 3.0]))[0].tolist()
    [2, 0, 3]
    """
    total = math.fsum(weights)
    if total <= UNITS and bool((weights == np.floor(weights)).all()):
        return weights.astype(np.int64), True
    return np.rint(weights / total * FINE).astype(np.int64), False


def coarse(units: Ints, exact: bool) -> Ints:
    """Return sums of `row_units` in the units of an allocation, at most about `UNITS` together."""
    return units if exact else np.rint(units / (FINE // UNITS)).astype(np.int64)


def units_to_drop(weights: NDArray[np.float64]) -> Ints:
    """Return the weight of each row in whole units of at least 1, for rows that are dropped or cut one by one.

    A row of weight 0 counts one unit, next to nothing beside the others: it is dropped only for a reason.

    Examples
    --------
    >>> units = units_to_drop(np.array([2.0, 0.0, 3.0]))
    >>> int(units[1]), round(float(units[0] / units[2]), 6)
    (1, 0.666667)
    """
    each = np.rint(weights / math.fsum(weights) * UNITS).astype(np.int64)
    return np.maximum(each, 1)
