"""Every kind of data opens as the same source, gives rows back in its own type, and bad data is told apart."""

from __future__ import annotations

import gzip
import json
import os
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

from splitleak._tables import open_source
from splitleak.errors import InputError

COLUMNS = {
    "text": ["one", "zwei, drei", 'qu"ote', "line\nbreak", "né 😀", "six"],
    "label": ["a", "b", "a", "a", "b", "b"],
    "size": [1, 2, 3, 4, 5, 6],
    "weight": [0.5, -1.25, 0.0, 3.0, 1e300, 7.5],
}
ROWS = np.array([4, 0, 0, 3])


class CapsuleTable:
    """A table of a library that nobody knows, with the Arrow PyCapsule interface."""

    def __init__(self, columns):
        self._table = pa.table(columns)

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def _csv(folder: Path) -> Path:
    pyarrow.csv.write_csv(pa.table(COLUMNS), folder / "data.csv")
    return folder / "data.csv"


def _csv_gz(folder: Path) -> Path:
    (folder / "data.csv.gz").write_bytes(gzip.compress(_csv(folder).read_bytes()))
    return folder / "data.csv.gz"


def _json_lines(folder: Path) -> Path:
    lines = (dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True))
    (folder / "data.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder / "data.jsonl"


def _parquet(folder: Path) -> str:
    pq.write_table(pa.table(COLUMNS), folder / "data.parquet", row_group_size=2)
    return str(folder / "data.parquet")


KINDS = {
    "pandas": lambda _: pd.DataFrame(COLUMNS),
    "pandas-pyarrow": lambda _: pd.DataFrame(COLUMNS).convert_dtypes(dtype_backend="pyarrow"),
    "polars": lambda _: pl.DataFrame(COLUMNS),
    "arrow": lambda _: pa.table(COLUMNS),
    "arrow-chunks": lambda _: pa.concat_tables([pa.table(COLUMNS)[:2], pa.table(COLUMNS)[2:]]),
    "arrow-slice": lambda _: pa.concat_tables([pa.table(COLUMNS)] * 2).combine_chunks()[6:],
    "batch": lambda _: pa.RecordBatch.from_pydict(COLUMNS),
    "capsule": lambda _: CapsuleTable(COLUMNS),
    "reader": lambda _: pa.table(COLUMNS).to_reader(),
    "dict": lambda _: {name: list(values) for name, values in COLUMNS.items()},
    "hugging-face": lambda _: datasets.Dataset.from_dict(COLUMNS),
    "hugging-face-selection": lambda _: datasets.Dataset.from_dict(
        {name: values[::-1] for name, values in COLUMNS.items()}
    ).select(range(5, -1, -1)),
    "parquet": _parquet,
    "csv": _csv,
    "csv.gz": _csv_gz,
    "jsonl": _json_lines,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_gives_the_same_columns(kind, tmp_path):
    source = open_source(KINDS[kind](tmp_path))
    assert (source.n_rows, source.column_names) == (6, tuple(COLUMNS))
    assert {name: source.column(name).to_pylist() for name in source.column_names} == COLUMNS
    assert all(source.column(name).type == source.column_type(name) for name in COLUMNS)
    assert source.describe().endswith("6 rows")
    assert open_source(source) is source


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_gives_rows_in_the_order_asked_for(kind, tmp_path):
    taken = open_source(KINDS[kind](tmp_path)).take(ROWS)
    again = open_source(taken)
    expected = {name: [values[row] for row in ROWS] for name, values in COLUMNS.items()}
    assert {name: again.column(name).to_pylist() for name in again.column_names} == expected


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_gives_no_rows_when_none_are_asked_for(kind, tmp_path):
    taken = open_source(KINDS[kind](tmp_path)).take(np.array([], dtype=np.int64))
    assert len(taken["text"]) == 0


def test_take_returns_the_callers_own_type(tmp_path):
    frame = pd.DataFrame(
        {"text": ["x", "y", "z"], "day": pd.to_datetime(["2024-01-01", None, "2024-01-03"])},
        index=pd.Index(["r0", "r1", "r2"], name="key"),
    ).astype({"text": "category"})
    rows = np.array([2, 0])
    pd.testing.assert_frame_equal(open_source(frame).take(rows), frame.iloc[rows])
    assert isinstance(open_source(pl.DataFrame(frame)).take(rows), pl.DataFrame)
    for arrow in (pa.table(COLUMNS), pa.RecordBatch.from_pydict(COLUMNS)):
        assert type(open_source(arrow).take(rows)) is type(arrow)
    assert isinstance(open_source(datasets.Dataset.from_dict(COLUMNS)).take(rows), datasets.Dataset)
    assert isinstance(open_source(_parquet(tmp_path)).take(rows), pa.Table)
    assert open_source(["x", "y", "z"]).take(rows) == ["z", "x"]
    assert open_source(("x", "y", "z")).take(rows) == ("z", "x")
    pd.testing.assert_series_equal(open_source(frame["text"]).take(rows), frame["text"].iloc[rows])
    assert open_source(pl.Series(["x", "y", "z"])).take(rows).to_list() == ["z", "x"]
    assert open_source(pa.array(["x", "y", "z"])).take(rows).to_pylist() == ["z", "x"]
    assert open_source(np.array(["x", "y", "z"])).take(rows).tolist() == ["z", "x"]
    mixed = open_source({"a": np.arange(3), "b": ("x", "y", "z")}).take(rows)
    assert mixed["a"].tolist() == [2, 0]
    assert mixed["b"] == ("z", "x")


@pytest.mark.parametrize(
    "make", [sp.csr_matrix, sp.csc_matrix, sp.coo_matrix, sp.csr_array, sp.csc_array, sp.coo_array]
)
def test_sparse_rows_keep_their_format(make):
    dense = np.array([[0, 1.5, 0], [2, 0, 0], [0, 0, 3]])
    taken = open_source(make(dense)).take(np.array([2, 0]))
    assert type(taken) is type(make(dense))
    assert taken.toarray().tolist() == dense[[2, 0]].tolist()


def test_arrays_are_opened_without_a_copy():
    matrix = np.arange(6.0).reshape(3, 2)
    source = open_source(matrix)
    assert source.column_names == ()
    assert source.bare is matrix
    assert source.take(np.array([2])).tolist() == [[4.0, 5.0]]
    assert source.describe() == "numpy.ndarray, 3 rows"


def test_one_column_of_parquet_is_read_without_the_others(tmp_path):
    path = tmp_path / "two.parquet"
    rng = np.random.default_rng(0)
    table = pa.table({"a": ["x"] * 1000, "a.b": ["y"] * 1000, "blob": [rng.bytes(100) for _ in range(1000)]})
    pq.write_table(table, path, use_dictionary=False)
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(2)
    damaged = bytearray(path.read_bytes())
    start = chunk.data_page_offset
    damaged[start : start + chunk.total_compressed_size // 2] = b"\xff" * (chunk.total_compressed_size // 2)
    path.write_bytes(damaged)
    source = open_source(path)
    assert source.column("a").to_pylist() == ["x"] * 1000
    assert source.column("a.b").to_pylist() == ["y"] * 1000
    with pytest.raises(InputError, match="cannot be read"):
        source.column("blob")


def test_columns_may_have_names_of_any_type():
    frame = pd.DataFrame({0: ["a", "b"], ("x", 1): [1, 2]})
    source = open_source(frame)
    assert source.column_names == ("0", "('x', 1)")
    assert source.column("0").to_pylist() == ["a", "b"]
    assert source.column("('x', 1)").to_pylist() == [1, 2]


def test_missing_values_of_every_library_are_null(tmp_path):
    frame = pd.DataFrame({"t": ["x", None, "z"], "n": [1.0, np.nan, 3.0]})
    frame.to_csv(tmp_path / "gaps.csv", index=False)
    for data in (frame, pl.from_pandas(frame), tmp_path / "gaps.csv", frame.to_dict("list")):
        source = open_source(data)
        assert source.column("t").to_pylist() == ["x", None, "z"]
        assert source.column("n").to_pylist() == [1.0, None, 3.0]


# --- CSV, TSV, JSON lines ---------------------------------------------------------------------------------


def test_csv_leaves_words_that_mean_missing_elsewhere(tmp_path):
    path = tmp_path / "words.csv"
    path.write_text('text,n\nNA,1\nnull,2\n"a ""quoted"" word",\n', encoding="utf-8")
    source = open_source(path)
    assert source.column("text").to_pylist() == ["NA", "null", 'a "quoted" word']
    assert source.column("n").to_pylist() == [1, 2, None]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_finds_its_separator(delimiter, tmp_path):
    path = tmp_path / "d.csv"
    path.write_bytes(
        delimiter.join(["name", "size"]).encode() + b"\r\n" + delimiter.join(["x", "1"]).encode()
    )
    assert open_source(path).column_names == ("name", "size")


def test_tsv_has_no_quoting(tmp_path):
    path = tmp_path / "quotes.tsv"
    path.write_bytes('\ufefflabel\ttext\nspam\t"open, and never closed\nham\tsaid "so" twice\n'.encode())
    source = open_source(path)
    assert source.column_names == ("label", "text")
    assert source.column("text").to_pylist() == ['"open, and never closed', 'said "so" twice']


def test_tsv_without_a_header_keeps_its_first_row(tmp_path):
    path = tmp_path / "plain.tsv"
    lines = [f"{'spam' if i % 5 == 0 else 'ham'}\tmessage number {i}" for i in range(40)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = open_source(path)
    assert (source.n_rows, source.column_names) == (40, ("label", "text"))
    assert source.describe() == "file plain.tsv without a header line (columns named label, text), 40 rows"
    named = open_source(path, columns=["class", "message"])
    assert (named.n_rows, named.column_names) == (40, ("class", "message"))


def test_numbers_as_header(tmp_path):
    (tmp_path / "named.csv").write_text("0,1\n5,6\n7,8\n")
    assert open_source(tmp_path / "named.csv").column_names == ("0", "1")
    (tmp_path / "bare.csv").write_text("0.5,1.25\n5,6\n7,8\n")
    source = open_source(tmp_path / "bare.csv")
    assert (source.n_rows, source.column_names) == (3, ("column_1", "column_2"))


def test_rows_longer_than_a_block_are_read(tmp_path):
    long = "x" * 3_000_000
    (tmp_path / "long.jsonl").write_text(json.dumps({"t": "short"}) + "\n" + json.dumps({"t": long}) + "\n")
    (tmp_path / "long.csv").write_text(f't,n\nshort,1\n"{long}",2\n')
    for name in ("long.jsonl", "long.csv"):
        assert open_source(tmp_path / name).column("t").to_pylist() == ["short", long]


def test_json_lines_with_absent_keys(tmp_path):
    (tmp_path / "gaps.ndjson").write_bytes(
        b'\xef\xbb\xbf{"t": "x", "v": [1, 2]}\n{"v": [0.5, 1]}\n{"t": ""}\n'
    )
    source = open_source(tmp_path / "gaps.ndjson")
    assert source.column("t").to_pylist() == ["x", None, ""]
    assert source.column("v").to_pylist() == [[1.0, 2.0], [0.5, 1.0], None]


@pytest.mark.skipif("SPLITLEAK_DATA" not in os.environ, reason="SPLITLEAK_DATA names no folder of real data")
def test_sms_messages_load_whole():
    source = open_source(Path(os.environ["SPLITLEAK_DATA"]) / "text" / "sms.tsv")
    assert (source.n_rows, source.column_names) == (5574, ("label", "text"))
    assert set(source.column("label").to_pylist()) == {"ham", "spam"}
    bank = open_source(Path(os.environ["SPLITLEAK_DATA"]) / "tabular" / "bank_marketing.csv")
    assert (bank.n_rows, len(bank.column_names)) == (4119, 21)


# --- bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, r"data must be a table .*got NoneType"),
        (7, r"data must be a table .*got int"),
        ([], r"data \(list\) has no rows"),
        ({}, r"data \(dict\) has no columns"),
        ({"t": []}, r"data \(dict\) has no rows"),
        (pd.DataFrame({"t": []}), r"data \(pandas.DataFrame\) has no rows"),
        (pl.DataFrame({"t": []}), r"data \(polars.DataFrame\) has no rows"),
        (pa.table({"t": []}), r"data \(pyarrow.Table\) has no rows"),
        (np.zeros((0, 3)), r"data \(numpy.ndarray\) has no rows"),
        (np.zeros((3, 0)), r"rows without features"),
        (sp.csr_array((0, 3)), r"data \(scipy.csr_array\) has no rows"),
        (np.zeros(3), r"1-D of texts, 2-D of real numbers .*got float64 of shape \(3,\); reshape"),
        (np.zeros((2, 2, 2, 3, 1)), r"got float64 of shape \(2, 2, 2, 3, 1\)"),
        (np.zeros((2, 2), dtype=complex), r"got complex128"),
        (np.zeros(2, dtype=[("a", int)]), r"structured NumPy array"),
        (sp.csr_array(np.ones((2, 2), dtype=complex)), r"2-D of real numbers .*got complex128"),
        ([1, 2], r"data \(list\) holds one number a row"),
        (pd.Series([1.5, 2]), r"data \(pandas.Series\) holds one number a row"),
        ([{1, 2}], r"list of sets"),
        (np.ma.masked_array(np.ones((1, 2)), mask=[[1, 0]]), r"masked array; fill the masked values first"),
        ("", r"data is one text of 0 characters"),
        ([{"t": "x"}], r"list of dicts; give a table"),
        (["x", 3], r"data must hold values of one kind"),
        (["fine", "bad \ud800"], r"row 1 has a lone surrogate"),
        ({"t": ["x", "y"], "n": [1]}, r"must have one length; got 't': 2, 'n': 1"),
        ({"train": pd.DataFrame({"t": ["x"]})}, r"'train' holds DataFrame; of several tables pass one"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), r"more than one column named 'a'"),
        (pa.table([[1], [2]], names=["a", "a"]), r"more than one column named 'a'"),
        (pl.LazyFrame({"t": ["x"]}), r"data is lazy \(polars.LazyFrame\).*\.collect\(\)"),
        (
            datasets.DatasetDict({"train": datasets.Dataset.from_dict(COLUMNS)}),
            r"DatasetDict with the keys 'train'; .*data\['train'\]",
        ),
        (
            datasets.Dataset.from_dict(COLUMNS).to_iterable_dataset(),
            r"IterableDataset, and rows need positions",
        ),
        ("no/such/file.csv", r"'no/such/file.csv': no such file"),
        ("one text\nof two lines", r"one text of 21 characters"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "",
)
def test_data_that_cannot_be_opened(data, message):
    with pytest.raises(InputError, match=message):
        open_source(data)


def test_columns_that_cannot_be_read():
    source = open_source(pd.DataFrame({"mixed": ["x", 3], "text": ["x", "\udc80"]}, dtype=object))
    with pytest.raises(InputError, match=r"column 'mixed' must hold values of one kind"):
        source.column("mixed")
    with pytest.raises(InputError, match=r"column 'text' .*row 1 has a lone surrogate"):
        source.column("text")
    with pytest.raises(InputError, match=r"column 'o' holds Python objects"):
        open_source(pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)})).column("o")
    with pytest.raises(InputError, match=r"on='texd' is not a column of the data; did you mean 'text'\?"):
        source.column("texd", argument="on")
    with pytest.raises(InputError, match=r"on='text' names a column.*leave on= out"):
        open_source(["x"]).column("text", argument="on")


