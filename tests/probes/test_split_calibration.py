"""What chance does is not called: the odds of SPL304, 307 and 308 hold exactly, over all splits of small tables."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitleak.errors import NotPlantable
from splitleak.planting import plant
from splitleak.probes.likeness import _alike, likeness
from splitleak.probes.new_ranges import _chances, _outermost, _Side
from splitleak.probes.split_prediction import column_test
from tests.probes.audits import ask, classes, halves


def sides_of(columns: np.ndarray, held: np.ndarray) -> list[_Side]:
    found = []
    for j, values in enumerate(columns):
        beyond = np.flatnonzero(values > values[~held].max())
        counts, chances, order = _outermost(np.sort(values)[::-1].astype(float), int(held.sum()))
        found.append(_Side(f"c{j}", "above", beyond, counts, chances, order))
    return found


@settings(max_examples=25)
@given(st.lists(st.lists(st.integers(0, 6), min_size=9, max_size=9), min_size=1, max_size=3))
def test_ranges_speak_no_more_often_than_they_say(columns: list[list[int]]) -> None:
    """Over all 126 splits of nine rows that hold out four: P(least chance <= t) <= t, whatever the values."""
    values = np.array(columns)
    least = []
    for chosen in combinations(range(9), 4):
        held = np.isin(np.arange(9), chosen)
        least.append(min(_chances(sides_of(values, held), 1.0)))
    found = np.sort(least)
    for t in np.unique(found[found < 1]):
        assert (found <= t + 1e-12).mean() <= t + 1e-12


def test_a_wide_gap_is_asked_first_and_costs_the_others_nothing() -> None:
    rng = np.random.default_rng(0)
    n = 500
    df = pd.DataFrame(rng.normal(size=(n, 30)), columns=[f"x{i}" for i in range(30)])
    split = halves(n, share=0.2)
    out = np.flatnonzero(split == "test")[:6]
    df.loc[out, "x7"] = df["x7"].max() + rng.uniform(1, 2, 6)
    found = ask(df, "SPL308", split)
    assert (found.status, found.columns, found.rows.tolist()) == ("caution", ("x7",), out.tolist())
    assert found.p_value is not None
    assert found.p_value < 60 * 0.2**6 / 8  # Bonferroni over 30 numbers and two sides: 60 times
    df["x7"] = df["x7"].round()  # few values: gaps between counts speak as well
    assert ask(df, "SPL308", split).columns == ("x7",)
    three = df.assign(x7=rng.normal(size=n))
    three.loc[out[:3], "x7"] = 50.0  # of any three rows all are held out in one split of 125
    assert ask(three, "SPL308", split).status == "clean"


def test_outliers_on_both_sides_of_the_split_are_no_new_range() -> None:
    rng = np.random.default_rng(1)
    df = pd.DataFrame({"x": rng.standard_cauchy(2000), "z": rng.lognormal(0, 3, 2000)})
    loud = [ask(df, "SPL308", halves(2000, seed=seed)).status for seed in range(20)]
    assert loud == ["clean"] * 20


def test_a_new_category_among_frequent_ones_needs_no_more_rows() -> None:
    rng = np.random.default_rng(2)
    n = 500
    df = pd.DataFrame({f"c{i}": rng.choice(list("abcdefgh"), n) for i in range(20)})
    split = halves(n, share=0.2)
    rows = np.flatnonzero(split == "test")[:5]
    df.loc[rows, "c3"] = "late"
    found = ask(df, "SPL307", split)
    assert (found.status, found.columns, found.rows.tolist()) == ("caution", ("c3",), rows.tolist())
    rare = df.assign(
        c4=[f"v{i // 5}" for i in range(n)]
    )  # a hundred values of five rows: one is held out by chance
    assert ask(rare, "SPL307", split).status == "clean"


@settings(max_examples=6)
@given(st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_categories_speak_no_more_often_than_they_say(values: list[int]) -> None:
    df = pd.DataFrame({"c": [f"v{v}" for v in values], "x": range(8)})
    least = []
    for chosen in list(combinations(range(8), 3))[::4]:
        found = ask(df, "SPL307", np.where(np.isin(np.arange(8), chosen), "test", "train"))
        least.append(1.0 if found.p_value is None else found.p_value)
    if len(set(values)) * 2 > len(values):
        return  # names: not asked
    counts = np.bincount(values)
    # the oracle: the chance that all rows of some value are held out, summed over the values as rare
    from scipy.stats import hypergeom

    single = sorted(float(hypergeom.sf(k - 1, 8, 3, k)) for k in counts if k)
    allowed = {round(float(sum(s for s in single if s <= limit * (1 + 1e-9))), 9) for limit in single} | {1.0}
    assert {round(min(1.0, p), 9) for p in least} <= {min(1.0, a) for a in allowed}


def test_a_shift_of_few_rows_is_seen() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(20):
        values = rng.normal(size=180)
        held = np.arange(180) < 36
        values[held] += 1
        column: Any = type("Column", (), {"kind": "numeric", "values": values})()
        hits += column_test(column, np.arange(180), held)[0] < 1e-3
    assert hits >= 18  # Kolmogorov and Smirnov's test alone: 14


def test_vectors_tell_the_split_as_well() -> None:
    rng = np.random.default_rng(8)
    df, split = classes(400), halves(400)
    vectors = rng.normal(size=(400, 8))
    df["embedding"] = list(vectors)
    assert ask(df, "SPL305", split).status == "clean"
    vectors[split == "test", 2:5] += 1
    df["embedding"] = list(vectors)
    for table in (df, df[["embedding"]]):
        found = ask(table, "SPL305", split)
        assert (found.status, found.columns) == ("caution", ("embedding",))


def test_the_variance_of_a_key_is_measured_beyond_its_parts() -> None:
    """Unequal entities in a grid that they fill: without Henderson's correction about half of it would be lost."""
    raw, beyond = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sizes = 1 + rng.geometric(0.2, 36)
        cell = np.repeat(np.arange(36), sizes)
        outcome = (rng.normal(size=36)[cell] + rng.normal(size=len(cell)))[:, None]
        parts = [cell // 6, cell % 6]
        raw.append(_alike(cell, outcome, []).variance)
        beyond.append(_alike(cell, outcome, parts).variance)
    assert np.mean(raw) == pytest.approx(1, abs=0.15)
    assert np.mean(beyond) == pytest.approx(1, abs=0.2)


def test_few_odd_labels_and_main_effects_are_no_entities() -> None:
    rng = np.random.default_rng(4)
    cell = np.repeat(np.arange(36), 6)
    parts = [cell // 6, cell % 6]
    entity = rng.normal(size=36)[cell] + 0.5 * rng.normal(size=216)
    additive = rng.normal(size=6)[parts[0]] + rng.normal(size=6)[parts[1]] + 0.5 * rng.normal(size=216)
    odd = np.isin(cell, [3, 17]) * 5.0 + 0.5 * rng.normal(size=216)
    assert likeness(cell, entity[:, None], parts) is not None
    assert likeness(cell, additive[:, None], parts) is None
    assert likeness(cell, odd[:, None], parts) is None


def test_two_numbers_are_a_key_only_where_one_is_named_so() -> None:
    rng = np.random.default_rng(5)
    n = 600
    entity = rng.permutation(n) % 100
    cell = rng.permutation(144)[entity]
    df = classes(n, effect=0)
    df["y"] = rng.normal(size=100)[entity] + 0.5 * rng.normal(size=n)
    df["first"], df["second"] = cell // 12, cell % 12
    assert ask(df, "SPL304", halves(n), target="y").status == "clean"
    named = df.rename(columns={"first": "household"})
    found = ask(named, "SPL304", halves(n), target="y")
    assert (found.status, set(found.columns)) == ("caution", {"household", "second"})


def test_a_measurement_that_bends_is_no_identity() -> None:
    rng = np.random.default_rng(6)
    x = rng.integers(0, 120, 1500)
    bend = np.sin(x / 5)
    df = pd.DataFrame(
        {"x": x, "a": bend + 0.3 * rng.normal(size=1500), "y": bend + 0.3 * rng.normal(size=1500)}
    )
    assert ask(df, "SPL304", halves(1500), target="y").status == "clean"


@pytest.mark.parametrize("kind", ["new_category", "range_not_in_train"])
def test_what_a_random_split_does_is_not_planted(kind: str) -> None:
    table = classes(300)
    with pytest.raises(NotPlantable, match="3 rows of test are few: .* in 1 of [12].. tables"):
        plant(kind, table, "y", halves(300, share=0.2))
    assert len(plant(kind, classes(800), "y", halves(800, share=0.2)).rows) == 7


def test_wrong_labels_that_nothing_could_tell_are_not_planted() -> None:
    split = halves(400)
    with pytest.raises(NotPlantable, match="it would contradict no more than of right ones"):
        plant("wrong_labels", classes(400), "y", split)
    rng = np.random.default_rng(7)
    rare = pd.DataFrame({"x": rng.normal(size=400), "y": np.arange(400) % 20 == 0})
    rare["x"] += 10 * rare["y"]
    with pytest.raises(
        NotPlantable, match="a class has 20 rows only: with 19 wrong ones it would be another"
    ):
        plant("wrong_labels", rare, "y", split)
    easy = pd.DataFrame({"x": rng.normal(size=400), "y": np.arange(400) % 2})
    easy["x"] += 10 * easy["y"]
    assert len(plant("wrong_labels", easy, "y", split).rows) == 20
