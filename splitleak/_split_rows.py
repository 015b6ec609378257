"""The rows and columns of the data that a split was made from, as `Split.take` and `Split.frame` hand them out."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak._split_checks import check_rows, check_source
from splitleak.errors import InputError

if TYPE_CHECKING:
    from splitleak._tables import Source
    from splitleak.partition import Split


def take_rows(split: Split, data: Any, *, check: bool) -> dict[str, Any]:
    """Return the rows of each partition, in the type of `data`; see `Split.take`."""
    if not check and _is_one_dimensional(data):
        check_rows(split, len(data))
        return {name: _values_at(data, split[name]) for name in split.names}
    from splitleak._tables import open_source

    source = open_source(data)
    check_rows(split, source.n_rows)
    if check:
        check_source(split, source)
    return {name: source.take(split[name]) for name in split.names}


def pandas_columns(split: Split, data: Any, *, without: Collection[str]) -> dict[str, Any]:
    """Return the columns of `data` as pandas Series, but for some names."""
    from splitleak._tables import open_source

    source = open_source(data)
    check_rows(split, source.n_rows)
    return {name: _pandas_column(source, name) for name in source.column_names if name not in without}


def _pandas_column(source: Source, name: str) -> Any:
    try:
        return source.column(name).to_pandas()
    except InputError:  # values of several kinds: no Arrow column, and none is needed to show them
        import pandas as pd

        rows = source.take(np.arange(source.n_rows))
        at = source.column_names.index(name)
        values = (
            rows.iloc[:, at]
            if hasattr(rows, "iloc")
            else rows[list(rows)[at] if isinstance(rows, dict) else name]
        )
        return pd.Series(list(values), dtype=object)


def _is_one_dimensional(data: Any) -> bool:
    return isinstance(data, (list, tuple)) or getattr(data, "ndim", None) == 1


def _values_at(data: Any, rows: NDArray[np.int64]) -> Any:
    if isinstance(data, (list, tuple)):
        return [data[row] for row in rows]
    return data.iloc[rows] if hasattr(data, "iloc") else data[rows]
