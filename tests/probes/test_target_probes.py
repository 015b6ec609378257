"""SPL201-206, SPL208: features that give the target away; each fires, stays silent, and says when it cannot look."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import splitleak
from splitleak.probes.columns import audit_column
from splitleak.probes.scores import out_of_fold_means
from tests.probes.audits import ask, classes, halves

CODES = ["SPL201", "SPL202", "SPL203", "SPL204", "SPL206", "SPL208"]


def ill(df: pd.DataFrame) -> np.ndarray:
    return (df.y == "ill").to_numpy()


def test_a_noisy_copy_of_the_target_is_a_leak() -> None:
    df = classes()
    df["proxy"] = ill(df) + np.random.default_rng(1).normal(0, 0.15, len(df))
    found = ask(df, "SPL201", target="y")
    assert (found.status, found.columns) == ("leak", ("proxy",))


def test_a_copy_that_is_not_monotone_is_a_leak() -> None:
    df = classes(600)
    rng = np.random.default_rng(1)
    df["ring"] = np.where(ill(df), rng.normal(0, 0.1, len(df)), rng.choice([-1, 1], len(df)))
    assert ask(df, "SPL201", target="y").columns == ("ring",)


def test_a_recoded_class_is_a_leak_and_a_name_for_each_patient_is_not() -> None:
    df = classes(600)
    rng = np.random.default_rng(1)
    df["form"] = np.where(ill(df), rng.choice(["a", "b"], len(df)), rng.choice(["c", "d"], len(df)))
    assert ask(df, "SPL201", target="y").status == "leak"
    df["form"] = np.where(ill(df), "i", "w") + pd.Series(rng.integers(0, 20, len(df))).astype(str)
    assert ask(df, "SPL201", target="y").status == "caution"


def test_a_number_that_repeats_the_target_is_a_leak() -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame({"a": rng.normal(size=300), "b": rng.normal(size=300)})
    df["y"] = df.a + rng.normal(size=300)
    assert ask(df, "SPL201", target="y").status == "clean"
    df["later"] = df.y * 2 + rng.normal(0, 0.02, 300)
    assert ask(df, "SPL201", target="y").columns == ("later",)


def test_several_strong_columns_are_an_easy_problem() -> None:
    rng = np.random.default_rng(0)
    df = classes(400)
    for i in range(4):
        df[f"strong{i}"] = ill(df) * 6 + rng.normal(size=len(df))
    assert ask(df, "SPL201", target="y").status == "caution"


@pytest.mark.parametrize("code", CODES)
def test_honest_tables_raise_no_alarm(code: str) -> None:
    alarms = 0
    for seed in range(25):
        df = classes(150, 12, effect=1.0, seed=seed)
        df["site"] = np.random.default_rng([seed, 1]).choice(list("abcdefgh"), len(df))
        df["id"] = np.random.default_rng([seed, 2]).permutation(len(df))
        df.loc[df.index % 7 == seed % 7, "x1"] = None
        alarms += ask(df, code, target="y").status in ("leak", "caution")
    assert alarms == 0


def test_missing_values_that_follow_the_target() -> None:
    df = classes()
    rng = np.random.default_rng(2)
    df["cause"] = np.where(ill(df) & (rng.random(len(df)) < 0.98), rng.normal(size=len(df)), np.nan)
    found = ask(df, "SPL202", target="y")
    assert (found.status, found.columns) == ("leak", ("cause",))
    df["cause"] = np.where(rng.random(len(df)) < np.where(ill(df), 0.9, 0.1), df.x0, np.nan)
    assert ask(df, "SPL202", target="y").status == "caution"
    assert ask(classes(), "SPL202", target="y").status == "not_applicable"


def test_a_value_of_one_class_only() -> None:
    df = classes(600)
    df.loc[ill(df) & (np.arange(600) % 6 == 0), "colour"] = "violet"
    found = ask(df, "SPL203", target="y")
    assert (found.status, found.columns) == ("caution", ("colour",))
    assert found.evidence[0]["value"] == "violet"
    assert "violet" not in found.explanation


def test_an_identifier_given_class_by_class() -> None:
    df = classes().sort_values("y")
    df["id"] = np.arange(1000, 1000 + len(df))
    df["name"] = [f"scan_{i:05d}.png" for i in range(len(df))]
    found = ask(df, "SPL204", target="y")
    assert found.status == "leak"
    assert set(found.columns) == {"id", "name"}


def test_a_rank_that_is_no_identifier_is_a_caution() -> None:
    """Ranks of schools tell salaries; numbers in the order of the rows, or called an id, are nothing else."""
    rng = np.random.default_rng(0)
    quality = rng.normal(size=300)
    df = pd.DataFrame(
        {"salary": quality + 0.2 * rng.normal(size=300), "place": (-quality).argsort().argsort() + 1}
    )
    found = ask(df, "SPL204", target="salary")
    assert (found.status, found.columns) == ("caution", ("place",))
    assert ask(df.rename(columns={"place": "caseNr"}), "SPL204", target="salary").status == "leak"
    assert ask(df.sort_values("place"), "SPL204", target="salary").status == "leak"


def test_the_last_step_of_a_scale_may_be_pure() -> None:
    rng = np.random.default_rng(0)
    scale = rng.integers(0, 4, 800)
    y = rng.random(800) < np.array([0.1, 0.35, 0.7, 1.0])[scale]
    df = pd.DataFrame({"scale": scale, "x": rng.normal(size=800), "y": y})
    df = df.drop(index=df.index[(df["scale"] == 3)][120:])
    assert ask(df, "SPL203", target="y").status == "clean"
    code = df.assign(
        scale=np.where(df["scale"] == 3, 3, rng.integers(0, 3, len(df)))
    )  # the others say nothing
    assert ask(code, "SPL203", target="y").columns == ("scale",)


def test_sorted_rows_and_a_split_by_position() -> None:
    df = classes().sort_values("y").reset_index(drop=True)
    by_position = np.where(np.arange(len(df)) < 300, "train", "test")
    assert ask(df, "SPL205", by_position, target="y").status == "caution"
    assert ask(df, "SPL205", halves(len(df)), target="y").status == "clean"
    shuffled = df.sample(frac=1, random_state=0)
    assert ask(shuffled, "SPL205", by_position, target="y").status == "clean"


def test_two_columns_that_tell_together() -> None:
    rng = np.random.default_rng(0)
    df = classes(1500, 8)
    key = rng.normal(size=len(df))
    df["key"], df["code"] = key, np.where(ill(df), 1, -1) * np.sign(key) * rng.uniform(0.1, 1, len(df))
    found = ask(df, "SPL206", target="y")
    assert found.status == "caution"
    assert set(found.columns) == {"key", "code"}
    assert ask(df, "SPL201", target="y").status == "clean"


def test_metadata_that_tells_the_target() -> None:
    df = classes()
    rng = np.random.default_rng(0)
    df["sourceUrl"] = np.where(rng.random(len(df)) < 0.9, np.where(ill(df), "a", "b"), "c")
    assert ask(df, "SPL208", target="y").columns == ("sourceUrl",)
    df = df.rename(columns={"sourceUrl": "shade"})
    assert ask(df, "SPL208", target="y").status == "not_applicable"


def test_limits_are_parameters() -> None:
    df = classes(effect=0.2)
    df["proxy"] = ill(df) + np.random.default_rng(1).normal(0, 0.8, len(df))
    assert ask(df, "SPL201", target="y").status == "clean"
    assert ask(df, "SPL201", target="y", limits={"auc_caution": 0.8}).status == "caution"
    assert ask(df, "SPL201", target="y", limits={"auc_ahead": 0.7}).status == "caution"


def test_out_of_fold_means_against_a_loop() -> None:
    rng = np.random.default_rng(0)
    bins, folds, y = rng.integers(0, 4, 50), rng.integers(0, 3, 50), rng.random((50, 1))
    found = out_of_fold_means(bins, y, folds)
    for i in range(50):
        rest = folds != folds[i]
        same = rest & (bins == bins[i])
        mean = (y[same, 0].sum() + 4 * y[rest, 0].mean()) / (same.sum() + 4)
        assert found[i, 0] == pytest.approx(mean)


@given(st.data())
def test_odd_tables_never_crash(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 40))
    values = st.one_of(
        st.lists(st.sampled_from([None, 0.0, 1.0, float("inf"), 1e300]), min_size=n, max_size=n),
        st.lists(st.sampled_from([None, "", "a", "b", "c1", "c2"]), min_size=n, max_size=n),
        st.lists(st.integers(-3, 3), min_size=n, max_size=n),
    )
    df = {f"c{i}": data.draw(values) for i in range(data.draw(st.integers(1, 4)))}
    df["y"] = [0, 1, *data.draw(st.lists(st.integers(0, 2), min_size=n - 2, max_size=n - 2))]
    split = [
        "train",
        "test",
        *data.draw(st.lists(st.sampled_from(["train", "test"]), min_size=n - 2, max_size=n - 2)),
    ]
    report = splitleak.leakage_report(df, split, target="y", impact=False)
    assert {result.status for result in report.results} <= {
        "leak",
        "caution",
        "clean",
        "not_applicable",
        "skipped",
    }


def test_columns_are_read_by_what_they_hold() -> None:
    import pyarrow as pa

    def kind(values: list) -> str:
        return audit_column("c", pa.chunked_array([pa.array(values)])).kind

    assert kind([1.5, 2.5, None]) == "numeric"
    assert kind(["a", "b", "a"]) == "category"
    assert kind([True, False]) == "category"
    assert kind([f"{i}.5" for i in range(30)]) == "numeric"
    assert kind([f"2024-01-{i:02d}" for i in range(1, 31)]) == "time"
    assert kind([f"this is sentence {i}" for i in range(30)]) == "text"
    assert kind([f"{i:05d}" for i in range(30)]) == "category"
    assert kind([[1.0, 2.0], [3.0, 4.0]]) == "vector"
    assert kind([{"a": 1}, {"a": 2}]) == "unusable"
    assert kind(["x", "x"]) == kind([None, None]) == "constant"
