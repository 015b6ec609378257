"""Task: what clusters are made of, and what is asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation import (
    Allocation,
    LabelTable,
    allocate,
    allocate_weighted,
    explain_infeasible,
    within,
)
from splitleak.clustering import Clustering, cluster
from splitleak.graph import SimilarityGraph
from splitleak.pinning import pins_of_clusters
from splitleak.sampling import mix
from splitleak.sizes import Sizes, largest_remainder
from splitleak.strata import Strata
from splitleak.strata.weighing import coarse, row_units, units_to_drop

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

    def units(self) -> NDArray[np.int64] | None:
        """Return what each row counts where rows are dropped or cut one by one; None: all the same."""
        return None if self.weights is None else units_to_drop(self.weights)

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
        return replace(self, graph=self.graph.raised(threshold))

    def attempt(self) -> Allocation:
        """Allocate by sizes alone: whether they can be met does not depend on strata."""
        task = replace(self, strata=None)
        return task.allocate(task.cluster())

    def is_feasible(self) -> bool:
        """Whether whole clusters can meet the sizes, and no cluster is pinned to several partitions."""
        return not len(self.torn(self.cluster())) and self.is_met(self.attempt())


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
