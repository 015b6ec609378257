"""Each planted leak is what it says, by a count or a measurement of its own; the table given stays as it was."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn import datasets
from sklearn.metrics import roc_auc_score

from splitleak.errors import InputError
from splitleak.planting import KINDS, NotPlantable, Planted, fitted, plant
from splitleak.planting.honest_columns import leads_up_to
from splitleak.planting.partitions import _chance_of_as_many


def random_split(n: int, seed: int = 0, share: float = 0.2) -> np.ndarray:
    order = np.random.default_rng(seed).permutation(n)
    return np.where(order < round(share * n), "test", "train").astype(object)


def mixed(n: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    words = np.array(
        ["red", "blue", "heavy", "light", "old", "new", "round", "flat", "wide", "narrow", "left"]
    )
    texts = [" ".join(rng.choice(words, 9)) + f" {i}" for i in range(n)]
    numbers = rng.standard_normal((n, 6)).round(4)
    numbers[rng.random((n, 6)) < 0.03] = np.nan
    table = pd.DataFrame(numbers, columns=list("abcdef"), index=np.arange(n)[::-1] * 3)
    table["site of origin"] = rng.choice(["north", "south", "east", "west", "sea", "hill", "town"], n)
    table["pieces"] = rng.poisson(40, n)
    table["old"] = rng.random(n) < 0.4
    table["remark"] = texts
    table["answer"] = rng.choice(["no", "yes"], n, p=[0.7, 0.3])
    return table


def tables() -> dict[str, tuple[pd.DataFrame, str]]:
    found = {
        name: (getattr(datasets, f"load_{name}")(as_frame=True).frame.sample(rows, random_state=0), "target")
        for name, rows in (("breast_cancer", 300), ("iris", 150), ("diabetes", 250))
    }
    return {**found, "mixed": (mixed(500), "answer"), "images": (digits(), "digit")}


def digits(n: int = 240) -> pd.DataFrame:
    data = datasets.load_digits()
    images = [png(np.kron(image, np.ones((4, 4)))) for image in data.images[:n] * 15]
    return pd.DataFrame({"image": images, "digit": data.target[:n] % 2})


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def pixels(image: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(image)).convert("L"), dtype=np.int64)


TABLES = tables()
FITTED = [name for name in KINDS if name.endswith("_on_all")]


def some(kind: str, **options: object) -> list[Planted]:
    """Plant a kind in every table that allows it."""
    found = []
    for name, (table, target) in TABLES.items():
        try:
            found.append(plant(kind, table, target, random_split(len(table)), **options))
        except NotPlantable:
            continue
        found[-1].extra["name"] = name
    assert found, kind
    return found


def before(leak: Planted) -> pd.DataFrame:
    return TABLES[leak.extra["name"]][0]


def equal_rows(a: pd.DataFrame, b: pd.DataFrame) -> np.ndarray:
    """Say by plain comparison which rows of `a` are equal to a row of `b`."""
    known = {tuple(str(value) for value in row) for row in b.itertuples(index=False)}
    return np.array([tuple(str(value) for value in row) in known for row in a.itertuples(index=False)])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_planted_and_leaves_the_table_alone(kind: str) -> None:
    planted = 0
    for name, (table, target) in TABLES.items():
        copy, split = table.copy(deep=True), random_split(len(table))
        given_split = split.copy()
        try:
            leak = plant(kind, table, target, split, seed=4)
            again = plant(kind, table, target, split, seed=4)
        except NotPlantable as refusal:
            assert len(str(refusal)) > 15, name
            continue
        finally:
            pd.testing.assert_frame_equal(table, copy)
            assert (split == given_split).all()
        planted += 1
        pd.testing.assert_frame_equal(leak.table, again.table)
        assert (leak.split == again.split).all()
        assert np.array_equal(leak.rows, again.rows)
        check(leak)
    assert planted, f"{kind} can be planted in none of the tables"


def check(leak: Planted) -> None:
    kind = KINDS[leak.kind]
    assert len(leak.table) == len(leak.split)
    assert set(leak.columns) <= set(leak.table.columns)
    assert leak.target in leak.table.columns
    assert leak.rows.dtype == np.int64
    assert (np.diff(leak.rows) > 0).all()
    assert not len(leak.rows) or (leak.rows[0] >= 0 and leak.rows[-1] < len(leak.table))
    assert {"train", "test"} <= set(leak.split.tolist())
    assert kind.codes
    assert all(code.startswith("SPL") for code in leak.codes)
    assert not leak.table[leak.target].isna().any()
    assert leak.table.columns.is_unique
    if not leak.honest:
        assert leak.columns or len(leak.rows) or leak.kind in ("row_order_follows_target", "test_too_small")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_any_small_table_is_planted_or_refused_with_a_reason(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(12, 90))
    made: dict[str, Callable[[], object]] = {
        "numbers": lambda: rng.standard_normal(n),
        "holes": lambda: np.where(rng.random(n) < 0.3, np.nan, rng.gamma(1, size=n)),
        "counts": lambda: rng.integers(0, 30, n),
        "letters": lambda: rng.choice(list("abc"), n),
        "levels": lambda: pd.Categorical(rng.choice(["p", "q", "r", "s"], n)),
        "flags": lambda: rng.random(n) < 0.5,
        "one": lambda: np.full(n, 7.0),
        "dates": lambda: pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
        "nothing": lambda: [None] * n,
        "texts": lambda: [" ".join(rng.choice(list("abcdefgh"), 7)) for _ in range(n)],
    }
    names = rng.permutation(list(made))[: rng.integers(1, len(made))]
    table = pd.DataFrame({name: made[name]() for name in names})
    targets = [rng.choice(["u", "v"], n), rng.integers(0, 4, n), rng.standard_normal(n), rng.random(n) < 0.2]
    table["y"] = targets[int(rng.integers(4))]
    split = rng.choice(["train", "test", "dev"], n, p=[0.6, 0.3, 0.1]).astype(object)
    split[:2] = "train", "test"
    copy = table.copy(deep=True)
    for kind in rng.permutation(list(KINDS))[:25]:
        strength = ["weak", "ordinary", "strong"][int(rng.integers(3))]
        try:
            check(plant(kind, table, "y", split, strength=strength, seed=seed % 1000))
        except NotPlantable:
            continue
        finally:
            pd.testing.assert_frame_equal(table, copy)


@pytest.mark.parametrize("kind", ["copies_of_inputs", "copies_of_rows", "copies_with_other_targets"])
@pytest.mark.parametrize("strength", ["weak", "ordinary", "strong"])
def test_copies_are_equal_rows_and_as_many_as_said(kind: str, strength: str) -> None:
    for leak in some(kind, strength=strength):
        train, test = leak.split == "train", leak.split == "test"
        assert len(leak.rows) == max(2, round(leak.strength * test.sum()))
        assert test[leak.rows].all()
        x = leak.table.drop(columns=[leak.target]) if kind != "copies_of_rows" else leak.table
        assert equal_rows(x.iloc[leak.rows], x[train]).all()
        base = before(leak).drop(columns=[leak.target]) if kind != "copies_of_rows" else before(leak)
        by_nature = equal_rows(base[test], base[train]).sum()
        assert len(leak.rows) <= equal_rows(x[test], x[train]).sum() <= len(leak.rows) + by_nature
        if kind != "copies_of_rows":
            assert (leak.table[leak.target] == before(leak)[leak.target]).all()
        if kind == "copies_with_other_targets":
            assert not equal_rows(leak.table.iloc[leak.rows], leak.table[train]).any()


def test_conflicting_targets_disagree() -> None:
    for leak in some("conflicting_targets"):
        x = leak.table.drop(columns=[leak.target])
        partners = leak.extra["partners"]
        assert equal_rows(x.iloc[leak.rows], x.iloc[partners]).all()
        assert not equal_rows(leak.table.iloc[leak.rows], leak.table.iloc[partners]).any()


@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_near_copies_are_as_near_as_said(noise: float) -> None:
    for leak in some(f"near_copies_{noise}", strength="strong"):
        x = leak.table.drop(columns=[leak.target]).select_dtypes("number").to_numpy(float)
        numbers = before(leak).drop(columns=[leak.target]).select_dtypes("number")
        low, high = np.nanquantile(numbers, [0.25, 0.75], axis=0)
        scale = (high - low) / 1.349
        x = x[:, scale > 0] / scale[scale > 0]
        partners = x[leak.extra["partners"]]
        nearest = np.array([np.sqrt(np.nanmean((partners - row) ** 2, axis=1)).min() for row in x[leak.rows]])
        assert 0 < np.median(nearest) < 1.6 * noise


def test_copies_with_changed_columns_share_the_others() -> None:
    for leak in some("copies_with_changed_columns"):
        x = leak.table.drop(columns=[leak.target])
        partners = x.iloc[leak.extra["partners"]].astype(object).to_numpy()
        for row in x.iloc[leak.rows].astype(object).to_numpy():
            same = np.array([(partner == row) | (pd.isna(partner) & pd.isna(row)) for partner in partners])
            assert x.shape[1] - max(1, x.shape[1] // 5) <= same.sum(axis=1).max()
        assert not equal_rows(x.iloc[leak.rows], x[leak.split == "train"]).all()


def test_copies_with_changed_columns_are_never_equal_copies() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({f"x{i}": rng.normal(size=400) for i in range(4)})
    table["common"] = np.where(rng.random(400) < 0.03, "rare", "common")
    table["y"] = rng.integers(0, 2, 400)
    split = np.where(rng.random(400) < 0.3, "test", "train")
    for seed in range(5):
        leak = plant("copies_with_changed_columns", table, "y", split, strength="strong", seed=seed)
        x = leak.table.drop(columns=["y"])
        assert not equal_rows(x.iloc[leak.rows], x[leak.split == "train"]).any()


def test_copies_with_changed_columns_are_refused_where_rows_are_alike_by_nature() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({f"x{i}": rng.normal(size=200) for i in range(6)})
    table["y"] = rng.integers(0, 2, 200)
    split = np.where(np.arange(200) % 4 == 0, "test", "train")
    plant("copies_with_changed_columns", table, "y", split)
    table.iloc[:8:2, :5] = table.iloc[1:8:2, :5].to_numpy()
    with pytest.raises(NotPlantable, match=r"by nature 1.* share 5 of 6 columns"):
        plant("copies_with_changed_columns", table, "y", split)


def test_near_copies_of_texts_differ_in_few_words() -> None:
    for leak in some("near_copies_of_texts"):
        texts = leak.table[leak.columns[0]]
        sources = [texts.iloc[p].split() for p in leak.extra["partners"]]
        for row in leak.rows:
            words = texts.iloc[row].split()
            changed = [
                sum(a != b for a, b in zip(words, source, strict=True))
                for source in sources
                if len(source) == len(words)
            ]
            assert min(changed) == max(1, len(words) // 10)


@pytest.mark.parametrize("strength", ["weak", "ordinary", "strong"])
def test_proxies_have_the_strength_that_is_stated(strength: str) -> None:
    for kind in ("proxy", "proxy_not_monotone", "identifier_follows_target", "source_follows_target"):
        for leak in some(kind, strength=strength):
            x, y = leak.table[leak.columns[0]], leak.table[leak.target]
            sides = [y > y.median()] if y.nunique() > 20 else [y == c for c in y.unique()]
            if kind == "source_follows_target":
                shares = [x.map(side.groupby(x).mean()) for side in sides]
                best = max(roc_auc_score(side, share) for side, share in zip(sides, shares, strict=True))
                assert best >= leak.strength - 0.03
                continue
            if kind == "proxy_not_monotone":
                centre = (x.max() + x.min()) / 2
                assert x[y == y.unique()[0]].std() > 0
                x = (x - centre).abs()
            found = [max(a, 1 - a) for a in (roc_auc_score(side, x) for side in sides)]
            slack = 0.06 if kind == "proxy_not_monotone" else 0.012
            assert min(abs(a - leak.strength) for a in found) <= slack, (kind, leak.extra["name"], found)


def test_not_monotone_proxy_does_not_rank_the_target() -> None:
    for leak in some("proxy_not_monotone"):
        y = leak.table[leak.target] == leak.table[leak.target].max()
        assert abs(roc_auc_score(y, leak.table[leak.columns[0]]) - 0.5) < 0.2


def test_proxies_of_numbers_and_classes() -> None:
    for leak in some("proxy_of_number"):
        assert leak.table[[leak.columns[0], leak.target]].corr().iloc[0, 1] ** 2 == pytest.approx(
            0.99, abs=1e-3
        )
    for leak in some("proxy_of_number_not_monotone"):
        x, y = leak.table[leak.columns[0]], leak.table[leak.target]
        assert abs(x.corr(y, method="spearman")) < 0.9
        tenths = [(column.rank(method="first") - 1) * 10 // len(y) for column in (x, y)]
        assert 0.88 <= pd.crosstab(*tenths).max(axis=1).sum() / len(y) <= 1, "a tenth of x is a tenth of y"
    for leak in some("proxy_category"):
        x, y = leak.table[leak.columns[0]], leak.table[leak.target]
        assert 0.94 <= pd.crosstab(x, y).max(axis=1).sum() / len(y) <= 1
    for leak in some("proxy_of_classes"):
        means = leak.table.groupby(leak.target)[leak.columns[0]].mean().sort_values()
        x = leak.table[[leak.columns[0]]].to_numpy()
        guess = means.index.to_numpy()[np.abs(x - means.to_numpy()).argmin(axis=1)]
        assert (guess == leak.table[leak.target]).mean() == pytest.approx(0.95, abs=0.03)


def test_missing_values_follow_one_side() -> None:
    for leak in some("missing_follows_target"):
        y, hole = leak.table[leak.target], leak.table[leak.columns[0]].isna()
        sides = [y > y.median()] if y.nunique() > 20 else [y == c for c in y.unique()]
        assert max(roc_auc_score(side, hole) for side in sides) == pytest.approx(0.95, abs=0.05)


def test_a_value_of_one_class_is_there_only() -> None:
    for leak in some("value_of_one_class"):
        held = leak.table[leak.columns[0]] == leak.extra["value"]
        assert held.sum() == max(3, round(0.05 * len(held)))
        assert leak.table.loc[held, leak.target].nunique() == 1
        assert not (before(leak)[leak.columns[0]] == leak.extra["value"]).any()


def test_row_order_moves_whole_rows_with_their_partition() -> None:
    for leak in some("row_order_follows_target"):
        order = leak.extra["order"]
        pd.testing.assert_frame_equal(
            leak.table.reset_index(drop=True), before(leak).iloc[order].reset_index(drop=True)
        )
        assert (leak.split == random_split(len(order))[order]).all()
        y = leak.table[leak.target].to_numpy()
        sides = [y > np.median(y)] if len(np.unique(y)) > 20 else [y == c for c in np.unique(y)]
        assert max(roc_auc_score(side, np.arange(len(y))) for side in sides) >= 0.79


def test_xor_columns_know_nothing_alone() -> None:
    for leak in some("xor_of_two_columns", strength="strong"):
        a, b = (leak.table[name] for name in leak.columns)
        y = leak.table[leak.target]
        sides = [y > y.median()] if y.nunique() > 20 else [y == c for c in y.unique()]
        together = [(side == (a * b > 0)).all() for side in sides]
        assert any(together)
        side = sides[together.index(True)]
        assert max(abs(roc_auc_score(side, x) - 0.5) for x in (a, b)) < 0.15


def test_tokens_stand_on_one_side_only() -> None:
    for kind in ("tokens_tell_target", "tokens_tell_split", "half_of_a_pair"):
        for leak in some(kind):
            token = leak.extra["tokens"][0]
            held = leak.table[leak.columns[0]].str.contains(rf"\b{token}\b")
            assert np.array_equal(np.flatnonzero(held), leak.extra["holders"])
            if kind == "tokens_tell_split":
                assert set(leak.split[held.to_numpy()]) == {"test"}
                assert held.sum() == round(0.3 * (leak.split == "test").sum())
            elif leak.table[leak.target].nunique() < 20:
                assert leak.table.loc[held, leak.target].nunique() == 1


@pytest.mark.parametrize("kind", FITTED)
def test_the_fitted_object_made_the_table_from_all_rows(kind: str) -> None:
    for leak in some(kind)[::2]:
        raw, step = leak.extra["raw"], leak.extra["pipeline"]
        made = step.transform(raw.drop(columns=[leak.target]))
        pd.testing.assert_frame_equal(made, leak.table[made.columns], check_index_type=False)
        assert (raw[leak.target] == before(leak)[leak.target]).all()
        assert leak.extra["pipeline_codes"][0] == "SPL116"
        honest = plant(
            kind.replace("_on_all", "_honest"), before(leak), leak.target, random_split(len(made)), seed=0
        )
        assert honest.honest
        assert honest.extra["pipeline"] is not step


def test_what_was_fitted_is_that_of_all_rows_or_of_train() -> None:
    for name, (table, target) in TABLES.items():
        if name == "images":
            continue
        split = random_split(len(table))
        for kind, rows in (("on_all", np.full(len(table), True)), ("honest", split == "train")):
            scaled = plant(f"standard_scaler_{kind}", table, target, split)
            x = scaled.table.loc[rows, list(scaled.columns)].to_numpy(float)
            np.testing.assert_allclose(np.nanmean(x, axis=0), 0, atol=1e-9)
            np.testing.assert_allclose(np.nanstd(x, axis=0), 1, atol=1e-9)
            filled = plant(f"imputer_mean_{kind}", table, target, split)
            for column in filled.columns:
                raw = filled.extra["raw"][column]
                assert filled.table.loc[raw.isna(), column].to_numpy() == pytest.approx(
                    raw[rows].mean(), rel=1e-9
                )
            if name == "mixed":
                continue
            parts = plant(f"pca_{kind}", table, target, split)
            covariance = np.cov(parts.table.loc[rows, list(parts.columns)[:3]].to_numpy().T)
            np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-8)


def test_target_means_of_all_rows_and_out_of_fold() -> None:
    table, target = TABLES["diabetes"]
    leak = plant("target_means_on_all", table, target, random_split(len(table)))
    name = leak.columns[0]
    means = leak.table[target].groupby(leak.extra["raw"][name]).transform("mean")
    np.testing.assert_allclose(leak.table[name], means, rtol=1e-9)
    honest = plant("target_means_honest", table, target, random_split(len(table)))
    train = honest.split == "train"
    name = honest.columns[0]
    of_train = honest.table[target][train].groupby(honest.extra["raw"][name][train]).mean()
    np.testing.assert_allclose(honest.table[name][~train], honest.extra["raw"][name][~train].map(of_train))
    assert honest.table[name][train].nunique() > 1.5 * len(of_train), "train rows are encoded out of fold"


def test_resampled_rows_cross_only_before_the_split() -> None:
    for leak in some("oversampling_before_split"):
        x = leak.table.drop(columns=[leak.target])
        assert equal_rows(x.iloc[leak.rows], x[leak.split == "train"]).all()
        assert set(leak.rows) <= set(leak.extra["partners"])
    for leak in some("oversampling_of_train"):
        x, base = leak.table.drop(columns=[leak.target]), before(leak).drop(columns=[leak.target])
        split = random_split(len(base))
        crossing = [
            equal_rows(t[s == "test"], t[s == "train"]).sum() for t, s in ((x, leak.split), (base, split))
        ]
        assert crossing[0] == crossing[1]


def test_smote_rows_lie_on_the_line_between_two_train_rows() -> None:
    for leak in some("smote_before_split"):
        numbers = leak.table.drop(columns=[leak.target]).select_dtypes("float")
        x = ((numbers - numbers.mean()) / numbers.std()).to_numpy()
        partners = np.array([p for p in leak.extra["partners"] if leak.split[p] == "train"])
        assert (leak.split[leak.rows] == "test").all()
        for row in leak.rows[:10]:
            away = x[partners] - x[row]
            away /= np.linalg.norm(away, axis=1, keepdims=True)
            assert (away @ away.T).min() == pytest.approx(-1, abs=1e-9)


def test_dates_groups_and_entities_cross_as_said() -> None:
    for leak in some("train_after_test"):
        date = leak.table[leak.extra["time"]]
        assert np.array_equal(
            leak.rows, np.flatnonzero((leak.split == "test") & (date <= date[leak.split == "train"].max()))
        )
    for leak in some("train_before_test"):
        date = leak.table[leak.extra["time"]]
        assert date[leak.split == "train"].max() < date[leak.split == "test"].min()
    for leak in some("undeclared_time"):
        date = leak.table[leak.columns[0]].astype("int64")
        assert abs(roc_auc_score(leak.split == "test", date) - 0.5) < 0.2
    for kind in (
        "declared_groups_cross",
        "undeclared_entity",
        "undeclared_composite_key",
        "declared_groups_apart",
    ):
        for leak in some(kind):
            group = leak.table[list(leak.columns)].astype(str).agg(" ".join, axis=1)
            train, test = (set(group[leak.split == name]) for name in ("train", "test"))
            crosses = group.isin(train & test).to_numpy()
            assert np.array_equal(leak.rows, np.flatnonzero(crosses & (leak.split == "test")))
            assert np.array_equal(leak.extra["partners"], np.flatnonzero(crosses))
            assert bool(train & test) is not leak.honest
            if kind == "declared_groups_cross":
                share = group[leak.split == "test"].isin(train).mean()
                assert share + 0.02 >= 0.1
            if kind == "undeclared_composite_key":
                assert all(leak.table[name].nunique() < 0.7 * group.nunique() for name in leak.columns)


def test_splits_and_labels_are_changed_as_said() -> None:
    for leak in some("label_shift"):
        y, split = leak.table[leak.target], random_split(len(leak.table))
        change = pd.crosstab(y, leak.split)["test"] - pd.crosstab(y, split)["test"]
        assert change.max() == round(0.3 * (split == "test").sum())
        assert (leak.split == "test").sum() == (split == "test").sum()
    for leak in some("missing_class"):
        y = leak.table[leak.target]
        assert y[leak.split == "test"].nunique() == y[leak.split == "train"].nunique() - 1
    for leak in some("new_category"):
        x = leak.table[leak.columns[0]]
        rows = np.flatnonzero(~x.isin(x[leak.split == "train"].unique()).to_numpy())
        assert np.array_equal(rows, leak.rows)
    for leak in some("range_not_in_train"):
        x = leak.table[leak.columns[0]].to_numpy(float)
        assert (x[leak.rows] > np.nanmax(x[leak.split == "train"])).all()
    for leak in some("test_too_small", strength=8):
        assert (leak.split == "test").sum() == 8
    for leak in some("split_predictable", strength="strong"):
        x, base = leak.table[leak.columns[0]], before(leak)[leak.columns[0]]
        assert (x == base)[leak.split == "train"].dropna().sum() >= base[leak.split == "train"].notna().sum()
        assert x[leak.split == "test"].median() > base[leak.split == "test"].median()
    for leak in some("wrong_labels"):
        changed = np.flatnonzero((leak.table[leak.target] != before(leak)[leak.target]).to_numpy())
        assert np.array_equal(changed, leak.rows)
        assert len(changed) == round(0.05 * len(leak.table))


def test_what_cannot_be_planted_says_why() -> None:
    table, target = TABLES["diabetes"]
    split = random_split(len(table))
    with pytest.raises(NotPlantable, match="needs a target of classes, has a number"):
        plant("proxy", table, target, split)
    with pytest.raises(NotPlantable, match="needs a column of texts"):
        plant("near_copies_of_texts", table, target, split)
    coarse = pd.DataFrame({"a": np.arange(200) % 2, "b": np.arange(200) % 3, "y": np.arange(200) % 2})
    with pytest.raises(NotPlantable, match="have an equal train row as it is"):
        plant("copies_of_rows", coarse, "y", random_split(200))
    with pytest.raises(NotPlantable, match="target has missing values"):
        plant("proxy", coarse.assign(y=np.nan), "y", random_split(200))
    long = pd.DataFrame(np.random.default_rng(0).standard_normal((5001, 3)), columns=list("aby"))
    with pytest.raises(NotPlantable, match="takes too long on 5001 rows"):
        plant("imputer_knn_on_all", long, "y", random_split(5001))


def test_bad_arguments_are_refused() -> None:
    table, target = TABLES["iris"]
    split = random_split(len(table))
    with pytest.raises(InputError, match="kind='copy_of_rows' is not known; did you mean 'copies_of_rows'"):
        plant("copy_of_rows", table, target, split)
    with pytest.raises(InputError, match="strength='ordinry' is not known; did you mean 'ordinary'"):
        plant("proxy", table, target, split, strength="ordinry")
    with pytest.raises(InputError, match="target='label' is not a column"):
        plant("proxy", table, "label", split)
    with pytest.raises(InputError, match="one label per row: the table has 150 rows"):
        plant("proxy", table, target, split[:-1])
    with pytest.raises(InputError, match="no row of 'test'"):
        plant("proxy", table, target, np.full(len(table), "train"))
    twice = pd.concat([table, table.iloc[:, :1]], axis=1)
    with pytest.raises(InputError, match="several columns of one name"):
        plant("proxy", twice, target, split)


def test_medians_that_other_gaps_would_explain_are_refused() -> None:
    """Of a column of few values, any cell that holds the fill value may have been the missing one."""
    rng = np.random.default_rng(0)
    refused = 0
    for seed in range(20):
        coarse = pd.DataFrame({f"x{i}": np.round(rng.normal(0, 2, 200)) for i in range(2)}).assign(
            y=[0, 1] * 100
        )
        split = np.where(rng.random(200) < 0.2, "test", "train")
        try:
            leak = plant("imputer_median_on_all", coarse, "y", split, seed=seed)
        except NotPlantable as reason:
            refused += "other cells" in str(reason)
            continue
        assert "pipeline" in leak.extra
    assert refused
    fine = pd.DataFrame(rng.normal(0, 5, (200, 2)), columns=["x0", "x1"]).assign(y=[0, 1] * 100)
    assert plant("imputer_median_on_all", fine, "y", ["train"] * 150 + ["test"] * 50).columns == ("x0", "x1")


def test_a_median_half_way_between_two_rounded_numbers_is_not_refused() -> None:
    """No cell holds it by itself, so that no other gaps explain it; one that cells hold may be explained."""
    known = np.r_[np.arange(20.0), np.arange(20.0, 40.0)]
    train = np.r_[np.arange(19), np.arange(20, 38), np.arange(40, 50)]
    for value, refused in ((19.5, False), (19.0, True)):
        raw = pd.DataFrame({"x": np.r_[known, np.full(20, np.nan)]})
        work = fitted.Work(raw, None, ["x"])
        if refused:
            with pytest.raises(NotPlantable, match="as many other cells"):
                fitted._refuse_as_well(work, raw.fillna(value), train)
        else:
            fitted._refuse_as_well(work, raw.fillna(value), train)


def test_columns_into_which_nothing_leaked_are_told() -> None:
    """A number whose median is the same on train: filling from all rows gives what filling from train gives."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"mostly 0": rng.poisson(0.2, 900) * rng.integers(1, 30, 900), "x": rng.normal(size=900)}
    )
    table["y"] = [0, 1] * 450
    leak = plant("imputer_median_on_all", table, "y", random_split(900))
    assert leak.columns == ("mostly 0", "x")
    assert leak.extra["unchanged"] == ("mostly 0",)
    assert plant("imputer_mean_on_all", table, "y", random_split(900)).extra["unchanged"] == ()


