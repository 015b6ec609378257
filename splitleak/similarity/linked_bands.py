"""Band by band, only the pairs that join components: for data with more similar pairs than can be listed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.kernels.banding import linking_pairs, links_of_band, roots_of
from splitleak.kernels.jaccard_join import jaccard_pairs
from splitleak.kernels.set_partners import too_many_set_pairs
from splitleak.similarity.ranked_sets import RankedSets, sides_by_row

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)

Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def too_many_pairs(sets: RankedSets, threshold: float, limit: int) -> bool:
    """Return whether there are surely more than `limit` similar pairs; see `splitleak.kernels.pair_count`."""
    first = sets.starts[sets.order]
    span = np.stack([first, first + sets.size], axis=1)
    return too_many_set_pairs(sets.tokens, span, sets.bitmap, sets.side, sets.key, threshold, limit)


def linked_pairs(
    sets: RankedSets, bands: NDArray[np.uint32], threshold: float, large: int, progress: Progress = SILENT
) -> Found:
    """Return pairs ``(left, right, similarity)`` that join the rows which the bands' similar pairs join.

    Rows of one bucket that are joined already are not compared again, so that a giant bucket costs no more than its
    rows. In one thread: which pairs join components must not depend on who came first.

    Parameters
    ----------
    sets : RankedSets
        The sets.
    bands : uint32 array of shape (n_ranks, n_bands)
        Their band hashes.
    threshold : float
        Inclusive bound in (0, 1].
    large : int
        Rows from which on a bucket is joined by prefix filter.
    """
    parent = np.arange(len(sets.order), dtype=np.int64)
    found: list[Found] = []
    with progress.stage("checking candidates", bands.shape[1]) as stage:
        for band in range(bands.shape[1]):
            keys = (bands[:, band].astype(np.uint64) << _HALF) | np.arange(len(bands), dtype=np.uint64)
            keys.sort()
            one, other, similarity = links_of_band(
                keys, sets.order, sets.size, sets.tokens, sets.starts, sets.bitmap, sets.side, threshold, large, parent
            )  # fmt: skip
            found.append((sets.order[one], sets.order[other], similarity))
            found += _links_of_large(sets, keys, threshold, large, parent)
            stage.advance()
    left = np.concatenate([np.empty(0, np.int64), *(f[0] for f in found)])
    right = np.concatenate([np.empty(0, np.int64), *(f[1] for f in found)])
    return left, right, np.concatenate([np.empty(0), *(f[2] for f in found)])


def _links_of_large(
    sets: RankedSets, keys: NDArray[np.uint64], threshold: float, large: int, parent: NDArray[np.int64]
) -> list[Found]:
    hashes = keys >> _HALF
    edges = np.concatenate([[0], np.flatnonzero(hashes[1:] != hashes[:-1]) + 1, [len(keys)]])
    found: list[Found] = []
    for at in np.flatnonzero(np.diff(edges) > large):
        ranks = (keys[edges[at] : edges[at + 1]] & _LOW).astype(np.int64)
        roots = roots_of(ranks, parent)
        if (roots == roots[0]).all():
            continue
        labels = np.empty(len(sets.starts) - 1, dtype=np.int64)
        labels[sets.order[ranks]] = roots
        rows = np.sort(sets.order[ranks])
        pairs = jaccard_pairs(
            sets.tokens, sets.starts, threshold, rows=rows, sides=sides_by_row(sets), labels=labels
        )
        rank_of = np.empty(len(labels), dtype=np.int64)
        rank_of[sets.order[ranks]] = ranks
        linking_pairs(rank_of[pairs.left], rank_of[pairs.right], parent)
        found.append((pairs.left, pairs.right, pairs.similarity))
    return found
