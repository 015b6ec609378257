"""What the columns of a table tell by themselves: a planted column that is no stronger cannot be told from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak.errors import NotPlantable
from splitleak.planting.facts import fact
from splitleak.planting.tables import Numbers, auc, is_number, values
from splitleak.rank_smoothing import kernel_means

_FOLDS = 10
_NEAREST = 30  # rows of the smallest numbers of a column
_AS_PURE = 0.9  # share of one class among them
_BY_CHANCE = 1e-3  # from which on rows beside them that are all of the class are no news


def refuse_if_as_strong(
    table: pd.DataFrame,
    target: Any,
    codes: NDArray[np.int64],
    new: Numbers | NDArray[np.int64],
    *,
    category: bool = False,
) -> None:
    """Refuse a proxy that an honest column of the table equals: nothing in the data tells the two apart."""
    planted = _told(np.asarray(new, np.float64), codes, category=category)
    for name, honest in fact("honest columns", lambda: _honest(table, target, codes)).items():
        if honest >= planted:
            raise NotPlantable(
                f"column {name!r} tells the target as well by itself (mean AUC {honest:.3f}, the planted one"
                f" {planted:.3f})"
            )


def _honest(table: pd.DataFrame, target: Any, codes: NDArray[np.int64]) -> dict[str, float]:
    """Return what each column of numbers tells of the target, those with many missing values left out."""
    told = {}
    for name in table.columns:
        if name == target or not is_number(table[name]):
            continue
        x = values(table[name])
        x[~np.isfinite(x)] = np.nan
        if np.isnan(x).mean() > 0.1 or not np.isfinite(x).any():
            continue
        told[str(name)] = _told(np.where(np.isnan(x), np.nanmedian(x), x), codes, category=False)
    return told


def _told(x: Numbers, codes: NDArray[np.int64], *, category: bool) -> float:
    """Return the mean AUC of a column for each class against the rest, out of fold and without regard to monotony."""
    folds = np.arange(len(codes)) % _FOLDS
    outcome = np.eye(int(codes.max()) + 1)[codes]
    if category:
        means = np.stack([_level_means(x, y, folds) for y in outcome.T], axis=1)
    else:
        means = kernel_means(x, outcome, folds)
    fit = [k for k in range(outcome.shape[1]) if 2 <= outcome[:, k].sum() <= len(codes) - 2]
    return float(np.mean([auc(means[:, k], outcome[:, k] > 0) for k in fit])) if fit else 0.5


def _level_means(level: Numbers, y: Numbers, folds: NDArray[np.int64]) -> Numbers:
    out = np.empty(len(y))
    for fold in np.unique(folds):
        inside, rest = folds == fold, folds != fold
        means = pd.Series(y[rest]).groupby(level[rest]).mean()
        out[inside] = means.reindex(level[inside]).fillna(y[rest].mean()).to_numpy()
    return out


def has_pure_level(column: pd.Series[Any], codes: NDArray[np.int64], count: int) -> bool:
    """Say whether a category has as frequent a value of one class by itself, so that another one is nothing new."""
    table = pd.crosstab(column.astype(object).fillna(""), codes).to_numpy()
    return bool(((table.sum(axis=1) >= count) & (table.max(axis=1) == table.sum(axis=1))).any())


def leads_up_to(x: Numbers, inside: NDArray[np.bool_], count: int) -> bool:
    """Say whether `count` rows of that class beside the smallest numbers are what those let expect.

    Nine in ten of the 30 smallest numbers are of the class, or as many rows as `count` that are as often of the class
    as those 30 could all be by chance.
    """
    known = np.flatnonzero(~np.isnan(x))
    smallest = known[np.argsort(x[known], kind="stable")[:_NEAREST]]
    share = float(inside[smallest].mean())
    return share >= _AS_PURE or share**count >= _BY_CHANCE
