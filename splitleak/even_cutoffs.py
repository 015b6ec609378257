"""Cut-offs in time that bring the classes nearer to their shares of all rows, at sizes within the tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation.trading import EVEN
from splitleak.cutoffs import Timeline
from splitleak.strata import Strata

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SWEEPS = 20


@dataclass(frozen=True)
class _Table:
    """Rows, and rows of each label, before each place where time may be cut; the last place is the end.

    Attributes
    ----------
    rows : int64 array of shape (n_places + 1,)
    labels : int64 array of shape (n_places + 1, n_labels)
    """

    rows: Ints
    labels: Ints

    @classmethod
    def of(cls, timeline: Timeline, places: Ints, strata: Strata) -> _Table:
        rows, codes, n = strata.balanced()
        place = np.searchsorted(places, timeline.rank[rows], side="right")
        table = np.bincount(place * n + codes, minlength=(len(places) + 1) * n)
        labels = np.cumsum(table.reshape(len(places) + 1, n), axis=0).astype(np.int64)
        return cls(np.append(timeline.before[places], timeline.before[-1]), labels)

    def uneven(self, start: Ints, end: Ints, target: int) -> tuple[Floats, Floats]:
        """Return the gap of the size and the largest gap of a class of the rows from `start` to `end`, as shares.

        Places as indices, -1 being the beginning; both gaps are against all rows.
        """
        none = np.zeros((1, self.labels.shape[1]), dtype=np.int64)
        before, labels = np.append(self.rows, 0), np.concatenate([self.labels, none])
        total = self.rows[-1]
        size = before[end] - before[start]
        shares = (labels[end] - labels[start]) / np.maximum(size, 1)[:, None]
        gap = np.abs(shares - self.labels[-1] / total).max(axis=1, initial=0.0)
        return np.abs(size - target) / total, np.where(size > 0, gap, np.inf)


def more_even(
    timeline: Timeline,
    cuts: Sequence[int],
    clean: NDArray[np.bool_],
    targets: Ints,
    ranges: Sequence[tuple[int, int]],
    allowed: int,
    strata: Strata,
) -> list[int]:
    """Return cut-offs at which the largest gap of a size and the largest gap of a class are together smaller.

    Each cut-off in turn is moved to its best place until none moves: for two partitions that is the best there is.
    Where every class is within a point of its share of all rows, the cut-offs stay as they are.

    Parameters
    ----------
    timeline : Timeline
    cuts : sequence of int
        Cut-offs at clean indices, with sizes within `allowed`.
    clean : bool array of shape (n_times + 1,)
        Indices that may be cut-offs.
    targets : int64 array of shape (n_partitions,)
        Rows asked for.
    ranges : sequence of (int, int), one for each cut-off
        First and last index that a cut-off may have.
    allowed : int
        Rows that each partition may be off.
    strata : Strata
    """
    k = len(targets)
    asked = np.cumsum(targets)[:-1]
    places = np.flatnonzero(clean)
    off = np.abs(timeline.before[places][:, None] - asked) <= allowed * (k - 1)  # as far as sizes can add up
    places = np.union1d(places[off.any(axis=1)], np.asarray(cuts)).astype(np.int64)
    table = _Table.of(timeline, places, strata)
    at = [-1, *np.searchsorted(places, cuts).tolist(), len(places)]

    def gaps(i: int, start: Ints, end: Ints) -> tuple[Floats, Floats]:
        return table.uneven(start, end, int(targets[i]))

    every = [gaps(i, np.array([at[i]]), np.array([at[i + 1]])) for i in range(k)]
    if max(gap[0] for _, gap in every) <= EVEN:
        return list(cuts)
    for _ in range(SWEEPS):
        begun = list(at)
        for j, (first, last) in enumerate(ranges, 1):
            free = np.arange(at[j - 1] + 1, at[j + 1])
            free = free[(places[free] >= first) & (places[free] <= last)]
            left = gaps(j - 1, np.full(len(free), at[j - 1]), free)
            right = gaps(j, free, np.full(len(free), at[j + 1]))
            others = [
                gaps(i, np.array([at[i]]), np.array([at[i + 1]])) for i in range(k) if i not in (j - 1, j)
            ]
            size, gap = (
                np.maximum.reduce([left[n], right[n], *(np.broadcast_to(o[n], len(free)) for o in others)])
                for n in (0, 1)
            )
            cost = np.where(size * table.rows[-1] <= allowed + 0.5, size + gap, np.inf)
            here = cost[free == at[j]]
            best = int(np.argmin(cost))
            if cost[best] < here[0] - 1e-12:
                at[j] = int(free[best])
        if at == begun:
            break
    return [int(places[c]) for c in at[1:-1]]
