"""SPL116: a fitted transformer that learned from more than the training rows."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from splitleak.probes.base import Finding, NotApplicable, Skipped, probe
from splitleak.probes.context import AuditContext, Ints
from splitleak.probes.fitted_steps import Learned, Rows
from splitleak.probes.pipeline_walk import Answer, PipelineWalk, columns_of
from splitleak.probes.refitting import StepInput
from splitleak.probes.remedies import target_values, training_rows

_MOST_PARTITIONS = 4  # of which all unions are tried
_NAMED = 5  # steps that a sentence lists
_VERDICTS = {
    "train": "learned from the training rows",
    "all": "learned from all rows",
    "same": "learns the same from both",
    "neither": "matches no rows of this split",
    "unsure": "changes with seed or row order, and cannot be told",
    "unknown": "cannot be compared",
}


@probe(
    "SPL116",
    "A fitted step saw more than the training rows",
    needs=["split", "pipeline", "raw"],
    why="What a step learned from the test rows is in every training row that it transforms.",
    bound="Each step is fitted again on train and on all rows, and must be the second within 1 % of their distance;"
    " where it draws lots, like refits on all rows and unlike those on train (1 in 10,000).",
)
def fitted_pipeline(context: AuditContext) -> Finding:
    """Refit each step in its own input space and say which rows its learned attributes match."""
    walk = PipelineWalk(_rows(context))
    y = None if context.target is None else _target_values(context)
    walk.visit(context.pipeline, StepInput(context.raw, y))
    if not walk.answers:
        raise NotApplicable("the pipeline has no step that learns anything")
    found = {name: [a for a in walk.answers if _what(context, a.learned) == name] for name in _SENTENCES}
    worst = next((name for name in ("leak", "partly", "neither", "untold") if found[name]), "clean")
    if worst == "untold":
        raise Skipped(_untold(walk.answers, found["untold"]))
    concerned, total = found[worst], len(walk.answers)
    note = f" {_untold(walk.answers, found['untold'])}." if found["untold"] else ""
    return Finding(
        {"leak": "leak", "clean": "clean"}.get(worst, "caution"),  # type: ignore[arg-type]  # of these three
        _SENTENCES[worst].format(
            count=len(concerned), total=total, steps=_listed(concerned), parts=_parts(concerned)
        )
        + note,
        (len(concerned) if worst != "clean" else 0) / total,
        effect_name="share of the steps",
        columns=columns_of(concerned) if worst != "clean" else (),
        remedy=_remedy(context) if worst != "clean" else "",
        evidence=[{"step": a.path, "verdict": _verdict(a.learned)} for a in walk.answers],
    )


_SENTENCES = {
    "leak": "{count} of {total} fitted steps ({steps}) learned what a fit on {parts} gives, and not what training"
    " rows give.",
    "partly": "{count} of {total} fitted steps ({steps}) learned from {parts}: right for a score on the partitions that"
    " they have not seen, and too good on the others.",
    "neither": "{count} of {total} fitted steps ({steps}) match no rows of this split: the pipeline was fitted with"
    " another split, on rows that were filtered or changed since, or by another version of its package. With another"
    " split it has seen held-out rows.",
    "untold": "",
    "clean": "None of {total} fitted steps matches a fit on more than the training rows.",
}


def _what(context: AuditContext, learned: Learned) -> str:
    """Return what a step's rows mean for a score."""
    if learned.kind == "all":
        return "leak"
    if learned.kind != "part":
        return {"neither": "neither", "unsure": "untold", "unknown": "untold"}.get(learned.kind, "clean")
    seen = {name.lower() for name in learned.partitions}
    unseen = [name for name in context.names[1:] if name.lower() not in seen]
    return "leak" if "test" in seen or not unseen or context.names[0].lower() not in seen else "partly"


def _verdict(learned: Learned) -> str:
    return (
        f"learned from {' and '.join(learned.partitions)}"
        if learned.kind == "part"
        else _VERDICTS[learned.kind]
    )


def _listed(answers: list[Answer]) -> str:
    more = len(answers) - _NAMED
    return ", ".join(a.path for a in answers[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _parts(answers: list[Answer]) -> str:
    """Return what these steps learned from, in words."""
    parts = [
        " and ".join(a.learned.partitions) if a.learned.partitions else "training and held-out rows together"
        for a in answers
    ]
    return " or ".join(dict.fromkeys(parts))


def _untold(answers: list[Answer], untold: list[Answer]) -> str:
    lots = [a for a in untold if a.learned.kind == "unsure"]
    others = [a for a in untold if a.learned.kind == "unknown"]
    reasons = []
    if lots:
        reasons.append(
            f"{_listed(lots)} change{'s' if len(lots) == 1 else ''} with the seed or the order of the rows so much that"
            " fits on the training rows and on all rows look alike (set random_state, fit on rows in the order of raw,"
            " and ask again)"
        )
    if others:
        reasons.append(f"{_listed(others)} cannot be fitted again and compared")
    return f"{len(untold)} of {len(answers)} fitted steps cannot be told: {'; '.join(reasons)}"


def _rows(context: AuditContext) -> Rows:
    """Return the rows of each union of partitions, in the caller's order, which a fit may depend on."""
    order = np.argsort(context.positions, kind="stable")
    codes = context.codes[order]

    def of(*parts: int) -> Ints:
        return np.asarray(order[np.isin(codes, parts)], dtype=np.int64)

    every = range(len(context.names))
    sizes = every if len(context.names) <= _MOST_PARTITIONS else (1, 2, len(context.names) - 1)
    unions = [union for size in sizes if size for union in combinations(every, size) if union != (0,)]
    unions.sort(key=lambda union: union[0] != 0)  # those with the training rows first
    return Rows(of(0), of(*every), {tuple(context.names[i] for i in union): of(*union) for union in unions})


def _remedy(context: AuditContext) -> str:
    outcome = "" if context.target is None else f", {target_values(context)}[train]"
    return (
        f"import numpy as np\n{training_rows(context)}\npipeline.fit(raw[train]{outcome})  # the training rows only\n"
        "data = pipeline.transform(raw)"
    )


def _target_values(context: AuditContext) -> Any:
    target = context.target
    assert target is not None
    if target.task == "regression":
        return target.values
    levels = np.array(target.levels, dtype=object if _named(target.levels) else None)
    return levels[np.maximum(target.codes, 0)]


def _named(levels: tuple[Any, ...]) -> bool:
    return any(isinstance(level, str) for level in levels)