def _whole_parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(COLUMNS), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.parquet", b"", r"is an empty file"),
        ("a.csv", b"", r"is an empty file"),
        ("a.parquet", _whole_parquet()[:-100], r"truncated or damaged\?"),
        ("a.parquet", _whole_parquet()[:200], r"truncated or damaged\?"),
        ("a.parquet", b"text,label\nx,y\n", r"ends in \.parquet, and is no Parquet file"),
        ("a.csv", _whole_parquet(), r"ends in \.csv, and is a Parquet file"),
        ("a.csv", gzip.compress(b"a,b\n1,2\n", mtime=0), r"ends in \.csv, and is a gzip file"),
        ("a.csv.gz", b"a,b\n1,2\n", r"cannot be read: Not a gzipped file"),
        (
            "a.csv.gz",
            gzip.compress(b"a,b\n" + os.urandom(9000).hex().encode() + b",2\n" * 9000)[:-3000],
            r"cannot be read",
        ),
        ("a.csv", b"a,b\n1,\0\0\0\n", r"holds NUL bytes"),
        (
            "a.csv",
            "a,b\n1,2\n".encode("utf-16"),
            r"must be text in UTF-8, and is not: it starts with the mark of UTF-16",
        ),
        ("a.csv", "a,b\nx,né\ny,z\n".encode("latin-1"), r"must be text in UTF-8"),
        ("a.csv", b"a,b\n" + b"x,y\n" * 40000 + b"x,\xe9\n", r"must be text in UTF-8"),
        ("a.jsonl", b'{"a": "x"}\n' * 40000 + b'{"a": "\xe9"}\n', r"must be text in UTF-8"),
        ("a.csv", b"a,b\n1,2\n3\n", r"cannot be read as csv: .*Row #3: Expected 2 columns, got 1"),
        ("a.tsv", b"a\tb\n1\t2\t3\n", r"cannot be read as tsv: .*Row #2: Expected 2 columns, got 3"),
        ("a.csv", b"a,b\n", r"has no rows"),
        ("a.csv", b"\n\n", r"cannot be read as csv: .*Empty CSV file"),
        ("a.csv", b"a,a\nx,y\n", r"more than one column named 'a'"),
        ("a.jsonl", b"\n", r"has no rows"),
        ("a.jsonl", b'[{"a": 1}]', r"starts with a JSON array"),
        ("a.jsonl", b'{"a": 1}\n{"a": \n', r"cannot be read as jsonl"),
        ("a.jsonl", b'{"a": 1}\n{"a": "x"}\n', r"changed from number to string in row 1"),
        ("a.xlsx", b"PK\x03\x04", r"of a kind that is not read here; .*pandas\.read_excel"),
        ("a", b"x", r"ending that is not known \(known: \.parquet, \.arrow"),
    ],
)
def test_files_that_cannot_be_read(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        open_source(tmp_path / name)
    assert name in str(caught.value)


def test_paths_that_are_no_files(tmp_path):
    (tmp_path / "reviews.csv").write_text("a\nx\n")
    with pytest.raises(
        InputError, match=r"is a folder without images .*; name a folder of either, or a file"
    ):
        open_source(tmp_path)
    with pytest.raises(InputError, match=r"no such file; did you mean 'reviews.csv'\?"):
        open_source(str(tmp_path / "review.csv"))


def test_names_for_files_without_a_header(tmp_path):
    (tmp_path / "a.csv").write_text("1,2\n3,4\n")
    with pytest.raises(InputError, match=r"columns= must name each of the 2 columns of 'a.csv', got 1"):
        open_source(tmp_path / "a.csv", columns=["x"])
    with pytest.raises(InputError, match=r"columns= names the columns of a CSV or TSV file"):
        open_source(["x"], columns=["x"])
    (tmp_path / "a.jsonl").write_text('{"a": 1}')
    with pytest.raises(InputError, match=r"'a.jsonl' has names"):
        open_source(tmp_path / "a.jsonl", columns=["x"])
