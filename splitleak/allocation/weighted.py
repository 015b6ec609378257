"""Weighted clusters to partitions: shares of the weight, and labels balanced by weight."""

from __future__ import annotations

from random import Random

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation.annealing import Annealing
from splitleak.allocation.labels import LabelTable
from splitleak.allocation.trading import evened
from splitleak.allocation.whole_clusters import Allocation, allowed_rows
from splitleak.errors import InputError

Ints = NDArray[np.int64]

# what weight in the wrong partition counts beside weight of a wrong label, for each column of labels
WEIGHT_PRICES = (1.0, 4.0, 100.0)


def allocate_weighted(
    weights: Ints,
    targets: Ints,
    *,
    labels: LabelTable | None,
    keys: NDArray[np.uint64],
    seed: int,
    n_columns: int = 1,
    slack: int = 0,
    fixed: Ints | None = None,
    tolerance: float = 0.0,
    n_judged: int | None = None,
) -> Allocation:
    """Hand whole clusters to partitions by weight: simulated annealing of moves and exchanges.

    Weights are seldom alike, so the shares are met as nearly as the search finds rather than to the unit: where it
    stays within `slack`, labels decide; where labels would take it further, weight counts more. Where a class is then
    still more than a point off, weight gives way within `tolerance`, as sizes do in `allocate`.

    Parameters
    ----------
    weights : int64 array of shape (n_clusters,)
        Weight of each cluster in whole units, at least 1; the sum should be below 2**27.
    targets : int64 array of shape (n_partitions,)
        Units asked for; they sum to those of all clusters.
    labels : LabelTable, optional
        Units of each label in each cluster.
    keys : uint64 array of shape (n_clusters,)
        A hash of each cluster's content: nothing depends on the order of the clusters.
    seed : int
        Another seed gives another allocation of the same quality.
    n_columns : int
        Columns that the labels come from.
    slack : int
        Units that a partition may be off for the sake of its labels.
    fixed : int64 array of shape (n_clusters,), optional
        Partition of clusters that must stay where they are; -1: free.
    tolerance : float
        Share of the weight by which a partition may be off for the sake of its classes.
    n_judged : int, optional
        The first so many labels are classes that may take weight from its place; None: all.

    Raises
    ------
    InputError
        No cluster, weights below 1, targets that do not sum to the weights.

    Examples
    --------
    >>> weights, keys = np.array([50, 30, 11, 9]), np.arange(4, dtype=np.uint64)
    >>> allocate_weighted(weights, np.array([80, 20]), labels=None, keys=keys, seed=0).achieved.tolist()
    [80, 20]
    """
    if not len(weights) or weights.min() < 1 or int(targets.sum()) != int(weights.sum()):
        raise InputError(
            "weights must be at least 1 unit each and sum to the targets, for one cluster or more"
        )
    search = Annealing(weights, targets, labels, keys, Random(int(seed)), fixed)
    plain = search.best((1.0, 0.0), search.start())
    if labels is None or not len(labels.labels):
        return _answer(search, plain)
    codes = _balanced(search, plain, n_columns, slack)
    judged = labels.n_labels if n_judged is None else n_judged
    allowed = allowed_rows(tolerance, search.unit)
    return _answer(search, evened(search, codes, allowed=allowed, n_labels=judged))


def _balanced(search: Annealing, plain: Ints, n_columns: int, slack: int) -> Ints:
    """Return a state whose labels are balanced while no partition is farther off than `slack`, or than it was."""
    allowed = max(slack, int(np.abs(search.achieved(plain) - search.targets).max()))
    for price in WEIGHT_PRICES:
        codes = search.best((price * n_columns, 1.0), plain)
        if np.abs(search.achieved(codes) - search.targets).max() <= allowed:
            return codes
    return plain


def _answer(search: Annealing, codes: Ints) -> Allocation:
    achieved = search.achieved(codes)
    labels = search.off(codes)[:, 1:]
    summed = int(np.abs(achieved - search.targets).sum())
    deviation = summed / search.unit
    if labels.shape[1]:
        deviation = float(np.abs(labels).sum()) / search.unit / search.unit
    return Allocation(search.placed(codes), achieved, summed == 0, summed == 0, deviation)
