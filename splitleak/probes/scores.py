"""How well does one column alone tell the target? Out of fold, without regard to monotony, for all columns at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext, Target
from splitleak.rank_smoothing import kernel_means, local_medians
from splitleak.statistics import Auc, auc_within, mean_auc, normal_quantile, normal_tail

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_ROWS = 20_000  # more do not narrow an interval around 0.97 by anything that matters
FAST_ROWS = 5_000
_FOLDS = 5
_FEW_ROWS, _MORE_FOLDS = 1_000, 10  # of a small table each fold leaves more to learn from
_BINS = 24  # quantile bins of a number
_ROWS_PER_BIN = 25
_NEAR = 0.05  # of the ranks
_TIED = 0.05  # of the rows
_MOST_PARTS = 512  # of a vector
_SIDE_ROWS = 10  # of a class that is told from the rest
_ATOM = 0.02  # a value with that share of the rows has a bin of its own
_PRIOR = 4.0  # rows at the overall mean that each bin starts with


@dataclass(frozen=True, eq=False)
class ColumnScore:
    """How well one column alone tells the target.

    Attributes
    ----------
    column : AuditColumn
        The column.
    value : float
        Classes: area under the ROC curve out of fold, the mean over the classes where there are more than two.
        Numbers: share of the variance of the target's ranks, out of fold.
    error : float
        Standard error of `value`.
    monotone : bool
        Whether the values themselves rank the target as well as their bins do.
    n : int
        Rows scored.
    near : (int, int)
        Numbers: rows whose rank is within 0.05 of the local median of other rows, and rows asked (those that share
        their target with more than 5 % of the rows are not).
    """

    column: AuditColumn
    value: float
    error: float
    monotone: bool
    n: int
    near: tuple[int, int] = (0, 0)

    @property
    def near_share(self) -> float:
        """Share of the rows that the column determines nearly, in [0, 1]."""
        return self.near[0] / max(1, self.near[1])

    def p_near(self, limit: float) -> float:
        """Return the binomial p-value of "at most a share of `limit` of the rows is nearly determined"."""
        from scipy.stats import binom

        return float(binom.sf(self.near[0] - 1, self.near[1], limit)) if self.near[1] else 1.0

    def p_above(self, limit: float, *, regression: bool) -> float:
        """Return the p-value of "the true value is at most `limit`"."""
        if not regression:
            return normal_tail((self.value - limit) / max(self.error, 1e-9))
        r, bound = math.sqrt(min(max(self.value, 0.0), 1 - 1e-12)), math.sqrt(limit)
        return normal_tail((math.atanh(r) - math.atanh(bound)) * math.sqrt(max(self.n - 3, 1)))


def chance_band(context: AuditContext, scores: Sequence[ColumnScore]) -> tuple[float, float]:
    """Return between which scores columns that know nothing of the target lie, all of them in 19 of 20 tables.

    Areas under the ROC curve by the normal approximation of Mann and Whitney (of several classes the mean of their
    widths), shares of variance by that of a correlation; Bonferroni over the columns.
    """
    target, n = context.target, max(score.n for score in scores)
    assert target is not None
    z = normal_quantile(1 - 0.05 / len(scores))
    if target.task == "regression":
        return 0.0, min(1.0, z**2 / n)
    width = [
        math.sqrt((n + 1) / (12 * n * n * share * (1 - share))) for share in target.shares if 0 < share < 1
    ]
    return 0.5, min(1.0, 0.5 + z * sum(width) / len(width))


def scored_rows(context: AuditContext) -> Ints:
    """Return the rows that columns are scored on: those with a known target, a sample of many."""
    assert context.target is not None
    known = np.flatnonzero(context.target.known)
    return context.sample(known, FAST_ROWS if context.fast else MOST_ROWS, "column scores")


def column_scores(context: AuditContext) -> dict[str, ColumnScore]:
    """Return the score of each number, category, time and part of a vector, by name; computed once per audit."""
    rows = scored_rows(context)  # asked each time: every probe that uses the scores says what they rest on
    if "column scores" not in context.memo:
        assert context.target is not None
        folds = score_folds(context, rows)
        outcome = indicators(context.target, rows)
        usable = [*context.of_kind("numeric", "category", "time"), *vector_parts(context)]
        context.memo["column scores"] = {
            column.name: context.once(
                "column score", [column], partial(_score, column, context.target, rows, folds, outcome)
            )
            for column in usable
        }
    found: dict[str, ColumnScore] = context.memo["column scores"]
    return found


def vector_parts(context: AuditContext) -> list[AuditColumn]:
    """Return the parts of all vector columns as numbers, called ``name[3]``: a label may have been put among them.

    Of a longer vector, 512 parts drawn by chance.
    """
    found = []
    for column in context.of_kind("vector"):
        matrix = column.matrix()
        dense = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
        parts = np.arange(dense.shape[1])
        if len(parts) > _MOST_PARTS:
            context.looked("parts of a vector", _MOST_PARTS, len(parts))
            parts = np.sort(context.rng(f"parts of {column.name}").choice(parts, _MOST_PARTS, replace=False))
        for i in parts:
            values = dense[:, i].astype(np.float64)
            values[~np.isfinite(values)] = np.nan
            found.append(
                AuditColumn(
                    f"{column.name}[{i}]", "numeric", np.isnan(values), _values=values, part_of=column.name
                )
            )
    return found


def score_folds(context: AuditContext, rows: Ints) -> Ints:
    """Return the fold of each row that columns are scored in."""
    count = _MORE_FOLDS if len(rows) < _FEW_ROWS else _FOLDS
    return context.folds(count, "column scores", rows=rows)


def clearest_side(context: AuditContext, column: AuditColumn) -> tuple[Auc, int]:
    """Return how well a column alone tells one class from the rest, for the class it tells best, and how many it asked.

    Of numbers, the rows above the median are the class. Classes with fewer than ten rows are not asked.
    """
    assert context.target is not None
    rows = scored_rows(context)
    return _clearest(column, context.target, rows, score_folds(context, rows))


def clearest_side_of_rows(column: AuditColumn, target: Target, rows: Ints, folds: Ints) -> tuple[Auc, int]:
    """Return the same of a column that was made of some rows and has one value for each of them."""
    own = replace(target, codes=target.codes[rows], values=target.values[rows])
    return _clearest(column, own, np.arange(len(rows)), folds)


def _clearest(column: AuditColumn, target: Target, rows: Ints, folds: Ints) -> tuple[Auc, int]:
    if target.task == "regression":
        values = target.values[rows]
        sides = (values > np.median(values))[:, None]
    else:
        codes = target.codes[rows]
        classes = np.arange(1, 2) if len(target.levels) == 2 else np.arange(len(target.levels))
        sides = codes[:, None] == classes
    asked = [k for k in range(sides.shape[1]) if _SIDE_ROWS <= sides[:, k].sum() <= len(rows) - _SIDE_ROWS]
    predicted = _predicted(column, rows, folds, sides.astype(np.float64))
    found = [auc_within(predicted[:, k], sides[:, k], folds) for k in asked]
    return max(found, key=lambda a: a.value, default=Auc.unknown(len(rows))), len(asked)


def score_column(column: AuditColumn, target: Target, rows: Ints, folds: Ints) -> ColumnScore:
    """Return the score of a column that was made of some rows and has one value for each of them."""
    own = replace(target, codes=target.codes[rows], values=target.values[rows])
    every = np.arange(len(rows))
    return _score(column, own, every, folds, indicators(own, every))


def indicators(target: Target, rows: Ints) -> Floats:
    """Return what is averaged: of classes one 0/1 column each, of numbers their ranks in (0, 1]."""
    if target.task != "regression":
        return np.eye(len(target.levels))[target.codes[rows]]
    from scipy.stats import rankdata

    return np.asarray(rankdata(target.values[rows])[:, None] / len(rows))


def bins_of(column: AuditColumn, rows: Ints, *, most: int = _BINS) -> Ints:
    """Return a bin of each row's value: levels of a category; quantiles, frequent values and missing of a number."""
    if column.kind == "category":
        codes = column.codes[rows]
        return np.unique(codes, return_inverse=True)[1].astype(np.int64)
    values = column.values[rows]
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(rows), dtype=np.int64)
    count = int(np.clip(len(rows) * most // (_ROWS_PER_BIN * _BINS), 4, most))
    edges = np.unique(np.quantile(known, np.linspace(0, 1, count + 1)[1:-1]))
    bins = np.searchsorted(edges, np.nan_to_num(values), side="right").astype(np.int64)
    distinct, counts = np.unique(known, return_counts=True)
    atoms = distinct[counts >= _ATOM * len(rows)]
    if len(atoms):
        at = np.minimum(np.searchsorted(atoms, np.nan_to_num(values)), len(atoms) - 1)
        own = (atoms[at] == values) & ~np.isnan(values)
        bins[own] = len(edges) + 2 + at[own]
    bins[np.isnan(values)] = len(edges) + 1
    return np.unique(bins, return_inverse=True)[1].astype(np.int64)


def out_of_fold_means(bins: Ints, outcome: Floats, folds: Ints) -> Floats:
    """Return for each row the smoothed mean outcome of its bin among the rows of other folds."""
    n_bins = int(bins.max(initial=0)) + 1
    predicted = np.empty_like(outcome)
    total = np.stack([np.bincount(bins, column, n_bins) for column in outcome.T], axis=1)
    count = np.bincount(bins, minlength=n_bins)
    for fold in np.unique(folds):
        inside = folds == fold
        own = np.stack([np.bincount(bins[inside], column, n_bins) for column in outcome[inside].T], axis=1)
        rest = count - np.bincount(bins[inside], minlength=n_bins)
        others = outcome[~inside]
        mean = others.mean(axis=0) if len(others) else outcome.mean(axis=0)
        smoothed = (total - own + _PRIOR * mean) / (rest + _PRIOR)[:, None]
        predicted[inside] = smoothed[bins[inside]]
    return predicted


def _predicted(column: AuditColumn, rows: Ints, folds: Ints, outcome: Floats) -> Floats:
    """Return out-of-fold means: of levels, of frequent values and of missing ones; along the ranks of other numbers."""
    if column.kind == "category":
        return out_of_fold_means(bins_of(column, rows), outcome, folds)
    values = column.values[rows]
    missing = np.isnan(values)
    _, level, count = np.unique(values, return_inverse=True, return_counts=True)
    atom = (count >= _ATOM * len(rows))[level] | missing
    found = out_of_fold_means(np.where(atom, level + 1, 0), outcome, folds) if atom.any() else 0 * outcome
    found[~atom] = kernel_means(values[~atom], outcome[~atom], folds[~atom])
    return found


def _score(column: AuditColumn, target: Target, rows: Ints, folds: Ints, outcome: Floats) -> ColumnScore:
    predicted = _predicted(column, rows, folds, outcome)
    if target.task == "regression":
        return _explained(column, rows, outcome[:, 0], predicted[:, 0], folds)
    codes = target.codes[rows]
    best = mean_auc(predicted, codes, folds if column.kind == "category" else None)
    monotone = False
    if column.kind != "category" and len(target.levels) == 2:
        values = column.values[rows]
        known = values[~np.isnan(values)]
        if len(known):
            middle = np.median(known)
            straight = mean_auc(np.stack([values, np.where(np.isnan(values), middle, values)], axis=1), codes)
            for value in (straight.value, 1 - straight.value):
                if value >= best.value:
                    best = Auc(value, straight.error, straight.influence, straight.least)
                    monotone = True
    return ColumnScore(column, best.value, best.error, monotone, len(rows))


def _explained(column: AuditColumn, rows: Ints, ranks: Floats, predicted: Floats, folds: Ints) -> ColumnScore:
    from scipy.stats import rankdata

    variance = ranks.var()
    share = max(0.0, 1 - float(((ranks - predicted) ** 2).mean() / variance)) if variance > 0 else 0.0
    monotone, near = False, (0, 0)
    if column.kind != "category":
        values = column.values[rows]
        known = ~np.isnan(values)
        near = _nearly_determined(values, ranks, folds)
        # missing values count as unexplained: a proxy that is seldom there is none
        if known.sum() > 10 and np.ptp(values[known]) > 0 and np.ptp(ranks[known]) > 0:
            r = float(np.corrcoef(rankdata(values[known]), ranks[known])[0, 1])
            straight = r * r * float(known.mean())
            if straight >= share:
                share, monotone = straight, True
    error = 2 * math.sqrt(share) * (1 - share) / math.sqrt(max(1, len(rows)))
    return ColumnScore(column, share, error, monotone, len(rows), near)


def _nearly_determined(values: Floats, ranks: Floats, folds: Ints) -> tuple[int, int]:
    """Return how many rows a column determines nearly, and how many it was asked about.

    A share of the variance cannot show a column that tells the target but for some exceptions: one row in twenty that
    is filled in at random costs a tenth of the variance.
    """
    _, level, count = np.unique(ranks, return_inverse=True, return_counts=True)
    asked = count[level] <= _TIED * len(ranks)
    if asked.sum() < len(ranks) / 2:
        return 0, 0
    known = ~np.isnan(values)
    away = np.full(len(ranks), np.inf)
    away[known] = np.abs(local_medians(values[known], ranks[known], folds[known]) - ranks[known])
    return int((away[asked] <= _NEAR).sum()), int(asked.sum())
