"""Cosine and euclidean similarity of two rows, decided in float64 by the values of that pair alone.

The searches are fast and inexact; they hand on every pair that could count, and what is written here decides. A
value depends on its two rows only: products and differences are summed in one order whatever the platform, and
the result is rounded to 12 decimals, well above what float64 leaves uncertain. So ties stay ties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

DECIMALS = 12
U64 = 2.0**-53  # unit roundoff of float64
_ROUNDING = 1e-12  # rounding moves a value by half of this; twice that covers thresholds with more decimals
_SAFE_EXPONENT = 30  # |x| in 2**-30 ... 2**30: squares stay far from the ends of float32
_CHUNK_BYTES = 1 << 22  # gathered rows of one chunk of pairs; they stay in the cache

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Cosine:
    """x.y / sqrt(\\|x\\|^2 \\|y\\|^2), rounded to 12 decimals, in [-1, 1].

    Attributes
    ----------
    rows : float array of shape (n, d), or float64 csr_array in canonical form
        The vectors, each scaled by a power of two where its numbers are very large or small (`Cosine.of`).
    squared : float64 array of shape (n,)
        Squared norms of `rows`, all above 0.
    """

    rows: Any
    squared: NDArray[np.float64]
    unit: ClassVar[bool] = True  # points have norm 1

    @classmethod
    def of(cls, vectors: Any) -> Cosine:
        """Prepare finite, non-zero vectors."""
        rows = canonical_sparse(vectors) if is_sparse(vectors) else vectors
        exponents = _exponents(largest_magnitude(rows))
        if np.abs(exponents).max(initial=0) > _SAFE_EXPONENT:
            rows = _scaled_rows(rows, -exponents)
        return cls(rows, squared_norms(rows))

    def similarity(self, left: Rows, right: Rows) -> NDArray[np.float64]:
        """Return the cosine of each pair of row positions."""

        def chunk(i: Rows, j: Rows) -> NDArray[np.float64]:
            cosine = _row_sums(_products(self.rows[i], self.rows[j])) / np.sqrt(
                self.squared[i] * self.squared[j]
            )
            return np.asarray(np.clip(np.round(cosine, DECIMALS), -1.0, 1.0))

        return _in_chunks(chunk, left, right, self.rows)

    def points(self, rows: Any) -> Any:
        """Return the unit vectors of `rows` (positions or a slice) in float64."""
        return _times_rows(_as_float64(self.rows[rows]), 1.0 / np.sqrt(self.squared[rows]))

    def half_reach(self, threshold: float, *, inner: bool = False) -> float:
        """Return r^2 / 2: points of a pair that counts are no further apart than r.

        With ``inner=True``, the other way round: points no further apart than r are a pair that counts.
        """
        slack = _ROUNDING + 8 * (self.rows.shape[1] + 8) * U64
        return float(1.0 - threshold + (-slack if inner else slack))

    def contents(self, rows: Rows) -> Any:
        """Return rows such that equal ones are the same direction: scaled to a largest magnitude in [0.5, 1)."""
        part = self.rows[rows]
        return _scaled_rows(part, -_exponents(largest_magnitude(part)))

    def invariant(self) -> NDArray[np.float64]:
        """Return a number per row that is the same for rows of equal `contents`."""
        exponents = _exponents(largest_magnitude(self.rows))
        return np.asarray(np.ldexp(self.squared, -2 * exponents))


@dataclass(frozen=True)
class Euclidean:
    """1 / (1 + distance / scale), rounded to 12 decimals, in [0, 1]; the distance is summed from differences.

    Attributes
    ----------
    rows : float array of shape (n, d), or float64 csr_array in canonical form
        The vectors.
    scale : float
        The distance at which the similarity is 1/2, in the unit of the vectors.
    centre : float64 array of shape (d,)
        Subtracted from the points of dense rows, so that norms are small where the rows lie close together.
    exponent : int
        Points are scaled by ``2**-exponent``, so that no square overflows.
    """

    rows: Any
    scale: float
    centre: NDArray[np.float64]
    exponent: int
    unit: ClassVar[bool] = False

    @classmethod
    def of(cls, vectors: Any, scale: float) -> Euclidean:
        """Prepare finite vectors."""
        rows = canonical_sparse(vectors) if is_sparse(vectors) else vectors
        exponent = int(_exponents(largest_magnitude(rows)).max(initial=-2000))
        centre = np.zeros(rows.shape[1])
        if not is_sparse(rows) and len(rows):
            step = -(-len(rows) // 1000)
            centre = np.ldexp(
                np.median(np.ldexp(rows[::step].astype(np.float64), -exponent), axis=0), exponent
            )
        return cls(rows, float(scale), centre, exponent)

    def similarity(self, left: Rows, right: Rows) -> NDArray[np.float64]:
        """Return the similarity of each pair of row positions."""
        return _in_chunks(
            lambda i, j: similarity_of_distance(self._distance(i, j), self.scale), left, right, self.rows
        )

    def _distance(self, i: Rows, j: Rows) -> NDArray[np.float64]:
        with np.errstate(over="ignore"):
            difference = _as_float64(self.rows[i]) - _as_float64(self.rows[j])
            squared = _row_sums(_products(difference, difference))
        extreme = np.flatnonzero((squared < 1e-280) | (squared > 1e280))
        distance = np.sqrt(squared)
        if len(extreme):  # squares that left the range of float64: again, scaled by a power of two
            part = difference[extreme]
            largest = largest_magnitude(part)
            exponents = _exponents(np.where(np.isfinite(largest), largest, 0.0))
            with np.errstate(over="ignore", invalid="ignore"):
                part = _scaled_rows(part, -exponents)
                rescaled = np.ldexp(np.sqrt(_row_sums(_products(part, part))), exponents)
            distance[extreme] = np.where(np.isfinite(largest), rescaled, np.inf)
        return distance

    def points(self, rows: Any) -> Any:
        """Return the centred, scaled vectors of `rows` (positions or a slice) in float64."""
        part = _scaled_rows(_as_float64(self.rows[rows]), np.int64(-self.exponent))
        return part if is_sparse(part) else part - np.ldexp(self.centre, -self.exponent)

    def half_reach(self, threshold: float, *, inner: bool = False) -> float:
        """Return r^2 / 2: points of a pair that counts are no further apart than r (inner: see `Cosine`)."""
        at = threshold + (_ROUNDING if inner else -_ROUNDING)
        if at <= 0:
            return np.inf
        if at >= 1:
            return -1.0  # no distance is small enough to be sure
        relative = (2 * self.rows.shape[1] + 16) * 2 * U64
        with np.errstate(over="ignore"):
            distance = np.ldexp(self.scale * (1.0 / at - 1.0), -self.exponent)
            return float((distance * (1 - relative if inner else 1 + relative)) ** 2 / 2)

    def contents(self, rows: Rows) -> Any:
        """Return the rows as they are."""
        return self.rows[rows]

    def invariant(self) -> NDArray[np.float64]:
        """Return a number per row that is the same for equal rows."""
        with np.errstate(over="ignore"):
            return squared_norms(self.rows)


Measure = Cosine | Euclidean


def similarity_of_distance(distance: Any, scale: float) -> NDArray[np.float64]:
    """Return 1 / (1 + distance / scale), rounded to 12 decimals, in [0, 1]."""
    with np.errstate(over="ignore"):
        return np.asarray(np.round(1.0 / (1.0 + np.asarray(distance, dtype=np.float64) / scale), DECIMALS))


def is_sparse(vectors: Any) -> bool:
    """Tell sparse rows from a dense array."""
    return not isinstance(vectors, np.ndarray)


def canonical_sparse(vectors: Any) -> Any:
    """Return float64 csr rows with sorted, unique indices and no stored zero."""
    from scipy import sparse

    rows = sparse.csr_array(vectors, dtype=np.float64, copy=True)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return rows


def largest_magnitude(rows: Any) -> NDArray[np.float64]:
    """Return the largest absolute value of each row, shape (n,); NaN where a row has one."""
    if is_sparse(rows):
        top = abs(rows).max(axis=1)
        return np.asarray(top.todense(), dtype=np.float64).ravel()
    if rows.shape[1] == 0:
        return np.zeros(len(rows))
    return np.asarray(np.maximum(rows.max(axis=1), -rows.min(axis=1)), dtype=np.float64)


def squared_norms(rows: Any) -> NDArray[np.float64]:
    """Return the squared norm of each row, summed as the product of a pair is."""
    n = rows.shape[0]
    step = max(1, _CHUNK_BYTES // (8 * max(1, rows.shape[1])))
    parts = [_row_sums(_products(rows[a : a + step], rows[a : a + step])) for a in range(0, n, step)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _exponents(magnitudes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return e with magnitude in [2**(e - 1), 2**e)."""
    return np.frexp(magnitudes)[1].astype(np.int64)


