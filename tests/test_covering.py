"""The fewest rows to drop, against all subsets of the rows."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from splitleak.covering import fewest_dropped
from splitleak.graph import SimilarityGraph

N = 9
edges = st.lists(st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)), max_size=18)
codings = st.integers(2, 4).flatmap(lambda k: st.lists(st.integers(-1, k - 1), min_size=N, max_size=N))
groupings = st.lists(st.lists(st.integers(-1, 2), min_size=N, max_size=N), max_size=2)


def graph_of(pairs: list[tuple[int, int]], copies: bool) -> SimilarityGraph:
    graph = SimilarityGraph.from_edges([a for a, _ in pairs], [b for _, b in pairs], n_rows=N, threshold=0.5)
    if not copies:
        return graph
    of = np.array([0, 1, 2, 0, 1, 5, 6, 0, 8])
    keep = (of[graph.left] == graph.left) & (of[graph.right] == graph.right)
    return SimilarityGraph.build(
        graph.left[keep], graph.right[keep], graph.similarity[keep], n_rows=N, threshold=0.5, measure="test",
        copies=of,
    )  # fmt: skip


def tied(graph: SimilarityGraph, codes: np.ndarray, groups: list[np.ndarray]) -> set[tuple[int, int]]:
    pairs = set(zip(*(x.tolist() for x in graph.pairs()[:2]), strict=True))
    for group in groups:
        pairs |= {(a, b) for a, b in itertools.combinations(range(N), 2) if group[a] == group[b] >= 0}
    return {(a, b) for a, b in pairs if codes[a] != codes[b] and min(codes[a], codes[b]) >= 0}


def fewest(pairs: set[tuple[int, int]], held: list[bool]) -> int | None:
    for size in range(N + 1):
        for rows in itertools.combinations(range(N), size):
            if not any(held[r] for r in rows) and all(a in rows or b in rows for a, b in pairs):
                return size
    return None


@settings(max_examples=300)
@given(edges, codings, groupings, st.booleans(), st.lists(st.booleans(), min_size=N, max_size=N))
def test_cover_is_valid_and_smallest(pairs, coding, grouping, copies, held) -> None:  # type: ignore[no-untyped-def]
    graph, codes = graph_of(pairs, copies), np.array(coding)
    groups = [np.array(g) for g in grouping]
    across = tied(graph, codes, groups)
    if any(held[a] and held[b] for a, b in across):
        held = [False] * N
    least = fewest(across, held)
    assert least is not None
    cover = fewest_dropped(graph, codes, groups=groups, protected=np.array(held))
    assert all(cover.dropped[a] or cover.dropped[b] for a, b in across)
    assert not (cover.dropped & np.array(held)).any()
    assert cover.bound <= least <= cover.n_dropped
    if len({codes[row] for pair in across for row in pair}) <= 2:
        assert cover.n_dropped == least == cover.bound


@given(edges, codings, st.permutations(range(N)))
def test_the_order_of_the_rows_does_not_matter(pairs, coding, order) -> None:  # type: ignore[no-untyped-def]
    place = np.argsort(order)
    codes, hashes = np.array(coding), np.arange(N, dtype=np.uint64) * np.uint64(977)
    first = fewest_dropped(graph_of(pairs, False), codes, row_hashes=hashes)
    moved = graph_of([(int(place[a]), int(place[b])) for a, b in pairs], False)
    second = fewest_dropped(moved, codes[list(order)], row_hashes=hashes[list(order)])
    assert second.dropped.tolist() == first.dropped[list(order)].tolist()
