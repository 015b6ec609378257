"""States to start from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from splitleak.kernels.dismantling import dismantle
from splitleak.kernels.separation import cover, penalty
from splitleak.kernels.separation_pieces import kept_components
from splitleak.kernels.separation_starts import contract, grow, label_clusters, refine
from splitleak.separation.problem import PROTECTED, Ints, Part, Problem

COARSE_NODES = 150
MOST_LEVELS = 14
TRIES = 48


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


def without_hubs(problem: Problem, share: float, most: float) -> Part | None:
    """Return a state made by removing nodes of high degree, no component larger than `share` of the rows.

    None where that takes more than `most` rows.
    """
    gone = np.zeros(problem.n, dtype=bool)
    for _ in range(3):  # the kept rows, of which the share is taken, shrink with what is removed
        limit = int(share * problem.weights[~gone].sum())
        gone = dismantle(problem.starts, problem.ends, problem.cost, problem.weights, limit, PROTECTED)
        if problem.weights[gone].sum() > most:
            return None
    return largest_first(problem, gone)


def multilevel(problem: Problem, number: int, seed: int, lost: Ints | None = None) -> tuple[Part, Ints]:
    """Return a state made by a balanced cut of few edges, and removal of nodes until no edge crosses.

    `lost` is what the removal is expected to take from each part, in rows: the cut makes parts larger by it.
    What it took is returned, too.
    """
    lost = np.zeros(problem.k, dtype=np.int64) if lost is None else lost
    total = int(problem.weights.sum())
    wanted = (problem.shares * (total - lost.sum())).astype(np.int64) + lost
    slack = int((0.004, 0.03)[number % 2] * total)
    strength = _edge_strength(problem, damped=number % 3 == 2)
    cut = balanced_cut(problem, strength, number, wanted, slack, seed)
    part = cut.astype(np.int8)
    cover(problem.starts, problem.ends, problem.cost, part, problem.k)
    gone = part == problem.k
    taken = np.bincount(cut[gone], problem.weights[gone], minlength=problem.k).astype(np.int64)
    return part, taken


def balanced_cut(problem: Problem, strength: Ints, number: int, wanted: Ints, slack: int, seed: int) -> Ints:
    """Return the part of each node, little strength between parts of about `wanted` rows (within `slack`).

    Coarsen by clusters of bounded size, grow the parts in the small graph, refine while going back (after
    Hendrickson and Leland 1995; Karypis and Kumar 1998). Cuts of another `number` differ in kind as well.
    """
    levels, maps = _coarsen(problem, strength, number, seed)
    cut = _first_cut(problem, levels[-1], maps, wanted, slack, seed)
    for level, label in zip(levels[-2::-1], maps[::-1], strict=True):
        cut = cut[label]
        if label is problem.blocks:  # within a block no node moves alone
            break
        _refine(level, cut, wanted, slack, 3)
    return cut


def _edge_strength(problem: Problem, *, damped: bool) -> Ints:
    if not damped:
        return np.ones(len(problem.ends), dtype=np.int64)
    # an edge of a hub weighs less: removing one hub cuts many edges at once
    degree = np.diff(problem.starts)
    source = np.repeat(degree, degree)
    strength: Ints = np.maximum(1, 1000 / np.sqrt(source * degree[problem.ends])).astype(np.int64)
    return strength


def _coarsen(problem: Problem, strength: Ints, number: int, seed: int) -> tuple[list[_Level], list[Ints]]:
    """Return graphs from fine to coarse, and for each but the last the coarse node of each node."""
    total = int(problem.weights.sum())
    cap = max(1, int(total * problem.shares.min() / 4))
    levels = [_Level(problem.starts, problem.ends, strength, problem.weights)]
    maps: list[Ints] = []
    # whole communities at once, or step by step: neither is better on all graphs
    most = (cap, 8 * max(1, total // problem.n))[number // 2 % 2]
    if problem.blocks.max() + 1 < problem.n:
        _contract(levels, maps, problem.blocks)
    while len(levels[-1].rows) > COARSE_NODES and len(maps) < MOST_LEVELS:
        fine = levels[-1]
        found = label_clusters(fine.starts, fine.ends, fine.strength, fine.rows, most, 5, seed + len(maps))
        clusters, label = np.unique(found, return_inverse=True)
        if len(clusters) <= 0.97 * len(fine.rows):
            _contract(levels, maps, label)
        elif most >= cap:
            break
        most = min(cap, 4 * most)
    return levels, maps


def _contract(levels: list[_Level], maps: list[Ints], label: Ints) -> None:
    fine = levels[-1]
    n_coarse = int(label.max()) + 1
    rows = np.bincount(label, fine.rows, minlength=n_coarse).astype(np.int64)
    starts, ends, strength = contract(fine.starts, fine.ends, fine.strength, label, n_coarse)
    levels.append(_Level(starts, ends, strength, rows))
    maps.append(label)


def _first_cut(
    problem: Problem, level: _Level, maps: list[Ints], wanted: Ints, slack: int, seed: int
) -> Ints:
    """Return the part of each node of the coarsest graph: the best of several grown and refined cuts."""
    source = np.repeat(np.arange(len(level.rows)), np.diff(level.starts))
    classes = _class_rows(problem, maps, len(level.rows))
    per_row = max(1.0, float(level.strength.sum()) / (2 * problem.n))  # edges that a removed row takes along
    best, best_cost = np.zeros(len(level.rows), dtype=np.int64), np.inf
    order = np.argsort(-wanted, kind="stable")
    for number in range(TRIES):
        part = np.zeros(len(level.rows), dtype=np.int64)
        for rank, p in enumerate(order[1:], 1):
            job = (rank, wanted[p], seed + 128 * number + rank)
            grow(level.starts, level.ends, level.strength, level.rows, part, *job)
        part = order[part]
        _refine(level, part, wanted, slack, 6)
        cut = level.strength[part[source] != part[level.ends]].sum()
        table = np.zeros((problem.k, problem.n_classes), dtype=np.int64)
        np.add.at(table, part, classes)
        off, _ = penalty(table, wanted / wanted.sum(), slack / wanted.sum(), problem.prices)
        cost = float(cut) / per_row + off
        if cost < best_cost:
            best, best_cost = part, cost
    return best


def _class_rows(problem: Problem, maps: list[Ints], n_coarse: int) -> Ints:
    """Return rows per class of each node of the coarsest graph."""
    label = np.arange(problem.n)
    for found in maps:
        label = found[label]
    node = np.repeat(label, np.diff(problem.class_starts))
    flat = np.bincount(
        node * problem.n_classes + problem.class_ids,
        problem.class_rows,
        minlength=n_coarse * problem.n_classes,
    )
    return flat.reshape(n_coarse, problem.n_classes).astype(np.int64)


def _refine(level: _Level, part: Ints, wanted: Ints, slack: int, passes: int) -> None:
    # less room than the heaviest node would nail everything down; finer levels bring the parts nearer
    room = max(slack, int(level.rows.max()))
    refine(level.starts, level.ends, level.strength, level.rows, part, wanted, room, passes)
