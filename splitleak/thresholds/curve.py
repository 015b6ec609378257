"""ThresholdCurve: what each threshold would cost, as a table and a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ThresholdCurve:
    """Clusters, feasible sizes and leakage at each threshold, ascending (E-values: descending).

    Attributes
    ----------
    names : tuple of str
        Partitions asked for, the training partition first.
    thresholds : float64 array of shape (n,)
        Thresholds as ``threshold=`` takes them (similarities in (0, 1], or E-values), inclusive as everywhere.
    pairs : int64 array of shape (n,)
        Similar pairs of rows.
    components : int64 array of shape (n,)
        Clusters: connected components of similar rows and groups.
    largest : int64 array of shape (n,)
        Rows of the largest cluster.
    held_out : int64 array of shape (n,)
        Most rows that can be held out while the largest cluster stays together: all others.
    achieved : int64 array of shape (n, n_partitions)
        Rows of each partition in the split of whole clusters nearest to the sizes asked for.
    feasible : bool array of shape (n,)
        Whether that is within the tolerance.
    dropped : int64 array of shape (n,) or None
        Rows to drop so that the sizes can be met (-1: no way was found); None: not asked for.
    random_leak : float64 array of shape (n,)
        Expected share of held-out rows with a similar training row when rows are split at random, in [0, 1].
    chance : float64 array of shape (n,) or None
        Share in [0, 1] of the pairs of unrelated (shuffled) sequences that are as similar; None: not measured by
        this kind of similarity.
    n_rows : int
        Number of rows of the data.
    unit : {"threshold", "E-value"}
        What `thresholds` are; E-values descend, so that more is asked from one to the next.
    """

    names: tuple[str, ...]
    thresholds: Floats
    pairs: Ints
    components: Ints
    largest: Ints
    held_out: Ints
    achieved: Ints
    feasible: NDArray[np.bool_]
    dropped: Ints | None
    random_leak: Floats
    n_rows: int
    chance: Floats | None = None
    unit: str = "threshold"

    @property
    def lowest_feasible(self) -> float | None:
        """First threshold of the curve at which the sizes can be met without dropping a row; None: at none."""
        found = np.flatnonzero(self.feasible)
        return float(self.thresholds[found[0]]) if len(found) else None

    def frame(self) -> pd.DataFrame:
        """Return the curve as a pandas table, one threshold a row."""
        import pandas as pd

        columns: dict[str, Any] = {
            "threshold": self.thresholds,
            "pairs": self.pairs,
            "components": self.components,
            "largest": self.largest,
            "largest_share": self.largest / self.n_rows,
            "held_out_most": self.held_out,
            "feasible": self.feasible,
        }
        columns |= {f"nearest_{name}": self.achieved[:, p] for p, name in enumerate(self.names)}
        if self.dropped is not None:
            columns["dropped"] = self.dropped
            columns["dropped_share"] = np.where(self.dropped < 0, np.nan, self.dropped / self.n_rows)
        columns["random_leak"] = self.random_leak
        if self.chance is not None:
            columns["chance_share"] = self.chance
            columns["chance_pairs"] = self._chance_pairs()
        return pd.DataFrame(columns)

    def plot(self) -> Figure:
        """Return a matplotlib figure: largest cluster, leakage under a random split, dropped rows, feasible range."""
        from splitleak.rendering.curve import draw_curve

        return draw_curve(self.summary())

    def summary(self) -> dict[str, Any]:
        """Return the curve as plain lists and numbers."""
        return {
            "names": list(self.names),
            "n_rows": self.n_rows,
            "unit": self.unit,
            "thresholds": self.thresholds.tolist(),
            "pairs": self.pairs.tolist(),
            "components": self.components.tolist(),
            "largest_share": (self.largest / self.n_rows).tolist(),
            "feasible": self.feasible.tolist(),
            "dropped_share": None
            if self.dropped is None
            else [None if rows < 0 else rows / self.n_rows for rows in self.dropped.tolist()],
            "random_leak": self.random_leak.tolist(),
            "chance_explains": None
            if self.chance is None
            else np.minimum(1, self._chance_pairs() / np.maximum(1, self.pairs)).tolist(),
        }

    def _chance_pairs(self) -> Floats:
        """Return how many of all pairs would be similar if no row were related to another."""
        assert self.chance is not None
        return np.asarray(self.chance * (self.n_rows * (self.n_rows - 1) / 2))

    def __repr__(self) -> str:
        lowest = self.lowest_feasible
        found = (
            "the sizes cannot be met at any of them"
            if lowest is None
            else f"sizes can be met from {lowest:g} on"
        )
        return (
            f"ThresholdCurve({len(self.thresholds)} {self.unit}s from {self.thresholds[0]:g} to"
            f" {self.thresholds[-1]:g}; {found})"
        )
