"""Exact improvements of a state: minimum cuts between two parts, and whole pieces handed out anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from splitleak.kernels.separation_pieces import kept_components, pack, region_between
from splitleak.separation.problem import CLASS_AIM, CLASS_BEYOND, PROTECTED, Ints, Part, Problem

MOST_CUTS = 6


def repack(problem: Problem, part: Part, seed: int, *, longest: int = 20_000) -> Part:
    """Hand the pieces (components of the kept graph) to parts anew, for sizes and classes."""
    k = problem.k
    label, found = kept_components(problem.starts, problem.ends, part, k)
    if found < 2:
        return part
    kept = label >= 0
    node = np.repeat(np.arange(problem.n), np.diff(problem.class_starts))
    held = kept[node]
    flat = label[node[held]] * problem.n_classes + problem.class_ids[held]
    rows = np.bincount(flat, problem.class_rows[held], minlength=found * problem.n_classes)
    where = np.zeros(found, dtype=np.int64)
    where[label[kept]] = part[kept]
    steps = min(200_000, 50 * found + min(longest, 1_000 * found))
    packed = pack(
        rows.reshape(found, problem.n_classes).astype(np.int64),
        where,
        problem.shares,
        problem.aim * 0.9,
        np.array([100.0, 1.0, CLASS_AIM, CLASS_BEYOND]),
        3.0,
        steps,
        seed,
    )
    new = part.copy()
    new[kept] = packed[label[kept]]
    return new if problem.score(new) < problem.score(part) else part


def polish(problem: Problem, part: Part, seed: int) -> Part:
    """Replace the removed nodes between each two parts by a minimum cut of the region around them."""
    total = int(problem.weights.sum())
    best, score = part, problem.score(part)
    for a in range(problem.k):
        for b in range(a + 1, problem.k):
            quota = int(total * min(problem.shares[a], problem.shares[b]) / 2)
            for _ in range(MOST_CUTS):
                better = None
                for candidate in _minimum_cuts(problem, best, a, b, quota):
                    candidate = repack(problem, candidate, seed)
                    if problem.score(candidate) < score - 1e-9:
                        better, score = candidate, problem.score(candidate)
                if better is None:
                    quota = quota * 2 // 5
                else:
                    best = better
    return best


def _minimum_cuts(problem: Problem, part: Part, a: int, b: int, quota: int) -> list[Part]:
    """Return the two extreme minimum separators of parts `a` and `b` in a region around the removed nodes.

    Each node of the region is an edge of capacity `cost` from its entry to its exit; what lies outside the
    region in `a` is the source, in `b` the sink.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    k, starts, ends = problem.k, problem.starts, problem.ends
    inside = region_between(starts, ends, part, k, a, b, problem.weights, quota)
    nodes = np.flatnonzero(inside)
    m = len(nodes)
    endless = int(problem.weights[nodes].sum()) + 1
    if m == 0 or endless >= 1 << 30:
        return []
    index = np.full(problem.n, -1, dtype=np.int64)
    index[nodes] = np.arange(m)
    source, target = _edges_of(starts, ends, nodes)
    within = inside[target]
    from_a = np.unique(source[~within & (part[target] == a)])
    to_b = np.unique(source[~within & (part[target] == b)])
    tail = np.concatenate([np.arange(m), source[within] + m, np.full(len(from_a), 2 * m), to_b + m])
    head = np.concatenate([np.arange(m) + m, index[target[within]], from_a, np.full(len(to_b), 2 * m + 1)])
    capacity = np.full(len(tail), endless, dtype=np.int32)
    capacity[:m] = np.where(problem.cost[nodes] >= PROTECTED, endless, problem.cost[nodes])
    network = csr_array((capacity, (tail, head)), shape=(2 * m + 2, 2 * m + 2))
    left_over: Any = network - maximum_flow(network, 2 * m, 2 * m + 1).flow
    left_over.data = np.maximum(left_over.data, 0)
    left_over.eliminate_zeros()
    cuts = []
    for near, far, matrix, root in (
        (a, b, left_over, 2 * m),
        (b, a, left_over.T.tocsr(), 2 * m + 1),
    ):
        reached = np.zeros(2 * m + 2, dtype=bool)
        reached[breadth_first_order(matrix, root, return_predecessors=False)] = True
        entry, leave = (reached[:m], reached[m : 2 * m]) if near == a else (reached[m : 2 * m], reached[:m])
        new = part.copy()
        new[nodes] = np.where(leave, near, np.where(entry, k, far))
        cuts.append(new)
    return cuts


def _edges_of(starts: Ints, ends: Ints, nodes: Ints) -> tuple[Ints, Ints]:
    """Return (index into `nodes`, neighbour) of every edge that leaves one of them."""
    degree = starts[nodes + 1] - starts[nodes]
    source = np.repeat(np.arange(len(nodes)), degree)
    first = np.cumsum(degree) - degree
    target = ends[np.repeat(starts[nodes] - first, degree) + np.arange(len(source))]
    return source, target
