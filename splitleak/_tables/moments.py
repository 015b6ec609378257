"""A column of times as numbers in order: dates, timestamps, durations, plain numbers."""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._tables.arrays import arrow_column
from splitleak._tables.columns import null_mask, plain, role_of
from splitleak._tables.factors import given_column
from splitleak._tables.source import Source, list_rows
from splitleak.errors import InputError

_PER_UNIT = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_DAY = 86_400 * 10**9
_WIDEST = 2**62  # ticks between the first and the last moment: sums with an embargo stay whole numbers


@dataclass(frozen=True, eq=False)
class Moments:
    """The time of each row.

    Attributes
    ----------
    name : str
        The column, or "time" where the values were given themselves.
    ticks : int64 or float64 array of shape (n_rows,)
        Time in the column's own unit, whole ones counted from the earliest.
    unit : int or None
        Nanoseconds of a tick; None: plain numbers.
    values : pyarrow.ChunkedArray
        The column as it is shown.
    """

    name: str
    ticks: NDArray[Any]
    unit: int | None
    values: Any

    def text(self, row: int) -> str:
        """Return the time of a row as a person writes it: ``2024-03-01``, ``2024-03-01 12:30:00``, ``17``."""
        value = self.values[int(row)].as_py()
        if isinstance(value, float):
            return f"{value:g}" if float(f"{value:g}") == value else repr(value)
        return str(value)


def resolve_moments(source: Source, value: Any, *, argument: str = "time") -> Moments:
    """Return the time of each row of a column name, or of one value a row.

    Dates, timestamps (with or without a time zone), durations and numbers are taken as they are; texts are read
    as ISO 8601 (``2024-03-01``, ``2024-03-01T12:30:00``).

    Raises
    ------
    InputError
        An unknown column, another length, values that have no order in time, missing values.

    Examples
    --------
    >>> from splitleak._tables import open_source
    >>> moments = resolve_moments(open_source(["a", "b"]), ["2024-03-01", "2024-02-28"])
    >>> moments.text(0), (moments.ticks // (86_400 * 10**9 // moments.unit)).tolist()
    ('2024-03-01', [2, 0])
    """
    name, column = given_column(source, value, argument=argument)
    what = f"{argument}={value!r}" if isinstance(value, str) else f"{argument}="
    if isinstance(column.type, pa.BaseExtensionType) and column.type.extension_name.startswith("pandas."):
        raise InputError(f"{what} holds {column.type}; make timestamps of them, e.g. by .dt.start_time")
    column = plain(column)
    _check_present(null_mask(column), what)
    shown = column
    if role_of(column.type) == "text":
        column = _parsed(column, what)
    ticks, unit = _ticks(column, what)
    return Moments(name, ticks, unit, shown)


def parse_embargo(embargo: Any, moments: Moments) -> int | float:
    """Return an embargo in ticks of the times it is to part: whole ticks are rounded down, which parts the same.

    Parameters
    ----------
    embargo : number, timedelta or str
        For plain numbers a number of at least 0; for dates and timestamps a timedelta, or a text such as "30D".

    Raises
    ------
    InputError
        Another kind than the times, or below 0.
    """
    if moments.unit is None:
        return _number(embargo, moments)
    span = _nanoseconds(embargo, moments)
    if span < 0:
        raise InputError(f"embargo must be at least 0, got {embargo!r}")
    return min(span // moments.unit, _WIDEST)


def _number(embargo: Any, moments: Moments) -> int | float:
    if isinstance(embargo, bool) or not isinstance(embargo, Real) or not math.isfinite(embargo):
        raise InputError(f"embargo must be a number, as the times in {moments.name!r} are, got {embargo!r}")
    if embargo < 0:
        raise InputError(f"embargo must be at least 0, got {embargo!r}")
    whole = np.issubdtype(moments.ticks.dtype, np.integer)
    if not whole:
        return float(embargo)
    return min(int(embargo) if isinstance(embargo, Integral) else math.floor(float(embargo)), _WIDEST)


def _nanoseconds(embargo: Any, moments: Moments) -> int:
    import pandas as pd

    if isinstance(embargo, np.timedelta64) and not np.isnat(embargo):
        embargo = pd.Timedelta(embargo)
    if isinstance(embargo, str) and not re.fullmatch(r"[\s\d.+-]*", embargo):
        try:
            embargo = pd.Timedelta(embargo)
        except ValueError as error:
            raise InputError(
                f"embargo={embargo!r} is not a length of time ({error}); write e.g. '30D', '12h', '90min', '2W'"
            ) from None
    if isinstance(embargo, pd.Timedelta) and not pd.isna(embargo):
        return int(embargo.as_unit("ns").value)
    if isinstance(embargo, datetime.timedelta) and not pd.isna(embargo):
        return embargo // datetime.timedelta(microseconds=1) * 1000
    raise InputError(
        f"embargo must be a length of time (a timedelta, or a text such as '30D', '12h'), since {moments.name!r}"
        f" holds dates or timestamps, got {embargo!r}"
    )


def _check_present(missing: NDArray[np.bool_] | None, what: str) -> None:
    if missing is not None and missing.any():
        rows = np.flatnonzero(missing)
        raise InputError(
            f"{what} must have a time in each row, and {len(rows):,} {'row has' if len(rows) == 1 else 'rows have'}"
            f" none: row{'s' * (len(rows) > 1)} {list_rows(rows)}; fill them in, or leave these rows out"
        )


def _parsed(column: Any, what: str) -> Any:
    import pandas as pd

    try:
        parsed = pd.to_datetime(pd.Series(column.to_pylist()), format="ISO8601")
        if parsed.dtype == object:
            raise ValueError("time zones differ")
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(
            f"{what} holds texts that are no times in ISO 8601, such as 2024-03-01 ({str(error).splitlines()[0]});"
            " parse them first, e.g. by pandas.to_datetime"
        ) from None
    return arrow_column(parsed, what)


def _ticks(column: Any, what: str) -> tuple[NDArray[Any], int | None]:
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = np.asarray(column.cast(pa.float64()).to_numpy())
        _check_present(np.isnan(values), what)
        if not np.isfinite(values).all():
            raise InputError(f"{what} must be finite; row {np.flatnonzero(~np.isfinite(values))[0]} is not")
        return values, None
    if pa.types.is_integer(kind):
        return _from_earliest(column.to_numpy(), what), None
    if pa.types.is_date32(kind):
        return _from_earliest(column.cast(pa.int32()).to_numpy(), what), _DAY
    if pa.types.is_date64(kind):
        return _from_earliest(column.cast(pa.int64()).to_numpy(), what), 10**6
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        return _from_earliest(column.cast(pa.int64()).to_numpy(), what), _PER_UNIT[kind.unit]
    raise InputError(
        f"{what} must hold dates, timestamps or numbers, whose order is the order in time, got {kind}; choose another"
        " column"
    )


def _from_earliest(values: NDArray[Any], what: str) -> NDArray[np.int64]:
    low, high = int(values.min()), int(values.max())
    if high - low > _WIDEST:
        raise InputError(f"{what} spans {high - low:,} ticks, more than 64 bits can hold with an embargo")
    wide = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64)  # int8 minus int8 may not fit
    return (wide - wide.dtype.type(low)).astype(np.int64)
