"""Connected components and groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitleak.clustering import Clustering, cluster
from splitleak.components import _components_of_few, connected_components
from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph


def components_by_flooding(edges, n_rows):
    labels = [-1] * n_rows
    found = 0
    for start in range(n_rows):
        if labels[start] >= 0:
            continue
        todo = {start}
        while todo:
            row = todo.pop()
            labels[row] = found
            todo |= {b for a, b in edges if a == row and labels[b] < 0}
            todo |= {a for a, b in edges if b == row and labels[a] < 0}
        found += 1
    return labels


@st.composite
def edge_lists(draw):
    n_rows = draw(st.integers(1, 14))
    row = st.integers(0, n_rows - 1)
    return n_rows, draw(st.lists(st.tuples(row, row), max_size=20))


def arrays(edges):
    return np.array(edges, dtype=np.int64).reshape(-1, 2).T


@given(edge_lists())
def test_few_edges_equal_flooding(case):
    n_rows, edges = case
    left, right = arrays(edges)
    assert connected_components(left, right, n_rows).tolist() == components_by_flooding(edges, n_rows)


@settings(deadline=None)  # the first example loads the kernel
@given(edge_lists())
def test_both_routes_agree(case):
    from splitleak.kernels.union_find import components

    n_rows, edges = case
    left, right = arrays(edges)
    expected = _components_of_few(left, right, n_rows)
    for width in (np.int32, np.int64):
        assert (
            components(left.copy(), right.copy(), np.arange(n_rows, dtype=width)).tolist()
            == expected.tolist()
        )


def test_many_edges_agree_with_few():
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 90_000, (2, 60_000))
    labels = connected_components(left, right, 90_000)
    assert labels.dtype == np.int64
    assert np.array_equal(labels, _components_of_few(left, right, 90_000))


def test_a_long_chain_is_one_component():
    n = 200_000
    rows = np.arange(n, dtype=np.int64)
    assert connected_components(rows[:-1][::-1].copy(), rows[1:][::-1].copy(), n).max() == 0


@given(edge_lists(), st.data())
def test_groups_join_rows_as_edges_do(case, data):
    n_rows, edges = case
    codes = st.lists(st.integers(-1, 4), min_size=n_rows, max_size=n_rows)
    groupings = [np.array(data.draw(codes), dtype=np.int64) for _ in range(data.draw(st.integers(0, 2)))]
    graph = SimilarityGraph.from_edges(*arrays(edges), n_rows=n_rows, threshold=0.5)
    joined = edges + [
        (a, b) for g in groupings for a in range(n_rows) for b in range(a) if g[a] == g[b] != -1
    ]
    result = cluster(graph, groupings)
    assert result.labels.tolist() == components_by_flooding(joined, n_rows)
    assert result.sizes.dtype == np.int64
    assert result.sizes.tolist() == np.bincount(result.labels).tolist()
    assert result.n_clusters == len(result.sizes)


def test_copies_are_joined():
    copies = np.array([0, 1, 0, 3, 1])
    graph = SimilarityGraph.build([0], [3], [0.9], n_rows=5, threshold=0.8, measure="test", copies=copies)
    assert cluster(graph).labels.tolist() == [0, 1, 0, 0, 1]


def test_groups_of_another_length():
    graph = SimilarityGraph.from_edges([0], [1], n_rows=3, threshold=0.5)
    with pytest.raises(InputError, match=r"grouping 0 has shape \(2,\), the graph has 3 rows"):
        cluster(graph, [np.array([0, 1])])


def test_repr():
    assert repr(Clustering.of(np.array([0, 0, 1]))) == "Clustering(2 clusters of 3 rows, largest 2)"


def test_repeats_of_an_edge_join_however_many_there_are() -> None:
    for repeats in (2, 255, 256, 257, 65_536):
        left = np.zeros(repeats, dtype=np.int64)
        assert connected_components(left, left + 1, 3).tolist() == [0, 0, 1]
