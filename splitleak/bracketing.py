"""Cut-offs in time by false position: nearer to the sizes with each try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.cutoffs import Timeline


@dataclass
class Bracket:
    """Between which rows, in order of time, each cut-off must lie for the shares that were seen to be met."""

    timeline: Timeline
    goal: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    share_low: NDArray[np.float64]
    share_high: NDArray[np.float64]
    ranges: Sequence[tuple[int, int]]

    @classmethod
    def of(
        cls, timeline: Timeline, shares: NDArray[np.float64], ranges: Sequence[tuple[int, int]]
    ) -> Bracket:
        """Start from the whole of the time: no row, and all rows, lie before a cut-off there."""
        n = len(ranges)
        total = float(timeline.before[-1])
        return cls(
            timeline, np.cumsum(shares)[:-1], np.zeros(n), np.full(n, total), np.zeros(n), np.ones(n), ranges
        )

    def narrowed(self, cuts: Sequence[int], sizes: NDArray[np.float64]) -> list[int]:
        """Learn from what some cut-offs gave, and return the next ones: false position, kept off the ends."""
        shares = np.cumsum(sizes)[:-1] / max(1.0, float(sizes.sum()))
        following: list[int] = []
        for j, (a, b) in enumerate(self.ranges):
            at = float(self.timeline.before[cuts[j]])
            if shares[j] < self.goal[j]:
                self.low[j], self.share_low[j] = at, shares[j]
            else:
                self.high[j], self.share_high[j] = at, shares[j]
            width = self.share_high[j] - self.share_low[j]
            part = (self.goal[j] - self.share_low[j]) / width if width > 0 else 0.5
            place = self.low[j] + (self.high[j] - self.low[j]) * float(np.clip(part, 0.1, 0.9))
            cut = int(np.searchsorted(self.timeline.before, place))
            least = max(a, following[-1] + 1 if following else a)
            following.append(int(np.clip(cut, least, max(least, b))))
        return following
