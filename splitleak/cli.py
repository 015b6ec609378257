"""The command line: ``splitleak split | check | duplicates | demo``.

Exit codes: 0 done, 1 the split leaks, 2 input that cannot be used or sizes that cannot be met, 3 a fault of
splitleak itself, 130 interrupted.
"""

from __future__ import annotations

import shlex
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from splitleak._console import LEAKS, session
from splitleak._files import check_folder, check_writable, write_text
from splitleak.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from splitleak._tables import Source
    from splitleak.certificate import Certificate
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


@app.command()
def split(
    data: Data,
    on: On = None,
    columns: Columns = None,
    similarity: Similarity = None,
    threshold: Threshold = None,
    combine: Combine = "any",
    share: Share = "all",
    sizes: Annotated[
        str | None,
        typer.Option(help="Fractions or counts: train=0.8,dev=0.1,test=0.1 (the default), or auto."),
    ] = None,
    stratify: Annotated[
        list[str] | None,
        typer.Option(
            help="Column balanced over the partitions (repeatable); COLUMN=continuous, COLUMN=classes,"
            " COLUMN=distribution say how."
        ),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="Column of what each row counts; sizes are then shares of it.")
    ] = None,
    groups: Annotated[
        list[str] | None, typer.Option(help="Column of rows to keep together (repeatable).")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Column of dates or numbers: train before dev before test.")
    ] = None,
    embargo: Annotated[
        str | None, typer.Option(help="With --time: a gap between partitions, as 30D, 12h, or a number.")
    ] = None,
    pinned: Annotated[
        str | None, typer.Option(help="Column of partition names for rows that must go there (empty: free).")
    ] = None,
    missing: Missing = "equal",
    on_infeasible: Annotated[
        str,
        typer.Option(
            help="When whole clusters cannot meet the sizes: error, nearest, drop, cut, raise_threshold."
        ),
    ] = "error",
    max_dropped: Annotated[
        float | None, typer.Option(help="With drop: most rows (or share of them).")
    ] = None,
    tolerance: Annotated[float, typer.Option(help="Allowed deviation as a share of all rows.")] = 0.02,
    seed: Seed = 0,
    out: Annotated[str | None, typer.Option(help="Write the split here: .parquet, .csv or .json.")] = None,
    html: Html = None,
    contact_sheet: Annotated[
        bool, typer.Option("--contact-sheet", help="Images: show similar pairs on the page of --html.")
    ] = False,
    certify: Annotated[bool, typer.Option(help="Search the finished split again.")] = True,
    progress: Bars = None,
) -> None:
    """Split a table so that no two similar rows are in different partitions."""
    with session():
        from splitleak._split_files import ENDINGS
        from splitleak.rendering.terminal import show, show_split
        from splitleak.sizes import parse_sizes_text
        from splitleak.split import split_by_similarity

        if out is not None:
            check_writable(out, "--out", endings=ENDINGS)
        _check_page(html)
        if contact_sheet and html is None:
            raise InputError("--contact-sheet goes on the page of --html; add --html split.html")
        asked = None if sizes is None else parse_sizes_text(sizes)
        source = _open(data, columns)
        made = split_by_similarity(  # type: ignore[call-overload,misc]  # options are checked there
            source,
            on=on or None,
            similarity=_named(similarity) or "auto",
            threshold=threshold,
            combine=combine,
            share=share,
            sizes=asked,
            stratify=_strata(source, stratify),
            weights=weights,
            groups=groups or None,
            time=time,
            embargo=_number_or_text(embargo),
            pinned=pinned,
            missing=missing,
            on_infeasible=on_infeasible,
            max_dropped=int(max_dropped) if max_dropped is not None and max_dropped >= 1 else max_dropped,
            tolerance=tolerance,
            certify=certify,
            seed=seed,
            progress=progress,
        )
        if out is not None:
            made.save(out)
        summary = made.summary()
        pictures = []
        if contact_sheet:
            from splitleak.image_pairs import sheet_section

            pictures.append(sheet_section(source, made))
        _write_page(html, summary, data, pictures)
        show_split(summary)
        print()
        for path in filter(None, (out, html)):
            show(f"wrote {path}")
        if out is None:
            show("The split was not saved: add --out split.parquet")
        else:
            options = (summary["provenance"] or {}).get("options", {}) if out.lower().endswith(".csv") else {}
            show(f"next: {_check_command(out, data, on, columns, options)}")
        if on_infeasible != "cut":  # a leak that was asked for is no failure
            _exit_on_leak(made.certificate)


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
    combine: Annotated[str | None, typer.Option(help="Of several similarities: any, or all.")] = None,
    share: Annotated[str | None, typer.Option(help="Several --on: all (as one), any, or crossed.")] = None,
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
        _check_page(html)
        saved = Split.load(paths[0]) if column is None else None
        source = _open(paths[-1], columns)
        certificate = certify(
            source,
            column if saved is None else saved,  # type: ignore[arg-type]  # one of the two is there
            on=on or None,
            similarity=_named(similarity),
            threshold=threshold,
            combine=combine,  # type: ignore[arg-type]  # checked by the search
            share=share,  # type: ignore[arg-type]  # checked by the search
            missing=missing,  # type: ignore[arg-type]  # checked by the search
            seed=seed,
            progress=progress,
        )
        if saved is None:
            names, codes = partition_codes(source, column)
            saved = Split(tuple(names), codes)
        summary = replace(saved, certificate=certificate).summary()
        _write_page(html, summary, paths[-1])
        show_split(summary)
        if html is not None:
            print()
            show(f"wrote {html}")
        _exit_on_leak(certificate)


