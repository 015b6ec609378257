"""SimilarityGraph: pairs oriented, sorted, unique; implied pairs of copies; thresholds; recall."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitleak import InputError, SimilarityGraph
from splitleak.graph import Recall

rows = st.integers(0, 11)
edges = st.lists(st.tuples(rows, rows, st.floats(0, 1)), max_size=30)


def graph_of(edges: list[tuple[int, int, float]], threshold: float) -> SimilarityGraph:
    left, right, similarity = zip(*edges, strict=True) if edges else ((), (), ())
    return SimilarityGraph.from_edges(
        np.array(left, int), np.array(right, int), similarity, n_rows=12, threshold=threshold
    )


@given(edges, st.floats(0.05, 1))
def test_pairs_are_those_at_or_above_the_threshold(
    edges: list[tuple[int, int, float]], threshold: float
) -> None:
    graph = graph_of(edges, threshold)
    best: dict[tuple[int, int], float] = {}
    for a, b, s in edges:
        if a != b and s >= threshold:
            best[min(a, b), max(a, b)] = max(s, best.get((min(a, b), max(a, b)), 0))
    found = dict(
        zip(
            zip(graph.left.tolist(), graph.right.tolist(), strict=True),
            graph.similarity.tolist(),
            strict=True,
        )
    )
    assert found == best
    assert list(found) == sorted(found)
    assert graph.left.dtype == graph.right.dtype == np.int64


@given(edges, st.lists(rows, min_size=12, max_size=12))
def test_copies_imply_their_pairs(edges: list[tuple[int, int, float]], groups: list[int]) -> None:
    copies = np.array([groups.index(g) for g in groups])
    stored = [(int(copies[a]), int(copies[b]), s) for a, b, s in edges if copies[a] != copies[b]]
    short = graph_of(stored, 0.5)
    graph = SimilarityGraph.build(
        short.left, short.right, short.similarity, n_rows=12, threshold=0.5, measure="m", copies=copies
    )
    similar = {(a, b): s for a, b, s in zip(short.left, short.right, short.similarity, strict=True)}
    expected = {}
    for i in range(12):
        for j in range(i + 1, 12):
            a, b = sorted((copies[i], copies[j]))
            if a == b or (a, b) in similar:
                expected[i, j] = 1.0 if a == b else similar[a, b]
    left, right, similarity = graph.pairs()
    assert (
        dict(zip(zip(left.tolist(), right.tolist(), strict=True), similarity.tolist(), strict=True))
        == expected
    )
    assert graph.n_pairs == len(expected) == len(graph.frame())
    degree = np.zeros(12, int)
    for pair in expected:
        degree[list(pair)] += 1
    assert graph.degrees().tolist() == degree.tolist()
    full = SimilarityGraph.from_edges(left, right, similarity, n_rows=12, threshold=0.5)
    assert graph.components().tolist() == full.components().tolist()


@given(edges, st.floats(0.1, 0.5), st.floats(0.5, 1))
def test_at_a_higher_threshold(edges: list[tuple[int, int, float]], low: float, high: float) -> None:
    assert graph_of(edges, low).at(high).frame().equals(graph_of(edges, high).frame())


def test_a_lower_threshold_is_refused() -> None:
    with pytest.raises(
        InputError,
        match="threshold=0.7 asks for pairs that are less similar than the graph's own threshold of 0.8, which were",
    ):
        graph_of([], 0.8).at(0.7)


def test_an_incomplete_graph_does_not_list_its_pairs() -> None:
    graph = SimilarityGraph.build([0], [1], [1.0], n_rows=3, threshold=0.5, measure="m", complete=False)
    assert graph.components().tolist() == [0, 0, 1]
    for use in (graph.pairs, graph.frame, lambda: graph.at(0.9)):
        with pytest.raises(InputError, match="too many to list"):
            use()


def test_too_many_pairs_to_list() -> None:
    none = np.empty(0, int)
    graph = SimilarityGraph.build(
        none, none, none, n_rows=100_000, threshold=1, measure="m", copies=np.zeros(100_000, int)
    )
    assert graph.n_pairs == 100_000 * 99_999 // 2
    with pytest.raises(InputError, match="4,999,950,000 pairs, too many to list"):
        graph.pairs()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [1, 2], None), "must have one length, got 1, 2"),
        (([0], [12], None), r"right must be row positions in \[0, 12\); entry 0 is 12"),
        (([0.5], [1], None), "left must be a 1-D array of row positions"),
        (([0], [1], [1.2]), r"finite and in \[0, 1\]; edge 0 \(0, 1\) has 1.2"),
        (([0], [1], [np.nan]), "finite"),
    ],
)
def test_bad_edges(arguments: tuple[list[float], list[float], list[float] | None], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SimilarityGraph.from_edges(*arguments, n_rows=12, threshold=0.5)


def test_bad_number_of_rows() -> None:
    with pytest.raises(InputError, match="n_rows must be a whole number of at least 0, got -1"):
        SimilarityGraph.from_edges([], [], n_rows=-1, threshold=0.5)


@pytest.mark.parametrize("threshold", [0, -1, 1.01, float("nan"), "high", None, True])
def test_bad_thresholds(threshold: float) -> None:
    with pytest.raises(InputError, match=r"threshold must be a number in \(0, 1\]"):
        SimilarityGraph.from_edges([], [], n_rows=3, threshold=threshold)


def test_recall_interval() -> None:
    recall = Recall.measured(98, 100)  # Wilson's interval as statsmodels prints it
    assert (round(recall.low, 4), round(recall.high, 4)) == (0.93, 0.9945)
    assert Recall.measured(100, 100).high == 1
    assert Recall.measured(0, 100).low == 0
    assert str(Recall.measured(0, 0)) == "how many such pairs it would miss could not be measured"
    assert str(recall).startswith(
        "it finds 98.00 % of such pairs (95 % interval 93.00 % to 99.45 %; measured on 100"
    )
