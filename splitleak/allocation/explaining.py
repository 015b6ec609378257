"""Why whole clusters cannot meet the sizes, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def explain_infeasible(
    cluster_sizes: Ints,
    targets: Ints,
    names: Sequence[str],
    achieved: Ints,
    tolerance: float,
    *,
    weighted: bool = False,
) -> str:
    """Say why whole clusters cannot meet the sizes, and which sizes are nearest.

    Parameters
    ----------
    cluster_sizes : int64 array of shape (n_clusters,)
    targets, achieved : int64 array of shape (n_partitions,)
        Rows asked for, and rows of the nearest allocation.
    names : sequence of str
        Partitions.
    tolerance : float
        Allowed deviation as a share of all rows.
    weighted : bool
        All numbers are units of weight, and only their shares are told.

    Returns
    -------
    str
        Two sentences: the obstacle, the nearest sizes.

    Examples
    --------
    >>> print(explain_infeasible(  # doctest: +NORMALIZE_WHITESPACE
    ...     np.array([97, 2, 1]), np.array([80, 20]), ("train", "test"), np.array([97, 3]), 0.02
    ... ))
    The sizes cannot be met within 2 % of the rows: the largest cluster holds 97 of 100 rows (97.0 %), and the
    largest partition asked for, train, has 80 (80.0 %). Nearest: train 97 rows (97.0 %, asked 80.0 %), test 3 rows
    (3.0 %, asked 20.0 %).
    """
    n_rows = int(targets.sum())
    nearest = ", ".join(
        f"{name} {_percent(got, n_rows)} of the weight (asked {_percent(target, n_rows)})"
        if weighted
        else f"{name} {got:,} rows ({_percent(got, n_rows)}, asked {_percent(target, n_rows)})"
        for name, got, target in zip(names, achieved.tolist(), targets.tolist(), strict=True)
    )
    obstacle = _obstacle(cluster_sizes, targets, names, tolerance, weighted)
    what = "weight" if weighted else "rows"
    return (
        f"The sizes cannot be met within {100 * tolerance:g} % of the {what}: {obstacle}. Nearest: {nearest}."
    )


def _obstacle(
    cluster_sizes: Ints, targets: Ints, names: Sequence[str], tolerance: float, weighted: bool
) -> str:
    n_rows, k, p = int(targets.sum()), len(cluster_sizes), len(targets)
    largest, widest = int(cluster_sizes.max()), int(np.argmax(targets))
    if k == 1:
        rows = "all rows" if weighted else f"all {n_rows:,} rows"
        return f"{rows} form one cluster, and one cluster cannot fill {p} partitions"
    if k < p:
        return f"{k} clusters cannot fill {p} partitions"
    asked = f"{targets[widest]:,} ({_percent(targets[widest], n_rows)})"
    if weighted and largest > targets[widest]:
        return (
            f"the largest cluster has {_percent(largest, n_rows)} of the weight, and the largest partition asked for,"
            f" {names[widest]}, {_percent(targets[widest], n_rows)}"
        )
    if largest > targets[widest]:
        return (
            f"the largest cluster holds {largest:,} of {n_rows:,} rows ({_percent(largest, n_rows)}), and the"
            f" largest partition asked for, {names[widest]}, has {asked}"
        )
    n_large = max(1, int((cluster_sizes > tolerance * n_rows).sum()))
    shown = np.sort(cluster_sizes)[::-1][: min(n_large, 5)].tolist()
    what = "weight" if weighted else "rows"
    return (
        f"the {k:,} clusters are too coarse: the largest hold {', '.join(_percent(size, n_rows) for size in shown)}"
        f"{', ...' if n_large > 5 else ''} of the {what}, and no sum of clusters is near enough"
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
