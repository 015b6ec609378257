"""InteractionSplit: which pair of entities is in which named set, and which entity in which partition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak.partition import Split

if TYPE_CHECKING:
    import pandas as pd

    from splitleak.certificate import Certificate


@dataclass(frozen=True, eq=False)
class Side:
    """The entities of one side of the pairs.

    Attributes
    ----------
    column : str
        Column of the pairs that names them.
    ids : tuple
        Their ids, sorted.
    codes : int64 array of shape (n_entities,) or None
        Partition of each; None: this side was not partitioned.
    clusters : int64 array of shape (n_entities,) or None
        Cluster of each.
    certificate : Certificate or None
        What the fresh search across the partitions of these entities found.
    """

    column: str
    ids: tuple[Any, ...]
    codes: NDArray[np.int64] | None = None
    clusters: NDArray[np.int64] | None = None
    certificate: Certificate | None = None


@dataclass(frozen=True, eq=False, repr=False)
class InteractionSplit:
    """Which pair of entities is in which named set.

    Attributes
    ----------
    split : Split
        The named sets as a `Split` of the pairs: for saving, for scikit-learn, for frames.
    partitions : tuple of str
        The partitions of the entities, the training partition first; also the names of the sets of pairs with both
        entities in one.
    asked : float64 array of shape (n_partitions,)
        Pairs asked for in each partition; NaN: any number.
    left, right : Side
        The entities of each side; one and the same where `symmetric`.
    mode : {"both", "left", "right"}
        Which sides were partitioned.
    symmetric : bool
        Whether both columns hold entities of one kind.
    """

    split: Split
    partitions: tuple[str, ...]
    asked: NDArray[np.float64]
    left: Side
    right: Side
    mode: str = "both"
    symmetric: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The named sets: the partitions, then the mixed ones."""
        return self.split.names

    @property
    def codes(self) -> NDArray[np.int64]:
        """Set of each pair as an index into `names`, shape (n_pairs,)."""
        return self.split.codes

    @property
    def sizes(self) -> dict[str, int]:
        """Pairs in each named set."""
        return self.split.sizes

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that are told apart: one where `symmetric`, else left and right."""
        return (self.left,) if self.symmetric else (self.left, self.right)

    @property
    def verdict(self) -> str | None:
        """The worst verdict of the certificates; None: not certified."""
        found = [side.certificate.verdict for side in self.sides if side.certificate is not None]
        order = ("leaking", "separated_with_recall", "separated")
        return min(found, key=order.index) if found else None

    def __getitem__(self, name: str) -> NDArray[np.int64]:
        """Return the row positions of a named set, sorted."""
        return self.split[name]

    def take(self, pairs: Any, *, check: bool = True) -> dict[str, Any]:
        """Return the pairs of each named set, in the type of `pairs`; see `Split.take`."""
        return self.split.take(pairs, check=check)

    def frame(self, pairs: Any = None) -> pd.DataFrame:
        """Return a pandas table with columns ``row``, ``set``, and those of `pairs`."""
        return self.split.frame(pairs).rename(columns={"partition": "set"})

    def entities(self) -> pd.DataFrame:
        """Return the partitioned entities as a pandas table: ``side``, ``id``, ``partition``, ``cluster``."""
        import pandas as pd

        tables = []
        for side in self.sides:
            if side.codes is not None:
                partition = np.array(self.partitions, dtype=object)[side.codes]
                columns = {
                    "side": side.column,
                    "id": list(side.ids),
                    "partition": partition,
                    "cluster": side.clusters,
                }
                tables.append(pd.DataFrame(columns))
        return pd.concat(tables, ignore_index=True)

    def summary(self) -> dict[str, Any]:
        """Return everything that the views show, in plain JSON types."""
        made = self.split.summary()
        sets = []
        for i, part in enumerate(made["partitions"]):
            asked = self.asked[i] if i < len(self.partitions) else np.nan
            sets.append(
                {
                    "name": part["name"],
                    "meaning": self._meaning(i),
                    "mixed": i >= len(self.partitions),
                    "pairs": part["rows"],
                    "share": part["share"],
                    "asked": None if np.isnan(asked) else float(asked),
                }
            )
        return {
            "n_pairs": made["n_rows"],
            "mode": self.mode,
            "symmetric": self.symmetric,
            "verdict": self.verdict,
            "sets": sets,
            "strata": made["strata"],
            "sides": [self._side(side) for side in self.sides],
            "provenance": made["provenance"],
        }

    def _side(self, side: Side) -> dict[str, Any]:
        partitions = []
        if side.codes is not None and side.clusters is not None:
            for k, name in enumerate(self.partitions):
                inside = side.codes == k
                partitions.append(
                    {
                        "name": name,
                        "entities": int(inside.sum()),
                        "clusters": len(np.unique(side.clusters[inside])),
                    }
                )
        return {
            "column": side.column,
            "entities": len(side.ids),
            "partitions": partitions,
            "certificate": None if side.certificate is None else side.certificate.summary(),
        }

    def _meaning(self, i: int) -> str:
        """Say in words which pairs a set holds."""
        left, right, known = self.left.column, self.right.column, self.partitions[0]
        if self.mode != "both":
            side = left if self.mode == "left" else right
            return f"{side} in {self.partitions[i]}"
        if i < len(self.partitions):
            both = "both entities" if self.symmetric else f"{left} and {right}"
            new = "" if i == 0 else " (both new)"
            return f"{both} in {self.partitions[i]}{new}"
        a, b = mixed_cells(len(self.partitions), self.symmetric)[i - len(self.partitions)]
        if self.symmetric:
            return f"one entity in {self.partitions[a]}, the other in {self.partitions[b]}"
        if len(self.partitions) == 2:
            new, old = (left, right) if a else (right, left)
            return f"new {new}, {old} known from {known}"
        return f"{left} in {self.partitions[a]}, {right} in {self.partitions[b]}"

    def __repr__(self) -> str:
        from splitleak.rendering.interaction import interaction_text

        return interaction_text(self.summary())

    def _repr_html_(self) -> str:
        from splitleak.rendering.interaction import interaction_fragment

        return interaction_fragment(self.summary())


def mixed_cells(n_partitions: int, symmetric: bool) -> list[tuple[int, int]]:
    """Return the partitions of the left and the right entity of each mixed set, in the order of the sets.

    Examples
    --------
    >>> mixed_cells(2, False), mixed_cells(3, True)
    ([(1, 0), (0, 1)], [(1, 0), (2, 0), (2, 1)])
    """
    cells = []
    for later in range(1, n_partitions):
        for earlier in range(later):
            cells += [(later, earlier)] if symmetric else [(later, earlier), (earlier, later)]
    return cells


def mixed_names(partitions: Sequence[str], symmetric: bool) -> tuple[str, ...]:
    """Return the names of the mixed sets: left entity first, or the less known one first where `symmetric`.

    Examples
    --------
    >>> mixed_names(("train", "test"), False), mixed_names(("train", "dev", "test"), True)
    (('new-old', 'old-new'), ('dev-train', 'test-train', 'test-dev'))
    """
    names = ("old", "new") if len(partitions) == 2 else tuple(partitions)
    return tuple(f"{names[a]}-{names[b]}" for a, b in mixed_cells(len(partitions), symmetric))
