"""The certificate of one search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._scale import SHARES, scale_of
from splitleak.certificate import Across, Certificate, Crossing, HeldOut, Nearest, Verdict, Yardstick
from splitleak.chance import chance_notes
from splitleak.crossing import CrossingPairs, crossing_pairs
from splitleak.graph import SimilarityGraph
from splitleak.sampling import sample_rows
from splitleak.search import CrossedSearch, Search
from splitleak.similarity.base import get_backend

SEARCH_BELOW = 0.05
_EDGES = np.round(np.linspace(0, 1, 101), 2)


def certify_single(
    search: Search | CrossedSearch,
    names: Sequence[str],
    codes: NDArray[np.int64],
    *,
    folds: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Certificate, SimilarityGraph]:
    """Return the certificate of one search, and the graph of similar pairs across that it found."""
    first_held = 0 if folds else 1
    held_out = sample_rows(search.records.row_hashes, np.flatnonzero(codes >= first_held), seed)
    anyone = sample_rows(search.records.row_hashes, np.flatnonzero(codes >= 0), seed)
    queries = np.union1d(held_out, anyone)
    near = search.neighbours(queries, codes)
    bounds = _lower_bounds(near, queries, codes, len(names))
    graph, floor = _fresh_search(search, codes, bounds, seed, progress)
    crossing = crossing_pairs(graph, codes, len(names), search.threshold)
    random, nearest = None, None
    if near is not None:
        found = near.nearest[np.searchsorted(queries, held_out)]
        found = _in_other_folds(found, codes[held_out]) if folds else found[:, 0]
        nearest = _histogram(found, held_out, names, codes, search.threshold, first_held)
        training = (
            int((codes >= 0).sum()) * (len(names) - 1) // len(names) if folds else int((codes == 0).sum())
        )
        if near.degree is not None:
            random = _yardstick(near.degree[np.searchsorted(queries, anyone)], codes, training)
    notes = notes_on_listing(graph)
    notes += chance_notes(graph, search.threshold)
    if near is not None and near.floor:
        scale = scale_of(search.measure)
        told = (
            f"similarities below {near.floor:g}"
            if scale is SHARES
            else f"E-values {scale.beyond(near.floor)}"
        )
        notes.append(
            f"the look-up of nearest rows does not tell {told} apart: they stand together at the left of the histogram"
        )
    if search.backend.given:
        notes += _notes_on_given(search, codes, len(names))
    certificate = Certificate(
        verdict_of(crossing.n, graph.exact),
        search.measure,
        search.threshold,
        graph.exact,
        graph.recall,
        tuple(_across(names, crossing, bounds, floor, graph.exact)),
        crossing.n,
        crossing_of(crossing, names, codes),
        held_out_of(crossing, names, codes, folds=folds),
        random,
        nearest,
        tuple(notes),
    )
    return certificate, graph


def verdict_of(n_crossing: int, exhaustive: bool) -> Verdict:
    """Return the verdict on so many crossing pairs."""
    return "leaking" if n_crossing else ("separated" if exhaustive else "separated_with_recall")


def notes_on_listing(graph: SimilarityGraph) -> list[str]:
    """Say so where not all crossing pairs are listed and counted."""
    return [] if graph.complete else ["too many similar pairs cross to list or count them all"]


def held_out_of(
    crossing: CrossingPairs, names: Sequence[str], codes: NDArray[np.int64], *, folds: bool
) -> tuple[HeldOut, ...]:
    """Return the held-out rows that have a similar training row."""
    first = 0 if folds else 1
    with_similar = crossing.with_other if folds else crossing.with_training
    return tuple(
        HeldOut(name, rows, int(found), float(found / max(1, rows)))
        for k, name in enumerate(names[first:], first)
        for rows, found in [(int((codes == k).sum()), with_similar[k])]
    )


def crossing_of(
    crossing: CrossingPairs, names: Sequence[str], codes: NDArray[np.int64]
) -> tuple[Crossing, ...]:
    """Return the worst crossing pairs with the names of their partitions."""
    return tuple(
        Crossing(int(a), int(b), names[codes[a]], names[codes[b]], float(s)) for a, b, s in crossing.worst
    )


def _notes_on_given(search: Search | CrossedSearch, codes: NDArray[np.int64], n_partitions: int) -> list[str]:
    """Say what a certificate rests on when the similarities are the caller's own."""
    notes = [
        f"the similarities were given by the caller ({search.measure}); they were read again, and nothing"
        " here can tell whether they are right"
    ]
    if search.records.kind == "views":
        return notes
    equal = crossing_pairs(get_backend("exact").graph(search.records), codes, n_partitions, 1.0)
    if equal.n:
        a, b, _ = equal.worst[0]
        notes.append(
            f"{equal.n:,} pairs of rows with equal content are in different partitions (rows {a} and {b}, say): are the"
            " given similarities in the order of the data?"
        )
    return notes


