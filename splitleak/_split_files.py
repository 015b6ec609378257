"""A split as a file: columns and metadata in Parquet, CSV and JSON.

==============  =================================================================================
``.parquet``    columns ``row``, ``partition`` (null: dropped), ``cluster``, ``row_hash``, ``weight``, and one for
                each balanced column: ``class`` (a text), ``labels`` (a JSON list) or ``value`` (a number), with
                ``_2``, ... from the second on; ``reason`` and ``before``; all else as JSON in the schema's
                metadata under ``splitleak``
``.csv``        the same columns (``row_hash`` as 16 hexadecimal digits) and nothing else: no sizes
                asked for, provenance or certificate
``.json``       one object with the metadata's keys, and the columns as lists under ``columns``
==============  =================================================================================

Columns that a split does not have are left out. The same split gives the same bytes: no time is written.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._files import check_writable, replacing
from splitleak.errors import InputError, did_you_mean
from splitleak.strata.stratum import Stratum

ENDINGS = (".parquet", ".csv", ".json")
KEY = b"splitleak"
DROPPED = -1

Columns = dict[str, Any]
Metadata = dict[str, Any]


def write_split(path: str | os.PathLike[str], columns: Columns, metadata: Metadata) -> None:
    """Write columns (arrays and lists of one length) and plain metadata in the format of the ending."""
    path = check_writable(path, "path", endings=ENDINGS)
    write = {".parquet": _write_parquet, ".csv": _write_csv, ".json": _write_json}[path.suffix.lower()]
    with replacing(path) as temporary:
        write(temporary, columns, metadata)


def read_split(path: str | os.PathLike[str]) -> tuple[Columns, Metadata]:
    """Return the columns and the metadata (empty: not one of our files, or CSV) of a split's file.

    Raises
    ------
    InputError
        A missing file, an unknown ending, a file that is truncated or not what its ending says, no column
        ``partition``.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(f"split={str(path)!r} must end in {' or '.join(ENDINGS)}")
    if not path.is_file():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(f"split={str(path)!r} does not exist{did_you_mean(path.name, beside)}")
    read = {".parquet": _read_parquet, ".csv": _read_csv, ".json": _read_json}[ending]
    columns, metadata = read(path)
    if "partition" not in columns:
        raise InputError(
            f"split={str(path)!r} has no column 'partition'{did_you_mean('partition', columns)} (found:"
            f" {', '.join(map(repr, columns)) or 'none'}); a split needs one partition name a row"
        )
    return columns, metadata


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _table(columns: Columns) -> Any:
    import pyarrow as pa

    return pa.table({name: pa.array(values) for name, values in columns.items()})


def _write_parquet(path: Path, columns: Columns, metadata: Metadata) -> None:
    import pyarrow.parquet as pq

    table = _table(columns).replace_schema_metadata({KEY: _json(metadata).encode()})
    pq.write_table(table, path, compression="zstd")


def _write_csv(path: Path, columns: Columns, metadata: Metadata) -> None:
    import pyarrow.csv

    del metadata  # a comment line would stop other readers, a second file would get lost
    shown = {**columns, "row_hash": _hex(columns["row_hash"])} if "row_hash" in columns else columns
    texts = {str(t) for name in shown if _is_text(name) for t in set(shown[name])}
    plain = not any(set(text) & set('",\r\n') for text in texts)
    pyarrow.csv.write_csv(
        _table(shown), path, pyarrow.csv.WriteOptions(quoting_style="none" if plain else "needed")
    )


def _write_json(path: Path, columns: Columns, metadata: Metadata) -> None:
    plain = {name: np.asarray(values, dtype=object).tolist() for name, values in columns.items()}
    if "row_hash" in plain:  # readers of JSON keep 53 bits of a number
        plain["row_hash"] = _hex(columns["row_hash"])
    path.write_text(_json({**metadata, "columns": plain}) + "\n", encoding="utf-8", newline="\n")


def _hex(hashes: Any) -> list[str]:
    return [f"{value:016x}" for value in np.asarray(hashes, dtype=np.uint64).tolist()]


