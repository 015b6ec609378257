"""FASTA: one row a record, with the columns name, description and sequence.

The name is the header up to the first white space, the description the rest. Lines of a sequence are joined, white
space within it is left out, letters stay as they are. A sequence may hold letters, ``*`` (stop) and the gaps ``-``
and ``.``; names must differ and no sequence may be empty, since a name stands for a row elsewhere.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from splitleak.errors import InputError

ENDINGS = (".fasta", ".fa", ".faa", ".fna")
SEQUENCE = "sequence"  # the column meant when none is named
_SHOWN = 3
_STRANGE = re.compile(r"[^A-Za-z*.\-]")


def read_fasta(path: Path, ending: str) -> pa.Table:
    """Read a FASTA file, ``.gz`` or not.

    Raises
    ------
    InputError
        No record, text before the first record, records without a name or a sequence, repeated names, characters
        that stand for no residue; the first records concerned are named by their position and line.
    """
    packed = ending.endswith(".gz")
    headers: list[str] = []
    lines: list[int] = []
    parts: list[list[str]] = []
    with gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith(">"):
                headers.append(line[1:].strip())
                lines.append(number)
                parts.append([])
            elif line.strip():
                if not parts:
                    raise InputError(
                        f"data={str(path)!r} is no FASTA: line {number} stands before the first header"
                        f" ({line.strip()[:30]!r}); each record starts with a line '>name'"
                    )
                parts[-1].append("".join(line.split()))
    if not headers:
        raise InputError(f"data={str(path)!r} has no record; each starts with a line '>name'")
    names = [header.split(maxsplit=1)[0] if header else "" for header in headers]
    sequences = ["".join(part) for part in parts]
    _check(path, names, sequences, lines)
    told = [header[len(name) :].strip() for header, name in zip(headers, names, strict=True)]
    text = pa.large_string()
    return pa.table(
        {
            "name": pa.array(names, text),
            "description": pa.array(told, text),
            SEQUENCE: pa.array(sequences, text),
        }
    )


def _check(path: Path, names: Sequence[str], sequences: Sequence[str], lines: Sequence[int]) -> None:
    def refuse(what: str, found: list[int], way: str, note: Sequence[str] = ()) -> None:
        if found:
            shown = [
                f"{names[i]!r} (row {i}, line {lines[i]}{', ' + note[k] if note else ''})"
                for k, i in enumerate(found[:_SHOWN])
            ]
            more = ", ..." if len(found) > _SHOWN else ""
            raise InputError(
                f"data={str(path)!r} has {len(found)} records {what}: {', '.join(shown)}{more}; {way}"
            )

    refuse("without a name", [i for i, name in enumerate(names) if not name], "name each: '>name'")
    refuse("without a sequence", [i for i, s in enumerate(sequences) if not s], "take them out")
    seen: set[str] = set()
    repeated = [i for i, name in enumerate(names) if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    refuse("whose name was used before", repeated, "give each its own name")
    strange = [(i, hit) for i, s in enumerate(sequences) if (hit := _STRANGE.search(s))]
    refuse(
        "with characters that stand for no residue",
        [i for i, _ in strange],
        "correct them",
        [repr(hit.group()) for _, hit in strange[:_SHOWN]],
    )
