"""Locality-sensitive hashing of token sets: band hashes, the choice of bands, and the pairs they lead to."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak._threads import map_threads, ranges, thread_count
from splitleak.kernels.banding import (
    count_bucket_pairs,
    first_proposed,
    linking_pairs,
    pairs_of_band,
)
from splitleak.kernels.jaccard_join import jaccard_pairs
from splitleak.kernels.minhash import fill_band_hashes
from splitleak.similarity.linked_bands import linked_pairs, too_many_pairs
from splitleak.similarity.ranked_sets import RankedSets, sides_by_row
from splitleak.similarity.sketches import Banding, permutations

MAX_PAIRS = 20_000_000  # beyond it, only the pairs that join components are kept
LARGE_BUCKET = 8192  # rows; larger ones are joined by prefix filter instead of pair by pair
TRIAL_ROWS = 10_000
BAND_BYTES = 1 << 28
_CHUNKS = 64
_BUFFER = 1 << 16
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def band_hashes(
    sets: RankedSets, banding: Banding, seed: int, ranks: NDArray[np.int64] | None = None
) -> NDArray[np.uint32]:
    """Return one hash a rank and band, uint32 of shape (n_ranks, bands); of all ranks or of some."""
    if ranks is None:
        rows, places = sets.rows, sets.places
    else:
        rows, places = sets.order[ranks], np.arange(len(ranks))
    a, b = permutations(banding.bands * banding.rows, seed)
    out = np.empty((len(rows), banding.bands), dtype=np.uint32)

    def fill(part: tuple[int, int]) -> None:
        fill_band_hashes(
            sets.tokens, sets.starts, rows[slice(*part)], places[slice(*part)], a, b, banding.rows, out
        )

    map_threads(fill, ranges(len(rows), _CHUNKS))
    return out


def choose_banding(sets: RankedSets, options: list[Banding], seed: int) -> Banding:
    """Return the banding that costs least on these rows: all reach the recall, so the choice is one of time.

    The pairs that bands of so many rows propose are counted on a sample and scaled. They grow with the square of
    the number of rows, the permutations only with the number: more data asks for more rows a band.
    """
    n = len(sets.order)
    # band hashes (4 bytes) take at most twice the room of the sets (8 bytes a token)
    room = max(BAND_BYTES, 2 * sets.tokens.nbytes)
    options = [options[0], *(o for o in options[1:] if 4 * n * o.bands <= room)]
    ranks = sets.sample(TRIAL_ROWS, seed)
    if len(options) == 1 or len(ranks) < 2:
        return options[0]
    n_tokens = float(sets.size.sum(dtype=np.int64))
    costs = []
    for banding in options:
        trial = band_hashes(sets, Banding(2, banding.rows), seed, ranks)
        proposed = sum(count_bucket_pairs(np.sort(trial[:, band])) for band in range(2)) / 2
        pairs = proposed * banding.bands * (n / len(ranks)) ** 2
        # measured, in nanoseconds: a token under a permutation, a row in a sorted band, a proposed pair
        costs.append(0.03 * n_tokens * banding.bands * banding.rows + 12.0 * n * banding.bands + 20.0 * pairs)
    return options[int(np.argmin(costs))]


class FoundPairs:
    """Pairs of rows as they are found; beyond `MAX_PAIRS` only those that join components are kept."""

    def __init__(self, n_rows: int) -> None:
        self.n_rows, self.complete = n_rows, True
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
        self._held = 0

    def add(self, left: NDArray[np.int64], right: NDArray[np.int64], similarity: NDArray[np.float64]) -> None:
        """Take over some pairs (copied)."""
        if not len(left):
            return
        self._parts.append((left.copy(), right.copy(), similarity.copy()))
        self._held += len(left)
        if self._held > MAX_PAIRS:
            left, right, similarity = self.arrays()
            keep = linking_pairs(left, right, np.arange(self.n_rows))
            self._parts = [(left[keep], right[keep], similarity[keep])]
            self._held, self.complete = int(keep.sum()), False

    def extend(self, other: FoundPairs) -> None:
        """Take over the pairs of another part of the search."""
        self.complete &= other.complete
        self.add(*other.arrays())

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Return ``(left, right, similarity)``."""
        left = np.concatenate([np.empty(0, np.int64), *(p[0] for p in self._parts)])
        right = np.concatenate([np.empty(0, np.int64), *(p[1] for p in self._parts)])
        return left, right, np.concatenate([np.empty(0), *(p[2] for p in self._parts)])


