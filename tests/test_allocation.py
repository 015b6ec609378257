"""Whole clusters to partitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitleak.allocation import allocate, explain_infeasible, within
from splitleak.errors import InputError
from tests.oracles import allocation_by_brute_force


def keys_for(k, seed=1):
    return np.random.default_rng(seed).integers(0, 2**63, k).astype(np.uint64)


def ints(values):
    return np.array(values, dtype=np.int64)


def shares(n_rows, *fractions):
    targets = [int(f * n_rows) for f in fractions]
    targets[0] += n_rows - sum(targets)
    return ints(targets)


@st.composite
def requests(draw):
    """Clusters of two classes, some of them pinned, and targets."""
    p = draw(st.integers(2, 3))
    k = draw(st.integers(1, 7))
    classes = draw(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(any), min_size=k, max_size=k)
    )
    sizes = [a + b for a, b in classes]
    n = sum(sizes)
    if n < p:
        classes, sizes, n = [(p, 0), *classes[1:]], [p, *sizes[1:]], n - sizes[0] + p
    cuts = sorted(draw(st.sets(st.integers(1, n - 1), min_size=p - 1, max_size=p - 1)))
    targets = [b - a for a, b in zip([0, *cuts], [*cuts, n], strict=True)]
    fixed = draw(st.one_of(st.none(), st.lists(st.integers(-1, p - 1), min_size=k, max_size=k)))
    return sizes, targets, [list(row) for row in classes], fixed


@given(requests(), st.integers(0, 5), st.booleans())
def test_sizes_are_the_nearest_of_all(request_, seed, stratified):
    sizes, targets, classes, fixed = request_
    found = allocate(
        ints(sizes), ints(targets), classes=ints(classes) if stratified else None, keys=keys_for(len(sizes)),
        seed=seed, fixed=None if fixed is None else ints(fixed),
    )  # fmt: skip
    off, strata = allocation_by_brute_force(sizes, targets, classes, fixed)
    assert np.abs(found.achieved - targets).sum() == off
    assert found.met == (off == 0)
    assert found.proven
    assert found.achieved.tolist() == np.bincount(found.codes, weights=sizes, minlength=len(targets)).tolist()
    if fixed is None:
        assert found.achieved[0] > 0
        assert found.achieved.min() > 0 or len(sizes) < len(targets)
    else:
        assert all(code == pin for code, pin in zip(found.codes.tolist(), fixed, strict=True) if pin >= 0)
    if stratified:
        got = np.stack([ints(classes)[found.codes == s].sum(axis=0) for s in range(len(targets))])
        deviation = np.abs(got - np.outer(targets, np.sum(classes, axis=0)) / sum(sizes)).sum() / sum(sizes)
        assert found.deviation == pytest.approx(deviation)
        assert found.deviation >= float(strata) / sum(sizes) - 1e-12
    else:
        assert found.deviation == off / sum(sizes)


@given(requests(), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_clusters_does_not_matter(request_, random, stratified):
    sizes, targets, classes, fixed = request_
    keys = keys_for(len(sizes))
    order = list(range(len(sizes)))
    random.shuffle(order)

    def codes(positions):
        return allocate(
            ints(sizes)[positions], ints(targets), keys=keys[positions], seed=3,
            classes=ints(classes)[positions] if stratified else None,
            fixed=None if fixed is None else ints(fixed)[positions],
        ).codes  # fmt: skip

    assert codes(order).tolist() == codes(list(range(len(sizes))))[order].tolist()


def clusters_with_classes(k, n_classes=10, seed=1):
    """Cluster sizes with a heavy tail, and classes mixed differently in each cluster."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(1 + rng.zipf(2.0, k), k // 20)
    return sizes, rng.multinomial(sizes, rng.dirichlet(np.full(n_classes, 0.5), k))


@pytest.mark.parametrize(("k", "deviation"), [(200, 1.15e-2), (1_000, 2.4e-3), (10_000, 2.4e-4)])
def test_sizes_and_classes_together(k, deviation):
    sizes, classes = clusters_with_classes(k)
    targets = shares(sizes.sum(), 0.8, 0.1, 0.1)
    first = allocate(sizes, targets, classes=classes, keys=keys_for(k), seed=0)
    other = allocate(sizes, targets, classes=classes, keys=keys_for(k), seed=1)
    for found in (first, other):
        assert found.met
        assert found.deviation <= deviation
    # by chance, two splits to 80/10/10 put 66 % of the clusters in the same partition
    assert (first.codes == other.codes).mean() < 0.75


def test_order_does_not_matter_at_size():
    sizes, classes = clusters_with_classes(3_000)
    targets, keys = shares(sizes.sum(), 0.7, 0.2, 0.1), keys_for(3_000)
    order = np.random.default_rng(0).permutation(3_000)
    straight = allocate(sizes, targets, classes=classes, keys=keys, seed=9)
    shuffled = allocate(sizes[order], targets, classes=classes[order], keys=keys[order], seed=9)
    assert np.array_equal(straight.codes[order], shuffled.codes)


