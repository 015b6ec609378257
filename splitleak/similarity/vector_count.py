"""Whether vectors have surely more similar pairs than can be listed, from the partners of a few of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.kernels.pair_count import surely_more_pairs
from splitleak.similarity import pair_store
from splitleak.similarity.base import MIXED
from splitleak.similarity.vector_measures import U64, Measure, is_sparse
from splitleak.similarity.vector_rows import content_hashes

_BLOCK = 2048
_HASHED = 16

Ints = NDArray[np.int64]


def too_many_pairs(measure: Measure, rows: Ints, sides: Ints, threshold: float) -> bool:
    """Return whether `rows` have surely more pairs than `pair_store.MAX_PAIRS`.

    Parameters
    ----------
    measure : Measure
        All rows.
    rows : int64 array
        Rows that are searched, no two of them equal.
    sides : int64 array of shape (n,)
        See `splitleak.similarity.copies.sides_of`.
    threshold : float
        Inclusive bound in (0, 1].
    """
    limit = pair_store.MAX_PAIRS
    if len(rows) * (len(rows) - 1) // 2 <= limit:
        return False
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    inner = measure.half_reach(threshold, inner=True)

    def count(places: Ints) -> Ints:
        queries = rows[places]
        points = measure.points(queries)
        half = _half_norms(points)
        found = np.zeros(len(queries), dtype=np.int64)
        for at in range(0, len(rows), _BLOCK):
            targets = rows[at : at + _BLOCK]
            others = measure.points(targets)
            product = points @ others.T
            norms = half[:, None] + _half_norms(others)
            apart = norms - (product.toarray() if is_sparse(product) else product)
            # only what is surely similar: rounding must not depend on where a row stands
            similar = apart < inner - 16 * (points.shape[1] + 8) * U64 * norms
            a, b = sides[queries][:, None], sides[targets]
            found += (similar & ((a != b) | (a == MIXED)) & (queries[:, None] != targets)).sum(axis=1)
        return found

    # some numbers of each row tell rows apart well enough to choose a sample by
    part = measure if is_sparse(measure.rows) else replace(measure, rows=measure.rows[:, :_HASHED])
    with threadpool_limits(1, user_api="blas"):
        return surely_more_pairs(count, content_hashes(part, rows), limit)


def _half_norms(points: Any) -> NDArray[np.float64]:
    squares = points.multiply(points) if is_sparse(points) else np.square(points)
    return np.asarray(squares.sum(axis=1), dtype=np.float64).ravel() / 2
