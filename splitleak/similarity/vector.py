"""Cosine and euclidean similarity of vectors: exact joins and brute-force look-ups.

Examples
--------
>>> import numpy as np
>>> x = np.array([[3.0, 4.0], [1.0, 0.0], [0.0, 1.0], [6.0, 8.0]])
>>> cosine.graph(Records("vector", 4, vectors=x), threshold=0.8).frame().values.tolist()
[[0.0, 3.0, 1.0], [0.0, 2.0, 0.8], [2.0, 3.0, 0.8]]
>>> euclidean(max_distance=5.0).graph(Records("vector", 4, vectors=x)).frame().round(3).values.tolist()
[[1.0, 2.0, 0.414], [0.0, 2.0, 0.191], [0.0, 1.0, 0.183], [0.0, 3.0, 0.167]]
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.records import Records
from splitleak.similarity import base
from splitleak.similarity.base import Backend, Neighbours, similarity_backend
from splitleak.similarity.copies import sides_of
from splitleak.similarity.pair_store import PairStore
from splitleak.similarity.vector_count import too_many_pairs
from splitleak.similarity.vector_join import join_dense
from splitleak.similarity.vector_measures import Cosine, Euclidean, Measure, is_sparse, similarity_of_distance
from splitleak.similarity.vector_nearest import nearest_vectors
from splitleak.similarity.vector_rows import check_vectors, copies_of
from splitleak.similarity.vector_sparse import join_sparse

_DENSE_FROM = 0.05  # share of non-zero numbers from which sparse rows are compared faster as dense ones
DENSE_NUMBERS = 1 << 27  # ... while that takes no more than a gigabyte


def cosine_measure(records: Records) -> Cosine:
    """Return the checked vectors of `records` under cosine."""
    return Cosine.of(_dense_where_faster(check_vectors(records, zero_allowed=False)))


def euclidean_measure(records: Records, scale: float) -> Euclidean:
    """Return the checked vectors of `records` under euclidean similarity."""
    if isinstance(scale, bool) or not isinstance(scale, (int, float, np.number)) or not 0 < scale < np.inf:
        raise InputError(
            "scale must be a finite number above 0 (the distance at which the similarity is 1/2, in the unit of the"
            f" vectors), got {scale!r}"
        )
    return Euclidean.of(_dense_where_faster(check_vectors(records, zero_allowed=True)), float(scale))


def exact_graph(
    measure: Measure,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None,
    progress: Progress,
    name: str,
) -> SimilarityGraph:
    """Return all pairs of rows with similarity >= threshold."""
    n = measure.rows.shape[0]
    copies = copies_of(measure)
    rows = np.flatnonzero(copies == np.arange(n))
    store = PairStore(n)
    side = np.full(n, base.IGNORED, dtype=np.int64)
    side[rows] = base.MIXED
    if sides is not None:
        side[rows] = sides_of(copies, rows, sides)
    if too_many_pairs(measure, rows, side, threshold):
        store.go_over_to_links()
    join = join_sparse if is_sparse(measure.rows) else join_dense
    join(measure, threshold, sides=side, store=store, progress=progress)
    left, right, similarity = store.pairs()
    return SimilarityGraph.build(
        left,
        right,
        similarity,
        n_rows=n,
        threshold=threshold,
        measure=name,
        copies=copies,
        complete=store.complete,
    )


def cosine_nearest(
    records: Records, queries: NDArray[np.int64], *, threshold: float, sides: NDArray[np.int64]
) -> Neighbours:
    """Look up the cosine neighbours of some rows by brute force in float64."""
    return nearest_vectors(cosine_measure(records), queries, threshold=threshold, sides=sides)


def euclidean_nearest(
    records: Records,
    queries: NDArray[np.int64],
    *,
    threshold: float,
    sides: NDArray[np.int64],
    scale: float = 1.0,
) -> Neighbours:
    """Look up the euclidean neighbours of some rows by brute force in float64."""
    return nearest_vectors(euclidean_measure(records, scale), queries, threshold=threshold, sides=sides)


@similarity_backend("cosine", kinds={"vector"}, nearest=cosine_nearest, threshold=0.9)
def cosine(
    records: Records,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None = None,
    progress: Progress = SILENT,
) -> SimilarityGraph:
    """Find all pairs of vectors with cosine >= threshold.

    The cosine of x and y is ``x.y / sqrt(|x|^2 |y|^2)``, computed in float64 from the numbers of the two rows
    and rounded to 12 decimals, so that ties at the threshold count on every machine. Candidates come from
    products of short projections (see `splitleak.similarity.vector_bound`), which no such pair can fail.

    Parameters
    ----------
    records : Records
        Dense or sparse vectors: finite, none all zero.
    threshold : float
        Inclusive bound in (0, 1].
    sides : int64 array of shape (n_rows,), optional
        Search only between rows of different sides; rows of side -1 are left out.

    Raises
    ------
    InputError
        Numbers that are not finite, rows of zeros, rows of no numbers.
    """
    return exact_graph(
        cosine_measure(records), threshold=threshold, sides=sides, progress=progress, name="cosine"
    )


@dataclass(frozen=True)
class DistanceBackend(Backend):
    """A backend of distances: ``max_distance`` is another way to state its threshold."""

    def __call__(self, threshold: float | None = None, /, **options: Any) -> Backend:
        """Return this backend with a default threshold, or the one that `max_distance` implies, and options."""
        distance = options.pop("max_distance", None)
        if distance is None:
            return super().__call__(threshold, **options)
        if threshold is not None:
            raise InputError(f"give a threshold ({threshold!r}) or max_distance ({distance!r}), not both")
        found = super().__call__(**options)
        return replace(
            found, threshold=threshold_of_distance(distance, float(found.options.get("scale", 1.0)))
        )

    def _option_names(self) -> list[str]:
        return [*super()._option_names(), "max_distance"]


def threshold_of_distance(max_distance: float, scale: float) -> float:
    """Return the similarity of rows at `max_distance`, the threshold that it implies."""
    try:
        implied = float(similarity_of_distance(max_distance, scale)) if max_distance >= 0 else 0.0
    except TypeError:
        implied = 0.0
    if isinstance(max_distance, bool) or not implied > 0:
        raise InputError(
            "max_distance must be a number of at least 0, and small enough beside scale for a similarity above 0"
            f" (1 / (1 + max_distance / scale), 12 decimals); got {max_distance!r} with scale={scale:g}"
        )
    return implied


@similarity_backend("euclidean", kinds={"vector"}, nearest=euclidean_nearest, threshold=0.9)
def _euclidean(
    records: Records,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None = None,
    progress: Progress = SILENT,
    scale: float = 1.0,
) -> SimilarityGraph:
    """Find all pairs of vectors with euclidean similarity >= threshold.

    The similarity of x and y is ``1 / (1 + |x - y| / scale)``, the distance computed in float64 from the
    differences of the two rows, the similarity rounded to 12 decimals. ``euclidean(max_distance=D)`` states the
    threshold as a distance: rows at distance <= D are similar.

    Parameters
    ----------
    records : Records
        Dense or sparse vectors, finite.
    threshold : float
        Inclusive bound in (0, 1].
    sides : int64 array of shape (n_rows,), optional
        Search only between rows of different sides; rows of side -1 are left out.
    scale : float
        The distance at which the similarity is 1/2, in the unit of the vectors; above 0.

    Raises
    ------
    InputError
        Numbers that are not finite, rows of no numbers, a scale that is not above 0.
    """
    measure = euclidean_measure(records, scale)
    return exact_graph(measure, threshold=threshold, sides=sides, progress=progress, name="euclidean")


def distance_backend(backend: Backend) -> DistanceBackend:
    """Register a backend anew, with ``max_distance`` as another way to state its threshold."""
    found = DistanceBackend(**vars(backend))
    base._REGISTRY[backend.name] = found
    return found


euclidean = distance_backend(_euclidean)


def _dense_where_faster(vectors: Any) -> Any:
    if not is_sparse(vectors):
        return vectors
    n, d = vectors.shape
    if n * d <= DENSE_NUMBERS and vectors.nnz >= _DENSE_FROM * n * d:
        return np.ascontiguousarray(vectors.toarray())
    return vectors
