"""Is the nearest training row far closer than the next ones foretell? A copy with noise is; a neighbour is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.equal_rows import moderate
from splitleak.statistics import benjamini_hochberg

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FALSE_DISCOVERIES = 0.01  # share of the rows called that may be called by chance
CLOSE, NEAR = (
    0.05,
    0.3,
)  # root mean square difference, in robust standard deviations, of a leak and of a caution
_QUERIES, _FAST_QUERIES = 2_000, 400
_MOST_TRAIN = 200_000
_MOST_COLUMNS = 200
_SHARED = 0.8  # columns on which more of the random pairs agree are no evidence
_FINE = 0.1  # columns on which fewer agree are numbers in the full sense
_ATOM = 0.02
_LEAST_TRAIN = 30


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest training row of some held-out rows.

    Attributes
    ----------
    rows, partners : int64 arrays of shape (n_tested,)
        Held-out rows, and the training row nearest to each.
    p_values : float64 array of shape (n_tested,)
        Of "the nearest is as close as the next ones foretell".
    distance : float64 array of shape (n_tested,)
        Root mean square over the columns of the difference in robust standard deviations (categories, missing: 0 or
        1).
    columns : tuple of AuditColumn
        What was compared.
    """

    rows: Ints
    partners: Ints
    p_values: Floats
    distance: Floats
    columns: tuple[AuditColumn, ...]

    def copies(self) -> NDArray[np.bool_]:
        """Return which rows are far closer than chance, and near enough for somebody to call them copies."""
        rare = benjamini_hochberg(self.p_values) < FALSE_DISCOVERIES
        return np.asarray(rare & (self.distance <= NEAR))

    def one_entity(self, hit: NDArray[np.bool_]) -> bool:
        """Return whether pairs are equal in half of the columns and always differ in the same one.

        These are rows of one entity (a mixture tested at several ages) rather than copies with noise.
        """
        differ = np.array(
            [
                np.mean(
                    (c.codes[self.rows[hit]] != c.codes[self.partners[hit]])
                    if hit.any()
                    else np.zeros(1, dtype=bool)
                )
                for c in self.columns
            ]
        )
        return bool((differ <= 0.1).mean() >= 0.5 and differ.max() >= 0.9)


