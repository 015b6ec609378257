"""CrossedSearch: rows are similar when any of their values is similar to any of the other's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.records import Records, as_records
from splitleak.search.single import Search
from splitleak.similarity.base import Backend, Neighbours
from splitleak.similarity.combined import of_cells

if TYPE_CHECKING:
    from splitleak._tables import Source


@dataclass(frozen=True)
class CrossedSearch:
    """One search over the values of several columns: cell r + k * n_rows is the value of row r in column k.

    Attributes
    ----------
    source : Source
        The data.
    records : Records
        What the rows are known by.
    cells : Search
        The search over all values.
    columns : tuple of str
        The columns.
    """

    source: Source
    records: Records
    cells: Search
    columns: tuple[str, ...]

    @classmethod
    def of(cls, parts: Sequence[Search]) -> CrossedSearch:
        """Return the search of one for each column."""
        columns = tuple(part.records.columns[0] for part in parts)
        measures = sorted({part.measure for part in parts})
        if len(measures) > 1 or any(part.backend.given for part in parts):
            raise InputError(
                f"share='crossed' compares the values of {', '.join(columns)} with each other, and needs one measure"
                f" that reads values (got {', '.join(measures)}); name it in similarity="
            )
        source = parts[0].source
        stacked = Records.stacked([part.records for part in parts])
        records = as_records(source, on=columns, kind="views")
        return cls(source, records, replace(parts[0], records=stacked), columns)

    @property
    def backend(self) -> Backend:
        return self.cells.backend

    @property
    def threshold(self) -> float:
        return self.cells.threshold

    @property
    def reason(self) -> str:
        return self.cells.reason

    @property
    def name(self) -> str:
        """The measure and the columns it compares."""
        return f"{self.measure} on any of {' and '.join(self.columns)}"

    @property
    def measure(self) -> str:
        """The measure, as ``similarity=`` takes it."""
        return self.cells.measure

    def view(self) -> dict[str, Any]:
        """Return this search as one of several, in the form that `views_of` reads."""
        return {**self.cells.view(), "on": list(self.columns), "share": "crossed"}

    def options(self) -> dict[str, Any]:
        """Return what makes the same search again, for the provenance."""
        return {**self.cells.options(), "on": list(self.columns), "share": "crossed"}

    def raised(self, threshold: float) -> CrossedSearch:
        """Return the same search from `threshold` on."""
        return replace(self, cells=self.cells.raised(threshold))

    def graph(
        self,
        *,
        sides: NDArray[np.int64] | None = None,
        threshold: float | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> SimilarityGraph:
        """Search for all similar pairs, or for those across `sides` only."""
        tiled = None if sides is None else np.tile(sides, len(self.columns))
        found = self.cells.graph(sides=tiled, threshold=threshold, seed=seed, progress=progress)
        of_rows = of_cells(found, self.records.n_rows)
        details = {**found.details, "columns": self.columns}
        if "invalid" in details:  # cells, so far
            details["invalid"] = sorted({cell % self.records.n_rows for cell in details["invalid"]})
        return replace(of_rows, measure=self.name, details=details)

    def neighbours(self, queries: NDArray[np.int64], sides: NDArray[np.int64]) -> Neighbours | None:
        """Look up some rows by brute force; how many rows are similar is not told (None: the backend cannot)."""
        n, k = self.records.n_rows, len(self.columns)
        cells = np.concatenate([queries + column * n for column in range(k)])
        found = self.cells.neighbours(cells, np.tile(sides, k))
        if found is None:
            return None
        nearest = np.fmax.reduce(found.nearest.reshape(k, len(queries), -1), axis=0)
        # the values of one row may be similar to each other: what is on a row's own side says nothing of other rows
        nearest[np.arange(len(queries)), sides[queries]] = np.nan
        return Neighbours(nearest, None, found.floor)
