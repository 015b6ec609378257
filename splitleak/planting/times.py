"""Dates that the split does not respect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak.errors import NotPlantable
from splitleak.planting.base import Labels, Leak, Rng, planted
from splitleak.planting.tables import new_name, positions, with_column


@planted(
    "train_after_test", "a declared date by which some train rows are later than test rows", ("SPL301",),
    weak=0.02, ordinary=0.2, strong=1.0, meaning="share of the test rows whose dates were swapped with train rows",
)  # fmt: skip
def train_after_test(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    date = _dates_in_order(split, rng)
    test = positions(split, "test")
    count = max(1, round(strength * min(len(test), (split == "train").sum())))
    early = rng.choice(test, count, replace=False)
    late = rng.choice(positions(split, "train"), count, replace=False)
    date[early], date[late] = date[late], date[early]
    rows = test[date[test] <= date[split == "train"].max()]
    return _with_date(table, split, "date", date, rng, rows=rows, declared=True)


@planted(
    "train_before_test", "a declared date by which every test row is later than every train row", ("SPL301",),
    weak=0.0, ordinary=0.0, strong=0.0, meaning="nothing: there is one strength", honest=True,
)  # fmt: skip
def train_before_test(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    return _with_date(table, split, "date", _dates_in_order(split, rng), rng, declared=True)


@planted(
    "undeclared_time", "a column of dates that nobody named, and a split that ignores it", ("SPL302",),
    weak=0.2, ordinary=1.0, strong=1.0, meaning="share of the rows whose dates ignore the split",
)  # fmt: skip
def undeclared_time(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    date = _dates_in_order(split, rng)
    loose = np.flatnonzero(rng.random(len(date)) < strength)
    if len(loose) < 10:
        raise NotPlantable(f"the dates of {len(loose)} rows would ignore the split")
    date[loose] = date[rng.permutation(loose)]
    return _with_date(table, split, "created_at", date, rng)


def _dates_in_order(split: Labels, rng: Rng) -> NDArray[np.datetime64]:
    """Draw dates over two years, all of train before all of test; rows of other partitions anywhere."""
    n = len(split)
    start = np.datetime64("2019-01-01T00:00:00", "s")
    moment = np.sort(rng.choice(2 * 365 * 24 * 60, n, replace=n > 500_000))
    rank = np.empty(n, np.int64)
    order = np.where(split == "train", 0.0, np.where(split == "test", 2.0, rng.uniform(0, 3, n)))
    rank[np.argsort(order + rng.random(n) * 0.9, kind="stable")] = np.arange(n)
    return np.asarray(start + (moment[rank] * 60).astype("timedelta64[s]"))


def _with_date(
    table: pd.DataFrame,
    split: Labels,
    wanted: str,
    date: NDArray[np.datetime64],
    rng: Rng,
    *,
    rows: NDArray[np.int64] | None = None,
    declared: bool = False,
) -> Leak:
    name = new_name(table, wanted)
    out = with_column(table, name, date, rng)
    extra = {"time": name} if declared else {}
    found = np.zeros(0, np.int64) if rows is None else rows
    return Leak(out, split, columns=(name,), rows=found, extra=extra)
