"""on_infeasible="cut": sizes, groups and copies hold, little is cut, and the split says that it leaks."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak import InfeasibleSplitError, InputError, SimilarityGraph, SplitleakWarning
from splitleak.allocation import allocate
from splitleak.separation.cutting import cut_rows


@st.composite
def small_graphs(draw, most=8):
    n = draw(st.integers(3, most))
    row = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(row, row, st.sampled_from([0.5, 0.75, 1.0])), max_size=3 * n))
    a, b, s = (list(column) for column in zip(*edges, strict=True)) if edges else ([], [], [])
    graph = SimilarityGraph.from_edges(
        np.array(a, dtype=np.int64), np.array(b, dtype=np.int64), s, n_rows=n, threshold=0.5
    )
    units = draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))
    targets = draw(st.sampled_from([(1, 1), (3, 1), (2, 1, 1)]))
    return graph, np.unique(units, return_inverse=True)[1].astype(np.int64), np.array(targets)


def cut_of(graph, codes):
    crosses = codes[graph.left] != codes[graph.right]
    return graph.similarity[crosses].sum()


def sizes_of(codes, n_parts):
    return np.bincount(codes, minlength=n_parts)


@settings(max_examples=60)
@given(small_graphs())
def test_small_graphs_are_cut_as_little_as_can_be(request_):
    graph, units, asked = request_
    n, k = graph.n_rows, len(asked)
    if units.max() + 1 < k:
        return
    exact = asked / asked.sum() * n
    best = np.inf
    for of_unit in itertools.product(range(k), repeat=int(units.max()) + 1):
        codes = np.array(of_unit)[units]
        if (np.abs(sizes_of(codes, k) - exact) < 1).all() and (sizes_of(codes, k) > 0).all():
            best = min(best, cut_of(graph, codes))
    if best == np.inf:
        return
    found = cut_rows(graph, asked, np.arange(n) % k, units=units)
    assert all(len(set(found[units == unit])) == 1 for unit in units)
    assert (np.abs(sizes_of(found, k) - exact) < 1).all()
    assert cut_of(graph, found) == pytest.approx(best)


def communities(n=400, bridges=9, seed=0):
    """Two communities in the proportion 4 : 1, and the few pairs between them."""
    rng = np.random.default_rng(seed)
    many = n * 4 // 5
    left = [rng.integers(0, many, 8 * n), rng.integers(many, n, 2 * n), np.arange(bridges)]
    right = [rng.integers(0, many, 8 * n), rng.integers(many, n, 2 * n), np.arange(bridges) + many]
    left, right = np.concatenate(left), np.concatenate(right)
    return SimilarityGraph.from_edges(left, right, 0.5 + rng.random(len(left)) / 2, n_rows=n, threshold=0.5)


def split(graph, *, rows=None, **options):
    rows = [f"row {i}" for i in range(graph.n_rows)] if rows is None else rows
    options = {"sizes": (0.8, 0.2), "on_infeasible": "cut", **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SplitleakWarning)
        return splitleak.split_by_similarity(rows, similarity=graph, **options)


def test_the_planted_cut_is_found_and_told():
    found = split(communities())
    assert found.sizes == {"train": 320, "test": 80}
    assert (found.codes >= 0).all()
    assert found.certificate.verdict == "leaking"
    assert found.certificate.n_crossing == 9
    assert found.certificate.held_out[0].with_similar == 9
    note = found.provenance.notes[-1]
    assert "on_infeasible='cut' was asked for: all rows are kept, and 9 of " in note
    leakage = splitleak.scaled_leakage(communities(), found)
    assert (
        f"scaled L(pi) {leakage.scaled:.2g}, where a random split of these sizes has {leakage.expected:.2g}"
        in note
    )
    assert "Leaking, as asked for: 9 pairs of similar rows cross" in repr(found)
    assert "all rows are kept, and 9 of" in " ".join(repr(found).split())
    assert "Leaking, as asked for" in found._repr_html_()
    assert "all rows are kept" in found._repr_html_()
    # the same certificate without the split knows nothing of what was asked for
    assert "as asked for" not in repr(found.certificate)
    # a cluster is in one partition: what hangs together within it
    assert len({(cluster, code) for cluster, code in zip(found.clusters, found.codes, strict=True)}) == len(
        set(found.clusters)
    )


def test_a_warning_says_that_the_split_leaks():
    with pytest.warns(SplitleakWarning, match=r"The split leaks: on_infeasible='cut' was asked for.* 9 of"):
        splitleak.split_by_similarity(
            [f"row {i}" for i in range(400)], similarity=communities(), sizes=(0.8, 0.2), on_infeasible="cut"
        )


def test_what_need_not_be_cut_is_not():
    found = splitleak.split_by_similarity([f"{i}" for i in range(50)], threshold=1.0, on_infeasible="cut")
    assert found.certificate.verdict == "separated"
    assert not any("cut" in note for note in found.provenance.notes)


@settings(max_examples=20)
@given(st.integers(0, 50), st.data())
def test_groups_and_copies_stay_whole_and_sizes_are_met(seed, data):
    rng = np.random.default_rng(seed)
    n = 60
    left, right = rng.integers(0, n, (2, 150))
    groups = [None if g < 0 else int(g) for g in rng.integers(-1, 25, n)]
    twins = data.draw(st.integers(0, 4))
    rows = [f"row {i // 2 if i < 2 * twins else i}" for i in range(n)]
    labels = rng.integers(0, 2, n)
    copies = np.array([i - i % 2 if i < 2 * twins else i for i in range(n)])
    left, right = copies[left], copies[right]
    other = left != right
    graph = SimilarityGraph.build(
        left[other], right[other], np.full(other.sum(), 0.7),
        n_rows=n, threshold=0.5, measure="edges", copies=copies,
    )  # fmt: skip
    try:
        found = split(graph, rows=rows, groups=groups, stratify=labels, tolerance=0.03, sizes=(0.7, 0.3))
    except InfeasibleSplitError:
        return
    for of in (groups, rows):
        for value in set(of) - {None}:
            assert len({int(c) for c, v in zip(found.codes, of, strict=True) if v == value}) == 1
    assert abs(found.sizes["test"] - 18) <= 1
    crossing = int((found.codes[graph.pairs()[0]] != found.codes[graph.pairs()[1]]).sum())
    assert found.certificate.n_crossing == crossing


def test_classes_are_balanced_as_far_as_dropping_does():
    rng = np.random.default_rng(0)
    label = np.append((rng.random(320) < 0.7), rng.random(80) < 0.1).astype(int)
    plain, balanced = split(communities()), split(communities(), stratify=label)
    share = label.mean()
    assert abs(label[plain["test"]].mean() - share) > 0.3
    assert abs(label[balanced["test"]].mean() - share) < 0.02
    assert balanced.sizes == {"train": 320, "test": 80}


@pytest.mark.parametrize("threads", ["1", "2"])
def test_the_order_of_rows_and_threads_do_not_matter(threads, monkeypatch):
    monkeypatch.setenv("SPLITLEAK_NUM_THREADS", threads)
    rng = np.random.default_rng(3)
    graph, order = communities(200), rng.permutation(200)
    place = np.argsort(order)
    moved = SimilarityGraph.from_edges(
        place[graph.right], place[graph.left], graph.similarity, n_rows=200, threshold=0.5
    )
    label = rng.integers(0, 3, 200)
    first = split(graph, stratify=label, sizes=(0.5, 0.3, 0.2))
    second = split(moved, rows=[f"row {i}" for i in order], stratify=label[order], sizes=(0.5, 0.3, 0.2))
    assert second.codes.tolist() == first.codes[order].tolist()
    assert first.codes.tolist() == split(graph, stratify=label, sizes=(0.5, 0.3, 0.2)).codes.tolist()


def test_fixed_rows_stay():
    graph, units = communities(), np.arange(400)
    fixed = np.full(400, -1)
    fixed[[0, 1, 399]] = [1, 1, 0]
    begin = allocate(
        np.ones(400, dtype=np.int64), np.array([320, 80]), keys=units.astype(np.uint64), seed=0, fixed=fixed
    )
    found = cut_rows(graph, [0.8, 0.2], begin.codes, units=units, fixed=fixed)
    assert found[[0, 1, 399]].tolist() == [1, 1, 0]
    assert abs((found == 1).sum() - 80) <= 2
    with pytest.raises(InputError, match="fixed must give all rows that stay together one partition"):
        cut_rows(graph, [0.8, 0.2], begin.codes, units=units // 2, fixed=fixed)


def test_groups_that_are_too_large_are_named():
    with pytest.raises(
        InfeasibleSplitError,
        match="never equal rows or rows of one group, and those alone .*largest cluster holds 350 of 400",
    ):
        split(communities(), groups=[0] * 350 + [None] * 50)


def test_too_many_pairs_to_list():
    many = SimilarityGraph.build(
        np.arange(9), np.arange(1, 10), np.ones(9), n_rows=10, threshold=0.5, measure="edges", complete=False
    )
    with pytest.raises(InputError, match="on_infeasible='cut' needs every similar pair"):
        split(many)


def test_pinned_rows_stay_and_what_hangs_between_them_is_cut():
    pinned = [None] * 400
    pinned[10], pinned[20], pinned[390] = "test", "train", "test"
    found = split(communities(), pinned=pinned)
    assert found.codes[[10, 20, 390]].tolist() == [1, 0, 1]
    assert abs(found.sizes["test"] - 80) <= 2
    assert found.certificate.verdict == "leaking"


def test_rows_of_a_group_that_are_pinned_apart_through_copies_are_told():
    copies = np.array([0, 0, *range(2, 40)])
    graph = SimilarityGraph.build(
        np.arange(2, 39),
        np.arange(3, 40),
        np.full(37, 0.9),
        n_rows=40,
        threshold=0.5,
        measure="edges",
        copies=copies,
    )
    groups = [7, None, 7, *[None] * 37]
    pinned = [None, "train", "test", *[None] * 37]
    with pytest.raises(InfeasibleSplitError, match="3 of those hang together that pinned= has in different"):
        split(graph, groups=groups, pinned=pinned)
