"""What a finding is worth in score: a quick model with and without the rows or columns concerned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding
from splitleak.probes.context import AuditContext
from splitleak.probes.metrics import Metric, metric_of
from splitleak.probes.quick_model import predict, predict_out_of_fold, usable_columns
from splitleak.report import Impact

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_ROWS, _FAST_ROWS = 3_000, 1_500  # fitted, and as many scored
_TREES, _FAST_TREES = 60, 40
_FOLDS = 5
_LEAST_FITTED = 20
_LEAST_SCORED = 10
_DRAWS, _FAST_DRAWS = 200, 100  # of the bootstrap
_Z = 1.959964  # 95 %


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two sets of predictions of the same rows, of which the second is scored on those where `kept`."""

    rows: Ints
    one: Floats
    two: Floats
    kept: NDArray[np.bool_]


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
    if context.target is None:
        return None
    metric = metric_of(context.metric, context.target)
    if finding.impact_of == "columns":
        pair = _without_columns(context, finding)
        what = f"{len(finding.columns):,} column{'s' * (len(finding.columns) != 1)}"
    elif finding.impact_of == "rows" and len(finding.rows):
        partners = np.unique(finding.partners[np.isin(finding.partners, context.train)])
        if len(partners):
            pair = _without_partners(context, finding, partners)
            what = f"{len(partners):,} training rows"
        else:
            pair = _without_rows(context, finding)
            where = "held-out rows" if context.names else "rows"
            what = f"{len(np.unique(finding.rows)):,} {where}, in scoring"
    else:
        return None
    return None if pair is None else _compared(context, metric, pair, what)


def _without_columns(context: AuditContext, finding: Finding) -> _Pair | None:
    named = set(finding.columns)
    columns = usable_columns(context, always=finding.columns)
    rest = [column for column in columns if column.name not in named]
    if len(rest) == len(columns):
        return None
    fit, score = _drawn(context)
    one = _predicted(context, columns, fit, score)
    two = _predicted(context, rest, fit, score)
    if one is None or two is None:
        return None
    return _Pair(score, one, two, np.ones(len(score), dtype=bool))


def _without_partners(context: AuditContext, finding: Finding, partners: Ints) -> _Pair | None:
    columns = usable_columns(context)
    fit, score = _drawn(context)
    scored = np.isin(finding.rows, score)
    of_scored = np.intersect1d(
        finding.partners[scored], partners
    )  # a sample must not lose the copies of its rows
    assert context.target is not None
    fit = np.union1d(fit, of_scored[context.target.known[of_scored]])
    one = _predicted(context, columns, fit, score)
    two = _predicted(context, columns, fit, score, without=partners)
    if one is None or two is None:
        return None
    return _Pair(score, one, two, np.ones(len(score), dtype=bool))


def _without_rows(context: AuditContext, finding: Finding) -> _Pair | None:
    fit, score = _drawn(context)
    predicted = _predicted(context, usable_columns(context), fit, score)
    kept = ~np.isin(score, finding.rows)
    if predicted is None or kept.all() or kept.sum() < _LEAST_SCORED:
        return None
    return _Pair(score, predicted, predicted, kept)


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
    context: AuditContext, columns: list[Any], fit: Ints, score: Ints, *, without: Ints | None = None
) -> Floats | None:
    """Return predictions of the rows to score by a model of the rows to fit; None where there are too few."""
    key = ("impact", tuple(c.name for c in columns), fit.tobytes(), score.tobytes())
    if without is None and key in context.memo.get("impact", {}):
        known: Floats = context.memo["impact"][key]
        return known
    trees = _FAST_TREES if context.fast else _TREES
    used = fit if without is None else np.setdiff1d(fit, without)
    if min(len(fit), len(used)) < _LEAST_FITTED or len(score) < _LEAST_SCORED:
        return None
    if context.names:
        return _kept(context, key, without, predict(context, columns, used, score, trees=trees))
    folds = context.folds(_FOLDS, "impact", rows=score)
    if len(np.unique(folds)) < 2:
        return None
    if without is None:
        found = predict_out_of_fold(context, columns, score, folds, trees=trees)
        return _kept(context, key, without, found)
    parts = []
    for fold in np.unique(folds):  # the partners are left out of the fitted rows only, and still scored
        rows = np.setdiff1d(score[folds != fold], without)
        if not len(rows):
            return None
        parts.append((folds == fold, predict(context, columns, rows, score[folds == fold], trees=trees)))
    out = np.zeros((len(score), *parts[0][1].shape[1:]))
    for inside, part in parts:
        out[inside] = part
    return out


def _kept(context: AuditContext, key: Any, without: Ints | None, found: Floats) -> Floats:
    if without is None:
        context.memo.setdefault("impact", {})[key] = found
    return found


def _compared(context: AuditContext, metric: Metric, pair: _Pair, what: str) -> Impact | None:
    target = context.target
    assert target is not None
    outcome = (target.values if target.task == "regression" else target.codes)[pair.rows]
    kept = pair.kept
    try:
        with_leak = metric.value(pair.one, outcome)
        without = metric.value(pair.two[kept], outcome[kept])
    except ValueError:  # one class, a constant outcome: the score is not defined
        return None
    if not np.isfinite([with_leak, without]).all():
        return None
    units = None if context.units is None else context.units[pair.rows]
    if metric.influence is None:
        error = _bootstrap_error(context, metric, pair, outcome, units)
    else:
        moved = metric.influence(pair.one, outcome)
        moved[kept] -= metric.influence(pair.two[kept], outcome[kept])
        if units is not None:  # rows of a unit move together
            moved = np.asarray(np.bincount(np.unique(units, return_inverse=True)[1], moved), dtype=np.float64)
        error = float(np.sqrt((moved**2).sum()))
    if error is None:
        return None
    difference = with_leak - without
    interval = (difference - _Z * error, difference + _Z * error)
    return Impact(metric.name, with_leak, without, difference, interval, what)


def _bootstrap_error(
    context: AuditContext, metric: Metric, pair: _Pair, outcome: Any, units: Ints | None
) -> float | None:
    """Return the standard error of the difference over resampled rows, whole units where there are such.

    Classes keep their numbers of rows where rows are drawn singly, so that none vanishes.
    """
    rng = context.rng("impact bootstrap")
    n = len(outcome)
    draws = _FAST_DRAWS if context.fast else _DRAWS
    classes = np.zeros(n, dtype=np.int64) if context.target.task == "regression" else outcome  # type: ignore[union-attr]
    members = _members(classes if units is None else units)
    found = []
    for _ in range(draws):
        if units is None:
            rows = np.concatenate([rng.choice(m, len(m)) for m in members])
        else:
            rows = np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
        kept = rows[pair.kept[rows]]
        try:
            found.append(
                metric.value(pair.one[rows], outcome[rows]) - metric.value(pair.two[kept], outcome[kept])
            )
        except ValueError:
            continue
    values = np.array(found)[np.isfinite(found)]
    return float(values.std(ddof=1)) if len(values) >= draws / 2 else None


def _members(labels: Ints) -> list[Ints]:
    order = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.unique(labels, return_counts=True)[1])[:-1]
    return list(np.split(order, ends))
