"""What a clean report means: known leaks planted in a copy of the caller's own data, and how often they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from splitleak._progress import SILENT, Progress
from splitleak.auditing.copies import Copies
from splitleak.planting import KINDS
from splitleak.probes.base import Probe
from splitleak.probes.context import AuditContext
from splitleak.self_test.drawing import Drawn, drawn_table
from splitleak.self_test.kinds import ATTEMPTS, Attempt, probes_for
from splitleak.self_test.trying import Bench
from splitleak.statistics import wilson_interval

__all__ = ["ATTEMPTS", "SelfTest", "run_self_test"]

_TRIES, _FAST_TRIES = 20, 10
_RELIABLE = 0.95  # 19 of 20
_NAMED = 4  # in the sentence
# Its probe fits hundreds of trees for one answer: of 20 answers on 1,000 rows, with fast=True, which sees a little less
_DEAR, _DEAR_ROWS = "wrong_labels", 1_000


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

    entries: tuple[Mapping[str, Any], ...] = ()
    sentence: str = ""
    left_out: tuple[tuple[str, str], ...] = ()


def run_self_test(
    context: AuditContext, probes: Sequence[Probe], *, clean: bool = True, progress: Progress = SILENT
) -> SelfTest:
    """Plant known leaks in copies of the data and count how often the selected probes find them.

    Rows stand in the order of their contents, so that the caller's order does not matter; of large tables 2,000 rows
    and 30 columns are drawn. Each leak is planted in 20 ways (``fast``: 1,000 rows, 10 ways), or until it was missed
    five times. Found: a probe of that kind of leak speaks and names a planted column, or half of the planted rows,
    which it does not name in the data as they are. Wrong labels are planted in 1,000 rows and looked for as with
    ``fast=True``.

    Parameters
    ----------
    context : AuditContext
        What was audited.
    probes : sequence of Probe
        Those that were selected; of each leak only those are asked that can find it, each at its share of `alpha`.
    clean : bool
        Whether the report is: what the sentence is about.
    progress : Progress
        Of the bars.
    """
    tries = _FAST_TRIES if context.fast else _TRIES
    drawn = drawn_table(context)
    if isinstance(drawn, str):
        return SelfTest(left_out=(("Self-test", drawn),))
    bench = _bench(context, drawn, fast=context.fast)
    entries, left_out = [], []
    with progress.stage("self test", total=len(ATTEMPTS)) as stage:
        for attempt in ATTEMPTS:
            looking = probes_for(context, probes, attempt.kind)
            if isinstance(looking, str):
                found: list[bool] | str = looking
            else:
                used = _small(context, bench) if attempt.kind == _DEAR else bench
                found = used.tried(attempt, looking, tries)
            stage.advance()
            if isinstance(found, str):
                left_out.append((f"Self-test: {attempt.title}", found))
            else:
                entries.append(_entry(attempt, found))
    return SelfTest(tuple(entries), _sentence(entries, tries, drawn.note, clean=clean), tuple(left_out))


def _bench(context: AuditContext, drawn: Drawn, *, fast: bool) -> Bench:
    assert context.target is not None
    copies = Copies.of(
        drawn.frame,
        context.target.name,
        alpha=context.alpha,
        limits=context.limits,
        seed=context.seed,
        fast=fast,
    )
    return Bench(copies, drawn.split[copies.order], bool(context.names))


def _small(context: AuditContext, bench: Bench) -> Bench:
    """Return the first rows: in the order of a hash of their contents, they are drawn by chance."""
    frame = bench.copies.frame.iloc[:_DEAR_ROWS]
    return _bench(context, Drawn(frame, bench.split[:_DEAR_ROWS], ""), fast=True)


def _entry(attempt: Attempt, found: list[bool]) -> dict[str, Any]:
    low, high = wilson_interval(sum(found), len(found))
    return {
        "kind": attempt.kind,
        "title": attempt.title,
        "strength": attempt.strength,
        "meaning": KINDS[attempt.kind].meaning,
        "tries": len(found),
        "found": sum(found),
        "share": sum(found) / len(found),
        "low": low,
        "high": high,
    }


def _sentence(entries: Sequence[Mapping[str, Any]], tries: int, note: str, *, clean: bool) -> str:
    if not entries:
        return ""
    seen = [e["title"] for e in entries if e["share"] >= _RELIABLE and e["tries"] == tries]
    missed = [e["title"] for e in entries if e["share"] < _RELIABLE]
    seldom = [e["title"] for e in entries if e["share"] >= _RELIABLE and e["tries"] < tries]
    often = f"{int(np.ceil(_RELIABLE * tries))} of {tries} tries"
    parts = []
    if seen:
        more = len(seen) - _NAMED
        named = (
            ", ".join(seen[:_NAMED]) + f" and {more} more kinds of leak" if more > 1 else _listed(seen, "or")
        )
        parts.append(
            f"A clean report here means that {named} would have been seen in {often} or more."
            if clean
            else f"Beside what was found, {named} would have been seen in {often} or more."
        )
    if missed:
        parts.append(f"Not seen that often: {_listed(missed, 'and')}.")
    if seldom:
        parts.append(f"Planted in fewer than {tries} tries, too few to say: {_listed(seldom, 'and')}.")
    return " ".join(parts) + note


def _listed(titles: Sequence[str], word: str) -> str:
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} {word} {titles[-1]}"
