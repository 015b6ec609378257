"""Each row's partition: whole clusters first, and the way out that was asked for where they cannot meet the sizes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from splitleak.chronology import Chronology
from splitleak.errors import SplitleakWarning
from splitleak.feasibility import (
    Crossed,
    Task,
    clusters_of_kept,
    cut_similarity,
    drop_rows,
    feasible_threshold,
)
from splitleak.linking import Web
from splitleak.split_options import OnInfeasible
from splitleak.temporal import REASONS, assign_in_time
from splitleak.ways_out import infeasible, torn_apart

DROPPED_FOR_SIZES = "so that the sizes can be met and no similar pair crosses"


@dataclass(frozen=True)
class Placed:
    """Partition and cluster of each row, the task as it was solved, and why rows were dropped."""

    codes: NDArray[np.int64]
    clusters: NDArray[np.int64]
    task: Task
    reasons: tuple[str, ...] | None
    reason: NDArray[np.int64] | None
    notes: tuple[str, ...] = ()


def place(
    task: Task, chronology: Chronology | None, on_infeasible: OnInfeasible, max_dropped: int | None
) -> Placed:
    """Hand rows to partitions by clusters or, with a chronology, in order of time; see `assign_in_time`."""
    if chronology is None:
        codes, clusters, task, notes = _assign(task, on_infeasible, max_dropped)
        reasons: tuple[str, ...] = (DROPPED_FOR_SIZES,)
        reason = np.where(codes < 0, 0, -1).astype(np.int64)
    else:
        found, task = assign_in_time(task, chronology, on_infeasible, max_dropped)
        codes = found.codes
        clusters = Web(task.graph, task.groups).labels(codes >= 0)
        reasons, reason = REASONS, found.reason
        notes = found.notes()
    if (codes >= 0).all():
        return Placed(codes, clusters, task, None, None, notes)
    return Placed(codes, clusters, task, reasons, reason, notes)


def _assign(
    task: Task, on_infeasible: OnInfeasible, max_dropped: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], Task, tuple[str, ...]]:
    """Return the partition and the cluster of each row, the task as it was solved, and notes on the way taken."""
    clustering = task.cluster()
    torn = len(task.torn(clustering)) > 0
    allocation = task.allocate(clustering)
    if not torn and task.is_met(allocation):
        return allocation.codes[clustering.labels], clustering.labels, task, ()
    if on_infeasible == "drop":
        codes = drop_rows(task, max_dropped)
        return codes, clusters_of_kept(task, codes), task, ()
    if on_infeasible == "cut":
        codes = cut_similarity(task)
        crossed = Crossed.of(task, codes)
        notes = (crossed.note(),) if crossed.pairs else ()
        if notes:
            warnings.warn(f"The split leaks: {notes[0]}.", SplitleakWarning, stacklevel=4)
        return codes, clusters_of_kept(task, codes), task, notes
    if on_infeasible == "raise_threshold":
        higher = feasible_threshold(task)
        if higher is not None:
            return _assign(replace(task, graph=task.graph.raised(higher)), "error", None)
    error = torn_apart(task, clustering) if torn else infeasible(task, clustering, allocation)
    if on_infeasible != "nearest" or torn:
        raise error
    warnings.warn(f"{error} Taking the nearest feasible sizes.", SplitleakWarning, stacklevel=4)
    return allocation.codes[clustering.labels], clustering.labels, task, ()
