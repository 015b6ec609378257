"""A split in order of time: the story, and what to say when it cannot be had."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from splitleak.chronology import ACROSS, IN_EMBARGO, Chronology, InTime, dropping_fewest, keeping_all
from splitleak.clustering import Clustering
from splitleak.crossing import crossing_pairs
from splitleak.errors import InfeasibleSplitError, InputError, SplitleakWarning
from splitleak.feasibility import Task, feasible_threshold

REASONS = (IN_EMBARGO, ACROSS)


def assign_in_time(
    task: Task, chronology: Chronology, on_infeasible: str, max_dropped: int | None
) -> tuple[InTime, Task]:
    """Hand rows to partitions in order of time; return them, and the task as it was solved.

    Every row before a cut-off is in an earlier partition than every row from it on, and a row's time plus the
    embargo lies before the time of any row of a later partition.

    Raises
    ------
    InfeasibleSplitError
        No cut-offs within tolerance of the sizes keep every row, and `on_infeasible` asks for no other way.
    """
    if on_infeasible not in ("error", "nearest", "drop", "raise_threshold"):
        raise InputError(
            f"on_infeasible={on_infeasible!r} does not go with time=; choose drop, nearest or error"
        )
    chronology.ranges(task.pinned, task.request.names)  # contradictions first
    clustering = task.cluster()
    kept = keeping_all(task, chronology, clustering)
    if kept is not None and kept.met:
        return kept, task
    if on_infeasible == "drop":
        return _dropped(task, chronology, max_dropped), task
    if on_infeasible == "raise_threshold":
        higher = _feasible_threshold(task, chronology)
        if higher is not None:
            return assign_in_time(replace(task, graph=task.graph.raised(higher)), chronology, "error", None)
    error = _infeasible(task, chronology, clustering, kept)
    if on_infeasible != "nearest" or kept is None:
        raise error
    warnings.warn(f"{error} Taking the nearest feasible sizes.", SplitleakWarning, stacklevel=4)
    return kept, task


def _feasible_threshold(task: Task, chronology: Chronology, *, two_decimals: bool = False) -> float | None:
    def met(other: Task) -> bool:
        found = keeping_all(replace(other, strata=None), chronology, other.cluster())
        return found is not None and found.met

    return feasible_threshold(task, two_decimals=two_decimals, met=met)


def _dropped(task: Task, chronology: Chronology, max_dropped: int | None) -> InTime:
    if not task.graph.complete:
        raise InputError(
            "on_infeasible='drop' needs every similar pair, and there are too many to list; choose"
            f" {task.graph.scale.stricter}"
        )
    found = dropping_fewest(task, chronology)
    names = task.request.names
    if found is None:
        raise InfeasibleSplitError(
            f"{chronology.timeline.n_times} distinct times (and pinned rows) leave no place for {len(names) - 1}"
            f" cut-offs between {', '.join(names)}. Ways out: ask for fewer partitions, or pin fewer rows."
        )
    sizes = np.bincount(found.codes[found.codes >= 0], minlength=len(names))
    nearest = dict(zip(names, sizes.tolist(), strict=True))
    if not found.met:
        ways = [
            "ask for sizes= like those",
            "allow more with tolerance=",
            f"a shorter embargo=, {task.graph.scale.stricter}",
        ]
        raise InfeasibleSplitError(
            f"No cut-offs were found at which the rows that stay meet the sizes within {100 * task.tolerance:g} % of"
            f" them. Nearest: {_sizes(nearest)} ({found.dropped:,} rows dropped;"
            f" {chronology.begins(found.cuts, names)}). Ways out: {'; '.join(ways)}.",
            nearest=nearest,
            ways_out=ways,
        )
    if max_dropped is not None and found.dropped > max_dropped:
        raise InfeasibleSplitError(
            f"max_dropped={max_dropped:,} rows are not enough: {_price(found)} would have to go at these cut-offs:"
            f" {chronology.begins(found.cuts, names)}. Ways out: max_dropped={found.dropped}, a shorter embargo=,"
            f" {task.graph.scale.stricter}, or other sizes.",
            nearest=nearest,
            ways_out=[f"max_dropped={found.dropped}"],
        )
    return found


def _infeasible(
    task: Task, chronology: Chronology, clustering: Clustering, kept: InTime | None
) -> InfeasibleSplitError:
    names = task.request.names
    dropping = dropping_fewest(task, chronology) if task.graph.complete else None
    story = [
        f"No cut-offs in time keep every row and meet the sizes within {100 * task.tolerance:g} % of the rows."
    ]
    ways = []
    if dropping is not None:
        begins = chronology.begins(dropping.cuts, names)
        story.append(f"In the way of {begins}: {_obstacles(task, chronology, clustering, dropping)}.")
        sizes = np.bincount(dropping.codes[dropping.codes >= 0], minlength=len(names))
        if dropping.met:
            total = max(1, int(sizes.sum()))
            shares = ", ".join(f"{n} {100 * r / total:.1f} %" for n, r in zip(names, sizes, strict=True))
            ways.append(f"on_infeasible='drop' drops {_price(dropping)} and leaves {shares} of the rest")
    nearest = {}
    if kept is None:
        story.append("There are no cut-offs that keep every row and leave no partition empty.")
    else:
        nearest = dict(zip(names, np.bincount(kept.codes, minlength=len(names)).tolist(), strict=True))
        story.append(f"Nearest with every row: {_sizes(nearest)} ({chronology.begins(kept.cuts, names)}).")
        ways.append("on_infeasible='nearest' takes those sizes")
    higher = _feasible_threshold(task, chronology, two_decimals=True)
    if higher is not None:
        ways.append(
            f"{task.graph.scale.typed(higher)} meets them (pairs less similar than that may then cross)"
        )
    ways.append("ask for other sizes=, or allow more with tolerance=")
    numbered = "; ".join(f"({i}) {way}" for i, way in enumerate(ways, 1))
    return InfeasibleSplitError(
        f"{' '.join(story)} Ways out: {numbered}.",
        nearest=nearest,
        largest_cluster=int(clustering.sizes.max()),
        ways_out=ways,
    )


def _obstacles(task: Task, chronology: Chronology, clustering: Clustering, found: InTime) -> str:
    """Say how many rows and clusters stand in the way, with an example."""
    codes = chronology.timeline.windows(found.cuts)
    parts = []
    if (codes < 0).any():
        parts.append(f"{int((codes < 0).sum()):,} rows lie within the embargo of {chronology.embargo}")
    used = codes >= 0
    of_cluster = np.unique(np.stack([clustering.labels[used], codes[used]], axis=1), axis=0)[:, 0]
    spanning = np.flatnonzero(np.bincount(of_cluster, minlength=clustering.n_clusters) > 1)
    if len(spanning):
        across = int((found.reason == 1).sum())
        text = (
            f"{len(spanning):,} cluster{'s are' if len(spanning) > 1 else ' is'} on both sides of a cut-off, and"
            f" {across:,} row{'s' * (across != 1)} of {'them' if len(spanning) > 1 else 'it'} would have to go"
        )
        parts.append(text + _example(task, chronology, clustering, codes, int(spanning[0])))
    return " and ".join(parts) or "the times are too coarse, since rows of equal time stay together"


def _example(task: Task, chronology: Chronology, clustering: Clustering, codes: np.ndarray, one: int) -> str:
    time = chronology.moments.text
    pairs = crossing_pairs(task.graph, codes, len(task.request.names), task.graph.threshold, limit=1)
    if pairs.n:
        a, b, similarity = pairs.worst[0]
        return f" (rows {a}, {time(a)}, and {b}, {time(b)}, have similarity {similarity:g})"
    rows = np.flatnonzero((clustering.labels == one) & (codes >= 0))
    a, b = rows[0], rows[codes[rows] != codes[rows[0]]][0]
    return f" (rows {a}, {time(a)}, and {b}, {time(b)}, hang together through similar rows or a group)"


def _price(found: InTime) -> str:
    share = f"{100 * found.dropped / len(found.codes):.1f} %"
    least = "" if found.bound == found.dropped else f", no fewer than {found.bound:,} at these cut-offs"
    return f"{found.dropped:,} row{'s' * (found.dropped != 1)} ({share}{least})"


def _sizes(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} {rows:,}" for name, rows in sizes.items())
