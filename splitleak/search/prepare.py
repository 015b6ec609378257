"""From what the caller asks for to one search, or to several that are combined."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from splitleak.errors import InputError
from splitleak.search.combined import CombinedSearch, identity_of
from splitleak.search.crossed import CrossedSearch
from splitleak.search.single import Missing, Search
from splitleak.similarity.base import scale_asked
from splitleak.similarity.views import Combine, Share, View, check_combine, check_share, views_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from splitleak._tables import Source

AnySearch = Search | CrossedSearch | CombinedSearch


def prepare_search(
    data: Any,
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = "auto",
    threshold: float | None = None,
    combine: Combine = "any",
    share: Share = "all",
    exclude: Collection[str] = (),
    missing: Missing = "equal",
    kind: Any = None,
) -> AnySearch:
    """Check the arguments, read the compared columns, choose the backends.

    Parameters are those of `similarity_graph`, and

    exclude : collection of str
        Columns that are not meant when `on` is left out.
    kind : {"text", "vector", "table"}, optional
        What the rows shall be.
    """
    from splitleak._tables import open_source

    check_combine(combine)
    check_share(share)
    if threshold is not None and not isinstance(similarity, (list, tuple)):
        scale_asked(similarity.similarity if isinstance(similarity, View) else similarity).read(threshold)
    source = open_source(data)
    if isinstance(data, (str, Path)):  # a file is read, and warned of, once
        data = source
    views = views_of(similarity, source, on=on, threshold=threshold, share=share)
    if share != "all" and not any(v.share != "all" for v in views):
        raise InputError(
            f"share={share!r} is for the columns in on=, and each similarity has columns of its own"
        )
    found = [_of_view(data, source, v, exclude, missing, v.kind or kind) for v in views]
    if combine == "any":  # any of any: one list
        found = [
            leaf for each in found for leaf in (each.members if isinstance(each, CombinedSearch) else (each,))
        ]
    return found[0] if len(found) == 1 else _combined(source, found, combine)


def _of_view(
    data: Any, source: Source, view: View, exclude: Collection[str], missing: Missing, kind: Any
) -> AnySearch:
    def search(on: Sequence[str] | None, what: Any = kind) -> Search:
        return Search.prepare(
            data,
            on=on[0] if on is not None and len(on) == 1 else on,
            similarity=view.similarity,
            threshold=view.threshold,
            exclude=exclude,
            missing=missing,
            kind=what,
        )

    if view.share in (None, "all"):
        return search(view.on)
    if view.on is None or len(view.on) < 2:
        raise InputError(f"share={view.share!r} is for several columns; name them in on=, got on={view.on!r}")
    parts = [search((column,), None) for column in view.on]
    if view.share == "crossed":
        return CrossedSearch.of(parts)
    return _combined(source, parts, "any")


def _combined(source: Source, members: Sequence[AnySearch], combine: Combine) -> CombinedSearch:
    return CombinedSearch(source, identity_of(source, [m.records for m in members]), tuple(members), combine)
