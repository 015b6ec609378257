"""Bare values: lists, Series and arrays of texts, 2-D arrays, sparse rows; and columns of such kinds as Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._tables.images import Images, is_image_item, list_images
from splitleak._tables.source import Source, check_rows
from splitleak.errors import InputError


def _no_column(name: str) -> Any:
    raise AssertionError(f"bare values have no column {name!r}")


def open_values(data: Any, values: Any, origin: str) -> Source:
    """Return the source of a bare sequence, given its values as a ChunkedArray."""
    n_rows = check_rows(len(values), origin)
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        raise InputError(
            f"data ({origin}) holds one number a row; give texts, a 2-D array (rows x features), or a table with"
            " on= naming the column"
        )
    return Source(
        n_rows, (), origin, read=_no_column, select=lambda rows: take_values(data, rows), bare=values
    )


def open_sequence(data: Sequence[Any], origin: str) -> Source:
    """Open a list or tuple, of texts, of equally long lists of numbers, or of images."""
    check_rows(len(data), origin)
    if is_image_item(next((value for value in data if value is not None), None)):
        return _open_images(data, list_images(data), origin)
    if isinstance(data[0], (set, frozenset)):
        raise InputError(f"data is a {origin} of sets, whose values have no order; join each to one text")
    if isinstance(data[0], dict):
        raise InputError(
            f"data is a {origin} of dicts; give a table: pandas.DataFrame(data), pyarrow.Table.from_pylist(data),"
            " or a dict of columns"
        )
    return open_values(data, arrow_column(data, "data"), origin)


def _open_images(data: Any, images: Images, origin: str) -> Source:
    return Source(
        len(images), (), origin, read=_no_column, select=lambda rows: take_values(data, rows), bare=images
    )


def open_array(data: NDArray[Any], origin: str) -> Source:
    """Open a 2-D array of numbers, a 1-D array of texts, or a stack of images (3-D or 4-D)."""
    if isinstance(data, np.ma.MaskedArray):
        raise InputError("data is a masked array; fill the masked values first: data.filled(...)")
    if data.dtype.names is not None:
        raise InputError("data is a structured NumPy array; give a table: pandas.DataFrame(data)")
    if data.ndim == 1 and data.dtype.kind in "UOT":
        check_rows(len(data), origin)
        return open_values(data, arrow_column(data, "data"), origin)
    if data.ndim in (3, 4) and data.dtype.kind in "biuf":
        check_rows(len(data), origin)
        return _open_images(data, Images(list(data), [f"row {row}" for row in range(len(data))]), origin)
    if data.ndim != 2 or data.dtype.kind not in "biuf":
        raise InputError(
            "data as a NumPy array must be 1-D of texts, 2-D of real numbers (rows x features) or a stack of images;"
            f" got {data.dtype} of shape {data.shape}; reshape it, e.g. data.reshape(len(data), -1)"
        )
    check_rows(len(data), origin)
    _check_features(data.shape[1], origin)
    return Source(
        len(data), (), origin, read=_no_column, select=lambda rows: data[rows], bare=np.asarray(data)
    )


def open_sparse(data: Any, origin: str) -> Source:
    """Open a scipy sparse matrix or array."""
    if data.ndim != 2 or data.dtype.kind not in "biuf":
        raise InputError(
            f"data as a sparse array must be 2-D of real numbers (rows x features), got {data.dtype} of shape"
            f" {data.shape}"
        )
    check_rows(data.shape[0], origin)
    _check_features(data.shape[1], origin)

    def select(rows: NDArray[np.int64]) -> Any:
        return data.tocsr()[rows].asformat(data.format)

    return Source(data.shape[0], (), origin, read=_no_column, select=select, bare=data)


def _check_features(n_features: int, origin: str) -> None:
    if n_features < 1:
        raise InputError(f"data ({origin}) has rows without features; give at least one column")


def take_values(values: Any, rows: NDArray[np.int64]) -> Any:
    """Return the given positions of a list, tuple, array, Series or Arrow array, in its own type."""
    if isinstance(values, (list, tuple)):
        return type(values)(values[row] for row in rows.tolist())
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values.take(pa.array(rows))
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    return values[rows]


def only_column(values: Any) -> Any:
    """Return the column of a table that has one, as `df[["y"]]`, or of an array of shape (n_rows, 1)."""
    shape: tuple[int, ...] = getattr(values, "shape", ())
    if len(shape) != 2 or shape[1] != 1:
        return values
    if hasattr(values, "iloc"):
        return values.iloc[:, 0]
    if isinstance(values, np.ndarray):
        return values[:, 0]
    return values[values.columns[0]] if hasattr(values, "columns") else values


def arrow_column(values: Any, what: str) -> Any:
    """Return values of any kind as a pyarrow ChunkedArray.

    NaN and None in pandas objects and in Python sequences become null; in NumPy float arrays NaN stays NaN.

    Raises
    ------
    InputError
        Values that no one Arrow type holds (mixed types, lone surrogates); `what` is named in the message.
    """
    try:
        array = _to_arrow(values)
    except UnicodeEncodeError as error:
        row = _first_surrogate(values)
        raise InputError(
            f"{what} must hold texts that UTF-8 can write; row {row} has a lone surrogate ({error.reason}): repair"
            " it, e.g. text.encode('utf-8', 'replace').decode()"
        ) from error
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{what} must hold values of one kind, and they cannot be read as one Arrow column: {error}; make"
            " them one type, e.g. text by str()"
        ) from error
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _to_arrow(values: Any) -> Any:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if isinstance(values, np.ndarray):
        return _array_to_arrow(values)
    if isinstance(values, (list, tuple)):
        first = next((value for value in values if value is not None), None)
        # 64-bit offsets, and no pass over the values to infer their type
        kind = pa.large_string() if isinstance(first, str) else None
        return pa.array(values, type=kind, from_pandas=True)
    if hasattr(values, "to_arrow"):
        return values.to_arrow()
    if _holds_intervals(values):  # of pandas (cut, qcut); Arrow has none
        return pa.array([str(value) if value == value else None for value in values], type=pa.large_string())
    if str(getattr(values, "dtype", "")).startswith("Sparse"):  # pandas; pyarrow does not know it
        return pa.array(np.asarray(values), from_pandas=True)
    return pa.array(values, from_pandas=True)


def _holds_intervals(values: Any) -> bool:
    kind = getattr(values, "dtype", None)
    kinds = (kind, getattr(getattr(kind, "categories", None), "dtype", None))
    return any(str(each).startswith("interval[") for each in kinds)


def _array_to_arrow(values: NDArray[Any]) -> Any:
    if values.dtype.kind in "UT":
        return pa.array(values.tolist(), type=pa.large_string(), from_pandas=True)
    if values.dtype.kind == "O":
        return _to_arrow(values.tolist()) if values.ndim == 1 else pa.array(values)
    if values.ndim == 2:
        flat = np.ascontiguousarray(values).reshape(-1)
        return pa.FixedSizeListArray.from_arrays(pa.array(flat), values.shape[1])
    return pa.array(values)


def _first_surrogate(values: Any) -> int:
    for row, value in enumerate(values):
        try:
            str(value).encode()
        except UnicodeEncodeError:
            return row
    return -1
