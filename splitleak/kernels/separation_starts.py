"""Balanced cuts by levels: coarsen, grow, refine."""

from __future__ import annotations

import heapq

import numpy as np

from splitleak.kernels.compiling import njit
from splitleak.kernels.random_numbers import random_below


@njit(cache=True, nogil=True)
def label_clusters(
    starts: np.ndarray,
    ends: np.ndarray,
    strength: np.ndarray,
    rows: np.ndarray,
    most: int,
    rounds: int,
    seed: int,
) -> np.ndarray:
    """Return clusters of at most `most` rows by label propagation (Raghavan et al. 2007, with a bound on size)."""
    n = len(rows)
    state = np.array([seed], np.uint64)
    label, filled = np.arange(n), rows.copy()
    score = np.zeros(n, np.int64)
    order = np.arange(n)
    for i in range(n - 1, 0, -1):
        j = random_below(state, i + 1)
        order[i], order[j] = order[j], order[i]
    for _ in range(rounds):
        moved = 0
        for v in order:
            if starts[v] == starts[v + 1]:
                continue
            for e in range(starts[v], starts[v + 1]):
                score[label[ends[e]]] += strength[e]
            best = label[v]
            best_score = score[best]
            for e in range(starts[v], starts[v + 1]):
                c = label[ends[e]]
                if c == best or filled[c] + rows[v] > most or score[c] < best_score:
                    continue
                if score[c] > best_score or random_below(state, 4) == 0:
                    best, best_score = c, score[c]
            for e in range(starts[v], starts[v + 1]):
                score[label[ends[e]]] = 0
            if best != label[v]:
                filled[label[v]] -= rows[v]
                filled[best] += rows[v]
                label[v] = best
                moved += 1
        if moved * 50 < n:
            break
    return label


