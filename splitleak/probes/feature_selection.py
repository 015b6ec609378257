"""SPL114: columns that were chosen on all rows, as seen from the chosen columns alone."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.remedies import target_values, training_rows

_LEAST_COLUMNS = 8
_DISTINCT = 20
_LEAST_Z = 2.0  # every column must be that far from saying nothing, so that the sign of z is known
_CHANCE = 1e-4
_MOST_COLUMNS = 500


@probe(
    "SPL114",
    "Columns were selected on all rows",
    needs=["target", "split"],
    why="Of many columns that mean nothing, those picked with the test rows' labels look good on the test rows.",
    bound="Spread of the columns' scores below what any true effects could give, p < 0.0001; a caution.",
)
def feature_selection(context: AuditContext) -> Finding:
    """Test whether the columns' scores lie closer together than sampling error lets honest columns lie.

    Whatever the true effects, scores scatter around them with at least their sampling error; noise that was selected
    by its score is cut off in a narrow band. The column scores' correlation is taken into account (generalised least
    squares), and needs more rows than columns.
    """
    target = context.target
    assert target is not None
    chosen = _chosen_of_raw(context)
    if chosen is not None:
        return chosen
    if len(target.levels) != 2:
        raise NotApplicable("needs a target of two classes")
    rows = np.flatnonzero(target.known & (context.codes >= 0))
    columns = [
        c for c in context.of_kind("numeric") if len(c.levels) > _DISTINCT and not c.missing[rows].any()
    ]
    if len(columns) > _MOST_COLUMNS:
        context.looked("columns", _MOST_COLUMNS, len(columns))
    columns = columns[:_MOST_COLUMNS]
    if len(columns) < _LEAST_COLUMNS or len(rows) < 2 * len(columns) + 10:
        raise NotApplicable(f"needs {_LEAST_COLUMNS} numbers without missing values, and twice as many rows")
    x = np.column_stack([c.values[rows] for c in columns])
    y = target.codes[rows] == 1
    if min(y.sum(), (~y).sum()) < 5:
        raise NotApplicable("one class has fewer than 5 rows")
    z, spread = _spread(x, y)
    if z is None:
        raise NotApplicable("the numbers are collinear or constant within the classes")
    from scipy.stats import chi2

    chance = float(chi2.cdf(spread, len(columns) - 1))
    if z.min() < _LEAST_Z or chance >= _CHANCE:
        return Finding(
            "clean",
            f"The {len(columns)} numbers differ in how far they tell the classes apart (|z| {z.min():.2f} to"
            f" {z.max():.2f}) as columns do that nobody selected on these rows.",
            p_value=chance,
        )
    return Finding(
        "caution",
        f"All {len(columns)} numbers tell the classes apart almost equally well (|z| {z.min():.2f} to {z.max():.2f}):"
        " the mark of picking the best of many on these rows. Were they selected before the split?",
        float(z.min()),
        "smallest |z| of a column",
        p_value=chance,
        columns=[c.name for c in columns],
        remedy=_remedy(context, len(columns)),
    )


def _chosen_of_raw(context: AuditContext) -> Finding | None:
    """Compare the columns that were kept of `raw` with the best of all rows and of train; None: not possible."""
    assert context.target is not None
    if not isinstance(context.raw, pd.DataFrame):
        return None
    raw = context.raw.select_dtypes("number")
    rows = np.flatnonzero(context.target.known & (context.codes >= 0))
    train = context.train[context.target.known[context.train]]
    complete = raw.columns[raw.notna().all().to_numpy() & (raw.nunique().to_numpy() > 2)]
    kept = [
        name
        for name in complete
        if name in context.columns
        and np.array_equal(context.columns[name].values, raw[name].to_numpy(dtype=float))
    ]
    left = [name for name in complete if name not in context.columns and name != context.target.name]
    if len(kept) < 2 or len(left) < len(kept) or len(train) < 10:
        return None
    x = raw[[*kept, *left]].to_numpy(dtype=np.float64)
    # columns that were no candidates may have stayed as well: the fewest of the left-out ones' score is the bar
    beaten = [_beaten(_scores(context, x, part), len(kept)) for part in (rows, train)]
    n_left = len(left)
    evidence = [
        {"rows": name, "kept columns that beat all that were left out": int(count)}
        for name, count in zip(("all", "training"), beaten, strict=True)
    ]
    if n_left < 10 or beaten[0] < max(2, 0.5 * len(kept)) or beaten[1] >= beaten[0]:
        return Finding(
            "clean",
            "The columns kept of raw are not the best of all rows by their F score.",
            evidence=evidence,
        )
    of_all = _scores(context, x, rows)
    winners = np.flatnonzero(of_all[: len(kept)] >= of_all[len(kept) :].max())
    named = [str(kept[i]) for i in winners]
    return Finding(
        "leak",
        f"{beaten[0]} columns kept of raw beat all {n_left:,} that were left out by their F score on training and"
        f" held-out rows together; on the training rows alone {beaten[1]} of them do. They were chosen on all.",
        1 - beaten[1] / beaten[0],
        "share of the chosen columns that training rows would not have chosen",
        columns=named,
        evidence=evidence,
        remedy=_remedy(context, len(kept)),
    )


def _beaten(scores: NDArray[np.float64], kept: int) -> int:
    return int((scores[:kept] >= scores[kept:].max()).sum())


def _scores(context: AuditContext, x: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of variance between the classes (of numbers: the squared correlation) of each column."""
    assert context.target is not None
    part = x[rows] - x[rows].mean(axis=0)
    total = np.maximum((part**2).sum(axis=0), 1e-300)
    if context.target.task == "regression":
        y = context.target.values[rows] - context.target.values[rows].mean()
        return np.asarray(((part * y[:, None]).sum(axis=0)) ** 2 / total)
    between = np.zeros(x.shape[1])
    for k in np.unique(context.target.codes[rows]):
        inside = part[context.target.codes[rows] == k]
        between += len(inside) * inside.mean(axis=0) ** 2
    return np.asarray(between / total)


def _spread(x: NDArray[np.float64], y: NDArray[np.bool_]) -> tuple[NDArray[np.float64] | None, float]:
    """Return |z| of each column and their weighted squared spread around the common mean."""
    ill, well = x[y], x[~y]
    within = np.concatenate([ill - ill.mean(axis=0), well - well.mean(axis=0)])
    n, k = within.shape
    deviation = within.std(axis=0) * math.sqrt(n / (n - 2))
    if (deviation <= 0).any():
        return None, 0.0
    z = (ill.mean(axis=0) - well.mean(axis=0)) / (deviation * math.sqrt(1 / len(ill) + 1 / len(well)))
    sign = np.sign(z)
    correlation = np.corrcoef(within.T) * np.outer(sign, sign) + 1e-6 * np.eye(k)
    if np.linalg.cond(correlation) > 1e10:
        return None, 0.0
    inverse = np.linalg.inv(correlation)
    size = np.abs(z)
    one = np.ones(k)
    mean = (one @ inverse @ size) / (one @ inverse @ one)
    spread = float((size - mean) @ inverse @ (size - mean))
    return size, spread * (n - 2 - k) / (n - 2)  # the inverse of an estimate is too large (Hotelling)


def _remedy(context: AuditContext, k: int) -> str:
    return (
        f"from sklearn.feature_selection import SelectKBest\nimport numpy as np\n{training_rows(context)}\n"
        f"chosen = SelectKBest(k={k}).fit(raw[train], {target_values(context)}[train])  # raw: all candidates\n"
        "data = raw.loc[:, chosen.get_support()]"
    )
