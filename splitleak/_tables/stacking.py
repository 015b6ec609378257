"""Two datasets one below the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from splitleak._tables.arrays import open_values
from splitleak._tables.opening import open_source
from splitleak._tables.source import Source, list_names
from splitleak.errors import InputError


def stacked_sources(old: Source, new: Source) -> Source:
    """Return the rows of `old`, then those of `new`; of tables, the columns that both have.

    Raises
    ------
    InputError
        A table and bare values, or columns that no one type holds.

    Examples
    --------
    >>> both = stacked_sources(open_source({"a": [1], "b": [2]}), open_source({"b": [3.5]}))
    >>> both.n_rows, both.column_names, both.column("b").to_pylist()
    (2, ('b',), [2.0, 3.5])
    """
    origin = f"{old.origin} and {new.origin}"
    if bool(old.column_names) != bool(new.column_names):
        raise InputError(
            f"old ({old.origin}) and new ({new.origin}) must both be tables, or both be bare values"
        )
    try:
        if not old.column_names:
            return _stacked_values(old.bare, new.bare, origin)
        names = [name for name in old.column_names if name in new.column_names]
        if not names:
            raise InputError(
                f"old and new have no column in common (old: {list_names(old.column_names)}; new:"
                f" {list_names(new.column_names)})"
            )
        tables = [pa.table({name: source.read(name) for name in names}) for source in (old, new)]
        joined = open_source(pa.concat_tables(tables, promote_options="permissive"))
    except (pa.ArrowException, ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"old and new cannot be put one below the other: {error}") from error
    return Source(
        joined.n_rows,
        joined.column_names,
        origin,
        read=joined.read,
        select=joined.select,
        types=joined.types,
        meant=old.meant,
    )


def _stacked_values(old: Any, new: Any, origin: str) -> Source:
    if isinstance(old, pa.ChunkedArray) and isinstance(new, pa.ChunkedArray):
        text = pa.large_string() if pa.types.is_string(old.type) or pa.types.is_string(new.type) else old.type
        values = pa.chunked_array([*old.cast(text).chunks, *new.cast(text).chunks], type=text)
        return open_values(values, values, origin)
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        return open_source(np.concatenate([old, new]))
    if hasattr(old, "tocsr") and hasattr(new, "tocsr"):
        from scipy.sparse import vstack

        return open_source(vstack([old, new], format="csr"))
    raise InputError(
        f"old and new are of different kinds ({type(old).__name__} and {type(new).__name__}); give both as one kind"
    )
