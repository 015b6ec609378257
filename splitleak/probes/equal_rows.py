"""Rows that are equal in all features, and whether chance explains them: few columns or values make equal rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.smoothed_rows import smoothed_pairs
from splitleak.sampling import mix

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]
Floats = NDArray[np.float64]

LONG_TEXT = 20  # characters; shorter texts are boilerplate as often as copies
_MARGIN = 5.0  # columns are independent only nearby, and only roughly
_LEAST_PAIRS = 2
_LEAST_NEAR = 10.0  # pairs that differ in one column, to say how many rows have none
_DERIVED_ROWS = 3_000
_DERIVED_COLUMNS = 100
_DERIVED_REPEATS = 3.0  # rows of a value, before what goes with it counts as derived from it
_QUERIES, _REFERENCES = 400, 10_000  # rows of the sample that pairs with two differing columns are counted in
_CELLS = 2e8  # values compared in that sample
_STRIP = 64


@dataclass(frozen=True, eq=False)
class EqualRows:
    """Which rows are equal, and how many equal pairs chance would give.

    Attributes
    ----------
    group : int64 array of shape (n_rows,)
        Rows that are equal in `columns` have one number.
    unusual : bool array of shape (n_rows,)
        Rows that `p_value` is about: those that have an equal row, or of these the ones that stand alone otherwise.
    columns : tuple of AuditColumn
        What was compared: all features that can be; identifiers are left out where every row has its own.
    pairs : int
        Equal values counted once per pair of sides that they stand on; without sides, values that are repeated.
    expected : float
        How many of them columns that are independent nearby would give, at most.
    p_value : float
        Of "chance gives as many".
    """

    group: Ints
    unusual: NDArray[np.bool_]
    columns: tuple[AuditColumn, ...]
    pairs: int
    expected: float
    p_value: float


def comparable(context: AuditContext) -> list[AuditColumn]:
    """Return the features that can be compared: all that hold more than one value."""
    return context.of_kind("numeric", "category", "time", "text", "vector", "image")


def equal_rows(context: AuditContext, *, across: bool) -> EqualRows:
    """Return the rows that are equal, the test being about pairs across the partitions, or about all pairs.

    Identifiers hide copies that were numbered anew: where a column has a value of its own in every row, rows are
    compared without it, if at least two columns remain.
    """
    return _found(context, f"equal rows {across}", context.codes if across else None)


def equal_rows_of_classes(context: AuditContext) -> EqualRows | None:
    """Return the rows that are equal, the test being about pairs of two classes of the target; None: it has none."""
    target = context.target
    if target is None or target.task == "regression":
        return None
    return _found(context, "equal rows of classes", target.codes.astype(np.int64))


def _found(context: AuditContext, name: str, sides: Ints | None) -> EqualRows:
    if name not in context.memo:
        columns = comparable(context)
        without = [c for c in columns if not is_identifier(c)]
        if len(without) >= 2:
            columns = without
        context.memo[name] = _compare(context, columns, sides)
    found: EqualRows = context.memo[name]
    return found


def nothing_known(columns: Sequence[AuditColumn], n: int) -> NDArray[np.bool_]:
    """Return the rows that miss all columns: they are no copies of one another."""
    return (
        np.logical_and.reduce([column.missing for column in columns]) if columns else np.zeros(n, dtype=bool)
    )


def is_identifier(column: AuditColumn) -> bool:
    """Return whether every row has its own value and that is a name: a short text, a number of a nearly full count."""
    n = column.n_rows
    if column.missing.any() or column.kind not in ("category", "numeric") or len(column.levels) < n:
        return False
    if column.kind == "category":
        return True
    return column.integer and float(column.levels[-1] - column.levels[0]) < 2 * n


def is_long(column: AuditColumn) -> bool:
    """Return whether a column's values are too long to be equal by chance: vectors, long texts, sequences."""
    if column.kind in ("vector", "image"):
        return True
    if column.kind not in ("text", "category") or 2 * len(column.levels) < column.n_rows:
        return False
    return float(np.median([len(str(level)) for level in column.levels])) >= LONG_TEXT


def cell_keys(column: AuditColumn, place: int) -> Keys:
    """Return a 64-bit key of each row's value; missing equals missing."""
    if column.kind == "vector":
        matrix = np.ascontiguousarray(column.matrix())
        whole = matrix.view(np.dtype((np.void, matrix.dtype.itemsize * matrix.shape[1])))[:, 0]
        codes = np.unique(whole, return_inverse=True)[1].astype(np.int64)
    else:
        codes = column.codes
    salt = mix(np.array([place + 1], dtype=np.uint64))
    return np.asarray(mix((codes + 2).astype(np.uint64) + salt))


def _image_keys(context: AuditContext, column: AuditColumn) -> Keys:
    """Return a key of each row's decoded pixels; an image that cannot be read equals none."""
    keys = context.images[column.name].hashes().copy()
    keys[column.missing] = mix(np.flatnonzero(column.missing).astype(np.uint64))
    return np.asarray(mix(keys))


