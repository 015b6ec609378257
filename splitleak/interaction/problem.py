"""Clusters of entities and the pairs between them: from what is similar to named sets of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._tables import Factor
from splitleak.allocation import allocate
from splitleak.clustering import Clustering
from splitleak.errors import InfeasibleSplitError, InputError
from splitleak.interaction.allocation import PairAllocation, PairSizes, allocate_pairs
from splitleak.interaction.entities import Entities, Ids
from splitleak.interaction.result import Side, mixed_cells, mixed_names
from splitleak.sampling import mix
from splitleak.sizes import largest_remainder

Mode = Literal["both", "left", "right"]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class InteractionProblem:
    """Clusters of the entities of each partitioned side, and the pairs between them."""

    ids: Mapping[str, Ids]
    sides: Mapping[str, Entities]
    clusters: Mapping[str, Clustering]
    mode: Mode
    symmetric: bool
    strata: Factor | None

    def of_pairs(self, side: str) -> Ints:
        """Return the cluster of each pair's entity."""
        source = "left" if self.symmetric else side
        return self.clusters[source].labels[self.ids[side].codes]

    def allocate(self, request: PairSizes, seed: int) -> PairAllocation:
        classes = None
        if self.strata is not None:
            classes = self.strata.codes % (len(self.strata.levels) + 1)  # one more for pairs without a class
        if self.mode != "both":
            return self._allocate_one(self.mode, request, classes, seed)
        right = "left" if self.symmetric else "right"
        searched = [(self.sides[side], self.clusters[side]) for side in dict.fromkeys(("left", right))]
        return allocate_pairs(
            self.of_pairs("left"),
            self.of_pairs("right"),
            (self.clusters["left"].n_clusters, self.clusters[right].n_clusters),
            request,
            classes=classes,
            mass=[entities.mass(clustering) for entities, clustering in searched],
            symmetric=self.symmetric,
            seed=seed,
        )

    def _allocate_one(self, side: str, request: PairSizes, classes: Ints | None, seed: int) -> PairAllocation:
        """Partition one side only: sizes and classes of pairs, as of rows."""
        of_pairs, k = self.of_pairs(side), self.clusters[side].n_clusters
        table = None
        if classes is not None:
            width = int(classes.max()) + 1
            table = np.bincount(of_pairs * width + classes, minlength=k * width).reshape(k, width)
            table = table[:, table.any(axis=0)].astype(np.int64)
        found = allocate(
            np.bincount(of_pairs, minlength=k).astype(np.int64),
            request.wanted,
            classes=table,
            keys=mix(np.arange(k, dtype=np.uint64)),  # clusters are numbered by their smallest id
            seed=seed,
        )
        return PairAllocation(found.codes, found.codes, found.achieved, request.met(found.achieved))

    def sides_of(
        self, found: PairAllocation, partitions: Sequence[str], seed: int, bars: Progress | None
    ) -> dict[str, Side]:
        """Return both sides with their partitions, certified unless `bars` is None."""
        parts: dict[str, Side] = {}
        for side, ids in self.ids.items():
            if side not in self.sides:
                parts[side] = parts["left"] if self.symmetric else Side(ids.column, ids.levels)
                continue
            clusters = self.clusters[side].labels
            codes = (found.left if side == "left" else found.right)[clusters]
            certificate = None
            if bars is not None:
                certificate = self.sides[side].certify(partitions, codes, seed=seed, progress=bars)
            parts[side] = Side(ids.column, ids.levels, codes, clusters, certificate)
        return parts

    def sets(self, found: PairAllocation, partitions: tuple[str, ...]) -> tuple[tuple[str, ...], Ints]:
        """Return the names of the sets, and the set of each pair."""
        if self.mode != "both":
            return partitions, found.left[self.of_pairs(self.mode)]
        a, b = found.left[self.of_pairs("left")], found.right[self.of_pairs("right")]
        p = len(partitions)
        cell = np.diag(np.arange(p))
        for number, (i, j) in enumerate(mixed_cells(p, self.symmetric), p):
            cell[i, j] = number
            if self.symmetric:
                cell[j, i] = number
        names = (*partitions, *mixed_names(partitions, self.symmetric))
        if len(set(names)) < len(names):
            raise InputError(
                f"sizes names a partition as a mixed set is called ({', '.join(names)}); rename it"
            )
        return names, cell[a, b]

    def infeasible(
        self, partitions: Sequence[str], request: PairSizes, found: PairAllocation, seed: int
    ) -> InfeasibleSplitError:
        """Return the error that names the largest clusters, the nearest sizes found, and ways out."""
        n, unmixed = request.n_pairs, int(found.inside.sum())
        base = unmixed if request.are_shares else n
        obstacles, largest = [], 0
        for side, clustering in self.clusters.items():
            pairs = np.bincount(self.of_pairs(side), minlength=clustering.n_clusters)
            largest = max(largest, int(pairs.max()))
            obstacles.append(
                f"the largest of {clustering.n_clusters:,} clusters of {self.ids[side].column} takes part in"
                f" {pairs.max():,} of {n:,} pairs ({100 * pairs.max() / n:.1f} %)"
            )
        asked = request.targets(found.inside)
        nearest = ", ".join(
            f"{name} {got:,} pairs ({100 * got / max(1, base):.1f} %"
            + (")" if np.isnan(want) else f", asked {100 * want / max(1, base):.1f} %)")
            for name, got, want in zip(partitions, found.inside.tolist(), asked.tolist(), strict=True)
        )
        of = "the unmixed pairs" if request.are_shares and self.mode == "both" else "the pairs"
        ways = self._ways_out(request, seed)
        message = (
            f"The sizes cannot be met within {100 * request.tolerance:g} % of {of}: {'; '.join(obstacles)}."
            f" Nearest found: {nearest}. Ways out: "
            + "; ".join(f"({i}) {way}" for i, way in enumerate(ways, 1))
        )
        sizes = dict(zip(partitions, found.inside.tolist(), strict=True))
        return InfeasibleSplitError(f"{message}.", nearest=sizes, largest_cluster=largest, ways_out=ways)

    def _ways_out(self, request: PairSizes, seed: int) -> list[str]:
        ways = []
        if self.mode == "both" and not self.symmetric and request.are_shares:
            n = request.n_pairs
            rows = largest_remainder((request.wanted * (n / request.unit)).tolist(), n)
            of_all = PairSizes(np.array(rows, dtype=np.int64), False, request.tolerance, n)
            for side, ids in self.ids.items():
                if self._allocate_one(side, of_all, None, seed).met:
                    ways.append(
                        f"mode={side!r} meets them (only the {ids.column} of a test pair is then new)"
                    )
        names = " or ".join(f"{side}_threshold=" for side in self.sides)
        ways.append(f"a higher {names} makes smaller clusters (less similar entities may then be apart)")
        ways.append(
            "on_infeasible='nearest' takes the nearest sizes; or ask for others, or allow more with tolerance="
        )
        return ways
