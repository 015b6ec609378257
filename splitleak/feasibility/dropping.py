"""Rows that are dropped so that the rest meets the sizes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak.components import connected_components
from splitleak.errors import InputError
from splitleak.feasibility.task import Task
from splitleak.pinned_separation import drop_around_pins


def drop_rows(task: Task, max_dropped: int | None = None) -> NDArray[np.int64]:
    """Drop as few rows as possible so that the rest meets the sizes and no similar pair, or group, is apart.

    Parameters
    ----------
    task : Task
        The sizes are shares of the rows that are kept.
    max_dropped : int, optional
        Most rows that may be dropped; with weights, most units of weight (`Task.units`).

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
            "on_infeasible='drop' needs every similar pair, and there are too many to list; choose"
            f" {task.graph.scale.stricter}"
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
        weights=task.units(),
    ).codes


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
