"""What became of one report of leakbench: `Try`, and the rules by which a detection is right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from splitleak.planting import Planted

ALARMS = ("leak", "caution")


@dataclass(frozen=True)
class Try:
    """One report on one table: what was planted, and what was said."""

    table: str
    seed: int
    kind: str  # "clean" where nothing was planted
    strength: str
    mode: str  # "data", or "object" where the fitted pipeline was handed over
    outcome: str  # "right", "named wrongly", "missed", "not plantable", "masked", "failed"; of clean: the worst status
    statuses: dict[str, str]  # code -> leak or caution
    reason: str = ""
    seconds: float = 0.0


def alarms(frame: pd.DataFrame) -> dict[str, str]:
    """Return the status of each code that is a leak or a caution."""
    loud = frame[frame["status"].isin(ALARMS)]
    return dict(zip(loud["code"], loud["status"], strict=True))


def judge(frame: pd.DataFrame, leak: Planted, before: pd.DataFrame, codes: Sequence[str]) -> str:
    """Say how a report did on a planted leak: "right", "named wrongly", "missed" or "masked"."""
    loud = frame[frame["status"].isin(ALARMS) & frame["code"].isin(codes)]
    if not leak.columns and not len(leak.rows) and set(codes) & set(alarms(before)):
        return "masked"
    if not len(loud):
        return "missed"
    known = before[before["status"].isin(ALARMS)]
    known_columns = {str(name) for names in known["columns"] for name in names}
    known_rows = {int(row) for rows in known["rows"] for row in rows} if _same_rows(leak) else set()
    for _, result in loud.iterrows():
        if _names_columns(result["columns"], leak, known_columns) or _names_rows(
            result["rows"], leak, known_rows
        ):
            return "right"
        if not leak.columns and not len(leak.rows):
            return "right"
    return "named wrongly"


def _same_rows(leak: Planted) -> bool:
    """Whether positions mean the same rows as before the leak was planted."""
    return "order" not in leak.extra


def _names_columns(named: Iterable[Any], leak: Planted, known: set[str]) -> bool:
    unchanged = {str(name) for name in leak.extra.get("unchanged", ())}
    planted, named = (
        {str(name) for name in leak.columns} - unchanged,
        {str(name) for name in named} - unchanged,
    )
    if not planted:
        return False
    needed = len(planted) if len(planted) <= 2 else len(planted) / 2
    return len(planted & named) >= needed and len(named - planted - known) <= 2


def _names_rows(named: Iterable[int], leak: Planted, known: set[int]) -> bool:
    if not len(leak.rows):
        return False
    named, planted = {int(row) for row in named}, set(leak.rows.tolist())
    allowed = planted | {int(row) for row in leak.extra.get("partners", ())} | known
    return (
        bool(named)
        and len(named & allowed) >= 0.8 * len(named)
        and len(named & planted) >= 0.8 * len(planted)
    )


def worst(found: dict[str, str]) -> str:
    return "leak" if "leak" in found.values() else "caution" if found else "clean"
