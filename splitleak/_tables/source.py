"""Source: a dataset of any kind, opened once; columns come out as Arrow, rows in the caller's own type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

    from splitleak._tables.images import Images

_SHOWN = 20  # column names listed in an error


@dataclass(frozen=True, eq=False)
class Source:
    """A dataset that was opened by `open_source`.

    Attributes
    ----------
    n_rows : int
        Number of rows, at least 1.
    column_names : tuple of str
        Names of the columns; empty for a bare list or array.
    origin : str
        What was opened, without the number of rows.
    bare : pyarrow.ChunkedArray, numpy 2-D array, scipy sparse matrix, Images, or None
        The values of a bare list or array.
    meant : str or None
        The column that is compared when none is named, where the kind of file says so (FASTA: the sequence).
    images : dict of str to Images
        Columns that were opened as images, so that what was computed of them is kept.
    base : Path or None
        Folder that relative paths in the columns start from; None: the working folder.
    """

    n_rows: int
    column_names: tuple[str, ...]
    origin: str
    read: Callable[[str], pa.ChunkedArray] = field(repr=False)
    select: Callable[[NDArray[np.int64]], Any] = field(repr=False)
    bare: Any = field(default=None, repr=False)
    types: Callable[[str], pa.DataType] | None = field(default=None, repr=False)
    meant: str | None = None
    images: dict[str, Images] = field(default_factory=dict, repr=False)
    base: Path | None = None

    def column(self, name: str, *, argument: str = "column") -> pa.ChunkedArray:
        """Return one column.

        Raises
        ------
        InputError
            A name that is not a column; `argument` is named in the message.
        """
        self.require([name], argument=argument)
        return self.read(name)

    def column_images(self, name: str) -> Images:
        """Return a column of paths or bytes as images.

        Raises
        ------
        InputError
            A column that holds neither.
        """
        if name not in self.images:
            from splitleak._tables.images import column_images

            self.images[name] = column_images(self.read(name), f"column {name!r}", self.base)
        return self.images[name]

    def column_type(self, name: str) -> pa.DataType:
        """Return a column's Arrow type, without reading its values where the source knows its types."""
        return self.types(name) if self.types is not None else self.read(name).type

    def take(self, rows: NDArray[np.int64]) -> Any:
        """Return the rows at the given positions, in that order, in the caller's own type (files: pyarrow.Table)."""
        return self.select(np.asarray(rows, dtype=np.int64))

    def describe(self) -> str:
        """Return what was opened and its number of rows, for provenance."""
        return f"{self.origin}, {self.n_rows} rows"

    def require(self, names: Iterable[str], *, argument: str) -> None:
        """Raise when one of the names is not a column."""
        for name in names:
            if name in self.column_names:
                continue
            if not self.column_names:
                raise InputError(
                    f"{argument}={name!r} names a column, and the data ({self.origin}) is bare values without"
                    f" column names; {_WITHOUT_COLUMNS.get(argument, 'give the values themselves')}"
                )
            raise InputError(
                f"{argument}={name!r} is not a column of the data{did_you_mean(name, self.column_names)}"
                f" (columns: {list_names(self.column_names)})"
            )


_WITHOUT_COLUMNS = {"on": "leave on= out"}


def list_names(names: Iterable[str]) -> str:
    """Return quoted names for a message, the first 20 of many."""
    names = list(names)
    more = f", ... {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(repr(name) for name in names[:_SHOWN]) + more


def list_rows(rows: NDArray[np.integer], most: int = 5) -> str:
    """Return the first row positions for a message."""
    more = ", ..." if len(rows) > most else ""
    return ", ".join(str(int(row)) for row in rows[:most]) + more


def check_names(names: Iterable[str], origin: str) -> tuple[str, ...]:
    """Return the column names, or raise when one is given twice."""
    names = tuple(names)
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(
                f"data ({origin}) has more than one column named {name!r}; column names must differ: rename one"
            )
        seen.add(name)
    return names


def check_rows(n_rows: int, origin: str) -> int:
    """Return the number of rows, or raise when there are none."""
    if n_rows < 1:
        raise InputError(f"data ({origin}) has no rows; give at least one row")
    return int(n_rows)
