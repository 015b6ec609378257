"""threshold_curve(): what each threshold would cost, so that a person can choose one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splitleak._scale import SHARES
from splitleak.allocation import allocate, within
from splitleak.chance import chance_of
from splitleak.clustering import cluster
from splitleak.components import connected_components
from splitleak.errors import InfeasibleSplitError, InputError
from splitleak.graph import SimilarityGraph
from splitleak.sizes import Sizes, SizesLike, parse_sizes
from splitleak.thresholds.curve import ThresholdCurve

if TYPE_CHECKING:
    from splitleak.search import Missing

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MOST_STEPS = 60


def threshold_curve(
    data: Any,
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = "auto",
    threshold: float | None = None,
    sizes: SizesLike = None,
    groups: Any = None,
    missing: Missing = "equal",
    thresholds: ArrayLike | None = None,
    drop: bool = False,
    row_hashes: NDArray[np.uint64] | None = None,
    tolerance: float = 0.02,
    seed: int = 0,
    progress: bool | None = None,
) -> ThresholdCurve:
    """Show what each threshold would cost, from one search at the lowest of them.

    Parameters
    ----------
    data : SimilarityGraph; or table, list of str, 2-D array, sparse matrix or path
        All pairs at or above the lowest threshold of interest, or the rows to search for them.
    on, similarity, missing
        As for `split_by_similarity`; not for a graph.
    threshold : float, optional
        The lowest threshold, in (0, 1]; default: the lowest of `thresholds`, else the graph's or the backend's own.
    sizes : mapping, sequence, "auto" or None
        As for `split_by_similarity`.
    groups : optional
        As for `split_by_similarity`; of a graph, a sequence of int64 arrays of shape (n_rows,), one array per
        grouping: the group of each row, negative: in no group.
    thresholds : array-like of float, optional
        Thresholds in (0, 1], of a graph none below its own; left out, the lowest and the steps of 0.01 above it at
        which a pair is lost, at most 60 of them.
    drop : bool
        Search at each threshold that needs it for the rows to drop, from the lowest threshold up, each search
        starting from the answer before: an answer holds at every higher threshold.
    row_hashes : uint64 array of shape (n_rows,), optional
        With a graph: a hash of each row's content, so that the order of the rows does not matter to what is dropped.
    tolerance : float
        Allowed deviation of each partition as a share of the rows, in [0, 1).
    seed : int
        For approximate backends, and the search of rows to drop.
    progress : bool, optional
        Bars on stderr; default: on a terminal.

    Returns
    -------
    ThresholdCurve

    Raises
    ------
    InputError
        Thresholds below the graph's own, or a graph that does not list its pairs.

    Examples
    --------
    >>> graph = SimilarityGraph.from_edges([0, 1, 2], [1, 2, 3], [0.7, 0.9, 0.8], n_rows=4, threshold=0.7)
    >>> curve = threshold_curve(graph, sizes=[0.5, 0.5], drop=True)
    >>> curve.frame()[["threshold", "pairs", "largest", "feasible", "dropped"]].values.tolist()
    [[0.7, 3, 4, False, 1], [0.71, 2, 3, False, 1], [0.81, 1, 2, True, 0], [0.91, 0, 1, True, 0]]
    """
    if isinstance(data, SimilarityGraph):
        if on is not None or similarity != "auto":
            raise InputError(
                "on= and similarity= say what to search data for, and data is a SimilarityGraph, which has been"
                " searched for; leave them out"
            )
        graph = data if threshold is None else data.at(threshold)
        groups = () if groups is None else groups
    else:
        graph, groups, row_hashes = _searched(
            data, on, similarity, _lowest(similarity, threshold, thresholds), groups, missing, seed, progress
        )
    graph._require_complete("threshold_curve()")
    scale, steps = graph.scale, _steps(graph, thresholds)
    request = parse_sizes(sizes, graph.n_rows)
    labels = _clusters(graph, groups, steps)
    chance = chance_of(graph)
    counts = [np.bincount(found).astype(np.int64) for found in labels]
    achieved = np.array([_nearest(rows, request, seed) for rows in counts])
    feasible = np.array([within(rows, request.targets, tolerance, graph.n_rows) for rows in achieved])
    at = [graph.raised(float(step)) for step in steps]
    largest = np.array([rows.max() for rows in counts])
    dropped = None
    if drop:
        dropped = _dropped(at, request, groups, feasible, row_hashes, tolerance, seed)
    return ThresholdCurve(
        names=request.names,
        thresholds=np.array([scale.number(float(step)) for step in steps]),
        unit="threshold" if scale is SHARES else scale.name,
        pairs=np.array([each.n_pairs for each in at]),
        components=np.array([len(rows) for rows in counts]),
        largest=largest,
        held_out=graph.n_rows - largest,
        achieved=achieved,
        feasible=feasible,
        dropped=dropped,
        random_leak=np.array([_random_leak(each.degrees(), int(request.targets[0])) for each in at]),
        n_rows=graph.n_rows,
        chance=None if chance is None else np.array([chance.share(float(step)) for step in steps]),
    )


def _lowest(similarity: Any, threshold: float | None, thresholds: ArrayLike | None) -> float | None:
    if threshold is not None or thresholds is None:
        return threshold
    from splitleak.search import scale_asked

    scale = scale_asked(similarity)
    asked = np.atleast_1d(np.asarray(thresholds, dtype=object)).tolist()
    return min(asked, key=scale.read, default=None)


def _searched(
    data: Any,
    on: str | Sequence[str] | None,
    similarity: Any,
    threshold: float | None,
    groups: Any,
    missing: Missing,
    seed: int,
    progress: bool | None,
) -> tuple[SimilarityGraph, list[Ints], NDArray[np.uint64]]:
    """Return the graph of the rows, the group of each row, and the hashes of their content."""
    from splitleak._progress import Progress
    from splitleak._tables import named_columns, resolve_factors
    from splitleak.search import prepare_search

    search = prepare_search(
        data,
        on=on,
        similarity=similarity,
        threshold=threshold,
        exclude=named_columns(groups),
        missing=missing,
    )
    factors = resolve_factors(search.source, groups, argument="groups")
    graph = search.graph(seed=seed, progress=Progress(progress))
    return graph, [factor.codes for factor in factors], search.records.row_hashes


def _steps(graph: SimilarityGraph, thresholds: ArrayLike | None) -> Floats:
    if thresholds is None:
        lost = graph.scale.steps(graph.similarity)
        steps = np.concatenate([[graph.threshold], lost[(lost > graph.threshold) & (lost <= 1)]])
        if len(steps) > _MOST_STEPS:
            steps = steps[np.linspace(0, len(steps) - 1, _MOST_STEPS).astype(np.int64)]
        return steps
    scale = graph.scale
    asked = np.unique([scale.read(step) for step in np.atleast_1d(np.asarray(thresholds, dtype=object))])
    if not len(asked):
        raise InputError("thresholds must name at least one threshold, got none")
    if asked[0] < graph.threshold:
        raise InputError(
            f"thresholds must not be below the graph's own {scale.shown(graph.threshold)}, whose pairs are all it"
            f" knows; got {scale.number(asked[0]):g} (make a new graph at the lower threshold)"
        )
    return asked.astype(np.float64)


def _clusters(graph: SimilarityGraph, groups: Sequence[Ints], steps: Floats) -> list[Ints]:
    """Return the cluster of each row at each threshold: from the highest down, clusters only join."""
    none = np.empty(0, dtype=np.int64)
    bare = SimilarityGraph(none, none, np.empty(0), graph.n_rows, 1.0, copies=graph.copies)
    labels = cluster(bare, groups).labels
    found = []
    above = np.inf
    for step in steps[::-1]:
        new = (graph.similarity >= step) & (graph.similarity < above)
        joined = connected_components(
            labels[graph.left[new]], labels[graph.right[new]], int(labels.max()) + 1
        )
        labels = joined[labels]
        found.append(labels)
        above = step
    return found[::-1]


def _nearest(rows: Ints, request: Sizes, seed: int) -> Ints:
    return allocate(rows, request.targets, keys=np.zeros(len(rows), dtype=np.uint64), seed=seed).achieved


def _dropped(
    graphs: Sequence[SimilarityGraph],
    request: Sizes,
    groups: Sequence[Ints],
    feasible: NDArray[np.bool_],
    row_hashes: NDArray[np.uint64] | None,
    tolerance: float,
    seed: int,
) -> Ints:
    from splitleak.separation import separate_rows

    dropped = np.zeros(len(graphs), dtype=np.int64)
    start = None
    for number in np.flatnonzero(~feasible).tolist():
        try:
            found = separate_rows(
                graphs[number],
                request.targets,
                groups=groups,
                row_hashes=row_hashes,
                tolerance=tolerance,
                seed=seed,
                start=start,
            )
        except InfeasibleSplitError:
            dropped[number] = -1
            continue
        dropped[number] = found.dropped
        start = found.codes
    return dropped


def _random_leak(degree: Ints, n_training: int) -> float:
    """Return the expected share of held-out rows with a similar training row, over all random splits.

    Of a row's d similar rows none is among the m training rows with the hypergeometric probability
    C(n - 1 - d, m) / C(n - 1, m).
    """
    from scipy.special import gammaln

    n, m = len(degree), n_training
    kinds, rows = np.unique(degree, return_counts=True)
    possible = n - 1 - kinds >= m
    d = kinds[possible]
    none = np.exp(np.minimum(gammaln(n - d) - gammaln(n - d - m) - gammaln(n) + gammaln(n - m), 0))
    return float(1 - (none * rows[possible]).sum() / n)
