"""Perceptual hashes of images, as the ImageHash library defines them, for all symmetries of the square at once.

Bit for bit those of ImageHash 4.3 (`phash`, `dhash`, `average_hash`, and `whash` with ``image_scale=8 * hash_size``),
on which the tests hold them, but for two cases in which a hash would be rounding noise: the coefficients of `phash`
are rounded to 3 decimals (in a symmetric picture half of them are 0), and a blank image hashes to no bit.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError, unknown_option

Method = Literal["phash", "dhash", "ahash", "whash"]
SIZES = (8, 16)
_REDUCED = {
    "phash": 4,
    "dhash": 1,
    "ahash": 1,
    "whash": 8,
}  # side of the reduced image, as a multiple of the size
_BLANK = 4  # of 255 gray levels between the darkest and the lightest pixel


def check_hash(method: object, size: object, flips: object, turns: object) -> None:
    """Raise unless the options of a hash are known.

    Raises
    ------
    InputError
        An unknown hash or size, flips or turns that are neither True nor False.
    """
    if method not in get_args(Method):
        raise unknown_option("hash", method, get_args(Method))
    if isinstance(size, bool) or size not in SIZES:
        raise InputError(f"size must be 8 (64 bits) or 16 (256 bits), got {size!r}")
    for name, value in (("flips", flips), ("turns", turns)):
        if not isinstance(value, (bool, np.bool_)):
            raise InputError(f"{name} must be True or False, got {value!r}")


def hash_variants(
    image: Any, method: Method = "phash", size: int = 8, *, flips: bool = False, turns: bool = False
) -> NDArray[np.uint64]:
    """Return the hash of an image and of its mirror images and quarter turns.

    Parameters
    ----------
    image : Pillow image
    method : {"phash", "dhash", "ahash", "whash"}
    size : {8, 16}
        The hash has ``size * size`` bits.
    flips, turns : bool
        Hash the two mirror images, the three quarter turns, or (both) all eight symmetries of the square, too.

    Returns
    -------
    uint64 array of shape (n_variants, n_words)
        The image itself first.
    """
    from PIL.Image import Resampling

    gray = image.convert("L")
    side = _REDUCED[method] * size
    wide = int(method == "dhash")  # which compares neighbours: one more column than bits
    upright = np.asarray(gray.resize((side + wide, side), Resampling.LANCZOS))
    across = np.asarray(gray.resize((side, side + wide), Resampling.LANCZOS)) if wide and turns else upright
    variants = np.stack(_symmetries(upright, across, flips, turns))
    if int(upright.max()) - int(upright.min()) <= _BLANK:
        bits = np.zeros((len(variants), size * size), dtype=bool)
    else:
        bits = _bits(variants, method, size).reshape(len(variants), -1)
    return np.ascontiguousarray(np.packbits(bits, axis=1, bitorder="little")).view("<u8").astype(np.uint64)


def _symmetries(
    upright: NDArray[np.uint8], across: NDArray[np.uint8], flips: bool, turns: bool
) -> list[NDArray[np.uint8]]:
    found = [upright]
    if turns:
        found += [np.rot90(across), np.rot90(upright, 2), np.rot90(across, 3)]
    if flips:
        found += [upright[:, ::-1], upright[::-1]]
    if flips and turns:
        found += [across.T, np.rot90(across, 2).T]
    return found


def _bits(gray: NDArray[np.uint8], method: Method, size: int) -> NDArray[np.bool_]:
    """Return the bits of reduced gray images of shape (n, height, width)."""
    if method == "dhash":
        return np.asarray(gray[:, :, 1:] > gray[:, :, :-1])
    if method == "ahash":
        # times the number of pixels, so that the mean is a whole number
        return np.asarray(
            gray.astype(np.int64) * size * size > gray.sum((1, 2), dtype=np.int64)[:, None, None]
        )
    if method == "whash":
        # what is left of a Haar transform at this level, without its mean, are the means of blocks
        scale = _REDUCED["whash"]
        values = (
            gray.reshape(len(gray), size, scale, size, scale).sum((2, 4), dtype=np.int64).astype(np.float64)
        )
    else:
        basis = _cosines(_REDUCED["phash"] * size)[:size]
        values = np.round(basis @ gray.astype(np.float64) @ basis.T, 3)
    return np.asarray(values > np.median(values, axis=(1, 2), keepdims=True))


@cache
def _cosines(n: int) -> NDArray[np.float64]:
    """Return the matrix of the discrete cosine transform of type II, unnormalised."""
    k, x = np.arange(n)[:, None], np.arange(n)[None, :]
    return np.asarray(2 * np.cos(np.pi * k * (2 * x + 1) / (2 * n)))
