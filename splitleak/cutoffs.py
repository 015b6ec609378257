"""Where time is cut: the dates at which partitions begin, so that the sizes are met as nearly as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.graph import SimilarityGraph

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEVER = 2**60  # the cost of what cannot be
SWEEPS = 20


@dataclass(frozen=True)
class Timeline:
    """Rows in order of time.

    A cut-off is an index `a` into the distinct times: a partition begins with the rows of that time. Rows before it
    whose time plus the embargo does not lie before it are in the embargo.

    Attributes
    ----------
    rank : int64 array of shape (n_rows,)
        Index of each row's time among the distinct ones.
    free : int64 array of shape (n_times,)
        First time, as an index, that lies beyond the embargo of each time; `n_times` where there is none.
    before : int64 array of shape (n_times + 1,)
        Rows before each time.
    """

    rank: Ints
    free: Ints
    before: Ints

    @classmethod
    def of(cls, ticks: NDArray[Any], embargo: float) -> Timeline:
        """Make the timeline of a time per row: ``time + embargo < other`` parts two times."""
        times, rank, count = np.unique(ticks, return_inverse=True, return_counts=True)
        free = np.searchsorted(times, times + embargo, side="right").astype(np.int64)
        return cls(rank.astype(np.int64), free, np.concatenate([[0], np.cumsum(count)]).astype(np.int64))

    @property
    def n_times(self) -> int:
        """Number of distinct times."""
        return len(self.free)

    @property
    def usable(self) -> Ints:
        """Rows that lie before each cut-off, outside its embargo, shape (n_times + 1,)."""
        end = np.searchsorted(self.free, np.arange(self.n_times + 1), side="right")
        return np.asarray(self.before[end])

    def windows(self, cuts: Sequence[int]) -> Ints:
        """Return the partition of each row for the given cut-offs; -1: in an embargo."""
        codes = np.searchsorted(np.asarray(cuts, dtype=np.int64), self.rank, side="right").astype(np.int64)
        following = np.append(np.asarray(cuts, dtype=np.int64), self.n_times)[codes]
        return np.where((codes < len(cuts)) & (self.free[self.rank] > following), -1, codes)

    def clean(self, labels: Ints) -> Bools:
        """Return at which indices nothing is lost: no cluster on both sides, nothing in the embargo."""
        n = self.n_times
        first = np.full(int(labels.max()) + 1, n, dtype=np.int64)
        last = np.full(len(first), -1, dtype=np.int64)
        np.minimum.at(first, labels, self.rank)
        np.maximum.at(last, labels, self.rank)
        spanned = np.bincount(first + 1, minlength=n + 2) - np.bincount(last + 1, minlength=n + 2)
        clean = np.cumsum(spanned)[: n + 1] == 0
        clean[1:n] &= self.free[: n - 1] <= np.arange(1, n)
        clean[[0, n]] = False
        return np.asarray(clean)


def reach(timeline: Timeline, graph: SimilarityGraph, groups: Sequence[Ints]) -> tuple[Ints, Ints]:
    """Return the earliest and the latest time among the rows tied to each row, itself included."""
    low, high = timeline.rank.copy(), timeline.rank.copy()
    rank, n = timeline.rank, graph.n_rows
    copies = np.arange(n) if graph.copies is None else graph.copies
    first, last = np.full(n, timeline.n_times), np.full(n, -1)
    np.minimum.at(first, copies, rank)
    np.maximum.at(last, copies, rank)
    around_first, around_last = first.copy(), last.copy()
    for a, b in ((graph.left, graph.right), (graph.right, graph.left)):
        np.minimum.at(around_first, a, first[b])
        np.maximum.at(around_last, a, last[b])
    np.minimum(low, around_first[copies], out=low)
    np.maximum(high, around_last[copies], out=high)
    for group in groups:
        rows = np.flatnonzero(group >= 0)
        _, number = np.unique(group[rows], return_inverse=True)
        first, last = np.full(len(rows), timeline.n_times), np.full(len(rows), -1)
        np.minimum.at(first, number, rank[rows])
        np.maximum.at(last, number, rank[rows])
        low[rows], high[rows] = np.minimum(low[rows], first[number]), np.maximum(high[rows], last[number])
    return low, high


@dataclass(frozen=True)
class Losses:
    """What each cut-off costs, estimated for all of them at once.

    Attributes
    ----------
    ends : int64 array of shape (n_times + 1,)
        Rows before each cut-off that stay when it is one.
    starts : int64 array of shape (n_times + 1,)
        Rows before each cut-off plus those after it that go when it is one.
    """

    ends: Ints
    starts: Ints

    @classmethod
    def known(cls, timeline: Timeline, gone: Bools) -> Losses:
        """Take the rows that go as known, whatever the cut-offs."""
        lost = np.bincount(timeline.rank[gone], minlength=timeline.n_times)
        before = timeline.before - np.concatenate([[0], np.cumsum(lost)])
        end = np.searchsorted(timeline.free, np.arange(timeline.n_times + 1), side="right")
        return cls(before[end], before)

    @classmethod
    def of(cls, timeline: Timeline, low: Ints, high: Ints) -> Losses:
        """Count on each side the rows tied to the other: dropping the fewer is enough, so this is an upper bound."""
        n, rank, free = timeline.n_times, timeline.rank, timeline.free
        left = _covering(free[rank], high, n)
        right = _covering(free[low], rank, n)
        of_left = left <= right
        return cls(
            timeline.usable - np.where(of_left, left, 0),
            timeline.before + np.where(of_left, 0, right),
        )


def _covering(first: Ints, last: Ints, n: int) -> Ints:
    """Return in how many of the intervals ``first..last`` each index lies."""
    some = first <= last
    step = np.bincount(first[some], minlength=n + 2) - np.bincount(last[some] + 1, minlength=n + 2)
    return np.asarray(np.cumsum(step)[: n + 1], dtype=np.int64)


def nearest_clean(
    timeline: Timeline, clean: Bools, targets: Ints, ranges: Sequence[tuple[int, int]], allowed: int
) -> list[int] | None:
    """Return the cut-offs, at clean indices only, whose sizes are nearest to the targets, or None.

    The smallest summed deviation, exactly; among answers with each partition within `allowed` rows where there is
    one. Ties go to the earlier cut-off.

    Parameters
    ----------
    timeline : Timeline
    clean : bool array of shape (n_times + 1,)
        Indices that may be cut-offs.
    targets : int64 array of shape (n_partitions,)
        Rows asked for.
    ranges : sequence of (int, int), one for each cut-off
        First and last index that a cut-off may have (pinned rows).
    allowed : int
        Largest deviation of a partition, in rows.
    """
    for limit in (allowed, NEVER):
        found = _cheapest(timeline, np.flatnonzero(clean), targets, ranges, limit)
        if found is not None:
            return found
    return None


def _cheapest(
    timeline: Timeline, index: Ints, targets: Ints, ranges: Sequence[tuple[int, int]], limit: int
) -> list[int] | None:
    rows, total = timeline.before[index], int(timeline.before[-1])
    if not len(index):
        return None
    may = [(index >= a) & (index <= b) for a, b in ranges]
    cost = np.where(may[-1], _off(total - rows, int(targets[-1]), limit), NEVER)
    chosen: list[Ints] = []
    for j in range(len(targets) - 2, 0, -1):
        cost, following = _one_earlier(rows, cost, int(targets[j]), limit)
        cost = np.where(may[j - 1], cost, NEVER)
        chosen.append(following)
    cost = np.minimum(cost + _off(rows, int(targets[0]), limit), NEVER)
    at = int(np.argmin(cost))
    if cost[at] >= NEVER:
        return None
    cuts = [at]
    for following in reversed(chosen):
        cuts.append(int(following[cuts[-1]]))
    return [int(index[c]) for c in cuts]


def _off(size: Ints, target: int, limit: int) -> Ints:
    off = np.abs(size - target)
    return np.where((off <= limit) & (size > 0), off, NEVER)


def _one_earlier(rows: Ints, cost: Ints, target: int, limit: int) -> tuple[Ints, Ints]:
    """Return for each place the cheapest later place to end a partition of `target` rows, and what it costs."""
    place = np.arange(len(rows))
    goal = rows + target
    middle = np.searchsorted(rows, goal)
    lowest = np.maximum(place + 1, np.searchsorted(rows, goal - limit))
    highest = np.searchsorted(rows, goal + limit, side="right")
    # |rows[z] - goal| is one straight line on either side of the goal
    short, at_short = _window_minimum(cost - rows, lowest, np.maximum(lowest, middle))
    long, at_long = _window_minimum(cost + rows, np.maximum(middle, place + 1), highest)
    short, long = short + goal, long - goal
    best = np.where(short <= long, short, long)
    at = np.where(short <= long, at_short, at_long)
    return np.where((at >= 0) & (best < NEVER // 2), best, NEVER), at


def _window_minimum(values: Ints, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Return the minimum of ``values[start:stop]`` and its first place, for each window; (NEVER, -1): empty."""
    width = np.maximum(0, stop - start)
    level = np.frexp(np.maximum(width, 1).astype(np.float64))[1] - 1
    least, at = np.full(len(start), NEVER, dtype=np.int64), np.full(len(start), -1, dtype=np.int64)
    best = np.arange(len(values))
    for depth in range(int(level.max(initial=0)) + 1):
        mine = np.flatnonzero((level == depth) & (width > 0))
        a, b = best[start[mine]], best[stop[mine] - 2**depth]
        first = np.where(values[b] < values[a], b, a)
        least[mine], at[mine] = values[first], first
        half = 2**depth
        if len(best) <= half:
            break
        a, b = best[:-half], best[half:]
        best = np.where(values[b] < values[a], b, a)
    return least, at


