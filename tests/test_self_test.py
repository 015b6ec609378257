"""leakage_report(self_test=True): what a clean report means on the caller's own data."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import splitleak
from splitleak._progress import SILENT
from splitleak._tables import open_source
from splitleak.auditing import prepare_context
from splitleak.auditing.copies import Copies
from splitleak.planting import KINDS, NotPlantable, Planted, plant
from splitleak.planting.facts import one_table
from splitleak.self_test import ATTEMPTS
from tests.probes.audits import classes, halves

SOME = ["SPL101", "SPL201", "SPL401"]


def audited(df: object, split: object = None, **arguments: object) -> splitleak.LeakageReport:
    given = {"target": "y", "probes": SOME, "impact": False, "fast": True, "self_test": True} | arguments
    return splitleak.leakage_report(df, split, **given)


def entries(report: splitleak.LeakageReport) -> dict[tuple[str, float], dict]:
    return {(entry["kind"], entry["strength"]): dict(entry) for entry in report.self_test}


def test_it_counts_what_the_probes_find() -> None:
    report = audited(classes(), halves(400))
    found = entries(report)
    assert found["proxy", 0.99]["found"] == found["proxy", 0.99]["tries"] == 10
    assert found["proxy", 0.95]["found"] == 10  # below the convention, and far ahead of all other columns
    assert found["copies_of_rows", 0.02]["share"] == 1.0
    assert found["copies_of_rows", 0.02]["low"] == pytest.approx(0.722, abs=0.001)
    assert found["copies_of_rows", 0.02]["high"] == pytest.approx(1.0)
    assert found["proxy", 0.99]["meaning"] == KINDS["proxy"].meaning
    sentence = report.about["self_test"]
    assert (
        "an AUC of 0.95, a column with an AUC of 0.99 or 2 % copied rows would have been seen in" in sentence
    )
    assert "Not seen that often: " in sentence
    assert (
        "Self-test: 5 % wrong labels",
        "what looks for it was not selected with probes=",
    ) in report.not_checked
    assert sentence[:36] in str(report)


def test_limits_change_what_would_be_seen() -> None:
    report = audited(classes(150, 2), halves(150), limits={"auc_caution": 0.8}, probes=["SPL201"])
    assert entries(report)["proxy", 0.95]["found"] == 10


def test_the_order_of_rows_and_the_table_library_do_not_matter() -> None:
    df, split = classes(), halves(400)
    df.loc[::7, "colour"] = None
    order = np.random.default_rng(1).permutation(400)
    one = audited(df, split, probes=["SPL103"]).self_test
    assert one
    assert one == audited(df.iloc[order].reset_index(drop=True), split[order], probes=["SPL103"]).self_test
    assert one == audited(pl.from_pandas(df), split, probes=["SPL103"]).self_test


def test_large_tables_are_sampled_and_say_so() -> None:
    df = classes(1500, 40)
    report = audited(df, halves(1500), probes=["SPL101"])
    assert "On 1,000 of 1,500 rows and 30 of 41 columns" in report.about["self_test"]


def test_without_a_split_only_what_needs_none_is_planted() -> None:
    report = audited(classes(150, 2))
    assert {kind for kind, _ in entries(report)} >= {"proxy"}
    assert "copies_of_rows" not in {kind for kind, _ in entries(report)}
    assert ("Self-test: 2 % copied rows", "needs a split") in report.not_checked


def test_without_a_target_it_says_what_it_needs() -> None:
    report = splitleak.leakage_report(classes(), halves(400), self_test=True, probes=["SPL303"])
    assert report.self_test == ()
    assert any("needs a target" in reason for _, reason in report.not_checked)


def test_the_ledger_is_left_alone(tmp_path: Path) -> None:
    ledger = tmp_path / "uses.jsonl"
    audited(classes(), halves(400), ledger=ledger, probes=["SPL101", "SPL403"])
    assert len(ledger.read_text().splitlines()) == 1


@pytest.mark.parametrize("n", [12, 40])
def test_odd_tables_never_crash(n: int) -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame(
        {
            "gaps": np.where(rng.random(n) < 0.9, np.nan, rng.normal(size=n)),
            "huge": rng.normal(size=n) * 1e300,
            "infinite": np.where(rng.random(n) < 0.5, np.inf, 1.0),
            "colour": rng.choice(["red", None], n),
            "flag": rng.random(n) < 0.5,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 9, n), unit="D"),
            "vector": list(rng.normal(size=(n, 2))),
            "nested": [{"a": 1}] * n,
            "y": np.arange(n) % 3,
        }
    )
    report = audited(df, halves(n), probes=["SPL101", "SPL202", "SPL206", "SPL307", "SPL402"])
    assert all(0 <= entry["found"] <= entry["tries"] for entry in report.self_test)


def test_every_leak_that_is_planted_is_known() -> None:
    assert {kind for kind, _, _ in ATTEMPTS} <= set(KINDS)
    assert len({title for _, _, title in ATTEMPTS}) == len(ATTEMPTS)


def test_what_the_data_have_already_does_not_count() -> None:
    df, split = classes(), halves(400)
    rng = np.random.default_rng(3)
    split[(df["y"].to_numpy() == df["y"].max()) & (split == "train") & (rng.random(400) < 0.4)] = "test"
    report = audited(df, split, probes=["SPL306", "SPL303"])
    assert report["SPL306"].status != "clean"
    reasons = dict(report.not_checked)
    shift = next(reason for what, reason in reasons.items() if "class whose share is raised" in what)
    assert shift == "SPL306 names the same in the data as they are"
    assert report.about["self_test"].startswith("Beside what was found, ")


def test_it_ends_after_five_misses() -> None:
    report = audited(classes(), halves(400), limits={"auc_ahead": 0.99999}, probes=["SPL201"])
    entry = entries(report)["proxy", 0.95]
    assert (entry["found"], entry["tries"]) == (0, 5)
    assert "Not seen that often: a column with an AUC of 0.95" in report.about["self_test"]


def test_vectors_are_left_out_and_said_so() -> None:
    df = classes(150, 2)
    df["embedding"] = list(np.random.default_rng(0).normal(size=(150, 4)))
    report = audited(df, halves(150), probes=["SPL303"])
    assert "Columns of vectors are left out of the copy." in report.about["self_test"]
    only = audited(df[["embedding", "y"]], halves(150), probes=["SPL303"])
    assert any(what == "Self-test" and "needs a column of numbers" in why for what, why in only.not_checked)


@pytest.mark.parametrize("kind", ["proxy", "copies_of_rows", "near_copies_0.01", "wrong_labels"])
def test_facts_of_a_table_are_found_out_once_and_are_the_same(kind: str) -> None:
    df, split = classes(), halves(400)
    facts: dict = {}
    for seed in range(3):
        with one_table(facts):
            known = _planted(kind, df, split, seed)
        assert facts
        alone = _planted(kind, df, split, seed)
        if isinstance(alone, str):
            assert isinstance(known, str)
            continue
        pd.testing.assert_frame_equal(known.table, alone.table)
        assert known.rows.tolist() == alone.rows.tolist()


def _planted(kind: str, df: pd.DataFrame, split: np.ndarray, seed: int) -> Planted | str:
    try:
        return plant(kind, df, "y", split, seed=seed)
    except NotPlantable as refusal:
        return str(refusal)


def test_the_context_of_a_copy_is_that_of_a_table_read_anew() -> None:
    df, split = classes(200, 3), halves(200)
    df.loc[::5, "colour"] = None
    copies = Copies.of(df, "y", alpha=0.01, limits=splitleak.leakage.LIMITS, seed=0, fast=False)
    split = split[copies.order]
    for kind in (
        "proxy",
        "copies_of_rows",
        "missing_follows_target",
        "train_after_test",
        "declared_groups_cross",
    ):
        leak = plant(kind, copies.frame, "y", split)
        copy = copies.context_of(
            leak.table, leak.split, time=leak.extra.get("time"), groups=leak.extra.get("groups")
        )
        anew = prepare_context(
            open_source(leak.table), leak.split, target="y", on=None, similarity="auto", threshold=None,
            groups=leak.extra.get("groups"), time=leak.extra.get("time"), raw=None, pipeline=None, ledger=None,
            metric=None, alpha=0.01, limits=splitleak.leakage.LIMITS, seed=0, fast=False, progress=SILENT,
        )  # fmt: skip
        order = anew.positions
        assert copy.names == anew.names
        assert copy.codes[order].tolist() == anew.codes.tolist()
        assert copy.target.codes[order].tolist() == anew.target.codes.tolist()
        assert list(copy.columns) == list(anew.columns)
        assert copy.level == anew.level
        for name, column in anew.columns.items():
            assert copy.columns[name].kind == column.kind
            assert copy.columns[name].levels == column.levels
            assert copy.columns[name].codes[order].tolist() == column.codes.tolist()
        assert len(copy.groups) == len(anew.groups)
        assert (copy.time is None) == (anew.time is None)
        assert copy.columns["colour"] is copies.context.columns["colour"] or kind == "copies_of_rows"
