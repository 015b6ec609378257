"""Whether data are those that a split was made from, by the hashes of their rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import DataMismatchError, InputError, SplitleakWarning, did_you_mean

if TYPE_CHECKING:
    from splitleak._tables import Source
    from splitleak.partition import Split
    from splitleak.records import Records

Words = NDArray[np.uint64]


def check_rows(split: Split, n_rows: int) -> None:
    """Raise unless data have as many rows as the split."""
    if n_rows != split.n_rows:
        raise DataMismatchError(
            f"data has {n_rows:,} rows and the split was made from {split.n_rows:,}; hand in the data of"
            " the split, or split again"
        )


def check_records(split: Split, records: Records) -> None:
    """Raise unless `records` are those that the split was made from; see `Split.check_data`."""
    check_rows(split, records.n_rows)
    made = split.provenance
    # without provenance (a CSV file) nobody knows which columns the hashes are of
    comparable = not records.columns or (
        made is not None
        and tuple(made.columns) in ((), tuple(records.columns))
        and made.kind in (None, records.kind)
        and (made.options.get("missing") == "distinct") == (records.missing_are == "distinct")
    )
    if split.row_hashes is not None and comparable:
        _check_hashes(records.row_hashes, split.row_hashes)


def check_source(split: Split, source: Source) -> None:
    """Raise when a source does not hold the rows that the split was made from (as far as it knows)."""
    from splitleak.records import as_records

    if split.row_hashes is None:
        return
    if split.provenance is None and source.column_names:
        _check_columns(source, split.row_hashes)
        return
    columns = split.provenance.columns if split.provenance else ()
    for name in columns:
        if name not in source.column_names and source.column_names:
            raise DataMismatchError(
                f"data has no column {name!r}, which the split was made from"
                f"{did_you_mean(name, source.column_names)} (it has:"
                f" {', '.join(map(repr, source.column_names[:20]))})"
            )
    if source.column_names and not columns:
        raise DataMismatchError(
            "data is a table and the split was made from bare values; hand in those values, or pass"
            " check=False for other values of the same rows"
        )
    kind = split.provenance.whole_kind if split.provenance else None
    distinct = split.provenance is not None and split.provenance.options.get("missing") == "distinct"
    on = list(columns) if source.column_names else None
    check_records(split, as_records(source, on=on, kind=kind, missing="distinct" if distinct else "equal"))


def _check_hashes(found: Words, expected: Words) -> None:
    other = np.flatnonzero(found != expected)
    if not len(other):
        return
    which = f"row {other[0]}" + (f" and {len(other) - 1:,} more" if len(other) > 1 else "")
    have = "have" if len(other) > 1 else "has"
    if np.array_equal(np.sort(found), np.sort(expected)):
        raise DataMismatchError(
            f"data has the rows that the split was made from in another order ({which} moved); put them"
            " back in the old order, or split again: the same options and seed put each row where it was"
        )
    raise DataMismatchError(
        f"data is not the data that the split was made from: {which} {have} other content; hand in the data"
        " of the split, split again, or (take) pass check=False for other values of the same rows"
    )


def _check_columns(source: Source, expected: Words) -> None:
    """Look for the column that the hashes of a CSV file are of, and check its rows.

    A column that shares most rows with the split is the one; where none does, several were compared, or the data are
    others, and a warning says that nobody can tell.
    """
    best, shared = None, len(expected) // 2  # a few are shared by columns that both have gaps
    for found in _candidates(source):
        if np.array_equal(found, expected):
            return
        alike = int(np.isin(found, expected).sum())
        if alike > shared:
            best, shared = found, alike
    if best is not None:
        _check_hashes(best, expected)
    warnings.warn(
        "the split does not say which columns it was made from (a CSV file does not keep that), and no column of data"
        " has most of its rows: only their number was checked; save splits as .parquet or .json",
        SplitleakWarning,
        stacklevel=4,
    )


def _candidates(source: Source) -> Iterator[Words]:
    """Yield the hashes of the rows by each column that can be compared, then by all of them."""
    from splitleak.records import as_records

    for name in source.column_names:
        for missing in ("equal", "distinct"):
            try:
                yield as_records(source, on=name, missing=missing).row_hashes
            except InputError:  # nested values, mixed kinds: no split is made of these
                break
    if len(source.column_names) > 1:
        try:
            yield as_records(source, on=list(source.column_names), kind="table").row_hashes
        except InputError:
            return
