"""SPL103: rows equal in all features, whose targets disagree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext, Target
from splitleak.probes.equal_rows import comparable, equal_rows, equal_rows_of_classes

Ints = NDArray[np.int64]
_EFFECT = "share of rows"
_APART = 0.5  # standard deviations between two numbers that disagree: repeated measurements differ a little
_LEAST_VALUES = 2
_MOST_EVIDENCE = 20


@probe(
    "SPL103",
    "Equal rows whose targets disagree",
    needs=["target"],
    why="At least one of the targets is wrong, or what tells them apart is no column of the table.",
    bound="Equal rows, also of two classes, against those that nearly equal rows predict (Poisson); never a leak.",
)
def conflicting_duplicates(context: AuditContext) -> Finding:
    """Look for equal rows anywhere in the table."""
    if not comparable(context):
        raise NotApplicable("no feature can be compared")
    target = context.target
    assert target is not None
    found = equal_rows(context, across=False)
    apart = equal_rows_of_classes(context)
    if (
        apart is not None
    ):  # where classes are far apart, rows of two are never equal by chance, though rows of one are
        best = apart if apart.p_value < found.p_value else found
        found = replace(best, p_value=min(1.0, 2 * best.p_value))
    rows, partners = _conflicts(found.group, target)
    n_values = len(np.unique(found.group[rows]))
    told = (
        f"{len(rows):,} of {context.n_rows:,} rows equal another row in all features and have another target"
        f" ({n_values:,} such values)"
    )
    common: dict[str, Any] = {
        "effect": len(rows) / max(1, context.n_rows),
        "effect_name": _EFFECT,
        "p_value": found.p_value,
    }
    if not len(rows):
        return Finding("clean", "No two equal rows have different targets.", **common)
    if found.p_value >= context.level:
        return Finding("clean", f"{told}; chance explains the equal rows.", **common)
    kept = found.unusual[rows]
    rows, partners = rows[kept], partners[kept]
    n_values = len(np.unique(found.group[rows]))
    if n_values < _LEAST_VALUES:
        return Finding("clean", f"{told}: too few to say.", **common)
    common["effect"] = len(rows) / context.n_rows
    return Finding(
        "caution",
        f"{len(rows):,} of {context.n_rows:,} rows equal another row in all features and have another target"
        f" ({n_values:,} different rows); chance explains at most {found.expected:.2g} of {found.pairs:,} repeated"
        " rows.",
        rows=rows,
        partners=partners,
        remedy='df.iloc[report["SPL103"].rows]  # look at them\n'
        'df = df.drop(index=df.index[report["SPL103"].rows])  # or do without',
        evidence=_evidence(found.group, target, rows, partners),
        impact_of="rows",
        **common,
    )


def _conflicts(group: Ints, target: Target) -> tuple[Ints, Ints]:
    """Return the rows that have an equal row with another target, and the one whose target is furthest off."""
    known = np.flatnonzero(target.known)
    n_groups = int(group.max(initial=-1)) + 1
    values = target.values
    order = known[np.lexsort((known, values[known]))]
    lowest = np.full(n_groups, -1, dtype=np.int64)
    highest = np.full(n_groups, -1, dtype=np.int64)
    lowest[group[order[::-1]]] = order[::-1]
    highest[group[order]] = order
    low, high = lowest[group[known]], highest[group[known]]
    to_low, to_high = values[known] - values[low], values[high] - values[known]
    other = np.where(to_low > to_high, low, high)
    least = 0.0 if target.task != "regression" else _APART * float(values[known].std())
    apart = np.maximum(to_low, to_high) > least
    return known[apart], other[apart]


def _evidence(group: Ints, target: Target, rows: Ints, partners: Ints) -> list[dict[str, Any]]:
    size = np.bincount(group)[group[rows]]
    worst = np.lexsort((rows, group[rows], -size))[:_MOST_EVIDENCE]

    def shown(row: int) -> Any:
        return float(target.values[row]) if target.task == "regression" else target.levels[target.codes[row]]

    return [
        {
            "row": int(rows[i]),
            "equal row": int(partners[i]),
            "rows like it": int(size[i]),
            "value": f"{shown(rows[i])} | {shown(partners[i])}",
        }
        for i in worst
    ]
