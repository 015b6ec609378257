"""extend(): new rows for a frozen split; old rows never move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._tables import Source, open_source, resolve_factors
from splitleak._tables.stacking import stacked_sources
from splitleak.allocation import allocate
from splitleak.certification.certifying import certify_search, search_of_split
from splitleak.errors import DataMismatchError, InputError
from splitleak.graph import SimilarityGraph
from splitleak.linking import Web, fewest_between
from splitleak.partition import DROPPED, Split
from splitleak.provenance import Provenance
from splitleak.sampling import mix
from splitleak.search import AnySearch, Combine, Missing, Share, prepare_search
from splitleak.sizes import SizesLike, largest_remainder, parse_sizes

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

REASONS = (
    "new, and similar to, or in one group with, rows of several partitions",
    "new, and links rows of several partitions through other new rows",
)


def extend(
    split: Split,
    old: Any,
    new: Any,
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = None,
    threshold: float | None = None,
    combine: Combine | None = None,
    share: Share | None = None,
    missing: Missing | None = None,
    groups: Any = None,
    sizes: SizesLike = None,
    certify: bool = True,
    seed: int = 0,
    progress: bool | None = None,
) -> Split:
    """Add new rows to a frozen split: old rows never move, new rows go with the rows they are similar to.

    New rows that hang together with old rows of one partition go there. The rest fill the partitions towards
    the sizes. New rows that are similar to rows of several partitions, or that link them through other new rows, are
    set aside (code -1): the fewest that will do, exactly between two partitions. Old rows are not compared with each
    other again, except by the certificate.

    Parameters
    ----------
    split : Split
        The frozen split; one read from a file will do.
    old : table, list of str, 2-D array, sparse matrix, or path
        The rows of the split, in their order.
    new : like `old`
        The rows to add; of a table, all compared columns.
    on, similarity, threshold, combine, share, missing
        As for `certify`. Left out, those that the split was made with, where it says so. Matrices, graphs and
        functions of your own must cover the old rows and then the new ones.
    groups : str, array-like of shape (n_old + n_new,), or list of str, optional
        Column(s) whose equal values must stay together. Left out, the columns that the split was made with.
    sizes : mapping, sequence, "auto" or None
        Sizes of all rows together, old and new; None: the shares that the split was asked for.
    certify : bool
        Search the finished split again, all of it, and attach the certificate.
    seed : int
        Same data, options and seed give the same split, whatever the order of the new rows.
    progress : bool, optional
        Bars on stderr; default: on a terminal.

    Returns
    -------
    Split
        Of the old rows followed by the new ones; `Split.changes` lists the rows set aside.

    Raises
    ------
    InputError
        Arguments that cannot be used; a split in order of time.
    DataMismatchError
        Old rows that are not those of the split.

    Examples
    --------
    >>> import splitleak
    >>> old = [f"{word} number {i}" for i in range(10) for word in ("alpha", "beta")]
    >>> split = splitleak.split_by_similarity(old, threshold=0.99, sizes=(0.8, 0.2))
    >>> wider = splitleak.extend(split, old, ["alpha number 3", "gamma", "delta", "epsilon", "zeta"])
    >>> bool((wider.codes[:20] == split.codes).all()), wider.sizes
    (True, {'train': 20, 'test': 5})
    """
    if not isinstance(split, Split):
        raise InputError(
            f"split must be a Split, got {type(split).__name__}; Split.load() reads a file,"
            " Split.from_labels() takes partition names"
        )
    if split.periods is not None:
        raise InputError(
            "the split is in order of time, which new rows would break; split all rows anew with time=, and keep"
            " the old rows where they are with pinned="
        )
    before, after = open_source(old), open_source(new)
    split.check_rows(before.n_rows)
    split.check_source(before)
    both = stacked_sources(before, after)
    search = search_of_split(
        both, split, on=on, similarity=similarity, threshold=threshold, combine=combine, share=share, missing=missing
    )  # fmt: skip
    _check_old(split, search)
    missing = missing or (split.provenance.options.get("missing") if split.provenance else None) or "equal"
    factors = resolve_factors(both, _groups_of(split, groups), argument="groups")
    shares = _shares(split, sizes, both.n_rows)
    bars = Progress(progress)
    rows = _tied_rows(search, after, similarity, missing, split.codes, seed, bars)
    ties = Ties.of(rows, [factor.codes for factor in factors], split.codes, len(split.names))
    hashes = search.records.row_hashes
    placed, reason = _place(ties, split, shares, hashes[split.n_rows :], int(seed))
    codes = np.concatenate([split.codes, placed])
    options = {
        **search.options(),
        "missing": missing,
        "groups": [factor.name for factor in factors] or None,
        "sizes": dict(zip(split.names, np.round(shares, 9).tolist(), strict=True)),
        "seed": int(seed),
        "made_by": "extend",
    }
    note = f"{after.n_rows:,} rows were added to {split.n_rows:,} rows that stayed where they were"
    kept = int((codes >= 0).sum())
    old_names = tuple(split.reasons or ())
    return Split(
        names=split.names,
        codes=codes,
        clusters=_clusters(rows, [factor.codes for factor in factors], split, codes),
        asked=np.array(largest_remainder((shares * kept).tolist(), kept), dtype=np.int64),
        row_hashes=hashes,
        provenance=Provenance.of(options, search.records, both.describe(), notes=[note]),
        certificate=certify_search(search, split.names, codes, seed=seed, progress=bars) if certify else None,
        reasons=(*old_names, *REASONS),
        reason_codes=np.concatenate(
            [_or_none(split.reason_codes, split.n_rows), np.where(reason < 0, -1, reason + len(old_names))]
        ),
        before=np.concatenate([_or_none(split.before, split.n_rows), np.full(after.n_rows, -1)]),
    )


def _or_none(codes: Ints | None, n_rows: int) -> Ints:
    return np.full(n_rows, -1, dtype=np.int64) if codes is None else codes


def _check_old(split: Split, search: AnySearch) -> None:
    found = search.records.row_hashes[: split.n_rows]
    other = np.flatnonzero(split.row_hashes is not None and found != split.row_hashes)
    if len(other):
        raise DataMismatchError(
            f"old is not the data that the split was made from: row {other[0]} has other content ({len(other):,} rows"
            " have); hand in the rows of the split in their order, with the columns that were compared (on=)"
        )


def _groups_of(split: Split, groups: Any) -> Any:
    """Return the groups asked for, or the columns that the split kept together."""
    if groups is not None:
        return groups
    made = (split.provenance.options.get("groups") if split.provenance else None) or []
    if made == ["groups"]:
        raise InputError(
            "the split kept groups together that were given as an array; give groups= again, one value for each old"
            " row and then for each new one"
        )
    return made or None


def _shares(split: Split, sizes: SizesLike, n_rows: int) -> NDArray[np.float64]:
    if sizes is None:
        asked = np.asarray(list(split.sizes.values()) if split.asked is None else split.asked)
        return np.asarray(asked / asked.sum(), dtype=np.float64)
    request = parse_sizes(sizes, n_rows)
    if set(request.names) != set(split.names):
        raise InputError(
            f"sizes= must name the partitions of the split ({', '.join(split.names)}), got {', '.join(request.names)}"
        )
    order = [request.names.index(name) for name in split.names]
    return np.asarray(request.targets[order] / request.targets.sum(), dtype=np.float64)


def _tied_rows(
    search: AnySearch,
    after: Source,
    similarity: Any,
    missing: Missing,
    codes: Ints,
    seed: int,
    bars: Progress,
) -> tuple[SimilarityGraph, SimilarityGraph | None]:
    """Search old x new and new x new; the second is None where one graph holds both."""
    if similarity is not None and not isinstance(similarity, str):
        return search.graph(seed=seed, progress=bars), None
    sides = np.concatenate([np.where(codes >= 0, 0, -1), np.ones(after.n_rows, dtype=np.int64)])
    across = search.graph(sides=sides, seed=seed, progress=bars)
    options = {k: v for k, v in search.options().items() if k != "similarity_reason"}
    options = {k: v for k, v in options.items() if v is not None}
    kind = None if search.records.kind not in ("table", "image", "views") else search.records.kind
    if not after.column_names:
        options.pop("on", None)
    among = prepare_search(after, **options, missing=missing, kind=kind)
    return across, among.graph(seed=seed, progress=bars)


@dataclass(frozen=True)
class Ties:
    """What new rows are tied to: to each other, and to the partitions of old rows.

    Attributes
    ----------
    graph : SimilarityGraph
        Similar new rows.
    groups : sequence of int64 arrays of shape (n_new,)
        Groups among new rows.
    partitions : bool array of shape (n_new, n_partitions)
        Partitions that hold an old row which a new row is similar to, or in one group with.
    """

    graph: SimilarityGraph
    groups: Sequence[Ints]
    partitions: Bools

    @classmethod
    def of(
        cls,
        rows: tuple[SimilarityGraph, SimilarityGraph | None],
        groups: Sequence[Ints],
        codes: Ints,
        k: int,
    ) -> Ties:
        """Look up the partitions of the old rows that each new row is tied to."""
        across, among = rows
        across._require_complete("extend()")
        n_old, n = len(codes), across.n_rows
        copies = np.arange(n) if across.copies is None else across.copies
        old = np.flatnonzero(codes >= 0)
        members = np.zeros((n, k), dtype=bool)
        members[copies[old], codes[old]] = True
        reach = members.copy()
        for a, b in ((across.left, across.right), (across.right, across.left)):
            for p in range(k):
                reach[a[members[b, p]], p] = True
        partitions = reach[copies[n_old:]]
        for group in groups:
            shared = np.zeros((int(group.max(initial=-1)) + 2, k), dtype=bool)  # the last row serves code -1
            mine = old[group[old] >= 0]
            shared[group[mine], codes[mine]] = True
            partitions |= shared[group[n_old:]]
        return cls(_from(across, n_old) if among is None else among, [g[n_old:] for g in groups], partitions)


def _clusters(
    rows: tuple[SimilarityGraph, SimilarityGraph | None], groups: Sequence[Ints], split: Split, codes: Ints
) -> Ints | None:
    """Return the cluster of each row; None: those of the old rows are not known."""
    if split.clusters is None:
        return None
    across, among = rows
    n_old, n = split.n_rows, len(codes)
    tied = [*groups, np.concatenate([split.clusters, np.full(n - n_old, -1)])]
    if among is not None:
        across = replace(
            across,
            left=np.concatenate([across.left, among.left + n_old]),
            right=np.concatenate([across.right, among.right + n_old]),
        )
        if among.copies is not None:
            tied.append(np.concatenate([np.full(n_old, -1), among.copies]))
    return Web(across, tied).labels(codes >= 0)


def _from(graph: SimilarityGraph, first: int) -> SimilarityGraph:
    """Return the graph of the rows from `first` on, numbered anew."""
    n = graph.n_rows
    copies = np.arange(n) if graph.copies is None else graph.copies
    head = np.full(n, -1, dtype=np.int64)
    head[copies[first:][::-1]] = np.arange(n - 1, first - 1, -1)  # a representative among these rows
    a, b = head[graph.left], head[graph.right]
    both = (a >= 0) & (b >= 0)
    return SimilarityGraph.build(
        a[both] - first,
        b[both] - first,
        graph.similarity[both],
        n_rows=n - first,
        threshold=graph.threshold,
        measure=graph.measure,
        exact=graph.exact,
        copies=None if graph.copies is None else head[copies[first:]] - first,
        complete=graph.complete,
    )


def _place(
    ties: Ties, split: Split, shares: NDArray[np.float64], hashes: NDArray[np.uint64], seed: int
) -> tuple[Ints, Ints]:
    """Return the partition of each new row (-1: set aside), and why it was set aside."""
    n, k = ties.partitions.shape
    # each partition is one more row, n + p, that stands for its old rows: in one group with all that are tied to them
    graph = replace(
        ties.graph,
        n_rows=n + k,
        copies=None if ties.graph.copies is None else np.append(ties.graph.copies, n + np.arange(k)),
    )
    groups = [np.concatenate([group, np.full(k, -1)]) for group in ties.groups]
    groups += [
        np.append(np.where(ties.partitions[:, p], 0, -1), np.where(np.arange(k) == p, 0, -1))
        for p in range(k)
    ]
    fixed = np.concatenate([np.full(n, -1), np.arange(k)])
    keys = np.append(hashes, np.arange(k, dtype=np.uint64))
    cover = fewest_between(graph, fixed, groups=groups, row_hashes=keys)
    kept = ~cover.dropped[:n]
    several = ties.partitions.sum(axis=1) > 1
    reason = np.where(kept, -1, np.where(several, 0, 1)).astype(np.int64)
    labels = Web(graph, groups).labels(~cover.dropped)
    held = np.array([split.sizes[name] for name in split.names], dtype=np.int64)
    return _filled(labels, kept, held, shares, hashes, seed), reason


def _filled(
    labels: Ints,
    kept: Bools,
    held: Ints,
    shares: NDArray[np.float64],
    hashes: NDArray[np.uint64],
    seed: int,
) -> Ints:
    """Hand the kept new rows to partitions; `labels` ends with the cluster of each partition's old rows."""
    n, k = len(kept), len(held)
    size = np.bincount(labels[:n][kept], minlength=int(labels.max()) + 1).astype(np.int64)
    size[labels[n:]] += held
    fixed = np.full(len(size), -1, dtype=np.int64)
    fixed[labels[n:]] = np.arange(k)
    keys = np.zeros(len(size), dtype=np.uint64)
    np.add.at(keys, labels[:n][kept], mix(hashes[kept]))
    some = size > 0
    total = int(size.sum())
    found = allocate(
        size[some],
        np.array(largest_remainder((shares * total).tolist(), total), dtype=np.int64),
        keys=keys[some],
        seed=seed,
        fixed=fixed[some],
    )
    codes = np.full(len(size), DROPPED, dtype=np.int64)
    codes[some] = found.codes
    return np.where(kept, codes[labels[:n]], DROPPED).astype(np.int64)
