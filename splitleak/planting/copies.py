"""Rows of train that stand in test again: as they are, a little changed, or with another target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak.errors import NotPlantable
from splitleak.planting.base import Labels, Leak, Rng, Rows, planted
from splitleak.planting.facts import fact
from splitleak.planting.tables import (
    as_written,
    class_codes,
    inputs,
    is_number,
    number_columns,
    positions,
    replaced,
    robust_scale,
    row_keys,
    text_columns,
    values,
)

_MOST_MOVED, _TURNS = 5_000, 200
_ODDS = 0.01 / 32  # what a report that may be wrong once in a hundred leaves each of its probes
_SHARE = "share of the test rows that are copies of train rows (2 rows at least)"


@planted(
    "copies_of_inputs", "train rows copied into test, targets as they were", ("SPL101",),
    weak=0.01, ordinary=0.02, strong=0.1, meaning=_SHARE,
)  # fmt: skip
def copies_of_inputs(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    refuse_common_rows(inputs(table, target), split, strength)
    _refuse_chance_rows(inputs(table, target), split, strength)
    rows, sources = draw(split, rng, strength)
    out = _copied(table, rows, sources)
    out[target] = table[target].array
    return Leak(out, split, rows=rows, extra={"partners": sources})


@planted(
    "copies_of_rows", "train rows copied into test, target included", ("SPL101",),
    weak=0.01, ordinary=0.02, strong=0.1, meaning=_SHARE,
)  # fmt: skip
def copies_of_rows(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    refuse_common_rows(inputs(table, target), split, strength)
    _refuse_chance_rows(inputs(table, target), split, strength)
    rows, sources = draw(split, rng, strength)
    return Leak(_copied(table, rows, sources), split, rows=rows, extra={"partners": sources})


@planted(
    "copies_with_other_targets", "train rows copied into test with another target", ("SPL101", "SPL103"),
    weak=0.01, ordinary=0.02, strong=0.1, meaning=_SHARE,
)  # fmt: skip
def copies_with_other_targets(
    table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float
) -> Leak:
    refuse_common_rows(inputs(table, target), split, strength)
    _refuse_chance_rows(inputs(table, target), split, strength, class_codes(table, target))
    rows, _ = draw(split, rng, strength)
    sources = _of_other_target(table, target, rows, positions(split, "train"), rng)
    out = _copied(table, rows, sources)
    out[target] = table[target].array
    return Leak(out, split, rows=rows, extra={"partners": sources})


@planted(
    "conflicting_targets", "equal inputs anywhere with targets that disagree", ("SPL103",),
    weak=0.01, ordinary=0.02, strong=0.1,
    meaning="share of all rows that repeat another row's inputs with another target (2 rows at least)",
)  # fmt: skip
def conflicting_targets(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    refuse_common_rows(inputs(table, target), split, strength)
    n = len(table)
    rows = rng.choice(n, _count(strength, n), replace=False).astype(np.int64)
    sources = _of_other_target(table, target, rows, np.setdiff1d(np.arange(n), rows), rng)
    out = _copied(table, rows, sources)
    out[target] = table[target].array
    return Leak(out, split, rows=rows, extra={"partners": sources})


def _near(noise: float) -> Callable[[pd.DataFrame, Any, Labels, Rng, float], Leak]:
    def near_copies(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
        names = number_columns(table, target, least=2)
        _refuse_close_rows(table[names], split, noise)
        rows, sources = draw(split, rng, strength, least=3)
        out = _copied(table, rows, sources)
        for name in names:
            x = values(out[name])
            x[rows] += rng.standard_normal(len(rows)) * noise * robust_scale(values(table[name]))
            x[rows] = as_written(x[rows], table[name])
            out = replaced(out, name, x)
        exact = row_keys(inputs(out, target))
        if np.isin(exact[rows], exact[sources]).mean() > 0.2:
            raise NotPlantable(f"numbers are too coarse for a noise of {noise} standard deviations")
        return Leak(out, split, rows=rows, extra={"partners": sources})

    return near_copies


for _noise in (0.01, 0.05):
    planted(
        f"near_copies_{_noise}", f"train rows copied into test with a noise of {_noise} robust standard deviations",
        ("SPL102",), weak=0.02, ordinary=0.05, strong=0.2,
        meaning="share of the test rows that are near copies of train rows (3 rows at least)",
    )(_near(_noise))  # fmt: skip


@planted(
    "copies_with_changed_columns", "train rows copied into test, a fifth of their columns from other rows",
    ("SPL102",), weak=0.02, ordinary=0.05, strong=0.2,
    meaning="share of the test rows that are such copies of train rows (3 rows at least)",
)  # fmt: skip
def copies_with_changed_columns(
    table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float
) -> Leak:
    names = [name for name in table.columns if name != target]
    change = max(1, len(names) // 5)
    _refuse_alike_rows(table[names], split, len(names) - change, rng)
    _refuse_chance_alike(table[names], split, len(names) - change, strength)
    rows, sources = draw(split, rng, strength, least=3)
    out = _copied(table, rows, sources)
    order = np.tile(np.arange(len(table)), (len(names), 1))  # which row each cell of a column is taken from
    codes = _codes(out[names])
    for row in rows:
        for _ in range(_TURNS):  # a row of which nothing came out different would be an equal copy
            columns, donors = (
                rng.choice(len(names), change, replace=False),
                rng.integers(len(table), size=change),
            )
            if (codes[donors, columns] != codes[row, columns]).any():
                break
        order[columns, row] = donors
    for i, name in enumerate(names):
        out[name] = out[name].take(order[i]).array
    return Leak(out, split, rows=rows, extra={"partners": sources})


@planted(
    "near_copies_of_texts", "train texts copied into test, a tenth of their words changed", ("SPL102",),
    weak=0.02, ordinary=0.05, strong=0.2,
    meaning="share of the test rows that are near copies of train rows (3 rows at least)",
)  # fmt: skip
def near_copies_of_texts(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    names = text_columns(table, target)
    if not names:
        raise NotPlantable("needs a column of texts")
    rows, sources = draw(split, rng, strength, least=3)
    long = table[names[0]].fillna("").str.count(r"\S+").to_numpy() >= 6
    able = np.intersect1d(positions(split, "train"), np.flatnonzero(long))
    if len(able) < len(rows):
        raise NotPlantable("needs train texts of 6 words and more")
    sources = rng.choice(able, len(rows), replace=False).astype(np.int64)
    out = _copied(table, rows, sources)
    lexicon = np.unique(" ".join(table[names[0]].dropna().tolist()[:2000]).split())
    texts = out[names[0]].tolist()
    for row in rows:
        words = texts[row].split()
        for place in rng.choice(len(words), max(1, len(words) // 10), replace=False):
            words[place] = str(rng.choice(lexicon[lexicon != words[place]]))
        texts[row] = " ".join(words)
    out[names[0]] = pd.Series(texts, index=out.index, dtype=table[names[0]].dtype)
    return Leak(out, split, columns=(names[0],), rows=rows, extra={"partners": sources})


def _count(share: float, n: int, least: int = 2) -> int:
    count = max(least, round(share * n))
    if 2 * count > n:
        raise NotPlantable(f"{count} of {n} rows would be copies")
    return count


def draw(split: Labels, rng: Rng, share: float, least: int = 2) -> tuple[Rows, Rows]:
    """Draw test rows to be overwritten, and as many train rows."""
    train, test = positions(split, "train"), positions(split, "test")
    count = _count(share, len(test), least)
    if count > len(train):
        raise NotPlantable(f"{count} rows are to be copied, train has {len(train)}")
    return rng.choice(test, count, replace=False), rng.choice(train, count, replace=False)


def _copied(table: pd.DataFrame, rows: Rows, sources: Rows) -> pd.DataFrame:
    order = np.arange(len(table))
    order[rows] = sources
    return table.take(order).set_axis(table.index)


def _of_other_target(table: pd.DataFrame, target: Any, rows: Rows, pool: Rows, rng: Rng) -> Rows:
    """Draw for each row another row of the pool whose target disagrees."""
    codes = class_codes(table, target)
    y = values(table[target]) if codes is None else codes.astype(np.float64)
    apart = float(y.std()) if codes is None else 0.5
    if len(pool) < len(rows):
        raise NotPlantable("too few rows to copy from")
    pool = rng.permutation(pool)
    sources, free = pool[: len(rows)].copy(), y[pool[len(rows) :]]
    for i in np.flatnonzero(np.abs(y[sources] - y[rows]) <= apart):
        able = np.flatnonzero(np.abs(free - y[rows[i]]) > apart)  # a row that is taken is NaN: never able
        if not len(able):
            raise NotPlantable("too few rows have another target")
        sources[i] = pool[len(rows) + able[0]]
        free[able[0]] = np.nan
    return sources.astype(np.int64)


def refuse_common_rows(table: pd.DataFrame, split: Labels, share: float) -> None:
    """Refuse where rows of test have equal rows in train as it is."""
    known = fact("common rows", lambda: _common(row_keys(table), split))
    if known > max(share, 2 / max(1, (split == "test").sum())) / 2:
        raise NotPlantable(
            f"{known:.1%} of the test rows have an equal train row as it is: copies would not stand out"
        )


def _common(keys: NDArray[np.uint64], split: Labels) -> float:
    """Return the share of the test rows that equal a train row."""
    return float(np.isin(keys[split == "test"], keys[split == "train"]).mean())


def _refuse_chance_rows(
    table: pd.DataFrame, split: Labels, share: float, classes: Rows | None = None
) -> None:
    """Refuse where chance gives so many equal rows (with `classes`: of two classes) that copies could be chance.

    Chance gives test as many as the whole table has, of its pairs those that cross; or more, where numbers are rounded:
    every number of ten levels and more goes to the level above or below, by lot, a draw from the table's distribution,
    smoothed by one step. Rows that were equal before do not count there.
    """
    from scipy.stats import poisson

    if len(table) > _MOST_MOVED:
        return
    labels = np.zeros(len(table), np.int64) if classes is None else classes
    test = np.asarray(split == "test")
    apart = classes is not None
    crossing = 2 * float(test.mean()) * float((split == "train").mean())
    expected = fact(
        ("equal rows by chance", apart),
        lambda: max(
            crossing * _equal_pairs(row_keys(table), labels, apart), _moved_pairs(table, test, labels, apart)
        ),
    )
    count = max(2, round(share * int(test.sum())))
    if poisson.sf(count - 1, expected) > _ODDS:
        raise NotPlantable(
            f"chance gives {expected:.2g} test rows that equal a train row: {count} copies could be chance as well"
        )


def _equal_pairs(keys: NDArray[Any], labels: Rows, apart: bool) -> float:
    """Return the pairs of equal rows, with `apart` those of two labels."""
    whole, group = np.unique(keys, return_inverse=True)
    sizes = np.bincount(group, minlength=len(whole))
    pairs = float((sizes * (sizes - 1.0) / 2).sum())
    if not apart:
        return pairs
    sizes = np.unique(group * (int(labels.max()) + 1) + labels, return_counts=True)[1]
    return pairs - float((sizes * (sizes - 1.0) / 2).sum())


def _moved_pairs(table: pd.DataFrame, test: NDArray[np.bool_], labels: Rows, apart: bool) -> float:
    """Return how many test rows equal a train row, and did not before, when each number goes one level up or down."""
    texts = [not is_number(table[name]) for name in table]
    codes: NDArray[np.int64] = np.column_stack(
        [
            pd.factorize(row_keys(table[[name]]) if text else table[name], sort=True)[0]
            for name, text in zip(table, texts, strict=True)
        ]
    )
    top, rng = codes.max(axis=0), np.random.default_rng(0)
    moved = ~np.array(texts) & (top >= 9)
    if moved.sum() < 3:
        return 0.0
    before, total = row_keys(pd.DataFrame(codes)), 0
    for turn in range(_TURNS):
        step = rng.choice([-1, 1], codes.shape) * moved
        keys = row_keys(pd.DataFrame(np.where(codes >= 0, np.clip(codes + step, 0, top), codes)))
        for row in np.flatnonzero(test & np.isin(keys, keys[~test])):
            others = np.flatnonzero((keys == keys[row]) & ~test)
            others = others[labels[others] != labels[row]] if apart else others
            total += bool(len(others)) and before[row] not in before[others]
        if turn == _TURNS // 10 and not total:
            return 0.0
    return total / _TURNS


def _refuse_close_rows(numbers: pd.DataFrame, split: Labels, noise: float) -> None:
    """Refuse where rows have other rows about as near as the copies would be: no method could tell them apart."""
    near = fact(("nearest rows", tuple(numbers)), lambda: _nearest(numbers, split))
    if near < 4 * noise:
        raise NotPlantable(
            f"a tenth of the test rows have a train row within {near:.3f} standard deviations as it is: "
            f"copies with a noise of {noise} would not stand out"
        )


def _nearest(numbers: pd.DataFrame, split: Labels) -> float:
    """Return within how many standard deviations a tenth of the test rows have a train row, on the average column."""
    from sklearn.neighbors import NearestNeighbors

    x = np.column_stack([values(numbers[name]) / robust_scale(values(numbers[name])) for name in numbers])
    x = np.where(np.isnan(x), np.nanmedian(x, axis=0), x)
    train, test = x[split == "train"][:5000], x[split == "test"][:500]
    distance, _ = NearestNeighbors(n_neighbors=1).fit(train).kneighbors(test)
    return float(np.quantile(distance[:, 0], 0.1)) / float(np.sqrt(x.shape[1]))


def _refuse_alike_rows(table: pd.DataFrame, split: Labels, agree: int, rng: Rng) -> None:
    """Refuse where rows share as many columns with some other row as the copies would."""
    if table.shape[1] < 5:
        raise NotPlantable(f"needs 5 columns beside the target, has {table.shape[1]}")
    codes = _codes(table)
    train, test = codes[split == "train"], codes[split == "test"]
    sample = test[rng.permutation(len(test))[:200]]
    train = train[rng.permutation(len(train))[:5000]]
    most = np.array([(train == row).sum(axis=1).max() for row in sample])
    if np.quantile(most, 0.9) > agree - 2:
        raise NotPlantable(
            f"a tenth of the test rows share {int(np.quantile(most, 0.9))} of {table.shape[1]} columns "
            "with a train row as it is: copies would not stand out"
        )


def _codes(table: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number for each value of each column; missing is a value."""
    return np.column_stack([pd.factorize(table[name], use_na_sentinel=False)[0] for name in table])


def _refuse_chance_alike(table: pd.DataFrame, split: Labels, agree: int, share: float) -> None:
    """Refuse where so many rows share as many columns with another row by nature that the copies could be some."""
    from scipy.stats import poisson

    alike = fact(("rows alike", tuple(table), agree), lambda: _alike(table, agree))
    n = int((split == "test").sum())
    expected, count = alike * float((split == "train").mean()) * n, max(3, round(share * n))
    if poisson.sf(count - 1, expected) > _ODDS:
        raise NotPlantable(
            f"by nature {expected:.2g} test rows share {agree} of {table.shape[1]} columns with a train row: "
            f"{count} copies could be such rows as well"
        )


def _alike(table: pd.DataFrame, agree: int) -> float:
    """Return the share of the rows (of 2,000 at most) that share `agree` columns, but not all, with another one."""
    codes = _codes(table)
    codes = codes[np.random.default_rng(0).permutation(len(codes))[:_MOST_MOVED]]
    equal = [(codes == row).sum(axis=1) for row in codes[:2000]]
    return float(np.mean([((same >= agree) & (same < codes.shape[1])).any() for same in equal]))
