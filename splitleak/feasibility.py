"""When whole clusters cannot meet the sizes: a higher threshold, dropped rows, or similarity that is cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from splitleak._scale import scale_of
from splitleak.allocation import (
    Allocation,
    LabelTable,
    allocate,
    allocate_weighted,
    explain_infeasible,
    within,
)
from splitleak.clustering import Clustering, cluster
from splitleak.components import connected_components
from splitleak.crossing import crossing_pairs
from splitleak.crossing_mass import Leakage, leakage_of
from splitleak.errors import InfeasibleSplitError, InputError
from splitleak.graph import SimilarityGraph
from splitleak.pinned_separation import drop_around_pins
from splitleak.pinning import pins_of_clusters
from splitleak.sampling import mix
from splitleak.sizes import Sizes, largest_remainder
from splitleak.strata import Strata
from splitleak.strata.weighing import coarse, row_units

SLACK = 0.001  # share of the weight that a partition may be off for the sake of its strata


@dataclass(frozen=True)
class Task:
    """What clusters are made of and what is asked of them.

    Attributes
    ----------
    graph : SimilarityGraph
        Similar rows.
    groups : sequence of int64 arrays of shape (n_rows,)
        Rows that belong together; negative: in no group.
    request : Sizes
        Rows asked for in each partition; with weights, in any unit: only the shares count.
    strata : Strata or None
        What is balanced over the partitions.
    row_hashes : uint64 array of shape (n_rows,)
        Content of each row: ties are broken by it.
    tolerance : float
        Allowed deviation of each partition as a share of all rows.
    seed : int
        Seed of everything drawn.
    weights : float64 array of shape (n_rows,) or None
        What each row counts in sizes and strata; None: all the same.
    pinned : int64 array of shape (n_rows,) or None
        Partition that the caller has fixed for a row; -1: free. No two similar rows are pinned apart.
    """

    graph: SimilarityGraph
    groups: Sequence[NDArray[np.int64]]
    request: Sizes
    strata: Strata | None
    row_hashes: NDArray[np.uint64]
    tolerance: float
    seed: int
    weights: NDArray[np.float64] | None = None
    pinned: NDArray[np.int64] | None = None

    def cluster(self) -> Clustering:
        """Return the rows that must stay together."""
        return cluster(self.graph, self.groups)

    def allocate(self, clustering: Clustering) -> Allocation:
        """Hand whole clusters to partitions."""
        labels, k = clustering.labels, clustering.n_clusters
        keys = np.zeros(k, dtype=np.uint64)
        np.add.at(keys, labels, mix(self.row_hashes))  # a sum: the order of the rows does not matter
        fixed = None if self.pinned is None else pins_of_clusters(self.pinned, labels, k)[0]
        if self.weights is not None:
            return self._allocate_weight(labels, k, keys, fixed)
        table = self.label_table(labels, k)
        return allocate(
            clustering.sizes, self.request.targets, classes=table, keys=keys, seed=self.seed, fixed=fixed,
            tolerance=self.tolerance,
        )  # fmt: skip

    def torn(self, clustering: Clustering) -> NDArray[np.int64]:
        """Return the clusters whose rows are pinned to several partitions."""
        if self.pinned is None:
            return np.zeros(0, dtype=np.int64)
        return pins_of_clusters(self.pinned, clustering.labels, clustering.n_clusters)[1]

    def _allocate_weight(
        self,
        labels: NDArray[np.int64],
        k: int,
        keys: NDArray[np.uint64],
        fixed: NDArray[np.int64] | None,
    ) -> Allocation:
        units = self.cluster_units(labels, k)
        heavy = np.flatnonzero(units > 0)
        targets = self.targets_of(int(units.sum()))
        table = self.label_table(labels, k)
        rows = np.bincount(labels, minlength=k) * (int(units.sum()) / len(labels))
        # rows come along as one more label: partitions of like weight should not differ in rows without need
        table = LabelTable.beside(table, np.maximum(1, np.rint(rows)).astype(np.int64))
        found = allocate_weighted(
            units[heavy],
            targets,
            labels=table.take(heavy),
            keys=keys[heavy],
            seed=self.seed,
            n_columns=1 if self.strata is None else len(self.strata.columns),
            slack=int(min(self.tolerance / 2, SLACK) * units.sum()),
            fixed=None if fixed is None else fixed[heavy],
            tolerance=self.tolerance,
            n_judged=table.n_labels - 1,
        )
        codes = np.empty(k, dtype=np.int64)
        codes[heavy] = found.codes
        # clusters without weight change no share: in the order of their content, in proportion
        light = np.flatnonzero(units == 0)
        order = light[np.argsort(mix(keys[light] + np.uint64(self.seed)), kind="stable")]
        shares = np.cumsum(targets) / targets.sum()
        codes[order] = np.searchsorted(shares, (np.arange(len(order)) + 0.5) / max(1, len(order)))
        return replace(found, codes=codes if fixed is None else np.where(fixed >= 0, fixed, codes))

    def cluster_units(self, labels: NDArray[np.int64], n_labels: int) -> NDArray[np.int64]:
        """Return what each cluster counts: its rows, or its weight in whole units."""
        if self.weights is None:
            return np.bincount(labels, minlength=n_labels).astype(np.int64)
        each, exact = row_units(self.weights)
        units = np.zeros(n_labels, dtype=np.int64)
        np.add.at(units, labels, each)
        return coarse(units, exact)

    def targets_of(self, total: int) -> NDArray[np.int64]:
        """Return the rows asked for or, with weights, the units of a total."""
        if self.weights is None:
            return self.request.targets
        asked = self.request.targets
        return np.array(largest_remainder((asked / asked.sum() * total).tolist(), total), dtype=np.int64)

    def asked_rows(self) -> NDArray[np.int64]:
        """Return as many rows for each partition as its share of the weight would be."""
        asked, n = self.request.targets, self.graph.n_rows
        return np.array(largest_remainder((asked / asked.sum() * n).tolist(), n), dtype=np.int64)

    def label_table(self, labels: NDArray[np.int64], n_clusters: int) -> LabelTable | None:
        """Return how much of each label of the strata is in each cluster."""
        if self.strata is None:
            return None
        rows, codes, n = self.strata.balanced()
        shape = (n_clusters, n)
        if self.weights is None:
            return LabelTable.summed(labels[rows], codes, None, shape)
        each, exact = row_units(self.weights)
        table = LabelTable.summed(labels[rows], codes, each[rows], shape)
        return replace(table, amounts=coarse(table.amounts, exact))

    def is_met(self, allocation: Allocation) -> bool:
        """Whether every partition is within tolerance."""
        total = int(allocation.achieved.sum())
        return bool(within(allocation.achieved, self.targets_of(total), self.tolerance, total))

    def at(self, threshold: float) -> Task:
        """Return the same task at a higher threshold."""
        return replace(self, graph=self.graph.at(threshold))

    def attempt(self) -> Allocation:
        """Allocate by sizes alone: whether they can be met does not depend on strata."""
        task = replace(self, strata=None)
        return task.allocate(task.cluster())

    def is_feasible(self) -> bool:
        """Whether whole clusters can meet the sizes, and no cluster is pinned to several partitions."""
        return not len(self.torn(self.cluster())) and self.is_met(self.attempt())


def feasible_threshold(
    task: Task, *, two_decimals: bool = False, met: Callable[[Task], bool] | None = None
) -> float | None:
    """Return the smallest threshold above the graph's own at which the sizes can be met (or `met` says so), or None.

    Found by bisection over hundredths, as a person would type them, and the similarities of the graph itself.
    """
    steps = threshold_steps(task.graph, two_decimals=two_decimals)
    holds = met or Task.is_feasible
    return _first(steps, lambda step: holds(task.at(step)))


def threshold_steps(graph: SimilarityGraph, *, two_decimals: bool) -> NDArray[np.float64]:
    """Return the thresholds above the graph's own at which pairs are lost, ascending; none: there is no other."""
    if not graph.complete or not len(graph.similarity):
        return np.empty(0)
    steps = scale_of(graph.measure).steps(graph.similarity)
    if not two_decimals:
        steps = np.append(steps, graph.similarity)
    steps = np.unique(np.append(steps, 1.0))
    found: NDArray[np.float64] = steps[(steps > graph.threshold) & (steps <= 1)]
    return found


