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
    from splitleak.report import LeakageReport


Tables = Annotated[
    list[str] | None,
    typer.Argument(
        help="A table (Parquet, Arrow, CSV, TSV, JSON lines, a folder of Parquet or images); several: the partitions.",
        show_default=False,
    ),
]
SplitOption = Annotated[
    str | None,
    typer.Option(help="Column with the partition names, or a saved split (.parquet, .csv, .json)."),
]
Partition = Annotated[
    list[str] | None,
    typer.Option(help="NAME=FILE for each partition (repeatable), instead of DATA.", show_default=False),
]
Target = Annotated[str | None, typer.Option(help="Column that is predicted.")]
Time = Annotated[str | None, typer.Option(help="Column that says when a row was known.")]
BelongTogether = Annotated[
    list[str] | None, typer.Option(help="Column of rows that belong together (repeatable).")
]
Searched = Annotated[
    list[str] | None, typer.Option(help="Column in which near-duplicates are searched (repeatable).")
]
Raw = Annotated[str | None, typer.Option(help="The table before preprocessing, same rows.")]
Metric = Annotated[str | None, typer.Option(help="scikit-learn's name of your score.")]
Ledger = Annotated[str | None, typer.Option(help="File that records each use of the test set.")]
Probes = Annotated[
    list[str] | None,
    typer.Option(help="Codes or their beginnings: SPL1,SPL201 (repeatable).", show_default="all"),
]
Ignore = Annotated[
    list[str] | None, typer.Option(help="CODE=REASON: the result stays and does not count (repeatable).")
]
Limit = Annotated[
    list[str] | None, typer.Option(help="NAME=NUMBER: another convention, as auc_leak=0.995 (repeatable).")
]
Alpha = Annotated[float, typer.Option(help="Chance of any alarm that chance can give, in (0, 1).")]
Fast = Annotated[bool, typer.Option("--fast", help="Look at samples where a full look takes long.")]
SelfTest = Annotated[
    bool, typer.Option("--self-test", help="Plant leaks in a copy, and say which are found.")
]
Impact = Annotated[bool, typer.Option(help="Measure what findings are worth in score.")]
HtmlPage = Annotated[str | None, typer.Option(help="Write a page to this .html file.")]
Json = Annotated[str | None, typer.Option(help="Write everything to this .json file.")]
Junit = Annotated[str | None, typer.Option(help="Write JUnit XML to this .xml file.")]
Sarif = Annotated[str | None, typer.Option(help="Write SARIF 2.1.0 to this .sarif file.")]
ShowValues = Annotated[
    bool, typer.Option("--show-values", help="Show values of the data in --html and --json.")
]
FailOnOption = Annotated[str, typer.Option(help="Exit code 1 from which status on: leak, caution, never.")]


@app.command()
def report(
    data: Tables = None,
    split: SplitOption = None,
    partition: Partition = None,
    target: Target = None,
    time: Time = None,
    groups: BelongTogether = None,
    on: Searched = None,
    columns: Columns = None,
    raw: Raw = None,
    similarity: Similarity = None,
    threshold: Threshold = None,
    metric: Metric = None,
    ledger: Ledger = None,
    probes: Probes = None,
    ignore: Ignore = None,
    limit: Limit = None,
    alpha: Alpha = 0.01,
    fast: Fast = False,
    self_test: SelfTest = False,
    impact: Impact = True,
    seed: Seed = 0,
    html: HtmlPage = None,
    json: Json = None,
    junit: Junit = None,
    sarif: Sarif = None,
    show_values: ShowValues = False,
    fail_on: FailOnOption = "leak",
    progress: Bars = None,
) -> None:
    """Audit a table and its split before a model is fitted: what would make the score lie?"""
    with session():
        from splitleak.leakage import leakage_report

        pages = {"html": html, "json": json, "junit": junit, "sarif": sarif}
        _check_output(pages, fail_on)
        tables = _partitions(data, partition)
        if len(tables) > 1 and split is not None:
            raise InputError("several files are the partitions already; leave --split out")
        opened: Any = {name: open_data(path, columns) for name, path in tables.items()}
        found = leakage_report(
            opened if len(tables) > 1 else next(iter(opened.values())),
            split,
            target=target,
            on=on or None,
            similarity=named(similarity) or "auto",
            threshold=threshold,
            groups=groups or None,
            time=time,
            raw=raw,
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
        _hand_over(
            found, pages, artifact=next(iter(tables.values())), fail_on=fail_on, show_values=show_values
        )


def _check_output(pages: dict[str, str | None], fail_on: str) -> None:
    from splitleak.report_views import FAIL_ON, HTML, JSON, JUNIT, SARIF

    if fail_on not in FAIL_ON:
        raise unknown_option("--fail-on", fail_on, FAIL_ON)
    for name, endings in (("html", HTML), ("json", JSON), ("junit", JUNIT), ("sarif", SARIF)):
        path = pages[name]
        if path is not None:
            check_writable(path, f"--{name}", endings=endings)


def _hand_over(
    found: LeakageReport, pages: dict[str, str | None], *, artifact: str, fail_on: str, show_values: bool
) -> None:
    """Print the report, write its pages, and end with the exit code that it deserves."""
    from splitleak.rendering.audit import prepared
    from splitleak.rendering.audit_terminal import show_audit

    show_audit(prepared(found.summary(), show_values=False))
    _write(found, pages, artifact=artifact, fail_on=fail_on, show_values=show_values)
    bad = {"leak": ("leak",), "caution": ("leak", "caution"), "never": ()}[fail_on]
    if found.verdict in bad:
        raise typer.Exit(LEAKS)


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
        found.to_sarif(pages["sarif"], artifact=_in_repository(artifact))
    for path in filter(None, pages.values()):
        show(f"wrote {path}")


def _in_repository(path: str) -> str:
    """Return a path from the working directory on, where it is below it: code scanning knows no other."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return path


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
