"""Tables in memory: pandas, polars and others by narwhals; Arrow; Hugging Face; dicts of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._tables.arrays import arrow_column, open_values, take_values
from splitleak._tables.source import Source, check_names, check_rows, list_names
from splitleak.errors import InputError


def open_frame(data: Any, origin: str) -> Source | None:
    """Open a table of any library, or return None when it is none."""
    if isinstance(data, (pa.Table, pa.RecordBatch)):
        return from_arrow(data, origin, select=lambda rows: data.take(pa.array(rows)))
    if isinstance(data, (pa.Array, pa.ChunkedArray)):
        return open_values(data, arrow_column(data, "data"), origin)
    found = _open_native(data, origin)
    if found is not None:
        return found
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        table = _import_stream(data, origin)
        return from_arrow(table, origin, select=lambda rows: table.take(pa.array(rows)))
    return None


def from_arrow(table: Any, origin: str, *, select: Any) -> Source:
    """Return the source of a pyarrow Table or RecordBatch."""
    schema = table.schema
    names = check_names(schema.names, origin)
    n_rows = check_rows(table.num_rows, origin)
    return Source(
        n_rows,
        names,
        origin,
        read=lambda name: arrow_column(table.column(names.index(name)), f"column {name!r}"),
        select=select,
        types=lambda name: schema.field(names.index(name)).type,
    )


def _import_stream(data: Any, origin: str) -> Any:
    try:
        return pa.table(data)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(f"data ({origin}) cannot be read as an Arrow table: {error}") from error


def _open_native(data: Any, origin: str) -> Source | None:
    import narwhals as nw

    # narwhals refuses repeated names with words of its own: ours first
    if nw.dependencies.is_into_dataframe(data) and hasattr(data, "columns"):
        check_names((str(label) for label in data.columns), origin)
    frame: Any = nw.from_native(data, pass_through=True, allow_series=True)
    if isinstance(frame, nw.LazyFrame):
        if hasattr(data, "__arrow_c_stream__") and not nw.dependencies.is_polars_lazyframe(data):
            return None
        raise InputError(f"data is lazy ({origin}), and rows need positions: call .collect() on it first")
    if isinstance(frame, nw.Series):
        return open_values(data, _series_to_arrow(frame, "data"), origin)
    if not isinstance(frame, nw.DataFrame):
        return None
    names = check_names((str(name) for name in frame.columns), origin)

    place = {name: i for i, name in enumerate(names)}

    def read(name: str) -> Any:
        if frame.implementation.is_pandas():  # narwhals lists all labels for each column: thousands take long
            return arrow_column(frame.to_native().iloc[:, place[name]], f"column {name!r}")
        return _series_to_arrow(frame[:, place[name]], f"column {name!r}")

    def select(rows: NDArray[np.int64]) -> Any:
        return frame[rows].to_native()

    return Source(check_rows(len(frame), origin), names, origin, read=read, select=select)


def _series_to_arrow(series: Any, what: str) -> Any:
    native = series.to_native()
    # pandas keeps missing values as NaN: pyarrow's own conversion knows its marks
    if series.implementation.is_pandas_like():
        return arrow_column(native, what)
    if str(series.dtype) == "Object":  # polars hands out the addresses of such values
        raise InputError(f"{what} holds Python objects, which cannot be compared; make it text or numbers")
    try:
        return arrow_column(series.to_arrow(), what)
    except pa.ArrowException as error:
        raise InputError(
            f"{what} ({series.dtype}) is of a kind that Arrow does not read: {error}; cast it"
        ) from error


def open_mapping(data: Mapping[Any, Any], origin: str) -> Source:
    """Open a dict of columns."""
    if not data:
        raise InputError(f"data ({origin}) has no columns; give a dict of column name to values")
    names = check_names((str(name) for name in data), origin)
    values = dict(zip(names, data.values(), strict=True))
    for name, column in values.items():
        if (
            isinstance(column, (str, bytes, Mapping))
            or not hasattr(column, "__len__")
            or hasattr(column, "columns")
        ):
            raise InputError(
                f"data is a dict, and must hold one column (list, array, Series) under each name; {name!r} holds"
                f" {type(column).__name__}; of several tables pass one: data[{name!r}]"
            )
    lengths = {name: len(column) for name, column in values.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r}: {length}" for name, length in list(lengths.items())[:10])
        raise InputError(f"data is a dict of columns, and they must have one length; got {told}")

    def select(rows: NDArray[np.int64]) -> dict[Any, Any]:
        return {name: take_values(column, rows) for name, column in data.items()}

    return Source(
        check_rows(next(iter(lengths.values())), origin),
        names,
        f"{origin} of columns",
        read=lambda name: arrow_column(values[name], f"column {name!r}"),
        select=select,
    )


def is_hugging_face(data: Any) -> bool:
    """Return whether this is an object of the Hugging Face library ``datasets``."""
    return bool(_hugging_face_bases(data))


def _hugging_face_bases(data: Any) -> set[str]:
    # only the library's own: torch has a Dataset, too, and an IterableDataset is one of those
    return {base.__name__ for base in type(data).__mro__ if base.__module__.partition(".")[0] == "datasets"}


def open_hugging_face(data: Any, origin: str) -> Source:
    """Open a Hugging Face Dataset."""
    if "Dataset" not in _hugging_face_bases(data):
        if isinstance(data, Mapping):
            keys = [str(key) for key in data]
            example = f": data[{keys[0]!r}]" if keys else ""
            raise InputError(
                f"data is a {origin} with the keys {list_names(keys)}; one table is split at a time: pass one"
                f" of them{example} (or join them with datasets.concatenate_datasets)"
            )
        raise InputError(f"data is a {origin}, and rows need positions: load it as a datasets.Dataset first")
    names = check_names((str(name) for name in data.column_names), origin)
    n_rows = check_rows(len(data), origin)
    schema = data.features.arrow_schema

    def read(name: str) -> Any:
        # by the library itself: a Dataset may be a selection of rows of its table
        table = data.select_columns([name]).with_format("arrow")[:]
        return arrow_column(table.column(0), f"column {name!r}")

    return Source(
        n_rows,
        names,
        origin,
        read=read,
        select=lambda rows: data.select(rows),
        types=lambda n: schema.field(n).type,
    )
