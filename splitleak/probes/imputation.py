"""SPL111: missing values that were filled with the mean or median of all rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.filled_means import COARSE, EXACT, is_train_mean, mean_fit
from splitleak.probes.pooled import Parts, parts_of, precision
from splitleak.probes.remedies import fit_on_train

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST_FILLED = 5
_SHARE_FILLED = 0.01
_MOST_FILLED = 0.95
_LEAST_LEVELS = 10
_AROUND = 5  # values on either side that tell how many rows a value has by itself
_OFF = 1e-3  # how far off a value of more decimals is, in units
_STEADIEST = 10.0  # size of the negative binomial: people round, so that counts scatter more than Poisson's
_RARE, _RARE_BESIDE = 1e-3, 0.05  # chance of so common a value: that says something, that others explain
_MIDDLE = 0.3  # a value further from the median, as a share of the other rows, is no fill value
_ROUND, _SAME = (
    4,
    1e-3,
)  # decimals of a constant; chance that a value of full precision is a neighbour of the median
_PLAUSIBLE = 0.02  # an explanation whose chance is smaller explains nothing
_MOST = 12.0  # of what one column may say
_SEVERAL, _SINGLE = (
    3,
    1.5,
)  # columns that luck may be shared by; rows of a value where nearly every value is single
_MISFIT = -math.log(_PLAUSIBLE)
_TELLING, _ON_ALL, _NO_LUCK, _SURE = math.log(10), math.log(100), math.log(300), math.log(1e4)


@dataclass(frozen=True)
class _Filled:
    """What a column's commonest value says about how it came there, see `_medians`."""

    name: str
    fits_all: float  # chance that the median of the other values of all rows is that value
    fits_train: float  # the same of the training rows
    rare: float  # chance that a value of this column is as common by itself
    lucky: float  # chance that a common value anywhere near the middle is the median of all rows

    @property
    def fits(self) -> bool:
        """Whether the value may be the median of all rows."""
        return self.fits_all >= _PLAUSIBLE

    @property
    def worth(self) -> float:
        """Log of how much better all rows explain the value than the training rows do; 0 where neither does."""
        if max(self.fits_all, self.fits_train) < _PLAUSIBLE:
            return 0.0
        return float(np.clip(math.log(max(self.fits_all, 1e-9) / max(self.fits_train, 1e-9)), -_MOST, _MOST))


@probe(
    "SPL111",
    "Missing values were filled from all rows",
    needs=["split"],
    why="A fill value that was computed with the test rows carries them into training.",
    bound="Common values are the mean of the others to float64, or medians in columns that make chance 1 in 10,000.",
)
def imputation(context: AuditContext) -> Finding:
    """Look for a repeated value that is the mean or median of the other values of all rows."""
    parts = parts_of(context)
    raw = _raw_hits(context)
    fits = {part.name: fit for part in parts if (fit := mean_fit(part)) is not None}
    means = [name for name, fit in fits.items() if fit.sure]
    filled, looked = [], len(fits)
    for part in parts:
        values, counts = np.unique(part.pooled, return_counts=True)
        middle = None if part.column.missing.any() else _median_atom(part, values, counts)
        looked += part.name not in fits and (middle is not None or _is_common(int(counts.max()), part))
        if part.name not in means and middle is not None:
            filled.append(middle)
    if not looked and raw is None:
        raise NotApplicable("no number has one value that is repeated as a filled one is")
    medians, worth, sure = _medians(filled)
    chance = sum(fits[name].log_chance for name in means) if means else -worth
    if means:  # one fit fills all columns: those which may be filled so as well
        means = list(fits)
        medians = [name for name in medians if name not in fits]
    return _finding(context, means, medians, raw or [], looked, chance if means or medians else None, sure)


def _medians(filled: list[_Filled]) -> tuple[list[str], float, bool]:
    """Return the columns filled with medians of all rows, log of the odds against those of train, and whether sure.

    All columns are judged together, since a table is filled by one fit: those that fit the training rows alone speak
    against those that fit all rows alone, and those that fit neither say that such values are common for another
    reason (a constant that was filled in, numbers that people round).
    """
    common = [one for one in filled if one.rare < _RARE]
    worth = sum(one.worth for one in common)
    by_luck = sum(math.log(one.lucky) if one.fits else _MISFIT for one in common)
    several = sum(one.fits for one in common) >= _SEVERAL
    if worth < _ON_ALL or by_luck > -(_NO_LUCK if several else _SURE):
        return [], 0.0, False
    names = [one.name for one in filled if one.fits and one.rare < _RARE_BESIDE]
    telling = sum(one.worth > _TELLING for one in common)
    return names, worth, telling > 1 and worth > _SURE and by_luck < -_SURE


