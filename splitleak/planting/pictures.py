"""Marks, brightness and formats that tell the target or the split, and images saved again across partitions."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak._tables.decoding import pillow
from splitleak.errors import NotPlantable
from splitleak.planting.base import Labels, Leak, Rng, planted
from splitleak.planting.copies import draw
from splitleak.planting.tables import drawn_of_side, two_sides

_MARKED = "share of the images of that side that are changed"
_MARK = 8  # a mark covers one part in so many of the width and of the height
_BRIGHTER = 40  # levels of 256
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff")
Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


@planted(
    "mark_tells_target", "a light mark in the corner of images of one class", ("SPL209",),
    weak=0.3, ordinary=0.9, strong=1.0, meaning=_MARKED,
)  # fmt: skip
def mark_tells_target(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    return _changed(table, target, split, two_sides(table, target, rng), rng, strength, _marked(rng))


@planted(
    "mark_tells_split", "a light mark in the corner of test images", ("SPL209",),
    weak=0.2, ordinary=0.5, strong=0.9, meaning=_MARKED,
)  # fmt: skip
def mark_tells_split(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    return _changed(table, target, split, split == "test", rng, strength, _marked(rng))


@planted(
    "brightness_tells_split", "test images taken in another light", ("SPL209",),
    weak=0.3, ordinary=0.7, strong=1.0, meaning=_MARKED,
)  # fmt: skip
def brightness_tells_split(
    table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float
) -> Leak:
    return _changed(table, target, split, split == "test", rng, strength, _lighter)


@planted(
    "format_tells_target", "images of one class saved in another format", ("SPL209",),
    weak=0.6, ordinary=0.95, strong=1.0, meaning=_MARKED,
)  # fmt: skip
def format_tells_target(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    name = _column(table, target)
    rows = drawn_of_side(two_sides(table, target, rng), rng, strength)
    images = table[name].tolist()
    for row in rows:
        pixels = _pixels(images[row])
        images[row] = _saved(pixels, "BMP")
    return Leak(_with(table, name, images), split, columns=(name,))


@planted(
    "copies_of_images", "train images saved again as JPEG and half as large again, in test", ("SPL102",),
    weak=0.02, ordinary=0.05, strong=0.2, meaning="share of the test rows that are copies (3 rows at least)",
)  # fmt: skip
def copies_of_images(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    name = _column(table, target)
    rows, sources = draw(split, rng, strength, least=3)
    images = table[name].tolist()
    for row, source in zip(rows, sources, strict=True):
        picture = pillow().fromarray(_pixels(images[source]))
        larger = picture.resize((max(1, picture.width * 3 // 2), max(1, picture.height * 3 // 2)))
        images[row] = _saved(np.asarray(larger), "JPEG")
    return Leak(_with(table, name, images), split, rows=rows, extra={"partners": sources})


def _column(table: pd.DataFrame, target: Any) -> Any:
    """Return the first column of images, as the bytes of PNG or JPEG files."""
    if importlib.util.find_spec("PIL") is None:
        raise NotPlantable("needs Pillow: pip install splitleak[image]")
    for name in table.columns:
        if name == target or table[name].dtype != object or not len(table):
            continue
        if all(isinstance(value, bytes) and value.startswith(_SIGNATURES) for value in table[name]):
            return name
    raise NotPlantable("needs a column of images as the bytes of PNG or JPEG files, none missing")


def _changed(
    table: pd.DataFrame,
    target: Any,
    split: Labels,
    side: NDArray[np.bool_],
    rng: Rng,
    strength: float,
    change: Change,
) -> Leak:
    """Change the pixels of a share of the images of a side; all images are saved anew, in one format."""
    name = _column(table, target)
    rows = set(drawn_of_side(side, rng, strength).tolist())
    images = []
    for row, image in enumerate(table[name]):
        pixels = _pixels(image)
        images.append(_saved(change(pixels) if row in rows else pixels, "PNG"))
    return Leak(_with(table, name, images), split, columns=(name,), extra={"holders": np.array(sorted(rows))})


def _marked(rng: Rng) -> Change:
    right, low = rng.random(2) < 0.5

    def mark(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        out = pixels.copy()
        height, width = (max(1, side // _MARK) for side in out.shape[:2])
        rows = slice(-height, None) if low else slice(None, height)
        columns = slice(-width, None) if right else slice(None, width)
        out[rows, columns] = 255
        return out

    return mark


def _lighter(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.minimum(pixels.astype(np.int16) + _BRIGHTER, 255).astype(np.uint8)


def _pixels(image: bytes) -> NDArray[np.uint8]:
    with pillow().open(io.BytesIO(image)) as opened:
        return np.array(opened.convert("RGB"))


def _saved(pixels: NDArray[np.uint8], form: str) -> bytes:
    file = io.BytesIO()
    pillow().fromarray(pixels).save(file, form)
    return file.getvalue()


def _with(table: pd.DataFrame, name: Any, images: list[bytes]) -> pd.DataFrame:
    out = table.copy()
    out[name] = pd.Series(images, index=out.index, dtype=object)
    return out