def promising(
    losses: Losses,
    shares: NDArray[np.float64],
    ranges: Sequence[tuple[int, int]],
    tolerance: float,
    most: int,
) -> list[list[int]]:
    """Return cut-offs, best estimate first, at which few rows would go and the sizes be met.

    What is weighed is the rows that go plus the rows by which the sizes of the rest are off. One cut-off after the
    other is moved to its best place until none moves; for two partitions that is the best there is.
    """
    n, total = len(losses.ends) - 1, int(losses.ends[-1])
    if n < len(shares):
        return []
    quantile = np.searchsorted(losses.ends, np.cumsum(shares)[:-1] * total)
    cuts: list[int] = []
    for j, (a, b) in enumerate(ranges):
        low = max(a, cuts[-1] + 1 if cuts else 1)
        cuts.append(int(np.clip(quantile[j], low, max(low, min(b, n - len(ranges) + j)))))
    others: list[list[int]] = []
    for _ in range(SWEEPS):
        begun, others = list(cuts), []
        for j, (a, b) in enumerate(ranges):
            low = max(a, cuts[j - 1] + 1 if j else 1)
            high = min(b, cuts[j + 1] - 1 if j + 1 < len(cuts) else n - 1)
            if low > high:
                return []
            places = np.arange(low, high + 1)
            order = np.argsort(_weighed(losses, cuts, j, places, shares, tolerance, total), kind="stable")
            cuts[j] = int(places[order[0]])
            others += [[*cuts[:j], int(places[o]), *cuts[j + 1 :]] for o in order[1 : most + 1]]
        if cuts == begun:
            break
    return [cuts, *others]


