"""A split's summary as plain text: the repr, and what the command line prints."""

from __future__ import annotations

import textwrap
import unicodedata

from splitleak.rendering.sentences import (
    asked_leak,
    cluster_sentence,
    explanation,
    headline,
    reason_sentences,
    split_headline,
    unreachable_note,
)
from splitleak.rendering.tables import (
    Summary,
    Table,
    across_table,
    class_tables,
    count,
    crossing_table,
    similarity_name,
    size_table,
)

WIDTH = 100


def split_text(summary: Summary) -> str:
    """Return a split as text: sizes, clusters, the verdict."""
    lines = [_title(summary), "", table_text(size_table(summary))]
    clusters = cluster_sentence(summary)
    if clusters:
        lines += ["", clusters]
    for sentence in reason_sentences(summary):
        lines += ["", filled(sentence)]
    classes = classes_text(summary)
    if classes:
        lines += ["", classes]
    lines += ["", split_headline(summary)]
    note = asked_leak(summary)
    if note:
        lines.append(filled(f"{note}."))
    if summary["certificate"] is None:
        lines[-1] += " splitleak.certify(data, split) searches it for similar rows across partitions."
    return "\n".join(lines)


def certificate_text(certificate: Summary, *, most: int = 10) -> str:
    """Return a certificate as text: verdict, what stands behind it, the worst crossing pairs."""
    parts = [headline(certificate), *map(filled, explanation(certificate))]
    text = "\n".join(parts) + "\n\n" + table_text(across_table(certificate))
    crossing = crossing_table(certificate, most)
    return text if crossing is None else f"{text}\n\n{crossing.title}:\n{table_text(crossing)}"


def classes_text(summary: Summary) -> str | None:
    """Return the class balance as text, or None without strata."""
    parts = [f"{table.title}:\n{table_text(table)}" for table in class_tables(summary)]
    note = unreachable_note(summary)
    return "\n\n".join(parts + ([filled(note)] if note else [])) if parts else None


def filled(paragraph: str) -> str:
    """Return a paragraph on lines of at most 100 characters; a number and its percent sign stay together."""
    text = textwrap.fill(printable(paragraph).replace(" %", "\N{NO-BREAK SPACE}%"), WIDTH)
    return text.replace("\N{NO-BREAK SPACE}%", " %")


def table_text(table: Table) -> str:
    """Return a table with aligned columns."""
    cells = [tuple(printable(cell) for cell in row) for row in (table.header, *table.rows)]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(table.header))]
    lines = []
    for row in cells:
        padded = []
        for i, cell in enumerate(row):
            gap = " " * (widths[i] - _width(cell))
            padded.append(cell + gap if i in table.left else gap + cell)
        lines.append("  ".join(padded).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def printable(text: str) -> str:
    """Return `text` on one line, without control characters that a terminal would obey."""
    return "".join(
        c if unicodedata.category(c) not in ("Cc", "Zl", "Zp") else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def _title(summary: Summary) -> str:
    title = f"Split of {count(summary['n_rows'], 'row')}"
    made = summary["provenance"]
    if made is None:
        return title
    options = made["options"]
    compared = f" on {', '.join(made['columns'])}" if made["columns"] else ""
    return printable(f"{title}{compared} by {similarity_name(options)}, seed {options.get('seed')}")
