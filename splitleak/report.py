"""LeakageReport: one result per probe, and the views of them."""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError, LeakageError, unknown_option
from splitleak.probes.base import Finding, Status
from splitleak.report_views import ReportViews

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]
Verdict = Literal["leak", "caution", "clean"]
Severity = Literal["high", "medium", "low", "none"]
FORMAT = 1  # of summary(), to_json() and what is read back from it
_ORDER = {"leak": 0, "caution": 1, "clean": 2, "skipped": 3, "not_applicable": 4}
_NEGLIGIBLE = 0.005  # a change of the score below that is none (Roth 2026: normalisation moves AUC by less)
_LARGE = 0.02
_CEILING = 0.99  # a score that is still there without the finding cannot show what it is worth


@dataclass(frozen=True)
class Impact:
    """What a finding is worth in score: a quick model with and without the rows or columns concerned.

    Attributes
    ----------
    metric : str
        scikit-learn's name of the score; higher is better.
    with_leak, without : float
        The score on the held-out rows (without a split: out of fold).
    difference : float
        ``with_leak - without``.
    interval : (float, float)
        95 % interval of the difference.
    what : str
        What was left out.
    """

    metric: str
    with_leak: float
    without: float
    difference: float
    interval: tuple[float, float]
    what: str


@dataclass(frozen=True, eq=False)
class ProbeResult:
    """The answer of one probe.

    Attributes
    ----------
    code, title, why : str
        Of the probe.
    status : {"leak", "caution", "clean", "not_applicable", "skipped"}
        "not_applicable" and "skipped" have their reason in `explanation`.
    explanation : str
        What was found, with counts.
    rows : int64 array
        Positions in the caller's data.
    partners : int64 array
        For each row the other row of the pair, or empty.
    q_value : float or None
        False discovery rate over all p-values of the report.
    impact : Impact or None
        What it is worth in score.
    muted : str or None
        The caller's reason to ignore it.
    how, bound : str
        Of the probe: how it looks, and what limits its false alarms.
    effect, effect_name, interval, p_value, columns, remedy, evidence, picture
        As in `splitleak.probes.base.Finding`; row positions are the caller's.
    """

    code: str
    title: str
    status: Status
    explanation: str
    why: str = ""
    effect: float | None = None
    effect_name: str = ""
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    q_value: float | None = None
    columns: tuple[str, ...] = ()
    rows: Ints = None  # type: ignore[assignment]  # set below
    partners: Ints = None  # type: ignore[assignment]
    remedy: str = ""
    evidence: tuple[Mapping[str, Any], ...] = ()
    picture: Mapping[str, Any] | None = None
    impact: Impact | None = None
    muted: str | None = None
    how: str = ""
    bound: str = ""

    def __post_init__(self) -> None:
        for name in ("rows", "partners"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.zeros(0, dtype=np.int64))

    @classmethod
    def of(cls, code: str, title: str, why: str, finding: Finding, positions: Ints) -> ProbeResult:
        """Return the result of a finding, its rows turned to the caller's positions, ascending."""
        rows = positions[np.asarray(finding.rows, dtype=np.int64)]
        order = np.argsort(rows, kind="stable")
        partners = positions[np.asarray(finding.partners, dtype=np.int64)]
        evidence = tuple(
            {k: int(positions[v]) if k.endswith("row") and v is not None else v for k, v in entry.items()}
            for entry in finding.evidence
        )
        return cls(
            code, title, finding.status, finding.explanation, why, finding.effect, finding.effect_name,
            finding.interval, finding.p_value, None, tuple(finding.columns), rows[order],
            partners[order] if len(partners) else partners, finding.remedy, evidence,
            _of_caller(finding.picture, positions),
        )  # fmt: skip

    @property
    def severity(self) -> Severity:
        """How much it matters.

        "high": a leak that moves the score, or whose effect on it is not known; a leak that moves it by less than 0.02
        is "medium", one that does not move it "low"; a caution is one step below. Where the score stays at 0.99 and
        more without it, something else gives the answer away, and the effect counts as not known.
        """
        if self.status not in ("leak", "caution") or self.muted is not None:
            return "none"
        ladder: tuple[Severity, ...] = ("high", "medium", "low", "low")
        step = 1 if self.status == "caution" else 0
        if self.impact is not None and self.impact.without < _CEILING:
            size = max(self.impact.difference, 0.0)
            step += (
                0 if size >= _LARGE else 1 if size >= _NEGLIGIBLE or self.impact.interval[1] >= _LARGE else 2
            )
        return ladder[min(step, 3)]

    def summary(self) -> dict[str, Any]:
        """Return everything in plain JSON types."""
        return {
            "code": self.code,
            "title": self.title,
            "why": self.why,
            "status": self.status,
            "severity": self.severity,
            "explanation": self.explanation,
            "effect": _number(self.effect),
            "effect_name": self.effect_name,
            "interval": None if self.interval is None else [_number(x) for x in self.interval],
            "p_value": _number(self.p_value),
            "q_value": _number(self.q_value),
            "columns": list(self.columns),
            "rows": self.rows.tolist(),
            "partners": self.partners.tolist(),
            "remedy": self.remedy,
            "evidence": [{k: _plain(v) for k, v in entry.items()} for entry in self.evidence],
            "picture": _plain(self.picture),
            "impact": None if self.impact is None else {k: _plain(v) for k, v in vars(self.impact).items()},
            "muted": self.muted,
            "how": self.how,
            "bound": self.bound,
        }

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any]) -> ProbeResult:
        """Return what `summary` described; keys of later versions are ignored."""
        fields: dict[str, Any] = {f: summary[f] for f in cls.__dataclass_fields__ if f in summary}
        for name in ("rows", "partners"):
            fields[name] = np.asarray(fields[name], dtype=np.int64)
        for name in ("columns", "evidence"):
            fields[name] = tuple(fields[name])
        if fields["interval"] is not None:
            fields["interval"] = tuple(fields["interval"])
        if fields["impact"] is not None:
            known = {k: v for k, v in fields["impact"].items() if k in Impact.__dataclass_fields__}
            fields["impact"] = Impact(**{**known, "interval": tuple(known["interval"])})
        return cls(**fields)


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
    """

    results: tuple[ProbeResult, ...]
    about: Mapping[str, Any]
    not_checked: tuple[tuple[str, str], ...] = ()
    self_test: tuple[Mapping[str, Any], ...] = ()

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
            "about": {k: _plain(v) for k, v in self.about.items()},
            "results": [result.summary() for result in self.results],
            "not_checked": [list(entry) for entry in self.not_checked],
            "self_test": [{k: _plain(v) for k, v in entry.items()} for entry in self.self_test],
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
        )


def worst_first(results: Sequence[ProbeResult]) -> tuple[ProbeResult, ...]:
    """Return results by status, severity and code; muted ones after the cautions."""
    severity = {"high": 0, "medium": 1, "low": 2, "none": 3}
    return tuple(
        sorted(results, key=lambda r: (1.5 if r.muted else _ORDER[r.status], severity[r.severity], r.code))
    )


def _of_caller(picture: Mapping[str, Any] | None, positions: Ints) -> Mapping[str, Any] | None:
    """Return a picture whose rows, if it shows pairs of them, are the caller's."""
    if picture is None or picture.get("kind") != "pairs":
        return picture
    pairs = [[int(positions[a]), int(positions[b]), *rest] for a, b, *rest in picture["pairs"]]
    return {**picture, "pairs": pairs}


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return _number(value)
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, bytes):  # a picture
        return base64.b64encode(value).decode()
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)
