"""Vectors at the door: which cannot be compared, and which are equal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError
from splitleak.kernels import hashing
from splitleak.records import Records
from splitleak.similarity.copies import equal_rows
from splitleak.similarity.vector_measures import Measure, is_sparse, largest_magnitude

_BLOCK = 4096


def check_vectors(records: Records, *, zero_allowed: bool) -> Any:
    """Return the vectors of `records`, or raise when some of them cannot be compared.

    Raises
    ------
    InputError
        No numbers at all (d = 0), numbers that are not finite, and (cosine) rows of zeros.
    """
    vectors = records.vectors
    if vectors.shape[1] == 0:
        raise InputError(f"{_name(records)} has rows of 0 numbers; at least one is needed to compare them")
    if is_sparse(vectors):
        finite = np.ones(vectors.shape[0], dtype=bool)
        bad = np.flatnonzero(~np.isfinite(vectors.data))
        finite[np.searchsorted(vectors.indptr, bad, side="right") - 1] = False
    else:
        finite = np.isfinite(largest_magnitude(vectors))
    if not finite.all():
        rows = np.flatnonzero(~finite)
        raise InputError(
            f"{_name(records)} must hold finite numbers, and {_some(rows)} NaN or infinite ones; drop or impute them"
        )
    if not zero_allowed:
        rows = np.flatnonzero(~(largest_magnitude(vectors) > 0))
        if len(rows):
            raise InputError(
                f"{_name(records)} must not hold rows of zeros under cosine, which have no direction, and"
                f' {_some(rows)} nothing but zeros; drop them, or use similarity="euclidean"'
            )
    return vectors


def copies_of(measure: Measure) -> NDArray[np.int64]:
    """Return the first row that equals each row (under cosine: after scaling by a power of two)."""
    # a number that equal rows share is at hand; only where it repeats the contents need to be read
    key = measure.invariant()
    _, group, size = np.unique(key, return_inverse=True, return_counts=True)
    suspects = np.flatnonzero(size[group] > 1)
    copies = np.arange(len(key), dtype=np.int64)
    if len(suspects):
        within = equal_rows(
            content_hashes(measure, suspects),
            lambda rows, others: _same(measure, suspects[rows], suspects[others]),
        )
        copies[suspects] = suspects[within]
    return copies


def content_hashes(measure: Measure, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a 64-bit hash of what each of `rows` is for the measure; row order does not matter."""
    parts = [np.empty(0, dtype=np.uint64)]
    # blocks below the size from which hashing is compiled: a small job must not wait for that
    step = max(1, min(_BLOCK, (hashing.COMPILED_FROM_BYTES - 1) // (8 * measure.rows.shape[1])))
    for a in range(0, len(rows), step):
        part = measure.contents(rows[a : a + step])
        if is_sparse(part):
            parts.append(hashing.hash_sparse(part.data, part.indices, part.indptr, part.shape[1]))
        else:
            parts.append(hashing.hash_dense(part))
    return np.concatenate(parts)


def _same(measure: Measure, rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    equal = np.ones(len(rows), dtype=bool)
    for a in range(0, len(rows), _BLOCK):
        x, y = measure.contents(rows[a : a + _BLOCK]), measure.contents(others[a : a + _BLOCK])
        differs = (x != y).sum(axis=1)
        equal[a : a + _BLOCK] = np.asarray(differs).ravel() == 0
    return equal


def _name(records: Records) -> str:
    return f"data (columns {', '.join(records.columns)})" if records.columns else "data"


def _some(rows: NDArray[np.int64]) -> str:
    shown = ", ".join(str(r) for r in rows[:5]) + (", ..." if len(rows) > 5 else "")
    return (
        f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'} ({shown}) {'has' if len(rows) == 1 else 'have'}"
    )
