"""A leakage report as HTML: one self-contained page, and the fragment that notebooks show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from splitleak.rendering.audit import (
    about_table,
    audit_call,
    audit_explanation,
    audit_findings,
    audit_headline,
    by_reason,
    evidence_table,
    impact_sentence,
    measure_sentence,
    muted_results,
    not_checked,
    not_planted,
    of_status,
    prepared,
    remedy_text,
    self_test_table,
    where_sentence,
)
from splitleak.rendering.audit_coverage import coverage_table, section_of
from splitleak.rendering.audit_figures import audit_figures, hidden_images, pairs_table
from splitleak.rendering.html import Section, render
from splitleak.rendering.tables import Summary, Table, count

MOST_BYTES = 290_000
_GRADE = {"leak": "Leak", "caution": "Caution"}


@dataclass(frozen=True)
class FindingView:
    """A finding as the page shows it."""

    code: str
    title: str
    status: str
    grade: str
    severity: str
    section: str
    anchor: str
    sentences: Sequence[str]
    figures: Sequence[str]
    tables: Sequence[Table]
    remedy: str
    small_print: Sequence[tuple[str, str]]


def audit_page(summary: Summary, *, title: str = "", show_values: bool = False) -> str:
    """Return a page about a report: no scripts, nothing loaded from elsewhere.

    Parameters
    ----------
    summary : dict
        Of a report.
    title : str
        Heading of the page; default: what was audited.
    show_values : bool
        Show values of the data; else they are hidden.
    """
    shown = prepared(summary, show_values=show_values)
    views = [_view(result, shown, anchored=True) for result in audit_findings(shown)]
    page = _page(shown, title, views)
    excess = len(page.encode()) - MOST_BYTES
    if excess <= 0:
        return page
    for i in range(len(views) - 1, -1, -1):  # the worst keep their pictures
        if excess > 0 and views[i].figures:
            excess -= sum(len(figure.encode()) for figure in views[i].figures)
            views[i] = _without_figures(views[i])
    return _page(shown, title, views)


def audit_fragment(summary: Summary) -> str:
    """Return what a notebook shows of a report: verdict, findings, what was clean and what was not looked at."""
    shown = prepared(summary, show_values=False)
    views = [_view(result, shown, anchored=False) for result in audit_findings(shown)]
    return render(
        "audit_fragment.html",
        verdict=shown["verdict"],
        headline=audit_headline(shown),
        explanation=audit_explanation(shown),
        findings=views,
        sections=[s for s in _sections(shown) if s.title.startswith(("Not ", "Skipped", "Muted"))],
    )


def _page(summary: Summary, title: str, views: Sequence[FindingView]) -> str:
    return render(
        "audit_page.html",
        title=title or f"Leakage report: {summary['about']['data']}",
        verdict=summary["verdict"],
        headline=audit_headline(summary),
        explanation=audit_explanation(summary),
        findings=views,
        sections=_sections(summary),
    )


def _view(result: Summary, summary: Summary, *, anchored: bool) -> FindingView:
    prefix = "page" if anchored else "cell"
    sentences = [
        result["explanation"],
        measure_sentence(result),
        impact_sentence(result),
        where_sentence(result),
    ]
    hidden = hidden_images(result["picture"])
    if hidden:
        sentences.append(f"{count(hidden, 'pair')} of images hidden; show_values=True shows them.")
    tables = [pairs_table(result["picture"]), evidence_table(result)]
    print_lines = (
        ("How it was found", "how"),
        ("Why it matters", "why"),
        ("What bounds false alarms", "bound"),
    )
    return FindingView(
        code=result["code"],
        title=result["title"],
        status=result["status"],
        grade=_GRADE[result["status"]],
        severity=result["severity"],
        section=section_of(result["code"]),
        anchor=result["code"] if anchored else "",
        sentences=[_kept_together(s) for s in sentences if s],
        figures=audit_figures(
            result["picture"], title=result["title"], identifier=f"{prefix}-{result['code']}"
        ),
        tables=[t for t in tables if t is not None],
        remedy=remedy_text(result),
        small_print=[(name, result[key]) for name, key in print_lines if result.get(key)],
    )


def _kept_together(sentence: str) -> str:
    """Return a sentence whose ``p < 0.01`` is not broken over lines."""
    return re.sub(r"\b([pq]) ([=<]) (?=[0-9])", "\\1\N{NO-BREAK SPACE}\\2\N{NO-BREAK SPACE}", sentence)


def _without_figures(view: FindingView) -> FindingView:
    note = "The picture is left out, so that this page stays small."
    return replace(view, figures=(), sentences=[*view.sentences, note])


def _sections(summary: Summary) -> list[Section]:
    sections = []
    muted = [
        (r["code"], r["title"], r["status"], r["explanation"], r["muted"]) for r in muted_results(summary)
    ]
    if muted:
        header = ("code", "title", "status", "what was found", "reason to ignore it")
        sections.append(Section("Muted", tables=[_texts(header, muted)]))
    tested = self_test_table(summary)
    left_out = not_planted(summary)
    if tested is not None or left_out:
        note = "Known leaks were planted in a copy of these data, and the same probes looked for them."
        tables = [] if tested is None else [tested]
        tables += (
            [_texts(("not planted", "because"), [("; ".join(t), r) for r, t in left_out])] if left_out else []
        )
        sections.append(Section("Self test: what would have been found", [note], tables=tables))
    clean = [(r["code"], r["title"], r["explanation"]) for r in of_status(summary, "clean")]
    if clean:
        table = _texts(("code", "what was looked for", "answer"), clean)
        sections.append(Section("Found nothing", tables=[table]))
    for title, status in (("Not applicable", "not_applicable"), ("Skipped", "skipped")):
        grouped = by_reason(of_status(summary, status))
        if grouped:
            rows = [
                (reason, "; ".join(f"{r['code']} {r['title']}" for r in g)) for reason, g in grouped.items()
            ]
            sections.append(Section(title, tables=[_texts(("reason", "probes"), rows)]))
    left = not_checked(summary)
    if left:
        sections.append(Section("Not checked", tables=[_texts(("what", "why"), left)]))
    note = "By the kinds of leakage of Kapoor and Narayanan, Patterns 4(9), 2023."
    sections.append(Section("What this report covers", [note], tables=[coverage_table(summary)]))
    note = "With the same data, options and seed, the same call gives the same report:"
    sections.append(
        Section("How it was made", [note], tables=[about_table(summary)], code=audit_call(summary))
    )
    return sections


def _texts(header: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> Table:
    return Table("", header, rows, left=frozenset(range(len(header))))
