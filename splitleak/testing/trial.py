"""One backend on the rows of its author: what it returns, what is right, and how to say that they differ."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.graph import SimilarityGraph
from splitleak.records import Records
from splitleak.search.single import row_values
from splitleak.similarity.base import Backend

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_SHOWN = 60  # letters of a row in a message


def similarity_matrix(graph: SimilarityGraph) -> Floats:
    """Return the similarity of each pair of rows, shape (n_rows, n_rows); NaN: no pair, and on the diagonal."""
    matrix = np.full((graph.n_rows, graph.n_rows), np.nan)
    left, right, similarity = graph.pairs()
    matrix[left, right] = similarity
    matrix[right, left] = similarity
    return matrix


@dataclass(frozen=True)
class Trial:
    """A backend, the rows it is tried on, and who knows what is right.

    Attributes
    ----------
    backend : Backend
    records : Records
    threshold : float
        Inclusive bound in (0, 1].
    oracle : callable or None
        Similarity of two row values; None: the backend's own look-up.
    tolerance : float
        How far similarities may differ.
    """

    backend: Backend
    records: Records
    threshold: float
    oracle: Callable[[Any, Any], float] | None
    tolerance: float

    @property
    def takes_sides(self) -> bool:
        """Whether the backend searches across sides by itself."""
        return "sides" in inspect.signature(self.backend.function).parameters

    def graph(
        self,
        records: Records | None = None,
        *,
        threshold: float | None = None,
        sides: Ints | None = None,
        seed: int = 0,
    ) -> SimilarityGraph:
        """Return what the backend finds."""
        return self.backend.graph(
            self.records if records is None else records,
            threshold=self.threshold if threshold is None else threshold,
            sides=sides,
            seed=seed,
        )

    def looked_up(self, records: Records) -> Floats | None:
        """Return the similarity of all pairs by the backend's look-up: each row is a side of its own."""
        rows = np.arange(records.n_rows, dtype=np.int64)
        found = self.backend.neighbours(records, rows, threshold=self.threshold, sides=rows)
        return None if found is None else found.nearest

    def truth(self, records: Records) -> Floats:
        """Return the similarity of all pairs, shape (n_rows, n_rows); the diagonal does not count."""
        if self.oracle is None:
            truth = self.looked_up(records)
            assert truth is not None
            who = "the backend's look-up"
        else:
            values = row_values(records)
            n = records.n_rows
            truth = np.array([[self.oracle(values[i], values[j]) for j in range(n)] for i in range(n)], float)
            who = "the oracle"
        apart = ~np.isclose(truth, truth.T, rtol=0, atol=self.tolerance, equal_nan=True)
        if apart.any():
            i, j = np.argwhere(apart)[0].tolist()
            raise self.broken(
                "symmetric",
                f"{who} gives rows {i} and {j} {truth[i, j]}, and rows {j} and {i} {truth[j, i]}",
                rows=[i, j],
            )
        return np.asarray(truth, dtype=np.float64)

    def agree(self, graph: SimilarityGraph, truth: Floats, what: str, records: Records | None = None) -> None:
        """Raise unless the graph is well formed and has the pairs that it must have, with their similarity."""
        self.well_formed(graph, self.records if records is None else records)
        found = similarity_matrix(graph)
        apart = ~np.eye(len(truth), dtype=bool)
        pair = np.isfinite(found)
        low = apart & pair & (truth < self.threshold - self.tolerance)
        if low.any():
            i, j = np.argwhere(low)[0].tolist()
            raise self.broken(
                "no pair below the threshold",
                f"{self.pair(low, records)} are a pair of similarity {found[i, j]:.6g}, and have {truth[i, j]:.6g}",
                rows=[i, j],
                of=what,
            )
        missed = apart & ~pair & (truth >= min(1.0, self.threshold + self.tolerance))
        if self.backend.exact and missed.any():
            i, j = np.argwhere(missed)[0].tolist()
            raise self.broken(
                "every pair at or above the threshold",
                f"{self.pair(missed, records)} have {truth[i, j]:.6g} and are no pair"
                f" ({int(missed.sum()) // 2} pairs are missed)",
                rows=[i, j],
                of=what,
            )
        other = apart & pair & (np.abs(found - truth) > self.tolerance)
        if other.any():
            i, j = np.argwhere(other)[0].tolist()
            raise self.broken(
                "similarities are right",
                f"{self.pair(other, records)} have {found[i, j]!r} in the graph, and {truth[i, j]!r} is right",
                rows=[i, j],
                of=what,
            )

    def well_formed(self, graph: SimilarityGraph, records: Records) -> None:
        """Raise unless pairs are sorted, unique, of two rows, in range, and stored between representatives."""
        left, right, similarity, n = graph.left, graph.right, graph.similarity, records.n_rows
        for name, rows in (("left", left), ("right", right)):
            if rows.dtype != np.int64:
                raise self.broken("well formed", f"graph.{name} is {rows.dtype}, row positions are int64")
        if not len(left) == len(right) == len(similarity):
            raise self.broken(
                "well formed",
                "left, right and similarity of the graph differ in length; use SimilarityGraph.build",
            )
        if len(left) and (int(left.min()) < 0 or int(right.max()) >= n):
            raise self.broken(
                "well formed", f"row positions must be in [0, {n}), got {left.min()} to {right.max()}"
            )
        loops = left == right
        if loops.any():
            raise self.broken(
                "no row with itself", f"row {left[loops][0]} is a pair with itself", rows=left[loops][:1]
            )
        step = np.diff(left * np.int64(n) + right)
        if (left > right).any() or (step <= 0).any():
            raise self.broken(
                "well formed",
                "pairs must have left < right, be sorted and come once; use SimilarityGraph.build",
            )
        bad = ~((similarity >= graph.threshold) & (similarity <= 1))
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            raise self.broken(
                "similarities in [threshold, 1]",
                f"rows {left[i]} and {right[i]} have {similarity[i]}, and the threshold is {graph.threshold:g}",
                rows=[int(left[i]), int(right[i])],
            )
        if graph.exact != self.backend.exact:
            raise self.broken(
                "exact is said once",
                f"the backend has exact={self.backend.exact}, its graph exact={graph.exact}",
            )
        self._well_copied(graph, n)

    def _well_copied(self, graph: SimilarityGraph, n: int) -> None:
        copies = graph.copies
        if copies is None:
            return
        if (
            copies.shape != (n,)
            or not np.array_equal(copies[copies], copies)
            or (copies > np.arange(n)).any()
        ):
            raise self.broken("well formed", "copies must name, for each row, the first row that equals it")
        ends = np.concatenate([graph.left, graph.right])
        if not np.array_equal(copies[ends], ends):
            raise self.broken(
                "well formed", "where rows have copies, pairs are stored between representatives only"
            )

    def same(self, found: SimilarityGraph, expected: SimilarityGraph, rule: str, what: str) -> None:
        """Raise unless two graphs have the same pairs."""
        self.same_matrix(similarity_matrix(found), similarity_matrix(expected), rule, what)

    def same_matrix(self, found: Floats, expected: Floats, rule: str, what: str) -> None:
        """Raise unless two matrices of similarities have the same pairs, with the same similarity."""
        differ = ~np.isclose(found, expected, rtol=0, atol=self.tolerance, equal_nan=True)
        if differ.any():
            i, j = np.argwhere(differ)[0].tolist()
            raise self.broken(
                rule,
                f"{self.pair(differ)} have {_told(expected[i, j])} at first, and {_told(found[i, j])} with {what}",
                rows=[i, j],
            )

    def pair(self, where: NDArray[np.bool_], records: Records | None = None) -> str:
        """Name the first pair of a mask by positions and values."""
        records = self.records if records is None else records
        i, j = np.argwhere(where)[0].tolist()
        if records.kind == "image":
            shown = [records.pictures().name(row) for row in (i, j)]
        else:
            shown = [repr(value) for value in row_values(records.take(np.array([i, j], dtype=np.int64)))]
        return f"rows {i} and {j} ({' | '.join(text[:_SHOWN] for text in shown)})"

    def broken(
        self,
        rule: str,
        what: str,
        *,
        rows: Sequence[int] | Ints = (),
        threshold: float | None = None,
        of: str = "all rows",
    ) -> AssertionError:
        """Return the error of a rule: what is wrong, and how to see it again."""
        limit = self.threshold if threshold is None else threshold
        name = self.backend.describe()
        alone = f"; the rows alone: records.take(np.array({[int(r) for r in rows]}))" if len(rows) else ""
        return AssertionError(
            f"check_backend({name!r}), rule {rule!r}: {what}. See it again (on {of}):"
            f" get_backend({name!r}).graph(records, threshold={limit!r}), records = splitleak.records.as_records(data)"
            f"{alone}"
        )


def _told(similarity: float) -> str:
    return "no similarity (no pair)" if np.isnan(similarity) else f"similarity {float(similarity)!r}"


@contextmanager
def with_threads(count: int) -> Iterator[None]:
    """Let splitleak use `count` threads."""
    name = "SPLITLEAK_NUM_THREADS"
    old = os.environ.get(name)
    os.environ[name] = str(count)
    try:
        yield
    finally:
        if old is None:
            del os.environ[name]
        else:
            os.environ[name] = old
