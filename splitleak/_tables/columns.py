"""Arrow columns as flat buffers: what a column holds, texts as bytes and offsets, numbers as a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from splitleak._tables.images import is_image_struct
from splitleak._tables.source import list_rows
from splitleak.errors import InputError

Role = Literal["text", "number", "vector", "image", "value", "nested"]
SEPARATOR = "\x1f"  # between the texts of several columns: the unit separator of ASCII
# by name: early versions of pyarrow have no test for them
_VIEWS = {"string_view": pa.large_string(), "binary_view": pa.large_binary()}
_EXACT_INTEGERS = 2**53  # beyond, neighbouring whole numbers are one float64


def role_of(kind: Any) -> Role:
    """Return what a column of this Arrow type holds; "value": dates, bytes, decimals, nothing."""
    if isinstance(kind, pa.BaseExtensionType):
        role = role_of(kind.storage_type)
        # the periods of pandas are dates that are stored as numbers
        return "value" if role == "number" and kind.extension_name.startswith("pandas.") else role
    if pa.types.is_dictionary(kind):
        return role_of(kind.value_type)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view":
        return "text"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return "number"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        kind = kind.value_type
        return "vector" if role_of(kind) == "number" and not _is_wrapped(kind) else "nested"
    if is_image_struct(kind):
        return "image"
    if pa.types.is_nested(kind) or pa.types.is_run_end_encoded(kind):
        return "nested"
    return "value"


def _is_wrapped(kind: Any) -> bool:
    return isinstance(kind, pa.BaseExtensionType) or pa.types.is_dictionary(kind)


def plain(column: Any) -> Any:
    """Return a column without extension types, dictionaries and views; the values stay."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        chunks = [chunk.storage for chunk in column.chunks]
        return plain(pa.chunked_array(chunks, type=kind.storage_type))
    if pa.types.is_dictionary(kind):
        return column.cast(pa.large_string() if role_of(kind) == "text" else kind.value_type)
    if str(kind) in _VIEWS:
        return column.cast(_VIEWS[str(kind)])
    return column


def null_mask(column: Any) -> NDArray[np.bool_] | None:
    """Return which rows are null, or None when none is."""
    if column.null_count == 0:
        return None
    return np.asarray(pc.is_null(column).combine_chunks().to_numpy(zero_copy_only=False), dtype=bool)


def joined(columns: Sequence[Any]) -> Any:
    """Return one column of texts: those of several joined by U+001F, null as empty text."""
    if len(columns) == 1:
        return plain(columns[0])
    large = [plain(column).cast(pa.large_string()) for column in columns]
    text = pc.binary_join_element_wise(
        *large, pa.scalar(SEPARATOR, pa.large_string()), null_handling="replace", null_replacement=""
    )
    return text if isinstance(text, pa.ChunkedArray) else pa.chunked_array([text])


def flat_bytes(column: Any, what: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return ``(buffer, offsets)`` of a column of texts or bytes; null is empty.

    Both are copies: Arrow's memory is read-only, for which the kernels would be compiled once more.
    """
    parts, lengths = [], []
    for chunk in column.chunks:
        try:
            chunk.validate(full=True)  # kernels decode UTF-8 without bounds of their own
        except pa.ArrowInvalid as error:
            raise InputError(f"{what} must hold texts in UTF-8, and does not: {error}") from error
        filled = chunk.fill_null("" if role_of(chunk.type) == "text" else b"") if chunk.null_count else chunk
        wide = pa.types.is_large_string(filled.type) or pa.types.is_large_binary(filled.type)
        _, places, data = filled.buffers()
        n, start = len(filled), filled.offset
        if n == 0:
            continue
        width = np.int64 if wide else np.int32
        ends = np.frombuffer(places, dtype=width)[start : start + n + 1]
        lengths.append(np.diff(ends).astype(np.int64))
        if data is not None:
            parts.append(np.frombuffer(data, dtype=np.uint8)[int(ends[0]) : int(ends[-1])])
    offsets = np.zeros(sum(map(len, lengths)) + 1, dtype=np.int64)
    if lengths:
        np.cumsum(np.concatenate(lengths), out=offsets[1:])
    buffer = np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint8)
    return buffer, offsets


def take_bytes(
    buffer: NDArray[np.uint8], offsets: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the flat bytes of the given rows, in that order."""
    array = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(buffer)]
    )
    return flat_bytes(pa.chunked_array([array.take(pa.array(rows))]), "text")