def _median_atom(part: Parts, values: Floats, counts: Ints) -> _Filled | None:
    """Ask whether a column's median is a filled value: of all known values, or of the training rows' alone.

    Filling leaves the median where it is, so the value filled in is the median still. Of its rows some are genuine,
    about as many as at the values around it (a Poisson number, with a spread of its own: people round). With L values
    below, G above and g genuine ones, the median of what was known is this value when ``|L - G| < g``; where none is
    genuine, when it is half-way between its neighbours and L = G. A value of more decimals than all others is not
    genuine.
    """
    from scipy.stats import nbinom

    n = len(part.pooled)
    at = int(np.searchsorted(np.cumsum(counts), (n + 1) // 2))
    value, count = float(values[at]), int(counts[at])
    if len(values) < _LEAST_LEVELS or not _is_common(count, part):
        return None
    rest = n - count
    if _apart(part.pooled, value) > _MIDDLE * rest:
        return None
    alike = np.arange(len(values)) != at
    fine = precision(values[alike]) < COARSE
    is_round = np.round(values, _ROUND) == values
    if fine:  # some are written, others computed: a value is as common as those that came about as it did
        alike &= is_round == is_round[at]
    nearest = np.flatnonzero(alike)
    here = int(np.searchsorted(nearest, at))
    around = counts[nearest[max(0, here - _AROUND) : here + _AROUND]]
    round_one = (
        fine and bool(is_round[at]) and len(around) < _AROUND
    )  # a constant among numbers of full precision
    if len(around) < _AROUND and not round_one:
        return None
    mean = float(around.mean()) if len(around) else 0.0
    size = float(np.clip(mean**2 / max(float(around.var()) - mean, 1e-9), 1.0, _STEADIEST)) if mean else 1.0
    unit = precision(values[alike])
    foreign = unit >= COARSE / 2 and abs(value / (2 * unit) - round(value / (2 * unit))) > _OFF
    if is_train_mean(part, value):
        return None
    if foreign or round_one:
        mean = 0.0

    def fits(known: Floats) -> float:
        expected = max(mean * len(known) / n, 1e-12)
        mass = nbinom(size, size / (size + expected))
        most, off = int((known == value).sum()), _apart(known, value)
        chance = float(mass.cdf(most) - mass.cdf(off)) if most > off else 0.0
        others = known[known != value]
        return chance + float(mass.pmf(0)) * (float(np.median(others)) == value if len(others) else 0)

    rare = 0.0 if foreign or round_one else float(nbinom(size, size / (size + mean)).sf(count - 1))
    lucky = min(1.0, (2 * mean + 1) / (2 * _MIDDLE * rest)) * (
        _SAME if mean < _SINGLE and not round_one else 1.0
    )
    return _Filled(part.name, fits(part.pooled), fits(part.train), rare, lucky)


def _is_common(count: int, part: Parts) -> bool:
    """Return whether a value is as frequent as a filled one."""
    n = len(part.pooled)
    return max(_LEAST_FILLED, _SHARE_FILLED * n) <= count <= _MOST_FILLED * n


def _apart(known: Floats, value: float) -> int:
    """Return by how many the values below and above a value differ in number."""
    return abs(int((known < value).sum()) - int((known > value).sum()))


def _finding(
    context: AuditContext,
    means: list[str],
    medians: list[str],
    raw: list[str],
    looked: int,
    chance: float | None,
    sure: bool,
) -> Finding:
    names = list(dict.fromkeys([*raw, *means, *medians]))
    if not names:
        return Finding(
            "clean",
            f"{looked} numbers have a value that is often repeated; none is the mean or median of all rows.",
        )
    strategy = "median" if len(medians) > len(means) else "mean"
    told = []
    if raw:
        told.append(
            f"{len(raw)} columns hold, where `raw` is missing, the mean or median of all rows of `raw`"
        )
    if means:
        told.append(f"{len(means)} columns repeat the exact mean of their other values over all rows")
    if medians:
        told.append(f"{len(medians)} columns repeat the exact median of their other values over all rows")
    return Finding(
        "leak" if raw or means or sure else "caution",
        f"{'; '.join(told)}, and not that of the training rows.",
        float(len(names)),
        "columns filled so",
        p_value=None if chance is None else math.exp(max(chance, -700)),
        columns=names,
        remedy=fit_on_train(context, names, f"SimpleImputer(strategy={strategy!r})", "impute"),
        evidence=[
            {
                "column": name,
                "filled with": "mean" if name in means else "median" if name in medians else "from raw",
            }
            for name in names[:50]
        ],
    )


def _raw_hits(context: AuditContext) -> list[str] | None:
    """Return the columns whose cells, missing in `raw`, hold the mean or median of all rows and not of train."""
    if not isinstance(context.raw, pd.DataFrame):
        return None
    found: list[str] = []
    looked = False
    for name, column in context.columns.items():
        if column.kind != "numeric" or name not in context.raw or column.missing.any():
            continue
        before: Any = context.raw[name]
        if not pd.api.types.is_numeric_dtype(before):
            continue
        values = before.to_numpy(dtype=np.float64, na_value=np.nan)
        gone = np.isnan(values)
        if gone.sum() < 2 or gone.all() or np.isnan(values[context.train]).all():
            continue
        looked = True
        fill = column.values[gone]
        scale = max(1.0, float(np.abs(fill[0])))
        if np.ptp(fill) > 1e-12 * scale:
            continue
        by_all, by_train = (
            [float(statistic(known)) for statistic in (np.nanmean, np.nanmedian)]
            for known in (values, values[context.train])
        )
        # the mean of the training rows may be the median of all
        if not _is_one_of(by_train, fill[0], scale) and _is_one_of(by_all, fill[0], scale):
            found.append(name)
    return found if looked else None


def _is_one_of(statistics: list[float], value: float, scale: float) -> bool:
    return min(abs(one - value) for one in statistics) <= EXACT * scale
