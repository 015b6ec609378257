"""Folders of images that are partitions already: pictures are compared, not the names of their files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from typer.testing import CliRunner

import splitleak
from splitleak.cli import app

Image = pytest.importorskip("PIL.Image")
DIGITS = load_digits()
N = 120


def folders(root: Path, *, copies: int = 0) -> dict[str, str]:
    """Write digits as train/0, train/1, test/0, test/1, odd and even; some held-out ones are training images again."""
    rng = np.random.default_rng(0)
    for i in range(N):
        part, place = ("test", i - N * 3 // 4) if i >= N * 3 // 4 else ("train", i)
        shown = place if part == "test" and place < copies else i
        pixels = np.kron(DIGITS.images[shown] * 15, np.ones((4, 4))).astype(np.uint8)
        folder = root / part / str(DIGITS.target[shown] % 2)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{rng.integers(10**9)}.{'jpg' if shown != i else 'png'}")
    return {"train": str(root / "train"), "test": str(root / "test")}


def test_copies_across_two_folders_are_found(tmp_path: Path) -> None:
    asked = {"target": "folder", "probes": ["SPL101", "SPL102", "SPL207", "SPL209"], "impact": False}
    clean = splitleak.leakage_report(folders(tmp_path / "a"), **asked)
    assert clean.verdict == "clean"
    assert clean["SPL102"].status == "clean"
    assert clean["SPL207"].status == "not_applicable"
    found = splitleak.leakage_report(folders(tmp_path / "b", copies=8), **asked)["SPL102"]
    assert found.status == "leak"
    assert len(found.rows) == 8
    assert found.rows.min() >= N * 3 // 4


def test_folders_in_the_shell(tmp_path: Path) -> None:
    parts = folders(tmp_path, copies=8)
    asked = [
        "report",
        parts["train"],
        parts["test"],
        "--target",
        "folder",
        "--probes",
        "SPL102",
        "--no-impact",
    ]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 1
    assert "show a training image again" in " ".join(done.output.split())


def test_tables_of_paths_start_from_their_own_folder(tmp_path: Path) -> None:
    parts = folders(tmp_path, copies=8)
    for name, folder in parts.items():
        files = sorted(Path(folder).rglob("*.*"))
        table = {
            "image": [str(f.relative_to(folder)) for f in files],
            "size": [f.stat().st_size for f in files],
        }
        pd.DataFrame(table).to_csv(Path(folder) / "table.csv", index=False)
        parts[name] = f"{folder}/table.csv"
    found = splitleak.leakage_report(parts, probes=["SPL102"], impact=False)["SPL102"]
    assert found.status == "leak"
    assert len(found.rows) == 8
