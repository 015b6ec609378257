"""SPL101: rows equal in all features on both sides of the split, more of them than chance explains."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.equal_rows import EqualRows, comparable, equal_rows
from splitleak.statistics import wilson_interval

Ints = NDArray[np.int64]
EFFECT = "share of held-out rows"
_LEAST_ROWS, _LEAST_SHARE = 2, 0.01  # of the held-out rows, for a leak
_LEAST_UNLIKE = 5  # where the targets of the pairs differ
_MOST_EVIDENCE = 20


@probe(
    "SPL101",
    "Exact duplicates across partitions",
    needs=["split"],
    why="The model is asked about rows that it was shown, so the score measures memory.",
    bound="Equal pairs against those that nearly equal pairs predict: Poisson test at five times as many.",
)
def exact_duplicates(context: AuditContext) -> Finding:
    """Compare all features; the target is looked at afterwards."""
    if not comparable(context):
        raise NotApplicable("no feature can be compared")
    found = equal_rows(context, across=True)
    rows, partners = crossing(context, found)
    total = len(context.held_out)
    share = len(rows) / max(1, total)
    common: dict[str, Any] = {
        "effect": share,
        "effect_name": EFFECT,
        "interval": wilson_interval(len(rows), total),
        "p_value": found.p_value,
    }
    if not len(rows):
        return Finding("clean", f"None of {total:,} held-out rows has an equal row elsewhere.", **common)
    told = f"{len(rows):,} of {total:,} held-out rows equal a row of another partition in all features"
    if found.p_value >= context.level:
        why = (
            "what there is to compare is too short to tell a copy from chance"
            if np.isinf(found.expected)
            else f"the columns have so few values that chance explains up to {found.expected:,.0f} such pairs"
        )
        return Finding("clean", f"{told}; {why}.", **common)
    unusual = found.unusual[rows]
    rows, partners = rows[unusual], partners[unusual]
    same = _same_target(context, rows, partners)
    # a few rows of other targets may be two of a kind that the columns cannot tell apart (flats of one house)
    every = len(np.unique(found.group[rows]))
    agreeing_values = every if same is None else len(np.unique(found.group[rows[same]]))
    least = _LEAST_SHARE * total
    leak = agreeing_values >= max(_LEAST_ROWS, least) or every >= max(_LEAST_UNLIKE, least)
    common["effect"] = len(rows) / total
    common["interval"] = wilson_interval(len(rows), total)
    agreeing = "" if same is None else f" ({int(same.sum()):,} with the same target as well)"
    return Finding(
        "leak" if leak else "caution",
        f"{len(rows):,} of {total:,} held-out rows equal a row of another partition in all features{agreeing}; chance"
        f" explains at most {found.expected:.2g} of {found.pairs:,} such pairs.",
        rows=rows,
        partners=partners,
        remedy='df = df.drop(index=df.index[report["SPL101"].rows])',
        evidence=_evidence(context, found, rows, partners),
        impact_of="rows",
        **common,
    )


def crossing(context: AuditContext, found: EqualRows) -> tuple[Ints, Ints]:
    """Return the held-out rows that have an equal row in another partition, and that row: a training row if any."""
    codes = context.codes
    inside = np.flatnonzero(codes >= 0)
    n_sides = len(context.names)
    n_groups = int(found.group.max(initial=-1)) + 1
    first = np.full((n_groups, n_sides), -1, dtype=np.int64)  # one row of each group on each side
    backwards = inside[::-1]
    first[found.group[backwards], codes[backwards]] = backwards
    held = context.held_out
    partners = np.full(len(held), -1, dtype=np.int64)
    for side in range(n_sides):
        free = (partners < 0) & (codes[held] != side)
        partners[free] = first[found.group[held[free]], side]
    has = partners >= 0
    return held[has], partners[has]


def _same_target(context: AuditContext, rows: Ints, partners: Ints) -> NDArray[np.bool_] | None:
    """Return which pairs have equal targets (one that is not known equals any); None without a target."""
    if context.target is None:
        return None
    mine, other = context.target.values[rows], context.target.values[partners]
    return np.asarray((mine == other) | np.isnan(mine) | np.isnan(other))


def _evidence(context: AuditContext, found: EqualRows, rows: Ints, partners: Ints) -> list[dict[str, Any]]:
    size = np.bincount(found.group)[found.group[rows]]
    worst = np.lexsort((found.group[rows], -size))[:_MOST_EVIDENCE]
    entries = []
    for i in worst:
        entry: dict[str, Any] = {
            "row": int(rows[i]),
            "equal row": int(partners[i]),
            "partition": context.names[context.codes[rows[i]]],
            "equal row in": context.names[context.codes[partners[i]]],
            "rows like it": int(size[i]),
        }
        if context.target is not None:
            entry["same target"] = bool(context.target.values[rows[i]] == context.target.values[partners[i]])
        entries.append(entry)
    return entries
