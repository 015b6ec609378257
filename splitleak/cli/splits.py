"""``splitleak split`` and ``splitleak check``."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

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
    check_page,
    exit_on_leak,
    hand_over,
    number_or_text,
    open_data,
    searched,
    write_page,
)
from splitleak.errors import InputError

if TYPE_CHECKING:
    from splitleak._tables import Source
    from splitleak.partition import Split
    from splitleak.rendering.html import Section


Sizes = Annotated[
    str | None, typer.Option(help="Fractions or counts: train=0.8,dev=0.1,test=0.1 (the default), or auto.")
]
FoldsOption = Annotated[
    int | None, typer.Option(help="Folds of equal size for cross-validation, instead of --sizes.")
]
Stratify = Annotated[
    list[str] | None,
    typer.Option(
        help="Column balanced over the partitions (repeatable); COLUMN=continuous, COLUMN=classes,"
        " COLUMN=distribution say how."
    ),
]
Weights = Annotated[
    str | None, typer.Option(help="Column of what each row counts; sizes are then shares of it.")
]
Pinned = Annotated[
    str | None, typer.Option(help="Column of partition names for rows that must go there (empty: free).")
]
OnInfeasible = Annotated[
    str,
    typer.Option(
        help="When whole clusters cannot meet the sizes: error, nearest, drop, cut, raise_threshold."
    ),
]
MaxDropped = Annotated[float | None, typer.Option(help="With drop: most rows (or share of them).")]
Tolerance = Annotated[float, typer.Option(help="Allowed deviation as a share of all rows.")]
ContactSheet = Annotated[
    bool, typer.Option("--contact-sheet", help="Images: show similar pairs on the page of --html.")
]


@app.command()
def split(
    data: Data,
    on: On = None,
    columns: Columns = None,
    similarity: Similarity = None,
    threshold: Threshold = None,
    combine: Combine = "any",
    share: Share = "all",
    sizes: Sizes = None,
    folds: FoldsOption = None,
    stratify: Stratify = None,
    weights: Weights = None,
    groups: Groups = None,
    time: Time = None,
    embargo: Embargo = None,
    pinned: Pinned = None,
    missing: Missing = "equal",
    on_infeasible: OnInfeasible = "error",
    max_dropped: MaxDropped = None,
    tolerance: Tolerance = 0.02,
    seed: Seed = 0,
    out: Out = None,
    html: Html = None,
    contact_sheet: ContactSheet = False,
    certify: Certify = True,
    progress: Bars = None,
) -> None:
    """Split a table so that no two similar rows are in different partitions."""
    with session():
        from splitleak.sizes import parse_sizes_text
        from splitleak.split import split_by_similarity

        check_files(out, html)
        if contact_sheet and html is None:
            raise InputError("--contact-sheet goes on the page of --html; add --html split.html")
        asked = None if sizes is None else parse_sizes_text(sizes)
        source = open_data(data, columns)
        made = split_by_similarity(  # type: ignore[call-overload,misc]  # options are checked there
            source,
            **searched(on, similarity, threshold, combine, share, missing, default="auto"),
            sizes=asked,
            folds=folds,
            stratify=_strata(source, stratify),
            weights=weights,
            groups=groups or None,
            time=time,
            embargo=number_or_text(embargo),
            pinned=pinned,
            on_infeasible=on_infeasible,
            max_dropped=int(max_dropped) if max_dropped is not None and max_dropped >= 1 else max_dropped,
            tolerance=tolerance,
            certify=certify,
            seed=seed,
            progress=progress,
        )
        if folds is not None:
            made = made.as_split()
        hand_over(made, data, out, html, _pictures(source, made) if contact_sheet else ())
        if out is not None:
            _say_next(made, out, data, on, columns)
        if on_infeasible != "cut":  # a leak that was asked for is no failure
            exit_on_leak(made.certificate)


def _pictures(source: Source, made: Split) -> list[Section]:
    from splitleak.image_pairs import sheet_section

    return [sheet_section(source, made)]


def _say_next(made: Split, out: str, data: str, on: list[str] | None, columns: str | None) -> None:
    """Print the command that certifies the saved split; a CSV does not keep how it was made."""
    from splitleak.rendering.terminal import show

    provenance = made.summary()["provenance"] or {}
    options = provenance.get("options", {}) if out.lower().endswith(".csv") else {}
    show(f"next: {_check_command(out, data, on, columns, options)}")


@app.command()
def check(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="[SPLIT] DATA", help="A saved split and its data.", show_default=False),
    ],
    column: Annotated[
        str | None, typer.Option(help="Column of DATA with the partition names, instead of SPLIT.")
    ] = None,
    on: On = None,
    columns: Columns = None,
    similarity: Similarity = None,
    threshold: Threshold = None,
    combine: Combine = None,
    share: Share = None,
    missing: Missing = None,
    seed: Seed = 0,
    html: Html = None,
    progress: Bars = None,
) -> None:
    """Search any split for similar rows in different partitions; exit code 1 when there are some."""
    with session():
        from splitleak.certification import certify, partition_codes
        from splitleak.partition import Split
        from splitleak.rendering.terminal import show, show_split

        if len(paths) != (2 if column is None else 1):
            raise InputError(
                "check takes a saved split and its data (splitleak check split.parquet data.tsv), or the data and"
                f" a column of partition names (splitleak check data.tsv --column fold); got {len(paths)}"
                f" file{'' if len(paths) == 1 else 's'} and {'no' if column is None else 'a'} --column"
            )
        check_page(html)
        saved = Split.load(paths[0]) if column is None else None
        source = open_data(paths[-1], columns)
        certificate = certify(
            source,
            column if saved is None else saved,  # type: ignore[arg-type]  # one of the two is there
            **searched(on, similarity, threshold, combine, share, missing),
            seed=seed,
            progress=progress,
        )
        if saved is None:
            names, codes = partition_codes(source, column)
            saved = Split(tuple(names), codes)
        summary = replace(saved, certificate=certificate).summary()
        write_page(html, summary, paths[-1])
        show_split(summary)
        if html is not None:
            print()
            show(f"wrote {html}")
        exit_on_leak(certificate)


def _strata(source: Source, stratify: list[str] | None) -> Any:
    """Read columns as a shell user writes them; a column's own name goes before COLUMN=KIND."""
    from splitleak.strata.resolving import StratifyBy

    parts: list[str | StratifyBy] = []
    for text in stratify or ():
        name, equals, kind = text.rpartition("=")
        whole = text in source.column_names or not equals
        parts.append(text if whole else StratifyBy(name, kind))  # type: ignore[arg-type]  # it checks
    return parts or None


def _check_command(
    out: str, data: str, on: list[str] | None, columns: str | None, options: dict[str, Any]
) -> str:
    command = ["splitleak", "check", out, data]
    for name in options.get("on") or on or ():
        command += ["--on", name]
    if columns is not None:
        command += ["--columns", columns]
    several = options.get("similarity")
    if isinstance(several, list):
        from splitleak.similarity.views import view_text

        for view in several:
            command += ["--similarity", view_text(**{k: v for k, v in view.items() if k != "kind"})]
    for name in ("similarity", "threshold", "combine", "share"):
        if options.get(name) is not None and not isinstance(options[name], list):
            command += [f"--{name}", str(options[name])]
    return shlex.join(command)
