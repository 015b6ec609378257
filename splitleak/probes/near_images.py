"""Held-out images that are training images again: saved anew, lighter, resized, mirrored or turned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.context import AuditContext
from splitleak.probes.near_neighbours import FALSE_DISCOVERIES, nearest_of, scaling_p
from splitleak.statistics import benjamini_hochberg

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SAME, ALIKE = 0.12, 0.35  # root mean square difference of gray pixels, in standard deviations of the picture
_SIDE = 16  # pixels along each side of what is compared
_BLANK = 4.0  # of 255 gray levels between the darkest and the lightest of them
_QUERIES, _FAST_QUERIES = 2_000, 400
_MOST_TRAIN, _FAST_TRAIN = 50_000, 5_000
_LEAST_TRAIN = 8
_MOST_TURNED = 10_000  # training images among which mirrored and turned ones are looked up, too
_CROWD_P = 0.5  # beyond it a crowd is as close: simple pictures, a bar or a digit 1


@dataclass(frozen=True, eq=False)
class NearImages:
    """The nearest training image of some held-out images.

    Attributes
    ----------
    rows, partners : int64 arrays of shape (n_tested,)
        Held-out rows, and the training row whose image is nearest to each.
    distance : float64 array of shape (n_tested,)
        Root mean square difference of their gray pixels at 16 x 16, each picture scaled to mean 0 and deviation 1:
        0 for equal ones, 1.4 for unrelated ones. The correlation of the pixels is ``1 - distance ** 2 / 2``.
    p_values : float64 array of shape (n_tested,)
        Of "the nearest is as close as the next ones foretell"; of mirrored and turned images times their number.
    crowded : bool array of shape (n_tested,)
        Whether many others are about as close.
    turned : bool
        Whether mirrored and turned images were looked up, too: among up to 10,000 training images.
    """

    rows: Ints
    partners: Ints
    distance: Floats
    p_values: Floats
    crowded: NDArray[np.bool_]
    turned: bool = True

    def same(self) -> NDArray[np.bool_]:
        """Return which are the same picture beyond doubt."""
        return np.asarray((self.distance <= SAME) & ~self.crowded)

    def alike(self) -> NDArray[np.bool_]:
        """Return which are far closer than chance, and near enough to be the same picture."""
        rare = benjamini_hochberg(self.p_values) < FALSE_DISCOVERIES
        return np.asarray(self.same() | (rare & (self.distance <= ALIKE)))

    def or_closer(self, other: NearImages) -> NearImages:
        """Return row by row the better evidence of two views of the same rows."""
        better = (other.p_values < self.p_values) | (
            (other.p_values == self.p_values) & (other.distance < self.distance)
        )
        fields = ("partners", "distance", "p_values", "crowded")
        return NearImages(self.rows, *(np.where(better, getattr(other, f), getattr(self, f)) for f in fields))


def nearest_images(context: AuditContext, name: str) -> NearImages | None:
    """Look up a sample of the held-out images among the training images; None where there are too few."""
    images = context.images[name]
    gray = images.features(("gray", _SIDE), _gray, progress=context.progress).astype(np.float64)
    seen = gray.max(axis=1) - gray.min(axis=1) >= _BLANK
    train = context.train[seen[context.train]]
    held = context.held_out[seen[context.held_out]]
    train = context.sample(train, _FAST_TRAIN if context.fast else _MOST_TRAIN, f"images of train {name}")
    held = context.sample(held, _FAST_QUERIES if context.fast else _QUERIES, f"held-out images {name}")
    if len(train) < _LEAST_TRAIN or not len(held):
        return None
    known, asked = _standardised(gray[train]), _standardised(gray[held])
    k = min(int(np.clip(round(2 * np.sqrt(len(train))), 20, 60)), len(train) // 2)
    best = NearImages(
        held, held, np.full(len(held), np.inf), np.ones(len(held)), np.ones(len(held), dtype=bool)
    )
    turned = _symmetries(asked) if len(train) <= _MOST_TURNED else [asked]
    for at, view in enumerate(turned):
        distance, place = nearest_of(known, view, k)
        distance /= _SIDE
        p = scaling_p(distance)
        rare = p if not at else np.minimum(1.0, p * len(turned))
        seen_as = NearImages(held, train[place[:, 0]], distance[:, 0], rare, p > _CROWD_P)
        best = best.or_closer(seen_as)
    return replace(best, turned=len(turned) > 1)


def _symmetries(pixels: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return the pictures as they are, then mirrored and turned by quarters, shape (n, 256) each."""
    square = pixels.reshape(-1, _SIDE, _SIDE)
    turns = [np.rot90(square, quarters, axes=(1, 2)) for quarters in range(4)]
    both = [*turns, *(turn[:, :, ::-1] for turn in turns)]
    return [np.ascontiguousarray(view).reshape(len(pixels), -1) for view in both]


def _gray(image: Any) -> NDArray[np.uint8]:
    from PIL.Image import Resampling

    small = image.convert("L").resize((_SIDE, _SIDE), Resampling.BOX)
    return np.asarray(small, dtype=np.uint8).ravel()


def _standardised(gray: Floats) -> NDArray[np.float32]:
    centred = gray - gray.mean(axis=1, keepdims=True)
    return np.ascontiguousarray(centred / centred.std(axis=1, keepdims=True), dtype=np.float32)
