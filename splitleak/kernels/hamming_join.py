"""Exact join of short bit strings under Hamming distance, with up to eight variants of each.

The distance of two rows is the smallest between the first variant of one and any variant of the other. Small
distances are found by the pigeonhole principle over bands of 16 bits (Norouzi, Punjani and Fleet, "Fast exact search
in Hamming space with multi-index hashing", 2014): of m bands one differs in at most distance // m bits. Comparing all
pairs takes a tenth of a nanosecond each at best, so that the bands pay for many rows and few bits only; what costs less
is done.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads
from splitleak.kernels.bit_join import _popcount
from splitleak.kernels.compiling import njit

_STRIP = 512  # distances that are counted before any is looked at
_QUERIES = 256  # rows per task
_BAND = 16
_MIXED = -2
# what looking up a key, and comparing a row found there, cost as against comparing a row in order; measured
_KEY_COST, _FOUND_COST = 200.0, 300.0

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def hamming_pairs(
    variants: NDArray[np.uint64],
    max_distance: int,
    *,
    sides: NDArray[np.int64] | None = None,
    banded: bool | None = None,
) -> Pairs:
    """Return ``(left, right, distance)`` of all pairs of rows at most `max_distance` apart.

    Parameters
    ----------
    variants : uint64 array of shape (n, n_variants, n_words)
        Bit strings; the first variant of a row is the row itself.
    max_distance : int
        Inclusive bound, at least 0.
    sides : int64 array of shape (n,), optional
        Only pairs of different sides (-1: no pair; -2: meets every row).
    banded : bool, optional
        Look up bands, or compare all pairs; default: what costs less.

    Examples
    --------
    >>> import numpy as np
    >>> left, right, distance = hamming_pairs(np.array([[[7]], [[5]], [[248]]], dtype=np.uint64), 1)
    >>> left.tolist(), right.tolist(), distance.tolist()
    ([0], [1], [1])
    """
    n, n_variants, n_words = variants.shape
    rows = np.arange(n) if sides is None else np.flatnonzero(sides != -1)
    side = np.zeros(0, dtype=np.int64) if sides is None else sides[rows]
    used = np.ascontiguousarray(variants[rows])
    targets = used.reshape(-1, n_words)
    own = np.ascontiguousarray(used[:, 0])
    if banded is None:
        banded = _bands_cost_less(len(rows), n_variants, n_words, max_distance)
    tasks = [(first, min(first + _QUERIES, len(rows))) for first in range(0, len(rows), _QUERIES)]
    if banded:
        order, starts, masks = _band_index(targets, max_distance)

        def work(task: tuple[int, int]) -> Any:
            return _probe(own, targets, n_variants, side, *task, max_distance, order, starts, masks)
    else:
        columns = np.ascontiguousarray(targets.T)

        def work(task: tuple[int, int]) -> Any:
            return _scan(own, columns, n_variants, side, *task, max_distance)

    found = np.concatenate([np.empty((0, 3), dtype=np.int64), *map_threads(work, tasks)])
    left, right, distance = rows[found[:, 0]], rows[found[:, 1]], found[:, 2]
    left, right = np.minimum(left, right), np.maximum(left, right)
    by_place = np.lexsort((distance, right, left))
    left, right, distance = left[by_place], right[by_place], distance[by_place]
    new = np.ones(len(left), dtype=bool)
    new[1:] = (left[1:] != left[:-1]) | (right[1:] != right[:-1])
    return left[new], right[new], distance[new]


def _bands_cost_less(n: int, n_variants: int, n_words: int, max_distance: int) -> bool:
    n_bands = n_words * 64 // _BAND
    keys = n_bands * len(_masks(max_distance // n_bands)) if max_distance // n_bands <= 4 else np.inf
    targets = n * n_variants
    compared = targets / (2 if n_variants == 1 else 1)
    return bool(keys * (_KEY_COST + _FOUND_COST * targets / 2**_BAND) < compared * n_words)


def _masks(most: int) -> NDArray[np.int64]:
    """Return every number of 16 bits with at most `most` of them set."""
    return np.array(
        [sum(1 << b for b in bits) for k in range(most + 1) for bits in combinations(range(_BAND), k)],
        dtype=np.int64,
    )


def _band_index(
    targets: NDArray[np.uint64], max_distance: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each band, the targets in order of their key and where each key starts; and the key differences."""
    n_bands = targets.shape[1] * 64 // _BAND
    keys = targets.astype("<u8").view("<u2")
    order = np.empty((n_bands, len(targets)), dtype=np.int64)
    starts = np.zeros((n_bands, 2**_BAND + 1), dtype=np.int64)
    for band in range(n_bands):
        order[band] = np.argsort(keys[:, band], kind="stable")
        np.cumsum(np.bincount(keys[:, band], minlength=2**_BAND), out=starts[band, 1:])
    return order, starts, _masks(max_distance // n_bands)


@njit(nogil=True, cache=True)
def _grown(pairs, m):  # type: ignore[no-untyped-def]
    if m < len(pairs):
        return pairs
    larger = np.empty((2 * m, 3), dtype=np.int64)
    larger[:m] = pairs
    return larger


@njit(nogil=True, cache=True)
def _scan(own, columns, n_variants, side, first, last, most):  # type: ignore[no-untyped-def]
    """Compare the rows `first` to `last` with all targets, or with those behind them where each has one variant."""
    n_words, n_targets = columns.shape
    count = np.empty(_STRIP, dtype=np.uint16)
    pairs = np.empty((256, 3), dtype=np.int64)
    m = 0
    for q in range(first, last):
        start = q + 1 if n_variants == 1 else 0
        for at in range(start, n_targets, _STRIP):
            size = min(_STRIP, n_targets - at)
            least = np.uint16(65535)
            count[:size] = 0
            for w in range(n_words):
                word, column = own[q, w], columns[w, at : at + size]
                for k in range(size):
                    count[k] += np.uint16(_popcount(word ^ column[k]))
            for k in range(size):
                least = min(least, count[k])
            if least > most:
                continue
            for k in range(size):
                r = (at + k) // n_variants
                if count[k] > most or r == q:
                    continue
                if len(side) and side[q] == side[r] and side[q] != _MIXED:
                    continue
                pairs = _grown(pairs, m)
                pairs[m, 0], pairs[m, 1], pairs[m, 2] = q, r, count[k]
                m += 1
    return pairs[:m].copy()


@njit(nogil=True, cache=True)
def _probe(  # type: ignore[no-untyped-def]
    own, targets, n_variants, side, first, last, most, order, starts, masks
):
    """Look up the rows `first` to `last` in the bands."""
    n_bands, n_words = len(order), targets.shape[1]
    pairs = np.empty((256, 3), dtype=np.int64)
    m = 0
    for q in range(first, last):
        for band in range(n_bands):
            shift = np.uint64(band % 4 * _BAND)
            key = np.int64((own[q, band // 4] >> shift) & np.uint64(0xFFFF))
            for mask in masks:
                near = key ^ mask
                for place in range(starts[band, near], starts[band, near + 1]):
                    t = order[band, place]
                    r = t // n_variants
                    if r == q or (n_variants == 1 and r < q):
                        continue
                    if len(side) and side[q] == side[r] and side[q] != _MIXED:
                        continue
                    distance = np.int64(0)
                    for w in range(n_words):
                        distance += np.int64(_popcount(own[q, w] ^ targets[t, w]))
                    if distance <= most:  # met again in other bands: repeats are taken out at the end
                        pairs = _grown(pairs, m)
                        pairs[m, 0], pairs[m, 1], pairs[m, 2] = q, r, distance
                        m += 1
    return pairs[:m].copy()


@njit(nogil=True, cache=True)
def hamming_nearest(variants, queries, sides, n_sides, most):  # type: ignore[no-untyped-def]
    """Compare rows with all rows.

    Returns the smallest distance of each query to another row of each side (-1: there is none), shape
    (n_queries, n_sides), and the number of other rows at most `most` away; rows of side -1 are left out.
    """
    n, n_variants, n_words = variants.shape
    nearest = np.full((len(queries), n_sides), -1, dtype=np.int64)
    degree = np.zeros(len(queries), dtype=np.int64)
    for at in range(len(queries)):
        q = queries[at]
        for r in range(n):
            if r == q or sides[r] < 0:
                continue
            least = np.int64(1 << 30)
            for v in range(n_variants):
                there, back = np.int64(0), np.int64(0)
                for w in range(n_words):
                    there += np.int64(_popcount(variants[q, 0, w] ^ variants[r, v, w]))
                    back += np.int64(_popcount(variants[q, v, w] ^ variants[r, 0, w]))
                least = min(least, there, back)
            if nearest[at, sides[r]] < 0 or least < nearest[at, sides[r]]:
                nearest[at, sides[r]] = least
            degree[at] += least <= most
    return nearest, degree
