"""Exact joins of vectors against exact arithmetic, pair by pair."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from splitleak.errors import InputError
from splitleak.records import Records
from splitleak.similarity import pair_store, vector_bound, vector_join, vector_sparse
from splitleak.similarity.base import get_backend
from tests.oracles import cosine_of_rows, euclidean_of_rows, vector_pairs_by_brute_force

MEASURES = {"cosine": cosine_of_rows, "euclidean": euclidean_of_rows}
THRESHOLDS = st.sampled_from([0.05, 0.3, 0.5, 0.6, 0.8, 0.9, 0.96, 0.999999, 1.0, 1 / 3, 2 / 3])


def records(x):
    return Records("vector", x.shape[0], vectors=x)


def expanded(graph, sides=None):
    """Pairs of rows with their similarity, restricted to `sides` as a caller does who searched across sides."""
    left, right, similarity = graph.pairs()
    found = {(int(a), int(b)): float(s) for a, b, s in zip(left, right, similarity, strict=True)}
    if sides is None:
        return found
    return {
        p: s for p, s in found.items() if sides[p[0]] != sides[p[1]] and -1 not in (sides[p[0]], sides[p[1]])
    }


def same_pairs(found, expected, threshold):
    """Equal pairs; values equal but for the last decimal, which rounding of float64 may turn."""
    for pair in (
        found.keys() ^ expected.keys()
    ):  # only a value that rounds to the threshold from both sides may differ
        assert abs({**found, **expected}[pair] - threshold) <= 1.5e-12, (
            pair,
            found.get(pair),
            expected.get(pair),
        )
    for pair in found.keys() & expected.keys():
        assert abs(found[pair] - expected[pair]) <= 1.5e-12


@st.composite
def matrices(draw, *, zeros=True):
    """Rows with ties, copies, scaled copies, tiny and huge numbers."""
    d = draw(st.integers(1, 6))
    kind = draw(st.sampled_from(["integers", "floats", "extreme"]))
    number = {
        "integers": st.integers(-4, 4).map(float),
        "floats": st.floats(-10, 10, width=32),
        "extreme": st.builds(
            lambda m, e: m * 10.0**e, st.integers(-9, 9), st.sampled_from([-150, -148, 0, 148, 150])
        ),
    }[kind]
    rows = draw(st.lists(st.lists(number, min_size=d, max_size=d), min_size=1, max_size=12))
    for _ in range(draw(st.integers(0, 4))):
        row = rows[draw(st.integers(0, len(rows) - 1))]
        factor = draw(st.sampled_from([1.0, 2.0, 0.5, 3.0]))
        rows.append([v * factor for v in row])
    x = np.array(rows, dtype=np.float64)
    if kind != "extreme" and draw(st.booleans()):
        x = x.astype(np.float32)
    if not zeros:
        x = x[np.abs(x).max(axis=1) > 0]
        assume(len(x))
    return x


@pytest.mark.parametrize("form", ["dense", "sparse"])
@given(data=st.data(), threshold=THRESHOLDS)
@settings(max_examples=150, deadline=None)
def test_cosine_pairs_equal_exact_arithmetic(form, data, threshold):
    x = data.draw(matrices(zeros=False))
    expected = vector_pairs_by_brute_force(x.tolist(), cosine_of_rows, threshold)
    rows = as_form(x, form)
    same_pairs(expanded(get_backend("cosine").graph(records(rows), threshold=threshold)), expected, threshold)


@pytest.mark.parametrize("form", ["dense", "sparse"])
@given(data=st.data(), threshold=THRESHOLDS, scale=st.sampled_from([1.0, 0.1, 5.0, 1e150, 1e-150]))
@settings(max_examples=150, deadline=None)
def test_euclidean_pairs_equal_exact_arithmetic(form, data, threshold, scale):
    x = data.draw(matrices())
    expected = vector_pairs_by_brute_force(x.tolist(), lambda a, b: euclidean_of_rows(a, b, scale), threshold)
    graph = get_backend("euclidean")(scale=scale).graph(records(as_form(x, form)), threshold=threshold)
    same_pairs(expanded(graph), expected, threshold)


def as_form(x, form):
    return x if form == "dense" else sparse.csr_array(x)


@pytest.fixture(autouse=True)
def sparse_stays_sparse(monkeypatch):
    monkeypatch.setattr("splitleak.similarity.vector._DENSE_FROM", 2.0)


@pytest.mark.parametrize("name", ["cosine", "euclidean"])
@pytest.mark.parametrize("form", ["dense", "sparse"])
@given(data=st.data(), threshold=THRESHOLDS)
@settings(max_examples=100, deadline=None)
def test_sides(name, form, data, threshold):
    x = data.draw(matrices(zeros=False))
    sides = np.array(
        data.draw(st.lists(st.integers(-1, 2), min_size=len(x), max_size=len(x))), dtype=np.int64
    )
    expected = vector_pairs_by_brute_force(x.tolist(), MEASURES[name], threshold, sides.tolist())
    graph = get_backend(name).graph(records(as_form(x, form)), threshold=threshold, sides=sides)
    same_pairs(expanded(graph, sides), expected, threshold)


@pytest.mark.parametrize("name", ["cosine", "euclidean"])
@pytest.mark.parametrize("form", ["dense", "sparse"])
@given(data=st.data(), threshold=THRESHOLDS)
@settings(max_examples=100, deadline=None)
def test_nearest(name, form, data, threshold):
    x = data.draw(matrices(zeros=False))
    n = len(x)
    sides = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n)), dtype=np.int64)
    queries = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1)))), dtype=np.int64)
    found = get_backend(name).neighbours(records(as_form(x, form)), queries, threshold=threshold, sides=sides)
    assert found.nearest.shape == (len(queries), max(0, sides.max()) + 1)
    for at, q in enumerate(queries):
        values = {
            j: MEASURES[name](x[q].tolist(), x[j].tolist()) for j in range(n) if j != q and sides[j] >= 0
        }
        near = sum(abs(v - threshold) <= 1.5e-12 for v in values.values())
        assert abs(found.degree[at] - sum(v >= threshold for v in values.values())) <= near
        for side in range(found.nearest.shape[1]):
            best = max((max(0.0, v) for j, v in values.items() if sides[j] == side), default=np.nan)
            np.testing.assert_allclose(found.nearest[at, side], best, rtol=0, atol=1.5e-12)


def embeddings(n, d, seed, dtype=np.float32):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) * (np.arange(d) + 1.0) ** -1
    copy = rng.choice(n, n // 10, replace=False)
    x[copy] = x[rng.integers(0, n, len(copy))] + 0.05 * rng.standard_normal((len(copy), d))
    return x.astype(dtype)


def blocked(monkeypatch, rows=16, project_from=40):
    monkeypatch.setattr(vector_join, "ROWS", rows)
    monkeypatch.setattr(vector_join, "COLUMNS", 2 * rows)
    monkeypatch.setattr(vector_bound, "PROJECT_FROM", project_from)
    monkeypatch.setattr(vector_sparse, "_BLOCK_PRODUCTS", 500)


def float64_pairs(x, name, threshold, sides=None):
    """All pairs by float64 products or differences of whole rows."""
    x = x.astype(np.float64)
    if name == "cosine":
        u = x / np.linalg.norm(x, axis=1, keepdims=True)
        values = np.round(u @ u.T, 12)
    else:
        values = np.array([np.round(1 / (1 + np.sqrt(np.square(x - row).sum(axis=1))), 12) for row in x])
    upper = np.triu(values >= threshold, 1)
    if sides is not None:
        upper &= (sides[:, None] != sides) & (sides >= 0) & (sides >= 0)[:, None]
    return {(int(i), int(j)): float(values[i, j]) for i, j in zip(*np.nonzero(upper), strict=True)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["cosine", "euclidean"])
@pytest.mark.parametrize("d", [1, 3, 20, 70])
@pytest.mark.parametrize("axes", [None, (2,), (5, 9)])
def test_projections_miss_no_pair(monkeypatch, name, d, dtype, axes):
    blocked(monkeypatch)
    if axes is not None:
        monkeypatch.setattr(vector_bound, "_AXES", axes)
    for seed, threshold in enumerate([0.3, 0.7, 0.9, 0.99]):
        x = embeddings(200, d, seed, dtype)
        expected = float64_pairs(x, name, threshold)
        graph = get_backend(name).graph(records(x), threshold=threshold)
        same_pairs(expanded(graph), expected, threshold)
        sides = np.random.default_rng(seed).integers(-1, 3, len(x))
        graph = get_backend(name).graph(records(x), threshold=threshold, sides=sides)
        same_pairs(expanded(graph, sides), float64_pairs(x, name, threshold, sides), threshold)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e7])
@pytest.mark.parametrize("outlier", [1.0, 1e6, 1e12])
def test_euclidean_far_from_the_origin_and_with_outliers(monkeypatch, offset, outlier):
    blocked(monkeypatch)
    x = embeddings(150, 10, 1, np.float64) + offset
    x[3] *= outlier
    expected = float64_pairs(x, "euclidean", 0.7)
    same_pairs(expanded(get_backend("euclidean").graph(records(x), threshold=0.7)), expected, 0.7)


@pytest.mark.parametrize("name", ["cosine", "euclidean"])
def test_sparse_equals_dense(monkeypatch, name):
    blocked(monkeypatch)
    x = sparse.random_array((300, 50), density=0.08, rng=np.random.default_rng(0), format="csr")
    x.data = np.round(x.data * 4) / 4  # explicit zeros and ties
    x = x[np.asarray(abs(x).sum(axis=1)).ravel() > 0]
    rng = np.random.default_rng(1)
    for threshold in (0.4, 0.5, 0.8):
        for sides in (None, rng.integers(-1, 3, x.shape[0])):
            of_sparse = get_backend(name).graph(records(x), threshold=threshold, sides=sides)
            of_dense = get_backend(name).graph(records(x.toarray()), threshold=threshold, sides=sides)
            same_pairs(expanded(of_sparse), expanded(of_dense), threshold)
            assert len(of_sparse.left)


def test_dense_enough_sparse_rows_are_compared_as_dense(monkeypatch):
    monkeypatch.setattr("splitleak.similarity.vector._DENSE_FROM", 0.05)
    x = embeddings(60, 5, 0)
    found = get_backend("cosine").graph(records(sparse.csr_array(x)), threshold=0.9)
    assert expanded(found) == expanded(
        get_backend("cosine").graph(records(x.astype(np.float64)), threshold=0.9)
    )


@pytest.mark.parametrize("name", ["cosine", "euclidean"])
@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_threads_and_row_order_do_not_matter(monkeypatch, name, form):
    blocked(monkeypatch)
    x = embeddings(300, 12, 3)
    x[::7] = x[3]
    graphs = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("SPLITLEAK_NUM_THREADS", threads)
        graphs.append(get_backend(name).graph(records(as_form(x, form)), threshold=0.9))
    for other in graphs[1:]:
        np.testing.assert_array_equal(graphs[0].left, other.left)
        np.testing.assert_array_equal(graphs[0].right, other.right)
        np.testing.assert_array_equal(graphs[0].similarity, other.similarity)
    order = np.random.default_rng(0).permutation(len(x))
    shuffled = get_backend(name).graph(records(as_form(x[order], form)), threshold=0.9)
    moved = {
        (min(order[a], order[b]), max(order[a], order[b])): s for (a, b), s in expanded(shuffled).items()
    }
    assert moved == expanded(graphs[0])


@pytest.mark.parametrize("form", ["dense", "sparse"])
@pytest.mark.parametrize("name", ["cosine", "euclidean"])
@pytest.mark.parametrize("limit", [0, 5, 200])
def test_too_many_pairs_leave_the_components_right(monkeypatch, name, form, limit):
    blocked(monkeypatch)
    x = embeddings(300, 6, 5)
    threshold = {"cosine": 0.85, "euclidean": 0.6}[name]
    whole = get_backend(name).graph(records(as_form(x, form)), threshold=threshold)
    assert whole.complete
    assert whole.n_pairs > 200
    monkeypatch.setattr(pair_store, "MAX_PAIRS", limit)
    monkeypatch.setattr(pair_store, "_CHUNK", 50)
    linked = get_backend(name).graph(records(as_form(x, form)), threshold=threshold)
    assert not linked.complete
    assert len(linked.left) == len(x) - len(np.unique(whole.components()))
    np.testing.assert_array_equal(linked.components(), whole.components())
    pairs = expanded(whole)
    for a, b, s in zip(linked.left, linked.right, linked.similarity, strict=True):
        assert pairs[int(a), int(b)] == s
    with pytest.raises(InputError, match="too many to list"):
        linked.pairs()


def test_equal_rows_are_searched_once():
    x = np.ones((100_000, 8), dtype=np.float32)
    x[:, 0] = -0.0
    x[50_000:, 0] = 0.0
    x[::3] *= 4  # the same direction, exactly
    graph = get_backend("cosine").graph(records(x), threshold=0.9)
    assert graph.n_pairs == 100_000 * 99_999 // 2
    assert len(graph.left) == 0
    graph = get_backend("euclidean").graph(records(x), threshold=0.9)
    assert len(graph.left) == 0
    assert len(np.unique(graph.copies)) == 2


def test_ties_at_the_threshold_count():
    x = np.array([[3.0, 4.0], [1.0, 0.0], [0.0, 7.0]])
    for dtype in (np.float32, np.float64):
        graph = get_backend("cosine").graph(records(x.astype(dtype)), threshold=0.6)
        assert expanded(graph) == {(0, 1): 0.6, (0, 2): 0.8}
    graph = get_backend("euclidean")(max_distance=5).graph(records(np.array([[0.0, 0], [3, 4], [9, 12.1]])))
    assert expanded(graph) == {(0, 1): round(1 / 6, 12)}


@pytest.mark.parametrize("name", ["cosine", "euclidean"])
@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_rows(name, n):
    for x in (np.ones((n, 3)), sparse.csr_array(np.ones((n, 3)))):
        graph = get_backend(name).graph(records(x), threshold=0.9)
        assert graph.n_pairs == n * (n - 1) // 2
        sides = np.zeros(n, dtype=np.int64)
        found = get_backend(name).neighbours(records(x), np.arange(n), threshold=0.9, sides=sides)
        assert found.degree.tolist() == [n - 1] * n


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_errors(form):
    x = np.ones((8, 2))
    x[[2, 5], 1] = np.nan, np.inf
    named = Records("vector", 8, ("a", "b"), vectors=as_form(x, form))
    for name in ("cosine", "euclidean"):
        with pytest.raises(
            InputError, match=r"data \(columns a, b\) must hold finite.*2 rows \(2, 5\) have NaN"
        ):
            get_backend(name).graph(named, threshold=0.9)
        with pytest.raises(InputError, match="rows of 0 numbers"):
            get_backend(name).graph(records(as_form(np.empty((3, 0)), form)), threshold=0.9)
    x = np.ones((8, 2))
    x[:7] = 0
    with pytest.raises(InputError, match=r'zeros under cosine.*7 rows \(0, 1, 2, 3, 4, ...\).*"euclidean"'):
        get_backend("cosine").graph(records(as_form(x, form)), threshold=0.9)
    assert get_backend("euclidean").graph(records(as_form(x, form)), threshold=0.9).n_pairs == 21


def test_options_of_euclidean():
    x = np.array([[0.0], [1.0], [3.0]])
    assert get_backend("euclidean(max_distance=2, scale=4)").threshold == round(1 / 1.5, 12)
    assert expanded(get_backend("euclidean(max_distance=2, scale=4)").graph(records(x))) == {
        (0, 1): 0.8,
        (1, 2): round(1 / 1.5, 12),
    }
    for scale in (0, -1, np.inf, "a", True):
        with pytest.raises(InputError, match="scale must be a finite number above 0"):
            get_backend("euclidean")(scale=scale).graph(records(x))
    for distance in (-1, float("nan"), "a", 1e13):
        with pytest.raises(InputError, match="max_distance must be"):
            get_backend("euclidean")(max_distance=distance)
    with pytest.raises(InputError, match="not both"):
        get_backend("euclidean")(0.5, max_distance=1)
    with pytest.raises(InputError, match="did you mean 'scale'"):
        get_backend("euclidean")(scal=1)


def test_a_small_job_loads_no_compiler():
    code = (
        "import sys, numpy as np; from sklearn.datasets import load_digits; x = load_digits().data\n"
        "from splitleak.records import Records; from splitleak.similarity.base import get_backend\n"
        "r = Records('vector', len(x), vectors=x); g = get_backend('cosine').graph(r, threshold=0.9)\n"
        "get_backend('cosine').neighbours(r, np.arange(50), threshold=0.9, sides=np.zeros(len(x), np.int64))\n"
        "print(g.n_pairs, sorted({'numba', 'faiss'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "38540 []\n"
