"""Anneal which partition each cluster of entities goes to, so that pairs with both ends in one partition are many.

Integers only: the same moves on every platform.
"""

from __future__ import annotations

import numpy as np

from splitleak.kernels.compiling import njit
from splitleak.kernels.random_numbers import patience, random_below, random_bits

BEYOND = 50  # what a pair beyond the tolerance costs, in pairs


@njit(cache=True, nogil=True)
def energy(
    inside: np.ndarray,
    wanted: np.ndarray,
    are_shares: bool,
    slack: int,
    unit: int,
    n_pairs: int,
    class_shares: np.ndarray,
    cross: int,
) -> np.int64:
    """Return what an assignment costs, in `unit`-ths of a pair.

    Each pair that is mixed, off its partition's size or off its class's share costs one; pairs beyond the
    tolerance cost `BEYOND` each; the similarity that crosses (`cross`) comes on top.

    Parameters
    ----------
    inside : int64 array of shape (n_partitions, n_classes)
        Pairs with both ends in a partition.
    wanted : int64 array of shape (n_partitions,)
        Pairs asked for: of `unit` unmixed ones with `are_shares`, else absolute; -1: any number.
    are_shares : bool
    slack : int
        Tolerance, in `unit`-ths.
    unit : int
    n_pairs : int
        Number of all pairs.
    class_shares : int64 array of shape (n_classes,)
        Share of each class among all pairs, in `unit`-ths.
    cross : int
    """
    unmixed = inside.sum()
    base = unmixed if are_shares else n_pairs
    cost = np.int64(unit * (n_pairs - unmixed) + cross)
    for k in range(inside.shape[0]):
        here = inside[k].sum()
        if here == 0:
            cost += BEYOND * unit * n_pairs
        if wanted[k] >= 0:
            off = abs(unit * here - wanted[k] * (unmixed if are_shares else unit))
            cost += off + BEYOND * max(0, off - slack * base)
        if inside.shape[1] > 1:
            for c in range(inside.shape[1]):
                cost += abs(unit * inside[k, c] - class_shares[c] * here)
    return cost


@njit(cache=True, nogil=True)
def _weight(starts: np.ndarray, ends: np.ndarray, v: int, u: int) -> np.int64:
    """Return the position of u among the neighbours of v, or -1."""
    low, high = starts[v], starts[v + 1]
    while low < high:
        middle = (low + high) // 2
        if ends[middle] < u:
            low = middle + 1
        else:
            high = middle
    return np.int64(low) if low < starts[v + 1] and ends[low] == u else np.int64(-1)


