"""Names in tables of scores matched to the rows of the data; strangers and absentees are reported."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError, SplitleakWarning

Strangers = Literal["error", "warn", "ignore"]
_SHOWN = 5


class Matching(NamedTuple):
    """The row of each name (-1: a stranger), and what a reader should know of it."""

    rows: NDArray[np.int64]
    note: str


def first_word(name: str) -> str:
    """Return a name up to the first blank, as aligners cut the headers of FASTA files."""
    return name.split(maxsplit=1)[0] if name.strip() else ""


def structure_name(name: str) -> str:
    """Return the name of a structure file without its folder, its ending and the chain after a colon."""
    stem = PurePosixPath(first_word(name).partition(":")[0].replace("\\", "/")).name
    for ending in (".gz", ".pdb", ".cif", ".ent", ".mmcif"):
        stem = stem.removesuffix(ending)
    return stem


def match_names(
    names: Sequence[str],
    candidates: Sequence[Sequence[Any]],
    *,
    what: str,
    strangers: Strangers = "error",
    structures: bool = False,
) -> Matching:
    """Match names to rows: as they are, else up to the first blank, else (structures) without folder, ending, chain.

    Parameters
    ----------
    names : sequence of str
        Different names.
    candidates : sequence of sequences
        What the rows may be called; those with most matches are taken.
    what : str
        Where the names come from, for messages.
    strangers : {"error", "warn", "ignore"}
        What happens to names that no row has.
    structures : bool
        Whether these are names of structure files.

    Raises
    ------
    InputError
        No names of rows, names that several rows have, names that no row has.
    """
    if not candidates:
        raise InputError(
            f"{what}: its names stand for rows, and the data has none; say which column holds them, or give them:"
            " precomputed(..., names=)"
        )
    found = [_match(names, [str(name) for name in rows], what, structures) for rows in candidates]
    rows = max(found, key=lambda one: int((one >= 0).sum()))
    alien = np.flatnonzero(rows < 0)
    n_rows = len(candidates[0])
    if len(alien) == len(names) and len(names) and n_rows:
        shown = [str(rows_of[0]) for rows_of in candidates if len(rows_of)]
        raise InputError(
            f"{what}: none of its {len(names):,} names is in the data ({_some(names)}; rows of the data are called"
            f" {_some(shown)}); say which column holds the names: precomputed(..., names=)"
        )
    told = f"{len(alien):,} of its {len(names):,} names {'is' if len(alien) == 1 else 'are'} not in the data"
    told += f" ({_some([names[i] for i in alien[:_SHOWN]], len(alien))})" if len(alien) else ""
    if len(alien) and strangers == "error":
        raise InputError(f'{what}: {told}; strangers="warn" or "ignore" leaves them out')
    if len(alien) and strangers == "warn":
        warnings.warn(f"{what}: {told}; they are left out", SplitleakWarning, stacklevel=2)
    seen = np.zeros(n_rows, dtype=bool)
    seen[rows[rows >= 0]] = True
    absent = np.flatnonzero(~seen)
    taken = candidates[int(np.argmax([(one >= 0).sum() for one in found]))]
    absentees = [str(taken[i]) for i in absent[:_SHOWN]]
    missing = f"{len(absent):,} of {n_rows:,} rows are not in it"
    return Matching(
        rows, f"{told}; {missing}" + (f" ({_some(absentees, len(absent))})" if len(absent) else "")
    )


def _match(names: Sequence[str], rows: Sequence[str], what: str, structures: bool) -> NDArray[np.int64]:
    forms: list[Callable[[str], str]] = [str, first_word, *([structure_name] if structures else [])]
    out = np.full(len(names), -1, dtype=np.int64)
    for form in forms:
        places: dict[str, int] = {}
        several: dict[str, int] = {}
        for row, name in enumerate(rows):
            if places.setdefault(form(name), row) != row:
                several.setdefault(form(name), row)
        for at, name in enumerate(names):
            if out[at] >= 0:
                continue
            key = form(name)
            if key in several:
                raise InputError(
                    f"{what}: the name {name!r} stands for more than one row ({places[key]} and {several[key]}); names"
                    " must differ"
                )
            out[at] = places.get(key, -1)
    return out


def _some(names: Sequence[str], n: int | None = None) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return shown + (", ..." if (len(names) if n is None else n) > _SHOWN else "")