def _weighed(
    losses: Losses,
    cuts: list[int],
    j: int,
    places: Ints,
    shares: NDArray[np.float64],
    tolerance: float,
    total: int,
) -> NDArray[np.float64]:
    """Return the cost of moving cut-off `j` to each place; beyond the tolerance nearness counts most."""
    k = len(shares)
    sizes = np.empty((k, len(places)))
    for i in range(k):
        start = 0 if i == 0 else losses.starts[places if i - 1 == j else cuts[i - 1]]
        end = total if i == k - 1 else losses.ends[places if i == j else cuts[i]]
        sizes[i] = np.maximum(0, end - start)
    return weigh(sizes, shares, tolerance, total)


def weigh(
    sizes: NDArray[np.float64], shares: NDArray[np.float64], tolerance: float, total: int
) -> NDArray[np.float64]:
    """Return rows lost plus rows in the wrong place, shape (n,), of sizes of shape (n_partitions, n).

    Sizes beyond the tolerance (as a share of the kept rows), or a partition without rows, cost more than any within.
    """
    kept = sizes.sum(axis=0)
    off = np.abs(sizes - shares[:, None] * kept)
    allowed = np.maximum(np.floor(tolerance * kept + 1e-9 * np.maximum(1, kept)), 1 - 1e-9)  # rows are whole
    beyond = np.maximum(0.0, off - allowed).sum(axis=0)
    bad = (beyond > 0) | (sizes == 0).any(axis=0)
    return np.asarray(total - kept + off.sum(axis=0) / 2 + np.where(bad, (4 + beyond) * total, 0.0))
