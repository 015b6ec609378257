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
    of_status,
    self_test_table,
    tally,
    where_sentence,
)
from splitleak.rendering.tables import Summary, count
from splitleak.rendering.text import WIDTH, printable, table_text

_GRADE = {"leak": "LEAK", "caution": "CAUTION"}
Line = tuple[str, str]  # a style's name and the text of one paragraph


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


def audit_lines(summary: Summary) -> Iterator[Line]:
    """Yield the lines of a report with the name of their style ("leak", "caution", "clean", "title", "code", "")."""
    yield summary["verdict"], audit_headline(summary)
    for sentence in audit_explanation(summary):
        yield from _filled(sentence)
    for result in audit_findings(summary):
        yield "", ""
        yield from _finding_lines(result)
    yield from _clean_lines(of_status(summary, "clean"))
    yield from _reason_lines("Not applicable", of_status(summary, "not_applicable"))
    yield from _reason_lines("Skipped", of_status(summary, "skipped"))
    muted = muted_results(summary)
    if muted:
        yield from _titled("Muted")
        for r in muted:
            yield from _bullet(f"{r['code']} {r['title']} ({r['status']}): {r['muted']}")
    if summary["not_checked"]:
        yield from _titled("Not checked")
        for what, reason in not_checked(summary):
            yield from _bullet(f"{what}: {reason}")
    tested = self_test_table(summary)
    if tested is not None:
        yield from _titled("Self test: of leaks planted in a copy of these data")
        yield "", table_text(tested)


def _finding_lines(result: Summary) -> Iterator[Line]:
    grade = _GRADE[result["status"]]
    yield result["status"], printable(f"{grade} {result['code']} {result['title']} [{result['severity']}]")
    measured, impact, where = measure_sentence(result), impact_sentence(result), where_sentence(result)
    for sentence in (result["explanation"], measured, impact, where):
        if sentence:
            yield from _filled(sentence, "  ")
    if result["remedy"]:
        yield "", "  What to do:"
        for line in result["remedy"].splitlines():
            yield "code", f"    {printable(line)}"


def _clean_lines(results: list[Summary]) -> Iterator[Line]:
    if not results:
        return
    codes = ", ".join(r["code"] for r in results)
    yield "", ""
    yield from _filled(f"{count(len(results), 'probe')} found nothing: {codes}.")


def _reason_lines(title: str, results: list[Summary]) -> Iterator[Line]:
    if not results:
        return
    yield from _titled(title)
    for reason, group in by_reason(results).items():
        yield from _bullet(f"{', '.join(r['code'] for r in group)}: {reason}")


def _titled(title: str) -> Iterator[Line]:
    yield "", ""
    yield "title", f"{title}:"


def _bullet(text: str) -> Iterator[Line]:
    return _filled(text, "  ", "    ")


def _filled(text: str, indent: str = "", hang: str | None = None) -> Iterator[Line]:
    """Yield one paragraph on lines of at most 100 characters; a number keeps its percent sign."""
    kept = printable(text).replace(" %", "\N{NO-BREAK SPACE}%")
    wrapped = textwrap.wrap(
        kept,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent if hang is None else hang,
        break_on_hyphens=False,
    )
    for line in wrapped or [""]:
        yield "", line.replace("\N{NO-BREAK SPACE}%", " %")