@pytest.mark.parametrize("kind", ["mark_tells_target", "mark_tells_split"])
def test_marks_lie_in_a_corner_of_images_of_one_side(kind: str) -> None:
    for leak in some(kind):
        old, new = ([pixels(image) for image in table["image"]] for table in (before(leak), leak.table))
        touched = np.array([(a != b).any() for a, b in zip(old, new, strict=True)])
        side = leak.split == "test" if kind == "mark_tells_split" else leak.table[leak.target] == 1
        assert side[touched].all()
        assert touched.sum() == len(leak.extra["holders"]) == round(leak.strength * side.sum())
        for row in np.flatnonzero(touched):
            changed = old[row] != new[row]
            assert changed.sum() <= 4 * 4
            assert (new[row][changed] == 255).all()


def test_formats_and_light_follow_their_side() -> None:
    for leak in some("format_tells_target"):
        other = np.array([not image.startswith(b"\x89PNG") for image in leak.table["image"]])
        assert (leak.table[leak.target][other] == 1).all()
        assert all(
            (pixels(a) == pixels(b)).all()
            for a, b in zip(leak.table["image"], before(leak)["image"], strict=True)
        )
    for leak in some("brightness_tells_split"):
        lighter = [
            pixels(b).mean() - pixels(a).mean()
            for a, b in zip(before(leak)["image"], leak.table["image"], strict=True)
        ]
        assert (leak.split[np.array(lighter) > 1] == "test").all()


