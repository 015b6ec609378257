"""SPL309: tokens, or how a text was written down, tell held-out rows from training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.remedies import split_again
from splitleak.probes.split_prediction import column_test
from splitleak.probes.tells import Tell
from splitleak.probes.text_artefacts import artefacts
from splitleak.probes.tokens import Side, Tokens, apart, name_columns, side_of, text_columns, tokens_of
from splitleak.statistics import holm

Ints = NDArray[np.int64]
_LEAST = 20  # texts (groups, clusters) on either side
_RECALL = 0.05  # of the texts of one side that hold a token, before it is worth a word
_PURITY = 0.85
_DIFFERENCE = 0.1  # of the distributions of a mark of writing
_SHOWN = 10


@probe(
    "SPL309",
    "Tokens give the split away",
    needs=["split"],
    why="Texts of another source, day or tool in the held-out rows measure something else than more of the same.",
    bound="Exact test of each token against a random split, Bonferroni; at least 5 % of one side hold it; a caution.",
)
def split_tokens(context: AuditContext) -> Finding:
    """Test each token, and each mark of writing, against a split by chance."""
    columns = [*text_columns(context), *name_columns(context)]
    found = [(t, *_tested(context, t)) for c in columns if (t := tokens_of(context, c)) is not None]
    found = [entry for entry in found if entry[1] or entry[2]]
    if not found:
        raise NotApplicable(f"no column with at least {_LEAST} texts in training and {_LEAST} held out")
    p_tokens = [t.p_value * len(found) for _, tells, _ in found for t in tells]
    p_looks = [p * len(found) for _, _, looks in found for _, p, _ in looks]
    p_value = float(min(1.0, 2 * min(p_tokens + p_looks, default=1.0)))
    level = context.level / (2 * len(found))
    hits = [(tokens, t) for tokens, tells, _ in found for t in tells if t.kind and t.p_value < level]
    odd = [
        (tokens, name, size)
        for tokens, _, looks in found
        for name, p, size in looks
        if p < level and size >= _DIFFERENCE
    ]
    n = sum(len(tokens.names) for tokens, _, _ in found)
    strongest = max(
        (t.recall for _, t in hits), default=max((t.recall for _, ts, _ in found for t in ts), default=0.0)
    )
    common: dict[str, Any] = {
        "effect": strongest,
        "effect_name": "share of the texts of that side that hold the token",
        "p_value": p_value,
        "evidence": _evidence(hits or [(x, t) for x, tells, _ in found for t in tells], odd),
    }
    sampled = found[0][0].sampled
    if context.time is not None:
        text = f"The split is by time, so that later texts may differ; {n:,} tokens are not judged{sampled}."
        return Finding("clean", text, **common | {"p_value": None})
    if not hits and not odd:
        return Finding(
            "clean",
            f"{n:,} tokens were looked at{sampled}; none tells held-out from training rows.",
            **common,
        )
    concerned = [tokens for tokens, _ in hits] + [tokens for tokens, _, _ in odd]
    names = list(dict.fromkeys(tokens.column.name for tokens in concerned))
    return Finding(
        "caution",
        _text(context, hits, odd) + sampled,
        columns=names,
        rows=_holders(context, hits),
        remedy=split_again(context),
        **common,
    )


def _tested(context: AuditContext, tokens: Tokens) -> tuple[list[Tell], list[tuple[str, float, float]]]:
    """Return the tokens most unlike chance, and the marks of writing as (name, adjusted chance, difference)."""
    chosen = _independent(context, tokens)
    held = context.is_held_out[tokens.rows[chosen]]
    if min(held.sum(), (~held).sum()) < _LEAST:
        return [], []
    holds = tokens.holds[chosen]
    every = np.arange(len(chosen))
    sides = (side_of(holds, ~held, every), side_of(holds, held, every))
    lean = np.maximum(sides[0].lean, sides[1].lean)
    leading = apart(holds, lean, tokens.names)[:_SHOWN]
    tells = [_tell(token, sides, len(lean)) for token in leading.tolist()]
    made = artefacts([tokens.texts[i] for i in chosen.tolist()])
    tests = [column_test(column, every, held) for column in made]
    adjusted = holm([p for p, _ in tests])
    looks = [(c.name, float(p), size) for c, p, (_, size) in zip(made, adjusted, tests, strict=True)]
    return tells, sorted(looks, key=lambda look: (look[1], -look[2], look[0]))


def _tell(token: int, sides: tuple[Side, Side], tests: int) -> Tell:
    k = int(sides[1].lean[token] > sides[0].lean[token])
    side = sides[k]
    p = min(1.0, float(side.chance(np.array([token]))[0]) * 2 * tests)
    recall, purity = float(side.recall[token]), float(side.purity[token])
    tells = recall >= _RECALL and purity >= _PURITY
    return Tell(
        token,
        k,
        recall,
        purity,
        int(side.inside[token]),
        float(side.lean[token]),
        p,
        "split" if tells else "",
    )


def _independent(context: AuditContext, tokens: Tokens) -> Ints:
    """Return texts that are each other's witnesses: in a partition, one of each group, cluster and wording."""
    inside = np.flatnonzero(context.codes[tokens.rows] >= 0)
    order = context.rng("SPL309").permutation(inside)
    for unit in (tokens.wording, None if context.units is None else context.units[tokens.rows]):
        if unit is not None:
            order = order[np.sort(np.unique(unit[order], return_index=True)[1])]
    return np.sort(order)


def _text(
    context: AuditContext, hits: list[tuple[Tokens, Tell]], odd: list[tuple[Tokens, str, float]]
) -> str:
    parts = []
    if hits:
        tokens, first = max(hits, key=lambda hit: hit[1].lean)
        side = "the held-out rows" if first.side else context.names[0]
        many = f"{len(hits)} tokens tell" if len(hits) > 1 else "A token tells"
        parts.append(
            f"{many} the split: the clearest, in {tokens.column.name}, is in {first.recall:.1%} of the texts of"
            f" {side} ({first.holders:,}) and hardly elsewhere."
        )
    for tokens, name, size in odd[:3]:
        parts.append(
            f"How {tokens.column.name} is written ({name}) differs between training and held-out rows"
            f" (distance of the distributions {size:.2f})."
        )
    return " ".join(parts)


def _evidence(hits: list[tuple[Tokens, Tell]], odd: list[tuple[Tokens, str, float]]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = [
        {
            "column": tokens.column.name,
            "what": "token",
            "value": str(tokens.names[t.token]),
            "held out": bool(t.side),
            "size": round(t.recall, 4),
            "p": t.p_value,
        }
        for tokens, t in hits[:_SHOWN]
    ]
    entries += [
        {
            "column": tokens.column.name,
            "what": name,
            "value": "",
            "held out": None,
            "size": round(size, 4),
            "p": None,
        }
        for tokens, name, size in odd[:_SHOWN]
    ]
    return entries


def _holders(context: AuditContext, hits: list[tuple[Tokens, Tell]]) -> Ints:
    rows = [tokens.rows[tokens.holds[:, [t.token]].nonzero()[0]] for tokens, t in hits]
    found = np.unique(np.concatenate(rows)).astype(np.int64) if rows else np.zeros(0, dtype=np.int64)
    return found[context.is_held_out[found]]
