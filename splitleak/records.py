"""Records: the compared values of a dataset as flat buffers; as_records(): the one door for data."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from splitleak._tables import Source, open_source
from splitleak._tables.columns import take_bytes
from splitleak._tables.content import NULL, row_hashes_of, table_hashes
from splitleak._tables.factors import Factor, resolve_factor, resolve_factors
from splitleak.errors import InputError
from splitleak.kernels import hashing

if TYPE_CHECKING:
    import pyarrow as pa

    from splitleak._tables.images import Images

Kind = Literal["text", "vector", "table", "image", "views"]
Missing = Literal["equal", "distinct", "error"]


@dataclass(frozen=True, eq=False)
class Records:
    """The compared values of a dataset: one record a row, looked up by position.

    Attributes
    ----------
    kind : {"text", "vector", "table", "image", "views"}
        What the rows are; "views": several columns, each compared in its own way.
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
    images : Images or None
        Images only: decoded when they are needed.
    parts : tuple of Records
        Views only: the records of each column.
    missing : bool array of shape (n_rows,) or None
        Rows whose value was missing (text: read as empty text; vectors: a NaN among the numbers; tables: all
        columns null; images: null); None when there are none.
    missing_are : {"equal", "distinct"}
        What the rows in `missing` are to each other: "equal" (a model sees the same nothing in each), or
        "distinct": similar to no row. With "distinct", empty texts are among the missing.
    sequences : bool
        Text only: the source says that the rows are proteins, DNA or RNA (a FASTA file's sequences).
    molecules : bool
        Text only: the source says that the rows are SMILES (an SDF file's molecules).
    kept : dict
        What backends computed of the contents at some cost, shared with the records of some of the rows.
    """

    kind: Kind
    n_rows: int
    columns: tuple[str, ...] = ()
    buffer: NDArray[np.uint8] | None = None
    offsets: NDArray[np.int64] | None = None
    vectors: Any = None
    table: pa.Table | None = None
    images: Images | None = None
    missing: NDArray[np.bool_] | None = None
    missing_are: Literal["equal", "distinct"] = "equal"
    sequences: bool = False
    molecules: bool = False
    parts: tuple[Records, ...] = ()
    kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    def text(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return ``(buffer, offsets)`` of text records."""
        assert self.buffer is not None
        assert self.offsets is not None
        return self.buffer, self.offsets

    def pictures(self) -> Images:
        """Return the images of image records."""
        assert self.images is not None
        return self.images

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about the rows: images that cannot be read."""
        if self.images is None or not (reasons := self.images.unreadable()):
            return ()
        from splitleak._tables.image_store import unreadable_sentence

        return (unreadable_sentence(reasons, [self.images.name(row) for row in range(self.n_rows)]),)

    @cached_property
    def row_hashes(self) -> NDArray[np.uint64]:
        """A 64-bit hash of each row's content, the same on every machine and in every table library.

        Equal numbers have equal hashes whatever the width of their type; -0.0 is 0.0, all NaN are one, and null
        differs from NaN (in tables) and from the empty text. A vector hashes alike dense and sparse. Images hash by
        their size and pixels after decoding (which for JPEG may differ between versions of the decoder).
        """
        if self.kind == "image":
            return self.pictures().hashes()
        if self.kind == "views":
            return row_hashes_of([part.row_hashes for part in self.parts])
        if self.kind == "table":
            return table_hashes(self.table)
        if self.kind == "text":
            hashes = hashing.hash_bytes(*self.text())
            if self.missing is not None and self.missing_are == "equal":
                hashes[self.missing] = NULL
            return hashes
        if isinstance(self.vectors, np.ndarray):
            return hashing.hash_dense(self.vectors)
        rows = self.vectors
        return hashing.hash_sparse(rows.data, rows.indices, rows.indptr, rows.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal digest of the kind, the number of rows and their contents in order.

        Column names do not count: a renamed column holds the same data.
        """
        digest = hashlib.blake2b(f"{self.kind} {self.n_rows}\n".encode(), digest_size=16)
        digest.update(self.row_hashes.astype("<u8").tobytes())
        return digest.hexdigest()

    def take(self, rows: NDArray[np.int64]) -> Records:
        """Return the records of the given row positions, in that order."""
        rows = np.asarray(rows, dtype=np.int64)
        missing = None if self.missing is None else self.missing[rows]
        if missing is not None and not missing.any():
            missing = None
        buffer, offsets = take_bytes(*self.text(), rows) if self.kind == "text" else (None, None)
        return Records(
            self.kind,
            len(rows),
            self.columns,
            buffer=buffer,
            offsets=offsets,
            vectors=None if self.vectors is None else self.vectors[rows],
            table=None if self.table is None else self.table.take(rows),
            images=None if self.images is None else self.images.take(rows),
            missing=missing,
            missing_are=self.missing_are,
            sequences=self.sequences,
            molecules=self.molecules,
            parts=tuple(part.take(rows) for part in self.parts),
            kept=self.kept,
        )

    @classmethod
    def stacked(cls, columns: Sequence[Records]) -> Records:
        """Return the values of several columns one below the other, as rows of one kind.

        Raises
        ------
        InputError
            Columns of several kinds, or vectors of several lengths.
        """
        first = columns[0]
        names = tuple(name for part in columns for name in part.columns)
        kinds = {
            part.kind if part.vectors is None else f"vector of {part.vectors.shape[1]}" for part in columns
        }
        if len(kinds) > 1 or first.kind not in ("text", "vector"):
            raise InputError(
                f"the values of on={list(names)!r} cannot be compared with each other: they are"
                f" {', '.join(sorted(kinds))}; name columns of texts, or of vectors of one length"
            )
        gone = [
            np.zeros(part.n_rows, dtype=bool) if part.missing is None else part.missing for part in columns
        ]
        missing = np.concatenate(gone)
        buffer, offsets = None, None
        if first.kind == "text":
            texts = [part.text() for part in columns]
            buffer = np.concatenate([text for text, _ in texts])
            offsets = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(ends) for _, ends in texts]))])
        return cls(
            first.kind,
            sum(part.n_rows for part in columns),
            names,
            buffer=buffer,
            offsets=None if offsets is None else offsets.astype(np.int64),
            vectors=None if first.kind == "text" else np.concatenate([part.vectors for part in columns]),
            missing=missing if missing.any() else None,
            missing_are=first.missing_are,
        )


