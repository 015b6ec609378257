"""SPL110: numbers that were scaled with the mean, spread or limits of all rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.pooled import Parts, agrees, chance_within, parts_of, precision

_DISTINCT = 10
_CONTINUOUS = 0.3  # distinct values as a share of the rows, from which a column is continuous
_SEVERAL = 0.1  # the same, for a limit that is reached once
_EXACT = 1e-12
_LEAST_BOUNDED = 3  # columns with limits exactly 0 and 1: a scaler is applied to most, a share is one column
_KINDS = {"standard": "mean 0 and deviation 1", "robust": "median 0 and quartile range 1",
          "minmax": "limits 0 (or -1) and 1", "maxabs": "largest absolute value 1"}  # fmt: skip


@probe(
    "SPL110",
    "Scaling was fitted on all rows",
    needs=["split"],
    why="The training rows carry what the test rows' mean and spread are; small as it mostly is, a reviewer will ask.",
    bound="The statistic holds to rounding on all rows and not on the training rows, which chance does not give.",
)
def scaling(context: AuditContext) -> Finding:
    """Look for columns whose pooled mean, deviation, quartiles or limits are exact, and those of train are not."""
    parts = [p for p in parts_of(context) if len(p.column.levels) >= _DISTINCT]
    if not parts:
        raise NotApplicable(f"no number has {_DISTINCT} different values and enough rows on both sides")
    hits: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    log_chance = 0.0
    for part in parts:
        chance = _standard(part)
        if chance is not None:
            hits["standard"].append(part.name)
            log_chance += math.log(max(chance, 1e-300))
        elif _robust(part):
            hits["robust"].append(part.name)
        for kind in ("minmax", "maxabs"):
            if _bounded(part, kind):
                hits[kind].append(part.name)
    for kind in ("minmax", "maxabs"):
        bounded = sum(_has_limits(part, kind) for part in parts)
        continuous = sum(len(part.column.levels) > _CONTINUOUS * len(part.pooled) for part in parts)
        if bounded < max(_LEAST_BOUNDED, 0.5 * continuous) or len(hits[kind]) < 2:
            hits[kind] = []
        elif hits[kind]:  # the scaler was applied to all of them
            hits[kind] = [part.name for part in parts if _has_limits(part, kind)]
    if hits["minmax"]:
        hits["maxabs"] = []
    return _finding(hits, len(parts), math.exp(max(log_chance, -700)) if hits["standard"] else None)


def _finding(hits: dict[str, list[str]], looked: int, chance: float | None) -> Finding:
    found = {kind: names for kind, names in hits.items() if names}
    common: dict[str, Any] = {"effect_name": "share of the numbers that are scaled so", "p_value": chance}
    if not found:
        return Finding(
            "clean",
            f"None of {looked} numbers has a mean, deviation, quartiles or limits that are exact on all rows only.",
            0.0,
            common["effect_name"],
        )
    names = list(dict.fromkeys(name for kind in found for name in found[kind]))
    told = "; ".join(f"{_KINDS[kind]} in {len(names_)} columns" for kind, names_ in found.items())
    return Finding(
        "leak" if "standard" in found or len(found.get("robust", [])) > 1 else "caution",
        f"Exact on training and held-out rows together, and not on the training rows: {told}. The scaler was fitted on"
        " all rows (or the table was published so).",
        len(names) / looked,
        columns=names,
        remedy="# fit on the training rows only\npipeline.fit(X_train, y_train)\nX_test = pipeline.transform(X_test)",
        evidence=[
            {"column": name, "exact on all rows": _KINDS[kind]} for kind in found for name in found[kind]
        ][:50],
        **common,
    )


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


def _robust(part: Parts) -> bool:
    pooled = part.pooled
    tolerance = max(precision(pooled), 1e-10)
    low, middle, high = np.quantile(pooled, [0.25, 0.5, 0.75])
    exact = abs(middle) < tolerance and abs(high - low - 1) < 2 * tolerance
    return bool(exact and abs(np.median(part.train)) > 4 * tolerance)


def _has_limits(part: Parts, kind: str) -> bool:
    pooled = part.pooled
    low, high = float(pooled.min()), float(pooled.max())
    if kind == "maxabs":
        return abs(max(-low, high) - 1) < _EXACT and low not in (0.0, -1.0)
    return abs(high - 1) < _EXACT and (abs(low) < _EXACT or abs(low + 1) < _EXACT)


def _bounded(part: Parts, kind: str) -> bool:
    """Return whether a continuous column reaches an exact limit once, and in a held-out row."""
    pooled = part.pooled
    if not _has_limits(part, kind) or len(part.column.levels) <= _SEVERAL * len(pooled):
        return False
    if kind == "maxabs":
        return bool(np.abs(part.train).max() < 1 and np.count_nonzero(np.abs(pooled) == 1) == 1)
    low, high = pooled.min(), pooled.max()
    only_low = part.train.min() > low and np.count_nonzero(pooled == low) == 1
    only_high = part.train.max() < high and np.count_nonzero(pooled == high) == 1
    return bool(only_low or only_high)
