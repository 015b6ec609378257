"""SPL306: the target is distributed differently in the partitions, or a class is missing from one."""

from __future__ import annotations

from typing import Any

import numpy as np

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.remedies import split_again
from splitleak.statistics import holm

_LEAST_EXPECTED = 5.0  # rows of a class, for the chi-square test
_MOST_CLASSES = 100
_WORTH = 0.02  # a difference of the shares that matters in large data


@probe(
    "SPL306",
    "Class balance differs between the partitions",
    needs=["split", "target"],
    why="A score on other shares of the classes, or without one of them, is a score on another problem.",
    bound="Chi-square (numbers: Kolmogorov-Smirnov) and exact hypergeometric tests, Holm; a caution.",
)
def class_balance(context: AuditContext) -> Finding:
    """Compare the target of training and held-out rows."""
    target = context.target
    assert target is not None
    train, held = context.train[target.known[context.train]], context.held_out[target.known[context.held_out]]
    if len(train) < 5 or len(held) < 5:
        raise NotApplicable("fewer than 5 training or 5 held-out rows have a known target")
    if target.task == "regression":
        gap, p = _numbers(target.values[train], target.values[held])
        absent: list[dict[str, Any]] = []
        p_absent = 1.0
        name = "largest gap of the distributions"
    else:
        gap, p, absent, p_absent = _classes(context, train, held)
        name = "largest difference of a class's share"
    grouped = context.units is not None
    if grouped or context.time is not None:  # rows are not drawn one by one: shares differ for honest reasons
        p = 1.0
    adjusted = holm([p, p_absent])
    common: dict[str, Any] = {
        "effect": gap,
        "effect_name": name,
        "p_value": float(adjusted.min()),
        "evidence": absent or _shares(context),
    }
    missing = adjusted[1] < context.level
    if not missing and (adjusted[0] >= context.level or gap < _WORTH):
        why = (
            " (not tested: the split is by groups, clusters or time)"
            if grouped or context.time is not None
            else ""
        )
        return Finding("clean", f"The target is distributed alike{why}: {name} {gap:.3f}.", **common)
    text = (
        f"{len(absent)} class{'es are' if len(absent) > 1 else ' is'} in only one of training and held-out rows, more"
        " than chance would leave out."
        if missing
        else f"The target differs between training and held-out rows: {name} {gap:.3f}."
    )
    return Finding(
        "caution",
        text,
        columns=[target.name],
        remedy=split_again(context, stratify=target.name),
        **common,
    )


def _numbers(train: np.ndarray, held: np.ndarray) -> tuple[float, float]:
    from scipy.stats import ks_2samp

    test = ks_2samp(train, held, method="asymp")
    return float(test.statistic), float(test.pvalue)


def _classes(
    context: AuditContext, train: np.ndarray, held: np.ndarray
) -> tuple[float, float, list[dict[str, Any]], float]:
    from scipy.stats import chi2_contingency, hypergeom

    assert context.target is not None
    n_classes = len(context.target.levels)
    table = np.stack([np.bincount(context.target.codes[rows], minlength=n_classes) for rows in (train, held)])
    shares = table / table.sum(axis=1, keepdims=True)
    gap = float(np.abs(shares[0] - shares[1]).max())
    total = table.sum(axis=0)
    expected = total * min(len(train), len(held)) / (len(train) + len(held))
    large = expected >= _LEAST_EXPECTED
    tested = table[:, large]
    if (~large).any():
        rest = table[:, ~large].sum(axis=1)
        tested = np.column_stack([tested, rest]) if rest.sum() else tested
    tested = tested[:, tested.sum(axis=0) > 0]
    p = float(chi2_contingency(tested, correction=False)[1]) if tested.shape[1] > 1 else 1.0
    absent, chances = [], []
    n = len(train) + len(held)
    for k in np.flatnonzero((table == 0).any(axis=0) & (total > 0))[:_MOST_CLASSES]:
        size = len(train) if table[0, k] else len(held)
        chances.append(float(hypergeom.sf(total[k] - 1, n, size, total[k])))
        where = "training rows" if table[0, k] else "held-out rows"
        absent.append({"class": str(context.target.levels[k]), "rows": int(total[k]), "only in": where})
    units = context.units
    if (
        units is not None or not chances
    ):  # whole groups move: a class with few groups is in one place by necessity
        return gap, p, absent, 1.0
    adjusted = np.minimum(1.0, np.array(chances) * n_classes)
    order = np.argsort(adjusted, kind="stable")
    significant = [absent[i] for i in order if adjusted[i] < context.level]
    return gap, p, significant, float(adjusted.min())


def _shares(context: AuditContext) -> list[dict[str, Any]]:
    target = context.target
    assert target is not None
    if target.task == "regression":
        rows = []
        for i, name in enumerate(context.names):
            values = target.values[(context.codes == i) & target.known]
            if len(values):
                rows.append(
                    {"partition": name, "mean": float(values.mean()), "deviation": float(values.std())}
                )
        return rows
    found = []
    for k, level in enumerate(target.levels[:20]):
        entry: dict[str, Any] = {"class": str(level)}
        for i, name in enumerate(context.names):
            inside = target.codes[context.codes == i]
            entry[name] = round(float((inside == k).mean()), 4) if len(inside) else None
        found.append(entry)
    return found
