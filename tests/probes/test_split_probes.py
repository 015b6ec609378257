"""SPL301-308: is the held-out part what will be met? Each fires, stays silent, and says when it cannot look."""

import numpy as np
import pandas as pd
import pytest

import splitleak
from tests.probes.audits import ask, classes, halves

CODES = ["SPL302", "SPL304", "SPL305", "SPL306", "SPL307", "SPL308"]


def dated(n: int = 400, seed: int = 0) -> pd.DataFrame:
    df = classes(n, seed=seed)
    df["day"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(np.arange(n), unit="D")
    return df


def test_training_rows_after_test_rows() -> None:
    df = dated()
    by_time = np.where(np.arange(400) < 300, "train", "test")
    assert ask(df, "SPL301", by_time, time="day").status == "clean"
    by_time[[10, 20]] = "test"
    found = ask(df, "SPL301", by_time, time="day")
    assert (found.status, found.rows.tolist()) == ("leak", [10, 20])
    assert ask(df, "SPL301", by_time).status == "not_applicable"


def test_equal_times_on_both_sides_are_no_leak() -> None:
    df = pd.DataFrame({"t": [1, 2, 3, 3], "x": [0, 1, 2, 3]})
    assert ask(df, "SPL301", ["train", "train", "train", "test"], time="t").status == "clean"


def test_an_undeclared_time_with_drift() -> None:
    df = dated()
    split = halves(400)
    found = ask(df, "SPL302", split, target="y")
    assert (found.status, found.columns) == ("caution", ("day",))
    assert "no drift" in found.explanation
    born = df.rename(columns={"day": "birth_day"})
    assert ask(born, "SPL302", split, target="y").status == "clean"
    df["x0"] += np.arange(400) / 60
    found = ask(df, "SPL302", split, target="y")
    assert (found.status, found.columns) == ("caution", ("day",))
    by_time = np.where(np.arange(400) < 300, "train", "test")
    assert ask(df, "SPL302", by_time, target="y").status == "clean"
    assert ask(df.drop(columns="day"), "SPL302", split).status == "not_applicable"


def patients(seed: int = 0, n_patients: int = 60, rows: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n_patients), rows)
    base = rng.normal(size=(n_patients, 5))
    df = pd.DataFrame(base[who] + 0.3 * rng.normal(size=(len(who), 5)), columns=list("abcde"))
    df["patient"] = [f"p{i:03d}" for i in who]
    df["y"] = (base[who, 0] > 0).astype(int)
    return df


def test_undeclared_patients() -> None:
    df = patients()
    found = ask(df, "SPL304", halves(len(df)), target="y")
    assert (found.status, found.columns) == ("caution", ("patient",))
    by_patient = np.where(df.patient < "p045", "train", "test")
    assert ask(df, "SPL304", by_patient, target="y").status == "clean"
    declared = ask(df, "SPL304", halves(len(df)), target="y", groups="patient")
    assert declared.status == "clean"


def test_a_composite_key() -> None:
    rng = np.random.default_rng(0)
    ward, bed = np.repeat(np.arange(12), 60), np.tile(np.repeat(np.arange(12), 5), 12)
    base = rng.normal(size=(144, 4))
    df = pd.DataFrame(base[ward * 12 + bed] + 0.2 * rng.normal(size=(720, 4)), columns=list("abcd"))
    df["ward"], df["bed"] = [f"w{i}" for i in ward], [f"b{i}" for i in bed]
    df["y"] = np.where(df.a > 0, "ill", "well")
    found = ask(df, "SPL304", halves(len(df)), target="y")
    assert (found.status, set(found.columns)) == ("caution", {"ward", "bed"})


def test_ages_and_years_are_no_entities() -> None:
    rng = np.random.default_rng(0)
    age = rng.integers(18, 80, 600)
    df = pd.DataFrame(
        {"age": age, "pressure": age + rng.normal(0, 5, 600), "rate": 200 - age + rng.normal(0, 5, 600)}
    )
    assert ask(df, "SPL304", halves(600)).status == "clean"


def test_a_split_that_can_be_predicted() -> None:
    df = classes(600)
    split = halves(600)
    assert ask(df, "SPL305", split, target="y").status == "clean"
    df.loc[split == "test", "x2"] += 1.0
    found = ask(df, "SPL305", split, target="y")
    assert (found.status, found.columns) == ("caution", ("x2",))
    assert found.effect > 0.6


def test_a_split_made_of_clusters_is_judged_by_clusters() -> None:
    df = patients(n_patients=100)
    made = splitleak.split_by_similarity(
        df, on="patient", similarity="exact", sizes={"train": 0.7, "test": 0.3}
    )
    named = splitleak.Split(made.names, made.codes, clusters=made.clusters)
    assert ask(df, "SPL305", named).status in ("clean", "not_applicable")


def test_class_balance() -> None:
    df = classes(600)
    split = halves(600)
    assert ask(df, "SPL306", split, target="y").status == "clean"
    skewed = np.where((df.y == "ill") & (np.arange(600) % 2 == 0), "test", "train")
    assert ask(df, "SPL306", skewed, target="y").status == "caution"
    df["three"] = np.where(split == "test", "a", np.random.default_rng(0).choice(["a", "b"], 600))
    found = ask(df.drop(columns="y"), "SPL306", split, target="three")
    assert found.status == "caution"
    assert found.evidence[0]["class"] == "b"


def test_new_categories_and_ranges() -> None:
    df = classes(600)
    split = halves(600)
    df.loc[(split == "test") & (np.arange(600) % 3 == 0), "colour"] = "violet"
    found = ask(df, "SPL307", split, target="y")
    assert (found.status, found.columns) == ("caution", ("colour",))
    assert (df.colour[found.rows] == "violet").all()
    df.loc[(split == "test") & (np.arange(600) % 3 == 0), "x1"] += 50
    found = ask(df, "SPL308", split, target="y")
    assert (found.status, found.columns) == ("caution", ("x1",))
    assert (df.x1[found.rows] > 30).all()


@pytest.mark.parametrize("code", CODES)
def test_random_splits_of_honest_tables_raise_no_alarm(code: str) -> None:
    alarms = 0
    for seed in range(12):
        df = dated(160, seed=seed).drop(columns="y" if code == "SPL302" else [])
        df["year"] = np.random.default_rng([seed, 3]).integers(1990, 2020, len(df))
        df = df.drop(columns="day")
        df["patient"] = np.random.default_rng([seed, 1]).integers(0, 30, len(df))
        target = None if code == "SPL302" else "y"
        alarms += ask(df, code, halves(len(df), seed), target=target).status in ("leak", "caution")
    assert alarms == 0


@pytest.mark.parametrize("code", CODES)
def test_tiny_tables_get_an_answer(code: str) -> None:
    df = classes(12)
    assert ask(df, code, ["train"] * 9 + ["test"] * 3, target="y").status in ("clean", "not_applicable")
