"""Similarity that is cut so that all rows can stay: the split leaks, and says how much."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from splitleak.clustering import cluster
from splitleak.crossing import crossing_pairs
from splitleak.crossing_mass import Leakage, leakage_of
from splitleak.errors import InfeasibleSplitError, InputError
from splitleak.feasibility.task import Task, explained
from splitleak.pinning import pins_of_clusters


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
            "on_infeasible='cut' needs every similar pair, and there are too many to list; choose"
            f" {graph.scale.stricter}"
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
        weights=task.units(),
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
