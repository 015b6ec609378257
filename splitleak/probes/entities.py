"""SPL304: columns that act as an identity (a patient, a user, a plot), and whose identities cross the split."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.scores import bins_of, indicators, out_of_fold_means
from splitleak.statistics import normal_tail

Ints = NDArray[np.int64]
_LEAST_ENTITIES = 10
_LEAST_ROWS = 1.5  # rows of an entity on average
_CROSSING = 0.3  # share of the held-out rows whose entity is in training
_EXPLAINED = 0.3  # share of another column's variance that the identity explains beyond a smooth trend
_NAMED_EXPLAINED = 0.1  # the same, for a column that is named as an identity
_WITNESSES = 2  # other columns that must agree
_MOST_ROWS = 5_000
_MOST_WITNESSES = 15
_MOST_PAIRS = 100
_LEAST_KNOWN = 40
_NAMES = frozenset({
    "patient", "subject", "person", "user", "customer", "client", "account", "household", "family", "member",
    "employee", "student", "pupil", "participant", "case", "animal", "mouse", "rat", "speaker", "author", "plot",
    "tree", "player", "driver", "owner", "borrower", "policy", "vehicle", "machine", "unit", "id", "uid", "uuid",
    "ssn", "individual", "respondent", "donor", "cow", "dog", "child", "mother", "company", "firm", "group",
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class Identity:
    """A column, or two together, as labels of entities.

    `explained` is the share of variance that its labels explain out of fold, beyond what its parts (and a smooth
    trend of a number) do, of the columns in `witnesses`.
    """

    names: tuple[str, ...]
    labels: Ints
    witnesses: tuple[str, ...]
    explained: float


@probe(
    "SPL304",
    "Undeclared entities cross the split",
    needs=["split"],
    why="Several rows of one patient, user or place on both sides: the model is tested on whom it has met.",
    bound="Labels must explain, out of fold, at least two other columns far beyond a smooth trend; a caution.",
)
def undeclared_entities(context: AuditContext) -> Finding:
    """Look for labels that many rows share, that cross the split, and whose rows resemble each other."""
    inside = np.flatnonzero(context.codes >= 0)
    rows = context.sample(inside, _MOST_ROWS, "SPL304")
    if len(rows) < _LEAST_KNOWN:
        raise NotApplicable(f"fewer than {_LEAST_KNOWN} rows are in a partition")
    singles = [c for c in context.of_kind("category", "numeric") if c.kind == "category" or c.integer]
    candidates = [c for c in singles if _repeats(c.codes[inside])]
    found = [f for c in candidates if (f := _single(context, c, rows)) is not None]
    if not found:
        found = _composite(context, singles, rows)
    looked = len(candidates)
    crossing = [(f, *_crossing(context, f)) for f in found]
    hits = [entry for entry in crossing if entry[2] >= _CROSSING]
    hits.sort(key=lambda entry: (-len(entry[0].witnesses), -entry[0].explained, entry[0].names))
    if not hits:
        return Finding(
            "clean",
            f"{looked} column{'' if looked == 1 else 's'} could name entities; none does so and crosses the split.",
        )
    identity, held, share = hits[0]
    named = " and ".join(identity.names)
    n_entities = len(np.unique(identity.labels[identity.labels >= 0]))
    return Finding(
        "caution",
        f"{named} names {n_entities:,} entities whose rows are alike in {len(identity.witnesses)} other columns, and"
        f" {len(held):,} held-out rows ({share:.0%}) have theirs in training. If so, declare them as groups.",
        share,
        "share of held-out rows whose entity is in training",
        columns=list(identity.names),
        rows=held,
        remedy=f"split = splitleak.split_by_similarity(df, groups={list(identity.names)!r})"
        if len(identity.names) == 1
        else "key = df["
        + repr(list(identity.names))
        + "].astype(str).agg('|'.join, axis=1)\nsplit = splitleak.split_by_similarity(df, groups=key)",
        evidence=[
            {
                "columns": ", ".join(f.names),
                "alike in": ", ".join(f.witnesses[:5]),
                "explained": round(f.explained, 3),
                "held-out rows": len(rows_),
            }
            for f, rows_, _ in hits[:10]
        ],
        impact_of="rows",
    )


def is_named_as_entity(name: str) -> bool:
    """Return whether a column's name says that it names somebody or something."""
    words = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))
    return bool(words & _NAMES) or bool(re.search(r"[a-z](id|ID|Id)$", name))


def _repeats(codes: Ints) -> bool:
    known = codes[codes >= 0]
    levels = len(np.unique(known))
    return levels >= _LEAST_ENTITIES and len(known) >= _LEAST_ROWS * levels and len(known) > 0.5 * len(codes)


def _single(context: AuditContext, column: AuditColumn, rows: Ints) -> Identity | None:
    """Return a column as an identity, when its labels explain other columns beyond its smooth trend."""
    named = is_named_as_entity(column.name)
    if not named and len(column.levels) < max(2 * _LEAST_ENTITIES, 0.02 * len(rows)):
        return None  # few levels without such a name: a category
    trend = [bins_of(column, rows)] if column.kind == "numeric" else []
    bound = _NAMED_EXPLAINED if named else _EXPLAINED
    return _identity(context, (column,), column.codes, trend, rows, bound)