def nearest_rows(context: AuditContext) -> Nearest | None:
    """Look up a sample of the held-out rows among the training rows; None where there are too few numbers or rows."""
    train = context.sample(context.train, _MOST_TRAIN, "near rows of train")
    held = context.sample(context.held_out, _FAST_QUERIES if context.fast else _QUERIES, "near rows")
    columns = informative(context, _SHARED)
    fine = [c for c in columns if c.kind != "category" and _agreement(c) <= _FINE]
    if len(train) < _LEAST_TRAIN or not len(held) or len(fine) < 2:
        return None
    rows = np.concatenate([train, held])
    k = min(int(np.clip(round(2 * np.sqrt(len(train))), 20, 60)), len(train) // 2)
    best_p = np.ones(len(held))
    best_distance = np.full(len(held), np.inf)
    partners = np.full(len(held), -1, dtype=np.int64)
    raw = _Differences(columns)
    views = _views(context, columns, fine, rows, len(train))
    for view in views:
        distance, index = nearest_of(view[: len(train)], view[len(train) :], k)
        p = scaling_p(distance)
        candidate = train[index[:, 0]]
        apart = raw(held, candidate)
        better = (p < best_p) | ((p == best_p) & (apart < best_distance))
        partners[better], best_distance[better] = candidate[better], apart[better]
        best_p = np.minimum(best_p, p)
    return Nearest(held, partners, np.minimum(1.0, best_p * len(views)), best_distance, tuple(columns))


def informative(context: AuditContext, shared: float = _SHARED) -> list[AuditColumn]:
    """Return numbers, times and categories on which at most `shared` of the random pairs agree; the finest 200."""
    found = [c for c in context.of_kind("numeric", "time", "category") if _agreement(c) <= shared]
    if len(found) > _MOST_COLUMNS:
        context.looked("columns", _MOST_COLUMNS, len(found))
        chosen = {id(c) for c in sorted(found, key=lambda c: (_agreement(c), c.name))[:_MOST_COLUMNS]}
        found = [c for c in found if id(c) in chosen]
    return found


def _agreement(column: AuditColumn) -> float:
    counts = np.append(column.counts, int(column.missing.sum())) / column.n_rows
    return float((counts**2).sum())


def scaling_p(distance: Floats) -> Floats:
    """Return for each row the p-value of its nearest neighbour being a neighbour like the others.

    Under a locally uniform density of any local dimension m, ``m log(d_k / d_j)`` are order statistics of exponentials.
    The outer half estimates m, and the nearest is tested against it: ``P(T > t | m) <= K exp(-m t)``. m is integrated
    out under a gamma prior that is fitted to all rows by moments.

    Parameters
    ----------
    distance : float64 array of shape (n, k)
        Distances to the k nearest, ascending, k at least 4.
    """
    return spacing_p(np.log(np.maximum(distance, 1e-12)))


def spacing_p(logarithm: Floats) -> Floats:
    """Return the p-values of `scaling_p` from the logarithms of the distances, ascending."""
    k = logarithm.shape[1]
    s = (k - 1) // 2
    inner = k - 1 - s
    log = logarithm[:, -1:] - logarithm[:, :-1]
    outer = log[:, inner:]
    total = np.maximum(outer.sum(axis=1) + inner * outer[:, 0], 1e-9)
    gap = log[:, 0] - outer[:, 0]
    a = b = 0.0
    if len(total) >= 30:
        cut = np.clip(total, *np.quantile(total, [0.02, 0.98]))
        spread = (cut.var() / cut.mean() ** 2 + 1) / (1 + 1 / s)
        a = min((2 * spread - 1) / (spread - 1), 4 * s) if spread > 1 else 4.0 * s
        b = cut.mean() / s * (a - 1)
    return np.asarray(np.minimum(1.0, inner * ((b + total) / (b + total + gap)) ** (a + s)))


def _views(
    context: AuditContext,
    columns: Sequence[AuditColumn],
    fine: Sequence[AuditColumn],
    rows: Ints,
    n_train: int,
) -> list[NDArray[np.float32]]:
    """Return what distances are measured in: all columns, the fine numbers alone, and these decorrelated."""
    views = []
    numbers = np.concatenate([_dequantised(context, c, rows) for c in fine], axis=1)
    if len(fine) < len(columns):
        views.append(np.concatenate([_dequantised(context, c, rows) for c in columns], axis=1))
    views.append(numbers)
    if 3 <= numbers.shape[1] < n_train / 5:
        weight, axes = np.linalg.eigh(np.cov(numbers.T))
        kept = weight > 1e-6 * weight[-1]
        views.append(numbers @ (axes[:, kept] / np.sqrt(weight[kept])))
    return [np.ascontiguousarray(view, dtype=np.float32) for view in views]


def _dequantised(context: AuditContext, column: AuditColumn, rows: Ints) -> Floats:
    """Return a column without ties, centred and scaled; where values are missing, a second one that says where.

    Each value is spread uniformly over its cell (half-way to its neighbours; a value of a large share over as much of
    the distribution): agreeing on a common value is then no evidence. Tails are pulled in.
    """
    rng = context.rng(f"spread of {column.name}")
    noise = rng.random(column.n_rows)[rows]
    if column.kind == "category":
        return _scaled(column.frequency_codes[rows] + noise)[:, None]
    values = moderate(np.asarray(column.levels, dtype=np.float64))
    middle, width = robust(np.repeat(values, column.counts))
    levels = np.arcsinh((values - middle) / width)
    gaps = np.diff(levels)
    if not len(gaps):
        return _scaled(column.missing[rows] + 0.5 * noise)[:, None]
    low, high = np.append(gaps[:1], gaps) / 2, np.append(gaps, gaps[-1:]) / 2
    cap = np.quantile(np.repeat(low + high, column.counts), 0.9) / 2
    share = column.counts / column.n_rows
    atom = np.where((share >= _ATOM) & (len(levels) > 50), np.minimum(share * np.sqrt(3), 1), 0)
    low, high = np.maximum(np.minimum(low, cap), atom), np.maximum(np.minimum(high, cap), atom)
    codes = column.codes[rows]
    median = min(int(np.searchsorted(levels, 0.0)), len(levels) - 1)
    filled = np.where(codes < 0, median, codes)
    z = levels[filled] - low[filled] + noise * (low + high)[filled]
    if not column.missing[rows].any():
        return _scaled(z)[:, None]
    return np.stack([_scaled(z), _scaled(column.missing[rows] + 0.5 * noise)], axis=1)


def _scaled(x: Floats) -> Floats:
    deviation = float(x.std())
    return np.asarray((x - x.mean()) / (deviation if deviation > 0 else 1.0))


def robust(known: Floats) -> tuple[float, float]:
    """Return the median and the interquartile range over 1.349 (the deviation where that is 0)."""
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    width = float(high - low) / 1.349
    if not width > 0:
        width = float(known.std())
    return float(middle), width if width > 0 and np.isfinite(width) else 1.0


def nearest_of(train: NDArray[np.float32], held: NDArray[np.float32], k: int) -> tuple[Floats, Ints]:
    """Return the distances, in float64, to the k nearest training rows, ascending, and their places."""
    import faiss

    index = faiss.IndexFlatL2(train.shape[1])
    index.add(train)
    _, places = index.search(held, k)
    distance = np.empty(places.shape)
    for start in range(0, len(held), 256):
        part = slice(start, start + 256)
        apart = train[places[part]].astype(np.float64) - held[part, None].astype(np.float64)
        distance[part] = np.sqrt((apart**2).sum(axis=2))
    order = np.lexsort((places, distance), axis=1)
    return np.take_along_axis(distance, order, axis=1), np.take_along_axis(places, order, axis=1)


class _Differences:
    """Root mean square difference of two rows over columns, in robust standard deviations."""

    def __init__(self, columns: Sequence[AuditColumn]) -> None:
        self.columns = columns
        self.values = [c.values if c.kind == "category" else moderate(c.values) for c in columns]
        self.widths = [
            1.0 if c.kind == "category" else robust(v[~c.missing])[1]
            for c, v in zip(columns, self.values, strict=True)
        ]

    def __call__(self, rows: Ints, others: Ints) -> Floats:
        total = np.zeros(len(rows))
        for column, values, width in zip(self.columns, self.values, self.widths, strict=True):
            if column.kind == "category":
                total += column.codes[rows] != column.codes[others]
                continue
            apart = np.minimum(np.abs(values[rows] - values[others]), 1e6 * width) / width
            one = column.missing[rows] != column.missing[others]
            both = column.missing[rows] & column.missing[others]
            apart = np.where(one, 1.0, np.where(both, 0.0, apart))
            total += apart**2
        return np.asarray(np.sqrt(total / len(self.columns)))
