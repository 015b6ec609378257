"""Strata of several columns, sets of labels, numbers and weights: the promise holds, the balance is near the best."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import splitleak
from splitleak import InputError, SimilarityGraph, SplitleakWarning, StratifyBy
from splitleak.allocation import LabelTable, allocate, allocate_weighted

some = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
quiet = pytest.mark.filterwarnings("ignore:stratify cannot bring")
THIRDS = {"train": 0.6, "test": 0.4}


def best_by_brute_force(sizes, labels, targets):  # type: ignore[no-untyped-def]
    """Return the least deviation of the sizes, and of the labels among allocations with that one."""
    k, p, n = len(sizes), len(targets), sizes.sum()
    best = (np.inf, np.inf)
    for codes in itertools.product(range(p), repeat=k):
        inside = np.array(codes)[:, None] == np.arange(p)
        off = np.abs(sizes @ inside - targets).sum()
        label = np.abs(inside.T @ labels - np.outer(targets / n, labels.sum(axis=0))).sum()
        filled = inside.any(axis=0)
        empty = not filled.all() if k >= p else not filled[0]  # of too few clusters, one goes to the first
        best = min(best, (np.inf if empty else off, label))
    return best


@some
@given(st.integers(2, 7), st.integers(2, 3), st.integers(0, 10**6))
def test_several_columns_and_sets_are_balanced_as_well_as_can_be(k: int, p: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 6, k)
    assume(sizes.sum() >= p)
    labels = np.array(
        [random.binomial(size, random.random(5)) for size in sizes]
    )  # a row may have any of five
    targets = np.array(random.multinomial(sizes.sum() - p, np.full(p, 1 / p))) + 1
    keys = random.integers(0, 2**62, k).astype(np.uint64)
    found = allocate(sizes, targets, classes=labels, keys=keys, seed=seed)
    off, least = best_by_brute_force(sizes, labels, targets)
    assert np.abs(found.achieved - targets).sum() == off
    if off == 0:
        # exchanges of up to four clusters reach most allocations of the sizes, not all
        assert found.deviation * sizes.sum() <= 1.5 * least + 4
    inside = found.codes[:, None] == np.arange(p)
    label = np.abs(inside.T @ labels - np.outer(targets / sizes.sum(), labels.sum(axis=0))).sum()
    assert found.deviation * sizes.sum() == pytest.approx(label)


@some
@given(st.integers(2, 7), st.integers(2, 3), st.integers(0, 10**6), st.booleans())
def test_weights_are_met_as_well_as_can_be(k: int, p: int, seed: int, with_labels: bool) -> None:
    random = np.random.default_rng(seed)
    weights = np.maximum(1, np.rint(random.lognormal(6, 1, k))).astype(np.int64)
    total = int(weights.sum())
    shares = random.dirichlet(np.full(p, 5))
    targets = np.floor(shares * total).astype(np.int64)
    targets[0] += total - targets.sum()
    table = random.multinomial(weights, [0.5, 0.3, 0.2])
    labels = LabelTable.dense(table) if with_labels else None
    keys = random.integers(0, 2**62, k).astype(np.uint64)
    order = random.permutation(k)
    found = allocate_weighted(weights, targets, labels=labels, keys=keys, seed=seed)
    again = allocate_weighted(
        weights[order], targets, labels=labels and labels.take(order), keys=keys[order], seed=seed
    )
    assert again.codes.tolist() == found.codes[order].tolist()
    assert np.bincount(found.codes, weights, minlength=p).tolist() == found.achieved.tolist()
    assert len(set(found.codes.tolist())) == min(k, p)
    off, _ = best_by_brute_force(weights, table, targets)
    # of two allocations with the same largest deviation the one with better labels may have a larger sum
    assert np.abs(found.achieved - targets).sum() <= p * off + 2 * p


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, SimilarityGraph, np.ndarray]:
    n = draw(st.integers(6, 30))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    edges = random.integers(0, n, (draw(st.integers(0, n)), 2))
    edges = edges[edges[:, 0] != edges[:, 1]]
    edges = np.unique(np.sort(edges, axis=1), axis=0).reshape(-1, 2)
    groups = np.where(random.random(n) < 0.3, random.integers(0, 3, n), -1)
    table = pd.DataFrame(
        {
            "text": [f"row {i}" for i in range(n)],
            "group": [None if g < 0 else f"g{g}" for g in groups],
            "a": random.choice(["x", "y", "z"], n),
            "b": random.choice(["u", None], n),
            "y": random.normal(size=n).round(3),
            "tags": [[t for t in "pq" if random.random() < 0.4] for _ in range(n)],
            "w": np.where(random.random(n) < 0.2, 0.0, random.lognormal(size=n)),
        }
    )
    table.at[0, "tags"], table.at[0, "w"] = ["p"], 1.0
    graph = SimilarityGraph.from_edges(edges[:, 0], edges[:, 1], n_rows=n, threshold=0.8)
    return table, graph, edges


def split_of(table, graph, **options):  # type: ignore[no-untyped-def]
    return splitleak.split_by_similarity(
        table, on="text", similarity=graph, sizes=THIRDS, groups="group", certify=False, **options
    )


@quiet
@pytest.mark.filterwarnings("ignore:The sizes cannot be met")
@some
@given(tables(), st.booleans(), st.integers(0, 3), st.randoms(use_true_random=False))
def test_the_promise_holds_whatever_is_balanced(made, weighted, seed, random) -> None:  # type: ignore[no-untyped-def]
    table, graph, edges = made
    options = {
        "stratify": ["a", "b", "y", "tags"],
        "weights": "w" if weighted else None,
        "seed": seed,
        "on_infeasible": "nearest",
    }
    split = split_of(table, graph, **options)
    n = len(table)
    assert sorted(np.concatenate([split[name] for name in split.names])) == list(range(n))
    assert not [(i, j) for i, j in edges if split.codes[i] != split.codes[j]]
    for _, rows in table.groupby("group").indices.items():
        assert len(set(split.codes[rows])) == 1
    order = np.array(random.sample(range(n), n))
    place = np.argsort(order)
    moved = SimilarityGraph.from_edges(
        np.minimum(place[edges[:, 0]], place[edges[:, 1]]),
        np.maximum(place[edges[:, 0]], place[edges[:, 1]]),
        n_rows=n,
        threshold=0.8,
    )
    again = split_of(table.iloc[order].reset_index(drop=True), moved, **options)
    assert again.codes.tolist() == split.codes[order].tolist()


@quiet
@some
@given(tables(), st.integers(0, 3))
def test_dropping_keeps_the_promise_with_several_strata(made, seed) -> None:  # type: ignore[no-untyped-def]
    table, graph, edges = made
    split = split_of(table, graph, stratify=["a", "tags"], seed=seed, on_infeasible="drop", tolerance=0.05)
    both = [(i, j) for i, j in edges if split.codes[i] >= 0 and split.codes[j] >= 0]
    assert not [(i, j) for i, j in both if split.codes[i] != split.codes[j]]


ROWS = pd.DataFrame(
    {
        "text": [f"row number {i} of its own kind {i * 7919}" for i in range(600)],
        "a": [["x", "y", "y", "z", "z", "z"][i % 6] for i in range(600)],
        "b": [["u", "v"][i % 2] for i in range(600)],
        "y": np.random.default_rng(0).lognormal(size=600),
        "count": np.random.default_rng(1).permutation(600),
        "tags": [[t for k, t in enumerate("pqr") if i // 2**k % 2] for i in range(600)],
        "w": np.random.default_rng(2).lognormal(size=600),
    }
)


def balanced(**options):  # type: ignore[no-untyped-def]
    return splitleak.split_by_similarity(ROWS, on="text", similarity="exact", **options)


@pytest.mark.parametrize(
    ("stratify", "kinds", "n_labels"),
    [
        ("a", ["classes"], [3]),
        (["a", "b"], ["classes"] * 2, [3, 2]),
        (ROWS[["a", "y"]], ["classes", "continuous"], [3, 10]),
        ("tags", ["labels"], [3]),
        (np.array([[len(t) > 1, "p" in t] for t in ROWS["tags"]]), ["labels"], [2]),
        (ROWS["y"].to_numpy(), ["continuous"], [10]),
        ({"count": "continuous", "b": "classes"}, ["continuous", "classes"], [10, 2]),
        (StratifyBy("count", kind="distribution", bins=5), ["continuous"], [5]),
        ([StratifyBy(ROWS["y"], bins=4, name="why"), "a"], ["continuous", "classes"], [4, 3]),
        ({"y": "classes"}, None, None),
        (ROWS["count"] % 25, ["classes"], [25]),
        (ROWS["count"].astype(float), None, None),
    ],
)
def test_what_stratify_takes(stratify, kinds, n_labels) -> None:  # type: ignore[no-untyped-def]
    if kinds is None:
        with pytest.raises(InputError, match="must be a class column.*continuous"):
            balanced(stratify=stratify)
        return
    split = balanced(stratify=stratify, certify=False)
    assert split.sizes == {"train": 480, "dev": 60, "test": 60}
    assert [s.kind for s in split.strata] == kinds
    assert [len(s.labels) for s in split.strata] == n_labels
    for stratum in split.summary()["strata"]:
        assert max(stratum["gaps"]) < (0.006 if len(stratum["labels"]) < 6 else 0.02)


def test_the_distribution_is_matched() -> None:
    def distance(stratify) -> float:  # type: ignore[no-untyped-def]
        (stratum,) = balanced(stratify=stratify, certify=False).summary()["strata"]
        return max(numbers["ks"] for numbers in stratum["numbers"][:3])

    assert distance(StratifyBy("y", kind="distribution", bins=30)) < 0.035
    # 60 rows drawn at random are about 0.1 away
    assert distance("y") < 0.06


def test_kolmogorov_smirnov_against_scipy() -> None:
    from scipy.stats import ks_2samp

    split = balanced(stratify="y", certify=False)
    numbers = split.summary()["strata"][0]["numbers"]
    for i, name in enumerate(split.names):
        part = ROWS["y"].to_numpy()[split[name]]
        assert numbers[i]["ks"] == pytest.approx(ks_2samp(part, ROWS["y"]).statistic)
        assert numbers[i]["mean"] == pytest.approx(part.mean())
        assert numbers[i]["sd"] == pytest.approx(part.std())


def test_sizes_are_shares_of_the_weight() -> None:
    split = balanced(stratify=["a", "b"], weights="w", certify=False)
    weight = ROWS["w"].to_numpy()
    shares = [weight[split[name]].sum() / weight.sum() for name in split.names]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.002)
    summary = split.summary()
    assert [p["weight_share"] for p in summary["partitions"]] == pytest.approx(shares)
    inside = split["test"]
    x = (ROWS["a"] == "x").to_numpy()[inside]
    assert summary["strata"][0]["shares"][2][0] == pytest.approx(
        weight[inside][x].sum() / weight[inside].sum()
    )
    assert max(summary["strata"][0]["gaps"]) < 0.01
    assert "share of weight" in repr(split)
    assert "share of the partition" in split._repr_html_()
    # light and heavy rows are spread alike
    assert split.sizes == {
        name: pytest.approx(n, abs=12) for name, n in zip(split.names, (480, 60, 60), strict=True)
    }


@pytest.mark.parametrize("factor", [1.0, 3.0, 0.1, 1e12])
def test_equal_weights_count_as_rows(factor: float) -> None:
    split = balanced(weights=np.full(600, factor), certify=False)
    assert split.sizes == {"train": 480, "dev": 60, "test": 60}


def test_rows_without_weight_are_placed() -> None:
    weights = np.where(np.arange(600) < 200, 1.0, 0.0)
    split = balanced(weights=weights, certify=False)
    assert [int(weights[split[name]].sum()) for name in split.names] == [160, 20, 20]
    assert [len(split[name]) for name in split.names] == [480, 60, 60]


def test_too_heavy_a_cluster_is_told_in_shares() -> None:
    weights = np.ones(600)
    weights[7] = 2_000
    with pytest.raises(
        splitleak.InfeasibleSplitError, match="77.0 % of the weight.*asked for, train, 60.0 %"
    ):
        balanced(weights=weights, sizes=[0.6, 0.4])


def test_classes_of_few_clusters_are_named() -> None:
    table = ROWS.assign(a=["lonely" if i < 4 else "two" if i in (50, 60) else "many" for i in range(600)])
    table["group"] = [None if i >= 4 else "g" for i in range(600)]
    with pytest.warns(
        SplitleakWarning, match="'lonely' of a has rows in one cluster only, so it can be"
    ) as seen:
        split = splitleak.split_by_similarity(
            table, on="text", similarity="exact", stratify=["a", "b"], groups="group"
        )
    assert seen[0].filename == __file__
    assert "class 'two' of a has rows in 2 clusters only, so it can be in 2 of 3" in str(seen[0].message)
    named = [(entry["label"], entry["clusters"], entry["rows"]) for entry in split.summary()["unreachable"]]
    assert named == [("lonely", 1, 4), ("two", 2, 2)]
    for text in (repr(split), split._repr_html_()):
        assert "lonely (a), 4 rows in 1 cluster" in " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.mark.parametrize("ending", ["parquet", "json", "csv"])
def test_files_keep_the_strata(tmp_path: Path, ending: str) -> None:
    table = ROWS.assign(a=[None if i == 3 else v for i, v in enumerate(ROWS["a"])])
    split = splitleak.split_by_similarity(
        table, on="text", similarity="exact", stratify=["a", "y", "tags"], weights="w", certify=False
    )
    split.save(tmp_path / f"s.{ending}")
    again = splitleak.Split.load(tmp_path / f"s.{ending}")
    if ending != "csv":
        assert again.summary() == split.summary()
    assert [s.kind for s in again.strata] == ["classes", "continuous", "labels"]
    assert again.strata[0].per_row().tolist() == split.strata[0].per_row().tolist()
    assert again.strata[2].codes.tolist() == split.strata[2].codes.tolist()
    assert np.array_equal(again.weights, split.weights)
    assert "(missing)" in repr(again)


def test_folds_balance_several_columns() -> None:
    folds = splitleak.fold_by_similarity(ROWS, on="text", similarity="exact", folds=5, stratify=["a", "tags"])
    for stratum in folds.as_split().summary()["strata"]:
        assert max(stratum["gaps"]) < 0.01
    inner = folds.inner(0, folds=3)
    assert max(inner.as_split().summary()["strata"][0]["gaps"]) < 0.01
    assert inner.strata[1].n_rows == 480


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": np.full(600, -1.0)}, "weights= must be finite numbers of at least 0; row 0 has -1"),
        ({"weights": np.zeros(600)}, "weights= must sum to a finite number above 0"),
        ({"weights": [1.0] * 599 + [np.nan]}, "row 599 has a missing value"),
        ({"weights": [np.inf] + [1.0] * 599}, "row 0 has inf"),
        ({"weights": "a"}, "weights='a' must hold numbers"),
        ({"weights": [1.0]}, "weights= must have one value for each of the 600 rows"),
        ({"weights": "wight"}, "'wight' is not a column"),
        ({"weights": "w", "sizes": [500, 100]}, "sizes asks for counts of rows .*write fractions"),
        ({"stratify": ["a", "c"]}, "stratify='c' is not a column"),
        ({"stratify": np.zeros((600, 2))}, "no row has a label"),
        ({"stratify": np.full((600, 2), 2)}, "row 0 has .*2.* in column 0; for several columns"),
        ({"stratify": np.zeros((5, 2))}, "one line for each of the 600 rows"),
        ({"stratify": {"a": "continuous"}}, "stratify='a' as continuous must hold numbers"),
        ({"stratify": {"a": "clases"}}, "clases"),
        ({"stratify": {"a": 1}}, "says the kind of each column"),
        ({"stratify": {"a": "labels"}}, "texts with separator="),
        ({"stratify": []}, "names no column|one value for each"),
        ({"stratify": np.full(600, np.nan)}, "no value|missing"),
        ({"stratify": StratifyBy(np.full(600, np.inf), kind="continuous")}, "must be finite; row 0"),
        ({"stratify": [[]] * 600}, "no label|nested|plain value"),
    ],
)
def test_bad_strata_and_weights(options, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        balanced(**options)


def test_bad_options_of_a_stratum() -> None:
    with pytest.raises(InputError, match="bins must be a whole number of at least 2, got 1"):
        StratifyBy("y", bins=1)
    with pytest.raises(InputError, match="separator must be a text"):
        StratifyBy("y", separator="")


def test_texts_are_cut_into_labels() -> None:
    table = ROWS.assign(tags=[";".join(tags) for tags in ROWS["tags"]])
    split = splitleak.split_by_similarity(
        table, on="text", similarity="exact", stratify=StratifyBy("tags", kind="labels", separator=";")
    )
    assert split.strata[0].labels == ("p", "q", "r")


def test_a_crossing_of_many_cells_is_cut_down() -> None:
    from splitleak._tables import open_source
    from splitleak.strata.resolving import resolve_strata

    random = np.random.default_rng(0)
    table = pd.DataFrame({name: random.integers(0, 8, 2_000) for name in "abc"})
    strata = resolve_strata(open_source(table), ["a", "b", "c"])
    assert strata is not None
    cells = strata.crossing()
    assert len(np.unique(cells)) <= 60 + 24
    pair = resolve_strata(open_source(table.assign(a=table["a"] % 3, b=table["b"] % 2)), ["a", "b"])
    assert pair is not None
    assert len(np.unique(pair.crossing())) == 6


def test_the_shell_takes_several(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from typer.testing import CliRunner

    from splitleak.cli import app

    ROWS.drop(columns="tags").to_csv(tmp_path / "rows.tsv", sep="\t", index=False)
    arguments = [
        "split",
        str(tmp_path / "rows.tsv"),
        "--on",
        "text",
        "--similarity",
        "exact",
        "--weights",
        "w",
    ]
    found = CliRunner().invoke(app, [*arguments, "--stratify", "a", "--stratify", "count=continuous"])
    assert found.exit_code == 0, found.output
    assert "Balance of count" in found.output
    assert "share of weight" in found.output
