"""Exchange clusters between partitions so that classes balance, while every partition keeps its rows.

Integers only: the same moves on every platform.
"""

from __future__ import annotations

import numpy as np

from splitleak.kernels.compiling import njit
from splitleak.kernels.random_numbers import patience, random_below, random_bits

NONE = np.int64(-1)


@njit(cache=True, nogil=True)
def _carry(slots: np.ndarray, edges: np.ndarray, bucket: int, slot: int, source: int, target: int) -> None:
    """Hand the cluster in `slot` from one partition to another: blocks of a bucket trade their end slots."""
    while source < target:
        last = edges[bucket, source + 1] - 1
        slots[slot], slots[last] = slots[last], slots[slot]
        edges[bucket, source + 1] = last
        slot = last
        source += 1
    while source > target:
        first = edges[bucket, source]
        slots[slot], slots[first] = slots[first], slots[slot]
        edges[bucket, source] = first + 1
        slot = first
        source -= 1


@njit(cache=True, nogil=True, inline="always")
def _add(
    kind: int,
    sign: int,
    starts: np.ndarray,
    classes: np.ndarray,
    rows: np.ndarray,
    change: np.ndarray,
    touched: np.ndarray,
    n_touched: int,
) -> int:
    """Add one cluster's rows per class to `change`, and note the classes."""
    for e in range(starts[kind], starts[kind + 1]):
        c = classes[e]
        if change[c, 1] == 0:
            change[c, 1] = 1
            touched[n_touched] = c
            n_touched += 1
        change[c, 0] += sign * rows[e]
    return n_touched


@njit(cache=True, nogil=True, inline="always")
def _worse(
    off: np.ndarray, u: int, s: int, unit: int, change: np.ndarray, touched: np.ndarray, n_touched: int
) -> np.int64:
    """Return how much farther off classes would be if partition u got the `change` that s gives."""
    worse = np.int64(0)
    for t in range(n_touched):
        q = touched[t]
        by = unit * change[q, 0]
        worse += abs(off[u, q] + by) - abs(off[u, q]) + abs(off[s, q] - by) - abs(off[s, q])
    return worse


@njit(cache=True, nogil=True)
def _pick(state: np.ndarray, edges: np.ndarray, bucket: int, partition: int, not_slot: int) -> np.int64:
    """Return a random slot of a block other than `not_slot`, or NONE."""
    first, end = edges[bucket, partition], edges[bucket, partition + 1]
    if first == end:
        return NONE
    slot: np.int64 = first + random_below(state, end - first)
    return NONE if slot == not_slot else slot


