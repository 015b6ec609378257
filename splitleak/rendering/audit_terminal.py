"""A leakage report on a terminal (with rich) or in a pipe (plain text)."""

from __future__ import annotations

import sys

from splitleak.rendering.audit_text import audit_lines
from splitleak.rendering.tables import Summary

_STYLES = {
    "leak": "bold red",
    "caution": "bold yellow",
    "clean": "bold green",
    "title": "bold",
    "code": "cyan",
}


def show_audit(summary: Summary) -> None:
    """Print a report: verdict, findings worst first, what was clean and what was not looked at."""
    if not sys.stdout.isatty():
        for _, text in audit_lines(summary):
            print(text)
        return
    from rich.console import Console

    console = Console()
    for style, text in audit_lines(summary):
        console.print(text, style=_STYLES.get(style, ""), markup=False, highlight=False, emoji=False)
