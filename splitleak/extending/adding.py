"""extend(): the story of new rows for a frozen split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._tables import Source, open_source, resolve_factors
from splitleak._tables.stacking import stacked_sources
from splitleak.certification.certifying import certify_search, search_of_split
from splitleak.errors import DataMismatchError, InputError
from splitleak.extending.periods import read_times, windows
from splitleak.extending.placing import REASONS, place
from splitleak.extending.ties import Ties, clusters_with, tied_rows
from splitleak.partition import Split
from splitleak.provenance import Provenance
from splitleak.search import AnySearch, Combine, Missing, Share
from splitleak.sizes import SizesLike, largest_remainder, parse_sizes

Ints = NDArray[np.int64]


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
    time: Any = None,
    embargo: Any = None,
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

    Of a split in order of time, a new row goes to the partition in whose period it lies: up to the last old row of the
    partition, from the end of the embargo of the one before; the last partition has no end. New rows within an
    embargo, and those tied to rows of another period, are set aside.

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
    time : str or array-like of shape (n_old + n_new,), optional
        Column of dates, timestamps or numbers. Left out, the one that the split was made with.
    embargo : number, timedelta or str, optional
        With times: the gap between partitions. Left out, the one that the split was made with.
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
        Arguments that cannot be used; times that were given as an array, and are not given again.
    DataMismatchError
        Old rows that are not those of the split, or not in the order of the times.

    Examples
    --------
    >>> import splitleak
    >>> old = [f"{word} number {i}" for i in range(10) for word in ("alpha", "beta")]
    >>> split = splitleak.split_by_similarity(old, threshold=0.99, sizes=(0.8, 0.2))
    >>> wider = splitleak.extend(split, old, ["alpha number 3", "gamma", "delta", "epsilon", "zeta"])
    >>> bool((wider.codes[:20] == split.codes).all()), wider.sizes
    (True, {'train': 20, 'test': 5})
    """
    before, after = open_source(old), open_source(new)
    _check_split(split, before)
    both = stacked_sources(before, after)
    search = search_of_split(
        both, split, on=on, similarity=similarity, threshold=threshold, combine=combine, share=share, missing=missing
    )  # fmt: skip
    _check_old(split, search)
    missing = missing or (split.provenance.options.get("missing") if split.provenance else None) or "equal"
    factors = resolve_factors(both, _groups_of(split, groups), argument="groups")
    chronology = read_times(split, both, time, embargo)
    if chronology is not None and sizes is not None:
        raise InputError("sizes= has no say where time decides which row goes where; leave it out")
    in_time = None if chronology is None else windows(chronology, split.codes, split.names)
    shares = _shares(split, sizes, both.n_rows)
    bars = Progress(progress)
    rows = tied_rows(search, after, similarity, missing, split.codes, seed, bars)
    ties = Ties.of(rows, [factor.codes for factor in factors], split.codes, len(split.names))
    hashes = search.records.row_hashes
    placed, reason = place(ties, split, shares, hashes[split.n_rows :], int(seed), in_time)
    codes = np.concatenate([split.codes, placed])
    options = {
        **search.options(),
        "missing": missing,
        "groups": [factor.name for factor in factors] or None,
        "time": None if chronology is None else chronology.moments.name,
        "embargo": None if chronology is None else chronology.embargo,
        "sizes": dict(zip(split.names, np.round(shares, 9).tolist(), strict=True)),
        "seed": int(seed),
        "made_by": "extend",
    }
    note = f"{after.n_rows:,} rows were added to {split.n_rows:,} rows that stayed where they were"
    kept = int((codes >= 0).sum())
    return Split(
        names=split.names,
        codes=codes,
        clusters=clusters_with(rows, [factor.codes for factor in factors], split, codes),
        asked=np.array(largest_remainder((shares * kept).tolist(), kept), dtype=np.int64),
        row_hashes=hashes,
        provenance=Provenance.of(options, search.records, both.describe(), notes=[note]),
        certificate=certify_search(search, split.names, codes, seed=seed, progress=bars) if certify else None,
        periods=None if chronology is None else chronology.periods(codes, len(split.names)),
        **_changes(split, reason),
    )


def _changes(split: Split, reason: Ints) -> dict[str, Any]:
    """Return why rows were set aside, old and new, and where they were before."""
    old = tuple(split.reasons or ())
    reason = np.where(reason < 0, -1, reason + len(old))
    return {
        "reasons": (*old, *REASONS),
        "reason_codes": np.concatenate([_or_none(split.reason_codes, split.n_rows), reason]),
        "before": np.concatenate([_or_none(split.before, split.n_rows), np.full(len(reason), -1)]),
    }


def _or_none(codes: Ints | None, n_rows: int) -> Ints:
    return np.full(n_rows, -1, dtype=np.int64) if codes is None else codes


def _check_split(split: object, old: Source) -> None:
    if not isinstance(split, Split):
        raise InputError(
            f"split must be a Split, got {type(split).__name__}; Split.load() reads a file,"
            " Split.from_labels() takes partition names"
        )
    split.check_rows(old.n_rows)
    split.check_source(old)


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
