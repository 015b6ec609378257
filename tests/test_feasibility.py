"""Sizes that whole clusters cannot meet: the policies keep the promise, and the error's prices are true."""

import re
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak import InfeasibleSplitError, InputError, SimilarityGraph

NAMES = [f"row {i}" for i in range(30)]
edges = st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), min_size=20, max_size=60)


def chain(n: int) -> SimilarityGraph:
    """Rows in a line, the middle link the weakest."""
    rows = np.arange(n - 1)
    return SimilarityGraph.from_edges(
        rows, rows + 1, np.where(rows == n // 2, 0.55, 0.9), n_rows=n, threshold=0.5
    )


def split(graph: SimilarityGraph, n: int, **options: object) -> splitleak.Split:
    names = [f"row {i}" for i in range(n)]
    return splitleak.split_by_similarity(names, similarity=graph, sizes=(0.5, 0.5), **options)  # type: ignore[arg-type]


def test_dropping_one_row_cuts_a_chain() -> None:
    found = split(chain(101), 101, on_infeasible="drop")
    assert (found.codes == -1).sum() == 1
    assert found.certificate.verdict == "separated"  # type: ignore[union-attr]
    assert abs(found.sizes["train"] - 50) <= 2
    assert len(found.clusters) == 101  # type: ignore[arg-type]
    assert len(set(found.clusters[found.codes >= 0])) == 2  # type: ignore[index]


@settings(max_examples=25)
@given(edges, st.lists(st.integers(-1, 8), min_size=30, max_size=30))
def test_drop_keeps_the_promise(pairs: list[tuple[int, int]], groups: list[int]) -> None:
    left, right = np.array(pairs).T
    graph = SimilarityGraph.from_edges(left, right, n_rows=30, threshold=0.5)
    table = {"name": NAMES, "group": [None if g < 0 else g for g in groups]}
    try:
        found = splitleak.split_by_similarity(
            table,
            on="name",
            similarity=graph,
            groups="group",
            sizes=(0.6, 0.4),
            on_infeasible="drop",
            tolerance=0.1,
        )
    except InfeasibleSplitError:
        return
    codes = found.codes
    assert not [(a, b) for a, b in pairs if codes[a] >= 0 and codes[b] >= 0 and codes[a] != codes[b]]
    for group in set(groups) - {-1}:
        assert len({codes[i] for i in range(30) if groups[i] == group and codes[i] >= 0}) <= 1
    kept = (codes >= 0).sum()
    assert abs(found.sizes["train"] / kept - 0.6) <= 0.1 + 1 / kept
    assert set(found.clusters[codes < 0]).isdisjoint(found.clusters[codes >= 0])  # type: ignore[index]


def test_dropping_does_not_depend_on_the_order_of_rows() -> None:
    random = np.random.default_rng(0)
    left, right = random.integers(0, 200, (2, 500))
    names = [f"row {i}" for i in range(200)]
    order = random.permutation(200)
    place = np.argsort(order)
    first, second = (
        splitleak.split_by_similarity(
            rows,
            similarity=SimilarityGraph.from_edges(a, b, n_rows=200, threshold=0.5),
            on_infeasible="drop",
        )
        for rows, a, b in ((names, left, right), ([names[i] for i in order], place[left], place[right]))
    )
    assert (first.codes < 0).any()
    assert second.codes.tolist() == first.codes[order].tolist()


def test_dropping_with_groups_does_not_depend_on_the_order_of_rows() -> None:
    random = np.random.default_rng(1)
    left, right = random.integers(0, 200, (2, 400))
    names, group = np.array([f"row {i}" for i in range(200)]), random.integers(-1, 60, 200)
    order = random.permutation(200)
    place = np.argsort(order)
    first, second = (
        splitleak.split_by_similarity(
            names[rows].tolist(),
            similarity=SimilarityGraph.from_edges(a, b, n_rows=200, threshold=0.5),
            groups=[None if g < 0 else int(g) for g in group[rows]],
            on_infeasible="drop",
        )
        for rows, a, b in ((np.arange(200), left, right), (order, place[left], place[right]))
    )
    assert (first.codes < 0).any()
    assert second.codes.tolist() == first.codes[order].tolist()


def test_the_budget_is_kept() -> None:
    with pytest.raises(InfeasibleSplitError, match="max_dropped"):
        split(chain(101), 101, on_infeasible="drop", max_dropped=0)
    assert (split(chain(101), 101, on_infeasible="drop", max_dropped=0.01).codes < 0).sum() == 1


@pytest.mark.parametrize("most", [-1, 1.5, True, "many"])
def test_bad_budgets(most: object) -> None:
    with pytest.raises(InputError, match="max_dropped must be a number of rows, or a share"):
        split(chain(11), 11, on_infeasible="drop", max_dropped=most)


def test_a_budget_without_dropping() -> None:
    with pytest.raises(InputError, match="max_dropped= goes with on_infeasible='drop'"):
        split(chain(11), 11, max_dropped=3)


def test_the_lowest_threshold_that_meets_the_sizes() -> None:
    found = split(chain(101), 101, on_infeasible="raise_threshold")
    assert found.provenance is not None
    assert found.provenance.options["threshold"] == 0.56
    assert found.certificate.threshold == 0.56  # type: ignore[union-attr]
    assert set(found.sizes.values()) == {50, 51}


def test_the_threshold_between_two_hundredths_has_few_digits_and_loses_no_pair_more() -> None:
    rows = np.arange(100)
    similarity = np.where(rows == 49, 0.7012345678, 0.7065432109)
    graph = SimilarityGraph.build(rows, rows + 1, similarity, n_rows=101, threshold=0.5, measure="mine")
    found = splitleak.split_by_similarity(
        [str(i) for i in range(101)], similarity=graph, sizes=(0.5, 0.5), on_infeasible="raise_threshold"
    )
    assert found.provenance is not None
    assert found.provenance.options["threshold"] == 0.706
    assert found.certificate is not None
    assert found.certificate.threshold == 0.706
    assert (found.certificate.verdict, set(found.sizes.values())) == ("separated", {50, 51})


def test_no_threshold_helps_identical_rows() -> None:
    with pytest.raises(InfeasibleSplitError, match="all 50 rows form one cluster"):
        splitleak.split_by_similarity(["same"] * 50, on_infeasible="raise_threshold")
    with pytest.raises(InfeasibleSplitError):
        splitleak.split_by_similarity(["same"] * 50, on_infeasible="drop")


def test_the_prices_of_the_error_are_true() -> None:
    with pytest.raises(InfeasibleSplitError) as error:
        split(chain(101), 101)
    ways = " ".join(error.value.ways_out)
    dropped = int(re.search(r"drops (\d+) rows?", ways).group(1))  # type: ignore[union-attr]
    assert (split(chain(101), 101, on_infeasible="drop").codes < 0).sum() == dropped
    threshold = float(re.search(r"threshold=([\d.]+) meets them", ways).group(1))  # type: ignore[union-attr]
    assert set(split(chain(101).at(threshold), 101).sizes.values()) == {50, 51}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert split(chain(101), 101, on_infeasible="nearest").sizes == error.value.nearest


def percentages(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} {100 * rows / sum(sizes.values()):.1f} %" for name, rows in sizes.items())


def ladder() -> SimilarityGraph:
    """Rows in a line; the higher the threshold, the shorter the pieces."""
    at = np.arange(199)
    return SimilarityGraph.from_edges(at, at + 1, 0.5 + 0.002 * (at * 37 % 199), n_rows=200, threshold=0.5)


def communities() -> SimilarityGraph:
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 40, (2, 900)) + 40 * rng.integers(0, 10, 900)
    few = rng.integers(0, 400, (2, 40))
    pairs = np.append([left, right], few, axis=1)
    similarity = np.append(0.7 + 0.3 * rng.random(900), 0.5 + 0.2 * rng.random(40))
    return SimilarityGraph.from_edges(*pairs, similarity, n_rows=400, threshold=0.5)


