"""The columns of an audited table: numbers, categories, times or texts, whatever library held them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from splitleak._tables.columns import list_matrix, null_mask, number_matrix, plain, role_of
from splitleak._tables.factors import encode
from splitleak.errors import InputError

ColumnKind = Literal["numeric", "category", "time", "text", "vector", "image", "constant", "unusable"]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_LARGEST = 1e100  # beyond, a number counts as infinite: its square would be
_TEXT_LEVELS = 20  # a text column has more distinct values than that,
_TEXT_WORDS = 3  # of as many words on average,
_TEXT_SHARE = 0.3  # and that share of the rows has a value of its own
_PARSED_LEVELS = 20  # as many distinct texts must parse before a column of texts is one of numbers


@dataclass(frozen=True, eq=False)
class AuditColumn:
    """One column of the audited table, rows in the order of the context.

    Attributes
    ----------
    name : str
        The column's name.
    kind : {"numeric", "category", "time", "text", "vector", "image", "constant", "unusable"}
        "category": texts that repeat, booleans; "text": sentences; "vector": equally long lists of numbers; "image":
        see `AuditContext.images`;
        "constant": one value at most (missing counts as one); "unusable": nested or mixed values, see `note`.
    missing : bool array of shape (n_rows,)
        Null, NaN, infinite (beyond 1e100) or empty.
    column : pyarrow.ChunkedArray or None
        The values.
    integer : bool
        Whether all numbers are whole.
    note : str
        What a reader should know: infinite values that count as missing, why it is unusable.
    part_of : str
        The vector column that this number is taken from; empty of others.
    """

    name: str
    kind: ColumnKind
    missing: NDArray[np.bool_]
    column: Any = None
    integer: bool = False
    note: str = ""
    _values: Floats | None = None
    part_of: str = ""

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.missing)

    @property
    def values(self) -> Floats:
        """Numbers, or seconds since 1970 of times, as float64; NaN where missing. Of categories, their codes."""
        if self._values is not None:
            return self._values
        codes = self.codes.astype(np.float64)
        codes[codes < 0] = np.nan
        return codes

    @cached_property
    def _factor(self) -> tuple[Ints, tuple[Any, ...]]:
        if self._values is not None:
            distinct, inverse = np.unique(np.where(self.missing, np.inf, self._values), return_inverse=True)
            codes = inverse.astype(np.int64)
            codes[self.missing] = -1
            return codes, tuple((distinct[:-1] if self.missing.any() else distinct).tolist())
        if self.column is None or self.kind == "vector":
            return np.full(self.n_rows, -1, dtype=np.int64), ()
        codes, levels = encode(self.column)
        blank = np.flatnonzero(self.missing & (codes >= 0))
        if len(blank):  # the empty text is missing, and sorts first
            codes[blank] = -1
            used, codes_of_rest = np.unique(codes[codes >= 0], return_inverse=True)
            codes[codes >= 0] = codes_of_rest
            levels = tuple(levels[i] for i in used)
        return codes, levels

    @property
    def codes(self) -> Ints:
        """Index of each row's value into `levels`; -1 where missing."""
        return self._factor[0]

    @property
    def levels(self) -> tuple[Any, ...]:
        """The distinct values, ascending (texts by code point)."""
        return self._factor[1]

    @cached_property
    def counts(self) -> Ints:
        """Rows of each level."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels)).astype(np.int64)

    @cached_property
    def frequency_codes(self) -> Ints:
        """Codes by descending frequency, ties by value: an order that knows nothing of the rows' order; -1 missing."""
        rank = np.empty(len(self.levels) + 1, dtype=np.int64)
        rank[np.lexsort((np.arange(len(self.levels)), -self.counts))] = np.arange(len(self.levels))
        rank[-1] = -1
        return np.asarray(rank[self.codes], dtype=np.int64)

    def texts(self) -> list[str]:
        """Return the values as texts; missing ones are empty."""
        if self.column is None:
            return [""] * self.n_rows
        return ["" if value is None else str(value) for value in self.column.to_pylist()]

    def matrix(self) -> NDArray[Any]:
        """Return a vector column as a matrix of shape (n_rows, n_features)."""
        return list_matrix(self.column, f"column {self.name!r}")


def audit_column(name: str, column: Any) -> AuditColumn:
    """Read an Arrow column; what it holds decides its kind, never the order of its rows."""
    n = len(column)
    role = role_of(column.type)
    missing = null_mask(column)
    missing = np.zeros(n, dtype=bool) if missing is None else missing
    if role == "nested":
        return AuditColumn(name, "unusable", missing, note=f"holds nested values ({column.type})")
    if role == "vector":
        return AuditColumn(name, "vector", missing, column)
    column = plain(column)
    kind = column.type
    if pa.types.is_null(kind):
        return AuditColumn(name, "constant", np.ones(n, dtype=bool), column, note="all missing")
    if pa.types.is_boolean(kind):
        return _settled(AuditColumn(name, "category", missing, column))
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
        role = "number"
    if role == "number":
        return _numeric(name, column)
    if role == "text":
        return _textual(name, column, missing)
    if pa.types.is_duration(kind) or pa.types.is_time(kind):  # lengths and hours of a day: no point in time
        return _numeric(name, pa.chunked_array([pa.array(seconds(column, missing), from_pandas=True)]))
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return _settled(AuditColumn(name, "time", missing, column, _values=seconds(column, missing)))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return AuditColumn(name, "unusable", missing, note="holds bytes")
    return AuditColumn(name, "unusable", missing, note=f"holds {kind} values")


