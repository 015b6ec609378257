"""Near-duplicate rows of mixed columns: against a ten-line oracle."""

from __future__ import annotations

import datetime as dt
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak.errors import InputError
from splitleak.kernels import gower_join
from splitleak.records import as_records
from splitleak.similarity.base import get_backend
from splitleak.similarity.tabular import nearest_across
from tests.oracles import sides_may_meet

LETTERS = st.sampled_from(["a", "b", "c", "", None])
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, 2.0, 2.5, 3.0, 40.0, float("inf"), -float("inf"), None])
WHOLE = st.sampled_from([0, 1, 2, 5, 2**60, 2**60 + 1, None])
FLAGS = st.sampled_from([True, False, None])
ROWS = st.lists(st.tuples(NUMBERS, LETTERS, WHOLE, FLAGS, NUMBERS), min_size=1, max_size=14)
NAMES = ["number", "letter", "whole", "flag", "other"]
TYPES = [pa.float64(), pa.string(), pa.int64(), pa.bool_(), pa.float64()]
THRESHOLDS = st.sampled_from([0.2, 0.4, 0.5, 0.6, 2 / 3, 0.75, 0.8, 0.9, 1.0])


def table_of(rows):
    columns = zip(*rows, strict=True)
    return pa.table({n: pa.array(c, t) for n, c, t in zip(NAMES, columns, TYPES, strict=True)})


def spread_of(column):
    finite = sorted(float(x) for x in column if x is not None and math.isfinite(x))
    if not finite:
        return 1.0
    at = [np.quantile(finite, q) for q in (0.05, 0.95)]
    return (at[1] - at[0]) or (finite[-1] - finite[0]) or 1.0


def apart(x, y, spread):
    """How far two known values are apart, in [0, 1]."""
    if isinstance(x, (str, bool)) or spread is None or x == y or not (math.isfinite(x) and math.isfinite(y)):
        return float(x != y)
    return min(1.0, abs(x - y) / spread)


def gower_by_brute_force(rows, threshold, *, missing="equal", weights=None, sides=None):
    """All pairs of rows at or above the threshold."""
    columns = list(zip(*rows, strict=True))
    spreads = [
        None if any(isinstance(x, (str, bool)) for x in column) else spread_of(column) for column in columns
    ]
    levels = [set(column) - {None} if missing == "ignore" else set(column) for column in columns]
    tells = [len(values) > 1 for values in levels]
    used = [j for j in range(len(columns)) if (weights or [1] * len(columns))[j]]
    used = [j for j in used if tells[j]] or used
    found = {}
    for j, y in enumerate(rows):
        for i, x in enumerate(rows[:j]):
            if sides is not None and not sides_may_meet(sides[i], sides[j]):
                continue
            total, known = 0.0, 0.0
            for c in used:
                w = (weights or [1] * len(columns))[c]
                if missing == "ignore" and None in (x[c], y[c]):
                    continue
                known += w
                if None in (x[c], y[c]):
                    total += w * (0 if x[c] is y[c] and missing == "equal" else 1)
                else:
                    total += w * apart(x[c], y[c], spreads[c])
            similarity = round((known - total) / known, 12) if known else 0.0
            if similarity >= threshold:
                found[i, j] = similarity
    return found


def pairs_of(graph):
    left, right, similarity = graph.pairs()
    return dict(zip(zip(left.tolist(), right.tolist(), strict=True), similarity.tolist(), strict=True))


@settings(max_examples=150)
@given(
    ROWS,
    THRESHOLDS,
    st.sampled_from(["equal", "ignore", "different"]),
    st.sampled_from([None, [1, 1, 0, 1, 2], [0.5, 3, 1, 0, 0]]),
    st.data(),
)
def test_pairs_are_those_of_the_oracle(rows, threshold, missing, weights, data) -> None:
    sides = data.draw(
        st.none() | st.lists(st.sampled_from([-1, 0, 1, 2]), min_size=len(rows), max_size=len(rows))
    )
    backend = get_backend("gower")(
        missing=missing, weights=None if weights is None else dict(zip(NAMES, weights, strict=True))
    )
    records = as_records(table_of(rows), on=NAMES)
    graph = backend.graph(records, threshold=threshold, sides=None if sides is None else np.array(sides))
    expected = gower_by_brute_force(rows, threshold, missing=missing, weights=weights, sides=sides)
    found = pairs_of(graph)
    if sides is not None:  # copies are joined whatever their sides
        found = {p: s for p, s in found.items() if sides_may_meet(sides[p[0]], sides[p[1]])}
    assert found.keys() == expected.keys()
    assert all(abs(found[p] - s) < 2e-12 for p, s in expected.items())
    assert graph.exact
    assert graph.complete


