"""The entities of one side of a table of pairs: who they are, which are similar, which must stay together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._tables import Factor, Source, named_columns, open_source, resolve_factor, resolve_factors
from splitleak.certificate import Certificate
from splitleak.certification import certify_search
from splitleak.clustering import Clustering, group_edges
from splitleak.components import connected_components
from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.interaction.allocation import Mass
from splitleak.search import Missing, Search
from splitleak.similarity.base import Backend
from splitleak.similarity.precomputed import precomputed

Ints = NDArray[np.int64]

MASS_ENTITIES = 5_000  # of larger matrices, the similarity below the threshold is not weighed
MASS_FLOOR, MASS_UNITS = 1e-9, 1e6


@dataclass(frozen=True)
class Ids:
    """The entities that occur in a column of pairs: sorted distinct values, and which of them each pair has."""

    column: str
    levels: tuple[Any, ...]
    codes: Ints

    @classmethod
    def of(cls, pairs: Source, column: str, *, argument: str) -> Ids:
        """Read a column; every pair must have an entity."""
        if not isinstance(column, str):
            raise InputError(f"{argument}= must be the name of a column of pairs, got {column!r}")
        factor = resolve_factor(pairs, column, argument=argument)
        _none_missing(factor, f"{argument}={column!r}", "pairs without an entity cannot be placed: drop them")
        return cls(column, factor.levels, factor.codes)

    @classmethod
    def union(cls, left: Ids, right: Ids) -> tuple[Ids, Ids]:
        """Return both columns as columns of one kind of entity."""
        try:
            levels = tuple(sorted({*left.levels, *right.levels}))
        except TypeError:
            raise InputError(
                f"symmetric=True compares {left.column!r} with {right.column!r}, and their values are of different"
                f" types ({type(left.levels[0]).__name__}, {type(right.levels[0]).__name__}); make both of one type"
            ) from None
        place = {level: i for i, level in enumerate(levels)}
        found = []
        for ids in (left, right):
            at = np.array([place[level] for level in ids.levels], dtype=np.int64)
            found.append(cls(ids.column, levels, at[ids.codes]))
        return found[0], found[1]


@dataclass(frozen=True)
class Entities:
    """The entities of one side.

    Attributes
    ----------
    side : str
        "left" or "right".
    ids : tuple
        Distinct ids that occur in the pairs, sorted; entities are numbered in this order.
    search : Search
        Over the rows of the entities table (all of them), or over the ids themselves.
    rows : int64 array of shape (n_entities,)
        Row of each entity in the search.
    groups : tuple of Factor
        Groups of the rows of the entities table that stay together.
    """

    side: str
    ids: tuple[Any, ...]
    search: Search
    rows: Ints
    groups: tuple[Factor, ...] = ()

    @classmethod
    def prepare(
        cls,
        side: str,
        ids: Ids,
        table: Any,
        *,
        id_column: str | None,
        on: str | Sequence[str] | None,
        similarity: Any,
        threshold: float | None,
        groups: Any,
        missing: Missing,
    ) -> Entities:
        """Find each id in its table, and prepare the search over its rows (no table: over the ids)."""
        options: dict[str, Any] = {"threshold": threshold, "missing": missing}
        factors: tuple[Factor, ...] = ()
        if table is None:
            _need_no_table(side, id_column, on, groups, similarity)
            names, rows = list(ids.levels), np.arange(len(ids.levels))
            data: Any = [str(name) for name in names]
            if isinstance(similarity, str) and similarity == "auto":
                similarity = "exact"
        else:
            source = open_source(table)
            id_column = _id_column(source, side, ids.column, id_column)
            names, rows = _rows_of(source, side, ids, id_column)
            data = table
            on = id_column if on is None and (_is_positional(similarity) or _is_named(similarity)) else on
            factors = resolve_factors(source, groups, argument=f"{side}_groups")
            options.update(on=on, exclude={id_column, *named_columns(groups)})
        if _is_labelled(similarity):
            similarity = precomputed(_labelled(similarity, names, side))
        search = Search.prepare(data, similarity=similarity, **options)
        return cls(side, ids.levels, search, rows, factors)

    @property
    def n(self) -> int:
        """Number of entities that occur in the pairs."""
        return len(self.ids)

    def clusters(self, *, seed: int, progress: Progress) -> Clustering:
        """Return which entities must stay together, numbered by the smallest id."""
        graph = self.search.graph(seed=seed, progress=progress)
        ties = [self._links(graph), *(group_edges(factor.codes[self.rows]) for factor in self.groups)]
        left, right = (np.concatenate(ends) for ends in zip(*ties, strict=True))
        return Clustering.of(connected_components(left, right, self.n))

    def certify(self, names: Sequence[str], codes: Ints, *, seed: int, progress: Progress) -> Certificate:
        """Search the partitions of the entities anew for similar entities that are apart."""
        of_rows = np.full(self.search.records.n_rows, -1, dtype=np.int64)
        of_rows[self.rows] = codes
        return certify_search(self.search, names, of_rows, seed=seed, progress=progress)

    def mass(self, clusters: Clustering) -> Mass | None:
        """Return the similarity between clusters below the threshold, where a matrix or graph tells it."""
        backend = self.search.backend
        if not _is_given(backend) or self.n > MASS_ENTITIES:
            return None
        graph = self.search.graph(threshold=MASS_FLOOR if backend.name == "matrix" else backend.threshold)
        if not graph.complete or graph.copies is not None:
            return None
        place = self._places(graph.n_rows)
        used = (place[graph.left] >= 0) & (place[graph.right] >= 0)
        a, b = (clusters.labels[place[end[used]]] for end in (graph.left, graph.right))
        # whole units, so that their sum does not depend on the order of the rows
        amount = np.rint(graph.similarity[used] * MASS_UNITS).astype(np.int64)
        low, high = np.minimum(a, b), np.maximum(a, b)
        between = low != high
        pair, of_edge = np.unique(low[between] * self.n + high[between], return_inverse=True)
        sums = np.zeros(len(pair), dtype=np.int64)
        np.add.at(sums, of_edge, amount[between])
        return Mass(pair // self.n, pair % self.n, sums, int(amount.sum()))

    def _places(self, n_rows: int) -> Ints:
        place = np.full(n_rows, -1, dtype=np.int64)
        place[self.rows] = np.arange(self.n)
        return place

    def _links(self, graph: SimilarityGraph) -> tuple[Ints, Ints]:
        """Return edges between entities that occur in the pairs; one that does not occur joins nobody."""
        if not graph.complete:
            # its edges join the right components only together
            labels = graph.components()[self.rows]
            _, first, group = np.unique(labels, return_index=True, return_inverse=True)
            return first[group].astype(np.int64), np.arange(self.n)
        place = self._places(graph.n_rows)
        copies = np.arange(graph.n_rows) if graph.copies is None else graph.copies
        stands_for = np.full(graph.n_rows, -1, dtype=np.int64)
        stands_for[copies[self.rows]] = np.arange(self.n)
        star = stands_for[copies[self.rows]]
        a, b = stands_for[graph.left], stands_for[graph.right]
        used = (a >= 0) & (b >= 0)
        return np.concatenate([a[used], star]), np.concatenate([b[used], place[self.rows]])


def _need_no_table(side: str, id_column: Any, on: Any, groups: Any, similarity: Any) -> None:
    if groups is not None and not isinstance(groups, str):
        raise InputError(
            f"{side}_groups= goes by the columns or rows of {side}_entities=, which is not given; give that table"
        )
    for name, value in (("on", on), ("id", id_column), ("groups", groups)):
        if value is not None:
            raise InputError(
                f"{side}_{name}={value!r} names a column of {side}_entities=, which is not given; give that table, or"
                f" leave {side}_{name}= out: the ids themselves are then compared"
            )
    if _is_positional(similarity) and not _is_labelled(similarity) and not _is_named(similarity):
        raise InputError(
            f"{side}_similarity= goes by row position, and without {side}_entities= the entities have no order; give"
            " the table whose rows it follows, or scores with the ids as names: a pandas frame, or"
            " splitleak.precomputed(path)"
        )


def _is_positional(similarity: Any) -> bool:
    """Say whether a similarity goes by row position: a matrix, a graph, an edge list, a file of one of these."""
    if isinstance(similarity, Backend):
        return _is_given(similarity)
    if isinstance(similarity, str):
        return Path(similarity).suffix.lower() in (
            ".csv",
            ".tsv",
            ".parquet",
            ".jsonl",
            ".ndjson",
            ".npy",
            ".npz",
        )
    return isinstance(similarity, (SimilarityGraph, Path, dict)) or hasattr(similarity, "shape")


def _is_labelled(similarity: Any) -> bool:
    """Say whether a similarity is a matrix in a pandas frame (an edge list has the columns left and right)."""
    frame = hasattr(similarity, "loc") and hasattr(similarity, "columns")
    return frame and not {"left", "right"} <= set(similarity.columns)


def _is_named(similarity: Any) -> bool:
    """Say whether a similarity is scores whose rows have names: a file of hits, a matrix with labels."""
    if isinstance(similarity, str):
        return similarity.partition("(")[0].strip() == "precomputed"
    return isinstance(similarity, Backend) and similarity.name == "precomputed"


def _is_given(backend: Backend) -> bool:
    """Say whether a backend holds a matrix or a graph of the caller's."""
    maker = backend.function.__qualname__.partition(".")[0]
    return backend.function.__module__.startswith("splitleak.similarity.") and maker in (
        "precomputed",
        "from_graph",
        "read_pairs",
    )


