"""Leakage numbers against brute force; splits side by side."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import splitleak
from splitleak import DataMismatchError, InputError, SimilarityGraph, Split
from splitleak.comparison import compare_splits, random_codes
from splitleak.crossing_mass import random_crossing, scaled_leakage

quick = settings(max_examples=40)


def leakage_by_brute_force(
    similarity: np.ndarray, codes: list[int], weights: list[float]
) -> tuple[float, float]:
    """Crossing and total similarity over all pairs of rows that are in a partition."""
    rows = [i for i, code in enumerate(codes) if code >= 0]
    pairs = [(i, j, similarity[i, j] * weights[i] * weights[j]) for i, j in itertools.combinations(rows, 2)]
    return math.fsum(s for i, j, s in pairs if codes[i] != codes[j]), math.fsum(s for _, _, s in pairs)


def symmetric(n: int, seed: int) -> np.ndarray:
    half = np.triu(np.round(np.random.default_rng(seed).random((n, n)), 2), 1)
    return half + half.T + np.eye(n)


@quick
@given(
    st.lists(st.integers(-1, 2), min_size=2, max_size=9), st.integers(0, 999), st.booleans(),
    st.sampled_from([0.0, 0.5]),
)  # fmt: skip
def test_scaled_leakage_is_that_of_brute_force(
    codes: list[int], seed: int, weighted: bool, least: float
) -> None:
    n = len(codes)
    matrix = symmetric(n, seed)
    weights = np.round(np.random.default_rng(seed).random(n), 2).tolist() if weighted else [1.0] * n
    given_ = matrix
    if least:
        left, right = np.triu_indices(n, 1)
        given_ = SimilarityGraph.from_edges(left, right, matrix[left, right], n_rows=n, threshold=least)
        matrix = np.where(matrix >= least, matrix, 0)
    found = scaled_leakage(given_, codes, weights=weights if weighted else None)
    crossing, total = leakage_by_brute_force(matrix, codes, weights)
    assert found.crossing == pytest.approx(crossing, abs=1e-12)
    assert found.total == pytest.approx(total, abs=1e-12)
    assert found.scaled == pytest.approx(crossing / total if total else 0.0)
    assert found.similarity_from == least


@quick
@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(0, 999))
def test_expectation_is_the_mean_over_all_random_splits(sizes: list[int], seed: int) -> None:
    n = sum(sizes)
    if n < 2:
        assert random_crossing(np.array(sizes)) == 0
        return
    matrix = symmetric(n, seed) + 0.01 * (1 - np.eye(n))
    matrix = np.minimum(matrix, 1)
    every = set(itertools.permutations(np.repeat(np.arange(len(sizes)), sizes).tolist()))
    found = [scaled_leakage(matrix, list(codes)) for codes in every]
    assert np.mean([leakage.scaled for leakage in found]) == pytest.approx(found[0].expected)
    assert random_crossing(np.array(sizes)) == pytest.approx(found[0].expected)


@quick
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1)), min_size=2, max_size=12))
def test_copies_count_as_all_their_pairs(rows: list[tuple[str, int]]) -> None:
    texts, codes = [row[0] for row in rows], [row[1] for row in rows]
    graph = splitleak.similarity_graph(texts, similarity="exact", threshold=1.0)
    matrix = np.array([[float(a == b) for b in texts] for a in texts])
    crossing, total = leakage_by_brute_force(matrix, codes, [1.0] * len(codes))
    found = scaled_leakage(graph, codes)
    assert (found.crossing, found.total) == (crossing, total)


def test_all_that_a_split_can_be() -> None:
    matrix = symmetric(6, 0)
    names = ["train", "train", "train", "test", "test", ""]
    expected = scaled_leakage(matrix, [0, 0, 0, 1, 1, -1])
    assert scaled_leakage(matrix, names) == expected
    assert scaled_leakage(matrix, Split.from_labels(names)) == expected
    assert scaled_leakage(matrix, np.array([7, 7, 7, 3, 3, -1])) == expected
    assert scaled_leakage(pd.DataFrame(matrix), names) == expected
    assert scaled_leakage(sparse.csr_array(matrix), names) == expected
    assert scaled_leakage(1 - matrix, names, kind="dissimilarity").scaled == pytest.approx(expected.scaled)


def test_one_partition_leaks_nothing_and_has_no_ratio() -> None:
    found = scaled_leakage(symmetric(3, 0), ["train"] * 3)
    assert found.scaled == found.expected == 0
    assert math.isnan(found.ratio)


@pytest.mark.parametrize(
    ("similarity", "split", "weights", "message"),
    [
        (np.eye(3), ["a", "b"], None, "one partition for each of the 3 rows"),
        (["a"], ["a"], None, "similarity must be a SimilarityGraph or a square matrix, got list"),
        (np.eye(2), ["a", "b"], [1], "weights must be 2 finite numbers"),
        (np.eye(2), ["a", "b"], [1, -1], "weights must be 2 finite numbers"),
        (np.ones((2, 3)), ["a", "b"], None, "must be square"),
    ],
)
def test_bad_input_is_named(similarity: object, split: object, weights: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        scaled_leakage(similarity, split, weights=weights)  # type: ignore[arg-type]


def test_graph_without_all_its_pairs_is_refused() -> None:
    graph = SimilarityGraph.build([0], [1], [1.0], n_rows=2, threshold=0.5, measure="x", complete=False)
    with pytest.raises(InputError, match="needs every pair"):
        scaled_leakage(graph, [0, 1])


@quick
@given(
    st.lists(st.sampled_from("abcd"), min_size=4, max_size=20),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_random_partitions_go_by_content(texts, seed, random) -> None:  # type: ignore[no-untyped-def]
    from splitleak.records import as_records

    sizes = np.array([len(texts) // 2, len(texts) // 4])
    order = random.sample(range(len(texts)), len(texts))
    codes = random_codes(as_records(texts).row_hashes, sizes, seed)
    other = random_codes(as_records([texts[i] for i in order]).row_hashes, sizes, seed)
    assert np.bincount(codes[codes >= 0], minlength=2).tolist() == sizes.tolist()
    assert sorted(zip(texts, codes, strict=True)) == sorted(
        zip([texts[i] for i in order], other, strict=True)
    )


def table() -> pd.DataFrame:
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
    rows = [f"{a} {b} {i}" for a, b in itertools.combinations(words, 2) for i in range(4)]
    published = ["test" if i % 5 == 0 else "train" for i in range(len(rows))]
    return pd.DataFrame({"text": rows, "published": published})


def test_splits_side_by_side() -> None:
    data = table()
    mine = splitleak.split_by_similarity(
        data, on="text", threshold=0.6, sizes={"train": 0.8, "test": 0.2}, on_infeasible="nearest"
    )
    found = compare_splits(
        data,
        {"mine": mine, "published": "published", "chance": "random"},
        on="text",
        threshold=0.6,
        leakage_from=0.3,
    )
    frame = found.frame()
    assert frame["split"].tolist() == ["mine", "published", "chance"]
    assert frame["verdict"].tolist() == ["separated", "leaking", "leaking"]
    assert frame["crossing_pairs"][0] == 0
    assert frame["share_with_similar"][0] == 0
    assert frame["scaled_leakage"][0] < frame["scaled_leakage"][2]
    assert frame["leakage_vs_random"][2] == pytest.approx(1, abs=0.3)
    assert found["chance"].sizes == dict(mine.sizes)
    for name in ("mine", "published"):
        split = mine if name == "mine" else data["published"]
        certificate = splitleak.certify(data, split, on="text", threshold=0.6)
        assert found[name].certificate.summary() == certificate.summary()
        graph = splitleak.similarity_graph(data, on="text", threshold=0.3)
        assert found[name].leakage == scaled_leakage(graph, split if name == "mine" else data["published"])
    text = repr(found)
    assert "published" in text
    assert "LEAKING" in text
    assert "as leaky as" in text
    assert "<svg" in found._repr_html_()
    assert "Leaking: published, chance." in found._repr_html_()
    figure = found.plot()
    assert len(figure.axes) == 3
    assert figure.axes[0].get_title(loc="left") == "mine"
    assert "0.0 % have a similar training row" in figure.axes[0].get_title(loc="right")


def test_row_order_does_not_matter() -> None:
    data = table()
    order = np.random.default_rng(0).permutation(len(data))
    both = [
        compare_splits(d, {"published": "published", "chance": "random"}, on="text", threshold=0.6).frame()
        for d in (data, data.iloc[order])
    ]
    pd.testing.assert_frame_equal(*both)


def test_a_matrix_counts_as_a_whole() -> None:
    matrix = symmetric(12, 1)
    rows = [f"row {i}" for i in range(12)]
    labels = ["train"] * 9 + ["test"] * 3
    found = compare_splits(rows, {"a": labels}, similarity=matrix, threshold=0.9)
    assert found["a"].leakage == scaled_leakage(matrix, labels)
    assert "all pairs" in repr(found)


def test_dropped_rows_are_told() -> None:
    found = compare_splits(["a", "b", "c", "d"], {"x": ["train", "train", "test", None]}, similarity="exact")
    assert found["x"].dropped == 1
    assert found.frame()["rows_dropped"].tolist() == [1]
    assert "dropped 1" in repr(found)


def test_measure_without_look_up_still_compares() -> None:
    edges = SimilarityGraph.from_edges([0], [3], n_rows=4, threshold=0.5)
    found = compare_splits(["a", "b", "c", "d"], {"x": [0, 0, 1, 1]}, similarity=edges)
    assert found["x"].certificate.n_crossing == 1
    assert len(found.plot().axes) == 0
    assert "Leaking: x." in found._repr_html_()


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({}, "splits must be a mapping"),
        (["random"], "splits must be a mapping"),
        ({"x": "random"}, 'splits has "random" only'),
        ({"x": ["train"]}, r"splits\['x'\]: split= must have one value for each of the 3 rows"),
        ({"x": ["train"] * 3}, r"splits\['x'\]: split must name at least two partitions"),
    ],
)
def test_splits_that_cannot_be_compared(splits: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare_splits(["a", "b", "c"], splits)  # type: ignore[arg-type]


def test_splits_of_other_data_are_refused() -> None:
    made = splitleak.split_by_similarity(
        ["a", "b", "c", "d"], similarity="exact", sizes={"train": 3, "test": 1}
    )
    with pytest.raises(DataMismatchError):
        compare_splits(["a", "b", "c", "e"], {"x": made}, similarity="exact")


def test_unknown_names_are_refused() -> None:
    found = compare_splits(["a", "b"], {"mine": ["train", "test"]}, similarity="exact")
    with pytest.raises(InputError, match="no split is called 'mien'; did you mean 'mine'"):
        found["mien"]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 3))
def test_share_with_similar_and_novelty_are_those_of_brute_force(seed: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(25, 2))
    cosine = rows @ rows.T / np.outer(*[np.linalg.norm(rows, axis=1)] * 2)
    codes = np.append(np.arange(p), rng.integers(0, p, 25 - p))
    names = np.array(["train", "dev", "test"])[:p]
    found = compare_splits(rows, {"x": names[codes].tolist()}, similarity="cosine", threshold=0.985)["x"]
    nearest = cosine[:, codes == 0].max(axis=1)
    held = codes > 0
    assert found.share_with_similar == pytest.approx((nearest[held] >= 0.985).mean())
    histogram = found.certificate.nearest
    assert histogram is not None
    for k, name in enumerate(names[1:], 1):
        expected = np.histogram(np.clip(nearest[codes == k], 0, 1), bins=np.array(histogram.edges))[0]
        assert histogram.counts[name] == tuple(expected)
        assert histogram.rows[name] == (codes == k).sum()
