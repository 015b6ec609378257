"""FAISS as approximate engine: what it finds is right, what it misses is measured."""

from __future__ import annotations

import subprocess
import sys

import faiss
import numpy as np
import pytest
from scipy import sparse

from splitleak.errors import InputError
from splitleak.records import Records
from splitleak.similarity import approximation, faiss_search, pair_store
from splitleak.similarity.base import get_backend

KINDS = ["ivf", "hnsw"]
NAMES = ["cosine", "euclidean"]
THRESHOLD = {"cosine": 0.9, "euclidean": 0.5}


def records(x):
    return Records("vector", x.shape[0], vectors=x)


def points(n=1500, d=16, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) * (np.arange(d) + 1.0) ** -0.5
    near = rng.choice(n, n // 5, replace=False)
    x[near] = x[rng.integers(0, n, len(near))] + 0.05 * rng.standard_normal((len(near), d))
    x[5] = x[6] = x[7]
    return x.astype(np.float32)


def pairs(graph):
    return {(int(a), int(b)): float(s) for a, b, s in zip(*graph.pairs(), strict=True)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_is_right_and_recall_is_measured(name, kind):
    x = points()
    truth = pairs(get_backend(name).graph(records(x), threshold=THRESHOLD[name]))
    graph = get_backend(f"{name}-faiss")(index=kind).graph(records(x), threshold=THRESHOLD[name])
    found = pairs(graph)
    assert found.items() <= truth.items()
    assert not graph.exact
    assert len(found) >= 0.98 * len(truth)
    assert graph.recall.total > 50
    assert graph.recall.low <= len(found) / len(truth) <= graph.recall.high
    assert graph.details["index"] == {"ivf": "IndexIVFFlat", "hnsw": "IndexHNSWFlat"}[kind]


def test_all_lists_find_all_pairs():
    x = points()
    truth = pairs(get_backend("cosine").graph(records(x), threshold=0.9))
    graph = get_backend("cosine-faiss")(nprobe=10**6).graph(records(x))
    assert pairs(graph) == truth
    assert graph.recall.estimate == 1
    assert graph.details["nprobe"] == graph.details["lists"]


def test_low_recall_is_told():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3000, 24)).astype(np.float32)
    truth = get_backend("cosine").graph(records(x), threshold=0.6)
    graph = get_backend("cosine-faiss")(nprobe=1).graph(records(x), threshold=0.6)
    share = graph.n_pairs / truth.n_pairs
    assert share < 0.8
    assert graph.recall.low - 0.02 <= share <= graph.recall.high + 0.02
    better = get_backend("cosine-faiss")(recall=0.95).graph(records(x), threshold=0.6)
    assert better.recall.estimate > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_threads_row_order_and_seed(monkeypatch, kind):
    monkeypatch.setattr(faiss_search, "BATCH", 64)
    x = points()
    backend = get_backend("cosine-faiss")(
        index=kind, **{"ivf": {"nprobe": 2}, "hnsw": {"ef_search": 4}}[kind]
    )
    graphs = []
    for threads in ("1", "2", "2"):
        monkeypatch.setenv("SPLITLEAK_NUM_THREADS", threads)
        graphs.append(backend.graph(records(x), threshold=0.9))
    assert pairs(graphs[0]) == pairs(graphs[1]) == pairs(graphs[2])
    assert graphs[0].recall == graphs[1].recall
    order = np.random.default_rng(1).permutation(len(x))
    shuffled = backend.graph(records(x[order]), threshold=0.9)
    moved = {(min(order[a], order[b]), max(order[a], order[b])): s for (a, b), s in pairs(shuffled).items()}
    assert moved == pairs(graphs[0])
    assert shuffled.recall == graphs[0].recall
    assert backend.graph(records(x), threshold=0.9, seed=2**40 + 1).n_pairs


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_sides(name, kind):
    x = points()
    sides = np.random.default_rng(0).choice([-1, 0, 1, 2], len(x), p=[0.1, 0.6, 0.2, 0.1])

    def across(graph):
        return {
            p: s
            for p, s in pairs(graph).items()
            if sides[p[0]] != sides[p[1]] and min(sides[p[0]], sides[p[1]]) >= 0
        }

    limit = THRESHOLD[name]
    truth = across(get_backend(name).graph(records(x), threshold=limit, sides=sides))
    graph = get_backend(f"{name}-faiss")(index=kind).graph(records(x), threshold=limit, sides=sides)
    found = across(graph)
    assert found.items() <= truth.items()
    assert len(found) >= 0.97 * len(truth)
    assert graph.recall.estimate > 0.95
    truth_of_all = get_backend(name).graph(records(x), threshold=limit)
    assert graph.recall.total <= truth_of_all.n_pairs
    nothing = get_backend(f"{name}-faiss")(index=kind).graph(
        records(x), threshold=limit, sides=np.zeros(len(x), dtype=np.int64)
    )
    assert len(nothing.left) == 0
    assert nothing.recall.total > 50  # measured on pairs within the side: none crosses
    assert nothing.recall.estimate > 0.95


