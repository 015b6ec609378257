"""Recall: the share of the true pairs that an approximate search found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Recall:
    """Share of the true pairs that an approximate search found, measured on a sample of rows.

    Attributes
    ----------
    estimate, low, high : float
        Point estimate and 95 % interval (Wilson), each in [0, 1].
    found, total : int
        True pairs of the sampled rows that the search found, and all of them.
    """

    estimate: float
    low: float
    high: float
    found: int
    total: int

    @classmethod
    def measured(cls, found: int, total: int) -> Recall:
        """Return the estimate for `found` of `total` true pairs; with no true pair, the interval is [0, 1]."""
        if total == 0:
            return cls(float("nan"), 0.0, 1.0, 0, 0)
        z, p = 1.959963984540054, found / total
        centre = (p + z * z / (2 * total)) / (1 + z * z / total)
        half = z / (1 + z * z / total) * np.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
        low = 0.0 if found == 0 else float(max(0.0, centre - half))
        high = 1.0 if found == total else float(min(1.0, centre + half))
        return cls(p, low, high, found, total)

    def __str__(self) -> str:
        from splitleak.rendering.sentences import recall_sentence

        return recall_sentence(vars(self), start=False)
