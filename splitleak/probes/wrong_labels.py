"""SPL402: labels that a model of the other rows contradicts with confidence, where it is right almost everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.quick_model import predict_out_of_fold, usable_columns
from splitleak.statistics import wilson_interval

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_ROWS, _FAST_ROWS = 3_000, 1_000
_LEAST_ROWS = 60
_LEAST_OF_A_CLASS = 8
_FOLDS = 8
_LEAF = 3  # a small leaf would believe a wrong label
_SUREST = 0.75  # share of each predicted class in which contradicted labels are counted,
_SURER = 0.5  # and again: overlapping classes thin out towards the surest rows, wrong labels do not
_HONEST = (
    (_SUREST, 0.005),
    (0.9, 0.01),
)  # share of the rows, and of them contradicted in a problem that is learned
_WORTH = 0.03  # a convention: a share of them that is worth a look
_THINS = 0.6  # what is left of that share among the surer rows: at most 0.55 of normal classes that overlap
_BY_CHANCE = 0.01  # chance of fewer among the surer rows, if as many were wrong: small tables may show few
_ONE_SIDED = 0.3  # of that share in the second worst class: less, and one class has odd rows, honest ones
_LEARNED = 0.95  # share of the other labels that must be predicted: what is hard to predict is contradicted honestly,
_PREDICTED = 0.85  # and of all labels: a model that guesses is contradicted everywhere
_LEARNED_CLASS = 0.7  # share of the labels of each class that must be
_CONTRADICTED = 0.3  # a label whose probability is below that share of the largest is named in any case


@dataclass(frozen=True, eq=False)
class _Told:
    """Labels, what was predicted without them, and the rows of which the model is surest, class by class."""

    labels: Ints
    predicted: Ints
    largest: Floats
    own: Floats

    @property
    def wrong(self) -> NDArray[np.bool_]:
        return np.asarray(self.predicted != self.labels)

    def named(self, rate: float) -> Ints:
        """Return contradicted rows, least likely labels first: the clear ones, and as many as `rate` says are wrong."""
        told = self.own / self.largest
        rows = np.flatnonzero(self.wrong)
        rows = rows[np.lexsort((rows, told[rows]))]
        clear = int((told[rows] < _CONTRADICTED).sum())
        return np.asarray(rows[: max(clear, round((rate - _HONEST[1][1]) * len(self.labels)))])

    def surest(self, share: float) -> Ints:
        """Return the rows with the largest probabilities of each predicted class."""
        found = []
        for k in np.unique(self.predicted):
            inside = np.flatnonzero(self.predicted == k)
            order = np.argsort(-self.largest[inside], kind="stable")
            found.append(inside[order][: int(share * len(inside))])
        return np.concatenate(found)


@probe(
    "SPL402",
    "Labels suspected to be wrong",
    needs=["target", "classes"],
    why="A score against wrong labels caps good models, and ranks models by how well they repeat mistakes.",
    bound=(
        "Binomial test of the contradicted labels among the rows of which a model is surest, where at least 3 % of them"
        " are contradicted, in several classes, and the model has learned every class; a caution."
    ),
)
def wrong_labels(context: AuditContext) -> Finding:
    """Count labels that an out-of-fold model contradicts where it is surest (after Northcutt et al. 2021).

    Classes that overlap are contradicted at the border, where the model is unsure; wrong labels are met everywhere, in
    all classes. Of a hard problem nothing can be said.
    """
    assert context.target is not None
    rows = _rows(context)
    told = _predict(context, rows)
    wrong = told.wrong
    surest, surer = told.surest(_SUREST), told.surest(_SURER)
    count, rate = int(wrong[surest].sum()), float(wrong[surest].mean())
    sampled = "" if context.n_rows <= len(rows) else f" (of {len(rows):,} rows drawn by chance)"
    common: dict[str, Any] = {
        "effect": rate,
        "effect_name": "share of contradicted labels among the rows of which a quick model is surest",
        "interval": wilson_interval(count, len(surest)),
    }
    unlearned = _unlearned(told, rate)
    if unlearned:
        return Finding("clean", f"{unlearned}{sampled}: wrong labels would not stand out.", **common)
    p = _chance(told)
    flat = _is_flat(int(wrong[surer].sum()), len(surer), rate)
    if not (p < context.level and rate >= _WORTH and flat and _in_several_classes(told, surest, rate)):
        text = (
            f"A quick model agrees with {1 - wrong.mean():.1%} of the labels{sampled}, and contradicts {count:,} of the"
            f" {len(surest):,} that it is surest of."
        )
        return Finding("clean", text, p_value=p, **common)
    named = told.named(rate)
    return Finding(
        "caution",
        f"{len(named):,} labels look wrong{sampled}: a model of the other rows, right in {1 - wrong.mean():.1%},"
        f" contradicts {count:,} of the {len(surest):,} labels that it is surest of, in several classes, where classes"
        " that overlap would leave next to none.",
        p_value=p,
        columns=[context.target.name],
        rows=rows[named],
        remedy='suspects = df.iloc[report["SPL402"].rows]  # look at them; correct what is wrong, do not only drop it',
        evidence=_evidence(context, rows, told, named),
        **common,
    )


def _rows(context: AuditContext) -> Ints:
    target = context.target
    assert target is not None
    known = np.flatnonzero(target.known)
    rows = context.sample(known, _FAST_ROWS if context.fast else _ROWS, "SPL402")
    enough = np.bincount(target.codes[rows], minlength=len(target.levels)) >= _LEAST_OF_A_CLASS
    rows = rows[enough[target.codes[rows]]]
    if len(rows) < _LEAST_ROWS or enough.sum() < 2:
        raise NotApplicable(
            f"needs {_LEAST_ROWS} rows of two classes and more with {_LEAST_OF_A_CLASS} rows each to learn them"
        )
    if not usable_columns(context):
        raise NotApplicable("no column that a model could use")
    return rows


def _predict(context: AuditContext, rows: Ints) -> _Told:
    """Predict each row by forests that have not seen it, nor rows of its declared group."""
    assert context.target is not None
    repeats = 2 if len(rows) <= _FAST_ROWS and not context.fast else 1
    columns = usable_columns(context)
    total: Any = 0.0
    for repeat in range(repeats):
        folds = context.folds(_FOLDS, f"SPL402 {repeat}", rows=rows)
        if len(np.unique(folds)) < 2:
            raise NotApplicable(
                "all rows belong to one declared group, so that no model is independent of a row"
            )
        trees = 40 if context.fast else 80
        total = total + predict_out_of_fold(context, columns, rows, folds, trees=trees, leaf=_LEAF)
    probability = np.asarray(total / repeats, dtype=np.float64)
    labels = context.target.codes[rows]
    return _Told(
        labels, probability.argmax(axis=1), probability.max(axis=1), probability[np.arange(len(rows)), labels]
    )


def _unlearned(told: _Told, rate: float) -> str:
    """Return why the model is no judge, or nothing; `rate` is the share that is wrong if all surest ones are right."""
    agrees = ~told.wrong
    if agrees.mean() < max(_PREDICTED, _LEARNED * (1 - rate)):
        return f"A quick model is right in {agrees.mean():.0%} of the rows only"
    of_class = min(agrees[told.labels == k].mean() for k in np.unique(told.labels))
    if of_class < _LEARNED_CLASS:
        return f"A quick model finds {of_class:.0%} of one of the classes only"
    return ""


def _is_flat(count: int, of: int, rate: float) -> bool:
    """Whether the surer rows are contradicted as often as the others, or may be."""
    from scipy.stats import binom

    return count >= _THINS * rate * of or float(binom.cdf(count, of, rate)) > _BY_CHANCE


def _in_several_classes(told: _Told, surest: Ints, rate: float) -> bool:
    predicted = told.predicted[surest]
    counts = np.bincount(predicted, minlength=2)
    hits = np.bincount(predicted, told.wrong[surest], minlength=2)
    return bool((hits >= np.maximum(1, _ONE_SIDED * rate * counts)).sum() > 1)


def _chance(told: _Told) -> float:
    """Return the chance of as many contradicted labels at the rates of an honest table: twice the smaller of two."""
    from scipy.stats import binom

    chances = []
    for share, honest in _HONEST:
        rows = told.surest(share)
        chances.append(float(binom.sf(int(told.wrong[rows].sum()) - 1, len(rows), honest)))
    return min(1.0, len(chances) * min(chances))


def _evidence(context: AuditContext, rows: Ints, told: _Told, named: Ints) -> list[dict[str, Any]]:
    assert context.target is not None
    levels = context.target.levels
    return [
        {
            "row": int(rows[i]),
            "value": f"{levels[told.labels[i]]}; more likely {levels[told.predicted[i]]}",
            "probability of the label": round(float(told.own[i]), 3),
            "of the likeliest": round(float(told.largest[i]), 3),
        }
        for i in named[:50]
    ]
