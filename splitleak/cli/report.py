"""``splitleak report``: audit a table, or tables that are partitions already."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from splitleak._console import LEAKS, session
from splitleak._files import check_writable
from splitleak.cli.options import Bars, Columns, Seed, Similarity, Threshold, app, named, open_data
from splitleak.errors import InputError, unknown_option

if TYPE_CHECKING:
    from splitleak.partition import Split
    from splitleak.report import LeakageReport


@app.command()
def report(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            help="A table (Parquet, CSV, TSV, JSON lines, a folder of images); several files are the partitions.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Column with the partition names.")] = None,
    split_file: Annotated[
        str | None, typer.Option(help="A saved split: .parquet, .csv or .json.", show_default=False)
    ] = None,
    partition: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FILE for each partition (repeatable), instead of DATA.", show_default=False),
    ] = None,
    target: Annotated[str | None, typer.Option(help="Column that is predicted.")] = None,
    time: Annotated[str | None, typer.Option(help="Column that says when a row was known.")] = None,
    groups: Annotated[
        list[str] | None, typer.Option(help="Column of rows that belong together (repeatable).")
    ] = None,
    on: Annotated[
        list[str] | None, typer.Option(help="Column in which near-duplicates are searched (repeatable).")
    ] = None,
    columns: Columns = None,
    raw: Annotated[str | None, typer.Option(help="The table before preprocessing, same rows.")] = None,
    similarity: Similarity = None,
    threshold: Threshold = None,
    metric: Annotated[str | None, typer.Option(help="scikit-learn's name of your score.")] = None,
    ledger: Annotated[str | None, typer.Option(help="File that records each use of the test set.")] = None,
    probes: Annotated[
        list[str] | None,
        typer.Option(help="Codes or their beginnings: SPL1,SPL201 (repeatable).", show_default="all"),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="CODE=REASON: the result stays and does not count (repeatable).")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(help="NAME=NUMBER: another convention, as auc_leak=0.995 (repeatable)."),
    ] = None,
    alpha: Annotated[float, typer.Option(help="Chance of any alarm that chance can give, in (0, 1).")] = 0.01,
    fast: Annotated[
        bool, typer.Option("--fast", help="Look at samples where a full look takes long.")
    ] = False,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Plant leaks in a copy, and say which are found.")
    ] = False,
    impact: Annotated[bool, typer.Option(help="Measure what findings are worth in score.")] = True,
    seed: Seed = 0,
    html: Annotated[str | None, typer.Option(help="Write a page to this .html file.")] = None,
    json: Annotated[str | None, typer.Option(help="Write everything to this .json file.")] = None,
    junit: Annotated[str | None, typer.Option(help="Write JUnit XML to this .xml file.")] = None,
    sarif: Annotated[str | None, typer.Option(help="Write SARIF 2.1.0 to this .sarif file.")] = None,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Show values of the data in --html and --json.")
    ] = False,
    fail_on: Annotated[
        str, typer.Option(help="Exit code 1 from which status on: leak, caution, never.")
    ] = "leak",
    progress: Bars = None,
) -> None:
    """Audit a table and its split before a model is fitted: what would make the score lie?"""
    with session():
        from splitleak.leakage import leakage_report
        from splitleak.rendering.audit import prepared
        from splitleak.rendering.audit_terminal import show_audit
        from splitleak.report_views import FAIL_ON

        if fail_on not in FAIL_ON:
            raise unknown_option("--fail-on", fail_on, FAIL_ON)
        pages = {"html": html, "json": json, "junit": junit, "sarif": sarif}
        _check_pages(pages)
        tables = _partitions(data, partition)
        one = len(tables) == 1
        if not one and (split is not None or split_file is not None):
            raise InputError("several files are the partitions already; leave --split and --split-file out")
        opened: Any = {name: open_data(path, columns) for name, path in tables.items()}
        found = leakage_report(
            next(iter(opened.values())) if one else opened,
            _split(split, split_file),
            target=target,
            on=on or None,
            similarity=named(similarity) or "auto",
            threshold=threshold,
            groups=groups or None,
            time=time,
            raw=None if raw is None else _table(raw, columns),
            ledger=ledger,
            metric=metric,
            probes=_codes(probes),
            ignore=dict(_pairs("--ignore", ignore, "SPL201=known at prediction time")) or None,
            limits=_limits(limit),
            alpha=alpha,
            impact=impact,
            self_test=self_test,
            fast=fast,
            seed=seed,
            progress=progress,
        )
        show_audit(prepared(found.summary(), show_values=False))
        artifact = next(iter(tables.values()))
        _write(found, pages, artifact=artifact, fail_on=fail_on, show_values=show_values)
        bad = {"leak": ("leak",), "caution": ("leak", "caution"), "never": ()}[fail_on]
        if found.verdict in bad:
            raise typer.Exit(LEAKS)


def _check_pages(pages: dict[str, str | None]) -> None:
    from splitleak.report_views import HTML, JSON, JUNIT, SARIF

    for name, endings in (("html", HTML), ("json", JSON), ("junit", JUNIT), ("sarif", SARIF)):
        path = pages[name]
        if path is not None:
            check_writable(path, f"--{name}", endings=endings)


def _write(
    found: LeakageReport, pages: dict[str, str | None], *, artifact: str, fail_on: str, show_values: bool
) -> None:
    from splitleak.rendering.terminal import show

    if any(pages.values()):
        print()
    if pages["html"]:
        title = f"Leakage report: {Path(artifact).name}"
        found.to_html(pages["html"], title=title, show_values=show_values)
    if pages["json"]:
        found.to_json(pages["json"], show_values=show_values)
    if pages["junit"]:
        found.to_junit(pages["junit"], fail_on=fail_on)  # type: ignore[arg-type]  # checked before
    if pages["sarif"]:
        found.to_sarif(pages["sarif"], artifact=artifact)
    for path in filter(None, pages.values()):
        show(f"wrote {path}")


def _partitions(data: Sequence[str] | None, partition: Sequence[str] | None) -> dict[str, str]:
    """Return the files by the name of their partition, the one to train on first; a single file has any name."""
    if data and partition:
        raise InputError("give the partitions as files, or by --partition NAME=FILE, not both")
    if partition:
        files = dict(_pairs("--partition", partition, "train=train.csv"))
        if len(files) < 2:
            raise InputError("--partition is there once; give it for each partition, at least two")
    elif data:
        names = _partition_names([_stem(path) for path in data])
        files = dict(zip(names, data, strict=True))
        if len(files) < len(data):
            raise InputError(
                f"the file names do not tell the partitions apart ({', '.join(names)}); name them:"
                " --partition train=a.csv --partition test=b.csv"
            )
    else:
        raise InputError("report needs a table (splitleak report data.csv --target label), or its partitions")
    # the others stay in the order in which they were given
    return dict(sorted(files.items(), key=lambda entry: entry[0].lower() not in ("train", "training")))


def _stem(path: str) -> str:
    return Path(Path(path).name.removesuffix(".gz")).stem


def _partition_names(stems: list[str]) -> list[str]:
    """Return file names without what they begin with alike: adult_train and adult_test are train and test."""
    parts = [re.split(r"(?<=[ ._-])", stem) for stem in stems]
    while all(len(part) > 1 for part in parts) and len({part[0] for part in parts}) == 1 < len(parts):
        parts = [part[1:] for part in parts]
    return ["".join(part) for part in parts]


def _split(column: str | None, file: str | None) -> str | Split | None:
    if file is None:
        return column
    if column is not None:
        raise InputError("give --split (a column of the data) or --split-file (a saved split), not both")
    from splitleak.partition import Split

    return Split.load(file)


def _table(path: str, columns: str | None) -> Any:
    import pyarrow as pa

    source = open_data(path, columns)
    return pa.table({name: source.column(name) for name in source.column_names})


def _codes(probes: Sequence[str] | None) -> str | list[str]:
    codes = [code.strip() for text in probes or () for code in text.split(",") if code.strip()]
    return "all" if codes in ([], ["all"]) else codes


def _limits(limit: Sequence[str] | None) -> dict[str, float] | None:
    limits = {}
    for name, text in _pairs("--limit", limit, "auc_leak=0.995"):
        try:
            limits[name] = float(text)
        except ValueError:
            raise InputError(f"--limit {name}={text} must give a number, as auc_leak=0.995") from None
    return limits or None


def _pairs(option: str, texts: Sequence[str] | None, example: str) -> list[tuple[str, str]]:
    """Return what was given as NAME=TEXT."""
    pairs = []
    for text in texts or ():
        name, equals, rest = text.partition("=")
        if not equals or not name.strip() or not rest.strip():
            raise InputError(f"{option} {text!r} must be NAME=TEXT, as in {option} {example!r}")
        pairs.append((name.strip(), rest.strip()))
    names = [name for name, _ in pairs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"{option} names {twice[0]!r} twice; give it once")
    return pairs
