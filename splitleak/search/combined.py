"""CombinedSearch: several searches at once, of which any or all must find a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._scale import scale_of
from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.records import Records, as_records
from splitleak.search.crossed import CrossedSearch
from splitleak.search.single import Search
from splitleak.similarity.combined import intersection, union
from splitleak.similarity.views import Combine

if TYPE_CHECKING:
    from splitleak._tables import Source


@dataclass(frozen=True)
class CombinedSearch:
    """Several searches over the same rows.

    Attributes
    ----------
    source : Source
        The data.
    records : Records
        What the rows are known by: all columns that are compared.
    members : tuple of searches
        Each with its own columns, backend and threshold.
    combine : {"any", "all"}
        Whether one of them makes two rows similar, or all must.
    """

    source: Source
    records: Records
    members: tuple[Search | CrossedSearch | CombinedSearch, ...]
    combine: Combine

    @property
    def threshold(self) -> float:
        """The smallest of the members' thresholds."""
        return min(member.threshold for member in self.members)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each member is called: its measure and columns; numbered where two are called the same."""
        plain = [member.name for member in self.members]
        return tuple(
            f"{name} ({plain[:i].count(name) + 1})" if plain.count(name) > 1 else name
            for i, name in enumerate(plain)
        )

    @property
    def name(self) -> str:
        """All measures and columns."""
        return _sentence(self.names, self.combine)

    @property
    def measure(self) -> str:
        """All measures, columns and thresholds."""
        each = [
            f"({member.measure})"
            if isinstance(member, CombinedSearch)
            else f"{name} {scale_of(member.measure).bound(member.threshold)}"
            for name, member in zip(self.names, self.members, strict=True)
        ]
        return _sentence(each, self.combine)

    @property
    def reason(self) -> str:
        """Why each backend was taken."""
        return "; ".join(
            f"{name}: {member.reason}" for name, member in zip(self.names, self.members, strict=True)
        )

    def view(self) -> dict[str, Any]:
        """Return columns that share one measure as one view, in the form that `views_of` reads."""
        views = [member.view() for member in self.members]
        return {**views[0], "on": [column for v in views for column in v["on"]], "share": "any"}

    def options(self) -> dict[str, Any]:
        """Return what makes the same search again, for the provenance."""
        return {
            "on": None,
            "similarity": [member.view() for member in self.members],
            "similarity_reason": f"similarity {self.reason}",
            "threshold": None,
            "combine": self.combine,
        }

    def raised(self, threshold: float) -> CombinedSearch:
        """Return the same search, no member's threshold below `threshold`."""
        members = tuple(member.raised(max(threshold, member.threshold)) for member in self.members)
        return replace(self, members=members)

    def graph(
        self,
        *,
        sides: NDArray[np.int64] | None = None,
        threshold: float | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> SimilarityGraph:
        """Search for all similar pairs, or for those across `sides` only; `threshold` raises lower ones."""
        if threshold is not None and threshold < self.threshold:
            raise InputError(
                f"several similarities are searched at their own thresholds ({self.measure}), not below, at"
                f" {threshold:g}; make the list with lower ones"
            )
        wanted = self if threshold is None else self.raised(threshold)
        return wanted.joined([m.graph(sides=sides, seed=seed, progress=progress) for m in wanted.members])

    def joined(self, graphs: Sequence[SimilarityGraph]) -> SimilarityGraph:
        """Return the graph of any, or of all, of the members' graphs."""
        function = union if self.combine == "any" else intersection
        found = function(graphs, self.names, measure=self.measure)
        return replace(found, details={**found.details, "columns": self.records.columns})


def identity_of(source: Source, records: Sequence[Records]) -> Records:
    """Return what rows are known by when these records are compared: they themselves where all are alike."""
    first = records[0]
    if all(
        (r.columns, r.kind, r.missing_are) == (first.columns, first.kind, first.missing_are) for r in records
    ):
        return first
    columns = list(dict.fromkeys(column for r in records for column in r.columns))
    return as_records(source, on=columns, kind="views")


def _sentence(parts: Sequence[str], combine: Combine) -> str:
    return (" or " if combine == "any" else " and ").join(parts)
