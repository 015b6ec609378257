"""Hand weighted clusters to partitions so that weights and labels come near to what is asked.

Whole numbers, and floating-point operations that every platform rounds alike: the same moves everywhere.
"""

from __future__ import annotations

import numpy as np

from splitleak.kernels.compiling import njit
from splitleak.kernels.random_numbers import patience, random_below, random_bits

HALVINGS = 20  # the temperature falls by this many powers of two


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
def _most_labels_of_two(starts: np.ndarray) -> int:
    """Return how many labels two clusters can have between them, each counted for itself."""
    widest, second = 0, 0
    for c in range(len(starts) - 1):
        width = starts[c + 1] - starts[c]
        if width > widest:
            widest, second = width, widest
        elif width > second:
            second = width
    return widest + second


@njit(cache=True, nogil=True)
def _priced(off: np.ndarray, prices: np.ndarray) -> float:
    """Return the priced summed deviation."""
    total = 0.0
    for s in range(off.shape[0]):
        for q in range(off.shape[1]):
            total += prices[q] * abs(off[s, q])
    return total


@njit(cache=True, nogil=True, inline="always")
def _strays(off: int, by: int, allowed: int) -> bool:
    return abs(off + by) > allowed and abs(off + by) > abs(off)


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
    allowed: np.ndarray,
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
    allowed : int64 array of shape (n_partitions,)
        How far the first label (a cluster's size or weight) may be off in each partition, in what `off` counts. A
        partition that is farther off at the start may stay so, but go no farther.
    warmth : float
        Temperature at the start, in what `off` counts.
    steps, seed : int

    Returns
    -------
    float
        Priced summed deviation.
    """
    state = np.array([np.uint64(seed)], dtype=np.uint64)
    asked = targets.sum()
    n_scales = 1
    while free.size >> n_scales > 1:
        n_scales += 1
    change = np.zeros(off.shape[1], np.int64)
    touched = np.empty(_most_labels_of_two(starts) + 1, np.int64)
    total = _priced(off, prices)
    temperature = warmth
    for step in range(steps):
        if step & 255 == 0:
            cooled = (HALVINGS + 2) * (step / steps)
            whole = int(cooled)
            # the last moves are only for the better
            temperature = 0.0 if whole >= HALVINGS else warmth * (1.0 - (cooled - whole) / 2) / (1 << whole)
        at = random_below(state, free.size)
        i = free[at]
        s = codes[i]
        j = np.int64(-1)
        if random_bits(state) & np.uint64(1):
            # near or far: clusters near each other are alike
            reach = free.size >> random_below(state, n_scales)
            other = at - reach + random_below(state, 2 * reach + 1)
            if other < 0 or other >= free.size:
                continue
            j = free[other]
            u = codes[j]
            if u == s:
                continue
        else:
            # in proportion to what is asked for: else chance would send many light clusters to small partitions
            place = random_below(state, asked)
            u = 0
            while place >= targets[u]:
                place -= targets[u]
                u += 1
            if u == s or filled[s] == 1:
                continue
        n = _gather(i, j, starts, labels, amounts, change, touched)
        by = unit * change[0]
        if _strays(off[u, 0], by, allowed[u]) or _strays(off[s, 0], -by, allowed[s]):
            for t in range(n):
                change[touched[t]] = 0
            continue
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
        if worse <= 0 or worse < temperature * (patience(state) / 1024.0):
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
