"""Simulated annealing of moves and exchanges of whole clusters: sizes (or weights) and labels, at a price for each."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation.balancing import steps_for
from splitleak.allocation.labels import LabelTable, mixed
from splitleak.errors import InputError

Ints = NDArray[np.int64]

STARTS, CLUSTERS_IN_ALL_STARTS = 8, 4_000
ANY = 2**62  # how far off a partition may be where that is not limited


class Annealing:
    """Clusters in an order of their own; a state is a partition for each.

    Parameters
    ----------
    weights : int64 array of shape (n_clusters,)
        Rows or weight of each cluster in whole units, at least 1.
    targets : int64 array of shape (n_partitions,)
        Units asked for; they sum to those of all clusters.
    labels : LabelTable, optional
        Units of each label in each cluster.
    keys : uint64 array of shape (n_clusters,)
        A hash of each cluster's content: nothing depends on the order of the clusters.
    random : Random
    fixed : int64 array of shape (n_clusters,), optional
        Partition of clusters that must stay where they are; -1: free.
    """

    def __init__(
        self,
        weights: Ints,
        targets: Ints,
        labels: LabelTable | None,
        keys: NDArray[np.uint64],
        random: Random,
        fixed: Ints | None,
    ) -> None:
        table = labels or LabelTable.dense(np.zeros((len(weights), 0), dtype=np.int64))
        # the order decides which cluster a random number means; alike clusters may change places
        self.order = np.lexsort((mixed(keys), table.content(1), -weights, table.leading()))
        self.weights, self.targets, self.random = weights[self.order], targets, random
        self.fixed = None if fixed is None else fixed[self.order]
        self.labels = _with_weights(self.weights, table.take(self.order))
        self.unit = int(targets.sum())
        self.totals = self.labels.totals()
        if 2 * float(self.unit) * float(self.totals.max()) >= 2**62:
            raise InputError("weights must sum to fewer units")

    def start(self) -> Ints:
        """Return the heaviest clusters first, each where most is lacking for its size."""
        lacking = self.targets.astype(np.int64).tolist()
        asked = self.targets.tolist()
        codes = np.full(len(self.weights), -1, dtype=np.int64) if self.fixed is None else self.fixed.copy()
        for cluster in np.flatnonzero(codes >= 0).tolist():
            lacking[codes[cluster]] -= int(self.weights[cluster])
        free = np.flatnonzero(codes < 0)
        free = free[np.argsort(-self.weights[free], kind="stable")].tolist()
        partitions = range(len(asked))
        for rank, cluster in enumerate(free):
            empty = [s for s in partitions if lacking[s] == asked[s]]
            weight = int(self.weights[cluster])
            if len(free) - rank <= len(empty):  # the last ones, so that no partition stays empty
                s = min(empty, key=lambda s: abs(lacking[s] - weight))
            else:
                s = max(partitions, key=lambda s: (lacking[s] - weight >= 0, lacking[s] / asked[s]))
            codes[cluster] = s
            lacking[s] -= weight
        return codes

    def best(self, prices: tuple[float, float], begun: Ints) -> Ints:
        """Return the best state of several annealings; `prices` of weight and of labels."""
        price = self._prices(prices)
        found, least = begun, self._cost(begun, price)
        for codes in self.annealed(prices, begun, starts=min(STARTS, CLUSTERS_IN_ALL_STARTS // len(begun))):
            cost = self._cost(codes, price)
            if cost < least - 0.5:
                found, least = codes, cost
            if least == 0:
                break
        return found

    def annealed(
        self, prices: tuple[float, float], begun: Ints, *, starts: int, allowed: Ints | None = None
    ) -> Iterator[Ints]:
        """Yield the states that annealings from `begun` end in; none where no cluster is free.

        Parameters
        ----------
        prices : (float, float)
            Of a unit of weight in the wrong partition, and of one of a label.
        begun : int64 array of shape (n_clusters,)
        starts : int
            Annealings; one at least.
        allowed : int64 array of shape (n_partitions,), optional
            How many units each partition may be off; None: any number.
        """
        from splitleak.kernels import weighted_search

        free = np.arange(len(begun)) if self.fixed is None else np.flatnonzero(self.fixed < 0)
        table, price, k = self.labels, self._prices(prices), len(self.targets)
        limits = np.full(k, ANY) if allowed is None else allowed * self.unit
        warmth = 0.5 * self.unit * float(prices[0] + prices[1]) * float(self.weights.max())
        for _ in range(max(1, starts) if len(free) else 0):
            codes = begun.copy()
            weighted_search.anneal(
                codes, free, table.starts, table.labels, table.amounts, self.off(begun), price, self.targets,
                self.unit, np.bincount(codes, minlength=k), limits, warmth, steps_for(len(free)),
                int(self.random.random() * 2**53),
            )  # fmt: skip
            yield codes

    def _cost(self, codes: Ints, price: NDArray[np.float64]) -> float:
        return float(np.abs(self.off(codes) * price).sum())

    def _prices(self, prices: tuple[float, float]) -> NDArray[np.float64]:
        price = np.full(self.labels.n_labels, prices[1])
        price[0] = prices[0]
        return price

    def achieved(self, codes: Ints) -> Ints:
        """Return the units in each partition."""
        achieved = np.zeros(len(self.targets), dtype=np.int64)
        np.add.at(achieved, codes, self.weights)
        return achieved

    def placed(self, codes: Ints) -> Ints:
        """Return a state in the order of the caller."""
        placed = np.empty_like(codes)
        placed[self.order] = codes
        return placed

    def off(self, codes: Ints) -> Ints:
        """Return what each partition has too much: of weight first, then of each label; a unit counts `unit`."""
        times = (codes[:, None] == np.arange(len(self.targets))).astype(np.int64)
        off: Ints = self.unit * self.labels.sums(times) - np.outer(self.targets, self.totals)
        return off


def _with_weights(weights: Ints, labels: LabelTable) -> LabelTable:
    """Return the table with the weight of each cluster as its first label."""
    place = labels.starts[:-1]
    return LabelTable(
        labels.starts + np.arange(len(labels.starts)),
        np.insert(labels.labels + 1, place, 0),
        np.insert(labels.amounts, place, weights),
        labels.n_labels + 1,
    )
