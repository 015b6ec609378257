"""Rows that are equal for a measure are searched once: representatives, and what their sides are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from splitleak.records import Records
from splitleak.similarity.base import IGNORED, MIXED


def first_of_each(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the representatives of groups of equal rows.

    Parameters
    ----------
    labels : int64 array of shape (n_rows,)
        Equal numbers for equal rows.

    Returns
    -------
    copies : int64 array of shape (n_rows,)
        The first row of each row's group.
    representatives : int64 array of shape (n_groups,)
        The first rows, ascending.
    """
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    copies = first[inverse].astype(np.int64)
    return copies, np.sort(first).astype(np.int64)


def distinct_sets(
    tokens: NDArray[np.uint64], starts: NDArray[np.int64], sides: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64] | None]:
    """Return one row of each distinct set, the representative of each row, and the sides of representatives.

    Rows of side `IGNORED` are left out; the set of row r is ``tokens[starts[r]:starts[r + 1]]``.
    """
    from splitleak.kernels.sets import equal_sets

    n = len(starts) - 1
    used = np.arange(n) if sides is None else np.flatnonzero(sides != IGNORED)
    copies = np.arange(n)
    copies[used] = equal_sets(tokens, starts, used)
    firsts = used[copies[used] == used]
    if sides is None:
        return firsts, copies, None
    representatives = np.flatnonzero(copies == np.arange(n))
    side = np.full(n, IGNORED)
    side[representatives] = sides_of(copies, representatives, sides)
    return firsts, copies, side


def sides_of(
    copies: NDArray[np.int64], representatives: NDArray[np.int64], sides: NDArray[np.int64] | None
) -> NDArray[np.int64] | None:
    """Return the side of each representative.

    That is its copies' common side, `MIXED` when they lie on several (it must then meet every row), `IGNORED`
    when all of them are ignored. A kernel skips a pair of representatives when either is `IGNORED`, or when both
    have the same side and that side is not `MIXED`.
    """
    if sides is None:
        return None
    n = len(copies)
    top = np.iinfo(np.int64).max
    low, high = np.full(n, top), np.full(n, IGNORED)
    used = sides != IGNORED
    np.minimum.at(low, copies[used], sides[used])
    np.maximum.at(high, copies[used], sides[used])
    side = np.where(low == high, low, MIXED)
    return np.where(high == IGNORED, IGNORED, side)[representatives].astype(np.int64)


def equal_images(records: Records) -> NDArray[np.int64]:
    """Return the first image with the same size and pixels as each; one that cannot be read equals none.

    Digests of 128 bits of a cryptographic hash stand for the pixels.
    """
    images = records.pictures()
    copies = equal_bytes(images.digests())
    rows = np.array(sorted(images.unreadable()), dtype=np.int64)
    copies[rows] = rows  # no other row has a digest of theirs but the unreadable ones of equal bytes
    return copies


def equal_bytes(rows: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the first equal row of each row of a 2-D array of bytes."""
    flat = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.shape[1])))[:, 0]
    _, first, inverse = np.unique(flat, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)


def equal_rows(
    hashes: NDArray[np.uint64],
    same: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]],
) -> NDArray[np.int64]:
    """Return the first equal row of each row: rows of equal hash, verified by `same`.

    Parameters
    ----------
    hashes : uint64 array of shape (n_rows,)
        Equal rows must have equal hashes; the converse is checked.
    same : callable
        ``same(rows, others)`` tells for each pair of positions whether the rows are equal.

    Returns
    -------
    int64 array of shape (n_rows,)
        Position of the first row that equals each row (`copies` of a `SimilarityGraph`).
    """
    n = len(hashes)
    copies = np.arange(n, dtype=np.int64)
    rows = copies.copy()
    while len(rows):
        order = rows[np.argsort(hashes[rows], kind="stable")]
        new = np.ones(len(order), dtype=bool)
        new[1:] = hashes[order[1:]] != hashes[order[:-1]]
        first = order[new][np.cumsum(new) - 1]
        others = first != order
        row, candidate = order[others], first[others]
        equal = same(row, candidate)
        copies[row[equal]] = candidate[equal]
        rows = row[~equal]  # different rows of one hash: they find their own representative in the next round
    return copies
