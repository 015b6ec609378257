"""Tables and verdicts on a terminal (with rich) or in a pipe (plain text)."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from splitleak.rendering.sentences import (
    cluster_sentence,
    explanation,
    headline,
    reason_sentences,
    split_explanation,
    split_headline,
    unreachable_note,
)
from splitleak.rendering.tables import Summary, Table, across_table, class_tables, crossing_table, size_table
from splitleak.rendering.text import filled, printable, table_text

_STYLES = {"separated": "bold green", "separated_with_recall": "bold yellow", "leaking": "bold red"}


def show(*lines: str, style: str = "") -> None:
    """Print lines; long ones are wrapped on a terminal."""
    for line in lines:
        if sys.stdout.isatty():
            from rich.console import Console

            Console().print(line, style=style, markup=False, highlight=False, emoji=False)
        else:
            print(line)


def show_table(table: Table, *, title: bool = True) -> None:
    """Print a table, with an empty line before it."""
    print()
    if title:
        show(f"{table.title}:")
    if not sys.stdout.isatty():
        print(table_text(table))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for i, name in enumerate(table.header):
        drawn.add_column(Text(printable(name)), justify="left" if i in table.left else "right")
    for row in table.rows:
        drawn.add_row(*(Text(printable(cell)) for cell in row))
    Console().print(drawn)


def show_split(summary: Summary) -> None:
    """Print sizes, clusters, class balance, and the certificate."""
    show_table(size_table(summary), title=False)
    clusters = cluster_sentence(summary)
    if clusters:
        print()
        show(clusters)
    show_paragraphs(reason_sentences(summary))
    for table in class_tables(summary):
        show_table(table)
    note = unreachable_note(summary)
    if note is not None:
        print()
        show_paragraphs([note])
    _show_verdict(summary["certificate"], split_headline(summary), split_explanation(summary), 10)


def show_certificate(certificate: Summary | None, *, most: int = 10) -> None:
    """Print the verdict, what stands behind it, and the worst crossing pairs."""
    _show_verdict(certificate, headline(certificate), explanation(certificate), most)


def _show_verdict(certificate: Summary | None, verdict: str, sentences: Sequence[str], most: int) -> None:
    print()
    show(verdict, style=_STYLES.get(certificate["verdict"], "") if certificate else "bold")
    show_paragraphs(sentences)
    if certificate is None:
        return
    show_table(across_table(certificate))
    crossing = crossing_table(certificate, most)
    if crossing is not None:
        show_table(crossing)


def show_paragraphs(paragraphs: Sequence[str]) -> None:
    """Print paragraphs, wrapped."""
    for paragraph in paragraphs:
        print(filled(paragraph))
