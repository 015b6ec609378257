"""Records: the compared values of a dataset as flat buffers; as_records(): the one door for data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["text", "vector", "table"]


@dataclass(frozen=True)
class Records:
    """The compared values of a dataset: one record a row, looked up by position.

    Attributes
    ----------
    kind : {"text", "vector", "table"}
        What the rows are.
    n_rows : int
        Number of rows.
    columns : tuple of str
        Names of the columns compared; empty for a bare list or array.
    buffer, offsets : uint8 and int64 arrays, or None
        Text only: row i is ``buffer[offsets[i]:offsets[i + 1]]`` in UTF-8; `offsets` has n_rows + 1 entries
        and starts at 0.
    vectors : float32 or float64 array of shape (n_rows, n_features), C-contiguous, or scipy csr_array, or None
        Vectors only.
    table : pyarrow.Table or None
        Tables only: the compared columns.
    missing : bool array of shape (n_rows,) or None
        Rows whose value was missing (text: read as empty text); None when there are none.
    """

    kind: Kind
    n_rows: int
    columns: tuple[str, ...] = ()
    buffer: NDArray[np.uint8] | None = None
    offsets: NDArray[np.int64] | None = None
    vectors: Any = None
    table: pa.Table | None = None
    missing: NDArray[np.bool_] | None = None

    def text(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return ``(buffer, offsets)`` of text records."""
        assert self.buffer is not None
        assert self.offsets is not None
        return self.buffer, self.offsets

    @cached_property
    def row_hashes(self) -> NDArray[np.uint64]:
        """A 64-bit hash of each row's content, the same on every machine and in every table library."""
        raise NotImplementedError

    def take(self, rows: NDArray[np.int64]) -> Records:
        """Return the records of the given row positions, in that order."""
        raise NotImplementedError
