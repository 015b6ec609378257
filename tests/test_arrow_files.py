"""Arrow IPC files and folders of Parquet parts are tables like any other."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import splitleak
from splitleak._tables import open_source
from splitleak.errors import InputError

DF = pd.DataFrame(
    {"text": [f"row {i}" for i in range(60)], "y": np.arange(60) % 2, "day": ["mon", "tue", "wed"] * 20}
)


def _stream(path: Path) -> None:
    table = pa.Table.from_pandas(DF)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as out:
        out.write_table(table)


def test_arrow_files_and_streams_are_read(tmp_path: Path) -> None:
    DF.to_feather(tmp_path / "a.feather")
    _stream(tmp_path / "b.arrow")
    for name in ("a.feather", "b.arrow"):
        source = open_source(tmp_path / name)
        assert source.column_names == ("text", "y", "day")
        assert source.column("text").to_pylist() == DF["text"].tolist()
        assert source.take(np.array([3, 1]))["text"].to_pylist() == ["row 3", "row 1"]


def test_what_is_no_arrow_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.feather").write_bytes(b"ARROW1 and then nothing of the kind")
    (tmp_path / "b.arrow").write_bytes(b"no stream")
    for name in ("a.feather", "b.arrow"):
        with pytest.raises(InputError, match="no Arrow IPC"):
            open_source(tmp_path / name)


def test_parquet_parts_are_one_table_in_the_order_of_their_names(tmp_path: Path) -> None:
    for i in (2, 0, 1):
        DF[20 * i : 20 * i + 20].to_parquet(tmp_path / f"part-{i}.parquet", index=False)
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "_metadata.parquet").write_bytes(b"no part")
    source = open_source(tmp_path)
    assert source.n_rows == 60
    assert source.column("y").to_pylist() == DF["y"].tolist()
    assert source.take(np.array([59, 20]))["text"].to_pylist() == ["row 59", "row 20"]
    whole = splitleak.split_by_similarity(DF, on="text", threshold=0.9)
    parts = splitleak.split_by_similarity(tmp_path, on="text", threshold=0.9)
    assert list(parts.labels()) == list(whole.labels())


def test_folders_that_name_a_value_are_a_column(tmp_path: Path) -> None:
    DF.to_parquet(tmp_path / "table", partition_cols=["day"], index=False)
    source = open_source(tmp_path / "table")
    assert set(source.column_names) == {"text", "y", "day"}
    days = dict(zip(source.column("text").to_pylist(), source.column("day").to_pylist(), strict=True))
    assert days == dict(zip(DF["text"], DF["day"], strict=True))


def test_parts_that_are_partitions_are_not_joined(tmp_path: Path) -> None:
    DF[:40].to_parquet(tmp_path / "train-00000-of-00001.parquet", index=False)
    DF[40:].to_parquet(tmp_path / "test-00000-of-00001.parquet", index=False)
    with pytest.raises(
        InputError, match="named after partitions \\('test', 'train'\\); hand them over apart"
    ):
        open_source(tmp_path)


def test_parts_that_cannot_be_one_table_are_refused(tmp_path: Path) -> None:
    DF.to_parquet(tmp_path / "a.parquet", index=False)
    (tmp_path / "b.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(InputError, match="cannot be read as one table"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xlsx", "pandas.read_excel"),
        ("a.zip", "unpack it first"),
        ("a.json", "read_json"),
        ("a.pkl", "a pickle runs"),
    ],
)
def test_files_of_other_kinds_are_refused_with_a_way_out(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=message):
        open_source(tmp_path / name)
