"""Columns that sort rows into classes or groups: distinct values as codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from splitleak._tables.arrays import arrow_column
from splitleak._tables.columns import null_mask, plain, role_of
from splitleak._tables.source import Source
from splitleak.errors import InputError

_FEW_LEVELS = 20  # a class column of a tiny table may have a class for nearly every row


@dataclass(frozen=True, eq=False)
class Factor:
    """The distinct values of a column, and which of them each row has.

    Attributes
    ----------
    name : str
        The column, or the argument where the values were given themselves.
    codes : int64 array of shape (n_rows,)
        Index into `levels`; -1 for a missing value (null, NaN).
    levels : tuple
        The distinct values in ascending order (texts by code point), whatever the order of the rows. Whole
        numbers are int, whichever type held them.
    """

    name: str
    codes: NDArray[np.int64]
    levels: tuple[Any, ...]


def resolve_factor(source: Source, value: Any, *, argument: str) -> Factor:
    """Return the factor of a column name, or of one value a row.

    Parameters
    ----------
    source : Source
        The data.
    value : str or array-like of shape (n_rows,)
        A column name, or values by row position (the index of a Series does not count).
    argument : str
        The argument's name, for errors. "stratify" asks for a column of classes: more than 20 levels that are
        more than half as many as the rows are refused.

    Raises
    ------
    InputError
        An unknown column, another length, values that are nested or of mixed types, no class column.

    Examples
    --------
    >>> from splitleak._tables import open_source
    >>> factor = resolve_factor(open_source(["one", "two", "three"]), ["b", "a", None], argument="stratify")
    >>> factor.levels, factor.codes.tolist()
    (('a', 'b'), [1, 0, -1])
    """
    name, column = given_column(source, value, argument=argument)
    what = f"{argument}={value!r}" if isinstance(value, str) else f"{argument}="
    role = role_of(column.type)
    if role in ("nested", "vector"):
        raise InputError(
            f"{what} must hold one plain value a row (text, number, date), got {column.type}; choose another column"
        )
    codes, levels = encode(column)
    if argument == "stratify" and len(levels) > _FEW_LEVELS and 2 * len(levels) > source.n_rows:
        raise InputError(
            f"{what} must be a class column, and has {len(levels):,} classes in {source.n_rows:,} rows; choose a"
            " column whose values repeat, or balance numbers by their bins:"
            ' stratify={"column": "continuous"}'
        )
    return Factor(name, codes, levels)


def given_column(source: Source, value: Any, *, argument: str) -> tuple[str, Any]:
    """Return the name and the Arrow column of a column name, or of one value a row."""
    if isinstance(value, str):
        return value, source.column(value, argument=argument)
    return argument, _values(source, value, argument)


def resolve_factors(source: Source, value: Any, *, argument: str) -> tuple[Factor, ...]:
    """Return the factors of one or several columns.

    Parameters
    ----------
    source : Source
        The data.
    value : str, sequence of str, or array-like of shape (n_rows,)
        One column name, several in a list, or the values themselves. A list of texts is read as column names
        when all of them are, or when one is and it has another length than the data. None: no factor.
    argument : str
        The argument's name, for errors.
    """
    if value is None:
        return ()
    if isinstance(value, (list, tuple)) and value and all(isinstance(name, str) for name in value):
        named = all(name in source.column_names for name in value)
        if named or (source.column_names and len(value) != source.n_rows):
            return tuple(resolve_factor(source, name, argument=argument) for name in value)
    return (resolve_factor(source, value, argument=argument),)


def _values(source: Source, value: Any, argument: str) -> Any:
    if not hasattr(value, "__len__") or isinstance(value, (bytes, dict)) or getattr(value, "ndim", 1) == 0:
        raise InputError(
            f"{argument}= must be a column name or one value a row, got {type(value).__name__} {value!r:.60}"
        )
    if len(value) != source.n_rows:
        raise InputError(
            f"{argument}= must have one value for each of the {source.n_rows:,} rows, got {len(value):,} values; to"
            " name a column, give its name as text"
        )
    if getattr(value, "ndim", 1) != 1:
        what = "an array" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
        raise InputError(
            f"{argument}= must be 1-D, one value a row, got {what} of shape {tuple(value.shape)}"
        )
    return arrow_column(value, f"{argument}=")


def encode(column: Any) -> tuple[NDArray[np.int64], tuple[Any, ...]]:
    """Return the code of each value (-1: null, NaN) and the distinct values, ascending."""
    column = plain(column)
    if pa.types.is_null(column.type):
        return np.full(len(column), -1, dtype=np.int64), ()
    missing = null_mask(column)
    if pa.types.is_floating(column.type):
        if pa.types.is_float16(column.type):  # Arrow computes with wider ones
            column = column.cast(pa.float32())
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        column = pc.add(column, pa.scalar(0.0, column.type))  # -0.0 is 0.0
        missing = null_mask(column)
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    values = encoded.dictionary.to_pylist()
    if pa.types.is_floating(column.type) and all(value.is_integer() for value in values):
        values = [int(value) for value in values]  # as pandas holds whole numbers once one is missing
    order = sorted(range(len(values)), key=values.__getitem__)
    rank = np.empty(len(values) + 1, dtype=np.int64)
    rank[order] = np.arange(len(values))
    rank[-1] = -1
    indices = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False).astype(np.int64)
    codes = rank[indices]
    if missing is not None:
        codes[missing] = -1
    return codes, tuple(values[i] for i in order)


def named_columns(*arguments: Any) -> set[str]:
    """Return the column names among arguments that are a name or a list of names."""
    found: set[str] = set()
    for argument in arguments:
        names = [argument] if isinstance(argument, str) else argument
        if isinstance(names, (list, tuple)):
            found.update(name for name in names if isinstance(name, str))
    return found