def test_copied_images_look_like_their_sources() -> None:
    for leak in some("copies_of_images"):
        assert (leak.split[leak.rows] == "test").all()
        for row, source in zip(leak.rows, leak.extra["partners"], strict=True):
            copy, original = (
                np.asarray(
                    Image.fromarray(pixels(leak.table["image"].iloc[i]).astype(np.uint8)).resize((16, 16)),
                    dtype=float,
                )
                for i in (row, source)
            )
            assert np.corrcoef(copy.ravel(), original.ravel())[0, 1] > 0.8


def test_copies_that_chance_gives_as_well_are_refused() -> None:
    iris = datasets.load_iris(as_frame=True).frame
    with pytest.raises(NotPlantable, match="could be chance as well"):
        plant("copies_of_rows", iris, "target", random_split(len(iris)))
    few = pd.DataFrame(np.random.default_rng(1).integers(0, 9, (27, 3)), columns=["a", "b", "c"])
    few = few.assign(y=[0, 1, 0] * 9)
    few.iloc[-2:, :3] = few.iloc[:2, :3].to_numpy()  # repeated in train, one with another target
    split = np.where(np.arange(27) % 5 == 2, "test", "train")
    for kind in ("copies_of_rows", "copies_of_inputs", "copies_with_other_targets"):
        with pytest.raises(NotPlantable, match="could be chance as well"):
            plant(kind, few, "y", split)
    many = plant("copies_of_rows", iris, "target", random_split(len(iris)), strength=0.3)
    assert many.rows.size == 9
    wine = datasets.load_wine(as_frame=True).frame
    assert plant("copies_of_rows", wine, "target", random_split(len(wine))).rows.size == 2


