"""Pairs of similar images as a contact sheet: those of a graph, or those that a split keeps together or apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from splitleak._tables.thumbnails import thumbnail
from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.partition import Split
from splitleak.rendering.contact_sheet import MOST_PAIRS, ImagePair
from splitleak.rendering.contact_sheet import contact_sheet as sheet
from splitleak.rendering.html import Section, pairs_page
from splitleak.search import similarity_graph


def contact_sheet(
    data: Any, pairs: SimilarityGraph | Split, *, on: str | Sequence[str] | None = None, title: str = ""
) -> str:
    """Return a page that shows pairs of similar images side by side: the most similar 24.

    Parameters
    ----------
    data : folder, list of images, table
        The images.
    pairs : SimilarityGraph or Split
        The pairs of a graph; of a split its crossing pairs, or, where none crosses, the similar pairs that it keeps
        together (which are searched anew).
    on : str, optional
        The column of images.
    title : str
        Heading of the page.

    Returns
    -------
    str
        HTML, complete in itself, under 300 kB.

    Raises
    ------
    InputError
        Data that holds no images.

    Examples
    --------
    >>> import numpy as np, splitleak
    >>> photos = np.random.default_rng(0).integers(0, 256, (2, 16, 16), dtype=np.uint8)
    >>> photos = np.concatenate([photos, photos])
    >>> page = splitleak.contact_sheet(photos, splitleak.similarity_graph(photos))
    >>> page.count("<img")
    4
    """
    return pairs_page(sheet_section(data, pairs, on=on), title=title or "Similar images, side by side")


def sheet_section(
    data: Any, pairs: SimilarityGraph | Split, *, on: str | Sequence[str] | None = None
) -> Section:
    """Return the contact sheet as a section of a page; parameters as for `contact_sheet`."""
    from splitleak._tables import open_source
    from splitleak.records import as_records

    source = open_source(data)
    if isinstance(pairs, Split) and on is None and pairs.provenance is not None:
        on = list(pairs.provenance.columns) or None
    paths = isinstance(pairs, Split) and pairs.provenance is not None and pairs.provenance.kind == "image"
    records = as_records(source, on=on, kind="image" if paths or _are_names(source, on) else None)
    if records.kind != "image":
        raise InputError(
            f"a contact sheet needs images, and the data has {records.kind} rows; name their column with on="
        )
    title, found = "Similar pairs", _chosen(source, pairs, on)
    if isinstance(pairs, Split):
        crossing = pairs.certificate is not None and pairs.certificate.verdict == "leaking"
        title = "Similar pairs in different partitions" if crossing else "Similar pairs that stay together"
    rows = [(int(a), int(b), float(s)) for a, b, s in found]
    shown = rows[:MOST_PAIRS]
    images = records.pictures()
    small: dict[int, bytes] = {}
    for row in {row for pair in shown for row in pair[:2]}:
        small[row] = thumbnail(images, row)
    cards = [ImagePair(small[a], small[b], (images.name(a), images.name(b)), s) for a, b, s in shown]
    left = [f"The {len(cards)} most similar of {len(rows):,} pairs."] if len(rows) > len(cards) else []
    return sheet(cards, title=title, paragraphs=left or ([] if cards else ["There is none."]))


def _are_names(source: Any, on: Any) -> bool:
    from splitleak._tables.columns import role_of

    if source.bare is not None and on is None:
        return hasattr(source.bare, "type") and role_of(source.bare.type) == "text"
    return isinstance(on, str) and on in source.column_names and role_of(source.column_type(on)) == "text"


def _chosen(source: Any, pairs: SimilarityGraph | Split, on: Any) -> Iterable[tuple[Any, Any, Any]]:
    if isinstance(pairs, Split):
        if pairs.certificate is not None and pairs.certificate.crossing:
            return [(c.left, c.right, c.similarity) for c in pairs.certificate.crossing]
        if pairs.provenance is None:
            raise InputError(
                "the split does not say how it was made; give a graph: similarity_graph(data, ...)"
            )
        made = pairs.provenance.search_options()
        pairs = similarity_graph(
            source, on=on, similarity=made["similarity"], threshold=made["threshold"], missing=made["missing"]
        )
    frame = pairs.frame()
    return zip(frame["left"], frame["right"], frame["similarity"], strict=True)
