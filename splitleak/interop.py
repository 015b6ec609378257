"""A split in the terms of other libraries: torch subsets, a Hugging Face DatasetDict, scikit-learn's cv=."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak._optional import require
from splitleak._tables.frames import is_hugging_face
from splitleak.errors import DataMismatchError, InputError, did_you_mean

if TYPE_CHECKING:
    from splitleak.held_out import HeldOutSplit
    from splitleak.partition import Split


def to_torch(split: Split, dataset: Any) -> dict[str, Any]:
    """Return a `torch.utils.data.Subset` of `dataset` for each partition.

    Parameters
    ----------
    split : Split
        Its row positions are taken as indices of `dataset`.
    dataset : torch.utils.data.Dataset or any sequence
        Map-style: with ``len()`` and an item for each row of the split, in the same order. The content of the
        rows is not compared: an item may be anything.

    Returns
    -------
    dict of str to torch.utils.data.Subset

    Raises
    ------
    MissingDependencyError
        torch is not installed.
    InputError
        A dataset without ``len()``.
    DataMismatchError
        A dataset of another length.

    Examples
    --------
    >>> from splitleak import Split
    >>> parts = to_torch(Split.from_labels(["train", "test", "train"]), ["a", "b", "c"])
    >>> list(parts["train"])
    ['a', 'c']
    """
    torch_data = require("torch.utils.data", extra="torch", feature="to_torch()")
    try:
        n_rows = len(dataset)
    except (TypeError, NotImplementedError):
        raise InputError(
            f"dataset must be map-style, with len() and items by position, got {type(dataset).__name__}; load the"
            " items of a stream into a list first"
        ) from None
    _check_length(n_rows, split.n_rows)
    return {name: torch_data.Subset(dataset, split[name].tolist()) for name in split.names}


def to_hf(split: Split, dataset: Any, *, check: bool = True) -> Any:
    """Return a Hugging Face `DatasetDict` with a `Dataset` for each partition.

    Parameters
    ----------
    split : Split
        Its row positions are taken by ``dataset.select``: nothing is copied.
    dataset : datasets.Dataset
        The rows that the split was made from.
    check : bool
        Compare the content of the rows with that of the data that the split was made from.

    Returns
    -------
    datasets.DatasetDict

    Raises
    ------
    InputError
        Anything but a `datasets.Dataset`.
    DataMismatchError
        Another number of rows, or rows of other content.

    Examples
    --------
    >>> import datasets
    >>> from splitleak import Split
    >>> parts = to_hf(Split.from_labels(["train", "test", "train"]), datasets.Dataset.from_dict({"n": [1, 2, 3]}))
    >>> parts["train"]["n"][:]
    [1, 3]
    """
    if not is_hugging_face(dataset):
        raise InputError(
            f"dataset must be a datasets.Dataset, got {type(dataset).__name__}; for other tables: split.take(data)"
        )
    import datasets

    if isinstance(dataset, datasets.DatasetDict):
        keys = list(dataset)
        raise InputError(
            f"dataset is a DatasetDict with the keys {', '.join(map(repr, keys[:10]))}; pass one of its tables, or"
            " join them with datasets.concatenate_datasets(list(dataset.values()))"
        )
    if not isinstance(dataset, datasets.Dataset):
        raise InputError(
            f"dataset must be a datasets.Dataset, got {type(dataset).__name__}: rows need positions, so load it whole"
        )
    return datasets.DatasetDict(split.take(dataset, check=check))


def predefined(split: Split, *, held_out: Sequence[str] | str | None = None) -> HeldOutSplit:
    """Return the split as a scikit-learn `PredefinedSplit`, for ``cv=`` over all its rows.

    Parameters
    ----------
    split : Split
        The first partition is the training side.
    held_out : str or sequence of str, optional
        Partitions to score on, a fold each, in this order. Default: the second partition only (``dev`` of train,
        dev and test), so that what is chosen by it has not seen the rest.

    Returns
    -------
    HeldOutSplit
        A `PredefinedSplit` that trains on the rows of the first partition in each fold, never on those of another
        partition or on dropped ones. A search that fits its best model again (``refit=True``) fits it on all rows
        that it is given: give ``refit=False``, and fit on ``split["train"]``.

    Raises
    ------
    InputError
        A partition that there is not, the training partition, one named twice, or none; an empty one.

    Examples
    --------
    >>> from splitleak import Split
    >>> split = Split.from_labels(["train", "dev", "test", "train"], names=["train", "dev", "test"])
    >>> predefined(split).test_fold.tolist(), predefined(split, held_out=("dev", "test")).test_fold.tolist()
    ([-1, 0, -1, -1], [-1, 0, 1, -1])
    >>> [(train.tolist(), test.tolist()) for train, test in predefined(split).split()]
    [([0, 3], [1])]
    """
    from splitleak.held_out import HeldOutSplit

    chosen = (
        split.names[1:2] if held_out is None else ((held_out,) if isinstance(held_out, str) else held_out)
    )
    chosen = tuple(chosen)
    known = ", ".join(map(repr, split.names[1:]))
    if not chosen or len(set(chosen)) < len(chosen):
        raise InputError(f"held_out must name each partition to score on once (of: {known}), got {chosen!r}")
    for name in chosen:
        if name not in split.names[1:]:
            raise InputError(
                f"held_out={name!r} is not a held-out partition of the split{did_you_mean(name, split.names[1:])}"
                f" (choose of: {known}; {split.names[0]!r} is trained on)"
            )
    for name in (split.names[0], *chosen):
        if not split.sizes[name]:
            raise InputError(
                f"partition {name!r} has no rows to train or score on; choose others, or split again"
            )
    test_fold = np.full(split.n_rows, -1, dtype=np.int64)
    for fold, name in enumerate(chosen):
        test_fold[split[name]] = fold
    return HeldOutSplit(test_fold, split.codes == 0)


def _check_length(found: int, expected: int) -> None:
    if found != expected:
        raise DataMismatchError(
            f"dataset has {found:,} items and the split was made from {expected:,} rows; hand in the data of the"
            " split, or split again"
        )


def forward_folds(split: Split) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return folds in which each partition but the first is tested by what came before it.

    Of a split in order of time. A fold trains on all earlier partitions and tests on the next one, as scikit-learn's
    `TimeSeriesSplit` does; since no two partitions hold similar rows or rows of one group, and each ends (with its
    embargo) before the next begins, neither do the two sides of a fold. Dropped rows are on no side.

    Parameters
    ----------
    split : Split
        Made with ``time=``.

    Returns
    -------
    list of (train, test)
        Row positions, ascending; scikit-learn takes the list as ``cv=``.

    Raises
    ------
    InputError
        A split that is not in order of time, or that leaks.

    Examples
    --------
    >>> import splitleak
    >>> data = {"text": [f"line {i}" for i in range(8)], "day": range(8)}
    >>> blocks = {f"block {i}": 0.25 for i in range(4)}
    >>> split = splitleak.split_by_similarity(data, on="text", threshold=1, time="day", sizes=blocks)
    >>> [(train.tolist(), test.tolist()) for train, test in forward_folds(split)]
    [([0, 1], [2, 3]), ([0, 1, 2, 3], [4, 5]), ([0, 1, 2, 3, 4, 5], [6, 7])]
    """
    if split.periods is None:
        raise InputError(
            "forward_folds() needs a split in order of time, and this one was made without (or read from a CSV, which"
            " does not keep the times); make it with time=, and save it as .parquet or .json"
        )
    if split.certificate is not None and split.certificate.verdict == "leaking":
        raise InputError(
            "forward_folds() would train on rows similar to test rows: the split leaks, as its certificate says;"
            " splitleak.repair() drops the fewest rows that mend it"
        )
    held = [k for k in range(len(split.names)) if (split.codes == k).any()]
    return [
        (
            np.flatnonzero((split.codes >= 0) & (split.codes < k)).astype(np.int64),
            np.flatnonzero(split.codes == k).astype(np.int64),
        )
        for k in held[1:]
    ]
