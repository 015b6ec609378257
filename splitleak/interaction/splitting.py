"""split_interactions(): splits of pairs of entities (drug x target, user x item, protein x protein)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, Literal, get_args

import numpy as np

from splitleak._progress import Progress
from splitleak._tables import Source, open_source, resolve_factor
from splitleak.errors import InputError, SplitleakWarning, unknown_option
from splitleak.interaction.allocation import PairSizes, unit_of
from splitleak.interaction.entities import Entities, Ids
from splitleak.interaction.problem import InteractionProblem, Mode
from splitleak.interaction.result import InteractionSplit
from splitleak.partition import Split
from splitleak.provenance import Provenance
from splitleak.records import as_records
from splitleak.search import Missing
from splitleak.sizes import NAMES, SizesLike, parse_sizes
from splitleak.strata import Stratum

OnInfeasible = Literal["error", "nearest"]
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
    left_groups: Any = None,
    right_groups: Any = None,
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
    left_groups, right_groups : str, list of str, or array-like of shape (n_entities of the table,), optional
        Column(s) of these tables (scaffold, family, author) whose equal values stay together, beside the similar ones;
        a missing value is in no group.
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
    _check(mode, symmetric, on_infeasible, tolerance, seed, right_entities, right_id, right_on, right_groups)
    source = open_source(pairs)
    ids = _read_ids(source, left, right, symmetric)
    strata = None if stratify is None else resolve_factor(source, stratify, argument="stratify")
    partitions, request = _sizes(sizes, source.n_rows, mode, tolerance)
    bars = Progress(progress)
    given: dict[str, dict[str, Any]] = {
        "left": {"table": left_entities, "id_column": left_id, "on": left_on, "similarity": left_similarity,
                 "threshold": left_threshold, "groups": left_groups},
        "right": {"table": right_entities, "id_column": right_id, "on": right_on, "similarity": right_similarity,
                  "threshold": right_threshold, "groups": right_groups},
    }  # fmt: skip
    searched = ["left"] if symmetric else [mode] if mode != "both" else ["left", "right"]
    sides = {side: Entities.prepare(side, ids[side], missing=missing, **given[side]) for side in searched}
    clusters = {side: entities.clusters(seed=seed, progress=bars) for side, entities in sides.items()}

    problem = InteractionProblem(ids, sides, clusters, mode, symmetric, strata)
    found = problem.allocate(request, seed)
    if not found.met:
        error = problem.infeasible(partitions, request, found, seed)
        if on_infeasible == "error":
            raise error
        warnings.warn(f"{error} Taking the nearest sizes found.", SplitleakWarning, stacklevel=2)
    parts = problem.sides_of(found, partitions, seed, bars if certify else None)
    names, codes = problem.sets(found, partitions)
    options = {
        "left": left, "right": right, "mode": mode, "symmetric": symmetric, **_described(sides),
        "sizes": dict(zip(partitions, request.wanted.tolist(), strict=True)), "sizes_are_shares": request.are_shares,
        "stratify": None if strata is None else strata.name, "missing": missing,
        "on_infeasible": on_infeasible, "tolerance": tolerance, "seed": int(seed),
    }  # fmt: skip
    records = as_records(source, on=[left, right])
    split = Split(
        names=names,
        codes=codes,
        row_hashes=records.row_hashes,
        strata=()
        if strata is None
        else (Stratum.classes(strata.name, strata.codes, [str(level) for level in strata.levels]),),
        provenance=Provenance.of(options, records, source.describe()),
    )
    asked = request.targets(found.inside)
    return InteractionSplit(split, partitions, asked, parts["left"], parts["right"], mode, symmetric)


def _described(sides: Mapping[str, Entities]) -> dict[str, Any]:
    """Return how the entities of each side were compared, for the provenance."""
    found: dict[str, Any] = {}
    for side, entities in sides.items():
        found[f"{side}_similarity"] = entities.search.backend.describe()
        found[f"{side}_threshold"] = entities.search.options()["threshold"]
        found[f"{side}_groups"] = [factor.name for factor in entities.groups] or None
    return found


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
    if not isinstance(sizes, (Mapping, str)) and np.ndim(sizes) == 1 and len(sizes) in NAMES:
        sizes = dict(zip(NAMES[len(sizes)], sizes, strict=True))
    if mode == "both" and isinstance(sizes, Mapping):
        free = np.array([value == "rest" for value in sizes.values()])
        counts = [value for value in sizes.values() if isinstance(value, Integral)]
        if counts and len(counts) + free.sum() == len(sizes) and (free.any() or sum(counts) < n):
            # what is left over is mixed
            parsed = parse_sizes(sizes if free.any() else {**sizes, "(mixed)": "rest"}, n)
            wanted = np.where(free, -1, parsed.targets[: len(sizes)])
            return parsed.names[: len(sizes)], PairSizes(wanted, False, tolerance, n)
    parsed = parse_sizes(sizes, n)
    wanted, are_shares = parsed.targets, mode == "both"
    if isinstance(sizes, Mapping) and any(isinstance(value, Integral) for value in sizes.values()):
        are_shares = False
    if are_shares:  # of pairs whose number is not known yet
        wanted = wanted * (unit_of(n) // n) if sizes == "auto" else parse_sizes(sizes, unit_of(n)).targets
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
            "symmetric=True takes both columns as entities of one kind; describe them with left_entities=, left_id=,"
            " left_on= and left_groups= only"
        )
