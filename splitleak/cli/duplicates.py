"""``splitleak duplicates``."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from splitleak._console import session
from splitleak._files import check_writable, write_text
from splitleak.cli.options import (
    Bars,
    Columns,
    Combine,
    Data,
    Missing,
    On,
    Seed,
    Share,
    Similarity,
    Threshold,
    app,
    check_page,
    open_data,
    searched,
)

if TYPE_CHECKING:
    from splitleak._scale import Scale
    from splitleak._tables import Source


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
        check_page(html)
        source = open_data(data, columns)
        graph = similarity_graph(
            source,
            **searched(on, similarity, threshold, combine, share, missing, default="auto"),
            seed=seed,
            progress=progress,
        )
        show(repr(graph))
        frame = graph.frame()
        _show_pairs(frame.head(most), graph.scale, source, on)
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


def _show_pairs(frame: Any, scale: Scale, source: Source, on: list[str] | None) -> None:
    """Print pairs with their values, when one column says what they are."""
    from splitleak.rendering.tables import Table
    from splitleak.rendering.terminal import show_table

    rows: list[tuple[str, ...]] = [
        (scale.cell(p.similarity), f"{p.left:.0f}", f"{p.right:.0f}") for p in frame.itertuples()
    ]
    header = [scale.name, "row", "row"]
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
