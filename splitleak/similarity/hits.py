"""The backend of scores from elsewhere whose rows have names: hits of aligners, labelled matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak._scale import similarity_of_evalue
from splitleak.errors import InputError, unknown_option
from splitleak.graph import SimilarityGraph, check_threshold
from splitleak.records import Records
from splitleak.similarity import base
from splitleak.similarity.base import IGNORED, Backend, Neighbours
from splitleak.similarity.hit_tables import STRUCTURES, Format, Hits, read_hits
from splitleak.similarity.named_matrix import read_matrix
from splitleak.similarity.naming import Strangers, match_names
from splitleak.similarity.precomputed import (
    ALL_KINDS,
    UNSAID,
    MatrixKind,
    _checked_matrix,
    _matrix_pairs,
    check_rows,
    form_of,
)

Combine = Literal["max", "min", "mean"]
_LEAST = 1e-12


@dataclass(frozen=True)
class Pairs:
    """Similarities above 0 of pairs of rows, each pair once."""

    n_rows: int
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    similarity: NDArray[np.float64]
    note: str

    def graph(self, threshold: float, sides: NDArray[np.int64] | None) -> SimilarityGraph:
        """Return the pairs at or above `threshold`, across `sides` where given."""
        keep = self.similarity >= threshold
        if sides is not None:
            a, b = sides[self.left], sides[self.right]
            keep &= (a != b) & (a != IGNORED) & (b != IGNORED)
        return SimilarityGraph.build(
            self.left[keep], self.right[keep], self.similarity[keep], n_rows=self.n_rows, threshold=threshold,
            measure="precomputed",
        )  # fmt: skip

    def neighbours(
        self, queries: NDArray[np.int64], threshold: float, sides: NDArray[np.int64]
    ) -> Neighbours:
        """Look up the nearest rows of some; 0 where a side has no hit."""
        n_sides = int(sides.max(initial=0)) + 1
        nearest, degree = np.zeros((self.n_rows, n_sides)), np.zeros(self.n_rows, dtype=np.int64)
        for one, other in ((self.left, self.right), (self.right, self.left)):
            use = sides[other] != IGNORED
            np.maximum.at(nearest, (one[use], sides[other[use]]), self.similarity[use])
            degree += np.bincount(one[use & (self.similarity >= threshold)], minlength=self.n_rows)
        size = np.bincount(sides[sides != IGNORED], minlength=n_sides)
        others = size[None, :] - (sides[queries][:, None] == np.arange(n_sides))
        return Neighbours(np.where(others > 0, nearest[queries], np.nan), degree[queries])


@dataclass(frozen=True)
class NamedBackend(Backend):
    """Scores whose rows have names; they are read and matched once the data is known."""

    pairs: Pairs | None = None

    def matched(
        self, records: Records, candidates: Sequence[Sequence[Any]], column: Callable[[str], Sequence[Any]]
    ) -> NamedBackend:
        """Return this backend with its names matched to rows.

        Parameters
        ----------
        records : Records
            The rows.
        candidates : sequence of sequences
            What the rows may be called.
        column : callable
            Returns a column of the data, for ``names="column"``.
        """
        names = self.options.get("names")
        if isinstance(names, str):
            candidates = [column(names)]
        elif names is not None:
            candidates = [list(names)]
        for rows in candidates:
            if len(rows) != records.n_rows:
                raise InputError(
                    f"names must be one for each of the {records.n_rows} rows of the data, got {len(rows)}"
                )
        if not candidates and records.kind == "text":
            candidates = [_texts(records)]
        options = {k: v for k, v in self.options.items() if k != "names"}
        return replace(self, pairs=read_pairs(records, candidates, **options))

    def graph(
        self,
        records: Records,
        *,
        threshold: float | None = None,
        sides: NDArray[np.int64] | None = None,
        seed: int = 0,
        progress: Progress = SILENT,
    ) -> SimilarityGraph:
        """Return the given pairs at or above `threshold`."""
        limit = self.threshold if threshold is None else check_threshold(threshold)
        return replace(self._of(records).graph(limit, sides), measure=self.describe())

    def neighbours(
        self, records: Records, queries: NDArray[np.int64], *, threshold: float, sides: NDArray[np.int64]
    ) -> Neighbours:
        """Look up some rows in the given pairs."""
        return self._of(records).neighbours(queries, threshold, sides)

    def describe(self) -> str:
        """Return the name with its options; tables and lists of names by their kind, they may be long."""
        told = [
            f"{name}={value!r}"
            if isinstance(value, (str, int, float))
            else f"{name}=<{type(value).__name__}>"
            for name, value in sorted(self.options.items())
        ]
        return f"{self.name}({', '.join(told)})" if told else self.name

    def _option_names(self) -> list[str]:
        return [name for name in super()._option_names() if name != "candidates"]

    def _of(self, records: Records) -> Pairs:
        pairs = self.pairs
        if pairs is None:
            pairs = self.matched(records, [], lambda name: [name]).pairs
        assert pairs is not None
        check_rows(pairs.n_rows, records.n_rows)
        return pairs


def read_pairs(
    records: Records,
    candidates: Sequence[Sequence[Any]],
    *,
    matrix: Any = None,
    format: Format | None = None,  # noqa: A002
    score: str | None = None,
    columns: Sequence[str] | None = None,
    kind: MatrixKind = "similarity",
    labels: Sequence[Any] | None = None,
    combine: Combine = "max",
    min_coverage: float | None = None,
    strangers: Strangers = "error",
    names: Any = None,
) -> Pairs:
    """Read scores and match their names; see `splitleak.similarity.precomputed.precomputed` for the options."""
    for name, value, known in (
        ("combine", combine, get_args(Combine)),
        ("strangers", strangers, get_args(Strangers)),
        ("format", format, (None, *get_args(Format))),
        ("kind", kind, get_args(MatrixKind)),
    ):
        if value not in known:
            raise unknown_option(name, value, known)
    if matrix is None:
        raise InputError(
            "similarity='precomputed' needs scores: precomputed(path, format='m8'), or in text"
            " precomputed(matrix='hits.m8', format=m8)"
        )
    said, format = format, format or form_of(matrix, score)  # noqa: A001
    what = f"scores {Path(matrix).name!r}" if isinstance(matrix, (str, Path)) else "precomputed scores"
    if format in ("matrix", "condensed"):
        of_hits = {"score": score, "columns": columns, "min_coverage": min_coverage}
        for name, asked in of_hits.items():
            if asked is not None:
                raise InputError(
                    f"{name}={asked!r} is of hits, and {what} are a matrix; leave it out. {UNSAID}"
                )
        try:
            values, found = read_matrix(matrix, labels, condensed=format == "condensed")
        except InputError as error:
            if said is not None or not isinstance(matrix, (str, Path)) or not Path(matrix).is_file():
                raise
            raise InputError(f"{str(error).rstrip('.')}. {UNSAID}") from error
        return _matrix(records, candidates, values, found, kind, strangers, what)
    if min_coverage is not None and (isinstance(min_coverage, bool) or not 0 < min_coverage <= 1):
        raise InputError(f"min_coverage must be a number in (0, 1], got {min_coverage!r}")
    if kind != "similarity" and score is None:
        raise InputError(f"kind={kind!r} of hits needs the column of the distances: score=")
    hits = read_hits(matrix, format=format, score=score, columns=columns, coverage=min_coverage is not None)
    matching = match_names(
        hits.names, candidates, what=what, strangers=strangers, structures=format in STRUCTURES
    )
    read = _of_evalues if score == "evalue" else _similarities
    there = read(hits.there, kind, what)
    back = None if hits.back is hits.there else read(hits.back, kind, what)
    left, right = matching.rows[hits.left], matching.rows[hits.right]
    keep = (left >= 0) & (right >= 0) & (left != right)
    if min_coverage is not None:
        keep &= _coverage(hits, left, right, records, what) >= min_coverage
    a, b, s = _combined(
        left[keep], right[keep], there[keep], None if back is None else back[keep], combine, records.n_rows
    )
    note = f"{len(hits.left):,} hits, {len(a):,} pairs of rows; {matching.note}"
    return Pairs(records.n_rows, a, b, s, note)


def _similarities(values: NDArray[np.float64], kind: MatrixKind, what: str) -> NDArray[np.float64]:
    bad = np.flatnonzero((values < 0) | ((values > 1) if kind != "distance" else False))
    if len(bad):
        span = "of at least 0" if kind == "distance" else "in [0, 1]"
        hint = '; percentages are read by format="m8" (pident)' if kind == "similarity" else ""
        raise InputError(
            f"{what}: a score must be a {kind} {span}, and {len(bad):,} are not, the first {values[bad[0]]:g} in hit"
            f" {bad[0]}{hint}"
        )
    if kind == "similarity":
        return values
    return np.asarray(np.round(1 / (1 + values) if kind == "distance" else 1 - values, 12))


def _of_evalues(values: NDArray[np.float64], kind: MatrixKind, what: str) -> NDArray[np.float64]:
    if kind != "similarity":
        raise InputError(f'score="evalue" says what the numbers are; leave kind={kind!r} out')
    bad = np.flatnonzero(values < 0)
    if len(bad):
        raise InputError(
            f"{what}: an E-value is at least 0, and {len(bad):,} are not, the first {values[bad[0]]:g} in hit {bad[0]};"
            " powers of ten are turned into E-values by 10.0 ** column"
        )
    return similarity_of_evalue(values)


def _coverage(
    hits: Hits, left: NDArray[np.int64], right: NDArray[np.int64], records: Records, what: str
) -> NDArray[np.float64]:
    """Return the smaller of the two coverages of each hit."""
    if hits.coverage is not None:
        return np.minimum(*hits.coverage)
    if records.kind != "text":
        raise InputError(
            f"{what}: min_coverage= needs lengths: columns qcov and tcov, or qlen and tlen, or the sequences as data"
        )
    assert hits.aligned is not None
    length = np.diff(records.text()[1]).astype(np.float64)
    shares = [n / length[np.maximum(row, 0)] for n, row in zip(hits.aligned, (left, right), strict=True)]
    known = (left >= 0) & (right >= 0)
    over = np.flatnonzero(known & (np.maximum(*shares) > 1))
    if len(over):
        raise InputError(
            f"{what}: hit {over[0]} covers more letters than the row has; min_coverage= needs the sequences as data, or"
            " columns qcov and tcov, or qlen and tlen"
        )
    return np.asarray(np.minimum(*shares))


def _combined(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    there: NDArray[np.float64],
    back: NDArray[np.float64] | None,
    combine: Combine,
    n_rows: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return each pair once: the best of repeated hits in each direction, then both directions by the rule."""
    a, b, score = left, right, there  # one score a hit counts for the direction in which it was reported
    if back is not None:
        a, b = np.concatenate([left, right]), np.concatenate([right, left])
        score = np.concatenate([there, back])
    if not len(a):
        return a, b, score
    key = a * np.int64(n_rows) + b
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    best = np.maximum.reduceat(score[order], first)
    a, b = a[order][first], b[order][first]
    pair = np.minimum(a, b) * np.int64(n_rows) + np.maximum(a, b)
    order = np.argsort(pair, kind="stable")
    first = np.flatnonzero(np.diff(pair[order], prepend=-1))
    best = best[order]
    if combine == "mean":
        value = np.round(np.add.reduceat(best, first) / np.diff(first, append=len(best)), 12)
    else:
        value = (np.maximum if combine == "max" else np.minimum).reduceat(best, first)
    low, high = np.divmod(pair[order][first], np.int64(n_rows))
    return low, high, np.asarray(value)


def _matrix(
    records: Records,
    candidates: Sequence[Sequence[Any]],
    matrix: Any,
    names: Sequence[str] | None,
    kind: MatrixKind,
    strangers: Strangers,
    what: str,
) -> Pairs:
    values = _checked_matrix(matrix, kind)
    left, right, similarity = _matrix_pairs(values, kind, _LEAST)
    if names is None:
        check_rows(values.shape[0], records.n_rows)
        return Pairs(records.n_rows, left, right, similarity, "rows in the order of the data")
    matching = match_names(names, candidates, what=what, strangers=strangers)
    a, b = matching.rows[left], matching.rows[right]
    keep = (a >= 0) & (b >= 0) & (a != b)
    a, b, s = _combined(a[keep], b[keep], similarity[keep], None, "max", records.n_rows)
    return Pairs(records.n_rows, a, b, s, matching.note)


def _texts(records: Records) -> list[str]:
    buffer, offsets = records.text()
    whole = buffer.tobytes()
    return [whole[a:b].decode() for a, b in pairwise(offsets.tolist())]


named_scores = NamedBackend("precomputed", ALL_KINDS, read_pairs, threshold=0.8, given=True)  # type: ignore[arg-type]
base._REGISTRY["precomputed"] = named_scores
