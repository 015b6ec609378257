"""Which rows are near-duplicates? similarity_graph() and deduplicate()."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak.errors import DataMismatchError, InputError, unknown_option
from splitleak.graph import SimilarityGraph, check_threshold
from splitleak.records import Kind, Records, as_records
from splitleak.similarity.base import Backend, Neighbours, get_backend, is_backend_name
from splitleak.similarity.choose import choose

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

    from splitleak._tables import Source

Missing = Literal["equal", "distinct", "error"]
Keep = Literal["first", "last", "longest"]


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
    ) -> Search:
        """Check the arguments, read the compared columns, choose the backend."""
        from splitleak._tables import open_source

        if threshold is not None:
            threshold = check_threshold(threshold)
        if missing not in get_args(Missing):
            raise unknown_option("missing", missing, get_args(Missing))
        source = open_source(data)
        whole_rows = on is None and similarity == "exact" if isinstance(similarity, str) else False
        if whole_rows and source.column_names:
            on = [name for name in source.column_names if name not in exclude]
        kind: Kind | None = "table" if whole_rows and len(on or ()) > 1 else None
        if _compares_images(similarity):
            kind = "image"
        records = as_records(source, on=on, exclude=exclude, kind=kind, missing=missing)
        if records.kind == "text" and isinstance(similarity, str) and similarity == "auto":
            from splitleak._tables.images import are_image_names

            if are_image_names(*records.text()):
                records = as_records(source, on=on, exclude=exclude, kind="image", missing=missing)
        choice = choose(
            similarity,
            records,
            row_values=lambda: row_values(records),
            row_labels=_row_labels(data, source, on),
            threshold=threshold,
        )
        choice.backend.check_kind(records)
        limit = choice.backend.threshold if threshold is None else threshold
        if isinstance(similarity, SimilarityGraph) and limit < similarity.threshold:
            similarity.at(limit)  # raises: it has no pairs below its own threshold
        return cls(source, records, choice.backend, limit, choice.reason)

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
        degree = np.zeros(len(queries), dtype=np.int64)
        nearest[inside, : found.nearest.shape[1]], degree[inside] = found.nearest, found.degree
        return Neighbours(nearest, degree)

    def _present(self) -> NDArray[np.int64] | None:
        if self.records.missing_are == "equal" or self.records.missing is None:
            return None
        return np.flatnonzero(~self.records.missing)


def similarity_graph(
    data: Any,
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = "auto",
    threshold: float | None = None,
    missing: Missing = "equal",
    seed: int = 0,
    progress: bool | None = None,
) -> SimilarityGraph:
    """Find all pairs of similar rows: which rows are near-duplicates?

    Parameters
    ----------
    data : table, list of str, 2-D array, sparse matrix, or path
        The rows.
    on : str or list of str, optional
        The compared column(s) of a table. Left out, the only column that can be meant is taken.
    similarity : str, backend, graph, matrix, path or function
        What "similar" means; ``"auto"`` picks by kind of data and size.
    threshold : float, optional
        Inclusive bound in (0, 1]; the backend's default when left out.
    missing : {"equal", "distinct", "error"}
        What a missing or empty value is: equal to every other such value, similar to nothing, or an error.
    seed : int
        For approximate backends.
    progress : bool, optional
        Bars on stderr; default: on a terminal.

    Returns
    -------
    SimilarityGraph

    Raises
    ------
    InputError
        Data, columns, a backend or a threshold that cannot be used.

    Examples
    --------
    >>> import splitleak
    >>> graph = splitleak.similarity_graph(["the same line", "The same  line", "another"], threshold=0.8)
    >>> graph.frame().values.tolist()
    [[0.0, 1.0, 1.0]]
    """
    search = Search.prepare(data, on=on, similarity=similarity, threshold=threshold, missing=missing)
    return search.graph(seed=seed, progress=Progress(progress))


@dataclass(frozen=True)
class Deduplication:
    """One row of each group of similar rows.

    Attributes
    ----------
    kept : int64 array
        Positions of the rows that stay, ascending.
    dropped : int64 array
        Positions of the others, ascending.
    kept_instead : int64 array of shape ``dropped.shape``
        For each dropped row, the row of its group that stays.
    rule : str
        How the row that stays was chosen.
    graph : SimilarityGraph
        The similar pairs; groups are its components.
    records : Records
        What was compared, by which `take` knows the data again.
    """

    kept: NDArray[np.int64]
    dropped: NDArray[np.int64]
    kept_instead: NDArray[np.int64]
    rule: str
    graph: SimilarityGraph
    records: Records

    def take(self, data: Any, *, check: bool = True) -> Any:
        """Return the kept rows of `data`, in the caller's own type.

        Parameters
        ----------
        data : table, list, array or path
            The deduplicated data; with ``check=False``, another table of the same rows.
        check : bool
            Compare the content of the rows with that of the deduplicated data.

        Raises
        ------
        DataMismatchError
            Another number of rows, a row with other content.
        """
        from splitleak._tables import open_source

        source = open_source(data)
        if source.n_rows != self.graph.n_rows:
            raise DataMismatchError(
                f"data has {source.n_rows} rows, the deduplicated data had {self.graph.n_rows}"
            )
        if check:
            columns = list(self.records.columns) if source.column_names else None
            found = as_records(source, on=columns or None, kind=self.records.kind).row_hashes
            other = np.flatnonzero(found != self.records.row_hashes)
            if len(other):
                raise DataMismatchError(
                    f"data is not the data that was deduplicated: row {other[0]} differs ({len(other):,} rows do); hand"
                    " in that data, or pass check=False for other values of the same rows"
                )
        return source.take(self.kept)

    def frame(self) -> pd.DataFrame:
        """Return the dropped rows as a pandas table: ``row``, ``kept_instead``."""
        import pandas as pd

        return pd.DataFrame({"row": self.dropped, "kept_instead": self.kept_instead})

    def __repr__(self) -> str:
        groups = len(np.unique(self.kept_instead))
        return (
            f"Deduplication: {len(self.kept):,} rows kept, {len(self.dropped):,} dropped from {groups:,} groups of"
            f" similar rows ({self.rule} of each stays; {self.graph.measure} >= {self.graph.threshold:g})"
        )


def deduplicate(
    data: Any,
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = "auto",
    threshold: float | None = None,
    keep: Keep = "first",
    missing: Missing = "equal",
    seed: int = 0,
    progress: bool | None = None,
) -> Deduplication:
    """Keep one row of each group of similar rows, and say what was dropped.

    Groups are the connected components of the similarity graph: a row goes when a chain of similar rows leads
    to the one that stays.

    Parameters
    ----------
    data, on, similarity, threshold, missing, seed, progress
        As for `similarity_graph`.
    keep : {"first", "last", "longest"}
        The row of each group that stays: the first or last by position, or (texts only) the longest in bytes,
        the first of several.

    Returns
    -------
    Deduplication

    Examples
    --------
    >>> import splitleak
    >>> splitleak.deduplicate(["the same line", "The same  line", "another"]).kept.tolist()
    [0, 2]
    """
    if keep not in get_args(Keep):
        raise unknown_option("keep", keep, get_args(Keep))
    search = Search.prepare(data, on=on, similarity=similarity, threshold=threshold, missing=missing)
    if keep == "longest" and search.records.kind != "text":
        raise InputError(
            f"keep='longest' is for texts, the data has {search.records.kind} rows; use 'first' or 'last'"
        )
    graph = search.graph(seed=seed, progress=Progress(progress))
    labels = graph.components()
    rows = np.arange(graph.n_rows)
    rank = {"first": rows, "last": -rows}.get(keep)
    if rank is None:
        rank = -np.diff(search.records.text()[1])
    order = np.lexsort((rows, rank, labels))
    first = np.ones(len(order), dtype=bool)
    first[1:] = labels[order[1:]] != labels[order[:-1]]
    stays = np.empty(len(order), dtype=np.int64)
    stays[labels[order[first]]] = order[first]
    instead = stays[labels]
    gone = np.flatnonzero(instead != rows)
    return Deduplication(np.flatnonzero(instead == rows), gone, instead[gone], keep, graph, search.records)


def _compares_images(similarity: Any) -> bool:
    if isinstance(similarity, str) and is_backend_name(similarity):
        similarity = get_backend(similarity)
    return isinstance(similarity, Backend) and similarity.kinds == {"image"}


def row_values(records: Records) -> Any:
    """Return the compared values as Python sees them: list of str, array, list of dict, or images."""
    if records.kind == "image":
        return records.pictures()
    if records.kind == "text":
        buffer, offsets = records.text()
        whole = buffer.tobytes()
        return [whole[a:b].decode() for a, b in pairwise(offsets.tolist())]
    if records.kind == "vector":
        return records.vectors if isinstance(records.vectors, np.ndarray) else records.vectors.toarray()
    assert records.table is not None
    return records.table.to_pylist()


def _row_labels(data: Any, source: Source, on: str | Sequence[str] | None) -> list[list[Any]]:
    """Return what the rows may be called in a matrix or an edge list: the compared column, the index."""
    candidates = []
    if isinstance(on, str) and on in source.column_names:
        candidates.append(source.column(on).to_pylist())
    index = getattr(data, "index", None)
    if index is not None and not callable(index):
        candidates.append(list(index))
    return candidates
