"""From a caller's arguments to an `AuditContext`: what is audited, read and checked before any probe looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._tables import Source, open_source
from splitleak._tables.arrays import arrow_column
from splitleak._tables.columns import plain
from splitleak._tables.content import column_hashes
from splitleak._tables.image_columns import image_columns
from splitleak._tables.images import Images
from splitleak._tables.source import list_names
from splitleak.certification import partition_codes
from splitleak.errors import DataMismatchError, InputError
from splitleak.partition import Split
from splitleak.probes.columns import AuditColumn, audit_column, parse_time
from splitleak.probes.context import AuditContext, Target
from splitleak.sampling import mix

Ints = NDArray[np.int64]
_PARTITIONS = frozenset({"train", "test", "dev", "valid", "validation", "val", "eval", "calibration"})
_CLASS_VALUES = 20  # numbers with more distinct values are a regression target
_CHANCE_PROBES = (
    10  # so many probes test against chance and share alpha; the others count, or hold to a limit
)


def open_partitions(data: Any, split: Any) -> tuple[Source, Any]:
    """Return the data as one source, and the split; a mapping of partition to table is stacked, in its order.

    Raises
    ------
    InputError
        Both a mapping and a split, partitions whose columns differ in kind.
    """
    if not _is_partitioned(data):
        return open_source(data), split
    if split is not None:
        raise InputError("data is a mapping of partition to table, so it is split already; leave split= out")
    sources = {str(name): open_source(part) for name, part in data.items()}
    if len(sources) < 2:
        raise InputError(f"data is a mapping with one partition ({list_names(sources)}); give at least two")
    labels = np.repeat(list(sources), [source.n_rows for source in sources.values()])
    order = list(sources)
    codes = np.array([order.index(name) for name in labels], dtype=np.int64)
    first = next(iter(sources.values()))
    if not first.column_names:
        stacked: Any = _stack_bare(sources)
    else:
        stacked = _stack_tables(sources)
    return open_source(stacked), Split(tuple(order), codes)


def _is_partitioned(data: Any) -> bool:
    if not isinstance(data, Mapping) or not data:
        return False
    tables = all(_is_table(part) for part in data.values())
    return tables or {str(name).lower() for name in data} <= _PARTITIONS


def _is_table(part: Any) -> bool:
    if isinstance(part, Mapping) or getattr(part, "ndim", 0) == 2:
        return True
    return hasattr(part, "column_names") or (
        hasattr(part, "__arrow_c_stream__") and not hasattr(part, "to_list")
    )


def _stack_tables(sources: Mapping[str, Source]) -> pa.Table:
    names = list(next(iter(sources.values())).column_names)
    for partition, source in sources.items():
        if set(source.column_names) != set(names):
            odd = sorted(set(source.column_names) ^ set(names))
            raise InputError(
                f"the partitions of data must have the same columns; {partition!r} differs in {list_names(odd)}"
            )
    tables = [pa.table({name: source.column(name) for name in names}) for source in sources.values()]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise InputError(f"the partitions of data hold columns of different kinds: {error}") from None


def _stack_bare(sources: Mapping[str, Source]) -> Any:
    parts = [source.take(np.arange(source.n_rows)) for source in sources.values()]
    if all(isinstance(part, (list, tuple)) for part in parts):
        return [value for part in parts for value in part]
    if any(getattr(part, "ndim", 0) == 2 and hasattr(part, "tocsr") for part in parts):
        from scipy.sparse import vstack

        return vstack(parts).tocsr()
    return np.concatenate([np.asarray(part) for part in parts])


def prepare_context(
    source: Source,
    split: Any,
    *,
    target: Any,
    on: str | Sequence[str] | None,
    similarity: Any,
    threshold: float | None,
    groups: Any,
    time: Any,
    raw: Any,
    pipeline: Any,
    ledger: Any,
    metric: str | None,
    alpha: float,
    limits: Mapping[str, float],
    seed: int,
    fast: bool,
    progress: Progress,
) -> AuditContext:
    """Read and check everything that probes look at (see `splitleak.leakage_report` for the arguments)."""
    names, codes, split_column = _partitions(source, split)
    taken = {split_column}
    goal = _one_column(source, target, "target") if target is not None else None
    when = _one_column(source, time, "time") if time is not None else None
    together = _group_columns(source, groups)
    compared = [on] if isinstance(on, str) else list(on or ())
    source.require(compared, argument="on")
    taken.update(column.name for column in (goal, when, *together) if column is not None)
    order = _content_order(
        source, codes, [column for column in (goal, when, *together) if column is not None]
    )
    images = image_columns(source)
    features = {
        column.name: column for column in _features(source, order, images) if column.name not in taken
    }
    if not features:
        raise InputError(
            "data has no columns left to audit beside the target, the split, the time and the groups"
        )
    return AuditContext(
        n_rows=source.n_rows,
        columns=features,
        target=None if goal is None else _target(_ordered(goal, order)),
        names=tuple(names),
        codes=codes[order],
        time=None if when is None else _time(_ordered(when, order)),
        groups=tuple(_ordered(column, order) for column in together),
        positions=order,
        source=source,
        table=_table(source, order),
        images={name: found.take(order) for name, found in images.items() if name not in taken},
        clusters=split.clusters[order] if isinstance(split, Split) and split.clusters is not None else None,
        compared=tuple(compared),
        similarity=similarity,
        threshold=threshold,
        pipeline=pipeline,
        raw=None if raw is None else _raw_rows(raw, order, source.n_rows),
        ledger=ledger,
        metric=metric,
        alpha=alpha,
        level=alpha / _CHANCE_PROBES,
        limits=limits,
        seed=seed,
        fast=fast,
        progress=progress,
    )


def _partitions(source: Source, split: Any) -> tuple[list[str], Ints, str | None]:
    """Return the partitions, the code of each row, and the column they came from."""
    if split is None:
        return [], np.zeros(source.n_rows, dtype=np.int64), None
    if isinstance(split, Split):
        if split.n_rows != source.n_rows:
            raise DataMismatchError(
                f"split has {split.n_rows:,} rows and data has {source.n_rows:,}; hand in the data that was split"
            )
        filled = [i for i in range(len(split.names)) if (split.codes == i).any()]
        if len(filled) < 2:
            raise InputError(
                f"split must have rows in at least two partitions, and has them in {len(filled)}"
            )
        split.check_source(source)
        return list(split.names), split.codes.astype(np.int64), None
    names, codes = partition_codes(source, split)
    return names, codes, split if isinstance(split, str) else None


def _one_column(source: Source, value: Any, argument: str) -> AuditColumn:
    if isinstance(value, str):
        column = source.column(value, argument=argument)
        return audit_column(value, column)
    if not hasattr(value, "__len__") or len(value) != source.n_rows:
        got = f"{len(value):,} values" if hasattr(value, "__len__") else type(value).__name__
        raise InputError(
            f"{argument}= must be a column name or one value for each of the {source.n_rows:,} rows, got {got}"
        )
    return audit_column(argument, arrow_column(value, f"{argument}="))


def _group_columns(source: Source, groups: Any) -> list[AuditColumn]:
    if groups is None:
        return []
    several = isinstance(groups, (list, tuple)) and all(isinstance(g, str) for g in groups)
    if (
        several
        and source.column_names
        and (len(groups) != source.n_rows or set(groups) <= set(source.column_names))
    ):
        return [_one_column(source, name, "groups") for name in groups]
    return [_one_column(source, groups, "groups")]


def _features(source: Source, order: Ints, images: Mapping[str, Images]) -> list[AuditColumn]:
    """Return all columns, in the given order of rows; bare values are one column of texts, or one per number."""
    if source.column_names:
        rows = pa.array(order)
        return [
            _image(name, images[name], order) if name in images else _readable(source, name, rows)
            for name in source.column_names
        ]
    bare = source.bare
    if images:
        return [_image(name, found, order) for name, found in images.items()]
    if isinstance(bare, pa.ChunkedArray):
        return [audit_column("text", bare.take(pa.array(order)))]
    dense = bare if isinstance(bare, np.ndarray) else bare.toarray()
    return [audit_column(f"x{i}", pa.chunked_array([dense[order, i]])) for i in range(dense.shape[1])]


def _readable(source: Source, name: str, rows: Any) -> AuditColumn:
    try:
        column = audit_column(name, plain(source.column(name)).take(rows))
        if column.kind == "vector":
            column.matrix()  # lists of several lengths are no vectors
        return column
    except (
        InputError,
        pa.ArrowException,
    ) as error:  # the column is named in the report, the others are audited
        return AuditColumn(name, "unusable", np.zeros(source.n_rows, dtype=bool), note=str(error))


def _image(name: str, images: Images, order: Ints) -> AuditColumn:
    missing = images.missing()
    return AuditColumn(
        name, "image", (np.zeros(len(images), dtype=bool) if missing is None else missing)[order]
    )


def _content_order(source: Source, codes: Ints, declared: Sequence[AuditColumn]) -> Ints:
    """Return the rows sorted by a hash of all that they hold; of equal rows, any order will do."""
    total = mix(codes.astype(np.uint64) + np.uint64(1))
    hashable: list[tuple[str, Any]] = [(c.name, c.column) for c in declared if c.column is not None]
    if source.column_names:
        for name in source.column_names:
            try:
                hashable.append((name, source.column(name)))
            except InputError:
                continue
    for i, (_, column) in enumerate(sorted(hashable, key=lambda entry: entry[0])):
        try:
            values = column_hashes(column, "a column")
        except (InputError, pa.ArrowException):
            continue
        total = mix(total ^ mix(values + np.uint64(i)))
    if not source.column_names:
        from splitleak.records import as_records

        total = mix(total ^ as_records(source).row_hashes)
    return np.argsort(total, kind="stable").astype(np.int64)


def _ordered(column: AuditColumn, order: Ints) -> AuditColumn:
    if column.column is None:
        return AuditColumn(column.name, column.kind, column.missing[order], note=column.note)
    return audit_column(column.name, column.column.take(pa.array(order)))


def _time(column: AuditColumn) -> AuditColumn:
    return parse_time(column, argument="time")


def _table(source: Source, order: Ints) -> pa.Table | None:
    if not source.column_names:
        return None
    rows = pa.array(order)
    columns = {}
    for name in source.column_names:
        try:
            columns[name] = plain(source.column(name)).take(rows)
        except (InputError, pa.ArrowException):
            continue
    return pa.table(columns)


def _target(column: AuditColumn) -> Target:
    """Return the target: few distinct values, texts and booleans are classes, other numbers a regression.

    Raises
    ------
    InputError
        A target that is constant, missing everywhere, or a different text in every row.
    """
    name = column.name
    if column.kind == "unusable" or column.kind == "vector":
        raise InputError(
            f"target={name!r} must hold one class or number a row; {column.note or 'it holds lists'}"
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


def _raw_rows(raw: Any, order: Ints, n_rows: int) -> Any:
    """Return the table before preprocessing in the context's order, as pandas (or NumPy, as it came)."""
    if _is_partitioned(raw):
        import pandas as pd

        parts = list(raw.values())
        raw = pd.concat(parts) if all(isinstance(p, pd.DataFrame) for p in parts) else np.concatenate(parts)
    if not hasattr(raw, "__len__") and not hasattr(raw, "shape"):
        raise InputError(f"raw must be a table or an array, got {type(raw).__name__}")
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
