"""Whole clusters to partitions: sizes to the row, classes balanced within that promise."""

from splitleak.allocation.whole_clusters import Allocation, allocate, explain_infeasible, within

__all__ = ["Allocation", "allocate", "explain_infeasible", "within"]
