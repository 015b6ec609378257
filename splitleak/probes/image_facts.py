"""What can be seen of images without understanding them: their files, their whole, and 8 x 8 patches of each."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._tables.decoding import UnreadableImageError, decode, decoding, pillow
from splitleak._threads import map_threads
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

GRID = 8  # patches along each side
SIDE = 64  # pixels along each side of the small copies
_MOST = 3_000
_FAST = 600
_MOST_PIXELS = 1_500_000_000  # decoded in all
_FAST_PIXELS = 200_000_000
_SMALLER = 256  # a JPEG is decoded at a fraction of its size, at least that
_SIZES = 10  # more sizes of images than that are cut by hand
_PATTERNS = 20
_MAKE, _MODEL, _SOFTWARE = 271, 272, 305  # tags of EXIF


@dataclass(frozen=True, eq=False)
class Facts:
    """What was seen of a column of images.

    Attributes
    ----------
    name : str
        The column.
    rows : int64 array of shape (n_images,)
        Positions in the context of the images that were read.
    files : list of AuditColumn
        What is known of their files; one value for each image read.
    wholes : list of AuditColumn
        Brightness, contrast, colours and sharpness of each.
    small : uint8 array of shape (n_images, 64, 64, 3)
        Small copies.
    unreadable : int
        Images that could not be read.
    """

    name: str
    rows: Ints
    files: list[AuditColumn]
    wholes: list[AuditColumn]
    small: NDArray[np.uint8]
    unreadable: int

    def patches(self) -> tuple[Floats, Floats]:
        """Return mean and spread of the gray values of each patch, both of shape (n_images, 64)."""
        step = SIDE // GRID
        gray = self.small.mean(axis=3).reshape(-1, GRID, step, GRID, step)
        cells = gray.transpose(0, 1, 3, 2, 4).reshape(len(self.small), GRID * GRID, step * step)
        return cells.mean(axis=2), cells.std(axis=2)


def image_facts(context: AuditContext, name: str) -> Facts | None:
    """Return what was seen of a column's images (a sample of many), computed once per audit; None: none was read."""
    key = f"images of {name}"
    if key not in context.memo:
        context.memo[key] = _facts(context, name)
    found: Facts | None = context.memo[key]
    return found


def _facts(context: AuditContext, name: str) -> Facts | None:
    images = context.images[name]
    there = np.array([row for row in range(len(images)) if images.item(row) is not None], dtype=np.int64)
    rows = context.sample(there, _FAST if context.fast else _MOST, f"images {name}")
    with decoding():
        sizes = [s for s in map_threads(lambda row: _pixels(images.item(row)), rows[:50].tolist()) if s]
        most = (_FAST_PIXELS if context.fast else _MOST_PIXELS) / max(
            float(np.mean(sizes)) if sizes else 1.0, 1.0
        )
        rows = context.sample(rows, max(100, int(most)), f"large images {name}")
        read = map_threads(lambda row: _read(images.item(row)), rows.tolist())
    kept = [i for i, one in enumerate(read) if one is not None]
    if not kept:
        return None
    seen = [one for one in read if one is not None]
    names = [images.name(int(rows[i])) for i in kept]
    return Facts(
        name,
        rows[kept],
        _file_columns([s[0] for s in seen], names),
        _columns({key: [s[1][key] for s in seen] for key in seen[0][1]}),
        np.stack([s[2] for s in seen]),
        len(rows) - len(kept),
    )


def _pixels(item: Any) -> int:
    try:
        if isinstance(item, (Path, bytes)):
            with pillow().open(item if isinstance(item, Path) else io.BytesIO(item)) as opened:
                return int(opened.size[0] * opened.size[1])
        return int(np.asarray(item).size)
    except Exception:  # of damaged files Pillow raises nearly anything; _read says so
        return 0


