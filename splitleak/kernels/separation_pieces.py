"""Pieces of a graph without its removed nodes: find them, hand them out, put nodes back, look between two parts."""

from __future__ import annotations

import numpy as np

from splitleak.kernels.compiling import njit
from splitleak.kernels.random_numbers import natural_patience, random_below, random_bits
from splitleak.kernels.separation import (
    count_rows,
    penalty,
    rows_per_part,
)


@njit(cache=True, nogil=True)
def kept_components(starts: np.ndarray, ends: np.ndarray, part: np.ndarray, k: int) -> tuple[np.ndarray, int]:
    """Return the component of each kept node in the graph without the removed ones (-1), and their number."""
    n = len(part)
    label = -np.ones(n, np.int64)
    stack = np.empty(n, np.int64)
    found = 0
    for s in range(n):
        if part[s] == k or label[s] >= 0:
            continue
        label[s] = found
        stack[0] = s
        height = 1
        while height:
            height -= 1
            v = stack[height]
            for e in range(starts[v], starts[v + 1]):
                u = ends[e]
                if part[u] < k and label[u] < 0:
                    label[u] = found
                    stack[height] = u
                    height += 1
        found += 1
    return label, found


@njit(cache=True, nogil=True)
def pack(
    rows: np.ndarray,
    where: np.ndarray,
    shares: np.ndarray,
    tolerance: float,
    prices: np.ndarray,
    warm: float,
    steps: int,
    seed: int,
) -> np.ndarray:
    """Hand whole pieces to parts by annealed moves and swaps; return the best assignment met.

    `rows` : int64 array of shape (n_pieces, n_classes); `where` : part of each piece at the start.
    """
    n, n_classes = rows.shape
    k = len(shares)
    state = np.array([seed], np.uint64)
    where = where.copy()
    table = np.zeros((k, n_classes), np.int64)
    for a in range(n):
        table[where[a]] += rows[a]
    now, _ = penalty(table, shares, tolerance, prices)
    best, best_where = now, where.copy()
    for step in range(steps):
        if best == 0.0:
            break
        a = random_below(state, n)
        b = -1
        source, target = where[a], random_below(state, k)
        if random_bits(state) & np.uint64(1):
            b = random_below(state, n)
            target = where[b]
        if source == target:
            continue
        for c in range(n_classes):
            moved = rows[a, c] - (rows[b, c] if b >= 0 else 0)
            table[source, c] -= moved
            table[target, c] += moved
        new, _ = penalty(table, shares, tolerance, prices)
        if new - now <= warm * (1.0 - step / steps) * natural_patience(state):
            now = new
            where[a] = target
            if b >= 0:
                where[b] = source
            if now < best - 1e-9:
                best = now
                best_where[:] = where
        else:
            for c in range(n_classes):
                moved = rows[a, c] - (rows[b, c] if b >= 0 else 0)
                table[source, c] += moved
                table[target, c] -= moved
    return best_where


@njit(cache=True, nogil=True)
def region_between(
    starts: np.ndarray,
    ends: np.ndarray,
    part: np.ndarray,
    k: int,
    a: int,
    b: int,
    rows: np.ndarray,
    quota: int,
) -> np.ndarray:
    """Mark the removed nodes that touch no part but `a` and `b`, and up to `quota` rows around them in each."""
    n = len(part)
    inside = np.zeros(n, np.bool_)
    queue = np.empty(n, np.int64)
    head, tail, used_a, used_b = 0, 0, 0, 0
    for v in range(n):
        if part[v] != k:
            continue
        only = True
        for e in range(starts[v], starts[v + 1]):
            p = part[ends[e]]
            if p != k and p != a and p != b:
                only = False
                break
        if only:
            inside[v] = True
            queue[tail] = v
            tail += 1
    while head < tail:
        v = queue[head]
        head += 1
        for e in range(starts[v], starts[v + 1]):
            u = ends[e]
            if inside[u]:
                continue
            if part[u] == a and used_a + rows[u] <= quota:
                used_a += rows[u]
            elif part[u] == b and used_b + rows[u] <= quota:
                used_b += rows[u]
            else:
                continue
            inside[u] = True
            queue[tail] = u
            tail += 1
    return inside


@njit(cache=True, nogil=True)
def restore(
    starts: np.ndarray,
    ends: np.ndarray,
    first: np.ndarray,
    ids: np.ndarray,
    rows: np.ndarray,
    n_classes: int,
    order: np.ndarray,
    part: np.ndarray,
    shares: np.ndarray,
    tolerance: float,
    prices: np.ndarray,
) -> int:
    """Put removed nodes back, in the given order, where no kept neighbour is in another part and sizes hold.

    `part` is changed in place; returns the number of nodes put back.
    """
    k = len(shares)
    table = rows_per_part(part, k, n_classes, first, ids, rows)
    fine, beyond = penalty(table, shares, tolerance, prices)
    back = 0
    for v in order:
        if part[v] != k:
            continue
        home, homeless = k, False
        for e in range(starts[v], starts[v + 1]):
            p = part[ends[e]]
            if p < k and p != home:
                homeless = home < k
                home = p
                if homeless:
                    break
        if homeless:
            continue
        won = 0
        for e in range(first[v], first[v + 1]):
            won += rows[e]
        best, best_part, best_fine, best_beyond = 0.0, -1, 0.0, 0.0
        for p in range(k):
            if home < k and p != home:
                continue
            count_rows(table, p, v, 1, first, ids, rows)
            new, new_beyond = penalty(table, shares, tolerance, prices)
            count_rows(table, p, v, -1, first, ids, rows)
            gain = won - (new - fine)
            # a row beyond the sizes is worth something to the search, but not here: many would add up
            if gain > best and new_beyond <= beyond:
                best, best_part, best_fine, best_beyond = gain, p, new, new_beyond
        if best_part >= 0:
            count_rows(table, best_part, v, 1, first, ids, rows)
            part[v] = best_part
            fine, beyond = best_fine, best_beyond
            back += 1
    return back
