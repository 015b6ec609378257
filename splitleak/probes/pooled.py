"""Does a statistic hold to the precision of the stored numbers on all rows, and not on the training rows?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext

Floats = NDArray[np.float64]
_DECIMALS = 7
_LEAST_TRAIN = 10
_LEAST_HELD = 3


@dataclass(frozen=True, eq=False)
class Parts:
    """The known values of a number: of the training rows, of the held-out rows, and of both."""

    column: AuditColumn
    train: Floats
    held: Floats

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name

    @property
    def pooled(self) -> Floats:
        """Values of all rows in a partition."""
        return np.concatenate([self.train, self.held])


def parts_of(context: AuditContext, *, least_distinct: int = 3) -> list[Parts]:
    """Return the numbers of the table that have enough known values on both sides."""
    found = []
    for column in context.of_kind("numeric"):
        train, held = (column.values[rows] for rows in (context.train, context.held_out))
        train, held = train[~np.isnan(train)], held[~np.isnan(held)]
        if len(train) >= _LEAST_TRAIN and len(held) >= _LEAST_HELD and len(column.levels) >= least_distinct:
            found.append(Parts(column, train, held))
    return found


def precision(values: Floats) -> float:
    """Return half the unit that numbers were rounded to (up to six decimals), else a few units of float64."""
    largest = max(1.0, float(np.abs(values).max(initial=0.0)))
    if largest < 1e12:
        for decimals in range(_DECIMALS):
            if np.allclose(values, np.round(values, decimals), rtol=0, atol=1e-12 * largest):
                return float(0.5 * 10.0**-decimals)
    return 64 * np.finfo(np.float64).eps * largest


def agrees(pooled: float, train: float, reference: float, tolerance: float) -> bool:
    """Return whether a statistic is the reference on the pooled rows and clearly is not on the training rows."""
    return abs(pooled - reference) <= tolerance < abs(train - reference) / 4


def chance_within(tolerance: float, error: float) -> float:
    """Return the chance that a statistic with this sampling error lands within the tolerance."""
    return min(1.0, 2 * tolerance / (error * math.sqrt(2 * math.pi) + 1e-300))
