"""Similarity of images: equal pixels, and perceptual hashes under Hamming distance; both exact."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.errors import unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.kernels.hamming_join import hamming_nearest, hamming_pairs
from splitleak.records import Records
from splitleak.similarity.base import IGNORED, Neighbours, similarity_backend
from splitleak.similarity.copies import equal_bytes, equal_images, sides_of
from splitleak.similarity.exact import exact_nearest
from splitleak.similarity.perceptual_hash import Method, check_hash, hash_variants

Invalid = Literal["distinct", "error"]
# the lowest without a false pair among 315,900 pairs of crops of 27 photographs, see benchmarks/images.py
PHASH_THRESHOLD = 0.85


def apply_invalid(records: Records, invalid: Invalid) -> None:
    """Check the option, and have images that cannot be read raise where it says so: before they are decoded."""
    if invalid not in get_args(Invalid):
        raise unknown_option("invalid", invalid, get_args(Invalid))
    if invalid == "error":
        records.pictures().refuse_unreadable()


def readable_rows(records: Records) -> NDArray[np.bool_]:
    """Return which rows are images that could be decoded."""
    readable = np.ones(records.n_rows, dtype=bool)
    readable[list(records.pictures().unreadable())] = False
    if records.missing is not None:
        readable &= ~records.missing
    return readable


def link_missing(records: Records, copies: NDArray[np.int64]) -> None:
    """Make all missing images copies of the first, in place: a model sees the same nothing in each."""
    if records.missing is not None:
        rows = np.flatnonzero(records.missing)
        copies[rows] = rows[:1]


def pixels_look_up(
    records: Records,
    queries: NDArray[np.int64],
    *,
    threshold: float,
    sides: NDArray[np.int64],
    invalid: Invalid = "distinct",
) -> Neighbours:
    """Look up the equal images of some rows."""
    apply_invalid(records, invalid)
    return exact_nearest(records, queries, threshold=threshold, sides=sides)


@similarity_backend("pixels", kinds={"image"}, nearest=pixels_look_up, threshold=1.0)
def pixels(
    records: Records, *, threshold: float, progress: Progress = SILENT, invalid: Invalid = "distinct"
) -> SimilarityGraph:
    """Join images of equal size and pixels after decoding.

    Parameters
    ----------
    records : Records
        Images, decoded to 8-bit RGB (extra `image`).
    threshold : float
        Any in (0, 1]: equal images have similarity 1, others 0.
    progress : Progress
        Where long stages are told.
    invalid : {"distinct", "error"}
        Images that cannot be read are similar to none (and named in a warning), or an error.
    """
    apply_invalid(records, invalid)
    none = np.empty(0, dtype=np.int64)
    return SimilarityGraph.build(
        none,
        none,
        np.empty(0),
        n_rows=records.n_rows,
        threshold=threshold,
        measure="pixels",
        copies=equal_images(records),
        details={"invalid": sorted(records.pictures().unreadable())},
    )


def phash_look_up(
    records: Records,
    queries: NDArray[np.int64],
    *,
    threshold: float,
    sides: NDArray[np.int64],
    hash: Method = "phash",  # noqa: A002  # the word of the field, and of the option
    size: int = 8,
    flips: bool = False,
    turns: bool = False,
    invalid: Invalid = "distinct",
) -> Neighbours:
    """Compare the hashes of some rows with those of all rows."""
    words, readable = _hashes(records, hash, size, flips, turns, invalid, SILENT)
    bits, n_sides = size * size, int(sides.max(initial=0)) + 1
    compared = np.where(readable, sides, IGNORED)
    distance, degree = hamming_nearest(words, queries, compared, n_sides, largest_distance(threshold, bits))
    nearest = np.where(distance < 0, np.nan, 1 - distance / bits)
    other = ~readable[queries]
    nearest[other], degree[other] = np.nan, 0
    if records.missing is not None:
        asked = np.flatnonzero(records.missing[queries])
        alike = np.bincount(sides[records.missing & (sides != IGNORED)], minlength=n_sides)
        counts = np.tile(alike, (len(asked), 1))
        inside = sides[queries[asked]] != IGNORED
        counts[inside, sides[queries[asked][inside]]] -= 1
        nearest[asked] = np.where(counts > 0, 1.0, np.nan)
        degree[asked] = counts.sum(axis=1)
    # a side whose other rows cannot be read has rows all the same: similarity 0
    others = np.tile(np.bincount(sides[sides != IGNORED], minlength=n_sides), (len(queries), 1))
    used = np.flatnonzero(sides[queries] != IGNORED)
    others[used, sides[queries][used]] -= 1
    return Neighbours(np.where(others > 0, np.nan_to_num(nearest, nan=0.0), np.nan), degree)


@similarity_backend("phash", kinds={"image"}, nearest=phash_look_up, threshold=PHASH_THRESHOLD)
def phash(
    records: Records,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None = None,
    progress: Progress = SILENT,
    hash: Method = "phash",  # noqa: A002  # the word of the field, and of the option
    size: int = 8,
    flips: bool = False,
    turns: bool = False,
    invalid: Invalid = "distinct",
) -> SimilarityGraph:
    """Join images whose perceptual hashes differ in few bits.

    The similarity is ``1 - (bits that differ) / bits``. Images that have nothing to do with each other differ in
    about half of the bits; re-encoded and resized ones in a few. The hashes compare gray values: images that
    differ in colour alone are alike. Blank images (a single gray value, all but) are alike, too.

    Parameters
    ----------
    records : Records
        Images (extra `image`).
    threshold : float
        Inclusive bound in (0, 1] of the similarity. At the default, 0.85, all copies in JPEG of quality 30 and more, of
        half the size, in gray or brighter were found in a test on photographs, 93 % of those with 2 % cut off each
        side, 29 % with 5 %, and no pair of different photographs of 315,900 (`benchmarks/images.py`).
    sides : int64 array, optional
        Search only between rows of different sides.
    progress : Progress
        Where long stages are told.
    hash : {"phash", "dhash", "ahash", "whash"}
        The hash, as the ImageHash library defines it: low frequencies of a cosine transform, gradients, brightness,
        or a Haar wavelet.
    size : {8, 16}
        Hashes of 64 or 256 bits.
    flips, turns : bool
        Mirror images and quarter turns count as the same picture: the best similarity of either image to those of
        the other.
    invalid : {"distinct", "error"}
        Images that cannot be read are similar to none (and named in a warning), or an error.

    Returns
    -------
    SimilarityGraph
        ``details["invalid"]``: the positions of the images that could not be read.

    Raises
    ------
    InputError
        No image can be read, unknown options.

    Notes
    -----
    Exact: every pair of hashes is compared, or looked up by bands that none within the distance can escape.

    Examples
    --------
    >>> import numpy as np, splitleak
    >>> photos = np.random.default_rng(0).integers(0, 256, (3, 32, 32), dtype=np.uint8)
    >>> photos[2] = photos[0, :, ::-1]
    >>> splitleak.similarity_graph(photos, similarity="phash(flips=True)").frame().values.tolist()
    [[0.0, 2.0, 1.0]]
    """
    words, readable = _hashes(records, hash, size, flips, turns, invalid, progress)
    copies = np.arange(records.n_rows, dtype=np.int64)
    rows = np.flatnonzero(readable)
    if len(rows):
        copies[rows] = rows[equal_bytes(words[rows].reshape(len(rows), -1).view(np.uint8))]
    link_missing(records, copies)
    representatives = rows[copies[rows] == rows]
    bits = size * size
    left, right, distance = hamming_pairs(
        words[representatives],
        largest_distance(threshold, bits),
        sides=sides_of(copies, representatives, sides),
    )
    return SimilarityGraph.build(
        representatives[left],
        representatives[right],
        1 - distance / bits,
        n_rows=records.n_rows,
        threshold=threshold,
        measure="phash",
        copies=copies,
        details={"invalid": sorted(records.pictures().unreadable())},
    )


def largest_distance(threshold: float, bits: int) -> int:
    """Return the most bits that may differ for a similarity ``1 - distance / bits`` at or above the threshold."""
    return int(np.flatnonzero(1 - np.arange(bits + 1) / bits >= threshold).max())


def _hashes(
    records: Records,
    method: Method,
    size: int,
    flips: bool,
    turns: bool,
    invalid: Invalid,
    progress: Progress,
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return hashes of shape (n_rows, n_variants, n_words), and which rows have one."""
    check_hash(method, size, flips, turns)
    apply_invalid(records, invalid)
    images = records.pictures()
    n_variants = {(False, False): 1, (True, False): 3, (False, True): 4, (True, True): 8}[
        bool(flips), bool(turns)
    ]
    words = images.features(
        ("phash", method, size, bool(flips), bool(turns)),
        lambda image: hash_variants(image, method, size, flips=flips, turns=turns),
        progress=progress,
    )
    readable = readable_rows(records)
    if not readable.any():
        words = np.zeros((records.n_rows, n_variants, size * size // 64))
    return np.ascontiguousarray(words, dtype=np.uint64), readable
