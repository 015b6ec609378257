"""``splitleak report``: what it prints and writes, and its exit codes."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import splitleak
from splitleak.cli import app
from tests.rendering.audits import SECRET, table


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    df = table(240)
    df["fold"] = np.where(np.arange(240) % 4 == 0, "test", "train")
    df["answer"] = df["y"].map({"ill": SECRET, "well": "b"})
    df.to_csv("data.csv", index=False)
    for name, part in df.groupby("fold"):
        part.drop(columns="fold").to_csv(f"my_{name}.csv", index=False)
    splitleak.Split.from_labels(df["fold"]).save("split.parquet")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["report", "--no-progress", "--no-impact", *map(str, arguments)])


FAST = ("--probes", "SPL201,SPL303", "--probes", "SPL307")


def test_report_of_a_table(folder: Path) -> None:
    result = run("data.csv", "--split", "fold", "--target", "y", "--groups", "patient", "--time", "day")
    assert result.exit_code == 1, result.output
    assert result.stdout.startswith("Leak: ")
    assert "LEAK SPL201 One column gives the target away [high]" in result.stdout
    assert "df = df.drop(columns=['answer'])" in result.stdout
    assert "240 rows; train 180 (to train on), test 60; target: y (binary)" in result.stdout


def test_files(folder: Path) -> None:
    names = ("r.html", "r.json", "r.xml", "r.sarif")
    flags = ("--html", "--json", "--junit", "--sarif")
    options = [text for pair in zip(flags, names, strict=True) for text in pair]
    result = run("data.csv", "--split", "fold", "--target", "y", *FAST, *options)
    assert result.exit_code == 1, result.output
    assert all(f"wrote {name}" in result.stdout for name in names)
    assert "<h1>Leakage report: data.csv</h1>" in Path("r.html").read_text(encoding="utf-8")
    saved = splitleak.LeakageReport.from_json("r.json")
    assert [r.code for r in saved.results if r.status == "leak"] == ["SPL201"]
    assert ElementTree.parse("r.xml").getroot().find("testsuite").get("failures") == "1"
    places = json.loads(Path("r.sarif").read_text())["runs"][0]["results"][0]["locations"]
    assert places[0]["physicalLocation"]["artifactLocation"]["uri"] == "data.csv"
    assert not any(SECRET in Path(name).read_text(encoding="utf-8") for name in names)


def test_exit_codes(folder: Path) -> None:
    told = ("data.csv", "--split", "fold", "--target", "y")
    assert run(*told, "--probes", "SPL201", "--fail-on", "never").exit_code == 0
    assert run(*told, "--probes", "SPL203").exit_code == 0
    lifted = (*told, "--probes", "SPL201", "--limit", "auc_leak=1")
    assert "Caution: " in run(*lifted).stdout
    assert run(*lifted).exit_code == 0
    assert run(*lifted, "--fail-on", "caution").exit_code == 1
    muted = run(*told, "--probes", "SPL201", "--ignore", "SPL201=known at prediction time = yes")
    assert muted.exit_code == 0, muted.output
    assert "SPL201 One column gives the target away (leak): known at prediction time = yes" in muted.stdout
    raised = run(*told, "--probes", "SPL201", "--limit", "auc_leak=1", "--limit", "auc_caution=1")
    assert raised.exit_code == 0, raised.output


def test_a_saved_split_and_files_that_are_partitions(folder: Path) -> None:
    first = run("data.csv", "--split", "split.parquet", "--target", "y", "--groups", "patient", *FAST)
    assert first.exit_code == 1, first.output
    for files in (
        ("my_test.csv", "my_train.csv"),
        ("--partition", "test=my_test.csv", "--partition", "train=my_train.csv"),
    ):
        second = run(*files, "--target", "y", "--groups", "patient", *FAST)
        assert second.exit_code == 1, second.output
        assert "train 180 (to train on), test 60" in second.stdout
        crossing = [line for line in first.stdout.splitlines() if "belong to a group" in line]
        assert len(crossing) == 1
        assert crossing[0] in second.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "report needs a table"),
        (("none.csv",), "none.csv"),
        (("data.csv", "--split", "splits.parquet"), "did you mean 'split.parquet'"),
        (("my_train.csv", "my_test.csv", "--split", "fold"), "several files are the partitions"),
        (("data.csv", "--partition", "a=data.csv"), "not both"),
        (("--partition", "a=data.csv"), "at least two"),
        (("--partition", "a=data.csv", "--partition", "a=data.csv"), "names 'a' twice"),
        (("data.csv", "data.csv"), "do not tell the partitions apart"),
        (("data.csv", "--split", "fold", "--target", "yy"), "target='yy' is not a column"),
        (("data.csv", "--ignore", "SPL201"), "must be NAME=TEXT"),
        (("data.csv", "--limit", "auc_leak=high"), "must give a number"),
        (("data.csv", "--probes", "SPL999"), "SPL999"),
        (("data.csv", "--fail-on", "leek"), "did you mean 'leak'"),
        (("data.csv", "--html", "r.txt"), "--html='r.txt' must end in .html"),
        (("data.csv", "--sarif", "no/r.sarif"), "does not exist"),
    ],
)
def test_input_that_cannot_be_used(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_values_are_shown_on_demand(folder: Path) -> None:
    told = ("data.csv", "--target", "y", "--probes", "SPL203", "--html", "r.html")
    df = pd.read_csv("data.csv")
    df["ward"] = np.where(
        (df["y"] == "ill") & (np.arange(240) % 3 == 0), SECRET, np.array(["east", "west"])[np.arange(240) % 2]
    )
    df.drop(columns="answer").to_csv("data.csv", index=False)
    assert "CAUTION SPL203" in run(*told).stdout
    assert SECRET not in Path("r.html").read_text(encoding="utf-8")
    assert "CAUTION SPL203" in run(*told, "--show-values").stdout
    assert SECRET in Path("r.html").read_text(encoding="utf-8")


def test_raw_is_read(folder: Path) -> None:
    pd.read_csv("data.csv").head(5).to_csv("short.csv", index=False)
    result = run("data.csv", "--split", "fold", "--raw", "short.csv", *FAST)
    assert result.exit_code == 2
    assert "raw has 5 rows" in result.stderr
