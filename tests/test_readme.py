"""Every Python block of the README runs, in order, in one session, beside the files it names."""

import re
import warnings
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def blocks(language: str, page: Path = README) -> list[str]:
    """Return the code blocks of a language in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def write_photos(folder: Path) -> None:
    """Write 20 pictures in two subfolders."""
    from PIL import Image

    from tests.images import picture

    for i in range(20):
        place = folder / ("cats" if i % 2 else "dogs")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(i)).save(place / f"{i:02d}.png")


def write_visits() -> None:
    """Write a table without leaks, and its partitions."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(3)
    visits = pd.DataFrame({"age": rng.normal(50, 9, 400).round(1), "ill": rng.integers(0, 2, 400)})
    visits["weight"] = (visits["age"] + rng.normal(0, 20, 400)).round(2)
    visits["fold"] = np.where(rng.random(400) < 0.25, "test", "train")
    visits.to_csv("visits.csv", index=False)
    for name, part in visits.groupby("fold"):
        part.drop(columns="fold").to_csv(f"{name}.csv", index=False)


def test_python_blocks_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(blocks("python")) >= 3
    scope: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in blocks("python"):
            exec(compile(block, "README.md", "exec"), scope)


def commands(page: Path = README) -> list[str]:
    """Return the shell lines of a page that start with `splitleak`."""
    return [
        line
        for block in blocks("console", page)
        for line in block.splitlines()
        if line.startswith("$ splitleak")
    ]


def run_commands(page: Path = README) -> None:
    """Run the shell lines of a page in this folder, on files like those they name."""
    import shlex

    import numpy as np
    import pandas as pd
    from typer.testing import CliRunner

    from splitleak.cli import app

    lines = commands(page)
    if not lines:
        return
    texts = [f"{a} {b} costs {c} pounds" for a in ("a ring", "this tone") for b in "xyz" for c in range(40)]
    pd.DataFrame({"label": ["ham", "spam"] * 120, "text": texts}).to_csv("sms.tsv", sep="\t", index=False)
    letters = np.random.default_rng(0).choice(list("ACDEFGHIKLMNPQRSTVWY"), (30, 60))
    fasta = "".join(f">protein-{i}\n{''.join(row)}\n" for i, row in enumerate(letters))
    Path("proteins.fasta").write_text(fasta)
    write_photos(Path("photos"))
    write_visits()
    for line in lines:
        arguments = shlex.split(line.removeprefix("$ splitleak"), comments=True)
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (line, result.output)


def test_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell lines that start with `splitleak` exist and run on a file like the one they name."""
    monkeypatch.chdir(tmp_path)
    assert len(commands()) >= 3
    run_commands()
