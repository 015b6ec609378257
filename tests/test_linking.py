"""The fewest free rows between fixed ones, against all subsets of the rows."""

import itertools

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from splitleak.clustering import cluster
from splitleak.linking import Web, fewest_between
from tests.test_covering import N, edges, graph_of, groupings

fixing = st.integers(2, 3).flatmap(
    lambda k: st.lists(st.sampled_from([-1, -1, *range(k)]), min_size=N, max_size=N)
)


def components(pairs: set[tuple[int, int]], kept: set[int]) -> list[set[int]]:
    parts = [{row} for row in kept]
    for a, b in pairs:
        if a in kept and b in kept:
            one, two = (next(p for p in parts if x in p) for x in (a, b))
            if one is not two:
                parts.remove(two)
                one |= two
    return parts


def apart(pairs: set[tuple[int, int]], fixed: np.ndarray, gone: tuple[int, ...]) -> bool:
    parts = components(pairs, set(range(N)) - set(gone))
    return all(len({fixed[r] for r in part} - {-1}) <= 1 for part in parts)


@settings(max_examples=300)
@given(edges, fixing, groupings, st.booleans())
def test_cut_is_valid_and_smallest(pairs, fixing, grouping, copies) -> None:  # type: ignore[no-untyped-def]
    graph, fixed = graph_of(pairs, copies), np.array(fixing)
    groups = [np.array(g) for g in grouping]
    ties = set(zip(*(x.tolist() for x in graph.pairs()[:2]), strict=True))
    for group in groups:
        ties |= {(a, b) for a, b in itertools.combinations(range(N), 2) if group[a] == group[b] >= 0}
    assume(not any(min(fixed[a], fixed[b]) >= 0 and fixed[a] != fixed[b] for a, b in ties))
    free = np.flatnonzero(fixed < 0).tolist()
    least = next(
        size
        for size in range(N + 1)
        for gone in itertools.combinations(free, size)
        if apart(ties, fixed, gone)
    )
    cover = fewest_between(graph, fixed, groups=groups, row_hashes=np.arange(N, dtype=np.uint64))
    assert apart(ties, fixed, tuple(np.flatnonzero(cover.dropped)))
    assert (fixed[cover.dropped] < 0).all()
    assert cover.bound <= least <= cover.n_dropped
    if fixed.max() < 2:
        assert cover.n_dropped == least == cover.bound
    assert (
        Web(graph, groups).labels(np.ones(N, dtype=bool)).tolist() == cluster(graph, groups).labels.tolist()
    )
