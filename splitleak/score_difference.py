"""How much two sets of predictions of the same rows differ in score, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probe_result import Impact
from splitleak.probes.context import AuditContext, Target
from splitleak.probes.metrics import Metric

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_DRAWS, _FAST_DRAWS = 200, 100  # of the bootstrap
_Z = 1.959964  # 95 %


@dataclass(frozen=True, eq=False)
class Pair:
    """Two sets of predictions of the same rows, of which the second is scored on those where `kept`."""

    rows: Ints
    one: Floats
    two: Floats
    kept: NDArray[np.bool_]


def compared(context: AuditContext, metric: Metric, pair: Pair, what: str) -> Impact | None:
    """Return the scores of two sets of predictions, and the interval of their difference over the scored rows.

    None: the metric is not defined on these rows. Errors come from the rows' influence on the metric (for areas under
    the ROC curve, DeLong et al. 1988), else from a bootstrap; rows of a declared group move together.
    """
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
    best, scale = _scale(metric, target, context, outcome)
    return Impact(metric.name, with_leak, without, difference, interval, what, best, scale)


def _scale(metric: Metric, target: Target, context: AuditContext, outcome: Any) -> tuple[float, float | None]:
    """Return the best value of a metric on these rows, and what it gains over the same answer for all rows.

    The gain is 1 of scores whose best value is 1, which are shares of something already; of an error, its value for
    the mean (or the shares of the classes) of the training rows. None: the metric is not defined for one of them.
    """
    if target.task == "regression":
        known = context.train[target.known[context.train]]
        perfect: Floats = outcome
        flat = np.full(len(outcome), target.values[known].mean())
    else:
        perfect = np.eye(len(target.levels))[outcome]
        flat = np.tile(target.shares, (len(outcome), 1))
    try:
        best = metric.value(perfect, outcome)
        if best == 1:
            return 1.0, 1.0
        gain = best - metric.value(flat, outcome)
    except ValueError:
        return 1.0, None
    return float(best), float(gain) if np.isfinite(gain) and gain > 0 else None


def _bootstrap_error(
    context: AuditContext, metric: Metric, pair: Pair, outcome: Any, units: Ints | None
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
