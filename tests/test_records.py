"""Records: the same buffers and hashes from every kind of data, and every bad choice of columns told."""

from __future__ import annotations

import datetime as dt
import os
import struct
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import splitleak
from splitleak._tables import open_source, resolve_factor, resolve_factors
from splitleak.errors import InputError
from splitleak.kernels import hashing, hashing_compiled
from splitleak.records import as_records
from splitleak.similarity.base import get_backend

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1, max_size=20)
MASK = 2**64 - 1


def texts_of(records):
    buffer, offsets = records.text()
    return [buffer[a:b].tobytes().decode() for a, b in pairwise(offsets)]


def every_kind(columns, folder: Path):
    """The same columns in every kind of table that keeps them."""
    table = pa.table(columns)
    pq.write_table(table, folder / "t.parquet")
    pyarrow.csv.write_csv(table, folder / "t.csv")
    return {
        "pandas": table.to_pandas(),
        "polars": pl.from_arrow(table),
        "arrow": table,
        "chunks": pa.concat_tables([table[:1], table[1:1], table[1:]]),
        "slice": pa.concat_tables([table, table]).combine_chunks()[len(table) :],
        "hugging face": datasets.Dataset(table),
        "dict": table.to_pydict(),
        "parquet": folder / "t.parquet",
        "csv": folder / "t.csv",
    }


# --- hashes -----------------------------------------------------------------------------------------------


def _mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def _hash_words(words, length):
    total = sum(_mix((word + (place + 1) * 0x9E3779B97F4A7C15) & MASK) for place, word in enumerate(words))
    return _mix((total + _mix(length)) & MASK)


def hash_bytes_oracle(value: bytes) -> int:
    words = [int.from_bytes(value[i : i + 8], "little") for i in range(0, len(value), 8)]
    return _hash_words(words, len(value))


def hash_numbers_oracle(values) -> int:
    words = [struct.unpack("<Q", struct.pack("<d", value + 0.0))[0] for value in values]
    stored = [(place, word) for place, word in enumerate(words) if word]  # sparse rows do not store zeros
    total = sum(_mix((word + (place + 1) * 0x9E3779B97F4A7C15) & MASK) for place, word in stored)
    return _mix((total + _mix(len(values))) & MASK)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=30))
def test_byte_hashes_equal_the_definition(values):
    buffer = np.frombuffer(b"".join(values), dtype=np.uint8).copy()
    offsets = np.cumsum([0, *map(len, values)])
    expected = [hash_bytes_oracle(value) for value in values]
    assert hashing.hash_bytes_numpy(buffer, offsets).tolist() == expected
    assert hashing_compiled.bytes_rows(buffer, offsets, 0, len(values)).tolist() == expected
    assert hashing_compiled.bytes_rows(buffer, offsets, 1, len(values)).tolist() == expected[1:]


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(allow_nan=False)))
def test_vector_hashes_equal_the_definition(matrix):
    expected = [hash_numbers_oracle(row) for row in matrix.tolist()]
    assert hashing.hash_dense_numpy(matrix).tolist() == expected
    assert hashing_compiled.dense_rows(matrix).tolist() == expected


def test_dense_and_sparse_rows_of_equal_content_hash_alike():
    dense = (
        np.random.default_rng(0).integers(1, 3, (40, 6))
        * np.random.default_rng(1).integers(0, 2, (40, 6))
        * 0.5
    )
    dense[:, 0] = 1
    sparse = sp.coo_array(dense)
    assert (as_records(dense).row_hashes == as_records(sparse.tocsr()).row_hashes).all()
    assert as_records(dense).fingerprint == as_records(sp.csc_matrix(dense.astype(np.float32))).fingerprint
    split = splitleak.split_by_similarity(dense, similarity="cosine", threshold=1, tolerance=0.3)
    assert split.take(sparse.tocsr())["train"].shape[0] == split.sizes["train"]


