"""Pinned rows: which partition the caller has fixed, and contradictions found before anything is handed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._tables import Factor, Source, resolve_factor
from splitleak.crossing import crossing_pairs
from splitleak.errors import InputError, did_you_mean
from splitleak.graph import SimilarityGraph

Ints = NDArray[np.int64]


def read_pins(source: Source, pinned: Any, names: Sequence[str]) -> Ints | None:
    """Return the partition of each pinned row; -1: free.

    Parameters
    ----------
    source : Source
    pinned : str, array-like of shape (n_rows,), mapping, or None
        A column or an array of partition names, missing (or empty) where a row is free; or a mapping of partition
        name to row positions, or to a boolean mask over all rows.
    names : sequence of str
        The partitions.

    Raises
    ------
    InputError
        A name that is no partition, positions outside the data, a row in two partitions, no pinned row at all.

    Examples
    --------
    >>> from splitleak._tables import open_source
    >>> source = open_source(["a", "b", "c"])
    >>> read_pins(source, {"test": [2]}, ("train", "test")).tolist()
    [-1, -1, 1]
    >>> read_pins(source, [None, "train", ""], ("train", "test")).tolist()
    [-1, 0, -1]
    """
    if pinned is None:
        return None
    if isinstance(pinned, Mapping):
        codes = _from_mapping(pinned, source.n_rows, names)
    else:
        codes = _from_factor(resolve_factor(source, pinned, argument="pinned"), names)
    if not (codes >= 0).any():
        raise InputError(
            "pinned= pins no row: every entry is missing; leave it out, or name a partition for some rows"
        )
    return codes


def _from_factor(factor: Factor, names: Sequence[str]) -> Ints:
    code = [-1 if str(level) == "" else _code(level, names) for level in factor.levels]
    return np.array([*code, -1], dtype=np.int64)[factor.codes]


def _code(name: Any, names: Sequence[str]) -> int:
    if str(name) not in names:
        raise InputError(
            f"pinned= names the partition {str(name)!r}, which is not one of sizes={list(names)}"
            f"{did_you_mean(name, names)}"
        )
    return list(names).index(str(name))


def _from_mapping(pinned: Mapping[Any, Any], n_rows: int, names: Sequence[str]) -> Ints:
    codes = np.full(n_rows, -1, dtype=np.int64)
    for name, rows in pinned.items():
        code = _code(name, names)
        positions = _positions(name, rows, n_rows)
        twice = positions[(codes[positions] >= 0) & (codes[positions] != code)]
        if len(twice):
            raise InputError(
                f"pinned= has row {twice[0]} in {names[codes[twice[0]]]!r} and in {name!r}; a row is in one partition"
            )
        codes[positions] = code
    return codes


def _positions(name: Any, rows: Any, n_rows: int) -> Ints:
    array = np.asarray(rows)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "biu"):
        raise InputError(
            f"pinned[{name!r}] must be row positions (whole numbers) or a boolean mask, got {array.dtype} of shape"
            f" {array.shape}"
        )
    if array.dtype.kind == "b":
        if len(array) != n_rows:
            raise InputError(
                f"pinned[{name!r}] is a mask of {len(array):,} entries, and data has {n_rows:,} rows"
            )
        return np.flatnonzero(array).astype(np.int64)
    positions = array.astype(np.int64)
    outside = positions[(positions < 0) | (positions >= n_rows)]
    if len(outside):
        raise InputError(
            f"pinned[{name!r}] has the row position {outside[0]}; data has rows 0 to {n_rows - 1}"
        )
    return positions


def check_groups(pinned: Ints, factors: Sequence[Factor], names: Sequence[str]) -> None:
    """Raise when a group has rows that are pinned to two partitions."""
    for factor in factors:
        rows = np.flatnonzero((pinned >= 0) & (factor.codes >= 0))
        rows = rows[np.lexsort((rows, factor.codes[rows]))]
        group, partition = factor.codes[rows], pinned[rows]
        apart = np.flatnonzero((group[1:] == group[:-1]) & (partition[1:] != partition[:-1]))
        if len(apart):
            a, b = rows[apart[0]], rows[apart[0] + 1]
            raise InputError(
                f"pinned= and groups= contradict each other: rows {a} and {b} are of one group"
                f" ({factor.name}={factor.levels[factor.codes[a]]!r}) and pinned to {names[pinned[a]]!r} and"
                f" {names[pinned[b]]!r}; pin them to one partition, or leave {factor.name} out of groups="
            )


def check_similar(pinned: Ints, graph: SimilarityGraph, names: Sequence[str]) -> None:
    """Raise when two similar rows are pinned to different partitions."""
    found = crossing_pairs(graph, pinned, len(names), graph.threshold, limit=1)
    if not found.n:
        return
    a, b, similarity = found.worst[0]
    scale = graph.scale
    more = f" ({found.n:,} pairs of pinned rows are)" if found.n > 1 else ""
    raise InputError(
        f"pinned= and the similarity contradict each other: rows {a} (pinned to {names[pinned[a]]!r}) and {b} (pinned"
        f" to {names[pinned[b]]!r}) have {scale.name}"
        f" {scale.text(similarity, graph.threshold)}, and threshold {scale.shown(graph.threshold)} makes them"
        f" similar{more}; pin them to one partition, free one of them, or take {scale.stricter}"
    )


def pins_of_clusters(pinned: Ints, labels: Ints, n_clusters: int) -> tuple[Ints, Ints]:
    """Return the partition of each cluster with a pinned row (-1: none), and the clusters with rows of several."""
    rows = np.flatnonzero(pinned >= 0)
    first = np.full(n_clusters, np.iinfo(np.int64).max)
    last = np.full(n_clusters, -1, dtype=np.int64)
    np.minimum.at(first, labels[rows], pinned[rows])
    np.maximum.at(last, labels[rows], pinned[rows])
    return last, np.flatnonzero((last >= 0) & (first != last))
