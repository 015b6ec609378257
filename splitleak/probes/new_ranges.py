"""SPL308: numbers beyond the range that training rows cover."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.remedies import split_again

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_RAREST = 1e-12  # chance from which on more rows beyond say no more
_LEAST_EXCESS = 0.1  # of the distance from median to quartile: the mean excess of a tail is not taken smaller


@dataclass(frozen=True, eq=False)
class _Side:
    """One end of one number: the held-out rows beyond training, and what could have been seen there.

    `counts` k, where the k outermost values stand apart from the others; `chances` that a random split holds out all
    of them; `order`: the smaller, the less the pooled values look like one tail that goes on.
    """

    name: str
    side: str
    beyond: Ints
    counts: Ints
    chances: Floats
    order: Floats


@probe(
    "SPL308",
    "Held-out rows lie outside the range seen in training",
    needs=["split"],
    why="Beyond what it has seen a model extrapolates; a score there says little about the rows inside.",
    bound=(
        "Exact chance that a random split holds out all of the outermost values of a number, summed over numbers and"
        " sides in an order that the pooled values set, wide gaps first; a caution."
    ),
)
def new_ranges(context: AuditContext) -> Finding:
    """Test the rows beyond the training range, on each side of each number, against a random split.

    Which values are outermost, and how wide a gap parts them from the rest, is known without the split; who of them is
    held out is all that chance decides. So gaps may set the order in which sides are asked, and no tail is assumed.
    """
    columns = context.of_kind("numeric")
    if not columns:
        raise NotApplicable("no column of numbers")
    sides = [side for column in columns for side in _sides(context, column)]
    if not sides:
        raise NotApplicable("no column of numbers has two known training values")
    chances = _chances(sides, context.level)
    found = sorted(
        zip(chances, sides, strict=True), key=lambda e: (e[0], -len(e[1].beyond), e[1].name, e[1].side)
    )
    best = found[0][0]
    beyond_any = np.unique(np.concatenate([side.beyond for side in sides])).astype(np.int64)
    common: dict[str, Any] = {
        "effect": len(beyond_any) / max(1, len(context.held_out)),
        "effect_name": "share of held-out rows outside the training range of some column",
        "evidence": [
            {"column": side.name, "side": side.side, "held-out rows": len(side.beyond), "chance": chance}
            for chance, side in found[:10]
            if len(side.beyond)
        ],
    }
    hits = [side for chance, side in found if chance < context.level]
    if context.units is not None or context.time is not None:
        hits, best = [], 1.0  # whole groups, or later rows, have ranges of their own
    if not hits:
        explains = ", no more than chance explains." if len(beyond_any) and best < 1 else "."
        return Finding(
            "clean",
            f"{len(beyond_any):,} held-out rows lie outside the training range of some column{explains}",
            p_value=best,
            **common,
        )
    names = list(dict.fromkeys(side.name for side in hits))
    rows = np.unique(np.concatenate([side.beyond for side in hits])).astype(np.int64)
    return Finding(
        "caution",
        f"{len(rows):,} held-out rows lie outside the training range of {', '.join(names[:5])}"
        f"{' and others' if len(names) > 5 else ''}, more than a random split would put there.",
        p_value=best,
        columns=names,
        rows=rows,
        remedy=split_again(context),
        **common,
    )


def _sides(context: AuditContext, column: AuditColumn) -> list[_Side]:
    rows = np.flatnonzero((context.codes >= 0) & ~column.missing)
    held = context.is_held_out[rows]
    if (~held).sum() < 2:
        return []
    found = []
    for side, sign in (("below", -1.0), ("above", 1.0)):
        values = sign * column.values[rows]
        order = np.argsort(-values, kind="stable")
        beyond = rows[values > values[~held].max()]
        counts, chances, told = _outermost(values[order], int(held.sum()))
        found.append(_Side(column.name, side, beyond, counts, chances, told))
    return found


def _outermost(values: Floats, held: int) -> tuple[Ints, Floats, Floats]:
    """Return counts of outermost values, the chance that all are held out, and the order to ask them in.

    `values` fall. The order is the logarithm of that chance times that of so wide a gap: the k largest of exponential
    tails start a gap of mean s / k above the next (Renyi 1953), s the mean excess of the values below. Tails may be
    heavier: the same is asked of the values' logarithms, and the narrower view is taken.
    """
    n = len(values)
    most = min(held, n // 2)
    chances = np.cumprod((held - np.arange(most)) / (n - np.arange(most)))
    most = min(most, int(np.searchsorted(-chances, -_RAREST)) + 1)
    counts = np.arange(1, most + 1, dtype=np.int64)
    counts = counts[values[counts - 1] > values[np.minimum(counts, n - 1)]]
    middle = values[n // 2]
    spread = float(values[n // 4] - middle) or float(values.std()) or 1.0
    plain = np.clip((values - middle) / spread, -1e12, 1e12)
    gaps = np.full(len(counts), np.inf)
    for view in (plain, np.arcsinh(plain)):
        for i, k in enumerate(counts):
            tail = view[k : k + 1 + math.isqrt(n)]
            excess = max(float((tail[:-1] - tail[-1]).mean()), _LEAST_EXCESS)
            gaps[i] = min(gaps[i], k * float(view[k - 1] - view[k]) / excess)
    of_counts = np.asarray(chances[counts - 1], dtype=np.float64)
    return np.asarray(counts), of_counts, np.asarray(np.log(of_counts) - gaps)


def _chances(sides: list[_Side], most: float) -> list[float]:
    """Return for each side the chance that any side asked up to it would have shown as much; 1: it shows nothing.

    What has a chance above `most` could not speak, and is not asked.
    """
    asked = sorted(
        (order, sides[i].name, sides[i].side, i, int(count), float(chance))
        for i in range(len(sides))
        for order, count, chance in zip(sides[i].order, sides[i].counts, sides[i].chances, strict=True)
        if chance <= most
    )
    found = [1.0] * len(sides)
    spent: dict[
        int, float
    ] = {}  # of a side the likeliest count so far: more rows beyond are fewer rows beyond, too
    total = 0.0
    for _, _, _, i, count, chance in asked:
        total += max(0.0, chance - spent.get(i, 0.0))
        spent[i] = max(chance, spent.get(i, 0.0))
        if found[i] == 1.0 and len(sides[i].beyond) >= count:
            found[i] = min(1.0, total)
    return found
