"""The error for sizes that whole clusters cannot meet: obstacle, nearest sizes, ways out with their price."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation import Allocation
from splitleak.clustering import Clustering
from splitleak.errors import InfeasibleSplitError
from splitleak.feasibility import (
    Crossed,
    Task,
    cut_similarity,
    drop_rows,
    explained,
    feasible_threshold,
    threshold_steps,
)
from splitleak.pinned_separation import explain_pinned, explain_torn
from splitleak.rendering.tables import count

# Ways out are priced by taking them. What that may take is bounded by the size of the graph, never by a clock, so that
# the message is the same on every machine: some 6 CPU seconds each for dropping and cutting at this many edges (with
# 5 for each row), and a dozen allocations for the thresholds.
PRICED = 2_000_000
QUOTED = 2  # thresholds below the one that meets the sizes


def infeasible(task: Task, clustering: Clustering, allocation: Allocation) -> InfeasibleSplitError:
    """Return the error that names the obstacle, the nearest sizes, and the ways out with their price."""
    request = task.request
    story = explained(task, clustering, allocation)
    rows = np.bincount(allocation.codes[clustering.labels], minlength=len(request.names))
    story += explain_pinned(task, clustering)
    ways = _ways_out(task, allocation)
    message = story + " Ways out: " + "; ".join(f"({i}) {way}" for i, way in enumerate(ways, 1)) + "."
    return InfeasibleSplitError(
        message,
        nearest=dict(zip(request.names, rows.tolist(), strict=True)),
        largest_cluster=int(clustering.sizes.max()),
        ways_out=ways,
    )


def torn_apart(task: Task, clustering: Clustering) -> InfeasibleSplitError:
    """Return the error for rows that are pinned apart and hang together through others."""
    ways = [*_ways_out(task, None), "pin those rows to one partition, or free one of them"]
    numbered = "; ".join(f"({i}) {way}" for i, way in enumerate(ways, 1))
    return InfeasibleSplitError(
        f"{explain_torn(task, clustering)} Ways out: {numbered}.",
        largest_cluster=int(clustering.sizes.max()),
        ways_out=ways,
    )


def _ways_out(task: Task, allocation: Allocation | None) -> list[str]:
    ways = []
    if task.pinned is not None and replace(task, pinned=None).is_feasible():
        ways.append("without pinned= the sizes can be met")
    if task.groups and replace(task, groups=()).is_feasible():
        ways.append("without groups= the sizes can be met (rows of one group would then be apart)")
    ways += _thresholds(task, allocation) + _policies(task)
    if allocation is None:
        return ways
    ways.append(
        f"on_infeasible='nearest' takes the nearest sizes: {_shares(task, allocation.achieved)}; or ask for sizes= like"
        " those, or allow more with tolerance="
    )
    return ways


def _thresholds(task: Task, allocation: Allocation | None) -> list[str]:
    """Quote the threshold curve: sizes at some higher thresholds, up to the lowest that meets what is asked."""
    scale, steps = task.graph.scale, threshold_steps(task.graph, two_decimals=True)
    higher = feasible_threshold(task, two_decimals=True)
    if higher is None:
        quoted = [
            (step, rows)
            for step, rows in _sizes_at(task, steps, QUOTED + 1)
            if _nearer(task, rows, allocation)
        ]
        if not quoted:
            return []
        listed = ", ".join(f"{scale.typed(step)} gives {_shares(task, rows)}" for step, rows in quoted)
        return [
            f"no {scale.stricter.removeprefix('a ')} meets them, but with on_infeasible='nearest' {listed}"
        ]
    below = "".join(
        f"{scale.typed(step)} gives {_shares(task, rows)} (on_infeasible='nearest'), "
        for step, rows in _sizes_at(task, steps[steps < higher], QUOTED)
        if _nearer(task, rows, allocation)
    )
    return [
        f"{below}{scale.typed(higher)} meets them: {_shares(task, task.at(higher).attempt().achieved)} (pairs less"
        f" similar than that may then cross; on_infeasible='raise_threshold' finds the {scale.first} one)"
    ]


def _sizes_at(task: Task, steps: NDArray[np.float64], most: int) -> list[tuple[float, NDArray[np.int64]]]:
    """Return some of the steps, evenly spread, the last among them, and the nearest sizes there."""
    at = np.unique(np.arange(1, most + 1) * len(steps) // most - 1)
    return [(float(steps[i]), task.at(float(steps[i])).attempt().achieved) for i in at if i >= 0]


def _nearer(task: Task, rows: NDArray[np.int64], allocation: Allocation | None) -> bool:
    if allocation is None:  # rows pinned apart hang together: there are no nearest sizes to compare with
        return False
    targets = task.targets_of(int(rows.sum()))
    achieved = allocation.achieved
    return bool(np.abs(rows - targets).sum() < np.abs(achieved - targets).sum())


def _policies(task: Task) -> list[str]:
    """Price dropping and cutting by doing it, where the graph is small enough."""
    graph, ways = task.graph, []
    if not graph.complete:
        return []
    if len(graph.left) + 5 * graph.n_rows > PRICED:
        return [
            "on_infeasible='drop' drops as few rows as it can",
            "on_infeasible='cut' cuts as little as it can",
        ]
    if task.weights is None or task.pinned is None:  # around pins rows are dropped, not weight
        ways += _price_of_dropping(task)
    try:
        crossed = Crossed.of(task, cut_similarity(task))
    except InfeasibleSplitError:
        return ways
    share = 100 * crossed.with_similar / max(1, crossed.held_out)
    ways.append(
        f"on_infeasible='cut' keeps all rows and leaks: {count(crossed.pairs, 'similar pair')} would"
        f" cross, and {share:.1f} % of the held-out rows have a similar training row"
    )
    return ways


def _price_of_dropping(task: Task) -> list[str]:
    try:
        codes = drop_rows(task)
    except InfeasibleSplitError:
        return []
    each = np.ones(len(codes)) if task.weights is None else task.weights
    kept = np.bincount(codes[codes >= 0], each[codes >= 0], minlength=len(task.request.names))
    share = (
        f"{100 * each[codes < 0].sum() / each.sum():.1f} %{'' if task.weights is None else ' of the weight'}"
    )
    return [
        f"on_infeasible='drop' drops {count(int((codes < 0).sum()), 'row')} ({share}) and leaves"
        f" {_shares(task, kept)} of the rest"
    ]


def _shares(task: Task, rows: NDArray[Any]) -> str:
    total = max(1e-300, float(rows.sum()))
    return ", ".join(
        f"{name} {100 * n / total:.1f} %" for name, n in zip(task.request.names, rows, strict=True)
    )
