"""An upper bound on similarity that one small matrix product gives for a block of pairs.

Points (unit vectors, or centred vectors) are projected on the first h principal axes of a sample, and the length of
what is left becomes one more coordinate. By Cauchy-Schwarz the product of two such short rows is at least the
product of the points; so a pair that counts always scores at least `Bound.limit`, whatever the axes are, and the
axes only decide how few others do. The limit allows for every rounding on the way: a product of k numbers in
arithmetic of unit roundoff u is off by at most k u / (1 - k u) of the product of the norms, in any order of
summation (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.similarity.vector_measures import U64, Measure

PROJECT_FROM = 4096  # rows from which looking for axes pays
_AXES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_BLOCK = 4096
_U32 = 2.0**-24

Matrix = NDArray[Any]


@dataclass(frozen=True)
class Bound:
    """Short rows whose products tell which pairs cannot count.

    Attributes
    ----------
    left, right : float32 or float64 arrays of shape (n, k)
        A pair (i, j) that counts has ``left[i] @ right[j] >= limit``, computed in their own type in any order.
    limit : float
        -inf: every pair is a candidate.
    axes : int
        Leading columns that are coordinates of the points (for distances between blocks); 0: none.
    gap : float
        Points of a pair that counts differ by at most this in squared distance over the leading columns.
    """

    left: Matrix
    right: Matrix
    limit: float
    axes: int
    gap: float

    @property
    def first_axis(self) -> Matrix:
        """The coordinate of each row along which they spread most."""
        return np.asarray(self.left[:, 0])


def bound(measure: Measure, rows: NDArray[np.int64], threshold: float) -> Bound:
    """Return a bound for the given row positions (row i of the bound is ``rows[i]``)."""
    half_reach = _half_reach(measure, threshold)
    basis = None
    if len(rows) >= PROJECT_FROM and np.isfinite(half_reach):
        sample = np.asarray(measure.points(rows[:: -(-len(rows) // _BLOCK)]))
        basis = _best_basis(sample, half_reach, measure.unit)
    return _assemble(measure, rows, half_reach, basis, _needs_double(measure, rows, half_reach, basis))


def whole_rows(measure: Measure, rows: NDArray[np.int64], threshold: float) -> Bound:
    """Return the bound without a projection: products of whole points. Those of several calls can be multiplied."""
    return _assemble(measure, rows, _half_reach(measure, threshold), None, not measure.unit)


def _half_reach(measure: Measure, threshold: float) -> float:
    found = measure.half_reach(threshold)
    # scaled points are nowhere near 1e15 apart, and it has no place in float32
    return np.inf if found > 1e30 else found


def _assemble(
    measure: Measure, rows: NDArray[np.int64], half_reach: float, basis: Matrix | None, double: bool
) -> Bound:
    d = measure.rows.shape[1]
    axes = d if basis is None else basis.shape[1]
    extra = (basis is not None) + 2 * (not measure.unit)
    k = axes + extra
    # how far from orthonormal the axes are makes the projected norms uncertain
    defect = 8 * (d + 8) * 2 * U64
    if basis is not None:
        defect += 4 * float(np.linalg.norm(basis.T @ basis - np.eye(axes)))
    error = 2.1 * (k + 6) * (U64 if double else _U32)
    out = np.empty((len(rows), k), dtype=np.float64 if double else np.float32)
    for a in range(0, len(rows), _BLOCK):
        points = measure.points(rows[a : a + _BLOCK])
        block = out[a : a + _BLOCK]
        squared = np.square(points).sum(axis=1)
        coordinates = points if basis is None else points @ basis
        block[:, :axes] = coordinates
        if basis is not None:
            rest = squared * (1 + defect) - np.square(coordinates).sum(axis=1)
            block[:, axes] = np.sqrt(np.maximum(rest, 0) + defect * squared)
        if not measure.unit:
            # half the squared norm less the largest error, which grows with it: |x||y| <= (|x|^2 + |y|^2) / 2
            block[:, -2] = -squared / 2 * (1 - error - defect)
            block[:, -1] = 1
    gap = 2 * half_reach * (1 + 1e-6)
    if measure.unit:
        return Bound(out, out, 1.0 - half_reach - error - defect - 1e-30, axes, gap)
    swapped = out.copy()
    swapped[:, -2], swapped[:, -1] = out[:, -1], out[:, -2]
    return Bound(out, swapped, -half_reach * (1 + 1e-6) - 1e-30, axes, gap)


def _needs_double(measure: Measure, rows: NDArray[np.int64], half_reach: float, basis: Matrix | None) -> bool:
    """Whether errors of single precision would let through far more than the pairs within reach."""
    if measure.unit or len(rows) == 0:
        return False
    columns = measure.rows.shape[1] if basis is None else basis.shape[1]
    sample = measure.points(rows[:: max(1, len(rows) // 1000)])
    return bool(2 * columns * _U32 * np.median(np.square(sample).sum(axis=1)) * 16 > half_reach)


def _best_basis(sample: Matrix, half_reach: float, unit: bool) -> Matrix | None:
    """Return the axes that make the join cheapest by what a sample of pairs shows, or None for all coordinates."""
    d = sample.shape[1]
    most = min(d, _AXES[-1])
    basis = _principal_axes(sample, most)
    some = sample[:: -(-len(sample) // 1024)]
    coordinates, squared = some @ basis, np.square(some).sum(axis=1)
    limit = (squared[:, None] + squared) / 2 - half_reach
    product = np.zeros_like(limit)
    upper = np.triu_indices(len(some), 1)
    best, axes, done = np.inf, 0, 0
    for h in [*(a for a in _AXES if a < most), most]:
        product += coordinates[:, done:h] @ coordinates[:, done:h].T
        done = h
        rest = np.sqrt(np.maximum(squared - np.square(coordinates[:, :h]).sum(axis=1), 0))
        share = float((product + np.outer(rest, rest) >= limit)[upper].mean())
        cost = _cost(h, share, d)
        if cost < best:
            best, axes = cost, h
    every = float((some @ some.T >= limit)[upper].mean())
    return None if _cost(d, every, d) < best else np.ascontiguousarray(basis[:, :axes])


def _cost(columns: int, share: float, d: int) -> float:
    """Return nanoseconds for each pair: a column of the product, the scan, and the check of the candidates."""
    return 0.4 + columns / 60 + share * (40 + 0.4 * d)


def _principal_axes(sample: Matrix, most: int) -> Matrix:
    """Return `most` orthonormal axes of largest second moment (approximately, for very many columns)."""
    d = sample.shape[1]
    if d <= 512:
        return np.ascontiguousarray(np.linalg.eigh(sample.T @ sample)[1][:, ::-1][:, :most])
    # subspace iteration (Halko, Martinsson and Tropp, SIAM Review 53, 2011): d^3 is too slow for thousands of columns
    axes = sample.T @ np.random.default_rng(0).standard_normal((len(sample), min(d, most + 16)))
    for _ in range(2):
        axes = sample.T @ (sample @ np.linalg.qr(axes)[0])
    axes = np.linalg.qr(axes)[0]
    inner = sample @ axes
    return np.ascontiguousarray(axes @ np.linalg.eigh(inner.T @ inner)[1][:, ::-1][:, :most])


def at_most(limit: float, dtype: np.dtype[np.floating]) -> np.floating:
    """Return `limit` in the type of the products, rounded down: a comparison must not round it up."""
    return np.nextafter(dtype.type(limit), dtype.type(-np.inf))  # type: ignore[no-any-return]
