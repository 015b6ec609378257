"""Search: what is compared, how, and from which similarity on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak.errors import unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.records import Kind, Records, as_records
from splitleak.similarity.base import Backend, Neighbours, get_backend, is_backend_name, scale_asked
from splitleak.similarity.choose import check_named, choose

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from splitleak._tables import Source

Missing = Literal["equal", "distinct", "error"]


@dataclass(frozen=True)
class Search:
    """What is compared, how, and from which similarity on two rows count as similar."""

    source: Source
    records: Records
    backend: Backend
    threshold: float
    reason: str

    @classmethod
    def prepare(
        cls,
        data: Any,
        *,
        on: str | Sequence[str] | None = None,
        similarity: Any = "auto",
        threshold: float | None = None,
        exclude: Collection[str] = (),
        missing: Missing = "equal",
        kind: Kind | None = None,
    ) -> Search:
        """Check the arguments, read the compared columns, choose the backend."""
        from splitleak._tables import open_source

        asked = None if threshold is None else scale_asked(similarity).read(threshold)
        if missing not in get_args(Missing):
            raise unknown_option("missing", missing, get_args(Missing))
        check_named(similarity)
        source = open_source(data)
        by_column = _compares_columns(similarity)
        whole_rows = on is None and (by_column or (isinstance(similarity, str) and similarity == "exact"))
        if whole_rows and source.column_names:
            on = [name for name in source.column_names if name not in exclude]
        if isinstance(similarity, SimilarityGraph) and on is None and similarity.details.get("columns"):
            on, kind = (
                list(similarity.details["columns"]),
                "views",
            )  # of several similarities, each had its columns
        kind = "table" if whole_rows and len(on or ()) > 1 else kind
        if _compares_images(similarity):
            kind = "image"
        if by_column and source.column_names and not _is_vector(source, on):
            kind = "table"
        records = as_records(source, on=on, exclude=exclude, kind=kind, missing=missing)
        if records.kind == "text" and _is_auto(similarity):
            from splitleak._tables.images import are_image_names

            if are_image_names(*records.text()):
                records = as_records(source, on=on, exclude=exclude, kind="image", missing=missing)
        if records.kind == "table" and _is_auto(similarity):
            from splitleak._tables.images import are_image_bytes

            if len(records.columns) == 1 and are_image_bytes(source.column(records.columns[0])):
                records = as_records(source, on=on, exclude=exclude, kind="image", missing=missing)
        if len(records.columns) > 1 and records.kind == "vector" and _is_auto(similarity):
            # columns with names and units of their own are no vector, whose direction would tell something
            records = as_records(source, on=on, exclude=exclude, kind="table", missing=missing)
        choice = choose(
            similarity,
            records,
            row_values=lambda: row_values(records),
            row_labels=_row_labels(data, source, on),
            column=lambda name: source.column(name, argument="names").to_pylist(),
            threshold=asked,
        )
        choice.backend.check_kind(records)
        limit = choice.backend.threshold if asked is None else asked
        if isinstance(similarity, SimilarityGraph) and limit < similarity.threshold:
            similarity.raised(limit)  # raises: it has no pairs below its own threshold
        return cls(source, records, choice.backend, limit, choice.reason)

    @property
    def name(self) -> str:
        """The measure and the columns it compares."""
        return _name(self.backend.describe(), self.records.columns, " and ")

    @property
    def measure(self) -> str:
        """The measure, as ``similarity=`` takes it."""
        return self.backend.describe()

    def options(self) -> dict[str, Any]:
        """Return what makes the same search again, for the provenance."""
        return {
            "on": list(self.records.columns) or None,
            "similarity": self.backend.describe(),
            "similarity_reason": f"similarity {self.backend.describe()}: {self.reason}",
            "threshold": self.backend.scale.number(self.threshold),
        }

    def view(self) -> dict[str, Any]:
        """Return this search as one of several, in the form that `views_of` reads."""
        found = {
            "similarity": self.backend.describe(),
            "on": list(self.records.columns),
            "threshold": self.backend.scale.number(self.threshold),
        }
        return {**found, "kind": self.records.kind} if self.records.kind in ("table", "image") else found

    def raised(self, threshold: float) -> Search:
        """Return the same search from `threshold` on."""
        return replace(self, threshold=threshold)

    def graph(
        self,
        *,
        sides: NDArray[np.int64] | None = None,
        threshold: float | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> SimilarityGraph:
        """Search for all similar pairs, or for those across `sides` only."""
        limit = self.threshold if threshold is None else threshold
        options: dict[str, Any] = {"threshold": limit, "seed": seed, "progress": progress or Progress(False)}
        present = self._present()
        if present is None:
            return self.backend.graph(self.records, sides=sides, **options)
        records = self.records.take(present)
        found = self.backend.graph(records, sides=None if sides is None else sides[present], **options)
        copies = None
        if found.copies is not None:
            copies = np.arange(self.records.n_rows)
            copies[present] = present[found.copies]
        return replace(
            found,
            left=present[found.left],
            right=present[found.right],
            n_rows=self.records.n_rows,
            copies=copies,
            details=_in_rows(found.details, present),
        )

    def neighbours(self, queries: NDArray[np.int64], sides: NDArray[np.int64]) -> Neighbours | None:
        """Look up some rows by brute force (None: the backend cannot)."""
        present = self._present()
        if present is None:
            return self.backend.neighbours(self.records, queries, threshold=self.threshold, sides=sides)
        inside = np.isin(queries, present)
        found = self.backend.neighbours(
            self.records.take(present),
            np.searchsorted(present, queries[inside]),
            threshold=self.threshold,
            sides=sides[present],
        )
        if found is None:
            return None
        nearest = np.zeros((len(queries), int(sides.max(initial=0)) + 1))
        nearest[inside, : found.nearest.shape[1]] = found.nearest
        degree = None
        if found.degree is not None:
            degree = np.zeros(len(queries), dtype=np.int64)
            degree[inside] = found.degree
        return Neighbours(nearest, degree, found.floor)

    def _present(self) -> NDArray[np.int64] | None:
        if self.records.missing_are == "equal" or self.records.missing is None:
            return None
        return np.flatnonzero(~self.records.missing)


def _in_rows(details: Mapping[str, Any], present: NDArray[np.int64]) -> dict[str, Any]:
    """Return details with the positions of rows among those present turned into positions in the data."""
    if "invalid" not in details:
        return dict(details)
    rows = present[np.asarray(details["invalid"], dtype=np.int64)]
    return {**details, "invalid": rows.tolist()}


def _name(measure: str, columns: Sequence[str], between: str) -> str:
    return f"{measure} on {between.join(columns)}" if columns else measure


def _compares_images(similarity: Any) -> bool:
    if isinstance(similarity, str) and is_backend_name(similarity):
        similarity = get_backend(similarity)
    return isinstance(similarity, Backend) and similarity.kinds == {"image"}


def _compares_columns(similarity: Any) -> bool:
    if isinstance(similarity, str):
        return similarity.partition("(")[0].strip() == "gower"
    return isinstance(similarity, Backend) and similarity.name == "gower"


def _is_auto(similarity: Any) -> bool:
    return isinstance(similarity, str) and similarity == "auto"


def _is_vector(source: Source, on: str | Sequence[str] | None) -> bool:
    """Tell whether one column is compared, and holds lists of numbers."""
    from splitleak._tables.columns import role_of

    names = [on] if isinstance(on, str) else list(on or ())
    known = len(names) == 1 and names[0] in source.column_names
    return known and role_of(source.column_type(names[0])) == "vector"


def row_values(records: Records) -> Any:
    """Return the compared values as Python sees them: list of str, array, list of dict, or images."""
    if records.kind == "image":
        return records.pictures()
    if records.kind == "text":
        buffer, offsets = records.text()
        whole = buffer.tobytes()
        return [whole[a:b].decode() for a, b in pairwise(offsets.tolist())]
    if records.kind == "views":
        parts = [row_values(part) for part in records.parts]
        return [dict(zip(records.columns, row, strict=True)) for row in zip(*parts, strict=True)]
    if records.kind == "vector":
        return records.vectors if isinstance(records.vectors, np.ndarray) else records.vectors.toarray()
    assert records.table is not None
    return records.table.to_pylist()


def _row_labels(data: Any, source: Source, on: str | Sequence[str] | None) -> list[list[Any]]:
    """Return what the rows may be called in a matrix or an edge list: the compared column, the index."""
    candidates = []
    if source.meant is not None and "name" in source.column_names:  # records of a FASTA file
        candidates.append(source.column("name").to_pylist())
    if isinstance(on, str) and on in source.column_names:
        candidates.append(source.column(on).to_pylist())
    index = getattr(data, "index", None)
    if index is not None and not callable(index):
        candidates.append(list(index))
    return candidates
