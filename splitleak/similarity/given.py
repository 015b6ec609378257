"""Similar pairs that the caller has already: a graph, an edge list, or a function of two rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splitleak._progress import SILENT, Progress
from splitleak.errors import InputError, SplitleakError
from splitleak.graph import SimilarityGraph
from splitleak.records import Records
from splitleak.similarity.base import IGNORED, Backend, Neighbours, get_backend
from splitleak.similarity.precomputed import ALL_KINDS, check_rows, nearest_of_rows

MAX_FUNCTION_ROWS = 5_000


def from_graph(graph: SimilarityGraph) -> Backend:
    """Use the pairs of a graph that was made before.

    A search across sides (the certificate's) is made anew by the backend that the graph came from, where the graph
    names one that can compare the records; pairs of the caller's own are read again.
    """
    own = _origin(graph.measure)

    def search(
        records: Records,
        *,
        threshold: float,
        sides: NDArray[np.int64] | None = None,
        seed: int = 0,
        progress: Progress = SILENT,
    ) -> SimilarityGraph:
        check_rows(graph.n_rows, records.n_rows)
        if sides is not None and own is not None and records.kind in own.kinds:
            return own.graph(records, threshold=threshold, sides=sides, seed=seed, progress=progress)
        # pairs within a side come along: whoever asked tells them apart
        return graph.raised(threshold) if threshold != graph.threshold else graph

    def nearest(
        records: Records, queries: NDArray[np.int64], *, threshold: float, sides: NDArray[np.int64]
    ) -> Neighbours | None:
        if own is None or records.kind not in own.kinds:
            return None
        return own.neighbours(records, queries, threshold=threshold, sides=sides)

    return Backend(
        graph.measure,
        ALL_KINDS,
        search,
        nearest,
        threshold=graph.threshold,
        exact=graph.exact,
        given=own is None,
    )


def _origin(measure: str) -> Backend | None:
    try:
        return get_backend(measure)
    except InputError:
        return None


def from_function(
    function: Callable[[Any, Any], float], source_values: Callable[[], Sequence[Any]]
) -> Backend:
    """Use a function of two rows, called once for each pair.

    Parameters
    ----------
    function : callable
        ``function(a, b) -> similarity`` in [0, 1] of two row values (a text, a vector, or a dict of columns);
        symmetric, which is checked on a sample of pairs.
    source_values : callable
        Returns the row values.
    """
    name = getattr(function, "__name__", "function")

    def one(a: Any, b: Any, i: int, j: int) -> float:
        try:
            value = float(function(a, b))
        except (TypeError, ValueError) as error:
            raise InputError(
                f"similarity function {name!r} must take two rows and return a number in [0, 1]; rows {i} and {j}:"
                f" {error}"
            ) from error
        except SplitleakError:
            raise
        except Exception as error:  # the caller's own code, which may raise anything
            raise InputError(
                f"similarity function {name!r} raised {type(error).__name__} ({error}) for rows {i} and {j}"
            ) from error
        if not 0 <= value <= 1:
            raise InputError(
                f"similarity function {name!r} must return a number in [0, 1], got {value!r} for rows {i} and {j}"
            )
        return value

    def search(
        records: Records, *, threshold: float, sides: NDArray[np.int64] | None = None
    ) -> SimilarityGraph:
        n = records.n_rows
        if n > MAX_FUNCTION_ROWS:
            raise InputError(
                f"a similarity function is called for each pair: {n:,} rows make {n * (n - 1) // 2:,} calls (limit:"
                f" {MAX_FUNCTION_ROWS:,} rows); write a backend with @splitleak.similarity_backend, or give an edge"
                " list (SimilarityGraph.from_edges)"
            )
        values = source_values()
        for i in range(0, n - 1, max(1, n // 20)):
            there, back = one(values[i], values[i + 1], i, i + 1), one(values[i + 1], values[i], i + 1, i)
            if there != back:
                raise InputError(
                    f"similarity function {name!r} is not symmetric: rows {i} and {i + 1} give {there} and {back}"
                )
        pairs = [
            (i, j, s)
            for i in range(n)
            for j in range(i + 1, n)
            if (sides is None or (sides[i] != sides[j] and IGNORED not in (sides[i], sides[j])))
            and (s := one(values[i], values[j], i, j)) >= threshold
        ]
        left, right, similarity = zip(*pairs, strict=True) if pairs else ((), (), ())
        return SimilarityGraph.build(left, right, similarity, n_rows=n, threshold=threshold, measure=name)

    def nearest(
        records: Records, queries: NDArray[np.int64], *, threshold: float, sides: NDArray[np.int64]
    ) -> Neighbours:
        values = source_values()
        rows = [np.array([function(values[q], v) for v in values], dtype=np.float64) for q in queries]
        return nearest_of_rows(rows, queries, threshold, sides)

    return Backend(name, ALL_KINDS, search, nearest, threshold=0.8, given=True)


def read_edges(edges: Any, *, names: ArrayLike | None, n_rows: int, threshold: float) -> SimilarityGraph:
    """Read an edge list: a table (or its path) with columns ``left``, ``right`` and, optionally, ``similarity``.

    `left` and `right` are row positions, or values of the compared column where these are unique names.
    """
    from splitleak._tables import open_source

    table = open_source(edges)
    what = f"similarity={str(edges)!r}" if isinstance(edges, (str, Path)) else "similarity="
    for column in ("left", "right"):
        if column not in table.column_names:
            raise InputError(
                f"{what}: an edge list needs the columns left, right and (optional) similarity;"
                f" this one has {', '.join(table.column_names)}"
            )
    left, right = (table.column(c).to_numpy(zero_copy_only=False) for c in ("left", "right"))
    if not np.issubdtype(left.dtype, np.integer):
        left, right = _positions_of(left, names, what), _positions_of(right, names, what)
    similarity = None
    if "similarity" in table.column_names:
        similarity = table.column("similarity").to_numpy(zero_copy_only=False)
        if not np.issubdtype(similarity.dtype, np.number):
            shown = ", ".join(f"row {row} ({value!r})" for row, value in enumerate(similarity[:3].tolist()))
            raise InputError(
                f"{what}: the column similarity is not numeric ({similarity.dtype}): {shown}, ..."
            )
    return replace(
        SimilarityGraph.from_edges(left, right, similarity, n_rows=n_rows, threshold=threshold),
        measure=f"edges of {Path(edges).name}" if isinstance(edges, (str, Path)) else "edges",
    )


def _positions_of(values: NDArray[Any], names: ArrayLike | None, what: str) -> NDArray[np.int64]:
    if names is None:
        raise InputError(f"{what}: left and right are names; name the column that holds them with on=")
    known = np.asarray(names, dtype=object)
    position = {str(name): i for i, name in enumerate(known)}
    if len(position) != len(known):
        raise InputError(f"{what}: names cannot be matched, the column in on= has repeated values")
    unknown = [str(v) for v in values if str(v) not in position]
    if unknown:
        raise InputError(f"{what}: {len(unknown)} ends are not in the data, the first {unknown[0]!r}")
    return np.array([position[str(v)] for v in values], dtype=np.int64)
