"""Near-duplicate texts, sequences, vectors, or whatever the caller calls similar, across the partitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.probes.base import NotApplicable, Skipped
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.equal_rows import LONG_TEXT, is_long
from splitleak.probes.text_kinds import TextKind, record_values, text_kind
from splitleak.search.prepare import prepare_search
from splitleak.search.single import Search

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MOST_ROWS, _FAST_ROWS = 200_000, 20_000
_TEXTS = 0.6  # of character or word grams: a word in ten changed; texts from the default on are a leak
_SEQUENCES = 0.8  # identity of sequences that are nearly one; the default of a split keeps relatives together
_MOLECULES = 0.9  # Tanimoto: a group moved or changed; at 1, a model of fingerprints sees no difference
_TITLE = 60  # characters
_TEMPLATE = 20  # training rows similar to one held-out row: a form letter rather than a copy


@dataclass(frozen=True, eq=False)
class Similar:
    """Held-out rows that are similar to a row of another partition by a measure of `splitleak.similarity`.

    Attributes
    ----------
    what : str
        The measure and its columns, for a reader.
    threshold : float
        Inclusive, in (0, 1].
    searched : int
        Held-out rows looked at.
    rows, partners : int64 arrays of shape (n_found,)
        Held-out rows, and the most similar row of another partition (a training row if there is one).
    similarity : float64 array of shape (n_found,)
        Of these pairs.
    degree : int64 array of shape (n_found,)
        Rows of other partitions that each is similar to.
    sure : float
        Similarity from which on a pair is a copy beyond doubt; below it, a person must judge.
    repeated : str
        The column compared, where its texts repeat by their nature (a premise with its hypotheses, a product with its
        reviews): what crosses are then rows of one thing, and no copies. Else empty.
    """

    what: str
    threshold: float
    searched: int
    rows: Ints
    partners: Ints
    similarity: Floats
    degree: Ints
    sure: float = 0.0
    repeated: str = ""
    titles: bool = False  # short texts beside other columns: names and titles, which say what a row is about

    @property
    def templates(self) -> bool:
        """Whether most rows found are similar to many others: form letters, which honest data hold."""
        return bool(len(self.rows)) and float(np.median(self.degree)) > _TEMPLATE


def searches(context: AuditContext) -> list[dict[str, Any]]:
    """Return the searches that these data ask for, as arguments of `splitleak.search`."""
    if _are_measured(context):
        return []
    if not is_auto(context.similarity) or context.compared or context.threshold is not None:
        return [
            {
                "on": list(context.compared) or None,
                "similarity": context.similarity,
                "threshold": context.threshold,
            }
        ]
    vectors = [column.name for column in context.of_kind("vector")]
    kinds = {c.name: text_kind(c) for c in context.of_kind("text", "category") if is_long(c) or _repeats(c)}
    texts = [name for name, kind in kinds.items() if kind == "words" and context.columns[name].kind == "text"]
    named = [name for name, kind in kinds.items() if kind in ("sequences", "molecules")]
    wanted = [*vectors, *texts, *named]
    if not wanted:  # what a program wrote, and names, are compared where there is nothing else
        wanted = [name for name, kind in kinds.items() if kind == "records"]
        wanted = wanted or (list(kinds) if len(context.columns) == 1 else [])
    return [_search(name, kinds.get(name)) for name in sorted(wanted)]


def _search(name: str, kind: TextKind | None) -> dict[str, Any]:
    if kind == "molecules":
        return {"on": name, "similarity": "tanimoto", "threshold": _MOLECULES, "sure": 1.0}
    return {"on": name, "similarity": "auto", "threshold": None, "records": kind == "records"}


def _repeated(context: AuditContext, on: Any) -> str:
    """Return the name of the column compared where its texts repeat, else an empty text."""
    return on if isinstance(on, str) and on in context.columns and _repeats(context.columns[on]) else ""


def _repeats(column: AuditColumn) -> bool:
    """Return whether a column holds long texts that most rows share with others."""
    if column.kind != "text" or 2 * len(column.levels) >= column.n_rows:
        return False
    return float(np.median([len(str(level)) for level in column.levels])) >= LONG_TEXT


def _are_measured(context: AuditContext) -> bool:
    """Return whether the columns named are measured ones, and how to compare them was left to us.

    Rows of few numbers are alike by chance; what the other rows foretell tells copies from that (`near_neighbours`).
    """
    if not is_auto(context.similarity) or context.threshold is not None or len(context.compared) < 2:
        return False
    kinds = {context.columns[n].kind if n in context.columns else None for n in context.compared}
    return kinds <= {"numeric", "time", "category"}


def is_auto(similarity: Any) -> bool:
    """Return whether the caller left the measure to us."""
    return isinstance(similarity, str) and similarity == "auto"


def find_similar(context: AuditContext, options: dict[str, Any]) -> Similar:
    """Search across the partitions.

    Raises
    ------
    NotApplicable, Skipped
        Columns that cannot be compared this way (when the caller named nothing), a missing extra.
    """
    given = not is_auto(context.similarity)
    # a matrix or a graph of the caller's has the rows in the caller's order
    rows = _all_rows(context) if given else _rows(context)
    data = (
        context.source if given else _data(context, rows, options["on"] if options.get("records") else None)
    )
    surely = options.get("sure")
    options = {name: options[name] for name in ("on", "similarity", "threshold")}
    if not context.source.column_names:
        options = {**options, "on": None}
    outside = {*context.columns}
    exclude = [name for name in context.source.column_names if name not in outside]
    try:
        search = prepare_search(data, exclude=exclude, missing="distinct", **options)
        sure = surely or (search.threshold if isinstance(search, Search) else 0.0)
        if not given and options["threshold"] is None and isinstance(search, Search):
            if search.measure.startswith("alignment"):
                search = search.raised(max(sure, _SEQUENCES))
            elif search.records.kind == "text":
                search = search.raised(min(sure, _TEXTS))
        sides = np.where(rows >= 0, context.codes[rows], -1)
        graph = search.graph(sides=sides, seed=context.seed)
    except ImportError as error:
        raise Skipped(str(error)) from None
    except InputError as error:
        if given or context.compared:
            raise
        raise NotApplicable(str(error)) from None
    return _found(context, search, graph, rows, options, sure)


def _all_rows(context: AuditContext) -> Ints:
    """Return for each of the caller's rows where it stands in the context; -1: in no partition, so not audited."""
    rows = np.full(context.source.n_rows, -1, dtype=np.int64)
    rows[context.positions] = np.arange(context.n_rows)
    return rows