def _read_parquet(path: Path) -> tuple[Columns, Metadata]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
        stored = (table.schema.metadata or {}).get(KEY)
        metadata = json.loads(stored) if stored else {}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, "Parquet", error) from error
    return {name: _values(name, table.column(name)) for name in table.column_names}, metadata


def _read_csv(path: Path) -> tuple[Columns, Metadata]:
    import pyarrow as pa
    import pyarrow.csv

    # names such as 01 or NA stay what they are
    strata = (_stratum_column(kind, place) for kind in ("classes", "labels") for place in range(100))
    types = {name: pa.string() for name in ("row_hash", *_TEXTS, *strata)}
    try:
        table = pyarrow.csv.read_csv(
            path,
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(column_types=types),
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, "CSV", error) from error
    return {name: _values(name, table.column(name)) for name in table.column_names}, {}


def _read_json(path: Path) -> tuple[Columns, Metadata]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, "JSON", error) from error
    if not isinstance(content, dict):
        raise InputError(f"split={str(path)!r} must be a JSON object, got {type(content).__name__}")
    columns = content.pop("columns", None)
    if isinstance(columns, dict):
        return columns, content
    return content, {}


def _values(name: str, column: Any) -> Any:
    if _is_text(name) or str(column.type) in ("string", "large_string"):
        return column.to_pylist()
    return column.to_numpy()


def _unreadable(path: Path, kind: str, error: Exception) -> InputError:
    reason = str(error).strip().splitlines()
    return InputError(
        f"split={str(path)!r} cannot be read as {kind}: truncated, or not what its ending says"
        f" ({reason[0] if reason else type(error).__name__})"
    )


def label_text(value: Any) -> str | None:
    """Return a partition or class label as text; None for None, NaN and empty text."""
    if value is None or value != value or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # whole numbers become floats in a column with gaps
    return str(value)


def restored(columns: Columns, metadata: Metadata, newest: int) -> dict[str, Any]:
    """Return the fields of a split from what `read_split` returned, in row order (`labels`: names)."""
    if metadata.get("format", newest) > newest:
        raise InputError("written by a later version of splitleak; upgrade splitleak to read it")
    labels = columns["partition"]
    if not isinstance(labels, list):
        raise InputError(f"the column 'partition' must be a list, got {type(labels).__name__}")
    for name, values in columns.items():
        known = name in ("row", "cluster", "row_hash", "weight") or _is_text(name)
        if known and len(values) != len(labels):
            raise InputError(
                f"the column {name!r} has {len(values):,} entries and 'partition' {len(labels):,}"
            )
    order = _row_order(columns.get("row"), len(labels))
    fields: dict[str, Any] = {"labels": [labels[i] for i in order]}
    if metadata.get("asked") is not None:
        fields["asked"] = np.asarray(metadata["asked"], dtype=np.int64)
    if "cluster" in columns:
        fields["clusters"] = np.asarray(columns["cluster"], dtype=np.int64)[order]
    if "row_hash" in columns:
        hashes = columns["row_hash"]
        if isinstance(hashes, list):
            hashes = [int(digits, 16) for digits in hashes]
        fields["row_hashes"] = np.asarray(hashes, dtype=np.uint64)[order]
    if "weight" in columns:
        fields["weights"] = np.asarray(columns["weight"], dtype=np.float64)[order]
    fields["strata"] = _restored_strata(columns, metadata.get("strata") or (), order)
    if "reason" in columns:
        fields["reasons"], fields["reason_codes"] = _coded(columns["reason"], metadata.get("reasons"), order)
    if "before" in columns:
        fields["before_labels"] = [label_text(columns["before"][i]) for i in order]
    if metadata.get("periods") is not None:
        fields["periods"] = tuple(None if p is None else (str(p[0]), str(p[1])) for p in metadata["periods"])
    return fields


