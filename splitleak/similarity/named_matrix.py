"""Matrices of named rows: square tables in files (TSV, CSV, Parquet, NPY), and condensed ones."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import numpy as np

from splitleak.errors import InputError


def read_matrix(
    matrix: Any, labels: Sequence[Any] | None, *, condensed: bool
) -> tuple[Any, list[str] | None]:
    """Return a square matrix and the names of its rows (None: it has none).

    Parameters
    ----------
    matrix : path, frame or array
        TSV or CSV: names in the first line and the first column. Parquet: the columns of numbers, and at most one of
        names. NPY, array: numbers alone. A frame: index and columns are its names.
    labels : sequence or None
        Names of the rows, in their order.
    condensed : bool
        A vector of the n (n - 1) / 2 pairs above the diagonal, row after row, as SciPy's pdist returns it.

    Raises
    ------
    InputError
        A file that cannot be read, columns named otherwise than rows, labels of another number.
    """
    names: list[Any] | None = None
    what = f"matrix {Path(matrix).name!r}" if isinstance(matrix, (str, Path)) else "the matrix"
    values = matrix
    if isinstance(matrix, (str, Path)):
        values, names = _from_file(Path(matrix), what)
    elif hasattr(matrix, "columns") and hasattr(matrix, "index"):
        values, names = matrix.to_numpy(), list(matrix.index)
        check_same_names(list(matrix.columns), names, what)
    if condensed:
        values = _square(np.asarray(values), what)
    if labels is not None:
        names = list(labels)
    if names is not None and len(names) != values.shape[0]:
        raise InputError(
            f"{what} has {values.shape[0]} rows, and labels {len(names)} names; give one for each"
        )
    if names is not None and len(set(map(str, names))) != len(names):
        raise InputError(f"{what} has a name twice among its labels; names must differ")
    return values, None if names is None else [str(name) for name in names]


def _from_file(path: Path, what: str) -> tuple[Any, list[Any] | None]:
    if not path.is_file():
        raise InputError(f"precomputed: {str(path)!r}: no such file")
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    try:
        if ending == "npy":
            return np.load(path, allow_pickle=False), None
        if ending == "npz":
            from scipy import sparse

            return sparse.load_npz(path), None
        if ending == "parquet":
            return _from_columns(_parquet(path), what)
        if ending in ("tsv", "csv", "txt", "mat", "dist"):
            return _from_text(path, "," if ending == "csv" else "\t", what)
    except (ValueError, OSError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{what} is not a matrix file that can be read: {error}") from error
    raise InputError(
        f"{what} has an ending that no matrix has (.tsv, .csv, .parquet, .npy, .npz); of hits say the format:"
        ' precomputed(path, format="m8")'
    )


def check_same_names(columns: list[Any], rows: list[Any], what: str) -> None:
    """Raise where the columns of a matrix are called otherwise than its rows, or stand in another order."""
    if columns == rows:
        return
    if len(columns) != len(rows):
        raise InputError(f"{what} must be square, and has {len(rows):,} rows with {len(columns):,} columns")
    at = next(i for i, (a, b) in enumerate(zip(columns, rows, strict=True)) if a != b)
    same = sorted(map(str, columns)) == sorted(map(str, rows))
    raise InputError(
        f"{what} has {'its columns in another order than its rows' if same else 'columns named otherwise than rows'}:"
        f" column {at} is {columns[at]!r}, row {at} {rows[at]!r}"
        f"{'; put them in one order, matrix.loc[names, names]' if same else ''}"
    )


def _from_text(path: Path, separator: str, what: str) -> tuple[Any, list[Any]]:
    import pandas as pd

    # names stay texts: "007" is not 7, and "NA" is a name
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        header, first = islice(chain(csv.reader(file, delimiter=separator), repeat([], 2)), 2)
    if len(first) == len(header) + 1 and first[-1]:
        header = ["", *header]  # as R writes it: nothing stands above the names of the rows
    # else rows may end with a separator that the header lacks
    frame = pd.read_csv(
        path, sep=separator, header=0, names=header, usecols=range(len(header)), index_col=0, dtype={0: str},
        keep_default_na=False, na_values=[""],
    )  # fmt: skip
    frame.index = frame.index.astype(str)
    for name in frame.columns[[kind.kind not in "fiub" for kind in frame.dtypes]]:
        bad = np.flatnonzero(pd.to_numeric(frame[name], errors="coerce").isna() & frame[name].notna())
        if len(bad):
            raise InputError(
                f"{what} must hold numbers, and row {frame.index[bad[0]]!r} has {frame[name].iloc[bad[0]]!r} in column"
                f" {name!r}"
            )
    check_same_names(header[1:], list(frame.index), what)
    return frame.to_numpy(), list(frame.index)


def _parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(path)


def _from_columns(table: Any, what: str) -> tuple[Any, list[Any]]:
    import pyarrow as pa

    numeric = [
        field.name
        for field in table.schema
        if pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
    ]
    others = [name for name in table.column_names if name not in numeric]
    if len(others) > 1:
        raise InputError(
            f"{what} has {len(others)} columns that are not numeric ({', '.join(others)}); one may hold names"
        )
    names = table.column(others[0]).to_pylist() if others else numeric
    if sorted(map(str, names)) != sorted(numeric):
        raise InputError(
            f"{what} has other labels on its columns than in {others[0] if others else 'its rows'}"
        )
    by_row = [str(name) for name in names]
    values = np.column_stack([table.column(name).to_numpy() for name in by_row])
    return values, by_row


def _square(values: Any, what: str) -> Any:
    from scipy.spatial.distance import squareform

    if values.ndim != 1:
        raise InputError(f'{what} must be a vector with format="condensed", got shape {values.shape}')
    try:
        return squareform(values, checks=False)
    except ValueError as error:
        raise InputError(
            f"{what}: {len(values)} numbers are not the n (n - 1) / 2 pairs of n rows"
        ) from error
