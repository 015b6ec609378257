"""Files: which kind is it, is it what its ending says, and Parquet column by column."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._tables import arrow_files, fasta, sdf, text_files
from splitleak._tables.arrays import arrow_column
from splitleak._tables.frames import from_arrow
from splitleak._tables.source import Source, check_names, check_rows
from splitleak.errors import InputError, did_you_mean

_TEXT_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson")
_MAYBE_PACKED = (*_TEXT_ENDINGS, *fasta.ENDINGS, *sdf.ENDINGS)
KNOWN_ENDINGS = (
    ".parquet",
    *arrow_files.ENDINGS,
    *_MAYBE_PACKED,
    *(ending + ".gz" for ending in _MAYBE_PACKED),
)
_ELSEWHERE = {  # endings of tables that other libraries read
    (".xlsx", ".xls", ".ods"): "load it and pass the table: pandas.read_excel(path), or save it as CSV",
    (".zip", ".7z", ".tar", ".tgz", ".bz2", ".xz", ".zst"): "unpack it first",
    (".json",): "load it and pass the table: pandas.read_json(path), or write one object a line (.jsonl)",
    (".pkl", ".pickle"): "load it and pass the table: a pickle runs what it holds, so it is not opened here",
}
_HEAD = 1 << 16
_SIGNATURES = {  # first bytes -> what they are
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a ZIP archive (or an .xlsx)",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"ARROW1": "an Arrow IPC file",
}


def open_file(path: str | Path, *, columns: Sequence[str] | None = None) -> Source:
    """Open a file by its ending.

    Raises
    ------
    InputError
        A path that does not exist, an unknown ending, content that is not what the ending says.
    """
    path = _existing(path)
    origin = f"file {path.name}"
    ending = _ending(path)
    if columns is not None and ending.removesuffix(".gz") not in (".csv", ".tsv"):
        raise InputError(
            f"columns= names the columns of a CSV or TSV file without a header line, and {path.name!r} has names"
        )
    try:
        head = _head(path, compressed=ending.endswith(".gz"))
        _check_head(path, head, ending)
        if ending == ".parquet":
            return _open_parquet(path, origin)
        if ending in arrow_files.ENDINGS:
            table = arrow_files.read_arrow(path)
            return replace(
                from_arrow(table, origin, select=lambda rows: table.take(pa.array(rows))), base=path.parent
            )
        if ending.removesuffix(".gz") in fasta.ENDINGS:
            return _open_meant(fasta.read_fasta(path, ending), fasta.SEQUENCE, origin)
        if ending.removesuffix(".gz") in sdf.ENDINGS:
            return _open_meant(sdf.read_sdf(path, ending), sdf.SMILES, origin)
        if ending.removesuffix(".gz") in (".csv", ".tsv"):
            table, note = text_files.read_delimited(path, ending, head, columns)
        else:
            table, note = text_files.read_json_lines(path, ending, head), ""
    except UnicodeDecodeError as error:
        raise text_files.not_utf8(path, f"byte {error.start} cannot be read") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"data={str(path)!r} cannot be read: {error}") from error
    source = from_arrow(table, origin + note, select=lambda rows: table.take(pa.array(rows)))
    return replace(source, base=path.parent)


def _open_meant(table: pa.Table, meant: str, origin: str) -> Source:
    """Return a table with the column that is compared when none is named."""
    source = from_arrow(table, origin, select=lambda rows: table.take(pa.array(rows)))
    return replace(source, meant=meant)


def _existing(given: str | Path) -> Path:
    text = str(given)
    if isinstance(given, str) and (not text or len(text) > 4096 or "\n" in text or "\0" in text):
        raise InputError(
            f"data is one text of {len(text)} characters, and rows are needed: give a list of texts, or a path"
        )
    path = Path(given).expanduser()
    if not path.exists():
        near = ""
        if path.parent.is_dir():
            near = did_you_mean(path.name, (other.name for other in path.parent.iterdir()))
        raise InputError(
            f"data={text!r}: no such file{near} (a text is read as a path; give several texts as a list)"
        )
    return path


def _ending(path: Path) -> str:
    name = path.name.lower()
    for ending in sorted(KNOWN_ENDINGS, key=len, reverse=True):
        if name.endswith(ending):
            return ending
    for endings, way_out in _ELSEWHERE.items():
        if name.endswith(endings):
            raise InputError(f"data={str(path)!r} is of a kind that is not read here; {way_out}")
    raise InputError(
        f"data={str(path)!r} has an ending that is not known (known: {', '.join(KNOWN_ENDINGS)}); rename the file"
        " after what it holds, or load it and pass the table"
    )


def _head(path: Path, *, compressed: bool) -> bytes:
    if not compressed:
        with path.open("rb") as file:
            return file.read(_HEAD)
    with gzip.open(path, "rb") as file:
        return file.read(_HEAD)


def _check_head(path: Path, head: bytes, ending: str) -> None:
    if not head:
        raise InputError(f"data={str(path)!r} is an empty file; give a file with at least one row")
    found = next((what for signature, what in _SIGNATURES.items() if head.startswith(signature)), None)
    if ending in arrow_files.ENDINGS:
        return  # a stream has no signature
    if ending == ".parquet":
        if found == "a Parquet file":
            return
        raise InputError(
            f"data={str(path)!r} ends in .parquet, and is {found or 'no Parquet file (it does not start with PAR1)'};"
            " rename it after what it holds"
        )
    if found == "text in UTF-16":
        raise text_files.not_utf8(path, "it starts with the mark of UTF-16")
    if found is None and b"\0" in head:
        found = "no text (it holds NUL bytes)"
    if found is not None:
        raise InputError(
            f"data={str(path)!r} ends in {ending}, and is {found}; rename it after what it holds"
        )


def _open_parquet(path: Path, origin: str) -> Source:
    import pyarrow.parquet as pq

    def guarded(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"data={str(path)!r} is a Parquet file that cannot be read (truncated or damaged?): {error}; write"
                " it again"
            ) from error

    file = guarded(lambda: pq.ParquetFile(path))
    schema = file.schema_arrow
    names = check_names(schema.names, origin)
    n_rows = check_rows(file.metadata.num_rows, origin)

    def read(name: str) -> Any:
        # a nested column's fields are asked for by dotted names, so that "a" also brings a column "a.b"
        table = guarded(lambda: file.read(columns=[name]))
        return arrow_column(table.column(name), f"column {name!r}")

    def select(rows: NDArray[np.int64]) -> Any:
        return guarded(file.read).take(pa.array(rows))

    return Source(
        n_rows,
        names,
        origin,
        read=read,
        select=select,
        types=lambda name: schema.field(names.index(name)).type,
        base=path.parent,
    )
