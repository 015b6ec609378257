"""Rows of mixed columns in small leaves of rows that lie close together, with bounds on how far apart rows are.

A *sketch* of a row is a few sums over its columns, ``sum_j +-w_j f_j(x_j)``, where each f maps a column to [0, 1] so
that no two values lie further apart than they do in the column: numbers are clipped, categories are sent to 0 or 1 at
random. Hence two rows are at least as far apart as any of their sums. A missing value that is left out may be anything:
the sum is then an interval. Rows are cut into leaves along the sums, as in a k-d tree (Bentley 1975).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAF = 64
_PAIRS = 16_384  # random pairs on which sums are chosen ...
_CELLS = 1 << 22  # ... fewer where rows are so wide that they have more numbers
_DIRECTION_CELLS = 1 << 17  # numbers of the rows whose main directions are taken
_DRAWS = 4
_LEAST, _MOST = 6, 16
_FLOAT32 = 1e-6  # rounding of sums, as a part of the summed weights

Floats = NDArray[np.float64]


class Leaves(NamedTuple):
    """Rows in leaves, and their sketches.

    Attributes
    ----------
    order : int64 array of shape (n,)
        The rows, leaf by leaf.
    start : int64 array of shape (n_leaves + 1,)
        Leaf i holds ``order[start[i]:start[i + 1]]``, at most 64 rows.
    low, high : float32 arrays of shape (n_leaves, n_sums, 64)
        Interval of each sum of each row; places without a row hold infinity, far from every row.
    box_low, box_high : float32 arrays of shape (n_leaves, n_sums)
        Least `low` and largest `high` of each leaf.
    side : int64 array of shape (n_leaves,)
        The side of all rows of the leaf.
    """

    order: NDArray[np.int64]
    start: NDArray[np.int64]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    box_low: NDArray[np.float32]
    box_high: NDArray[np.float32]
    side: NDArray[np.int64]


def sketch_slack(weights: Floats) -> float:
    """Return by how much two sums may seem further apart than their rows are."""
    return _FLOAT32 * float(weights.sum())


def make_leaves(
    values: Floats,
    weights: Floats,
    levels: NDArray[np.int64],
    reach: float,
    *,
    leave_out: bool,
    sides: NDArray[np.int64] | None = None,
) -> Leaves:
    """Sketch rows and cut them into leaves of one side each.

    Parameters
    ----------
    values : float64 array of shape (n, n_columns)
        Coordinates; NaN: missing.
    weights : float64 array of shape (n_columns,)
        Weights.
    levels : int64 array of shape (n_columns,)
        Number of codes of a column of categories, 0 for numbers.
    reach : float
        The distance up to which rows are looked for: the sums are chosen to tell rows further apart.
    leave_out : bool
        Whether missing values are left out.
    sides : int64 array of shape (n,), optional
        Side of each row.
    """
    low, high = _sketches(values, weights, levels, reach, leave_out)
    sides = np.zeros(len(values), dtype=np.int64) if sides is None else sides
    groups: list[NDArray[np.int64]] = []
    for side in np.unique(sides):
        groups += _cut(np.flatnonzero(sides == side), (low + high) / np.float32(2))
    n_leaves, n_sums = len(groups), low.shape[1]
    start = np.zeros(n_leaves + 1, dtype=np.int64)
    np.cumsum([len(rows) for rows in groups], out=start[1:])
    order = np.concatenate([*groups, np.empty(0, dtype=np.int64)])
    leaf = np.repeat(np.arange(n_leaves), np.diff(start))
    within = np.arange(len(order)) - start[leaf]
    boxes = []
    for sums in (low, high):
        placed = np.full((n_leaves, n_sums, LEAF), np.inf, dtype=np.float32)
        placed[leaf, :, within] = sums[order]
        boxes.append(placed)
    reached = np.where(np.isinf(boxes[1]), -np.inf, boxes[1])
    return Leaves(
        order,
        start,
        boxes[0],
        boxes[1],
        boxes[0].min(axis=2, initial=np.inf),
        reached.max(axis=2, initial=-np.inf).astype(np.float32),
        sides[order[start[:-1]]],
    )


def column_order(values: Floats, weights: Floats) -> NDArray[np.int64]:
    """Return the columns, those that tell random rows apart best first."""
    left, right = _random_pairs(*values.shape)
    apart = np.minimum(np.abs(values[left] - values[right]), 1.0)
    return np.argsort(-np.nan_to_num(apart, nan=0.0).mean(axis=0) * weights, kind="stable")


def _random_pairs(n: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    m = min(_PAIRS, 8 * n, max(512, _CELLS // width))
    left = rng.integers(0, n, m)
    return left, (left + rng.integers(1, max(2, n), m)) % n


def _sketches(
    values: Floats, weights: Floats, levels: NDArray[np.int64], reach: float, leave_out: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the intervals of the chosen sums of each row, each of shape (n, n_sums)."""
    n = len(values)
    rng = np.random.default_rng(0)
    left, right = _random_pairs(*values.shape)
    m = len(left)
    tables = [_random_codes(values, levels, rng) for _ in range(_DRAWS)]
    sampled = values[np.concatenate([left, right])]
    absent = np.asarray(np.isnan(values).any(axis=0) & leave_out, dtype=bool)
    signs = []
    apart = []
    for table in tables:
        spread = _embed(sampled, table)
        signs.append(_sign_vectors(spread * weights, absent, rng))
        middle = spread @ (signs[-1] * weights[:, None])
        half = _halves(sampled, weights, signs[-1], leave_out)
        apart.append(np.abs(middle[:m] - middle[m:]) - (0.0 if half is None else half[:m] + half[m:]))
    chosen = _telling(np.concatenate(apart, axis=1) > reach)
    draw = np.repeat(np.arange(_DRAWS), [s.shape[1] for s in signs])[chosen]
    vectors = np.concatenate(signs, axis=1)[:, chosen]
    low = np.empty((n, len(chosen)), dtype=np.float32)
    high = low if not absent.any() else np.empty_like(low)
    for a in range(0, n, 1 << 15):
        part = values[a : a + (1 << 15)]
        half = _halves(part, weights, vectors, leave_out) if absent.any() else None
        for d in np.unique(draw):
            mine = np.flatnonzero(draw == d)
            middle = _embed(part, tables[d]) @ (vectors[:, mine] * weights[:, None])
            if half is None:
                low[a : a + len(part), mine] = middle
            else:
                low[a : a + len(part), mine] = middle - half[:, mine]
                high[a : a + len(part), mine] = middle + half[:, mine]
    return low, high