def as_records(
    data: Any,
    *,
    on: str | Sequence[str] | None = None,
    exclude: Collection[str] = (),
    kind: Kind | None = None,
    missing: Missing = "equal",
) -> Records:
    """Return the compared values of any data as flat buffers.

    Text columns become text (several: joined by U+001F), a column of equally long lists of numbers or columns of
    numbers become vectors (float32 where all are, else float64), anything else a table that is compared as a
    whole. Whole numbers beyond 2**53, which float64 does not tell apart, make a table.

    Parameters
    ----------
    data : table, list of str, array or path
        Whatever `splitleak._tables.open_source` opens.
    on : str or sequence of str, optional
        The column or columns compared. Left out: the bare values; of a table the only column, apart from
        `exclude`, that holds texts or lists of numbers, or the only one at all (with ``kind="table"``: all).
    exclude : collection of str
        Columns that are not meant when `on` is left out (classes, groups, times).
    kind : {"text", "vector", "table", "image", "views"}, optional
        What the rows shall be; default: what the columns hold. "table" takes any columns of plain values, "image" a
        column of paths or of the bytes of image files, "views" any columns at all, each for itself.
    missing : {"equal", "distinct", "error"}
        A missing text is read as the empty text, and two empty texts are equal: a model sees the same nothing
        ("equal"). "distinct": rows without a text are similar to no row. "error": they are refused. Of several
        text columns all must be missing.

    Returns
    -------
    Records

    Raises
    ------
    InputError
        Unknown columns, columns that cannot be compared, several that could be meant, missing values under
        ``missing="error"``.

    Examples
    --------
    >>> records = as_records({"text": ["one", "two", None], "label": [0, 1, 0]})
    >>> records.kind, records.columns, records.offsets.tolist(), records.missing.tolist()
    ('text', ('text',), [0, 3, 6, 6], [False, False, True])
    """
    from splitleak._tables.choosing import read_records

    if kind == "views":
        source = open_source(data)
        names = () if on is None else (on,) if isinstance(on, str) else tuple(on)
        parts = tuple(as_records(source, on=name, missing=missing) for name in names)
        return Records("views", source.n_rows, names, parts=parts)
    return Records(**read_records(open_source(data), on=on, exclude=exclude, kind=kind, missing=missing))


__all__ = [
    "Factor",
    "Kind",
    "Missing",
    "Records",
    "Source",
    "as_records",
    "open_source",
    "resolve_factor",
    "resolve_factors",
]
