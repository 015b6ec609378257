"""Is a column ahead of all others together? What an easy problem does not explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.context import AuditContext
from splitleak.probes.quick_model import predict_out_of_fold, usable_columns
from splitleak.probes.scores import ColumnScore, score_folds, scored_rows
from splitleak.statistics import holm_in_reach, mean_auc

_ALL = 2.0  # how many times as much a model of all other columns must leave open,
_NEXT = 5.0  # or the best single one of them, where the column is
_NEXT_CAUTION = 0.5  # of the way from the lower to the upper limit
_LEAST_OTHERS = 2
_MOST_ROWS = 4_000
_TREES = 40


def ahead_of_all(
    context: AuditContext, ordered: Sequence[ColumnScore]
) -> tuple[list[ColumnScore], NDArray[np.float64], str]:
    """Return the column that tells far more of the target than all others together, the p-values, and why.

    An honest strong column mostly stands among others that know the same thing: on the real tables that were looked
    at, either another column comes near, or all others together do.

    Parameters
    ----------
    context : AuditContext
        With a target.
    ordered : sequence of ColumnScore
        All columns, the best first.
    """
    assert context.target is not None
    regression = context.target.task == "regression"
    kind = "r2" if regression else "auc"
    low, high = context.limits[f"{kind}_ahead"], context.limits[f"{kind}_caution"]
    p = holm_in_reach([s.p_above(low, regression=regression) for s in ordered])
    if p[0] >= context.alpha or len(ordered) <= _LEAST_OTHERS:
        return [], p, ""
    found, open_ = [ordered[0]], max(1 - ordered[0].value, 1e-9)
    middle = low + _NEXT_CAUTION * (high - low)
    p_middle = holm_in_reach([s.p_above(middle, regression=regression) for s in ordered])
    if p_middle[0] < context.alpha and 1 - ordered[1].value >= _NEXT * open_:
        return found, p, f"and no other column leaves less than {_NEXT:g} times as much open"
    if found[0].column.part_of:  # the rest of the vector knows much of what one of its parts does
        return [], p, ""
    rest = _of_the_others(context, found[0].column.name)
    if 1 - rest >= _ALL * open_:
        measure = "R2" if regression else "AUC"
        return found, p, f"and a model of all other columns reaches {measure} {rest:.3f} only"
    return [], p, ""


def _of_the_others(context: AuditContext, left_out: str) -> float:
    """Return what a quick model of the other columns reaches out of fold, one standard error added."""
    assert context.target is not None
    rows = context.sample(scored_rows(context), _MOST_ROWS, "all others")
    columns = [column for column in usable_columns(context) if column.name != left_out]
    predicted = context.once(
        "all others",
        columns,
        lambda: predict_out_of_fold(context, columns, rows, score_folds(context, rows), trees=_TREES, leaf=2),
    )
    if context.target.task != "regression":
        area = mean_auc(predicted, context.target.codes[rows])
        return min(1.0, area.value + area.error)
    from scipy.stats import spearmanr

    share = max(0.0, float(spearmanr(predicted, context.target.values[rows]).statistic)) ** 2
    return float(min(1.0, share + 2 * np.sqrt(share) * (1 - share) / np.sqrt(len(rows))))
