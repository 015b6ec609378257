"""Whole clusters to folds of equal size, or the error that says why that cannot be."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation import Allocation, explain_infeasible
from splitleak.clustering import Clustering
from splitleak.errors import InfeasibleSplitError, InputError, SplitleakWarning, unknown_option
from splitleak.feasibility import Task, feasible_threshold
from splitleak.partition_names import fold_names
from splitleak.sizes import Sizes
from splitleak.strata import Strata
from splitleak.strata.balance import unreachable

Ints = NDArray[np.int64]
OnInfeasible = Literal["error", "nearest"]


def equal_sizes(n_rows: int, n_folds: int) -> Sizes:
    """Return the rows of equal folds, the first ones a row larger where there is a remainder.

    Raises
    ------
    InputError
        Fewer rows than folds.

    Examples
    --------
    >>> equal_sizes(11, 3)
    fold 0=4, fold 1=4, fold 2=3
    """
    if n_rows < n_folds:
        raise InputError(
            f"folds={n_folds} asks for more folds than there are rows ({n_rows:,}); ask for fewer folds"
        )
    targets = n_rows // n_folds + (np.arange(n_folds) < n_rows % n_folds).astype(np.int64)
    return Sizes(fold_names(n_folds), targets, n_folds)


def assign_folds(
    task: Task,
    clustering: Clustering,
    *,
    seeds: Sequence[int],
    on_infeasible: OnInfeasible,
    inner: bool = False,
    stacklevel: int = 1,
) -> Ints:
    """Return the fold of each row, once for each seed.

    Parameters
    ----------
    task : Task
        The rows, with `equal_sizes` as request.
    clustering : Clustering
        ``task.cluster()``.
    seeds : sequence of int
        Another seed gives other folds of the same quality.
    on_infeasible : {"error", "nearest"}
        When clusters are too large for equal folds: raise, or take the nearest sizes and warn.
    inner : bool
        The clusters are all that is known: no way out by groups or threshold.
    stacklevel : int
        Of the warning, 1 being the caller of this function.

    Returns
    -------
    int64 array of shape (n_seeds, n_rows)
        No fold is empty.

    Raises
    ------
    InfeasibleSplitError
        Fewer clusters than folds (whatever `on_infeasible` says: a fold would be empty), or folds that are not
        within tolerance of an equal share.
    """
    n_folds = len(task.request.names)
    if clustering.n_clusters < n_folds:
        raise _too_few_clusters(task, clustering, inner)
    plan = replace(task, request=replace(task.request, targets=_nearest_to_equal(clustering.sizes, n_folds)))
    codes, error = [], None
    for seed in seeds:
        allocation = replace(plan, seed=seed).allocate(clustering)
        if error is None and not task.is_met(allocation):
            error = _uneven(task, clustering, allocation, inner)
            if on_infeasible == "error":
                raise error
        codes.append(allocation.codes[clustering.labels])
    if error is not None:
        warnings.warn(f"{error} Taking the nearest sizes.", SplitleakWarning, stacklevel=stacklevel + 1)
    return np.stack(codes)


def _nearest_to_equal(cluster_sizes: Ints, n_folds: int) -> Ints:
    """Return equal sizes of folds, but for folds that a cluster larger than that has for itself.

    Beside such a cluster many sizes have the same summed deviation from an equal share; these are the most even.
    """
    targets: list[int] = []
    rest = int(cluster_sizes.sum())
    for size in np.sort(cluster_sizes)[::-1][: n_folds - 1].tolist():
        if size * (n_folds - len(targets)) <= rest:
            break
        targets.append(size)
        rest -= size
    return np.append(np.array(targets, dtype=np.int64), equal_sizes(rest, n_folds - len(targets)).targets)


def check_fold_options(folds: object, repeats: object, tolerance: object, on_infeasible: object) -> None:
    """Raise where an option of folds cannot be used."""
    check_count("folds", folds, 2)
    check_count("repeats", repeats, 1)
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not 0 <= tolerance < 1:
        raise InputError(f"tolerance must be a share of the rows in [0, 1), got {tolerance!r}")
    if on_infeasible not in get_args(OnInfeasible):
        raise unknown_option("on_infeasible", str(on_infeasible), get_args(OnInfeasible))


def check_count(argument: str, value: object, least: int) -> int:
    """Return `value` as an int of at least `least`, or raise."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"{argument} must be a whole number of at least {least}, got {value!r}")
    return int(value)


