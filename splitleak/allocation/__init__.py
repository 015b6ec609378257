"""Whole clusters to partitions: sizes, labels, weights."""

from splitleak.allocation.labels import LabelTable
from splitleak.allocation.weighted import allocate_weighted
from splitleak.allocation.whole_clusters import Allocation, allocate, explain_infeasible, within

__all__ = ["Allocation", "LabelTable", "allocate", "allocate_weighted", "explain_infeasible", "within"]
