"""MinHash LSH on shingle sets: candidates from equal bands, every candidate checked exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak._threads import map_threads, ranges
from splitleak.components import connected_components
from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.kernels.sample_join import pairs_of_sample, prefix_index, token_ranks
from splitleak.recall import Recall
from splitleak.records import Records
from splitleak.similarity.banding import band_hashes, banded_pairs, choose_banding
from splitleak.similarity.base import similarity_backend
from splitleak.similarity.copies import distinct_sets
from splitleak.similarity.jaccard import Unit, jaccard_nearest, text_shingles
from splitleak.similarity.ranked_sets import RankedSets
from splitleak.similarity.sketches import (
    Banding,
    bandings,
    from_datasketch,
    permutations,
    signatures,
    to_datasketch,
)

NUM_PERM = 1024  # permutations that may be used when the caller leaves their number open
MOST_BANDS = 4096
MOST_ROWS = 24  # a band; more would propose hardly fewer pairs
RECALL_PAIRS = 3000  # true pairs that the sample should have: at recall 1, the interval begins at 0.9987
RECALL_ROWS = 15_000
_LINKED_ROWS = 16  # of the sample, to begin with, where rows have very many partners
_CHUNKS = 64
_BUFFER = 1 << 16


@similarity_backend("minhash", kinds={"text"}, nearest=jaccard_nearest, threshold=0.8, exact=False)
def minhash(
    records: Records,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
    unit: Unit = "char",
    n: int = 5,
    normalize: bool = True,
    num_perm: int | None = None,
    recall: float = 0.9999,
) -> SimilarityGraph:
    """Join texts by the Jaccard similarity of their shingle sets, for sizes where the exact join is not affordable.

    Rows that agree in a band of MinHash values are candidates; each candidate is checked on the sets themselves,
    so no pair below the threshold is ever in the graph. Pairs may be missing: how many is measured on a sample of
    rows that are looked up exactly (`SimilarityGraph.recall`). Which pairs are found does not depend on the order
    of the rows.

    Parameters
    ----------
    records : Records
        Texts.
    threshold : float
        Jaccard similarity in (0, 1], inclusive; 1 = equal sets.
    sides : int64 array of shape (n_rows,), optional
        Search only between rows of different sides; rows of side -1 are left out.
    seed : int
        Draws the permutations and the sample.
    progress : Progress
        Where long stages are told.
    unit : {"char", "word"}
        Shingles of n characters (Unicode code points) or of n words (runs of letters, digits, underscores).
    n : int
        Units a shingle, at least 1. A shorter text has one shingle, an empty one has none.
    normalize : bool
        Whether texts are normalised first (Unicode NFKC, case folding, whitespace).
    num_perm : int, optional
        Permutations at most; default: up to 512, as the recall asks.
    recall : float
        In (0, 1): the chance with which a pair exactly at the threshold becomes a candidate; pairs above it are
        found more surely. Bands b of r rows reach ``1 - (1 - threshold**r) ** b``. Near-duplicates come in
        families, whose pairs are found or missed together: the share that is found scatters about the chance,
        so that it takes 0.9999 to have 0.999 of the pairs almost always.

    Returns
    -------
    SimilarityGraph
        With `recall` measured (under `sides`, on pairs of any side), and in `details` the bands, the rows a band,
        the expected recall at the threshold and the number of sampled rows.

    Raises
    ------
    InputError
        Options out of range; a recall that `num_perm` permutations cannot reach.

    Notes
    -----
    A. Z. Broder, On the resemblance and containment of documents, 1997; P. Indyk, R. Motwani, Approximate nearest
    neighbors, 1998.
    """
    options = _options(threshold, recall, num_perm)
    seed = int(seed) % 2**32
    sets, copies = _ranked_sets(records, sides, unit, n, normalize, progress)
    banding = choose_banding(sets, options, seed)
    with progress.stage("hashing bands"):
        bands = band_hashes(sets, banding, seed)
    found = banded_pairs(sets, bands, threshold, progress)
    left, right, similarity = found.arrays()
    with progress.stage("measuring recall"):
        everywhere, pairs = sets, found
        if len(sets.side):
            # across a clean split no pair is left to measure on: the same bands are measured on pairs of any side
            everywhere = sets._replace(side=sets.side[:0])
            pairs = banded_pairs(everywhere, bands, threshold, progress)
        measure = measured_recall if pairs.complete else measured_recall_of_links
        measured, sampled = measure(everywhere, *pairs.arrays()[:2], threshold, seed)
    del bands
    details: dict[str, Any] = {
        "bands": banding.bands,
        "rows": banding.rows,
        "num_perm": banding.bands * banding.rows,
        "expected_recall": banding.recall_at(threshold),
        "sampled_rows": sampled,
    }
    return SimilarityGraph.build(
        left, right, similarity, n_rows=records.n_rows, threshold=threshold, measure="minhash", exact=False,
        recall=measured, copies=copies, complete=found.complete, details=details,
    )  # fmt: skip


def _options(threshold: float, recall: float, num_perm: int | None) -> list[Banding]:
    if num_perm is None:
        try:
            return bandings(threshold, recall, NUM_PERM)[:MOST_ROWS]
        except InputError:
            return bandings(threshold, recall, MOST_BANDS)[:1]
    if isinstance(num_perm, bool) or not isinstance(num_perm, (int, np.integer)) or num_perm < 1:
        raise InputError(f"num_perm must be a whole number of at least 1, or None, got {num_perm!r}")
    return bandings(threshold, recall, int(num_perm))[:MOST_ROWS]


def _ranked_sets(
    records: Records,
    sides: NDArray[np.int64] | None,
    unit: Unit,
    n: int,
    normalize: bool,
    progress: Progress,
) -> tuple[RankedSets, NDArray[np.int64]]:
    with progress.stage("shingling texts"):
        tokens, starts = text_shingles(records, unit=unit, n=n, normalize=normalize)
        firsts, copies, sides = distinct_sets(tokens, starts, sides)
        return RankedSets.of(tokens, starts, firsts, sides), copies


def measured_recall(
    sets: RankedSets, left: NDArray[np.int64], right: NDArray[np.int64], threshold: float, seed: int
) -> tuple[Recall, int]:
    """Look up all similar rows of some rows exactly, and count how many of those pairs were found.

    Parameters
    ----------
    sets : RankedSets
        The sets that were searched.
    left, right : int64 arrays
        The pairs that were found.
    threshold : float
        Inclusive bound in (0, 1].
    seed : int
        Chooses the sampled rows, together with their content.

    Returns
    -------
    recall : Recall
        The pairs of one row tend to be found or missed together, which the interval does not know.
    n_sampled : int
        Rows looked up.
    """
    n = len(sets.order)
    wanted = RECALL_ROWS if not len(left) else min(RECALL_ROWS, max(200, RECALL_PAIRS * n // (2 * len(left))))
    sample = sets.sample(wanted, seed)
    if not len(sample):
        return Recall.measured(0, 0), 0
    ours, theirs = exact_pairs_of(sets, sample, threshold)
    width = np.int64(len(sets.starts))
    true = np.unique(np.minimum(ours, theirs) * width + np.maximum(ours, theirs))
    known = np.sort(np.minimum(left, right) * width + np.maximum(left, right))
    at = np.searchsorted(known, true)
    found = int((known[np.minimum(at, len(known) - 1)] == true).sum()) if len(known) else 0
    return Recall.measured(found, len(true)), len(sample)


def measured_recall_of_links(
    sets: RankedSets, left: NDArray[np.int64], right: NDArray[np.int64], threshold: float, seed: int
) -> tuple[Recall, int]:
    """Count how many of the similar pairs of some rows are joined by links; parameters as `measured_recall`.

    Where pairs are too many to list, those within a component are implied: what is found is what it joins.
    """
    labels = connected_components(left, right, len(sets.starts) - 1)
    n_rows = _LINKED_ROWS
    while True:
        sample = sets.sample(n_rows, seed)
        ours, theirs = exact_pairs_of(sets, sample, threshold)
        if len(ours) >= RECALL_PAIRS or n_rows >= min(RECALL_ROWS, len(sets.order)):
            joined = int((labels[ours] == labels[theirs]).sum())
            return Recall.measured(joined, len(ours)), len(sample)
        n_rows *= 4


def exact_pairs_of(
    sets: RankedSets, sample: NDArray[np.int64], threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all similar pairs of the sampled ranks with any row, as rows; pairs within the sample come twice."""
    rows, bitmap, size = sets.order[sample], sets.bitmap[sample], sets.size[sample].astype(np.int64)
    side = sets.side[sample] if len(sets.side) else sets.side
    bits = int(np.clip(int(size.sum()).bit_length() - 3, 8, 22))
    ranks = token_ranks(sets.tokens, sets.starts, rows, bits)
    first, postings = prefix_index(sets.tokens, sets.starts, rows, ranks, bits, threshold)

    def look_up(part: tuple[int, int]) -> list[NDArray[np.int64]]:
        some, places = sets.rows[slice(*part)], sets.places[slice(*part)]
        resume, parts = np.zeros(1, np.int64), []
        while resume[0] < len(some):
            pairs = np.empty((2, _BUFFER + len(sample)), np.int64)
            m = pairs_of_sample(
                rows, size, bitmap, ranks, first, postings, bits, some, places, sets.tokens, sets.starts,
                sets.bitmap, sets.side, side, threshold, resume, *pairs,
            )  # fmt: skip
            parts.append(pairs[:, :m].copy())
        return parts

    found = [p for some in map_threads(look_up, ranges(len(sets.rows), _CHUNKS)) for p in some]
    pairs = np.concatenate([np.empty((2, 0), np.int64), *found], axis=1)
    return pairs[0], pairs[1]


__all__ = [
    "exact_pairs_of",
    "from_datasketch",
    "measured_recall",
    "minhash",
    "permutations",
    "signatures",
    "to_datasketch",
]
