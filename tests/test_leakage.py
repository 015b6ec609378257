"""leakage_report(): what goes in, what comes out, and that order, library and threads do not matter."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import splitleak
from splitleak.errors import DataMismatchError, InputError, LeakageError
from splitleak.probes.base import probe_codes


def table(n: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "number": rng.normal(size=n).round(3),
            "whole": rng.integers(0, 9, n),
            "colour": rng.choice(["red", "green", None], n),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, n), unit="D"),
            "patient": rng.choice([f"p{i}" for i in range(40)], n),
            "label": rng.choice(["yes", "no"], n),
            "fold": rng.choice(["train", "train", "test"], n),
        }
    )


def without_rows(report: splitleak.LeakageReport) -> list[dict]:
    hidden = ("rows", "partners", "evidence", "picture")
    return [{k: v for k, v in result.items() if k not in hidden} for result in report.summary()["results"]]


def test_each_probe_answers_exactly_once() -> None:
    report = splitleak.leakage_report(table(), "fold", target="label", groups="patient")
    assert sorted(result.code for result in report.results) == probe_codes()
    assert set(report.frame().status) <= {"leak", "caution", "clean", "not_applicable", "skipped"}


@pytest.mark.parametrize("seed", [1, 2])
def test_row_order_and_table_library_do_not_matter(seed: int) -> None:
    df = table()
    codes = [code for code in probe_codes() if code != "SPL205"]  # the order of the rows is what it looks at
    asked = {"target": "label", "groups": "patient", "time": "day", "probes": codes}
    report = splitleak.leakage_report(df, "fold", **asked)
    order = np.random.default_rng(seed).permutation(len(df))
    again = splitleak.leakage_report(df.iloc[order].reset_index(drop=True), "fold", **asked)
    assert without_rows(report) == without_rows(again)
    for result in report.results:
        assert sorted(order[again[result.code].rows]) == sorted(result.rows)
    other = splitleak.leakage_report(pl.from_pandas(df), "fold", **asked)
    assert report.summary()["results"] == other.summary()["results"]


def test_a_mapping_of_partitions_is_a_split() -> None:
    df = table()
    parts = {name: part.drop(columns="fold") for name, part in df.groupby("fold", sort=False)}
    parts = {name: parts[name] for name in ("train", "test")}
    stacked = pd.concat(parts.values(), ignore_index=True)
    labels = np.repeat(list(parts), [len(part) for part in parts.values()])
    codes = [code for code in probe_codes() if code != "SPL205"]  # partitions have no order in common
    one = splitleak.leakage_report(parts, target="label", groups="patient", probes=codes)
    two = splitleak.leakage_report(stacked, labels, target="label", groups="patient", probes=codes)
    for a, b in zip(one.summary()["results"], two.summary()["results"], strict=True):
        assert bool(a["remedy"]) == bool(b["remedy"])  # each for what the caller has
        assert {**a, "remedy": ""} == {**b, "remedy": ""}
    with pytest.raises(InputError, match="split already"):
        splitleak.leakage_report(parts, "fold", target="label")


def test_a_table_alone_says_what_needs_a_split() -> None:
    report = splitleak.leakage_report(table(), target="label", groups="patient")
    assert report["SPL303"].status == "not_applicable"
    assert "pass split=" in report["SPL303"].explanation


def test_bare_values_are_audited() -> None:
    texts = [f"the quick brown fox number {i} jumps" for i in range(60)]
    split = ["train"] * 40 + ["test"] * 20
    assert splitleak.leakage_report(texts, split).about["columns"] == {"text": 1}
    vectors = np.random.default_rng(0).normal(size=(60, 3))
    assert splitleak.leakage_report(vectors, split).about["columns"] == {"numeric": 3}


def test_muted_results_stay_and_do_not_count() -> None:
    df = table()
    reason = "the patient is known at prediction time"
    report = splitleak.leakage_report(
        df, "fold", groups="patient", probes=["SPL303"], ignore={"SPL303": reason}
    )
    assert report.verdict == "clean"
    assert report["SPL303"].status == "leak"
    assert report["SPL303"].muted == reason
    report.raise_if_leaking()
    with pytest.raises(LeakageError, match="SPL303"):
        splitleak.leakage_report(df, "fold", groups="patient", probes=["SPL303"]).raise_if_leaking()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": "lable"}, "did you mean 'label'"),
        ({"probes": ["SPL999"]}, "SPL999.*not known"),
        ({"ignore": {"SPL000": "x"}}, "SPL000"),
        ({"ignore": {"SPL303": ""}}, "must say why"),
        ({"split": ["train"] * 10}, "200 rows"),
        ({"split": ["train"] * 200}, "two partitions"),
        ({"target": [1] * 200}, "constant"),
        ({"target": [None] * 200}, "missing in every row"),
        ({"target": [f"id{i}" for i in range(200)]}, "no class and no number"),
        ({"time": "patient"}, "dates, times or numbers"),
        ({"alpha": 2}, "alpha"),
        ({"limits": {"auc_leek": 0.9}}, "auc_leek"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict, message: str) -> None:
    given = {"split": "fold", "target": "label"} | arguments
    with pytest.raises(InputError, match=message):
        splitleak.leakage_report(table(), **given)


def test_another_length_of_raw_is_refused() -> None:
    with pytest.raises(DataMismatchError, match="raw has 5 rows"):
        splitleak.leakage_report(table(), "fold", raw=np.zeros((5, 2)))


def test_mixed_and_nested_columns_are_named_not_fatal() -> None:
    df = table(30)
    df["mixed"] = [1, "a", 2.5] * 10
    df["nested"] = [{"a": 1}] * 30
    report = splitleak.leakage_report(df, "fold", target="label")
    named = " ".join(what for what, _ in report.not_checked)
    assert "Column mixed" in named
    assert "Column nested" in named


def test_images_that_are_on_both_sides_are_found() -> None:
    images = np.random.default_rng(0).integers(0, 256, (24, 16, 16, 3), dtype=np.uint8)
    split = ["train"] * 24 + ["test"] * 24
    asked = {"probes": ["SPL101", "SPL102"], "impact": False}
    report = splitleak.leakage_report(np.concatenate([images, images]), split, **asked)
    assert report["SPL101"].status == "leak"
    assert report["SPL101"].rows.tolist() == list(range(24, 48))
    other = np.random.default_rng(1).integers(0, 256, (24, 16, 16, 3), dtype=np.uint8)
    assert splitleak.leakage_report(np.concatenate([images, other]), split, **asked).verdict == "clean"


@pytest.mark.parametrize(("train", "test"), [("fit", "holdout"), ("Train ", " Test"), ("rest", "test")])
def test_the_training_partition_is_known_by_its_name(train: str, test: str) -> None:
    df = pd.DataFrame({"day": range(30), "x": range(30)})
    split = np.where(df.day < 10, train, test)
    report = splitleak.leakage_report(df, split, time="day", probes=["SPL301"])
    assert list(report.about["partitions"]) == [train, test]
    assert report.verdict == "clean"


def test_columns_of_odd_types_do_not_stop_the_audit() -> None:
    import pyarrow as pa

    df = table(40)
    odd = df.assign(cut=pd.cut(df.number, 4), ragged=[[0.5] * (i % 3) for i in range(40)])
    named = dict(splitleak.leakage_report(odd, "fold", target="label").not_checked)
    assert "Column ragged" in named
    views = pa.table({"v": pa.array(["a", "b"] * 20).cast(pa.string_view()), "x": list(range(40))})
    assert splitleak.leakage_report(views, ["train", "test"] * 20).about["n_rows"] == 40


def test_a_look_at_fewer_rows_is_told() -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame(
        {"a": rng.normal(size=6_000), "b": rng.normal(size=6_000), "y": rng.integers(0, 2, 6_000)}
    )
    asked = {"target": "y", "probes": ["SPL201", "SPL208"], "impact": False}
    told = dict(
        splitleak.leakage_report(df.assign(site=rng.integers(0, 9, 6_000)), fast=True, **asked).not_checked
    )
    assert told["All rows and columns, by SPL201, SPL208"] == "at most 5,000 of 6,000 rows"
    full = dict(splitleak.leakage_report(df, **asked).not_checked)
    assert not any(name.startswith("All rows") for name in full)


def test_a_vector_column_is_named_as_not_asked() -> None:
    df = table(40)
    df["vector"] = [[float(i), 1.0] for i in range(40)]
    named = dict(splitleak.leakage_report(df, "fold", target="label", impact=False).not_checked)
    assert "not asked about the target" in named["Column vector"]
