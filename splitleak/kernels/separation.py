"""Parts of a graph without an edge between them, at the price of removed nodes.

A state is ``part[v]`` in 0 .. k - 1, or k where node v is removed; in every state here a kept node has kept
neighbours in its own part only. Arithmetic is limited to what every platform rounds alike: no logarithm, no power.
The steps of the searches stand in one loop each, here and in `cutting`: functions for their parts, inlined or not, made
them 5 to 20 % slower.
"""

from __future__ import annotations

import heapq

import numpy as np

from splitleak.kernels.compiling import njit
from splitleak.kernels.random_numbers import natural_patience, random_below


@njit(cache=True, nogil=True)
def penalty(
    table: np.ndarray, shares: np.ndarray, tolerance: float, prices: np.ndarray
) -> tuple[float, float]:
    """Return (penalty in rows, rows beyond the tolerance) of the kept rows per part and class.

    `prices`: of a row beyond the tolerance; of a row of a class in the wrong part; the share of a part's rows from
    which on such rows count (1 + the last entry) times.
    """
    k, n_classes = table.shape
    kept, beyond, misplaced = 0, 0.0, 0.0
    for p in range(k):
        for c in range(n_classes):
            kept += table[p, c]
    allowed = max(tolerance * kept, 0.999) + 1e-9
    for p in range(k):
        rows = 0
        for c in range(n_classes):
            rows += table[p, c]
        excess = abs(rows - shares[p] * kept) - allowed
        if excess > 0:
            beyond += excess
        if rows == 0:
            beyond += 1.0
    if n_classes > 1 and prices[1] > 0 and kept > 0:
        for c in range(n_classes):
            of_class = 0
            for p in range(k):
                of_class += table[p, c]
            for p in range(k):
                rows_off = abs(table[p, c] - shares[p] * of_class)
                misplaced += rows_off
                if rows_off > prices[2] * shares[p] * kept:
                    misplaced += prices[3] * (rows_off - prices[2] * shares[p] * kept)
    return prices[0] * beyond + prices[1] * misplaced, beyond


@njit(cache=True, nogil=True, inline="always")
def count_rows(
    table: np.ndarray, p: int, v: int, sign: int, first: np.ndarray, ids: np.ndarray, rows: np.ndarray
) -> None:
    for e in range(first[v], first[v + 1]):
        table[p, ids[e]] += sign * rows[e]


