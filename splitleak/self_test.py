"""What a clean report means: known leaks planted in a copy of the caller's own data, and how often they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak._tables import open_source
from splitleak.auditing import prepare_context
from splitleak.errors import NotPlantable
from splitleak.planting import KINDS, Planted, plant
from splitleak.probes.base import Finding, NotApplicable, Probe, Skipped
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.statistics import wilson_interval

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]

_TRIES, _FAST_TRIES = 20, 10
_ROWS, _FAST_ROWS = 2_000, 1_000
_COLUMNS = 30
_RELIABLE = 0.95  # 19 of 20
_NAMED = 4  # in the sentence
_PLANTED: tuple[tuple[str, float, str], ...] = (  # kind, strength, in words
    ("proxy", 0.95, "a column with an AUC of 0.95"),
    ("proxy", 0.99, "a column with an AUC of 0.99"),
    ("proxy_of_classes", 0.95, "a column that names the class in 95 % of the rows"),
    ("proxy_of_number", 0.99, "a column with a squared correlation of 0.99 with the target"),
    ("copies_of_rows", 0.02, "2 % copied rows"),
    ("missing_follows_target", 0.95, "missing values that tell the target with an AUC of 0.95"),
    ("value_of_one_class", 0.05, "a value in 5 % of the rows that one class only has"),
    ("identifier_follows_target", 0.8, "an identifier that tells the target with an AUC of 0.8"),
    ("xor_of_two_columns", 0.95, "two columns that tell the target together in 95 % of the rows"),
    ("source_follows_target", 0.8, "a source that tells the target with an AUC of 0.8"),
    ("tokens_tell_target", 0.3, "a word in 30 % of the texts of one side of the target"),
    ("near_copies_0.01", 0.05, "5 % rows copied with a noise of 0.01 standard deviations"),
    ("conflicting_targets", 0.02, "2 % repeated rows with another target"),
    ("standard_scaler_on_all", 1.0, "columns scaled on all rows"),
    ("declared_groups_cross", 0.1, "declared groups that cross with 10 % of the held-out rows"),
    ("undeclared_entity", 5.0, "an undeclared entity of 5 rows each that crosses"),
    ("train_after_test", 0.2, "20 % held-out rows dated before training rows"),
    ("split_predictable", 1.0, "a column shifted by one standard deviation in the held-out rows"),
    ("label_shift", 0.3, "a class whose share is raised by 30 points in the held-out rows"),
    ("new_category", 0.05, "a new category in 5 % of the held-out rows"),
    ("range_not_in_train", 0.05, "5 % held-out rows beyond the range of train"),
    ("wrong_labels", 0.05, "5 % wrong labels"),
)
_WITHOUT_SPLIT = frozenset(
    {"SPL103", "SPL201", "SPL202", "SPL203", "SPL204", "SPL206", "SPL207", "SPL208", "SPL402"}
)


@dataclass(frozen=True)
class SelfTest:
    """What would have been found.

    Attributes
    ----------
    entries : tuple of mapping
        One per leak that was planted: kind, title, strength, meaning, tries, found, share, low and high (Wilson's
        95 % interval of the share).
    sentence : str
        What a clean report means.
    left_out : tuple of (str, str)
        What was not planted, and why.
    """

    entries: tuple[Mapping[str, Any], ...]
    sentence: str
    left_out: tuple[tuple[str, str], ...]


def run_self_test(context: AuditContext, probes: Sequence[Probe], progress: Progress = SILENT) -> SelfTest:
    """Plant known leaks in copies of the data and count how often the selected probes find them.

    Rows stand in the order of their contents, so that the caller's order does not matter; of large tables 2,000 rows
    and 30 columns are drawn. Each leak is planted in 20 ways (``fast``: 1,000 rows, 10 ways). Found: a probe of
    that kind of leak speaks and names a planted column, or half of the planted rows.
    """
    tries = _FAST_TRIES if context.fast else _TRIES
    if context.target is None:
        return SelfTest((), "", (("Self-test", "needs a target: pass target= the column that is predicted"),))
    frame, split, drawn = _copy(context)
    if not (split == "train").any() or not (split == "test").any():
        return SelfTest((), "", (("Self-test", "needs rows with a known target in training and held out"),))
    entries, left_out = [], []
    words = {}
    with progress.stage("self test", total=len(_PLANTED)) as stage:
        for kind, strength, title in _PLANTED:
            found = _tested(context, probes, frame, split, kind, strength, tries)
            stage.advance()
            if isinstance(found, str):
                left_out.append((f"Self-test: {title}", found))
                continue
            low, high = wilson_interval(sum(found), len(found))
            entries.append(
                {
                    "kind": kind,
                    "title": title,
                    "strength": strength,
                    "meaning": KINDS[kind].meaning,
                    "tries": len(found),
                    "found": sum(found),
                    "share": sum(found) / len(found),
                    "low": low,
                    "high": high,
                }
            )
            words[title] = sum(found) / len(found)
    return SelfTest(tuple(entries), _sentence(words, tries, drawn), tuple(left_out))


def _sentence(words: Mapping[str, float], tries: int, drawn: str) -> str:
    if not words:
        return ""
    seen = [title for title, share in words.items() if share >= _RELIABLE]
    missed = [title for title, share in words.items() if share < _RELIABLE]
    often = f"{int(np.ceil(_RELIABLE * tries))} of {tries} tries"
    parts = []
    more = f" and {len(seen) - _NAMED} more of the leaks planted" if len(seen) > _NAMED + 1 else ""
    if seen:
        named = ", ".join(seen[:_NAMED]) + more if more else _listed(seen)
        parts.append(f"A clean report here means that {named} would have been seen in {often} or more.")
    if missed:
        parts.append(f"Not seen that often: {_listed(missed)}.")
    return " ".join(parts) + drawn


def _listed(titles: Sequence[str]) -> str:
    return titles[0] if len(titles) == 1 else ", ".join(titles[:-1]) + " or " + titles[-1]


def _copy(context: AuditContext) -> tuple[pd.DataFrame, NDArray[np.object_], str]:
    """Return a copy of the features and the target, its split into train and test, and what was drawn, in words."""
    import pandas as pd

    target = context.target
    assert target is not None
    rows = np.flatnonzero(target.known & (context.codes >= 0))
    most = _FAST_ROWS if context.fast else _ROWS
    kept = context.sample(rows, most, "self test")
    usable = context.of_kind("numeric", "category", "time", "text")
    if len(usable) > _COLUMNS:
        chosen = np.sort(context.rng("self test columns").choice(len(usable), _COLUMNS, replace=False))
        columns = [usable[i] for i in chosen]
    else:
        columns = usable
    series = {column.name: _series(column, kept) for column in (*columns, target.column)}
    if context.names:
        split = np.where(context.codes[kept] == 0, "train", "test").astype(object)
    else:  # planting wants one; probes are not told of it
        split = np.where(context.rng("self test split").random(len(kept)) < 0.2, "test", "train").astype(
            object
        )
    drawn = []
    if len(kept) < len(rows):
        drawn.append(f"{len(kept):,} of {len(rows):,} rows")
    if len(columns) < len(usable):
        drawn.append(f"{len(columns)} of {len(usable):,} columns")
    note = f" (On {' and '.join(drawn)}, drawn by chance.)" if drawn else ""
    return pd.DataFrame(series), split, note


def _series(column: AuditColumn, rows: Ints) -> pd.Series[Any]:
    """Return a column as pandas would hold it, whatever library it came from."""
    import pandas as pd

    missing = column.missing[rows]
    if column.kind == "numeric":
        values = column.values[rows]
        return pd.Series(
            values.astype(np.int64) if column.integer and not missing.any() and _small(values) else values
        )
    if column.kind == "time":
        return pd.Series(pd.to_datetime(column.values[rows], unit="s"))
    assert column.column is not None
    values = np.array(column.column.take(rows).to_pylist(), dtype=object)
    if not missing.any() and all(isinstance(value, bool) for value in values):
        return pd.Series(values.astype(bool))
    texts = np.array(
        [None if gone else str(v) for v, gone in zip(values, missing, strict=True)], dtype=object
    )
    return pd.Series(texts, dtype=object)


def _small(values: NDArray[np.float64]) -> bool:
    return bool(np.abs(values).max(initial=0) < 2**53)


def _tested(
    context: AuditContext,
    probes: Sequence[Probe],
    frame: pd.DataFrame,
    split: NDArray[np.object_],
    kind: str,
    strength: float,
    tries: int,
) -> list[bool] | str:
    """Return for each try whether the leak was found, or why it was not planted."""
    assert context.target is not None
    looking = [probe for probe in probes if probe.code in KINDS[kind].codes]
    if not looking:
        return f"{' and '.join(KINDS[kind].codes)} not selected with probes="
    if not context.names:
        looking = [probe for probe in looking if probe.code in _WITHOUT_SPLIT]
        if not looking:
            return "needs a split"
    if kind == "tokens_tell_target" and not context.of_kind("text"):
        return "needs a column of texts"
    found: list[bool] = []
    reason = ""
    for i in range(tries):
        try:
            leak = plant(
                kind, frame, context.target.name, split, strength=strength, seed=1_000 * context.seed + i
            )
        except NotPlantable as refusal:
            reason = str(refusal)
            if not found:
                break  # what the table does not allow once, it seldom does
            continue
        found.append(_is_found(context, looking, leak))
    return found or reason


def _is_found(context: AuditContext, probes: Sequence[Probe], leak: Planted) -> bool:
    source = open_source(leak.table)
    told = prepare_context(
        source,
        leak.split if context.names else None,
        target=leak.target,
        on=None,
        similarity="auto",
        threshold=None,
        groups=leak.extra.get("groups"),
        time=leak.extra.get("time"),
        raw=None,
        pipeline=None,
        ledger=None,
        metric=None,
        alpha=context.alpha,
        limits=context.limits,
        seed=context.seed,
        fast=context.fast,
        progress=SILENT,
    )
    return any(_names(_answer(probe, told), leak, told.positions) for probe in probes)


def _answer(probe: Probe, context: AuditContext) -> Finding | None:
    try:
        return probe(context)
    except (NotApplicable, Skipped):
        return None


def _names(finding: Finding | None, leak: Planted, positions: Ints) -> bool:
    if finding is None or finding.status == "clean":
        return False
    if not leak.columns and not len(leak.rows):
        return True
    if leak.columns and {str(name) for name in leak.columns} & set(finding.columns):
        return True
    named = np.isin(leak.rows, positions[np.asarray(finding.rows, dtype=np.int64)])
    return bool(len(leak.rows) and 2 * named.sum() >= len(leak.rows))
