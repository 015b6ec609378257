"""A leakage report as plain text: the repr, and what ``print(report)`` shows."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from splitleak.rendering.audit import (
    audit_explanation,
    audit_findings,
    audit_headline,
    by_reason,
    impact_sentence,
    measure_sentence,
    muted_results,
    not_checked,
    not_planted,
    of_status,
    remedy_text,
    self_test_groups,
    tally,
    where_sentence,
)
from splitleak.rendering.tables import Summary, count
from splitleak.rendering.text import WIDTH, printable

_GRADE = {"leak": "LEAK", "caution": "CAUTION"}
Line = tuple[str, str]  # a style's name and a text
Paragraph = tuple[str, str, int]  # and how far its further lines are set in
_GAP: Paragraph = ("", "", 0)


def audit_repr(summary: Summary) -> str:
    """Return a report in a few lines that say the next step."""
    about = summary["about"]
    lines = [
        f"LeakageReport: {summary['verdict']}; {tally(summary['results'])} ({count(about['n_rows'], 'row')})"
    ]
    lines += [f"  {_GRADE[r['status']]} {r['code']}: {r['title']}" for r in audit_findings(summary)[:8]]
    more = len(audit_findings(summary)) - 8
    lines += [f"  and {more} more"] if more > 0 else []
    lines.append('  print(report) explains; report.to_html("leakage.html") shows; report.frame() is a table')
    return "\n".join(map(printable, lines))


def audit_text(summary: Summary) -> str:
    """Return a report as text, verdict first, wrapped at 100 columns."""
    return "\n".join(text for _, text in audit_lines(summary))


def audit_lines(summary: Summary, *, width: int = WIDTH) -> Iterator[Line]:
    """Yield the lines of a report with the name of their style ("leak", "caution", "clean", "title", "code", "").

    Prose is wrapped at `width` columns; code is left as it is.
    """
    for style, text, hang in _paragraphs(summary):
        if style == "code" or not text:
            yield style, text
        else:
            yield from ((style, line) for line in _wrapped(text, width, hang))


def _paragraphs(summary: Summary) -> Iterator[Paragraph]:
    yield summary["verdict"], audit_headline(summary), 0
    for sentence in audit_explanation(summary):
        yield "", sentence, 0
    for result in audit_findings(summary):
        yield _GAP
        yield from _finding_lines(result)
    yield from _clean_lines(of_status(summary, "clean"))
    yield from _reason_lines("Not applicable, so not looked for", of_status(summary, "not_applicable"))
    yield from _reason_lines("Skipped", of_status(summary, "skipped"))
    muted = muted_results(summary)
    if muted:
        yield from _titled("Muted")
        for r in muted:
            yield "", f"  {r['code']} {r['title']} ({r['status']}): {r['muted']}", 4
    if summary["not_checked"]:
        yield from _titled("Not checked")
        for what, reason in not_checked(summary):
            yield "", f"  {what}: {reason}", 4
    yield from _self_test_lines(summary)


def _self_test_lines(summary: Summary) -> Iterator[Paragraph]:
    tested, left_out = self_test_groups(summary), not_planted(summary)
    if tested or left_out:
        yield from _titled("Self test: leaks planted in a copy of these data, and how many were found")
    for found, titles in tested:
        yield "", f"  {found}: {'; '.join(titles)}", 4
    for reason, titles in left_out:
        yield "", f"  Not planted: {'; '.join(titles)}: {reason}", 4


def _finding_lines(result: Summary) -> Iterator[Paragraph]:
    grade = _GRADE[result["status"]]
    yield result["status"], f"{grade} {result['code']} {result['title']} [{result['severity']}]", 0
    measured, impact, where = measure_sentence(result), impact_sentence(result), where_sentence(result)
    for sentence in (result["explanation"], measured, impact, where):
        if sentence:
            yield "", f"  {sentence}", 2
    if result["remedy"]:
        yield "", "  What to do:", 2
        for line in remedy_text(result).splitlines():
            yield "code", f"    {printable(line)}", 0


def _clean_lines(results: list[Summary]) -> Iterator[Paragraph]:
    if not results:
        return
    yield from _titled("Looked for and not found")
    yield "", f"  {'; '.join(_named(r) for r in results)}", 4


def _reason_lines(title: str, results: list[Summary]) -> Iterator[Paragraph]:
    if not results:
        return
    yield from _titled(title)
    for reason, group in by_reason(results).items():
        yield "", f"  {'; '.join(_named(r) for r in group)}: {reason}", 4


def _named(result: Summary) -> str:
    return f"{result['code']} {result['title']}"


def _titled(title: str) -> Iterator[Paragraph]:
    yield _GAP
    yield "title", f"{title}:", 0


def _wrapped(text: str, width: int, hang: int) -> list[str]:
    """Return a paragraph on lines; a number keeps its percent sign."""
    kept = printable(text).replace(" %", "\N{NO-BREAK SPACE}%")
    lines = textwrap.wrap(kept, width, subsequent_indent=" " * hang, break_on_hyphens=False)
    return [line.replace("\N{NO-BREAK SPACE}%", " %") for line in lines]