def test_a_token_no_stronger_than_the_words_of_the_texts_is_refused() -> None:
    rng = np.random.default_rng(0)
    y = rng.random(300) < 0.3
    texts = [
        f"win a prize of {i} pounds now" if yes and i % 2 else f"see you at number {i} then"
        for i, yes in enumerate(y)
    ]
    table = pd.DataFrame({"text": texts, "number": range(300), "y": np.where(y, "spam", "ham")})
    split = np.where(rng.random(300) < 0.2, "test", "train")
    with pytest.raises(NotPlantable, match="it tells the target as well"):
        plant("tokens_tell_target", table, "y", split)
    assert plant("tokens_tell_target", table, "y", split, strength="strong").columns == ("text",)


def test_a_proxy_no_stronger_than_an_honest_column_is_refused() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    table = pd.DataFrame({"known": y + 0.05 * rng.normal(size=300), "a": rng.normal(size=300), "y": y})
    split = np.where(rng.random(300) < 0.2, "test", "train")
    with pytest.raises(NotPlantable, match="column 'known' tells the target as well by itself"):
        plant("proxy", table, "y", split)
    assert plant("proxy", table.drop(columns="known"), "y", split).columns


def test_a_value_that_the_smallest_numbers_lead_up_to_is_refused() -> None:
    y = np.repeat([0, 1], 300)
    table = pd.DataFrame({"known": np.arange(600.0), "y": y})
    split = np.where(np.arange(600) % 5 == 0, "test", "train")
    outcomes = set()
    for seed in range(12):  # class 0 holds the smallest numbers, class 1 does not
        try:
            leak = plant("value_of_one_class", table, "y", split, seed=seed)
            outcomes.add(int(y[leak.extra["holders"][0]]))
        except NotPlantable as refusal:
            assert "the smallest numbers are of that class anyway" in str(refusal)
            outcomes.add(-1)
    assert outcomes == {1, -1}


