"""A split as row positions: a mapping of partition to positions, or the two arrays of a scikit-learn splitter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from splitleak.errors import InputError


def labels_of_positions(split: Any, n_rows: int) -> Any:
    """Return one partition name a row (None: in none) of a split that is row positions; anything else as it is.

    Raises
    ------
    InputError
        A splitter in place of one of its splits; what is no position; a row in two partitions.
    """
    if callable(getattr(split, "split", None)) and hasattr(split, "get_n_splits"):
        raise InputError(
            f"split is a {type(split).__name__}, which makes splits, and a report is about one: hand over the row"
            " positions of one of them, train, test = next(splitter.split(X, y)); split=(train, test)"
        )
    parts = _parts(split)
    if parts is None:
        return split
    labels = np.full(n_rows, None, dtype=object)
    for name, rows in parts.items():
        positions = _positions(name, rows, n_rows)
        taken = positions[labels[positions] != None]  # noqa: E711  elementwise
        if len(taken):
            raise InputError(
                f"split has row {int(taken[0])} in {labels[taken[0]]!r} and in {name!r}; a row is in one partition"
            )
        labels[positions] = name
    return labels.tolist()


def _parts(split: Any) -> dict[str, Any] | None:
    if isinstance(split, Mapping):
        return {str(name): rows for name, rows in split.items()}
    pair = isinstance(split, (tuple, list)) and len(split) == 2
    if pair and all(getattr(rows, "ndim", 0) == 1 and rows.dtype.kind in "biu" for rows in split):
        return {"train": split[0], "test": split[1]}
    return None


def _positions(name: str, rows: Any, n_rows: int) -> Any:
    array = np.asarray(rows)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "biu"):
        raise InputError(
            f"split[{name!r}] must be row positions (whole numbers) or a mask, got {type(rows).__name__}; of tables"
            " that are partitions already, hand them over as data"
        )
    if array.dtype.kind == "b":
        if len(array) != n_rows:
            raise InputError(
                f"split[{name!r}] is a mask of {len(array):,} entries, and data has {n_rows:,} rows"
            )
        return np.flatnonzero(array)
    outside = array[(array < 0) | (array >= n_rows)]
    if len(outside):
        raise InputError(
            f"split[{name!r}] has the row position {outside[0]}; data has rows 0 to {n_rows - 1:,}"
        )
    return array.astype(np.int64)
