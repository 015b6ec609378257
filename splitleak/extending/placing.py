"""Where new rows go: with the old rows they are tied to, and the others towards the sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation import allocate
from splitleak.extending.periods import OF_ANOTHER_TIME, OUTSIDE
from splitleak.extending.ties import Ties
from splitleak.linking import Web, fewest_between
from splitleak.partition import DROPPED, Split
from splitleak.sampling import mix
from splitleak.sizes import largest_remainder

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

REASONS = (
    "new, and similar to, or in one group with, rows of several partitions",
    "new, and links rows of several partitions through other new rows",
    OUTSIDE,
    OF_ANOTHER_TIME,
)


def place(
    ties: Ties,
    split: Split,
    shares: NDArray[np.float64],
    hashes: NDArray[np.uint64],
    seed: int,
    in_time: Ints | None,
) -> tuple[Ints, Ints]:
    """Return the partition of each new row (-1: set aside), and why it was set aside (an index into `REASONS`).

    `in_time` says in which partition's period each new row lies, -1: in none; None: there is no order in time.
    """
    n, k = ties.partitions.shape
    tied, outside = ties.partitions, np.zeros(n, dtype=bool)
    if in_time is not None:
        # a row goes to its period as if it were similar to a row there; one in no period cannot stay anywhere
        outside = in_time < 0
        ties = replace(ties, partitions=tied | (in_time[:, None] == np.arange(k)) | outside[:, None])
    # each partition is one more row, n + p, that stands for its old rows: in one group with all that are tied to them
    graph = replace(
        ties.graph,
        n_rows=n + k,
        copies=None if ties.graph.copies is None else np.append(ties.graph.copies, n + np.arange(k)),
    )
    groups = [np.concatenate([group, np.full(k, -1)]) for group in ties.groups]
    groups += [
        np.append(np.where(ties.partitions[:, p], 0, -1), np.where(np.arange(k) == p, 0, -1))
        for p in range(k)
    ]
    fixed = np.concatenate([np.full(n, -1), np.arange(k)])
    keys = np.append(hashes, np.arange(k, dtype=np.uint64))
    cover = fewest_between(graph, fixed, groups=groups, row_hashes=keys)
    kept = ~cover.dropped[:n]
    why = np.select([outside, tied.sum(axis=1) > 1, ties.partitions.sum(axis=1) > 1], [2, 0, 3], 1)
    reason = np.where(kept, -1, why).astype(np.int64)
    labels = Web(graph, groups).labels(~cover.dropped)
    held = np.array([split.sizes[name] for name in split.names], dtype=np.int64)
    return _filled(labels, kept, held, shares, hashes, seed), reason


def _filled(
    labels: Ints,
    kept: Bools,
    held: Ints,
    shares: NDArray[np.float64],
    hashes: NDArray[np.uint64],
    seed: int,
) -> Ints:
    """Hand the kept new rows to partitions; `labels` ends with the cluster of each partition's old rows."""
    n, k = len(kept), len(held)
    size = np.bincount(labels[:n][kept], minlength=int(labels.max()) + 1).astype(np.int64)
    size[labels[n:]] += held
    fixed = np.full(len(size), -1, dtype=np.int64)
    fixed[labels[n:]] = np.arange(k)
    keys = np.zeros(len(size), dtype=np.uint64)
    np.add.at(keys, labels[:n][kept], mix(hashes[kept]))
    some = size > 0
    total = int(size.sum())
    found = allocate(
        size[some],
        np.array(largest_remainder((shares * total).tolist(), total), dtype=np.int64),
        keys=keys[some],
        seed=seed,
        fixed=fixed[some],
    )
    codes = np.full(len(size), DROPPED, dtype=np.int64)
    codes[some] = found.codes
    return np.where(kept, codes[labels[:n]], DROPPED).astype(np.int64)
