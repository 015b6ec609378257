"""What the kinds ask of a table: which columns are of which type, how fine numbers are, which rows are equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak.errors import NotPlantable
from splitleak.planting.base import Labels, Rng, Rows

Numbers = NDArray[np.float64]


def positions(split: Labels, name: str) -> Rows:
    """Return the rows of a partition."""
    return np.flatnonzero(split == name).astype(np.int64)


def inputs(table: pd.DataFrame, target: Any) -> pd.DataFrame:
    """Return the table without its target."""
    return table.drop(columns=[target])


def values(column: pd.Series[Any]) -> Numbers:
    """Return a numeric column as new floats, missing as NaN."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)


def is_number(column: pd.Series[Any]) -> bool:
    """Say whether a column holds numbers (truth values are categories)."""
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def number_columns(table: pd.DataFrame, target: Any, *, least: int, distinct: int = 11) -> list[Any]:
    """Return the numeric inputs with at least `distinct` values, all finite or missing."""
    found = []
    for name in table.columns:
        if name == target or not is_number(table[name]):
            continue
        x = values(table[name])
        known = x[~np.isnan(x)]
        if np.isfinite(known).all() and len(np.unique(known)) >= distinct:
            found.append(name)
    if len(found) < least:
        raise NotPlantable(f"needs {least} numeric columns of {distinct} values and more, has {len(found)}")
    return found


def category_columns(table: pd.DataFrame, target: Any, *, levels: int = 2) -> list[Any]:
    """Return the inputs of text, category or truth values with `levels` values and more, none of them rare names."""
    found = []
    for name in table.columns:
        column = table[name]
        if name == target or is_number(column) or pd.api.types.is_datetime64_any_dtype(column.dtype):
            continue
        if levels <= column.nunique() <= len(table) / 3:
            found.append(name)
    return found


def text_columns(table: pd.DataFrame, target: Any) -> list[Any]:
    """Return the inputs that hold texts: strings of three words and more on average, mostly different ones."""
    found = []
    for name in table.columns:
        column = table[name].dropna()
        if name == target or is_number(column) or not len(column):
            continue
        if not column.map(lambda value: isinstance(value, str)).all():
            continue
        words = column.str.count(r"\S+")
        if words.mean() >= 3 and column.nunique() > 0.3 * len(column):
            found.append(name)
    return found


def class_codes(table: pd.DataFrame, target: Any) -> NDArray[np.int64] | None:
    """Return the class of each row as 0, 1, ... in sorted order, or None where the target is a number to predict."""
    column = table[target]
    distinct = column.nunique()
    if is_number(column) and (distinct > 20 or 3 * distinct > len(column)):
        return None
    codes, _ = pd.factorize(column.astype(str) if not is_number(column) else column, sort=True)
    return np.asarray(codes, np.int64)


def classes_of(table: pd.DataFrame, target: Any) -> NDArray[np.int64]:
    """Return the class of each row; NotPlantable where the target is a number to predict or constant."""
    codes = class_codes(table, target)
    if codes is None:
        raise NotPlantable("needs a target of classes, has a number to predict")
    if codes.max() == 0:
        raise NotPlantable("the target has one class only")
    return codes


def two_sides(table: pd.DataFrame, target: Any, rng: Rng) -> NDArray[np.bool_]:
    """Return the target as yes or no: one of its classes against the rest, or above its median."""
    codes = class_codes(table, target)
    if codes is None:
        y = values(table[target])
        side = y > np.median(y)
    else:
        counts = np.bincount(codes)
        fit = np.flatnonzero((counts >= 5) & (len(codes) - counts >= 5))
        if not len(fit):
            raise NotPlantable("no class of the target has 5 rows with 5 rows outside it")
        side = codes == (fit[-1] if len(counts) == 2 else rng.choice(fit))
    if min(side.sum(), (~side).sum()) < 5:
        raise NotPlantable("the target has fewer than 5 rows on one of its sides")
    return np.asarray(side, np.bool_)


def drawn_of_side(side: NDArray[np.bool_], rng: Rng, share: float) -> Rows:
    """Draw a share of the rows of a side; NotPlantable where so many rows may all be of it by chance."""
    rows = np.flatnonzero(side)
    count = round(share * len(rows))
    if count < 3 or count * np.log(side.mean()) > np.log(1e-4):
        raise NotPlantable(f"{count} rows that are changed, all of one side, could be chance")
    return np.sort(rng.choice(rows, count, replace=False)).astype(np.int64)


def decimals(x: Numbers) -> int | None:
    """Return the number of decimals that values are written with, up to 6; None for more."""
    known = x[np.isfinite(x)]
    scale = max(1.0, float(np.abs(known).max(initial=0)))
    for count in range(7):
        if np.allclose(known, np.round(known, count), rtol=0, atol=1e-12 * scale):
            return count
    return None


def as_written(new: Numbers, like: pd.Series[Any]) -> Numbers:
    """Round new values to the decimals of a column, so that their precision does not give them away."""
    count = decimals(values(like))
    return new if count is None else np.round(new, count)


def replaced(table: pd.DataFrame, name: Any, new: Numbers) -> pd.DataFrame:
    """Return a copy with other numbers in a column, of its own type where they allow it."""
    out = table.copy()
    dtype = table[name].dtype
    whole = (
        pd.api.types.is_integer_dtype(dtype) and np.isfinite(new).all() and np.array_equal(new, np.round(new))
    )
    column = pd.Series(new, index=table.index, name=name)
    out[name] = column.astype(dtype) if whole else column
    return out


def robust_scale(x: Numbers) -> float:
    """Return the interquartile range over 1.349, or the standard deviation where that is 0."""
    known = x[np.isfinite(x)]
    low, high = np.quantile(known, [0.25, 0.75])
    return float((high - low) / 1.349) or float(known.std())


def new_name(table: pd.DataFrame, wanted: str) -> str:
    """Return a column name that the table does not have yet."""
    name, count = wanted, 2
    while name in table.columns:
        name, count = f"{wanted}_{count}", count + 1
    return name


def with_column(table: pd.DataFrame, name: str, new: Any, rng: Rng) -> pd.DataFrame:
    """Return a copy with a column at a random place, so that its place does not give it away."""
    out = table.copy()
    out.insert(int(rng.integers(0, table.shape[1] + 1)), name, pd.Series(new, index=table.index))
    return out


def row_keys(table: pd.DataFrame) -> NDArray[np.uint64]:
    """Return a 64-bit key per row, equal for rows that are equal in every column (missing equals missing)."""
    if not table.shape[1]:
        raise NotPlantable("the table has no column beside the target")
    plain = table.copy(deep=False)
    for name in table.columns:
        if table[name].dtype == object:
            plain[name] = table[name].map(repr)
    return np.asarray(pd.util.hash_pandas_object(plain, index=False), np.uint64)


def auc(score: Numbers, side: NDArray[np.bool_]) -> float:
    """Return the chance that a row of the yes side has the higher score (ties count half), in [0, 1]."""
    from scipy.stats import rankdata

    ranks = rankdata(score)
    n_yes = int(side.sum())
    return float((ranks[side].sum() - n_yes * (n_yes + 1) / 2) / (n_yes * (len(side) - n_yes)))
