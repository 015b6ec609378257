"""SPL209: images that tell the target or the split by something else than their content; honest digits are silent."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

import splitleak
from splitleak.errors import SplitleakWarning
from splitleak.planting import plant
from splitleak.probes.image_regions import areas
from tests.images import encoded, picture
from tests.probes.audits import ask, halves

DIGITS = load_digits()


def digits(*classes: int, scale: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Return handwritten digits as images of 32 x 32 bytes, and which they are."""
    chosen = np.isin(DIGITS.target, classes)
    small = (DIGITS.images[chosen] * 15.9).astype(np.uint8)
    return np.kron(small, np.ones((scale, scale), dtype=np.uint8)), DIGITS.target[chosen]


def told(result) -> set[tuple[str, str]]:
    return {(entry["what"], entry["against"]) for entry in result.evidence if entry["score"] > 0.6}


def test_honest_digits_are_silent() -> None:
    alarms = 0
    for seed in range(20):
        pair = np.random.default_rng(seed).choice(10, 2, replace=False)
        images, y = digits(*pair)
        alarms += ask(images, "SPL209", halves(len(y), seed), target=y, fast=True).status != "clean"
    assert alarms == 0


def test_a_white_square_in_the_corner_of_one_class_is_a_leak() -> None:
    images, y = digits(3, 8)
    images[y == 3, :4, :4] = 255
    found = ask(images, "SPL209", target=y, fast=True)
    assert (found.status, found.columns) == ("leak", ("image",))
    assert ("top left corner", "target") in told(found)
    assert found.picture is not None
    patches = np.array(found.picture["maps"][0]["values"])
    assert patches.shape == (8, 8)
    assert patches[0, 0] == 1.0


def test_a_square_in_half_of_the_images_of_a_class_is_a_caution() -> None:
    images, y = digits(3, 8)
    images[(y == 8) & (np.random.default_rng(0).random(len(y)) < 0.5), -4:, -4:] = 128
    found = ask(images, "SPL209", target=y, fast=True)
    assert found.status == "caution"
    assert ("bottom right corner", "target") in told(found)


@pytest.mark.parametrize("marked", ["both classes", "half and half"])
def test_two_marks_do_not_hide_each_other(marked: str) -> None:
    images, y = digits(3, 8)
    first = y == 3 if marked == "both classes" else (y == 3) & (np.random.default_rng(0).random(len(y)) < 0.5)
    images[first, :4, :4] = 255
    images[(y == 8) if marked == "both classes" else (y == 3) & ~first, -4:, -4:] = 255
    found = ask(images, "SPL209", target=y, fast=True)
    assert found.status == ("leak" if marked == "both classes" else "caution")
    assert {("top left corner", "target"), ("bottom right corner", "target")} <= told(found)


