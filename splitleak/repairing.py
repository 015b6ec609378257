"""repair(): an existing split with as few rows as possible dropped or moved until it is separated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._tables import named_columns, open_source, resolve_factors
from splitleak.certification.certifying import certify_search, codes_of_split, search_of_split
from splitleak.covering import Crossings, fewest_dropped
from splitleak.crossing import crossing_pairs
from splitleak.errors import InfeasibleSplitError, InputError, did_you_mean, unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.linking import Web
from splitleak.partition import Split
from splitleak.provenance import Provenance
from splitleak.search import Combine, Missing, Share

Ints = NDArray[np.int64]
By = Literal["drop", "move"]

REASONS = (
    "similar to, or in one group with, a row of another partition",
    "similar to, or in one group with, a row of a protected partition",
    "its cluster is mostly in the other partition",
)


def repair(
    split: Split | str | Sequence[object] | NDArray[Any],
    data: Any,
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = None,
    threshold: float | None = None,
    combine: Combine | None = None,
    share: Share | None = None,
    missing: Missing | None = None,
    groups: Any = None,
    by: By = "drop",
    protect: str | Sequence[str] = (),
    certify: bool = True,
    seed: int = 0,
    progress: bool | None = None,
) -> Split:
    """Drop or move as few rows of a split as possible, so that no similar rows are in different partitions.

    Parameters
    ----------
    split : Split, column name, or array-like of shape (n_rows,)
        A split of splitleak's, or partition names from anywhere.
    data : table, list of str, 2-D array, sparse matrix, or path
        The rows.
    on, similarity, threshold, combine, share, missing
        As for `certify`. Left out, those that the split was made with, where it says so.
    groups : str, array-like of shape (n_rows,), or list of str, optional
        Column(s) whose equal values must stay together.
    by : {"drop", "move"}
        "drop": take rows out of the split (code -1), a smallest vertex cover of the crossing pairs. Between two
        partitions it is exactly the smallest (König's theorem), and of several the one that takes most rows
        from the earlier partition; among more, a lower bound is computed, and where the answer is not proven to be the
        smallest the notes of the provenance say so. "move": each cluster goes to the partition that holds most
        of it (of equals to the earlier one), which moves the fewest rows of all ways that drop none.
    protect : str or sequence of str
        Partitions that stay as they are: no row leaves them and none comes in. With "move", rows similar to a row of a
        protected partition are dropped.
    certify : bool
        Search the finished split again and attach the certificate.
    seed : int
        For approximate backends.
    progress : bool, optional
        Bars on stderr; default: on a terminal.

    Returns
    -------
    Split
        `Split.changes` lists what was done: row, from, to, reason.

    Raises
    ------
    InputError
        Arguments that cannot be used, similar rows in two protected partitions.
    DataMismatchError
        A `Split` that was made from other data.
    InfeasibleSplitError
        A partition would lose all its rows.

    Examples
    --------
    >>> import splitleak
    >>> texts = ["one line", "another", "a third", "One  line"]
    >>> repaired = splitleak.repair(["train", "train", "train", "test"], texts, protect="test")
    >>> repaired.changes().values.tolist()[0][:3], repaired.certificate.verdict
    ([0, 'train', None], 'separated')
    """
    if by not in get_args(By):
        raise unknown_option("by", by, get_args(By))
    if isinstance(split, str):
        open_source(data).require([split], argument="split")
    search = search_of_split(
        data, split, on=on, similarity=similarity, threshold=threshold, combine=combine, share=share,
        missing=missing, exclude=named_columns(split if isinstance(split, str) else None, groups),
    )  # fmt: skip
    names, codes = codes_of_split(search, split)
    made_of = split.provenance.options if isinstance(split, Split) and split.provenance else {}
    held = _protected(protect, names)
    factors = resolve_factors(search.source, groups, argument="groups")
    ties = [factor.codes for factor in factors]
    bars = Progress(progress)
    graph = search.graph(sides=codes if by == "drop" else None, seed=seed, progress=bars)
    fixed = np.isin(codes, held)
    _check_protected(np.where(fixed, codes, -1), graph, ties, names)
    if by == "drop":
        cover = fewest_dropped(
            graph, codes, groups=ties, protected=fixed, row_hashes=search.records.row_hashes
        )
        repaired, reason = (
            np.where(cover.dropped, -1, codes),
            np.where(cover.dropped, 0, -1).astype(np.int64),
        )
        notes = [_proof(cover.n_dropped, cover.bound)]
        clusters = None
    else:
        repaired, reason = _moved(graph, codes, ties, fixed, len(names))
        clusters = Web(graph, ties).labels(repaired >= 0)
        notes = []
    _check_not_empty(codes, repaired, names, by)
    options = {
        **search.options(),
        "missing": missing or made_of.get("missing") or "equal",
        "groups": [factor.name for factor in factors] or None,
        "by": by,
        "protect": [names[code] for code in held] or None,
        "seed": int(seed),
        "made_by": "repair",
    }
    made = split if isinstance(split, Split) else Split(tuple(names), codes)
    return replace(
        made,
        codes=repaired,
        clusters=clusters,
        row_hashes=search.records.row_hashes,
        provenance=Provenance.of(options, search.records, search.source.describe(), notes=notes),
        certificate=certify_search(search, names, repaired, seed=seed, progress=bars) if certify else None,
        periods=None,
        reasons=REASONS,
        reason_codes=reason,
        before=codes,
    )


def _proof(dropped: int, bound: int) -> str:
    if dropped == bound:
        return f"{dropped:,} rows were dropped, and fewer would not do"
    return f"{dropped:,} rows were dropped, and no fewer than {bound:,} would do"


def _protected(protect: str | Sequence[str], names: Sequence[str]) -> list[int]:
    wanted = [protect] if isinstance(protect, str) else list(protect)
    for name in wanted:
        if name not in names:
            raise InputError(
                f"protect= names the partition {name!r}, which the split does not have{did_you_mean(name, names)} (it"
                f" has: {', '.join(map(repr, names))})"
            )
    return sorted({list(names).index(name) for name in wanted})


def _check_protected(
    fixed: Ints, graph: SimilarityGraph, groups: Sequence[Ints], names: Sequence[str]
) -> None:
    """Raise when rows of two protected partitions are tied."""
    pairs = crossing_pairs(graph, fixed, len(names), graph.threshold, limit=1)
    if pairs.n:
        a, b, similarity = pairs.worst[0]
        raise InputError(
            f"protect= names partitions that leak into each other: rows {a} ({names[fixed[a]]!r}) and {b}"
            f" ({names[fixed[b]]!r}) have similarity {similarity:g}, and neither may go; protect one of them"
        )
    for group in groups:
        rows = np.flatnonzero((fixed >= 0) & (group >= 0))
        rows = rows[np.argsort(group[rows], kind="stable")]
        apart = np.flatnonzero((np.diff(group[rows]) == 0) & (np.diff(fixed[rows]) != 0))
        if len(apart):
            a, b = rows[apart[0]], rows[apart[0] + 1]
            raise InputError(
                f"protect= names partitions that share a group: rows {a} ({names[fixed[a]]!r}) and {b}"
                f" ({names[fixed[b]]!r}); protect one of them, or leave groups= out"
            )


def _moved(
    graph: SimilarityGraph, codes: Ints, groups: Sequence[Ints], fixed: NDArray[np.bool_], k: int
) -> tuple[Ints, Ints]:
    """Drop what is tied to protected rows, move every other cluster to the partition that holds most of it."""
    graph._require_complete("repair(by='move')")
    ties = Crossings.of(graph, codes, groups)
    held = np.zeros(len(ties.code), dtype=bool)
    held[ties.hubs[fixed[ties.rows]]] = True
    touching = np.zeros(len(ties.code), dtype=bool)
    touching[ties.tails[held[ties.heads]]] = True
    dropped = np.zeros(len(codes), dtype=bool)
    dropped[ties.rows[touching[ties.hubs]]] = True
    dropped &= ~fixed
    free = (codes >= 0) & ~fixed & ~dropped
    labels = Web(graph, groups).labels(free)
    table = np.bincount(labels[free] * k + codes[free], minlength=(int(labels.max()) + 1) * k).reshape(-1, k)
    best = table.argmax(axis=1)[labels]
    repaired = np.where(dropped, -1, np.where(free, best, codes)).astype(np.int64)
    reason = np.where(dropped, 1, np.where(repaired != codes, 2, -1)).astype(np.int64)
    return repaired, reason


def _check_not_empty(before: Ints, after: Ints, names: Sequence[str], by: str) -> None:
    had = np.bincount(before[before >= 0], minlength=len(names))
    has = np.bincount(after[after >= 0], minlength=len(names))
    empty = np.flatnonzero((had > 0) & (has == 0))
    if len(empty):
        other = "by='drop'" if by == "move" else "protect= for that partition"
        raise InfeasibleSplitError(
            f"by={by!r} would take all {had[empty[0]]:,} rows of {names[empty[0]]!r} away. Ways out: {other}, a higher"
            " threshold=, or a new split by split_by_similarity().",
            nearest=dict(zip(names, has.tolist(), strict=True)),
        )
