"""SPL201: one column alone tells the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.ahead import ahead_of_all
from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.scores import ColumnScore, chance_band, column_scores
from splitleak.statistics import holm_in_reach

_GAP = 4.0  # how many times less the next column leaves open, before one is called a leak
_LEVELS_PER_CLASS = (
    10  # a category with more levels is an identity (a patient, a site), not a copy of the classes
)
_SHOWN = 10
_LEAST_ROWS = 30


class Reason(NamedTuple):
    """How bad a column's score is, and what makes it so."""

    grade: Literal["leak", "caution", "clean"]
    why: str


@probe(
    "SPL201",
    "One column gives the target away",
    needs=["target"],
    why="A column that was filled in after the outcome, or computed from it, is not there when a prediction is made.",
    bound="Composite null (an honest column stays at or below the limit), Holm over the columns in reach of it.",
)
def one_column(context: AuditContext) -> Finding:
    """Score each column alone, out of fold, against the limits of an honest one, and against all other columns.

    A column below the limits is a caution where it tells far more than a model of all others together, or far more than
    the next best; or where it determines a number nearly for three rows in four, whatever the rest does to R2.
    """
    assert context.target is not None
    scores = column_scores(context)
    if not scores:
        raise NotApplicable("no column of numbers, categories, times or vectors")
    n = next(iter(scores.values())).n
    if n < _LEAST_ROWS:
        raise NotApplicable(f"only {n} rows have a known target; at least {_LEAST_ROWS} are needed")
    regression = context.target.task == "regression"
    kind = "r2" if regression else "auc"
    ordered = sorted(scores.values(), key=lambda s: (-s.value, s.column.name))
    caution, leak = context.limits[f"{kind}_caution"], context.limits[f"{kind}_leak"]
    p_caution, p_leak = (
        holm_in_reach([s.p_above(limit, regression=regression) for s in ordered]) for limit in (caution, leak)
    )
    sure = [
        s
        for s, p in zip(ordered, p_leak, strict=True)
        if p < context.level and _stands_out(s, ordered, caution) and not _is_identity(s, context)
    ]
    strong = [s for s, p in zip(ordered, p_caution, strict=True) if p < context.alpha]
    if sure:
        return _finding(
            context, ordered, sure, p_leak, Reason("leak", f"beyond {leak:g} and far ahead of the others")
        )
    if strong:
        return _finding(context, ordered, strong, p_caution, Reason("caution", f"beyond {caution:g}"))
    found, p_values, why = _near_number(context, ordered) if regression else ([], p_caution, "")
    if not found:
        found, p_ahead, why = ahead_of_all(context, ordered)
        p_values = p_ahead if found else p_caution
    return _finding(context, ordered, found, p_values, Reason("caution" if found else "clean", why))


def _near_number(
    context: AuditContext, ordered: Sequence[ColumnScore]
) -> tuple[list[ColumnScore], NDArray[np.float64], str]:
    """Return the columns that determine a number nearly for most rows, whatever the variance of the rest."""
    limit = context.limits["near_caution"]
    p = holm_in_reach([s.p_near(limit) for s in ordered])
    found = [s for s, chance in zip(ordered, p, strict=True) if chance < context.alpha]
    share = max((s.near_share for s in found), default=0.0)
    return found, p, f"{share:.1%} of the rows lie within a twentieth of the ranks of what it says"


def _stands_out(score: ColumnScore, ordered: Sequence[ColumnScore], honest: float) -> bool:
    """Return whether a column leaves far less open than the best column that is no twin of it.

    Where several columns are that good, or there is no other column, the problem may just be easy.
    """
    if len(ordered) < 3:
        return False
    others = [s for s in ordered if s is not score]
    open_ = max(1 - score.value, score.error / 2, 1e-9)
    # a second leak must not hide the first: the third best is asked as well, against a wider gap, and may not be
    # beyond the limit of an honest column itself
    first, second = (max(1 - s.value, 1e-9) for s in others[:2])
    return first >= _GAP * open_ or (second >= 2 * _GAP * open_ and second >= 1 - honest)


def _is_identity(score: ColumnScore, context: AuditContext) -> bool:
    assert context.target is not None
    classes = max(2, len(context.target.levels))
    return score.column.kind == "category" and len(score.column.levels) > _LEVELS_PER_CLASS * classes


def _finding(
    context: AuditContext,
    ordered: Sequence[ColumnScore],
    found: Sequence[ColumnScore],
    p_values: NDArray[np.float64],
    reason: Reason,
) -> Finding:
    assert context.target is not None
    regression = context.target.task == "regression"
    measure = "R2" if regression else "AUC"
    best = ordered[0]
    shown = [
        {
            "column": s.column.name,
            measure: round(s.value, 4),
            "error": round(s.error, 4),
            "kind": s.column.kind,
        }
        for s in ordered[:_SHOWN]
    ]
    picture = {
        "kind": "bars",
        "labels": [s.column.name for s in ordered[:_SHOWN]],
        "values": [s.value for s in ordered[:_SHOWN]],
        "low": [max(0.0, s.value - 1.96 * s.error) for s in ordered[:_SHOWN]],
        "high": [min(1.0, s.value + 1.96 * s.error) for s in ordered[:_SHOWN]],
        "limits": [
            {"value": context.limits[f"{measure.lower()}_{grade}"], "name": grade}
            for grade in ("caution", "leak")
        ],
        "band": chance_band(context, ordered),
        "unit": f"{measure} of the column alone",
    }
    top = found[0] if found else best
    common: dict[str, Any] = {
        "effect": top.value,
        "effect_name": f"{measure} of the column alone",
        "interval": (max(0.0, top.value - 1.96 * top.error), min(1.0, top.value + 1.96 * top.error)),
        "p_value": float(p_values.min()),
        "evidence": shown,
        "picture": picture,
    }
    if not found:
        return Finding(
            "clean",
            f"No column alone tells the target: the best, {best.column.name}, reaches {measure} {best.value:.3f}"
            f" out of fold (caution above {context.limits[f'{measure.lower()}_caution']:g}).",
            **common,
        )
    dropped = list(dict.fromkeys(s.column.part_of or s.column.name for s in found))
    names = [s.column.name for s in found]
    which = names[0] if len(names) == 1 else f"{len(names)} columns ({', '.join(names[:5])}) each"
    text = f"{which} alone tells the target: {measure} {top.value:.4f} out of fold on {top.n:,} rows, {reason.why}."
    if reason.grade == "leak":
        text += " Was it known before the outcome?"
    else:
        text += " That may be honest (an easy problem) or not: was it known before the outcome?"
    return Finding(
        reason.grade,
        text,
        columns=dropped,
        remedy=f"df = df.drop(columns={dropped!r})",
        impact_of="columns",
        **common,
    )
