"""CSV, TSV and JSON lines, read by pyarrow; what is chosen where such files leave room.

- ``.csv``: the separator is the one of ``, ; tab |`` that cuts the first line into the most cells; double quotes
  quote; an empty field of a text column is a missing value.
- ``.tsv``: tabs separate and nothing is quoted (the IANA definition of text/tab-separated-values), so a quote
  character is a character; an empty field of a text column is a missing value.
- ``.jsonl``, ``.ndjson``: one JSON object a line; null and an absent key are missing values.
- UTF-8, with or without a byte order mark; ``.gz`` of each.
- The first line of CSV and TSV is the header, unless it is plainly a row: then it is read as one, and the columns
  are named after what they hold (``text``, ``label``, else ``column_1``, ...). `Source.describe` says so.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from splitleak.errors import InputError

_LARGEST_BLOCK = (1 << 31) - 2  # pyarrow counts a block's bytes in 32 bits


def not_utf8(path: Path, what: str) -> InputError:
    """Return the error for a text file in another encoding."""
    return InputError(
        f"data={str(path)!r} must be text in UTF-8, and is not: {what}; convert it, e.g."
        " iconv -f latin1 -t utf-8, or load it with its encoding and pass the table"
    )


def read_delimited(path: Path, ending: str, head: bytes, columns: Sequence[str] | None) -> tuple[Any, str]:
    """Return the table of a CSV or TSV file, and a note on its header for `Source.describe`."""
    tabs = ending.startswith(".tsv")
    header, delimiter = _first_record(path, head, tabs)
    if columns is not None:
        if len(columns) != len(header):
            raise InputError(
                f"columns= must name each of the {len(header)} columns of {path.name!r}, got {len(columns)} names"
            )
        table = _read_csv(path, ending, delimiter, names=[str(name) for name in columns])
        return _checked(path, table), ""
    table = _read_csv(path, ending, delimiter)
    if not _is_row(header, table):
        return _checked(path, table), ""
    table = _read_csv(path, ending, delimiter, names=[f"column_{i + 1}" for i in range(len(header))])
    table = _checked(path, table.rename_columns(_names_of(table)))
    return table, f" without a header line (columns named {', '.join(table.column_names)})"


def _first_record(path: Path, head: bytes, tabs: bool) -> tuple[list[str], str]:
    # the head may end within a character or a line: only whole lines are decoded
    whole = head[: head.rfind(b"\n") + 1] or head
    try:
        text = whole.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(whole) < len(head) or error.end < len(whole):
            raise
        text = whole.decode("utf-8-sig", "ignore")
    if tabs:
        return text.split("\n", 1)[0].rstrip("\r").split("\t"), "\t"
    best, cut = [text.split("\n", 1)[0].rstrip("\r")], ","
    for delimiter in ",;\t|":
        try:
            record = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error:
            continue
        if len(record) > len(best) or (delimiter == "," and record):
            best, cut = record, delimiter
    return best, cut


def _read_csv(path: Path, ending: str, delimiter: str, *, names: list[str] | None = None) -> Any:
    import pyarrow.csv as pc

    tabs = ending.startswith(".tsv")
    parse = pc.ParseOptions(
        delimiter=delimiter,
        quote_char=False if tabs else '"',
        double_quote=not tabs,
        newlines_in_values=not tabs,
    )

    def read(block_size: int, use_threads: bool) -> Any:
        options = pc.ReadOptions(column_names=names, block_size=block_size, use_threads=use_threads)
        with _stream(path, ending) as stream:
            return pc.read_csv(stream, read_options=options, parse_options=parse)

    return _growing(path, read)


def read_json_lines(path: Path, ending: str, head: bytes) -> Any:
    """Return the table of a file of JSON lines."""
    import pyarrow.json as pj

    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"[":
        raise InputError(
            f"data={str(path)!r} must hold one JSON object a line, and starts with a JSON array; load it with"
            " json.load and pass a table"
        )

    def read(block_size: int, use_threads: bool) -> Any:
        options = pj.ReadOptions(block_size=block_size, use_threads=use_threads)
        with _stream(path, ending) as stream:
            return pj.read_json(stream, read_options=options)

    return _checked(path, _growing(path, read), empty_is_missing=False)


def _stream(path: Path, ending: str) -> Any:
    return pa.input_stream(str(path), compression="gzip" if ending.endswith(".gz") else None)


def _growing(path: Path, read: Callable[[int, bool], Any]) -> Any:
    """Read with larger blocks while a row does not fit; once more on one thread, which tells the line of an error."""
    block_size = 1 << 20
    while True:
        try:
            return read(block_size, True)
        except pa.ArrowInvalid as error:
            if "straddling" in str(error) and block_size < _LARGEST_BLOCK:
                block_size = min(block_size * 16, _LARGEST_BLOCK)
                continue
            message = _message_on_one_thread(read, block_size) or str(error)
            if "UTF8" in message or "UTF-8" in message:
                raise not_utf8(path, message) from error
            raise InputError(
                f"data={str(path)!r} cannot be read as {path.name.split('.', 1)[-1]}: {message}; correct that line,"
                " or load the file with options of your own and pass the table"
            ) from error


def _message_on_one_thread(read: Callable[[int, bool], Any], block_size: int) -> str:
    try:
        read(block_size, False)
    except pa.ArrowInvalid as error:
        return str(error)
    return ""


def _checked(path: Path, table: Any, *, empty_is_missing: bool = True) -> Any:
    import pyarrow.compute as pc

    for i, field in enumerate(table.schema):
        column = table.column(i)
        if pa.types.is_binary(field.type):  # pyarrow's word for a text that is not UTF-8
            raise not_utf8(path, f"column {field.name!r} holds other bytes")
        if not pa.types.is_string(field.type):
            continue
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            raise not_utf8(path, f"column {field.name!r}: {error}") from error
        if empty_is_missing:
            column = pc.if_else(pc.equal(column, ""), pa.scalar(None, field.type), column)
            table = table.set_column(i, field.name, column)
    return table


def _is_row(header: list[str], table: Any) -> bool:
    """Return whether the first line is plainly a row: a value common below it, or numbers that name nothing."""
    import pyarrow.compute as pc

    if table.num_rows == 0 or len(header) != table.num_columns:
        return False
    numeric = 0
    for name, column in zip(header, table.columns, strict=True):
        if pa.types.is_string(column.type):
            repeats = pc.sum(pc.equal(column, name)).as_py() or 0
            if name and repeats >= 2 and repeats > 0.01 * table.num_rows:
                return True
        numeric += pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if numeric < len(header) or not all(_is_number(name) for name in header):
        return False
    # 0, 1, 2, ... are names that pandas writes
    return len(set(header)) < len(header) or not all(name.strip().isdigit() for name in header)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _names_of(table: Any) -> list[str]:
    """Name the columns of a file without a header: the one of texts, the one of classes, the others by place."""
    import pyarrow.compute as pc

    texts, labels = [], []
    for i, column in enumerate(table.columns):
        levels = pc.count_distinct(column).as_py()
        if pa.types.is_string(column.type) and 2 * levels > table.num_rows:
            texts.append(i)
        elif levels <= min(100, max(2, table.num_rows // 10)) and not pa.types.is_floating(column.type):
            labels.append(i)
    names = list(table.column_names)
    for name, found in (("text", texts), ("label", labels)):
        if len(found) == 1:
            names[found[0]] = name
    return names
