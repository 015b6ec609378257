"""Is a repeated value of a column the mean of its other values, on all rows and not on the training rows?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.pooled import Parts, agrees, chance_within, precision

Floats = NDArray[np.float64]

EXACT = 1e-10
COARSE = 1e-6  # half a unit that values are rounded to
_OFF = 1e-3  # how far off a value of more decimals is, in units
_LEAST_FILLED, _SHARE_FILLED, _MOST_FILLED = 5, 0.01, 0.95
_LEAST_FOREIGN = 2  # rows of a fill value that the column's own values cannot be
_LEAST_REST = 10
_LEAST_DISTINCT = 20
_FINER = 100  # a value that people wrote with two decimals more than the others is theirs still
_COMMENSURATE = 1e-6


@dataclass(frozen=True)
class MeanFit:
    """A value of a column that is the mean of the others on all rows.

    Attributes
    ----------
    sure : bool
        Whether that is proof: it is not so on the training rows, and no chance of numbers that are rounded.
    log_chance : float
        Log of the chance that a mean comes so close to a value.
    """

    sure: bool
    log_chance: float


def mean_fit(part: Parts) -> MeanFit | None:
    """Return how a repeated value is the mean of the others, or None where none is.

    Filling with the mean leaves the mean where it is, so the value filled in is the mean of the whole column still,
    however common others are. The mean of m rounded numbers is one of m fractions of their unit, so that it is a
    value of the column by chance once in m times: that says nothing by itself. A value that is not rounded as the
    others are is no number of theirs, in columns of few values as well.
    """
    pooled = part.pooled
    mean, tolerance = float(pooled.mean()), EXACT * max(1.0, float(np.abs(pooled).max()))
    value = float(pooled[np.abs(pooled - mean).argmin()])
    at = np.abs(pooled - value) <= tolerance / 100
    rest, of_train = pooled[~at], part.train[np.abs(part.train - value) > tolerance / 100]
    if abs(mean - value) > tolerance or len(of_train) < _LEAST_REST or len(of_train) == len(part.train):
        return None
    unit = _unit(rest)
    foreign = unit is not None and _is_off(value - float(rest.min()), unit / _FINER)
    least = _LEAST_FOREIGN if foreign else max(_LEAST_FILLED, _SHARE_FILLED * len(pooled))
    if not least <= at.sum() <= _MOST_FILLED * len(pooled) or abs(float(rest.mean()) - value) > tolerance:
        return None
    both = at.sum() > len(part.train) - len(of_train)
    if not foreign and not (both and len(np.unique(rest)) >= _LEAST_DISTINCT):
        return None
    only = agrees(float(rest.mean()), float(of_train.mean()), value, tolerance)
    error = float(rest.std()) * math.sqrt(max(len(rest) - len(of_train), 1) / (len(rest) * len(of_train)))
    closest = tolerance if unit is None or foreign else max(tolerance, unit / (2 * len(rest)))
    return MeanFit(only and (unit is None or foreign), math.log(max(chance_within(closest, error), 1e-300)))


def is_train_mean(part: Parts, value: float) -> bool:
    """Return whether a value is the mean of the other values of the training rows."""
    rest = part.train[part.train != value]
    return bool(len(rest)) and abs(float(rest.mean()) - value) <= EXACT * max(1.0, float(np.abs(rest).max()))


def _unit(values: Floats) -> float | None:
    """Return the unit of rounded numbers, be they scaled since; None where all decimals are used."""
    half = precision(values)
    if half >= COARSE / 2:
        return 2 * half
    distinct = np.unique(values)
    gaps = np.diff(distinct)
    if not len(gaps) or gaps.min() <= EXACT * max(1.0, float(np.abs(distinct[[0, -1]]).max())):
        return None
    steps = (distinct - distinct[0]) / gaps.min()
    return float(gaps.min()) if np.abs(steps - np.round(steps)).max() < _COMMENSURATE else None


def _is_off(value: float, unit: float) -> bool:
    return abs(value / unit - round(value / unit)) > _OFF
