"""split_by_similarity(): the story of a split."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from splitleak._progress import Progress
from splitleak._tables import Factor, resolve_factor, resolve_factors
from splitleak.allocation import Allocation, allocate, explain_infeasible, within
from splitleak.certification import certify_search
from splitleak.clustering import Clustering, cluster
from splitleak.errors import InfeasibleSplitError, InputError, SplitleakWarning, unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.partition import Split
from splitleak.provenance import Provenance
from splitleak.sampling import mix
from splitleak.search import Missing, Search
from splitleak.sizes import Sizes, SizesLike, parse_sizes

OnInfeasible = Literal["error", "nearest"]


def split_by_similarity(
    data: Any,
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = "auto",
    threshold: float | None = None,
    sizes: SizesLike = None,
    stratify: Any = None,
    groups: Any = None,
    missing: Missing = "equal",
    on_infeasible: OnInfeasible = "error",
    tolerance: float = 0.02,
    certify: bool = True,
    seed: int = 0,
    progress: bool | None = None,
) -> Split:
    """Split rows so that no two similar rows land in different partitions.

    Rows with similarity at or above the threshold are joined; so are rows of one group. Whole connected
    components go to partitions, at the sizes asked for, and a fresh search certifies the result.

    Parameters
    ----------
    data : table, list of str, 2-D array, sparse matrix, or path
        pandas, polars, pyarrow, Hugging Face and anything with the Arrow PyCapsule interface; the path of a
        Parquet, CSV, TSV or JSON lines file.
    on : str or list of str, optional
        The compared column(s) of a table. Left out, the only column that can be meant is taken.
    similarity : str, backend, SimilarityGraph, matrix, path or function
        ``"auto"`` picks by kind of data and size (recorded in the provenance); ``"jaccard"``, ``"minhash"``,
        ``"exact"``, ``"cosine"``, ``"euclidean"``, ``"cosine-faiss"``, ``"euclidean-faiss"``, each with options
        as in ``"jaccard(unit=word, n=3)"``; a graph, a square matrix, an edge list's path, or a function of two
        rows.
    threshold : float, optional
        Similarity in (0, 1] from which on two rows count as similar (inclusive); the backend's default when
        left out.
    sizes : mapping, sequence, "auto" or None
        Fractions or counts by partition name, the training partition first; "auto": 10,000 rows and more give
        1,000 to dev and test each, fewer 80/10/10; None: 80/10/10 over train, dev and test.
    stratify : str or array-like of shape (n_rows,), optional
        A class column, balanced over the partitions as far as the clusters allow.
    groups : str, array-like of shape (n_rows,), or list of str, optional
        Column(s) whose equal values must stay together; a missing value is in no group.
    missing : {"equal", "distinct", "error"}
        What a missing or empty compared value is: equal to every other such value, similar to nothing, or an
        error.
    on_infeasible : {"error", "nearest"}
        When whole clusters cannot meet the sizes within `tolerance`: raise, or take the nearest and warn.
    tolerance : float
        Allowed deviation of each partition as a share of all rows, in [0, 1).
    certify : bool
        Search the finished split again and attach the certificate.
    seed : int
        Same data, options and seed give the same split, whatever the order of the rows.
    progress : bool, optional
        Bars on stderr; default: on a terminal.

    Returns
    -------
    Split

    Raises
    ------
    InputError
        An argument, a column or a file that cannot be used.
    InfeasibleSplitError
        Sizes that whole clusters cannot meet; the message names the obstacle, the nearest sizes and ways out.

    Examples
    --------
    >>> import splitleak
    >>> texts = [f"{word} number {i}" for i in range(30) for word in ("alpha", "beta")] + ["alpha number 1"]
    >>> split = splitleak.split_by_similarity(texts, threshold=0.99, sizes={"train": 0.8, "test": 0.2})
    >>> split.sizes, split.certificate.verdict
    ({'train': 49, 'test': 12}, 'separated')
    """
    _check_options(on_infeasible, tolerance, seed)
    named = _named_columns(stratify, groups)
    search = Search.prepare(
        data, on=on, similarity=similarity, threshold=threshold, exclude=named, missing=missing
    )
    source = search.source
    request = parse_sizes(sizes, source.n_rows)
    strata = None if stratify is None else resolve_factor(source, stratify, argument="stratify")
    factors = resolve_factors(source, groups, argument="groups")
    bars = Progress(progress)

    graph = search.graph(seed=seed, progress=bars)
    clustering = cluster(graph, [factor.codes for factor in factors])
    allocation = _allocate(search, clustering, request, strata, seed)
    if not within(allocation.achieved, request.targets, tolerance, source.n_rows):
        error = _infeasible(search, graph, clustering, factors, request, allocation, tolerance, seed)
        if on_infeasible == "error":
            raise error
        warnings.warn(f"{error} Taking the nearest feasible sizes.", SplitleakWarning, stacklevel=2)
    codes = allocation.codes[clustering.labels]
    options = {
        "on": list(search.records.columns) or None,
        "similarity": search.backend.describe(),
        "similarity_reason": f"similarity {search.backend.describe()}: {search.reason}",
        "threshold": search.threshold,
        "threshold_is_default": threshold is None,
        "sizes": dict(zip(request.names, request.targets.tolist(), strict=True)),
        "stratify": None if strata is None else strata.name,
        "groups": [factor.name for factor in factors] or None,
        "missing": missing,
        "on_infeasible": on_infeasible,
        "tolerance": tolerance,
        "seed": int(seed),
    }
    return Split(
        names=request.names,
        codes=codes,
        clusters=clustering.labels,
        asked=request.targets,
        row_hashes=search.records.row_hashes,
        class_names=None if strata is None else tuple(str(level) for level in strata.levels),
        class_codes=None if strata is None else strata.codes,
        provenance=Provenance.of(options, search.records, source.describe()),
        certificate=certify_search(search, request.names, codes, seed=seed, progress=bars)
        if certify
        else None,
    )


def _check_options(on_infeasible: str, tolerance: float, seed: int) -> None:
    if on_infeasible not in get_args(OnInfeasible):
        raise unknown_option("on_infeasible", on_infeasible, get_args(OnInfeasible))
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not 0 <= tolerance < 1:
        raise InputError(f"tolerance must be a share of the rows in [0, 1), got {tolerance!r}")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed must be a whole number of at least 0, got {seed!r}")


def _named_columns(*arguments: Any) -> set[str]:
    """Return the column names among arguments that are a name or a list of names."""
    found: set[str] = set()
    for argument in arguments:
        names = [argument] if isinstance(argument, str) else argument
        if isinstance(names, (list, tuple)):
            found.update(name for name in names if isinstance(name, str))
    return found


def _allocate(
    search: Search, clustering: Clustering, request: Sizes, strata: Factor | None, seed: int
) -> Allocation:
    k, labels = clustering.n_clusters, clustering.labels
    classes = None
    if strata is not None:
        n_levels = len(strata.levels) + 1  # one more for rows whose class is missing
        flat = np.bincount(labels * n_levels + strata.codes % n_levels, minlength=k * n_levels)
        classes = flat.reshape(k, n_levels).astype(np.int64)
        classes = classes[:, classes.any(axis=0)]
    keys = np.zeros(k, dtype=np.uint64)
    np.add.at(keys, labels, mix(search.records.row_hashes))  # a sum: the order of the rows does not matter
    return allocate(clustering.sizes, request.targets, classes=classes, keys=keys, seed=seed)


def _infeasible(
    search: Search,
    graph: SimilarityGraph,
    clustering: Clustering,
    factors: Sequence[Factor],
    request: Sizes,
    allocation: Allocation,
    tolerance: float,
    seed: int,
) -> InfeasibleSplitError:
    """Return the error that names the obstacle, the nearest sizes, and the ways out with their price."""
    n = graph.n_rows
    group_codes = [factor.codes for factor in factors]

    def attempt(graph: SimilarityGraph, groups: Sequence[Any]) -> Allocation:
        return _allocate(
            search, cluster(graph, groups), request, None, seed
        )  # sizes do not depend on classes

    def feasible(allocation: Allocation) -> bool:
        return bool(within(allocation.achieved, request.targets, tolerance, n))

    ways = []
    if factors and feasible(attempt(graph, [])):
        ways.append("without groups= the sizes can be met (rows of one group would then be apart)")
    higher = _higher_threshold(graph, lambda g: feasible(attempt(g, group_codes)))
    if higher is not None:
        ways.append(
            f"threshold={higher:g} meets them: {_shares(request, attempt(graph.at(higher), group_codes), n)}"
            " (pairs less similar than that may then cross)"
        )
    ways.append(
        f"on_infeasible='nearest' takes the nearest sizes: {_shares(request, allocation, n)}; or ask for sizes= like"
        " those, or allow more with tolerance="
    )
    story = explain_infeasible(
        clustering.sizes, request.targets, request.names, allocation.achieved, tolerance
    )
    message = story + " Ways out: " + "; ".join(f"({i}) {way}" for i, way in enumerate(ways, 1)) + "."
    return InfeasibleSplitError(
        message,
        nearest=dict(zip(request.names, allocation.achieved.tolist(), strict=True)),
        largest_cluster=int(clustering.sizes.max()),
        ways_out=ways,
    )


def _higher_threshold(graph: SimilarityGraph, feasible: Any) -> float | None:
    """Return the smallest threshold (by bisection over the similarities) at which `feasible` holds."""
    if not graph.complete or not len(graph.similarity):
        return None
    # two decimals are what a person would type; rounding up keeps every pair below the step apart
    steps = np.unique(np.ceil(np.unique(graph.similarity) * 100 + 1e-9) / 100)
    steps = steps[(steps > graph.threshold) & (steps <= 1)]
    low, high = 0, len(steps)
    while low < high:
        middle = (low + high) // 2
        if feasible(graph.at(float(steps[middle]))):
            high = middle
        else:
            low = middle + 1
    if low == len(steps):
        return None
    return float(steps[low])


def _shares(request: Sizes, allocation: Allocation, n: int) -> str:
    return ", ".join(
        f"{name} {100 * rows / n:.1f} %"
        for name, rows in zip(request.names, allocation.achieved, strict=True)
    )
