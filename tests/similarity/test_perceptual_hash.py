"""Perceptual hashes are those of the ImageHash library, in all symmetries."""

from typing import Any

import imagehash
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from splitleak.errors import InputError
from splitleak.similarity.perceptual_hash import Method, check_hash, hash_variants
from tests.images import picture


def photographs() -> list[Any]:
    from sklearn.datasets import load_sample_images

    found = [Image.fromarray(image) for image in load_sample_images().images]
    found += [image.crop((40, 60, 400, 300)) for image in found]
    return found + [Image.fromarray(picture(seed)) for seed in range(10)]


def library(method: str, image: Any, size: int) -> NDArray[np.bool_]:
    hashes = {
        "phash": lambda: imagehash.phash(image, hash_size=size),
        "dhash": lambda: imagehash.dhash(image, hash_size=size),
        "ahash": lambda: imagehash.average_hash(image, hash_size=size),
        "whash": lambda: imagehash.whash(image, hash_size=size, image_scale=8 * size),
    }
    return np.asarray(hashes[method]().hash).reshape(-1)


def bits(words: NDArray[np.uint64]) -> NDArray[np.bool_]:
    return np.unpackbits(words.astype("<u8").view(np.uint8), bitorder="little").astype(bool)


@pytest.mark.parametrize("size", [8, 16])
@pytest.mark.parametrize("method", ["phash", "dhash", "ahash", "whash"])
def test_hashes_are_the_librarys(method: Method, size: int) -> None:
    for image in photographs():
        ours = bits(hash_variants(image, method, size)[0])
        assert ours.tolist() == library(method, image, size).tolist()


@pytest.mark.parametrize("method", ["phash", "dhash", "ahash", "whash"])
def test_variants_are_those_of_the_turned_images(method: Method) -> None:
    """Reducing and turning commute but for the rounding of pixels: a bit or two of 64."""
    turn = Image.Transpose
    order = [
        turn.ROTATE_90, turn.ROTATE_180, turn.ROTATE_270, turn.FLIP_LEFT_RIGHT, turn.FLIP_TOP_BOTTOM,
        turn.TRANSPOSE, turn.TRANSVERSE,
    ]  # fmt: skip
    for image in photographs():
        variants = hash_variants(image, method, 8, flips=True, turns=True)
        assert len(variants) == 8
        for words, transpose in zip(variants[1:], order, strict=True):
            wanted = library(method, image.transpose(transpose), 8)
            assert (bits(words) != wanted).sum() <= 3, transpose
        assert hash_variants(image, method, 8, flips=True).tolist() == variants[[0, 4, 5]].tolist()
        assert hash_variants(image, method, 8, turns=True).tolist() == variants[:4].tolist()


@pytest.mark.parametrize("method", ["phash", "dhash", "ahash", "whash"])
def test_blank_images_hash_to_no_bit(method: Method) -> None:
    gray = np.full((40, 60), 130, dtype=np.uint8)
    gray[7, 9] += 2
    assert not hash_variants(Image.fromarray(gray), method, 8, flips=True, turns=True).any()


def test_symmetric_pictures_do_not_hash_by_rounding_noise() -> None:
    half = picture(3, width=32)[:, :, 0]
    image = Image.fromarray(np.hstack([half, half[:, ::-1]]))
    upright, mirrored = hash_variants(image, flips=True)[:2]
    assert upright.tolist() == mirrored.tolist()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("pash", 8, False, False), "hash='pash' is not known; did you mean 'phash'"),
        (("phash", 9, False, False), "size must be 8 .* or 16 .*, got 9"),
        (("phash", 8, "yes", False), "flips must be True or False, got 'yes'"),
        (("phash", 8, True, 1), "turns must be True or False, got 1"),
    ],
)
def test_unknown_options_are_refused(options: tuple[Any, ...], told: str) -> None:
    with pytest.raises(InputError, match=told):
        check_hash(*options)
