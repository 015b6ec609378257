"""Plant one kind of leak again and again, and count how often it is found."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from splitleak.auditing.copies import Copies
from splitleak.errors import NotPlantable
from splitleak.planting import Planted, plant
from splitleak.planting.facts import one_table
from splitleak.probes.base import Finding, NotApplicable, Probe, Skipped
from splitleak.probes.context import AuditContext
from splitleak.self_test.kinds import Attempt

Labels = NDArray[np.object_]
_MISSES = (
    5  # then it is not one that is nearly always seen, whatever comes: 5 of 20 at a share of .95 in 1 of 400
)


@dataclass(frozen=True, eq=False)
class Bench:
    """The table that leaks are planted in.

    Attributes
    ----------
    copies : Copies
        The table and its copies.
    split : array of str
        Partition of each row of ``copies.frame``.
    told : bool
        Whether probes are told of the split.
    known : dict of str to Finding or None
        What a probe says of the table as it is.
    facts : dict
        What was found out about the table, to plant in it.
    """

    copies: Copies
    split: Labels
    told: bool
    known: dict[str, Finding | None] = field(default_factory=dict)
    facts: dict[Hashable, object] = field(default_factory=dict)

    def tried(self, attempt: Attempt, looking: Sequence[Probe], tries: int) -> list[bool] | str:
        """Return for each try whether the leak was found, or why it was not planted.

        It ends after five misses. A leak that is named in the table as it is, too, does not count.
        """
        found: list[bool] = []
        reason = ""
        for i in range(2 * tries):
            if len(found) == tries or found.count(False) == _MISSES:
                break
            try:
                leak = self._planted(attempt, i)
            except NotPlantable as refusal:
                reason = str(refusal)
                if not found:
                    break  # what the table does not allow once, it seldom does
                continue
            finder = self._finder(looking, leak)
            asked = looking if finder is None else [finder]
            before = [probe.code for probe in asked if _names(self._as_it_is(probe), leak)]
            if not before:
                found.append(finder is not None)
                continue
            reason = f"{before[0]} names the same in the data as they are"
            if i >= _MISSES and not found:
                break
        return found or reason

    def _planted(self, attempt: Attempt, i: int) -> Planted:
        target, seed = self.copies.context.target, 1_000 * self.copies.context.seed + i
        assert target is not None
        with one_table(self.facts):
            return plant(
                attempt.kind, self.copies.frame, target.name, self.split, strength=attempt.strength, seed=seed
            )

    def _finder(self, looking: Sequence[Probe], leak: Planted) -> Probe | None:
        """Return the first probe that finds a leak."""
        context = self.copies.context_of(
            leak.table,
            leak.split if self.told else None,
            time=leak.extra.get("time"),
            groups=leak.extra.get("groups"),
        )
        return next((probe for probe in looking if _names(_answer(probe, context), leak)), None)

    def _as_it_is(self, probe: Probe) -> Finding | None:
        if probe.code not in self.known:
            context = self.copies.context_of(self.copies.frame, self.split if self.told else None)
            self.known[probe.code] = _answer(probe, context)
        return self.known[probe.code]


def _answer(probe: Probe, context: AuditContext) -> Finding | None:
    try:
        return probe(context)
    except (NotApplicable, Skipped):
        return None


def _names(finding: Finding | None, leak: Planted) -> bool:
    """Say whether a finding names a planted column, or half of the planted rows."""
    if finding is None or finding.status == "clean":
        return False
    if not leak.columns and not len(leak.rows):
        return True
    if leak.columns and {str(name) for name in leak.columns} & set(finding.columns):
        return True
    named = np.isin(leak.rows, np.asarray(finding.rows, dtype=np.int64))
    return bool(len(leak.rows) and 2 * named.sum() >= len(leak.rows))
