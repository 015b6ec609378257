"""fold_by_similarity(): folds for cross-validation, no two similar rows in different folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from splitleak._progress import Progress
from splitleak._tables import named_columns, resolve_factors
from splitleak.certification import certify_search
from splitleak.feasibility import Task
from splitleak.folds.assignment import (
    OnInfeasible,
    assign_folds,
    check_count,
    check_fold_options,
    equal_sizes,
    seed_of,
    warn_of_lonely_classes,
)
from splitleak.folds.folded import Folds
from splitleak.provenance import Provenance
from splitleak.search import Combine, Missing, Share, prepare_search
from splitleak.strata.resolving import described, named_strata, resolve_strata

__all__ = ["Folds", "fold_by_similarity"]


def fold_by_similarity(
    data: Any,
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = "auto",
    threshold: float | None = None,
    combine: Combine = "any",
    share: Share = "all",
    folds: int = 5,
    repeats: int = 1,
    stratify: Any = None,
    groups: Any = None,
    missing: Missing = "equal",
    on_infeasible: OnInfeasible = "error",
    tolerance: float = 0.02,
    certify: bool = True,
    seed: int = 0,
    progress: bool | None = None,
) -> Folds:
    """Make folds for cross-validation so that no two similar rows land in different folds.

    Rows with similarity at or above the threshold are joined; so are rows of one group. Whole connected
    components go to folds of equal size, none of which stays empty, and a fresh search certifies the result.

    Parameters
    ----------
    data, on, similarity, threshold, combine, share, groups, missing, progress
        As for `split_by_similarity`.
    folds : int
        Number of folds, at least 2 and at most as many as there are clusters.
    repeats : int
        How often the same clusters are handed to folds anew, each time by a seed derived from `seed`.
    stratify : str or array-like of shape (n_rows,), optional
        A class column, balanced over the folds as far as the clusters allow. A class that is in one cluster
        only, so that one fold trains without it, is warned of.
    on_infeasible : {"error", "nearest"}
        When clusters are too large for equal folds: raise, or take the nearest sizes and warn.
    tolerance : float
        Allowed deviation of each fold from an equal share, as a share of all rows, in [0, 1).
    certify : bool
        Search the finished folds again (once a repeat) and attach the certificates.
    seed : int
        Same data, options and seed give the same folds, whatever the order of the rows.

    Returns
    -------
    Folds

    Raises
    ------
    InputError
        An argument, a column or a file that cannot be used.
    InfeasibleSplitError
        More folds than clusters, or clusters too large for equal folds; the message names ways out.

    Examples
    --------
    >>> from splitleak.folds import fold_by_similarity
    >>> texts = [f"{word} number {i}" for i in range(30) for word in ("alpha", "beta")]
    >>> folds = fold_by_similarity(texts, threshold=0.99, folds=3)
    >>> folds.sizes.tolist(), folds.certificate.verdict
    ([[20, 20, 20]], 'separated')
    >>> [(len(train), len(test)) for train, test in folds]
    [(40, 20), (40, 20), (40, 20)]
    """
    check_fold_options(folds, repeats, tolerance, on_infeasible)
    seed = check_count("seed", seed, 0)
    named = {*named_columns(groups), *named_strata(stratify)}
    search = prepare_search(
        data, on=on, similarity=similarity, threshold=threshold, combine=combine, share=share, exclude=named,
        missing=missing,
    )  # fmt: skip
    strata = resolve_strata(search.source, stratify)
    factors = resolve_factors(search.source, groups, argument="groups")
    bars = Progress(progress)

    task = Task(
        graph=search.graph(seed=seed, progress=bars),
        groups=[factor.codes for factor in factors],
        request=equal_sizes(search.source.n_rows, folds),
        strata=strata,
        row_hashes=search.records.row_hashes,
        tolerance=tolerance,
        seed=seed,
    )
    clustering = task.cluster()
    seeds = [seed_of(seed, repeat) for repeat in range(repeats)]
    codes = assign_folds(task, clustering, seeds=seeds, on_infeasible=on_infeasible, stacklevel=2)
    if strata is not None:
        warn_of_lonely_classes(strata, clustering.labels, stacklevel=2)
    options = {
        **search.options(),
        "threshold_is_default": threshold is None,
        "folds": int(folds),
        "repeats": int(repeats),
        "stratify": described(stratify, strata),
        "groups": [factor.name for factor in factors] or None,
        "missing": missing,
        "on_infeasible": on_infeasible,
        "tolerance": tolerance,
        "seed": seed,
    }
    return Folds(
        codes=codes,
        n_folds=int(folds),
        clusters=clustering.labels,
        row_hashes=task.row_hashes,
        strata=() if strata is None else strata.columns,
        provenance=Provenance.of(options, search.records, search.source.describe()),
        certificates=tuple(
            certify_search(search, task.request.names, assigned, folds=True, seed=seed, progress=bars)
            for assigned in codes
            if certify
        ),
    )
