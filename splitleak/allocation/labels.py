"""How much of each label lies in each cluster: classes of several columns, sets of labels, bins of numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

DENSE_CELLS = 50_000_000  # up to here entries are summed in a table, beyond by sorting


@dataclass(frozen=True)
class LabelTable:
    """Amounts of labels in clusters, without the zeros.

    A row may have several labels or none, so the amounts of a cluster need not sum to its size.

    Attributes
    ----------
    starts : int64 array of shape (n_clusters + 1,)
        Entries of cluster c: ``starts[c]:starts[c + 1]``, their labels ascending.
    labels, amounts : int64 arrays of shape (n_entries,)
        Labels in [0, n_labels), and rows (or parts of the weight) that have them, at least 1.
    n_labels : int
    """

    starts: Ints
    labels: Ints
    amounts: Ints
    n_labels: int

    @classmethod
    def dense(cls, table: Ints) -> LabelTable:
        """Take a table of shape (n_clusters, n_labels).

        Examples
        --------
        >>> LabelTable.dense(np.array([[2, 0], [0, 0], [1, 3]])).amounts.tolist()
        [2, 1, 3]
        """
        cluster, label = np.nonzero(table)
        starts = np.searchsorted(cluster, np.arange(len(table) + 1))
        return cls(starts.astype(np.int64), label.astype(np.int64), table[cluster, label], table.shape[1])

    @classmethod
    def summed(cls, cluster: Ints, label: Ints, amount: Ints | None, shape: tuple[int, int]) -> LabelTable:
        """Sum entries (None: each counts 1) by cluster and label; `shape` is (n_clusters, n_labels)."""
        n_clusters, n_labels = shape
        cell = cluster * n_labels + label
        if n_clusters * n_labels <= DENSE_CELLS and amount is None:
            table = np.bincount(cell, minlength=n_clusters * n_labels).astype(np.int64)
            return cls.dense(table.reshape(n_clusters, n_labels))
        order = np.argsort(cell, kind="stable")
        cell = cell[order]
        first = np.flatnonzero(np.append(True, cell[1:] != cell[:-1])[: len(cell)])
        each = np.ones(len(cell), dtype=np.int64) if amount is None else amount[order]
        sums = np.add.reduceat(each, first) if len(first) else each
        cell, sums = cell[first][sums > 0], sums[sums > 0]
        starts = np.searchsorted(cell, np.arange(n_clusters + 1, dtype=np.int64) * n_labels)
        return cls(starts.astype(np.int64), cell % max(1, n_labels), sums, n_labels)

    @classmethod
    def beside(cls, table: LabelTable | None, amounts: Ints) -> LabelTable:
        """Return the table with one more label, of which each cluster has the amount given (at least 1)."""
        k = len(amounts)
        if table is None:
            return cls(np.arange(k + 1, dtype=np.int64), np.zeros(k, dtype=np.int64), amounts, 1)
        place = table.starts[1:]
        label = np.insert(table.labels, place, table.n_labels)
        return cls(
            table.starts + np.arange(k + 1),
            label,
            np.insert(table.amounts, place, amounts),
            table.n_labels + 1,
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, clusters: Ints) -> LabelTable:
        """Return the table of the given clusters, in that order."""
        counts = np.diff(self.starts)[clusters]
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        entry = np.arange(starts[-1]) + np.repeat(self.starts[:-1][clusters] - starts[:-1], counts)
        return LabelTable(starts, self.labels[entry], self.amounts[entry], self.n_labels)

    def of_entry(self) -> Ints:
        """Return the cluster of each entry."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def totals(self) -> Ints:
        """Return the amount of each label in all clusters."""
        totals = np.zeros(self.n_labels, dtype=np.int64)
        np.add.at(totals, self.labels, self.amounts)
        return totals

    def sums(self, times: Ints) -> Ints:
        """Return the amounts in each partition, shape (n_partitions, n_labels).

        `times` says how many clusters like each are in each partition, shape (n_clusters, n_partitions).
        """
        sums = np.zeros((times.shape[1], self.n_labels), dtype=np.int64)
        cluster = self.of_entry()
        for partition in range(times.shape[1]):
            np.add.at(sums[partition], self.labels, self.amounts * times[cluster, partition])
        return sums

    def leading(self) -> Ints:
        """Return the label that each cluster has most of (of several the rarest of all), -1 for none."""
        found = np.full(len(self), -1, dtype=np.int64)
        if not len(self.labels):
            return found
        by_rarity = np.argsort(-self.totals(), kind="stable")
        rank = np.empty(self.n_labels, dtype=np.int64)
        rank[by_rarity] = np.arange(self.n_labels)
        filled = np.flatnonzero(np.diff(self.starts))
        worth = self.amounts * self.n_labels + rank[self.labels]
        best = np.maximum.reduceat(worth, self.starts[:-1][filled])
        found[filled] = by_rarity[best % self.n_labels]
        return found

    def content(self, salt: int) -> NDArray[np.uint64]:
        """Return a hash of each cluster's amounts, the same wherever the cluster stands."""
        entry = mixed(mixed(self.labels.astype(np.uint64) + np.uint64(salt)) + self.amounts.astype(np.uint64))
        sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(entry, dtype=np.uint64)])
        content: NDArray[np.uint64] = sums[self.starts[1:]] - sums[self.starts[:-1]]  # modulo 2**64
        return content


def mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter numbers over 64 bits, one to one (splitmix64, Steele et al. 2014)."""
    z = numbers + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