def _random_codes(values: Floats, levels: NDArray[np.int64], rng: np.random.Generator) -> list[Floats | None]:
    """Send about half of the rows of each column of categories to 0, and half to 1."""
    tables: list[Floats | None] = []
    for j, n_levels in enumerate(levels):
        if not n_levels:
            tables.append(None)
            continue
        codes = values[:, j]
        size = np.bincount(codes[~np.isnan(codes)].astype(np.int64), minlength=n_levels)
        order = np.argsort(-size * rng.uniform(0.5, 1.5, n_levels), kind="stable")
        table = np.zeros(n_levels)
        # each level to the lighter end would take a loop: the heaviest alternate, which is nearly as even
        table[order[np.arange(n_levels) % 4 % 3 == 0]] = 1.0
        tables.append(table)
    return tables


def _embed(values: Floats, tables: list[Floats | None]) -> Floats:
    """Map each column to [0, 1], values no further apart than they are; missing: the middle."""
    embedded = np.clip(values, 0.0, 1.0)
    for j, table in enumerate(tables):
        if table is not None:
            known = ~np.isnan(values[:, j])
            embedded[known, j] = table[values[known, j].astype(np.int64)]
    embedded[np.isnan(embedded)] = 0.5
    return embedded


def _sign_vectors(weighted: Floats, absent: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Return signs along the main directions of the rows, and random ones, of shape (n_columns, n_vectors)."""
    p = weighted.shape[1]
    centred = weighted - weighted.mean(axis=0)
    # any signs are right: of wide rows, a few tell the main directions well enough
    some = centred[: min(1000, max(32, _DIRECTION_CELLS // p))]
    _, _, directions = np.linalg.svd(some, full_matrices=False)
    main = np.where(directions[:6].T >= 0, 1.0, -1.0)
    vectors = np.concatenate([main, rng.choice([-1.0, 1.0], size=(p, 10))], axis=1)
    if absent.any() and not absent.all():
        # sums over the columns that are never missing are no intervals
        vectors = np.concatenate([vectors, vectors * ~absent[:, None]], axis=1)
    return vectors


def _halves(values: Floats, weights: Floats, vectors: Floats, leave_out: bool) -> Floats | None:
    """Return half the width of the interval of each sum: values that are left out may be anything."""
    return np.isnan(values) @ (np.abs(vectors) * weights[:, None] / 2) if leave_out else None


def _telling(apart: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Choose sums greedily: each tells most of the pairs apart that those before it did not."""
    left = np.ones(len(apart), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(_MOST, apart.shape[1]):
        gain = apart[left].sum(axis=0)
        gain[chosen] = -1
        best = int(np.argmax(gain))
        if len(chosen) >= _LEAST and gain[best] <= len(apart) // 8000:
            break
        chosen.append(best)
        left &= ~apart[:, best]
    return np.array(chosen, dtype=np.int64)


def _cut(rows: NDArray[np.int64], sums: NDArray[np.float32]) -> list[NDArray[np.int64]]:
    """Halve rows at the median of the sum that varies most, until each part fits a leaf."""
    leaves, waiting = [], [rows]
    while waiting:
        part = waiting.pop()
        if len(part) <= LEAF:
            leaves.append(part)
            continue
        mine = sums[part]
        # a multiple of the leaf's size: full leaves cost no more than half-empty ones
        half = max(1, (len(part) // LEAF + 1) // 2) * LEAF
        order = np.argpartition(mine[:, int(np.argmax(mine.std(axis=0)))], half)
        waiting += [part[order[half:]], part[order[:half]]]
    return leaves