@app.command()
def duplicates(
    data: Data,
    on: On = None,
    columns: Columns = None,
    similarity: Similarity = None,
    threshold: Threshold = None,
    combine: Combine = "any",
    share: Share = "all",
    missing: Missing = "equal",
    seed: Seed = 0,
    most: Annotated[int, typer.Option(min=0, help="Pairs that are printed, most similar first.")] = 20,
    out: Annotated[str | None, typer.Option(help="Write all pairs here: .csv or .parquet.")] = None,
    html: Annotated[
        str | None, typer.Option(help="Images: write the pairs side by side to this .html.")
    ] = None,
    progress: Bars = None,
) -> None:
    """List the pairs of rows that are near-duplicates of each other."""
    with session():
        from splitleak._files import replacing
        from splitleak.rendering.terminal import show
        from splitleak.search import similarity_graph

        if out is not None:
            check_writable(out, "--out", endings=(".csv", ".parquet"))
        _check_page(html)
        source = _open(data, columns)
        graph = similarity_graph(
            source,
            on=on or None,
            similarity=_named(similarity) or "auto",
            threshold=threshold,
            combine=combine,  # type: ignore[arg-type]  # checked by the search
            share=share,  # type: ignore[arg-type]  # checked by the search
            missing=missing,  # type: ignore[arg-type]  # checked by the search
            seed=seed,
            progress=progress,
        )
        show(repr(graph))
        frame = graph.frame()
        _show_pairs(frame.head(most), source, on)
        if len(frame) > most:
            show(f"... {len(frame) - most:,} more; --out pairs.csv writes all of them")
        if out is not None:
            with replacing(out) as temporary:
                if out.lower().endswith(".csv"):
                    frame.to_csv(temporary, index=False)
                else:
                    frame.to_parquet(temporary, index=False)
            show(f"wrote {out}")
        if html is not None:
            from splitleak.image_pairs import contact_sheet

            write_text(html, contact_sheet(source, graph, on=on or None))
            show(f"wrote {html}")


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


def _open(data: str, columns: str | None) -> Source:
    from splitleak._tables import open_source

    names = None if columns is None else [name.strip() for name in columns.split(",")]
    return open_source(data, columns=names)


def _named(similarity: list[str] | None) -> str | list[str] | None:
    return similarity[0] if similarity and len(similarity) == 1 else similarity or None


def _strata(source: Source, stratify: list[str] | None) -> Any:
    """Read columns as a shell user writes them; a column's own name goes before COLUMN=KIND."""
    from splitleak.strata.resolving import StratifyBy

    parts: list[str | StratifyBy] = []
    for text in stratify or ():
        name, equals, kind = text.rpartition("=")
        whole = text in source.column_names or not equals
        parts.append(text if whole else StratifyBy(name, kind))  # type: ignore[arg-type]  # it checks
    return parts or None


def _number_or_text(text: str | None) -> float | str | None:
    """Read ``5`` and ``0.5`` as numbers, ``30D`` as it is."""
    for read in (int, float):
        try:
            return None if text is None else read(text)
        except ValueError:
            continue
    return text


def _check_page(html: str | None) -> None:
    if html is not None:
        check_writable(html, "--html", endings=(".html", ".htm"))


def _write_page(html: str | None, summary: dict[str, Any], data: str, before: Sequence[Section] = ()) -> None:
    if html is not None:
        from splitleak.rendering.html import split_page

        write_text(html, split_page(summary, title=f"Split of {Path(data).name}", before=before))


def _check_command(
    out: str, data: str, on: list[str] | None, columns: str | None, options: dict[str, Any]
) -> str:
    """Return the command that certifies the saved split; a CSV does not keep how it was made."""
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


def _show_pairs(frame: Any, source: Source, on: list[str] | None) -> None:
    """Print pairs with their values, when one column says what they are."""
    from splitleak.rendering.tables import Table
    from splitleak.rendering.terminal import show_table

    rows: list[tuple[str, ...]] = [
        (f"{p.similarity:.3f}", f"{p.left:.0f}", f"{p.right:.0f}") for p in frame.itertuples()
    ]
    header = ["similarity", "row", "row"]
    if on is None and source.images and source.meant is not None:
        on = [source.meant]
    if on is not None and len(on) == 1 and rows:
        import pyarrow as pa

        values = source.column(on[0])
        for side in ("left", "right"):
            found = values.take(pa.array(frame[side].to_numpy())).to_pylist()
            texts = [textwrap.shorten(str(value), 40, placeholder=" ...") for value in found]
            rows = [(*row, text) for row, text in zip(rows, texts, strict=True)]
        header += ["left", "right"]
    if rows:
        show_table(Table("Pairs", tuple(header), rows, left=frozenset({3, 4})), title=False)


def _exit_on_leak(certificate: Certificate | None) -> None:
    if certificate is not None and certificate.verdict == "leaking":
        raise typer.Exit(LEAKS)


if __name__ == "__main__":
    main()
