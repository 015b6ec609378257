"""split_by_similarity(): the story of a split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, overload

from splitleak._progress import Progress
from splitleak._tables import named_columns, resolve_factors
from splitleak.certification import certify_search
from splitleak.chronology import Chronology
from splitleak.errors import InputError
from splitleak.feasibility import (
    Task,
)
from splitleak.folds import Folds, fold_by_similarity
from splitleak.partition import Split
from splitleak.pinning import check_groups, check_similar, read_pins
from splitleak.placing import place
from splitleak.provenance import Provenance
from splitleak.search import Combine, Missing, Share, prepare_search
from splitleak.sizes import SizesLike, parse_shares, parse_sizes, shares_or_rows
from splitleak.split_options import OnInfeasible, check_folds, check_options, check_weights, rows_to_drop
from splitleak.strata.balance import warn_of_unreachable
from splitleak.strata.resolving import described, named_strata, resolve_strata, resolve_weights


@overload
def split_by_similarity(
    data: Any,
    *,
    on: str | Sequence[str] | None = ...,
    similarity: Any = ...,
    threshold: float | None = ...,
    combine: Combine = ...,
    share: Share = ...,
    sizes: SizesLike = ...,
    folds: None = ...,
    stratify: Any = ...,
    weights: Any = ...,
    groups: Any = ...,
    time: Any = ...,
    embargo: Any = ...,
    pinned: Any = ...,
    missing: Missing = ...,
    on_infeasible: OnInfeasible = ...,
    max_dropped: float | None = ...,
    tolerance: float = ...,
    certify: bool = ...,
    seed: int = ...,
    progress: bool | None = ...,
) -> Split: ...
@overload
def split_by_similarity(
    data: Any,
    *,
    on: str | Sequence[str] | None = ...,
    similarity: Any = ...,
    threshold: float | None = ...,
    combine: Combine = ...,
    share: Share = ...,
    folds: int,
    stratify: Any = ...,
    groups: Any = ...,
    missing: Missing = ...,
    on_infeasible: Literal["error", "nearest"] = ...,
    tolerance: float = ...,
    certify: bool = ...,
    seed: int = ...,
    progress: bool | None = ...,
) -> Folds: ...
def split_by_similarity(
    data: Any,
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = "auto",
    threshold: float | None = None,
    combine: Combine = "any",
    share: Share = "all",
    sizes: SizesLike = None,
    folds: int | None = None,
    stratify: Any = None,
    weights: Any = None,
    groups: Any = None,
    time: Any = None,
    embargo: Any = None,
    pinned: Any = None,
    missing: Missing = "equal",
    on_infeasible: OnInfeasible = "error",
    max_dropped: float | None = None,
    tolerance: float = 0.02,
    certify: bool = True,
    seed: int = 0,
    progress: bool | None = None,
) -> Split | Folds:
    """Split rows so that no two similar rows land in different partitions.

    Rows with similarity at or above the threshold are joined; so are rows of one group. Whole connected
    components go to partitions, at the sizes asked for, and a fresh search certifies the result.

    Parameters
    ----------
    data : table, list of str, 2-D array, sparse matrix, or path
        pandas, polars, pyarrow, Hugging Face and anything with the Arrow PyCapsule interface; the path of a
        Parquet, CSV, TSV or JSON lines file.
    on : str or list of str, optional
        The compared column(s) of a table. Left out, the only column that can be meant is taken.
    similarity : str, backend, SimilarityGraph, matrix, path or function, or list of these
        ``"auto"`` picks by kind of data and size (recorded in the provenance); ``"jaccard"``, ``"minhash"``,
        ``"exact"``, ``"cosine"``, ``"euclidean"``, ``"cosine-faiss"``, ``"euclidean-faiss"``, ``"gower"`` (rows of
        mixed columns), each with options as in ``"jaccard(unit=word, n=3)"``; a graph, a square matrix, an edge
        list's path, or a function of two rows. A list names several, each with its own columns and threshold:
        ``["text:jaccard(0.7)", splitleak.view("cosine", on="vector", threshold=0.9)]``.
    threshold : float, optional
        Similarity in (0, 1] from which on two rows count as similar (inclusive; of E-values, the largest); the
        backend's default when left out. Of several similarities, for those without one of their own.
    combine : {"any", "all"}
        Of several similarities: two rows are similar when any of them says so, or when all do.
    share : {"all", "any", "crossed"}
        Of several columns in `on`: compare them as one value ("all"), join rows that are similar in any one of them
        ("any"), or in any of these values of the one and any of the other ("crossed").
    sizes : mapping, sequence, "auto" or None
        Fractions or counts by partition name, the training partition first; "auto": 10,000 rows and more give
        1,000 to dev and test each, fewer 80/10/10; None: 80/10/10 over train, dev and test.
    folds : int, optional
        Folds of equal size for cross-validation instead of partitions: the result is that of `fold_by_similarity`,
        which repeats them, too, and whose `Folds.inner` nests them. `sizes` is then left out, and `on_infeasible` is
        "error" or "nearest".
    stratify : str, list of str, mapping, array-like, or StratifyBy, optional
        What is balanced over the partitions as far as the clusters allow: a column or several (each by itself, not
        their crossing), values by row position (the index of a pandas Series does not count; the same for `groups`
        and `weights`), a table, or a matrix of 0 and 1 of shape (n_rows, n_labels). Columns of lists are sets of
        labels; numbers with fractions and more than 20 distinct values are balanced by ten quantile bins; all else
        is classes. ``{"income": "continuous", "id": "classes"}`` says it otherwise; `StratifyBy` takes options.
    weights : str or array-like of shape (n_rows,), optional
        What each row counts, at least 0. `sizes` are then shares of the weight (fractions only), `tolerance` is a
        share of the weight, and strata are balanced by weight; "drop" drops as little weight as possible. Rows of
        weight 0 are placed all the same.
    groups : str, array-like of shape (n_rows,), or list of str, optional
        Column(s) whose equal values must stay together; a missing value is in no group.
    time : str or array-like of shape (n_rows,), optional
        Column of dates, timestamps or numbers: partitions follow each other in time, in the order of `sizes`. The
        largest time of a partition plus the embargo lies before the smallest time of the next, strictly; rows of
        equal time stay together. The cut-offs are those at which the sizes are met as nearly as possible; with
        `stratify`, where that leaves a class more than a point off, those within `tolerance` at which the classes
        are more even, as for `tolerance`. Where rows have to be dropped, classes are reported only.
    embargo : number, timedelta or str, optional
        With `time`: a gap that no row may lie in, in the unit of a column of numbers, else a length such as "30D".
    pinned : str, array-like of shape (n_rows,), or mapping, optional
        Rows whose partition is fixed: a column or an array of partition names, missing where a row is free; or a
        mapping of partition name to row positions or a boolean mask.
    missing : {"equal", "distinct", "error"}
        What a missing or empty compared value is: equal to every other such value, similar to nothing, or an
        error.
    on_infeasible : {"error", "nearest", "drop", "cut", "raise_threshold"}
        When whole clusters cannot meet the sizes within `tolerance`: raise; take the nearest sizes and warn; drop as
        few rows as possible, so that the sizes, as shares of the rows kept, are met and still no similar pair
        crosses (dropped rows have code -1); keep all rows and cut as little summed similarity as possible, so that
        the split leaks, which it says, with a warning; or take the lowest threshold at which the sizes can be met.
    max_dropped : int or float, optional
        With "drop": most rows (or share of the rows in [0, 1)) that may go; with `weights`, a share of the weight.
    tolerance : float
        Allowed deviation of each partition as a share of all rows, in [0, 1). Sizes are met to the row where clusters
        allow it; with `stratify`, where that leaves a class more than a point off, they give way within this for the
        smallest sum of the largest size gap and the largest class gap that was found.
    certify : bool
        Search the finished split again and attach the certificate.
    seed : int
        Same data, options and seed give the same split, whatever the order of the rows.
    progress : bool, optional
        Bars on stderr; default: on a terminal.

    Returns
    -------
    Split
        With `folds`: `Folds`.

    Raises
    ------
    InputError
        An argument, a column or a file that cannot be used.
    InfeasibleSplitError
        Sizes that whole clusters cannot meet; the message names the obstacle, the nearest sizes and ways out.

    Examples
    --------
    >>> import splitleak
    >>> texts = [f"{word} number {i}" for i in range(30) for word in ("alpha", "beta")] + ["alpha number 1"]
    >>> split = splitleak.split_by_similarity(texts, threshold=0.99, sizes={"train": 0.8, "test": 0.2})
    >>> split.sizes, split.certificate.verdict
    ({'train': 49, 'test': 12}, 'separated')
    """
    check_options(on_infeasible, tolerance, seed)
    check_weights(weights, on_infeasible, time, pinned)
    if folds is not None:
        refused = {
            "sizes": sizes,
            "weights": weights,
            "time": time,
            "embargo": embargo,
            "pinned": pinned,
            "max_dropped": max_dropped,
        }
        check_folds(
            folds, [f"{name}=" for name, value in refused.items() if value is not None], on_infeasible
        )
        return fold_by_similarity(
            data, on=on, similarity=similarity, threshold=threshold, combine=combine, share=share, folds=folds,
            stratify=stratify, groups=groups, missing=missing, tolerance=tolerance, certify=certify, seed=seed,
            progress=progress, on_infeasible="nearest" if on_infeasible == "nearest" else "error",
        )  # fmt: skip
    if on_infeasible == "cut" and time is not None:
        raise InputError(
            "on_infeasible='cut' does not keep the order of time; choose 'drop', or leave out time="
        )
    pins_column = pinned if isinstance(pinned, str) else None
    named = {*named_columns(groups, weights, time, pins_column), *named_strata(stratify)}
    search = prepare_search(
        data, on=on, similarity=similarity, threshold=threshold, combine=combine, share=share, exclude=named,
        missing=missing,
    )  # fmt: skip
    source = search.source
    row_weights = resolve_weights(source, weights)
    request = (parse_sizes if row_weights is None else parse_shares)(sizes, source.n_rows)
    strata = resolve_strata(source, stratify)
    factors = resolve_factors(source, groups, argument="groups")
    chronology = Chronology.read(source, time, embargo)
    pins = read_pins(source, pinned, request.names)
    if pins is not None:
        check_groups(pins, factors, request.names)
    bars = Progress(progress)
    most = rows_to_drop(max_dropped, source.n_rows, on_infeasible, row_weights)

    task = Task(
        graph=search.graph(seed=seed, progress=bars),
        groups=[factor.codes for factor in factors],
        request=request,
        strata=strata,
        row_hashes=search.records.row_hashes,
        tolerance=tolerance,
        seed=int(seed),
        weights=row_weights,
        pinned=pins,
    )
    if pins is not None:
        check_similar(pins, task.graph, request.names)
    placed = place(task, chronology, on_infeasible, most)
    codes, task = placed.codes, placed.task
    if task.graph.threshold != search.threshold:
        search = search.raised(task.graph.threshold)
    if strata is not None:
        warn_of_unreachable(strata.columns, placed.clusters, codes, len(request.names), stacklevel=2)
    asked = request.targets if row_weights is None else task.asked_rows()
    options = {
        **search.options(),
        "threshold_is_default": threshold is None,
        "sizes": dict(zip(request.names, shares_or_rows(request), strict=True)),
        "stratify": described(stratify, strata),
        "weights": weights if weights is None or isinstance(weights, str) else "weights",
        "groups": [factor.name for factor in factors] or None,
        "time": None if chronology is None else chronology.moments.name,
        "embargo": None if chronology is None else chronology.embargo,
        "pinned": pinned if pinned is None or isinstance(pinned, str) else "pinned",
        "missing": missing,
        "on_infeasible": on_infeasible,
        "max_dropped": max_dropped,
        "tolerance": tolerance,
        "seed": int(seed),
    }
    return Split(
        names=request.names,
        codes=codes,
        clusters=placed.clusters,
        asked=asked,
        row_hashes=search.records.row_hashes,
        strata=() if strata is None else strata.columns,
        weights=row_weights,
        provenance=Provenance.of(options, search.records, source.describe(), notes=placed.notes),
        certificate=certify_search(search, request.names, codes, seed=seed, progress=bars)
        if certify
        else None,
        periods=None if chronology is None else chronology.periods(codes, len(request.names)),
        reasons=placed.reasons,
        reason_codes=placed.reason,
    )
