"""Sizes that give way for balance: within the tolerance, and only where classes are uneven at exact sizes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation.annealing import Annealing

Ints = NDArray[np.int64]

EVEN = (
    0.01  # sizes stay exact where each class's share in each partition is as near as this to its share of all
)
SIZE_PRICES = (
    0.3,
    0.0,
)  # what a row of size counts beside a row of a class, in the annealings that are tried
STARTS, CLUSTERS_IN_ALL_STARTS = 4, 4_000  # annealings at each price; fewer of many clusters


def evened(search: Annealing, begun: Ints, *, allowed: int, n_labels: int) -> Ints:
    """Return a state whose classes are more even, its sizes within `allowed`; or the one it began with.

    Kept is the state in which the two numbers of `unevenness` have the smallest sum. Where every class is within a
    point of its share of all rows already (`EVEN`), or the sizes are not within `allowed` anyway, nothing is tried.

    Parameters
    ----------
    search : Annealing
    begun : int64 array of shape (n_clusters,)
        Partition of each cluster of `search`.
    allowed : int
        Rows, or units of weight, that each partition may be off.
    n_labels : int
        The first so many labels are judged.
    """
    size_gap, gap = unevenness(search, begun, n_labels)
    if gap <= EVEN or round(size_gap * search.unit) > allowed:
        return begun
    # between two states within the limit may lie others, further off by as much as a cluster that changes its place
    limits = (allowed, allowed + int(search.weights.max()))
    starts = max(1, min(STARTS, CLUSTERS_IN_ALL_STARTS // len(begun)))
    tried = [begun]
    for price in SIZE_PRICES if len(begun) <= CLUSTERS_IN_ALL_STARTS else SIZE_PRICES[:1]:
        for limit in limits:
            most = np.full(len(search.targets), limit)
            tried += search.annealed((price, 1.0), begun, starts=starts, allowed=most)
    judged = [(unevenness(search, state, n_labels), state) for state in tried]
    within = [(sum(gaps), state) for gaps, state in judged if round(gaps[0] * search.unit) <= allowed]
    return min(within, key=lambda one: one[0])[1]


def unevenness(search: Annealing, codes: Ints, n_labels: int) -> tuple[float, float]:
    """Return the largest gap of a size (as a share of all rows), and that of a class's share to its share of all."""
    amounts = (search.off(codes) + np.outer(search.targets, search.totals)) // search.unit
    rows = amounts[:, 0]
    shares = amounts[:, 1 : n_labels + 1] / np.maximum(rows, 1)[:, None]
    gaps = np.abs(shares - search.totals[1 : n_labels + 1] / search.unit)
    return float(np.abs(rows - search.targets).max()) / search.unit, float(gaps[rows > 0].max(initial=0.0))
