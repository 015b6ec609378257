"""SPL206: two columns tell the target together, and neither alone does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, Skipped, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.scores import column_scores, out_of_fold_means, scored_rows
from splitleak.probes.sums_of_two import TwoColumns, sums_of_two
from splitleak.statistics import Auc, auc_within, holm, normal_tail

Ints = NDArray[np.int64]
_COARSE = 3.0  # weight of the coarse cells on few rows
_CELLS = 4  # quantile cells of a number in the screen
_LEVELS = 6  # frequent levels of a category in the screen
_FINE = 8  # cells of the confirmation
_MOST_CLASSES = 20  # of the most frequent classes each is asked
_TRIED = 12  # pairs confirmed
_HONEST = 0.80  # AUC of an honest pair
_ALONE = 0.65  # AUC that the better of the two may have alone
_MOST_COLUMNS = 800
_LEAST_ROWS = 60


@probe(
    "SPL206",
    "Two columns together give the target away",
    needs=["target"],
    why="An answer that was split over two columns (a code and its key) passes every look at one column.",
    bound="Screen with Bonferroni over all pairs, then an out-of-fold confirmation; never more than a caution.",
)
def two_columns(context: AuditContext) -> Finding:
    """Screen all pairs for interaction in one matrix product, then score the best out of fold.

    Of a number, all pairs are asked whether it is their sum, difference, product or ratio.
    """
    assert context.target is not None
    scores = column_scores(context)
    rows = scored_rows(context)
    made = sums_of_two(context, rows) if len(rows) >= _LEAST_ROWS else []
    if made:
        return _sum_finding(made)
    columns = [
        column
        for column in context.of_kind("numeric", "category", "time")
        if scores[column.name].value <= 0.85  # what tells the target alone is for SPL201
    ]
    if len(columns) < 2 or len(rows) < _LEAST_ROWS:
        raise NotApplicable(f"needs two columns that do not tell the target alone, and {_LEAST_ROWS} rows")
    if len(columns) > _MOST_COLUMNS:
        raise Skipped(
            f"{len(columns):,} columns have too many pairs; audit a table of at most {_MOST_COLUMNS}"
        )
    pairs, chance = _screen(context, columns, rows)
    n_pairs = len(chance)
    order = np.argsort(chance, kind="stable")[:_TRIED]
    tried = [int(i) for i in order if chance[i] * n_pairs < context.level]
    found = []
    for i in tried:
        left, right = (columns[k] for k in pairs[i])
        area = _together(context, left, right, rows)
        alone = max(_alone(context, column, rows) for column in (left, right))
        # the screen has paid for all pairs; pairs far below the limit cannot raise a false alarm
        tests = len(tried) * max(1, len(context.target.levels))
        p = normal_tail((area.value - _HONEST) / max(area.error, 1e-9)) * tests
        found.append((area, alone, min(1.0, p), left.name, right.name))
    found.sort(key=lambda entry: (-entry[0].value, entry[3], entry[4]))
    hits = [f for f in found if f[2] < context.alpha and f[1] <= _ALONE]
    evidence = [
        {
            "columns": f"{a}, {b}",
            "AUC together": round(area.value, 4),
            "AUC of the better alone": round(alone, 4),
        }
        for area, alone, _, a, b in found[:10]
    ]
    if not hits:
        best = f"; the best of those confirmed reaches AUC {found[0][0].value:.3f}" if found else ""
        return Finding(
            "clean",
            f"None of {n_pairs:,} pairs of columns tells the target where neither does alone{best}.",
            p_value=1.0 if not found else float(holm([f[2] for f in found]).min()),
            evidence=evidence,
        )
    area, alone, p, a, b = hits[0]
    names = list(dict.fromkeys(name for hit in hits for name in hit[3:]))
    return Finding(
        "caution",
        f"{a} and {b} together tell the target (AUC {area.value:.3f} out of fold), and neither does alone (at most"
        f" {alone:.3f}).",
        area.value,
        "AUC of the two columns together",
        interval=area.interval(),
        p_value=p,
        columns=names,
        remedy=f"df = df.drop(columns={[a, b]!r})",
        evidence=evidence,
        impact_of="columns",
    )


def _sum_finding(made: list[TwoColumns]) -> Finding:
    best = made[0]
    pair = [best.left, best.right]
    return Finding(
        "caution",
        f"The target is a weighted {best.how} of {best.left} and {best.right} (R2 {best.share:.4f}), and neither tells"
        f" it alone (at most {best.alone:.3f}). Were both known before it?",
        best.share,
        "R2 of the two columns together",
        p_value=best.p_value,
        columns=pair,
        remedy=f"df = df.drop(columns={pair!r})",
        evidence=[
            {
                "columns": f"{one.left}, {one.right}",
                "target is their": one.how,
                "R2": round(one.share, 6),
                "R2 of the better alone": round(one.alone, 4),
            }
            for one in made
        ],
        impact_of="columns",
    )


def cells_of(column: AuditColumn, rows: Ints, count: int, levels: int) -> Ints:
    """Return a cell of each row's value: quantile cells of a number, the frequent levels of a category."""
    if column.kind == "category" or len(column.levels) <= levels:
        return np.unique(np.minimum(column.frequency_codes[rows], levels), return_inverse=True)[1].astype(
            np.int64
        )
    values = column.values[rows]
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(rows), dtype=np.int64)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, count + 1)[1:-1]))
    cells = np.searchsorted(edges, np.nan_to_num(values), side="right")
    cells[np.isnan(values)] = len(edges) + 1
    return np.unique(cells, return_inverse=True)[1].astype(np.int64)