def seconds(column: Any, missing: NDArray[np.bool_]) -> Floats:
    """Return dates and times as seconds since 1970 (times of day, durations: seconds); NaN where missing."""
    kind = column.type
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("s" if pa.types.is_date32(kind) else "ms"))
        kind = column.type
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    width = pa.int32() if kind.bit_width == 32 else pa.int64()
    ticks = column.cast(width).fill_null(0).to_numpy().astype(np.float64) / per_second
    ticks[missing] = np.nan
    return np.asarray(ticks)


def _numeric(name: str, column: Any) -> AuditColumn:
    values = number_matrix([column])[:, 0].astype(np.float64)
    infinite = np.abs(values) > _LARGEST
    note = f"{int(infinite.sum()):,} infinite values count as missing" if infinite.any() else ""
    values[infinite] = np.nan
    missing = np.isnan(values)
    known = values[~missing]
    whole = bool(len(known)) and bool((known == np.floor(known)).all())
    return _settled(
        AuditColumn(name, "numeric", missing, column, integer=whole, note=note, _values=values + 0.0)
    )


def _textual(name: str, column: Any, missing: NDArray[np.bool_]) -> AuditColumn:
    trimmed = pc.utf8_trim_whitespace(column)
    empty = pc.equal(pc.binary_length(trimmed), 0).fill_null(True)
    blank = np.asarray(empty.combine_chunks().to_numpy(zero_copy_only=False), dtype=bool)
    distinct = pc.unique(pc.filter(trimmed, pc.invert(empty)))
    parsed = _parsed(name, trimmed, empty, distinct)
    if parsed is not None:
        return parsed
    words = pc.mean(pc.add(pc.count_substring(distinct, " "), 1)).as_py() or 0.0
    sentences = (
        len(distinct) > _TEXT_LEVELS
        and words >= _TEXT_WORDS
        and len(distinct) >= _TEXT_SHARE * max(1, int((~blank).sum()))
    )
    return _settled(AuditColumn(name, "text" if sentences else "category", missing | blank, column))


def _parsed(name: str, trimmed: Any, empty: Any, distinct: Any) -> AuditColumn | None:
    """Return a column of numbers or dates that were written as texts; None when it is not one."""
    if len(distinct) <= _PARSED_LEVELS:
        return None
    known = pc.if_else(empty, pa.scalar(None, trimmed.type), trimmed)
    if not pc.any(pc.match_substring_regex(distinct, r"^[+-]?0[0-9]")).as_py():  # 007 is a name
        try:
            return _numeric(name, known.cast(pa.float64()))
        except pa.ArrowInvalid:
            pass
    try:
        column = known.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    missing = np.asarray(empty.combine_chunks().to_numpy(zero_copy_only=False), dtype=bool)
    return _settled(AuditColumn(name, "time", missing, column, _values=seconds(column, missing)))


def _settled(column: AuditColumn) -> AuditColumn:
    """Return the column, or a constant one when it has one value at most."""
    if column.kind == "text":
        return column
    distinct = len(column.levels) + bool(column.missing.any())
    if distinct > 1:
        return column
    note = column.note or ("all missing" if column.missing.all() else "one value only")
    return AuditColumn(column.name, "constant", column.missing, column.column, note=note)


def parse_time(column: AuditColumn, *, argument: str) -> AuditColumn:
    """Return a declared time column with seconds or numbers as values.

    Raises
    ------
    InputError
        Values that are neither dates nor numbers.
    """
    if column.kind in ("time", "numeric"):
        return column
    known = ~column.missing
    if column.kind == "constant" and known.any() and role_of(column.column.type) != "text":
        return AuditColumn(
            column.name, "time", column.missing, column.column, _values=np.zeros(column.n_rows)
        )
    values = (
        _seconds(column) if column.kind in ("category", "text", "constant") else np.full(len(known), np.nan)
    )
    bad = np.flatnonzero(np.isnan(values) & known)
    if len(bad) or not known.any():
        example = f"; {len(bad):,} values do not parse" if len(bad) else "; all are missing"
        raise InputError(
            f"{argument}={column.name!r} must hold dates, times or numbers, and its values are"
            f" {column.kind}{example}; parse them first, for example with pandas.to_datetime"
        )
    return AuditColumn(column.name, "time", column.missing, column.column, _values=values)


def _seconds(column: AuditColumn) -> Floats:
    """Return seconds since 1970 of texts, NaN where they are no dates; of those with a zone, in UTC."""
    import pandas as pd

    texts = pd.Series(column.texts(), dtype=object).where(~column.missing)
    read = pd.to_datetime(texts, errors="coerce", format="mixed", utc=True)
    return np.asarray((read - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy(), dtype=np.float64)
