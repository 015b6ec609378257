"""The demo makes its point, and writes what it says."""

from pathlib import Path

import pytest

import splitleak
from splitleak import demo


def test_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo.run(tmp_path)
    said = capsys.readouterr().out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["digits-split.html", "digits-split.parquet"]
    assert all(str(path) in said for path in tmp_path.iterdir())
    assert "Separated: no two similar rows are in different partitions." in said
    line = next(line for line in said.splitlines() if line.startswith("held-out rows with a similar"))
    assert float(line.split()[-4]) > 50
    assert line.endswith("0.0 %")
    page = (tmp_path / "digits-split.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert page.count("<image") == 9
    assert "<script" not in page
    assert len(page.encode()) < 300_000
    split = splitleak.Split.load(tmp_path / "digits-split.parquet")
    assert sum(split.sizes.values()) == 1797
    wanted = {"train": 0.8, "dev": 0.1, "test": 0.1}
    assert all(abs(split.sizes[name] / 1797 - share) <= 0.02 for name, share in wanted.items())
    assert all(rows > 0 for part in split.summary()["strata"][0]["rows"] for rows in part)


def test_images_above_the_threshold_show_the_same_digit() -> None:
    from sklearn.datasets import load_digits

    vectors, digits = load_digits(return_X_y=True)
    graph = splitleak.similarity_graph(vectors, similarity="cosine", threshold=demo.THRESHOLD)
    left, right, _ = graph.pairs()
    assert (digits[left] == digits[right]).mean() > 0.99