def _scaled_rows(rows: Any, exponents: Any) -> Any:
    """Return rows times ``2**exponents`` in their own type, exact but for numbers too small to matter."""
    exponents = np.broadcast_to(exponents, rows.shape[:1])
    if is_sparse(rows):
        scaled = rows.copy()
        scaled.data = np.ldexp(rows.data, np.repeat(exponents, np.diff(rows.indptr)))
        return scaled
    if len(rows) == 0 or np.abs(exponents).max() > 1000:
        return np.ldexp(rows.astype(np.float64), exponents[:, None]).astype(rows.dtype)
    return (rows * np.ldexp(1.0, exponents)[:, None]).astype(rows.dtype, copy=False)


def _as_float64(rows: Any) -> Any:
    return rows.astype(np.float64, copy=False)


def _times_rows(rows: Any, factors: NDArray[np.float64]) -> Any:
    if is_sparse(rows):
        scaled = rows.copy()
        scaled.data = rows.data * np.repeat(factors, np.diff(rows.indptr))
        return scaled
    return rows * factors[:, None]


def _products(a: Any, b: Any) -> Any:
    return a.multiply(b) if is_sparse(a) else np.multiply(a, b, dtype=np.float64)


def _row_sums(rows: Any) -> NDArray[np.float64]:
    # NumPy's pairwise sum has one order on every platform; einsum and BLAS have not
    return np.asarray(rows.sum(axis=1), dtype=np.float64).ravel()


def _in_chunks(
    function: Callable[[Rows, Rows], NDArray[np.float64]], left: Rows, right: Rows, rows: Any
) -> NDArray[np.float64]:
    """Apply `function` to chunks of pairs, so that the gathered rows stay small."""
    width = rows.shape[1]
    if is_sparse(rows):
        width = 8 + 4 * rows.nnz // max(1, rows.shape[0])
    step = int(np.clip(_CHUNK_BYTES // (16 * max(1, width)), 64, 16384))
    if len(left) <= step:
        return function(left, right)
    out = np.empty(len(left))
    for a in range(0, len(left), step):
        out[a : a + step] = function(left[a : a + step], right[a : a + step])
    return out
