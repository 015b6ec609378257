"""SPL205: the rows are sorted by the target, and the split follows their order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext, Target
from splitleak.probes.remedies import split_again
from splitleak.statistics import auc, normal_quantile, normal_tail

_LEAST_ROWS = 30
_TOLD = 0.7  # AUC of the position
_SORTED = 0.98  # sorted by it, as many tables are kept: anybody sees it
_MOST_ROWS = 5_000
_MOST_COLUMNS = 200
_TREES = 60
_STRATA = 10
_LEAST_STRATUM = 5
_KNOWN = 0.1  # rank correlation with the position, among equal targets, that is of no consequence
_NOT_CHANCE = 0.997  # of orders that features have no part in: their rank correlation is below that by chance
_FOLDED = 1.15  # spread of that correlation, in those of independent rows: rows of a fold share a forest (simulated)
_CHANCE = 1e-4  # of each of the two: the order follows the target, the split follows the order


@probe(
    "SPL205",
    "The order of the rows follows the target",
    needs=["target", "split"],
    why="Cut by position, the partitions hold different classes; shuffled or not, the position is an answer key.",
    bound="Rank and neighbour tests below 1 in 10,000 each; a caution.",
)
def row_order(context: AuditContext) -> Finding:
    """Test the target, and the partition, against the position of each row in the caller's data.

    An order that the features explain (sorted by one, collected region by region) is left alone.
    """
    assert context.target is not None
    known = context.target.known & (context.codes >= 0)
    if known.sum() < _LEAST_ROWS:
        raise NotApplicable(f"fewer than {_LEAST_ROWS} rows have a partition and a known target")
    rows = np.flatnonzero(known)
    if (
        context.units is not None
    ):  # one row of each group: those of one are together in the file and in the split
        drawn = context.rng("SPL205").permutation(rows)
        rows = drawn[np.unique(context.units[drawn], return_index=True)[1]]
        if len(rows) < _LEAST_ROWS:
            raise NotApplicable(f"fewer than {_LEAST_ROWS} groups have a partition and a known target")
    if context.stacked:  # partitions one after the other have no order in common
        rows = rows[context.codes[rows] == 0]
    rows = rows[np.argsort(context.positions[rows], kind="stable")]
    p_target = _target_chance(context.target, rows)
    p_split = 1.0 if context.stacked else _agreement_chance((context.codes[rows] > 0).astype(np.int64))
    chance = max(p_target, p_split)
    common: dict[str, Any] = {"effect": None, "p_value": min(1.0, 2 * chance)}
    if p_target >= _CHANCE:
        return Finding("clean", "The order of the rows says nothing of the target.", **common)
    told = _told(context.target, rows)
    unseen = p_split >= _CHANCE and _TOLD <= told < _SORTED and not _plainly_sorted(context.target, rows)
    if unseen and not _made_by_features(context, rows):
        return Finding(
            "caution",
            f"The position of a row tells its target (AUC {told:.3f}), though the rows are not sorted by it: an index,"
            " a number given in this order, or anything collected along it would betray it.",
            remedy="df = df.sample(frac=1, random_state=0).reset_index(drop=True)",
            **common | {"effect": told, "effect_name": "AUC of the position", "p_value": min(1.0, p_target)},
        )
    if p_split >= _CHANCE:
        return Finding(
            "clean",
            f"The {'training ' if context.stacked else ''}rows are sorted by the target, and the split does not follow"
            " their order: leave the position (an index column) out of the features.",
            **common,
        )
    time = " With a time order that is what happened; without one, shuffle." if context.time is None else ""
    return Finding(
        "caution",
        "The rows are sorted by the target, and the split follows their order, so that the partitions hold different"
        f" targets.{time}",
        remedy=split_again(context, stratify=context.target.name),
        **common,
    )


def _target_chance(target: Target, rows: NDArray[np.int64]) -> float:
    """Return the chance of so strong a trend, or of so many equal neighbours, in rows in random order."""
    from scipy.stats import spearmanr

    values = target.values[rows]
    position = np.arange(len(rows))
    if target.task == "regression":
        return float(min(1.0, spearmanr(position, values).pvalue))
    found = [_agreement_chance(target.codes[rows])]
    for k in range(len(target.levels)):
        inside = target.codes[rows] == k
        if 2 <= inside.sum() <= len(rows) - 2:
            found.append(min(1.0, float(spearmanr(position, inside).pvalue) * len(target.levels)))
    return min(1.0, 2 * min(found))


def _agreement_chance(codes: NDArray[np.int64]) -> float:
    """Return the one-sided chance of so many equal neighbours (a join count) in rows in random order."""
    n = len(codes)
    count = np.bincount(codes - codes.min())
    pairs = float((count * (count - 1)).sum()) / (n * (n - 1))  # chance that two rows agree
    same = int((codes[1:] == codes[:-1]).sum())
    spread = np.sqrt(max(pairs * (1 - pairs), 1e-12) * (n - 1))
    return normal_tail((same - pairs * (n - 1) - 0.5) / spread)


def _told(target: Target, rows: NDArray[np.int64]) -> float:
    """Return the area under the ROC curve of the position for the class it tells best, in either direction.

    Of numbers, the rows above the median are the class.
    """
    if target.task == "regression":
        values = target.values[rows]
        sides = [values > np.median(values)]
    else:
        sides = [target.codes[rows] == k for k in range(len(target.levels))]
    areas = [auc(np.arange(len(rows)), s).value for s in sides if 2 <= s.sum() <= len(rows) - 2]
    return max((max(area, 1 - area) for area in areas), default=0.5)


def _plainly_sorted(target: Target, rows: NDArray[np.int64]) -> bool:
    """Return whether the rows are sorted by class (as many tables are kept), so that anybody sees it."""
    if target.task == "regression":
        steps = np.diff(target.values[rows])
        return bool((steps >= 0).mean() > 0.95 or (steps <= 0).mean() > 0.95)
    runs = 1 + np.count_nonzero(np.diff(target.codes[rows]))
    return bool(runs <= 2 * len(target.levels))


def _made_by_features(context: AuditContext, rows: NDArray[np.int64]) -> bool:
    """Return whether the features know the position of rows whose targets are alike.

    Rows that were sorted by a feature, or collected region by region and day by day, carry features along, and then the
    position tells no more than they do. Rows that were put in order by the target do not, however well the features
    tell the target.
    """
    from scipy.stats import spearmanr
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.model_selection import KFold, cross_val_predict

    assert context.target is not None
    columns = context.of_kind("numeric", "category")[:_MOST_COLUMNS]
    if not columns:
        return False
    rows = rows[:: max(1, len(rows) // _MOST_ROWS)]
    position = np.arange(len(rows)) / len(rows)
    order = np.argsort(rows, kind="stable")  # the order of the context: folds must not follow the caller's
    forest = ExtraTreesRegressor(_TREES, min_samples_leaf=3, random_state=context.seed % 2**32)
    folds = KFold(5, shuffle=True, random_state=context.seed % 2**32)
    predicted = np.empty(len(rows))
    predicted[order] = cross_val_predict(
        forest, context.matrix(columns, rows[order]), position[order], cv=folds
    )
    known = weight = 0.0
    for stratum in _strata(context.target, rows):
        if len(stratum) > _LEAST_STRATUM and np.ptp(predicted[stratum]) > 0:
            known += len(stratum) * float(spearmanr(predicted[stratum], position[stratum]).statistic)
            weight += len(stratum)
    by_chance = normal_quantile(_NOT_CHANCE) * _FOLDED / np.sqrt(max(weight, 1.0))
    return bool(known > max(_KNOWN, by_chance) * weight)


def _strata(target: Target, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the places in `rows` whose targets are alike: classes, or tenths of a number."""
    from scipy.stats import rankdata

    if target.task == "regression":
        tenth = (rankdata(target.values[rows]) - 0.5) * _STRATA // len(rows)
    else:
        tenth = target.codes[rows].astype(np.float64)
    return [np.flatnonzero(tenth == k) for k in np.unique(tenth)]