@settings(max_examples=60)
@given(ROWS, st.sampled_from(["equal", "ignore", "different"]), st.data())
def test_look_ups_are_those_of_the_oracle(rows, missing, data) -> None:
    n = len(rows)
    sides = data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=n, max_size=n))
    queries = np.array(data.draw(st.lists(st.integers(0, n - 1), unique=True)), dtype=np.int64)
    records = as_records(table_of(rows), on=NAMES)
    backend = get_backend("gower")(missing=missing)
    found = backend.neighbours(records, queries, threshold=0.6, sides=np.array(sides))
    every = gower_by_brute_force(rows, -1.0, missing=missing)
    for at, q in enumerate(queries.tolist()):
        similar = {o: every[min(o, q), max(o, q)] for o in range(n) if o != q and sides[o] >= 0}
        assert found.degree[at] == sum(s >= 0.6 for s in similar.values())
        for side in range(max(0, *sides, -1) + 1):
            best = max((s for o, s in similar.items() if sides[o] == side), default=math.nan)
            assert found.nearest[at, side] == pytest.approx(best, abs=2e-12, nan_ok=True)


@settings(max_examples=60)
@given(ROWS, st.sampled_from(["equal", "ignore", "different"]), st.integers(1, 3), st.data())
def test_nearest_across(rows, missing, k, data) -> None:
    n = len(rows)
    pool = np.array(data.draw(st.lists(st.integers(0, n - 1), unique=True)), dtype=np.int64)
    queries = np.array(data.draw(st.lists(st.integers(0, n - 1), unique=True)), dtype=np.int64)
    records = as_records(table_of(rows), on=NAMES)
    similarity, position = nearest_across(records, queries, pool, k=k, missing=missing)
    every = gower_by_brute_force(rows, -1.0, missing=missing)
    for at, q in enumerate(queries.tolist()):
        values = {o: every[min(o, q), max(o, q)] for o in pool.tolist() if o != q}
        best = sorted(values.values(), reverse=True)[:k]
        m = len(best)
        assert similarity[at, :m].tolist() == pytest.approx(best, abs=2e-12)
        assert [values[o] for o in position[at, :m].tolist()] == pytest.approx(best, abs=2e-12)
        assert len(set(position[at, :m].tolist())) == m
        assert np.isnan(similarity[at, m:]).all()
        assert (position[at, m:] == -1).all()


