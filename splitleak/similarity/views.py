"""What one of several similarities compares: `view()`, and how lists of them are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, get_args

from splitleak.errors import InputError, unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.records import Kind
from splitleak.similarity.base import Backend, backend_names, get_backend, scale_asked

if TYPE_CHECKING:
    from splitleak._tables import Source

Combine = Literal["any", "all"]
Share = Literal["all", "any", "crossed"]

_BETWEEN: dict[str, str] = {
    "all": ",",
    "any": "|",
    "crossed": "||",
}  # between columns, where a view is a text
_KEYS = ("similarity", "on", "threshold", "share", "kind")


@dataclass(frozen=True)
class View:
    """One of several similarities: a measure, the columns it compares, its own threshold.

    Attributes
    ----------
    similarity : str, backend, SimilarityGraph, matrix, path or function
        The measure.
    on : tuple of str or None
        The columns it compares; None: those of the call.
    threshold : float or None
        Its inclusive bound in (0, 1]; None: that of the call, else the measure's default.
    share : {"all", "any", "crossed"} or None
        How several columns are compared; None: as the call says where its columns are taken, else "all".
    kind : {"text", "vector", "table"} or None
        What the rows shall be; None: what the columns hold.
    """

    similarity: Any = "auto"
    on: tuple[str, ...] | None = None
    threshold: float | None = None
    share: Share | None = None
    kind: Kind | None = None


def view(
    similarity: Any = "auto",
    *,
    on: str | Sequence[str] | None = None,
    threshold: float | None = None,
    share: Share | None = None,
) -> View:
    """Name one of several similarities, for ``similarity=[view(...), view(...)]``.

    Parameters
    ----------
    similarity : str, backend, SimilarityGraph, matrix, path or function
        The measure, as ``similarity=`` takes it alone.
    on : str or list of str, optional
        The column(s) it compares; default: those of the call.
    threshold : float, optional
        Inclusive bound in (0, 1]; default: that of the call, else the measure's own.
    share : {"all", "any", "crossed"}, optional
        Of several columns: "all" compares them as one value (texts are joined, numbers make a vector); "any": two
        rows are similar when they are so in one of the columns, like compared with like; "crossed": when any of one
        row's values is similar to any of the other's.

    Returns
    -------
    View

    Examples
    --------
    >>> import splitleak
    >>> rows = {"question": ["who is it", "Who is it", "where"], "answer": ["I am", "you are", "I am"]}
    >>> views = [splitleak.view("exact", on="question"), splitleak.view("jaccard", on="answer", threshold=0.9)]
    >>> splitleak.similarity_graph(rows, similarity=views).components().tolist()
    [0, 0, 0]
    >>> splitleak.similarity_graph(rows, similarity=views, combine="all").components().tolist()
    [0, 1, 2]
    """
    columns = None if on is None else (on,) if isinstance(on, str) else on
    if columns is not None and (
        not isinstance(columns, (list, tuple)) or not columns or not all(isinstance(c, str) for c in columns)
    ):
        raise InputError(f"on must be a column name or a list of column names, got {on!r}")
    if threshold is not None:
        scale_asked(similarity).read(threshold)
        threshold = float(threshold)
    return View(similarity, None if columns is None else tuple(columns), threshold, check_share(share))


def check_share(share: Any) -> Share | None:
    """Return `share`, or raise when it is not known."""
    if share is not None and share not in get_args(Share):
        raise unknown_option("share", share, get_args(Share))
    return share  # type: ignore[no-any-return]


def check_combine(combine: Any) -> Combine:
    """Return `combine`, or raise when it is not known."""
    if combine not in get_args(Combine):
        raise unknown_option("combine", combine, get_args(Combine))
    return combine  # type: ignore[no-any-return]


def views_of(
    similarity: Any,
    source: Source,
    *,
    on: Any = None,
    threshold: float | None = None,
    share: Share | None = None,
) -> list[View]:
    """Return what ``similarity=`` names: one view, or several, each with what the call says filled in.

    A list names several views. Each is a `View`, a mapping with its fields, a text as ``"column:jaccard(0.7)"``
    (``"a,b:..."`` compares the columns as one, ``"a|b:..."`` each with its like, ``"a||b:..."`` each with each), or
    anything that ``similarity=`` takes alone. A view keeps the threshold it was given; the call's goes to the others.

    Raises
    ------
    InputError
        An empty list, members that are no similarity, a column that is not there, a threshold that nobody takes.
    """
    several = isinstance(similarity, (list, tuple))
    if several and not similarity:
        raise InputError("similarity=[] names no similarity; give at least one, or leave it out")
    named = [_one(item, source) for item in (similarity if several else [similarity])]
    own = [found.threshold is not None or (several and _has_threshold(found)) for found in named]
    if threshold is not None and all(own):
        told = "each of the similarities has its own" if several else "the view has its own"
        raise InputError(f"threshold={threshold} is for similarities without one, and {told}; leave it out")
    columns = None if on is None else (on,) if isinstance(on, str) else on
    return [
        replace(
            found,
            on=columns if found.on is None else found.on,
            share=found.share or ((share if found.on is None else None) or "all"),
            threshold=found.threshold if bound else threshold,
        )
        for found, bound in zip(named, own, strict=True)
    ]


def view_text(similarity: str, on: Sequence[str], threshold: float, share: str = "all") -> str:
    """Return a view as a text that `views_of` reads.

    Examples
    --------
    >>> view_text("jaccard(n=3)", ["a", "b"], 0.7, "any")
    'a|b:jaccard(0.7, n=3)'
    """
    name, _, options = similarity.partition("(")
    columns = f"{_BETWEEN[share].join(on)}:" if on else ""
    return f"{columns}{name}({float(threshold)!r}{', ' + options if options else ')'}"


def _has_threshold(found: View) -> bool:
    if found.threshold is not None or isinstance(found.similarity, SimilarityGraph):
        return True
    if isinstance(found.similarity, str) and "(" not in found.similarity:
        return False
    return isinstance(found.similarity, (str, Backend)) and get_backend(found.similarity).bound


def _one(item: Any, source: Source) -> View:
    if isinstance(item, View):
        return item
    if isinstance(item, Mapping) and "similarity" in item and not {"left", "right"} & set(item):
        unknown = [key for key in item if key not in _KEYS]
        if unknown:
            raise unknown_option("key of a similarity", unknown[0], _KEYS)
        fields = {**item}
        kind = fields.pop("kind", None)
        return replace(view(**{**fields, "on": fields.get("on") or None}), kind=kind)
    if isinstance(item, (list, tuple)):
        raise InputError(f"similarity holds a list within a list ({item!r:.80}); name each similarity once")
    return _of_text(item, source) if isinstance(item, str) else View(item)


def _of_text(text: str, source: Source) -> View:
    """Return a view of ``"column:measure"``; other texts with a colon are ``"module:function"``."""
    for colon in re.finditer(":", text):
        before, after = text[: colon.start()].strip(), text[colon.end() :].strip()
        for share, between in sorted(_BETWEEN.items(), key=lambda item: -len(item[1])):
            names = [before] if before in source.column_names else [n.strip() for n in before.split(between)]
            if all(name in source.column_names for name in names):
                return View(after, tuple(names), None, share if len(names) > 1 else None)  # type: ignore[arg-type]
    before, _, after = text.partition(":")
    measure = re.match(r"\s*([\w-]+)", after)
    if measure and measure.group(1) in (*backend_names(), "auto") and not _is_module(before):
        source.require([name.strip() for name in re.split(r"[,|]+", before)], argument="on")
    return View(text)


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


__all__ = ["Combine", "Share", "View", "check_combine", "check_share", "view", "view_text", "views_of"]
