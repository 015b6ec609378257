"""64-bit hashes of the rows of an Arrow table, the same for equal values of any width, library and machine.

Numbers hash by value (an int32 7, a float64 7.0 and True as 1 are equal; -0.0 is 0.0; all NaN are one), texts by
their UTF-8 bytes (a category is its text), dates and times by their instant in seconds and nanoseconds (a date is
its midnight; with a time zone in UTC, without one as written). Null differs from NaN and from the empty text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._tables.columns import flat_bytes, null_mask, plain, role_of
from splitleak.errors import InputError
from splitleak.kernels.hashing import finish, hash_bytes, mix, number_words, placed

Words = NDArray[np.uint64]

# what a value is: so that the text "7", the number 7 and the bytes b"7" differ
_NUMBER, _TEXT, _BYTES, _INSTANT, _SPAN, _LONG_INTEGER = (np.uint64(tag) for tag in range(1, 7))
NULL = np.uint64(0xA0761D6478BD642F)
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def table_hashes(table: Any) -> Words:
    """Return the hash of each row over all columns, in their order; column names do not count.

    Raises
    ------
    InputError
        A column of nested values.
    """
    named = enumerate(table.column_names)
    return row_hashes_of([column_hashes(table.column(i), f"column {name!r}") for i, name in named])


def row_hashes_of(columns: Sequence[Words]) -> Words:
    """Return one hash for each row of the hashes of its values, in their order."""
    sums = np.zeros(len(columns[0]), dtype=np.uint64)
    for i, values in enumerate(columns):
        sums += placed(values, np.full(len(values), i))
    return finish(sums, np.full(len(sums), len(columns)))


def column_hashes(column: Any, what: str) -> Words:
    """Return the hash of each value of a column."""
    missing = null_mask(column)
    hashes = _hashes(plain(column), what)
    if missing is not None:
        hashes[missing] = NULL
    return hashes


def _hashes(column: Any, what: str) -> Words:
    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), NULL)
    if role_of(kind) == "text":
        return _tagged(hash_bytes(*flat_bytes(column, what)), _TEXT)
    if pa.types.is_integer(kind):
        return _integer_hashes(column)
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
        kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return _tagged(number_words(_numbers(column)), _NUMBER)
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return _time_hashes(column)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _tagged(hash_bytes(*flat_bytes(column.cast(pa.large_binary()), what)), _BYTES)
    raise InputError(f"{what} holds {kind} values, which cannot be compared; leave it out or make it text")


def _tagged(words: Words, tag: np.uint64) -> Words:
    return mix(words + mix(np.array([tag])))


def _numbers(column: Any) -> NDArray[Any]:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    if column.null_count:
        column = column.fill_null(0.0 if pa.types.is_floating(column.type) else 0)
    return np.asarray(column.to_numpy())


def _integer_hashes(column: Any) -> Words:
    values = _numbers(column)
    as_float = values.astype(np.float64)
    hashes = _tagged(number_words(as_float), _NUMBER)
    if values.dtype.itemsize == 8:
        long = np.abs(as_float) >= 2.0**53
        # compared as Python numbers: 2**64 has no 64-bit integer to compare it with
        inexact = [i for i in np.flatnonzero(long) if int(values[i]) != int(as_float[i])]
        rows = np.array(inexact, dtype=np.int64)
        hashes[rows] = _tagged(values[rows].astype(np.uint64), _LONG_INTEGER)
    return hashes


def _time_hashes(column: Any) -> Words:
    kind = column.type
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("s" if pa.types.is_date32(kind) else "ms"))
    kind = column.type
    ticks_a_second = _PER_SECOND[kind.unit]
    width = pa.int32() if kind.bit_width == 32 else pa.int64()
    ticks = _numbers(column.cast(width)).astype(np.int64)
    seconds, rest = np.divmod(ticks, ticks_a_second)
    nanoseconds = rest * (10**9 // ticks_a_second)
    first, second = np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64)
    words = placed(seconds.astype(np.uint64), first) + placed(nanoseconds.astype(np.uint64), second)
    return _tagged(words, _INSTANT if pa.types.is_timestamp(kind) else _SPAN)
