"""Cosine and euclidean similarity by FAISS: every pair found is right, some may be missing, and how many is measured.

Examples
--------
>>> import numpy as np
>>> x = np.random.default_rng(0).standard_normal((500, 8)).astype(np.float32)
>>> x[400:] = x[:100] + 0.01
>>> graph = cosine_faiss.graph(Records("vector", 500, vectors=x), threshold=0.99)
>>> graph.exact, graph.recall.low > 0.9, len(graph.left) >= 90
(False, True, True)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.errors import InputError, unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.recall import Recall
from splitleak.records import Records
from splitleak.sampling import mix
from splitleak.similarity import faiss_search
from splitleak.similarity.approximation import Approximation
from splitleak.similarity.base import IGNORED, MIXED, similarity_backend
from splitleak.similarity.copies import sides_of
from splitleak.similarity.faiss_search import Engine
from splitleak.similarity.pair_store import PairStore
from splitleak.similarity.vector import (
    DENSE_NUMBERS,
    cosine_measure,
    cosine_nearest,
    distance_backend,
    euclidean_measure,
    euclidean_nearest,
)
from splitleak.similarity.vector_measures import Cosine, Euclidean, Measure, is_sparse
from splitleak.similarity.vector_rows import content_hashes, copies_of

if TYPE_CHECKING:
    import faiss

IndexKind = Literal["ivf", "hnsw"]

Ints = NDArray[np.int64]


@similarity_backend("cosine-faiss", kinds={"vector"}, nearest=cosine_nearest, threshold=0.9, exact=False)
def cosine_faiss(
    records: Records,
    *,
    threshold: float,
    sides: Ints | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
    index: IndexKind | faiss.Index = "ivf",
    nprobe: int | None = None,
    ef_search: int | None = None,
    recall: float = 0.99,
) -> SimilarityGraph:
    """Find pairs of vectors with cosine >= threshold by a FAISS index.

    Each pair reported has been decided by its exact value (see ``cosine``). The share of the true pairs that is
    found is measured: rows drawn by content and seed are looked up by brute force (with `sides`, on pairs within
    and across sides).

    Parameters
    ----------
    records : Records
        Dense vectors, or sparse ones that fit in memory as dense: finite, none all zero.
    threshold : float
        Inclusive bound in (0, 1].
    sides : int64 array of shape (n_rows,), optional
        Search only between rows of different sides; rows of side -1 are left out.
    seed : int
        Of the index (centroids, levels) and of the sampled rows.
    index : {"ivf", "hnsw"} or faiss.Index
        ``IndexIVFFlat``; ``IndexHNSWFlat``; or one of your own with your own settings: empty (a copy is trained and
        filled), or filled with the unit vectors of all rows in their order.
    nprobe, ef_search : int, optional
        Lists visited for each row ("ivf"), candidates kept ("hnsw"). Left out, as many as reach `recall` on a
        sample of rows.
    recall : float
        Share of the true pairs aimed at, in (0, 1]. What was reached is in the graph's `recall`.

    Raises
    ------
    InputError
        As ``cosine``; an index of other rows, size or metric; options that do not belong to the index.
    """
    measure = cosine_measure(records)
    return _graph(measure, threshold, sides, seed, progress, index, nprobe, ef_search, recall)


@similarity_backend(
    "euclidean-faiss", kinds={"vector"}, nearest=euclidean_nearest, threshold=0.9, exact=False
)
def _euclidean_faiss(
    records: Records,
    *,
    threshold: float,
    sides: Ints | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
    index: IndexKind | faiss.Index = "ivf",
    nprobe: int | None = None,
    ef_search: int | None = None,
    recall: float = 0.99,
    scale: float = 1.0,
) -> SimilarityGraph:
    """Find pairs of vectors with euclidean similarity >= threshold by a FAISS index.

    The similarity and `scale` are those of ``euclidean``, all else is as in ``cosine-faiss`` (a filled index of your
    own holds the vectors as they are).
    """
    measure = euclidean_measure(records, scale)
    return _graph(measure, threshold, sides, seed, progress, index, nprobe, ef_search, recall)


euclidean_faiss = distance_backend(_euclidean_faiss)


def _graph(
    measure: Measure,
    threshold: float,
    sides: Ints | None,
    seed: int,
    progress: Progress,
    index: Any,
    nprobe: int | None,
    ef_search: int | None,
    recall: float,
) -> SimilarityGraph:
    _check_options(index, nprobe, ef_search, recall)
    measure = _dense(measure)
    n = len(measure.rows)
    copies = copies_of(measure)
    rows = np.flatnonzero(copies == np.arange(n))
    # the order of the rows must not matter, and both indexes depend on the order in which they are filled
    hashes = content_hashes(measure, rows)
    rows, hashes = rows[np.argsort(hashes, kind="stable")], np.sort(hashes)
    side = np.full(n, IGNORED, dtype=np.int64)
    of_representatives = sides_of(copies, np.sort(rows), sides)
    side[np.sort(rows)] = MIXED if of_representatives is None else of_representatives
    hashes, rows = hashes[side[rows] != IGNORED], rows[side[rows] != IGNORED]
    if len(rows) < 2:  # no pair, and nothing that an index could learn from
        return _result(measure, threshold, copies, PairStore(n), Recall.measured(0, 0), {})
    drawn = rows[np.argsort(mix(hashes ^ mix(np.array([seed % 2**32], dtype=np.uint64))), kind="stable")]
    tuning, measuring = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]
    with progress.stage("building the index"):
        engine = _engine(index, rows, measure, threshold, seed)
    search = Approximation(engine, copies, side, threshold)
    if isinstance(index, str):
        given = nprobe if index == "ivf" else ef_search
        search.tune(tuning, recall) if given is None else faiss_search.set_effort(engine.index, given)
    store = search.all_pairs(rows, progress)
    found = search.measure_recall(measuring, store)
    return _result(measure, threshold, copies, store, found, _describe(engine.index, index))


def _dense(measure: Measure) -> Measure:
    """Return the measure of dense rows."""
    if not is_sparse(measure.rows):
        return measure
    n, d = measure.rows.shape
    if n * d > DENSE_NUMBERS:
        raise InputError(
            f"FAISS compares dense rows, and {n:,} x {d:,} sparse ones take more than a gigabyte as dense; use"
            ' similarity="cosine" or "euclidean", which keep them sparse'
        )
    rows = np.ascontiguousarray(measure.rows.toarray())
    return Cosine.of(rows) if isinstance(measure, Cosine) else Euclidean.of(rows, measure.scale)


def _result(
    measure: Measure,
    threshold: float,
    copies: Ints,
    store: PairStore,
    recall: Recall,
    details: dict[str, Any],
) -> SimilarityGraph:
    left, right, similarity = store.pairs()
    return SimilarityGraph.build(
        left,
        right,
        similarity,
        n_rows=measure.rows.shape[0],
        threshold=threshold,
        measure="faiss",
        exact=False,
        recall=recall,
        copies=copies,
        complete=store.complete,
        details=details,
    )


def _engine(index: Any, rows: Ints, measure: Measure, threshold: float, seed: int) -> Engine:
    """Return a filled engine."""
    if isinstance(index, str):
        made = faiss_search.new_index(index, len(rows), measure.rows.shape[1], seed)
        engine = Engine.of(made, rows, measure, threshold)
        engine.fill()
        return engine
    given = faiss_search.checked_index(index, measure)
    if given.ntotal == 0:
        engine = Engine.of(given, rows, measure, threshold, raw=True)
        engine.fill()
    else:
        everything = np.arange(measure.rows.shape[0], dtype=np.int64)
        engine = Engine.of(given, everything, measure, threshold, raw=True)
        faiss_search.check_contents(engine)
    return engine


def _check_options(index: Any, nprobe: Any, ef_search: Any, recall: Any) -> None:
    if isinstance(index, str):
        if index not in get_args(IndexKind):
            raise unknown_option("index", index, get_args(IndexKind))
    elif not all(hasattr(index, name) for name in ("ntotal", "is_trained", "metric_type", "search")):
        raise InputError(f"index must be 'ivf', 'hnsw' or a faiss.Index, got {type(index).__name__}")
    for name, value, kind in (("nprobe", nprobe, "ivf"), ("ef_search", ef_search, "hnsw")):
        if value is None:
            continue
        if not isinstance(index, str) or index != kind:
            way_out = "leave it out" if isinstance(index, str) else "set it on the index itself"
            raise InputError(
                f"{name}={value!r} belongs to index={kind!r}, and another index was given; {way_out}"
            )
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise InputError(f"{name} must be a whole number of at least 1, got {value!r}")
    if isinstance(recall, bool) or not isinstance(recall, (int, float)) or not 0 < recall <= 1:
        raise InputError(f"recall must be a number in (0, 1], the share of pairs aimed at, got {recall!r}")


def _describe(index: Any, asked: Any) -> dict[str, Any]:
    name = type(index).__name__
    if isinstance(asked, str) and asked == "ivf":
        return {"index": name, "lists": int(index.nlist), "nprobe": faiss_search.effort(index)}
    if isinstance(asked, str) and asked == "hnsw":
        return {"index": name, "ef_search": faiss_search.effort(index)}
    return {"index": name}