def test_hashes_in_blocks_and_threads_equal_the_definition(monkeypatch):
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 50, 500))])
    buffer = rng.integers(0, 256, offsets[-1]).astype(np.uint8)
    matrix = rng.normal(size=(50, 7)).astype(np.float32)
    matrix[3, 2], matrix[4, 1], matrix[5, 0] = np.nan, -0.0, np.inf
    texts, rows = hashing.hash_bytes(buffer, offsets), hashing.hash_dense(matrix)
    monkeypatch.setattr(hashing, "_BLOCK", 16)
    assert (hashing.hash_bytes(buffer, offsets) == texts).all()
    assert (hashing.hash_dense(matrix.astype(np.float64)) == rows).all()
    monkeypatch.setattr(hashing, "COMPILED_FROM_BYTES", 0)
    for threads in "1", "3":
        monkeypatch.setenv("SPLITLEAK_NUM_THREADS", threads)
        assert (hashing.hash_bytes(buffer, offsets) == texts).all()
        assert (hashing.hash_dense(matrix) == rows).all()


def test_hashes_stay_what_they_were():
    """Saved splits hold these values: another version must find them again."""
    assert as_records(["", "a", "duplicate", "né 😀"]).row_hashes.tolist() == [
        hash_bytes_oracle(text.encode()) for text in ("", "a", "duplicate", "né 😀")
    ]
    table = pa.table(
        {
            "n": [1, None, -5],
            "t": ["x", "", None],
            "d": [dt.date(2024, 2, 29), None, dt.date(1969, 12, 31)],
        }
    )
    assert as_records(table, kind="table").fingerprint == "37017187ff97837145b141a03230ad14"
    assert as_records(["x", None, ""]).fingerprint == "6a78d8c1c45515114d180719de7d70b5"


def test_equal_numbers_hash_equal_whatever_their_width():
    values = [0, 1, 7, 100]
    wide = [np.int8, np.uint8, np.int32, np.int64, np.uint64, np.float32, np.float64]
    hashes = [as_records({"n": np.array(values, dtype=d)}, kind="table").row_hashes.tolist() for d in wide]
    hashes += [
        as_records({"n": np.array(values, dtype=d)[:, None]}, on="n").row_hashes.tolist() for d in wide
    ]
    assert all(h == hashes[0] for h in hashes[: len(wide)])
    assert all(h == hashes[-1] for h in hashes[len(wide) :])
    decimals = as_records({"n": [Decimal(value) for value in values]}, kind="table").row_hashes
    assert decimals.tolist() == hashes[0]


def test_special_values_hash_as_documented():
    odd = struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000123))[0]
    table = pa.table({"n": pa.array([0.0, -0.0, np.nan, odd, None, 2.0**53, 2.0**53 + 2], pa.float64())})
    h = as_records(table, kind="table").row_hashes
    assert h[0] == h[1]
    assert h[2] == h[3]
    assert len(set(h.tolist())) == 5
    n = 2**53
    whole = as_records({"n": [n, n + 1, n + 2, -n - 1, 2**63 - 1, -(2**63)]})
    assert whole.kind == "table"
    assert len(set(whole.row_hashes.tolist())) == 6
    assert whole.row_hashes[[0, 2]].tolist() == h[[5, 6]].tolist()
    top = as_records({"n": np.array([2**64 - 1, 2**63, 2**63 + 1], dtype=np.uint64)})
    assert len(set(top.row_hashes.tolist())) == 3
    words = as_records({"a": ["", None, "7"], "b": [1, 1, 1]}, on=["a", "b"]).row_hashes
    assert len(set(words.tolist())) == 3
    assert words[2] not in as_records({"a": [7, 7], "b": [1, 1]}, kind="table").row_hashes


