"""Which clusters of each size go to each partition, so that classes balance; the sizes stay as they are packed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation.labels import LabelTable, mixed

Ints = NDArray[np.int64]

# exchanges tried; the figures of benchmarks/allocation.py were measured with these
STEPS_PER_CLUSTER, MOST_STEPS = 60, 2_000_000
STEPS_PER_CLUSTER_OF_FEW, STEPS_OF_FEW = 2_000, 200_000  # few clusters: every pair is met many times
WARMTH = 1024  # where annealing starts, in 1024ths of a row


@dataclass(frozen=True)
class Kinds:
    """Clusters that are alike in size and in rows per class, counted.

    Attributes
    ----------
    order : int64 array of shape (n_clusters,)
        Cluster positions, kind after kind, within a kind in the order of their mixed keys.
    counts : int64 array of shape (n_kinds,)
        Clusters of each kind.
    sizes : int64 array of shape (n_kinds,)
        Rows of a cluster of the kind, descending.
    labels : LabelTable
        What a cluster of each kind has of each label.
    """

    order: Ints
    counts: Ints
    sizes: Ints
    labels: LabelTable

    @classmethod
    def of(cls, sizes: Ints, labels: LabelTable, keys: NDArray[np.uint64], seed: int) -> Kinds:
        """Sort clusters into kinds; nothing depends on their positions, as long as `keys` differ."""
        # 128 bits of content: two kinds taken for one would only be balanced a little less well
        content, also = labels.content(1), labels.content(2)
        salt = mixed(np.array([seed % 2**64], dtype=np.uint64))
        order = np.lexsort((mixed(keys ^ salt), content, labels.leading(), -sizes))
        new = np.ones(len(order), dtype=bool)
        new[1:] = False
        for column in (sizes, content, also):
            ordered = column[order]
            new[1:] |= ordered[1:] != ordered[:-1]
        first = np.flatnonzero(new)
        counts = np.diff(np.append(first, len(order)))
        return cls(order, counts, sizes[order[first]], labels.take(order[first]))

    def of_size(self) -> tuple[Ints, Ints, Ints]:
        """Return the distinct sizes (descending), the clusters of each, and the first kind of each."""
        new = np.ones(len(self.sizes), dtype=bool)
        new[1:] = self.sizes[1:] != self.sizes[:-1]
        first = np.flatnonzero(new)
        if not len(first):
            return self.sizes, self.counts, first
        return self.sizes[first], np.add.reduceat(self.counts, first), first


def balance(
    kinds: Kinds, packed: Ints, off: Ints, unit: int, random: Random, *, goal: int, steps: int
) -> tuple[int, Ints]:
    """Return the summed deviation reached, and the clusters of each kind in each partition.

    Parameters
    ----------
    kinds : Kinds
    packed : int64 array of shape (n_sizes, n_partitions)
        Clusters of each size in each partition.
    off : int64 array of shape (n_partitions, n_labels)
        `unit` times what each partition has too many rows of each label before any of these clusters come.
    unit : int
        What one row counts in `off` and in the result.
    random : Random
    goal : int
        Deviation that is good enough to stop.
    steps : int
        Exchanges tried.
    """
    from splitleak.kernels import local_search

    sizes, counts, _ = kinds.of_size()
    kind_of_unit = np.repeat(np.arange(len(kinds.counts)), kinds.counts)
    bucket = np.repeat(np.arange(len(sizes)), counts)
    slots = kind_of_unit[np.lexsort((_spread(packed, random), bucket))].astype(np.int32)
    edges = np.concatenate([[0], np.cumsum(packed)])[: packed.size].reshape(packed.shape)
    edges = np.column_stack([edges, np.cumsum(counts)])
    off = off + unit * kinds.labels.sums(_shares(slots, edges, len(kinds.counts)))
    bucket_of_rows = np.full(int(sizes[0]) + 1, -1, dtype=np.int32)
    bucket_of_rows[sizes] = np.arange(len(sizes))
    deviation = local_search.balance(
        slots,
        edges,
        bucket.astype(np.int32),
        sizes,
        bucket_of_rows,
        kinds.labels.starts,
        kinds.labels.labels,
        kinds.labels.amounts,
        off,
        unit,
        goal,
        WARMTH,
        steps,
        int(random.random() * 2**53),
    )
    return int(deviation), _shares(slots, edges, len(kinds.counts))


def _spread(packed: Ints, random: Random) -> Ints:
    """Return a partition for each cluster, size after size, each partition at even distances within a size.

    Neighbours are alike (same main class), so even distances are nearly balanced classes.
    """
    shape = packed.shape
    start = np.array([random.random() for _ in range(packed.size)]).reshape(shape)
    partition = np.repeat(np.tile(np.arange(shape[1]), shape[0]), packed.ravel())
    bucket = np.repeat(np.arange(shape[0]), packed.sum(axis=1))
    first = np.repeat(np.cumsum(packed.ravel()) - packed.ravel(), packed.ravel())
    place = (np.arange(len(first)) - first + np.repeat(start.ravel(), packed.ravel())) / np.repeat(
        packed.ravel(), packed.ravel()
    )
    return partition[np.lexsort((partition, place, bucket))]


def _partitions(edges: Ints) -> Ints:
    """Return the partition of each slot."""
    blocks = np.diff(edges, axis=1)
    return np.repeat(np.tile(np.arange(blocks.shape[1]), blocks.shape[0]), blocks.ravel())


def _shares(slots: NDArray[np.int32], edges: Ints, n_kinds: int) -> Ints:
    n_partitions = edges.shape[1] - 1
    pairs = slots.astype(np.int64) * n_partitions + _partitions(edges)
    return (
        np.bincount(pairs, minlength=n_kinds * n_partitions).reshape(n_kinds, n_partitions).astype(np.int64)
    )


def least_deviation(targets: Ints, totals: Ints, unit: int) -> int:
    """Return a bound of the summed deviation: each class's rows in a partition are a whole number.

    Parameters
    ----------
    targets : int64 array of shape (n_partitions,)
        Rows asked for, in a sum of `unit` rows.
    totals : int64 array of shape (n_classes,)
        Rows of each class.
    unit : int
        What one row counts in the result.
    """
    over = np.sort(np.outer(totals, targets) % unit, axis=1)
    up = (
        over.sum(axis=1) // unit
    )  # so many partitions get a row more than their share, best those nearest to it
    rounded_up = np.arange(len(targets)) >= len(targets) - up[:, None]
    return int(np.where(rounded_up, unit - over, over).sum())


def steps_for(n_clusters: int) -> int:
    """Return how many exchanges are worth trying."""
    few = min(STEPS_OF_FEW, STEPS_PER_CLUSTER_OF_FEW * n_clusters)
    return min(MOST_STEPS, max(few, STEPS_PER_CLUSTER * n_clusters))
