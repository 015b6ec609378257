"""``splitleak repair`` and ``splitleak extend``: splits that are there already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from splitleak._console import LEAKS, session
from splitleak._files import check_writable
from splitleak.cli.options import (
    Bars,
    Columns,
    Data,
    Html,
    Missing,
    On,
    Seed,
    Similarity,
    Threshold,
    app,
    check_page,
    named,
    open_data,
    write_page,
)

if TYPE_CHECKING:
    from splitleak.partition import Split

Combine = Annotated[str | None, typer.Option(help="Of several similarities: any, or all.")]
Share = Annotated[str | None, typer.Option(help="Several --on: all (as one), any, or crossed.")]
Groups = Annotated[list[str] | None, typer.Option(help="Column of rows to keep together (repeatable).")]
Out = Annotated[str | None, typer.Option(help="Write the split here: .parquet, .csv or .json.")]
Certify = Annotated[bool, typer.Option(help="Search the finished split again.")]


@app.command()
def repair(
    data: Data,
    split: Annotated[
        str,
        typer.Option(help="Column of DATA with the partition names, or a saved split.", show_default=False),
    ],
    on: On = None,
    columns: Columns = None,
    similarity: Similarity = None,
    threshold: Threshold = None,
    combine: Combine = None,
    share: Share = None,
    missing: Missing = None,
    groups: Groups = None,
    by: Annotated[str, typer.Option(help="drop rows, or move them.")] = "drop",
    protect: Annotated[
        list[str] | None, typer.Option(help="Partition that stays as it is (repeatable).")
    ] = None,
    seed: Seed = 0,
    out: Out = None,
    html: Html = None,
    certify: Certify = True,
    progress: Bars = None,
) -> None:
    """Drop or move as few rows of a split as possible, so that no two similar rows are apart."""
    with session():
        from splitleak.repairing import repair as repair_split

        _check_files(out, html)
        source = open_data(data, columns)
        made = repair_split(
            _split_or_column(split, source.column_names),
            source,
            on=on or None,
            similarity=named(similarity),
            threshold=threshold,
            combine=combine,  # type: ignore[arg-type]  # checked by the search
            share=share,  # type: ignore[arg-type]  # checked by the search
            missing=missing,  # type: ignore[arg-type]  # checked by the search
            groups=groups or None,
            by=by,  # type: ignore[arg-type]  # checked there
            protect=protect or (),
            certify=certify,
            seed=seed,
            progress=progress,
        )
        _hand_over(made, data, out, html)


@app.command()
def extend(
    split: Annotated[str, typer.Argument(help="A saved split.", show_default=False)],
    old: Annotated[str, typer.Argument(help="Its data.", show_default=False)],
    new: Annotated[str, typer.Argument(help="The rows to add, with the same columns.", show_default=False)],
    on: On = None,
    columns: Columns = None,
    similarity: Similarity = None,
    threshold: Threshold = None,
    combine: Combine = None,
    share: Share = None,
    missing: Missing = None,
    groups: Groups = None,
    sizes: Annotated[
        str | None,
        typer.Option(help="Fractions of all rows: train=0.8,test=0.2; default: those of the split."),
    ] = None,
    seed: Seed = 0,
    out: Out = None,
    html: Html = None,
    certify: Certify = True,
    progress: Bars = None,
) -> None:
    """Add new rows to a split whose old rows stay where they are; the result is of OLD followed by NEW."""
    with session():
        from splitleak.extending import extend as extend_split
        from splitleak.partition import Split
        from splitleak.sizes import parse_sizes_text

        _check_files(out, html)
        made = extend_split(
            Split.load(split),
            open_data(old, columns),
            open_data(new, columns),
            on=on or None,
            similarity=named(similarity),
            threshold=threshold,
            combine=combine,  # type: ignore[arg-type]  # checked by the search
            share=share,  # type: ignore[arg-type]  # checked by the search
            missing=missing,  # type: ignore[arg-type]  # checked by the search
            groups=groups or None,
            sizes=None if sizes is None else parse_sizes_text(sizes),
            certify=certify,
            seed=seed,
            progress=progress,
        )
        _hand_over(made, f"{Path(old).name} and {Path(new).name}", out, html)


def _split_or_column(split: str, column_names: tuple[str, ...]) -> Any:
    from splitleak._split_files import ENDINGS
    from splitleak.partition import Split

    is_file = split not in column_names and split.lower().endswith(ENDINGS)
    return Split.load(split) if is_file else split


def _check_files(out: str | None, html: str | None) -> None:
    from splitleak._split_files import ENDINGS

    if out is not None:
        check_writable(out, "--out", endings=ENDINGS)
    check_page(html)


def _hand_over(made: Split, data: str, out: str | None, html: str | None) -> None:
    """Write the files, print the split, and end with the exit code of a leak where there is one."""
    from splitleak.rendering.terminal import show, show_split

    if out is not None:
        made.save(out)
    summary = made.summary()
    write_page(html, summary, data)
    show_split(summary)
    print()
    for path in filter(None, (out, html)):
        show(f"wrote {path}")
    if out is None:
        show("The split was not saved: add --out split.parquet")
    if made.certificate is not None and made.certificate.verdict == "leaking":
        raise typer.Exit(LEAKS)
