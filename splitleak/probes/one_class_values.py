"""SPL203: a value that occurs in one class only."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.scores import scored_rows
from splitleak.statistics import wilson_interval

Ints = NDArray[np.int64]
_SHARE = 0.02  # of the rows must have the value,
_LEAST = 8
_MOST_SHARE = 0.2  # and no more than that: a value of a fifth of the rows is one of the column's regular ones
_COMMON = 0.75  # values of a class more common than that are often pure for honest reasons
_UNRELATED = (
    0.25  # Cramer's V of a scale's other steps with the target: where they lead up to it, the end may be pure
)
_UNTOLD = 0.4  # the same of names, which have no order that could lead up: as much as that, and they tell it as well
_MOST_LEVELS = 1000  # of a category
_STEPS = 10  # of a scale
_OTHER_LEVELS = 2  # of the column beside the value: a trait that is there or not may well go with one class
_NEIGHBOURS = 30  # rows on either side of a number
_ATOM = 3  # times as many rows as any number near the end of a range: a code, as the ends of measurements are rare
_APART = (
    0.1  # of the span of the rows near that end lies between them and the code: not a range cut off there
)
_FAMILIES = 2  # names and ends of ranges (where codes stand), and numbers inside: they share the level evenly
_MOST_COLUMNS = 2  # where more have such values, in other rows each, the classes are made of them


class Pure(NamedTuple):
    """A value that only rows of class `k` hold, and the logarithm of the chance of that."""

    log_chance: float
    column: AuditColumn
    level: int
    k: int
    rows: Ints
    within: bool  # a number inside the range of its column


@probe(
    "SPL203",
    "A value occurs in one class only",
    needs=["target", "classes"],
    why="A code that is given to one class only (a ward, a form, a client) stands for the class.",
    bound=(
        "Binomial chance of purity at the share of the class among the values most like it, Bonferroni: half of the"
        " level for names and ends of ranges, half for numbers inside; a caution."
    ),
)
def one_class_values(context: AuditContext) -> Finding:
    """Look for values whose rows all have one class, where other values of the column do not lead up to that."""
    assert context.target is not None
    rows = scored_rows(context)
    looked, found = np.zeros(_FAMILIES, dtype=np.int64), list[Pure]()
    for column in context.of_kind("category", "numeric"):
        if column.kind == "category" and len(column.levels) > _MOST_LEVELS:
            continue
        large, pure = _pure_values(column, context, rows)
        looked += large
        found += pure
    if not looked.any():
        raise NotApplicable("no category has a value that at least 2 % of the rows share")
    values = int(looked.sum())
    tests = looked * (looked > 0).sum()
    hits = sorted(
        (one for one in found if one.log_chance < math.log(context.level) - math.log(tests[int(one.within)])),
        key=lambda one: (one.log_chance, one.column.name, str(one.column.levels[one.level])),
    )
    if not hits:
        return Finding("clean", f"None of {values:,} frequent values occurs in one class only.", p_value=1.0)
    places = len({one.rows.tobytes() for one in hits})
    if places > _MOST_COLUMNS and len({one.column.name for one in hits}) > _MOST_COLUMNS:
        return Finding(
            "clean",
            f"{len(hits)} values of {len({one.column.name for one in hits})} columns occur in one class only: so many"
            " are what the classes are made of.",
        )
    return _finding(context, hits, tests, len(rows))


def _finding(context: AuditContext, hits: list[Pure], tests: Ints, n: int) -> Finding:
    assert context.target is not None
    names = list(dict.fromkeys(one.column.name for one in hits))
    first = hits[0]
    return Finding(
        "caution",
        f"{len(hits)} {'value' if len(hits) == 1 else 'values'} of {', '.join(names[:5])} occur in one class only"
        f" ({len(first.rows):,} rows, all of one class). Is the value given because of the outcome?",
        len(first.rows) / n,
        "share of rows with the value",
        p_value=min(1.0, min(math.exp(one.log_chance) * int(tests[int(one.within)]) for one in hits)),
        columns=names,
        remedy=f"df = df.drop(columns={names!r})",
        evidence=[
            {
                "column": one.column.name,
                "value": str(one.column.levels[one.level]),
                "class": str(context.target.levels[one.k]),
                "rows": len(one.rows),
            }
            for one in hits[:10]
        ],
        impact_of="columns",
    )


def _pure_values(column: AuditColumn, context: AuditContext, rows: Ints) -> tuple[Ints, list[Pure]]:
    """Return how many values (at ends, inside) are frequent enough to look at, and those of one class only."""
    assert context.target is not None
    classes = context.target.codes[rows]
    level = column.codes[rows]
    table = np.zeros((len(column.levels), len(context.target.levels)), dtype=np.int64)
    np.add.at(table, (level[level >= 0], classes[level >= 0]), 1)
    count = table.sum(axis=1)
    share = np.bincount(classes, minlength=table.shape[1]) / len(rows)
    large = count >= max(_LEAST, _SHARE * len(rows))
    within = _inside_range(column, count)
    found = []
    for value in np.flatnonzero(large & (table.max(axis=1) == count) & (count <= _MOST_SHARE * len(rows))):
        k = int(table[value].argmax())
        if share[k] > _COMMON or (count > 0).sum() <= _OTHER_LEVELS:
            continue
        if _others_tell(column, table, int(value), k):
            continue
        expected = float(share[k])
        if column.kind == "category" or within[value]:  # an end is led up to from one side
            expected = max(expected, _share_of_others(np.delete(table, value, axis=0), k, float(share[k])))
        if column.kind == "numeric":
            expected = max(expected, _share_nearby(column.values[rows], classes == k, column.levels[value]))
        holders = np.flatnonzero(level == value)
        chance = len(holders) * math.log(expected)
        found.append(Pure(chance, column, int(value), k, holders, bool(within[value])))
    return np.array([(large & ~within).sum(), (large & within).sum()]), found


def _inside_range(column: AuditColumn, count: Ints) -> NDArray[np.bool_]:
    """Return which values are numbers between the smallest and the largest that the rows hold."""
    inside = np.zeros(len(count), dtype=np.bool_)
    held = np.flatnonzero(count)
    if column.kind == "numeric":
        inside[held[1:-1]] = True
    return inside


def _others_tell(column: AuditColumn, table: Ints, value: int, k: int) -> bool:
    """Return whether the column's other values tell the target as well, so that this one may be pure for that."""
    others = np.delete(table, value, axis=0)
    if column.kind == "category":
        return _association(others) >= _UNTOLD
    return _lead_up(table, value, k) and _association(others) >= _UNRELATED


