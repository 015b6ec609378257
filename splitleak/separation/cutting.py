"""All rows kept: parts of the sizes asked for, as little similarity as possible between them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splitleak._threads import map_threads
from splitleak.errors import InputError
from splitleak.sampling import mix
from splitleak.separation.request import Request
from splitleak.separation.rows import summed

if TYPE_CHECKING:
    from splitleak.graph import SimilarityGraph
    from splitleak.separation.problem import Problem

Ints = NDArray[np.int64]

UNIT = 1_000  # strengths are whole thousandths of a similarity: sums do not depend on their order
WORK = 12_000_000
REFINED, MANY = 3, 500_000  # starts that are refined at length; one where the graph is larger


def cut_rows(
    graph: SimilarityGraph,
    sizes: ArrayLike,
    start: Ints,
    *,
    units: Ints,
    classes: Ints | None = None,
    row_hashes: NDArray[np.uint64] | None = None,
    fixed: Ints | None = None,
    tolerance: float = 0.02,
    seed: int = 0,
    weights: Ints | None = None,
) -> Ints:
    """Split all rows at the sizes asked for, and part as little similarity as possible.

    What is kept small is the summed similarity of the similar pairs that cross, each pair of rows counted: the
    numerator of the scaled leakage L(pi). Balanced cuts by levels, then annealing; NP-hard, so the answer is good,
    not proven to be the best.

    Parameters
    ----------
    graph : SimilarityGraph
        Every similar pair, with its similarity.
    sizes : array-like of shape (n_partitions,)
        Fractions or rows; only their proportions count.
    start : int64 array of shape (n_rows,)
        Partitions to fall back on: where they are within tolerance, so is the answer.
    units : int64 array of shape (n_rows,)
        Rows that must stay together, whatever is cut (equal rows, rows of a group), numbered 0, 1, ...
    classes : int64 array of shape (n_rows,), optional
        Class of each row to balance; negative: missing, a class of its own.
    row_hashes : uint64 array of shape (n_rows,), optional
        A hash of each row's content; with it, the order of the rows does not matter.
    fixed : int64 array of shape (n_rows,), optional
        Partition in which a row must be, the same for all rows of a unit; -1: free.
    tolerance : float
        Allowed deviation of each partition as a share of the rows, in [0, 1); the search aims at 0.005 or less.
    seed : int
    weights : int64 array of shape (n_rows,), optional
        What each row counts in the sizes and classes, in whole units of at least 1.

    Returns
    -------
    int64 array of shape (n_rows,)
        Partition of each row.

    Examples
    --------
    >>> from splitleak.graph import SimilarityGraph
    >>> alike = [0.9, 0.9, 0.9, 0.9, 0.8, 0.9, 0.9, 0.9, 0.9]
    >>> chain = SimilarityGraph.from_edges(range(9), range(1, 10), alike, n_rows=10, threshold=0.8)
    >>> codes = cut_rows(chain, [0.5, 0.5], np.arange(10) % 2, units=np.arange(10))
    >>> sorted([codes[:5].tolist(), codes[5:].tolist()])
    [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1]]
    """
    graph._require_complete("cut_rows()")
    cut = _Cut.of(graph, sizes, units, classes, row_hashes, fixed, tolerance, weights)
    first = np.full(cut.problem.n, -1, dtype=np.int64)
    first[cut.place[units]] = start
    parts = _search(cut, first, seed)
    return np.asarray(parts[cut.place[units]], dtype=np.int64)


@dataclass(frozen=True)
class _Cut:
    """Units as the nodes of a problem, in canonical order.

    Attributes
    ----------
    strength : int64 array of shape (2 m,)
        Summed similarity of the pairs of rows between a node and each of its neighbours, in `UNIT`.
    place : int64 array of shape (n,)
        Node of each unit.
    fixed : int64 array of shape (n,)
        Part of the nodes that must not move; -1: free.
    """

    problem: Problem
    strength: Ints
    place: Ints
    fixed: Ints

    @classmethod
    def of(
        cls,
        graph: SimilarityGraph,
        sizes: ArrayLike,
        units: Ints,
        classes: Ints | None,
        row_hashes: NDArray[np.uint64] | None,
        fixed: Ints | None,
        tolerance: float,
        weights: Ints | None,
    ) -> _Cut:
        n = int(units.max()) + 1
        left, right, strength = _strengths(graph, units, n)
        keys = np.zeros(n, dtype=np.uint64)
        if row_hashes is not None:
            np.add.at(keys, units, mix(row_hashes))  # a sum: the order of the rows does not matter
        # units of equal content are told apart by what they are joined with
        around = np.bincount(np.append(left, right), np.append(strength, strength), minlength=n)
        keys = mix(keys ^ mix(around.astype(np.uint64)))
        worth, counts = summed(units, n, weights, classes)
        request = Request.of(left, right, n, sizes, worth, counts, keys, None, tolerance, None)
        problem, order = request.problem()
        place = np.empty(n, dtype=np.int64)
        place[order] = np.arange(n)
        a, b = place[np.append(left, right)], place[np.append(right, left)]
        sorted_as_edges = np.argsort(a * np.int64(n) + b, kind="stable")
        held = np.full(n, -1, dtype=np.int64)
        if fixed is not None:
            held[place[units]] = fixed
            if (held[place[units]] != fixed).any():
                raise InputError(
                    "fixed must give all rows that stay together one partition; they have several"
                )
        return cls(problem, np.append(strength, strength)[sorted_as_edges], place, held)

    def cost(self, part: Ints) -> float:
        """Return what is cut, with parts within the tolerance before all others."""
        from splitleak.kernels.cutting import cut_between

        problem = self.problem
        state = part.astype(np.int8)
        cut = float(cut_between(problem.starts, problem.ends, self.strength, part))
        fine = problem.cost_of(state) * self.row_price
        return cut + fine + (0.0 if problem.feasible(state) else 1e18)

    @property
    def row_price(self) -> float:
        """Strength that one row in the wrong part is worth: that of an average row."""
        return max(1.0, float(self.strength.sum()) / float(self.problem.weights.sum()))


def _strengths(graph: SimilarityGraph, units: Ints, n: int) -> tuple[Ints, Ints, Ints]:
    """Return joined units (the lower first, each two once) and the summed similarity of their rows."""
    size = np.ones(graph.n_rows, dtype=np.int64)
    if graph.copies is not None:
        size = np.bincount(graph.copies, minlength=graph.n_rows).astype(np.int64)
    a, b = units[graph.left], units[graph.right]
    apart = a != b
    low, high = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
    one = np.maximum(1, np.rint(graph.similarity[apart] * UNIT)).astype(np.int64)
    one *= size[graph.left[apart]] * size[graph.right[apart]]
    codes, pair = np.unique(low * np.int64(n) + high, return_inverse=True)
    strength = np.zeros(len(codes), dtype=np.int64)
    np.add.at(strength, pair, one)
    return codes // n, codes % n, strength


def _search(cut: _Cut, start: Ints, seed: int) -> Ints:
    from splitleak.separation.starts import balanced_cut

    problem, random = cut.problem, Random(seed)
    total = int(problem.weights.sum())
    size = len(problem.ends) // 2 + 5 * problem.n
    wanted = (problem.shares * total).astype(np.int64)
    slacks = (int(problem.aim * total), int(max(problem.aim, 0.03) * total))

    def begin(job: tuple[int, int]) -> Ints:
        number, drawn = job
        found = balanced_cut(problem, cut.strength, number, wanted, slacks[number % 2], drawn)
        return _annealed(cut, np.where(cut.fixed < 0, found, cut.fixed), 1.0, 10 * problem.n, drawn)

    jobs = [(number, random.getrandbits(60)) for number in range(min(16, max(4, WORK // size)))]
    pool = [start, *map_threads(begin, jobs)]
    ranked = sorted(range(len(pool)), key=lambda i: (cut.cost(pool[i]), i))
    best = [pool[i] for i in ranked[: REFINED if size < MANY else 1]]
    steps = min(1_500_000, 300 * problem.n) + 20 * problem.n
    more = [(part, warm, random.getrandbits(60)) for part in best for warm in (0.5, 3.0)]
    best += map_threads(lambda job: _annealed(cut, job[0], job[1], steps, job[2]), more)
    return min(best, key=cut.cost)


def _annealed(cut: _Cut, part: Ints, warm: float, steps: int, seed: int) -> Ints:
    """Improve parts by annealing; `warm` in edges of average strength."""
    from splitleak.kernels.cutting import anneal_cut

    problem = cut.problem
    edge = float(cut.strength.mean()) if len(cut.strength) else 1.0
    prices = problem.prices
    # a move out of the tolerance costs more than any node could win by it
    heaviest = float(np.bincount(_sources(problem), cut.strength, minlength=problem.n).max(initial=0))
    prices[0] = max(prices[0], heaviest / cut.row_price)
    found: Ints = anneal_cut(
        problem.starts, problem.ends, cut.strength, problem.class_starts, problem.class_ids, problem.class_rows,
        problem.n_classes, part.astype(np.int64), cut.fixed >= 0, problem.shares, problem.aim * 0.97, prices,
        cut.row_price, warm * edge, 0.1 * edge, steps, seed,
    )  # fmt: skip
    return min((found, part), key=cut.cost)


def _sources(problem: Problem) -> Ints:
    return np.repeat(np.arange(problem.n), np.diff(problem.starts))
