"""SPL308: numbers beyond the range that training rows cover."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext

_LEAST_BEYOND = 3
_CONTINUOUS = 0.1  # different values as a share of the rows: the gaps of counts and scores say nothing


@probe(
    "SPL308",
    "Held-out rows lie outside the range seen in training",
    needs=["split"],
    why="Beyond what it has seen a model extrapolates; a score there says little about the rows inside.",
    bound="Exact hypergeometric chance that the most extreme values are all held out, Bonferroni; a caution.",
)
def new_ranges(context: AuditContext) -> Finding:
    """Test the rows beyond the training range, on each side of each number, against a random split."""
    from scipy.stats import hypergeom

    columns = context.of_kind("numeric")
    if not columns:
        raise NotApplicable("no column of numbers")
    found = []
    for column in columns:
        known = np.flatnonzero((context.codes >= 0) & ~column.missing)
        train = context.train[~column.missing[context.train]]
        if len(train) < 2:
            continue
        low, high = column.values[train].min(), column.values[train].max()
        n_held = len(known) - len(train)
        values = column.values
        for side, beyond, sign in (
            ("below", known[values[known] < low], -1.0),
            ("above", known[values[known] > high], 1.0),
        ):
            chance = 1.0
            if len(beyond):
                chance = float(hypergeom.sf(len(beyond) - 1, len(known), n_held, len(beyond)))
            if len(beyond) >= _LEAST_BEYOND and len(column.levels) >= _CONTINUOUS * len(known):
                # who is beyond, and how far, are independent under a random split: Fisher's combination of the two
                both = max(chance * _gap_chance(sign * values[train], sign * values[beyond]), 1e-300)
                chance = min(1.0, both * (1 - math.log(both)))
            found.append((chance, column.name, side, beyond))
    if not found:
        raise NotApplicable("no column of numbers has two known training values")
    found.sort(key=lambda entry: (entry[0], entry[1], entry[2]))
    best = min(1.0, found[0][0] * len(found))
    beyond_any = np.unique(np.concatenate([entry[3] for entry in found])).astype(np.int64)
    common: dict[str, Any] = {
        "effect": len(beyond_any) / max(1, len(context.held_out)),
        "effect_name": "share of held-out rows outside the training range of some column",
        "evidence": [
            {"column": name, "side": side, "held-out rows": len(rows), "chance": chance}
            for chance, name, side, rows in found[:10]
            if len(rows)
        ],
    }
    hits = [entry for entry in found if entry[0] * len(found) < context.level]
    if context.units is not None or context.time is not None:
        hits, best = [], 1.0  # whole groups, or later rows, have ranges of their own
    if not hits:
        return Finding(
            "clean",
            f"{len(beyond_any):,} held-out rows lie outside the training range of some column, no more than chance"
            " explains."
            if len(beyond_any) and best < 1
            else f"{len(beyond_any):,} held-out rows lie outside the training range of some column.",
            p_value=best,
            **common,
        )
    names = list(dict.fromkeys(entry[1] for entry in hits))
    rows = np.unique(np.concatenate([entry[3] for entry in hits])).astype(np.int64)
    return Finding(
        "caution",
        f"{len(rows):,} held-out rows lie outside the training range of {', '.join(names[:5])}"
        f"{' and others' if len(names) > 5 else ''}, more than a random split would put there.",
        p_value=best,
        columns=names,
        rows=rows,
        remedy="split = splitleak.split_by_similarity(df)",
        **common,
    )


def _gap_chance(train: np.ndarray, beyond: np.ndarray) -> float:
    """Return the chance of so wide a gap between the training maximum and all rows beyond it.

    The k largest of exponential tails start a gap of mean s / k above the next (Renyi 1953), s the mean excess. Tails
    may be heavier: the same is asked of the values' logarithms, and the larger chance is taken.
    """
    middle = float(np.median(train))
    spread = float(np.quantile(train, 0.75) - middle) or float(train.std()) or 1.0
    chances = []
    both = [(x - middle) / spread for x in (train, beyond)]
    for a, b in (both, [np.arcsinh(x) for x in both]):
        start = np.quantile(a, 1 - 1 / math.sqrt(len(a)))
        tail = a[a >= start] - start
        mean = max(float(tail.mean()), 0.1)
        chances.append(math.exp(-min(700.0, len(b) * float(b.min() - a.max()) / mean)))
    return max(chances)