def _id_column(source: Source, side: str, column: str, id_column: str | None) -> str:
    if id_column is None:
        if column not in source.column_names:
            raise InputError(
                f"{side}_entities has no column {column!r}, which {side}={column!r} names in pairs; say which of its"
                f" columns holds the ids with {side}_id= (columns: {', '.join(source.column_names) or 'none'})"
            )
        return column
    source.require([id_column], argument=f"{side}_id")
    return id_column


def _rows_of(source: Source, side: str, ids: Ids, id_column: str) -> tuple[list[Any], Ints]:
    """Return the id of each row of an entities table, and the row of each id of the pairs."""
    factor = resolve_factor(source, id_column, argument=f"{side}_id")
    what = f"{side}_entities: column {id_column!r}"
    _none_missing(factor, what, "give every entity an id, or drop those rows")
    count = np.bincount(factor.codes, minlength=len(factor.levels))
    repeated = np.flatnonzero(count > 1)
    if len(repeated):
        raise InputError(
            f"{what} must hold each id once, and {len(repeated):,} of {len(factor.levels):,} are repeated"
            f" ({_some([factor.levels[i] for i in repeated])}); keep one row of each entity"
        )
    place = {level: i for i, level in enumerate(factor.levels)}
    unknown = [level for level in ids.levels if level not in place]
    if unknown:
        known = set(unknown)
        pairs = int(np.isin(ids.codes, [i for i, level in enumerate(ids.levels) if level in known]).sum())
        kinds = {type(level).__name__ for level in unknown} - {
            type(level).__name__ for level in factor.levels
        }
        hint = (
            f" (pairs have {', '.join(sorted(kinds))} ids, the table {type(factor.levels[0]).__name__}: make both of"
            " one type)"
            if kinds
            else ""
        )
        raise InputError(
            f"{len(unknown):,} of {len(ids.levels):,} entities in {side}={ids.column!r} are not in {side}_entities"
            f" ({_some(unknown)}; {pairs:,} pairs){hint}; add them to the table, or drop those pairs"
        )
    row_of_level = np.empty(len(factor.levels), dtype=np.int64)
    row_of_level[factor.codes] = np.arange(source.n_rows)
    rows = row_of_level[[place[level] for level in ids.levels]]
    return [factor.levels[code] for code in factor.codes], rows


