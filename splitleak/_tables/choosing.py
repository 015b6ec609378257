"""Which columns are compared, and as what: the choice behind as_records()."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._tables import columns as cols
from splitleak._tables.fasta import SEQUENCE
from splitleak._tables.images import Images, column_images
from splitleak._tables.sdf import SMILES
from splitleak._tables.source import Source, list_names, list_rows
from splitleak.errors import InputError, unknown_option

_KINDS = ("text", "vector", "table", "image")
_MISSING = ("equal", "distinct", "error")
_HOLDS = {
    "text": "text",
    "number": "numbers",
    "vector": "lists of numbers",
    "image": "images",
    "value": "values",
    "nested": "nested values",
}


def read_records(
    source: Source,
    *,
    on: str | Sequence[str] | None,
    exclude: Collection[str],
    kind: str | None,
    missing: str,
) -> dict[str, Any]:
    """Return the fields of the `Records` of a source."""
    if kind is not None and kind not in _KINDS:
        raise unknown_option("kind", kind, _KINDS)
    if missing not in _MISSING:
        raise unknown_option("missing", missing, _MISSING)
    if source.bare is not None and on is None:
        names: tuple[str, ...] = ()
        fields = _bare_fields(_as_images(source, kind), kind)
    else:
        names = _chosen(source, on, exclude, kind)
        images = _images(source, names, kind)
        fields = images or _column_fields({name: source.read(name) for name in names}, kind)
    if missing == "distinct":
        _flag_empty_texts(fields, len(names))
    absent = fields.get("missing")
    if missing == "error" and absent is not None:
        rows = np.flatnonzero(absent)
        where = f"on={list_names(names)}" if names else "data"
        raise InputError(
            f"{where} must have a value in each row (missing='error'), and {len(rows):,} of {source.n_rows:,} rows"
            f" have none: rows {list_rows(rows)}; drop them, fill them, or choose missing='equal' or 'distinct'"
        )
    fields["missing_are"] = "distinct" if missing == "distinct" else "equal"
    meant = names == (source.meant,) and fields["kind"] == "text"
    known = {"sequences": meant and source.meant == SEQUENCE, "molecules": meant and source.meant == SMILES}
    return {"n_rows": source.n_rows, "columns": names, **known, **fields}


def _images(source: Source, names: tuple[str, ...], kind: str | None) -> dict[str, Any] | None:
    """Return the fields of a column of images, or None where the columns are meant as something else."""
    opened = len(names) == 1 and (
        names[0] in source.images or cols.role_of(source.column_type(names[0])) == "image"
    )
    if kind != "image" and (kind is not None or not opened):
        return None
    if len(names) > 1:
        raise InputError(
            f"on={list(names)!r} cannot be compared as images: name one column of paths or bytes"
        )
    return _image_fields(source.column_images(names[0]))


def _as_images(source: Source, kind: str | None) -> Any:
    """Return bare values, as images where they are paths or bytes that are meant as such."""
    values = source.bare
    if not isinstance(values, pa.ChunkedArray) or (kind != "image" and cols.role_of(values.type) != "image"):
        return values
    return source.images.setdefault("", column_images(values, "data", source.base))


def _image_fields(images: Images) -> dict[str, Any]:
    return {"kind": "image", "images": images, "missing": images.missing()}


def _flag_empty_texts(fields: dict[str, Any], n_columns: int) -> None:
    if fields["kind"] == "text":
        # of several joined columns all are empty where nothing but the separators is left
        empty = np.diff(fields["offsets"]) == max(0, n_columns - 1)
        fields["missing"] = empty if empty.any() else None


def _chosen(
    source: Source, on: str | Sequence[str] | None, exclude: Collection[str], kind: str | None
) -> tuple[str, ...]:
    if on is None:
        return _only_candidate(source, exclude, kind)
    names = (on,) if isinstance(on, str) else on
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) for name in names):
        raise InputError(f"on must be a column name or a list of column names, got {on!r}")
    source.require(names, argument="on")
    if len(set(names)) < len(names):
        raise InputError(f"on names a column twice: {list_names(names)}; name each once")
    return tuple(names)


def _only_candidate(source: Source, exclude: Collection[str], kind: str | None) -> tuple[str, ...]:
    open_names = [name for name in source.column_names if name not in exclude]
    if len(open_names) == 1 or (kind == "table" and open_names):
        return tuple(open_names)
    if source.meant in open_names and kind in (None, "text", "image"):
        return (source.meant,)
    roles = {name: cols.role_of(source.column_type(name)) for name in open_names}
    wanted: tuple[str, ...] = ("text", "vector", "image") if kind is None else (kind,)
    if kind == "image" and "image" not in roles.values():
        wanted = ("text",)  # paths
    candidates = [name for name in open_names if roles[name] in wanted]
    if len(candidates) == 1:
        return (candidates[0],)
    if candidates:
        told = ", ".join(f"{name!r} ({_told(source, name)})" for name in candidates[:20])
        raise InputError(
            f"on= is needed: several columns could be compared; choose one of: {told}, or a list of them"
        )
    numbers = [name for name in open_names if roles[name] == "number"]
    others = f"; columns of numbers are compared together when named: on={numbers[:5]!r}" if numbers else ""
    raise InputError(
        f"on= is needed: no column holds {' or '.join(_HOLDS[role] for role in wanted)}"
        f" (columns: {list_names(open_names) or 'none left'}){others}; similarity='gower' compares whole rows,"
        " 'exact' finds equal ones"
    )


def _told(source: Source, name: str) -> str:
    kind = source.column_type(name)
    if cols.role_of(kind) in ("text", "image"):
        return cols.role_of(kind)
    storage = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    return f"vector of {storage.list_size}" if pa.types.is_fixed_size_list(storage) else "vector"


def _column_fields(columns: dict[str, Any], kind: str | None) -> dict[str, Any]:
    names = list(columns)
    told = f"on={names[0]!r}" if len(names) == 1 else f"on={names!r}"
    roles = {name: cols.role_of(column.type) for name, column in columns.items()}
    for name, role in roles.items():
        if role == "nested" or (role in ("vector", "image") and (len(names) > 1 or kind == "table")):
            alone = {"vector": "; compare it alone, as a vector", "image": "; compare it alone"}.get(role, "")
            raise InputError(
                f"{told} cannot be compared: column {name!r} holds {_HOLDS[role]} ({columns[name].type}){alone};"
                " choose columns of text, numbers or dates"
            )
    plain = {name: cols.plain(column) for name, column in columns.items()}
    found = _kind_of(plain, set(roles.values()))
    if kind not in (None, found, "table"):
        held = ", ".join(f"{name!r}: {columns[name].type}" for name in names[:10])
        raise InputError(
            f"{told} cannot be compared as kind={kind!r}: the columns hold {found} rows ({held}); choose other"
            f" columns, or kind={found!r}"
        )
    values = list(plain.values())
    if "table" in (kind, found):
        table = pa.table(plain)
        return {"kind": "table", "table": table, "missing": _all_null(values)}
    if found == "text":
        buffer, offsets = cols.flat_bytes(cols.joined(values), told)
        return {"kind": "text", "buffer": buffer, "offsets": offsets, "missing": _all_null(values)}
    vector = roles[names[0]] == "vector"
    matrix = cols.list_matrix(values[0], told) if vector else cols.number_matrix(values)
    return {"kind": "vector", "vectors": matrix, "missing": cols.missing_vectors(matrix)}


def _kind_of(plain: dict[str, Any], roles: set[str]) -> str:
    if roles == {"text"}:
        return "text"
    if roles == {"vector"}:
        return "vector"
    if roles == {"number"} and all(cols.fits_vector(column) for column in plain.values()):
        return "vector"
    return "table"


def _all_null(columns: Sequence[Any]) -> NDArray[np.bool_] | None:
    absent: NDArray[np.bool_] | None = None
    for column in columns:
        mask = cols.null_mask(column)
        if mask is None:
            return None
        absent = mask if absent is None else absent & mask
    return absent if absent is not None and absent.any() else None


def _bare_fields(values: Any, kind: str | None) -> dict[str, Any]:
    if isinstance(values, Images):
        if kind not in (None, "image"):
            raise InputError(f"kind={kind!r} does not go with data that holds images; give texts or a table")
        return _image_fields(values)
    if isinstance(values, pa.ChunkedArray):
        return _bare_column_fields(values, kind)
    sparse = not isinstance(values, np.ndarray)
    whole = not sparse and values.dtype.kind in "iu" and values.dtype.itemsize == 8
    long = whole and values.size and max(int(values.max()), -int(values.min())) > 2**53
    if (kind == "table" or (kind is None and long)) and not sparse:
        return _column_fields(
            {str(i): pa.chunked_array([pa.array(column)]) for i, column in enumerate(values.T)}, "table"
        )
    if kind not in (None, "vector"):
        raise InputError(
            f"kind={kind!r} does not go with data that is {'sparse' if sparse else 'a 2-D array'} (vector)"
        )
    if sparse:
        return _sparse_fields(values)
    narrow = values.dtype.kind == "f" and values.dtype.itemsize <= 4
    matrix = np.ascontiguousarray(values, dtype=np.float32 if narrow else np.float64)
    return {"kind": "vector", "vectors": matrix, "missing": cols.missing_vectors(matrix)}


def _bare_column_fields(values: Any, kind: str | None) -> dict[str, Any]:
    role = cols.role_of(values.type)
    if role == "nested" or (role == "value" and not pa.types.is_null(values.type)):
        raise InputError(
            f"data must hold texts or equally long lists of numbers, got {values.type} values; give a table"
        )
    if role == "value":  # nothing but missing values: texts that are all missing
        values = values.cast(pa.large_string())
    try:
        return _column_fields({"data": values}, kind)
    except InputError as error:
        raise InputError(str(error).replace("on='data'", "data")) from error


def _sparse_fields(values: Any) -> dict[str, Any]:
    from scipy.sparse import csr_array

    narrow = values.dtype.kind == "f" and values.dtype.itemsize <= 4
    # a copy: what follows works in place
    rows = csr_array(values, dtype=np.float32 if narrow else np.float64, copy=True)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    absent = np.zeros(rows.shape[0], dtype=bool)
    absent[np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))[np.isnan(rows.data)]] = True
    return {"kind": "vector", "vectors": rows, "missing": absent if absent.any() else None}
