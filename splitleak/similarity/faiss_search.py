"""FAISS indexes of vectors, searched for all neighbours within reach, the same on any number of threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads
from splitleak.errors import InputError
from splitleak.similarity.vector_measures import Euclidean, Measure

BATCH = 1024  # queries of one call; fixed, since products of other shapes may round otherwise
_BUILD_BLOCK = 1 << 16
_FIRST_K = 16
_CELLS = 1 << 22  # neighbours in one answer
_LINKS = 32  # of a node of an HNSW graph

Ints = NDArray[np.int64]


@dataclass
class Engine:
    """An index with what its distances mean.

    Attributes
    ----------
    index : faiss.Index
        Holds the points of some rows.
    rows : int64 array
        Row position of each number in the index.
    measure : Measure
        Gives the points.
    raw : bool
        Points are the rows as they are (an index of the caller's under euclidean similarity), neither centred nor
        scaled.
    radius : float
        What FAISS is asked for: squared distances below it, or products above it.
    """

    index: Any
    rows: Ints
    measure: Measure
    raw: bool
    radius: float

    @classmethod
    def of(cls, index: Any, rows: Ints, measure: Measure, threshold: float, *, raw: bool = False) -> Engine:
        """Set the radius for pairs at or above `threshold`, with room for single precision."""
        half_reach = measure.half_reach(threshold)
        raw = raw and isinstance(measure, Euclidean)
        if raw and isinstance(measure, Euclidean):
            half_reach = float(np.ldexp(half_reach, 2 * measure.exponent))
        slack = 1e-6 + 4 * measure.rows.shape[1] * 2.0**-24
        if is_inner_product(index):
            radius = 1.0 - half_reach - slack
        else:
            radius = min(2 * half_reach * (1 + slack) + (slack if measure.unit else 1e-30), 3e38)
        return cls(index, rows, measure, raw, radius)

    def points(self, rows: Ints) -> NDArray[np.float32]:
        """Return the points of row positions as the index holds them."""
        found = self.measure.rows[rows] if self.raw else self.measure.points(rows)
        return np.ascontiguousarray(found, dtype=np.float32)

    def fill(self) -> None:
        """Train the index where it must be, and add all rows, on one thread (HNSW depends on the order)."""
        with one_thread():
            if not self.index.is_trained:
                self.index.train(self.points(self.rows))
            for a in range(0, len(self.rows), _BUILD_BLOCK):
                self.index.add(self.points(self.rows[a : a + _BUILD_BLOCK]))

    def search(self, queries: Ints) -> Iterator[tuple[Ints, Ints]]:
        """Yield ``(query rows, neighbour rows)`` of batches of queries; a query finds itself, too."""
        batches = [queries[a : a + BATCH] for a in range(0, len(queries), BATCH)]
        for a in range(0, len(batches), 8):
            yield from map_threads(self._batch, batches[a : a + 8])

    def _batch(self, queries: Ints) -> tuple[Ints, Ints]:
        import faiss

        points = self.points(queries)
        with one_thread():
            if isinstance(self.index, faiss.IndexHNSW):  # its range search stops at ef neighbours, silently
                at, found = self._by_growing_k(points)
            else:
                try:
                    limits, _, found = self.index.range_search(points, self.radius)
                    at = np.repeat(
                        np.arange(len(queries)), limits[1:].astype(np.int64) - limits[:-1].astype(np.int64)
                    )
                except RuntimeError:  # an index without a range search
                    at, found = self._by_growing_k(points)
        if len(found) and found.max() >= len(self.rows):
            raise InputError(
                f"the index gives numbers up to {found.max()}, and there are {len(self.rows)} rows: it must number"
                " them 0, 1, ... in the order of data (no IndexIDMap)"
            )
        return queries[at], self.rows[found]

    def _by_growing_k(self, points: NDArray[np.float32]) -> tuple[Ints, Ints]:
        """Search for k nearest, and for twice as many wherever the last one is still within reach."""
        k, open_ = min(_FIRST_K, self.index.ntotal), np.arange(len(points))
        ats, found = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        while len(open_):
            still = []
            step = max(1, _CELLS // k)
            for a in range(0, len(open_), step):
                part = open_[a : a + step]
                values, numbers = self.index.search(points[part], k)
                near = (values > self.radius) if is_inner_product(self.index) else (values < self.radius)
                near &= numbers >= 0
                more = near[:, -1] & (k < self.index.ntotal)
                still.append(part[more])
                near[more] = False
                at, place = np.nonzero(near)
                ats.append(part[at])
                found.append(numbers[at, place])
            open_ = np.concatenate(still)
            k = min(2 * k, self.index.ntotal)
        return np.concatenate(ats), np.concatenate(found)


def is_inner_product(index: Any) -> bool:
    """Whether larger values of an index mean closer."""
    import faiss

    return bool(index.metric_type == faiss.METRIC_INNER_PRODUCT)


def new_index(kind: str, n: int, d: int, seed: int) -> Any:
    """Return an empty index for n points of d numbers; squared distances, also of unit vectors."""
    import faiss

    if kind == "hnsw":
        graph: Any = faiss.IndexHNSWFlat(d, _LINKS)
        graph.hnsw.efConstruction = 80
        graph.hnsw.rng = faiss.RandomGenerator(seed % 2**31)  # type: ignore[attr-defined]
        return graph
    quantizer = faiss.IndexFlatL2(d)
    lists = int(max(1, min(4 * np.sqrt(n), n / 40)))
    index = faiss.IndexIVFFlat(quantizer, d, lists)
    index.cp.seed = seed % 2**31
    index.cp.niter = 8
    index.cp.min_points_per_centroid = 1  # silent with few rows
    index.cp.max_points_per_centroid = 40
    return index


def effort(index: Any) -> int:
    """Return the setting that trades time for recall: lists visited, or candidates kept."""
    import faiss

    return int(index.hnsw.efSearch if isinstance(index, faiss.IndexHNSW) else index.nprobe)


def set_effort(index: Any, value: int) -> int:
    """Set `effort`, and return it: no more than there is."""
    import faiss

    if isinstance(index, faiss.IndexHNSW):
        index.hnsw.efSearch = min(value, max(1, index.ntotal))
    else:
        index.nprobe = min(value, index.nlist)
    return effort(index)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let FAISS use the calling thread only."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def checked_index(index: Any, measure: Measure) -> Any:
    """Return an index of the caller's that can hold the rows, or raise; an empty one is copied."""
    import faiss

    n, d = measure.rows.shape
    allowed = (faiss.METRIC_L2, faiss.METRIC_INNER_PRODUCT) if measure.unit else (faiss.METRIC_L2,)
    if index.d != d:
        raise InputError(f"index holds vectors of {index.d} numbers, the data has {d} in each row")
    if index.metric_type not in allowed:
        raise InputError(
            "index must have METRIC_L2"
            + (" or METRIC_INNER_PRODUCT (unit vectors)" if measure.unit else " under euclidean similarity")
            + f", got metric type {index.metric_type}"
        )
    if index.ntotal not in (0, n):
        raise InputError(
            f"index must be empty, or hold the {n} rows of the data in their order; it holds {index.ntotal}"
        )
    return faiss.clone_index(index) if index.ntotal == 0 else index


def check_contents(engine: Engine) -> None:
    """Raise when a filled index plainly holds other rows than the data, or in another order."""
    numbers = np.linspace(0, len(engine.rows) - 1, min(20, len(engine.rows))).astype(np.int64)
    try:
        held = np.stack([engine.index.reconstruct(int(number)) for number in numbers])
    except RuntimeError:  # an index that cannot give its vectors back: the measured recall will tell
        return
    points = engine.points(engine.rows[numbers])
    # half of the norm leaves room for compressed vectors
    far = np.linalg.norm(held - points, axis=1) > 0.5 * np.linalg.norm(points, axis=1) + 1e-6
    if 4 * far.sum() > len(numbers):
        kind = "unit vectors" if engine.measure.unit else "vectors as they are"
        raise InputError(
            f"index does not hold the rows of data in their order ({far.sum()} of {len(numbers)} looked up differ);"
            f" it must hold the {kind}, row 0 first"
        )
