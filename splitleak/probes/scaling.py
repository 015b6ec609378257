"""SPL110: numbers that were scaled with the mean, spread or limits of all rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.pooled import Parts, agrees, chance_within, parts_of, precision
from splitleak.probes.remedies import fit_on_train

Floats = NDArray[np.float64]

_DISTINCT = 10
_CONTINUOUS = 0.3  # distinct values as a share of the rows, from which a column is continuous
_EXACT = 1e-12
_LEAST_BOUNDED = 3  # columns with limits exactly 0 and 1, or most numbers of a table: a share is one column
_SCALED = math.log(1e5)  # minus log of the chance that columns nobody scaled have such statistics, all in all
_SCALED_ALL = math.log(1e4)  # the same where every number has: there were none to choose among
_ON_ALL, _SURE = (
    math.log(100),
    math.log(1e4),
)  # the same, of those columns alone that fit all rows and not train
_DECIMALS = 3  # a share that is written with so many decimals has its limits by nature
_KINDS = {"standard": "mean 0 and deviation 1", "robust": "median 0 and quartile range 1",
          "minmax": "limits 0 (or -1) and 1", "maxabs": "largest absolute value 1"}  # fmt: skip
_SCALERS = {
    "standard": "StandardScaler",
    "robust": "RobustScaler",
    "minmax": "MinMaxScaler",
    "maxabs": "MaxAbsScaler",
}


@dataclass(frozen=True)
class _Fit:
    """The columns that fit a scaler, and minus log of the chance that columns nobody scaled do.

    Attributes
    ----------
    names : list of str
        Columns whose statistics are exact on all rows.
    only : list of str
        Those of them whose statistics are not exact on the training rows.
    scaled : float
        Minus log of the chance of `names`.
    on_all : float
        The same of `only`, less that of columns which fit the training rows and not all rows.
    """

    names: list[str]
    only: list[str]
    scaled: float
    on_all: float


@probe(
    "SPL110",
    "Scaling was fitted on all rows",
    needs=["split"],
    why="The training rows carry what the test rows' mean and spread are; small as it mostly is, a reviewer will ask.",
    bound="Statistics exact on all rows and not on the training rows, in so many columns that chance does not give it.",
)
def scaling(context: AuditContext) -> Finding:
    """Look for columns whose pooled mean, deviation, quartiles or limits are exact, and those of train are not.

    A column of few values may fit both, or fit one by chance: all columns are judged together, and one that fits the
    training rows alone speaks for an honest scaler.
    """
    parts = [p for p in parts_of(context) if len(p.column.levels) >= _DISTINCT]
    if not parts:
        raise NotApplicable(f"no number has {_DISTINCT} different values and enough rows on both sides")
    hits: dict[str, list[str]] = {}
    chances = {part.name: _standard(part) for part in parts}
    standard = [name for name, chance in chances.items() if chance is not None]
    log_chance = sum(math.log(max(chance, 1e-300)) for chance in chances.values() if chance is not None)
    if standard:
        hits["standard"] = standard
    rest = [part for part in parts if chances[part.name] is None]
    robust = _fits(rest, _is_robust, _robust_chance)
    sure = False
    all_scaled = len(robust.names) == len(rest) > 1
    if robust.scaled > (_SCALED_ALL if all_scaled else _SCALED) and robust.on_all > _ON_ALL:
        hits["robust"] = robust.names
        log_chance = min(log_chance, -robust.on_all)
        sure = robust.on_all > _SURE and len(robust.only) > 1
    for kind, has, chance in (
        ("minmax", _is_minmax, _limit_chance),
        ("maxabs", _is_maxabs, lambda values: math.sqrt(_limit_chance(values))),
    ):
        limits = _fits(rest, has, chance)
        if limits.scaled > _SCALED and limits.on_all > _ON_ALL and _applied_to_most(limits.names, rest):
            hits[kind] = limits.names
            break
    return _finding(context, hits, len(parts), sure, math.exp(max(log_chance, -700)) if log_chance else None)


def _finding(
    context: AuditContext, hits: dict[str, list[str]], looked: int, sure: bool, chance: float | None
) -> Finding:
    common: dict[str, Any] = {"effect_name": "share of the numbers that are scaled so", "p_value": chance}
    if not hits:
        return Finding(
            "clean",
            f"None of {looked} numbers has a mean, deviation, quartiles or limits that are exact on all rows only.",
            0.0,
            common["effect_name"],
        )
    names = list(dict.fromkeys(name for kind in hits for name in hits[kind]))
    told = "; ".join(f"{_KINDS[kind]} in {len(names_)} columns" for kind, names_ in hits.items())
    return Finding(
        "leak" if "standard" in hits or sure else "caution",
        f"Exact on training and held-out rows together, and not on the training rows: {told}. The scaler was fitted on"
        " all rows (or the table was published so).",
        len(names) / looked,
        columns=names,
        remedy="\n".join(
            fit_on_train(context, columns, _SCALERS[kind], "preprocessing") for kind, columns in hits.items()
        ),
        evidence=[
            {"column": name, "exact on all rows": _KINDS[kind]} for kind in hits for name in hits[kind]
        ][:50],
        **common,
    )


def _fits(
    parts: list[Parts], has: Callable[[Floats, float], bool], chance: Callable[[Floats], float]
) -> _Fit:
    """Compare the columns whose statistic is exact on all rows with those where it is exact on train."""
    names, only, scaled, on_all = [], [], 0.0, 0.0
    for part in parts:
        pooled = part.pooled
        tolerance = max(precision(pooled), 1e-10)
        fits, fits_train = has(pooled, tolerance), has(part.train, tolerance)
        if not fits and not fits_train:
            continue
        worth = -math.log(max(chance(pooled), 1e-300))
        if fits:
            names.append(part.name)
            scaled += worth
        if fits and not fits_train:
            only.append(part.name)
            on_all += worth
        elif not fits:
            on_all -= worth
    return _Fit(names, only, scaled, on_all)


def _applied_to_most(names: list[str], parts: list[Parts]) -> bool:
    continuous = sum(len(part.column.levels) > _CONTINUOUS * len(part.pooled) for part in parts)
    least = 2 if 2 * len(names) > len(parts) else _LEAST_BOUNDED
    return len(names) >= max(least, 0.5 * continuous)


def _standard(part: Parts) -> float | None:
    """Return the chance of so exact a mean when mean 0 and deviation 1 hold on all rows only; else None."""
    pooled, n = part.pooled, len(part.pooled)
    unit = precision(pooled)
    tolerance = max(3 * unit / math.sqrt(n), 1e-12) if unit > 1e-8 else max(unit, 1e-10)
    deviation, of_train = float(pooled.std()), float(part.train.std())
    error = deviation * math.sqrt(
        len(part.held) / (n * len(part.train))
    )  # of train's mean around the pooled one
    if not agrees(float(pooled.mean()), float(part.train.mean()), 0.0, tolerance * max(deviation, 1e-300)):
        return None
    sizes = ((deviation, n), (of_train, len(part.train)))
    off = [min(abs(s - 1), abs(s * math.sqrt(m / (m - 1)) - 1)) for s, m in sizes]
    if off[0] > max(tolerance, 1e-9) or off[1] <= 4 * tolerance:
        return None
    return chance_within(tolerance * deviation, error)


def _is_robust(values: Floats, tolerance: float) -> bool:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return bool(abs(middle) < tolerance and abs(high - low - 1) < 2 * tolerance)


def _is_minmax(values: Floats, tolerance: float) -> bool:
    low, high = float(values.min()), float(values.max())
    return abs(high - 1) < _EXACT and (abs(low) < _EXACT or abs(low + 1) < _EXACT)


def _is_maxabs(values: Floats, tolerance: float) -> bool:
    return (
        abs(float(np.abs(values).max()) - 1) < _EXACT
    )  # limits 0 and 1 of train as well: a min-max scaler's


def _step(values: Floats) -> float:
    """Return the usual distance of two neighbouring values: statistics fall on steps of it."""
    distinct = np.unique(values)
    gaps = np.diff(distinct)
    gaps = gaps[gaps > _EXACT * max(1.0, float(np.abs(distinct[[0, -1]]).max()))]
    return float(np.median(gaps)) if len(gaps) else 1.0


def _robust_chance(values: Floats) -> float:
    """Return the chance of median 0 and quartile range 1: either is one of the steps that fit into that range."""
    return min(1.0, max(_step(values), 2 * precision(values))) ** 2


def _limit_chance(values: Floats) -> float:
    """Return the chance of two exact limits; 1 for values that may be shares, whose limits are 0 and 1 by nature."""
    if np.allclose(values, np.round(values, _DECIMALS), rtol=0, atol=_EXACT):
        return 1.0
    return min(1.0, _step(values)) ** 2