def _share_of_others(table: Ints, k: int, share: float) -> float:
    """Return the largest share of class `k` at another frequent value, two rows of the usual `share` added to each."""
    count = table.sum(axis=1)
    large = count >= max(_LEAST, _SHARE * count.sum())
    return float(((table[:, k] + 2 * share) / (count + 2))[large].max(initial=0.0))


def _share_nearby(values: NDArray[np.float64], inside: NDArray[np.bool_], value: float) -> float:
    """Return the upper limit of a class's share among the rows with the nearest smaller or larger numbers.

    Where the numbers lead up to the class, a number at the end of its range may well be pure. A code beside the range
    is no further step of it: for one the share itself is taken, not its upper limit.
    """
    found, sides = 0.0, list[tuple[int, NDArray[np.float64], Ints]]()
    for away in (values - value, value - values):
        side = np.flatnonzero(away > 0)
        if len(side):
            reach = np.partition(away[side], min(_NEIGHBOURS, len(side)) - 1)[min(_NEIGHBOURS, len(side)) - 1]
            near = side[away[side] <= reach]  # all that tie with the farthest: no choice by position
            sides.append((int(inside[near].sum()), away[near], near))
    for hits, away, near in sides:
        code = len(sides) == 1 and _is_code(away, int((values == value).sum()), value)
        upper = (hits + 1) / (len(near) + 2) if code else wilson_interval(hits, len(near))[1]
        found = max(found, upper)
    return found


def _is_code(away: NDArray[np.float64], holders: int, value: float) -> bool:
    """Return whether a number at an end is a code (-1, 999) and not the end of what is measured or counted.

    Fewer and fewer rows hold the numbers towards the end of a range. A range that is cut off gathers rows in its last
    number too, but no gap lies before it. 0 is no code: it is the honest end of counts and amounts.
    """
    times = np.unique(away, return_counts=True)[1]
    nearest = float(away.min())
    return bool(
        value != 0 and holders >= _ATOM * times.max() and nearest > _APART * float(away.max() - nearest)
    )


def _lead_up(table: Ints, value: int, k: int) -> bool:
    """Return whether a value is the end of a scale of few steps along which class `k` becomes more common."""
    if len(table) > _STEPS or value not in (0, len(table) - 1):
        return False
    others = np.delete(table, value, axis=0)
    steps = np.arange(len(others)) * (1 if value else -1)
    count = others.sum(axis=1)
    return bool(np.sum((steps - np.average(steps, weights=count)) * others[:, k]) > 0)


def _association(table: np.ndarray) -> float:
    """Return Cramer's V of a table of counts (values by classes), corrected for its size (Bergsma 2013)."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n = table.sum()
    if n < 2 or min(table.shape) < 2:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    squared = float(((table - expected) ** 2 / expected).sum()) / n
    rows, columns = table.shape
    corrected = max(0.0, squared - (rows - 1) * (columns - 1) / (n - 1))
    return math.sqrt(corrected / max(1e-9, min(rows, columns) - 1))
