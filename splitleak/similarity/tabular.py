"""Near-duplicate rows over mixed columns: the weighted mean of how alike two rows are in each column (Gower 1971)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.errors import InputError, unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.kernels.gower_join import gower_pairs
from splitleak.kernels.gower_measure import gower_scan
from splitleak.kernels.gower_nearest import gower_nearest
from splitleak.kernels.hashing import hash_bytes
from splitleak.records import Records
from splitleak.similarity.base import Neighbours, similarity_backend
from splitleak.similarity.copies import equal_rows, sides_of
from splitleak.similarity.tabular_columns import Coordinates, MissingPair, Scale, coordinates


def gower_look_up(
    records: Records,
    queries: NDArray[np.int64],
    *,
    threshold: float,
    sides: NDArray[np.int64],
    scale: Scale = "robust",
    missing: MissingPair = "equal",
    weights: Mapping[str, float] | None = None,
    ignore: str | Sequence[str] = (),
    nominal: str | Sequence[str] = (),
) -> Neighbours:
    """Compare some rows with all rows, without any filter of the join."""
    points = _points(records, scale, missing, weights, ignore, nominal)
    leave_out = missing == "ignore"
    return Neighbours(
        *gower_scan(points.values, points.weights, queries, sides, threshold, leave_out=leave_out)
    )


@similarity_backend("gower", kinds={"table", "vector"}, nearest=gower_look_up, threshold=0.98)
def gower(
    records: Records,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None = None,
    progress: Progress = SILENT,
    scale: Scale = "robust",
    missing: MissingPair = "equal",
    weights: Mapping[str, float] | None = None,
    ignore: str | Sequence[str] = (),
    nominal: str | Sequence[str] = (),
) -> SimilarityGraph:
    """Join rows that are alike in nearly all columns; no pair is missed.

    The similarity of two rows is ``sum_j w_j s_j / sum_j w_j`` in [0, 1], rounded to 12 decimals. Numbers, dates and
    times: ``s_j = max(0, 1 - |x - y| / spread_j)``; texts, categories, booleans and bytes: 1 when equal, else 0.
    Neither the order of rows or columns nor the units of a column count. Columns that hold one value in all rows carry
    no weight (unless all are such).

    Parameters
    ----------
    records : Records
        Rows of a table, or dense vectors.
    threshold : float
        Inclusive bound in (0, 1]. With p columns of equal weight, rows that differ in one category have 1 - 1/p.
    sides : int64 array, optional
        Search only between rows of different sides.
    progress : Progress
        Where long stages are told.
    scale : {"robust", "range", "rank"}
        The spread of a column of numbers: from its 5 % to its 95 % quantile over all rows (its whole range where those
        are equal); its whole range; or 1, with the numbers replaced by their ranks in [0, 1]. Except under "rank",
        infinity equals itself and differs from all else.
    missing : {"equal", "ignore", "different"}
        Two missing values (null, NaN): alike (s_j = 1); left out of both sums (Gower's rule, and so is a value beside a
        missing one; rows with no column in common have 0); or not alike (s_j = 0). Under "equal" and "different" a
        value and a missing one are not alike. The empty text is a value.
    weights : mapping of str to float, optional
        Weights by column name, each at least 0; 1 for columns not named.
    ignore : str or list of str
        Columns that do not count.
    nominal : str or list of str
        Columns of numbers or dates that are codes: equal or not.

    Returns
    -------
    SimilarityGraph
        ``details["spread"]``: the spread of each column of numbers, where it carries weight.

    Raises
    ------
    InputError
        Names that are no compared columns, weights below 0, nothing left to compare, sparse rows.

    Notes
    -----
    Gower 1971, with a robust spread in the place of the range.

    Examples
    --------
    >>> import splitleak
    >>> table = {"age": [20, 40, 40.5, 60, 80], "town": [*"ABBBA"], "pet": ["cat", None, None, "dog", "cat"]}
    >>> splitleak.similarity_graph(table, similarity="gower", threshold=0.9).frame().round(4).values.tolist()
    [[1.0, 2.0, 0.9969]]
    """
    points = _points(records, scale, missing, weights, ignore, nominal)
    copies = _equal_points(points, missing)
    representatives = np.flatnonzero(copies == np.arange(records.n_rows))
    with progress.stage("joining rows", total=1000) as stage:
        left, right, similarity, complete = gower_pairs(
            points.values[representatives],
            points.weights,
            points.levels,
            threshold,
            leave_out=missing == "ignore",
            sides=sides_of(copies, representatives, sides),
            advance=stage.advance,
        )
    return SimilarityGraph.build(
        representatives[left],
        representatives[right],
        similarity,
        n_rows=records.n_rows,
        threshold=threshold,
        measure="gower",
        copies=copies,
        complete=complete,
        details={"spread": dict(points.spreads)},
    )


def nearest_across(
    records: Records,
    queries: NDArray[np.int64],
    pool: NDArray[np.int64],
    *,
    k: int = 1,
    scale: Scale = "robust",
    missing: MissingPair = "equal",
    weights: Mapping[str, float] | None = None,
    ignore: str | Sequence[str] = (),
    nominal: str | Sequence[str] = (),
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the nearest rows of one side to some rows of another: for each test row, the nearest training rows.

    Parameters
    ----------
    records : Records
        All rows; the spreads are taken over them.
    queries : int64 array of shape (n_queries,)
        Rows looked up.
    pool : int64 array
        Rows that are looked among; no row is its own neighbour.
    k : int
        Number of neighbours, at least 1.
    scale, missing, weights, ignore, nominal
        See `gower`.

    Returns
    -------
    similarity : float64 array of shape (n_queries, k)
        In [0, 1], nearest first; NaN where the pool has fewer rows.
    position : int64 array of shape (n_queries, k)
        Row positions, -1 where there are fewer. Of equally near rows the content decides which are taken.

    Examples
    --------
    >>> import numpy as np
    >>> from splitleak.records import as_records
    >>> records = as_records({"age": [20, 40, 41, 60, 80], "town": [*"ABBBA"]}, on=["age", "town"])
    >>> similarity, position = nearest_across(records, np.array([2]), np.array([0, 1, 3]))
    >>> similarity.round(4).tolist(), position.tolist()
    ([[0.9904]], [[1]])
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise InputError(f"k must be a whole number of at least 1, got {k!r}")
    points = _points(records, scale, missing, weights, ignore, nominal)
    by_content = pool[np.lexsort((pool, records.row_hashes[pool]))]
    return gower_nearest(
        points.values,
        points.weights,
        points.levels,
        queries,
        by_content,
        int(k),
        leave_out=missing == "ignore",
    )


def _points(
    records: Records,
    scale: Scale,
    missing: MissingPair,
    weights: Mapping[str, float] | None,
    ignore: str | Sequence[str],
    nominal: str | Sequence[str],
) -> Coordinates:
    if scale not in get_args(Scale):
        raise unknown_option("scale", scale, get_args(Scale))
    if missing not in get_args(MissingPair):
        raise unknown_option("missing", missing, get_args(MissingPair))
    return coordinates(records, scale=scale, missing=missing, weights=weights, ignore=ignore, nominal=nominal)


def _equal_points(points: Coordinates, missing: MissingPair) -> NDArray[np.int64]:
    """Return the first equal row of each row, where equal rows have similarity 1."""
    values = points.values
    n, p = values.shape
    absent = np.isnan(values)
    alone = absent.any(axis=1) if missing == "different" else absent.all(axis=1)
    words = np.where(absent, np.float64(np.nan), values)  # one NaN
    hashes = hash_bytes(
        words.astype("<f8").view(np.uint8).reshape(-1), np.arange(n + 1, dtype=np.int64) * p * 8
    )

    def same(rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        equal = np.ones(len(rows), dtype=bool)
        for at in range(0, len(rows), 4096):
            a, b = values[rows[at : at + 4096]], values[others[at : at + 4096]]
            equal[at : at + 4096] = ((a == b) | (np.isnan(a) & np.isnan(b))).all(axis=1)
        return equal

    copies = np.arange(n, dtype=np.int64)
    rows = np.flatnonzero(~alone)
    copies[rows] = rows[equal_rows(hashes[rows], lambda a, b: same(rows[a], rows[b]))]
    return copies