def test_sources_of_different_brightness_are_a_caution() -> None:
    images, y = digits(0, 6)
    light = np.where(y == 0, 70, 20) + np.random.default_rng(0).normal(0, 8, len(y))
    brighter = np.clip(images // 2 + light[:, None, None], 0, 255).astype(np.uint8)
    found = ask(brighter, "SPL209", target=y, fast=True)
    assert found.status == "caution"
    assert ("brightness of the background", "target") in told(found)


def test_held_out_images_of_another_scanner_are_a_caution() -> None:
    images, y = digits(0, 6)
    split = halves(len(y))
    images = np.clip(images.astype(int) + np.where(split == "test", 30, 0)[:, None, None], 0, 255).astype(
        np.uint8
    )
    found = ask(images, "SPL209", split, target=y, fast=True)
    assert found.status == "caution"
    assert ("brightness", "split") in told(found)
    assert ask(images, "SPL209", halves(len(y), 5), target=y, fast=True).status == "clean"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("cats", "dogs"):
        (tmp_path / kind).mkdir()
    for i in range(80):
        kind = "cats" if i % 2 else "dogs"
        Image.fromarray(picture(i, width=48, height=32)).save(tmp_path / kind / f"{kind[:-1]}_{i:03d}.png")
    return tmp_path


def test_a_folder_whose_subfolders_are_the_classes(folder: Path) -> None:
    assert ask(folder, "SPL209", halves(80), target="folder", fast=True).status == "clean"
    for path in sorted((folder / "dogs").glob("*.png")):
        Image.open(path).save(path.with_suffix(".jpg"))
        path.unlink()
    found = ask(folder, "SPL209", target="folder", fast=True)
    assert (found.status, found.columns) == ("leak", ("path",))
    assert ("format", "target") in told(found)


def test_a_camera_that_took_one_class_is_a_leak_and_unreadable_files_are_counted(folder: Path) -> None:
    paths = sorted(str(path) for path in folder.rglob("*.png"))
    y = ["dogs" in path for path in paths]
    tags = Image.Exif()
    tags[272] = "Model X"
    data = [
        encoded(np.asarray(Image.open(path)), "JPEG", exif=tags.tobytes() if dog else b"")
        for path, dog in zip(paths, y, strict=True)
    ]
    table = pd.DataFrame({"photo": data, "dog": y})
    found = ask(table, "SPL209", target="dog", fast=True)
    assert (found.status, found.columns) == ("leak", ("photo",))
    assert ("camera", "target") in told(found)
    Path(paths[0]).write_bytes(b"no image")
    with pytest.warns(SplitleakWarning, match="1 of 80 images cannot be read"):
        found = ask([Path(path) for path in paths], "SPL209", target=y, fast=True)
    assert "1 cannot be read" in found.explanation


def test_the_order_of_the_images_does_not_matter() -> None:
    images, y = digits(3, 8)
    images[y == 3, :4, :4] = 255
    order = np.random.default_rng(0).permutation(len(y))
    one = ask(images, "SPL209", halves(len(y)), target=y, fast=True)
    two = ask(images[order], "SPL209", halves(len(y))[order], target=y[order], fast=True)
    assert one.summary() == two.summary()


def test_a_network_looks_at_the_corner() -> None:
    pytest.importorskip("torch")
    images, y = digits(1, 8)
    tagged = images.copy()
    tagged[y == 1, :8, :8] = 255
    honest, found = (ask(x, "SPL209", target=y) for x in (images, tagged))
    border = [
        next(e["score"] for e in result.evidence if "network" in e["what"]) for result in (honest, found)
    ]
    assert border[1] > border[0]
    assert found.picture is not None
    assert "where a network looks: 1" in {entry["name"] for entry in found.picture["maps"]}
    assert ask(tagged, "SPL209", target=y).summary() == found.summary()


def test_when_there_is_nothing_to_look_at() -> None:
    assert "needs images" in ask(pd.DataFrame({"a": range(60)}), "SPL209", halves(60)).explanation
    images, _ = digits(1)
    assert ask(images[:20], "SPL209", halves(20)).status == "not_applicable"
    assert "target or a split" in ask(images, "SPL209").explanation


def test_every_probe_answers_for_images() -> None:
    images, y = digits(3, 8)
    report = splitleak.leakage_report(images, halves(len(y)), target=y, fast=True, impact=False)
    assert report.about["columns"] == {"image": 1}
    assert report["SPL209"].status == "clean"


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 30), st.integers(2, 30))
def test_areas_are_those_of_scikit_learn(seed: int, m: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    values, inside = rng.integers(0, 5, (m + n, 3)).astype(float), np.arange(m + n) < m
    expected = [roc_auc_score(inside, column) for column in values.T]
    assert areas(values, inside) == pytest.approx(expected)


def test_training_images_saved_again_are_near_duplicates_and_like_images_are_not() -> None:
    images, y = digits(*range(10))
    table = pd.DataFrame({"image": [encoded(image) for image in images[:400]], "digit": y[:400]})
    split = np.array(["train"] * 320 + ["test"] * 80)
    assert ask(table, "SPL102", split).status == "clean"
    leak = plant("copies_of_images", table, "digit", split, strength=0.1, seed=1)
    found = ask(leak.table, "SPL102", split, target="digit")
    assert found.status == "leak"
    assert set(found.rows) == set(leak.rows.tolist())
    assert "saved anew" in found.explanation


def test_photographs_of_many_changes_are_found() -> None:
    originals = [Image.fromarray(picture(seed)) for seed in range(40)]
    others = [Image.fromarray(picture(seed)) for seed in range(100, 130)]
    changed = [
        originals[0].convert("L"),
        originals[1].resize((40, 30)),
        originals[2].point([min(255, v + 20) for v in range(256)] * 3),
        originals[3].crop((1, 1, 95, 63)),
        originals[4].transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        originals[5].transpose(Image.Transpose.ROTATE_90),
    ]
    images = [encoded(image) for image in [*originals, *others, *changed]]
    split = ["train"] * 40 + ["test"] * 36
    found = ask(pd.DataFrame({"image": images}), "SPL102", split)
    assert found.status == "leak"
    assert found.rows.tolist() == [70, 71, 72, 73, 74, 75]
    assert found.partners.tolist() == [0, 1, 2, 3, 4, 5]


def test_many_training_images_are_not_turned_and_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    originals = [Image.fromarray(picture(seed)) for seed in range(40)]
    mirrored = [image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for image in originals[:4]]
    table = pd.DataFrame({"image": [encoded(image) for image in [*originals, *mirrored]]})
    split = ["train"] * 40 + ["test"] * 4
    found = ask(table, "SPL102", split)
    assert found.rows.tolist() == [40, 41, 42, 43]
    monkeypatch.setattr("splitleak.probes.near_images._MOST_TURNED", 39)
    found = ask(table, "SPL102", split)
    assert found.status == "clean"
    assert "among up to 10,000 training images only" in found.explanation
