"""The command line: ``splitleak split | check | repair | extend | duplicates | report | doctor | demo``.

Exit codes: 0 done, 1 the split or the table leaks, 2 input that cannot be used or sizes that cannot be met, 3 a fault
of splitleak itself, 130 interrupted.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from splitleak._console import session
from splitleak._files import check_folder

from splitleak.cli import splits, existing, duplicates, report, doctor  # isort: skip  # in the order of --help
from splitleak.cli.options import app

__all__ = ["app", "doctor", "duplicates", "existing", "main", "report", "splits"]


@app.command()
def demo(out: Annotated[str, typer.Option(help="Folder for the files it writes.")] = ".") -> None:
    """Compare a random split with a split by similarity on scikit-learn's handwritten digits, offline."""
    with session():
        from splitleak.demo import run

        check_folder(Path(out), "--out")
        run(Path(out))


@app.callback(invoke_without_command=True)
def about(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        import splitleak

        print(splitleak.__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line (the entry point)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # letters that the terminal cannot show must not stop the work
            stream.reconfigure(errors="replace")
    app()
