"""What a separation starts from: the graph in an order of its own, prices, and the score of a state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.kernels.separation import penalty, rows_per_part
from splitleak.sampling import mix

Ints = NDArray[np.int64]
Part = NDArray[np.int8]

PROTECTED = 1 << 40
AIM = 0.005
BEYOND_PRICE = 2.0
CLASS_PRICE, CLASS_AIM, CLASS_BEYOND = 0.05, 0.012, 40.0
INFEASIBLE = 1e12


@dataclass(frozen=True)
class Problem:
    """A graph whose nodes are in canonical order, so that nothing depends on the caller's order.

    A state is an int8 array of shape (n,): the part of each node, or `k` where it is removed.

    Attributes
    ----------
    starts, ends : int64 arrays of shape (n + 1,), (2 m,)
        Neighbours of node v: ``ends[starts[v] : starts[v + 1]]``, sorted.
    weights : int64 array of shape (n,)
        Rows that each node stands for; 0: a node that only ties others together.
    cost : int64 array of shape (n,)
        Price of removal: the weight, or `PROTECTED`.
    class_starts, class_ids, class_rows : int64 arrays
        Rows per class of each node, without zeros.
    shares : float64 array of shape (k,)
        Asked shares of the kept rows, summing to 1.
    tolerance : float
        Deviation at which a state is refused, as a share of the kept rows.
    aim : float
        Deviation from which on rows are worth less than nearness to the sizes.
    blocks : int64 array of shape (n,)
        Nodes of one block cannot be parted: protected nodes that hang together.
    """

    starts: Ints
    ends: Ints
    weights: Ints
    cost: Ints
    class_starts: Ints
    class_ids: Ints
    class_rows: Ints
    n_classes: int
    shares: NDArray[np.float64]
    tolerance: float
    aim: float
    blocks: Ints

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.weights)

    @property
    def k(self) -> int:
        """Number of parts."""
        return len(self.shares)

    @property
    def prices(self) -> NDArray[np.float64]:
        """Prices of rows beyond the aimed sizes and of classes in the wrong part: see the kernel `penalty`."""
        return np.array([BEYOND_PRICE, CLASS_PRICE, CLASS_AIM, CLASS_BEYOND])

    def table(self, part: Part) -> Ints:
        """Return kept rows per part and class, shape (k, n_classes)."""
        table: Ints = rows_per_part(
            part, self.k, self.n_classes, self.class_starts, self.class_ids, self.class_rows
        )
        return table

    def cost_of(self, part: Part) -> float:
        """Return removed rows plus penalties, infeasible sizes included at their price."""
        fine, _ = penalty(self.table(part), self.shares, self.aim, self.prices)
        return float(self.weights[part == self.k].sum()) + float(fine)

    def feasible(self, part: Part) -> bool:
        """Return whether every part is within the tolerance and none is empty."""
        _, beyond = penalty(self.table(part), self.shares, self.tolerance, self.prices)
        return bool(beyond <= 0)

    def score(self, part: Part) -> float:
        """Return the cost, with any feasible state before any other."""
        return self.cost_of(part) + (0.0 if self.feasible(part) else INFEASIBLE)


def canonical_order(left: Ints, right: Ints, weights: Ints, keys: NDArray[np.uint64]) -> Ints:
    """Return the nodes sorted by degree, weight and content, those of equal content by their neighbourhood."""
    n = len(weights)
    content = mix(keys + mix(weights.astype(np.uint64) + np.uint64(1)))
    for _ in range(3):
        around = np.zeros(n, dtype=np.uint64)  # a sum: the order of the neighbours does not matter
        np.add.at(around, left, content[right])
        np.add.at(around, right, content[left])
        content = mix(content + mix(around))
    degree = np.bincount(left, minlength=n) + np.bincount(right, minlength=n)
    return np.lexsort((content, keys, weights, degree)).astype(np.int64)


def adjacency(left: Ints, right: Ints, n: int) -> tuple[Ints, Ints]:
    """Return ``(starts, ends)`` of the simple graph with these edges; loops and repeats are dropped."""
    other = left != right
    a, b = left[other], right[other]
    code = np.concatenate([a * np.int64(n) + b, b * np.int64(n) + a])
    code.sort()
    code = code[np.append(True, code[1:] != code[:-1])[: len(code)]]
    starts = np.searchsorted(code, np.arange(n + 1, dtype=np.int64) * n)
    return starts.astype(np.int64), (code % n).astype(np.int64)


def blocks_of(starts: Ints, ends: Ints, protected: NDArray[np.bool_]) -> Ints:
    """Return the block of each node: protected neighbours share one, every other node has its own."""
    from splitleak.components import connected_components

    source = np.repeat(np.arange(len(protected)), np.diff(starts))
    tied = protected[source] & protected[ends]
    return connected_components(source[tied], ends[tied], len(protected))
