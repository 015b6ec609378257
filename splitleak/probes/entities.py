"""SPL304: columns that act as an identity (a patient, a user, a plot), and whose identities cross the split."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext, Target
from splitleak.probes.likeness import LEAST_ALIKE, LEAST_ENTITIES, ONE_TEST, Likeness, likeness
from splitleak.probes.remedies import split_again
from splitleak.probes.scores import indicators

Ints = NDArray[np.int64]
_LEAST_ROWS = 1.5  # rows of an entity on average
_CROSSING = 0.3  # share of the held-out rows whose entity is in training
_ALIKE = 0.3  # intraclass correlation of another column within the labels, beyond a smooth trend
_NAMED_ALIKE = LEAST_ALIKE  # the same, for a column that is named as an identity
_OF_A_KEY = (
    0.2  # intraclass correlation of the target within the labels of two columns together, beyond their own
)
_RUN = 3  # numbers next to each other that a measurement would treat alike
_SURE = 1e-8  # chance of so alike a target that no second witness is asked for
_WITNESSES = 2  # other columns that must agree
_MOST_ROWS = 5_000
_MOST_WITNESSES = 15
_MOST_PAIRS = 100
_ROWS_PER_PART = 6  # rows of one value of a column that is half of a key
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

    `explained` is the intraclass correlation of the columns in `witnesses` within its labels, beyond what its parts
    (and a smooth trend of a number) explain.
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
    bound="Rows of one label are alike in two other columns beyond a smooth trend (F tests, Bonferroni); a caution.",
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
        remedy=_remedy(context, list(identity.names)),
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
    return levels >= LEAST_ENTITIES and len(known) >= _LEAST_ROWS * levels and len(known) > 0.5 * len(codes)


def _single(context: AuditContext, column: AuditColumn, rows: Ints) -> Identity | None:
    """Return a column as an identity, when its labels explain other columns beyond its smooth trend."""
    named = is_named_as_entity(column.name)
    if not named and len(column.levels) < max(2 * LEAST_ENTITIES, 0.02 * len(rows)):
        return None  # few levels without such a name: a category
    trend = [_neighbours(column.codes[rows])] if column.kind == "numeric" else []
    bound = _NAMED_ALIKE if named else _ALIKE
    return _identity(context, (column,), column.codes, trend, rows, bound)


def _composite(context: AuditContext, columns: list[AuditColumn], rows: Ints) -> list[Identity]:
    """Return pairs of columns that name entities together, where neither does alone."""
    parts = [c for c in columns if 2 <= len(c.levels) <= len(rows) / _ROWS_PER_PART]
    # two measurements tell rows apart together, and bend together: of two numbers one must be named as an identity
    pairs = [
        (a, b)
        for i, a in enumerate(parts)
        for b in parts[i + 1 :]
        if "category" in (a.kind, b.kind) or is_named_as_entity(a.name) or is_named_as_entity(b.name)
    ]
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
        trends = [a.codes[rows], b.codes[rows]]
        identity = _identity(context, (a, b), key, trends, rows, _OF_A_KEY, len(ranked))
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
    tried: int = 1,
) -> Identity | None:
    """Return the identity when other columns are alike within its labels, beyond the trends and more than by chance.

    Two must be (the target counts as one); one is enough where the name says that it is an identity.
    """
    own = {column.name for column in columns}
    named = bound == _NAMED_ALIKE
    enough = bound if len(columns) > 1 else _ALIKE
    asked: list[tuple[str, NDArray[np.float64], Any]] = []
    if context.target is not None:
        known = np.flatnonzero(context.target.known[rows])
        if len(known) >= _LEAST_KNOWN:
            asked += [
                (context.target.name, outcome, known) for outcome in _of_target(context.target, rows[known])
            ]
    of_the_target = len(asked)
    asked += [
        (other.name, _outcome(other, rows), slice(None))
        for other in _informative(context)
        if other.name not in own
    ]
    found: list[tuple[Likeness, str]] = []
    for i, (name, outcome, part) in enumerate(asked):
        if i == of_the_target and not found and len(columns) > 1:
            return None  # nothing beyond its parts in the target, which is asked for below
        inside = labels[rows][part]
        kept = inside >= 0
        parts = [_compact(trend[part][kept]) for trend in trends]
        told = likeness(_compact(inside[kept]), outcome[kept], parts)
        if told is not None and told.alike >= bound:
            found.append((told, name))
    own_name = None if context.target is None else context.target.name
    sure = of_target = False
    witnesses: dict[str, float] = {}
    for told, name in found:
        tests = (
            4 if name == own_name else 2 * len(asked)
        )  # half of the level is the target's, which is asked first
        if name == own_name:
            sure = sure or (told.alike >= enough and told.chance * tried < _SURE)
            of_target = of_target or told.chance < ONE_TEST
        if told.chance * tests * tried < context.level:
            witnesses[name] = max(told.alike, witnesses.get(name, 0.0))
    least = 1 if named or sure else _WITNESSES
    if len(witnesses) < least or not (
        of_target or named or (columns[0].kind == "category" and len(columns) == 1)
    ):
        return None  # crossed columns interact by nature, and numbers are rounded in one place and not in another
    order = sorted(witnesses, key=lambda name: (-witnesses[name], name))
    names = tuple(column.name for column in columns)
    return Identity(names, labels, tuple(order), witnesses[order[least - 1]])


def _of_target(target: Target, rows: Ints) -> list[NDArray[np.float64]]:
    """Return the target as indicators of its classes; where they are numbers, as ranks of these, too."""
    from scipy.stats import rankdata

    found = [indicators(target, rows)]
    if target.task == "multiclass" and all(isinstance(level, (int, float)) for level in target.levels):
        levels = np.array(target.levels, dtype=np.float64)
        found.append(np.asarray(rankdata(levels[target.codes[rows]]))[:, None])
    return found


def _neighbours(codes: Ints) -> Ints:
    """Return runs of three numbers each in the order of their size; missing ones are a run of their own.

    What is measured changes little from one number to the next; what is named changes anyhow.
    """
    runs = np.full(len(codes), -1, dtype=np.int64)
    known = codes >= 0
    runs[known] = _compact(codes[known]) // _RUN
    return runs


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


def _compact(codes: Ints) -> Ints:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _crossing(context: AuditContext, identity: Identity) -> tuple[Ints, float]:
    """Return the held-out rows whose entity is in training, and their share of all held-out rows."""
    labels: Any = identity.labels
    known = labels[context.train]
    in_training = np.unique(known[known >= 0])
    held = context.held_out[np.isin(labels[context.held_out], in_training)]
    return held.astype(np.int64), len(held) / max(1, len(context.held_out))


def _remedy(context: AuditContext, names: list[str]) -> str:
    nearest = {"on_infeasible": "nearest"}
    if len(names) == 1:
        return split_again(context, groups=names, **nearest)
    key = f"groups = df[{names!r}].astype(str).agg('|'.join, axis=1)"
    return f"{key}\n{split_again(context, groups='groups', **nearest)}"
