"""Equal rows: similarity 1 after a documented normalisation, 0 otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak.graph import SimilarityGraph
from splitleak.records import Records
from splitleak.similarity.base import IGNORED, Neighbours, similarity_backend
from splitleak.similarity.copies import equal_images, equal_rows

if TYPE_CHECKING:
    import pyarrow as pa


def exact_nearest(
    records: Records,
    queries: NDArray[np.int64],
    *,
    threshold: float,
    sides: NDArray[np.int64],
    normalize: bool = True,
) -> Neighbours:
    """Look up the equal rows of some rows."""
    copies = _copies(records, normalize)
    n_sides = int(sides.max(initial=0)) + 1
    used = sides != IGNORED
    group = np.bincount(copies[used] * n_sides + sides[used], minlength=len(copies) * n_sides)
    counts = group.reshape(len(copies), n_sides)[copies[queries]]
    others = np.tile(np.bincount(sides[used], minlength=n_sides), (len(queries), 1))
    inside = np.flatnonzero(used[queries])
    counts[inside, sides[queries][inside]] -= 1
    others[inside, sides[queries][inside]] -= 1
    nearest = np.where(others > 0, (counts > 0).astype(np.float64), np.nan)
    return Neighbours(nearest, counts.sum(axis=1).astype(np.int64))


@similarity_backend("exact", kinds={"text", "vector", "table", "image"}, nearest=exact_nearest, threshold=1.0)
def exact(
    records: Records,
    *,
    threshold: float,
    normalize: bool = True,
) -> SimilarityGraph:
    """Join equal rows.

    Parameters
    ----------
    records : Records
        Rows of any kind. Texts are equal after normalisation; vectors when all their numbers are (``-0.0`` is
        0, NaN equals NaN); rows of a table when all compared columns are (missing equals missing); images when
        their size and pixels after decoding are.
    threshold : float
        Any in (0, 1]: equal rows have similarity 1, others 0.
    normalize : bool
        Texts only: Unicode NFKC, case folded, runs of white space as one space, none at the ends.
    """
    copies = _copies(records, normalize)
    none = np.empty(0, dtype=np.int64)
    return SimilarityGraph.build(
        none,
        none,
        np.empty(0),
        n_rows=records.n_rows,
        threshold=threshold,
        measure="exact",
        copies=copies,
    )


def _copies(records: Records, normalize: bool) -> NDArray[np.int64]:
    if records.kind == "text":
        return _text_copies(records, normalize)
    if records.kind == "image":
        return equal_images(records)
    if records.kind == "vector":
        return _vector_copies(records)
    assert records.table is not None
    table = records.table

    def same(rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        equal = np.ones(len(rows), dtype=bool)
        for column in table.columns:
            equal &= _equal_values(column.take(rows), column.take(others))
        return equal

    return equal_rows(records.row_hashes, same)


def _text_copies(records: Records, normalize: bool) -> NDArray[np.int64]:
    buffer, offsets = records.text()
    if normalize:
        from splitleak.similarity.normalization import normalize_text

        buffer, offsets = normalize_text(buffer, offsets)
    # without the marks of missing rows, whose hash is not that of the empty text they are read as
    records = Records("text", records.n_rows, records.columns, buffer=buffer, offsets=offsets)
    lengths = np.diff(offsets)

    def same(rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        equal: NDArray[np.bool_] = lengths[rows] == lengths[others]
        for at in range(0, len(rows), 4096):  # a block at a time: the gathered bytes stay small
            part = np.flatnonzero(equal[at : at + 4096]) + at
            size = lengths[rows[part]]
            within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
            differ = (
                buffer[np.repeat(offsets[rows[part]], size) + within]
                != buffer[np.repeat(offsets[others[part]], size) + within]
            )
            equal[np.repeat(part, size)[differ]] = False
        return equal

    return equal_rows(records.row_hashes, same)


def _vector_copies(records: Records) -> NDArray[np.int64]:
    x = records.vectors

    def same(rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        equal = np.ones(len(rows), dtype=bool)
        for at in range(0, len(rows), 4096):
            a, b = x[rows[at : at + 4096]], x[others[at : at + 4096]]
            if isinstance(x, np.ndarray):
                equal[at : at + 4096] = ((a == b) | ((a != a) & (b != b))).all(axis=1)
            else:
                equal[at : at + 4096] = np.asarray((a != b).sum(axis=1)).ravel() == 0
        return equal

    return equal_rows(records.row_hashes, same)


def _equal_values(a: pa.ChunkedArray, b: pa.ChunkedArray) -> NDArray[np.bool_]:
    import pyarrow as pa
    import pyarrow.compute as pc

    def flags(values: Any) -> NDArray[np.bool_]:
        return np.asarray(values.to_numpy(zero_copy_only=False), dtype=bool)

    if pa.types.is_dictionary(a.type):
        a, b = pc.cast(a, a.type.value_type), pc.cast(b, b.type.value_type)
    equal = flags(pc.fill_null(pc.equal(a, b), False)) | flags(pc.and_(pc.is_null(a), pc.is_null(b)))
    if pa.types.is_floating(a.type):
        equal |= flags(pc.fill_null(pc.and_(pc.is_nan(a), pc.is_nan(b)), False))
    return equal
