"""What a finding is worth in score: a quick model with and without the rows or columns concerned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probe_result import LARGE, Impact, ProbeResult
from splitleak.probes.base import Finding
from splitleak.probes.context import AuditContext
from splitleak.probes.metrics import metric_of
from splitleak.probes.quick_model import predict, predict_out_of_fold, usable_columns
from splitleak.score_difference import Pair, compared

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_ROWS, _FAST_ROWS = 3_000, 1_500  # fitted, and as many scored
_TREES, _FAST_TREES = 60, 40
_FOLDS = 5
_LEAST_FITTED = 20
_LEAST_SCORED = 10


@dataclass(frozen=True, eq=False)
class _Without:
    """What a model is to do without.

    Attributes
    ----------
    columns : frozenset of str
        Features.
    scored, partners : int64 arrays
        Held-out rows with training rows that tell their outcome; those training rows are not fitted on.
    rows : int64 array
        Rows that are not scored.
    """

    columns: frozenset[str]
    scored: Ints
    partners: Ints
    rows: Ints

    @classmethod
    def of(cls, context: AuditContext, finding: Finding) -> _Without | None:
        """Return what a finding names; None: nothing that could be left out."""
        none = np.zeros(0, dtype=np.int64)
        if finding.impact_of == "columns":
            usable = {column.name for column in usable_columns(context, always=finding.columns)}
            named = frozenset(finding.columns) & usable
            return cls(named, none, none, none) if named else None
        if finding.impact_of != "rows" or not len(finding.rows):
            return None
        if context.images or not usable_columns(context):
            return (
                None  # the quick model sees no pictures: to it, rows whose pictures are copies are strangers
            )
        fitted = np.isin(finding.partners, context.train)
        if fitted.any():
            return cls(frozenset(), finding.rows[fitted], finding.partners[fitted], none)
        return cls(frozenset(), none, none, np.unique(finding.rows))

    @classmethod
    def all_of(cls, parts: Sequence[_Without]) -> _Without:
        """Return several together."""
        none = np.zeros(0, dtype=np.int64)
        stacked = [
            np.concatenate([getattr(part, name) for part in parts] or [none])
            for name in ("scored", "partners", "rows")
        ]
        return cls(frozenset().union(*(part.columns for part in parts)), *stacked)

    def told(self, context: AuditContext) -> str:
        """Return what is left out, in words."""
        where = "held-out rows" if context.names else "rows"
        partners = len(np.unique(self.partners))
        parts = [f"{len(self.columns):,} column{'s' * (len(self.columns) != 1)}"] if self.columns else []
        parts += [f"{partners:,} training row{'s' * (partners != 1)}"] if partners else []
        parts += [f"{len(np.unique(self.rows)):,} {where}, in scoring"] if len(self.rows) else []
        return " and ".join(parts)


_NOTHING = _Without.all_of([])


def measure_impact(context: AuditContext, finding: Finding) -> Impact | None:
    """Return the change of the score when a finding's rows or columns are left out; None: cannot be measured.

    The model is extremely randomised trees, fitted on training rows and scored on held-out rows (without a split:
    out of fold); of large data both are samples. It is a quick model: what the finding is worth to another one may
    differ, and the interval says nothing about that.

    Parameters
    ----------
    context : AuditContext
        What is audited; without a target nothing can be measured.
    finding : Finding
        Its `impact_of` says what to leave out: "columns", or "rows" (their training partners where `partners` names
        them, else the held-out rows themselves).

    Returns
    -------
    Impact or None
        None without a target, where nothing is named, where too few rows or one class only would be left, and where
        the metric is not defined on what is left.
    """
    without = _Without.of(context, finding)
    return None if without is None else _measured(context, without)


def with_joint_impact(
    context: AuditContext, results: Sequence[ProbeResult], findings: Mapping[str, Finding]
) -> tuple[list[ProbeResult], Impact | None]:
    """Return what all leaks (without any, all cautions) are worth together; None: fewer than two can be measured.

    Of two columns that say the same each alone is worth nothing, since the other remains. Results of which that is
    so have what they are worth as the last of all, as ``impact.last``.
    """
    live = [result for result in results if result.muted is None and result.code in findings]
    for status in ("leak", "caution"):
        chosen = {r.code: _Without.of(context, findings[r.code]) for r in live if r.status == status}
        if chosen:
            break
    parts = {code: part for code, part in chosen.items() if part is not None}
    together = _measured(context, _Without.all_of(list(parts.values()))) if len(parts) > 1 else None
    if together is None or (together.share or 0.0) < LARGE:
        return list(results), together
    return [
        _with_last(context, result, parts) if result.code in parts else result for result in results
    ], together


def _with_last(context: AuditContext, result: ProbeResult, parts: Mapping[str, _Without]) -> ProbeResult:
    if result.impact is None or (result.impact.share or 0.0) >= LARGE:
        return result
    others = _Without.all_of([part for code, part in parts.items() if code != result.code])
    last = _measured(context, _Without.all_of(list(parts.values())), before=others)
    if last is None:
        return result
    return replace(result, impact=replace(result.impact, last=last.difference))


def _measured(context: AuditContext, without: _Without, before: _Without = _NOTHING) -> Impact | None:
    """Return the score without `before`, and without all of `without`."""
    if context.target is None:
        return None
    metric = metric_of(context.metric, context.target)
    fit, score = _drawn(context)
    scored = np.isin(without.scored, score)
    of_scored = np.unique(without.partners[scored])  # a sample must not lose the copies of its rows
    fit = np.union1d(fit, of_scored[context.target.known[of_scored]])
    one = _predicted(context, before, without.columns, fit, score)
    same = without.columns == before.columns and not len(without.partners)
    two = one if same else _predicted(context, without, without.columns, fit, score)
    if one is None or two is None:
        return None
    kept = ~np.isin(score, without.rows)
    if len(without.rows) and (kept.all() or kept.sum() < _LEAST_SCORED):
        return None
    pair = Pair(score, one, two, kept)
    return compared(context, metric, pair, without.told(context))


def _drawn(context: AuditContext) -> tuple[Ints, Ints]:
    """Return rows to fit on and rows to score; without a split the same ones."""
    assert context.target is not None
    most = _FAST_ROWS if context.fast else _ROWS
    known = context.target.known
    fit = context.sample(context.train[known[context.train]], most, "impact train")
    if not context.names:
        return fit, fit
    return fit, context.sample(context.held_out[known[context.held_out]], most, "impact held-out")


def _predicted(
    context: AuditContext, without: _Without, always: Iterable[str], fit: Ints, score: Ints
) -> Floats | None:
    """Return predictions of the rows to score by a model of the rows to fit; None where there are too few.

    Of very many columns a draw is seen, and `always`, so that it is the same with and without what is left out.
    """
    columns = [c for c in usable_columns(context, always=sorted(always)) if c.name not in without.columns]
    used = np.setdiff1d(fit, without.partners)
    if min(len(fit), len(used)) < _LEAST_FITTED or len(score) < _LEAST_SCORED:
        return None
    key = (tuple(c.name for c in columns), used.tobytes(), score.tobytes())
    known: dict[Any, Floats | None] = context.memo.setdefault("impact", {})
    if key not in known:
        known[key] = _fitted_and_scored(context, columns, fit, used, score)
    return known[key]


def _fitted_and_scored(
    context: AuditContext, columns: list[Any], fit: Ints, used: Ints, score: Ints
) -> Floats | None:
    trees = _FAST_TREES if context.fast else _TREES
    if context.names:
        return predict(context, columns, used, score, trees=trees)
    folds = context.folds(_FOLDS, "impact", rows=score)
    if len(np.unique(folds)) < 2:
        return None
    if len(used) == len(fit):
        return predict_out_of_fold(context, columns, score, folds, trees=trees)
    parts = []
    for fold in np.unique(folds):  # what is left out is left out of the fitted rows only, and still scored
        rows = np.intersect1d(score[folds != fold], used)
        if not len(rows):
            return None
        parts.append((folds == fold, predict(context, columns, rows, score[folds == fold], trees=trees)))
    out = np.zeros((len(score), *parts[0][1].shape[1:]))
    for inside, part in parts:
        out[inside] = part
    return out
