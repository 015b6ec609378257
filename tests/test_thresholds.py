"""The curve over thresholds against one graph per threshold."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak.clustering import cluster
from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.records import as_records
from splitleak.thresholds import threshold_curve


@st.composite
def weighted_graphs(draw, most=20):
    n = draw(st.integers(4, most))
    row = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(row, row, st.sampled_from([0.5, 0.6, 0.655, 0.9, 1.0])), max_size=40))
    a, b, s = (list(column) for column in zip(*edges, strict=True)) if edges else ([], [], [])
    twins = np.concatenate([np.arange(n), draw(st.lists(row, min_size=2, max_size=2))]).astype(np.int64)
    bare = SimilarityGraph.from_edges(
        np.array(a, dtype=np.int64), np.array(b, dtype=np.int64), s, n_rows=n, threshold=0.5
    )
    return SimilarityGraph.build(
        bare.left, bare.right, bare.similarity, n_rows=n + 2, threshold=0.5, measure="edges", copies=twins
    )


@settings(max_examples=30)
@given(weighted_graphs(), st.data())
def test_each_point_is_that_of_the_graph_at_its_threshold(graph, data):
    groups = [np.array(data.draw(st.lists(st.integers(-1, 3), min_size=graph.n_rows, max_size=graph.n_rows)))]
    curve = threshold_curve(graph, sizes=[0.7, 0.3], groups=groups, tolerance=0.1)
    assert curve.thresholds[0] == 0.5
    for i, threshold in enumerate(curve.thresholds):
        at = graph.at(float(threshold))
        clusters = cluster(at, groups)
        assert curve.pairs[i] == at.n_pairs
        assert curve.components[i] == clusters.n_clusters
        assert curve.largest[i] == clusters.sizes.max()
        assert curve.held_out[i] == graph.n_rows - clusters.sizes.max()
    assert curve.dropped is None
    assert (np.diff(curve.components) >= 0).all()


def test_the_random_leak_is_that_of_many_random_splits():
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 60, (2, 50))
    graph = SimilarityGraph.from_edges(left, right, n_rows=60, threshold=0.8)
    expected = threshold_curve(graph, sizes=[0.5, 0.5]).random_leak[0]
    shares = []
    for _ in range(3000):
        training = np.zeros(60, dtype=bool)
        training[rng.permutation(60)[:30]] = True
        hit = np.zeros(60, dtype=bool)
        hit[graph.left[training[graph.right]]] = True
        hit[graph.right[training[graph.left]]] = True
        shares.append(hit[~training].mean())
    assert abs(np.mean(shares) - expected) < 5 * np.std(shares) / np.sqrt(3000)


def chain(n=200):
    # the further along, the more alike
    at = np.arange(n - 1)
    return SimilarityGraph.from_edges(at, at + 1, 0.5 + 0.4 * at / n, n_rows=n, threshold=0.5)


def test_rows_to_drop_and_the_lowest_feasible_threshold():
    curve = threshold_curve(chain(), sizes={"train": 0.8, "test": 0.2}, drop=True, tolerance=0.01)
    assert curve.dropped[0] == 1
    assert (curve.dropped[curve.feasible] == 0).all()
    assert (curve.dropped[~curve.feasible] >= 1).all()
    assert curve.lowest_feasible == curve.thresholds[curve.feasible][0]
    frame = curve.frame()
    assert frame.loc[frame["feasible"], "dropped_share"].eq(0).all()
    assert {"nearest_train", "nearest_test"} <= set(frame.columns)
    assert f"sizes can be met from {curve.lowest_feasible:g} on" in repr(curve)


def test_asked_thresholds_are_sorted_and_taken_once():
    curve = threshold_curve(chain(), sizes=[0.5, 0.5], thresholds=[0.9, 0.6, 0.6])
    assert curve.thresholds.tolist() == [0.6, 0.9]


def test_where_nothing_is_feasible_the_repr_says_so():
    everything = np.triu_indices(10, 1)
    graph = SimilarityGraph.from_edges(*everything, n_rows=10, threshold=0.5)
    curve = threshold_curve(graph, sizes=[0.5, 0.5], thresholds=[0.5, 1.0], drop=True)
    assert curve.lowest_feasible is None
    assert "cannot be met at any" in repr(curve)
    assert curve.dropped.tolist() == [-1, -1]
    assert curve.frame()["dropped_share"].isna().all()
    assert curve.summary()["dropped_share"] == [None, None]


def test_the_picture_shows_each_line():
    axes = threshold_curve(chain(), sizes=[0.5, 0.5], drop=True).plot().axes[0]
    assert len(axes.get_lines()) == 3
    assert len(threshold_curve(chain(), sizes=[0.5, 0.5]).plot().axes[0].get_lines()) == 2


def test_thresholds_below_the_graph_are_refused():
    with pytest.raises(InputError, match=r"must not be below the graph's own 0\.5"):
        threshold_curve(chain(), thresholds=[0.4])
    with pytest.raises(InputError, match="at least one threshold"):
        threshold_curve(chain(), thresholds=[])
    with pytest.raises(InputError, match="threshold must be a number"):
        threshold_curve(chain(), thresholds=[1.5])


def share_with_similar(graph, training):
    """Share of the held-out rows that have a similar training row."""
    a, b, _ = graph.pairs()
    hit = np.zeros(graph.n_rows, dtype=bool)
    hit[a[training[b]]] = True
    hit[b[training[a]]] = True
    return hit[~training].mean()


@settings(max_examples=12, deadline=None)
@given(weighted_graphs(most=4), st.data())
def test_each_column_is_that_of_brute_force(graph, data):
    n = graph.n_rows
    train = data.draw(st.integers(1, n - 1))
    groups = [np.array(data.draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n)))]
    sizes = {"train": train, "test": n - train}
    curve = threshold_curve(graph, sizes=sizes, groups=groups, drop=True, tolerance=0.1)
    frame = curve.frame()
    for i, threshold in enumerate(curve.thresholds):
        at = graph.at(float(threshold))
        a, b, _ = at.pairs()
        tied = [(x, y) for x in range(n) for y in range(x) if groups[0][x] == groups[0][y] >= 0]
        together = np.array([*zip(a, b, strict=True), *tied], dtype=int).reshape(-1, 2).T
        possible = [
            codes
            for codes in map(np.array, itertools.product((0, 1), repeat=n))
            if (codes[together[0]] == codes[together[1]]).all()
        ]
        # all rows in one partition count only when there is one cluster
        filled = [codes for codes in possible if 0 < codes.sum() < n] or [np.zeros(n, dtype=int)]
        off = min(2 * abs(int(codes.sum()) - (n - train)) for codes in filled)
        assert np.abs(curve.achieved[i] - [train, n - train]).sum() == off
        assert curve.feasible[i] == (off / 2 <= 0.1 * n and len(possible) > 2)
        assert curve.held_out[i] == frame["held_out_most"][i] == n - curve.largest[i]
        expected = np.mean(
            [
                share_with_similar(at, np.isin(np.arange(n), c))
                for c in itertools.combinations(range(n), train)
            ]
        )
        assert curve.random_leak[i] == pytest.approx(expected)
        fewest = min(
            (
                int((codes < 0).sum())
                for codes in map(np.array, itertools.product((-1, 0, 1), repeat=n))
                if _valid(codes, together, at.copies, train / n, 0.1)
            ),
            default=-1,
        )
        if curve.feasible[i]:
            assert curve.dropped[i] == 0
        elif curve.dropped[i] < 0:  # heavy nodes of few: a search may miss the one way there is
            assert fewest < 0 or at.copies is not None
        else:
            assert 0 <= fewest <= curve.dropped[i]
            assert curve.dropped[i] <= fewest + 1 or at.copies is not None


def _valid(codes, together, copies, share, tolerance):
    """No two rows that belong together are kept apart, copies stay or go together, the kept rows have the sizes."""
    a, b = codes[together[0]], codes[together[1]]
    kept = codes >= 0
    rows = np.array([(codes == 0).sum(), (codes == 1).sum()])
    allowed = max(tolerance * kept.sum(), 0.999) + 1e-9
    return (
        not ((a >= 0) & (b >= 0) & (a != b)).any()
        and (
            copies is None
            or all((codes[copies == c] >= 0).all() or (codes[copies == c] < 0).all() for c in copies)
        )
        and (rows > 0).all()
        and (np.abs(rows - np.array([share, 1 - share]) * kept.sum()) <= allowed).all()
    )


def test_what_is_dropped_falls_as_the_threshold_rises():
    rng = np.random.default_rng(1)
    left, right = rng.integers(0, 300, (2, 900))
    graph = SimilarityGraph.from_edges(left, right, 0.5 + 0.5 * rng.random(900), n_rows=300, threshold=0.5)
    curve = threshold_curve(graph, sizes=[0.8, 0.2], thresholds=[0.5, 0.55, 0.6, 0.65, 0.7], drop=True)
    assert (curve.dropped >= 0).all()
    assert (np.diff(curve.dropped) <= 0).all()
    assert curve.dropped[0] > 0


def test_data_is_searched_once_at_the_lowest_threshold():
    texts = [f"{'abcdefghij' * 3}{i:03d}" for i in range(30)] + [
        f"another one {i} {i * i}" for i in range(30)
    ]
    table = pd.DataFrame({"text": texts, "author": [i // 3 for i in range(60)]})
    options = {"sizes": [0.5, 0.5], "drop": True}
    by_data = threshold_curve(table, on="text", thresholds=[0.9, 0.6], groups="author", **options)
    graph = splitleak.similarity_graph(table, on="text", threshold=0.6)
    hashes = as_records(table, on="text").row_hashes
    groups = [table["author"].to_numpy()]
    by_graph = threshold_curve(graph, thresholds=[0.6, 0.9], groups=groups, row_hashes=hashes, **options)
    pd.testing.assert_frame_equal(by_data.frame(), by_graph.frame())
    assert threshold_curve(texts, threshold=0.7).thresholds[0] == 0.7
    with pytest.raises(
        InputError, match="data is a SimilarityGraph, which has been searched for; leave them out"
    ):
        threshold_curve(graph, on="text")
