"""SPL205: the rows are sorted by the target, and the split follows their order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext, Target
from splitleak.statistics import auc, normal_tail

_LEAST_ROWS = 30
_TOLD = 0.7  # AUC of the position
_SORTED = 0.98  # sorted by it, as many tables are kept: anybody sees it
_MOST_ROWS = 5_000
_STRATA = 10
_CHANCE = 1e-4  # of each of the two: the order follows the target, the split follows the order


@probe(
    "SPL205",
    "The order of the rows follows the target",
    needs=["target", "split"],
    why="Cut by position, the partitions hold different classes; shuffled or not, the position is an answer key.",
    bound="Rank and neighbour tests below 1 in 10,000 each; a caution.",
)
def row_order(context: AuditContext) -> Finding:
    """Test the target, and the partition, against the position of each row in the caller's data."""
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
    rows = rows[np.argsort(context.positions[rows], kind="stable")]
    p_target = _target_chance(context.target, rows)
    p_split = _agreement_chance((context.codes[rows] > 0).astype(np.int64))
    chance = max(p_target, p_split)
    common: dict[str, Any] = {"effect": None, "p_value": min(1.0, 2 * chance)}
    if p_target >= _CHANCE:
        return Finding("clean", "The order of the rows says nothing of the target.", **common)
    told = _told(context.target, rows)
    if p_split >= _CHANCE and _TOLD <= told < _SORTED and not _plainly_sorted(context.target, rows):
        told = _told_beyond_features(context, rows)
    if p_split >= _CHANCE and _TOLD <= told < _SORTED and not _plainly_sorted(context.target, rows):
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
            "The rows are sorted by the target, and the split does not follow their order: leave the position (an index"
            " column) out of the features.",
            **common,
        )
    time = " With a time order that is what happened; without one, shuffle." if context.time is None else ""
    return Finding(
        "caution",
        "The rows are sorted by the target, and the split follows their order, so that the partitions hold different"
        f" targets.{time}",
        remedy="split = splitleak.split_by_similarity(df, stratify=target)",
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
    """Return the area under the ROC curve of the position for the class it tells best, in either direction."""
    from scipy.stats import spearmanr

    position = np.arange(len(rows))
    if target.task == "regression":
        return 0.5 + abs(float(spearmanr(position, target.values[rows]).statistic)) / 2
    found = [0.5]
    for k in range(len(target.levels)):
        inside = target.codes[rows] == k
        if 2 <= inside.sum() <= len(rows) - 2:
            area = auc(position, inside).value
            found.append(max(area, 1 - area))
    return max(found)


def _plainly_sorted(target: Target, rows: NDArray[np.int64]) -> bool:
    """Return whether the rows are sorted by class (as many tables are kept), so that anybody sees it."""
    if target.task == "regression":
        steps = np.diff(target.values[rows])
        return bool((steps >= 0).mean() > 0.95 or (steps <= 0).mean() > 0.95)
    runs = 1 + np.count_nonzero(np.diff(target.codes[rows]))
    return bool(runs <= 2 * len(target.levels))


def _told_beyond_features(context: AuditContext, rows: NDArray[np.int64]) -> float:
    """Return how well the position tells what a quick model of the features leaves of the target.

    A table that is sorted by one of its features tells no more by position than by that feature.
    """
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.model_selection import KFold, cross_val_predict

    assert context.target is not None
    columns = context.of_kind("numeric", "category")[:200]
    step = max(1, len(rows) // _MOST_ROWS)
    rows = rows[::step]
    values = context.target.values[rows]
    if context.target.task != "regression":  # the class that the position tells best, against the rest
        best, values = 0.0, values * 0
        for k in range(len(context.target.levels)):
            inside = (context.target.codes[rows] == k) * 1.0
            if 2 <= inside.sum() <= len(rows) - 2:
                area = abs(auc(np.arange(len(rows)), inside > 0).value - 0.5)
                if area > best:
                    best, values = area, inside
    predicted = np.zeros(len(rows))
    if columns:
        forest = ExtraTreesRegressor(60, min_samples_leaf=3, random_state=context.seed)
        order = np.argsort(
            rows, kind="stable"
        )  # the order of the context: folds must not follow the caller's
        x, y = context.matrix(columns, rows[order]), values[order]
        folds = KFold(5, shuffle=True, random_state=context.seed)
        predicted[order] = cross_val_predict(forest, x, y, cv=folds)
    return _within_strata(values, predicted, context.target.task == "regression")


def _within_strata(values: NDArray[np.float64], predicted: NDArray[np.float64], numbers: bool) -> float:
    """Return the AUC of the position for rows above the others, among rows that the features rate alike."""
    from scipy.stats import rankdata

    wins = pairs = 0.0
    stratum = (rankdata(predicted, method="ordinal") - 1) * _STRATA // len(predicted)
    for k in range(_STRATA):
        inside = np.flatnonzero(stratum == k)
        if len(inside) < 4:
            continue
        upper = values[inside] > (np.median(values[inside]) if numbers else 0.5)
        m, n = int(upper.sum()), int((~upper).sum())
        if min(m, n):
            wins += float(rankdata(inside)[upper].sum()) - m * (m + 1) / 2
            pairs += m * n
    area = wins / pairs if pairs else 0.5
    return max(area, 1 - area)
