"""When whole clusters cannot meet the sizes: why, the ways out with their price, and taking one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation import Allocation, allocate, explain_infeasible, within
from splitleak.clustering import Clustering, cluster
from splitleak.components import connected_components
from splitleak.errors import InfeasibleSplitError, InputError
from splitleak.graph import SimilarityGraph
from splitleak.sampling import mix
from splitleak.sizes import Sizes

PRICED_EDGES = (
    300_000  # up to here the error says how many rows would have to be dropped: some seconds of work
)


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
        Rows asked for in each partition.
    classes : int64 array of shape (n_rows,) or None
        Class of each row to be balanced; -1: missing, a class of its own.
    row_hashes : uint64 array of shape (n_rows,)
        Content of each row: ties are broken by it.
    tolerance : float
        Allowed deviation of each partition as a share of all rows.
    seed : int
        Seed of everything drawn.
    """

    graph: SimilarityGraph
    groups: Sequence[NDArray[np.int64]]
    request: Sizes
    classes: NDArray[np.int64] | None
    row_hashes: NDArray[np.uint64]
    tolerance: float
    seed: int

    def cluster(self) -> Clustering:
        """Return the rows that must stay together."""
        return cluster(self.graph, self.groups)

    def allocate(self, clustering: Clustering) -> Allocation:
        """Hand whole clusters to partitions."""
        labels, k = clustering.labels, clustering.n_clusters
        keys = np.zeros(k, dtype=np.uint64)
        np.add.at(keys, labels, mix(self.row_hashes))  # a sum: the order of the rows does not matter
        classes = self.class_table(labels, k)
        return allocate(clustering.sizes, self.request.targets, classes=classes, keys=keys, seed=self.seed)

    def class_table(self, labels: NDArray[np.int64], n_labels: int) -> NDArray[np.int64] | None:
        """Return the rows of each class in each cluster (or node), shape (n_labels, n_classes)."""
        if self.classes is None:
            return None
        n_classes = int(self.classes.max(initial=0)) + 2  # one more for rows whose class is missing
        flat = np.bincount(labels * n_classes + self.classes % n_classes, minlength=n_labels * n_classes)
        table = flat.reshape(n_labels, n_classes).astype(np.int64)
        return table[:, table.any(axis=0)]

    def is_met(self, allocation: Allocation) -> bool:
        """Whether every partition is within tolerance."""
        return bool(within(allocation.achieved, self.request.targets, self.tolerance, self.graph.n_rows))

    def attempt(self) -> Allocation:
        """Allocate by sizes alone: whether they can be met does not depend on classes."""
        task = replace(self, classes=None)
        return task.allocate(task.cluster())


def infeasible(task: Task, clustering: Clustering, allocation: Allocation) -> InfeasibleSplitError:
    """Return the error that names the obstacle, the nearest sizes, and the ways out with their price."""
    request = task.request
    story = explain_infeasible(
        clustering.sizes, request.targets, request.names, allocation.achieved, task.tolerance
    )
    ways = _ways_out(task, allocation)
    message = story + " Ways out: " + "; ".join(f"({i}) {way}" for i, way in enumerate(ways, 1)) + "."
    return InfeasibleSplitError(
        message,
        nearest=dict(zip(request.names, allocation.achieved.tolist(), strict=True)),
        largest_cluster=int(clustering.sizes.max()),
        ways_out=ways,
    )


def _ways_out(task: Task, allocation: Allocation) -> list[str]:
    ways = []
    if task.groups and task.is_met(replace(task, groups=()).attempt()):
        ways.append("without groups= the sizes can be met (rows of one group would then be apart)")
    higher = feasible_threshold(task, two_decimals=True)
    if higher is not None:
        met = replace(task, graph=task.graph.at(higher)).attempt()
        ways.append(
            f"threshold={higher:g} meets them: {_shares(task, met.achieved)} (pairs less similar than that may then"
            " cross; on_infeasible='raise_threshold' finds the lowest one)"
        )
    if len(task.graph.left) <= PRICED_EDGES and task.graph.complete:
        try:
            codes = drop_rows(task)
        except InfeasibleSplitError:
            pass
        else:
            dropped = int((codes < 0).sum())
            kept = np.bincount(codes[codes >= 0], minlength=len(task.request.names))
            ways.append(
                f"on_infeasible='drop' drops {dropped:,} rows ({100 * dropped / len(codes):.1f} %) and leaves"
                f" {_shares(task, kept)} of the rest"
            )
    elif task.graph.complete:
        ways.append("on_infeasible='drop' drops as few rows as it can")
    ways.append(
        f"on_infeasible='nearest' takes the nearest sizes: {_shares(task, allocation.achieved)}; or ask for sizes= like"
        " those, or allow more with tolerance="
    )
    return ways


def feasible_threshold(task: Task, *, two_decimals: bool = False) -> float | None:
    """Return the smallest threshold above the graph's own at which the sizes can be met, or None.

    Found by bisection over hundredths, as a person would type them, and the similarities of the graph itself.
    """
    graph = task.graph
    if not graph.complete or not len(graph.similarity):
        return None
    # up to the next hundredth, never onto the similarity itself: the pair that is to go must go
    steps = np.ceil(np.unique(graph.similarity) * 100 + 1e-9) / 100
    if not two_decimals:
        steps = np.append(steps, graph.similarity)
    steps = np.unique(np.append(steps, 1.0))
    steps = steps[(steps > graph.threshold) & (steps <= 1)]
    return _first(steps, lambda step: task.is_met(replace(task, graph=graph.at(step)).attempt()))


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

    if not task.graph.complete:
        raise InputError(
            "on_infeasible='drop' needs every similar pair, and there are too many to list; choose a higher threshold"
        )
    return separate_rows(
        task.graph,
        task.request.targets,
        groups=task.groups,
        classes=task.classes,
        row_hashes=task.row_hashes,
        tolerance=task.tolerance,
        max_dropped=max_dropped,
        seed=task.seed,
    ).codes


def clusters_of_kept(task: Task, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the clusters of the rows that are kept; each dropped row is one of its own."""
    kept = codes >= 0
    left, right = task.graph.links()
    both = kept[left] & kept[right]
    lefts, rights = [left[both]], [right[both]]
    for group in task.groups:
        rows = np.flatnonzero((group >= 0) & kept)
        order = rows[np.argsort(group[rows], kind="stable")]
        same = group[order[1:]] == group[order[:-1]]
        lefts.append(order[:-1][same])
        rights.append(order[1:][same])
    return connected_components(np.concatenate(lefts), np.concatenate(rights), task.graph.n_rows)


def _shares(task: Task, rows: NDArray[np.int64]) -> str:
    total = max(1, int(rows.sum()))
    return ", ".join(
        f"{name} {100 * n / total:.1f} %" for name, n in zip(task.request.names, rows, strict=True)
    )
