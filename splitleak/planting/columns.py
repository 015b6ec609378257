"""Columns that know the target: proxies, missing values, single values, identifiers, row order, pairs, sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak.errors import NotPlantable
from splitleak.planting.base import Labels, Leak, Rng, planted
from splitleak.planting.honest_columns import has_pure_level, leads_up_to, refuse_if_as_strong
from splitleak.planting.tables import (
    Numbers,
    auc,
    category_columns,
    class_codes,
    classes_of,
    new_name,
    number_columns,
    replaced,
    two_sides,
    values,
    with_column,
)

_FOLDS = 10
_AUC = "AUC of the new column for one class against the rest, as measured"


@planted(
    "proxy",
    "a column of the target plus noise",
    ("SPL201",),
    weak=0.95,
    ordinary=0.99,
    strong=0.999,
    meaning=_AUC,
)
def proxy(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    codes = classes_of(table, target)
    if codes.max() > 1:
        raise NotPlantable("needs two classes (proxy_of_classes is for more)")
    side = codes == 1
    noise = rng.standard_normal(len(side))
    scale = _solve(lambda s: auc(side + s * noise, side), strength)
    refuse_if_as_strong(table, target, codes, side + scale * noise)
    return _with_number(table, split, rng, "score", side + scale * noise)


@planted(
    "proxy_not_monotone", "a column that is small for one class, and large or very negative for the other",
    ("SPL201",), weak=0.95, ordinary=0.99, strong=0.999, meaning="AUC of the column's distance from 0, as measured",
)  # fmt: skip
def proxy_not_monotone(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    codes = classes_of(table, target)
    if codes.max() > 1:
        raise NotPlantable("needs two classes")
    side = codes == 1
    noise = rng.standard_normal(len(side))
    sign = rng.choice([-1.0, 1.0], len(side))
    scale = _solve(lambda s: auc(np.abs(2 + 4.0 * side + s * noise), side), strength)
    refuse_if_as_strong(table, target, codes, sign * np.abs(2 + 4.0 * side + scale * noise))
    return _with_number(table, split, rng, "balance", sign * np.abs(2 + 4.0 * side + scale * noise))


@planted(
    "proxy_of_classes", "a column of the class number plus noise, for three classes and more", ("SPL201",),
    weak=0.8, ordinary=0.95, strong=0.99, meaning="share of the rows whose nearest class number is the right one",
)  # fmt: skip
def proxy_of_classes(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    codes = classes_of(table, target)
    if codes.max() < 2:
        raise NotPlantable("needs three classes")
    place = rng.permutation(codes.max() + 1)[codes].astype(np.float64)
    noise = rng.standard_normal(len(place))
    scale = _solve(lambda s: float((np.abs(s * noise) < 0.5).mean()), strength)
    refuse_if_as_strong(table, target, codes, place + scale * noise)
    return _with_number(table, split, rng, "grade", place + scale * noise)


@planted(
    "proxy_of_number", "a column of the number to predict plus noise", ("SPL201",),
    weak=0.9, ordinary=0.99, strong=0.999, meaning="squared correlation with the target, as measured",
)  # fmt: skip
def proxy_of_number(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    y = _number_target(table, target)
    noise = rng.standard_normal(len(y)) * y.std()
    scale = _solve(lambda s: float(np.corrcoef(y, y + s * noise)[0, 1] ** 2), strength)
    return _with_number(table, split, rng, "estimate", y + scale * noise)


@planted(
    "proxy_of_number_not_monotone", "ranks of the number to predict, in blocks that are shuffled", ("SPL201",),
    weak=0.8, ordinary=0.95, strong=1.0, meaning="share of the rows that are in the block of their rank",
)  # fmt: skip
def proxy_of_number_not_monotone(
    table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float
) -> Leak:
    y = _number_target(table, target)
    rank = np.argsort(np.argsort(y, kind="stable"), kind="stable") / len(y)
    wrong = rng.random(len(y)) >= strength
    rank[wrong] = rng.random(int(wrong.sum()))
    blocks = 10
    place = rng.permutation(blocks)
    block = np.floor(rank * blocks).astype(np.int64)
    return _with_number(table, split, rng, "index", place[block] + (rank * blocks - block))


@planted(
    "proxy_category", "a category whose levels belong to one class each", ("SPL201",),
    weak=0.9, ordinary=0.98, strong=1.0, meaning="share of the rows whose level belongs to their class",
)  # fmt: skip
def proxy_category(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    codes = classes_of(table, target)
    count = int(codes.max()) + 1
    if len(codes) < 20 * count:
        raise NotPlantable(f"needs 20 rows per class, has {len(codes)} rows of {count} classes")
    told = np.where(rng.random(len(codes)) < strength, codes, rng.integers(0, count, len(codes)))
    level = told * 3 + rng.integers(0, 3, len(codes))
    refuse_if_as_strong(table, target, codes, level, category=True)
    names = np.array([f"T{number}" for number in rng.permutation(np.arange(10, 10 + 3 * count))], object)
    name = new_name(table, "type")
    return Leak(with_column(table, name, names[level], rng), split, columns=(name,))


@planted(
    "missing_follows_target", "values missing mostly in one class", ("SPL202", "SPL201"),
    weak=0.8, ordinary=0.95, strong=1.0, meaning="AUC of being missing, as expected",
)  # fmt: skip
def missing_follows_target(
    table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float
) -> Leak:
    side = two_sides(table, target, rng)
    names = [n for n in table.columns if n != target and table[n].notna().mean() > 0.9]
    if not names:
        raise NotPlantable("needs a column with few missing values")
    name = names[int(rng.integers(len(names)))]
    hole = rng.random(len(side)) < np.where(side, strength, 1 - strength)
    out = table.copy()
    column = out[name]
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        out[name] = column.astype(object).where(~hole, None) if column.dtype == bool else column.where(~hole)
    else:
        out[name] = pd.Series(np.where(hole, np.nan, values(column)), index=out.index)
    return Leak(out, split, columns=(name,))


@planted(
    "value_of_one_class", "a value that occurs in one class only", ("SPL203", "SPL201"),
    weak=0.02, ordinary=0.05, strong=0.1, meaning="share of all rows that hold the value",
)  # fmt: skip
def value_of_one_class(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    codes = classes_of(table, target)
    count = max(3, round(strength * len(codes)))
    share = np.bincount(codes) / len(codes)
    able = np.flatnonzero((share * len(codes) >= 2 * count) & (count * np.log(share) < np.log(1e-6)))
    if not len(able):
        raise NotPlantable(f"{count} rows that are all of one class could be chance in every class")
    rows = rng.choice(np.flatnonzero(codes == rng.choice(able)), count, replace=False)
    names = category_columns(table, target, levels=2)
    names = [n for n in names if isinstance(table[n].dtype, pd.StringDtype) or table[n].dtype == object]
    names = [n for n in names if not has_pure_level(table[n], codes, count)]
    if names:
        name = names[int(rng.integers(len(names)))]
        out = table.copy()
        value = "re-checked"
        column = out[name].astype(object)
        column.iloc[rows] = value
        out[name] = column.astype(table[name].dtype)
        return Leak(out, split, columns=(name,), extra={"value": value, "holders": rows})
    numbers = number_columns(table, target, least=1)
    numbers = [n for n in numbers if not leads_up_to(values(table[n]), codes == codes[rows[0]], count)]
    if not numbers:
        raise NotPlantable(
            "in every column the smallest numbers are of that class anyway, or so often that as many rows could be by"
            " chance: one value more of it tells nothing new"
        )
    name = numbers[int(rng.integers(len(numbers)))]
    x = values(table[name])
    # a code of its own, as -1 or 999 stand for "unknown": outside the range, so that no other row holds it
    code = float(np.floor(np.nanmin(x)) - 1)
    x[rows] = code
    return Leak(replaced(table, name, x), split, columns=(name,), extra={"value": code, "holders": rows})


@planted(
    "identifier_follows_target", "numbers of the rows given out by class", ("SPL204", "SPL201"),
    weak=0.65, ordinary=0.8, strong=1.0, meaning=_AUC,
)  # fmt: skip
def identifier_follows_target(
    table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float
) -> Leak:
    order = _order_by_target(table, target, rng, strength)
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order)) + int(rng.integers(1, 10)) * 1000
    name = new_name(table, "record_id")
    return Leak(with_column(table, name, number, rng), split, columns=(name,))


@planted(
    "row_order_follows_target", "rows sorted by class", ("SPL205",),
    weak=0.65, ordinary=0.8, strong=1.0, meaning="AUC of the row's position for one class against the rest",
)  # fmt: skip
def row_order_follows_target(
    table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float
) -> Leak:
    order = _order_by_target(table, target, rng, strength)
    return Leak(table.take(order).set_axis(table.index), split[order], extra={"order": order})


@planted(
    "xor_of_two_columns", "two columns that tell one class from the rest only together", ("SPL206",),
    weak=0.85, ordinary=0.95, strong=1.0, meaning="share of the rows in which the two columns tell the truth",
)  # fmt: skip
def xor_of_two_columns(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    side = two_sides(table, target, rng)
    told = np.where(rng.random(len(side)) < strength, side, ~side)
    first = rng.standard_normal(len(side))
    second = np.abs(rng.standard_normal(len(side))) * np.sign(first) * np.where(told, 1, -1)
    a = new_name(table, "offset")
    out = with_column(table, a, first, rng)
    b = new_name(out, "drift")
    return Leak(with_column(out, b, second, rng), split, columns=(a, b))


@planted(
    "source_follows_target", "a site, device or source that mostly sees one class", ("SPL208", "SPL201"),
    weak=0.65, ordinary=0.8, strong=0.95, meaning="AUC of the source for one class against the rest, as measured",
)  # fmt: skip
def source_follows_target(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    side = two_sides(table, target, rng)
    levels = int(rng.integers(4, 8))
    noise = rng.standard_normal(len(side))

    def level(scale: float) -> NDArray[np.int64]:
        score = side + scale * noise
        return np.searchsorted(np.quantile(score, np.arange(1, levels) / levels), score)

    scale = _solve(lambda s: auc(level(s).astype(np.float64), side), strength)
    names = rng.permutation(np.array(list("ABCDEFGH")[:levels], object))
    name = new_name(table, str(rng.choice(["site", "device", "source"])))
    return Leak(with_column(table, name, names[level(scale)], rng), split, columns=(name,))


def _with_number(table: pd.DataFrame, split: Labels, rng: Rng, wanted: str, x: Numbers) -> Leak:
    name = new_name(table, wanted)
    return Leak(
        with_column(table, name, x * 10.0 ** rng.integers(-1, 3) + rng.normal(), rng), split, columns=(name,)
    )


def _number_target(table: pd.DataFrame, target: Any) -> Numbers:
    if class_codes(table, target) is not None:
        raise NotPlantable("needs a number to predict, has classes")
    return values(table[target])


def _order_by_target(table: pd.DataFrame, target: Any, rng: Rng, strength: float) -> NDArray[np.int64]:
    """Order the rows by one side of the target and as much chance as gives the AUC."""
    side = two_sides(table, target, rng)
    noise = rng.standard_normal(len(side))
    scale = _solve(lambda s: auc(side + s * noise, side), strength)
    return np.argsort(side + scale * noise, kind="stable")


def _solve(score: Callable[[float], float], wanted: float) -> float:
    """Return the scale of the noise at which a score that falls with it is as wanted."""
    low, high = 1e-4, 1e3
    if score(low) < wanted - 0.02:
        raise NotPlantable(f"a strength of {wanted} cannot be reached: {score(low):.3f} at the least noise")
    for _ in range(50):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if score(middle) >= wanted else (low, middle)
    return low
