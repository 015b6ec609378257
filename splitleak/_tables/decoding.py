"""One image as 8-bit RGB pixels, whatever it was: a file, its bytes, an array, a Pillow image.

The rules: the orientation that EXIF states is applied; of an animation the first frame counts; transparent pixels are
laid over white; palettes, gray and CMYK become RGB by Pillow; 16-bit values v become round(v / 257) (beyond 65535
they are cut); 32-bit floats in a file are stretched from their smallest to their largest value. Arrays are of shape
(height, width), or with 1, 3 or 4 channels last: uint8, bool (False is black), uint16, or floats in [0, 1].
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._optional import require

ENDINGS = (
    ".avif", ".bmp", ".gif", ".j2k", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif",
    ".tiff", ".webp",
)  # fmt: skip
_CHANNELS = (1, 3, 4)


class UnreadableImageError(Exception):
    """An image that cannot be decoded; the message says why."""


def pillow(module: str = "PIL.Image") -> Any:
    """Import a module of Pillow."""
    return require(module, extra="image", feature="decoding of images")


@contextmanager
def decoding() -> Iterator[None]:
    """Decode within this: Pillow's warnings about odd files are silent, and too many pixels are an error.

    The filters of warnings belong to the process, so this is entered once, outside of the threads.
    """
    image = pillow()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.simplefilter("error", image.DecompressionBombWarning)
        yield


def decode(item: Any) -> Any:
    """Return an image as a Pillow image of mode RGB.

    Parameters
    ----------
    item : Path, bytes, array or Pillow image

    Raises
    ------
    UnreadableImageError
        A missing, truncated or damaged file, one with no or too many pixels, an array that holds no image.
    """
    if isinstance(item, np.ndarray):
        return _from_array(item)
    image = pillow()
    try:
        if isinstance(item, image.Image):
            return _as_rgb(item)
        with image.open(item if isinstance(item, Path) else io.BytesIO(item)) as opened:
            return _as_rgb(opened)
    except UnreadableImageError:
        raise
    except FileNotFoundError:
        raise UnreadableImageError("no such file") from None
    except image.UnidentifiedImageError:
        raise UnreadableImageError("no image of a format that Pillow knows") from None
    except (image.DecompressionBombError, image.DecompressionBombWarning):
        raise UnreadableImageError(
            f"more than {image.MAX_IMAGE_PIXELS:,} pixels; if the file is trusted, raise PIL.Image.MAX_IMAGE_PIXELS"
        ) from None
    except Exception as error:  # of damaged files Pillow's decoders raise nearly anything
        raise UnreadableImageError(str(error).strip().partition("\n")[0] or type(error).__name__) from None


def raw_bytes(item: Any) -> bytes:
    """Return what an unreadable item consists of, by which it is known again; empty where that cannot be read."""
    if isinstance(item, bytes):
        return item
    if isinstance(item, np.ndarray):
        return f"{item.dtype} {item.shape}".encode() + (b"" if item.dtype.hasobject else item.tobytes())
    try:
        return item.read_bytes() if isinstance(item, Path) else b""
    except OSError:
        return b""


def _as_rgb(image: Any) -> Any:
    if not all(image.size):
        raise UnreadableImageError(f"0 pixels ({image.size[0]} x {image.size[1]})")
    image = pillow("PIL.ImageOps").exif_transpose(image)
    if image.mode == "RGB" and "transparency" not in image.info:
        image.load()
        return image
    if image.mode == "F":
        return _from_array(_stretched(np.asarray(image)))
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _from_array(np.clip(np.asarray(image).astype(np.int64), 0, 65_535).astype(np.uint16))
    if image.mode[-1] in "Aa" or "transparency" in image.info:
        colours = image.convert("RGBA")
        paper = pillow().new("RGBA", colours.size, "white")
        paper.alpha_composite(colours)
        return paper.convert("RGB")
    return image.convert("RGB")


def _stretched(values: NDArray[Any]) -> NDArray[np.float64]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        raise UnreadableImageError("no pixel with a finite value")
    low, high = float(finite.min()), float(finite.max())
    scaled = (np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low) - low) / (
        high - low or 1.0
    )
    return np.asarray(scaled)


def _from_array(values: NDArray[Any]) -> Any:
    shape = values.shape
    if values.ndim not in (2, 3) or (values.ndim == 3 and shape[2] not in _CHANNELS):
        raise UnreadableImageError(
            f"an array of shape {shape}; an image is (height, width) or has {_CHANNELS} channels last"
        )
    if 0 in shape:
        raise UnreadableImageError(f"0 pixels (array of shape {shape})")
    pixels = _bytes_of(values)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    return _as_rgb(pillow().fromarray(np.ascontiguousarray(pixels)))


def _bytes_of(values: NDArray[Any]) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype == np.uint16:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if values.dtype.kind == "f":
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
            raise UnreadableImageError(
                f"floats outside [0, 1] (from {values.min():g} to {values.max():g}); scale them, or give uint8"
            )
        return np.asarray(np.floor(values.astype(np.float64) * 255 + 0.5).astype(np.uint8))
    raise UnreadableImageError(f"an array of {values.dtype}; give uint8, uint16, bool, or floats in [0, 1]")
