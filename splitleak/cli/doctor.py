"""``splitleak doctor``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from splitleak._console import session
from splitleak.cli.options import app


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say which backends, probes and extras can be used here, and what to type for the rest."""
    with session():
        from splitleak.installation import doctor as look

        found = look()
        print(json.dumps(found.summary(), indent=2) if as_json else found)
