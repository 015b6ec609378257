"""How well does one column alone tell the target? Out of fold, without regard to monotony, for all columns at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext, Target
from splitleak.statistics import Auc, auc, normal_tail

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_ROWS = 20_000  # more do not narrow an interval around 0.97 by anything that matters
FAST_ROWS = 5_000
_FOLDS = 5
_BINS = 24  # quantile bins of a number
_ROWS_PER_BIN = 25
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
    """

    column: AuditColumn
    value: float
    error: float
    monotone: bool
    n: int

    def p_above(self, limit: float, *, regression: bool) -> float:
        """Return the p-value of "the true value is at most `limit`"."""
        if not regression:
            return normal_tail((self.value - limit) / max(self.error, 1e-9))
        r, bound = math.sqrt(min(max(self.value, 0.0), 1 - 1e-12)), math.sqrt(limit)
        return normal_tail((math.atanh(r) - math.atanh(bound)) * math.sqrt(max(self.n - 3, 1)))


def scored_rows(context: AuditContext) -> Ints:
    """Return the rows that columns are scored on: those with a known target, a sample of many."""
    assert context.target is not None
    known = np.flatnonzero(context.target.known)
    return context.sample(known, FAST_ROWS if context.fast else MOST_ROWS, "column scores")


def column_scores(context: AuditContext) -> dict[str, ColumnScore]:
    """Return the score of each number, category and time column, by name; computed once per audit."""
    rows = scored_rows(context)  # asked each time: every probe that uses the scores says what they rest on
    if "column scores" not in context.memo:
        assert context.target is not None
        folds = context.folds(_FOLDS, "column scores", rows=rows)
        outcome = indicators(context.target, rows)
        usable = context.of_kind("numeric", "category", "time")
        context.memo["column scores"] = {
            column.name: _score(column, context.target, rows, folds, outcome) for column in usable
        }
    found: dict[str, ColumnScore] = context.memo["column scores"]
    return found


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


def mean_auc(scores: Floats, codes: Ints) -> Auc:
    """Return the area under the ROC curve: of two classes that of the second, of more the mean of one against the rest.

    The error of a mean is the largest of its parts: classes share their rows. Classes with fewer than two rows, or
    with all of them, are left out.
    """
    found = [
        auc(scores[:, k], codes == k)
        for k in ([1] if scores.shape[1] == 2 else range(scores.shape[1]))
        if 2 <= np.count_nonzero(codes == k) <= len(codes) - 2
    ]
    if not found:
        return Auc(0.5, 0.5, (np.zeros(0), np.zeros(0)))
    largest = max(found, key=lambda a: a.error)
    return Auc(float(np.mean([a.value for a in found])), largest.error, largest.placements)


def _predicted(column: AuditColumn, rows: Ints, folds: Ints, outcome: Floats) -> Floats:
    """Return out-of-fold means: of a category's levels; of a number's quantile bins, averaged over three widths."""
    if column.kind == "category":
        return out_of_fold_means(bins_of(column, rows), outcome, folds)
    grids = [bins_of(column, rows, most=most) for most in (_BINS, _BINS * 2 // 3, _BINS * 5 // 3)]
    return np.asarray(sum(out_of_fold_means(bins, outcome, folds) for bins in grids) / len(grids))


def _score(column: AuditColumn, target: Target, rows: Ints, folds: Ints, outcome: Floats) -> ColumnScore:
    predicted = _predicted(column, rows, folds, outcome)
    if target.task == "regression":
        return _explained(column, rows, outcome[:, 0], predicted[:, 0])
    codes = target.codes[rows]
    best = mean_auc(predicted, codes)
    monotone = False
    if column.kind != "category" and len(target.levels) == 2:
        values = column.values[rows]
        known = values[~np.isnan(values)]
        if len(known):
            middle = np.median(known)
            straight = mean_auc(np.stack([values, np.where(np.isnan(values), middle, values)], axis=1), codes)
            for value in (straight.value, 1 - straight.value):
                if value >= best.value:
                    best = Auc(value, straight.error, straight.placements)
                    monotone = True
    return ColumnScore(column, best.value, best.error, monotone, len(rows))


def _explained(column: AuditColumn, rows: Ints, ranks: Floats, predicted: Floats) -> ColumnScore:
    from scipy.stats import rankdata

    variance = ranks.var()
    share = max(0.0, 1 - float(((ranks - predicted) ** 2).mean() / variance)) if variance > 0 else 0.0
    monotone = False
    if column.kind != "category":
        values = column.values[rows]
        known = ~np.isnan(values)
        # missing values count as unexplained: a proxy that is seldom there is none
        if known.sum() > 10 and np.ptp(values[known]) > 0 and np.ptp(ranks[known]) > 0:
            r = float(np.corrcoef(rankdata(values[known]), ranks[known])[0, 1])
            straight = r * r * float(known.mean())
            if straight >= share:
                share, monotone = straight, True
    error = 2 * math.sqrt(share) * (1 - share) / math.sqrt(max(1, len(rows)))
    return ColumnScore(column, share, error, monotone, len(rows))
