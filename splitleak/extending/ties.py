"""What new rows are tied to: to each other, and to the partitions of old rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._tables import Source
from splitleak.graph import SimilarityGraph
from splitleak.linking import Web
from splitleak.partition import Split
from splitleak.search import AnySearch, CombinedSearch, CrossedSearch, Missing, prepare_search
from splitleak.similarity.base import Backend

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

OF_ALL_ROWS = {"gower"}  # measures in units of the whole data's spread


def tied_rows(
    search: AnySearch,
    after: Source,
    similarity: Any,
    missing: Missing,
    codes: Ints,
    seed: int,
    bars: Progress,
) -> tuple[SimilarityGraph, SimilarityGraph | None]:
    """Search old x new and new x new; the second is None where one graph holds both."""
    named = similarity is None or isinstance(similarity, str)
    if not named or not all(_of_two_rows(backend) for backend in _backends(search)):
        return search.graph(seed=seed, progress=bars), None
    sides = np.concatenate([np.where(codes >= 0, 0, -1), np.ones(after.n_rows, dtype=np.int64)])
    across = search.graph(sides=sides, seed=seed, progress=bars)
    options = {k: v for k, v in search.options().items() if k != "similarity_reason" and v is not None}
    # several similarities say each for itself what its rows are
    kind = search.records.kind if search.records.kind in ("table", "image") else None
    if not after.column_names:
        options.pop("on", None)
    among = prepare_search(after, **options, missing=missing, kind=kind)
    return across, among.graph(seed=seed, progress=bars)


def _backends(search: AnySearch) -> list[Backend]:
    if isinstance(search, CombinedSearch):
        return [backend for member in search.members for backend in _backends(member)]
    return [search.cells.backend if isinstance(search, CrossedSearch) else search.backend]


def _of_two_rows(backend: Backend) -> bool:
    """Whether the similarity of two rows depends on these alone, so that new rows may be searched by themselves."""
    ours = getattr(backend.function, "__module__", "").startswith("splitleak.")
    return ours and not backend.given and backend.name not in OF_ALL_ROWS


@dataclass(frozen=True)
class Ties:
    """What new rows are tied to: to each other, and to the partitions of old rows.

    Attributes
    ----------
    graph : SimilarityGraph
        Similar new rows.
    groups : sequence of int64 arrays of shape (n_new,)
        Groups among new rows.
    partitions : bool array of shape (n_new, n_partitions)
        Partitions that hold an old row which a new row is similar to, or in one group with.
    """

    graph: SimilarityGraph
    groups: Sequence[Ints]
    partitions: Bools

    @classmethod
    def of(
        cls,
        rows: tuple[SimilarityGraph, SimilarityGraph | None],
        groups: Sequence[Ints],
        codes: Ints,
        k: int,
    ) -> Ties:
        """Look up the partitions of the old rows that each new row is tied to."""
        across, among = rows
        across._require_complete("extend()")
        n_old, n = len(codes), across.n_rows
        copies = np.arange(n) if across.copies is None else across.copies
        old = np.flatnonzero(codes >= 0)
        members = np.zeros((n, k), dtype=bool)
        members[copies[old], codes[old]] = True
        reach = members.copy()
        for a, b in ((across.left, across.right), (across.right, across.left)):
            for p in range(k):
                reach[a[members[b, p]], p] = True
        partitions = reach[copies[n_old:]]
        for group in groups:
            shared = np.zeros((int(group.max(initial=-1)) + 2, k), dtype=bool)  # the last row serves code -1
            mine = old[group[old] >= 0]
            shared[group[mine], codes[mine]] = True
            partitions |= shared[group[n_old:]]
        return cls(_from(across, n_old) if among is None else among, [g[n_old:] for g in groups], partitions)


def clusters_with(
    rows: tuple[SimilarityGraph, SimilarityGraph | None], groups: Sequence[Ints], split: Split, codes: Ints
) -> Ints | None:
    """Return the cluster of each row; None: those of the old rows are not known."""
    if split.clusters is None:
        return None
    across, among = rows
    n_old, n = split.n_rows, len(codes)
    tied = [*groups, np.concatenate([split.clusters, np.full(n - n_old, -1)])]
    if among is not None:
        across = replace(
            across,
            left=np.concatenate([across.left, among.left + n_old]),
            right=np.concatenate([across.right, among.right + n_old]),
        )
        if among.copies is not None:
            tied.append(np.concatenate([np.full(n_old, -1), among.copies]))
    return Web(across, tied).labels(codes >= 0)


def _from(graph: SimilarityGraph, first: int) -> SimilarityGraph:
    """Return the graph of the rows from `first` on, numbered anew."""
    n = graph.n_rows
    copies = np.arange(n) if graph.copies is None else graph.copies
    head = np.full(n, -1, dtype=np.int64)
    head[copies[first:][::-1]] = np.arange(n - 1, first - 1, -1)  # a representative among these rows
    a, b = head[graph.left], head[graph.right]
    both = (a >= 0) & (b >= 0)
    return SimilarityGraph.build(
        a[both] - first,
        b[both] - first,
        graph.similarity[both],
        n_rows=n - first,
        threshold=graph.threshold,
        measure=graph.measure,
        exact=graph.exact,
        copies=None if graph.copies is None else head[copies[first:]] - first,
        complete=graph.complete,
    )
