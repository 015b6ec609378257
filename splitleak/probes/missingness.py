"""SPL202: whether a value is missing tells the target."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.scores import scored_rows
from splitleak.statistics import Auc, auc, holm_in_reach, normal_tail

_LEAST = 8  # rows with, and rows without the value
_PURE_SHARE = 0.02  # of the rows, before "all of one class" is worth saying
_PURE_P = 1e-6


@probe(
    "SPL202",
    "Missing values give the target away",
    needs=["target"],
    why="A value that is filled in only after the outcome (a cause of death, a closing date) betrays it.",
    bound="Composite null (an honest mask stays at or below the limit), Holm; of a number to predict never a leak.",
)
def missingness(context: AuditContext) -> Finding:
    """Score the mask of each column with missing values against each class, or against the target's ranks."""
    assert context.target is not None
    rows = scored_rows(context)
    masks: dict[bytes, tuple[NDArray[np.bool_], list[str]]] = {}
    for column in context.columns.values():
        mask = column.missing[rows]
        if column.kind != "unusable" and _LEAST <= mask.sum() <= len(mask) - _LEAST:
            key = (
                mask.tobytes() if not mask[0] else (~mask).tobytes()
            )  # columns that are missing together are one
            masks.setdefault(key, (mask, []))[1].append(column.name)
    if not masks:
        raise NotApplicable(f"no column has at least {_LEAST} missing and {_LEAST} known values")
    found = [
        (_best(mask, context, rows), _pure(mask, context, rows), names) for mask, names in masks.values()
    ]
    found.sort(key=lambda entry: (-entry[0].value, entry[2]))
    return _finding(context, found)


def _best(mask: NDArray[np.bool_], context: AuditContext, rows: NDArray[np.int64]) -> Auc:
    """Return the largest area of the mask or its opposite against one class and the rest.

    Of numbers, the chance that the target is larger (or smaller) where the value is missing.
    """
    assert context.target is not None
    codes, n_classes = context.target.codes[rows], len(context.target.levels)
    if context.target.task == "regression":
        values = context.target.values[rows]
        return max((auc(values, side) for side in (mask, ~mask)), key=lambda area: area.value)
    best = Auc.unknown(len(rows))
    for k in [1] if n_classes == 2 else range(n_classes):
        positive = codes == k
        if not 2 <= positive.sum() <= len(codes) - 2:
            continue
        for score in (mask, ~mask):
            area = auc(score, positive)
            if area.value > best.value:
                best = area
    return best


def _pure(mask: NDArray[np.bool_], context: AuditContext, rows: NDArray[np.int64]) -> float:
    """Return the chance that rows with (or without) the value all have one class that is not the common one."""
    assert context.target is not None
    chance, codes = 1.0, context.target.codes[rows]
    if context.target.task == "regression":
        return chance
    for inside in (mask, ~mask):
        classes = np.unique(codes[inside])
        if len(classes) == 1 and inside.mean() >= _PURE_SHARE:
            share = float((codes == classes[0]).mean())
            if share <= 0.5:
                chance = min(chance, share ** int(inside.sum()))
    return chance


def _finding(context: AuditContext, found: list[tuple[Auc, float, list[str]]]) -> Finding:
    caution, leak = context.limits["missing_auc_caution"], context.limits["missing_auc_leak"]
    p_caution, p_leak = (
        holm_in_reach([normal_tail((area.value - limit) / max(area.error, 1e-9)) for area, _, _ in found])
        for limit in (caution, leak)
    )
    sure = [i for i in range(len(found)) if p_leak[i] < context.level]
    assert context.target is not None
    if context.target.task == "regression":
        sure = []  # what is too small, too early or too few to be measured is missing honestly
    pure = [i for i, (_, chance, _) in enumerate(found) if chance * len(found) < _PURE_P]
    strong = sorted({*(i for i in range(len(found)) if p_caution[i] < context.alpha), *pure})
    hit = sure or strong
    best = found[hit[0] if hit else 0][0]
    common: dict[str, Any] = {
        "effect": best.value,
        "effect_name": "AUC of whether the value is missing",
        "interval": best.interval(),
        "p_value": float(min((p_leak if sure else p_caution).min(), 1.0)),
        "evidence": [
            {"column": ", ".join(names[:5]), "AUC": round(area.value, 4), "error": round(area.error, 4)}
            for area, _, names in found[:10]
        ],
    }
    if not hit:
        return Finding(
            "clean",
            f"Whether a value is missing tells little: AUC {best.value:.3f} at most (caution above {caution:g}).",
            **common,
        )
    names = [name for i in hit for name in found[i][2]]
    which = (
        names[0] if len(names) == 1 else f"{', '.join(names[:5])}{' and others' if len(names) > 5 else ''}"
    )
    extra = (
        "" if sure or p_caution.min() < context.alpha else "; all rows with (or without) it have one class"
    )
    return Finding(
        "leak" if sure else "caution",
        f"Whether {which} is missing tells the target: AUC {best.value:.3f}{extra}. Is the value filled in only after"
        " the outcome is known?",
        columns=names,
        remedy=f"df = df.drop(columns={names!r})",
        impact_of="columns",
        **common,
    )