def _composite(context: AuditContext, columns: list[AuditColumn], rows: Ints) -> list[Identity]:
    """Return pairs of columns that name entities together, where neither does alone."""
    parts = [c for c in columns if 2 <= len(c.levels) <= len(rows) / 2]
    pairs = [(a, b) for i, a in enumerate(parts) for b in parts[i + 1 :]]
    ranked = []
    for a, b in pairs[: 20 * _MOST_PAIRS]:
        key = a.codes * len(b.levels) + b.codes
        key[(a.codes < 0) | (b.codes < 0)] = -1
        if _repeats(key[rows]):
            # the rarer the combination by chance, the more it looks like a key
            distinct = len(np.unique(key[rows]))
            rows_of_each = len(rows) / max(1, distinct)
            if rows_of_each <= 20:
                ranked.append((abs(np.log(rows_of_each / 4)), a.name, b.name, a, b, key))
    ranked.sort(key=lambda entry: entry[:3])
    found = []
    for _, _, _, a, b, key in ranked[: 20 if context.fast else _MOST_PAIRS]:
        trends = [bins_of(a, rows), bins_of(b, rows), a.codes[rows], b.codes[rows]]
        identity = _identity(context, (a, b), key, trends, rows, _EXPLAINED)
        if identity is not None:
            found.append(identity)
    return found


def _identity(
    context: AuditContext,
    columns: tuple[AuditColumn, ...],
    labels: Ints,
    trends: list[Ints],
    rows: Ints,
    bound: float,
) -> Identity | None:
    """Return the identity when at least two other columns are explained beyond the trends, by more than chance."""
    own = {column.name for column in columns}
    codes = _compact(labels[rows])
    folds = context.rng("SPL304 folds").permutation(len(rows)) % 5
    asked: list[tuple[str, NDArray[np.float64], Any]] = [
        (other.name, _outcome(other, rows), slice(None))
        for other in _informative(context)
        if other.name not in own
    ]
    if context.target is not None:
        known = np.flatnonzero(context.target.known[rows])
        if len(known) >= _LEAST_KNOWN:
            asked.append((context.target.name, indicators(context.target, rows[known]), known))
    witnesses = []
    for name, outcome, part in asked:
        total = _explained(_compact(codes[part]), outcome, folds[part])
        if total < bound:  # most columns: no need to ask the trends
            continue
        smooth = max([0.0, *(_explained(_compact(trend[part]), outcome, folds[part]) for trend in trends)])
        gain = total - smooth
        if gain >= bound and normal_tail(gain * np.sqrt(len(outcome)) / 2) < context.level:
            witnesses.append((gain, name))
    if len(witnesses) < _WITNESSES:
        return None
    witnesses.sort(key=lambda entry: (-entry[0], entry[1]))
    names = tuple(column.name for column in columns)
    return Identity(names, labels, tuple(name for _, name in witnesses), witnesses[_WITNESSES - 1][0])


def _informative(context: AuditContext) -> list[AuditColumn]:
    """Return the columns that tell most rows apart: those an identity would be constant in by no chance."""
    columns = [c for c in context.of_kind("numeric", "category") if len(c.levels) >= 2]
    columns.sort(key=lambda c: (-min(len(c.levels), context.n_rows // 2), c.name))
    return columns[:_MOST_WITNESSES]


def _outcome(column: AuditColumn, rows: Ints) -> NDArray[np.float64]:
    """Return what is explained of a column: the ranks of a number, the frequent levels of a category."""
    if column.kind == "numeric":
        from scipy.stats import rankdata

        values = column.values[rows]
        known = values[~np.isnan(values)]
        low = known.min() - 1 if len(known) else 0.0
        return np.asarray(rankdata(np.where(np.isnan(values), low, values)))[:, None]
    top = column.frequency_codes[rows]
    return np.stack([(top == k) * 1.0 for k in range(min(len(column.levels), 5))], axis=1)


def _explained(codes: Ints, outcome: NDArray[np.float64], folds: Ints) -> float:
    """Return the share of variance explained out of fold by the means of the levels."""
    predicted = out_of_fold_means(codes, outcome, folds)
    spread = float(((outcome - outcome.mean(axis=0)) ** 2).sum())
    return 1 - float(((outcome - predicted) ** 2).sum()) / spread if spread > 0 else 0.0


def _compact(codes: Ints) -> Ints:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _crossing(context: AuditContext, identity: Identity) -> tuple[Ints, float]:
    """Return the held-out rows whose entity is in training, and their share of all held-out rows."""
    labels: Any = identity.labels
    known = labels[context.train]
    in_training = np.unique(known[known >= 0])
    held = context.held_out[np.isin(labels[context.held_out], in_training)]
    return held.astype(np.int64), len(held) / max(1, len(context.held_out))
