"""Weighted clusters to partitions: shares of the weight, and labels balanced by weight."""

from __future__ import annotations

from random import Random

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation.balancing import steps_for
from splitleak.allocation.labels import LabelTable, mixed
from splitleak.allocation.whole_clusters import Allocation
from splitleak.errors import InputError

Ints = NDArray[np.int64]

STARTS, CLUSTERS_IN_ALL_STARTS = 8, 4_000
# what weight in the wrong partition counts beside weight of a wrong label, for each column of labels
WEIGHT_PRICES = (1.0, 4.0, 100.0)


def allocate_weighted(
    weights: Ints,
    targets: Ints,
    *,
    labels: LabelTable | None,
    keys: NDArray[np.uint64],
    seed: int,
    n_columns: int = 1,
    slack: int = 0,
    fixed: Ints | None = None,
) -> Allocation:
    """Hand whole clusters to partitions by weight: simulated annealing of moves and exchanges.

    Weights are seldom alike, so the shares are met as nearly as the search finds rather than to the unit: where it
    stays within `slack`, labels decide; where labels would take it further, weight counts more.

    Parameters
    ----------
    weights : int64 array of shape (n_clusters,)
        Weight of each cluster in whole units, at least 1; the sum should be below 2**27.
    targets : int64 array of shape (n_partitions,)
        Units asked for; they sum to those of all clusters.
    labels : LabelTable, optional
        Units of each label in each cluster.
    keys : uint64 array of shape (n_clusters,)
        A hash of each cluster's content: nothing depends on the order of the clusters.
    seed : int
        Another seed gives another allocation of the same quality.
    n_columns : int
        Columns that the labels come from.
    slack : int
        Units that a partition may be off for the sake of its labels.
    fixed : int64 array of shape (n_clusters,), optional
        Partition of clusters that must stay where they are; -1: free.

    Raises
    ------
    InputError
        No cluster, weights below 1, targets that do not sum to the weights.

    Examples
    --------
    >>> weights, keys = np.array([50, 30, 11, 9]), np.arange(4, dtype=np.uint64)
    >>> allocate_weighted(weights, np.array([80, 20]), labels=None, keys=keys, seed=0).achieved.tolist()
    [80, 20]
    """
    if not len(weights) or weights.min() < 1 or int(targets.sum()) != int(weights.sum()):
        raise InputError(
            "weights must be at least 1 unit each and sum to the targets, for one cluster or more"
        )
    search = _Search(weights, targets, labels, keys, Random(int(seed)), fixed)
    plain = search.best((1.0, 0.0), search.start())
    if labels is None or not len(labels.labels):
        return search.allocation(plain)
    allowed = max(slack, int(np.abs(search.achieved(plain) - targets).max()))
    for price in WEIGHT_PRICES:
        codes = search.best((price * n_columns, 1.0), plain)
        if np.abs(search.achieved(codes) - targets).max() <= allowed:
            return search.allocation(codes)
    return search.allocation(plain)


class _Search:
    """Clusters in an order of their own; a state is a partition for each."""

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
        from splitleak.kernels import weighted_search

        free = np.arange(len(begun)) if self.fixed is None else np.flatnonzero(self.fixed < 0)
        if not len(free):
            return begun
        table = self.labels
        price = np.full(table.n_labels, prices[1])
        price[0] = prices[0]
        starts = max(1, min(STARTS, CLUSTERS_IN_ALL_STARTS // len(begun)))
        found, least = begun, float(np.abs(self._off(begun) * price).sum())
        for _ in range(starts):
            codes, off = begun.copy(), self._off(begun)
            warmth = 0.5 * self.unit * float(prices[0] + prices[1]) * float(self.weights.max())
            cost = weighted_search.anneal(
                codes, free, table.starts, table.labels, table.amounts, off, price, self.targets, self.unit,
                np.bincount(codes, minlength=len(self.targets)), warmth, steps_for(len(free)),
                int(self.random.random() * 2**53),
            )  # fmt: skip
            if cost < least - 0.5:
                found, least = codes, cost
            if least == 0:
                break
        return found

    def achieved(self, codes: Ints) -> Ints:
        """Return the units in each partition."""
        achieved = np.zeros(len(self.targets), dtype=np.int64)
        np.add.at(achieved, codes, self.weights)
        return achieved

    def allocation(self, codes: Ints) -> Allocation:
        """Return a state in the order of the caller."""
        placed = np.empty_like(codes)
        placed[self.order] = codes
        achieved = self.achieved(codes)
        labels = self._off(codes)[:, 1:]
        summed = int(np.abs(achieved - self.targets).sum())
        deviation = summed / self.unit
        if labels.shape[1]:
            deviation = float(np.abs(labels).sum()) / self.unit / self.unit
        return Allocation(placed, achieved, summed == 0, summed == 0, deviation)

    def _off(self, codes: Ints) -> Ints:
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