def test_instants_hash_equal_in_every_unit_and_zone():
    noon = dt.datetime(2024, 5, 17, 12, 0, 0)
    zoned = pa.array([noon]).cast(pa.timestamp("us", "Europe/Berlin"))  # 12:00 in UTC
    columns = [pa.array([noon]).cast(pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")]
    hashes = {int(as_records(pa.table({"t": c}), on="t").row_hashes[0]) for c in [*columns, zoned]}
    assert len(hashes) == 1
    midnight = {
        int(as_records(pa.table({"t": pa.array([dt.date(2024, 5, 17)]).cast(kind)}), on="t").row_hashes[0])
        for kind in (pa.date32(), pa.date64(), pa.timestamp("ns"))
    }
    assert len(midnight) == 1
    assert hashes != midnight
    far = as_records({"t": [dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)]}, on="t")
    assert len(set(far.row_hashes.tolist())) == 2
    spans = pa.table({"t": pa.array([3_600_000], pa.duration("ms")), "c": pa.array([3600], pa.time32("s"))})
    assert as_records(spans, on="t").row_hashes[0] == as_records(spans, on="c").row_hashes[0]


def test_a_category_is_its_text():
    plain = pd.DataFrame({"t": ["b", None, "a", "b"], "n": [1, 2, 3, 4]})
    category = plain.astype({"t": "category"})
    assert as_records(category, on="t").row_hashes.tolist() == as_records(plain, on="t").row_hashes.tolist()
    assert texts_of(as_records(category, on="t")) == ["b", "", "a", "b"]
    both = [as_records(frame, kind="table").row_hashes.tolist() for frame in (plain, category)]
    assert both[0] == both[1]


def test_names_do_not_count_and_order_does():
    first = as_records({"a": ["x", "y"]})
    assert (
        first.fingerprint
        == as_records({"other": ["x", "y"]}).fingerprint
        == as_records(["x", "y"]).fingerprint
    )
    assert first.fingerprint != as_records(["y", "x"]).fingerprint
    assert as_records(["1"]).fingerprint != as_records({"a": ["1"]}, kind="table").fingerprint
    table = {"a": ["x"], "b": ["y"]}
    there, back = (as_records(table, on=on, kind="table").row_hashes for on in (["a", "b"], ["b", "a"]))
    assert there != back


# --- the same records from everything ---------------------------------------------------------------------


def test_texts_are_the_same_from_every_library(tmp_path):
    columns = {"text": ["one", None, 'qu"o,te', "né 😀\n", "one"], "label": ["a", "b", "a", "b", "a"]}
    expected = as_records(columns["text"])
    assert expected.missing.tolist() == [False, True, False, False, False]
    for name, data in every_kind(columns, tmp_path).items():
        records = as_records(data, exclude=["label"])
        assert (records.kind, records.columns, records.n_rows) == ("text", ("text",), 5), name
        assert texts_of(records) == ["one", "", 'qu"o,te', "né 😀\n", "one"], name
        assert records.missing.tolist() == expected.missing.tolist(), name
        assert records.offsets.dtype == np.int64, name
        assert records.fingerprint == expected.fingerprint, name


def test_vectors_are_the_same_from_every_library(tmp_path):
    columns = {"x": [1.5, 2.0, None, -0.25], "y": [1, 2, 3, 4], "label": ["a", "b", "a", "b"]}
    matrix = np.array([[1.5, 1], [2, 2], [np.nan, 3], [-0.25, 4]])
    expected = as_records(matrix)
    for name, data in every_kind(columns, tmp_path).items():
        records = as_records(data, on=["x", "y"])
        np.testing.assert_array_equal(records.vectors, matrix, err_msg=name)
        assert records.missing.tolist() == [False, False, True, False], name
        assert records.fingerprint == expected.fingerprint, name


def test_tables_are_the_same_from_every_library(tmp_path):
    columns = {
        "when": [dt.datetime(2024, 1, 1, 8), None, dt.datetime(1960, 6, 1)],
        "n": [1, 2, 3],
        "t": ["a", None, "c"],
        "flag": [True, False, True],
    }
    hashes = {}
    for name, data in every_kind(columns, tmp_path).items():
        records = as_records(data, on=list(columns))
        assert (records.kind, records.columns) == ("table", tuple(columns)), name
        hashes[name] = records.row_hashes.tolist()
    assert len({tuple(h) for h in hashes.values()}) == 1, hashes


@given(TEXTS)
def test_texts_come_back_whole(texts):
    for data in (texts, tuple(texts), pd.Series(texts, dtype=object), pl.Series(texts), pa.array(texts)):
        records = as_records(data)
        assert texts_of(records) == texts
        assert records.row_hashes.tolist() == [hash_bytes_oracle(text.encode()) for text in texts]
    views = pa.table({"t": pa.array(texts, pa.string_view()), "d": pa.array(texts).dictionary_encode()})
    assert texts_of(as_records(views, on="t")) == texts_of(as_records(views, on="d")) == texts


@given(TEXTS, st.data())
def test_take_is_the_records_of_the_taken_rows(texts, data):
    rows = np.array(data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=8)), dtype=np.int64)
    values = [text if len(text) % 3 else None for text in texts]
    taken = as_records(values, missing="distinct").take(rows)
    assert texts_of(taken) == [values[row] or "" for row in rows]
    absent = [not values[row] for row in rows]
    assert taken.missing is None if not any(absent) else taken.missing.tolist() == absent
    assert taken.missing_are == "distinct"


