"""split_interactions(): splits of pairs of entities (drug x target, user x item, protein x protein)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._tables import Factor, Source, open_source, resolve_factor
from splitleak.allocation import allocate
from splitleak.clustering import Clustering
from splitleak.entities import Entities, Ids
from splitleak.errors import InfeasibleSplitError, InputError, SplitleakWarning, unknown_option
from splitleak.interaction_split import InteractionSplit, Side, mixed_cells, mixed_names
from splitleak.pair_allocation import PairAllocation, PairSizes, allocate_pairs, unit_of
from splitleak.partition import Split
from splitleak.provenance import Provenance
from splitleak.records import as_records
from splitleak.sampling import mix
from splitleak.search import Missing
from splitleak.sizes import NAMES, SizesLike, largest_remainder, parse_sizes

Mode = Literal["both", "left", "right"]
OnInfeasible = Literal["error", "nearest"]
Ints = NDArray[np.int64]
DEFAULT_SIZES = {"train": 0.8, "test": 0.2}


def split_interactions(
    pairs: Any,
    *,
    left: str,
    right: str,
    left_entities: Any = None,
    right_entities: Any = None,
    left_id: str | None = None,
    right_id: str | None = None,
    left_on: str | Sequence[str] | None = None,
    right_on: str | Sequence[str] | None = None,
    left_similarity: Any = "auto",
    right_similarity: Any = "auto",
    left_threshold: float | None = None,
    right_threshold: float | None = None,
    mode: Mode = "both",
    symmetric: bool = False,
    sizes: SizesLike = None,
    stratify: Any = None,
    missing: Missing = "equal",
    on_infeasible: OnInfeasible = "error",
    tolerance: float = 0.02,
    certify: bool = True,
    seed: int = 0,
    progress: bool | None = None,
) -> InteractionSplit:
    """Split pairs of entities so that no two similar entities are in different partitions.

    With ``mode="both"`` the entities of both sides are partitioned, whole clusters of similar ones at a time. A pair
    is in ``train`` when both its entities are, in ``test`` when both are new; pairs that mix are kept as test sets
    of their own: ``new-old`` (the left entity is new, the right one known from training) and ``old-new``. Which
    cluster goes where is decided for both sides together, so that few pairs are mixed. With more than two partitions
    the mixed sets have the names of both, as ``dev-train``.

    Parameters
    ----------
    pairs : table or path
        One row a pair.
    left, right : str
        The columns that hold the ids of the two entities.
    left_entities, right_entities : table or path, optional
        One row an entity. Left out, the ids themselves are compared (SMILES in the table of pairs, for example).
    left_id, right_id : str, optional
        The columns of these tables that hold the ids; default: the name of the column in `pairs`.
    left_on, right_on : str or list of str, optional
        The compared columns of these tables.
    left_similarity, right_similarity : str, backend, graph, matrix, path or function
        As for `split_by_similarity`. A matrix in a pandas frame is matched by its labels, any other follows the rows
        of the entities table. "auto" without an entities table: an entity is similar to itself only.
    left_threshold, right_threshold : float, optional
        Similarity in (0, 1] from which on two entities count as similar (inclusive).
    mode : {"both", "left", "right"}
        Both entities of a test pair are new ("both"), or those of one side ("left", "right").
    symmetric : bool
        Both columns hold entities of one kind (protein x protein), described by the left arguments: an entity has
        one partition wherever it stands, and ``new-old`` holds the pairs of one new and one known entity.
    sizes : mapping, sequence, "auto" or None
        Pairs by partition name, the training partition first; None: 80/20 over train and test. With
        ``mode="both"``, fractions are shares of the pairs that are not mixed (train : test = 4 : 1); counts are
        numbers of pairs, what is left being mixed, and "rest" as many as there can be.
    stratify : str or array-like of shape (n_pairs,), optional
        A class column of `pairs`, balanced over the partitions as far as the clusters allow.
    missing : {"equal", "distinct", "error"}
        What a missing or empty compared value is, as for `split_by_similarity`.
    on_infeasible : {"error", "nearest"}
        When whole clusters cannot meet the sizes within `tolerance`: raise, or take the nearest and warn.
    tolerance : float
        Allowed deviation of each partition, in [0, 1), as a share of the pairs that `sizes` divides.
    certify : bool
        Search the entities' partitions again and attach the certificates.
    seed : int
        Same data, options and seed give the same split, whatever the order of the rows.
    progress : bool, optional
        Bars on stderr; default: on a terminal.

    Raises
    ------
    InputError
        An argument or table that cannot be used: entities that are not in their table, ids repeated or missing.
    InfeasibleSplitError
        Sizes that whole clusters cannot meet.

    Examples
    --------
    >>> import itertools, splitleak
    >>> drugs, targets = "abcdef", "uvwxyz"
    >>> drug, target = zip(*itertools.product(drugs, targets))
    >>> pairs = {"drug": list(drug), "target": list(target)}
    >>> split = split_interactions(pairs, left="drug", right="target", sizes={"train": 0.8, "test": 0.2})
    >>> split.sizes
    {'train': 16, 'test': 4, 'new-old': 8, 'old-new': 8}
    """
    _check(mode, symmetric, on_infeasible, tolerance, seed, right_entities, right_id, right_on)
    source = open_source(pairs)
    ids = _read_ids(source, left, right, symmetric)
    strata = None if stratify is None else resolve_factor(source, stratify, argument="stratify")
    partitions, request = _sizes(sizes, source.n_rows, mode, tolerance)
    bars = Progress(progress)
    given: dict[str, dict[str, Any]] = {
        "left": {"table": left_entities, "id_column": left_id, "on": left_on, "similarity": left_similarity},
        "right": {
            "table": right_entities,
            "id_column": right_id,
            "on": right_on,
            "similarity": right_similarity,
        },
    }
    given["left"]["threshold"], given["right"]["threshold"] = left_threshold, right_threshold
    searched = ["left"] if symmetric else [mode] if mode != "both" else ["left", "right"]
    sides = {side: Entities.prepare(side, ids[side], missing=missing, **given[side]) for side in searched}
    clusters = {side: entities.clusters(seed=seed, progress=bars) for side, entities in sides.items()}

    problem = _Problem(ids, sides, clusters, mode, symmetric, strata)
    found = problem.allocate(request, seed)
    if not found.met:
        error = problem.infeasible(partitions, request, found, seed)
        if on_infeasible == "error":
            raise error
        warnings.warn(f"{error} Taking the nearest sizes found.", SplitleakWarning, stacklevel=2)
    parts = problem.sides_of(found, partitions, seed, bars if certify else None)
    names, codes = problem.sets(found, partitions)
    options = {
        "left": left, "right": right, "mode": mode, "symmetric": symmetric,
        **{f"{side}_similarity": entities.search.backend.describe() for side, entities in sides.items()},
        **{f"{side}_threshold": entities.search.threshold for side, entities in sides.items()},
        "sizes": dict(zip(partitions, request.wanted.tolist(), strict=True)), "sizes_are_shares": request.are_shares,
        "stratify": None if strata is None else strata.name, "missing": missing,
        "on_infeasible": on_infeasible, "tolerance": tolerance, "seed": int(seed),
    }  # fmt: skip
    records = as_records(source, on=[left, right])
    split = Split(
        names=names,
        codes=codes,
        row_hashes=records.row_hashes,
        class_names=None if strata is None else tuple(str(level) for level in strata.levels),
        class_codes=None if strata is None else strata.codes,
        provenance=Provenance.of(options, records, source.describe()),
    )
    asked = request.targets(found.inside)
    return InteractionSplit(split, partitions, asked, parts["left"], parts["right"], mode, symmetric)


@dataclass(frozen=True)
class _Problem:
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


def _read_ids(source: Source, left: str, right: str, symmetric: bool) -> dict[str, Ids]:
    if left == right:
        raise InputError(
            f"left= and right= both name the column {left!r}; a pair has two entities: name two columns"
        )
    a, b = Ids.of(source, left, argument="left"), Ids.of(source, right, argument="right")
    if symmetric:
        a, b = Ids.union(a, b)
    return {"left": a, "right": b}


def _sizes(sizes: Any, n: int, mode: str, tolerance: float) -> tuple[tuple[str, ...], PairSizes]:
    """Read the sizes: fractions of the unmixed pairs, or numbers of pairs that need not add up to all."""
    sizes = DEFAULT_SIZES if sizes is None else sizes
    values = (
        list(sizes.values()) if isinstance(sizes, Mapping) else [] if isinstance(sizes, str) else list(sizes)
    )
    counts = [value for value in values if isinstance(value, Integral) and not isinstance(value, bool)]
    free = [value == "rest" for value in values]
    if (
        mode == "both"
        and counts
        and len(counts) + sum(free) == len(values)
        and (any(free) or sum(counts) < n)
    ):
        named = (
            dict(sizes)
            if isinstance(sizes, Mapping)
            else dict(zip(NAMES.get(len(values), ()), values, strict=True))
        )
        # what is left over is mixed
        parsed = parse_sizes({**named, **({} if any(free) else {"(mixed)": "rest"})}, n)
        wanted = np.where(free, -1, parsed.targets[: len(values)])
        return parsed.names[: len(values)], PairSizes(wanted.astype(np.int64), False, tolerance, n)
    parsed = parse_sizes(sizes, n)
    wanted, are_shares = parsed.targets, mode == "both" and not counts and sizes != "auto"
    if are_shares:  # shares of pairs whose number is not known yet
        wanted = parse_sizes(sizes, unit_of(n)).targets
    return parsed.names, PairSizes(wanted, are_shares, tolerance, n)


def _check(
    mode: str, symmetric: bool, on_infeasible: str, tolerance: float, seed: int, *of_right: Any
) -> None:
    if mode not in get_args(Mode):
        raise unknown_option("mode", mode, get_args(Mode))
    if on_infeasible not in get_args(OnInfeasible):
        raise unknown_option("on_infeasible", on_infeasible, get_args(OnInfeasible))
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not 0 <= tolerance < 1:
        raise InputError(f"tolerance must be a share of the pairs in [0, 1), got {tolerance!r}")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed must be a whole number of at least 0, got {seed!r}")
    if symmetric and mode != "both":
        raise InputError(
            f"symmetric=True gives an entity one partition wherever it stands, and mode={mode!r} partitions one column;"
            " leave one of the two out"
        )
    if symmetric and any(value is not None for value in of_right):
        raise InputError(
            "symmetric=True takes both columns as entities of one kind; describe them with left_entities=, left_id= and"
            " left_on= only"
        )
