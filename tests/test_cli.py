"""The command line: what it prints, writes and answers, also to input that cannot be used."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import splitleak
from splitleak import Split
from splitleak.cli import app

FIRST = "a quick brown fox jumps over a lazy dog"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    texts = [
        FIRST,
        FIRST + "!",
        *(f"{i} {word} costs {i * i} pounds" for i in range(19) for word in ("tea", "cake")),
    ]
    table = pd.DataFrame(
        {"text": texts, "label": ["x", "y"] * 20, "fold": ["train", "test", *["train"] * 38]}
    )
    table.to_csv("data.csv", index=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def split_data(*more: str) -> Result:
    return run("split", "data.csv", "--on", "text", "--threshold", "0.8", *more)


def test_split_then_check(folder: Path) -> None:
    result = split_data("--stratify", "label", "--out", "split.parquet", "--html", "split.html")
    assert result.exit_code == 0, result.output
    assert re.search(r"^train +32 +80.0 % +32 \(80.0 %\)", result.stdout, re.MULTILINE)
    assert "Separated: no two similar rows are in different partitions." in result.stdout
    assert "next: splitleak check split.parquet data.csv --on text" in result.stdout
    assert "<h1>Split of data.csv</h1>" in (folder / "split.html").read_text(encoding="utf-8")
    labels = Split.load("split.parquet").labels()
    assert labels[0] == labels[1]
    result = run("check", "split.parquet", "data.csv", "--on", "text", "--html", "again.html")
    assert result.exit_code == 0, result.output
    assert "wrote again.html" in result.stdout


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_folds_then_check(folder: Path, ending: str) -> None:
    out = f"folds.{ending}"
    result = split_data("--folds", "4", "--stratify", "label", "--out", out)
    assert result.exit_code == 0, result.output
    assert re.search(r"^fold 3 +10 +25.0 %", result.stdout, re.MULTILINE)
    folds = splitleak.Folds.load(out)
    assert (folds.n_folds, folds.codes[0, 0]) == (4, folds.codes[0, 1])
    read = pd.read_parquet(out) if ending == "parquet" else pd.read_csv(out)
    assert read["fold"].tolist() == folds.codes[0].tolist()
    result = run("check", out, "data.csv", "--on", "text", "--threshold", "0.8")
    assert result.exit_code == 0, result.output
    assert "fold 0: 0 of 10 rows (0.0 %) have a similar training row" in result.stdout
    refused = split_data("--folds", "4", "--sizes", "train=0.8,test=0.2")
    assert refused.exit_code == 2
    assert "which leaves no room for sizes=" in refused.output


def test_time_embargo_and_pins(folder: Path) -> None:
    table = pd.read_csv("data.csv")
    table["day"] = pd.date_range("2024-01-01", periods=40).strftime("%Y-%m-%d")
    table["official"] = ["train", *[""] * 38, "test"]
    table.to_csv("data.csv", index=False)
    timed = ("--time", "day", "--pinned", "official", "--tolerance", "0.05", "--on-infeasible", "drop")
    result = split_data(*timed, "--embargo", "2D")
    assert result.exit_code == 0, result.output
    assert re.search(r"^train .* 2024-01-01  2024-01-\d\d", result.stdout, re.MULTILINE)
    assert "4 rows dropped: within the embargo before a cut-off." in result.stdout
    result = split_data(*timed, "--embargo", "2")
    assert (result.exit_code, "embargo must be a length of time" in result.stderr) == (2, True)


def test_next_command_of_a_csv_brings_what_the_file_forgets(folder: Path) -> None:
    result = split_data("--out", "my split.csv", "--similarity", "jaccard(unit=word, n=1)")
    command = "splitleak check 'my split.csv' data.csv --on text --similarity "
    assert command in result.stdout
    assert result.stdout.splitlines()[-1].endswith("--threshold 0.8")


def test_split_without_a_file_says_so(folder: Path) -> None:
    result = split_data("--no-certify")
    assert (result.exit_code, "Not certified." in result.stdout) == (0, True)
    assert "add --out split.parquet" in result.stdout
    assert sorted(p.name for p in folder.iterdir()) == ["data.csv"]


def test_check_of_a_leaking_column(folder: Path) -> None:
    result = run(
        "check", "data.csv", "--column", "fold", "--on", "text", "--threshold", "0.8", "--html", "leak.html"
    )
    assert result.exit_code == 1
    assert "Leaking: 1 pair of similar rows cross" in result.stdout
    assert re.search(r"^ +0\.97\d +0 +train +1 +test$", result.stdout, re.MULTILINE)
    assert "sl-leaking" in (folder / "leak.html").read_text(encoding="utf-8")


def test_columns_named_in_the_command(folder: Path) -> None:
    table = pd.read_csv("data.csv")
    table.to_csv("bare.tsv", sep="\t", header=False, index=False)
    result = run(
        "split", "bare.tsv", "--columns", "text,label,fold", "--on", "text", "--sizes", "train=rest,test=10",
        "--out", "s.json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert Split.load("s.json").sizes == {"train": 30, "test": 10}


def test_duplicates(folder: Path) -> None:
    result = run("duplicates", "data.csv", "--on", "text", "--threshold", "0.9", "--out", "pairs.csv")
    assert result.exit_code == 0, result.output
    assert re.search(r"0\.97\d +0 +1 +a quick", result.stdout)
    assert pd.read_csv("pairs.csv")[["left", "right"]].to_numpy().tolist() == [[0, 1]]
    result = run(
        "duplicates", "data.csv", "--on", "text", "--threshold", "0.9", "--most", "0", "--out", "p.parquet"
    )
    assert "... 1 more" in result.stdout
    assert len(pd.read_parquet("p.parquet")) == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("split data.csv --on txt", "on='txt' is not a column .* did you mean 'text'"),
        ("split none.csv --on text", "none.csv"),
        ("split data.csv --on text --threshold 1.5", r"threshold must be a number in \(0, 1\]"),
        ("split data.csv --on text --sizes train=0.8,test=0.1", "sizes"),
        ("split data.csv --on text --sizes train=0.8,train=0.2", "names 'train' twice"),
        (
            "split data.csv --on text --similarity jacard",
            "similarity='jacard' is not known; did you mean 'jaccard'",
        ),
        ("split data.csv --on text --missing maybe", "missing='maybe' is not known"),
        ("split data.csv --on text --on-infeasible no", "on_infeasible='no' is not known"),
        ("split data.csv --on text --tolerance 2", "tolerance must be"),
        ("split data.csv --on text --stratify lable", "stratify='lable' .* did you mean 'label'"),
        ("split data.csv --on text --out nowhere/split.csv", "--out: the folder '.*nowhere' does not exist"),
        (
            "split data.csv --on text --out split.xlsx",
            "--out='split.xlsx' must end in .parquet or .csv or .json",
        ),
        ("split data.csv --on text --html page.pdf", "--html='page.pdf' must end in .html"),
        ("split data.csv --on text --groups label", "whole clusters|largest cluster|cluster"),
        ("check data.csv", "check takes a saved split and its data"),
        ("check split.parquet data.csv --column fold", "check takes a saved split and its data"),
        ("check split.parquet data.csv", "split='split.parquet' does not exist"),
        ("check data.csv --column flod --on text", "split='flod' .* did you mean 'fold'"),
        ("duplicates data.csv --on text --out pairs.xlsx", "--out='pairs.xlsx' must end in .csv or .parquet"),
        ("demo --out nowhere", "--out: the folder 'nowhere' does not exist"),
    ],
)
def test_bad_input_is_one_paragraph(folder: Path, command: str, message: str) -> None:
    result = run(*command.split())
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert re.search(message, result.stderr), result.stderr
    assert "Traceback" not in result.output
    assert sorted(p.name for p in folder.iterdir()) == ["data.csv"]


def test_nearest_sizes_come_with_a_warning(folder: Path) -> None:
    result = split_data("--groups", "label", "--on-infeasible", "nearest", "--out", "split.csv")
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("warning: ")


def test_data_of_another_split(folder: Path) -> None:
    assert split_data("--out", "split.parquet").exit_code == 0
    pd.read_csv("data.csv").iloc[::-1].to_csv("reversed.csv", index=False)
    result = run("check", "split.parquet", "reversed.csv")
    assert (result.exit_code, "in another order" in result.stderr) == (2, True)


def test_a_fault_is_not_a_leak(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("splitleak.split.split_by_similarity", fault)
    result = split_data()
    assert (result.exit_code, "ZeroDivisionError" in result.stderr) == (3, True)


def test_interruption(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("splitleak.split.split_by_similarity", stop)
    result = split_data("--out", "split.parquet")
    assert (result.exit_code, result.stderr.startswith("interrupted")) == (130, True)
    assert not (folder / "split.parquet").exists()


def test_version() -> None:
    assert run("--version").stdout == f"{splitleak.__version__}\n"


def test_help_is_light() -> None:
    heavy = {"numpy", "pandas", "pyarrow", "numba", "matplotlib", "sklearn", "scipy", "jinja2"}
    code = f"import sys, splitleak.cli; assert not {heavy!r} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "splitleak.cli", "--help"], check=True, capture_output=True, text=True
    )
    assert all(name in done.stdout for name in ("split", "check", "duplicates", "demo"))


def test_a_closed_pipe_is_quiet(folder: Path) -> None:
    command = f"{sys.executable} -m splitleak.cli split data.csv --on text --out split.csv | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert (folder / "split.csv").exists()


def test_several_similarities(folder: Path) -> None:
    several = ["--similarity", "text:jaccard(0.8)", "--similarity", "text:jaccard(0.9, unit=word, n=1)"]
    result = run("split", "data.csv", *several, "--out", "split.csv")
    assert result.exit_code == 0, result.output
    assert "jaccard(n=1, unit='word') on text, 0.9 or more: no pair crosses" in " ".join(
        result.stdout.split()
    )
    command = next(line for line in result.stdout.splitlines() if line.startswith("next: splitleak "))
    again = run(*shlex.split(command.removeprefix("next: splitleak ")))
    assert again.exit_code == 0, again.output
    assert "A fresh search for each of 2 similarities" in again.stdout
    assert run("check", "data.csv", "--column", "fold", *several).exit_code == 1
    all_of_them = run("check", "data.csv", "--column", "fold", *several, "--combine", "all")
    assert "when all of them say so" in " ".join(all_of_them.stdout.split())
    shared = run("check", "data.csv", "--column", "fold", "--on", "text", "--on", "label", "--share", "any")
    assert shared.exit_code == 1, shared.output
    assert "jaccard on label, 0.8 or more" in shared.stdout
    assert "jaccard on text" in run("duplicates", "data.csv", *several).stdout