def test_take_of_no_rows():
    none = np.array([], dtype=np.int64)
    for data in (["x", None], np.ones((2, 2)), sp.csr_array(np.ones((2, 2)))):
        taken = as_records(data).take(none)
        assert (taken.n_rows, len(taken.row_hashes), taken.missing) == (0, 0, None)
    assert as_records({"a": [1, 2]}, kind="table").take(none).row_hashes.tolist() == []


def test_take_of_vectors_and_tables():
    matrix = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    rows = np.array([3, 0, 3])
    for data in (matrix, sp.csr_array(matrix), {"a": [1, 2, 3, 4], "b": ["x", "y", "z", None]}):
        records = as_records(data, on=["a", "b"] if isinstance(data, dict) else None)
        taken = records.take(rows)
        assert (taken.kind, taken.n_rows) == (records.kind, 3)
        assert taken.row_hashes.tolist() == records.row_hashes[rows].tolist()


def test_arrow_memory_behind_nulls_and_slices_is_not_read():
    # a null slot may have bytes of its own
    data, offsets = b"secretxyz", np.array([0, 6, 7, 9], dtype=np.int32)
    array = pa.StringArray.from_buffers(
        3, pa.py_buffer(offsets), pa.py_buffer(data), pa.py_buffer(bytes([0b110]))
    )
    assert texts_of(as_records(array)) == ["", "x", "yz"]
    assert texts_of(as_records(array[1:])) == ["x", "yz"]
    vectors = pa.array([[9.0, 9.0], [1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2))
    masked = pa.FixedSizeListArray.from_arrays(vectors.values, 2, mask=pa.array([True, False, False]))
    records = as_records(masked)
    np.testing.assert_array_equal(records.vectors, np.array([[np.nan] * 2, [1, 2], [3, 4]], dtype=np.float32))
    assert records.missing.tolist() == [True, False, False]
    assert as_records(masked[2:]).vectors.tolist() == [[3, 4]]


def test_inputs_are_left_as_they_were():
    frame = pd.DataFrame({"t": ["b", None], "x": [1.0, np.nan]}, index=[5, 3])
    before = frame.copy(deep=True)
    as_records(frame, on="t", missing="distinct")
    as_records(frame, on="x")
    pd.testing.assert_frame_equal(frame, before)
    rows = sp.coo_array(([1.0, 2.0, 0.0], ([0, 0, 1], [1, 1, 2])), shape=(3, 4))
    records = as_records(rows)
    assert (rows.nnz, records.vectors.nnz) == (3, 1)
    assert records.vectors.toarray()[0].tolist() == [0, 3, 0, 0]
    csr = sp.csr_matrix(np.array([[0, 2.0], [1, 0]]))
    csr.indices = csr.indices[::-1].copy()
    kept = csr.indices.copy()
    as_records(csr)
    assert (csr.indices == kept).all()


# --- which kind, which columns ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "on", "kind", "dtype"),
    [
        ({"a": ["x"], "b": ["y"]}, ["a", "b"], "text", None),
        ({"a": [[1, 2]]}, "a", "vector", np.float64),
        ({"a": np.zeros((2, 3), dtype=np.float32)}, None, "vector", np.float32),
        (
            {"a": np.zeros(2, dtype=np.float32), "b": np.zeros(2, dtype=np.float16)},
            ["a", "b"],
            "vector",
            np.float32,
        ),
        ({"a": np.zeros(2, dtype=np.float32), "b": [1, 2]}, ["a", "b"], "vector", np.float64),
        ({"a": [True, False]}, "a", "vector", np.float64),
        ({"a": [1, 2], "b": ["x", "y"]}, ["a", "b"], "table", None),
        ({"a": [dt.date(2024, 1, 1)]}, "a", "table", None),
        ({"a": [b"x\xff"]}, "a", "table", None),
        ({"a": [None, None]}, "a", "table", None),
        (
            pa.table({"a": pa.FixedShapeTensorArray.from_numpy_ndarray(np.ones((2, 3, 2), np.float32))}),
            None,
            "vector",
            np.float32,
        ),
        (
            pl.DataFrame({"a": [[1.0, 2.0]]}, schema={"a": pl.Array(pl.Float32, 2)}),
            None,
            "vector",
            np.float32,
        ),
        (pd.DataFrame({"a": [np.ones(3, np.float32)] * 2}), None, "vector", np.float32),
        (pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])}), None, "vector", np.float64),
        (pd.DataFrame({"a": pd.period_range("2024", "2026", freq="Y")}), None, "table", None),
        (pa.table({"a": pa.array([b"x", None], pa.binary_view())}), None, "table", None),
        ([[1.0, 2.0], [3.0, 4.0]], None, "vector", np.float64),
        (np.zeros((2, 2), dtype=np.int32), None, "vector", np.float64),
        (np.zeros((2, 2), dtype=">f4"), None, "vector", np.float32),
        (sp.csr_array(np.ones((2, 2), dtype=np.float32)), None, "vector", np.float32),
        (sp.coo_matrix(np.ones((2, 2), dtype=bool)), None, "vector", np.float64),
        (np.array([[2**60, 1]]), None, "table", None),
        (["x", None], None, "text", None),
        ([None, None], None, "text", None),
        (np.array(["x", "yy"]), None, "text", None),
        (np.array(["x", None], dtype=object), None, "text", None),
    ],
)
def test_the_kind_is_what_the_columns_hold(data, on, kind, dtype):
    records = as_records(data, on=on)
    assert records.kind == kind
    assert as_records(data, on=on, kind=kind).row_hashes.tolist() == records.row_hashes.tolist()
    if dtype is not None:
        assert records.vectors.dtype == dtype
        assert records.vectors.dtype.isnative