def mixture(n, seed=0, missing=0.0):
    """Correlated numbers and categories, one row in ten a near-copy of another."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 2))
    numbers = rng.normal(size=(n, 4)) + hidden @ rng.normal(size=(2, 4))
    codes = (rng.normal(size=(n, 4)) + hidden @ rng.normal(size=(2, 4)) > 0) + rng.integers(0, 2, (n, 4))
    copy, of = rng.integers(0, n, n // 10), rng.integers(0, n, n // 10)
    numbers[copy], codes[copy] = numbers[of] + rng.normal(size=(n // 10, 4)) * 0.02, codes[of]
    table = pd.DataFrame(numbers, columns=list("wxyz"))
    for j, name in enumerate("abcd"):
        table[name] = np.array(["red", "green", "blue"])[codes[:, j]]
    return table.mask(rng.random(table.shape) < missing) if missing else table


def similarities(table, missing="equal"):
    """The matrix of all similarities, column by column."""
    total, known = np.zeros((len(table),) * 2), np.zeros((len(table),) * 2)
    for name, column in table.items():
        x = column.to_numpy()
        absent = column.isna().to_numpy()
        if name in list("wxyz"):
            low, high = np.quantile(x[~absent], [0.05, 0.95])
            distance = np.minimum(1, np.abs(x[:, None] - x) / (high - low))
        else:
            distance = (x[:, None] != x).astype(float)
        one, both = absent[:, None] | absent, absent[:, None] & absent
        distance = np.where(one, np.where(both & (missing == "equal"), 0.0, 1.0), distance)
        counts = ~one if missing == "ignore" else np.ones_like(one)
        total, known = total + np.where(counts, distance, 0), known + counts
    return np.round(np.divide(known - total, known, out=np.zeros_like(total), where=known > 0), 12)


@pytest.mark.parametrize(
    ("threshold", "share", "missing"),
    [
        (0.97, 0.0, "equal"),
        (0.9, 0.0, "equal"),
        (0.9, 0.1, "equal"),
        (0.95, 0.1, "ignore"),
        (0.8, 0.1, "different"),
    ],
)
def test_many_rows(threshold, share, missing) -> None:
    table = mixture(1500, missing=share)
    sides = np.random.default_rng(1).integers(-1, 3, 1500)
    every = similarities(table, missing)
    records = as_records(table, on=list(table.columns))
    backend = get_backend("gower")(missing=missing)
    for given_sides in (None, sides):
        meet = np.triu(np.ones_like(every, dtype=bool), 1)
        if given_sides is not None:
            meet &= (sides[:, None] != sides) & (sides[:, None] >= 0) & (sides >= 0)
        graph = backend.graph(records, threshold=threshold, sides=given_sides)
        left, right, found = graph.pairs()
        if given_sides is not None:
            keep = meet[left, right]
            left, right, found = left[keep], right[keep], found[keep]
        # within rounding of the threshold either answer of the oracle is right
        close = np.abs(every - threshold) < 5e-12
        expected = (every >= threshold) & meet & ~close
        got = np.zeros_like(expected)
        got[left, right] = True
        assert np.array_equal(got & ~close, expected)
        assert np.abs(every[left, right] - found).max() < 5e-12
        assert len(found) > 30
    similarity, position = nearest_across(records, np.arange(500), np.arange(500, 1500), k=2, missing=missing)
    assert np.allclose(similarity, -np.sort(-every[:500, 500:], axis=1)[:, :2], atol=5e-12, rtol=0)
    assert np.allclose(similarity, np.take_along_axis(every[:500], position, axis=1), atol=5e-12, rtol=0)


def test_ties_at_the_threshold_count() -> None:
    rows = {f"c{j}": ["a", "a"] for j in range(19)} | {"last": ["a", "b"]}
    graph = splitleak.similarity_graph(pa.table(rows | {"c0": ["x", "y"]}), similarity="gower", threshold=0.5)
    assert graph.n_pairs == 0  # the columns that hold one value carry no weight
    rows = pa.table({f"c{j}": ["a", "a", "b"] for j in range(19)} | {"last": ["a", "b", "b"]})
    graph = splitleak.similarity_graph(rows, similarity="gower", threshold=0.95)
    assert pairs_of(graph) == {(0, 1): 0.95}


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.sampled_from(["robust", "range", "rank"]))
def test_order_of_rows_and_units_do_not_count(seed, scale) -> None:
    table = mixture(60, seed=seed % 7)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(table))
    moved = table.iloc[order].reset_index(drop=True)[rng.permutation(table.columns)]
    moved["x"] = moved["x"] * 1000 - 17
    backend = get_backend("gower")(scale=scale)
    here = splitleak.similarity_graph(table, similarity=backend, threshold=0.8)
    there = splitleak.similarity_graph(moved, similarity=backend, threshold=0.8)
    place = np.argsort(order)
    found = pairs_of(there)
    for (i, j), s in pairs_of(here).items():
        a, b = sorted((int(place[i]), int(place[j])))
        assert found.pop((a, b)) == pytest.approx(s, abs=2e-12)
    assert not found


def test_ranks() -> None:
    table = {"x": [1.0, 10.0, 10.0, 1e300, float("inf")], "c": ["a", "a", "b", "b", "b"]}
    graph = splitleak.similarity_graph(table, similarity="gower(scale=rank)", threshold=0.5)
    # ranks 0, 1.5, 1.5, 3, 4 of 4
    expected = {(0, 1): 0.8125, (1, 2): 0.5, (2, 3): 0.8125, (2, 4): 0.6875, (3, 4): 0.875}
    assert pairs_of(graph) == expected


def test_dates_times_and_long_integers() -> None:
    day = [dt.datetime(2020, 1, d) for d in (1, 2, 3, 11)]
    table = pa.table(
        {
            "instant": pa.array(day, pa.timestamp("ns")),
            "day": pa.array([d.date() for d in day]),
            "long": pa.array([2**63 - 11, 2**63 - 10, 2**63 - 9, 2**63 - 1]),
            "span": pa.array([dt.timedelta(d.day) for d in day]),
        }
    )
    graph = splitleak.similarity_graph(table, similarity="gower(scale=range)", threshold=0.5)
    assert pairs_of(graph) == {(0, 1): 0.9, (0, 2): 0.8, (1, 2): 0.9}
    nominal = splitleak.similarity_graph(
        table, similarity="gower(nominal=[long, day], scale=range)", threshold=0.4
    )
    assert pairs_of(nominal) == {(0, 1): 0.45, (0, 2): 0.4, (1, 2): 0.45}


def test_categories_of_any_library_and_type() -> None:
    letters = ["a", "b", "a", None]
    for column in (
        pd.Categorical(letters),
        pa.array([None if x is None else x.encode() for x in letters]),
        pa.array(letters).dictionary_encode(),
    ):
        table = {"c": column, "x": [1, 1, 1, 1]}
        data = pd.DataFrame(table) if isinstance(column, pd.Categorical) else pa.table(table)
        graph = splitleak.similarity_graph(data, similarity="gower", threshold=0.5)
        assert pairs_of(graph) == {(0, 2): 1.0}


def test_vectors_and_numbers_are_compared_by_column() -> None:
    x = np.array([[0.0, 1e6], [0.1, 1e6], [1.0, 0.0]])
    expected = {(0, 1): 0.95}
    assert pairs_of(splitleak.similarity_graph(x, similarity="gower(scale=range)", threshold=0.9)) == expected
    table = pd.DataFrame(x, columns=["a", "b"])
    assert (
        pairs_of(splitleak.similarity_graph(table, similarity="gower(scale=range)", threshold=0.9))
        == expected
    )
    lists = {"v": x.tolist()}
    assert (
        pairs_of(splitleak.similarity_graph(lists, similarity="gower(scale=range)", threshold=0.9))
        == expected
    )


def test_equal_rows_are_linear() -> None:
    table = pd.DataFrame({"a": ["x"] * 50_000 + ["y"], "b": [1.0] * 50_000 + [2.0]})
    graph = splitleak.similarity_graph(table, similarity="gower")
    assert len(graph.left) == 0
    assert graph.n_pairs == 50_000 * 49_999 // 2


@pytest.mark.parametrize("missing", ["equal", "ignore", "different"])
def test_constant_and_empty_tables(missing) -> None:
    backend = get_backend("gower")(missing=missing)
    same = splitleak.similarity_graph({"a": ["x", "x"], "b": [1.0, 1.0]}, similarity=backend)
    assert pairs_of(same) == {(0, 1): 1.0}
    nothing = pa.table({"a": pa.nulls(2), "b": pa.array([None, None], pa.float64())})
    assert pairs_of(splitleak.similarity_graph(nothing, similarity=backend)) == (
        {(0, 1): 1.0} if missing == "equal" else {}
    )
    assert splitleak.similarity_graph({"a": ["x"], "b": [1.0]}, similarity=backend).n_pairs == 0
    none = as_records(pd.DataFrame({"a": ["x"], "b": [1.0]}), on=["a", "b"]).take(np.empty(0, dtype=np.int64))
    assert backend.graph(none).n_pairs == 0


def test_too_many_pairs_keep_the_components(monkeypatch) -> None:
    table = mixture(900)
    table.loc[:99, "w"] = np.linspace(-1, 1, 100)
    whole = splitleak.similarity_graph(table, similarity="gower", threshold=0.75)
    monkeypatch.setattr(gower_join, "MAX_PAIRS", 100)
    some = splitleak.similarity_graph(table, similarity="gower", threshold=0.75)
    assert whole.complete
    assert not some.complete
    assert len(some.left) < 900 < len(whole.left)
    assert np.array_equal(some.components(), whole.components())


def test_columns_of_nothing_but_infinities() -> None:
    table = {"far": [np.inf, -np.inf, np.inf, None], "near": [1.0, 1.0, 2.0, 1.0]}
    graph = splitleak.similarity_graph(table, similarity="gower", threshold=0.5)
    assert pairs_of(graph) == {(0, 1): 0.5, (0, 2): 0.5, (0, 3): 0.5, (1, 3): 0.5}


def test_wide_rows() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(30, 5000)), np.zeros((2, 5000))])
    rows[30:] = rows[:2] + 0.01 * rng.normal(size=(2, 5000))
    graph = splitleak.similarity_graph(rows, similarity="gower", threshold=0.95)
    spread = np.quantile(rows, 0.95, axis=0) - np.quantile(rows, 0.05, axis=0)
    alike = 1 - np.minimum(1, np.abs(rows[:, None] - rows) / spread).mean(axis=2)
    assert pairs_of(graph).keys() == {(0, 30), (1, 31)}
    assert set(zip(*(axis.tolist() for axis in np.nonzero(np.triu(alike >= 0.95, 1))), strict=True)) == {
        (0, 30),
        (1, 31),
    }
    assert graph.similarity == pytest.approx([alike[0, 30], alike[1, 31]])


def test_a_split_its_certificate_and_its_provenance(tmp_path) -> None:
    table = mixture(600)
    table["label"] = np.arange(600) % 2
    table["id"] = np.arange(600)
    split = splitleak.split_by_similarity(
        table,
        similarity=get_backend("gower")(0.95, ignore=["id"], weights={"w": np.float64(2.0)}),
        stratify="label",
    )
    assert split.certificate.verdict == "separated"
    assert split.certificate.nearest is not None
    assert "label" not in split.provenance.search_options()["on"]
    split.save(tmp_path / "split.parquet")
    loaded = splitleak.Split.load(tmp_path / "split.parquet")
    assert splitleak.certify(table, loaded).verdict == "separated"
    leaky = splitleak.certify(
        table,
        np.where(np.arange(600) % 2, "train", "test"),
        similarity="gower(ignore=[id, label])",
        threshold=0.9,
    )
    assert leaky.verdict == "leaking"


def test_auto_takes_it_for_mixed_columns() -> None:
    split = splitleak.split_by_similarity(mixture(300), on=list("wxabcd"))
    assert split.provenance.search_options()["similarity"] == "gower"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"weights": {"agee": 1}},
            "weights names 'agee', which is not a compared column; did you mean 'age'",
        ),
        ({"ignore": ["twon"]}, "ignore names 'twon'.*did you mean 'town'"),
        (
            {"nominal": "x"},
            r"nominal names 'x', which is not a compared column \(compared: 'age', 'town'; columns of str",
        ),
        ({"ignore": 3}, "ignore must be a column name or a list of column names, got 3"),
        ({"weights": {"age": -1}}, r"weights\['age'\] must be a finite number of at least 0"),
        ({"weights": {"age": float("nan")}}, r"weights\['age'\] must be a finite number"),
        ({"weights": {"age": "2"}}, r"weights\['age'\] must be a finite number"),
        ({"weights": [1, 2]}, "weights must be a mapping of column name to weight, got list"),
        ({"ignore": ["age", "town"]}, "no column is left to compare: all of 'age', 'town' are ignored"),
        ({"scale": "robus"}, "scale='robus' is not known; did you mean 'robust'"),
        ({"missing": "equals"}, "missing='equals' is not known; did you mean 'equal'"),
    ],
)
def test_bad_options(options, message) -> None:
    with pytest.raises(InputError, match=message):
        splitleak.similarity_graph(
            {"age": [1, 2], "town": ["a", "b"]}, similarity=get_backend("gower")(**options)
        )


def test_bad_data() -> None:
    with pytest.raises(InputError, match="column 'b' holds nested values"):
        splitleak.similarity_graph({"a": [1, 2], "b": [{"c": 1}, {"c": 2}]}, similarity="gower")
    with pytest.raises(InputError, match="compares table or vector rows, and the data has text"):
        splitleak.similarity_graph(["one", "two"], similarity="gower")
    from scipy.sparse import csr_array

    with pytest.raises(InputError, match="the data is sparse; use 'cosine'"):
        splitleak.similarity_graph(csr_array(np.eye(3)), similarity="gower")
    with pytest.raises(InputError, match="k must be a whole number"):
        nearest_across(as_records([[1.0], [2.0]]), np.array([0]), np.array([1]), k=0)


def test_a_real_table() -> None:
    folder = os.environ.get("SPLITLEAK_DATA")
    if not folder:
        pytest.skip("SPLITLEAK_DATA names the folder of real data")
    table = pd.read_csv(Path(folder) / "tabular" / "bank_marketing.csv", sep=";")
    graph = splitleak.similarity_graph(table.drop(columns="y"), similarity="gower", threshold=0.95)
    assert graph.n_pairs > 500
    rows = np.random.default_rng(0).choice(len(table), 50, replace=False)
    records = as_records(table.drop(columns="y"), on=[c for c in table.columns if c != "y"])
    found = get_backend("gower").neighbours(
        records, rows, threshold=0.95, sides=np.zeros(len(table), dtype=np.int64)
    )
    assert np.array_equal(found.degree, graph.degrees()[rows])


def test_auto_takes_equal_rows_of_very_large_tables(monkeypatch) -> None:
    monkeypatch.setattr("splitleak.similarity.choose.EXACT_TABLE_ROWS", 20)
    assert splitleak.similarity_graph(mixture(20), on=list("wxabcd")).measure == "gower"
    assert splitleak.similarity_graph(mixture(21), on=list("wxabcd")).measure == "exact"