def banded_pairs(
    sets: RankedSets, bands: NDArray[np.uint32], threshold: float, progress: Progress = SILENT
) -> FoundPairs:
    """Return the pairs of rows that agree in a band and have Jaccard similarity >= threshold, each once.

    Every candidate is checked on the sets themselves; buckets of any size lose no pair. Where a sample of the sets
    has too many partners to list all pairs, only those that join components are returned (`linked_pairs`).
    """
    found = FoundPairs(len(sets.starts) - 1)
    if too_many_pairs(sets, threshold, MAX_PAIRS):
        found.add(*linked_pairs(sets, bands, threshold, LARGE_BUCKET, progress))
        found.complete = False
        return found
    with progress.stage("checking candidates", bands.shape[1]) as stage:
        at_once = thread_count()
        for first in range(0, bands.shape[1], at_once):
            some = range(first, min(first + at_once, bands.shape[1]))
            for part in map_threads(partial(_pairs_of_one_band, sets, bands, threshold), some):
                found.extend(part)
            stage.advance(len(some))
    return found


def _pairs_of_one_band(
    sets: RankedSets, bands: NDArray[np.uint32], threshold: float, band: int
) -> FoundPairs:
    # a sorted key holds the band's hash, and the rank below it
    keys = (bands[:, band].astype(np.uint64) << _HALF) | np.arange(len(bands), dtype=np.uint64)
    keys.sort()
    found = FoundPairs(len(sets.starts) - 1)
    resume = np.zeros(2, dtype=np.int64)
    left, right, similarity = np.empty(_BUFFER, np.int64), np.empty(_BUFFER, np.int64), np.empty(_BUFFER)
    while resume[0] < len(keys):
        m = pairs_of_band(
            keys, band, bands, sets.order, sets.size, sets.tokens, sets.starts, sets.bitmap, sets.side, threshold,
            LARGE_BUCKET, resume, left, right, similarity,
        )  # fmt: skip
        found.add(left[:m], right[:m], similarity[:m])
    if len(keys) > LARGE_BUCKET and (keys[LARGE_BUCKET:] >> _HALF == keys[:-LARGE_BUCKET] >> _HALF).any():
        _join_large_buckets(sets, bands, keys, threshold, band, found)
    return found


def _join_large_buckets(
    sets: RankedSets,
    bands: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    threshold: float,
    band: int,
    found: FoundPairs,
) -> None:
    hashes = keys >> _HALF
    edges = np.concatenate([[0], np.flatnonzero(hashes[1:] != hashes[:-1]) + 1, [len(keys)]])
    rank_of = np.empty(len(sets.starts) - 1, np.int64)
    rank_of[sets.order] = np.arange(len(sets.order))
    sides = sides_by_row(sets)
    for at in np.flatnonzero(np.diff(edges) > LARGE_BUCKET):
        rows = np.sort(sets.order[(keys[edges[at] : edges[at + 1]] & _LOW).astype(np.int64)])
        pairs = jaccard_pairs(sets.tokens, sets.starts, threshold, rows=rows, sides=sides)
        found.complete &= pairs.complete
        # pairs that link components only must all stay, for those they stand for have not been listed anywhere
        new = first_proposed(bands, rank_of[pairs.left], rank_of[pairs.right], band) | (not pairs.complete)
        found.add(pairs.left[new], pairs.right[new], pairs.similarity[new])