def cliques() -> SimilarityGraph:
    """No threshold helps: half of the rows are alike."""
    left, right = np.triu_indices(42, 1)
    return SimilarityGraph.from_edges(left, right, np.ones(len(left)), n_rows=60, threshold=0.5)


@pytest.mark.parametrize("graph", [chain(101), ladder(), communities(), cliques()])
@pytest.mark.parametrize("groups", [None, 40])
def test_each_way_out_that_the_error_quotes_leads_where_it_says(
    graph: SimilarityGraph, groups: int | None
) -> None:
    n = graph.n_rows
    options: dict[str, object] = {"sizes": (0.55, 0.45), "tolerance": 0.01}
    if groups:
        options["groups"] = [i // 2 if i < groups else None for i in range(n)]
    rows = [f"row {i}" for i in range(n)]

    def take(**way: object) -> splitleak.Split:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return splitleak.split_by_similarity(rows, similarity=graph, **{**options, **way})  # type: ignore[arg-type]

    with pytest.raises(InfeasibleSplitError, match="Ways out:") as error:
        take()
    ways = "; ".join(error.value.ways_out)
    quoted = re.findall(r"threshold=([\d.]+) gives (train [\d.]+ %, test [\d.]+ %)", ways)
    for threshold, sizes in quoted:
        assert percentages(take(threshold=float(threshold), on_infeasible="nearest").sizes) == sizes
    met = re.findall(r"threshold=([\d.]+) meets them: (train [\d.]+ %, test [\d.]+ %)", ways)
    for threshold, sizes in met:
        assert percentages(take(threshold=float(threshold)).sizes) == sizes
        assert float(take(on_infeasible="raise_threshold").provenance.options["threshold"]) <= float(
            threshold
        )  # type: ignore[union-attr]
    dropped = re.search(r"drops (\d+) rows? \(([\d.]+) %\) and leaves (train [\d.]+ %, test [\d.]+ %)", ways)
    if dropped:
        found = take(on_infeasible="drop")
        gone = int((found.codes < 0).sum())
        assert (str(gone), f"{100 * gone / n:.1f}", percentages(found.sizes)) == dropped.groups()
    else:
        with pytest.raises(InfeasibleSplitError, match="by dropping rows"):
            take(on_infeasible="drop")
    cut = re.search(r"leaks: ([\d,]+) similar pairs? would cross, and ([\d.]+) % of the held-out rows", ways)
    assert cut is not None
    found = take(on_infeasible="cut")
    held = found.certificate.held_out[0]  # type: ignore[union-attr]
    assert f"{found.certificate.n_crossing:,}" == cut.group(1)  # type: ignore[union-attr]
    assert f"{100 * held.share:.1f}" == cut.group(2)
    nearest = re.search(r"takes the nearest sizes: (train [\d.]+ %, test [\d.]+ %)", ways)
    assert percentages(take(on_infeasible="nearest").sizes) == nearest.group(1)  # type: ignore[union-attr]


def test_the_error_quotes_the_threshold_curve() -> None:
    with pytest.raises(InfeasibleSplitError) as error:
        split(ladder(), 200, tolerance=0.01)
    way = error.value.ways_out[0]
    assert len(re.findall(r"threshold=[\d.]+ gives train [\d.]+ %, test [\d.]+ %", way)) >= 1
    assert "meets them" in way


def test_a_graph_beyond_the_budget_is_not_priced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("splitleak.ways_out.PRICED", 100)
    with pytest.raises(
        InfeasibleSplitError, match="'drop' drops as few rows as it can.*'cut' cuts as little"
    ):
        split(chain(101), 101)


def test_one_cluster_goes_to_train_whatever_is_asked() -> None:
    for sizes in ((0.5, 0.5), (0.1, 0.9), (0.1, 0.3, 0.6)):
        with pytest.warns(splitleak.SplitleakWarning, match="all 50 rows form one cluster"):
            found = splitleak.split_by_similarity(["same"] * 50, sizes=sizes, on_infeasible="nearest")
        assert found.sizes["train"] == 50


def test_dropping_that_fails_names_rule_obstacle_and_ways_out() -> None:
    with pytest.raises(
        InfeasibleSplitError,
        match=r"sizes of train 50 %, test 50 % cannot be met within 2 % of the kept rows by dropping rows.*: whole sets"
        r" of equal rows are too large: row 0 stands for 50 rows\. Nearest: .* Ways out: \(1\) ask for other sizes=",
    ) as error:
        splitleak.split_by_similarity(["same"] * 50, sizes=(0.5, 0.5), on_infeasible="drop")
    assert set(error.value.nearest) == {"train", "test"}


def test_classes_stay_balanced_when_rows_are_dropped() -> None:
    labels = np.arange(101) % 2
    found = split(chain(101), 101, on_infeasible="drop", stratify=labels)
    for name in found.names:
        assert abs(labels[found[name]].mean() - 0.5) < 0.05
