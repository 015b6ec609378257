"""Chance: how often unrelated rows reach a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.graph import SimilarityGraph


@dataclass(frozen=True, eq=False)
class Chance:
    """What a search among unrelated rows of the same make found: sequences, and shuffled ones.

    Attributes
    ----------
    pairs : int
        Pairs that were compared.
    similarities : float64 array
        Their similarities at or above `threshold`, ascending.
    threshold : float
        Lowest threshold of which this tells.
    """

    pairs: int
    similarities: NDArray[np.float64]
    threshold: float

    def at_or_above(self, threshold: float) -> int:
        """Return how many of the pairs reach a threshold (not below `self.threshold`)."""
        return len(self.similarities) - int(np.searchsorted(self.similarities, threshold))

    def share(self, threshold: float) -> float:
        """Return the share in [0, 1] of the pairs that reach a threshold."""
        return self.at_or_above(threshold) / max(1, self.pairs)

    def __eq__(self, other: object) -> bool:
        """Tell whether both found the same."""
        if not isinstance(other, Chance):
            return NotImplemented
        same = self.pairs == other.pairs and self.threshold == other.threshold
        return same and np.array_equal(self.similarities, other.similarities)

    __hash__ = None  # type: ignore[assignment]


def chance_of(graph: SimilarityGraph) -> Chance | None:
    """Return the chance level that a graph carries, where its backend measures one."""
    found = graph.details.get("chance")
    return found if isinstance(found, Chance) else None


def chance_notes(graph: SimilarityGraph, threshold: float) -> list[str]:
    """Return a sentence where chance reaches the threshold, else none."""
    chance = chance_of(graph)
    if chance is None or not chance.at_or_above(threshold):
        return []
    share, found = chance.share(threshold), chance.at_or_above(threshold)
    n = graph.n_rows
    expected = share * n * (n - 1) / 2
    return [
        f"chance reaches this threshold: {share:.2g} of the comparisons with shuffled rows do ({found:,} of"
        f" {chance.pairs:,}), so that of all {n * (n - 1) // 2:,} pairs about {expected:,.0f} would be similar though"
        f" nothing relates them; {graph.scale.stricter} or more coverage tells relatives apart"
    ]