def _screen(
    context: AuditContext, columns: list[AuditColumn], rows: Ints
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return all pairs, and the chance of their interaction: what cells of both explain beyond the sum of each."""
    from scipy.stats import chi2

    assert context.target is not None
    cells = [cells_of(column, rows, _CELLS, _LEVELS) for column in columns]
    width = np.array([int(c.max()) + 1 for c in cells])
    start = np.concatenate([[0], np.cumsum(width)])
    member = np.zeros((len(rows), start[-1]), dtype=np.float32)
    for i, cell in enumerate(cells):
        member[np.arange(len(rows)), start[i] + cell] = 1
    together = (member.T @ member).astype(np.float64)
    best = np.ones((len(columns), len(columns)))
    codes = _sides(context, rows)
    count = np.bincount(codes)
    for k in [1] if len(count) == 2 else np.argsort(-count, kind="stable")[:_MOST_CLASSES]:
        rest = (codes == k) - (codes == k).mean()
        sums = ((member * rest[:, None].astype(np.float32)).T @ member).astype(np.float64)
        explained = np.where(together > 0, sums**2 / np.maximum(together, 1), 0)
        joint = np.add.reduceat(np.add.reduceat(explained, start[:-1], axis=0), start[:-1], axis=1)
        own = np.diag(joint)
        beyond = (joint - own[:, None] - own[None, :]) / max(float((rest**2).mean()), 1e-12)
        freedom = np.maximum((width[:, None] - 1) * (width[None, :] - 1), 1)
        best = np.minimum(best, chi2.sf(np.maximum(beyond, 0), freedom))
    left, right = np.triu_indices(len(columns), 1)
    return np.stack([left, right], axis=1), best[left, right]


def _together(context: AuditContext, left: AuditColumn, right: AuditColumn, rows: Ints) -> Auc:
    """Return the out-of-fold score of the two columns' cells, averaged over two grids, for the class it tells best."""
    codes = _sides(context, rows)
    outcome = np.eye(int(codes.max()) + 1)[codes]
    folds = context.folds(5, "two columns", rows=rows)
    predicted = np.zeros_like(outcome)
    # even, so that a cut at the median is kept; on few rows the fine cells only break the ties of the coarse ones
    fine, weight = (_FINE, 1.0) if len(rows) >= 40 * _FINE else (_CELLS, _COARSE)
    for count, share in ((fine, 1.0), (2, weight)):
        a, b = (cells_of(column, rows, count, count) for column in (left, right))
        cell = np.unique(a * (int(b.max()) + 1) + b, return_inverse=True)[1].astype(np.int64)
        predicted += share * out_of_fold_means(cell, outcome, folds)
    classes = [1] if outcome.shape[1] == 2 else range(outcome.shape[1])
    found = [
        auc_within(predicted[:, k], codes == k, folds)
        for k in classes
        if 2 <= (codes == k).sum() <= len(codes) - 2
    ]
    return max(found, key=lambda a: a.value) if found else Auc.unknown(len(rows))


def _alone(context: AuditContext, column: AuditColumn, rows: Ints) -> float:
    return _together(context, column, column, rows).value


def _sides(context: AuditContext, rows: Ints) -> Ints:
    """Return the class of each row; of numbers, whether they are above the median."""
    assert context.target is not None
    if context.target.task != "regression":
        return context.target.codes[rows]
    values = context.target.values[rows]
    return (values > np.median(values)).astype(np.int64)
