"""SPL302: a column of times that the split ignores, in data that change with time."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.remedies import split_again
from splitleak.statistics import auc, holm

_MOST_ROWS = 20_000
_MOST_NUMBERS = 200
_LEAST_ROWS = 40
_OF_RECORDING = frozenset({  # a year of these is when the row was recorded; "year built" is a property of it
    "year", "yr", "obs", "observation", "observed", "survey", "sample", "sampling", "collection", "collected", "visit",
    "exam", "admission", "sold", "sale", "report", "season", "of", "date", "time", "start", "created", "recorded",
    "record", "measurement", "calendar", "fiscal", "tax", "panel", "wave", "the",
})  # fmt: skip
_OVERLAP = 0.05  # of the held-out rows must lie before the last training rows
_AHEAD = 0.95  # chance that a held-out row is later than a training row, from which on a split is by time
_CHANGE = 0.15  # rank correlation with time that is worth speaking of


@probe(
    "SPL302",
    "The split ignores a column of times",
    needs=["split"],
    why="If the model is to be used on what comes later, a random split tests it on its own past.",
    bound="Rank tests of the target and the numbers against time, Holm over all; a caution.",
)
def time_columns(context: AuditContext) -> Finding:
    """Look for dates (or years) that train and held-out rows share, and with which the target or features move."""
    if context.time is not None:
        raise NotApplicable("the time is declared; see SPL301")
    times = [column for column in context.columns.values() if is_time(column)]
    if not times:
        raise NotApplicable("no column holds dates or years")
    found = []
    dated: list[tuple[str, float]] = []
    for column in times:
        overlap, ahead = _overlap(context, column)
        if overlap > _OVERLAP and ahead < _AHEAD:
            size, p, other = _drift(context, column)
            found.append((p, -size, column.name, overlap, other))
            if column.kind == "time" and not _of_birth(column.name):
                dated.append((column.name, overlap))
    if not found:
        names = ", ".join(column.name for column in times[:5])
        return Finding("clean", f"Held-out rows are later than training rows by {names}.")
    adjusted = holm([p for p, *_ in found])
    hits = sorted(
        (
            entry
            for entry, p in zip(found, adjusted, strict=True)
            if p < context.level and -entry[1] >= _CHANGE
        ),
        key=lambda entry: (entry[1], entry[2]),
    )
    if not hits and dated:
        name, overlap = dated[0]
        return Finding(
            "caution",
            f"{overlap:.0%} of the held-out rows are not later than the training rows by {name}; no drift with it was"
            " seen. If the model is for later rows, split by time, or declare time= to have it checked.",
            overlap,
            "share of held-out rows not later than training",
            p_value=float(adjusted.min()),
            columns=[name for name, _ in dated],
            remedy=split_again(context, time=name, on_infeasible="drop"),
        )
    if not hits:
        return Finding(
            "clean",
            f"The split ignores {', '.join(name for _, _, name, _, _ in found[:5])}; neither the target nor the numbers"
            " move with it.",
            p_value=float(adjusted.min()),
        )
    _, size, name, overlap, other = hits[0]
    return Finding(
        "caution",
        f"{overlap:.0%} of the held-out rows are not later than the training rows by {name}, and {other} moves with it"
        f" (rank correlation {-size:.2f}). If the model is for later rows, split by time.",
        -size,
        "rank correlation with time",
        p_value=float(adjusted.min()),
        columns=[hit[2] for hit in hits],
        remedy=split_again(context, time=name, on_infeasible="drop"),
        evidence=[{"column": h[2], "moves": h[4], "rank correlation": round(-h[1], 3)} for h in hits],
    )


def is_time(column: AuditColumn) -> bool:
    """Return whether a column holds dates, or whole numbers named and sized as years or seconds since 1970."""
    if column.kind == "time":
        return True
    if column.kind != "numeric" or not column.integer:
        return False
    words = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.name).lower()))
    known = column.values[~column.missing]
    low, high = float(known.min()), float(known.max())
    years = bool(words & {"year", "yr"}) and words <= _OF_RECORDING and low >= 1900 and high <= 2100
    stamps = bool(
        words & {"timestamp", "time", "date", "datetime", "epoch", "unix", "created", "updated", "at"}
    )
    return years or (stamps and ((low >= 1e8 and high <= 4e9) or (low >= 1e11 and high <= 4e12)))


def _of_birth(name: str) -> bool:
    return bool(re.search(r"birth|born|dob", name.lower()))


def _overlap(context: AuditContext, column: AuditColumn) -> tuple[float, float]:
    """Return the share of held-out rows not later than 95 % of the training rows, and how far they are ahead."""
    train, held = (v[~np.isnan(v)] for v in (column.values[context.train], column.values[context.held_out]))
    if len(train) < 2 or len(held) < 2:
        return 0.0, 1.0
    labels = np.concatenate([np.zeros(len(train), dtype=bool), np.ones(len(held), dtype=bool)])
    ahead = auc(np.concatenate([train, held]), labels).value
    return float((held < np.quantile(train, 0.95)).mean()), ahead


def _drift(context: AuditContext, column: AuditColumn) -> tuple[float, float, str]:
    """Return the largest rank correlation of time with the target or a number, its adjusted chance, and with what."""
    rows = context.sample(np.flatnonzero(~column.missing), _MOST_ROWS, f"SPL302 {column.name}")
    if len(rows) < _LEAST_ROWS:
        return 0.0, 1.0, ""
    others: list[tuple[str, NDArray[np.float64]]] = []
    target = context.target
    if target is not None:
        if target.task == "regression":
            others.append((target.name, target.values[rows]))
        else:
            others += [
                (target.name, (target.codes[rows] == k) * 1.0) for k in range(min(len(target.levels), 20))
            ]
    numbers = [c for c in context.of_kind("numeric") if c.name != column.name]
    if len(numbers) > _MOST_NUMBERS:
        context.looked("columns", _MOST_NUMBERS, len(numbers))
    others += [(c.name, c.values[rows]) for c in numbers[:_MOST_NUMBERS]]
    tests = [_rank_correlation(column.values[rows], values) for _, values in others]
    if not tests:
        return 0.0, 1.0, ""
    adjusted = holm([p for _, p in tests])
    best = max(range(len(tests)), key=lambda i: (tests[i][0] if adjusted[i] < context.level else 0.0, -i))
    return tests[best][0], float(adjusted[best]), others[best][0]


def _rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    from scipy.stats import spearmanr

    known = ~np.isnan(y)
    x, y = x[known], y[known]
    if len(y) < _LEAST_ROWS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0, 1.0
    test = spearmanr(x, y)
    return abs(float(test.statistic)), float(test.pvalue)