@njit(cache=True, nogil=True)
def balance(
    slots: np.ndarray,
    edges: np.ndarray,
    bucket_of_slot: np.ndarray,
    bucket_rows: np.ndarray,
    bucket_of_rows: np.ndarray,
    starts: np.ndarray,
    classes: np.ndarray,
    rows: np.ndarray,
    off: np.ndarray,
    unit: int,
    goal: int,
    warmth: int,
    steps: int,
    seed: int,
) -> int:
    """Anneal the summed deviation of classes; `slots`, `edges` and `off` are changed in place.

    Clusters of one size lie in one bucket of consecutive slots, within it partition after partition. A step
    swaps two clusters of one size between two partitions, or one cluster (or two) for others that hold as many
    rows together.

    Parameters
    ----------
    slots : int32 array of shape (n_clusters,)
        Kind of the cluster in each slot.
    edges : int64 array of shape (n_buckets, n_partitions + 1)
        First slot of each partition's block in each bucket, and the bucket's end.
    bucket_of_slot : int32 array of shape (n_clusters,)
    bucket_rows : int64 array of shape (n_buckets,)
        Rows of a cluster of the bucket, descending.
    bucket_of_rows : int32 array of shape (max(bucket_rows) + 1,)
        Bucket of each size, or -1.
    starts, classes, rows : int64 arrays
        Rows per class of each kind, compressed: kind t has ``rows[e]`` rows of class ``classes[e]`` for e in
        ``starts[t]:starts[t + 1]``.
    off : int64 array of shape (n_partitions, n_classes)
        `unit` times what each partition has too many rows of each class.
    unit : int
        What one row counts in `off`.
    goal : int
        Stop when the summed absolute `off` is no more than this.
    warmth : int
        Temperature at the start, in 1024ths of a row; it falls to zero on three quarters of the way.
    steps : int
        Exchanges tried.
    seed : int

    Returns
    -------
    int
        The summed absolute deviation reached.
    """
    state = np.array([np.uint64(seed)], dtype=np.uint64)
    n_slots, n_partitions, n_buckets = slots.size, edges.shape[1] - 1, bucket_rows.size
    change = np.zeros((off.shape[1], 2), np.int64)
    touched = np.empty(off.shape[1], np.int64)
    cooling = max(1, steps * 3 // 4)
    total = 0
    for s in range(n_partitions):
        for q in range(off.shape[1]):
            total += abs(off[s, q])
    for step in range(steps):
        if total <= goal:
            break
        i = random_below(state, n_slots)
        if step & 1:  # rare sizes get a turn, too
            bucket = random_below(state, n_buckets)
            i = edges[bucket, 0] + random_below(state, edges[bucket, n_partitions] - edges[bucket, 0])
        a = np.int64(bucket_of_slot[i])
        s = 0
        while edges[a, s + 1] <= i:
            s += 1
        u = random_below(state, n_partitions - 1)
        u += u >= s
        # a, d go from s to u; b, c come back; rows of a + d = rows of b + c; only a and b are always there
        j, k, m = NONE, NONE, NONE
        b, c, d = a, NONE, NONE
        if step & 3 < 2 and n_buckets > 1:
            b = random_below(state, n_buckets)
        if b != a and bucket_rows[b] > bucket_rows[a]:
            a, b, s, u = b, a, u, s
            i = _pick(state, edges, a, s, NONE)
        j = _pick(state, edges, b, u, NONE)
        if i < 0 or j < 0:
            continue
        gap = bucket_rows[a] - bucket_rows[b]
        if gap > 0:
            c = np.int64(bucket_of_rows[gap])
            if c < 0 or random_bits(state) & np.uint64(1):
                c = random_below(state, n_buckets)
                more = bucket_rows[c] - gap
                if more <= 0 or bucket_of_rows[more] < 0:
                    continue
                d = np.int64(bucket_of_rows[more])
            k = _pick(state, edges, c, u, j)
            if k < 0:
                continue
            if d >= 0:
                m = _pick(state, edges, d, s, i)
                if m < 0 or c == a:
                    continue
        n_touched = _add(slots[i], 1, starts, classes, rows, change, touched, 0)
        n_touched = _add(slots[j], -1, starts, classes, rows, change, touched, n_touched)
        if k >= 0:
            n_touched = _add(slots[k], -1, starts, classes, rows, change, touched, n_touched)
        if m >= 0:
            n_touched = _add(slots[m], 1, starts, classes, rows, change, touched, n_touched)
        worse = _worse(off, u, s, unit, change, touched, n_touched)
        accept = worse <= 0
        if not accept and step < cooling:
            heat = warmth * (cooling - step) // cooling
            accept = worse < unit * (heat * patience(state) >> 10) >> 10
        for t in range(n_touched):
            q = touched[t]
            if accept:
                off[u, q] += unit * change[q, 0]
                off[s, q] -= unit * change[q, 0]
            change[q, 0] = 0
            change[q, 1] = 0
        if not accept:
            continue
        total += worse
        if gap == 0:
            slots[i], slots[j] = slots[j], slots[i]
            continue
        _carry_two(slots, edges, a, i, d, m, s, u)
        _carry_two(slots, edges, b, j, c, k, u, s)
    return total


@njit(cache=True, nogil=True)
def _carry_two(
    slots: np.ndarray, edges: np.ndarray, a: int, i: int, b: int, j: int, source: int, target: int
) -> None:
    # of two slots in one block, the one nearer to the end that is traded goes first: the other stays in place
    if j >= 0 and a == b and (j > i) == (source < target):
        a, i, b, j = b, j, a, i
    _carry(slots, edges, a, i, source, target)
    if j >= 0:
        _carry(slots, edges, b, j, source, target)
