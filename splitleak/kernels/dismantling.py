"""Removal of the few nodes that hold many together."""

from __future__ import annotations

import heapq

import numpy as np

from splitleak.kernels.compiling import njit


@njit(cache=True, nogil=True)
def dismantle(
    starts: np.ndarray, ends: np.ndarray, cost: np.ndarray, rows: np.ndarray, limit: int, protected: int
) -> np.ndarray:
    """Remove nodes by highest remaining degree per row until no edge is left, then put them back in reverse.

    A node goes back where the component it would join stays within `limit` rows. Returns the removed mask: the
    start for graphs that a few hubs hold together, where a cut of edges is a poor guide.
    """
    n = len(cost)
    degree = starts[1:] - starts[:-1]
    gone = np.zeros(n, np.bool_)
    order = np.empty(n, np.int64)
    n_gone = 0
    heap = [(0.0, 0, 0)]
    heap.pop()
    for v in range(n):
        if degree[v] > 0 and cost[v] < protected:
            heap.append((-degree[v] / cost[v], degree[v], v))
    heapq.heapify(heap)
    while len(heap):
        _, known, v = heapq.heappop(heap)
        if degree[v] == 0:
            continue
        if known != degree[v]:
            heapq.heappush(heap, (-degree[v] / cost[v], degree[v], v))
            continue
        gone[v] = True
        order[n_gone] = v
        n_gone += 1
        for e in range(starts[v], starts[v + 1]):
            degree[ends[e]] -= 1
        degree[v] = 0
    root, weight = np.arange(n), rows.copy()
    for v in range(n):
        if not gone[v]:
            for e in range(starts[v], starts[v + 1]):
                if not gone[ends[e]]:
                    _join(root, weight, v, ends[e])
    for i in range(n_gone - 1, -1, -1):
        v = order[i]
        total = rows[v]
        for e in range(starts[v], starts[v + 1]):
            if not gone[ends[e]]:
                r = _find(root, ends[e])
                if weight[r] > 0:
                    total += weight[r]
                    weight[r] = -weight[r]  # counted
        for e in range(starts[v], starts[v + 1]):
            if not gone[ends[e]]:
                r = _find(root, ends[e])
                weight[r] = abs(weight[r])
        if total <= limit:
            gone[v] = False
            for e in range(starts[v], starts[v + 1]):
                if not gone[ends[e]]:
                    _join(root, weight, v, ends[e])
    return gone


@njit(cache=True, nogil=True)
def _find(root: np.ndarray, v: int) -> int:
    while root[v] != v:
        root[v] = root[root[v]]
        v = root[v]
    return v


@njit(cache=True, nogil=True)
def _join(root: np.ndarray, weight: np.ndarray, v: int, u: int) -> None:
    a, b = _find(root, v), _find(root, u)
    if a == b:
        return
    if weight[a] < weight[b]:
        a, b = b, a
    root[b] = a
    weight[a] += weight[b]
