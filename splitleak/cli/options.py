"""What the commands share: the options, the data they open, the pages they write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from splitleak._console import LEAKS
from splitleak._files import check_writable, write_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from splitleak._tables import Source
    from splitleak.certificate import Certificate
    from splitleak.partition import Split
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
    typer.Argument(
        help="Parquet, Arrow, CSV, TSV or JSON lines file, or a folder of images or Parquet files.",
        show_default=False,
    ),
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
    str | None, typer.Option(help="Of several similarities: any of them makes rows similar, or all must.")
]
Share = Annotated[
    str | None,
    typer.Option(help="Several --on: compared as one value (all), each for itself (any), or crossed."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        help="Rows at least this similar count as similar, in (0, 1]; of E-values, the largest.",
        show_default=False,
    ),
]
Missing = Annotated[
    str | None, typer.Option(help="A missing or empty value is: equal (to others), distinct, or an error.")
]
Groups = Annotated[list[str] | None, typer.Option(help="Column of rows to keep together (repeatable).")]
Time = Annotated[str | None, typer.Option(help="Column of dates or numbers: train before dev before test.")]
Embargo = Annotated[
    str | None, typer.Option(help="With --time: a gap between partitions, as 30D, 12h, or a number.")
]
Out = Annotated[str | None, typer.Option(help="Write the split here: .parquet, .csv or .json.")]
Html = Annotated[str | None, typer.Option(help="Write a page about the split to this .html file.")]
Certify = Annotated[bool, typer.Option(help="Search the finished split again.")]
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


def searched(
    on: list[str] | None,
    similarity: list[str] | None,
    threshold: float | None,
    combine: str | None,
    share: str | None,
    missing: str | None,
    *,
    default: str | None = None,
) -> dict[str, Any]:
    """Return the arguments that say which rows are similar; the search checks them."""
    return {
        "on": on or None,
        "similarity": named(similarity) or default,
        "threshold": threshold,
        "combine": combine,
        "share": share,
        "missing": missing,
    }


def number_or_text(text: str | None) -> float | str | None:
    """Read ``5`` and ``0.5`` as numbers, ``30D`` as it is."""
    for read in (int, float):
        try:
            return None if text is None else read(text)
        except ValueError:
            continue
    return text


def saved_or_column(split: str, column_names: Sequence[str]) -> Split | str:
    """Return the split that a file holds, or the name of a column as it is."""
    from splitleak._split_files import ENDINGS
    from splitleak.partition import Split

    is_file = split not in column_names and split.lower().endswith(ENDINGS)
    return Split.load(split) if is_file else split


def check_files(out: str | None, html: str | None) -> None:
    from splitleak._split_files import ENDINGS

    if out is not None:
        check_writable(out, "--out", endings=ENDINGS)
    check_page(html)


def check_page(html: str | None) -> None:
    if html is not None:
        check_writable(html, "--html", endings=(".html", ".htm"))


def write_page(html: str | None, summary: dict[str, Any], data: str, before: Sequence[Section] = ()) -> None:
    if html is not None:
        from splitleak.rendering.html import split_page

        write_text(html, split_page(summary, title=f"Split of {Path(data).name}", before=before))


def hand_over(
    made: Split, data: str, out: str | None, html: str | None, before: Sequence[Section] = ()
) -> None:
    """Write the files, and print the split."""
    from splitleak.rendering.terminal import show, show_split

    if out is not None:
        made.save(out)
    summary = made.summary()
    write_page(html, summary, data, before)
    show_split(summary)
    print()
    for path in filter(None, (out, html)):
        show(f"wrote {path}")
    if out is None:
        show("The split was not saved: add --out split.parquet")


def exit_on_leak(certificate: Certificate | None) -> None:
    """End with the exit code of a leak where the certificate found one."""
    if certificate is not None and certificate.verdict == "leaking":
        raise typer.Exit(LEAKS)
