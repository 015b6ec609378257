"""Pairs of a graph whose rows are in different partitions, implied pairs included, in linear space."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray

from splitleak.graph import SimilarityGraph


@dataclass(frozen=True)
class CrossingPairs:
    """Counts and examples of crossing pairs.

    Attributes
    ----------
    n : int
        Crossing pairs at or above the threshold.
    pairs : int64 array of shape (n_partitions, n_partitions)
        The same for each pair of partitions (symmetric, zero diagonal).
    largest : float64 array of shape (n_partitions, n_partitions)
        Largest similarity found, below the threshold too; NaN where no pair was found.
    rows : int64 array of shape (n_partitions,)
        Rows of each partition.
    with_training : int64 array of shape (n_partitions,)
        Rows of each partition with a similar row in partition 0.
    with_other : int64 array of shape (n_partitions,)
        Rows of each partition with a similar row in any other.
    worst : list of (left, right, similarity)
        The most similar crossing pairs, at most `limit` of them.
    """

    n: int
    pairs: NDArray[np.int64]
    largest: NDArray[np.float64]
    rows: NDArray[np.int64]
    with_training: NDArray[np.int64]
    with_other: NDArray[np.int64]
    worst: list[tuple[int, int, float]]


def crossing_pairs(
    graph: SimilarityGraph,
    codes: NDArray[np.int64],
    n_partitions: int,
    threshold: float,
    *,
    limit: int = 1_000,
) -> CrossingPairs:
    """Count the pairs of `graph` at or above `threshold` whose rows have different codes (-1: left out)."""
    n, p = graph.n_rows, n_partitions
    copies = np.arange(n) if graph.copies is None else graph.copies
    used = codes >= 0
    members = np.bincount(copies[used] * p + codes[used], minlength=n * p).reshape(n, p)
    a, b, s = graph.left, graph.right, graph.similarity
    pairs = np.zeros((p, p), dtype=np.int64)
    largest = np.full((p, p), np.nan)
    similar = s >= threshold
    for i in range(p):
        for j in range(i + 1, p):
            between = members[a, i] * members[b, j] + members[a, j] * members[b, i]
            within = members[:, i] * members[:, j]
            pairs[i, j] = pairs[j, i] = between[similar].sum() + within.sum()
            top = 1.0 if within.any() else (s[between > 0].max() if (between > 0).any() else np.nan)
            largest[i, j] = largest[j, i] = top
    a, b, s = a[similar], b[similar], s[similar]
    with_training, with_other = _with_similar(members, a, b)
    worst = _worst(members, a, b, s, copies, codes, limit)
    return CrossingPairs(
        int(pairs.sum()) // 2, pairs, largest, members.sum(axis=0), with_training, with_other, worst
    )


def _with_similar(
    members: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of each partition with a similar row in partition 0, and in any other partition."""
    reach = members > 0  # the partitions in which a representative's rows have a similar row or a copy
    for j in range(members.shape[1]):
        inside = members[:, j] > 0
        reach[a[inside[b]], j] = True
        reach[b[inside[a]], j] = True
    with_training = members[reach[:, 0]].sum(axis=0)
    with_training[0] = 0
    others = reach.sum(axis=1)[:, None] - reach  # besides the partition itself
    return with_training, np.where(others > 0, members, 0).sum(axis=0)


def _worst(
    members: NDArray[np.int64],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    s: NDArray[np.float64],
    copies: NDArray[np.int64],
    codes: NDArray[np.int64],
    limit: int,
) -> list[tuple[int, int, float]]:
    """List crossing pairs of rows, copies first (similarity 1), then stored pairs by similarity."""
    spread = (members > 0).sum(axis=1)
    groups = np.flatnonzero(spread > 1)[:limit]
    alone = spread == 1
    partition = members.argmax(axis=1)
    crosses = (spread[a] > 0) & (spread[b] > 0) & ~(alone[a] & alone[b] & (partition[a] == partition[b]))
    order = np.flatnonzero(crosses)
    order = order[np.argsort(-s[order], kind="stable")][:limit]
    ends = np.unique(np.concatenate([groups, a[order], b[order]]))
    chosen = np.flatnonzero(np.isin(copies, ends) & (codes >= 0))
    rows: dict[int, list[int]] = {}
    for row in chosen:
        rows.setdefault(int(copies[row]), []).append(int(row))

    def found() -> list[tuple[int, int, float]]:
        listed: list[tuple[int, int, float]] = []
        for g in groups:
            pairs = ((x, y) for x, y in product(rows[int(g)], repeat=2) if x < y and codes[x] != codes[y])
            listed += [(x, y, 1.0) for x, y in islice(pairs, limit - len(listed))]
        for e in order:
            if len(listed) >= limit:
                break
            both = product(rows[int(a[e])], rows[int(b[e])])
            pairs = ((min(x, y), max(x, y)) for x, y in both if codes[x] != codes[y])
            listed += [(x, y, float(s[e])) for x, y in islice(pairs, limit - len(listed))]
        return listed

    return sorted(found(), key=lambda pair: (-pair[2], pair[0], pair[1]))
