"""leakage_report(self_test=True): what a clean report means on the caller's own data."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import splitleak
from splitleak.planting import KINDS
from splitleak.self_test import _PLANTED
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
    assert ("Self-test: 5 % wrong labels", "SPL402 not selected with probes=") in report.not_checked
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
    assert {kind for kind, _, _ in _PLANTED} <= set(KINDS)
    assert len({title for _, _, title in _PLANTED}) == len(_PLANTED)
