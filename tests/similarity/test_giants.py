"""Data with more similar pairs than are listed: components stay those of brute force, and the graph says so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak.components import connected_components
from splitleak.kernels import gower_join, jaccard_join
from splitleak.kernels.pair_count import surely_more_pairs
from splitleak.records import as_records
from splitleak.similarity import banding, pair_store, vector_join
from splitleak.similarity.base import get_backend

LIMIT = 30
WORDS = ["amber", "birch", "cedar", "delta", "ember", "flint", "grove", "heath", "islet", "joust"]


def texts(families, seed):
    rng = np.random.default_rng(seed)
    rows = []
    for size in families:
        words = rng.choice(WORDS, 8).tolist()
        rows += [" ".join([*words, str(rng.integers(10_000))]) for _ in range(size)]
    return rows


def numbers(families, seed):
    rng = np.random.default_rng(seed)
    rows = [rng.normal(size=8) + 0.08 * rng.normal(size=(size, 8)) for size in families]
    return np.concatenate([*rows, np.empty((0, 8))])


def table(families, seed):
    found = pd.DataFrame(numbers(families, seed), columns=[f"x{j}" for j in range(8)])
    return found.assign(kind=np.random.default_rng(seed).choice(["a", "b"], len(found)))


CASES = {  # backend -> data, threshold
    "jaccard": (texts, 0.7),
    "minhash": (texts, 0.7),
    "cosine": (numbers, 0.98),
    "euclidean": (numbers, 0.75),
    "gower": (table, 0.9),
}


def small_limits(patch):
    for module in (jaccard_join, gower_join, banding, pair_store):
        patch.setattr(module, "MAX_PAIRS", LIMIT)
    patch.setattr(banding, "LARGE_BUCKET", 16)
    patch.setattr(vector_join, "ROWS", 8)
    patch.setattr(vector_join, "COLUMNS", 16)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=6),
    st.integers(0, 5),
    st.none() | st.lists(st.sampled_from([0.2, 0.5, 0.8]), min_size=1, max_size=1),
)
def test_components_are_those_of_all_pairs(name, families, seed, share):
    make, threshold = CASES[name]
    data = make(families, seed)
    records = as_records(data) if name != "gower" else as_records(data, on=list(data.columns))
    sides = None if share is None else (np.random.default_rng(seed).random(len(data)) < share[0]).astype(int)
    backend = get_backend(name)
    whole = backend.graph(records, threshold=threshold, sides=sides)
    with pytest.MonkeyPatch.context() as patch:
        small_limits(patch)
        graph = backend.graph(records, threshold=threshold, sides=sides)
    assert np.array_equal(graph.components(), whole.components())
    if len(whole.left) <= LIMIT:
        assert graph.complete
    else:
        assert not graph.complete
        forest = len(graph.left) - (len(data) - len(np.unique(connected(graph))))
        assert forest == 0 or name == "minhash"
    similarity = dict(
        zip(zip(whole.left.tolist(), whole.right.tolist(), strict=True), whole.similarity, strict=True)
    )
    for a, b, s in zip(graph.left.tolist(), graph.right.tolist(), graph.similarity, strict=True):
        assert similarity[a, b] == s


def connected(graph):
    return connected_components(graph.left, graph.right, graph.n_rows)


@pytest.mark.parametrize("name", CASES)
def test_row_order_and_threads_do_not_change_the_components(name, monkeypatch):
    make, threshold = CASES[name]
    data = make([60, 30, 5, 1, 1, 1], 3)
    order = np.random.default_rng(0).permutation(len(data))
    other = (
        data.iloc[order] if name == "gower" else [data[i] for i in order] if name != "cosine" else data[order]
    )
    if name == "euclidean":
        other = data[order]
    small_limits(monkeypatch)
    found = []
    for threads, rows in (("1", data), ("3", data), ("2", other)):
        monkeypatch.setenv("SPLITLEAK_NUM_THREADS", threads)
        found.append(splitleak.similarity_graph(rows, similarity=name, threshold=threshold))
    assert not any(graph.complete for graph in found)
    assert np.array_equal(found[0].left, found[1].left)
    assert np.array_equal(found[0].right, found[1].right)
    one, two = found[0].components()[order], found[2].components()
    assert len(np.unique(np.stack([one, two]), axis=1).T) == one.max() + 1 == two.max() + 1


@pytest.mark.parametrize("name", CASES)
def test_a_split_of_a_giant_is_certified(name, monkeypatch):
    make, threshold = CASES[name]
    data = make([50, 40, 30, 20, 10], 1)
    small_limits(monkeypatch)
    split = splitleak.split_by_similarity(
        data, similarity=name, threshold=threshold, sizes={"train": 0.6, "test": 0.4}, on_infeasible="nearest"
    )
    assert split.certificate.verdict == ("separated_with_recall" if name == "minhash" else "separated")
    half = np.where(np.arange(len(data)) % 2, "train", "test")
    leaky = splitleak.certify(data, half, similarity=name, threshold=threshold)
    assert leaky.verdict == "leaking"


def test_the_sample_never_says_more_where_there_are_fewer():
    rng = np.random.default_rng(0)
    for n, clique in ((2000, 0), (2000, 200), (5000, 500), (5000, 1500), (3000, 3000)):
        partners = np.where(np.arange(n) < clique, clique - 1, 0)
        total = int(partners.sum() // 2)
        for limit in (total, total + 1, 2 * total + 1):
            for _ in range(20):
                keys = rng.integers(0, 2**63, n).astype(np.uint64)
                assert not surely_more_pairs(partners.__getitem__, keys, limit)
    assert surely_more_pairs(
        np.full(5000, 4999).__getitem__, keys=rng.integers(0, 2**63, 5000).astype(np.uint64), limit=9_000_000
    )
