"""Patients, users, households: entities with several rows, in train and in test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak.errors import NotPlantable
from splitleak.planting.base import Labels, Leak, Rng, Rows, planted
from splitleak.planting.tables import class_codes, new_name, values, with_column

_ROWS = "rows per entity on average"


@planted(
    "declared_groups_cross", "a declared group whose rows are partly in train, partly in test", ("SPL303",),
    weak=0.02, ordinary=0.1, strong=0.5, meaning="share of the test rows whose group has rows in train",
)  # fmt: skip
def declared_groups_cross(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    group = _groups_apart(split, rng)
    test = rng.permutation(np.flatnonzero(split == "test"))
    train = np.flatnonzero(split == "train")
    for row in test[: max(1, round(strength * len(test)))]:
        group[row] = group[rng.choice(train)]
    return _with_groups(table, split, group, rng)


@planted(
    "declared_groups_apart", "a declared group that the split keeps together", ("SPL303", "SPL304"),
    weak=0.0, ordinary=0.0, strong=0.0, meaning="nothing: there is one strength", honest=True,
)  # fmt: skip
def declared_groups_apart(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    return _with_groups(table, split, _groups_apart(split, rng), rng)


@planted(
    "undeclared_entity", "a column that names whom a row is about, and a split that parts such rows", ("SPL304",),
    weak=2, ordinary=5, strong=15, meaning=_ROWS,
)  # fmt: skip
def undeclared_entity(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    entity = _entities(table, target, rng, strength)
    name = new_name(table, "patient")
    label = np.array([f"P{number:06d}" for number in rng.permutation(entity.max() + 1) + 1000], object)
    out = with_column(table, name, label[entity], rng)
    rows, partners = _crossing(entity, split)
    return Leak(out, split, columns=(name,), rows=rows, extra={"partners": partners})


@planted(
    "undeclared_composite_key", "two columns that name whom a row is about only together", ("SPL304",),
    weak=2, ordinary=5, strong=15, meaning=_ROWS,
)  # fmt: skip
def undeclared_composite_key(
    table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float
) -> Leak:
    entity = _entities(table, target, rng, strength)
    count = int(entity.max()) + 1
    side = int(np.ceil(np.sqrt(count)))
    if side < 4:
        raise NotPlantable(f"{count} entities are too few for a key of two columns")
    cell = rng.choice(side * side, count, replace=False)[
        entity
    ]  # entities next to each other share neither part
    street = np.array([f"street {number}" for number in rng.permutation(side)], object)
    first = new_name(table, "street")
    out = with_column(table, first, street[cell // side], rng)
    second = new_name(out, "house")
    out = with_column(out, second, 1 + rng.permutation(side)[cell % side], rng)
    rows, partners = _crossing(entity, split)
    return Leak(out, split, columns=(first, second), rows=rows, extra={"partners": partners})


def _crossing(group: NDArray[np.int64], split: Labels) -> tuple[Rows, Rows]:
    """Return the rows of test whose group has rows in train, and all rows of these groups."""
    shared = np.isin(group, np.intersect1d(group[split == "train"], group[split == "test"]))
    return np.flatnonzero(shared & (split == "test")), np.flatnonzero(shared)


def _groups_apart(split: Labels, rng: Rng) -> NDArray[np.int64]:
    """Groups of 4 rows on average within each partition."""
    group = np.zeros(len(split), np.int64)
    used = 0
    for name in sorted(set(split.tolist()), key=str):
        rows = np.flatnonzero(split == name)
        count = max(1, len(rows) // 4)
        group[rows] = used + rng.permutation(np.arange(len(rows)) % count)
        used += count
    return group


def _with_groups(table: pd.DataFrame, split: Labels, group: NDArray[np.int64], rng: Rng) -> Leak:
    name = new_name(table, "patient")
    number = rng.permutation(group.max() + 1) + 1000
    out = with_column(table, name, number[group], rng)
    rows, partners = _crossing(group, split)
    return Leak(out, split, columns=(name,), rows=rows, extra={"groups": name, "partners": partners})


def _entities(table: pd.DataFrame, target: Any, rng: Rng, size: float) -> NDArray[np.int64]:
    """Entities of several rows each whose targets are alike, as those of one patient are."""
    n = len(table)
    if n < 4 * size:
        raise NotPlantable(f"{n} rows are too few for entities of {size:g} rows")
    codes = class_codes(table, target)
    y = values(table[target]).argsort().argsort() / n if codes is None else codes.astype(np.float64)
    order = np.argsort(y + rng.standard_normal(n) * max(float(y.std()), 1e-9), kind="stable")
    ends = np.sort(rng.choice(np.arange(1, n), max(2, round(n / size)) - 1, replace=False))
    entity = np.empty(n, np.int64)
    entity[order] = np.searchsorted(ends, np.arange(n), side="right")
    return entity
