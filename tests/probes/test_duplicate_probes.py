"""SPL101, SPL102, SPL103, SPL115: copies, near copies, conflicting copies, resampling."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak.planting import plant
from splitleak.probes.equal_rows import linearly_dependent
from splitleak.probes.near_neighbours import scaling_p
from tests.probes.audits import ask, classes, halves

FAMILY = ["SPL101", "SPL102", "SPL103", "SPL115"]


def report(df: pd.DataFrame, split: object, **arguments: object) -> splitleak.LeakageReport:
    return splitleak.leakage_report(df, split, probes=FAMILY, impact=False, **arguments)


def discrete(n: int, columns: int, levels: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    df = pd.DataFrame(rng.integers(0, levels, (n, columns)), columns=[f"x{i}" for i in range(columns)])
    return df.assign(y=rng.integers(0, 2, n))


@pytest.mark.parametrize(
    ("kind", "code", "strength"),
    [
        ("copies_of_inputs", "SPL101", 0.04),
        ("copies_of_rows", "SPL101", 0.04),
        ("copies_with_other_targets", "SPL103", 0.04),
        ("conflicting_targets", "SPL103", 0.04),
        ("near_copies_0.01", "SPL102", 0.05),
        ("near_copies_0.05", "SPL102", 0.1),
        ("copies_with_changed_columns", "SPL102", 0.1),
        ("smote_before_split", "SPL115", 0.5),
        ("oversampling_before_split", "SPL115", 1.0),
    ],
)
def test_planted_rows_are_found_and_named(kind: str, code: str, strength: float) -> None:
    for seed in range(2):
        df = classes(400, 8, seed=seed)
        if kind == "oversampling_before_split":
            df = df[(df.y == "ill") | (np.arange(len(df)) % 4 == 0)].reset_index(drop=True)
        leak = plant(kind, df, "y", halves(len(df), seed), strength=strength, seed=seed)
        found = ask(leak.table, code, leak.split, target="y")
        assert found.status == ("caution" if code == "SPL103" else found.status)
        assert found.status in ("leak", "caution"), (kind, seed, found.explanation)
        allowed = {*leak.rows, *leak.extra.get("partners", ())}
        assert len(set(found.rows) & allowed) >= 0.8 * len(found.rows)
        assert len(set(found.rows) & set(leak.rows)) >= 0.8 * len(leak.rows)
        if kind in ("copies_of_rows", "smote_before_split", "oversampling_before_split"):
            assert found.status == "leak"


@pytest.mark.parametrize("kind", ["oversampling_of_train", "smote_of_train"])
def test_what_is_done_in_train_alone_is_honest(kind: str) -> None:
    df = classes(400, 8, seed=3)
    leak = plant(kind, df, "y", halves(len(df)), strength=1.0)
    found = report(leak.table, leak.split, target="y")
    assert found["SPL115"].status == found["SPL101"].status == "clean"


@pytest.mark.parametrize(("columns", "levels"), [(3, 2), (5, 3), (8, 3), (12, 2), (4, 12)])
def test_chance_explains_equal_rows_of_few_values(columns: int, levels: int) -> None:
    for seed in range(6):
        df = discrete(600, columns, levels, seed)
        answers = report(df, halves(600, seed), target="y")
        assert {r.status for r in answers.results} <= {"clean", "not_applicable"}, (seed, answers)


@pytest.mark.parametrize(("apart", "status"), [(30, "caution"), (0, "clean")])
def test_equal_rows_of_two_classes_are_no_chance_where_the_classes_are_far_apart(
    apart: int, status: str
) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        y = np.repeat([0, 1], 100)
        rows = np.round(
            rng.normal(0, 2.5, (200, 4)) + apart * y[:, None]
        )  # equal rows within a class are chance
        rows[:6] = rows[100:106]
        found = ask(pd.DataFrame(rows, columns=list("abcd")).assign(y=y), "SPL103", halves(200), target="y")
        assert found.status == status, found.explanation
        if apart:
            assert set(range(6)) <= set(found.rows)


def test_full_factorial_designs_products_and_sums_are_silent() -> None:
    rng = np.random.default_rng(0)
    levels = np.array(np.meshgrid(range(4), range(3), range(5), range(2))).reshape(4, -1).T
    design = pd.DataFrame(np.tile(levels, (3, 1)), columns=list("abcd"))
    design["y"] = design.a + rng.normal(size=len(design))
    product = rng.integers(0, 40, 900)
    facts = rng.normal(size=(40, 6))
    sales = pd.DataFrame(facts[product], columns=[f"fact{i}" for i in range(6)])
    sales["quantity"] = rng.integers(1, 6, 900)
    sales["y"] = rng.integers(0, 2, 900)
    mood = rng.normal(size=900)
    items = np.clip(np.round(3 + mood[:, None] + rng.normal(size=(900, 5))), 1, 5)
    survey = pd.DataFrame(items, columns=[f"item{i}" for i in range(5)]).assign(total=items.sum(axis=1))
    survey["y"] = rng.integers(0, 2, 900)
    for df in (design, sales, survey):
        answers = report(df, halves(len(df)), target="y")
        for code in ("SPL101", "SPL103", "SPL115"):
            assert answers[code].status in ("clean", "not_applicable"), (code, answers[code].explanation)


def test_false_alarms_on_clean_tables_of_numbers() -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(40, 500))
        df = pd.DataFrame(rng.standard_t(2, (n, 6)), columns=list("abcdef"))
        df["whole"] = rng.integers(0, 30, n)
        df["sum"] = df.a + df.b
        df["kind"] = rng.choice(["p", "q", None], n)
        df["y"] = rng.integers(0, 2, n)
        answers = report(df, halves(n, seed), target="y")
        assert {r.status for r in answers.results} <= {"clean", "not_applicable"}, (seed, answers)


def test_rows_renumbered_by_an_identifier_are_still_copies() -> None:
    df = classes(300, 5)
    split = halves(300)
    train, test = np.flatnonzero(split == "train"), np.flatnonzero(split == "test")
    df.iloc[test[:6]] = df.iloc[train[:6]].to_numpy()
    df = df.infer_objects().assign(id=np.random.default_rng(0).permutation(300) + 1000)
    found = ask(df, "SPL101", split, target="y")
    assert found.status == "leak"
    assert found.rows.tolist() == test[:6].tolist()
    assert set(found.partners) <= set(train[:6])
    assert "6 of" in found.explanation


def test_one_copied_row_of_numbers_is_a_caution() -> None:
    df = classes(400, 5)
    split = halves(400)
    train, test = np.flatnonzero(split == "train"), np.flatnonzero(split == "test")
    df.loc[test[0]] = df.loc[train[0]]
    assert ask(df, "SPL101", split, target="y").status == "caution"


def test_two_flats_of_one_house_at_two_prices_are_a_caution() -> None:
    df = classes(300, 5).assign(y=np.random.default_rng(0).normal(size=300))
    split = halves(300)
    train, test = np.flatnonzero(split == "train"), np.flatnonzero(split == "test")
    inputs = df.columns[:-1]
    df.loc[test[:2], inputs] = df.loc[train[:2], inputs].to_numpy()
    assert ask(df.infer_objects(), "SPL101", split, target="y").status == "caution"
    df.loc[test[:2]] = df.loc[train[:2]].to_numpy()
    assert ask(df.infer_objects(), "SPL101", split, target="y").status == "leak"


def test_one_mixture_at_several_ages_is_no_leak() -> None:
    rng = np.random.default_rng(0)
    mixture = np.repeat(rng.normal(size=(150, 7)), 2, axis=0)
    df = pd.DataFrame(mixture, columns=[f"part{i}" for i in range(7)])
    df["age"] = np.tile([28.0, 29.0], 150) + 0.3 * rng.random(300)
    df["strength"] = rng.normal(size=300)
    assert ask(df, "SPL102", halves(300), target="strength").status != "leak"


def test_copies_between_dev_and_test_count() -> None:
    df = classes(400, 5)
    split = np.repeat(["train", "dev", "test"], [200, 100, 100])
    df.loc[300:309] = df.loc[200:209].to_numpy()
    found = ask(df.infer_objects(), "SPL101", split, target="y")
    assert found.status == "leak"
    assert found.rows.tolist() == [*range(200, 210), *range(300, 310)]


def test_near_duplicate_texts_and_short_ones() -> None:
    rng = np.random.default_rng(0)
    words = np.array([a + b + c for a in "bdfgklm" for b in "aeiou" for c in ("n", "rk", "st")])
    texts = [" ".join(rng.choice(words, 15)) for _ in range(300)]
    split = halves(300)
    train, test = np.flatnonzero(split == "train"), np.flatnonzero(split == "test")
    for i in range(8):
        texts[test[i]] = texts[train[i]] + " end"
    df = pd.DataFrame({"text": texts, "n": rng.normal(size=300), "y": rng.integers(0, 2, 300)})
    found = ask(df, "SPL102", split, target="y")
    assert found.status == "leak"
    assert found.rows.tolist() == test[:8].tolist()
    assert ask(texts, "SPL102", split).status == "leak"
    short = ["all fine", "no comment now"] * 150
    assert ask(df.assign(text=short), "SPL102", split, target="y").status != "leak"
    assert ask(df.assign(text=short), "SPL101", split, target="y").status == "clean"


def test_the_callers_own_measure_is_used() -> None:
    df = classes(200, 4)
    split = halves(200)
    train, test = np.flatnonzero(split == "train"), np.flatnonzero(split == "test")
    df.loc[test[:5]] = df.loc[train[:5]].to_numpy()
    df = df.infer_objects()
    df.loc[test[:5], "x1"] += 0.001
    found = ask(df, "SPL102", split, target="y", similarity="gower", threshold=0.99)
    assert found.status == "leak"
    assert set(test[:5]) <= set(found.rows)
    matrix = np.eye(200)
    matrix[test[9:14], train[:5]] = matrix[train[:5], test[9:14]] = 0.95
    found = ask(classes(200, 4), "SPL102", split, target="y", similarity=matrix, threshold=0.9)
    assert found.rows.tolist() == test[9:14].tolist()
    assert found.partners.tolist() == train[:5].tolist()
    vectors = np.random.default_rng(0).normal(size=(200, 8))
    vectors[test[:5]] = vectors[train[:5]] * 1.01
    assert ask(vectors, "SPL102", split, similarity="cosine", threshold=0.99).status == "leak"


def test_rows_that_nothing_can_be_said_about() -> None:
    df = pd.DataFrame({"a": [1, 2] * 20, "y": [0, 1] * 20})
    answers = report(df, halves(40), target="y")
    assert (
        answers["SPL102"].status == answers["SPL115"].status or answers["SPL102"].status == "not_applicable"
    )
    assert "similarity=" in answers["SPL102"].explanation
    assert report(df, None, target="y")["SPL101"].status == "not_applicable"
    assert report(df, halves(40))["SPL103"].status == "not_applicable"


@pytest.mark.parametrize("kind", ["copies_of_rows", "near_copies_0.01", "smote_before_split"])
def test_row_order_and_table_library_do_not_matter(kind: str) -> None:
    df = classes(300, 6)
    leak = plant(kind, df, "y", halves(300), strength=0.1 if "copies" in kind else 0.5)
    df, split = leak.table, leak.split
    one = report(df, split, target="y")
    order = np.random.default_rng(1).permutation(len(df))
    two = report(df.iloc[order].reset_index(drop=True), split[order], target="y")
    three = report(pl.from_pandas(df), split, target="y")
    assert one.summary()["results"] == three.summary()["results"]
    for code in FAMILY:
        assert one[code].status == two[code].status
        assert sorted(order[two[code].rows]) == one[code].rows.tolist()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_odd_tables_never_crash(data: st.DataObject) -> None:
    n = data.draw(st.integers(6, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    kinds = {
        "number": lambda: rng.normal(size=n),
        "huge": lambda: rng.choice([1e300, -1e300, 1e-300, 0.0], n),
        "whole": lambda: rng.integers(0, 3, n),
        "missing": lambda: np.full(n, np.nan),
        "infinite": lambda: rng.choice([np.inf, -np.inf, 1.0, np.nan], n),
        "constant": lambda: np.zeros(n),
        "names": lambda: rng.choice(["a", "b", None], n),
        "ids": lambda: np.arange(n),
        "text": lambda: [" ".join(rng.choice(list("abcdefgh"), 12)) for _ in range(n)],
        "times": lambda: pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 9, n), unit="D"),
    }
    chosen = data.draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=8))
    df = pd.DataFrame({f"{name}{i}": kinds[name]() for i, name in enumerate(chosen)})
    df["y"] = np.arange(n) % data.draw(st.integers(2, 3))
    split = np.array(["train", "test"])[(np.arange(n) >= data.draw(st.integers(1, n - 1))).astype(int)]
    answers = report(df, split, target="y")
    assert len(answers.results) == len(FAMILY)


def test_wide_and_tiny_tables() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(60, 1500))).rename(columns=str)
    assert report(wide.assign(y=np.arange(60) % 2), halves(60), target="y").verdict == "clean"
    tiny = pd.DataFrame({"a": rng.normal(size=12), "y": [0, 1] * 6})
    assert report(tiny, ["train"] * 11 + ["test"], target="y").verdict == "clean"


def test_nearest_neighbours_of_uniform_rows_have_uniform_p_values() -> None:
    rng = np.random.default_rng(0)
    distance = np.sort(rng.random((4000, 20)) ** (1 / 3), axis=1)  # three dimensions
    p = scaling_p(distance)
    for level in (0.05, 0.01):
        assert (p < level).mean() <= 1.3 * level
    distance[:, 0] *= 1e-3
    assert (scaling_p(distance)[:40] < 1e-4).all()


def test_sums_and_multiples_are_found() -> None:
    import pyarrow as pa

    from splitleak.probes.columns import audit_column

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50))
    columns = [
        audit_column(str(i), pa.chunked_array([x])) for i, x in enumerate((a, b, a + b, rng.normal(size=50)))
    ]
    assert len(linearly_dependent(columns, np.arange(50), frozenset())) == 1
    assert 3 not in linearly_dependent(columns, np.arange(50), frozenset())


def test_rows_made_between_rounded_rows_that_differ_in_two_columns() -> None:
    rng = np.random.default_rng(0)
    rounded = pd.DataFrame(np.round(rng.normal(5, 1, (150, 4)), 1), columns=list("abcd"))
    pairs = rng.choice(150, (6, 2), replace=False)
    rounded.loc[pairs[:, 1], ["a", "b"]] = rounded.loc[pairs[:, 0], ["a", "b"]].to_numpy()
    at = rng.random((6, 1))
    first, second = (rounded.to_numpy()[pairs[:, i]] for i in (0, 1))
    made = pd.DataFrame(first + at * (second - first), columns=list("abcd"))
    split = np.array(["train"] * 120 + ["test"] * 30, dtype=object)
    split[pairs.ravel()] = "train"
    df = pd.concat([rounded, made], ignore_index=True)
    found = ask(df, "SPL115", np.append(split, ["test"] * 6))
    assert found.status == "leak"
    assert len(set(range(150, 156)) & set(found.rows)) >= 5  # not all have both of their parents near


def test_columns_that_are_equal_in_many_rows_are_on_a_line_by_nature() -> None:
    rng = np.random.default_rng(0)
    debts = pd.DataFrame(
        {"value": rng.integers(60, 99, 600) / 100, "all_debt": rng.integers(20, 50, 600) / 100}
    )
    fine = rng.random(600) < 0.1
    debts.loc[fine, "all_debt"] += rng.random(fine.sum()) / 1000
    debts["house_debt"] = np.where(rng.random(600) < 0.5, debts["all_debt"], rng.integers(10, 40, 600) / 100)
    debts["months"] = np.where(rng.random(600) < 0.5, 12 * debts["all_debt"], rng.integers(10, 40, 600))
    assert ask(debts, "SPL115", halves(600)).status == "clean"


def test_held_out_rows_with_a_twin_in_train_are_no_parents_of_rows_made_there() -> None:
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(np.round(rng.normal(5, 1, (60, 5)), 1), columns=list("abcde"))
    twins = pd.concat([numbers, numbers], ignore_index=True).assign(kind=["x"] * 60 + ["y"] * 60)
    first, second = rng.integers(60, size=40), rng.integers(60, size=40)
    at = rng.random((40, 1))
    made = twins.iloc[first].reset_index(drop=True)
    made[list("abcde")] = numbers.to_numpy()[first] * (1 - at) + at * numbers.to_numpy()[second]
    split = np.array(["train"] * 60 + ["test"] * 60 + ["train"] * 40)
    assert ask(pd.concat([twins, made], ignore_index=True), "SPL115", split).status == "clean"


def test_prices_of_numbers_of_items_are_on_a_line_by_nature() -> None:
    rng = np.random.default_rng(0)
    items = pd.DataFrame({"size": rng.integers(10, 30, 40) / 10, "weight": rng.integers(50, 90, 40) / 10})
    items["each"] = rng.integers(100, 999, 40) / 100
    sold = items.loc[rng.integers(0, 40, 600)].reset_index(drop=True)
    sold["number"] = rng.integers(1, 40, 600)
    sold["price"] = sold.pop("each") * sold["number"]
    sold["with_tax"] = sold["price"] * np.where(sold["size"] > 2, 1.19, 1.07)
    assert ask(sold, "SPL115", halves(600)).status == "clean"


def test_rows_between_two_others_on_a_grid_are_chance() -> None:
    rng = np.random.default_rng(0)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        df = pd.DataFrame(rng.normal(5, 1, (300, 4)).round(1), columns=list("abcd"))
        df["y"] = rng.integers(0, 2, 300)
        assert ask(df, "SPL115", halves(300, seed), target="y").status == "clean"


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_nearest_row_elsewhere_is_that_of_brute_force(data: st.DataObject) -> None:
    from splitleak.graph import SimilarityGraph
    from splitleak.probes.near_texts import nearest_elsewhere

    n = data.draw(st.integers(1, 14))
    values = np.array(data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)))
    sides = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n)))
    rank = np.array(data.draw(st.permutations(range(n))))
    alike = np.round(np.random.default_rng(data.draw(st.integers(0, 99))).random((6, 6)), 1)
    alike = np.maximum(alike, alike.T)
    np.fill_diagonal(alike, 1.0)
    _, copies = np.unique(values, return_inverse=True)
    copies = np.unique(values, return_index=True)[1][copies]
    kept = np.unique(copies)
    pairs = [(a, b) for a in kept for b in kept if a < b and alike[values[a], values[b]] >= 0.5]
    left, right = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in range(2))
    graph = SimilarityGraph.build(
        left,
        right,
        alike[values[left], values[right]],
        n_rows=n,
        threshold=0.5,
        measure="made up",
        copies=copies,
    )
    expected, most = {}, data.draw(st.integers(0, 20))
    for row in np.flatnonzero(sides > 0):
        form = (values[sides >= 0] == values[row]).sum() > most + 1
        near = np.flatnonzero((sides >= 0) & (sides != sides[row]) & (alike[values[row], values] >= 0.5))
        near = [r for r in near.tolist() if values[r] != values[row] or not form]
        if near:
            first = min(near, key=lambda r: (sides[r] != 0, -alike[values[row], values[r]], rank[r]))
            expected[int(row)] = (first, alike[values[row], values[first]], len(near))
    found = nearest_elsewhere(graph, sides, rank, most_copies=most)
    assert {int(r): (p, s, d) for r, p, s, d in zip(*found, strict=True)} == expected


@pytest.mark.parametrize(("length", "status"), [(90, "leak"), (40, "caution")])
def test_equal_texts_in_rows_that_differ_elsewhere_are_found(length: int, status: str) -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame({"text": ["".join(rng.choice(list("abcdefgh jklmn"), length)) for _ in range(300)]})
    df["number"] = rng.normal(size=300)
    df.loc[280:, "text"] = df.loc[:19, "text"].to_numpy()
    found = ask(df, "SPL102", np.repeat(["train", "test"], [200, 100]))
    assert found.status == status  # names and titles may stand for several things
    assert found.rows.tolist() == list(range(280, 300))
    assert found.partners.tolist() == list(range(20))
    alone = ask(
        df[["text"]].assign(y=df["number"]), "SPL102", np.repeat(["train", "test"], [200, 100]), target="y"
    )
    assert alone.status == "clean"  # rows equal in all features are another probe's


def test_rows_of_which_nothing_is_known_are_no_copies() -> None:
    df = classes(300, 6).drop(columns="y")
    df.loc[::20] = np.nan
    for code in ("SPL101", "SPL102"):
        assert ask(df, code, halves(300)).status == "clean"
    df.loc[1::20] = df.loc[1].to_numpy()
    assert ask(df, "SPL101", halves(300)).status != "clean"


def test_measured_columns_named_alone_are_no_leak_by_chance() -> None:
    from sklearn.datasets import load_iris

    flowers = load_iris(as_frame=True).frame
    fold = np.where(np.random.default_rng(0).random(len(flowers)) < 0.7, "train", "test")
    columns = [name for name in flowers.columns if name != "target"]
    report = splitleak.leakage_report(
        flowers.assign(fold=fold), "fold", target="target", on=columns, probes=["SPL102"], impact=False
    )
    assert report["SPL102"].status == "clean"