def test_single_rows_differ_by_seed():
    sizes = np.ones(1_000, dtype=np.int64)
    codes = [allocate(sizes, ints([800, 100, 100]), keys=keys_for(1_000), seed=s).codes for s in range(3)]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert 0.55 < (codes[a] == codes[b]).mean() < 0.77


def test_large_clusters_are_not_always_in_train():
    sizes = ints([40, 30, 20, 20] + [1] * 890)
    targets = ints([800, 100, 100])
    where = [allocate(sizes, targets, keys=keys_for(len(sizes)), seed=s).codes[0] for s in range(60)]
    assert 30 <= sum(code == 0 for code in where) < 60


def test_a_rare_class_is_shared():
    sizes = np.ones(1_000, dtype=np.int64)
    classes = np.zeros((1_000, 2), dtype=np.int64)
    classes[:, 0] = 1
    classes[:10] = [0, 1]
    found = allocate(sizes, ints([800, 100, 100]), classes=classes, keys=keys_for(1_000), seed=0)
    assert np.bincount(found.codes[:10]).tolist() == [8, 1, 1]
    assert found.deviation == 0


@pytest.mark.parametrize("stratified", [False, True])
def test_one_giant_cluster(stratified):
    classes = ints([[10, 0]]) if stratified else None
    found = allocate(ints([10]), ints([8, 2]), classes=classes, keys=keys_for(1), seed=0)
    assert found.codes.tolist() == [0]
    assert (found.met, found.proven) == (False, True)


def test_a_single_class_needs_no_compiled_code(monkeypatch):
    monkeypatch.setattr("splitleak.allocation.whole_clusters.balance", None)
    sizes = ints([3, 3, 2, 1, 1])
    found = allocate(sizes, ints([8, 2]), classes=sizes[:, None], keys=keys_for(5), seed=0)
    assert found.met
    assert found.deviation == 0


def test_all_clusters_pinned():
    found = allocate(ints([3, 2]), ints([3, 2]), keys=keys_for(2), seed=0, fixed=ints([1, 0]))
    assert found.codes.tolist() == [1, 0]
    assert found.achieved.tolist() == [2, 3]
    assert not found.met


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keys": keys_for(2)}, "keys must have one entry per cluster: 3 clusters, 2 entries"),
        ({"classes": np.ones((4, 1), dtype=np.int64)}, "classes must have one entry per cluster"),
        ({"fixed": ints([0, 2, -1])}, r"fixed must be partitions in \[0, 2\) or -1, got 2"),
        ({"targets": ints([2, 2])}, "targets must sum to the rows of all clusters, 6, got 4"),
        ({"cluster_sizes": ints([3, 3, 0])}, "cluster_sizes must be at least 1 row each"),
    ],
)
def test_bad_input(change, message):
    given_ = {"cluster_sizes": ints([3, 2, 1]), "targets": ints([4, 2]), "keys": keys_for(3), **change}
    with pytest.raises(InputError, match=message):
        allocate(given_.pop("cluster_sizes"), given_.pop("targets"), seed=0, **given_)


@pytest.mark.parametrize(
    ("achieved", "tolerance", "fine"),
    [([80, 20], 0.0, True), ([82, 18], 0.02, True), ([83, 17], 0.02, False), ([87, 13], 0.07, True),
     ([100, 0], 0.5, False)],
)  # fmt: skip
def test_within(achieved, tolerance, fine):
    assert within(ints(achieved), ints([80, 20]), tolerance, 100) is fine


@pytest.mark.parametrize(
    ("sizes", "targets", "message"),
    [
        ([97, 2, 1], [80, 20], r"the largest cluster holds 97 of 100 rows \(97.0 %\), and the largest partition"
         r" asked for, train, has 80 \(80.0 %\)"),
        ([10], [8, 2], "all 10 rows form one cluster, and one cluster cannot fill 2 partitions"),
        ([5, 5], [8, 1, 1], "2 clusters cannot fill 3 partitions"),
        ([25] * 4, [80, 20], "the 4 clusters are too coarse: the largest hold 25.0 %, 25.0 %, 25.0 %, 25.0 %"),
        ([25] * 6 + [1], [131, 20], "the largest hold 16.6 %, 16.6 %, 16.6 %, 16.6 %, 16.6 %, ... of the rows"),
    ],
)  # fmt: skip
def test_why_it_is_infeasible(sizes, targets, message):
    import re

    found = allocate(ints(sizes), ints(targets), keys=keys_for(len(sizes)), seed=0)
    names = ("train", "dev", "test") if len(targets) == 3 else ("train", "test")
    story = explain_infeasible(ints(sizes), ints(targets), names, found.achieved, 0.02)
    assert re.search(message, story)
    assert story.startswith("The sizes cannot be met within 2 % of the rows: ")
    for name, got in zip(names, found.achieved, strict=True):
        assert f"{name} {got:,} rows" in story