def test_several_text_columns_are_joined():
    data = {"title": ["a", None, None], "body": ["b", "c", None], "id": [1, 2, 3]}
    records = as_records(data, on=["title", "body"])
    assert texts_of(records) == ["a\x1fb", "\x1fc", "\x1f"]
    assert records.columns == ("title", "body")
    assert records.missing.tolist() == [False, False, True]


def test_the_only_column_that_can_be_meant_is_taken():
    data = {"text": ["x", "y"], "label": ["a", "b"], "size": [1, 2], "emb": [[1.0], [2.0]]}
    assert as_records(data, exclude=["label", "emb"]).columns == ("text",)
    assert as_records(data, kind="vector").columns == ("emb",)
    assert as_records(data, kind="table", exclude=["emb", "size"]).columns == ("text", "label")
    assert as_records(np.zeros((2, 2)), kind="table").table.column_names == ["0", "1"]
    assert as_records(["x"], kind="table").kind == "table"


def test_missing_values_mean_what_was_chosen():
    texts = ["x", None, "", "y"]
    equal = as_records(texts)
    assert (equal.missing.tolist(), equal.missing_are) == ([False, True, False, False], "equal")
    assert equal.row_hashes[1] != equal.row_hashes[2]
    distinct = as_records(texts, missing="distinct")
    assert (distinct.missing.tolist(), distinct.missing_are) == ([False, True, True, False], "distinct")
    assert as_records(["x", "y"], missing="distinct").missing is None
    joined = as_records({"a": ["", "x", None], "b": [None, "", ""]}, on=["a", "b"], missing="distinct")
    assert joined.missing.tolist() == [True, False, True]
    with pytest.raises(
        InputError,
        match=r"data must have a value in each row \(missing='error'\), and 1 of 4 rows have none: rows 1;",
    ):
        as_records(texts, missing="error")
    with pytest.raises(
        InputError, match=r"on='x' must have a value .* 6 of 7 rows have none: rows 0, 1, 2, 3, 4, \.\.\.;"
    ):
        as_records({"x": [np.nan] * 6 + [1.0]}, on="x", missing="error")
    assert as_records(["x", ""], missing="error").missing is None
    rows = as_records({"d": [dt.date(2024, 1, 1), None, None], "n": [None, 1, None]}, on=["d", "n"])
    assert rows.missing.tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (
            {"a": ["x"], "b": ["y"]},
            {},
            r"on= is needed: several columns could be compared; choose one of: 'a' \(text\), 'b' \(text\)",
        ),
        (
            {"a": ["x"], "e": np.zeros((1, 384)), "f": [[1.0]]},
            {},
            r"'a' \(text\), 'e' \(vector of 384\), 'f' \(vector\)",
        ),
        (
            {"n": [1], "m": [2]},
            {},
            r"no column holds text or lists of numbers .*on=\['n', 'm'\]; similarity='gower'",
        ),
        ({"a": ["x"]}, {"exclude": ["a"]}, r"on= is needed: no column holds text .*columns: none left"),
        ({"text": ["x"]}, {"on": "texts"}, r"on='texts' is not a column of the data; did you mean 'text'\?"),
        ({"text": ["x"]}, {"on": ["text", "text"]}, r"on names a column twice"),
        ({"text": ["x"]}, {"on": []}, r"on must be a column name or a list of column names, got \[\]"),
        ({"text": ["x"]}, {"on": 3}, r"on must be a column name or a list of column names, got 3"),
        (
            ["x"],
            {"on": "text"},
            r"on='text' names a column, and the data \(list\) is bare values .*leave on= out",
        ),
        (["x"], {"kind": "texts"}, r"kind='texts' is not known; did you mean 'text'\?"),
        (["x"], {"missing": "drop"}, r"missing='drop' is not known.*'equal', 'distinct', 'error'"),
        (["x"], {"kind": "vector"}, r"data cannot be compared as kind='vector': the columns hold text rows"),
        (np.zeros((2, 2)), {"kind": "text"}, r"kind='text' does not go with data that is a 2-D array"),
        (
            sp.csr_array(np.ones((2, 2))),
            {"kind": "table"},
            r"kind='table' does not go with data that is sparse",
        ),
        ({"n": [1]}, {"on": "n", "kind": "text"}, r"on='n' cannot be compared as kind='text'.*'n': int64"),
        (
            {"s": [{"a": 1}]},
            {"on": "s"},
            r"on='s' cannot be compared: column 's' holds nested values \(struct<",
        ),
        ({"s": [["a"]]}, {"on": "s"}, r"column 's' holds nested values \(list<"),
        (
            {"e": [[1.0]], "t": ["x"]},
            {"on": ["e", "t"]},
            r"'e' holds lists of numbers .*; compare it alone, as a vector",
        ),
        (
            {"e": [[1.0], [1.0, 2.0], [3.0], []]},
            {},
            r"on='e' must hold lists of one length \(1 numbers in most rows\); 2 rows have another: 1, 3"
            r" \(row 1: 2 numbers\)",
        ),
        ([[1.0], [1.0, 2.0], [3.0]], {}, r"^data must hold lists of one length"),
        ({"e": [[], []]}, {"on": "e"}, r"on='e' .*nested values|all of them are empty"),
        (
            {"e": pa.array([[], None], pa.list_(pa.float32()))},
            {},
            r"on='e' must hold lists of numbers, and all of them are empty",
        ),
        ([dt.date(2024, 1, 1)], {}, r"data must hold texts or equally long lists of numbers, got date32"),
        ([["a"]], {}, r"data must hold texts or equally long lists of numbers, got list<"),
        (["fine", "bad \ud83d"], {}, r"row 1 has a lone surrogate"),
    ],
)
def test_columns_that_cannot_be_compared(data, options, message):
    with pytest.raises(InputError, match=message):
        as_records(data, **options)


