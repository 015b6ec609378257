"""Arrow IPC files (Feather, and what Hugging Face keeps), and folders of Parquet parts as engines write them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from splitleak._tables.arrays import arrow_column
from splitleak._tables.source import Source, check_names, check_rows, list_names
from splitleak.errors import InputError

ENDINGS = (".arrow", ".feather", ".ipc")
_PARTITIONS = frozenset({"train", "test", "dev", "valid", "validation", "val", "eval"})


def read_arrow(path: Path) -> pa.Table:
    """Return the table of an Arrow IPC file, in the format of files or of streams.

    Raises
    ------
    InputError
        What is neither.
    """
    try:
        with pa.memory_map(str(path)) as file:
            try:
                return pa.ipc.open_file(file).read_all()
            except pa.ArrowInvalid:
                file.seek(0)
                return pa.ipc.open_stream(file).read_all()
    except pa.ArrowException as error:
        raise InputError(
            f"data={str(path)!r} is no Arrow IPC (Feather) file that can be read: {error}; write it again"
        ) from error


def parquet_parts(folder: Path) -> list[Path]:
    """Return the Parquet files below a folder in the order of their names; hidden ones and ``_metadata`` are none."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        found += [Path(place, n) for n in names if n.lower().endswith(".parquet") and n[0] not in "._"]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def open_parquet_parts(folder: Path, parts: list[Path]) -> Source:
    """Open Parquet files as one table, the parts one below the other; ``name=value`` folders are columns.

    Raises
    ------
    InputError
        Files that are named after partitions, that differ in their columns, or cannot be read.
    """
    import pyarrow.dataset as ds

    origin = f"folder {folder.resolve().name} of {len(parts)} Parquet files"
    _check_no_partitions(folder, parts)
    read = _guarded(folder)
    dataset = read(
        lambda: ds.dataset([str(p) for p in parts], format="parquet", partitioning=_hive(ds, folder, parts))
    )
    names = check_names(dataset.schema.names, origin)
    n_rows = check_rows(read(dataset.count_rows), origin)

    def column(name: str) -> Any:
        table = read(lambda: dataset.to_table(columns={name: ds.field(name)}))
        return arrow_column(table.column(name), f"column {name!r}")

    return Source(
        n_rows,
        names,
        origin,
        read=column,
        select=lambda rows: read(dataset.to_table).take(pa.array(rows)),
        types=lambda name: dataset.schema.field(names.index(name)).type,
        base=folder,
    )


def _hive(ds: Any, folder: Path, parts: list[Path]) -> Any:
    inside = [part.relative_to(folder).parts[:-1] for part in parts]
    return ds.partitioning(flavor="hive") if any("=" in name for names in inside for name in names) else None


def _check_no_partitions(folder: Path, parts: list[Path]) -> None:
    first = {part.relative_to(folder).as_posix().lower().replace("/", "-").split("-")[0] for part in parts}
    named = sorted(
        {name.removesuffix(".parquet").split(".")[0].split("_")[0] for name in first} & _PARTITIONS
    )
    if len(named) > 1:
        raise InputError(
            f"data={str(folder)!r} is a folder whose Parquet files are named after partitions ({list_names(named)});"
            " hand them over apart, one path for each"
        )


def _guarded(folder: Path) -> Callable[[Callable[[], Any]], Any]:
    def guarded(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"data={str(folder)!r} holds Parquet files that cannot be read as one table: {error}; write them again,"
                " or give one of them"
            ) from error

    return guarded
