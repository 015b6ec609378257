"""SPL204: an identifier that follows the target."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext, Target
from splitleak.statistics import holm, normal_tail

_UNIQUE = 0.98
_SPREAD = 3  # numbers from lowest to highest, in times the number of rows
_LEAK = 0.75
_LEAST_ROWS = 30
_IN_ORDER = 0.9  # rank correlation with the order of the rows
_NAMES = (
    "code",
    "id",
    "ident",
    "identifier",
    "idx",
    "index",
    "key",
    "nr",
    "num",
    "number",
    "record",
    "row",
    "uid",
)


@probe(
    "SPL204",
    "An identifier follows the target",
    needs=["target"],
    why="Numbers given in the order of collection know which class was collected first.",
    bound="Rank test of each identifier, Holm; no honest reason to rank the target, unless it follows a feature.",
)
def identifiers(context: AuditContext) -> Finding:
    """Rank the target by each unique, nearly contiguous number (or number at the end of a name)."""
    assert context.target is not None
    if context.target.known.sum() < _LEAST_ROWS:
        raise NotApplicable(f"fewer than {_LEAST_ROWS} rows have a known target")
    found = []
    for column in context.of_kind("numeric", "category"):
        numbers = identifier_numbers(column)
        if numbers is not None:
            found.append((column, *_ranks(numbers, context.target)))
    if not found:
        raise NotApplicable("no column is an identifier (unique, nearly contiguous numbers)")
    adjusted = holm([p for _, _, p in found])
    order = np.argsort(adjusted, kind="stable")
    hits = [(found[i][0].name, found[i][1], adjusted[i]) for i in order if adjusted[i] < context.level]
    evidence = [
        {"column": found[i][0].name, "AUC": round(found[i][1], 4), "p": float(adjusted[i])}
        for i in order[:10]
    ]
    best = found[order[0]][1]
    if not hits:
        return Finding(
            "clean",
            f"{len(found)} identifier{'s' if len(found) > 1 else ''} looked at; none ranks the target"
            f" (AUC {best:.3f}).",
            best,
            "AUC of the identifier",
            p_value=float(adjusted.min()),
            evidence=evidence,
        )
    names = [name for name, _, _ in hits]
    strongest = max(area for _, area, _ in hits)
    beside = {name: _moves_with(context, name) for name, _, _ in hits}
    surely = max(
        (area for name, area, _ in hits if not beside[name] and _only_numbers_rows(context, name)),
        default=0.0,
    )
    other = next((name for name in beside.values() if name), "")
    text = (
        f"The identifier {', '.join(names)} ranks the target (AUC {strongest:.3f}): rows were numbered class by class,"
        " or the target changed while they were collected."
    )
    if surely < strongest and other:
        text += f" It moves with {other}, so the numbers may only follow that column."
    elif surely < strongest:
        text += " Or it is no identifier but a rank, which may be honest: was it given before the outcome?"
    return Finding(
        "leak" if surely > _LEAK else "caution",
        text,
        strongest,
        "AUC of the identifier",
        p_value=float(adjusted.min()),
        columns=names,
        remedy=f"df = df.drop(columns={names!r})",
        evidence=evidence,
        impact_of="columns",
    )


def _moves_with(context: AuditContext, name: str) -> str:
    """Return the feature that an identifier follows (rows sorted by depth, by date, then numbered), or nothing."""
    from scipy.stats import spearmanr

    numbers = identifier_numbers(context.columns[name])
    assert numbers is not None
    for column in context.of_kind("numeric", "time"):
        if column.name == name or identifier_numbers(column) is not None:
            continue
        known = ~column.missing
        if known.mean() < 0.5 or np.ptp(column.values[known]) == 0:
            continue
        if abs(float(spearmanr(numbers[known], column.values[known]).statistic)) >= _IN_ORDER:
            return column.name
    return ""


def _only_numbers_rows(context: AuditContext, name: str) -> bool:
    """Return whether a column can be nothing but an identifier: by its name, its digits in text, or the rows' order.

    Other unique numbers from 1 on may be ranks (of universities, of finishers), which say something of their rows.
    """
    from scipy.stats import spearmanr

    column = context.columns[name]
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    if column.kind != "numeric" or any(word.lower() in _NAMES for word in words):
        return True
    return abs(float(spearmanr(column.values, context.positions).statistic)) >= _IN_ORDER


def identifier_numbers(column: AuditColumn) -> NDArray[np.float64] | None:
    """Return the numbers of an identifier column, or None when it is none."""
    if column.missing.any() or len(column.levels) < _UNIQUE * column.n_rows:
        return None
    if column.kind == "numeric":
        if not column.integer:
            return None
        numbers = column.values
    else:
        ends = [re.search(r"(\d{1,15})\D{0,4}$", str(level)) for level in column.levels]
        if any(end is None for end in ends):
            return None
        numbers = np.array([float(end.group(1)) for end in ends if end is not None])[column.codes]
        if len(np.unique(numbers)) < _UNIQUE * column.n_rows:
            return None
    return numbers if np.ptp(numbers) + 1 <= _SPREAD * len(numbers) else None


def _ranks(numbers: NDArray[np.float64], target: Target) -> tuple[float, float]:
    """Return the area under the ROC curve (the best class against the rest, either direction) and its p-value."""
    from scipy.stats import rankdata, spearmanr

    known = target.known
    if target.task == "regression":
        test = spearmanr(numbers[known], target.values[known])
        return 0.5 + abs(float(test.statistic)) / 2, float(test.pvalue)
    ranks, codes = rankdata(numbers[known]), target.codes[known]
    best, tested = (0.5, 1.0), 0
    for k in [1] if len(target.levels) == 2 else range(len(target.levels)):
        positive = codes == k
        m, n = int(positive.sum()), int((~positive).sum())
        if min(m, n) < 2:
            continue
        tested += 1
        area = (ranks[positive].sum() - m * (m + 1) / 2) / (m * n)
        z = abs(area - 0.5) / np.sqrt((m + n + 1) / (12 * m * n))
        if 2 * normal_tail(z) < best[1]:
            best = (max(area, 1 - area), 2 * normal_tail(z))
    return float(best[0]), min(1.0, best[1] * max(1, tested))
