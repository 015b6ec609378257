"""Several similarities at once: the pairs that any of their graphs has, or that all of them have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from splitleak.components import expanded_pairs
from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.similarity.copies import first_of_each

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_LISTED = 20_000_000  # pairs that are listed for the sake of combining; what goes beyond is linked


def union(graphs: Sequence[SimilarityGraph], names: Sequence[str], *, measure: str) -> SimilarityGraph:
    """Return the pairs that any of the graphs has.

    Rows that are copies of each other in all graphs are stored once. Copies in some of them only become pairs; where
    that would make too many, the rows are linked to their representative instead: the components stay right, and the
    graph is not `complete`.

    Parameters
    ----------
    graphs : sequence of SimilarityGraph
        Over the same rows.
    names : sequence of str
        What each is called, in `views` of the result.
    measure : str
        What all of them together are called.
    """
    copies = _common_copies(graphs)
    linked = _to_link(graphs, copies)
    found = [
        _links(g, copies) if link else _lifted(g, copies) for g, link in zip(graphs, linked, strict=True)
    ]
    n = graphs[0].n_rows
    key = np.concatenate([_keys(a, b, n) for a, b, _ in found])
    pairs, of_found = np.unique(key, return_inverse=True)
    by_view = np.full((len(pairs), len(graphs)), np.nan)
    at = 0
    for v, (a, _, similarity) in enumerate(found):
        by_view[of_found[at : at + len(a)], v] = similarity
        at += len(a)
    similarity = np.fmax.reduce(by_view, axis=1)
    return _combined(graphs, names, measure, pairs, similarity, by_view, copies, complete=not any(linked))


def intersection(graphs: Sequence[SimilarityGraph], names: Sequence[str], *, measure: str) -> SimilarityGraph:
    """Return the pairs that all of the graphs have; parameters as for `union`.

    Raises
    ------
    InputError
        A graph that could not list its pairs, or too many pairs in each of them.
    """
    for graph, name in zip(graphs, names, strict=True):
        if not graph.complete:
            raise InputError(
                f"combine='all' needs every pair of each similarity, and {name} has too many to list; raise its"
                " threshold, or leave out what many rows share"
            )
    copies = _common_copies(graphs)
    sizes = [_size(graph, copies) for graph in graphs]
    fewest = int(np.argmin(sizes))
    if sizes[fewest] > MOST_LISTED:
        raise InputError(
            f"combine='all' begins with the pairs of one similarity, and the one with the fewest, {names[fewest]}, has"
            f" {sizes[fewest]:,} (at most {MOST_LISTED:,}); raise its threshold"
        )
    left, right, _ = _lifted(graphs[fewest], copies)
    each: list[Floats] = []
    for graph in graphs:
        similarity = similarity_of(graph, left, right)
        kept = np.isfinite(similarity)
        left, right = left[kept], right[kept]
        each = [*(s[kept] for s in each), similarity[kept]]
    pairs, first = np.unique(_keys(left, right, graphs[0].n_rows), return_index=True)
    by_view = np.stack(each, axis=1)[first]
    return _combined(graphs, names, measure, pairs, by_view.min(axis=1), by_view, copies, complete=True)


def similarity_of(graph: SimilarityGraph, rows: Ints, others: Ints) -> Floats:
    """Return the similarity of each pair of rows; NaN where the graph does not have (or list) the pair."""
    if graph.copies is not None:
        rows, others = graph.copies[rows], graph.copies[others]
    wanted = _keys(rows, others, graph.n_rows)
    stored = _keys(graph.left, graph.right, graph.n_rows)  # ascending: the graph is sorted
    at = np.minimum(np.searchsorted(stored, wanted), max(0, len(stored) - 1))
    found = stored[at] == wanted if len(stored) else np.zeros(len(wanted), dtype=bool)
    similarity = np.full(len(wanted), np.nan)
    similarity[found] = graph.similarity[at[found]]
    similarity[rows == others] = 1.0
    return similarity


def of_cells(graph: SimilarityGraph, n_rows: int) -> SimilarityGraph:
    """Return the graph over rows of a graph over their cells: row r has the cells r, r + n_rows, r + 2 n_rows, ...

    Two rows are similar when any cell of one is to any cell of the other. Rows with the same cells are copies.
    """
    n_columns = graph.n_rows // n_rows
    value = np.arange(graph.n_rows) if graph.copies is None else graph.copies
    alike = np.sort(value.reshape(n_columns, n_rows), axis=0)  # the order of a row's cells does not matter
    _, labels = np.unique(alike.T, axis=0, return_inverse=True)
    copies, _ = first_of_each(labels.reshape(-1).astype(np.int64))
    # cells of representatives; of a row with equal cells, one
    cells = np.flatnonzero(np.tile(copies == np.arange(n_rows), n_columns))
    cells = cells[np.unique(np.stack([value[cells], cells % n_rows]), axis=1, return_index=True)[1]]
    size = np.bincount(value[cells], minlength=graph.n_rows)
    total = int((size * (size - 1) // 2).sum() + (size[graph.left] * size[graph.right]).sum())
    complete = graph.complete and total <= MOST_LISTED
    if complete:
        # the cells are renumbered, so that those of one value are the copies of its first; each value is among them
        place = np.empty(graph.n_rows, dtype=np.int64)
        first = np.unique(value[cells], return_index=True)
        place[first[0]] = first[1]
        a, b, stored = expanded_pairs(place[graph.left], place[graph.right], place[value[cells]])
        similarity = np.append(graph.similarity, 1.0)[stored]
        left, right = cells[a] % n_rows, cells[b] % n_rows
    else:
        a, b = graph.left, graph.right
        linked = np.flatnonzero(value != np.arange(graph.n_rows))
        left = np.concatenate([a, linked]) % n_rows
        right = np.concatenate([b, value[linked]]) % n_rows
        similarity = np.concatenate([graph.similarity, np.ones(len(linked))])
    left, right = copies[left], copies[right]
    apart = left != right
    return SimilarityGraph.build(
        left[apart], right[apart], similarity[apart],
        n_rows=n_rows, threshold=graph.threshold, measure=graph.measure, exact=graph.exact, recall=graph.recall,
        copies=copies, complete=complete, details=graph.details,
    )  # fmt: skip


def _common_copies(graphs: Sequence[SimilarityGraph]) -> Ints:
    """Return the first row that each row equals in all graphs."""
    rows = np.arange(graphs[0].n_rows)
    labels = np.zeros(len(rows), dtype=np.int64)
    for graph in graphs:
        if graph.copies is None:
            return rows
        labels = np.unique(labels * np.int64(len(rows)) + graph.copies, return_inverse=True)[1].astype(
            np.int64
        )
    return first_of_each(labels)[0]


def _size(graph: SimilarityGraph, copies: Ints) -> int:
    """Return the number of pairs of common representatives that the graph stands for."""
    if graph.copies is None:
        return len(graph.left)
    rows = np.flatnonzero(copies == np.arange(graph.n_rows))
    size = np.bincount(graph.copies[rows], minlength=graph.n_rows)
    return int((size * (size - 1) // 2).sum() + (size[graph.left] * size[graph.right]).sum())


def _to_link(graphs: Sequence[SimilarityGraph], copies: Ints) -> list[bool]:
    """Return which graphs are linked rather than listed: those whose pairs are too many, the largest first."""
    sizes = [_size(graph, copies) for graph in graphs]
    linked = [not graph.complete for graph in graphs]
    for v in np.argsort(sizes)[::-1]:
        if sum(size for size, link in zip(sizes, linked, strict=True) if not link) <= MOST_LISTED:
            break
        linked[v] = linked[v] or sizes[v] > len(graphs[v].left)  # without copies, they are listed already
    return linked


def _lifted(graph: SimilarityGraph, copies: Ints) -> tuple[Ints, Ints, Floats]:
    """Return the pairs of common representatives that the graph has, each once."""
    if graph.copies is None:
        return graph.left, graph.right, graph.similarity
    rows = np.flatnonzero(copies == np.arange(graph.n_rows))
    # a graph's representative is the first of its rows, and so one of `rows`
    place = np.full(graph.n_rows, -1)
    place[rows] = np.arange(len(rows))
    a, b, stored = expanded_pairs(place[graph.left], place[graph.right], place[graph.copies[rows]])
    return rows[a], rows[b], np.append(graph.similarity, 1.0)[stored]


def _links(graph: SimilarityGraph, copies: Ints) -> tuple[Ints, Ints, Floats]:
    """Return pairs of common representatives that join what the graph joins, each row's copies by a link."""
    left, right = graph.links()
    similarity = np.ones(len(left))
    similarity[: len(graph.left)] = graph.similarity
    left, right = copies[left], copies[right]
    apart = left != right
    return left[apart], right[apart], similarity[apart]


def _keys(a: Ints, b: Ints, n_rows: int) -> Ints:
    """Return one number for each pair, whatever its orientation; they sort as (left, right)."""
    return np.asarray(np.minimum(a, b) * np.int64(n_rows) + np.maximum(a, b))


def _combined(
    graphs: Sequence[SimilarityGraph],
    names: Sequence[str],
    measure: str,
    pairs: Ints,
    similarity: Floats,
    by_view: Floats,
    copies: Ints,
    *,
    complete: bool,
) -> SimilarityGraph:
    n = graphs[0].n_rows
    parts = {
        name: {"threshold": g.threshold, "exact": g.exact, "recall": g.recall, "pairs": g.n_pairs}
        for name, g in zip(names, graphs, strict=True)
    }
    return SimilarityGraph(
        pairs // n, pairs % n, similarity, n, min(g.threshold for g in graphs), measure,
        exact=all(g.exact for g in graphs), copies=None if np.array_equal(copies, np.arange(n)) else copies,
        complete=complete, details={"views": parts}, views=tuple(names), by_view=by_view,
    )  # fmt: skip
