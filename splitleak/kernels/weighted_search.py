"""Hand weighted clusters to partitions so that weights and labels come near to what is asked.

Whole numbers, and floating-point operations that every platform rounds alike: the same moves everywhere.
"""

from __future__ import annotations

import numpy as np
from numba import njit

HALVINGS = 20  # the temperature falls by this many powers of two


@njit(cache=True, nogil=True, inline="always")
def _next(state: np.ndarray) -> np.uint64:
    """Return 64 random bits (splitmix64, Steele et al. 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z: np.uint64 = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True, inline="always")
def _below(state: np.ndarray, n: int) -> np.int64:
    """Return a random whole number in [0, n), n < 2**31."""
    return np.int64(((_next(state) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@njit(cache=True, nogil=True, inline="always")
def _patience(state: np.ndarray) -> float:
    """Return about -log2 of a random number in (0, 1), linear between powers of two."""
    bits = _next(state) | np.uint64(1)
    halvings = 0
    while bits < np.uint64(1) << np.uint64(63):
        bits <<= np.uint64(1)
        halvings += 1
    return halvings + (1023 - np.int64((bits >> np.uint64(53)) & np.uint64(1023))) / 1024.0


@njit(cache=True, nogil=True)
def _gather(
    i: int, j: int, starts: np.ndarray, labels: np.ndarray, amounts: np.ndarray, change: np.ndarray,
    touched: np.ndarray,
) -> int:  # fmt: skip
    """Write what cluster i has more than cluster j (-1: none) into `change`; return how many labels that is."""
    n = 0
    for e in range(starts[i], starts[i + 1]):
        change[labels[e]] += amounts[e]
        touched[n] = labels[e]
        n += 1
    if j >= 0:
        for e in range(starts[j], starts[j + 1]):
            # a label that both have is listed twice; the second one finds nothing left
            change[labels[e]] -= amounts[e]
            touched[n] = labels[e]
            n += 1
    return n


@njit(cache=True, nogil=True)
def anneal(
    codes: np.ndarray,
    free: np.ndarray,
    starts: np.ndarray,
    labels: np.ndarray,
    amounts: np.ndarray,
    off: np.ndarray,
    prices: np.ndarray,
    targets: np.ndarray,
    unit: int,
    filled: np.ndarray,
    warmth: float,
    steps: int,
    seed: int,
) -> float:
    """Anneal the priced deviation; `codes`, `off` and `filled` are changed in place.

    A step moves one free cluster to another partition, or exchanges two. No partition loses its last cluster.

    Parameters
    ----------
    codes : int64 array of shape (n_clusters,)
        Partition of each cluster.
    free : int64 array of shape (n_free,)
        Clusters that may move, those that are alike beside each other.
    starts, labels, amounts : int64 arrays
        Cluster c has ``amounts[e]`` of ``labels[e]`` for e in ``starts[c]:starts[c + 1]``.
    off : int64 array of shape (n_partitions, n_labels)
        `unit` times what each partition has too much of each label.
    prices : float64 array of shape (n_labels,)
        What deviation of a label counts.
    targets : int64 array of shape (n_partitions,)
        Weight asked for, at least 0; below 2**31 together.
    unit : int
    filled : int64 array of shape (n_partitions,)
        Clusters in each partition.
    warmth : float
        Temperature at the start, in what `off` counts.
    steps, seed : int

    Returns
    -------
    float
        Priced summed deviation.
    """
    state = np.array([np.uint64(seed)], dtype=np.uint64)
    n_partitions, n_labels = off.shape
    asked = targets.sum()
    n_scales = 1
    while free.size >> n_scales > 1:
        n_scales += 1
    change = np.zeros(n_labels, np.int64)
    widest, second = 0, 0
    for c in range(len(starts) - 1):
        width = starts[c + 1] - starts[c]
        if width > widest:
            widest, second = width, widest
        elif width > second:
            second = width
    touched = np.empty(widest + second + 1, np.int64)
    total = 0.0
    for s in range(n_partitions):
        for q in range(n_labels):
            total += prices[q] * abs(off[s, q])
    temperature = warmth
    for step in range(steps):
        if step & 255 == 0:
            cooled = (HALVINGS + 2) * (step / steps)
            whole = int(cooled)
            # the last moves are only for the better
            temperature = 0.0 if whole >= HALVINGS else warmth * (1.0 - (cooled - whole) / 2) / (1 << whole)
        at = _below(state, free.size)
        i = free[at]
        s = codes[i]
        j = np.int64(-1)
        if _next(state) & np.uint64(1):
            # near or far: clusters near each other are alike
            reach = free.size >> _below(state, n_scales)
            other = at - reach + _below(state, 2 * reach + 1)
            if other < 0 or other >= free.size:
                continue
            j = free[other]
            u = codes[j]
            if u == s:
                continue
        else:
            # in proportion to what is asked for: else chance would send many light clusters to small partitions
            place = _below(state, asked)
            u = 0
            while place >= targets[u]:
                place -= targets[u]
                u += 1
            if u == s or filled[s] == 1:
                continue
        n = _gather(i, j, starts, labels, amounts, change, touched)
        worse = 0.0
        for t in range(n):
            q = touched[t]
            by = unit * change[q]
            if by != 0:
                worse += prices[q] * (
                    abs(off[u, q] + by) - abs(off[u, q]) + abs(off[s, q] - by) - abs(off[s, q])
                )
                # noted in `off` at once, so that a label listed twice counts once
                off[u, q] += by
                off[s, q] -= by
                change[q] = 0
        if worse <= 0 or worse < temperature * _patience(state):
            codes[i] = u
            if j >= 0:
                codes[j] = s
            else:
                filled[u] += 1
                filled[s] -= 1
            total += worse
        else:
            n = _gather(i, j, starts, labels, amounts, change, touched)
            for t in range(n):
                q = touched[t]
                by = unit * change[q]
                off[u, q] -= by
                off[s, q] += by
                change[q] = 0
    return total
