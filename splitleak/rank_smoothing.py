"""What a number says of an outcome, out of fold and without regard to monotony: kernel means over its ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_CELLS = 1024  # ranks are counted in at most as many cells
_WIDTHS = (3.0, 8.0, 0.05)  # of the kernels: rows, rows, share of the rows
_PRIOR = 1.0  # rows at the overall mean that each estimate starts with
_NEAREST = 5  # rows that a local median is taken of


def kernel_means(values: Floats, outcome: Floats, folds: Ints) -> Floats:
    """Return for each row a smoothed mean outcome at its value, from the rows of other folds.

    Gaussian kernels over ranks (so that any monotone change of the values changes nothing), of three widths, averaged:
    narrow ones follow a relation that is not monotone, the wide one orders what lies between. Bins of equal counts
    tie all rows of a bin, which costs a tenth to a half of an area's distance from one on a few hundred rows.

    Parameters
    ----------
    values : float64 array of shape (n,)
        No NaN.
    outcome : float64 array of shape (n, k)
        What is averaged.
    folds : int64 array of shape (n,)
        Fold of each row.
    """
    from scipy.stats import rankdata

    n = len(values)
    if not n:
        return np.zeros_like(outcome)
    cells = min(n, _CELLS)
    cell = np.minimum(((rankdata(values) - 0.5) * cells / n).astype(np.int64), cells - 1)
    distance = np.arange(cells)[:, None] - np.arange(cells)[None, :]
    # one cell stands for n / cells rows; a kernel narrower than that would see one cell only
    widths = [max(width * cells / n, width / 2) if width >= 1 else width * cells for width in _WIDTHS]
    kernels = [np.exp(-0.5 * (distance / width) ** 2) for width in widths]
    counted = np.concatenate([np.ones((n, 1)), outcome], axis=1)
    total = _by_cell(cell, counted, cells)
    found = np.zeros_like(outcome)
    for fold in np.unique(folds):
        inside = np.flatnonzero(folds == fold)
        rest = total - _by_cell(cell[inside], counted[inside], cells)
        mean = rest[:, 1:].sum(axis=0) / max(rest[:, 0].sum(), 1.0)
        for kernel in kernels:
            smooth = kernel @ rest
            estimate = (smooth[:, 1:] + _PRIOR * mean) / (smooth[:, :1] + _PRIOR)
            found[inside] += estimate[cell[inside]]
    return found / len(kernels)


def _by_cell(cell: Ints, counted: Floats, cells: int) -> Floats:
    return np.stack([np.bincount(cell, column, cells) for column in counted.T], axis=1)


def local_medians(values: Floats, outcome: Floats, folds: Ints) -> Floats:
    """Return for each row the median outcome of the five rows of other folds nearest in value (of all equal, if more).

    Parameters
    ----------
    values : float64 array of shape (n,)
        No NaN.
    outcome : float64 array of shape (n,)
        What the median is taken of; NaN is returned where the other folds hold no row.
    folds : int64 array of shape (n,)
        Fold of each row.
    """
    found = np.full(len(values), np.nan)
    for fold in np.unique(folds):
        inside, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if not len(rest):
            continue
        order = rest[
            np.lexsort((outcome[rest], values[rest]))
        ]  # within equal values by outcome: no tie by position
        at, of = values[order], outcome[order]
        low = np.searchsorted(at, values[inside], side="left")
        high = np.searchsorted(at, values[inside], side="right")
        middle = (low + high) // 2
        many = high - low >= _NEAREST
        start = np.clip(middle - _NEAREST // 2, 0, max(0, len(at) - _NEAREST))
        window = of[np.minimum(start[:, None] + np.arange(_NEAREST), len(at) - 1)]
        found[inside] = np.where(many, of[np.minimum(middle, len(at) - 1)], np.median(window, axis=1))
    return found
