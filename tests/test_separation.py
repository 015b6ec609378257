"""Dropping rows so that sizes can be met: the promise, the order of rows, and the optimum of small graphs."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from splitleak.errors import InfeasibleSplitError, InputError
from splitleak.graph import SimilarityGraph
from splitleak.separation import Separation, separate, separate_rows


@st.composite
def small_graphs(draw, most=9):
    n = draw(st.integers(3, most))
    pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=2 * n))
    edges = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    sizes = draw(st.sampled_from([(1, 1), (4, 1), (2, 1, 1)]))
    return n, edges[:, 0], edges[:, 1], sizes


def keep_most_by_brute_force(n, left, right, sizes, weights, tolerance):
    """Most rows kept by any valid assignment of every node to a part or to nothing; -1: there is none."""
    shares, best, k = np.array(sizes) / sum(sizes), -1, len(sizes)
    for codes in map(np.array, product(range(-1, k), repeat=n)):
        a, b = codes[left], codes[right]
        rows = np.array([weights[codes == p].sum() for p in range(k)])
        allowed = max(tolerance * rows.sum(), 0.999) + 1e-9
        if rows.sum() <= best or (rows == 0).any() or (np.abs(rows - shares * rows.sum()) > allowed).any():
            continue
        if not ((a >= 0) & (b >= 0) & (a != b)).any():
            best = int(rows.sum())
    return best


def check(found: Separation, left, right, weights, sizes, tolerance):
    codes, k = found.codes, len(sizes)
    a, b = codes[left], codes[right]
    assert not ((a >= 0) & (b >= 0) & (a != b)).any()
    assert found.achieved.tolist() == [int(weights[codes == p].sum()) for p in range(k)]
    assert found.kept == found.achieved.sum()
    assert found.kept + found.dropped == weights.sum()
    off = np.abs(found.achieved - np.array(sizes) / sum(sizes) * found.kept)
    assert (off <= max(tolerance * found.kept, 0.999) + 1e-6).all()
    assert (found.achieved > 0).all()
    assert (found.removed == (codes < 0)).all()


@settings(max_examples=40)
@given(small_graphs(most=7), st.data())
def test_small_graphs_lose_as_few_rows_as_the_best_answer(graph, data):
    n, left, right, sizes = graph
    weights = data.draw(arrays(np.int64, n, elements=st.integers(1, 3)))
    best = keep_most_by_brute_force(n, left, right, sizes, weights, 0.02)
    try:
        found = separate(left, right, n, sizes, weights=weights)
    except InfeasibleSplitError:
        assert best < 0
        return
    check(found, left, right, weights, sizes, 0.02)
    assert found.kept >= 0.9 * best


@settings(max_examples=40)
@given(small_graphs(most=30), st.data())
def test_the_promise_holds_for_weights_classes_groups_and_protected_nodes(graph, data):
    n, left, right, sizes = graph
    classes = data.draw(arrays(np.int64, (n, 2), elements=st.integers(0, 3)))
    classes[:, 0] += classes.sum(axis=1) == 0
    # the last node stands for a group: no row of its own
    classes[-1] = 0
    weights = classes.sum(axis=1)
    protected = data.draw(arrays(np.bool_, n))
    if weights.sum() < len(sizes):
        return
    try:
        found = separate(
            left, right, n, sizes, weights=weights, classes=classes, protected=protected, tolerance=0.1
        )
    except InfeasibleSplitError as error:
        assert protected.any() or weights.max() > 1 or n < 12, error
        return
    check(found, left, right, weights, sizes, 0.1)
    assert not found.removed[protected].any()
    assert found.codes[-1] >= 0


@settings(max_examples=30)
@given(small_graphs(most=40), st.integers(0, 3), st.randoms(use_true_random=False))
def test_a_shuffled_graph_gives_the_shuffled_answer(graph, seed, random):
    n, left, right, sizes = graph
    keys = np.random.default_rng(seed).integers(0, 2**63, n).astype(np.uint64)
    new = list(range(n))
    random.shuffle(new)
    place = np.array(new)
    edges = list(zip(place[right], place[left], strict=True))
    random.shuffle(edges)
    shuffled = np.array(edges, dtype=np.int64).reshape(-1, 2)
    moved = np.empty_like(keys)
    moved[place] = keys
    try:
        one = separate(left, right, n, sizes, keys=keys, seed=seed)
    except InfeasibleSplitError:
        return
    other = separate(shuffled[:, 0], shuffled[:, 1], n, sizes, keys=moved, seed=seed)
    assert (other.codes[place] == one.codes).all()


def two_communities(n=1200, bridges=12, seed=0):
    rng = np.random.default_rng(seed)
    cut = n * 4 // 5
    left = np.concatenate(
        [rng.integers(0, cut, 8 * cut), rng.integers(cut, n, 8 * (n - cut)), np.arange(bridges)]
    )
    right = np.concatenate(
        [rng.integers(0, cut, 8 * cut), rng.integers(cut, n, 8 * (n - cut)), np.arange(bridges) + cut]
    )
    return n, left, right


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_planted_separation_is_found_whatever_the_number_of_threads(threads, monkeypatch):
    monkeypatch.setenv("SPLITLEAK_NUM_THREADS", threads)
    n, left, right = two_communities()
    found = separate(left, right, n, [0.8, 0.2])
    assert found.dropped <= 12
    check(found, left, right, np.ones(n, dtype=np.int64), [0.8, 0.2], 0.005)


def test_hubs_go_first():
    # 40 cliques of ten rows, held together by five rows that are similar to a third of all
    rng = np.random.default_rng(0)
    i, j = np.triu_indices(10, 1)
    left = np.concatenate([i + 10 * c for c in range(40)] + [np.full(140, 400 + h) for h in range(5)])
    right = np.concatenate(
        [j + 10 * c for c in range(40)] + [rng.choice(400, 140, replace=False) for h in range(5)]
    )
    found = separate(left, right, 405, [0.8, 0.2])
    assert found.dropped <= 5


def test_classes_are_balanced_where_that_is_asked_for():
    n, left, right = two_communities(bridges=40)
    lone = np.arange(n, n + 300)
    label = np.concatenate([np.zeros(n), np.ones(300)]).astype(np.int64)
    found = separate(left, right, n + len(lone), [0.8, 0.2], classes=np.stack([1 - label, label], axis=1))
    assert found.class_gap <= 0.02


def test_whole_components_that_fit_lose_nothing():
    found = separate([0, 2, 4, 6, 8], [1, 3, 5, 7, 9], 10, [0.8, 0.2])
    assert (found.dropped, found.deviation) == (0, 0.0)


def test_a_start_is_improved_for_a_graph_that_lost_edges():
    n, left, right = two_communities()
    first = separate(left, right, n, [0.8, 0.2])
    again = separate(left[:-8], right[:-8], n, [0.8, 0.2], start=first.codes)
    assert again.dropped <= 4
    check(again, left[:-8], right[:-8], np.ones(n, dtype=np.int64), [0.8, 0.2], 0.02)


def test_a_group_is_not_torn_apart_by_dropping_a_member():
    # rows 0..9 are one group (node 20 stands for it), 10..19 another; rows 9 and 10 are similar
    left = [*([20] * 10), *([21] * 10), 9]
    right = [*range(10), *range(10, 20), 10]
    found = separate(left, right, 22, [0.5, 0.5], weights=[*([1] * 20), 0, 0])
    assert found.dropped == 1
    for members in (range(10), range(10, 20)):
        kept = found.codes[members]
        assert len(set(kept[kept >= 0])) == 1


def test_protected_nodes_that_hang_together_are_named():
    path = np.arange(19)
    with pytest.raises(
        InfeasibleSplitError, match=r"largest such block has 20 of\s20 rows \(nodes 0, 1, 2, ...\)"
    ):
        separate(path, path + 1, 20, [0.5, 0.5], protected=np.ones(20, dtype=bool))


def test_a_node_that_is_too_heavy_is_named():
    with pytest.raises(InfeasibleSplitError, match="node 1 stands for 50 rows"):
        separate([0], [1], 2, [0.5, 0.5], weights=[2, 50])


def test_rows_that_are_all_alike_cannot_be_split():
    left, right = np.triu_indices(12, 1)
    with pytest.raises(InfeasibleSplitError, match="too many rows are similar to nearly all others"):
        separate(left, right, 12, [0.5, 0.5])


def test_the_budget_of_dropped_rows_is_kept_and_the_need_stated():
    n, left, right = two_communities()
    need = separate(left, right, n, [0.8, 0.2]).dropped
    assert separate(left, right, n, [0.8, 0.2], max_dropped=need).dropped == need
    with pytest.raises(
        InfeasibleSplitError, match=f"max_dropped={need - 1} rows are not enough: {need} rows"
    ):
        separate(left, right, n, [0.8, 0.2], max_dropped=need - 1)


@settings(max_examples=40)
@given(small_graphs(most=20), st.data())
def test_rows_with_copies_groups_and_classes(graph, data):
    n, left, right, sizes = graph
    codes = st.integers(-1, 3)
    twin_of = data.draw(arrays(np.int64, 6, elements=st.integers(0, n - 1)))
    copies = np.concatenate([np.arange(n), twin_of])
    other = left != right
    full = SimilarityGraph.build(
        left[other],
        right[other],
        np.ones(other.sum()),
        n_rows=n + 6,
        threshold=0.8,
        measure="edges",
        copies=copies,
    )
    groups = data.draw(arrays(np.int64, n + 6, elements=codes))
    classes = data.draw(arrays(np.int64, n + 6, elements=codes))
    protected = np.arange(n + 6) == n
    try:
        found = separate_rows(
            full, sizes, groups=[groups], classes=classes, protected=protected, tolerance=0.1
        )
    except InfeasibleSplitError:
        return
    a, b, _ = full.pairs()
    check(found, a, b, np.ones(n + 6, dtype=np.int64), sizes, 0.1)
    assert found.codes[n] >= 0
    for group in range(4):
        kept = found.codes[(groups == group) & (found.codes >= 0)]
        assert len(set(kept)) <= 1
    higher = full.at(1.0)
    again = separate_rows(higher, sizes, groups=[groups], tolerance=0.1, start=found.codes)
    assert again.kept >= found.kept


def test_rows_are_named_by_position():
    copies = np.array([0, 0, 0, 0, 0, 0, 6, 7])
    graph = SimilarityGraph.build([6], [7], [0.9], n_rows=8, threshold=0.8, measure="edges", copies=copies)
    with pytest.raises(InfeasibleSplitError, match=r"has 6 of 8 rows \(rows 0\)"):
        separate_rows(graph, [0.5, 0.5], protected=np.arange(8) == 2)
    with pytest.raises(InputError, match="one code per row"):
        separate_rows(graph, [0.5, 0.5], groups=[np.zeros(5, dtype=np.int64)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_nodes": 0}, "n_nodes must be a whole number of at least 1"),
        ({"left": [0, 9]}, r"must be nodes in \[0, 4\); edge 1 is \(9, 2\)"),
        ({"left": [0]}, "left and right must be 1-D and of one length"),
        ({"left": [0.5, 1]}, "left must hold whole numbers"),
        ({"left": [-1, 1]}, "left must not be negative"),
        ({"sizes": [1.0]}, "sizes must be two to 100 positive numbers"),
        ({"sizes": [1.0, 0.0]}, "sizes must be two to 100 positive numbers"),
        ({"sizes": [1, 1, 1, 1, 1]}, "sizes asks for 5 partitions of only 4 rows"),
        ({"weights": [1, 1]}, "weights must have shape"),
        ({"classes": [1, 1, 1, 1]}, "classes must have shape"),
        ({"classes": [[1, 1], [1, 0], [0, 1], [1, 0]]}, "classes must sum to the weights; node 0 has 2 rows"),
        ({"keys": [1, 2]}, "keys must have one entry per node"),
        ({"protected": [True]}, "protected must have one entry per node"),
        ({"tolerance": 1.0}, "tolerance must be a share"),
        ({"start": [0, 1, 0, 2]}, "start must hold partitions"),
        ({"start": [0, 1, -1, 1]}, "start must have no edge between partitions; nodes 0 and 1"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    arguments = {"left": [0, 1], "right": [1, 2], "n_nodes": 4, "sizes": [0.5, 0.5], **change}
    with pytest.raises(InputError, match=message):
        separate(**arguments)
