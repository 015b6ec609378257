"""certify(): the door, and the certificate of any search."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak.certificate import Certificate
from splitleak.certification.several import certify_combined
from splitleak.certification.single import certify_single
from splitleak.errors import InputError
from splitleak.partition import Split
from splitleak.partition_names import are_folds, partition_order
from splitleak.search import AnySearch, Combine, CombinedSearch, Missing, Share, prepare_search
from splitleak.similarity.base import IGNORED, get_backend
from splitleak.similarity.views import View

MOST_PARTITIONS = 100  # every pair of partitions is looked at


def certify(
    data: Any,
    split: Split | str | Sequence[object] | NDArray[Any],
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = None,
    threshold: float | None = None,
    combine: Combine | None = None,
    share: Share | None = None,
    missing: Missing | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Certificate:
    """Search a finished split for similar pairs that cross, independently of how it was made.

    The search runs anew over the data, between partitions only; besides, held-out rows (a sample of them in large
    data) are looked up by brute force, without the filters of the search.

    Parameters
    ----------
    data : table, list of str, 2-D array, sparse matrix, or path
        The rows.
    split : Split, column name, or array-like of shape (n_rows,)
        A split of splitleak's, or partition names from anywhere. The partition called "train", else the one with
        the most rows (of a `Split`: the first), is taken as the training side; of saved folds, each is held out once.
    on, similarity, threshold, combine, share, missing
        As for `similarity_graph`. Left out, those that the split was made with, where it says so. Of several
        similarities, each has its own certificate in `views`, too.
    seed : int
        For approximate backends and the sample.
    progress : bool, optional
        Bars on stderr; default: on a terminal.

    Returns
    -------
    Certificate

    Raises
    ------
    InputError
        Arguments that cannot be used.
    DataMismatchError
        A `Split` that was made from other data.

    Examples
    --------
    >>> import splitleak
    >>> splitleak.certify(["one line", "another", "One  line"], ["train", "train", "test"]).verdict
    'leaking'
    """
    search = search_of_split(
        data, split, on=on, similarity=similarity, threshold=threshold, combine=combine, share=share,
        missing=missing,
    )  # fmt: skip
    names, codes = codes_of_split(search, split)
    folds = isinstance(split, Split) and are_folds(names)
    return certify_search(search, names, codes, folds=folds, seed=seed, progress=Progress(progress))


def codes_of_split(search: AnySearch, split: Any) -> tuple[list[str], NDArray[np.int64]]:
    """Return the partitions of a `Split` (its data is checked), a column name or an array, and each row's code."""
    if isinstance(split, Split):
        split.check_data(search.records)
        return list(split.names), split.codes
    return partition_codes(search.source, split)


def search_of_split(
    data: Any,
    split: Any,
    *,
    on: str | Sequence[str] | None,
    similarity: Any,
    threshold: float | None,
    combine: Combine | None,
    share: Share | None,
    missing: Missing | None,
    exclude: Collection[str] = (),
) -> AnySearch:
    """Return the search that a split was made with, as far as it says so and the arguments do not say otherwise."""
    made: Mapping[str, Any] = {}
    if isinstance(split, Split):
        made = {} if split.provenance is None else split.provenance.search_options()
    kind = (
        made.get("kind")
        if on is None and isinstance(made.get("similarity"), str) and similarity is None
        else None
    )
    on = on if on is not None else made.get("on")
    if threshold is None and (similarity is None or not isinstance(similarity, (list, tuple, View))):
        threshold = made.get("threshold")  # several similarities have their own
    if similarity is None and made:
        similarity = _known(made["similarity"])
    return prepare_search(
        data,
        on=on,
        similarity="auto" if similarity is None else similarity,
        threshold=threshold,
        combine=combine or made.get("combine") or "any",
        share=share or made.get("share") or "all",
        exclude={*exclude, split} if isinstance(split, str) else exclude,
        missing=missing or made.get("missing") or "equal",
        kind=kind,
    )


def _known(similarity: Any) -> Any:
    """Return a similarity that a split was made with, or raise when only the caller has it."""
    measures = [similarity] if isinstance(similarity, str) else [view["similarity"] for view in similarity]
    for measure in measures:
        _check_known(measure)
    return similarity


def _check_known(measure: str) -> None:
    try:
        get_backend(measure)
    except InputError:
        raise InputError(
            f"the split was made with a similarity of the caller's own ({measure}); give it again with similarity="
            " (a matrix, an edge list, a function), or name another measure to certify by"
        ) from None


def partition_codes(source: Any, split: Any) -> tuple[list[str], NDArray[np.int64]]:
    """Return names and codes of partitions given as a column name or an array, the training side first.

    Rows without a value, with the empty text, or, among codes, with -1 (as `Split.codes` has them) are in none.
    """
    from splitleak._tables import resolve_factor

    factor = resolve_factor(source, split, argument="split")
    outside = _in_none(factor.levels)
    if len(factor.levels) - len(outside) < 2:
        named = tuple(level for i, level in enumerate(factor.levels) if i not in outside)
        note = f"; rows with {factor.levels[outside[0]]!r} are in none" if outside else ""
        raise InputError(f"split must name at least two partitions, got {len(named)}: {named}{note}")
    if len(factor.levels) > MOST_PARTITIONS:
        raise InputError(
            f"split names {len(factor.levels):,} partitions in {source.n_rows:,} rows (at most {MOST_PARTITIONS} are"
            " certified); is it the column of the split?"
        )
    codes = np.maximum(factor.codes - len(outside), IGNORED)
    names = [str(level) for level in factor.levels[len(outside) :]]
    rows = np.bincount(codes[codes >= 0], minlength=len(names))
    order = partition_order(dict(zip(names, rows.tolist(), strict=True)))
    rank = np.array([*(order.index(name) for name in names), IGNORED])  # the last entry serves code -1
    return order, rank[codes].astype(np.int64)


def _in_none(levels: Sequence[Any]) -> list[int]:
    """Return the levels that name no partition, if any the lowest: the code -1 of dropped rows, the empty text."""
    codes = bool(levels) and all(isinstance(level, int) and level >= -1 for level in levels)
    return [0] if levels and ((codes and levels[0] == -1) or levels[0] == "") else []


def certify_search(
    search: AnySearch,
    names: Sequence[str],
    codes: NDArray[np.int64],
    *,
    folds: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Certificate:
    """Certify partitions whose data has been read already.

    `names[0]` is the training side; with `folds` each partition is held out once, and all others are.
    """
    if isinstance(search, CombinedSearch):
        return certify_combined(search, names, codes, folds=folds, seed=seed, progress=progress)[0]
    return certify_single(search, names, codes, folds=folds, seed=seed, progress=progress)[0]
