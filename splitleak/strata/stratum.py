"""One balanced column, resolved: which row has which labels; and all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Kind = Literal["classes", "labels", "continuous"]

CELLS = 60  # most cells of a crossing: with more, each has too few rows to be balanced


@dataclass(frozen=True, eq=False)
class Stratum:
    """A column whose values are balanced over the partitions.

    Attributes
    ----------
    name : str
        The column, or "stratify" where the values were given themselves.
    kind : {"classes", "labels", "continuous"}
        One class a row; any number of labels a row; a number a row, balanced by quantile bins.
    labels : tuple of str
        Classes, labels, or bins in ascending order.
    rows, codes : int64 arrays of shape (n_entries,)
        Row positions (ascending) and the label that they have. A row without an entry has no value.
    n_rows : int
    values : float64 array of shape (n_rows,) or None
        The numbers of a continuous column; NaN: missing.
    edges : tuple of float
        Where one bin of a continuous column ends and the next begins (belonging to the next).
    cumulative : bool
        Balance what is below each edge rather than what is in each bin: the distribution as a whole comes nearer,
        single bins less.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    rows: Ints
    codes: Ints
    n_rows: int
    values: NDArray[np.float64] | None = None
    edges: tuple[float, ...] = ()
    cumulative: bool = False

    @classmethod
    def classes(cls, name: str, codes: Ints, labels: Sequence[str]) -> Stratum:
        """Make one of a class for each row; -1: missing."""
        rows = np.flatnonzero(codes >= 0).astype(np.int64)
        return cls(name, "classes", tuple(labels), rows, codes[rows], len(codes))

    @classmethod
    def continuous(
        cls, name: str, values: NDArray[np.float64], edges: Sequence[float], *, cumulative: bool = False
    ) -> Stratum:
        """Make one of a number for each row, and the inner edges of its bins."""
        rows = np.flatnonzero(~np.isnan(values)).astype(np.int64)
        codes = np.searchsorted(np.asarray(edges), values[rows], side="right").astype(np.int64)
        texts = [f"{edge:.6g}" for edge in edges]
        bounds = list(zip(["-inf", *texts], [*texts, "inf"], strict=True))
        labels = [f"[{low}, {high})" if low != "-inf" else f"< {high}" for low, high in bounds]
        labels[-1] = f">= {bounds[-1][0]}" if texts else "all"
        return cls(
            name, "continuous", tuple(labels), rows, codes, len(values), values, tuple(edges), cumulative
        )

    def take(self, rows: Ints) -> Stratum:
        """Return the stratum of the given rows (ascending positions)."""
        place = np.full(self.n_rows, -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        kept = place[self.rows] >= 0
        values = None if self.values is None else self.values[rows]
        return replace(
            self, rows=place[self.rows[kept]], codes=self.codes[kept], n_rows=len(rows), values=values
        )

    def per_row(self) -> Ints:
        """Return the class or bin of each row, -1 for none (of several labels: the last)."""
        codes = np.full(self.n_rows, -1, dtype=np.int64)
        codes[self.rows] = self.codes
        return codes

    def balanced(self) -> tuple[Ints, Ints, int]:
        """Return rows, columns and the number of columns whose amounts are to be in proportion everywhere."""
        rows, codes, n = self.rows, self.codes, len(self.labels)
        if self.kind == "labels":
            return rows, codes, n
        absent = np.ones(self.n_rows, dtype=bool)
        absent[rows] = False
        missing = np.flatnonzero(absent)
        if self.cumulative:
            below = n - 1 - codes  # the number of edges above the value
            first = np.cumsum(below) - below
            column = np.arange(below.sum()) - np.repeat(first - codes, below)
            rows, codes, n = np.repeat(rows, below), column, n - 1
        if len(missing):
            rows = np.concatenate([rows, missing])
            codes = np.concatenate([codes, np.full(len(missing), n, dtype=np.int64)])
            n += 1
        return rows, codes, n


@dataclass(frozen=True, eq=False)
class Strata:
    """The balanced columns of one split, each balanced by itself (not their crossing).

    Attributes
    ----------
    columns : tuple of Stratum
    """

    columns: tuple[Stratum, ...]

    def take(self, rows: Ints) -> Strata:
        """Return the strata of the given rows (ascending positions)."""
        return Strata(tuple(column.take(rows) for column in self.columns))

    def balanced(self) -> tuple[Ints, Ints, int]:
        """Return rows, columns and the number of columns of all strata side by side."""
        rows, codes, total = [], [], 0
        for column in self.columns:
            row, code, n = column.balanced()
            rows.append(row)
            codes.append(code + total)
            total += n
        return np.concatenate(rows), np.concatenate(codes), total

    def crossing(self) -> Ints:
        """Return one class for each row: what its values of all strata are together.

        Of more than 60 such cells the most frequent remain; the other rows go by the rarest value that they have.
        """
        if len(self.columns) == 1 and self.columns[0].kind != "labels":
            return self.columns[0].per_row()
        n_rows = self.columns[0].n_rows
        cell = np.zeros(n_rows, dtype=np.int64)
        rarest = np.full(n_rows, -1, dtype=np.int64)
        rows, codes, n = self.balanced()
        frequency = np.bincount(codes, minlength=n)
        # a polynomial of the labels modulo 2**64: two cells in one are harmless, they are balanced together
        factor = np.random.default_rng(0).integers(1, 2**62, n)
        np.add.at(cell, rows, factor[codes])
        best = np.lexsort((codes, frequency[codes], rows))
        first = np.append(True, rows[best][1:] != rows[best][:-1])[: len(rows)]
        rarest[rows[best][first]] = codes[best][first]
        found, number, counts = np.unique(cell, return_inverse=True, return_counts=True)
        if len(found) <= CELLS:
            return number.astype(np.int64)
        rank = np.empty(len(found), dtype=np.int64)
        rank[np.lexsort((found, -counts))] = np.arange(len(found))
        return np.where(rank[number] < CELLS, rank[number], CELLS + 1 + rarest).astype(np.int64)