def _coded(
    values: Any, names: list[str] | None, order: NDArray[np.int64]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names and the code of each row, in row order; -1: no value."""
    found = [label_text(value) for value in values]
    names = names or sorted({text for text in found if text is not None})
    code: dict[str | None, int] = {**{name: i for i, name in enumerate(names)}, None: -1}
    return tuple(names), np.array([code[text] for text in found], dtype=np.int64)[order]


_COLUMN_OF = {"classes": "class", "labels": "labels", "continuous": "value"}


def _stratum_column(kind: str, place: int) -> str:
    return _COLUMN_OF[kind] + (f"_{place + 1}" if place else "")


_TEXTS = ("partition", "reason", "before")


def _is_text(name: str) -> bool:
    return name in _TEXTS or _is_stratum(name)


def _is_stratum(name: str) -> bool:
    return re.fullmatch(r"(class|labels|value)(_[1-9][0-9]*)?", name) is not None


def strata_columns(strata: Sequence[Stratum]) -> Columns:
    """Return the columns that keep what was balanced."""
    columns: Columns = {}
    for place, stratum in enumerate(strata):
        if stratum.values is not None:
            values: Any = [None if value != value else value for value in stratum.values.tolist()]
        elif stratum.kind == "labels":
            entries = stratum.rows, stratum.codes
            each: list[list[str]] = [[] for _ in range(stratum.n_rows)]
            for row, code in zip(*(part.tolist() for part in entries), strict=True):
                each[row].append(stratum.labels[code])
            values = [_json(labels) for labels in each]
        else:
            values = np.array([*stratum.labels, None], dtype=object)[stratum.per_row()]
        columns[_stratum_column(stratum.kind, place)] = values
    return columns


def strata_metadata(strata: Sequence[Stratum]) -> list[Metadata]:
    """Return what the columns of `strata_columns` leave open."""
    return [
        {
            "name": stratum.name,
            "kind": stratum.kind,
            "labels": list(stratum.labels),
            "edges": list(stratum.edges),
            "cumulative": stratum.cumulative,
        }
        for stratum in strata
    ]


def _restored_strata(
    columns: Columns, described: Sequence[Metadata], order: NDArray[np.int64]
) -> tuple[Stratum, ...]:
    if not described:  # a CSV file, or one that something else wrote: the columns say what they can
        kinds = {column: kind for kind, column in _COLUMN_OF.items()}
        found = [name for name in columns if _is_stratum(name)]
        described = [{"name": "stratify", "kind": kinds[name.split("_")[0]]} for name in found]
    else:
        found = [_stratum_column(made["kind"], place) for place, made in enumerate(described)]
    return tuple(
        _restored_stratum([columns[name][i] for i in order], made)
        for name, made in zip(found, described, strict=True)
    )


def _restored_stratum(values: list[Any], made: Metadata) -> Stratum:
    name, kind = str(made["name"]), made["kind"]
    if kind == "continuous":
        numbers = np.array([np.nan if value is None else float(value) for value in values])
        edges = made.get("edges") or np.unique(np.nanquantile(numbers, np.arange(1, 10) / 10)).tolist()
        return Stratum.continuous(name, numbers, edges, cumulative=bool(made.get("cumulative")))
    sets = [json.loads(value or "[]") if kind == "labels" else [label_text(value)] for value in values]
    labels = made.get("labels") or sorted({text for texts in sets for text in texts if text is not None})
    code = {**{label: i for i, label in enumerate(labels)}, None: -1}
    rows = np.repeat(np.arange(len(sets)), [len(texts) for texts in sets]).astype(np.int64)
    codes = np.array([code[text] for texts in sets for text in texts], dtype=np.int64)
    return Stratum(name, kind, tuple(labels), rows[codes >= 0], codes[codes >= 0], len(sets))


def _row_order(rows: Any, n_rows: int) -> NDArray[np.int64]:
    """Return the place in the file of each row position."""
    if rows is None:
        return np.arange(n_rows)
    positions = np.asarray(rows)
    if not np.array_equal(np.sort(positions), np.arange(n_rows)):
        raise InputError(
            f"the column 'row' must hold each row position from 0 to {n_rows - 1} once; leave rows without a"
            " partition in, with an empty partition, or leave the column out when the rows are in order"
        )
    return np.argsort(positions, kind="stable").astype(np.int64)
