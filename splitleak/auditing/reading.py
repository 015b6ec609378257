"""From a caller's arguments to an `AuditContext`: what is audited, read and checked before any probe looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._tables import Source
from splitleak._tables.columns import plain
from splitleak._tables.content import column_hashes
from splitleak._tables.image_columns import image_columns
from splitleak._tables.images import Images
from splitleak.auditing.declared import Declared, declared_columns, ordered, raw_rows, target_of, time_of
from splitleak.auditing.partitions import partitions_of
from splitleak.errors import InputError
from splitleak.probes.columns import AuditColumn, audit_column
from splitleak.probes.context import AuditContext
from splitleak.sampling import mix
from splitleak.similarity.choose import check_named

Ints = NDArray[np.int64]
_CHANCE_PROBES = (
    10  # so many probes test against chance and share alpha; the others count, or hold to a limit
)


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
    if not source.column_names and source.bare is None:
        raise InputError(f"data ({source.describe()}) has no columns; give at least one")
    names, codes, split_column, made = partitions_of(source, column_name(source, split))
    declared = declared_columns(
        source,
        split_column,
        target=column_name(source, target),
        time=column_name(source, time),
        groups=column_name(source, groups),
    )
    compared = _compared(source, on, declared)
    for each in similarity if isinstance(similarity, (list, tuple)) else (similarity,):
        check_named(each)
    order = _content_order(source, codes, declared.columns)
    images = image_columns(source)
    taken = declared.names
    features = {c.name: c for c in _features(source, order, images) if c.name not in taken}
    if not features:
        raise InputError(
            "data has no columns left to audit beside the target, the split, the time and the groups"
        )
    return AuditContext(
        n_rows=len(order),
        columns=features,
        target=None if declared.target is None else target_of(ordered(declared.target, order)),
        names=tuple(names),
        codes=codes[order],
        time=None if declared.time is None else time_of(ordered(declared.time, order)),
        groups=tuple(ordered(column, order) for column in declared.groups),
        positions=order,
        source=source,
        table=_table(source, order),
        images={name: found.take(order) for name, found in images.items() if name not in taken},
        clusters=made.clusters[order] if made is not None and made.clusters is not None else None,
        split_column=split_column,
        compared=compared,
        similarity=similarity,
        threshold=threshold,
        pipeline=pipeline,
        raw=None if raw is None else raw_rows(raw, order, source.n_rows),
        ledger=ledger,
        metric=metric,
        alpha=alpha,
        level=alpha / _CHANCE_PROBES,
        limits=limits,
        seed=seed,
        fast=fast,
        progress=progress,
    )


def column_name(source: Source, value: Any) -> Any:
    """Return the text by which a column is known whose name in the caller's table is a number or a tuple."""
    named = isinstance(value, (int, np.integer, tuple)) and not isinstance(value, bool)
    return str(value) if named and str(value) in source.column_names else value


def _compared(source: Source, on: Any, declared: Declared) -> tuple[str, ...]:
    names = (on,) if isinstance(on, str) else tuple(on or ())
    for name in names:
        source.column(name, argument="on")  # one that cannot be read says so here
    if declared.target is not None and declared.target.name in names:
        raise InputError(
            f"on names the target {declared.target.name!r}; near-duplicates are rows whose features are alike: leave"
            " it out of on="
        )
    return names


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
        return AuditColumn(name, "unusable", np.zeros(len(rows), dtype=bool), note=str(error))


def _image(name: str, images: Images, order: Ints) -> AuditColumn:
    missing = images.missing()
    return AuditColumn(
        name, "image", (np.zeros(len(images), dtype=bool) if missing is None else missing)[order]
    )


def _content_order(source: Source, codes: Ints, declared: Sequence[AuditColumn]) -> Ints:
    """Return the rows of all partitions sorted by a hash of what they hold; of equal rows, any order will do."""
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
    inside = np.flatnonzero(codes >= 0)
    return inside[np.argsort(total[inside], kind="stable")].astype(np.int64)


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
