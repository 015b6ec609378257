"""separate(): the fewest rows to drop so that sizes can be met and no similar pair crosses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splitleak.errors import InfeasibleSplitError
from splitleak.separation.request import Request

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Separation:
    """Parts without an edge between them.

    Attributes
    ----------
    codes : int64 array of shape (n_nodes,)
        Partition of each node in [0, n_partitions); -1: dropped.
    kept, dropped : int
        Rows (summed weights) that stay, and that go.
    achieved : int64 array of shape (n_partitions,)
        Rows of each partition.
    deviation : float
        Largest difference between a partition's share of the kept rows and the share asked for, in [0, 1].
    class_gap : float
        Largest difference between a class's share within a partition and among all kept rows, in [0, 1]; 0 without
        classes.
    """

    codes: Ints
    kept: int
    dropped: int
    achieved: Ints
    deviation: float
    class_gap: float

    @property
    def removed(self) -> NDArray[np.bool_]:
        """Which nodes are dropped, shape (n_nodes,)."""
        return self.codes < 0


def separate(
    left: ArrayLike,
    right: ArrayLike,
    n_nodes: int,
    sizes: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    classes: ArrayLike | None = None,
    keys: ArrayLike | None = None,
    protected: ArrayLike | None = None,
    tolerance: float = 0.02,
    max_dropped: int | None = None,
    seed: int = 0,
    start: ArrayLike | None = None,
) -> Separation:
    """Drop as few rows as possible so that the rest falls into parts of the sizes asked for, no edge between them.

    A balanced vertex separator: balanced cuts and removals of hubs to start from, annealing, minimum cuts around
    the removed nodes, whole pieces handed out anew. The problem is NP-hard; the answer is valid, not proven
    to be the smallest.

    Parameters
    ----------
    left, right : array-like of int, shape (n_edges,)
        Nodes in [0, n_nodes) that must not be in different partitions; order and repeats do not matter.
    n_nodes : int
        Number of nodes.
    sizes : array-like of shape (n_partitions,)
        Two or more positive sizes (fractions or rows); only their proportions count: they are shares of the
        rows that are *kept*.
    weights : array-like of int, shape (n_nodes,), optional
        Rows that a node stands for; left out, 1. A node of weight 0 stands for no row and is never
        dropped: joined to each row of a group, it keeps the kept rows of the group together.
    classes : array-like of int, shape (n_nodes, n_classes), optional
        Rows of each class in each node, summing to the weights: classes are balanced, at the price of some
        more dropped rows.
    keys : array-like of uint64, shape (n_nodes,), optional
        A hash of each node's content. With it, the answer does not depend on the order of the nodes.
    protected : array-like of bool, shape (n_nodes,), optional
        Nodes that are never dropped.
    tolerance : float
        Allowed deviation of each partition from its size as a share of the kept rows, in [0, 1); the search aims
        at 0.005 or less. A partition may always be off by less than one row.
    max_dropped : int, optional
        Most rows that may be dropped.
    seed : int
        Same graph, options and seed give the same answer.
    start : array-like of int, shape (n_nodes,), optional
        Codes to start from instead of a search from nothing: partition, or -1 (dropped).

    Returns
    -------
    Separation

    Raises
    ------
    InputError
        Arguments that cannot be used.
    InfeasibleSplitError
        Sizes that cannot be met without dropping protected nodes, or more than `max_dropped` rows to drop.

    References
    ----------
    Karypis & Kumar (1998), *A fast and high quality multilevel scheme for partitioning irregular graphs*; Feige,
    Hajiaghayi & Lee (2008), *Improved approximation algorithms for minimum weight vertex separators*.

    Examples
    --------
    >>> path = separate(range(9), range(1, 10), 10, [0.8, 0.2])
    >>> path.dropped, path.achieved.tolist()
    (1, [7, 2])
    """
    request = Request.of(
        left, right, n_nodes, sizes, weights, classes, keys, protected, tolerance, start
    )  # fmt: skip
    return solve(request, max_dropped=max_dropped, seed=seed)


def solve(
    request: Request,
    *,
    max_dropped: int | None,
    seed: int,
    rows: Ints | None = None,
    names: Sequence[str] | None = None,
    weighted: bool = False,
) -> Separation:
    """Answer a checked request.

    In messages, `rows` has the row that stands for each node, `names` the partitions; where the nodes are `weighted`
    by more than their rows, amounts are shares of the weight.
    """
    from splitleak.separation.improve import improve, search

    problem, order = request.problem()
    if request.start is None:
        part = search(problem, seed)
    else:
        begun = request.start[order]
        part = improve(problem, np.where(begun < 0, problem.k, begun).astype(np.int8), seed)
    codes = np.empty(request.n_nodes, dtype=np.int64)
    codes[order] = np.where(part == problem.k, -1, part)
    request.verify(codes)
    found = _separation(request, codes)
    if not problem.feasible(part):
        raise _infeasible(request, found, problem.blocks[np.argsort(order)], rows, names, weighted)
    if max_dropped is not None and found.dropped > max_dropped:
        raise _over_budget(found, max_dropped, names, weighted)
    return found


def _separation(request: Request, codes: Ints) -> Separation:
    k, kept = len(request.shares), codes >= 0
    table = np.zeros((k, request.classes.shape[1]), dtype=np.int64)
    np.add.at(table, codes[kept], request.classes[kept])
    achieved = table.sum(axis=1)
    n_kept = int(achieved.sum())
    deviation = float(np.abs(achieved / max(1, n_kept) - request.shares).max())
    of_class = table.sum(axis=0) / max(1, n_kept)
    gap = float(np.abs(table / np.maximum(1, achieved)[:, None] - of_class).max())
    return Separation(codes, n_kept, int(request.weights.sum()) - n_kept, achieved, deviation, gap)


def _infeasible(
    request: Request,
    found: Separation,
    blocks: Ints,
    rows: Ints | None,
    names: Sequence[str] | None,
    weighted: bool,
) -> InfeasibleSplitError:
    asked = _listed(names, [f"{100 * share:.3g} %" for share in request.shares])
    total = int(request.weights.sum())
    nearest = _listed(names, [_amount(part, total, weighted) for part in found.achieved])
    word, number = ("node", np.arange(request.n_nodes)) if rows is None else ("row", rows)
    tied = np.bincount(blocks, request.weights * request.protected)
    if tied.max() > (1 - request.shares.max()) * found.kept:
        block = np.flatnonzero((blocks == np.argmax(tied)) & request.protected & (request.weights > 0))
        shown = ", ".join(str(number[node]) for node in block[:3]) + (", ..." if len(block) > 3 else "")
        obstacle = (
            f"protected {word}s must stay and hang together: the largest such block has"
            f" {_amount(int(tied.max()), total, weighted, of_all=True)} ({word}s {shown})"
        )
        ways = ["protect fewer of them", "ask for other sizes=", "allow more with tolerance="]
    elif request.weights.max() > (0.01 * total if weighted else 1):
        heaviest = int(np.argmax(request.weights))
        obstacle = (
            f"whole sets of equal rows are too large: {word} {number[heaviest]} stands for"
            f" {_amount(int(request.weights[heaviest]), total, weighted)}"
        )
        ways = ["ask for other sizes=", "allow more with tolerance=", "deduplicate the rows first"]
    else:
        obstacle = "too many rows are similar to nearly all others"
        ways = ["a threshold= that fewer pairs reach", "ask for other sizes=", "allow more with tolerance="]
    return InfeasibleSplitError(
        f"sizes of {asked} cannot be met within {100 * request.tolerance:g} % of the kept rows by dropping rows, as far"
        f" as the search could find: {obstacle}. Nearest: {nearest}, with"
        f" {_amount(found.dropped, total, weighted)} dropped. Ways out:"
        f" {'; '.join(f'({i}) {way}' for i, way in enumerate(ways, 1))}.",
        nearest=_named(names, found),
        largest_cluster=int(request.weights.max()),
        ways_out=ways,
    )


def _over_budget(
    found: Separation, max_dropped: int, names: Sequence[str] | None, weighted: bool
) -> InfeasibleSplitError:
    total = found.kept + found.dropped
    enough = f"{math.ceil(1e4 * found.dropped / total) / 1e4:g}" if weighted else str(found.dropped)
    ways = [f"max_dropped={enough}", "a threshold= that fewer pairs reach", "other sizes="]
    gone = _amount(found.dropped, total, weighted)
    if not weighted:
        gone += f" ({100 * found.dropped / total:.2f} %)"
    left = _listed(names, [_amount(part, total, weighted) for part in found.achieved])
    allowed = f"{_amount(max_dropped, total, True)} is" if weighted else f"{max_dropped:,} rows are"
    return InfeasibleSplitError(
        f"max_dropped={allowed} not enough: {gone} would have to be dropped, which leaves {left}. Ways out:"
        f" {'; '.join(f'({i}) {way}' for i, way in enumerate(ways, 1))}.",
        nearest=_named(names, found),
        ways_out=ways,
    )


def _amount(units: int, total: int, weighted: bool, *, of_all: bool = False) -> str:
    if weighted:
        return f"{100 * units / total:.2f} % of the weight"
    return f"{units:,} of {total:,} rows" if of_all else f"{units:,} rows"


def _listed(names: Sequence[str] | None, values: Sequence[str]) -> str:
    if names is None:
        return ", ".join(values)
    return ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))


def _named(names: Sequence[str] | None, found: Separation) -> dict[str, int]:
    known = map(str, range(len(found.achieved))) if names is None else names
    return dict(zip(known, found.achieved.tolist(), strict=True))
