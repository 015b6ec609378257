"""The contact sheet: which pairs, what is in the page, how large it gets."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import splitleak
from splitleak import InputError, Split
from splitleak.cli import app
from splitleak.rendering.contact_sheet import MOST_PAIRS, ImagePair, contact_sheet
from tests.images import picture, write_folder


def test_a_sheet_shows_each_pair_and_stays_small() -> None:
    pair = ImagePair(b"\x89PNG" + bytes(3000), b"\xff\xd8" + bytes(3000), ("<a>", 'b"c'), 0.98765)
    section = contact_sheet([pair] * 30, title="Pairs", paragraphs=["Why."])
    assert len(section.figures) == MOST_PAIRS
    assert section.paragraphs == ["Why.", "The first 24 of 30 pairs."]
    assert "&lt;a&gt;" in section.figures[0]
    assert "<a>" not in section.figures[0]
    assert "similarity 0.988" in section.figures[0]
    assert 'src="data:image/png;' in section.figures[0]
    assert 'src="data:image/jpeg;' in section.figures[0]
    large = ImagePair(bytes(50_000), bytes(50_000), ("a", "b"), 1.0)
    assert len(contact_sheet([large] * 3, title="Pairs").figures) == 1


def test_noise_stays_below_300_kb() -> None:
    photos = np.random.default_rng(0).integers(0, 256, (40, 300, 300, 3), dtype=np.uint8)
    page = splitleak.contact_sheet(np.concatenate([photos, photos]), splitleak.similarity_graph(
        np.concatenate([photos, photos]), similarity="pixels"))  # fmt: skip
    assert page.count("<figure") == MOST_PAIRS
    assert "The 24 most similar of 40 pairs." in page
    assert len(page.encode()) < 300_000
    first = re.search(r"data:image/jpeg;base64,([^\"]+)", page)
    assert first is not None
    assert max(Image.open(io.BytesIO(base64.b64decode(first.group(1)))).size) == 128


def test_crossing_pairs_are_shown_first() -> None:
    photos = np.stack([picture(i) for i in (0, 1, 0, 2, 1)])
    leaking = Split.from_labels(["train", "train", "test", "train", "train"])
    leaking = Split(leaking.names, leaking.codes, certificate=splitleak.certify(photos, leaking))
    page = splitleak.contact_sheet(photos, leaking)
    assert "Similar pairs in different partitions" in page
    assert page.count("<figure") == 1
    assert "row 0" in page
    assert "row 2" in page
    kept = splitleak.split_by_similarity(photos, sizes={"train": 3, "test": 2})
    page = splitleak.contact_sheet(photos, kept)
    assert "Similar pairs that stay together" in page
    assert page.count("<figure") == 2


def test_data_without_images() -> None:
    with pytest.raises(InputError, match="a contact sheet needs images, and the data has vector rows"):
        splitleak.contact_sheet(np.eye(3), splitleak.similarity_graph(np.eye(3)))


@pytest.mark.filterwarnings("ignore::splitleak.SplitleakWarning")
def test_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "photos")

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == 0, result.output
        return result.output

    output = run("duplicates", "photos", "--html", "pairs.html")
    assert "cats/01_small.jpg" in output
    assert "cats/01.png" in Path("pairs.html").read_text()
    sizes = ("--sizes", "train=0.7,test=0.3", "--stratify", "folder")
    output = run(
        "split", "photos", *sizes, "--html", "split.html", "--contact-sheet", "--out", "split.parquet"
    )
    assert "splitleak check split.parquet photos" in output
    assert "Similar pairs that stay together" in Path("split.html").read_text()
    assert "dogs/broken.png" in Path("split.html").read_text()
    assert "Separated" in run("check", "split.parquet", "photos")
    result = CliRunner().invoke(app, ["split", "photos", "--contact-sheet"])
    assert result.exit_code == 2
    assert "--contact-sheet goes on the page of --html" in result.output