def _rows(context: AuditContext) -> Ints:
    inside = np.flatnonzero(context.codes >= 0)
    return context.sample(inside, _FAST_ROWS if context.fast else _MOST_ROWS, "similar rows")


def _data(context: AuditContext, rows: Ints, records: str | None) -> Any:
    if context.table is not None:
        table = context.table.take(rows)
        if records is not None:
            place = table.column_names.index(records)
            table = table.set_column(place, records, record_values(table[records]))
        return table
    return context.source.take(context.positions[rows])


def _found(
    context: AuditContext,
    search: Any,
    graph: SimilarityGraph,
    rows: Ints,
    options: dict[str, Any],
    sure: float,
) -> Similar:
    sides = np.where(rows >= 0, context.codes[rows], -1)
    left, right, value, degree = nearest_elsewhere(graph, sides, rank=rows)
    if options["on"] is not None and isinstance(options["on"], str):
        kept = _long_enough(context, options["on"], rows)[left]
        left, right, value, degree = left[kept], right[kept], value[kept], degree[kept]
    return Similar(
        what=search.name if hasattr(search, "name") else "the similarities asked for",
        threshold=float(graph.threshold),
        searched=int((sides > 0).sum()),
        rows=rows[left],
        partners=rows[right],
        similarity=value,
        degree=degree,
        sure=sure,
        repeated=_repeated(context, options["on"]),
        titles=_titles(context, search, options["on"], rows[left]),
    )


