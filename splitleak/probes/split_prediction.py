"""SPL305: a classifier can tell held-out rows from training rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.partial_shift import partial_shifts
from splitleak.probes.quick_model import vector_features
from splitleak.probes.remedies import split_again
from splitleak.statistics import auc, holm, normal_tail

Ints = NDArray[np.int64]
_MOST_ROWS = 6_000
_FAST_ROWS = 2_000
_LEAST = 20  # units on either side
_LEAST_LEAF = 5
_MOST_COLUMNS = 2_000
_WORTH = 0.53  # an AUC below that is of no consequence, however sure
_DRIFT_ROWS = 50_000


@probe(
    "SPL305",
    "The split can be predicted",
    needs=["split"],
    why="Partitions that differ measure something else than how the model does on more of the same.",
    bound="Classifier two-sample test across two halves, and each column alone and (up to 300 numbers) given the"
    " others, Holm; a caution.",
)
def split_prediction(context: AuditContext) -> Finding:
    """Fit on one half which rows are held out, rank the other half; name the columns responsible."""
    columns, vectors = context.of_kind("numeric", "category"), context.of_kind("vector")
    if not columns and not vectors:
        raise NotApplicable("no column of numbers, categories or vectors")
    if len(columns) > _MOST_COLUMNS:
        context.looked("columns", _MOST_COLUMNS, len(columns))
        rng = context.rng("SPL305 columns")
        columns = [columns[i] for i in np.sort(rng.choice(len(columns), _MOST_COLUMNS, replace=False))]
    units, held = _units(context)
    if min(held.sum(), (~held).sum()) < _LEAST:
        what = "rows" if context.units is None else "groups or clusters"
        raise NotApplicable(f"fewer than {_LEAST} {what} are held out or in training")
    area, p_area = _two_sample(context, columns + vectors, units, held)
    drift = _drift(context, columns) if context.units is None and columns else []
    p_drift = drift[0][0] if drift else 1.0
    p = float(min(1.0, 2 * min(p_area, p_drift)))
    significant = [entry for entry in drift if entry[0] < context.level / 2]
    names = [name for _, name, _ in significant]
    common: dict[str, Any] = {
        "effect": area.value,
        "effect_name": "AUC of held-out against training rows",
        "interval": area.interval(),
        "p_value": p,
        "evidence": [
            {"column": name, "p": chance, "difference": round(size, 3)} for chance, name, size in drift[:10]
        ],
    }
    sampled = "" if context.n_rows <= _MOST_ROWS else f" (on {len(held):,} rows drawn by chance)"
    if context.time is not None:
        return Finding(
            "clean",
            f"The split is by time, so that later rows may differ: AUC {area.value:.3f}{sampled}. Not judged.",
            **common | {"p_value": None},
        )
    predicted = p_area < context.level / 2 and area.value >= _WORTH
    moved = [entry for entry in significant if entry[2] >= 0.05]
    if not predicted and not moved:
        return Finding(
            "clean", f"A classifier cannot tell held-out rows: AUC {area.value:.3f}{sampled}.", **common
        )
    if not names:
        names = [v.name for v in vectors if _two_sample(context, [v], units, held)[1] < context.level / 2]
    responsible = f" Columns that differ: {', '.join(names[:5])}." if names else ""
    return Finding(
        "caution",
        f"A classifier tells held-out rows from training rows: AUC {area.value:.3f}{sampled}.{responsible}",
        columns=names,
        remedy=split_again(context),
        **common,
    )


def _units(context: AuditContext) -> tuple[Ints, NDArray[np.bool_]]:
    """Return rows, and whether each is held out: a sample; of groups or clusters one row of each."""
    inside = np.flatnonzero(context.codes >= 0)
    if context.units is not None:
        # one row of a unit: the rows of a group are no independent witnesses
        order = context.rng("SPL305 units").permutation(inside)
        inside = np.sort(order[np.unique(context.units[order], return_index=True)[1]])
    rows = context.sample(inside, _FAST_ROWS if context.fast else _MOST_ROWS, "SPL305")
    return rows, context.is_held_out[rows]


def _two_sample(
    context: AuditContext, columns: list[AuditColumn], rows: Ints, held: NDArray[np.bool_]
) -> tuple[Any, float]:
    """Return the AUC over both halves and the chance of it.

    The mean of the two z values is referred to N(0, 1), not N(0, 1/2): copies that sit in both halves make them
    dependent.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    plain = [column for column in columns if column.kind != "vector"]
    parts = [context.matrix(plain, rows)] if plain else []
    x = np.hstack(
        parts + [vector_features(context, column)[rows] for column in columns if column.kind == "vector"]
    )
    half = np.zeros(len(rows), dtype=np.int64)
    for side in (False, True):
        inside = context.rng(f"SPL305 {side}").permutation(np.flatnonzero(held == side))
        half[inside] = np.arange(len(inside)) % 2
    scores = np.empty(len(rows))
    z = []
    for part in (0, 1):
        fit, rank = half != part, half == part
        forest = ExtraTreesClassifier(
            100,
            min_samples_leaf=_LEAST_LEAF,
            max_features=0.5 if x.shape[1] < 30 else "sqrt",
            random_state=context.seed,
        )
        scores[rank] = forest.fit(x[fit], held[fit]).predict_proba(x[rank])[:, 1]
        m, n = int(held[rank].sum()), int((~held[rank]).sum())
        u = auc(scores[rank], held[rank]).value
        z.append((u - 0.5) / np.sqrt((m + n + 1) / (12 * m * n)))
    areas = [auc(scores[half == part], held[half == part]) for part in (0, 1)]
    both = areas[0] if areas[0].error > areas[1].error else areas[1]
    mean = replace(both, value=float(np.mean([a.value for a in areas])), error=both.error / np.sqrt(2))
    return mean, normal_tail(float(np.mean(z)))


