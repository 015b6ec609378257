"""A higher threshold at which whole clusters meet the sizes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from splitleak.feasibility.task import Task
from splitleak.graph import SimilarityGraph


def feasible_threshold(
    task: Task, *, two_decimals: bool = False, met: Callable[[Task], bool] | None = None
) -> float | None:
    """Return the smallest threshold above the graph's own at which the sizes can be met (or `met` says so), or None.

    Found by bisection over hundredths, as a person would type them, and the similarities of the graph itself. Of all
    thresholds that leave the same pairs, the one with the fewest digits is returned.
    """
    graph = task.graph
    steps = threshold_steps(graph, two_decimals=two_decimals)
    holds = met or Task.is_feasible
    found = _first(steps, lambda step: holds(task.at(step)))
    if found is None or two_decimals:
        return found
    lost = graph.similarity[graph.similarity < found]
    return graph.scale.between(max(graph.threshold, float(lost.max(initial=0.0))), found)


def threshold_steps(graph: SimilarityGraph, *, two_decimals: bool) -> NDArray[np.float64]:
    """Return the thresholds above the graph's own at which pairs are lost, ascending; none: there is no other."""
    if not graph.complete or not len(graph.similarity):
        return np.empty(0)
    steps = graph.scale.steps(graph.similarity)
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