def seed_of(seed: int, repeat: int) -> int:
    """Return the seed of a repeat: the first has `seed` itself, the others numbers derived from it.

    Examples
    --------
    >>> seed_of(7, 0), seed_of(7, 1) != seed_of(7, 2)
    (7, True)
    """
    if repeat == 0:
        return seed
    return int(np.random.SeedSequence(seed, spawn_key=(repeat,)).generate_state(1, np.uint64)[0])


def warn_of_lonely_classes(strata: Strata, labels: Ints, *, stacklevel: int = 1) -> None:
    """Warn of classes all of whose rows are in one cluster, so that one fold trains without them."""
    lonely = [entry["label"] for entry in unreachable(strata.columns, labels, None, 2)]
    if not lonely:
        return
    shown = ", ".join(map(repr, lonely[:5])) + (f" and {len(lonely) - 5:,} more" if len(lonely) > 5 else "")
    classes = "1 class" if len(lonely) == 1 else f"{len(lonely):,} classes"
    warnings.warn(
        f"stratify has {classes} with all rows in one cluster ({shown}): one fold holds all of them, and its training"
        " rows none; drop such rows, or merge the class with another",
        SplitleakWarning,
        stacklevel=stacklevel + 1,
    )


def _too_few_clusters(task: Task, clustering: Clustering, inner: bool) -> InfeasibleSplitError:
    n_folds, k, n = len(task.request.names), clustering.n_clusters, task.graph.n_rows
    largest = int(clustering.sizes.max())
    told = f"all {n:,} rows form one cluster"
    ways = _ways_out(task, inner)
    if k > 1:
        told = f"the {n:,} rows form {k:,} clusters (the largest has {largest:,} rows)"
        ways.append(f"folds={k} or fewer")
    return InfeasibleSplitError(
        f"folds={n_folds} needs at least {n_folds} clusters of similar rows, since no fold may be empty, and {told}."
        f" {_listed(ways)}",
        largest_cluster=largest,
        ways_out=ways,
    )


def _uneven(task: Task, clustering: Clustering, allocation: Allocation, inner: bool) -> InfeasibleSplitError:
    request, n = task.request, task.graph.n_rows
    ways = _ways_out(task, inner)
    for fewer in range(len(request.names) - 1, 1, -1):
        other = replace(task, request=equal_sizes(n, fewer), strata=None)
        if other.is_met(other.allocate(clustering)):
            ways.append(f"folds={fewer} can be equal")
            break
    ways.append("on_infeasible='nearest' takes the nearest sizes; or allow more with tolerance=")
    story = explain_infeasible(
        clustering.sizes, request.targets, request.names, allocation.achieved, task.tolerance
    )
    return InfeasibleSplitError(
        f"{story} {_listed(ways)}",
        nearest=dict(zip(request.names, allocation.achieved.tolist(), strict=True)),
        largest_cluster=int(clustering.sizes.max()),
        ways_out=ways,
    )


def _ways_out(task: Task, inner: bool) -> list[str]:
    """Return what would leave clusters that can fill equal folds."""
    ways: list[str] = []
    if inner:
        return ways
    if task.groups and task.is_met(replace(task, groups=()).attempt()):
        ways.append("leave groups= out (rows of one group would then be apart)")
    higher = feasible_threshold(task, two_decimals=True)
    if higher is not None:
        ways.append(f"{task.graph.scale.typed(higher)} (pairs less similar than that may then cross)")
    return ways


def _listed(ways: list[str]) -> str:
    if not ways:
        return "A higher threshold= may leave more clusters."
    return "Ways out: " + "; ".join(f"({i}) {way}" for i, way in enumerate(ways, 1)) + "."
