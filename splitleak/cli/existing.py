"""``splitleak repair`` and ``splitleak extend``: splits that are there already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from splitleak._console import session
from splitleak.cli.options import (
    Bars,
    Certify,
    Columns,
    Combine,
    Data,
    Embargo,
    Groups,
    Html,
    Missing,
    On,
    Out,
    Seed,
    Share,
    Similarity,
    Threshold,
    Time,
    app,
    check_files,
    exit_on_leak,
    hand_over,
    number_or_text,
    open_data,
    saved_or_column,
    searched,
)


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

        check_files(out, html)
        source = open_data(data, columns)
        made = repair_split(
            saved_or_column(split, source.column_names),
            source,
            **searched(on, similarity, threshold, combine, share, missing),
            groups=groups or None,
            by=by,  # type: ignore[arg-type]  # checked there
            protect=protect or (),
            certify=certify,
            seed=seed,
            progress=progress,
        )
        hand_over(made, data, out, html)
        exit_on_leak(made.certificate)


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
    time: Time = None,
    embargo: Embargo = None,
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

        check_files(out, html)
        made = extend_split(
            Split.load(split),
            open_data(old, columns),
            open_data(new, columns),
            **searched(on, similarity, threshold, combine, share, missing),
            groups=groups or None,
            time=time,
            embargo=number_or_text(embargo),
            sizes=None if sizes is None else parse_sizes_text(sizes),
            certify=certify,
            seed=seed,
            progress=progress,
        )
        hand_over(made, f"{Path(old).name} and {Path(new).name}", out, html)
        exit_on_leak(made.certificate)
