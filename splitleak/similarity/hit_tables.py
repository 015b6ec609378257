"""Tables of hits, as aligners write them: which column is what, read by pyarrow."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError, did_you_mean, unknown_option

Format = Literal[
    "m8", "blast", "diamond", "mmseqs", "foldseek", "hhblits", "tmalign", "usalign", "matrix", "condensed"
]
STRUCTURES = ("foldseek", "tmalign", "usalign")

_POSITIONS = ["alnlen", "mismatch", "gapopen", "qstart", "qend", "tstart", "tend", "evalue", "bits"]
_BLAST = [
    "qseqid", "sseqid", "pident", "length", "mismatch", "gapopen", "qstart", "qend", "sstart", "send", "evalue",
    "bitscore",
]  # fmt: skip
_MMSEQS = ["query", "target", "fident", *_POSITIONS]
_TM = ["PDBchain1", "PDBchain2", "TM1", "TM2", "RMSD", "ID1", "ID2", "IDali", "L1", "L2", "Lali"]
_COLUMNS = {
    "m8": _BLAST, "blast": _BLAST, "diamond": _BLAST,  # BLAST+ -outfmt 6, DIAMOND --outfmt 6
    "mmseqs": _MMSEQS, "foldseek": _MMSEQS,  # convertalis, easy-search
    "hhblits": _MMSEQS,  # -blasttab: matches over the target's length
    "tmalign": _TM, "usalign": _TM,  # -outfmt 2
}  # fmt: skip
_SAME = {  # names of one thing in several programs
    "query": ("query", "qseqid", "PDBchain1", "#PDBchain1", "left", "qacc"),
    "target": ("target", "sseqid", "PDBchain2", "right", "sacc"),
    "bits": ("bits", "bitscore"),
    "qend": ("qend",), "qstart": ("qstart",), "tstart": ("tstart", "sstart"), "tend": ("tend", "send"),
    "qlen": ("qlen", "L1"), "tlen": ("tlen", "slen", "L2"),
    "qcov": ("qcov",), "tcov": ("tcov", "scov"),
}  # fmt: skip
_IDENTITY = ("fident", "pident", "identity", "similarity")
_PAIRS = {  # scores of two numbers: of the query's length, and of the target's
    "tm": [("TM1", "TM2"), ("qtmscore", "ttmscore")],
    "coverage": [("qcov", "tcov"), ("qcov", "scov")],
    "length-identity": [("ID1", "ID2")],
}
_PERCENT = ("pident", "qcovs", "qcovhsp", "scovhsp")


@dataclass(frozen=True)
class Hits:
    """Hits between named things.

    Attributes
    ----------
    names : list of str
        Different names.
    left, right : int64 arrays of shape (n_hits,)
        Query and target of each hit, as positions in `names`.
    there, back : float64 arrays of shape (n_hits,)
        Score as seen from the query, and from the target; the same array where a hit has one score.
    coverage, aligned : tuple of 2 float64 arrays or None
        Coverage of query and target, in [0, 1], where the table tells it; else their aligned letters.
    """

    names: list[str]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    there: NDArray[np.float64]
    back: NDArray[np.float64]
    coverage: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    aligned: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


def read_hits(
    scores: Any,
    *,
    format: str,  # noqa: A002
    score: str | None,
    columns: Sequence[str] | None,
    coverage: bool,
) -> Hits:
    """Read a table of hits.

    Parameters
    ----------
    scores : path or table
        A tab-separated file (also .gz, with comments and a header or without), Parquet, CSV with a header, or a table.
    format : str
        A name of `Format`, which says what the columns of a file without a header are.
    score : str or None
        "identity", "tm", "coverage", "bits" (over the smaller self hit), or the name of a column with numbers in
        [0, 1] (E-values: at least 0); None: "tm" for TM-align and US-align, else "identity".
    columns : sequence of str or None
        Names of the columns, where they are not those of the format.
    coverage : bool
        Whether coverages are wanted.
    """
    if format not in get_args(Format):
        raise unknown_option("format", format, get_args(Format))
    table = _Table(scores, format, columns)
    wanted = score or ("tm" if format in ("tmalign", "usalign") else "identity")
    query, target = table.find("query"), table.find("target")
    named = _score_columns(table, wanted)
    numbers = [*named]
    spans: list[str] = []
    if coverage:
        spans = table.span_columns()
        numbers += spans
    found = table.read([query, target], list(dict.fromkeys(numbers)))
    names, left, right = _positions(found[query], found[target])
    values = [_scaled(found[name], name, table) for name in named]
    if wanted == "bits":
        values = [_over_self(found[named[0]], left, right, names, table.what)]
    pair = (values[0], values[-1])
    if not spans:
        return Hits(names, left, right, *pair)
    parts = [found[name] for name in spans]
    if len(parts) == 2:
        return Hits(names, left, right, *pair, coverage=(parts[0], parts[1]))
    first, last = np.abs(parts[1] - parts[0]) + 1, np.abs(parts[3] - parts[2]) + 1
    if len(parts) == 6:
        return Hits(names, left, right, *pair, coverage=(first / parts[4], last / parts[5]))
    return Hits(names, left, right, *pair, aligned=(first, last))


class _Table:
    """A file or table of hits: its columns by name, read when they are known."""

    def __init__(self, scores: Any, kind: str, columns: Sequence[str] | None) -> None:
        self.scores, self.kind = scores, kind
        self.path = Path(scores) if isinstance(scores, (str, Path)) else None
        self.what = "precomputed()" if self.path is None else f"hits {self.path.name!r}"
        self.skip = 0
        if self.path is not None and not self.path.is_file():
            raise InputError(f"precomputed: {str(scores)!r}: no such file")
        text = self.path is not None and not self.path.name.lower().endswith(
            (".parquet", ".csv", ".csv.gz", ".jsonl")
        )
        self.source: Any = None
        if not text:
            from splitleak._tables import open_source

            self.source = open_source(scores)
            self.columns = list(self.source.column_names)
            return
        self.columns = self._text_columns(columns)

    def _text_columns(self, given: Sequence[str] | None) -> list[str]:
        assert self.path is not None
        opened = gzip.open if self.path.name.lower().endswith(".gz") else open
        before = 0
        try:
            with opened(self.path, "rt", encoding="utf-8") as file:
                for line in file:
                    if line.strip() and not (line.startswith("#") and "\t" not in line):
                        break
                    before += 1
                else:
                    raise InputError(f"{self.what} has no hits: give a file with at least one")
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise InputError(f"{self.what} cannot be read: {error}") from error
        fields = line.rstrip("\r\n").split("\t")
        known = {name for names in _SAME.values() for name in names}
        header = fields[0] in known or fields[0].lstrip("#") in known
        self.skip = before + header
        if given is not None:
            preset = list(given)
        elif header:
            return [field.lstrip("#") for field in fields]
        else:
            preset = _COLUMNS[self.kind]
        if len(fields) != len(preset):
            raise InputError(
                f"{self.what} has {len(fields)} columns (split by tabs), and {self.kind} without a header has"
                f" {len(preset)} ({', '.join(preset)}); name those of the file: columns=[...], or of a"
                " matrix say format='matrix'"
            )
        return preset

    def find(self, role: str) -> str:
        """Return the column of a role, or raise."""
        found = self.maybe(role)
        if found is None:
            raise InputError(
                f"{self.what} needs a column {role} ({' or '.join(_SAME[role])}); it has {', '.join(self.columns)}"
            )
        return found

    def maybe(self, role: str) -> str | None:
        return next((name for name in _SAME[role] if name in self.columns), None)

    def span_columns(self) -> list[str]:
        """Return the columns that coverage is made of: both coverages, or starts and ends (and lengths)."""
        both = [self.maybe(role) for role in ("qcov", "tcov")]
        if None not in both:
            return [str(name) for name in both]
        spans = [self.find(role) for role in ("qstart", "qend", "tstart", "tend")]
        lengths = [self.maybe(role) for role in ("qlen", "tlen")]
        return spans if None in lengths else [*spans, *(str(name) for name in lengths)]

    def read(self, texts: list[str], numbers: list[str]) -> dict[str, Any]:
        import pyarrow as pa

        if self.source is not None:
            found: dict[str, Any] = {n: self.source.column(n).cast(pa.large_string()) for n in texts}
            return found | {n: self._numbers(self.source.column(n), n) for n in numbers}
        table = self._read_text(texts, numbers)
        return {n: table.column(n) for n in texts} | {n: self._numbers(table.column(n), n) for n in numbers}

    def _read_text(self, texts: list[str], numbers: list[str]) -> Any:
        import pyarrow as pa
        from pyarrow import csv

        dictionary = pa.dictionary(pa.int32(), pa.string())
        kinds = dict.fromkeys(texts, dictionary) | dict.fromkeys(numbers, pa.float64())
        try:
            with pa.input_stream(str(self.path), compression="detect") as file:
                return csv.read_csv(
                    file,
                    read_options=csv.ReadOptions(column_names=self.columns, skip_rows=self.skip),
                    parse_options=csv.ParseOptions(
                        delimiter="\t",
                        quote_char=False,
                        invalid_row_handler=lambda row: "skip" if row.text.startswith("#") else "error",
                    ),
                    convert_options=csv.ConvertOptions(
                        column_types=kinds, include_columns=[*texts, *numbers], strings_can_be_null=False
                    ),
                )
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{self.what} cannot be read; {' and '.join(numbers)} must be numbers: {error}"
            ) from error

    def _numbers(self, column: Any, name: str) -> NDArray[np.float64]:
        values = column.to_numpy() if hasattr(column, "to_numpy") else np.asarray(column)
        if values.dtype.kind not in "fiu":
            raise InputError(
                f"{self.what}: the column {name} is not numeric ({column.type}); name another with score="
            )
        values = values.astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise InputError(
                f"{self.what}: the column {name} has {len(bad):,} values that are no finite numbers, the first in hit"
                f" {bad[0]}"
            )
        return np.asarray(values)


def _score_columns(table: _Table, wanted: str) -> list[str]:
    """Return the column of a score, or the two of an asymmetric one."""
    if wanted in _PAIRS:
        for pair in _PAIRS[wanted]:
            if set(pair) <= set(table.columns):
                return list(pair)
    elif wanted == "bits":
        return [table.find("bits")]
    elif wanted == "identity":
        found = next((name for name in _IDENTITY if name in table.columns), None)
        if found is not None:
            return [found]
    if wanted in table.columns:
        return [wanted]
    raise InputError(
        f"{table.what} has no score {wanted!r}{did_you_mean(wanted, table.columns)}; it has"
        f" {', '.join(table.columns)}, and score= also takes identity, bits, tm, coverage where it has their columns"
    )


def _scaled(values: NDArray[np.float64], name: str, table: _Table) -> NDArray[np.float64]:
    if name not in _PERCENT:
        return values
    if len(values) and values.max() <= 1:
        raise InputError(
            f"{table.what}: the column {name} holds percentages, and none here is above 1; if they are shares, use"
            ' format="mmseqs", or name the column fident: columns=[...]'
        )
    return np.round(values / 100, 12)


def _positions(query: Any, target: Any) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Return the different names, sorted, and the position of each query and target."""
    import pyarrow as pa

    both = pa.chunked_array([*query.chunks, *target.chunks]).combine_chunks()
    if isinstance(both, pa.ChunkedArray):
        both = both.unify_dictionaries().combine_chunks()
    coded = both if pa.types.is_dictionary(both.type) else both.dictionary_encode()
    if coded.null_count:
        raise InputError("precomputed: hits must have a query and a target each, and some have none")
    names = [str(name) for name in coded.dictionary.to_pylist()]
    order, place = np.unique(np.array(names, dtype=object), return_inverse=True)
    codes = place[coded.indices.to_numpy(zero_copy_only=False)].astype(np.int64)
    return order.tolist(), codes[: len(query)], codes[len(query) :]


def _over_self(
    bits: NDArray[np.float64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    names: list[str],
    what: str,
) -> NDArray[np.float64]:
    """Return bit scores over the smaller of the two self hits, at most 1."""
    own = np.zeros(len(names))
    same = left == right
    np.maximum.at(own, left[same], bits[same])
    lacking = np.flatnonzero(own <= 0)
    if len(lacking):
        shown = ", ".join(repr(names[i]) for i in lacking[:5])
        raise InputError(
            f'{what}: score="bits" is over the hit of each name with itself, and {len(lacking):,} have none ({shown});'
            ' run all against all, self hits kept, or use score="identity"'
        )
    share: NDArray[np.float64] = bits / np.minimum(own[left], own[right])
    return np.asarray(np.round(np.minimum(share, 1), 12), dtype=np.float64)
