"""SPL113: a column that is the mean of the target of the rows that hold it, test rows included."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.remedies import fit_on_train

Floats = NDArray[np.float64]
_EXACT = 1e-9
_LEAST_LEVELS = 3
_TIED = 0.5  # of the rows must share their value with another
_MOST_LEVELS = 0.5  # levels as a share of the rows
_MOST_CLASSES = 20
_MULTIPLES = 30  # levels whose (sum, count) are equal merge: the weight shows as a multiple
_SMOOTHED_LEVELS = 6
_MOST_INTEGERS = 2  # a column of whole numbers is no mean


@probe(
    "SPL113",
    "Target means were computed on all rows",
    needs=["split", "target"],
    why="A category that is replaced by the mean of the target carries the labels of the test rows.",
    bound="Equal to rounding at every level of the column on all rows and not on train's, which chance does not give.",
)
def target_encoding(context: AuditContext) -> Finding:
    """Look for columns whose every value is the (smoothed) mean target of its rows."""
    assert context.target is not None
    rows = np.flatnonzero((context.codes >= 0) & context.target.known)
    train = np.flatnonzero((context.codes == 0) & context.target.known)
    if len(train) < 10 or len(rows) - len(train) < 3:
        raise NotApplicable("fewer than 10 training or 3 held-out rows have a known target")
    candidates = [c for c in context.of_kind("numeric") if _could_be(c, rows)]
    if not candidates:
        raise NotApplicable("no number repeats its values as the code of a category does")
    leaks, inside = [], []
    for column in candidates:
        for outcome in _outcomes(context):
            grade = _compare(column.values, outcome, rows, train)
            if grade in ("all rows", "smoothed over all rows"):
                leaks.append((column.name, grade))
                break
            if grade == "training rows":
                inside.append((column.name, grade))
                break
    names = [name for name, _ in leaks or inside]
    evidence = [{"column": name, "is the mean target of": grade} for name, grade in leaks + inside]
    if not names:
        return Finding(
            "clean", f"None of {len(candidates)} numbers with repeated values is a mean of the target."
        )
    common = {"columns": names, "evidence": evidence, "effect_name": "columns encoded so"}
    if leaks:
        return Finding(
            "leak",
            f"{', '.join(names[:5])} equals, at every value, the mean target of the rows that hold it, training and"
            " held-out rows together: the encoding was fitted on all rows.",
            float(len(names)),
            remedy=fit_on_train(context, names, "TargetEncoder", "preprocessing", supervised=True),
            impact_of="columns",
            **common,  # type: ignore[arg-type]
        )
    return Finding(
        "caution",
        f"{', '.join(names[:5])} equals, at every value, the mean target of its training rows, the row's own included:"
        " in training it knows the answer better than it will in use.",
        float(len(names)),
        remedy=fit_on_train(context, names, "TargetEncoder", "preprocessing", supervised=True),
        **common,  # type: ignore[arg-type]
    )


def _could_be(column: AuditColumn, rows: NDArray[np.int64]) -> bool:
    if column.integer or column.missing[rows].any() or not len(column.levels) >= _LEAST_LEVELS:
        return False
    if len(column.levels) > _MOST_LEVELS * len(rows):
        return False
    return bool(column.counts[column.counts >= 2].sum() >= _TIED * len(rows))


def _outcomes(context: AuditContext) -> list[Floats]:
    """Return what may have been averaged: the number itself, or each class as 0 and 1 (and codes that are numbers)."""
    target = context.target
    assert target is not None
    if target.task == "regression":
        return [target.values]
    found = [(target.codes == k) * 1.0 for k in range(min(len(target.levels), _MOST_CLASSES))]
    if target.task == "binary":
        found = found[1:] + found[:1]
    if all(isinstance(level, (int, float)) and not isinstance(level, bool) for level in target.levels):
        values = np.array([float(level) for level in target.levels])
        found.append(values[np.maximum(target.codes, 0)])
    return found


def _sums(values: Floats, outcome: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the repeated values, and the sum and number of outcomes at each."""
    levels, inverse, number = np.unique(values, return_inverse=True, return_counts=True)
    count = number.astype(np.float64)
    total = np.bincount(inverse, outcome).astype(np.float64)
    several = count >= 2
    return levels[several], total[several], count[several]


def _compare(values: Floats, outcome: Floats, rows: NDArray[np.int64], train: NDArray[np.int64]) -> str:
    """Return of which rows a column is the mean outcome: "all rows", "training rows", ..., or ""."""
    level, total, count = _sums(values[rows], outcome[rows])
    level_train, total_train, count_train = _sums(values[train], outcome[train])
    if len(level) < _LEAST_LEVELS or len(level_train) < _LEAST_LEVELS or np.ptp(level) < 1e-6:
        return ""
    scale = max(1.0, float(np.abs(outcome).max()))
    pooled = np.abs(level - total / count) < _EXACT * scale
    of_train = np.abs(level_train - total_train / count_train) < _EXACT * scale
    mixed = np.unique(level[pooled])
    # pure levels (means of exactly 0 or 1) agree in both, and say nothing
    telling = np.count_nonzero((mixed > outcome.min()) & (mixed < outcome.max()))
    if pooled.mean() > 0.99 and of_train.mean() < 0.9 and telling >= _LEAST_LEVELS:
        return "all rows"
    if of_train.mean() > 0.99 and pooled.mean() < 0.9 and len(level_train) > _LEAST_LEVELS:
        return "training rows"
    return "smoothed over all rows" if _smoothed(level, total, count, float(outcome[rows].mean())) else ""


def _smoothed(level: Floats, total: Floats, count: Floats, mean: float) -> bool:
    """Return whether ``(total + a * mean) / (count + a)`` gives the levels with one constant a."""
    with np.errstate(all="ignore"):
        weight = (level * count - total) / (mean - level)
    weight = weight[np.isfinite(weight) & (np.abs(mean - level) > 1e-6)]
    if len(weight) < _LEAST_LEVELS or not (weight > _EXACT).any():
        return False
    if weight.min() > 1e-3 and np.ptp(weight) < 1e-6 * weight.min():
        return True  # one unknown, at least three equations
    if len(weight) < _SMOOTHED_LEVELS:
        return False
    base = float(weight[weight > _EXACT].min())
    for parts in range(1, _MULTIPLES + 1):
        ratio = weight / (base / parts)
        whole = np.abs(ratio - np.round(ratio)) < 1e-5
        if whole.mean() > 0.95 and (np.round(ratio) >= 1).mean() > 0.95 and base / parts > 1e-3:
            return True
    return False
