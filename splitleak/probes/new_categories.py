"""SPL307: categories that the training rows do not have."""

from __future__ import annotations

from typing import Any

import numpy as np

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.remedies import split_again

_MOST_LEVELS = 0.5  # more levels than that share of the rows: names, whose values are new by nature


@probe(
    "SPL307",
    "Held-out rows have categories never seen in training",
    needs=["split"],
    why="An encoder has no column, and the model no weight, for a value that it never met.",
    bound="Exact hypergeometric chance that all rows of a value are held out, summed over values as rare; a caution.",
)
def new_categories(context: AuditContext) -> Finding:
    """Test each value that only held-out rows have against a random split."""
    from scipy.stats import hypergeom

    inside = context.codes >= 0
    n, n_held = int(inside.sum()), len(context.held_out)
    looked, found = 0, []
    chances = []  # of every value: that all of its rows are held out
    columns = [c for c in context.of_kind("category") if len(c.levels) <= _MOST_LEVELS * context.n_rows]
    if not columns:
        raise NotApplicable("no column of categories whose values repeat")
    for column in columns:
        size = len(column.levels)
        total = np.bincount(column.codes[inside & (column.codes >= 0)], minlength=size)
        held = np.bincount(
            column.codes[context.held_out][column.codes[context.held_out] >= 0], minlength=size
        )
        looked += int((total > 0).sum())
        counts, times = np.unique(total[total > 0], return_counts=True)
        of_count = hypergeom.sf(counts - 1, n, n_held, counts)
        chances.append(np.repeat(of_count, times))
        for level in np.flatnonzero((held == total) & (total > 0)):
            chance = float(hypergeom.sf(total[level] - 1, n, n_held, total[level]))
            found.append((chance, column.name, int(total[level]), column, int(level)))
    found.sort(key=lambda entry: (entry[0], entry[1], entry[4]))
    # frequent values cannot all be held out, and cost nothing: the chance that any value of as small a chance is
    ordered = np.sort(np.concatenate(chances))
    total_chance = np.cumsum(ordered)
    adjusted = [
        min(1.0, float(total_chance[np.searchsorted(ordered, entry[0] * (1 + 1e-9), side="right") - 1]))
        for entry in found
    ]
    best = adjusted[0] if found else 1.0
    rows = sum(entry[2] for entry in found)
    common: dict[str, Any] = {
        "effect": rows / max(1, n_held),
        "effect_name": "share of held-out rows with a new value (columns added up)",
        "evidence": [
            {"column": name, "value": str(column.levels[level]), "held-out rows": count}
            for _, name, count, column, level in found[:10]
        ],
    }
    hits = [entry for entry, chance in zip(found, adjusted, strict=True) if chance < context.level]
    if context.units is not None or context.time is not None:
        hits, best = [], 1.0  # whole groups, or later rows, bring their own values
    if not hits:
        return Finding(
            "clean",
            f"{len(found):,} of {looked:,} values are in held-out rows only ({rows:,} rows)"
            + (", as rare values are by chance." if found else "."),
            p_value=best,
            **common,
        )
    names = list(dict.fromkeys(entry[1] for entry in hits))
    held_rows = np.unique(
        np.concatenate([np.flatnonzero(inside & (entry[3].codes == entry[4])) for entry in hits])
    ).astype(np.int64)
    return Finding(
        "caution",
        f"{len(hits)} value{'s' if len(hits) > 1 else ''} of {', '.join(names[:5])} ({len(held_rows):,} held-out rows)"
        " never occur in training, more than chance would keep out.",
        p_value=best,
        columns=names,
        rows=held_rows,
        remedy=split_again(context, stratify=names[0]),
        **common,
    )
