"""Certificate: what an independent search across finished partitions found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from splitleak._scale import SHARES, scale_of
from splitleak.recall import Recall

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["separated", "separated_with_recall", "leaking"]


@dataclass(frozen=True)
class Across:
    """What was found between two partitions.

    Attributes
    ----------
    left, right : str
        Names of the partitions.
    pairs : int
        Pairs at or above the threshold.
    largest : float or None
        Largest similarity of a row of one to a row of the other, in [0, 1] (of an approximate search: the largest
        that was seen); None when nothing is known.
    largest_is_bound : bool
        True: nothing was found down to `largest`, so the largest similarity is below it.
    """

    left: str
    right: str
    pairs: int
    largest: float | None
    largest_is_bound: bool


@dataclass(frozen=True)
class HeldOut:
    """Rows of a held-out partition with a similar row in the first (training) partition."""

    partition: str
    rows: int
    with_similar: int
    share: float


@dataclass(frozen=True)
class Yardstick:
    """Expected share of held-out rows with a similar training row under a random split of the same sizes.

    `low` and `high` are the 95 % interval where a sample of the rows was looked up (else both equal `share`).
    """

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Nearest:
    """Histogram of each held-out row's nearest similarity to the training partition.

    Attributes
    ----------
    edges : tuple of float
        Edges of the bins, in [0, 1]; the last bin includes 1.
    counts : dict of str to tuple of int
        Rows per bin for each held-out partition.
    rows : dict of str to int
        Rows looked up in each.
    sampled : bool
        False when all held-out rows were looked up.
    """

    edges: tuple[float, ...]
    counts: dict[str, tuple[int, ...]]
    rows: dict[str, int]
    sampled: bool


@dataclass(frozen=True)
class Crossing:
    """A similar pair whose rows are in different partitions."""

    left: int
    right: int
    left_partition: str
    right_partition: str
    similarity: float
    views: tuple[str, ...] = ()  # of several similarities: those that join the pair


@dataclass(frozen=True)
class Certificate:
    """The result of a fresh search across the partitions of a split.

    Attributes
    ----------
    verdict : {"separated", "separated_with_recall", "leaking"}
        Exhaustive search and no pair crosses; approximate search of stated recall and none found; pairs cross.
    similarity, threshold
        The measure, and the inclusive bound in (0, 1].
    exhaustive : bool
        Whether the search could miss no pair.
    recall : Recall or None
        Measured share of the true pairs that an approximate search finds.
    across : tuple of Across
        One entry for each pair of partitions.
    n_crossing : int
        Number of crossing pairs.
    crossing : tuple of Crossing
        The worst of them, most similar first (at most 1,000).
    held_out : tuple of HeldOut
        Share of the rows of each held-out partition with a similar training row.
    random : Yardstick or None
        The same share under a random split of the same sizes.
    nearest : Nearest or None
        Histogram of nearest similarities to the training partition.
    notes : tuple of str
        What a reader must know besides.
    combine : {"any", "all"} or None
        Of several similarities: whether one of them makes two rows similar, or all must.
    views : tuple of Certificate
        Of several similarities: the certificate of each alone. The verdict over all of them is that of the pairs
        that any of them, or all, find similar.
    view : str
        Among several similarities: the name of this one.
    """

    verdict: Verdict
    similarity: str
    threshold: float
    exhaustive: bool
    recall: Recall | None
    across: tuple[Across, ...]
    n_crossing: int
    crossing: tuple[Crossing, ...]
    held_out: tuple[HeldOut, ...]
    random: Yardstick | None
    nearest: Nearest | None
    notes: tuple[str, ...] = ()
    combine: str | None = None
    views: tuple[Certificate, ...] = ()
    view: str = ""

    def summary(self) -> dict[str, Any]:
        """Return everything as plain JSON types."""
        found = asdict(replace(self, views=()))
        if self.recall is not None and self.recall.total == 0:
            found["recall"]["estimate"] = None
        found["views"] = [view.summary() for view in self.views]
        return _plain(found)  # type: ignore[no-any-return]

    @classmethod
    def from_summary(cls, summary: dict[str, Any]) -> Certificate:
        """Return the certificate of a `summary`."""
        s = dict(summary)
        if s["recall"] is not None:
            s["recall"] = Recall.measured(s["recall"]["found"], s["recall"]["total"])
        s["across"] = tuple(Across(**x) for x in s["across"])
        s["crossing"] = tuple(Crossing(**{**x, "views": tuple(x.get("views", ()))}) for x in s["crossing"])
        s["held_out"] = tuple(HeldOut(**x) for x in s["held_out"])
        s["random"] = Yardstick(**s["random"]) if s["random"] else None
        if s["nearest"]:
            n = s["nearest"]
            s["nearest"] = Nearest(
                tuple(n["edges"]), {k: tuple(v) for k, v in n["counts"].items()}, n["rows"], n["sampled"]
            )
        s["notes"] = tuple(s["notes"])
        s["views"] = tuple(cls.from_summary(view) for view in s.get("views", ()))
        return cls(**s)

    def frame(self) -> pd.DataFrame:
        """Return the crossing pairs (the worst 1,000) as a pandas table, most similar first."""
        import pandas as pd

        columns = ["left", "right", "left_partition", "right_partition", "similarity"]
        columns += ["views"] if self.views else []
        found = pd.DataFrame([asdict(c) for c in self.crossing], columns=columns)
        scale = scale_of(self.similarity)
        if scale is SHARES or self.views:
            return found
        return found.assign(evalue=[scale.number(pair.similarity) for pair in self.crossing])

    def __repr__(self) -> str:
        from splitleak.rendering.text import certificate_text

        return certificate_text(self.summary())

    def _repr_html_(self) -> str:
        from splitleak.rendering.html import certificate_fragment

        return certificate_fragment(self.summary())


def _plain(value: Any) -> Any:
    """Return `value` with tuples as lists and NumPy scalars as Python's."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value