def _compare(context: AuditContext, columns: Sequence[AuditColumn], between: Ints | None) -> EqualRows:
    """Compare rows on different sides (rows of -1 are on none), or all rows."""
    n, across = context.n_rows, between is not None
    whole = np.zeros(n, dtype=np.uint64)
    for i, column in enumerate(columns):
        whole += _image_keys(context, column) if column.kind == "image" else cell_keys(column, i)
    empty = np.flatnonzero(nothing_known(columns, n))
    whole[empty] = mix(empty.astype(np.uint64))
    group = np.unique(whole, return_inverse=True)[1].astype(np.int64)
    sides = np.zeros(n, dtype=np.int64) if between is None else between
    inside = np.flatnonzero(sides >= 0)
    n_sides = int(sides.max(initial=0)) + 1
    entry = group[inside] * n_sides + sides[inside]
    _, at, size = np.unique(entry, return_index=True, return_counts=True)
    first = inside[at]  # each value once on each side
    repeated = _elsewhere(group[first].astype(np.uint64), sides[first]) if across else (size > 1) * 2
    pairs = int(repeated.sum()) // 2
    if not pairs:
        return EqualRows(group, np.zeros(n, dtype=bool), tuple(columns), 0, 0.0, 1.0)
    near = _nearly_equal(context, columns, first, sides[first], across)
    alone = near.around == 0
    expected, expected_alone = _MARGIN * near.expected, _MARGIN * near.expected_alone
    pairs_alone = int(repeated[alone].sum()) // 2
    p, p_alone = _poisson_tail(pairs, expected), _poisson_tail(pairs_alone, expected_alone)
    if p <= p_alone:
        counted, told = repeated > 0, (pairs, expected)
    else:
        counted, told = (repeated > 0) & alone, (pairs_alone, expected_alone)
    if 2 * min(p, p_alone) >= context.level and pairs >= _LEAST_PAIRS:
        smooth = smoothed_pairs(context, columns, underived(context, columns), first, sides[first], across)
        p_smooth = 1.0 if smooth is None else _poisson_tail(pairs, _MARGIN * smooth)
        if smooth is not None and p_smooth < min(p, p_alone):
            counted, told, p = repeated > 0, (pairs, _MARGIN * smooth), 1.5 * p_smooth
    unusual = np.isin(group, group[first[counted]])
    return EqualRows(group, unusual, tuple(columns), told[0], told[1], min(1.0, 2 * min(p, p_alone)))


def _poisson_tail(count: int, mean: float) -> float:
    """Return the chance of at least `count`; a mean of nothing is not believed."""
    from scipy.stats import poisson

    return float(poisson.sf(count - 1, max(mean, 1e-5)))


def _elsewhere(keys: Keys, sides: Ints) -> Ints:
    """Return for each entry how many of the same key are on other sides (on one side only: how many others)."""
    total = _same(keys)
    return total - 1 if not sides.any() else total - _same(mix(mix(keys) + sides.astype(np.uint64)))


