"""Split: looking rows up, taking them, and files that come back as they went."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import splitleak
from splitleak import DataMismatchError, InputError, Split, SplitleakWarning

ENDINGS = (".parquet", ".csv", ".json")
TEXTS = [f"{animal} number {i}" for i in range(10) for animal in ("cat", "dog", "çãt", "犬")]
LABELS = ["cat", "dog", 'a "quoted", <class>', "犬\n"] * 10


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.DataFrame({"text": TEXTS, "label": LABELS, "number": range(len(TEXTS))})


@pytest.fixture(scope="module")
def split(table: pd.DataFrame) -> Split:
    return splitleak.split_by_similarity(table, on="text", threshold=0.95, stratify="label", seed=3)


def same(a: Split, b: Split) -> bool:
    arrays = ("codes", "clusters", "asked", "row_hashes", "weights")
    return (
        a.names == b.names
        and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays)
        and [s.labels for s in a.strata] == [s.labels for s in b.strata]
        and all(s.per_row().tolist() == t.per_row().tolist() for s, t in zip(a.strata, b.strata, strict=True))
        and a.summary() == b.summary()
    )


def test_partitions_hold_each_row_once(split: Split) -> None:
    rows = [split[name] for name in split.names]
    assert all(r.dtype == np.int64 and (np.diff(r) > 0).all() for r in rows)
    assert sorted(np.concatenate(rows).tolist()) == list(range(split.n_rows))
    assert split.sizes == {name: len(r) for name, r in zip(split.names, rows, strict=True)}
    assert [split.labels()[row] for row in split["test"]] == ["test"] * split.sizes["test"]


def test_unknown_partition(split: Split) -> None:
    with pytest.raises(InputError, match="no partition 'tset'; did you mean 'test'"):
        split["tset"]


@pytest.mark.parametrize("ending", [".parquet", ".json"])
def test_files_keep_everything(split: Split, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"split{ending}"
    split.save(path)
    again = Split.load(path)
    assert same(split, again)
    assert again.certificate is not None
    assert again.certificate.verdict == "separated"
    assert again.provenance is not None
    assert split.provenance is not None
    assert again.provenance.fingerprint == split.provenance.fingerprint


def test_csv_keeps_the_columns(split: Split, tmp_path: Path) -> None:
    split.save(tmp_path / "split.csv")
    again = Split.load(tmp_path / "split.csv")
    assert again.labels().tolist() == split.labels().tolist()
    assert np.array_equal(again.clusters, split.clusters)
    assert np.array_equal(again.row_hashes, split.row_hashes)
    assert again.provenance is None
    assert again.certificate is None
    assert [again.strata[0].labels[c] for c in again.strata[0].per_row()] == LABELS
    frame = pd.read_csv(tmp_path / "split.csv")
    assert list(frame.columns) == ["row", "partition", "cluster", "row_hash", "class"]


@given(
    codes=st.lists(st.integers(-1, 2), min_size=1, max_size=20).filter(lambda c: max(c) >= 0),
    names=st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
        min_size=3,
        max_size=3,
        unique=True,
    ),
)
@pytest.mark.parametrize("ending", ENDINGS)
def test_any_names_come_back(
    tmp_path_factory: pytest.TempPathFactory, ending: str, codes: list[int], names: list[str]
) -> None:
    path = tmp_path_factory.mktemp("any") / f"split{ending}"
    before = Split(tuple(names), np.array(codes, dtype=np.int64))
    before.save(path)
    assert Split.load(path).labels().tolist() == before.labels().tolist()


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_split_gives_the_same_bytes(table: pd.DataFrame, tmp_path: Path, ending: str) -> None:
    paths = [tmp_path / f"{i}{ending}" for i in range(2)]
    for path in paths:
        splitleak.split_by_similarity(table, on="text", threshold=0.95, seed=3).save(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_parquet_is_readable_by_others(split: Split, tmp_path: Path) -> None:
    split.save(tmp_path / "split.parquet")
    table = pq.read_table(tmp_path / "split.parquet")
    assert table.column_names == ["row", "partition", "cluster", "row_hash", "class"]
    metadata = json.loads(table.schema.metadata[b"splitleak"])
    assert metadata["provenance"]["options"]["threshold"] == 0.95
    assert pl.read_parquet(tmp_path / "split.parquet")["partition"].to_list() == split.labels().tolist()


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failed_write_leaves_what_was_there(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = tmp_path / "split.parquet"
    split.save(path)
    before = path.read_bytes()

    def fail(table: object, target: Path, **_: object) -> None:
        Path(target).write_bytes(b"half")
        raise error

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(type(error)):
        Split.from_labels(["a", "b"]).save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["split.parquet"]


def test_files_of_others(tmp_path: Path) -> None:
    pd.DataFrame({"partition": ["train", "train", "01", None]}).to_csv(tmp_path / "ordered.csv", index=False)
    split = Split.load(tmp_path / "ordered.csv")
    assert (split.names, split.labels().tolist()) == (("train", "01"), ["train", "train", "01", ""])
    pd.DataFrame({"row": [2, 0, 1], "partition": [1, 0, 0]}).to_parquet(tmp_path / "shuffled.parquet")
    assert Split.load(tmp_path / "shuffled.parquet").labels().tolist() == ["0", "0", "1"]
    (tmp_path / "list.json").write_text('{"partition": ["a", "b", "a"]}')
    assert Split.load(tmp_path / "list.json").sizes == {"a": 2, "b": 1}
    assert "asked" not in repr(split)
    assert split.summary()["certificate"] is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("split.parquet", None, "does not exist"),
        ("split.xlsx", "x", "must end in .parquet or .csv or .json"),
        ("split.parquet", "PAR1", "cannot be read as Parquet: truncated, or not what its ending says"),
        ("split.json", '{"names": [', "cannot be read as JSON"),
        ("split.json", "[1]", "must be a JSON object, got list"),
        ("split.json", '{"partition": "train"}', "must be a list, got str"),
        (
            "split.json",
            '{"partition": ["a"], "cluster": [1, 2]}',
            "'cluster' has 2 entries and 'partition' 1",
        ),
        ("split.json", '{"partition": ["a"], "row_hash": ["x"]}', "is not a split that can be read"),
        (
            "split.json",
            '{"columns": {"partition": ["a"]}, "certificate": {"a": 1}}',
            "is not a split that can be read",
        ),
        ("split.json", '{"columns": {"partition": ["a"]}, "format": 99}', "later version of splitleak"),
        ("split.csv", "row,partition\n0,a\n0,b\n", "'row' must hold each row position from 0 to 1 once"),
        ("split.csv", "row,partitoin\n0,a\n", "no column 'partition'; did you mean 'partitoin'"),
        ("split.csv", "", "cannot be read as CSV"),
        ("split.csv", "row,partition\n0,\n", "names no partition"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        Split.load(tmp_path / name)


def test_truncated_parquet(split: Split, tmp_path: Path) -> None:
    path = tmp_path / "split.parquet"
    split.save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        Split.load(path)


def test_a_missing_file_has_a_near_namesake(split: Split, tmp_path: Path) -> None:
    split.save(tmp_path / "split.parquet")
    with pytest.raises(InputError, match=r"did you mean 'split\.parquet'"):
        Split.load(tmp_path / "splt.parquet")


def test_take_gives_the_callers_own_type(split: Split, table: pd.DataFrame) -> None:
    rows = split["test"]
    found = split.take(table)
    assert list(found) == ["train", "dev", "test"]
    pd.testing.assert_frame_equal(found["test"], table.iloc[rows])
    polars = split.take(pl.from_pandas(table))["test"]
    assert isinstance(polars, pl.DataFrame)
    assert polars["number"].to_list() == rows.tolist()
    assert split.take(pa.Table.from_pandas(table))["test"]["number"].to_pylist() == rows.tolist()
    assert split.take(TEXTS)["test"] == [TEXTS[row] for row in rows]
    vectors = np.arange(80.0).reshape(40, 2)
    assert np.array_equal(split.take(vectors, check=False)["test"], vectors[rows])


def test_take_refuses_other_data(split: Split, table: pd.DataFrame) -> None:
    with pytest.raises(DataMismatchError, match="data has 39 rows and the split was made from 40"):
        split.take(table.iloc[:-1])
    with pytest.raises(
        DataMismatchError, match="no column 'text', which the split was made from; did you mean 'txt'"
    ):
        split.take(table.rename(columns={"text": "txt"}))
    changed = table.copy()
    changed.loc[[7, 9, 11], "text"] = "another"
    with pytest.raises(DataMismatchError, match="row 7 and 2 more have other content"):
        split.take(changed)
    assert len(split.take(changed, check=False)["train"]) == split.sizes["train"]
    with pytest.raises(DataMismatchError, match="in another order .row 0 and 39 more moved"):
        split.take(table.iloc[::-1])


def test_take_of_data_without_columns() -> None:
    split = splitleak.split_by_similarity(TEXTS, threshold=0.95)
    with pytest.raises(DataMismatchError, match="data is a table and the split was made from bare values"):
        split.take(pd.DataFrame({"a": TEXTS, "b": TEXTS}))
    with pytest.raises(DataMismatchError, match="row 0 and 1 more have other content"):
        split.take(["x", "y", *TEXTS[2:]])


def test_a_csv_knows_the_rows_of_a_list(split: Split, table: pd.DataFrame, tmp_path: Path) -> None:
    split.save(tmp_path / "split.csv")
    again = Split.load(tmp_path / "split.csv")
    assert len(again.take(table)["test"]) == split.sizes["test"]
    with pytest.raises(DataMismatchError, match="another order"):
        again.take(TEXTS[::-1])


def test_a_csv_knows_the_rows_of_a_table(split: Split, table: pd.DataFrame, tmp_path: Path) -> None:
    split.save(tmp_path / "split.csv")
    again = Split.load(tmp_path / "split.csv")
    with pytest.raises(DataMismatchError, match="another order .row 0 and 39 more moved"):
        again.take(table.iloc[::-1].reset_index(drop=True))
    changed = table.assign(text=[*TEXTS[:-1], "other"])
    with pytest.raises(DataMismatchError, match="row 39 has other content"):
        again.take(changed)
    assert len(again.take(changed, check=False)["test"]) == split.sizes["test"]
    with pytest.warns(SplitleakWarning, match="only their number was checked"):
        again.take(table.drop(columns="text"))


@pytest.mark.parametrize("on", [None, ["text", "other"]])
def test_a_csv_knows_whole_rows_and_says_where_it_does_not(on: list[str] | None, tmp_path: Path) -> None:
    rows = pd.DataFrame({"text": TEXTS, "other": TEXTS[::-1], "third": range(len(TEXTS))})
    splitleak.split_by_similarity(rows, on=on, similarity="exact").save(tmp_path / "split.csv")
    again = Split.load(tmp_path / "split.csv")
    if on is None:
        again.take(rows)
        with pytest.raises(DataMismatchError, match="row 0 has other content"):
            again.take(rows.assign(third=[-1, *range(1, len(TEXTS))]))
    else:
        with pytest.warns(SplitleakWarning, match="does not say which columns"):
            again.take(rows)


def test_frame(split: Split, table: pd.DataFrame) -> None:
    assert list(split.frame().columns) == ["row", "partition", "cluster"]
    frame = split.frame(table)
    assert frame["text"].tolist() == TEXTS
    assert frame["partition"].tolist() == split.labels().tolist()
    assert split.frame(pl.from_pandas(table))["number"].tolist() == list(range(40))
    with pytest.raises(DataMismatchError, match="data has 3 rows"):
        split.frame(table.head(3))


def test_labels_from_elsewhere() -> None:
    split = Split.from_labels([0.0, 1.0, float("nan"), 0.0])
    assert (split.names, split.labels().tolist()) == (("0", "1"), ["0", "1", "", "0"])
    assert split.summary()["dropped"] == 1
    with pytest.raises(InputError, match="names no partition"):
        Split.from_labels([None, ""])
    with pytest.raises(InputError, match="label 'b', which is not one of names"):
        Split.from_labels(["a", "b"], names=["a"])


def test_summary_is_plain(split: Split) -> None:
    summary = split.summary()
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert [p["asked_rows"] for p in summary["partitions"]] == [32, 4, 4]
    assert summary["clusters"] == {"count": 40, "largest": 1, "largest_share": 1 / 40, "singletons": 40}
    (stratum,) = summary["strata"]
    assert sum(rows[stratum["labels"].index("cat")] for rows in stratum["rows"]) == 10


def test_provenance_is_enough_to_repeat(split: Split, table: pd.DataFrame) -> None:
    assert split.provenance is not None
    options = {k: v for k, v in split.provenance.options.items() if k != "threshold_is_default"}
    assert same(split, replace(splitleak.split_by_similarity(table, **options), provenance=split.provenance))
    assert split.provenance.versions["numpy"] == np.__version__


def test_importing_partition_is_light() -> None:
    code = "import sys, splitleak.partition; assert not {'numba', 'pandas', 'pyarrow', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_labels_are_taken_without_a_check():
    split = Split.from_labels(["train", "test", "train"])
    labels = [True, False, False]
    assert split.take(labels, check=False) == {"train": [True, False], "test": [False]}
    assert split.take(np.array(labels), check=False)["train"].tolist() == [True, False]
    series = pd.Series(labels, index=list("abc"))
    assert split.take(series, check=False)["train"].index.tolist() == ["a", "c"]
    with pytest.raises(DataMismatchError, match="data has 2 rows and the split was made from 3"):
        split.take(labels[:2], check=False)


def test_frame_shows_columns_of_several_kinds() -> None:
    mixed = pd.DataFrame({"text": [f"text {i}" for i in range(4)], 7: [1, "x", None, 2.5]}, dtype=object)
    made = Split.from_labels(["train", "train", "test", "train"])
    for data in (mixed, mixed.to_dict("list")):
        frame = made.frame(data)
        assert frame["7"].tolist()[:2] == [1, "x"]
        assert frame["text"].tolist() == mixed["text"].tolist()


def test_take_knows_whole_rows_and_missing_texts_again() -> None:
    table = pd.DataFrame({"a": [f"x {i}" for i in range(40)], "b": [f"y {i % 7}" for i in range(40)]})
    whole = splitleak.split_by_similarity(table, similarity="exact", sizes=[0.8, 0.2])
    assert len(whole.take(table)) == 2
    assert splitleak.certify(table, whole) == whole.certificate
    table.loc[3, "a"] = None
    for missing in ("equal", "distinct"):
        made = splitleak.split_by_similarity(table, on="a", missing=missing, sizes=[0.8, 0.2])
        assert len(made.take(table)) == 2
        assert splitleak.certify(table, made) == made.certificate
