"""Parts of a graph that keep every node, as little similarity as possible between them."""

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
def cut_between(starts: np.ndarray, ends: np.ndarray, strength: np.ndarray, part: np.ndarray) -> int:
    """Return the summed strength of the edges between parts."""
    cut = 0
    for v in range(len(part)):
        for e in range(starts[v], starts[v + 1]):
            if part[ends[e]] > part[v]:
                cut += strength[e]
    return cut


@njit(cache=True, nogil=True)
def anneal_cut(
    starts: np.ndarray,
    ends: np.ndarray,
    strength: np.ndarray,
    first: np.ndarray,
    ids: np.ndarray,
    rows: np.ndarray,
    n_classes: int,
    part: np.ndarray,
    fixed: np.ndarray,
    shares: np.ndarray,
    tolerance: float,
    prices: np.ndarray,
    row_price: float,
    warm: float,
    cool: float,
    steps: int,
    seed: int,
) -> np.ndarray:
    """Move and swap nodes by simulated annealing so that less is cut; return the best parts met.

    The cost is the strength cut and `row_price` times the `penalty` of sizes and classes; parts within the
    tolerance come before all others.

    Parameters
    ----------
    starts, ends, strength : int64 arrays of shape (n + 1,), (2 m,), (2 m,)
        Neighbours of node v: ``ends[starts[v] : starts[v + 1]]``, and what parting from each costs.
    first, ids, rows : int64 arrays of shape (n + 1,), (q,), (q,)
        Rows per class of each node, classes without rows left out.
    part : int64 array of shape (n,)
    fixed : bool array of shape (n,)
        Nodes that must stay where they are.
    warm, cool : float
        Temperature at the start and at the end, in units of strength.
    """
    k, n = len(shares), len(part)
    state = np.array([seed], np.uint64)
    part = part.copy()
    table = rows_per_part(part, k, n_classes, first, ids, rows)
    fine, beyond = penalty(table, shares, tolerance, prices)
    now, best, best_beyond = 0.0, row_price * fine, beyond
    # undoing the moves since the best state gives it back; when the journal is full, the state is written down
    room = 4 * n + 1000
    log_node, log_part = np.empty(room, np.int64), np.empty(room, np.int64)
    n_log, written = 0, False
    best_part = part.copy()
    temperature = warm
    for step in range(steps):
        if step & 1023 == 0:
            temperature = 1.0 / (1.0 / warm + (1.0 / cool - 1.0 / warm) * (step / steps))
        v = random_below(state, n)
        p = part[v]
        if fixed[v]:
            continue
        draw = random_bits(state) & np.uint64(15)
        w = -1
        if draw == 0:  # now and then a node goes for the sake of the sizes alone
            q = random_below(state, k)
        elif draw < 6:
            w = random_below(state, n)
            q = part[w]
            if fixed[w]:
                continue
        elif starts[v] < starts[v + 1]:
            q = part[ends[starts[v] + random_below(state, starts[v + 1] - starts[v])]]
        else:
            continue
        if p == q:
            continue
        change = 0
        for e in range(starts[v], starts[v + 1]):
            u = ends[e]
            if u == w:
                change += 2 * strength[e]
            if part[u] == p:
                change += strength[e]
            elif part[u] == q:
                change -= strength[e]
        if w >= 0:
            for e in range(starts[w], starts[w + 1]):
                if part[ends[e]] == q:
                    change += strength[e]
                elif part[ends[e]] == p:
                    change -= strength[e]
        most = temperature * natural_patience(state)
        if change - row_price * fine > most:
            continue
        count_rows(table, p, v, -1, first, ids, rows)
        count_rows(table, q, v, 1, first, ids, rows)
        if w >= 0:
            count_rows(table, q, w, -1, first, ids, rows)
            count_rows(table, p, w, 1, first, ids, rows)
        new_fine, new_beyond = penalty(table, shares, tolerance, prices)
        if change + row_price * (new_fine - fine) > most:
            count_rows(table, p, v, 1, first, ids, rows)
            count_rows(table, q, v, -1, first, ids, rows)
            if w >= 0:
                count_rows(table, q, w, 1, first, ids, rows)
                count_rows(table, p, w, -1, first, ids, rows)
            continue
        if not written and n_log + 2 > room:
            best_part[:] = part
            for j in range(n_log - 1, -1, -1):
                best_part[log_node[j]] = log_part[j]
            written = True
        part[v] = q
        if w >= 0:
            part[w] = p
        if not written:
            log_node[n_log], log_part[n_log] = v, p
            n_log += 1
            if w >= 0:
                log_node[n_log], log_part[n_log] = w, q
                n_log += 1
        now += change
        fine = new_fine
        cost = now + row_price * fine
        if (new_beyond <= 0 and best_beyond > 0) or (
            (new_beyond <= 0 or best_beyond > 0) and cost < best - 1e-9
        ):
            best, best_beyond = cost, new_beyond
            n_log, written = 0, False
    if written:
        return best_part
    for j in range(n_log - 1, -1, -1):
        part[log_node[j]] = log_part[j]
    return part
