"""One row of each group of near-duplicates: deduplicate()."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak.errors import DataMismatchError, InputError, unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.records import Records, as_records
from splitleak.search.prepare import prepare_search
from splitleak.search.single import Missing
from splitleak.similarity.views import Combine, Share

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

Keep = Literal["first", "last", "longest"]


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
            f" similar rows ({self.rule} of each stays; {self.graph.measure}"
            f" {self.graph.scale.bound(self.graph.threshold)})"
        )


def deduplicate(
    data: Any,
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = "auto",
    threshold: float | None = None,
    combine: Combine = "any",
    share: Share = "all",
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
    data, on, similarity, threshold, combine, share, missing, seed, progress
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
    search = prepare_search(
        data, on=on, similarity=similarity, threshold=threshold, combine=combine, share=share, missing=missing
    )
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
