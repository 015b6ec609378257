"""Clusters of entities to partitions, so that the pairs within a partition are many and meet the sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

MOVES_PER_CLUSTER, LEAST_MOVES, MOST_MOVES = 200, 2_000, 4_000_000
# a few large clusters make a landscape that only many starts explore; moves are cheap there
STARTS_PER_CLUSTER, STARTS, MOVES_OF_ALL_STARTS = 20, 400, 2_000_000
# what all similarity that can cross counts, as a share of all pairs: it decides between splits that keep about
# as many pairs
MASS_WEIGHT = 0.05
FINE, FEW_PAIRS = 10_000, 100_000


@dataclass(frozen=True)
class PairSizes:
    """Pairs asked for with both entities in one partition.

    Attributes
    ----------
    wanted : int64 array of shape (n_partitions,)
        With `are_shares`, the partitions' shares of the unmixed pairs (they sum to `unit_of(n_pairs)`); else numbers
        of pairs, -1: as many as there can be.
    are_shares : bool
    tolerance : float
        Allowed deviation as a share of the unmixed pairs with `are_shares`, else of all pairs.
    n_pairs : int
    """

    wanted: Ints
    are_shares: bool
    tolerance: float
    n_pairs: int

    def targets(self, inside: Ints) -> NDArray[np.float64]:
        """Return the pairs asked for in each partition, given the pairs that are in each (NaN: any number)."""
        wanted = np.where(self.wanted < 0, np.nan, self.wanted)
        return wanted * (inside.sum() / self.unit) if self.are_shares else wanted

    def met(self, inside: Ints) -> bool:
        """Return whether every partition has pairs, and as many as asked for within the tolerance."""
        base = int(inside.sum()) if self.are_shares else self.n_pairs
        share = base if self.are_shares else self.unit
        off = np.abs(inside * self.unit - self.wanted * share)
        return bool((inside > 0).all() and (off[self.wanted >= 0] <= self.slack * base).all())

    @property
    def unit(self) -> int:
        """Parts that a pair is counted in."""
        return unit_of(self.n_pairs)

    @property
    def slack(self) -> int:
        """The tolerance in these parts."""
        return int(self.tolerance * self.unit + 1e-9 * self.unit)


def unit_of(n_pairs: int) -> int:
    """Return in how many parts a pair is counted: fine enough for shares as 0.8, few enough for 64 bits."""
    return n_pairs * (FINE if n_pairs <= FEW_PAIRS else 1)


@dataclass(frozen=True)
class PairAllocation:
    """Partition of each cluster of both sides.

    Attributes
    ----------
    left, right : int64 arrays of shape (n_clusters of the side,)
        Partition of each cluster; the same array where both sides are one.
    inside : int64 array of shape (n_partitions,)
        Pairs with both entities in the partition.
    met : bool
        Whether `inside` meets the sizes within the tolerance.
    """

    left: Ints
    right: Ints
    inside: Ints
    met: bool


@dataclass(frozen=True)
class Mass:
    """Similarity between clusters of one side: total over the pairs of entities, in whole units."""

    left: Ints
    right: Ints
    amount: Ints
    total: int


def allocate_pairs(
    left: Ints,
    right: Ints,
    n_clusters: tuple[int, int],
    sizes: PairSizes,
    *,
    classes: Ints | None = None,
    mass: Sequence[Mass | None] = (None, None),
    symmetric: bool = False,
    seed: int = 0,
) -> PairAllocation:
    """Choose the partition of each cluster of entities on both sides together.

    Simulated annealing with single moves, exchanges, and moves of a cluster together with one that it has pairs
    with, from several starts; whole numbers only, so that the answer is the same on every platform. Minimised are
    the pairs that are mixed plus the pairs that are off the sizes asked for (beyond the tolerance 50 for one) plus,
    with `classes`, the pairs that are off their class's share in each partition. The similarity that crosses
    decides between answers that are nearly as good.

    Parameters
    ----------
    left, right : int64 arrays of shape (n_pairs,)
        Clusters of the two entities of each pair, numbered in an order that does not depend on that of the rows.
    n_clusters : (int, int)
        Clusters of the left and of the right side (the same number where `symmetric`).
    sizes : PairSizes
    classes : int64 array of shape (n_pairs,), optional
        Class of each pair, from 0.
    mass : (Mass or None, Mass or None)
        Similarity between the clusters of each side.
    symmetric : bool
        Both columns hold entities of one kind, which have one partition each.
    seed : int
    """
    from splitleak.kernels.pair_allocation import anneal

    p, offset = len(sizes.wanted), 0 if symmetric else n_clusters[0]
    n = n_clusters[0] if symmetric else sum(n_clusters)
    kinds = np.zeros(len(left), dtype=np.int64) if classes is None else classes
    n_classes = int(kinds.max(initial=0)) + 1
    class_shares = np.bincount(kinds, minlength=n_classes).astype(np.int64) * (sizes.unit // sizes.n_pairs)
    edges, own = _edges(left, right + offset, kinds, n, n_classes)
    tied = _tied(mass, offset, n, sizes, symmetric)
    side = (np.arange(n) >= (n if symmetric else offset)).astype(np.int8)
    reach = np.bincount(left, minlength=n) + np.bincount(right + offset, minlength=n)
    typical = int((reach * reach).sum() // max(1, reach.sum()))
    steps = int(np.clip(MOVES_PER_CLUSTER * n, LEAST_MOVES, MOST_MOVES))
    random = np.random.default_rng(seed)
    # in a table of all possible pairs, partitions of these shares of each side's entities have the sizes asked for
    share = np.sqrt(
        np.where(sizes.wanted < 0, 2 * sizes.n_pairs, np.maximum(sizes.wanted, 1)).astype(np.float64)
    )
    best, lowest = np.zeros(n, dtype=np.int64), None
    for _ in range(max(1, min(STARTS, STARTS_PER_CLUSTER * n, MOVES_OF_ALL_STARTS // steps))):
        codes = np.searchsorted(np.cumsum(share / share.sum())[:-1], random.random(n), side="right")
        codes = codes.astype(np.int64)
        cost = anneal(
            *edges, own, side, *tied, codes, sizes.wanted, sizes.are_shares, sizes.slack, sizes.unit, sizes.n_pairs,
            class_shares, sizes.unit * max(1, typical // 2), steps, int(random.integers(2**62)),
        )  # fmt: skip
        if lowest is None or cost < lowest:
            best, lowest = codes, cost
    of_left, of_right = best[:offset] if offset else best, best[offset:]
    unmixed = of_left[left] == of_right[right]
    inside = np.bincount(of_left[left][unmixed], minlength=p).astype(np.int64)
    return PairAllocation(of_left, of_right, inside, sizes.met(inside))


def _edges(
    left: Ints, right: Ints, classes: Ints, n: int, n_classes: int
) -> tuple[tuple[Ints, Ints, Ints], Ints]:
    """Return the pairs between nodes, compressed from both ends, and the pairs within each node."""
    within = left == right
    own = np.bincount(left[within] * n_classes + classes[within], minlength=n * n_classes)
    a, b = np.minimum(left, right)[~within], np.maximum(left, right)[~within]
    pair, of_row = np.unique(a * n + b, return_inverse=True)
    weights = np.bincount(of_row * n_classes + classes[~within], minlength=len(pair) * n_classes)
    weights = weights.reshape(len(pair), n_classes).astype(np.int64)
    return _compressed(pair // n, pair % n, weights, n), own.reshape(n, n_classes).astype(np.int64)


def _tied(
    mass: Sequence[Mass | None], offset: int, n: int, sizes: PairSizes, symmetric: bool
) -> tuple[Ints, Ints, Ints]:
    """Return the similarity between nodes, compressed, in the unit of the kernel's energy."""
    lefts, rights, amounts = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    sides = [mass[0]] if symmetric else list(mass)
    for start, of_side in zip((0, offset), sides, strict=False):
        if of_side is not None and of_side.total:
            unit = MASS_WEIGHT * sizes.unit * sizes.n_pairs / len(sides) / of_side.total
            lefts.append(of_side.left + start)
            rights.append(of_side.right + start)
            amounts.append(np.rint(of_side.amount * unit).astype(np.int64))
    a, b = np.concatenate(lefts), np.concatenate(rights)
    return _compressed(a, b, np.concatenate(amounts), n)


def _compressed(a: Ints, b: Ints, weights: Ints, n: int) -> tuple[Ints, Ints, Ints]:
    """Return starts, ends and weights of edges seen from both ends."""
    source, target = np.concatenate([a, b]), np.concatenate([b, a])
    order = np.lexsort((target, source))
    starts = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n))]).astype(np.int64)
    return starts, target[order].astype(np.int64), np.concatenate([weights, weights])[order]
