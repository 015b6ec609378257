"""SPL210: one text of a pair tells what only the pair should tell."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext, Target
from splitleak.probes.tells import Tell, strongest
from splitleak.probes.tokens import classes_of, sides_of, tokens_of
from splitleak.statistics import Auc, mean_auc, normal_tail

Ints = NDArray[np.int64]
_LEAST = 60
_MOST = 6_000
_FAST = 2_000
_FOLDS = 5
_TOKENS = 150  # that the classifier may use
_WORTH = 0.55  # an AUC below that is of no consequence, however sure
_RECALL, _PURITY = 0.05, 0.85  # of one token
_MOST_COLUMNS = 6
_WORDS_A_TEXT = 3
_SENTENCES = 20
_REPEATED = 0.3  # share of rows whose text stands in several, before the repeats say anything
_MIXED = 0.5  # of the disagreement among the repeats that chance would give
_NAMES = (
    {"premise", "hypothesis"}, {"claim", "evidence"}, {"query", "passage"}, {"query", "document"},
    {"query", "doc"}, {"question", "passage"}, {"original", "paraphrase"}, {"reference", "candidate"},
    {"anchor", "positive"}, {"source", "translation"}, {"left", "right"}, {"first", "second"},
)  # fmt: skip
_CLASSES = re.compile(
    r"entail|contradict|paraphras|duplicate|refute|same_as|is_same|similar|equivalen|not_match|relevan",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class _Part:
    """What one column alone tells."""

    column: AuditColumn
    area: Auc
    tell: Tell | None  # the token that leans most
    n: int

    @property
    def p_value(self) -> float:
        """Of "this part knows nothing of the target": by the classifier, and by its clearest token."""
        by_token = 1.0 if self.tell is None else self.tell.p_value
        return min(1.0, 2 * min(normal_tail((self.area.value - 0.5) / self.area.error), by_token))

    @property
    def worth_a_word(self) -> bool:
        """Whether what it knows is of consequence."""
        told = self.tell is not None and self.tell.recall >= _RECALL and self.tell.purity >= _PURITY
        return self.area.value >= _WORTH or told


@probe(
    "SPL210",
    "One part of a pair gives the target away",
    needs=["target"],
    why="A label about two texts that one of them tells was written by habits, not read from the pair.",
    bound="Only where names, classes or repeats say that the target is about the pair; out-of-fold AUC, DeLong's error,"
    " Bonferroni over the parts; a caution.",
)
def partial_input(context: AuditContext) -> Finding:
    """Fit a quick classifier on each text of a pair alone."""
    assert context.target is not None
    columns = [c for c in context.of_kind("text", "category") if _holds_sentences(c)][:_MOST_COLUMNS]
    if len(columns) < 2:
        raise NotApplicable("fewer than two columns of texts, so there is no pair")
    parts = {c.name: part for c in columns if (part := _score(context, context.target, c)) is not None}
    if not parts:
        raise NotApplicable(f"fewer than {_LEAST} texts with a known target, or no word occurs several times")
    pairs = [
        (a, b, why)
        for a, b in itertools.combinations(columns, 2)
        if (why := _relation(context.target, a, b)) is not None
    ]
    related = {name for a, b, _ in pairs for name in (a.name, b.name)}
    ordered = sorted(parts.values(), key=lambda part: (-part.area.value, part.column.name))
    tested = [part for part in ordered if part.column.name in related]
    p_values = [min(1.0, part.p_value * len(tested)) for part in tested]
    hits = [part for part, p in zip(tested, p_values, strict=True) if p < context.level and part.worth_a_word]
    top = (hits or ordered)[0]
    return Finding(
        "caution" if hits else "clean",
        _text(hits, ordered, pairs),
        top.area.value,
        "AUC of one part alone",
        interval=top.area.interval(),
        p_value=float(min(p_values)) if p_values else None,
        columns=[part.column.name for part in hits],
        remedy=_remedy(context.target, hits),
        evidence=[
            {
                "column": part.column.name,
                "AUC": round(part.area.value, 4),
                "error": round(part.area.error, 4),
                "part of a pair": part.column.name in related,
                "texts": part.n,
            }
            for part in ordered
        ],
        picture={
            "kind": "bars",
            "labels": [part.column.name for part in ordered],
            "values": [part.area.value for part in ordered],
            "low": [part.area.interval()[0] for part in ordered],
            "high": [part.area.interval()[1] for part in ordered],
            "limits": [{"value": 0.5, "name": "chance"}],
            "unit": "AUC of one part alone",
        },
        impact_of="none",
    )


def _text(hits: list[_Part], ordered: list[_Part], pairs: list[tuple[AuditColumn, AuditColumn, str]]) -> str:
    told = ", ".join(f"{part.column.name} {part.area.value:.3f}" for part in (hits or ordered)[:4])
    if not pairs:
        return (
            f"There are {len(ordered)} columns of texts, and nothing says that the target is about their relation, so"
            f" each may tell it honestly (AUC alone: {told})."
        )
    a, b, why = pairs[0]
    if not hits:
        return f"{a.name} and {b.name} are a pair ({why}); neither tells the target alone (AUC: {told})."
    return (
        f"{a.name} and {b.name} are a pair ({why}), and one part alone tells the target, on {hits[0].n:,} texts (AUC"
        f" alone: {told}). A model can score without reading the pair; compare it with one that sees only this part."
    )


def _remedy(target: Target, hits: list[_Part]) -> str:
    if not hits:
        return ""
    return (
        "from sklearn.dummy import DummyClassifier  # beside it, report a model that reads only this part:\n"
        f"alone = df[[{hits[0].column.name!r}, {target.name!r}]]"
    )


def _holds_sentences(column: AuditColumn) -> bool:
    if column.kind == "text":
        return True
    levels = [level for level in column.levels if isinstance(level, str)]
    return (
        len(levels) > _SENTENCES and float(np.mean([len(v.split()) for v in levels[:2000]])) >= _WORDS_A_TEXT
    )


def _relation(target: Target, a: AuditColumn, b: AuditColumn) -> str | None:
    """Return why the target is about the relation of two columns, or None when nothing says so."""
    if _named_as_pair(a.name, b.name):
        return "by their names"
    if any(_CLASSES.search(str(level)) for level in (target.name, *target.levels)):
        return "by the names of the target and its classes"
    if any(_repeats_disagree(column, target) for column in (a, b)):
        return "one text stands in several rows, whose classes differ"
    return None


def _named_as_pair(a: str, b: str) -> bool:
    words = [set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())) for name in (a, b)]
    if any(
        left in words[0] and right in words[1]
        for pair in _NAMES
        for left, right in itertools.permutations(pair)
    ):
        return True
    stems = [re.fullmatch(r"(.*?)[_ ]?([12ab]|left|right)", name.lower()) for name in (a, b)]
    return all(stems) and stems[0][1] == stems[1][1] and stems[0][1] != "" and stems[0][2] != stems[1][2]  # type: ignore[index]


def _repeats_disagree(column: AuditColumn, target: Target) -> bool:
    """Return whether a text stands in several rows, and the classes of these are as mixed as those of all rows."""
    known = target.known & (column.codes >= 0)
    if not known.any():
        return False
    text, codes = column.codes[known], classes_of(target, np.flatnonzero(known))
    count = np.bincount(text)
    repeated = count[text] >= 2
    if repeated.mean() < _REPEATED:
        return False
    text, codes = text[repeated], codes[repeated]
    k = int(codes.max()) + 1
    cells = np.zeros((len(count), k))
    np.add.at(cells, (text, codes), 1)
    size = cells.sum(axis=1)
    agreeing = ((cells * (cells - 1)).sum() / np.maximum((size * (size - 1)).sum(), 1)) if k else 1.0
    shares = np.bincount(codes, minlength=k) / len(codes)
    return bool(1 - agreeing >= _MIXED * (1 - (shares**2).sum()) > 0)


def _score(context: AuditContext, target: Target, column: AuditColumn) -> _Part | None:
    """Return how well a column alone tells the target: naive Bayes on its tokens, equal texts in one fold."""
    from sklearn.feature_selection import chi2
    from sklearn.naive_bayes import MultinomialNB

    tokens = tokens_of(context, column)
    if tokens is None:
        return None
    usable = np.flatnonzero(target.known[tokens.rows])
    usable = context.sample(usable, _FAST if context.fast else _MOST, f"SPL210 {column.name}")
    if len(usable) < _LEAST:
        return None
    codes = classes_of(target, tokens.rows[usable])
    unit = context.group_codes[tokens.rows[usable]] if context.groups else tokens.wording[usable]
    folds = (context.rng("SPL210").permutation(int(unit.max()) + 1) % _FOLDS)[unit]
    holds = tokens.holds[usable].astype(np.float64)
    if codes.max() < 1:
        return None
    scores = np.tile(np.bincount(codes) / len(codes), (len(codes), 1))
    for fold in range(_FOLDS):
        fit, rest = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if not len(rest) or len(np.unique(codes[fit])) < 2:
            continue
        seen = holds[fit]
        there = np.flatnonzero(seen.sum(axis=0) > 0)
        chances = np.nan_to_num(chi2(seen[:, there], codes[fit])[0])
        best = there[np.lexsort((there, -chances))[:_TOKENS]]
        model = MultinomialNB().fit(seen[:, best], codes[fit])
        scores[np.ix_(rest, model.classes_)] = model.predict_proba(holds[rest][:, best])
    sides = sides_of(holds, codes, unit)
    tells = strongest(holds, tokens.names, sides, level=context.level) if sides else []
    clearest = min(tells, key=lambda t: (t.p_value, -t.lean), default=None)
    return _Part(column, mean_auc(scores, codes), clearest, len(usable))
