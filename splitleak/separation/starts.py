"""States to start from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from splitleak.kernels.separation import cover, kept_components
from splitleak.kernels.separation_starts import contract, dismantle, grow, label_clusters, refine
from splitleak.separation.problem import PROTECTED, Ints, Part, Problem

COARSE_NODES = 150
MOST_LEVELS = 14
TRIES = 8


class _Level(NamedTuple):
    starts: Ints
    ends: Ints
    strength: Ints
    rows: Ints


def largest_first(problem: Problem, gone: np.ndarray) -> Part:
    """Return the state without the `gone` nodes, the largest component first to the part that lacks most."""
    k = problem.k
    part = np.where(gone, k, 0).astype(np.int8)
    label, found = kept_components(problem.starts, problem.ends, part, k)
    kept = label >= 0
    rows = np.bincount(label[kept], problem.weights[kept], minlength=found)
    lacking = problem.shares * rows.sum()
    where = np.zeros(found, dtype=np.int8)
    for piece in np.argsort(-rows, kind="stable"):
        target = int(np.argmax(lacking))
        where[piece] = target
        lacking[target] -= rows[piece]
    part[kept] = where[label[kept]]
    return part


def without_hubs(problem: Problem, share: float) -> Part:
    """Return a state made by removing nodes of high degree, no component larger than `share` of the rows."""
    gone = np.zeros(problem.n, dtype=bool)
    for _ in range(3):  # the kept rows, of which the share is taken, shrink with what is removed
        limit = int(share * problem.weights[~gone].sum())
        gone = dismantle(problem.starts, problem.ends, problem.cost, problem.weights, limit, PROTECTED)
    return largest_first(problem, gone)


def multilevel(problem: Problem, number: int, seed: int) -> Part:
    """Return a state made by a balanced cut of few edges, and removal of nodes until no edge crosses.

    Coarsen by clusters of bounded size, grow the parts in the small graph, refine while going back (after
    Hendrickson and Leland 1995; Karypis and Kumar 1998). Starts of another `number` differ in kind as well.
    """
    strength = _edge_strength(problem, damped=number % 3 == 2)
    levels, maps = _coarsen(problem, strength, seed)
    slack = (0.004, 0.03)[number % 2]
    part = _first_cut(problem, levels[-1], slack, seed)
    for level, label in zip(levels[-2::-1], maps[::-1], strict=True):
        part = part[label]
        _refine(problem, level, part, slack, 3)
    part = part.astype(np.int8)
    cover(problem.starts, problem.ends, problem.cost, part, problem.k)
    return part


def _edge_strength(problem: Problem, *, damped: bool) -> Ints:
    if not damped:
        return np.ones(len(problem.ends), dtype=np.int64)
    # an edge of a hub weighs less: removing one hub cuts many edges at once
    degree = np.diff(problem.starts)
    source = np.repeat(degree, degree)
    return np.maximum(1, 1000 / np.sqrt(source * degree[problem.ends])).astype(np.int64)


def _coarsen(problem: Problem, strength: Ints, seed: int) -> tuple[list[_Level], list[Ints]]:
    """Return graphs from fine to coarse, and for each but the last the coarse node of each node."""
    total = int(problem.weights.sum())
    cap = max(1, int(total * problem.shares.min() / 8))
    levels = [_Level(problem.starts, problem.ends, strength, problem.weights)]
    maps: list[Ints] = []
    most = max(1, total // problem.n)
    if problem.blocks.max() + 1 < problem.n:
        _contract(levels, maps, problem.blocks)
    while len(levels[-1].rows) > COARSE_NODES and len(maps) < MOST_LEVELS:
        most = min(cap, 4 * most)
        fine = levels[-1]
        found = label_clusters(fine.starts, fine.ends, fine.strength, fine.rows, most, 3, seed + len(maps))
        if len(np.unique(found)) > 0.97 * len(fine.rows):
            if most == cap:
                break
            continue
        _contract(levels, maps, found)
    return levels, maps


def _contract(levels: list[_Level], maps: list[Ints], label: Ints) -> None:
    fine = levels[-1]
    _, label = np.unique(label, return_inverse=True)
    n_coarse = int(label.max()) + 1
    rows = np.bincount(label, fine.rows, minlength=n_coarse).astype(np.int64)
    levels.append(_Level(*contract(fine.starts, fine.ends, fine.strength, label, n_coarse), rows))
    maps.append(label)


def _first_cut(problem: Problem, level: _Level, slack: float, seed: int) -> Ints:
    total = int(level.rows.sum())
    source = np.repeat(np.arange(len(level.rows)), np.diff(level.starts))
    best, best_cost = np.zeros(len(level.rows), dtype=np.int64), np.inf
    order = np.argsort(-problem.shares, kind="stable")
    for number in range(TRIES):
        part = np.zeros(len(level.rows), dtype=np.int64)
        for rank, p in enumerate(order[1:], 1):
            want = int(total * problem.shares[p])
            grow(
                level.starts,
                level.ends,
                level.strength,
                level.rows,
                part,
                rank,
                want,
                seed + 64 * number + rank,
            )
        part = order[part]
        _refine(problem, level, part, slack, 6)
        cut = level.strength[part[source] != part[level.ends]].sum()
        load = np.bincount(part, level.rows, minlength=problem.k)
        cost = float(cut) + 10.0 * np.maximum(np.abs(load - problem.shares * total) - slack * total, 0).sum()
        if cost < best_cost:
            best, best_cost = part, cost
    return best


def _refine(problem: Problem, level: _Level, part: Ints, slack: float, passes: int) -> None:
    total = int(level.rows.sum())
    wanted = (problem.shares * total).astype(np.int64)
    refine(level.starts, level.ends, level.strength, level.rows, part, wanted, int(slack * total), passes)
