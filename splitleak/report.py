"""LeakageReport: one result per probe, and the views of them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from splitleak.errors import InputError, LeakageError, unknown_option
from splitleak.probe_result import Impact, ProbeResult, plain
from splitleak.report_views import ReportViews

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["leak", "caution", "clean"]
FORMAT = 1  # of summary(), to_json() and what is read back from it
_ORDER = {"leak": 0, "caution": 1, "clean": 2, "skipped": 3, "not_applicable": 4}


@dataclass(frozen=True, eq=False, repr=False)
class LeakageReport(ReportViews):
    """What would make a score on this table, with this split, lie.

    Attributes
    ----------
    results : tuple of ProbeResult
        One per selected probe, worst first.
    about : mapping
        What was audited: rows, partitions with their sizes, target, columns, options, versions.
    not_checked : tuple of (str, str)
        What no probe looked at, and why.
    self_test : tuple of mappings
        What would have been found of leaks planted in a copy of these data; empty when not asked for.
    impact : Impact or None
        What all leaks (without any, all cautions) are worth together; None: fewer than two could be measured.
    """

    results: tuple[ProbeResult, ...]
    about: Mapping[str, Any]
    not_checked: tuple[tuple[str, str], ...] = ()
    self_test: tuple[Mapping[str, Any], ...] = ()
    impact: Impact | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst status that is not muted: "leak", "caution" or "clean"."""
        found = {result.status for result in self.results if result.muted is None}
        return "leak" if "leak" in found else "caution" if "caution" in found else "clean"

    @property
    def findings(self) -> tuple[ProbeResult, ...]:
        """The results that are a leak or a caution and not muted, worst first."""
        return tuple(r for r in self.results if r.status in ("leak", "caution") and r.muted is None)

    def __getitem__(self, code: str) -> ProbeResult:
        """Return the result of a probe by its code."""
        for result in self.results:
            if result.code == code:
                return result
        raise InputError(
            f"the report has no result of {code!r} (it has: {', '.join(r.code for r in self.results)})"
        )

    def frame(self) -> pd.DataFrame:
        """Return a pandas table with one row per result.

        Columns: code, title, status, severity, effect, interval, p_value, q_value, columns (list of names), rows
        (list of positions), explanation, remedy, muted.
        """
        import pandas as pd

        keep = (
            "code", "title", "status", "severity", "effect", "interval", "p_value", "q_value", "columns", "rows",
            "explanation", "remedy", "muted",
        )  # fmt: skip
        summaries = [result.summary() for result in self.results]
        return pd.DataFrame({name: [s[name] for s in summaries] for name in keep}, columns=list(keep))

    def raise_if_leaking(self, *, level: Literal["leak", "caution"] = "leak") -> None:
        """Raise `LeakageError` when a result is a leak (or, with ``level="caution"``, at least a caution)."""
        if level not in ("leak", "caution"):
            raise unknown_option("level", level, ("leak", "caution"))
        bad = [r for r in self.findings if level == "caution" or r.status == "leak"]
        if bad:
            lines = "; ".join(f"{r.code} {r.title}: {r.explanation}" for r in bad)
            raise LeakageError(
                f"{len(bad)} of {len(self.results)} probes found a {level}: {lines}",
                codes=[r.code for r in bad],
            )

    @cached_property
    def _summary(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "verdict": self.verdict,
            "about": {k: plain(v) for k, v in self.about.items()},
            "results": [result.summary() for result in self.results],
            "not_checked": [list(entry) for entry in self.not_checked],
            "self_test": [{k: plain(v) for k, v in entry.items()} for entry in self.self_test],
            "impact": None if self.impact is None else {k: plain(v) for k, v in vars(self.impact).items()},
        }

    def summary(self) -> dict[str, Any]:
        """Return everything in plain JSON types: what all views are made of."""
        return self._summary

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> LeakageReport:
        """Return the report that `to_json` wrote to a file; values that were hidden stay hidden.

        Raises
        ------
        InputError
            A file that is missing, no JSON, or no report; one of a later version.
        """
        try:
            summary = json.loads(Path(path).read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise InputError(f"path={str(path)!r} cannot be read as a report ({error})") from error
        if not isinstance(summary, dict) or not {"format", "results", "about"} <= set(summary):
            raise InputError(f"path={str(path)!r} holds no report that to_json wrote")
        if summary["format"] > FORMAT:
            raise InputError("written by a later version of splitleak; upgrade splitleak to read it")
        return cls(
            tuple(ProbeResult.from_summary(result) for result in summary["results"]),
            about=summary["about"],
            not_checked=tuple((what, reason) for what, reason in summary["not_checked"]),
            self_test=tuple(summary["self_test"]),
            impact=Impact.from_summary(summary.get("impact")),
        )


def worst_first(results: Sequence[ProbeResult]) -> tuple[ProbeResult, ...]:
    """Return results by status, severity and code; muted ones after the cautions."""
    severity = {"high": 0, "medium": 1, "low": 2, "none": 3}
    return tuple(
        sorted(results, key=lambda r: (1.5 if r.muted else _ORDER[r.status], severity[r.severity], r.code))
    )