def _read(item: Any) -> tuple[dict[str, Any], dict[str, float], NDArray[np.uint8]] | None:
    """Return facts of the file, of the whole image, and a small copy; None where it cannot be read."""
    try:
        if not isinstance(item, (Path, bytes)):
            return _seen({"mode": str(getattr(item, "mode", ""))}, decode(item), None)
        with pillow().open(item if isinstance(item, Path) else io.BytesIO(item)) as opened:
            tags = opened.getexif()
            facts = {
                "format": opened.format,
                "mode": opened.mode,
                "bytes": item.stat().st_size if isinstance(item, Path) else len(item),
                "EXIF": "there" if len(tags) else "none",
                "camera": f"{tags.get(_MAKE, '')} {tags.get(_MODEL, '')}".strip() or "none",
                "software": str(tags.get(_SOFTWARE, "")).strip() or "none",
            }
            size = opened.size
            opened.draft("RGB", (_SMALLER, _SMALLER))
            return _seen(facts, decode(opened), size)
    except UnreadableImageError:
        return None
    except Exception:  # as above
        return None


def _seen(
    facts: dict[str, Any], image: Any, size: tuple[int, int] | None
) -> tuple[dict[str, Any], dict[str, float], NDArray[np.uint8]]:
    width, height = image.size if size is None else size
    facts |= {"width": width, "height": height}
    box = pillow().Resampling.BOX
    small = np.asarray(image.resize((SIDE, SIDE), box), dtype=np.uint8)
    image.thumbnail((_SMALLER, _SMALLER), box)
    gray = np.asarray(image.convert("L"), dtype=np.float64)
    red, green, blue = small.reshape(-1, 3).mean(axis=0).tolist()
    whole = {
        "brightness": (red + green + blue) / 3,
        "contrast": float(small.std()),
        "red against green": red - green,
        "blue against green": blue - green,
        "sharpness": _sharpness(gray),
    }
    return facts, whole, small


def _sharpness(gray: Floats) -> float:
    """Return the mean second difference, as a share of the spread of the gray values."""
    bends = [np.abs(np.diff(gray, n=2, axis=axis)).mean() for axis in (0, 1) if gray.shape[axis] > 2]
    return float(np.mean(bends) / max(float(gray.std()), 1e-9)) if bends else 0.0


def _file_columns(facts: Sequence[dict[str, Any]], names: Sequence[str]) -> list[AuditColumn]:
    sizes = [f"{f['width']} x {f['height']}" for f in facts]
    made: dict[str, list[Any]] = {
        key: [f.get(key) for f in facts] for key in ("format", "mode", "EXIF", "camera", "software")
    }
    if len(set(sizes)) <= _SIZES:
        made["size"] = sizes
    made["width"] = [float(f["width"]) for f in facts]
    made["height"] = [float(f["height"]) for f in facts]
    made["aspect"] = [f["width"] / f["height"] for f in facts]
    if "bytes" in facts[0]:
        made["bytes"] = [float(f.get("bytes", np.nan)) for f in facts]
        made["bytes per pixel"] = [f.get("bytes", np.nan) / (f["width"] * f["height"]) for f in facts]
        patterns = [_pattern(name) for name in names]
        if len(set(patterns)) <= _PATTERNS:
            made["file name"] = patterns
    return _columns(made)


def _pattern(name: str) -> str:
    """Return how a file is named, whatever it is called: "IMG_0012" is A_0, "cat.7" is a.0."""
    stem = name.rpartition("/")[2].rpartition(".")[0]
    stem = re.sub(r"\d+", "0", stem)
    return re.sub(r"[^\W\d_]+", lambda word: "A" if word[0].isupper() else "a", stem)


def _columns(made: dict[str, list[Any]]) -> list[AuditColumn]:
    import pyarrow as pa

    columns = []
    for name, values in made.items():
        if isinstance(values[0], float):
            whole = np.array(values, dtype=np.float64)
            if np.ptp(whole[~np.isnan(whole)]) > 0 if (~np.isnan(whole)).any() else False:
                columns.append(AuditColumn(name, "numeric", np.isnan(whole), _values=whole))
        elif len(set(values)) > 1:
            column = pa.chunked_array([pa.array(values, pa.large_string())])
            columns.append(AuditColumn(name, "category", np.array([v is None for v in values]), column))
    return columns
