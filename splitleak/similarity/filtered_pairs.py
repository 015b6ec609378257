"""The search that aligns only pairs with similar words near one diagonal, and measures what it misses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.graph import Recall
from splitleak.kernels.kmers import word_pairs
from splitleak.similarity.aligned_pairs import exhaustive_pairs, verified
from splitleak.similarity.alignment_definition import Definition, Pairs, Prepared
from splitleak.similarity.score_bounds import choose_bound, part_of

Finder = Callable[[Prepared, float], tuple[NDArray[np.int64], NDArray[np.int64]]]

SHORT = 150  # two sequences shorter than that share too few words to tell, and cost little to compare in full
SAMPLED = 100
_LEAST_STRICT = 0.3  # the identity whose candidates serve E-values: relatives far apart count
_PROTEIN_WORDS = [[0, 1, 3]]
_NUCLEOTIDE_WORDS = [[0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 3, 4, 6, 7, 9, 10]]
_PLAIN_LETTERS = {"protein": 20, "dna": 4, "rna": 4}


def filtered_pairs(
    prepared: Prepared,
    definition: Definition,
    threshold: float,
    keys: NDArray[np.uint64],
    *,
    find: Finder | None = None,
    progress: Progress = SILENT,
) -> tuple[Pairs, Recall]:
    """Return pairs with similarity >= threshold, and the share of such pairs that the filter lets through.

    Parameters
    ----------
    prepared, definition, threshold
        As for `exhaustive_pairs`.
    keys : uint64 array of shape (n,)
        Numbers drawn by the content of each sequence; the 100 smallest are the sample in which recall is measured.
        What was missed in the sample is added to the pairs.
    find : callable, optional
        ``(prepared, threshold) -> (left, right)``, left < right: which pairs to align; default: `candidates`. Pairs
        of two short sequences are compared anyway.
    """
    short = np.flatnonzero(prepared.lengths < SHORT)
    parts = (
        [_moved(exhaustive_pairs(part_of(prepared, short), definition, threshold), short)]
        if len(short)
        else []
    )
    left, right = (find or candidates)(
        prepared, _LEAST_STRICT if definition.measure == "evalue" else threshold
    )
    long = np.maximum(prepared.lengths[left], prepared.lengths[right]) >= SHORT
    left, right = left[long], right[long]
    order = np.lexsort((left, right))
    left, right = left[order], right[order]
    bound = choose_bound(prepared, definition, threshold)
    if bound is not None and len(left):
        reached = bound.reached(prepared, definition, threshold, left, right)
        left, right = left[reached], right[reached]
    parts.append(verified(prepared, definition, threshold, left, right, progress=progress))
    n = len(prepared.lengths)
    sample = np.argsort(keys, kind="stable")[:SAMPLED]
    others = np.setdiff1d(np.arange(n), sample)
    lengths = prepared.lengths
    sample = sample[np.argsort(lengths[sample], kind="stable")]
    others = others[np.argsort(lengths[others], kind="stable")]
    whole = np.concatenate([others, sample])
    sampled = exhaustive_pairs(part_of(prepared, whole), definition, threshold, rows_from=len(others))
    truth = _moved(sampled, whole)
    found = np.concatenate([part.left * n + part.right for part in parts])
    hit = np.isin(truth.left * n + truth.right, found)
    parts.append(Pairs(truth.left[~hit], truth.right[~hit], truth.similarity[~hit]))
    joined = Pairs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return joined, Recall.measured(int(hit.sum()), len(hit))


def candidates(prepared: Prepared, threshold: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs with enough words in common, at least one of the two not short."""
    s, scheme = prepared.sequences, prepared.scheme
    words = _PROTEIN_WORDS if scheme.alphabet == "protein" else _NUCLEOTIDE_WORDS
    needed = np.maximum(np.ceil(_strictness(threshold) * np.sqrt(prepared.lengths)), 2).astype(np.int64)
    needed[prepared.lengths < SHORT] = 1  # of two, the larger number counts
    pairs = []
    for queries in (None, s.reverse) if len(s.reverse) else (None,):
        left, right = word_pairs(
            s.codes, s.starts, s.sides, _PLAIN_LETTERS[scheme.alphabet], words, needed, queries=queries
        )
        keep = np.maximum(prepared.lengths[left], prepared.lengths[right]) >= SHORT
        pairs.append(left[keep] * len(prepared.lengths) + right[keep])
    both = np.unique(np.concatenate(pairs))
    return both // len(prepared.lengths), both % len(prepared.lengths)


def _strictness(threshold: float) -> float:
    """Return the words asked for per square root of the length, tuned on proteins for recall over speed."""
    return float(np.interp(threshold, [0.3, 0.4, 0.5, 0.7], [0.35, 0.4, 0.5, 0.8]))


def _moved(pairs: Pairs, which: NDArray[np.int64]) -> Pairs:
    a, b = which[pairs.left], which[pairs.right]
    return Pairs(np.minimum(a, b), np.maximum(a, b), pairs.similarity)
