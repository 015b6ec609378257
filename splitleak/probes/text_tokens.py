"""SPL207: a few tokens of a text, or how it was written down, give the target away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext, Target
from splitleak.probes.scores import ColumnScore, out_of_fold_means, score_column
from splitleak.probes.tells import Tell, best_three, strongest
from splitleak.probes.text_artefacts import INVISIBLE, artefacts
from splitleak.probes.tokens import Tokens, classes_of, name_columns, sides_of, text_columns, tokens_of
from splitleak.statistics import Auc, holm, mean_auc, normal_tail

Ints = NDArray[np.int64]
_LEAST = 30  # texts with a known target
_FOLDS = 5
_CANDIDATES = 40
_GAP = 4.0  # how many times more the next token leaves open, before one is called a leak
_INVISIBLE_AUC, _INVISIBLE_R2 = 0.75, 0.3
_SHOWN = 10


@dataclass(frozen=True, eq=False)
class _Seen:
    """What one column of texts showed."""

    tokens: Tokens
    tells: list[Tell]
    few: Auc  # of up to three tokens together
    one: Auc  # of the best one
    next_best: float  # what the best token that is apart from it reaches
    looks: list[ColumnScore]


@probe(
    "SPL207",
    "Tokens give the target away",
    needs=["target"],
    why="A signature, a link, a client's name or a stray blank tells the class here, and will not in use.",
    bound="Exact test of each token, Bonferroni; it must lead the fifth independent token by a factor of 2.5, or be a"
    " link, @name or #tag that hardly occurs elsewhere.",
)
def text_tokens(context: AuditContext) -> Finding:
    """Look for few tokens, or marks of writing, that tell the class, beside the many words of honest topics."""
    assert context.target is not None
    sentences = text_columns(context)
    found = [
        seen
        for column in [*sentences, *name_columns(context)]
        if (seen := _look(context, column, sentence=column in sentences)) is not None
    ]
    if not found:
        raise NotApplicable(
            f"no column of texts with at least {_LEAST} known targets and tokens that occur several times"
        )
    return _judged(context, context.target, found)


def _look(context: AuditContext, column: Any, *, sentence: bool) -> _Seen | None:
    assert context.target is not None
    tokens = tokens_of(context, column)
    if tokens is None:
        return None
    known = np.flatnonzero(context.target.known[tokens.rows])
    if len(known) < _LEAST:
        return None
    rows, holds = tokens.rows[known], tokens.holds[known]
    codes = classes_of(context.target, rows)
    sizes = np.bincount(codes)
    unit = context.group_codes[rows] if context.groups else tokens.wording[known]
    sides = sides_of(holds, codes, unit)
    if not sides:
        return None
    tells = strongest(holds, tokens.names, sides, level=context.level)
    if not sentence:  # a word of a name ("State") may tell honestly; a link or an address is asked about
        tells = [t if t.kind != "alone" else replace(t, kind="") for t in tells]
    candidates = np.array([t.token for t in tells[:_CANDIDATES]], dtype=np.int64)
    _, pattern = best_three(holds, codes, candidates)
    folds = context.folds(_FOLDS, "SPL207", rows=rows)
    outcome = np.eye(len(sizes))[codes]
    one, few = (mean_auc(out_of_fold_means(p, outcome, folds), codes) for p in (pattern & 1, pattern))
    looks = [
        score_column(made, context.target, rows, folds)
        for made in artefacts([tokens.texts[i] for i in known.tolist()])
    ]
    return _Seen(tokens, tells, few, one, max((t.area for t in tells[1:]), default=0.5), looks)


def _judged(context: AuditContext, target: Target, found: Sequence[_Seen]) -> Finding:
    regression = target.task == "regression"
    caution, leak = context.limits["auc_caution"], context.limits["auc_leak"]
    looks = [(seen, score) for seen in found for score in seen.looks]
    invisible = [score.column.name in INVISIBLE for _, score in looks]
    visible_limit = context.limits["r2_caution"] if regression else caution
    hidden_limit = _INVISIBLE_R2 if regression else _INVISIBLE_AUC
    p_looks = holm(
        [
            score.p_above(hidden_limit if hidden else visible_limit, regression=regression)
            for (_, score), hidden in zip(looks, invisible, strict=True)
        ]
    )
    odd = [look for look, p in zip(looks, p_looks, strict=True) if p < context.level]
    sure_looks = [
        (seen, score)
        for seen, score in odd
        if score.column.name in INVISIBLE
        and score.p_above(visible_limit, regression=regression) < context.level / len(looks)
    ]
    few = [seen for seen in found if _above(seen.few, caution) * len(found) < context.level]
    sure = [
        seen
        for seen in few
        if _above(seen.one, leak) * len(found) < context.level
        and 1 - seen.next_best >= _GAP * max(1 - seen.one.value, seen.one.error / 2)
    ]
    telling = [seen for seen in found if seen in few or any(t.kind for t in seen.tells)]
    named = dict.fromkeys(
        seen.tokens.column.name
        for seen in [*sure, *(s for s, _ in sure_looks), *telling, *(s for s, _ in odd)]
    )
    p_values = [t.p_value for seen in found for t in seen.tells if t.kind] + [
        p for p in p_looks if p < context.level
    ]
    best = max(found, key=lambda seen: (seen.few.value, seen.tokens.column.name))
    common: dict[str, Any] = {
        "effect": best.few.value,
        "effect_name": "AUC of three tokens",
        "interval": best.few.interval(),
        "p_value": float(min(p_values)) if p_values else None,
        "evidence": _evidence(target, found, telling, odd, regression=regression),
        "picture": _picture(best, caution),
    }
    if not named:
        return Finding("clean", _clean_text(found, best), **common)
    return Finding(
        "leak" if sure or sure_looks else "caution",
        _text(telling, odd, best),
        columns=list(named),
        rows=_holders(telling),
        remedy=_remedy(list(named), telling, odd),
        **common,
    )


def _above(area: Auc, limit: float) -> float:
    return normal_tail((area.value - limit) / max(area.error, 1e-9))


def _clean_text(found: Sequence[_Seen], best: _Seen) -> str:
    n = sum(len(seen.tokens.names) for seen in found)
    return (
        f"{n:,} tokens of {len(found)} column{'s' if len(found) > 1 else ''} of texts were looked at"
        f"{best.tokens.sampled}; the best three together tell the target with AUC {best.few.value:.3f}, and none"
        " leads the others by as much as a tell does."
    )


def _text(telling: Sequence[_Seen], odd: Sequence[tuple[_Seen, ColumnScore]], best: _Seen) -> str:
    parts = []
    for seen in telling[:3]:
        tells = [t for t in seen.tells if t.kind] or seen.tells[:3]
        names = sum(t.kind == "name" for t in tells)
        what = f"{len(tells)} token{'s' if len(tells) > 1 else ''} of {seen.tokens.column.name}"
        what += f" ({names} of them links, @names or #tags)" if names else ""
        first = max(tells, key=lambda t: t.recall)
        parts.append(
            f"{what} occur{'s' if len(tells) == 1 else ''} nearly in one class only; the most frequent is in"
            f" {first.holders:,} texts ({first.recall:.0%}) of its class. The best three tokens together: AUC"
            f" {seen.few.value:.3f}{seen.tokens.sampled}."
        )
    for seen, score in list(odd)[:3]:
        measure = f"{'AUC'} {score.value:.3f}"
        parts.append(
            f"How {seen.tokens.column.name} is written ({score.column.name}) tells the target: {measure}."
        )
    parts.append("Will these be there, and mean the same, where the model is used?")
    return " ".join(parts)


def _evidence(
    target: Target,
    found: Sequence[_Seen],
    telling: Sequence[_Seen],
    odd: Sequence[tuple[_Seen, ColumnScore]],
    *,
    regression: bool,
) -> list[dict[str, Any]]:
    entries = []
    for seen in telling or found[:1]:
        for t in sorted(seen.tells, key=lambda t: not t.kind)[:_SHOWN]:  # tells first, then by strength
            entries.append(
                {
                    "column": seen.tokens.column.name,
                    "what": {"name": "link, @name or #tag", "alone": "far ahead of all others"}.get(
                        t.kind, "token"
                    ),
                    "value": str(seen.tokens.names[t.token]),
                    "texts": t.holders,
                    "share of its class": round(t.recall, 4),
                    "purity": round(t.purity, 4),
                    "score": round(t.area, 4),
                }
            )
    for seen, score in odd[:_SHOWN]:
        entries.append(
            {
                "column": seen.tokens.column.name,
                "what": score.column.name,
                "value": "",
                "texts": score.n,
                "share of its class": None,
                "purity": None,
                "score": round(score.value, 4),
            }
        )
    return entries


def _picture(best: _Seen, limit: float) -> dict[str, Any]:
    shown = best.tells[:_SHOWN]
    return {
        "kind": "bars",
        "labels": [f"token {i + 1}" for i in range(len(shown))],
        "values": [t.area for t in shown],
        "limits": [{"value": limit, "name": "caution"}],
        "unit": "AUC of the token alone",
    }


def _holders(telling: Sequence[_Seen]) -> Ints:
    rows = [
        seen.tokens.rows[seen.tokens.holds[:, [t.token]].nonzero()[0]]
        for seen in telling
        for t in seen.tells
        if t.kind
    ]
    return np.unique(np.concatenate(rows)).astype(np.int64) if rows else np.zeros(0, dtype=np.int64)


def _remedy(columns: list[str], telling: Sequence[_Seen], odd: Sequence[tuple[_Seen, ColumnScore]]) -> str:
    if not telling:
        return "\n".join(f"df[{name!r}] = df[{name!r}].str.split().str.join(' ')" for name in columns)
    kinds = {t.kind for seen in telling for t in seen.tells if t.kind}
    if kinds == {"name"}:
        return "\n".join(
            f"df[{name!r}] = df[{name!r}].str.replace(r'https?://\\S+|www\\.\\S+|[@#]\\w+', ' ', regex=True)"
            for name in columns
        )
    return f"df = df.drop(columns={columns!r})  # or take out only the tokens that the evidence lists"
