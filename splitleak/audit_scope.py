"""What a report is about, and what it is not: the data, the options, and what no probe looked at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from splitleak.auditing import PARTITIONS
from splitleak.probes.base import Probe, probe_codes
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext

_SPLIT_WORDS = frozenset({"fold", "folds", "split", "splits", "partition", "partitions", "subset"})
_MOST_FOLDS = 20


def what_was_audited(context: AuditContext, chosen: Sequence[Probe]) -> dict[str, Any]:
    """Return rows, partitions, columns, target and options, in plain types."""
    target = context.target
    kinds: dict[str, int] = {}
    for column in context.columns.values():
        kinds[column.kind] = kinds.get(column.kind, 0) + 1
    return {
        "data": context.source.describe(),
        "n_rows": context.n_rows,
        "left_out": context.source.n_rows - context.n_rows,  # in no partition
        "partitions": {name: int((context.codes == i).sum()) for i, name in enumerate(context.names)},
        "stacked": context.stacked,
        "columns": kinds,
        "advice": [text for column in context.columns.values() if (text := _leftover(context, column))],
        "notes": [f"{c.name}: {c.note}" for c in context.columns.values() if c.note],
        "target": None if target is None else {"name": target.name, "task": target.task},
        "time": None if context.time is None else context.time.name,
        "groups": [column.name for column in context.groups],
        "probes": [probe.code for probe in chosen],
        "known": probe_codes(),
        "alpha": context.alpha,
        "limits": dict(context.limits),
        "seed": context.seed,
        "fast": context.fast,
    }


def what_was_not(context: AuditContext, chosen: Sequence[Probe]) -> tuple[tuple[str, str], ...]:
    """Return what no probe looked at: what was not selected, and what no table can tell."""
    entries = []
    left_out = sorted(set(probe_codes()) - {probe.code for probe in chosen})
    if left_out:
        number = f"{len(left_out)} probe{'' if len(left_out) == 1 else 's'}"
        entries.append((f"{number} not selected with probes=", ", ".join(left_out)))
    entries += [
        (f"Column {column.name}", column.note)
        for column in context.columns.values()
        if column.kind == "unusable"
    ]
    entries += [
        (
            f"Column {column.name}",
            "a vector: searched for copies and asked about the split (SPL305), not asked about the target",
        )
        for column in context.of_kind("vector")
    ]
    seen: dict[str, list[str]] = {}
    for code, parts in context.memo.get("sampled", {}).items():
        told = ", ".join(f"{at:,} of {of:,} {what}" for what, (at, of) in sorted(parts.items()))
        seen.setdefault(told, []).append(code)
    entries += [
        (f"All rows and columns, by {', '.join(codes)}", f"at most {told}") for told, codes in seen.items()
    ]
    entries += [
        (
            "Whether each feature is known when a prediction is made",
            "no table tells; ask whoever collected it",
        ),
        ("Whether the rows are those that will be met in use", "needs knowledge of how they were sampled"),
    ]
    return tuple(entries)


def _leftover(context: AuditContext, column: AuditColumn) -> str:
    """Return advice about a feature that looks like a split of these rows; else an empty text."""
    if column.kind not in ("category", "numeric") or not 2 <= len(column.levels) <= _MOST_FOLDS:
        return ""
    values = {str(level).lower() for level in column.levels}
    named = _SPLIT_WORDS & set(re.split(r"[^a-z]+", column.name.lower()))
    numbered = column.integer and set(column.levels) <= set(range(-1, _MOST_FOLDS + 1))
    if not values <= PARTITIONS and not (named and (numbered or all("fold" in value for value in values))):
        return ""
    if not context.names:
        return f"Column {column.name} looks like a split, and was audited as a feature: pass split={column.name!r}."
    return f"Column {column.name} looks like another split of these rows: leave it out of the features."
