"""ProbeResult: the answer of one probe, and Impact: what it is worth in score."""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, Status

Ints = NDArray[np.int64]
Severity = Literal["high", "medium", "low", "none"]
_NEGLIGIBLE = 0.005  # a change of the score below that is none (Roth 2026: normalisation moves AUC by less)
LARGE = 0.02
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
    best : float
        The best value that the metric can have on these rows: 1 of most scores, 0 of errors.
    scale : float or None
        How much better that is than the same answer for all rows (the mean, the shares of the classes); 1 where
        `best` is 1. Differences are judged by it; None: not known.
    last : float or None
        The difference where all other leaks are left out already; measured where this one alone is worth little and
        all together are not.
    """

    metric: str
    with_leak: float
    without: float
    difference: float
    interval: tuple[float, float]
    what: str
    best: float = 1.0
    scale: float | None = 1.0
    last: float | None = None

    @property
    def share(self) -> float | None:
        """The difference, alone or as the last of all leaks, as a share of `scale`; None: not known."""
        return None if self.scale is None else max(self.difference, self.last or 0.0, 0.0) / self.scale

    @property
    def tells(self) -> bool:
        """Whether the score without it leaves room to see its worth, or it was seen as the last of all leaks."""
        if self.last is not None:
            return True
        return self.scale is not None and 1 - (self.best - self.without) / self.scale < _CEILING

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any] | None) -> Impact | None:
        """Return what a summary described; keys of later versions are ignored."""
        if summary is None:
            return None
        known = {name: summary[name] for name in cls.__dataclass_fields__ if name in summary}
        return cls(**{**known, "interval": tuple(known["interval"])})


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
        is "medium", one that does not move it "low"; a caution is one step below. Errors, which have no upper end, are
        counted in shares of the error that the same answer for all rows makes. Where the score stays at 0.99 and more
        without it, something else gives the answer away, and the effect counts as not known; where it is worth
        something as the last of all leaks, that counts.
        """
        if self.status not in ("leak", "caution") or self.muted is not None:
            return "none"
        ladder: tuple[Severity, ...] = ("high", "medium", "low", "low")
        step = 1 if self.status == "caution" else 0
        if self.impact is not None and self.impact.scale is not None and self.impact.tells:
            size, highest = self.impact.share or 0.0, self.impact.interval[1] / self.impact.scale
            step += 0 if size >= LARGE else 1 if size >= _NEGLIGIBLE or highest >= LARGE else 2
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
            "effect": number(self.effect),
            "effect_name": self.effect_name,
            "interval": None if self.interval is None else [number(x) for x in self.interval],
            "p_value": number(self.p_value),
            "q_value": number(self.q_value),
            "columns": list(self.columns),
            "rows": self.rows.tolist(),
            "partners": self.partners.tolist(),
            "remedy": self.remedy,
            "evidence": [{k: plain(v) for k, v in entry.items()} for entry in self.evidence],
            "picture": plain(self.picture),
            "impact": None if self.impact is None else {k: plain(v) for k, v in vars(self.impact).items()},
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
        fields["impact"] = Impact.from_summary(fields["impact"])
        return cls(**fields)


def _of_caller(picture: Mapping[str, Any] | None, positions: Ints) -> Mapping[str, Any] | None:
    """Return a picture whose rows, if it shows pairs of them, are the caller's."""
    if picture is None or picture.get("kind") != "pairs":
        return picture
    pairs = [[int(positions[a]), int(positions[b]), *rest] for a, b, *rest in picture["pairs"]]
    return {**picture, "pairs": pairs}


def number(value: float | None) -> float | None:
    """Return a number as JSON has it: None where it is not finite."""
    return None if value is None or not math.isfinite(value) else float(value)


def plain(value: Any) -> Any:
    """Return a value in plain JSON types; pictures as base64."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return number(value)
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, bytes):  # a picture
        return base64.b64encode(value).decode()
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)
