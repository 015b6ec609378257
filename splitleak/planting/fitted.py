"""Scalers, imputers, encoders and selectors fitted on all rows before the split, and the honest way of each."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak.errors import NotPlantable
from splitleak.planting.base import Labels, Leak, Rng, Rows, planted
from splitleak.planting.tables import (
    category_columns,
    class_codes,
    decimals,
    inputs,
    number_columns,
    positions,
    replaced,
    values,
    with_column,
)

_HALF = "share of the numeric columns that were transformed (2 at least)"
_SCATTER = 3.0  # variance over mean of how many rows hold a value: people round
_DEFICIT = 9.0  # squared standard errors, all columns together: an honest table is as odd once in 400 times
_HOLES = "share of the numeric cells that were missing and were filled"


class Work(NamedTuple):
    """A table before a step, the step, the columns it takes, and the folds of a step that must encode out of fold."""

    raw: pd.DataFrame
    step: Any
    columns: list[Any]
    folds: NDArray[np.int64] | None = None


Prepare: TypeAlias = Callable[[pd.DataFrame, Any, Rng, float], Work]


def _scaled(make: Callable[[], Any], *, complete: bool = False) -> Prepare:
    def prepare(table: pd.DataFrame, target: Any, rng: Rng, strength: float) -> Work:
        names = number_columns(table, target, least=2)
        names = [name for name in names if not complete or table[name].notna().all()]
        if len(names) < 2:
            raise NotPlantable("needs 2 numeric columns without missing values")
        count = max(2, round(strength * len(names)))
        chosen = np.sort(rng.permutation(len(names))[:count])
        return Work(table, make(), [names[i] for i in chosen])

    return prepare


def _imputed(make: Callable[[], Any], *, most_rows: float = np.inf) -> Prepare:
    def prepare(table: pd.DataFrame, target: Any, rng: Rng, strength: float) -> Work:
        if len(table) > most_rows:
            raise NotPlantable(f"takes too long on {len(table)} rows; it is done on up to {most_rows:g}")
        names = number_columns(table, target, least=2)
        raw = table
        for name in names:
            hole = rng.random(len(table)) < strength
            raw = replaced(raw, name, np.where(hole, np.nan, values(table[name])))
        return Work(raw, make(), names)

    return prepare


def _components(table: pd.DataFrame, target: Any, rng: Rng, strength: float) -> Work:
    from sklearn.decomposition import PCA
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    names = [n for n in number_columns(table, target, least=3) if table[n].notna().all()]
    if len(names) < 3:
        raise NotPlantable("needs 3 numeric columns without missing values")
    count = max(2, round(strength * min(len(names), len(table) // 2)))
    steps = [("scale", StandardScaler()), ("pca", PCA(count, svd_solver="full"))]
    return Work(table, Pipeline(steps), names)


def _encoded(smooth: float) -> Prepare:
    def prepare(table: pd.DataFrame, target: Any, rng: Rng, strength: float) -> Work:
        from sklearn.preprocessing import TargetEncoder

        codes = class_codes(table, target)
        kind = "continuous" if codes is None else "binary" if codes.max() == 1 else "multiclass"
        raw, name = _levels(table, target, rng, int(strength))
        folds = rng.permutation(len(raw)) % 5
        return Work(raw, TargetEncoder(target_type=kind, smooth=smooth), [name], folds)

    return prepare


def _levels(table: pd.DataFrame, target: Any, rng: Rng, levels: int) -> tuple[pd.DataFrame, Any]:
    """Return the category column with most levels, or one made of a number's quantiles."""
    able = [c for c in category_columns(table, target, levels=6) if table[c].notna().all()]
    if able:
        return table, max(able, key=lambda name: (table[name].nunique(), str(name)))
    names = [n for n in number_columns(table, target, least=1, distinct=levels) if table[n].notna().all()]
    if not names or len(table) < 3 * levels:
        raise NotPlantable(f"needs a category of 6 levels, or a number and {3 * levels} rows")
    name = names[int(rng.integers(len(names)))]
    bins = pd.qcut(table[name], levels, labels=False, duplicates="drop")
    order = rng.permutation(levels)
    out = table.drop(columns=[name])
    return with_column(out, str(name), [f"level {order[int(b)]}" for b in bins], rng), str(name)


