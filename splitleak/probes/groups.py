"""SPL303: rows of one declared group on both sides of the split."""

from __future__ import annotations

import numpy as np

from splitleak.probes.base import Finding, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.remedies import split_again


@probe(
    "SPL303",
    "Declared groups cross the split",
    needs=["split", "groups"],
    why="A model recognises the patient, author or site instead of what is to be learned.",
    bound="Counts equal values; it cannot fire by chance.",
)
def declared_groups(context: AuditContext) -> Finding:
    evidence = []
    rows: set[int] = set()
    columns = []
    for column in context.groups:
        present = np.zeros((len(context.names), len(column.levels)), dtype=bool)
        inside = (context.codes >= 0) & (column.codes >= 0)
        present[context.codes[inside], column.codes[inside]] = True
        crossing = present.sum(axis=0) > 1
        if not crossing.any():
            continue
        held = context.held_out[column.codes[context.held_out] >= 0]
        hit = held[crossing[column.codes[held]]]
        rows.update(hit.tolist())
        columns.append(column.name)
        evidence.append(
            {
                "column": column.name,
                "groups": len(column.levels),
                "crossing": int(crossing.sum()),
                "held-out rows": len(hit),
            }
        )
    found = np.array(sorted(rows), dtype=np.int64)
    share = len(found) / max(1, len(context.held_out))
    if not columns:
        names = ", ".join(column.name for column in context.groups)
        return Finding("clean", f"No group of {names} is in two partitions.", 0.0, "share of held-out rows")
    return Finding(
        "leak",
        f"{len(found):,} of {len(context.held_out):,} held-out rows belong to a group ({', '.join(columns)}) that is"
        " in another partition as well.",
        share,
        "share of held-out rows",
        columns=columns,
        rows=found,
        remedy=split_again(context, groups=columns, on_infeasible="nearest"),
        evidence=evidence,
        impact_of="rows",
    )
