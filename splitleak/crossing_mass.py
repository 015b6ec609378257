"""How much similarity crosses between partitions: DataSAIL's L(pi), and its expectation under random splits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.partition import DROPPED, Split
from splitleak.records import Records
from splitleak.similarity.precomputed import MatrixKind, precomputed

Ints = NDArray[np.int64]
LEAST = 1e-9  # of a whole matrix, everything above zero counts


@dataclass(frozen=True)
class Leakage:
    """How much of the similarity crosses between partitions.

    Attributes
    ----------
    scaled : float
        Similarity of the pairs that cross over that of all pairs, in [0, 1] (0 where there is no similarity).
    expected : float
        The same in expectation over all random splits of the same sizes.
    ratio : float
        `scaled` over `expected`: 1 = as leaky as a random split, 0 = nothing crosses. NaN where nothing can cross.
    crossing, total : float
        Summed similarity of the pairs that cross, and of all pairs.
    similarity_from : float
        Pairs below this similarity are not counted (0: all are).
    exact : bool
        False when the graph may miss pairs.
    """

    scaled: float
    expected: float
    ratio: float
    crossing: float
    total: float
    similarity_from: float
    exact: bool


def scaled_leakage(
    similarity: Any,
    split: Split | Sequence[object] | NDArray[Any],
    *,
    kind: MatrixKind = "similarity",
    weights: Sequence[float] | NDArray[np.float64] | None = None,
) -> Leakage:
    """Return the scaled leakage L(pi) of a split, and what a random split of the same sizes would have.

    L(pi) is the summed similarity of all pairs of rows in different partitions; scaled, it is divided by that of
    all pairs (Joeres et al. 2025, Nature Communications 16:3337). It falls with the size of the test set whatever
    the split, so it is given relative to its expectation, too: under a random split of sizes n_k of n rows, each
    pair crosses with probability 1 - sum n_k (n_k - 1) / (n (n - 1)). A pair of a row with itself does not count.

    Parameters
    ----------
    similarity : SimilarityGraph, or array, sparse matrix or DataFrame of shape (n_rows, n_rows)
        Of a graph, only pairs at or above its threshold count.
    split : Split or array-like of shape (n_rows,)
        Partition of each row, by name or number; negative, None, NaN or empty: in no partition.
    kind : {"similarity", "distance", "dissimilarity"}
        What a matrix holds, as for `precomputed`.
    weights : array-like of shape (n_rows,), optional
        Weight of each row, at least 0; a pair counts by the product.

    Raises
    ------
    InputError
        Another number of rows, a graph that could not list its pairs, a matrix that cannot be used.

    Examples
    --------
    >>> matrix = np.array([[1, 0.5, 0.5, 0], [0.5, 1, 0, 0], [0.5, 0, 1, 0], [0, 0, 0, 1]])
    >>> found = scaled_leakage(matrix, ["train", "train", "test", "test"])
    >>> found.scaled, round(found.expected, 3), round(found.ratio, 3)
    (0.5, 0.667, 0.75)
    """
    if isinstance(similarity, SimilarityGraph):
        graph, least = similarity, similarity.threshold
    elif hasattr(similarity, "shape"):
        backend, least = precomputed(similarity, kind=kind), 0.0
        graph = backend.graph(Records("table", int(similarity.shape[0])), threshold=LEAST)
    else:
        raise InputError(
            f"similarity must be a SimilarityGraph or a square matrix, got {type(similarity).__name__}"
        )
    codes = _codes_of(split, graph.n_rows)
    return leakage_of(graph, codes, _weights(weights, graph.n_rows), least)


def leakage_of(graph: SimilarityGraph, codes: Ints, weights: NDArray[np.float64], least: float) -> Leakage:
    if not graph.complete:
        raise InputError(
            "scaled_leakage needs every pair, and this graph had too many to list; make it at"
            f" {graph.scale.stricter}"
        )
    n, p = graph.n_rows, int(codes.max(initial=0)) + 1
    used = codes >= 0
    copies = np.arange(n) if graph.copies is None else graph.copies
    cell = copies[used] * p + codes[used]
    members = np.bincount(cell, weights=weights[used], minlength=n * p).reshape(n, p)
    squares = np.bincount(copies[used], weights=weights[used] ** 2, minlength=n)
    a, b, s = graph.left, graph.right, graph.similarity
    whole = members.sum(axis=1)
    # copies have similarity 1 to each other; a stored pair stands for all pairs of copies of the two
    between, within = whole[a] * whole[b], (whole**2 - squares) / 2
    total = _sum(s * between) + _sum(within)
    for k in range(p):
        between -= members[a, k] * members[b, k]
    apart = (whole**2 - (members**2).sum(axis=1)) / 2
    crossing = _sum(s * np.maximum(between, 0)) + _sum(np.maximum(apart, 0))
    scaled = crossing / total if total > 0 else 0.0
    expected = random_crossing(np.bincount(codes[used], minlength=p))
    ratio = scaled / expected if expected > 0 else float("nan")
    return Leakage(scaled, expected, ratio, crossing, total, least, graph.exact)


def random_crossing(sizes: Ints) -> float:
    """Return the probability that a pair of rows crosses under a random split of these sizes.

    Examples
    --------
    >>> round(random_crossing(np.array([80, 20])), 4)
    0.3232
    """
    rows = [int(size) for size in sizes]
    n = sum(rows)
    return 1 - sum(size * (size - 1) for size in rows) / (n * (n - 1)) if n > 1 else 0.0


def _sum(values: NDArray[np.float64]) -> float:
    return math.fsum(values)  # rounded once: the order of the rows does not matter


def _codes_of(split: Any, n: int) -> Ints:
    if isinstance(split, Split):
        codes = split.codes
    else:
        values = np.asarray(split)
        codes = (
            np.where(values < 0, DROPPED, values).astype(np.int64)
            if values.dtype.kind in "iu"
            else Split.from_labels(list(split)).codes
        )
        # partitions by number may have any numbers
        codes = np.unique(np.append(codes, DROPPED), return_inverse=True)[1][:-1].astype(np.int64) - 1
    if codes.shape != (n,):
        raise InputError(f"split must have one partition for each of the {n:,} rows, got shape {codes.shape}")
    return codes


def _weights(weights: Any, n: int) -> NDArray[np.float64]:
    if weights is None:
        return np.ones(n)
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (n,) or not np.isfinite(values).all() or (values < 0).any():
        raise InputError(
            f"weights must be {n:,} finite numbers of at least 0, one for each row, got {weights!r:.80}"
        )
    return values