def _labelled(matrix: Any, names: Sequence[Any], side: str) -> NDArray[Any]:
    """Return a labelled matrix in the order of the entities."""
    labels = list(matrix.index)
    if (
        len(set(labels)) != len(labels)
        or set(labels) != set(matrix.columns)
        or len(matrix.columns) != len(labels)
    ):
        raise InputError(
            f"{side}_similarity= must have the same labels on its columns as on its rows, each once; the first columns"
            f" are {_some(list(matrix.columns))}, the first rows {_some(labels)}"
        )
    unknown = [name for name in names if name not in set(labels)]
    if unknown:
        raise InputError(
            f"{len(unknown):,} of {len(names):,} entities have no row in {side}_similarity= ({_some(unknown)});"
            " its index must hold the ids"
        )
    return np.asarray(matrix.loc[list(names), list(names)].to_numpy())


def _none_missing(factor: Factor, what: str, way_out: str) -> None:
    without = np.flatnonzero(factor.codes < 0)
    if len(without):
        raise InputError(
            f"{what} has no value in {len(without):,} of {len(factor.codes):,} rows (the first is row {without[0]});"
            f" {way_out}"
        )


def _some(values: Sequence[Any], most: int = 3) -> str:
    return ", ".join(repr(value) for value in values[:most]) + (", ..." if len(values) > most else "")
