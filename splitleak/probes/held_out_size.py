"""SPL401: the held-out set is too small for the claim that a score on it makes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.remedies import split_again
from splitleak.statistics import hanley_mcneil_error, wilson_interval

Ints = NDArray[np.int64]

# Conventions: where a set of rows begins to carry a score is a matter of degree. 30 rows give an accuracy of 0.9 an
# interval that is 0.22 wide; finding all of 3 rows of a class is compatible with a recall of one half.
LEAST_ROWS = 30
LEAST_OF_A_CLASS = 4  # of the rarer of two
LEAST_UNITS = 5  # declared groups
_MOST_PARTITIONS = 4  # more are folds, which are scored together
_ACCURACY, _AREA, _EXPLAINED = 0.9, 0.8, 0.5  # the scores that intervals are stated for
_DISAGREE = 0.1  # share of the rows that two models tell apart
_POWER = 2.801585  # z of 0.975 and of 0.8: seen in four of five tries


@probe(
    "SPL401",
    "The held-out set is too small",
    needs=["split"],
    why="A score on few rows is mostly chance: it neither ranks models nor says how good one is.",
    bound="Counts rows; it cannot fire by chance. A caution below 30 rows, 4 of the rarer of two classes, 5 groups.",
)
def held_out_size(context: AuditContext) -> Finding:
    """State what a score on each held-out partition can show; a caution where that is next to nothing."""
    parts = _partitions(context)
    evidence = [_carries(context, name, rows) for name, rows in parts]
    worst = min(range(len(parts)), key=lambda i: (not evidence[i]["too small"], evidence[i]["rows"]))
    name, told = parts[worst][0], evidence[worst]
    rows, low, high = told["rows"], told["low"], told["high"]
    common: dict[str, Any] = {
        "effect": high - low,
        "effect_name": f"width of what {told['score']} may come out as",
        "interval": (low, high),
        "evidence": evidence,
        "picture": {
            "kind": "bars",
            "labels": [part for part, _ in parts],
            "values": [entry["rows"] for entry in evidence],
            "low": None,
            "high": None,
            "limits": [{"value": LEAST_ROWS, "name": "caution"}],
            "unit": "rows",
        },
    }
    difference = told["smallest difference"]
    sees = (
        f" Two models that disagree in {_DISAGREE:.0%} of the rows are told apart from a difference of {difference:.3f}"
        " on (four times in five)."
        if difference is not None and difference <= _DISAGREE
        else f" Two models are not told apart unless they disagree in more than {_DISAGREE:.0%} of the rows."
        if difference is not None
        else ""
    )
    known = "" if context.target is None else " with a known target"
    text = (
        f"{name} has {rows:,} rows{known}: {told['score']} has a 95 % interval from {low:.3f} to {high:.3f}."
    )
    if not told["too small"]:
        return Finding("clean", text + sees, **common)
    return Finding(
        "caution",
        f"{text} {told['too small']}.{sees}",
        remedy=_remedy(context),
        **common,
    )


def _partitions(context: AuditContext) -> list[tuple[str, Ints]]:
    parts = [(name, np.flatnonzero(context.codes == i)) for i, name in enumerate(context.names) if i > 0]
    if len(parts) > _MOST_PARTITIONS:
        return [("The held-out folds together", context.held_out)]
    if context.target is not None:  # without labels a partition is scored elsewhere
        known = context.target.known
        parts = [(name, rows) for name, rows in parts if known[rows].any()]
        if not parts:
            raise NotApplicable(
                "the target is missing in all held-out rows: a score is made of them elsewhere"
            )
    return [(f"Partition {name!r}", rows) for name, rows in parts if len(rows)]


def _carries(context: AuditContext, name: str, rows: Ints) -> dict[str, Any]:
    """Return what a score on these rows can show; "too small" says why not, or is empty."""
    target = context.target
    known = rows if target is None else rows[target.known[rows]]
    n = len(known)
    entry: dict[str, Any] = {"partition": name, "rows": n}
    if context.groups:
        entry["groups"] = len(np.unique(context.group_codes[known]))
    entry["rows of the rarest class"] = None
    if target is not None and target.task != "regression":
        counts = np.bincount(target.codes[known], minlength=len(target.levels))
        entry["rows of the rarest class"] = int(counts.min())
    score, low, high = _interval(context, known)
    entry |= {
        "score": score,
        "low": low,
        "high": high,
        "smallest difference": _smallest_difference(context, n),
    }
    entry["too small"] = _too_small(context, entry)
    return entry


def _interval(context: AuditContext, rows: Ints) -> tuple[str, float, float]:
    """Return a score and its 95 % interval at this number of rows."""
    n, target = len(rows), context.target
    if target is not None and target.task == "regression":
        z = math.atanh(math.sqrt(_EXPLAINED))
        half = 1.96 / math.sqrt(max(n - 3, 1))
        return f"an R2 of {_EXPLAINED}", math.tanh(max(z - half, 0.0)) ** 2, math.tanh(z + half) ** 2
    if target is not None and target.task == "binary":
        m = int((target.codes[rows] == 1).sum())
        if 0 < m < n:
            half = 1.96 * hanley_mcneil_error(_AREA, m, n - m)
            return f"an area under the ROC curve of {_AREA}", max(0.0, _AREA - half), min(1.0, _AREA + half)
    low, high = wilson_interval(_ACCURACY * n, n)
    return f"an accuracy of {_ACCURACY}", low, high


def _smallest_difference(context: AuditContext, n: int) -> float | None:
    """Return the difference in accuracy between two models that is seen with a power of 0.8 at a level of 0.05.

    Both score the same rows and disagree in a tenth of them (McNemar's test, its normal approximation); the better
    one cannot win more often than they disagree.
    """
    if n == 0 or (context.target is not None and context.target.task == "regression"):
        return None
    return max(_POWER * math.sqrt(_DISAGREE / n), _POWER**2 / n)


def _too_small(context: AuditContext, entry: dict[str, Any]) -> str:
    if entry["rows"] < LEAST_ROWS:
        return f"Fewer than {LEAST_ROWS} rows carry no score"
    if "groups" in entry and entry["groups"] < LEAST_UNITS:
        return f"They belong to {entry['groups']} of the declared groups, so that a score says little about a new one"
    binary = context.target is not None and context.target.task == "binary"
    if binary and 0 < entry["rows of the rarest class"] < LEAST_OF_A_CLASS:  # none at all: SPL306
        return (
            f"{entry['rows of the rarest class']} of them are of the rarer class: even finding all of them could be a"
            " recall of one half"
        )
    return ""


def _remedy(context: AuditContext) -> str:
    target = context.target
    by = {} if target is None or target.task == "regression" else {"stratify": target.name}
    return f"# every row is held out once:\n{split_again(context, folds=5, **by)}"
