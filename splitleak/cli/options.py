"""What the commands share: the options, the data they open, the pages they write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from splitleak._files import check_writable, write_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from splitleak._tables import Source
    from splitleak.rendering.html import Section

# Heavy modules are imported inside the commands, so that --help answers at once.

app = typer.Typer(
    help="Split datasets so that no two similar rows are apart, and check any split for similar rows across it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Data = Annotated[
    str,
    typer.Argument(help="Parquet, CSV, TSV or JSON lines file, or a folder of images.", show_default=False),
]
On = Annotated[list[str] | None, typer.Option("--on", help="Column that is compared (repeatable).")]
Columns = Annotated[
    str | None, typer.Option(help="Names for the columns of a CSV or TSV file without a header line: a,b,c")
]
Similarity = Annotated[
    list[str] | None,
    typer.Option(
        help="auto, exact, jaccard, minhash, cosine, ... as in 'jaccard(unit=word, n=3)'; several (repeated), each"
        " with its column and threshold: 'title:jaccard(0.7)'.",
        show_default="auto",
    ),
]
Combine = Annotated[
    str, typer.Option(help="Of several similarities: any of them makes rows similar, or all must.")
]
Share = Annotated[
    str, typer.Option(help="Several --on: compared as one value (all), each for itself (any), or crossed.")
]
Threshold = Annotated[
    float | None,
    typer.Option(help="Rows at least this similar count as similar, in (0, 1].", show_default=False),
]
Missing = Annotated[
    str | None, typer.Option(help="A missing or empty value is: equal (to others), distinct, or an error.")
]
Html = Annotated[str | None, typer.Option(help="Write a page about the split to this .html file.")]
Seed = Annotated[int, typer.Option(help="Seed of everything drawn.")]
Bars = Annotated[
    bool | None, typer.Option("--progress/--no-progress", help="Bars on stderr.", show_default=False)
]


def open_data(data: str, columns: str | None) -> Source:
    from splitleak._tables import open_source

    names = None if columns is None else [name.strip() for name in columns.split(",")]
    return open_source(data, columns=names)


def named(similarity: list[str] | None) -> str | list[str] | None:
    return similarity[0] if similarity and len(similarity) == 1 else similarity or None


def check_page(html: str | None) -> None:
    if html is not None:
        check_writable(html, "--html", endings=(".html", ".htm"))


def write_page(html: str | None, summary: dict[str, Any], data: str, before: Sequence[Section] = ()) -> None:
    if html is not None:
        from splitleak.rendering.html import split_page

        write_text(html, split_page(summary, title=f"Split of {Path(data).name}", before=before))