def _selected(table: pd.DataFrame, target: Any, rng: Rng, strength: float) -> Work:
    from sklearn.feature_selection import SelectKBest, f_classif, f_regression

    count = int(strength)
    if len(table) * count > 3e7:
        raise NotPlantable(f"{len(table)} rows times {count} candidate columns are too many")
    taken = set(table.columns)
    names = [name for name in (f"marker_{i:04d}" for i in range(count)) if name not in taken]
    noise = pd.DataFrame(rng.standard_normal((len(table), len(names))), index=table.index, columns=names)
    score = f_regression if class_codes(table, target) is None else f_classif
    return Work(pd.concat([table, noise], axis=1), SelectKBest(score, k=20), names)


def _plant(prepare: Prepare, codes: tuple[str, ...], honest: bool) -> Callable[..., Leak]:
    def fitted(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
        if not all(isinstance(name, str) for name in table.columns):
            raise NotPlantable("scikit-learn wants column names that are strings")
        if not np.isin(split, ["train", "test"]).all():
            raise NotPlantable("the split has partitions beside train and test")
        work = prepare(table, target, rng, strength)
        train = positions(split, "train")
        with warnings.catch_warnings():
            # columns with a common value get fewer bins; a rare class is not in all folds of a target encoder
            warnings.filterwarnings("ignore", message="Bins whose width|The least populated class")
            right, of_train = _transformed(work, target, train)
            out, step, same = right, of_train, []
            if not honest:
                out, step = _transformed(work, target, np.arange(len(table)))
                same = _same(out, right)
                if len(same) == out.shape[1]:
                    raise NotPlantable("fitting on train alone gives the same table: nothing leaked")
                if getattr(work.step, "strategy", "") == "median":
                    _refuse_as_well(work, out, train)
        columns = tuple(name for name in out.columns if name not in table.columns or name in work.columns)
        unchanged = tuple(name for name in columns if name in same)
        extra = {
            "pipeline": step,
            "raw": work.raw,
            "pipeline_codes": ("SPL116", *codes),
            "unchanged": unchanged,
        }
        return Leak(out, split, columns=columns, extra=extra)

    return fitted


def _transformed(work: Work, target: Any, rows: Rows) -> tuple[pd.DataFrame, Any]:
    """Fit on some rows and transform all; where rows are left out, those fitted on are encoded out of fold."""
    from sklearn.base import clone
    from sklearn.compose import ColumnTransformer

    step = ColumnTransformer(
        [("step", clone(work.step), work.columns)], remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="pandas")
    x, y = inputs(work.raw, target), work.raw[target]
    step.fit(x.iloc[rows], y.iloc[rows])
    out = step.transform(x).set_axis(work.raw.index)
    if work.folds is not None and len(rows) < len(x):
        parts, order = (
            [out.iloc[np.setdiff1d(np.arange(len(x)), rows)]],
            [np.setdiff1d(np.arange(len(x)), rows)],
        )
        for fold in range(work.folds.max() + 1):
            held, others = rows[work.folds[rows] == fold], rows[work.folds[rows] != fold]
            parts.append(clone(step).fit(x.iloc[others], y.iloc[others]).transform(x.iloc[held]))
            order.append(held)
        out = pd.concat(parts).take(np.argsort(np.concatenate(order))).set_axis(work.raw.index)
    out[target] = y
    return out, step


def _same(out: pd.DataFrame, right: pd.DataFrame) -> list[Any]:
    """Return the columns that fitting on train alone gives as well."""
    if list(out.columns) != list(right.columns):
        return []
    return [
        name
        for name in out.columns
        if out[name].equals(right[name])
        or (
            out[name].dtype.kind == "f"
            and np.allclose(values(out[name]), values(right[name]), rtol=1e-9, atol=1e-12, equal_nan=True)
        )
    ]


def _refuse_as_well(work: Work, out: pd.DataFrame, train: Rows) -> None:
    """Refuse where filling about as many other cells with the medians of train gives this very table.

    Of the rows that hold the value filled in, any may be the filled ones: how many were missing nobody knows, but
    how many are genuine the values around tell about. It is the median of train as long as more of them are genuine
    than values above and below it differ in number.
    """
    deficit = 0.0
    for name in work.columns:
        before, after = values(work.raw[name]), values(out[name])
        holes = np.isnan(before)
        if not holes[train].any():
            continue
        value, part = after[holes][0], after[train]
        if np.nanmedian(before[train]) == value:
            continue
        written = decimals(before)
        if written is not None and abs(np.round(value, written) - value) > 1e-9:
            return  # half-way between two: no row holds it by itself
        apart = abs(int((part < value).sum()) - int((part > value).sum()))
        filled, most = int(holes[train].sum()), int((part == value).sum()) - apart - 1
        if most < 1:
            return
        genuine = int((part == value).sum()) - filled
        deficit += max(0, filled - most) ** 2 / (_SCATTER * (genuine + 1))
    if deficit <= _DEFICIT:
        raise NotPlantable("filling about as many other cells with the medians of train gives the same table")


def _make(name: str, **options: Any) -> Callable[[], Any]:
    def make() -> Any:
        from sklearn import impute, preprocessing

        kind = getattr(preprocessing, name, None) or getattr(impute, name)
        known = inspect.signature(
            kind
        ).parameters  # options that an older or newer scikit-learn does not have
        return kind(**{key: value for key, value in options.items() if key in known})

    return make


def _register(
    name: str, title: str, code: str, prepare: Prepare, strengths: tuple[float, float, float], meaning: str,
    in_data: bool = True,
) -> None:  # fmt: skip
    for honest in (False, True):
        planted(
            f"{name}_{'honest' if honest else 'on_all'}",
            f"{title}, fitted on {'train only' if honest else 'all rows'}",
            (code,), weak=strengths[0], ordinary=strengths[1], strong=strengths[2], meaning=meaning,
            honest=honest, in_data=in_data,
        )(_plant(prepare, (code,), honest))  # fmt: skip


_SHARES, _CELLS, _LEVELS = (0.5, 1.0, 1.0), (0.03, 0.1, 0.3), (10, 20, 40)
_BINS = {"n_bins": 10, "encode": "ordinal", "subsample": None, "quantile_method": "averaged_inverted_cdf"}
_register(
    "standard_scaler", "mean 0 and deviation 1", "SPL110", _scaled(_make("StandardScaler")), _SHARES, _HALF
)
_register("minmax_scaler", "limits 0 and 1", "SPL110", _scaled(_make("MinMaxScaler")), _SHARES, _HALF)
_register(
    "robust_scaler", "median 0 and quartile range 1", "SPL110", _scaled(_make("RobustScaler")), _SHARES, _HALF
)
_register(
    "quantile_bins", "bins of equal counts", "SPL110", _scaled(_make("KBinsDiscretizer", **_BINS), complete=True),
    _SHARES, _HALF, in_data=False,
)  # fmt: skip
_register(
    "imputer_mean", "means for missing values", "SPL111", _imputed(_make("SimpleImputer")), _CELLS, _HOLES
)
_register(
    "imputer_median", "medians for missing values", "SPL111", _imputed(_make("SimpleImputer", strategy="median")),
    _CELLS, _HOLES,
)  # fmt: skip
_register(
    "imputer_knn", "means of neighbours for missing values", "SPL111", _imputed(_make("KNNImputer"), most_rows=5000),
    _CELLS, _HOLES, in_data=False,
)  # fmt: skip
_register(
    "pca", "principal components", "SPL112", _components, _SHARES, "share of the components that were kept"
)
for _name, _smooth, _title in (
    ("target_means", 0.0, "target mean per level"),
    ("target_means_smoothed", 10.0, "smoothed target mean per level"),
):
    _register(
        _name, _title, "SPL113", _encoded(_smooth), _LEVELS,
        "levels, where a number has to be made a category (a category of 6 levels and more is taken as it is)",
    )  # fmt: skip
_register(
    "feature_selection", "the 20 best of many columns of noise", "SPL114", _selected, (200, 1000, 3000),
    "columns of noise that were candidates", in_data=False,
)  # fmt: skip
