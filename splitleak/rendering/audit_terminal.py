"""A leakage report on a terminal (with rich) or in a pipe (plain text)."""

from __future__ import annotations

import sys

from splitleak.rendering.audit_text import audit_lines
from splitleak.rendering.tables import Summary
from splitleak.rendering.text import WIDTH

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
    for style, text in audit_lines(summary, width=min(WIDTH, console.width)):
        drawn = _STYLES.get(style, "")
        console.print(text, style=drawn, markup=False, highlight=False, emoji=False, soft_wrap=True)
