"""The search that aligns only pairs with similar words near one diagonal, and measures what it misses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.kernels import alignment as kernel
from splitleak.kernels.kmers import Extension, word_pairs
from splitleak.recall import Recall
from splitleak.similarity.aligned_pairs import exhaustive_pairs, verified
from splitleak.similarity.alignment import Scheme
from splitleak.similarity.alignment_definition import Definition, Pairs, Prepared
from splitleak.similarity.karlin_altschul import ungapped_rate
from splitleak.similarity.score_bounds import Bound, choose_bound, part_of

# (prepared, strictness, first row of the right sequences) -> (left, right)
Finder = Callable[[Prepared, float, int], tuple[NDArray[np.int64], NDArray[np.int64]]]

SHORT = 150  # two sequences shorter than that share too few words to tell, and cost little to compare in full
SAMPLED = 100
_UNGAPPED, _DROP = 12.0, 6.3  # natural units (score times lambda): 38 and 20 of BLOSUM62
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
    bound: Bound | None = None,
    progress: Progress = SILENT,
) -> tuple[Pairs, Recall]:
    """Return pairs with similarity >= threshold, and the share of such pairs that the filter lets through.

    Parameters
    ----------
    prepared, definition, threshold
        As for `exhaustive_pairs`.
    keys : uint64 array of shape (n,)
        Numbers drawn by the content of each sequence; the 100 smallest are the sample in which recall is measured:
        on all their pairs, on whatever sides, since between the sides of a finished split there should be none. What
        was missed in the sample is added to the pairs.
    find : callable, optional
        ``(prepared, strictness, rows_from) -> (left, right)``, left < right: which pairs to align; default:
        `candidates`. Pairs of two short sequences are compared anyway.
    bound : Bound, optional
        Of `choose_bound`, which is asked otherwise.
    """
    find = find or _finder(prepared.scheme, definition.measure)
    bound = bound or choose_bound(prepared, definition, threshold)
    asked = _strictness(definition.measure, threshold)
    lengths = prepared.lengths
    short = np.flatnonzero(lengths < SHORT)
    parts = (
        [_moved(exhaustive_pairs(part_of(prepared, short), definition, threshold, bound=bound), short)]
        if len(short)
        else []
    )
    left, right = _not_short(lengths, *find(prepared, asked, 0))
    # without sides the candidates of the sample are among these already
    known = None if len(prepared.sequences.sides) else left * len(lengths) + right
    order = np.lexsort((left, right))
    left, right = left[order], right[order]
    if bound is not None and len(left):
        reached = bound.reached(prepared, definition, threshold, left, right)
        left, right = left[reached], right[reached]
    parts.append(verified(prepared, definition, threshold, left, right, progress=progress))
    sample = np.argsort(keys, kind="stable")[:SAMPLED]
    truth, found = _sampled(prepared, definition, threshold, sample, find, asked, known, bound)
    missed = _across(prepared.sequences.sides, truth, ~found)
    parts.append(Pairs(truth.left[missed], truth.right[missed], truth.similarity[missed]))
    joined = Pairs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return joined, Recall.measured(int(found.sum()), len(found))


def _sampled(
    prepared: Prepared,
    definition: Definition,
    threshold: float,
    sample: NDArray[np.int64],
    find: Finder,
    asked: float,
    known: NDArray[np.int64] | None,
    bound: Bound | None,
) -> tuple[Pairs, NDArray[np.bool_]]:
    """Return all similar pairs of sampled sequences, sides aside, and whether the filter lets each through."""
    lengths, n = prepared.lengths, len(prepared.lengths)
    others = np.setdiff1d(np.arange(n), sample)
    sample = sample[np.argsort(lengths[sample], kind="stable")]
    others = others[np.argsort(lengths[others], kind="stable")]
    whole = np.concatenate([others, sample])
    apart = np.where(
        np.arange(n) < len(others), 0, kernel.MIXED
    )  # only the sampled ones meet, and all others
    part = part_of(prepared, whole)
    part = replace(part, sequences=part.sequences._replace(sides=apart))
    truth = exhaustive_pairs(part, definition, threshold, rows_from=len(others), bound=bound)
    if known is None:
        left, right = _not_short(part.lengths, *find(part, asked, len(others)))
        found = np.isin(truth.left * n + truth.right, left * n + right)
    truth = _moved(truth, whole)
    if known is not None:
        found = np.isin(truth.left * n + truth.right, known)
    found |= np.maximum(lengths[truth.left], lengths[truth.right]) < SHORT
    return truth, found


def _across(sides: NDArray[np.int64], pairs: Pairs, which: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which pairs may meet, of those in `which`."""
    if not len(sides):
        return which
    a, b = sides[pairs.left], sides[pairs.right]
    return np.asarray(
        which & (a != kernel.IGNORED) & (b != kernel.IGNORED) & ((a != b) | (a == kernel.MIXED))
    )


def _not_short(
    lengths: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    keep = np.maximum(lengths[left], lengths[right]) >= SHORT
    return left[keep], right[keep]


def candidates(
    prepared: Prepared, strictness: float, rows_from: int = 0, *, extension: Extension | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs with enough words in common, at least one of the two not short.

    `strictness` is the number of words asked for, per square root of the length; where they are to be extended to an
    ungapped alignment, two words are enough.
    """
    strictness = strictness if extension is None else 0.0
    s, scheme = prepared.sequences, prepared.scheme
    words = _PROTEIN_WORDS if scheme.alphabet == "protein" else _NUCLEOTIDE_WORDS
    needed = np.maximum(np.ceil(strictness * np.sqrt(prepared.lengths)), 2).astype(np.int64)
    needed[prepared.lengths < SHORT] = 1  # of two, the larger number counts
    pairs = []
    for queries in (None, s.reverse) if len(s.reverse) else (None,):
        left, right = word_pairs(
            s.codes, s.starts, s.sides, _PLAIN_LETTERS[scheme.alphabet], words, needed, queries=queries,
            rows_from=rows_from, extension=extension,
        )  # fmt: skip
        left, right = _not_short(prepared.lengths, left, right)
        pairs.append(left * len(prepared.lengths) + right)
    both = np.unique(np.concatenate(pairs))
    return both // len(prepared.lengths), both % len(prepared.lengths)


def _strictness(measure: str, threshold: float) -> float:
    """Return the words asked for per square root of the length, tuned on proteins for recall over speed."""
    if measure == "evalue":  # relatives far apart count: at 1e-3, 1e-10 and 1e-40
        return float(np.interp(threshold, [0.615, 0.75, 0.9], [0.14, 0.18, 0.35]))
    return float(np.interp(threshold, [0.3, 0.4, 0.5, 0.7], [0.35, 0.4, 0.5, 0.8]))


def _finder(scheme: Scheme, measure: str) -> Finder:
    """Return the search for candidates; E-values count a short stretch, which shares few words, as BLAST does."""
    if measure != "evalue" or scheme.alphabet != "protein":
        return candidates
    rate = ungapped_rate(scheme.weights[:20, :20])
    extension = Extension(scheme.weights, int(np.ceil(_UNGAPPED / rate)), int(np.ceil(_DROP / rate)))
    return partial(candidates, extension=extension)


def _moved(pairs: Pairs, which: NDArray[np.int64]) -> Pairs:
    a, b = which[pairs.left], which[pairs.right]
    return Pairs(np.minimum(a, b), np.maximum(a, b), pairs.similarity)