def _titles(context: AuditContext, search: Any, on: Any, rows: Ints) -> bool:
    """Return whether what was found are short texts beside other columns, the measure being left to us."""
    if (
        not is_auto(context.similarity)
        or context.threshold is not None
        or len(context.columns) < 2
        or not len(rows)
    ):
        return False
    if not isinstance(search, Search) or not search.measure.startswith(("jaccard", "minhash")):
        return False
    column = context.columns.get(on) if isinstance(on, str) else None
    if column is None or not len(column.levels):
        return False
    lengths = np.array([len(str(level)) for level in column.levels])
    return float(np.median(lengths[column.codes[rows]])) < _TITLE


def nearest_elsewhere(
    graph: SimilarityGraph, sides: Ints, rank: Ints, most_copies: int = _TEMPLATE
) -> tuple[Ints, Ints, Floats, Ints]:
    """Return for each held-out row its most similar row on another side, copies of one value included.

    Parameters
    ----------
    graph : SimilarityGraph
        Pairs of representatives, and which rows are copies of them.
    sides : int64 array of shape (n_rows,)
        0: training; above: held out; -1: left out.
    rank : int64 array of shape (n_rows,)
        Of rows that are equally good the one of the lowest rank is named.
    most_copies : int
        A value that more rows have than that beside a row is a form (an empty list, a standard sentence), and no copy.

    Returns
    -------
    rows, partners, similarity, degree : arrays of one length, by row
        Held-out rows that have any; a training row where there is one; how many rows elsewhere are similar.
    """
    copies = np.arange(len(sides)) if graph.copies is None else graph.copies
    n_sides = int(sides.max(initial=0)) + 1
    inside = np.flatnonzero(sides >= 0)
    inside = inside[np.argsort(rank[inside], kind="stable")]
    count = np.bincount(copies[inside] * n_sides + sides[inside], minlength=len(sides) * n_sides)
    count = count.reshape(len(sides), n_sides)
    first = np.full(count.shape, -1, dtype=np.int64)
    first[copies[inside[::-1]], sides[inside[::-1]]] = inside[::-1]
    size = count.sum(axis=1)
    spread = np.flatnonzero(
        ((count > 0).sum(axis=1) > 1) & (size <= most_copies + 1)
    )  # its copies are elsewhere
    here = np.concatenate([graph.left, graph.right, spread])
    there = np.concatenate([graph.right, graph.left, spread])
    value = np.concatenate([graph.similarity, graph.similarity, np.ones(len(spread))]).astype(np.float64)
    best: list[Any] = []
    for side in range(1, n_sides):
        partner = np.full(len(here), -1, dtype=np.int64)
        for other in range(n_sides):
            partner = np.where((partner < 0) & (other != side), first[there, other], partner)
        use = np.flatnonzero((count[here, side] > 0) & (partner >= 0))
        use = use[np.lexsort((rank[partner[use]], -value[use], sides[partner[use]] != 0, here[use]))]
        names, at = np.unique(here[use], return_index=True)
        elsewhere = (size - count[:, side])[there[use]]
        degree = np.add.reduceat(elsewhere, at) if len(at) else at
        mine = inside[(sides[inside] == side) & np.isin(copies[inside], names)]
        place = np.searchsorted(names, copies[mine])
        best.append((mine, partner[use][at][place], value[use][at][place], degree[place]))
    rows, partners, similarity, degree = (
        np.concatenate([part[i] for part in best] or [np.zeros(0, dtype=np.int64)]) for i in range(4)
    )
    order = np.argsort(rows, kind="stable")
    return rows[order], partners[order], similarity[order].astype(np.float64), degree[order]


def _long_enough(context: AuditContext, name: str, rows: Ints) -> NDArray[np.bool_]:
    """Return which texts are long enough to be evidence."""
    column = context.columns.get(name)
    if column is None or column.kind not in ("text", "category") or context.table is None:
        return np.ones(len(rows), dtype=bool)
    import pyarrow.compute as pc

    length = pc.utf8_length(context.table[name].take(np.maximum(rows, 0))).fill_null(0)
    return np.asarray(length.to_numpy() >= LONG_TEXT)
