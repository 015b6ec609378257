"""certify(): an independent search across finished partitions, and what it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak.crossing import CrossingPairs, crossing_pairs
from splitleak.errors import InputError
from splitleak.graph import Recall, SimilarityGraph
from splitleak.search import Missing, Search
from splitleak.similarity.base import IGNORED

if TYPE_CHECKING:
    import pandas as pd

    from splitleak.partition import Split

Verdict = Literal["separated", "separated_with_recall", "leaking"]
SAMPLED_ROWS = 1_000
SEARCH_BELOW = 0.05
_EDGES = tuple(round(0.05 * i, 2) for i in range(21))


@dataclass(frozen=True)
class Across:
    """What was found between two partitions.

    Attributes
    ----------
    left, right : str
        Names of the partitions.
    pairs : int
        Pairs at or above the threshold.
    largest : float or None
        Largest similarity of a row of one to a row of the other, in [0, 1]; None when nothing is known.
    largest_is_bound : bool
        True: nothing was found down to `largest`, so the largest similarity is below it.
    """

    left: str
    right: str
    pairs: int
    largest: float | None
    largest_is_bound: bool


@dataclass(frozen=True)
class HeldOut:
    """Rows of a held-out partition with a similar row in the first (training) partition."""

    partition: str
    rows: int
    with_similar: int
    share: float


@dataclass(frozen=True)
class Yardstick:
    """Expected share of held-out rows with a similar training row under a random split of the same sizes.

    `low` and `high` are the 95 % interval where a sample of the rows was looked up (else both equal `share`).
    """

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Nearest:
    """Histogram of each held-out row's nearest similarity to the training partition.

    Attributes
    ----------
    edges : tuple of float
        Edges of the bins, in [0, 1]; the last bin includes 1.
    counts : dict of str to tuple of int
        Rows per bin for each held-out partition.
    rows : dict of str to int
        Rows looked up in each.
    sampled : bool
        False when all held-out rows were looked up.
    """

    edges: tuple[float, ...]
    counts: dict[str, tuple[int, ...]]
    rows: dict[str, int]
    sampled: bool


@dataclass(frozen=True)
class Crossing:
    """A similar pair whose rows are in different partitions."""

    left: int
    right: int
    left_partition: str
    right_partition: str
    similarity: float


@dataclass(frozen=True)
class Certificate:
    """The result of a fresh search across the partitions of a split.

    Attributes
    ----------
    verdict : {"separated", "separated_with_recall", "leaking"}
        Exhaustive search and no pair crosses; approximate search of stated recall and none found; pairs cross.
    similarity, threshold
        The measure, and the inclusive bound in (0, 1].
    exhaustive : bool
        Whether the search could miss no pair.
    recall : Recall or None
        Measured share of the true pairs that an approximate search finds.
    across : tuple of Across
        One entry for each pair of partitions.
    n_crossing : int
        Number of crossing pairs.
    crossing : tuple of Crossing
        The worst of them, most similar first (at most 1,000).
    held_out : tuple of HeldOut
        Share of the rows of each held-out partition with a similar training row.
    random : Yardstick or None
        The same share under a random split of the same sizes.
    nearest : Nearest or None
        Histogram of nearest similarities to the training partition.
    notes : tuple of str
        What a reader must know besides.
    """

    verdict: Verdict
    similarity: str
    threshold: float
    exhaustive: bool
    recall: Recall | None
    across: tuple[Across, ...]
    n_crossing: int
    crossing: tuple[Crossing, ...]
    held_out: tuple[HeldOut, ...]
    random: Yardstick | None
    nearest: Nearest | None
    notes: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Return everything as plain JSON types."""
        found = asdict(self)
        if self.recall is not None and self.recall.total == 0:
            found["recall"]["estimate"] = None
        return _plain(found)  # type: ignore[no-any-return]

    @classmethod
    def from_summary(cls, summary: dict[str, Any]) -> Certificate:
        """Return the certificate of a `summary`."""
        s = dict(summary)
        if s["recall"] is not None:
            s["recall"] = Recall(**{k: float("nan") if v is None else v for k, v in s["recall"].items()})
        s["across"] = tuple(Across(**x) for x in s["across"])
        s["crossing"] = tuple(Crossing(**x) for x in s["crossing"])
        s["held_out"] = tuple(HeldOut(**x) for x in s["held_out"])
        s["random"] = Yardstick(**s["random"]) if s["random"] else None
        if s["nearest"]:
            n = s["nearest"]
            s["nearest"] = Nearest(
                tuple(n["edges"]), {k: tuple(v) for k, v in n["counts"].items()}, n["rows"], n["sampled"]
            )
        s["notes"] = tuple(s["notes"])
        return cls(**s)

    def frame(self) -> pd.DataFrame:
        """Return the crossing pairs (the worst 1,000) as a pandas table, most similar first."""
        import pandas as pd

        columns = ["left", "right", "left_partition", "right_partition", "similarity"]
        return pd.DataFrame([asdict(c) for c in self.crossing], columns=columns)

    def __repr__(self) -> str:
        from splitleak.rendering.text import certificate_text

        return certificate_text(self.summary())

    def _repr_html_(self) -> str:
        from splitleak.rendering.html import certificate_fragment

        return certificate_fragment(self.summary())