@njit(cache=True, nogil=True)
def rows_per_part(
    part: np.ndarray, k: int, n_classes: int, first: np.ndarray, ids: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Return kept rows per part and class, shape (k, n_classes)."""
    table = np.zeros((k, n_classes), np.int64)
    for v in range(len(part)):
        if part[v] < k:
            count_rows(table, part[v], v, 1, first, ids, rows)
    return table


@njit(cache=True, nogil=True)
def cover(starts: np.ndarray, ends: np.ndarray, cost: np.ndarray, part: np.ndarray, k: int) -> None:
    """Remove the node with most crossing edges per row, until no edge crosses; `part` is changed in place."""
    n = len(part)
    cross = np.zeros(n, np.int64)
    heap = [(0.0, 0, 0)]
    heap.pop()
    for v in range(n):
        if part[v] == k:
            continue
        for e in range(starts[v], starts[v + 1]):
            if part[ends[e]] < k and part[ends[e]] != part[v]:
                cross[v] += 1
        if cross[v]:
            heap.append((-cross[v] / cost[v], cross[v], v))
    heapq.heapify(heap)
    while len(heap):
        _, known, v = heapq.heappop(heap)
        if part[v] == k or cross[v] == 0:
            continue
        if known != cross[v]:  # outdated: some neighbour went since
            heapq.heappush(heap, (-cross[v] / cost[v], cross[v], v))
            continue
        for e in range(starts[v], starts[v + 1]):
            u = ends[e]
            if part[u] < k and part[u] != part[v]:
                cross[u] -= 1
        part[v] = k


@njit(cache=True, nogil=True)
def anneal(
    starts: np.ndarray,
    ends: np.ndarray,
    cost: np.ndarray,
    first: np.ndarray,
    ids: np.ndarray,
    rows: np.ndarray,
    n_classes: int,
    part: np.ndarray,
    shares: np.ndarray,
    tolerance: float,
    prices: np.ndarray,
    warm: float,
    cool: float,
    steps: int,
    seed: int,
    protected: int,
) -> np.ndarray:
    """Improve a state by simulated annealing, and return the best state met.

    A step takes a removed node back into a part and removes its neighbours in other parts instead, or removes a
    node.

    Parameters
    ----------
    starts, ends : int64 arrays of shape (n + 1,), (2 m,)
        Neighbours of node v: ``ends[starts[v] : starts[v + 1]]``.
    cost : int64 array of shape (n,)
        Rows lost when the node is removed; at least `protected`: never removed.
    first, ids, rows : int64 arrays of shape (n + 1,), (q,), (q,)
        Rows per class of each node, classes without rows left out.
    warm, cool : float
        Temperature at the start and at the end, in rows.
    """
    k, n = len(shares), len(part)
    state = np.array([seed], np.uint64)
    part = part.copy()
    near = np.zeros((n, k), np.int64)  # cost of each node's neighbours per part
    removed = np.empty(n, np.int64)
    place = -np.ones(n, np.int64)
    n_removed, lost = 0, 0
    for v in range(n):
        if part[v] == k:
            place[v] = n_removed
            removed[n_removed] = v
            n_removed += 1
            lost += cost[v]
        for e in range(starts[v], starts[v + 1]):
            if part[ends[e]] < k:
                near[v, part[ends[e]]] += cost[ends[e]]
    table = rows_per_part(part, k, n_classes, first, ids, rows)
    fine, beyond = penalty(table, shares, tolerance, prices)
    best = lost + fine
    best_beyond = beyond
    # undoing the moves since the best state gives it back; when the journal is full, the state is written down
    room = 4 * n + 1000
    log_node, log_part = np.empty(room, np.int64), np.empty(room, np.int8)
    n_log, written = 0, False
    best_part = part.copy()
    pulled, loose = np.empty(n, np.int64), np.empty(n, np.int64)
    temperature = warm
    for step in range(steps):
        if step & 1023 == 0:
            temperature = 1.0 / (1.0 / warm + (1.0 / cool - 1.0 / warm) * (step / steps))
        most = temperature * natural_patience(state)
        v, p, n_pulled, n_loose = -1, 0, 0, 0
        if n_removed == 0 or random_below(state, 16) == 0:
            # now and then a node goes for the sake of the sizes alone
            u = random_below(state, n)
            change = cost[u]
            if part[u] == k or change - fine > most:
                continue
            pulled[0] = u
            n_pulled = 1
        else:
            v = removed[random_below(state, n_removed)]
            total = 0
            for q in range(k):
                total += near[v, q]
                if near[v, q] > near[v, p]:
                    p = q
            if k == 2 or random_below(state, 5) < 2:
                p = random_below(state, k)
            loss = total - near[v, p]
            if (
                loss >= protected
            ):  # a group's node all of whose rows are gone follows the first that comes back
                for e in range(starts[v], starts[v + 1]):
                    u = ends[e]
                    if part[u] < k and part[u] != p and first[u] == first[u + 1] and near[u, part[u]] == 0:
                        loss -= cost[u]
                        loose[n_loose] = u
                        n_loose += 1
            change = loss - cost[v]
            if loss >= protected or change - fine > most:
                continue
            if loss > 0:
                for e in range(starts[v], starts[v + 1]):
                    u = ends[e]
                    if part[u] < k and part[u] != p and cost[u] < protected:
                        pulled[n_pulled] = u
                        n_pulled += 1
            count_rows(table, p, v, 1, first, ids, rows)
        for i in range(n_pulled):
            count_rows(table, part[pulled[i]], pulled[i], -1, first, ids, rows)
        new_fine, new_beyond = penalty(table, shares, tolerance, prices)
        if change + new_fine - fine > most:
            if v >= 0:
                count_rows(table, p, v, -1, first, ids, rows)
            for i in range(n_pulled):
                count_rows(table, part[pulled[i]], pulled[i], 1, first, ids, rows)
            continue
        if not written and n_log + n_pulled + n_loose + 1 > room:
            best_part[:] = part
            for j in range(n_log - 1, -1, -1):
                best_part[log_node[j]] = log_part[j]
            written = True
        if v >= 0:
            if not written:
                log_node[n_log] = v
                log_part[n_log] = k
                n_log += 1
            n_removed -= 1
            last = removed[n_removed]
            removed[place[v]] = last
            place[last] = place[v]
            place[v] = -1
            part[v] = p
            for e in range(starts[v], starts[v + 1]):
                near[ends[e], p] += cost[v]
            for i in range(n_loose):
                u = loose[i]
                if not written:
                    log_node[n_log] = u
                    log_part[n_log] = part[u]
                    n_log += 1
                for e in range(starts[u], starts[u + 1]):
                    near[ends[e], part[u]] -= cost[u]
                    near[ends[e], p] += cost[u]
                part[u] = p
        for i in range(n_pulled):
            u = pulled[i]
            if not written:
                log_node[n_log] = u
                log_part[n_log] = part[u]
                n_log += 1
            for e in range(starts[u], starts[u + 1]):
                near[ends[e], part[u]] -= cost[u]
            part[u] = k
            place[u] = n_removed
            removed[n_removed] = u
            n_removed += 1
        lost += change
        fine = new_fine
        if (new_beyond <= 0 and best_beyond > 0) or (
            (new_beyond <= 0 or best_beyond > 0) and lost + fine < best - 1e-9
        ):
            best, best_beyond = lost + fine, new_beyond
            n_log, written = 0, False
    if not written:
        best_part[:] = part
        for j in range(n_log - 1, -1, -1):
            best_part[log_node[j]] = log_part[j]
    return best_part