def _fresh_search(
    search: Search | CrossedSearch,
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


def _lower_bounds(
    near: Any, queries: NDArray[np.int64], codes: NDArray[np.int64], p: int
) -> NDArray[np.float64]:
    """Return the largest similarity that the looked-up rows show between each pair of partitions."""
    bounds = np.full((p, p), np.nan)
    if near is not None:
        for i in range(p):
            mine = near.nearest[codes[queries] == i]
            for j in range(mine.shape[1]):  # sides behind the last one that has rows are not looked up
                seen = mine[:, j][np.isfinite(mine[:, j])]
                if i != j and len(seen):
                    bounds[i, j] = seen.max()
    return np.asarray(np.fmax(bounds, bounds.T))


def _across(
    names: Sequence[str],
    crossing: CrossingPairs,
    bounds: NDArray[np.float64],
    floor: float,
    exhaustive: bool,
) -> list[Across]:
    listed = []
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            if not crossing.rows[i] or not crossing.rows[j]:
                listed.append(Across(names[i], names[j], 0, None, False))
                continue
            top = float(np.fmax(crossing.largest[i, j], bounds[i, j]))
            if exhaustive and not top >= floor:  # NaN, too: nothing was found
                top, bound = floor, True
            else:  # what an approximate search did not find may be there: only what was seen is told
                bound = False
            largest = top if np.isfinite(top) else None
            listed.append(Across(names[i], names[j], int(crossing.pairs[i, j]), largest, bound))
    return listed


def _in_other_folds(nearest: NDArray[np.float64], own: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the largest similarity of each row to a row outside its own fold; NaN: there is none."""
    outside = nearest.copy()
    outside[np.arange(len(own)), own] = np.nan
    return np.asarray(np.fmax.reduce(outside, axis=1))


def _histogram(
    nearest: NDArray[np.float64],
    rows: NDArray[np.int64],
    names: Sequence[str],
    codes: NDArray[np.int64],
    threshold: float,
    first_held: int,
) -> Nearest | None:
    edges = np.union1d(_EDGES, [threshold])  # so that no bin holds rows of both sides of it
    counts, looked_up = {}, {}
    for k, name in enumerate(names[first_held:], first_held):
        values = nearest[(codes[rows] == k) & np.isfinite(nearest)]
        counts[name] = tuple(int(c) for c in np.histogram(np.maximum(values, 0), bins=edges)[0])
        looked_up[name] = len(values)
    return Nearest(tuple(edges.tolist()), counts, looked_up, len(rows) < int((codes >= first_held).sum()))


def _yardstick(degree: NDArray[np.int64], codes: NDArray[np.int64], training: int) -> Yardstick | None:
    """Return the expected share of held-out rows with a similar training row, over all random splits.

    A held-out row with d similar rows has none of them among the m training rows with the hypergeometric
    probability C(n - 1 - d, m) / C(n - 1, m).
    """
    from scipy.special import gammaln

    n, m = int((codes >= 0).sum()), training
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
    half = 1.96 * float(hit.std(ddof=1) / np.sqrt(len(hit)))
    return Yardstick(share, max(0.0, share - half), min(1.0, share + half))