def test_a_dense_clump_is_not_cut_off_at_k():
    rng = np.random.default_rng(0)
    x = np.concatenate([np.eye(8)[0] + 0.02 * rng.standard_normal((300, 8)), rng.standard_normal((300, 8))])
    truth = pairs(get_backend("cosine").graph(records(x), threshold=0.98))
    graph = get_backend("cosine-faiss")(index="hnsw").graph(records(x), threshold=0.98)
    assert len(pairs(graph)) >= 0.99 * len(truth) >= 0.99 * 300 * 299 / 2


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_pairs_leave_the_components_right(monkeypatch, kind):
    x = points()
    whole = get_backend("cosine").graph(records(x), threshold=0.9)
    monkeypatch.setattr(pair_store, "MAX_PAIRS", 20)
    monkeypatch.setattr(approximation, "MAX_PENDING", 100)
    graph = get_backend("cosine-faiss")(index=kind, recall=1.0).graph(records(x), threshold=0.9)
    assert not graph.complete
    assert graph.recall.estimate > 0.98
    if graph.recall.estimate == 1:
        np.testing.assert_array_equal(graph.components(), whole.components())


def unit(x):
    return np.ascontiguousarray(x / np.linalg.norm(x, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("factory", ["Flat", "HNSW16", "IVF10,Flat"])
@pytest.mark.parametrize("metric", ["METRIC_L2", "METRIC_INNER_PRODUCT"])
def test_an_index_of_ones_own(factory, filled, metric):
    x = points() * 3
    index = faiss.index_factory(x.shape[1], factory, getattr(faiss, metric))
    if "IVF" in factory:
        index.nprobe = 10
    if filled:
        index.train(unit(x))
        index.add(unit(x))
    before = index.ntotal
    graph = get_backend("cosine-faiss")(index=index).graph(records(x), threshold=0.9)
    truth = pairs(get_backend("cosine").graph(records(x), threshold=0.9))
    assert index.ntotal == before  # an empty one is copied, not filled
    assert pairs(graph).items() <= truth.items()
    assert len(pairs(graph)) >= (0.9 if "HNSW" in factory else 1) * len(truth)
    assert graph.details == {"index": type(faiss.downcast_index(index)).__name__}


@pytest.mark.parametrize("filled", [False, True])
def test_an_index_of_ones_own_under_euclidean(filled):
    x = points() * 50 + 7
    index = faiss.IndexFlatL2(x.shape[1])
    if filled:
        index.add(x)
    backend = get_backend("euclidean-faiss")(index=index, max_distance=30.0)
    truth = pairs(get_backend("euclidean")(max_distance=30.0).graph(records(x)))
    assert pairs(backend.graph(records(x))) == truth
    assert len(truth) > 100


@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_few_rows(name, kind, n):
    x = np.array([[1.0, 0.0], [1.0, 0.01], [0.0, 9.0]])[:n]
    graph = get_backend(f"{name}-faiss")(index=kind).graph(records(x), threshold=0.9)
    assert pairs(graph) == pairs(get_backend(name).graph(records(x), threshold=0.9))


def test_sparse_rows_and_huge_numbers(monkeypatch):
    monkeypatch.setattr("splitleak.similarity.vector._DENSE_FROM", 0.9)
    x = points(300)
    expected = pairs(get_backend("cosine").graph(records(x.astype(np.float64)), threshold=0.9))
    assert pairs(get_backend("cosine-faiss").graph(records(sparse.csr_array(x)), threshold=0.9)) == expected
    thin = np.where(
        np.arange(16) == np.arange(300)[:, None] % 16, x + 5, 0
    )  # too few numbers to be worth dense products
    expected_thin = pairs(get_backend("cosine").graph(records(sparse.csr_array(thin)), threshold=0.9))
    assert (
        pairs(get_backend("cosine-faiss").graph(records(sparse.csr_array(thin)), threshold=0.9))
        == expected_thin
    )
    huge = x.astype(np.float64) * 2.0**500
    assert pairs(get_backend("cosine-faiss").graph(records(huge), threshold=0.9)) == expected
    near = get_backend("euclidean-faiss")(scale=2.0**500)
    assert pairs(near.graph(records(huge), threshold=0.5)) == pairs(
        get_backend("euclidean").graph(records(x.astype(np.float64)), threshold=0.5)
    )


def test_errors():
    x = points(100)
    backend = get_backend("cosine-faiss")

    def fails(match, rows=x, name="cosine-faiss", **options):
        with pytest.raises(InputError, match=match):
            get_backend(name)(**options).graph(records(rows))

    fails("index='ivv' is not known; did you mean 'ivf'", index="ivv")
    fails("index must be 'ivf', 'hnsw' or a faiss.Index, got int", index=3)
    fails("nprobe=3 belongs to index='ivf'.*leave it out", index="hnsw", nprobe=3)
    fails(
        "ef_search=3 belongs to index='hnsw'.*on the index itself", index=faiss.IndexFlatL2(16), ef_search=3
    )
    fails("nprobe must be a whole number of at least 1", nprobe=0)
    fails("recall must be a number in", recall=1.5)
    fails("index holds vectors of 3 numbers, the data has 16", index=faiss.IndexFlatL2(3))
    fails("got metric type", index=faiss.IndexFlatIP(16), name="euclidean-faiss")
    fails("zeros under cosine", rows=np.zeros((3, 2)))
    other = faiss.IndexFlatL2(16)
    other.add(x[:50])
    fails("must be empty, or hold the 100 rows .* it holds 50", index=other)
    other.add(x[50:] + 100)
    fails("does not hold the rows of data in their order", index=other, name="euclidean-faiss")
    numbered = faiss.IndexIDMap(faiss.IndexFlatIP(16))
    numbered.add_with_ids(unit(x), np.arange(100) + 1000)
    fails("numbers up to 10.*no IndexIDMap", index=numbered)
    wide = sparse.random_array((3000, 100_000), density=1e-4, rng=np.random.default_rng(0), format="csr")
    wide = sparse.hstack([np.ones((3000, 1)), wide], format="csr")
    fails("more than a gigabyte as dense; use similarity", rows=wide)
    assert backend.exact is False


def test_faiss_prints_nothing():
    code = (
        "import numpy as np; from splitleak.records import Records; from splitleak.similarity.base import get_backend\n"
        "x = np.random.default_rng(0).standard_normal((500, 4))\n"
        "for kind in ('ivf', 'hnsw'): get_backend('cosine-faiss')(index=kind).graph(Records('vector', 500, vectors=x))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
