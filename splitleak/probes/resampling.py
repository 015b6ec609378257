"""SPL115: classes filled up before the split: rows between two others (SMOTE), repeated rows of one class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext, Target
from splitleak.probes.equal_rows import comparable, equal_rows, linearly_dependent, moderate
from splitleak.probes.exact_duplicates import crossing
from splitleak.statistics import wilson_interval

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_LEAST_ROWS, _LEAST_SHARE = 2, 0.01
_QUERIES, _FAST_QUERIES = 2_000, 500
_MOST_TRAIN = 200_000
_NEAREST = 48  # SMOTE takes one of the five nearest of the class; others, and the new rows, come between
_LEAST_COLUMNS, _MOST_COLUMNS = 3, 60
_LEAST_MOVING = (
    2  # columns of these in which the rows differ, where the one between tells itself by its digits
)
_LEAST_LEVELS = 11
_STRAIGHT = 1e-6  # sine of the angle of two differences on one line, at float64
_SURE = 30.0  # minus the logarithm of the chance that rounded numbers are on one line, over what was tried
_SURE_BETWEEN = (
    15.0  # the same, of a row whose numbers are written with more digits than those of the two others
)
_MORE_DIGITS = 1e3
_DECIMALS = 12
_ONE_CLASS = 0.95  # share of the repeats that stand in the classes that were filled up
_REPEATED, _UNREPEATED = 0.05, 0.01  # share of a class that repeats another row: filled up, left as it was
_MOST_EVIDENCE = 20


@dataclass(frozen=True, eq=False)
class _Found:
    told: str
    rows: Ints
    partners: Ints
    searched: int
    sure: bool
    evidence: list[dict[str, Any]]


@probe(
    "SPL115",
    "Classes were filled up before the split",
    needs=["split"],
    why="Rows made of others, or repeats of them, stand on both sides: held-out rows are known to the model.",
    bound="Rows on one line in independent columns have probability 0 up to rounding, which is counted.",
)
def resampling(context: AuditContext) -> Finding:
    """Look for rows between two others, then for repeats of one class."""
    between = _between(context)
    repeats = _repeats(context)
    looks = [look for look in (between, repeats) if look is not None]
    if not looks:
        raise NotApplicable(
            "needs three independent numbers for rows that were made between others, or a target with classes"
        )
    found = [look for look in looks if len(look.rows)]
    if not found:
        return Finding("clean", f"{'; '.join(look.told for look in looks)}.", 0.0, "share of held-out rows")
    rows = np.concatenate([look.rows for look in found])
    partners = np.concatenate([look.partners for look in found])
    rows, first = np.unique(rows, return_index=True)
    leak = any(
        look.sure and len(look.rows) >= max(_LEAST_ROWS, _LEAST_SHARE * look.searched) for look in found
    )
    if not leak and len(rows) < _LEAST_ROWS:
        return Finding("clean", f"{'; '.join(look.told for look in looks)}: too few to say.")
    searched = max(look.searched for look in found)
    return Finding(
        "leak" if leak else "caution",
        f"Of {searched:,} held-out rows looked at, {'; '.join(look.told for look in found)}. Split first, and fill up"
        " classes in the training rows only.",
        len(rows) / max(1, searched),
        "share of held-out rows",
        interval=wilson_interval(len(rows), searched),
        rows=rows,
        partners=partners[first],
        remedy='df = df.drop(index=df.index[report["SPL115"].rows])  # or split the original rows and resample train',
        evidence=[entry for look in found for entry in look.evidence][:_MOST_EVIDENCE],
        impact_of="rows",
    )


def _between(context: AuditContext) -> _Found | None:
    """Return the held-out rows on one line with two of their nearest training rows, by no chance of rounding."""
    columns = _independent_numbers(context)
    train = context.train
    train = train[~_any_missing(columns, train)]
    train = context.sample(train, _MOST_TRAIN, "resampling train")
    held = context.held_out[~_any_missing(columns, context.held_out)]
    held = context.sample(held, _FAST_QUERIES if context.fast else _QUERIES, "resampling")
    if len(columns) < _LEAST_COLUMNS or len(train) < 3 or not len(held):
        return None
    rows = np.concatenate([train, held])
    values = np.stack([moderate(c.values[rows]) for c in columns], axis=1)
    middle, width = values[: len(train)].mean(axis=0), values[: len(train)].std(axis=0)
    scaled = (values - middle) / np.where(width > 0, width, 1.0)
    tolerance = np.array([_tolerance(c) for c in columns])
    known, asked = scaled[: len(train)], scaled[len(train) :]
    near = _nearest(known, asked, min(_NEAREST, len(train)))
    tried = np.log(len(held) * near.shape[1] ** 2 / 2 + 1)
    hits, first, second, how = [], [], [], []
    straight = max(_STRAIGHT, 20 * float(tolerance.max()))
    for i in range(len(held)):
        pair = _line(known[near[i]] - asked[i], straight)
        for a, b in pair:
            triple = np.stack([values[len(train) + i], values[near[i, a]], values[near[i, b]]])
            triple = np.where(_multiples(triple), triple[:1], triple)
            chance, n_moving = _surprise(triple, np.where(width > 0, width, 1.0), tolerance)
            sure = n_moving >= _LEAST_COLUMNS and chance - tried > _SURE
            if _stands_for_another(known[near[i]], asked[i], int(a), int(b)):
                continue
            if sure or (chance - tried > _SURE_BETWEEN and _between_rounded(triple)):
                hits.append(held[i])
                first.append(train[near[i, a]])
                second.append(train[near[i, b]])
                how.append(chance)
                break
    found = np.array(hits, dtype=np.int64)
    told = f"{len(found):,} lie exactly on a line with two training rows in {len(columns)} independent columns (SMOTE)"
    evidence = [
        {"row": int(r), "between row": int(a), "and row": int(b), "found by": "rows on one line"}
        for r, a, b in zip(hits, first, second, strict=True)
    ]
    return _Found(told, found, np.array(first, dtype=np.int64), len(held), True, evidence)


def _independent_numbers(context: AuditContext) -> list[AuditColumn]:
    """Return numbers of many values, none a sum of the others nor known from another one; the finest."""
    numbers = [c for c in context.of_kind("numeric") if len(c.levels) >= _LEAST_LEVELS]
    numbers = [c for c in numbers if c.missing.mean() < 0.5]
    numbers = sorted(numbers, key=lambda c: (c.missing.any(), -len(c.levels), c.name))[:_MOST_COLUMNS]
    if len(numbers) < 2:
        return numbers
    rows = context.sample(np.arange(context.n_rows), 2_000, "resampling columns")
    rows = rows[~_any_missing(numbers, rows)]
    if len(rows) < 2 * len(numbers):
        return [c for c in numbers if not c.missing.any()] if len(rows) else []
    out = linearly_dependent(numbers, rows, frozenset())
    numbers = [c for i, c in enumerate(numbers) if i not in out]
    if len(numbers) < 2:
        return numbers
    from scipy.stats import rankdata

    ranks = np.stack([rankdata(c.values[rows]) for c in numbers])
    alike = np.abs(np.corrcoef(ranks)) > 0.9999  # functions of one another
    return [c for i, c in enumerate(numbers) if not alike[i, :i].any()]


def _any_missing(columns: list[AuditColumn], rows: Ints) -> NDArray[np.bool_]:
    missing = np.zeros(len(rows), dtype=bool)
    for column in columns:
        missing |= column.missing[rows]
    return missing


def _tolerance(column: AuditColumn) -> float:
    """Return the precision that numbers are stored with, as a part of their size."""
    kind = str(getattr(column.column, "type", "double"))
    return 1e-3 if kind == "halffloat" else 1e-7 if kind == "float" else 1e-15


def _nearest(known: Floats, asked: Floats, k: int) -> Ints:
    import faiss

    index = faiss.IndexFlatL2(known.shape[1])
    index.add(np.ascontiguousarray(known, dtype=np.float32))
    places = index.search(np.ascontiguousarray(asked, dtype=np.float32), k)[1]
    return np.asarray(places, dtype=np.int64)


def _line(differences: Floats, straight: float) -> list[tuple[int, int]]:
    """Return the pairs of neighbours on one line with the row; `differences` are theirs to it."""
    length = np.sqrt((differences**2).sum(axis=1))
    able = np.flatnonzero((np.abs(differences) > 1e-7).sum(axis=1) >= _LEAST_MOVING)
    if len(able) < 2:
        return []
    unit = differences[able] / length[able, None]
    cosine = unit @ unit.T
    i, j = np.nonzero(np.triu(1 - np.abs(cosine) < 1e-9 + straight**2, 1))
    pairs = []
    for a, b in zip(i, j, strict=True):
        off = unit[a] - np.sign(cosine[a, b]) * unit[b]  # 1 - cosine cannot see angles below 1e-8
        one_point = abs(length[able[a]] - length[able[b]]) < 1e-7 * length[able[a]] and cosine[a, b] > 0
        if np.sqrt((off**2).sum()) < straight and not one_point:
            pairs.append((int(able[a]), int(able[b])))
    return pairs


def _stands_for_another(known: Floats, row: Floats, a: int, b: int) -> bool:
    """Return whether a row at the end of a line has a training row like it there: that one may be what was mixed."""
    moving = np.abs(known[a] - known[b]) > 1e-7
    if float((known[a] - row) @ (known[b] - row)) < 0:
        return False
    alike = (np.abs(known[:, moving] - row[moving]) < 1e-7).all(axis=1)
    return bool(alike.any())


def _surprise(triple: Floats, width: Floats, tolerance: Floats) -> tuple[float, int]:
    """Return minus the logarithm of the chance that three rows of numbers so finely written are on one line.

    Also in how many columns the rows differ.

    The column that moves most says where on the line the row is; each other one agrees with it by a chance of the unit
    it is written in over the distance between the two rows.
    """
    largest = np.abs(triple).max(axis=0)
    unit = np.maximum(_unit(triple), 4 * tolerance * np.maximum(largest, 1e-300))
    spread = np.ptp(triple, axis=0)
    moving = spread > 2 * unit
    if moving.sum() < _LEAST_MOVING:
        return 0.0, 0
    worth = np.log(spread[moving] / unit[moving])
    main = int(np.argmax(spread[moving] / width[moving]))
    return float(np.delete(worth, main).sum()), int(moving.sum())


def _between_rounded(triple: Floats) -> bool:
    """Return whether one row's numbers, wherever the rows differ, have far more digits than those of the two others.

    So it was computed from them. Two columns in which rows are on one line by nature (a number of items and their
    price) are written with as many digits in each row; columns that are equal, add up or are multiples of one another
    in some of the rows say nothing.
    """
    moving = np.ptp(triple, axis=0) > 0
    if not moving.any() or _related(triple[:, moving]):
        return False
    units = np.stack([_unit(row[None, moving]) for row in triple])
    middle = np.argmin(units.sum(axis=1))
    others = np.delete(units, middle, axis=0)
    return bool((units[middle] * _MORE_DIGITS <= others.min(axis=0)).all() and others.all())


def _related(triple: Floats) -> bool:
    """Return whether the two columns in which three rows differ go up and down by the same steps."""
    steps = np.abs(np.diff(triple, axis=0))
    return triple.shape[1] == 2 and bool((np.ptp(steps, axis=1) <= 1e-9 * np.abs(triple).max()).all())


def _multiples(triple: Floats) -> NDArray[np.bool_]:
    """Return which columns of three rows are a multiple of one before them: known from it, in these rows at least."""
    size = np.abs(triple).max(axis=0)
    crossed = np.abs(triple[1:, :, None] * triple[0] - triple[1:, None, :] * triple[0][:, None]).max(axis=0)
    alike = crossed <= 1e-9 * size[:, None] * size
    moving = np.ptp(triple, axis=0) > 0
    return np.asarray((np.tril(alike, -1) & moving).any(axis=1) & moving)


def _unit(triple: Floats) -> Floats:
    """Return the unit that the numbers of each column are written in, as a power of ten; 0 where it is finer."""
    unit = np.zeros(triple.shape[1])
    scale = np.maximum(np.abs(triple).max(axis=0), 1e-300)
    for decimals in range(_DECIMALS, -4, -1):
        power = 10.0**decimals
        rounded = np.round(triple * power) / power
        fits = (np.abs(triple - rounded) <= 4e-16 * scale).all(axis=0)
        unit[fits] = 1 / power
    return unit


def _repeats(context: AuditContext) -> _Found | None:
    """Return held-out rows that repeat rows elsewhere, where the repeats stand in some classes and not in others."""
    target = context.target
    if target is None or target.task == "regression" or not comparable(context):
        return None
    found = equal_rows(context, across=True)
    rows, partners = crossing(context, found)
    kept = found.unusual[rows] & (target.codes[rows] == target.codes[partners]) & (target.codes[rows] >= 0)
    rows, partners = rows[kept], partners[kept]
    searched = len(context.held_out)
    none = _Found("no class has repeats that others have not", rows[:0], rows[:0], searched, False, [])
    if found.p_value >= context.level or not len(rows):
        return none
    share = _repeated_shares(context, target, found.group)
    filled = share >= _REPEATED
    if not filled.any() or not (share <= _UNREPEATED).any():
        return none
    inside = filled[target.codes[rows]]
    if inside.mean() < _ONE_CLASS or not _beyond_chance(context, target, found.group, filled):
        return none
    rows, partners = rows[inside], partners[inside]
    classes = int(filled.sum())
    told = (
        f"{len(rows):,} repeat a row of their class elsewhere: {share[filled].max():.0%} of the rows of"
        f" {classes} class{'es' if classes > 1 else ''} are repeats, of the others at most {share[~filled].max():.1%}"
    )
    evidence = [
        {"row": int(r), "between row": int(a), "and row": int(a), "found by": "repeats in one class"}
        for r, a in zip(rows[:_MOST_EVIDENCE], partners[:_MOST_EVIDENCE], strict=True)
    ]
    return _Found(told, rows, partners, searched, True, evidence)


def _extra(context: AuditContext, target: Target, group: Ints) -> Ints:
    """Return how many rows of each class repeat another row of it."""
    inside = np.flatnonzero((context.codes >= 0) & (target.codes >= 0))
    n_classes = len(target.levels)
    distinct = np.unique(group[inside] * n_classes + target.codes[inside]) % n_classes
    whole = np.bincount(target.codes[inside], minlength=n_classes)
    return np.asarray(whole - np.bincount(distinct, minlength=n_classes), dtype=np.int64)


def _class_sizes(context: AuditContext, target: Target) -> Ints:
    inside = (context.codes >= 0) & (target.codes >= 0)
    return np.bincount(target.codes[inside], minlength=len(target.levels)).astype(np.int64)


def _repeated_shares(context: AuditContext, target: Target, group: Ints) -> Floats:
    return _extra(context, target, group) / np.maximum(1, _class_sizes(context, target))


def _beyond_chance(context: AuditContext, target: Target, group: Ints, filled: NDArray[np.bool_]) -> bool:
    """Return whether repeats drawn from all rows would so seldom stand in these classes."""
    from scipy.stats import binom

    extra, size = _extra(context, target, group), _class_sizes(context, target)
    expected = float(size[filled].sum() / max(1, size.sum()))
    p = float(binom.sf(extra[filled].sum() - 1, int(extra.sum()), min(expected, 1.0)))
    return p * 2.0 ** len(size) < context.level if len(size) < 30 else p < context.level / 1e9
