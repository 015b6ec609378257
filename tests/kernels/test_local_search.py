"""Exchanges keep every partition's rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from splitleak.kernels.local_search import _carry, _carry_two, balance


def case(seed, n_partitions=3, n_classes=3, most_rows=6, n_clusters=30):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, most_rows, n_clusters)
    partition = rng.integers(0, n_partitions, n_clusters)
    order = np.lexsort((partition, -sizes))
    sizes, partition = sizes[order], partition[order]
    bucket_rows = np.unique(sizes)[::-1].copy()
    bucket = np.searchsorted(-bucket_rows, -sizes)
    counts = np.array(
        [np.bincount(partition[bucket == b], minlength=n_partitions) for b in range(len(bucket_rows))]
    )
    ends = np.concatenate([[0], np.cumsum(counts)])
    edges = np.column_stack([ends[:-1].reshape(counts.shape), ends[n_partitions::n_partitions]])
    rows = rng.multinomial(sizes, np.full(n_classes, 1 / n_classes))
    return sizes, rows, bucket, bucket_rows, edges


def partitions_of(edges):
    blocks = np.diff(edges, axis=1)
    return np.repeat(np.tile(np.arange(blocks.shape[1]), len(blocks)), blocks.ravel())


@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(1, 5), st.integers(0, 3000))
def test_rows_stay_and_the_sum_is_right(seed, n_partitions, n_classes, steps):
    sizes, rows, bucket, bucket_rows, edges = case(seed, n_partitions, n_classes)
    k, n = len(sizes), int(sizes.sum())
    slots = np.arange(k, dtype=np.int32)
    before = np.bincount(partitions_of(edges), weights=sizes, minlength=n_partitions)
    share = before.astype(np.int64)

    def off_now():
        got = np.stack([rows[slots[partitions_of(edges) == s]].sum(axis=0) for s in range(n_partitions)])
        return n * got - np.outer(share, rows.sum(axis=0))

    off = off_now()
    worst = np.abs(off).sum()
    bucket_of_rows = np.full(bucket_rows[0] + 1, -1, dtype=np.int32)
    bucket_of_rows[bucket_rows] = np.arange(len(bucket_rows))
    at, classes = np.nonzero(rows)
    starts = np.searchsorted(at, np.arange(k + 1))
    total = balance(
        slots, edges, bucket.astype(np.int32), bucket_rows, bucket_of_rows, starts, classes, rows[at, classes], off,
        n, 0, 0 if steps % 2 else 1024, steps, seed,
    )  # fmt: skip
    assert sorted(slots.tolist()) == list(range(k))
    assert (sizes[slots] == sizes).all()  # a slot keeps its bucket
    after = np.bincount(partitions_of(edges), weights=sizes[slots], minlength=n_partitions)
    assert after.tolist() == before.tolist()
    assert (off == off_now()).all()
    assert total == np.abs(off).sum()
    if steps % 2:  # without warmth nothing gets worse
        assert total <= worst


@given(st.lists(st.integers(0, 4), min_size=2, max_size=5), st.data())
def test_a_cluster_is_carried_to_its_block(blocks, data):
    edges = np.concatenate([[0], np.cumsum(blocks)])[None, :].astype(np.int64)
    n = int(edges[0, -1])
    full = [s for s, size in enumerate(blocks) if size]
    if not full:
        return
    source = data.draw(st.sampled_from(full))
    target = data.draw(st.integers(0, len(blocks) - 1).filter(lambda s: s != source))
    members = [set(range(edges[0, s], edges[0, s + 1])) for s in range(len(blocks))]
    taken = data.draw(st.sets(st.sampled_from(sorted(members[source])), min_size=1, max_size=2))
    slots = np.arange(n, dtype=np.int32)
    chosen = data.draw(st.permutations(sorted(taken)))
    if len(chosen) == 1:
        _carry(slots, edges, 0, chosen[0], source, target)
    else:
        _carry_two(slots, edges, 0, chosen[0], 0, chosen[1], source, target)
    members[source] -= taken
    members[target] |= taken
    for s, expected in enumerate(members):
        assert set(slots[edges[0, s] : edges[0, s + 1]].tolist()) == expected


def test_the_same_seed_gives_the_same_exchanges():
    results = []
    for seed in (1, 1, 2):
        sizes, rows, bucket, bucket_rows, edges = case(5, n_clusters=200)
        slots = np.arange(len(sizes), dtype=np.int32)
        bucket_of_rows = np.full(bucket_rows[0] + 1, -1, dtype=np.int32)
        bucket_of_rows[bucket_rows] = np.arange(len(bucket_rows))
        at, classes = np.nonzero(rows)
        starts = np.searchsorted(at, np.arange(len(sizes) + 1))
        off = np.zeros((3, rows.shape[1]), dtype=np.int64)
        off[0, 0] = 1  # so that the goal is not reached at once
        balance(
            slots, edges, bucket.astype(np.int32), bucket_rows, bucket_of_rows, starts, classes, rows[at, classes],
            off, 10, 0, 1024, 300, seed,
        )  # fmt: skip
        results.append(slots.tolist())
    assert results[0] == results[1] != results[2]
