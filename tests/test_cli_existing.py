"""``splitleak repair`` and ``splitleak extend``: what they print, write and answer."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from splitleak import Split
from splitleak.cli import app


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    texts = [f"{i} {word} costs {i * i} pounds" for i in range(20) for word in ("tea", "cake")]
    table = pd.DataFrame({"text": [*texts, texts[0] + "!"], "fold": [*["train"] * 32, *["test"] * 9]})
    table.to_csv("data.csv", index=False)
    pd.DataFrame({"text": [texts[1] + "!", "something else", "and another"]}).to_csv("new.csv", index=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


LIKE = ("--on", "text", "--threshold", "0.9")


def test_repair_a_column_then_extend_it(folder: Path) -> None:
    assert run("check", "data.csv", "--column", "fold", *LIKE).exit_code == 1
    result = run(
        "repair", "data.csv", "--split", "fold", *LIKE, "--protect", "test", "--out", "split.parquet"
    )
    assert result.exit_code == 0, result.output
    assert "1 row dropped: similar to, or in one group with, a row of another partition." in result.stdout
    assert "Separated: no two similar rows are in different partitions." in result.stdout
    assert run("check", "split.parquet", "data.csv").exit_code == 0
    result = run(
        "extend", "split.parquet", "data.csv", "new.csv", "--out", "wider.json", "--html", "wider.html"
    )
    assert result.exit_code == 0, result.output
    assert "wrote wider.html" in result.stdout
    wider = Split.load("wider.json")
    assert wider.codes[:41].tolist() == Split.load("split.parquet").codes.tolist()
    assert wider.labels()[41] == "train"
    assert "splitleak.extend(" in (folder / "wider.html").read_text(encoding="utf-8")
    result = run("repair", "data.csv", "--split", "split.parquet", "--by", "move")
    assert "The split was not saved: add --out split.parquet" in result.stdout


def test_extend_a_split_in_order_of_time(folder: Path) -> None:
    days = [f"2024-01-{i + 1:02}" for i in range(20)]
    old = pd.DataFrame({"text": [f"{chr(97 + i)} {i * i} old" for i in range(20)], "day": days})
    old.to_csv("old.csv", index=False)
    texts = ["b 1 old", "not like any", "too near", "a 0 old", "the last"]
    new = pd.DataFrame(
        {"text": texts, "day": ["2024-01-04", "2024-01-02", "2024-01-17", *["2024-03-01"] * 2]}
    )
    new.to_csv("late.csv", index=False)
    like = ("--on", "text", "--similarity", "exact")
    made = run(
        "split", "old.csv", *like, "--time", "day", "--sizes", "train=0.8,test=0.2", "--out", "split.csv"
    )
    assert made.exit_code == 0, made.output
    in_time = ("--time", "day", "--embargo", "2D", "--out", "wider.csv")
    result = run("extend", "split.csv", "old.csv", "late.csv", *like, *in_time)
    assert result.exit_code == 2
    assert "within the embargo" in " ".join(result.stderr.split())
    result = run(
        "extend", "split.csv", "old.csv", "late.csv", *like, *in_time[:2], "--embargo", "12h", *in_time[4:]
    )
    assert result.exit_code == 0, result.output
    labels = Split.load("wider.csv").labels()
    assert labels[:20].tolist() == ["train"] * 16 + ["test"] * 4
    # "a 0 old" is new, of the time of test, and equal to an old row of train
    assert labels[20:].tolist() == ["train", "train", "test", "", "test"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("repair", "data.csv", "--split", "fodl"),
            "split='fodl' is not a column of the data; did you mean 'fold'",
        ),
        (("repair", "data.csv", "--split", "gone.parquet"), "split='gone.parquet' does not exist"),
        (("repair", "data.csv", "--split", "fold", *LIKE, "--by", "moving"), "by='moving' is not known"),
        (("repair", "data.csv", "--split", "fold", "--out", "split.txt"), "--out='split.txt'"),
        (("extend", "data.csv", "data.csv", "new.csv"), "has no column 'partition'"),
    ],
)
def test_what_cannot_be_used(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split())