@njit(cache=True, nogil=True)
def contract(
    starts: np.ndarray, ends: np.ndarray, strength: np.ndarray, label: np.ndarray, n_coarse: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the graph of clusters, parallel edges added up, neighbours sorted by first appearance."""
    n = len(label)
    size = np.zeros(n_coarse + 1, np.int64)
    for v in range(n):
        size[label[v] + 1] += 1
    begin = np.cumsum(size)
    fill, members = begin[:-1].copy(), np.empty(n, np.int64)
    for v in range(n):
        members[fill[label[v]]] = v
        fill[label[v]] += 1
    total = np.zeros(n_coarse, np.int64)
    touched = np.empty(n_coarse, np.int64)
    new_starts = np.zeros(n_coarse + 1, np.int64)
    new_ends, new_strength = np.empty(len(ends), np.int64), np.empty(len(ends), np.int64)
    used = 0
    for c in range(n_coarse):
        n_touched = 0
        for i in range(begin[c], begin[c + 1]):
            v = members[i]
            for e in range(starts[v], starts[v + 1]):
                d = label[ends[e]]
                if d == c:
                    continue
                if total[d] == 0:
                    touched[n_touched] = d
                    n_touched += 1
                total[d] += strength[e]
        for i in range(n_touched):
            new_ends[used] = touched[i]
            new_strength[used] = total[touched[i]]
            total[touched[i]] = 0
            used += 1
        new_starts[c + 1] = used
    return new_starts, new_ends[:used].copy(), new_strength[:used].copy()


@njit(cache=True, nogil=True)
def grow(
    starts: np.ndarray,
    ends: np.ndarray,
    strength: np.ndarray,
    rows: np.ndarray,
    part: np.ndarray,
    target: int,
    want: int,
    seed: int,
) -> None:
    """Grow part `target` out of part 0 from a random node to about `want` rows, the best attached node first."""
    n = len(rows)
    state = np.array([seed], np.uint64)
    attached, free = np.zeros(n, np.int64), np.zeros(n, np.int64)
    left = 0
    for v in range(n):
        if part[v] == 0:
            left += 1
            for e in range(starts[v], starts[v + 1]):
                if part[ends[e]] == 0:
                    free[v] += strength[e]
    heap = [(0, 0)]
    heap.pop()
    got = 0
    while got < want and left > 0:
        v = -1
        while len(heap):
            price, u = heapq.heappop(heap)
            if part[u] == 0 and price == free[u] - 2 * attached[u]:
                v = u
                break
        if v < 0:
            v = random_below(state, n)
            while part[v] != 0:
                v = (v + 1) % n
        left -= 1
        if got + rows[v] - want > want - got:  # nearer to the wish without it
            if got * 10 > want * 9:
                break
            part[v] = -1
            continue
        part[v] = target
        got += rows[v]
        for e in range(starts[v], starts[v + 1]):
            u = ends[e]
            if part[u] == 0:
                attached[u] += strength[e]
                heapq.heappush(heap, (free[u] - 2 * attached[u], u))
    for v in range(n):
        if part[v] == -1:
            part[v] = 0


@njit(cache=True, nogil=True)
def refine(
    starts: np.ndarray,
    ends: np.ndarray,
    strength: np.ndarray,
    rows: np.ndarray,
    part: np.ndarray,
    wanted: np.ndarray,
    slack: int,
    passes: int,
) -> None:
    """Move nodes between parts so that less is cut (Fiduccia and Mattheyses 1982); `part` changes in place.

    In a pass each node moves at most once, the best move first even where it cuts more; the pass is then undone
    back to its best moment. Parts stay within `slack` rows of `wanted`, or come nearer to it.
    """
    n, k = len(part), len(wanted)
    load = np.zeros(k, np.int64)
    for v in range(n):
        load[part[v]] += rows[v]
    tie = np.zeros(k, np.int64)
    moved, origin = np.empty(n, np.int64), np.empty(n, np.int64)
    patience_left = 50 + n // 20
    for _ in range(passes):
        done = np.zeros(n, np.bool_)
        gain_of = np.empty(n, np.int64)
        heap = [(0, 0, 0)]
        heap.pop()
        for v in range(n):
            gain, q = _best_move(v, starts, ends, strength, part, tie)
            gain_of[v] = gain
            if q >= 0:
                heap.append((-gain, v, q))
        heapq.heapify(heap)
        n_moved, best_moved, now, best = 0, 0, 0, 0
        off = _off(load, wanted, slack)
        best_off = off
        while len(heap) and n_moved - best_moved < patience_left:
            minus, v, q = heapq.heappop(heap)
            if done[v] or -minus != gain_of[v]:
                continue
            p = part[v]
            load[p] -= rows[v]
            load[q] += rows[v]
            new_off = _off(load, wanted, slack)
            if new_off > 0 and new_off >= off:
                load[p] += rows[v]
                load[q] -= rows[v]
                continue
            off = new_off
            done[v] = True
            part[v] = q
            moved[n_moved], origin[n_moved] = v, p
            n_moved += 1
            now -= minus
            if off < best_off or (off == best_off and now > best):
                best, best_moved, best_off = now, n_moved, off
            for e in range(starts[v], starts[v + 1]):
                u = ends[e]
                if not done[u]:
                    gain, target = _best_move(u, starts, ends, strength, part, tie)
                    gain_of[u] = gain
                    if target >= 0:
                        heapq.heappush(heap, (-gain, u, target))
        for i in range(n_moved - 1, best_moved - 1, -1):
            v = moved[i]
            load[part[v]] -= rows[v]
            part[v] = origin[i]
            load[part[v]] += rows[v]
        if best_moved == 0:
            break


@njit(cache=True, nogil=True, inline="always")
def _off(load: np.ndarray, wanted: np.ndarray, slack: int) -> int:
    off = 0
    for p in range(len(load)):
        off += max(0, abs(load[p] - wanted[p]) - slack)
    return off


@njit(cache=True, nogil=True)
def _best_move(
    v: int, starts: np.ndarray, ends: np.ndarray, strength: np.ndarray, part: np.ndarray, tie: np.ndarray
) -> tuple[int, int]:
    """Return (what less is cut, part) of the best move of v to a part of a neighbour; part -1: none."""
    own = part[v]
    for e in range(starts[v], starts[v + 1]):
        tie[part[ends[e]]] += strength[e]
    stay = tie[own]
    tie[own] = 0
    best, target = 0, -1
    for q in range(len(tie)):
        if tie[q] > best:
            best, target = tie[q], q
    for q in range(len(tie)):
        tie[q] = 0
    return best - stay, target