def test_bytes_that_are_no_utf8_are_refused():
    array = pa.StringArray.from_buffers(
        1, pa.py_buffer(np.array([0, 1], dtype=np.int32)), pa.py_buffer(b"\xff")
    )
    with pytest.raises(InputError, match=r"must hold texts in UTF-8"):
        as_records(array)


# --- factors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "levels", "codes"),
    [
        (["b", "a", None, "b"], ("a", "b"), [1, 0, -1, 1]),
        ([3, 10, 3, None], (3, 10), [0, 1, 0, -1]),
        ([0.5, float("nan"), -0.0, 0.0], (0, 0.5), [1, -1, 0, 0]),
        ([True, False, None, True], (False, True), [1, 0, -1, 1]),
        (
            [dt.date(2024, 1, 2), dt.date(2023, 1, 1)] * 2,
            (dt.date(2023, 1, 1), dt.date(2024, 1, 2)),
            [1, 0, 1, 0],
        ),
        ([None] * 4, (), [-1] * 4),
    ],
)
def test_factors_are_sorted_by_content_in_every_library(values, levels, codes, tmp_path):
    table = pa.table({"f": values, "t": list("wxyz")})
    pq.write_table(table, tmp_path / "t.parquet")
    frames = [table, pl.from_arrow(table), table.to_pandas(), table.to_pydict(), tmp_path / "t.parquet"]
    frames.append(pa.concat_tables([table[:2], table[2:]]))
    if isinstance(values[0], str):
        frames.append(table.to_pandas().astype({"f": pd.CategoricalDtype(["b", "unused", "a"])}))
        frames.append(pa.concat_tables([table[:2].cast(_coded(table)), table[2:].cast(_coded(table))]))
    for data in frames:
        factor = resolve_factor(open_source(data), "f", argument="groups")
        assert (factor.name, factor.levels, factor.codes.tolist()) == ("f", levels, codes)
        assert factor.codes.dtype == np.int64
    source = open_source(list("wxyz"))
    for given_values in (values, tuple(values), pd.Series(values, index=[9, 8, 7, 6]), pa.array(values)):
        factor = resolve_factor(source, given_values, argument="groups")
        assert (factor.name, factor.levels, factor.codes.tolist()) == ("groups", levels, codes)