def test_few_rows_beside_smallest_numbers_that_are_mostly_of_their_class_are_no_news() -> None:
    x = np.arange(600.0)
    mostly = x % 5 != 0  # four in five: 40 rows are one class by chance in 1 of 7,500 cases, 25 in 1 of 260
    assert leads_up_to(x, mostly, 25)
    assert not leads_up_to(x, mostly, 40)
    assert not leads_up_to(np.where(mostly, x + 600, x), mostly, 25)  # the smallest are of the other class
    assert leads_up_to(np.where(mostly, x, x + 600), mostly, 1000)  # all of the class


def test_a_class_that_chance_gives_to_test_as_often_is_not_moved() -> None:
    """Chance gave test 3 of its 30 rows where 10 would be even: with 9 more it holds 12, as random splits do."""
    y = np.tile([0, 1, 2], 50)
    table = pd.DataFrame({"x": np.arange(150.0), "y": y})
    even = np.where(np.arange(150) < 30, "test", "train")
    moved = plant("label_shift", table, "y", even, seed=0)
    few = np.concatenate([np.flatnonzero(y == k)[:n] for k, n in enumerate((3, 3, 24))])
    uneven = np.where(np.isin(np.arange(150), few), "test", "train")
    assert (moved.split != even).sum() == 18
    with pytest.raises(NotPlantable, match="as random splits of this size have in one table of a thousand"):
        plant("label_shift", table, "y", uneven, seed=0)
    test = random_split(150) == "test"
    rng = np.random.default_rng(0)
    held = np.array([(y[rng.permutation(150)[:30]] == 0).sum() for _ in range(20_000)])
    for more in (2, 5):
        at_random = float((held >= (y[test] == 0).sum() + more).mean())
        assert _chance_of_as_many(y == 0, test, more) == pytest.approx(at_random, abs=0.01)