def fits_vector(column: Any) -> bool:
    """Return whether float64 tells every whole number of a column apart."""
    kind = column.type
    if not pa.types.is_integer(kind) or kind.bit_width < 64:
        return True
    bounds = pc.min_max(column).as_py()
    return all(bound is None or abs(bound) <= _EXACT_INTEGERS for bound in bounds.values())


def number_matrix(columns: Sequence[Any]) -> NDArray[Any]:
    """Return columns of numbers side by side: float32 when all are that (or narrower), else float64; null is NaN."""
    narrow = all(pa.types.is_floating(c.type) and c.type.bit_width <= 32 for c in columns)
    dtype = np.dtype(np.float32 if narrow else np.float64)
    matrix = np.empty((len(columns[0]), len(columns)), dtype=dtype)
    for i, column in enumerate(columns):
        matrix[:, i] = _floats(column, dtype)
    return matrix


def _floats(column: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    parts = []
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        if pa.types.is_boolean(chunk.type):
            chunk = chunk.cast(pa.uint8())
        mask = null_mask(pa.chunked_array([chunk]))
        if mask is not None:
            chunk = chunk.fill_null(0.0 if pa.types.is_floating(chunk.type) else 0)
        values = chunk.to_numpy(zero_copy_only=False).astype(dtype, copy=mask is not None)
        if mask is not None:
            values[mask] = np.nan
        parts.append(values)
    if len(parts) == 1:
        return np.asarray(parts[0])
    return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)


def list_matrix(column: Any, name: str) -> NDArray[Any]:
    """Return a column of equally long lists of numbers as a matrix; a null list is a row of NaN.

    Raises
    ------
    InputError
        Lists of several lengths, or only null and empty lists.
    """
    column = plain(column)
    lengths = pc.list_value_length(column).combine_chunks()
    present = np.asarray(pc.is_valid(lengths).to_numpy(zero_copy_only=False), dtype=bool)
    known = lengths.fill_null(-1).to_numpy(zero_copy_only=False)
    if not present.any() or known.max() < 1:
        raise InputError(f"{name} must hold lists of numbers, and all of them are empty or missing")
    # the length that most rows have is the rule; of two as frequent, the longer
    sizes, counts = np.unique(known[present], return_counts=True)
    width = int(sizes[::-1][np.argmax(counts[::-1])])
    other = np.flatnonzero(present & (known != width))
    if len(other):
        raise InputError(
            f"{name} must hold lists of one length ({width} numbers in most rows); {len(other):,}"
            f" {'row has' if len(other) == 1 else 'rows have'} another: {list_rows(other)} (row {other[0]}:"
            f" {known[other[0]]} number{'' if known[other[0]] == 1 else 's'}); pad, cut or drop them"
        )
    kind = column.type.value_type
    narrow = pa.types.is_floating(kind) and kind.bit_width <= 32
    dtype = np.dtype(np.float32 if narrow else np.float64)
    matrix = np.empty((len(column), width), dtype=dtype)
    row = 0
    for chunk in column.chunks:
        block = matrix[row : row + len(chunk)]
        here: Any = slice(None)
        if chunk.null_count:
            here = present[row : row + len(chunk)]
            block[:] = np.nan
            chunk = chunk.drop_null()  # the slot of a null list may hold numbers
        block[here] = _floats(chunk.flatten(), dtype).reshape(-1, width)
        row += len(chunk)
    return matrix


def missing_vectors(matrix: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Return which rows hold NaN, or None when none does."""
    with np.errstate(over="ignore", invalid="ignore"):
        suspects = np.flatnonzero(np.isnan(matrix.sum(axis=1)))  # inf - inf is NaN, too
    if not len(suspects):
        return None
    mask = np.zeros(len(matrix), dtype=bool)
    mask[suspects] = np.isnan(matrix[suspects]).any(axis=1)
    return mask if mask.any() else None
