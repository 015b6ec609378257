"""SPL203: a value that occurs in one class only."""

from __future__ import annotations

import math

import numpy as np

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.scores import scored_rows

_SHARE = 0.02  # of the rows must have the value
_LEAST = 8
_COMMON = 0.65  # values of a class more common than that are often pure for honest reasons
_CHANCE = 1e-6
_UNRELATED = (
    0.25  # Cramer's V of the other values with the target: where they tell it as well, so may this one
)
_MOST_LEVELS = 1000
_CONTINUOUS = 0.5  # different values as a share of the rows, from which a frequent one is remarkable
_MOST_CLASSES = 5  # of many classes, traits that only one has are to be expected
_MOST_CODES = 30  # whole numbers with more different values are amounts, not codes


@probe(
    "SPL203",
    "A value occurs in one class only",
    needs=["target", "classes"],
    why="A code that is given to one class only (a ward, a form, a client) stands for the class.",
    bound="Binomial chance of purity below one in a million over all values looked at; never more than a caution.",
)
def one_class_values(context: AuditContext) -> Finding:
    """Look for categories whose rows all have one class, where the other values of the column say little."""
    assert context.target is not None
    rows = scored_rows(context)
    codes = context.target.codes[rows]
    n_classes = len(context.target.levels)
    if n_classes > _MOST_CLASSES:
        raise NotApplicable(
            f"of more than {_MOST_CLASSES} classes, traits that only one has are to be expected"
        )
    shares = np.bincount(codes, minlength=n_classes) / max(1, len(codes))
    looked, found = 0, []
    for column in context.of_kind("category", "numeric"):
        most = _MOST_LEVELS if column.kind == "category" else _MOST_CODES
        atoms = column.kind == "numeric" and len(column.levels) > _CONTINUOUS * context.n_rows
        if len(column.levels) > most and not atoms:
            continue
        inside = column.codes[rows] >= 0
        table = np.zeros((len(column.levels), n_classes), dtype=np.int64)
        np.add.at(table, (column.codes[rows][inside], codes[inside]), 1)
        count = table.sum(axis=1)
        large = count >= max(_LEAST, _SHARE * len(rows))
        looked += int(large.sum())
        pure = np.flatnonzero(large & (table.max(axis=1) == count))
        # a column all of whose values are pure is a copy of the classes, and SPL201's to name
        if not len(pure) or (len(pure) == large.sum() and not atoms):
            continue
        if atoms or _association(np.delete(table, pure, axis=0)) < _UNRELATED:
            found += [(column, int(level), int(table[level].argmax()), int(count[level])) for level in pure]
    if not looked:
        raise NotApplicable("no category has a value that at least 2 % of the rows share")
    hits = []
    for column, level, k, n in found:
        log_chance = n * math.log(max(shares[k], 1e-300)) + math.log(looked)
        if shares[k] <= _COMMON and log_chance < math.log(_CHANCE):
            hits.append((log_chance, column.name, column.levels[level], k, n))
    hits.sort(key=lambda hit: (hit[0], hit[1], str(hit[2])))
    if not hits:
        return Finding("clean", f"None of {looked:,} frequent values occurs in one class only.", p_value=1.0)
    names = list(dict.fromkeys(name for _, name, _, _, _ in hits))
    return Finding(
        "caution",
        f"{len(hits)} {'value' if len(hits) == 1 else 'values'} of {', '.join(names[:5])} occur in one class only"
        f" ({hits[0][4]:,} rows, all of one class). Is the value given because of the outcome?",
        hits[0][4] / len(rows),
        "share of rows with the value",
        p_value=min(1.0, math.exp(hits[0][0])),
        columns=names,
        remedy=f"df = df.drop(columns={names!r})",
        evidence=[
            {"column": name, "value": str(value), "class": str(context.target.levels[k]), "rows": n}
            for _, name, value, k, n in hits[:10]
        ],
        impact_of="columns",
    )


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