def test_levels_of_half_precision():
    source = open_source(["x", "y", "z"])
    assert resolve_factor(source, np.array([2, 0.5, np.nan], dtype=np.float16), argument="groups").levels == (
        0.5,
        2.0,
    )


def _coded(table):
    return pa.schema([("f", pa.dictionary(pa.int32(), pa.string())), ("t", pa.string())])


def test_one_or_several_factors():
    source = open_source({"a": ["x", "y"], "b": [1, 2], "t": ["u", "v"]})

    def names(value):
        return [factor.name for factor in resolve_factors(source, value, argument="groups")]

    assert names("a") == ["a"]
    assert names(["a"]) == ["a"]
    assert names(("a", "b")) == ["a", "b"]
    assert names(["u", "a"]) == ["groups"]  # one value a row
    assert names(np.array([1, 2])) == ["groups"]
    assert names(None) == []
    with pytest.raises(InputError, match=r"groups='c' is not a column of the data"):
        names(["a", "b", "c"])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("lable", r"groups='lable' is not a column of the data; did you mean 'label'\?"),
        ([1, 2, 3], r"groups= must have one value for each of the 2 rows, got 3 values"),
        (np.zeros((2, 2)), r"groups= must be 1-D, one value a row, got an array of shape \(2, 2\)"),
        (np.array(7), r"groups= must be a column name or one value a row, got ndarray"),
        (7, r"groups= must be a column name or one value a row, got int 7"),
        ([[1], [2]], r"groups= must hold one plain value a row .*got list<"),
        ("emb", r"groups='emb' must hold one plain value a row .*got list<"),
        (["x", 1], r"groups= must hold values of one kind"),
    ],
)
def test_factors_that_cannot_be_used(value, message):
    source = open_source({"label": ["a", "b"], "emb": [[1.0], [2.0]]})
    with pytest.raises(InputError, match=message):
        resolve_factor(source, value, argument="groups")


def test_a_column_of_names_is_no_class_column():
    source = open_source({"id": [f"row {i}" for i in range(50)], "c": [i % 20 for i in range(50)]})
    with pytest.raises(
        InputError, match=r"stratify='id' must be a class column, and has 50 classes in 50 rows"
    ):
        resolve_factor(source, "id", argument="stratify")
    assert len(resolve_factor(source, "id", argument="groups").levels) == 50
    assert len(resolve_factor(source, "c", argument="stratify").levels) == 20


@pytest.mark.skipif("SPLITLEAK_DATA" not in os.environ, reason="SPLITLEAK_DATA names no folder of real data")
def test_all_short_texts_have_hashes_of_their_own():
    path = Path(os.environ["SPLITLEAK_DATA"]) / "text" / "short_texts.parquet"
    records = as_records(path, on="text")
    assert records.n_rows == 784_692
    distinct = len(set(pq.read_table(path, columns=["text"]).column(0).to_pylist()))
    assert len(np.unique(records.row_hashes)) == distinct
    assert (records.row_hashes == hashing.hash_bytes_numpy(*records.text())).all()


@pytest.mark.parametrize("normalize", [False, True])
def test_a_missing_text_equals_the_empty_text(normalize):
    graph = get_backend("exact")(normalize=normalize).graph(as_records(["", "x", None, "x"]))
    assert graph.copies.tolist() == [0, 1, 0, 1]
