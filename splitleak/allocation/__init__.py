"""Whole clusters to partitions: sizes, labels, weights."""

from splitleak.allocation.explaining import explain_infeasible
from splitleak.allocation.labels import LabelTable
from splitleak.allocation.weighted import allocate_weighted
from splitleak.allocation.whole_clusters import Allocation, allocate, allowed_rows, within

__all__ = [
    "Allocation",
    "LabelTable",
    "allocate",
    "allocate_weighted",
    "allowed_rows",
    "explain_infeasible",
    "within",
]