def _same(keys: Keys) -> Ints:
    _, inverse, count = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(count[inverse], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _NearlyEqual:
    """What pairs that differ in one or two columns say about equal pairs, see `_nearly_equal`."""

    around: Ints  # of each entry: entries that differ from it in one column
    expected: float
    expected_alone: float


def _nearly_equal(
    context: AuditContext, columns: Sequence[AuditColumn], rows: Ints, sides: Ints, across: bool
) -> _NearlyEqual:
    """Return an upper estimate of the equal pairs that chance gives, from pairs that differ in one or two columns.

    With n_j pairs that differ in column j alone and n_jk in j and k alone, columns that are independent among
    these nearly equal rows give n_j n_k / n_jk equal pairs, for any j and k: summed, sum(n_j n_k) / sum(n_jk). And a
    column that differs as often as anywhere among rows that agree in the rest (rows of one product, one town) gives
    n_j times its odds of agreeing; the same for two columns that change together.

    Rows that stand alone, with no row that differs in one column only, are looked at apart: of Poisson counts with
    mean m, mean * exp(-m) are alone with an equal row where as many times m / mean have one such neighbour.
    """
    kept = underived(context, columns)
    keys = [cell_keys(columns[i], i)[rows] for i in kept]
    around = np.zeros(len(rows), dtype=np.int64)
    if len(keys) < 2:  # nothing nearly equal to compare with: long texts and vectors speak for themselves
        sure = any(is_long(columns[i]) for i in kept)
        return _NearlyEqual(around, 0.0 if sure else np.inf, 0.0 if sure else np.inf)
    whole = np.asarray(np.sum(keys, axis=0, dtype=np.uint64))
    equal = _elsewhere(whole, sides)
    single, agree = np.zeros(len(keys)), np.zeros(len(keys))
    for i, key in enumerate(keys):
        found = _elsewhere(whole - key, sides) - equal
        around += found
        single[i] = found.sum() / 2
        agree[i] = ((np.unique(key, return_counts=True)[1] / len(key)) ** 2).sum()
    by_column = float((single * agree / np.maximum(1 - agree, 0.02)).max())
    double, n_double = _differing_in_two(context, keys, sides, across)
    products = (single.sum() ** 2 - (single**2).sum()) / 2
    nearby = float(products / max(n_double, 1.0))
    together = 0.0
    for (j, k), count in double.items():
        both = agree[j] * agree[k]
        together = max(together, count * both / (1 - min(both, 0.98)))
    expected = max(by_column, nearby, together)
    n_single = float(single.sum())
    alone = expected if n_single < _LEAST_NEAR else expected * float((around == 1).sum()) / 2 / n_single
    return _NearlyEqual(around, expected, min(expected, alone))


def _differing_in_two(
    context: AuditContext, keys: list[Keys], sides: Ints, across: bool
) -> tuple[dict[tuple[int, int], float], float]:
    """Return the pairs that differ in two columns alone, by column and in all, scaled up from a sample."""
    n = len(sides)
    rng = context.rng("equal rows")
    references = min(n, _REFERENCES)
    queries = int(min(n, _QUERIES, max(20, _CELLS / (references * len(keys)))))
    left = np.sort(rng.choice(n, queries, replace=False))
    right = np.sort(rng.choice(n, references, replace=False))
    small = np.stack([np.unique(key, return_inverse=True)[1].astype(np.int32) for key in keys])
    a, b = small[:, left], np.ascontiguousarray(small[:, right])
    counts: dict[tuple[int, int], float] = {}
    total = looked = 0
    for start in range(0, queries, _STRIP):
        part = slice(start, start + _STRIP)
        differ = np.zeros((len(left[part]), references), dtype=np.int16)
        for mine, other in zip(a, b, strict=True):
            differ += mine[part, None] != other[None, :]
        apart = (
            sides[left[part], None] != sides[right][None, :] if across else left[part, None] < right[None, :]
        )
        looked += int(apart.sum())
        i, j = np.nonzero((differ == 2) & apart)
        total += len(i)
        if len(i):
            which = a[:, part][:, i] != b[:, j]
            places = np.argwhere(which.T)[:, 1].reshape(-1, 2)
            for (x, y), count in zip(*np.unique(places, axis=0, return_counts=True), strict=True):
                counts[int(x), int(y)] = counts.get((int(x), int(y)), 0.0) + float(count)
    scale = _elsewhere(np.zeros(n, dtype=np.uint64), sides).sum() / 2 / max(1, looked)
    return {key: value * scale for key, value in counts.items()}, total * scale


def underived(context: AuditContext, columns: Sequence[AuditColumn]) -> list[int]:
    """Return the places of columns that are not a function of another one, nor a sum of the others.

    A function is believed where the other column's values repeat: values that occur once determine everything.
    """
    rows = context.sample(np.arange(context.n_rows), _DERIVED_ROWS, "derived columns")
    codes = [cell_keys(c, 0)[rows].astype(np.int64) if c.kind == "vector" else c.codes[rows] for c in columns]
    codes = [np.unique(c, return_inverse=True)[1].astype(np.int64) for c in codes]
    levels = [int(c.max(initial=0)) + 1 for c in codes]
    order = sorted(range(len(columns)), key=lambda i: (-levels[i], columns[i].name))
    if len(columns) > _DERIVED_COLUMNS:
        return list(range(len(columns)))
    dropped: set[int] = set()
    for place, k in enumerate(order):
        if k in dropped or len(rows) < _DERIVED_REPEATS * levels[k]:
            continue
        for j in order[place + 1 :]:
            if j not in dropped and len(np.unique(codes[k] * levels[j] + codes[j])) == levels[k]:
                dropped.add(j)
    return sorted(set(order) - dropped - linearly_dependent(columns, rows, dropped))


def moderate(values: Floats) -> Floats:
    """Return values whose squares are numbers: those of a column with huge ones divided by the largest."""
    largest = float(np.nanmax(np.abs(values))) if not np.isnan(values).all() else 0.0
    return values if largest < 1e100 else np.asarray(values / largest)


def linearly_dependent(
    columns: Sequence[AuditColumn], rows: Ints, out: set[int] | frozenset[int]
) -> set[int]:
    """Return the places of numbers that are a weighted sum of other numbers, but for those in `out`."""
    from scipy.linalg import qr

    numbers = [
        i
        for i, c in enumerate(columns)
        if i not in out
        and c.kind == "numeric"
        and not c.missing[rows].any()
        and np.ptp(moderate(c.values[rows])) > 0
    ]
    if len(numbers) < 2 or 2 * len(numbers) > len(rows):
        return set()
    x = np.stack([moderate(columns[i].values[rows]) for i in numbers], axis=1)
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-300)
    if not np.isfinite(x).all():
        return set()
    r, pivot = qr(x, mode="r", pivoting=True)
    weak = np.abs(np.diag(r)) < 1e-5 * np.sqrt(len(rows))
    return {numbers[p] for p in pivot[: len(weak)][weak]}
