"""SPL111: missing values that were filled with the mean or median of all rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.pooled import Parts, agrees, chance_within, parts_of

_LEAST_FILLED = 5
_SHARE_FILLED = 0.01
_MOST_FILLED = 0.95
_LEAST_REST = 10
_LEAST_DISTINCT = 20
_DISTINCT = 0.5  # of the other values, from which a median that is hit exactly says something
_EXACT = 1e-10


@probe(
    "SPL111",
    "Missing values were filled from all rows",
    needs=["split"],
    why="A fill value that was computed with the test rows carries them into training.",
    bound="A repeated value equals the mean of the others to float64 on all rows and not on train's; else a caution.",
)
def imputation(context: AuditContext) -> Finding:
    """Look for a repeated value that is the mean or median of the other values of all rows."""
    parts = parts_of(context)
    raw = _raw_hits(context)
    means, medians, honest, either, chance = [], [], [], [], 0.0
    looked = 0
    for part in parts:
        value = _repeated(part)
        if value is None:
            continue
        looked += 1
        rest, of_train = part.pooled[part.pooled != value], part.train[part.train != value]
        if len(np.unique(rest)) < _LEAST_DISTINCT:  # the mean of a few values is one of them by chance
            continue
        if len(of_train) < _LEAST_REST or not (part.train == value).any() or not (part.held == value).any():
            continue
        tolerance = _EXACT * max(1.0, float(np.abs(part.pooled).max()))
        error = float(rest.std()) * math.sqrt(max(len(rest) - len(of_train), 1) / (len(rest) * len(of_train)))
        if agrees(float(rest.mean()), float(of_train.mean()), value, tolerance):
            means.append(part.name)
            chance += math.log(max(chance_within(tolerance, error), 1e-300))
        elif abs(float(rest.mean()) - value) <= tolerance or abs(float(np.median(rest)) - value) <= tolerance:
            either.append(part.name)  # fits all rows, and the training rows as well
        if part.name not in means and len(np.unique(rest)) > _DISTINCT * len(rest):
            middle, middle_train = float(np.median(rest)), float(np.median(of_train))
            if abs(middle - value) <= tolerance < abs(middle_train - value):
                medians.append(part.name)
            elif abs(middle_train - value) <= tolerance < abs(middle - value):
                honest.append(part.name)
    if not looked and raw is None:
        raise NotApplicable("no number has one value that is repeated as a filled one is")
    if honest:
        medians = []
    if means or medians:
        medians += [name for name in either if name not in medians]
    return _finding(means, medians, raw or [], looked, chance)


def _finding(means: list[str], medians: list[str], raw: list[str], looked: int, chance: float) -> Finding:
    names = list(dict.fromkeys([*raw, *means, *medians]))
    if not names:
        return Finding(
            "clean",
            f"{looked} numbers have a value that is often repeated; none is the mean or median of all rows.",
        )
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
        "leak" if raw or means or len(medians) > 1 else "caution",
        f"{'; '.join(told)}, and not that of the training rows.",
        float(len(names)),
        "columns filled so",
        p_value=math.exp(max(chance, -700)) if means else None,
        columns=names,
        remedy="# fit on the training rows only\npipeline.fit(X_train, y_train)\nX_test = pipeline.transform(X_test)",
        evidence=[
            {
                "column": name,
                "filled with": "mean" if name in means else "median" if name in medians else "from raw",
            }
            for name in names[:50]
        ],
    )


def _repeated(part: Parts) -> float | None:
    """Return the most frequent value, when it is as frequent as a filled one and no other is nearly so."""
    pooled = part.pooled
    values, counts = np.unique(pooled, return_counts=True)
    most = int(counts.argmax())
    least = max(_LEAST_FILLED, _SHARE_FILLED * len(pooled))
    if not least <= counts[most] <= _MOST_FILLED * len(pooled):
        return None
    return float(values[most])


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
        for statistic in (np.nanmean, np.nanmedian):
            pooled, train = float(statistic(values)), float(statistic(values[context.train]))
            if abs(pooled - fill[0]) <= _EXACT * scale < abs(train - fill[0]):
                found.append(name)
                break
    return found if looked else None
