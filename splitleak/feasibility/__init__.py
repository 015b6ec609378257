"""What is asked of clusters, and the ways out where whole clusters cannot meet it."""

from splitleak.feasibility.cutting import Crossed, cut_similarity
from splitleak.feasibility.dropping import clusters_of_kept, drop_rows
from splitleak.feasibility.task import Task, explained
from splitleak.feasibility.threshold import feasible_threshold, threshold_steps

__all__ = [
    "Crossed",
    "Task",
    "clusters_of_kept",
    "cut_similarity",
    "drop_rows",
    "explained",
    "feasible_threshold",
    "threshold_steps",
]