def _drift(context: AuditContext, columns: list[AuditColumn]) -> list[tuple[float, str, float]]:
    """Return (Holm-adjusted chance, name, difference of the distributions) of each column, the surest first."""
    rows = context.sample(np.flatnonzero(context.codes >= 0), _DRIFT_ROWS, "SPL305 drift")
    held = context.is_held_out[rows]
    tests = [column_test(column, rows, held) for column in columns]
    given_others = partial_shifts(columns, rows, held, context.level / 4)
    adjusted = holm([min(1.0, 2 * min(p, q)) for (p, _), q in zip(tests, given_others, strict=True)])
    found = [
        (float(p), column.name, size) for p, (_, size), column in zip(adjusted, tests, columns, strict=True)
    ]
    return sorted(found, key=lambda entry: (entry[0], -entry[2], entry[1]))


def column_test(column: AuditColumn, rows: Ints, held: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the chance and the size of a difference of one column.

    Numbers: of Kolmogorov and Smirnov's test, which sees any difference, and of the rank sum, which sees a shift in
    fewer rows, twice the smaller. Categories: chi-square of the levels.
    """
    from scipy.stats import chi2_contingency, ks_2samp, mannwhitneyu

    if column.kind == "numeric":
        values = column.values[rows]
        known = ~np.isnan(values)
        found = [] if known.all() else [_missing_test(~known, held)]
        a, b = values[known & ~held], values[known & held]
        if len(a) > 5 and len(b) > 5:
            test = ks_2samp(a, b, method="asymp")
            shift = mannwhitneyu(a, b, method="asymptotic").pvalue if np.ptp(values[known]) else 1.0
            found.append((min(1.0, 2 * min(float(test.pvalue), float(shift))), float(test.statistic)))
        p, size = min(found, default=(1.0, 0.0))
        return min(1.0, p * max(1, len(found))), size
    codes = column.frequency_codes[rows] + 1  # missing is a level of its own
    table = np.stack(
        [np.bincount(codes[held == side], minlength=int(codes.max()) + 1) for side in (False, True)]
    )
    expected = table.sum(axis=0) * min(held.sum(), (~held).sum()) / len(held)
    large = expected >= 5
    rest = table[:, ~large].sum(axis=1, keepdims=True)
    table = np.hstack([table[:, large], rest]) if rest.sum() else table[:, large]
    if table.shape[1] < 2:
        return 1.0, 0.0
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    return float(chi2_contingency(table, correction=False)[1]), float(np.abs(shares[0] - shares[1]).sum() / 2)


def _missing_test(missing: NDArray[np.bool_], held: NDArray[np.bool_]) -> tuple[float, float]:
    from scipy.stats import fisher_exact

    a, b = int(missing[~held].sum()), int(missing[held].sum())
    if a + b == 0:
        return 1.0, 0.0
    n, m = int((~held).sum()), int(held.sum())
    return float(fisher_exact(np.array([[a, n - a], [b, m - b]]))[1]), abs(a / n - b / m)
