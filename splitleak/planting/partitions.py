"""Splits whose test part is not like train, too small, or wrongly labelled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak.errors import NotPlantable
from splitleak.planting.base import Labels, Leak, Rng, planted
from splitleak.planting.facts import fact
from splitleak.planting.tables import (
    Numbers,
    as_written,
    category_columns,
    classes_of,
    inputs,
    is_number,
    number_columns,
    positions,
    replaced,
    robust_scale,
    values,
)

_HARD = (
    0.05  # share of right labels that a quick model contradicts, from which on wrong ones are lost among them
)
_OF_A_CLASS = 0.25  # wrong labels of a class, as a share of its right ones
_FOUND = 0.8  # of the rows of each class a quick model must find
_OFTEN = 1e-3  # what chance does in one table of a thousand is not called: one of ten probes' share of an alpha of 0.01


@planted(
    "split_predictable", "one column shifted in test", ("SPL305", "SPL308"),
    weak=0.3, ordinary=1.0, strong=2.0, meaning="shift in robust standard deviations of the column",
)  # fmt: skip
def split_predictable(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    names = number_columns(table, target, least=1)
    name = names[int(rng.integers(len(names)))]
    x = values(table[name])
    x[split == "test"] += strength * robust_scale(x)
    return Leak(replaced(table, name, as_written(x, table[name])), split, columns=(name,))


@planted(
    "label_shift", "rows of one class moved from train to test", ("SPL306",),
    weak=0.1, ordinary=0.3, strong=0.5, meaning="by how much the class's share of test is raised",
)  # fmt: skip
def label_shift(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    codes = classes_of(table, target)
    test = split == "test"
    count = round(strength * test.sum())
    counts = np.bincount(codes[split == "train"], minlength=codes.max() + 1)
    able = np.flatnonzero(
        (counts > count) & (np.bincount(codes[test], minlength=len(counts)) + count <= test.sum())
    )
    if not len(able) or count < 5:
        raise NotPlantable(f"no class has {count} train rows to move into test")
    able = np.array([k for k in able if _chance_of_as_many(codes == k, test, count) * len(counts) <= _OFTEN])
    if not len(able):
        raise NotPlantable(
            f"with {count} rows more of any class, test would have as many of it as random splits of this size have in"
            " one table of a thousand, or more often"
        )
    chosen = rng.choice(able)
    return Leak(table.copy(), _swapped(split, codes == chosen, count, rng), columns=(target,))


@planted(
    "missing_class", "a class of the training rows that test does not have", ("SPL306",),
    weak=0.05, ordinary=0.1, strong=0.3, meaning="least share of the class in all rows",
)  # fmt: skip
def missing_class(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    codes = classes_of(table, target)
    share = np.bincount(codes) / len(codes)
    able = np.flatnonzero((share >= strength) & (share < 0.8))
    if not len(able):
        raise NotPlantable(f"no class holds between {strength:.0%} and 80 % of the rows")
    chosen = codes == rng.choice(able)
    count = int((chosen & (split == "test")).sum())
    if count < 4 or (~chosen & (split == "train")).sum() <= count:
        raise NotPlantable("too few rows to take the class out of test")
    return Leak(table.copy(), _swapped(split, ~chosen, count, rng), columns=(target,))


@planted(
    "new_category", "a level of a category that only test has", ("SPL307",),
    weak=0.02, ordinary=0.05, strong=0.2, meaning="share of the test rows that hold it (3 rows at least)",
)  # fmt: skip
def new_category(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    names = [n for n in category_columns(table, target) if not pd.api.types.is_bool_dtype(table[n].dtype)]
    names = [n for n in names if not isinstance(table[n].dtype, pd.CategoricalDtype)]
    if not names:
        raise NotPlantable("needs a column of categories")
    name = names[int(rng.integers(len(names)))]
    test = positions(split, "test")
    rows = rng.choice(test, min(len(test), max(3, round(strength * len(test)))), replace=False)
    _refuse_what_chance_does(len(rows), split)
    column = table[name].astype(object)
    column.iloc[rows] = "late addition"
    out = table.copy()
    out[name] = column.astype(table[name].dtype)
    return Leak(out, split, columns=(name,), rows=rows)


@planted(
    "range_not_in_train", "numbers in test beyond all that train has", ("SPL308",),
    weak=0.02, ordinary=0.05, strong=0.2, meaning="share of the test rows beyond train's largest (3 rows at least)",
)  # fmt: skip
def range_not_in_train(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    names = number_columns(table, target, least=1)
    name = names[int(rng.integers(len(names)))]
    test = positions(split, "test")
    rows = rng.choice(test, min(len(test), max(3, round(strength * len(test)))), replace=False)
    _refuse_what_chance_does(len(rows), split)
    x = values(table[name])
    known = x[~np.isnan(x)]
    step = max(float(known.std()), 1.0 if is_whole(known) else 0.0)
    x[rows] = as_written(known.max() + step * rng.uniform(1, 3, len(rows)), table[name])
    return Leak(replaced(table, name, x), split, columns=(name,), rows=rows)


@planted(
    "test_too_small", "a test part of a few rows", ("SPL401",),
    weak=50, ordinary=20, strong=8, meaning="rows left in test (fewer is worse)",
)  # fmt: skip
def too_small(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    test = rng.permutation(positions(split, "test"))
    if len(test) <= strength:
        raise NotPlantable(f"test has {len(test)} rows, {strength:g} are to be left")
    out = split.copy()
    out[test[int(strength) :]] = "train"
    return Leak(table.copy(), out)


@planted(
    "wrong_labels", "rows given the label of another class", ("SPL402",),
    weak=0.02, ordinary=0.05, strong=0.1, meaning="share of all rows that hold a wrong label",
)  # fmt: skip
def wrong_labels(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    codes = classes_of(table, target)
    _refuse_hard_targets(table, target, codes, strength, rng)
    rows = rng.choice(len(codes), max(2, round(strength * len(codes))), replace=False)
    _, first = np.unique(codes, return_index=True)
    new = (codes[rows] + rng.integers(1, codes.max() + 1, len(rows))) % (codes.max() + 1)
    order = np.arange(len(codes))
    order[rows] = first[new]
    out = table.copy()
    out[target] = table[target].take(order).array
    return Leak(out, split, rows=rows)


def is_whole(x: Numbers) -> bool:
    """Say whether all numbers are whole."""
    return bool(np.array_equal(x, np.round(x)))


def _swapped(split: Labels, wanted: Any, count: int, rng: Rng) -> Labels:
    """Move `count` wanted rows from train to test, and as many others back."""
    come = rng.choice(np.flatnonzero(wanted & (split == "train")), count, replace=False)
    go = rng.choice(np.flatnonzero(~wanted & (split == "test")), count, replace=False)
    out = split.copy()
    out[come], out[go] = "test", "train"
    return out


def _chance_of_as_many(wanted: NDArray[np.bool_], test: NDArray[np.bool_], more: int) -> float:
    """Return the chance that a random split of this size puts as many wanted rows into test as it has with `more`."""
    from scipy.stats import hypergeom

    held = int((wanted & test).sum()) + more
    return float(hypergeom.sf(held - 1, len(test), int(wanted.sum()), int(test.sum())))


def _refuse_what_chance_does(count: int, split: Labels) -> None:
    """Refuse as few rows as a random split holds out together in one table of a thousand, and more often."""
    held, n = int((split != "train").sum()), len(split)
    chance = float(np.prod((held - np.arange(count)) / (n - np.arange(count))))
    if chance > _OFTEN:
        raise NotPlantable(
            f"{count} rows of test are few: of any {count} rows a random split of this size holds out all in 1 of"
            f" {1 / chance:,.0f} tables, so that nothing could be called a leak"
        )


def _refuse_hard_targets(table: pd.DataFrame, target: Any, codes: Any, strength: float, rng: Rng) -> None:
    """Refuse where a right label is contradicted as often as a wrong one is planted, or a class would be half wrong."""
    counts = np.bincount(codes)
    given = (
        strength * len(codes) / max(1, len(counts) - 1) * (1 - counts / len(codes))
    )  # to each class, as expected
    if counts.min() < 5 or (given > _OF_A_CLASS * counts).any():
        raise NotPlantable(
            f"a class has {counts.min()} rows only: with {given[counts.argmin()]:.0f} wrong ones it would be another"
        )
    rows = rng.permutation(len(codes))[:5000]
    seeds = [int(rng.integers(2**31)) for _ in range(2)]
    agrees, of_class = fact("contradicted labels", lambda: _agreement(table, target, codes, rows, seeds))
    if 1 - agrees > min(strength, _HARD):
        raise NotPlantable(
            f"a quick model is right in {agrees:.1%} of the rows: of wrong labels in {strength:.0%} it would"
            " contradict no more than of right ones"
        )
    if of_class < _FOUND:
        raise NotPlantable(f"a quick model finds {of_class:.0%} of one class: its labels cannot be doubted")


def _agreement(
    table: pd.DataFrame, target: Any, codes: Any, rows: NDArray[np.int64], seeds: list[int]
) -> tuple[float, float]:
    """Return the share of labels that a quick model of other rows finds, of all rows and of the worst class."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    x = np.column_stack([_coded(column) for _, column in inputs(table, target).items()])
    model = ExtraTreesClassifier(60, random_state=seeds[0])
    folds = StratifiedKFold(3, shuffle=True, random_state=seeds[1])
    agrees = cross_val_predict(model, x[rows], codes[rows], cv=folds) == codes[rows]
    of_class = np.bincount(codes[rows], agrees) / np.maximum(np.bincount(codes[rows]), 1)
    return float(agrees.mean()), float(of_class.min())


def _coded(column: pd.Series[Any]) -> Numbers:
    if is_number(column):
        x = values(column)
        return np.where(np.isfinite(x), x, -1e9).clip(-1e9, 1e9)
    known = column.astype(object).where(column.notna(), "").map(str)
    return pd.factorize(known, sort=True)[0].astype(np.float64)