def certify(
    data: Any,
    split: Split | str | Sequence[object] | NDArray[Any],
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = None,
    threshold: float | None = None,
    missing: Missing | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Certificate:
    """Search a finished split for similar pairs that cross, independently of how it was made.

    The search runs anew over the data, between partitions only; besides, held-out rows (a sample of them in large
    data) are looked up by brute force, without the filters of the search.

    Parameters
    ----------
    data : table, list of str, 2-D array, sparse matrix, or path
        The rows.
    split : Split, column name, or array-like of shape (n_rows,)
        A split of splitleak's, or partition names from anywhere. The partition with the most rows (of a `Split`:
        the first) is taken as the training side.
    on, similarity, threshold, missing
        As for `similarity_graph`. Left out, those that the split was made with, where it says so.
    seed : int
        For approximate backends and the sample.
    progress : bool, optional
        Bars on stderr; default: on a terminal.

    Returns
    -------
    Certificate

    Raises
    ------
    InputError
        Arguments that cannot be used.
    DataMismatchError
        A `Split` that was made from other data.

    Examples
    --------
    >>> import splitleak
    >>> splitleak.certify(["one line", "another", "One  line"], ["train", "train", "test"]).verdict
    'leaking'
    """
    from splitleak.partition import Split

    if isinstance(split, Split):
        made = split.provenance
        options = made.search_options() if made is not None else {}
        on = on if on is not None else options.get("on")
        similarity = similarity if similarity is not None else options.get("similarity")
        threshold = threshold if threshold is not None else options.get("threshold")
        missing = missing if missing is not None else options.get("missing")
        names, codes = list(split.names), split.codes
    search = Search.prepare(
        data,
        on=on,
        similarity="auto" if similarity is None else similarity,
        threshold=threshold,
        exclude=[split] if isinstance(split, str) else (),
        missing=missing or "equal",
    )
    if isinstance(split, Split):
        split.check_data(search.records)
    else:
        names, codes = partition_codes(search.source, split)
    return certify_search(search, names, codes, seed=seed, progress=Progress(progress))


def partition_codes(source: Any, split: Any) -> tuple[list[str], NDArray[np.int64]]:
    """Return names and codes of partitions given as a column name or an array; the largest comes first."""
    from splitleak._tables import resolve_factor

    factor = resolve_factor(source, split, argument="split")
    if len(factor.levels) < 2:
        raise InputError(f"split must name at least two partitions, got {len(factor.levels)}: {factor.levels}")
    rows = np.bincount(factor.codes[factor.codes >= 0], minlength=len(factor.levels))
    order = np.argsort(-rows, kind="stable")
    rank = np.append(np.argsort(order), IGNORED)  # the last entry serves code -1
    return [str(factor.levels[k]) for k in order], rank[factor.codes].astype(np.int64)


def certify_search(
    search: Search,
    names: Sequence[str],
    codes: NDArray[np.int64],
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Certificate:
    """Certify partitions whose data has been read already (`names[0]` is the training side)."""
    held_out = sample_rows(search.records.row_hashes, np.flatnonzero(codes > 0), seed)
    anyone = sample_rows(search.records.row_hashes, np.flatnonzero(codes >= 0), seed)
    queries = np.union1d(held_out, anyone)
    near = search.neighbours(queries, codes)
    bounds = _lower_bounds(near, queries, codes, len(names))
    graph, floor = _fresh_search(search, codes, bounds, seed, progress)
    crossing = crossing_pairs(graph, codes, search.threshold)
    recall = graph.recall
    exhaustive = graph.exact
    random, nearest = None, None
    if near is not None:
        nearest = _histogram(near.nearest[np.searchsorted(queries, held_out), 0], held_out, names, codes)
        random = _yardstick(near.degree[np.searchsorted(queries, anyone)], codes)
    held = tuple(
        HeldOut(name, rows, int(found), float(found / max(1, rows)))
        for k, name in enumerate(names[1:], 1)
        for rows, found in [(int((codes == k).sum()), crossing.with_training[k])]
    )
    verdict: Verdict = "leaking" if crossing.n else ("separated" if exhaustive else "separated_with_recall")
    notes = [] if graph.complete else ["too many similar pairs cross to list or count them all"]
    return Certificate(
        verdict,
        search.backend.describe(),
        search.threshold,
        exhaustive,
        recall,
        tuple(_across(names, crossing, bounds, floor, search.threshold)),
        crossing.n,
        tuple(
            Crossing(int(a), int(b), names[codes[a]], names[codes[b]], float(s)) for a, b, s in crossing.worst
        ),
        held,
        random,
        nearest,
        tuple(notes),
    )


def sample_rows(hashes: NDArray[np.uint64], rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return up to 1,000 of `rows`, ascending, drawn by content and seed so that row order does not matter."""
    if len(rows) <= SAMPLED_ROWS:
        return rows
    order = np.argsort(hashes[rows], kind="stable")
    h = hashes[rows][order]
    start = np.flatnonzero(np.append(True, h[1:] != h[:-1]))
    occurrence = np.arange(len(h)) - np.repeat(start, np.diff(np.append(start, len(h))))
    key = mix(h ^ mix(occurrence.astype(np.uint64) + np.uint64(1) + (np.uint64(seed % 2**32) << np.uint64(32))))
    return np.sort(rows[order[np.argpartition(key, SAMPLED_ROWS)[:SAMPLED_ROWS]]])


def mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


def _fresh_search(
    search: Search,
    codes: NDArray[np.int64],
    bounds: NDArray[np.float64],
    seed: int,
    progress: Progress | None,
) -> tuple[SimilarityGraph, float]:
    """Search across the partitions, somewhat below the threshold where that tells the largest similarity."""
    floor = search.threshold
    known = bounds[np.triu_indices(len(bounds), 1)]
    if search.backend.exact and np.isfinite(known).any():
        floor = float(np.clip(np.nanmin(known), max(1e-6, search.threshold - SEARCH_BELOW), search.threshold))
    graph = search.graph(sides=codes, threshold=floor, seed=seed, progress=progress)
    if not graph.complete and floor < search.threshold:
        # weak pairs may have used up the list before a pair at the threshold came
        floor = search.threshold
        graph = search.graph(sides=codes, threshold=floor, seed=seed, progress=progress)
    return graph, floor


def _lower_bounds(near: Any, queries: NDArray[np.int64], codes: NDArray[np.int64], p: int) -> NDArray[np.float64]:
    """Return the largest similarity that the looked-up rows show between each pair of partitions."""
    bounds = np.full((p, p), np.nan)
    if near is not None:
        for i in range(p):
            mine = near.nearest[codes[queries] == i]
            for j in range(p):
                seen = mine[:, j][np.isfinite(mine[:, j])]
                if i != j and len(seen):
                    bounds[i, j] = seen.max()
    return np.fmax(bounds, bounds.T)


def _across(
    names: Sequence[str],
    crossing: CrossingPairs,
    bounds: NDArray[np.float64],
    floor: float,
    threshold: float,
) -> list[Across]:
    listed = []
    p = len(crossing.pairs)
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            if j >= p:  # an empty partition
                listed.append(Across(names[i], names[j], 0, None, False))
                continue
            top = float(np.fmax(crossing.largest[i, j], bounds[i, j]))
            known = np.isfinite(top) and top >= floor
            listed.append(
                Across(names[i], names[j], int(crossing.pairs[i, j]), top if known else floor, not known)
            )
    return listed


def _histogram(
    nearest: NDArray[np.float64], rows: NDArray[np.int64], names: Sequence[str], codes: NDArray[np.int64]
) -> Nearest | None:
    counts, looked_up = {}, {}
    for k, name in enumerate(names[1:], 1):
        values = nearest[(codes[rows] == k) & np.isfinite(nearest)]
        counts[name] = tuple(int(c) for c in np.histogram(np.maximum(values, 0), bins=_EDGES)[0])
        looked_up[name] = len(values)
    return Nearest(_EDGES, counts, looked_up, len(rows) < int((codes > 0).sum()))


def _yardstick(degree: NDArray[np.int64], codes: NDArray[np.int64]) -> Yardstick | None:
    """Return the expected share of held-out rows with a similar training row, over all random splits.

    A held-out row with d similar rows has none of them among the m training rows with the hypergeometric
    probability C(n - 1 - d, m) / C(n - 1, m).
    """
    from scipy.special import gammaln

    n, m = int((codes >= 0).sum()), int((codes == 0).sum())
    if n < 2 or len(degree) == 0:
        return None
    free = n - 1 - degree
    possible = free >= m
    log = np.full(len(degree), -np.inf)
    d = degree[possible]
    log[possible] = gammaln(n - d) - gammaln(n - d - m) - gammaln(n) + gammaln(n - m)
    hit = 1 - np.exp(np.minimum(log, 0))
    share = float(hit.mean())
    if len(degree) >= n:
        return Yardstick(share, share, share)
    half = 1.96 * float(hit.std(ddof=1)) / np.sqrt(len(hit))
    return Yardstick(share, max(0.0, share - half), min(1.0, share + half))


def _plain(value: Any) -> Any:
    """Return `value` with tuples as lists and NumPy scalars as Python's."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value
