"""weights= with rows that are dropped or cut: as little weight as possible goes, sizes are shares of the weight."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak import InfeasibleSplitError, InputError, SimilarityGraph, SplitleakWarning

TOLERANCE = 0.15


def graph_of(pairs: list[tuple[int, int]], n: int) -> SimilarityGraph:
    return SimilarityGraph.from_edges([a for a, _ in pairs], [b for _, b in pairs], n_rows=n, threshold=0.5)


def least_dropped(pairs: list[tuple[int, int]], weights: np.ndarray, share: float) -> float:
    """Return the least weight to drop, by trying every answer."""
    best = np.inf
    for codes in itertools.product((-1, 0, 1), repeat=len(weights)):
        if any(codes[a] != codes[b] and min(codes[a], codes[b]) >= 0 for a, b in pairs):
            continue
        inside = [weights[np.array(codes) == p].sum() for p in (0, 1)]
        if min(inside) > 0 and abs(inside[0] / sum(inside) - share) <= TOLERANCE:
            best = min(best, weights[np.array(codes) < 0].sum())
    return float(best)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=12),
    st.lists(st.integers(1, 9), min_size=7, max_size=7),
)
def test_the_least_weight_is_dropped(pairs, values) -> None:  # type: ignore[no-untyped-def]
    weights = np.array(values, dtype=float)
    try:
        split = splitleak.split_by_similarity(
            [f"row {i}" for i in range(7)], similarity=graph_of(pairs, 7), weights=weights, sizes=[0.6, 0.4],
            tolerance=TOLERANCE, on_infeasible="drop", certify=False,
        )  # fmt: skip
    except InfeasibleSplitError:
        return
    codes = split.codes
    assert all(codes[a] == codes[b] or min(codes[a], codes[b]) < 0 for a, b in pairs)
    inside = np.array([weights[codes == p].sum() for p in (0, 1)])
    assert abs(inside[0] / inside.sum() - 0.6) <= TOLERANCE + 1e-6
    # the search is a heuristic that also aims at the sizes: a row more than the least may go, seldom more
    assert weights[codes < 0].sum() <= least_dropped(pairs, weights, 0.6) + weights.max()


def chain(n: int = 60) -> tuple[list[str], SimilarityGraph, np.ndarray]:
    """Rows in a row; the light ones are every seventh."""
    weights = np.where(np.arange(n) % 7 == 3, 0.25, 2.0)
    return [f"row {i}" for i in range(n)], graph_of(list(itertools.pairwise(range(n))), n), weights


def test_a_chain_is_dropped_at_a_light_row_and_the_error_prices_it() -> None:
    rows, graph, weights = chain()
    options = {"similarity": graph, "weights": weights, "sizes": [0.65, 0.35], "certify": False}
    with pytest.raises(InfeasibleSplitError, match=r"'drop' drops 1 row \(0\.2 % of the weight\)"):
        splitleak.split_by_similarity(rows, **options)
    split = splitleak.split_by_similarity(rows, on_infeasible="drop", **options)
    assert weights[split.codes < 0].tolist() == [0.25]
    assert weights[split["test"]].sum() / weights[split.codes >= 0].sum() == pytest.approx(0.35, abs=0.02)
    scaled = splitleak.split_by_similarity(
        rows, on_infeasible="drop", **{**options, "weights": 1e-9 * weights}
    )
    assert scaled.codes.tolist() == split.codes.tolist()
    with pytest.raises(InfeasibleSplitError, match=r"max_dropped=0.10 % of the weight is not enough: 0.2. %"):
        splitleak.split_by_similarity(rows, on_infeasible="drop", max_dropped=0.001, **options)
    enough = splitleak.split_by_similarity(rows, on_infeasible="drop", max_dropped=0.003, **options)
    assert enough.codes.tolist() == split.codes.tolist()


def test_rows_without_weight_and_row_order() -> None:
    rows, graph, weights = chain(40)
    weights[::5] = 0
    order = np.random.default_rng(0).permutation(40)
    place = np.argsort(order)
    shuffled = graph_of([(int(place[a]), int(place[a + 1])) for a in range(39)], 40)
    options = {"sizes": [0.7, 0.3], "on_infeasible": "drop", "certify": False, "stratify": ["a", "b"] * 20}
    split = splitleak.split_by_similarity(rows, similarity=graph, weights=weights, **options)
    again = splitleak.split_by_similarity(
        [rows[i] for i in order], similarity=shuffled, weights=weights[order],
        **{**options, "stratify": [("a", "b")[i % 2] for i in order]},
    )  # fmt: skip
    assert again.codes.tolist() == split.codes[order].tolist()
    assert weights[split.codes < 0].sum() <= 0.25


def test_all_rows_are_kept_and_weights_decide_where_similarity_is_cut() -> None:
    rows, graph, _ = chain(40)
    weights = np.where(np.arange(40) < 10, 9.0, 1.0)  # the first ten rows are three quarters of the weight
    with pytest.warns(SplitleakWarning, match="The split leaks"):
        split = splitleak.split_by_similarity(
            rows, similarity=graph, weights=weights, sizes=[0.75, 0.25], on_infeasible="cut", certify=False
        )
    assert (split.codes >= 0).all()
    assert np.abs(weights[split["test"]].sum() / weights.sum() - 0.25) <= 0.02
    assert int((np.diff(split.codes) != 0).sum()) == 1


def test_what_cannot_be_used() -> None:
    rows, graph, weights = chain(20)
    options = {"similarity": graph, "weights": weights, "sizes": [0.7, 0.3], "on_infeasible": "drop"}
    with pytest.raises(
        InputError, match=r"max_dropped= is a share of the weight in \[0, 1\) with weights=, got 3"
    ):
        splitleak.split_by_similarity(rows, max_dropped=3, **options)
    with pytest.raises(InputError, match="goes by rows where rows are pinned; leave weights= or pinned= out"):
        splitleak.split_by_similarity(rows, pinned={"test": [0]}, **options)
