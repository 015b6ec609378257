"""What a caller declares beside the table: target, time, groups, the table before preprocessing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._tables import Source, open_source
from splitleak._tables.arrays import arrow_column, only_column
from splitleak.errors import DataMismatchError, InputError
from splitleak.probes.columns import AuditColumn, audit_column, parse_time
from splitleak.probes.context import Target

Ints = NDArray[np.int64]
_CLASS_VALUES = 20  # numbers with more distinct values are a regression target


@dataclass(frozen=True, eq=False)
class Declared:
    """The columns that a caller gave a meaning, rows in the caller's order."""

    split: str | None
    target: AuditColumn | None
    time: AuditColumn | None
    groups: tuple[AuditColumn, ...]

    @property
    def columns(self) -> list[AuditColumn]:
        """Those that the caller declared, but the split."""
        return [column for column in (self.target, self.time, *self.groups) if column is not None]

    @property
    def names(self) -> set[str]:
        """Columns that are no features."""
        return {column.name for column in self.columns} | ({self.split} if self.split is not None else set())


def declared_columns(source: Source, split: str | None, *, target: Any, time: Any, groups: Any) -> Declared:
    """Read the columns that a caller gave a meaning.

    Raises
    ------
    InputError
        An unknown column, another length, one column in two roles, groups that are missing or nested.
    """
    _check_roles(split, target, time, groups)
    together = _group_columns(source, groups)
    for column in together:
        if column.kind in ("unusable", "vector"):
            raise InputError(
                f"groups={column.name!r} must hold one plain value a row (text, number, date);"
                f" {column.note or 'it holds lists'}"
            )
        if column.missing.all():
            raise InputError(
                f"groups={column.name!r} is missing in every row; choose the column that groups rows"
            )
    return Declared(
        split,
        None if target is None else _one_column(source, target, "target"),
        None if time is None else _one_column(source, time, "time"),
        tuple(together),
    )


def _check_roles(split: str | None, target: Any, time: Any, groups: Any) -> None:
    """Refuse a column that is to be two things: what it says as the one would be a leak of the other."""
    roles: dict[str, str] = {} if split is None else {split: "split"}
    given = [("target", target), ("time", time)]
    given += (
        [("groups", name) for name in ([groups] if isinstance(groups, str) else groups or ())]
        if _named(groups)
        else []
    )
    for role, name in given:
        if not isinstance(name, str):
            continue
        if name in roles and {role, roles[name]} != {
            "time",
            "groups",
        }:  # the rows of one day may belong together
            raise InputError(f"{role}={name!r} is the column of {roles[name]}=, too; a column has one role")
        roles[name] = role


def _named(groups: Any) -> bool:
    return isinstance(groups, str) or (
        isinstance(groups, (list, tuple)) and all(isinstance(g, str) for g in groups)
    )


def _one_column(source: Source, value: Any, argument: str) -> AuditColumn:
    if isinstance(value, str):
        column = source.column(value, argument=argument)
        return audit_column(value, column)
    value = only_column(value)
    if not hasattr(value, "__len__") or len(value) != source.n_rows:
        got = f"{len(value):,} values" if hasattr(value, "__len__") else type(value).__name__
        raise InputError(
            f"{argument}= must be a column name or one value for each of the {source.n_rows:,} rows, got {got}"
        )
    return audit_column(argument, arrow_column(value, f"{argument}="))


def _group_columns(source: Source, groups: Any) -> list[AuditColumn]:
    if groups is None:
        return []
    if (
        not isinstance(groups, str)
        and _named(groups)
        and source.column_names
        and (len(groups) != source.n_rows or set(groups) <= set(source.column_names))
    ):
        return [_one_column(source, name, "groups") for name in groups]
    return [_one_column(source, groups, "groups")]


def ordered(column: AuditColumn, order: Ints) -> AuditColumn:
    """Return a column with its rows in an order."""
    if column.column is None:
        return AuditColumn(column.name, column.kind, column.missing[order], note=column.note)
    return audit_column(column.name, column.column.take(pa.array(order)))


def time_of(column: AuditColumn) -> AuditColumn:
    """Return the declared time as seconds or numbers."""
    return parse_time(column, argument="time")


def target_of(column: AuditColumn) -> Target:
    """Return the target: few distinct values, texts and booleans are classes, other numbers a regression.

    Raises
    ------
    InputError
        A target that is constant, missing everywhere, or a different text in every row.
    """
    name = column.name
    if column.kind == "unusable" or column.kind == "vector":
        raise InputError(
            f"target={name!r} must hold one class or number a row; {column.note or 'it holds lists'}; of several labels"
            " a row, audit one at a time: target=[label in labels for labels in column]"
        )
    if column.missing.all():
        raise InputError(f"target={name!r} is missing in every row; choose the column that is predicted")
    distinct = len(column.levels)
    known = int((~column.missing).sum())
    if distinct < 2:
        raise InputError(
            f"target={name!r} is constant: all {known:,} known values are equal; nothing can be predicted"
        )
    if column.kind == "time":
        raise InputError(f"target={name!r} holds times; give a number (such as a duration) or a class")
    numeric = column.kind == "numeric" and (not column.integer or distinct > _CLASS_VALUES)
    if numeric:
        if column.integer is False and distinct == 2:
            numeric = False
    elif distinct > _CLASS_VALUES and 2 * distinct > known:
        raise InputError(
            f"target={name!r} has {distinct:,} different values in {known:,} rows, so it is no class and no number;"
            " choose the column that is predicted"
        )
    if numeric:
        none = np.full(column.n_rows, -1, dtype=np.int64)
        return Target(name, "regression", none, (), column.values, column)
    values = column.codes.astype(np.float64)
    values[column.codes < 0] = np.nan
    return Target(
        name, "binary" if distinct == 2 else "multiclass", column.codes, column.levels, values, column
    )


def raw_rows(raw: Any, order: Ints, n_rows: int) -> Any:
    """Return the table before preprocessing in the context's order, as pandas (or NumPy, as it came).

    Raises
    ------
    InputError
        What is no table; a file that cannot be read.
    DataMismatchError
        Another number of rows than the data have.
    """
    raw = _read_frame(raw) if isinstance(raw, (str, Path)) else raw
    if not hasattr(raw, "__len__") and not hasattr(raw, "shape"):
        raise InputError(f"raw must be a table, an array or a path, got {type(raw).__name__}")
    rows = raw.shape[0] if hasattr(raw, "shape") else len(raw)
    if rows != n_rows:
        raise DataMismatchError(
            f"raw has {rows:,} rows and data has {n_rows:,}; they must be the same rows, in the same order"
        )
    if hasattr(raw, "iloc"):
        return raw.iloc[order].reset_index(drop=True)
    if hasattr(raw, "tocsr") or isinstance(raw, np.ndarray):
        return raw[order] if isinstance(raw, np.ndarray) else raw.tocsr()[order]
    if hasattr(raw, "to_pandas"):
        return raw.to_pandas().iloc[order].reset_index(drop=True)
    if isinstance(raw, (list, tuple)):
        return [raw[i] for i in order]
    raise InputError(f"raw must be a pandas or polars table, an array or a list, got {type(raw).__name__}")


def _read_frame(path: str | Path) -> Any:
    try:
        source = open_source(path)
    except InputError as error:
        raise InputError(f"raw={str(path)!r} cannot be read: {error}") from None
    if not source.column_names:
        raise InputError(f"raw={str(path)!r} must be a table (Parquet, CSV, TSV or JSON lines)")
    return pa.table({name: source.column(name) for name in source.column_names}).to_pandas()