def _first(steps: NDArray[np.float64], holds: Callable[[float], bool]) -> float | None:
    low, high = 0, len(steps)
    while low < high:
        middle = (low + high) // 2
        if holds(float(steps[middle])):
            high = middle
        else:
            low = middle + 1
    return float(steps[low]) if low < len(steps) else None


def drop_rows(task: Task, max_dropped: int | None = None) -> NDArray[np.int64]:
    """Drop as few rows as possible so that the rest meets the sizes and no similar pair, or group, is apart.

    Parameters
    ----------
    task : Task
        The sizes are shares of the rows that are kept.
    max_dropped : int, optional
        Most rows that may be dropped.

    Returns
    -------
    int64 array of shape (n_rows,)
        Partition of each row; -1: dropped.

    Raises
    ------
    InfeasibleSplitError
        More rows than `max_dropped` would have to go.
    InputError
        A graph that could not list its pairs.
    """
    from splitleak.separation import separate_rows

    if task.pinned is not None:
        return drop_around_pins(task, max_dropped)
    if not task.graph.complete:
        raise InputError(
            "on_infeasible='drop' needs every similar pair, and there are too many to list; choose a higher threshold"
        )
    return separate_rows(
        task.graph,
        task.request.targets,
        groups=task.groups,
        classes=None if task.strata is None else task.strata.crossing(),
        row_hashes=task.row_hashes,
        tolerance=task.tolerance,
        max_dropped=max_dropped,
        seed=task.seed,
        names=task.request.names,
    ).codes