@njit(cache=True, nogil=True)
def anneal(
    starts: np.ndarray,
    ends: np.ndarray,
    weights: np.ndarray,
    own: np.ndarray,
    side: np.ndarray,
    mass_starts: np.ndarray,
    mass_ends: np.ndarray,
    mass: np.ndarray,
    codes: np.ndarray,
    wanted: np.ndarray,
    are_shares: bool,
    slack: int,
    unit: int,
    n_pairs: int,
    class_shares: np.ndarray,
    warmth: int,
    steps: int,
    seed: int,
) -> np.int64:
    """Anneal `codes` in place and return the energy reached.

    Parameters
    ----------
    starts, ends, weights : int64 arrays of shape (n_nodes + 1,), (n_edges,), (n_edges, n_classes)
        Pairs between nodes (clusters of entities), compressed by node, both directions, `ends` ascending.
    own : int64 array of shape (n_nodes, n_classes)
        Pairs with both ends in the node.
    side : int8 array of shape (n_nodes,)
        Nodes of one side trade places with each other.
    mass_starts, mass_ends, mass : int64 arrays
        Similarity between nodes of a side, compressed in the same way, in the unit of the energy.
    codes : int64 array of shape (n_nodes,)
        Partition of each node; changed in place.
    wanted, are_shares, slack, unit, n_pairs, class_shares
        As for `energy`.
    warmth : int
        Temperature at the start, in the unit of the energy; it falls to zero on three quarters of the way.
    steps : int
        Moves tried.
    seed : int
    """
    state = np.array([np.uint64(seed)], dtype=np.uint64)
    n, p = codes.size, wanted.size
    near, tied = _around(starts, ends, weights, mass_starts, mass_ends, mass, codes, p)
    inside = np.zeros((p, own.shape[1]), np.int64)
    cross = np.int64(0)
    for v in range(n):  # each pair between two nodes was seen from both
        inside[codes[v]] += near[v, codes[v]] + 2 * own[v]
        cross += tied[v].sum() - tied[v, codes[v]]
    inside //= 2
    cross //= 2
    cost: np.int64 = energy(inside, wanted, are_shares, slack, unit, n_pairs, class_shares, cross)
    trial = inside.copy()
    cooling = max(1, steps * 3 // 4)
    for step in range(steps):
        v = random_below(state, n)
        i = codes[v]
        u = np.int64(-1)
        j = random_below(state, p - 1)
        j += j >= i
        q, r = i, j
        kind = random_bits(state) % np.uint64(4)
        if kind == 1 or kind == 2:  # trade places with a node of the same side
            u = random_below(state, n)
            if side[u] != side[v] or codes[u] == i:
                continue
            q, r = codes[u], i
            j = q
        elif kind == 3 and starts[v] < starts[v + 1]:  # take a neighbour along
            u = ends[starts[v] + random_below(state, starts[v + 1] - starts[v])]
            if codes[u] != i:
                continue
        trial[:] = inside
        trial[i] -= near[v, i] + own[v]
        trial[j] += near[v, j] + own[v]
        change = tied[v, i] - tied[v, j]
        if u >= 0:
            trial[q] -= near[u, q] + own[u]
            trial[r] += near[u, r] + own[u]
            change += tied[u, q] - tied[u, r]
            both = np.int64(j == r) - np.int64(i == q)  # together after, less together before
            e = _weight(starts, ends, v, u)
            if e >= 0:  # what the two moves counted as if the other node had stayed
                _correct(trial, weights[e], i, j, q, r)
            e = _weight(mass_starts, mass_ends, v, u)
            if e >= 0:
                seen = np.int64(j == q) - np.int64(i == q) + np.int64(i == r) - np.int64(i == q)
                change += mass[e] * (seen - both)
        found = energy(trial, wanted, are_shares, slack, unit, n_pairs, class_shares, cross + change)
        worse = found - cost
        accept = worse <= 0
        if not accept and step < cooling:
            left = (cooling - step) * 1024 // cooling
            heat = ((warmth * left) >> 10) * left >> 10
            accept = worse < (heat * patience(state)) >> 10
        if not accept:
            continue
        inside[:] = trial
        cost, cross = found, cross + change
        _move(starts, ends, weights, near, mass_starts, mass_ends, mass, tied, v, i, j)
        codes[v] = j
        if u >= 0:
            _move(starts, ends, weights, near, mass_starts, mass_ends, mass, tied, u, q, r)
            codes[u] = r
    return cost


@njit(cache=True, nogil=True)
def _around(
    starts: np.ndarray,
    ends: np.ndarray,
    weights: np.ndarray,
    mass_starts: np.ndarray,
    mass_ends: np.ndarray,
    mass: np.ndarray,
    codes: np.ndarray,
    n_partitions: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of each node with each partition, by class, and its similarity to them."""
    near = np.zeros((codes.size, n_partitions, weights.shape[1]), np.int64)
    tied = np.zeros((codes.size, n_partitions), np.int64)
    for v in range(codes.size):
        for e in range(starts[v], starts[v + 1]):
            near[v, codes[ends[e]]] += weights[e]
        for e in range(mass_starts[v], mass_starts[v + 1]):
            tied[v, codes[mass_ends[e]]] += mass[e]
    return near, tied


@njit(cache=True, nogil=True, inline="always")
def _correct(trial: np.ndarray, weight: np.ndarray, i: int, j: int, q: int, r: int) -> None:
    """Correct the pairs between two nodes that move from i to j and from q to r."""
    # counted: the first leaves the second in q and comes to it there; the second leaves and comes to the first in i
    if i == q:
        trial[i] += weight
    if j == q:
        trial[j] -= weight
    if r == i:
        trial[r] -= weight
    if j == r:
        trial[j] += weight


@njit(cache=True, nogil=True)
def _move(
    starts: np.ndarray,
    ends: np.ndarray,
    weights: np.ndarray,
    near: np.ndarray,
    mass_starts: np.ndarray,
    mass_ends: np.ndarray,
    mass: np.ndarray,
    tied: np.ndarray,
    v: int,
    i: int,
    j: int,
) -> None:
    for e in range(starts[v], starts[v + 1]):
        for c in range(weights.shape[1]):
            near[ends[e], i, c] -= weights[e, c]
            near[ends[e], j, c] += weights[e, c]
    for e in range(mass_starts[v], mass_starts[v + 1]):
        tied[mass_ends[e], i] -= mass[e]
        tied[mass_ends[e], j] += mass[e]
