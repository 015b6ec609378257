"""How many equal rows chance gives where numbers are rounded: what the same rows give, each value moved a little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.sampling import mix

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]

_LEAST_MOVED = 3  # columns that are moved: fewer leave too many rows as they were
_LEAST_LEVELS = 10
_MOST_ROWS, _MOST_COLUMNS = 5_000, 60  # pairs of columns are gone through
_MOST_DRAWS, _ROWS_DRAWN, _CHECKED = 1_000, 400_000, 10
_FAITHFUL = (
    2.0  # times as many nearly equal rows as the moved ones have: then they are no picture of the table
)


def smoothed_pairs(
    context: AuditContext,
    columns: Sequence[AuditColumn],
    kept: Sequence[int],
    rows: Ints,
    sides: Ints,
    across: bool,
) -> float | None:
    """Return how many equal pairs chance gives, at most, or None where that cannot be told so.

    Each number of ten levels and more goes to the level above or below, by lot: a draw from the smoothed distribution
    of the table, in which its copies are torn apart. Rows of one product or household are torn apart as well, so the
    moved rows must have about as many pairs that differ in one column and in two as the table has; else nothing is
    said. Pairs that were equal before do not count.
    """
    numbers = [i for i in kept if columns[i].kind == "numeric" and len(columns[i].levels) >= _LEAST_LEVELS]
    if len(numbers) < _LEAST_MOVED or len(kept) < 3 or context.fast:
        return None
    if len(rows) > _MOST_ROWS or len(kept) > _MOST_COLUMNS:
        return None
    codes = np.stack([columns[i].codes[rows] for i in kept])
    moved = np.array([i in numbers for i in kept])
    top = codes.max(axis=1, keepdims=True)
    rng = context.rng("moved rows")
    before = _keys(codes).sum(axis=0)
    here = _near(codes, sides, across)
    total = one = two = 0.0
    draws = max(_CHECKED, min(_MOST_DRAWS, _ROWS_DRAWN // len(rows)))
    for draw in range(draws):
        step = rng.choice(np.array([-1, 1]), codes.shape) * moved[:, None]
        other = np.where(codes >= 0, np.clip(codes + step, 0, top), codes)
        keys = _keys(other).sum(axis=0)
        total += _pairs(keys, sides, across) - _pairs(mix(keys) + before, sides, across)
        if draw < _CHECKED:
            near = _near(other, sides, across)
            one, two = one + near[0] / _CHECKED, two + near[1] / _CHECKED
    if here[0] > _FAITHFUL * one + 3 or here[1] > _FAITHFUL * two + 3:
        return None
    excess = (here[0] + 1) / (one + 1), (here[1] + 1) / (two + 1)  # it grows from pair to pair that is nearer
    return max(1.0, excess[0] ** 2 / excess[1]) * (total + 1) / draws


def _keys(codes: Ints) -> Keys:
    salt = mix(np.arange(1, len(codes) + 1, dtype=np.uint64))[:, None]
    return np.asarray(mix((codes + 2).astype(np.uint64) + salt))


def _pairs(keys: Keys, sides: Ints, across: bool) -> float:
    """Return the number of pairs with equal keys (across: on two sides)."""
    pairs = _choose(np.unique(keys, return_counts=True)[1])
    if not across:
        return pairs
    return pairs - _choose(np.unique(mix(mix(keys) + sides.astype(np.uint64)), return_counts=True)[1])


def _choose(count: Ints) -> float:
    return float((count * (count - 1.0) / 2).sum())


def _near(codes: Ints, sides: Ints, across: bool) -> tuple[float, float]:
    """Return the pairs that differ in one column, and in two, by what agrees when these are left out."""
    each = _keys(codes)
    whole = each.sum(axis=0)
    n = len(each)
    equal = _pairs(whole, sides, across)
    single = [_pairs(whole - key, sides, across) - equal for key in each]
    double = sum(
        _pairs(whole - each[i] - each[j], sides, across) - equal - single[i] - single[j]
        for i in range(n)
        for j in range(i)
    )
    return float(sum(single)), float(double)
