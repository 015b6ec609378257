"""Whole clusters to partitions: sizes to the row, classes balanced within that promise or within a tolerance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation.annealing import Annealing
from splitleak.allocation.balancing import Kinds, balance, least_deviation, steps_for
from splitleak.allocation.labels import LabelTable
from splitleak.allocation.packing import Packing, pack
from splitleak.allocation.trading import evened
from splitleak.errors import InputError

Ints = NDArray[np.int64]

# few clusters are balanced from several packings, and the best is kept
STARTS, CLUSTERS_IN_ALL_STARTS = 16, 10_000


@dataclass(frozen=True)
class Allocation:
    """Partition of each cluster.

    Attributes
    ----------
    codes : int64 array of shape (n_clusters,)
        Partition of each cluster, in [0, n_partitions).
    achieved : int64 array of shape (n_partitions,)
        Rows of each partition.
    met : bool
        Whether the sizes are those asked for, to the row.
    proven : bool
        Whether no allocation is nearer to the sizes asked for (True where `met`).
    deviation : float
        Summed absolute deviation from the rows asked for, over partitions (and over classes, where classes were
        given), as a share of all rows, in [0, 2].
    """

    codes: Ints
    achieved: Ints
    met: bool
    proven: bool
    deviation: float


def allocate(
    cluster_sizes: Ints,
    targets: Ints,
    *,
    classes: Ints | LabelTable | None = None,
    keys: NDArray[np.uint64],
    seed: int,
    fixed: Ints | None = None,
    tolerance: float = 0.0,
) -> Allocation:
    """Hand whole clusters to partitions.

    The sizes are met to the row wherever a search finds a way, no partition stays empty when there are as many
    clusters as partitions, and otherwise the sizes are the nearest (smallest summed deviation in rows). That is
    guaranteed up to about 1,000,000 rows for two partitions; for three, where the two smaller ones ask for up to
    about 1,000 rows each, or there are at most a dozen clusters. Beyond that sizes that are met are met, but where
    they are not, a nearer answer may exist: `Allocation.proven` says whether that is ruled out.
    Classes are balanced among the allocations that keep those sizes. Where that leaves a class more than a point off
    its share of all rows (because one cluster is large), sizes give way within `tolerance`: the allocation found with
    the smallest sum of largest size gap and largest class gap, both as shares, is taken.

    Parameters
    ----------
    cluster_sizes : int64 array of shape (n_clusters,)
        Rows of each cluster, at least 1.
    targets : int64 array of shape (n_partitions,)
        Rows asked for; they sum to the rows of all clusters.
    classes : int64 array of shape (n_clusters, n_classes) or LabelTable, optional
        Rows of each class in each cluster; a row may count in several columns (classes of several kinds, sets of
        labels) or in none.
    keys : uint64 array of shape (n_clusters,)
        A hash of each cluster's content. Clusters that are alike in size and classes are told apart by it, never
        by position, so the answer does not depend on the order of the clusters.
    seed : int
        Another seed gives another allocation of the same quality.
    fixed : int64 array of shape (n_clusters,), optional
        Partition of clusters that must stay where they are; -1: free.
    tolerance : float
        Share of all rows by which a partition may be off for the sake of its classes; 0: sizes are exact.

    Raises
    ------
    InputError
        Targets that do not sum to the rows of the clusters, arrays of other lengths.

    Examples
    --------
    >>> sizes, keys = np.array([5, 3, 1, 1]), np.arange(4, dtype=np.uint64)
    >>> found = allocate(sizes, np.array([8, 2]), keys=keys, seed=0)
    >>> found.codes.tolist(), found.achieved.tolist(), found.met
    ([0, 0, 1, 1], [8, 2], True)
    """
    _check(cluster_sizes, targets, classes, keys, fixed)
    seed = int(seed)  # Random takes no NumPy number
    n_partitions, n_rows = len(targets), int(targets.sum())
    codes = np.full(len(cluster_sizes), -1, dtype=np.int64) if fixed is None else fixed.astype(np.int64)
    free, pinned = np.flatnonzero(codes < 0), np.flatnonzero(codes >= 0)
    labels = _labels(classes, len(codes))
    kinds = Kinds.of(cluster_sizes[free], labels.take(free) if len(pinned) else labels, keys[free], seed)
    lacking = targets - _sums(codes[pinned], cluster_sizes[pinned], n_partitions)
    filled = np.bincount(codes[pinned], minlength=n_partitions) > 0
    # n_rows times the rows too many: whole numbers, so that no order of summation matters
    totals = labels.totals()
    off = n_rows * _sums_of(labels, codes, n_partitions) - np.outer(targets, totals)
    goal = least_deviation(targets, totals, n_rows)
    random = Random(seed)
    packing, shares = _best(kinds, lacking, filled, off, n_rows, goal, random)
    codes[free[kinds.order]] = np.repeat(np.tile(np.arange(n_partitions), len(shares)), shares.ravel())
    allowed = allowed_rows(tolerance, n_rows)
    if allowed and len(labels.labels):
        search = Annealing(cluster_sizes, targets, labels, keys, random, fixed)
        begun = codes[search.order]
        codes = search.placed(evened(search, begun, allowed=allowed, n_labels=labels.n_labels))
    achieved = _sums(codes, cluster_sizes, n_partitions)
    summed = int(np.abs(achieved - targets).sum())
    if classes is None:
        deviation = summed / n_rows
    else:
        off = n_rows * _sums_of(labels, codes, n_partitions) - np.outer(targets, totals)
        deviation = float(np.abs(off).sum()) / n_rows / n_rows
    return Allocation(codes, achieved, summed == 0, packing.proven, deviation)


def _best(
    kinds: Kinds, lacking: Ints, filled: NDArray[np.bool_], off: Ints, unit: int, goal: int, random: Random
) -> tuple[Packing, Ints]:
    """Return the packing, and the clusters of each kind in each partition."""
    sizes, counts, _ = kinds.of_size()
    arguments = sizes.tolist(), counts.tolist(), lacking.tolist()
    packing = pack(*arguments, filled=filled.tolist(), random=random)
    one_class = len(np.unique(kinds.labels.labels)) <= 1 and len(sizes) == len(kinds.sizes)
    if one_class:  # nothing to balance, and no compiled code to load
        return packing, packing.counts
    n_clusters = int(counts.sum())
    starts = max(1, min(STARTS, CLUSTERS_IN_ALL_STARTS // n_clusters))
    steps = steps_for(n_clusters)
    best = None
    for start in range(starts):
        again = packing
        if start:
            known = packing.deviation
            again = pack(*arguments, filled=filled.tolist(), random=random, known=known)
            if again.deviation > known:
                continue
        deviation, shares = balance(kinds, again.counts, off, unit, random, goal=goal, steps=steps)
        if best is None or deviation < best[0]:
            best = deviation, again, shares
        if deviation <= goal:
            break
    assert best is not None
    return Packing(best[1].counts, packing.deviation, packing.proven), best[2]


def _labels(classes: Ints | LabelTable | None, n_clusters: int) -> LabelTable:
    if isinstance(classes, LabelTable):
        return classes
    return LabelTable.dense(np.zeros((n_clusters, 0), dtype=np.int64) if classes is None else classes)


def _sums(codes: Ints, rows: Ints, n_partitions: int) -> Ints:
    """Return the rows of each partition."""
    sums = np.zeros(n_partitions, dtype=np.int64)
    np.add.at(sums, codes, rows)
    return sums


def _sums_of(labels: LabelTable, codes: Ints, n_partitions: int) -> Ints:
    """Return the amount of each label in each partition; clusters of code -1 are in none."""
    return labels.sums((codes[:, None] == np.arange(n_partitions)).astype(np.int64))


def _check(
    cluster_sizes: Ints,
    targets: Ints,
    classes: Ints | LabelTable | None,
    keys: NDArray[np.uint64],
    fixed: Ints | None,
) -> None:
    k = len(cluster_sizes)
    for name, array in (("classes", classes), ("keys", keys), ("fixed", fixed)):
        if array is not None and len(array) != k:
            raise InputError(f"{name} must have one entry per cluster: {k} clusters, {len(array)} entries")
    if k == 0 or cluster_sizes.min() < 1:
        raise InputError("cluster_sizes must be at least 1 row each, for at least one cluster")
    if int(targets.sum()) != int(cluster_sizes.sum()):
        raise InputError(
            f"targets must sum to the rows of all clusters, {int(cluster_sizes.sum()):,}, got {int(targets.sum()):,}"
        )
    if fixed is not None and fixed.max() >= len(targets):
        raise InputError(f"fixed must be partitions in [0, {len(targets)}) or -1, got {int(fixed.max())}")


def within(achieved: Ints, targets: Ints, tolerance: float, n_rows: int) -> bool:
    """Return whether each partition is within `tolerance` (a share of all rows) of its target, and none empty.

    Examples
    --------
    >>> within(np.array([81, 19]), np.array([80, 20]), 0.02, 100)
    True
    >>> within(np.array([100, 0]), np.array([99, 1]), 0.02, 100)
    False
    """
    allowed = allowed_rows(tolerance, n_rows)
    return bool((np.abs(achieved - targets) <= allowed).all() and (achieved > 0).all())


def allowed_rows(tolerance: float, n_rows: int) -> int:
    """Return how many rows a partition may be off."""
    # the last bit of tolerance * n_rows must not decide: 0.07 * 100 is 7.000000000000001
    return math.floor(tolerance * n_rows + 1e-9 * max(1, n_rows))