def cut_similarity(task: Task) -> NDArray[np.int64]:
    """Keep all rows, meet the sizes, and part as little summed similarity as possible.

    Equal rows and rows of one group stay together all the same.

    Returns
    -------
    int64 array of shape (n_rows,)
        Partition of each row.

    Raises
    ------
    InfeasibleSplitError
        Equal rows, or groups, that are too large for the sizes.
    InputError
        A graph that could not list its pairs.
    """
    from splitleak.separation.cutting import cut_rows

    graph, request = task.graph, task.request
    if not graph.complete:
        raise InputError(
            "on_infeasible='cut' needs every similar pair, and there are too many to list; choose a higher threshold"
        )
    none = graph.left[:0]
    units = cluster(replace(graph, left=none, right=none, similarity=graph.similarity[:0]), task.groups)
    fixed = None
    if task.pinned is not None:
        of_unit, torn = pins_of_clusters(task.pinned, units.labels, units.n_clusters)
        fixed = of_unit[units.labels]
        if len(torn):
            raise InfeasibleSplitError(
                "on_infeasible='cut' parts similar rows, never equal rows or rows of one group, and"
                f" {np.count_nonzero(units.labels == torn[0]):,} of those hang together that pinned= has in different"
                " partitions. Ways out: pin them to one partition, or leave groups= out."
            )
    allocation = task.allocate(units)
    if not task.is_met(allocation):
        raise InfeasibleSplitError(
            "on_infeasible='cut' parts similar rows, never equal rows or rows of one group, and those alone are too"
            f" much: {explained(task, units, allocation)} Ways out: ask for sizes= like those, allow more with"
            " tolerance=, or leave groups= out.",
            nearest=dict(zip(request.names, allocation.achieved.tolist(), strict=True)),
            largest_cluster=int(units.sizes.max()),
            ways_out=["other sizes=", "tolerance=", "fewer groups="],
        )
    return cut_rows(
        graph,
        request.targets,
        allocation.codes[units.labels],
        units=units.labels,
        classes=None if task.strata is None else task.strata.crossing(),
        row_hashes=task.row_hashes,
        fixed=fixed,
        tolerance=task.tolerance,
        seed=task.seed,
    )


def explained(task: Task, clustering: Clustering, allocation: Allocation) -> str:
    """Say why whole clusters cannot meet the sizes, and which sizes are nearest."""
    units = task.cluster_units(clustering.labels, clustering.n_clusters)
    return explain_infeasible(
        units,
        task.targets_of(int(units.sum())),
        task.request.names,
        allocation.achieved,
        task.tolerance,
        weighted=task.weights is not None,
    )


@dataclass(frozen=True)
class Crossed:
    """What crosses between partitions by the graph that they were made from.

    Attributes
    ----------
    pairs, all_pairs : int
        Similar pairs that cross, and all.
    held_out, with_similar : int
        Rows outside the training partition, and those of them with a similar training row.
    leakage : Leakage
        By summed similarity.
    """

    pairs: int
    all_pairs: int
    held_out: int
    with_similar: int
    leakage: Leakage

    @classmethod
    def of(cls, task: Task, codes: NDArray[np.int64]) -> Crossed:
        """Count what crosses."""
        graph = task.graph
        found = crossing_pairs(graph, codes, len(task.request.names), graph.threshold, limit=0)
        return cls(
            found.n,
            graph.n_pairs,
            int(found.rows[1:].sum()),
            int(found.with_training[1:].sum()),
            leakage_of(graph, codes, np.ones(graph.n_rows), graph.threshold),
        )

    def note(self) -> str:
        """Say how much crosses, in one sentence without a full stop."""
        share, expected = self.leakage.scaled, self.leakage.expected
        return (
            f"on_infeasible='cut' was asked for: all rows are kept, and {self.pairs:,} of {self.all_pairs:,} similar"
            f" pairs ({100 * self.pairs / max(1, self.all_pairs):.2g} %) cross, with as little summed similarity as was"
            f" found: scaled L(pi) {share:.2g}, where a random split of these sizes has {expected:.2g}"
        )


def clusters_of_kept(task: Task, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the clusters of the rows within each partition; each dropped row is one of its own."""
    kept = codes >= 0
    left, right = task.graph.links()
    both = kept[left] & (codes[left] == codes[right])
    lefts, rights = [left[both]], [right[both]]
    for group in task.groups:
        rows = np.flatnonzero((group >= 0) & kept)
        order = rows[np.argsort(group[rows], kind="stable")]
        same = group[order[1:]] == group[order[:-1]]
        lefts.append(order[:-1][same])
        rights.append(order[1:][same])
    return connected_components(np.concatenate(lefts), np.concatenate(rights), task.graph.n_rows)
