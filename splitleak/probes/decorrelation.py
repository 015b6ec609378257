"""SPL112: components that are uncorrelated over all rows."""

from __future__ import annotations

import math

import numpy as np

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.pooled import precision
from splitleak.probes.remedies import fit_on_train

_DISTINCT = 10
_EXACT = 1e-9  # a correlation that small is none
_CHANCE = 1e-6
_MOST_COLUMNS = 500


@probe(
    "SPL112",
    "Principal components were fitted on all rows",
    needs=["split"],
    why="Components (PCA, whitening) of all rows lay the axes through the test rows as well.",
    bound="Binomial chance of correlations of exactly 0 on all rows, and not on train's, below one in a million.",
)
def decorrelation(context: AuditContext) -> Finding:
    """Look for pairs of full-precision columns that are uncorrelated to rounding on all rows only."""
    rows = np.flatnonzero(context.codes >= 0)
    columns = [
        c
        for c in context.of_kind("numeric")
        if not c.integer and len(c.levels) >= _DISTINCT and not c.missing[rows].any()
    ]
    if len(columns) > _MOST_COLUMNS:
        context.looked("columns", _MOST_COLUMNS, len(columns))
    columns = columns[:_MOST_COLUMNS]
    columns = [c for c in columns if precision(c.values[rows]) < 1e-8]
    if len(columns) < 2 or len(context.train) < 10 or len(rows) < len(columns) + 3:
        raise NotApplicable(
            "needs two numbers of full precision without missing values, and more rows than columns"
        )
    x = np.column_stack([c.values for c in columns])
    varies = (np.ptp(x[rows], axis=0) > 0) & (np.ptp(x[context.train], axis=0) > 0)
    columns = [c for c, keep in zip(columns, varies, strict=True) if keep]
    if len(columns) < 2:
        raise NotApplicable("fewer than two numbers vary in training")
    x = x[:, varies]
    pooled, train = (np.abs(np.corrcoef(x[part].T)) for part in (rows, context.train))
    hit = (pooled < _EXACT) & (train > 10 * _EXACT)
    np.fill_diagonal(hit, False)
    found = int(hit.sum() // 2)
    pairs = len(columns) * (len(columns) - 1) // 2
    from scipy.stats import binom

    each = min(1.0, 2 * _EXACT * math.sqrt(len(rows)) / math.sqrt(2 * math.pi))
    chance = float(binom.sf(found - 1, pairs, each)) if found else 1.0
    if chance >= _CHANCE:
        return Finding(
            "clean",
            f"None of {pairs:,} pairs of numbers is uncorrelated to rounding on all rows only.",
            0.0,
            "share of pairs that are exactly uncorrelated",
            p_value=chance,
        )
    names = [c.name for c, any_ in zip(columns, np.asarray(hit.any(axis=0)), strict=True) if any_]
    return Finding(
        "leak",
        f"{found:,} of {pairs:,} pairs of columns are uncorrelated to rounding on training and held-out rows together,"
        " and not on the training rows: PCA or whitening was fitted on all rows.",
        found / pairs,
        "share of pairs that are exactly uncorrelated",
        p_value=chance,
        columns=names,
        remedy=fit_on_train(context, names, f"PCA({len(names)})", "decomposition", from_all=True),
        evidence=[{"column": name} for name in names[:50]],
    )
