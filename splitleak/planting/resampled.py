"""Classes filled up before the split: repeated rows, and rows made between two others (SMOTE)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from splitleak.errors import NotPlantable
from splitleak.planting.base import Labels, Leak, Rng, Rows, planted
from splitleak.planting.copies import refuse_common_rows
from splitleak.planting.tables import (
    Numbers,
    classes_of,
    decimals,
    inputs,
    number_columns,
    positions,
    row_keys,
    values,
)

_ADDED = "rows added to the rarest class, as a multiple of its size"


@planted(
    "oversampling_before_split", "rows of the rarest class repeated before the split", ("SPL115", "SPL101"),
    weak=0.2, ordinary=0.5, strong=2.0, meaning=_ADDED,
)  # fmt: skip
def oversampling_before_split(
    table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float
) -> Leak:
    refuse_common_rows(inputs(table, target), split, 0.02)
    sources = _added(table, target, np.arange(len(table)), rng, strength)
    out = pd.concat([table, table.take(sources)], ignore_index=True)
    labels = np.concatenate([split, _drawn(split, len(sources), rng)])
    keys = row_keys(inputs(out, target))
    shared = np.isin(keys, keys[labels == "train"])
    rows = np.flatnonzero((labels == "test") & shared)
    copies = np.union1d(sources, np.arange(len(table), len(out)))
    rows = np.intersect1d(rows, copies)
    if len(rows) < 2:
        raise NotPlantable("fewer than 2 repeated rows fell on both sides")
    return Leak(out, labels, rows=rows, extra={"partners": copies})


@planted(
    "oversampling_of_train", "rows of the rarest class repeated within train", ("SPL115", "SPL101"),
    weak=0.2, ordinary=0.5, strong=2.0, meaning=_ADDED, honest=True,
)  # fmt: skip
def oversampling_of_train(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    sources = _added(table, target, positions(split, "train"), rng, strength)
    out = pd.concat([table, table.take(sources)], ignore_index=True)
    return Leak(out, np.concatenate([split, np.full(len(sources), "train", object)]))


@planted(
    "smote_before_split", "rows between two rows of the rarest class added before the split (SMOTE)", ("SPL115",),
    weak=0.2, ordinary=0.5, strong=2.0, meaning=_ADDED,
)  # fmt: skip
def smote_before_split(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    new, first, second = _between(table, target, np.arange(len(table)), rng, strength)
    n, numbers = (
        len(table),
        table[number_columns(table, target, least=3)].to_numpy(dtype=np.float64, na_value=np.nan),
    )
    labels = np.concatenate([split, _drawn(split, len(new), rng)])
    made = np.arange(n, n + len(new))
    known = (labels[made] == "test") & (split[first] == "train") & (split[second] == "train")
    known &= (numbers[first] != numbers[second]).sum(
        axis=1
    ) >= 2  # any value of one column lies between two others
    if known.sum() < 2:
        raise NotPlantable("fewer than 2 test rows were made of train rows")
    partners = np.unique(np.concatenate([made, first, second]))
    out = pd.concat([table, new], ignore_index=True)
    return Leak(out, labels, rows=made[known], extra={"partners": partners})


@planted(
    "smote_of_train", "rows between two rows of the rarest class added to train only", ("SPL115",),
    weak=0.2, ordinary=0.5, strong=2.0, meaning=_ADDED, honest=True,
)  # fmt: skip
def smote_of_train(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    new, _, _ = _between(table, target, positions(split, "train"), rng, strength)
    labels = np.concatenate([split, np.full(len(new), "train", object)])
    return Leak(pd.concat([table, new], ignore_index=True), labels)


def _drawn(split: Labels, count: int, rng: Rng) -> Labels:
    """Draw partitions for new rows in the shares of the split."""
    return rng.choice(split, count)


def _rarest(table: pd.DataFrame, target: Any, rows: Rows) -> Rows:
    codes = classes_of(table, target)[rows]
    counts = np.bincount(codes)
    able = np.flatnonzero(counts >= 6)
    if not len(able):
        raise NotPlantable("no class has 6 rows")
    return np.asarray(rows[codes == able[np.argmin(counts[able])]], np.int64)


def _added(table: pd.DataFrame, target: Any, rows: Rows, rng: Rng, strength: float) -> Rows:
    members = _rarest(table, target, rows)
    return rng.choice(members, max(3, round(strength * len(members))), replace=True)


def _between(
    table: pd.DataFrame, target: Any, rows: Rows, rng: Rng, strength: float
) -> tuple[pd.DataFrame, Rows, Rows]:
    """Make rows as SMOTE does: a random point between a row and one of its 5 nearest of the same class."""
    from sklearn.neighbors import NearestNeighbors

    names = number_columns(table, target, least=3)
    if any(table[name].isna().any() for name in names):
        raise NotPlantable("SMOTE wants numbers without missing values")
    if sum(decimals(values(table[name])) != 0 for name in names) < 3:
        raise NotPlantable("needs 3 columns of numbers that are not whole")
    members = _rarest(table, target, rows)
    x: Numbers = np.column_stack([values(table[name]) for name in names])
    scaled = x[members] / x.std(axis=0)
    nearest = NearestNeighbors(n_neighbors=min(6, len(members))).fit(scaled).kneighbors(scaled)[1]
    a = rng.integers(len(members), size=max(3, round(strength * len(members))))
    b = nearest[a, rng.integers(1, nearest.shape[1], len(a))]
    first, second = members[a], members[b]
    new = table.take(first).reset_index(drop=True)
    at = rng.random(len(a))
    for i, name in enumerate(names):
        new[name] = x[first, i] + at * (x[second, i] - x[first, i])
    return new, first, second
