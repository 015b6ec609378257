"""Pictures for the tests: smooth ones that look like photographs to a hash, made from a seed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def picture(seed: int, *, width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """Return an RGB picture of shape (height, width, 3) with structure at several scales."""
    rng = np.random.default_rng(seed)
    layers = np.zeros((height, width, 3))
    for side, weight in ((3, 1.0), (6, 0.7), (12, 0.4)):
        small = Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8))
        layers += weight * np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))
    return np.clip(layers / 2.1, 0, 255).astype(np.uint8)


def encoded(image: Any, form: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of an image file."""
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def write_folder(folder: Path, n: int = 20) -> Path:
    """Write n pictures in two subfolders, each also as a smaller JPEG, beside one damaged file and a note."""
    for kind in ("cats", "dogs"):
        (folder / kind).mkdir(parents=True)
    for i in range(n):
        kind = "cats" if i % 2 else "dogs"
        image = Image.fromarray(picture(i))
        image.save(folder / kind / f"{i:02d}.png")
        image.resize((72, 48)).save(folder / kind / f"{i:02d}_small.jpg", quality=70)
    whole = (folder / "dogs" / "00.png").read_bytes()
    (folder / "dogs" / "broken.png").write_bytes(whole[: len(whole) // 2])
    (folder / "readme.txt").write_text("not an image")
    (folder / ".hidden.png").write_bytes(whole)
    return folder
