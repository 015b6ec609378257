"""Images: rows that are images, and what tells that values are such rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak._tables.decoding import ENDINGS, decoding
from splitleak._tables.image_store import ImageStore
from splitleak.errors import InputError


class Images(Sequence[Any]):
    """A sequence of images; an item is decoded each time it is asked for.

    Parameters
    ----------
    items : sequence
        Path, bytes, array, Pillow image, or None (missing) of each row.
    names : sequence of str
        What to call each row in messages.
    """

    def __init__(self, items: Sequence[Any], names: Sequence[str]) -> None:
        self._store = ImageStore(items, names)
        self._rows = np.arange(len(items), dtype=np.int64)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: Any) -> Any:
        """Return one image as a Pillow image of mode RGB, or None when it is missing or unreadable."""
        with decoding():
            return self._store.decode(int(self._rows[row]))

    def name(self, row: int) -> str:
        """Return what a row is called."""
        return str(self._store.names[int(self._rows[row])])

    def item(self, row: int) -> Any:
        """Return what a row was given as: a path, bytes, an array, a Pillow image, or None."""
        return self._store.items[int(self._rows[row])]

    @classmethod
    def joined(cls, parts: Sequence[Images]) -> Images:
        """Return the images of several sequences, one after the other."""
        rows = [(part, row) for part in parts for row in range(len(part))]
        return cls([part.item(row) for part, row in rows], [part.name(row) for part, row in rows])

    def take(self, rows: NDArray[np.int64]) -> Images:
        """Return the images of some rows; what was computed of all of them is shared."""
        part = Images.__new__(Images)
        part._store, part._rows = self._store, self._rows[rows]
        return part

    def features(
        self,
        key: tuple[Any, ...],
        work: Callable[[Any], NDArray[Any]],
        *,
        progress: Progress = SILENT,
    ) -> NDArray[Any]:
        """Return what `work` makes of each image, computed once for each `key`.

        Parameters
        ----------
        key : tuple
            Names the work and its options.
        work : callable
            ``work(image) -> array`` of one shape and type, of a Pillow image of mode RGB; called in threads.
        progress : Progress
            Where the decoding is told.

        Returns
        -------
        array of shape (n_rows, ...)
            0 where an image is missing or unreadable.
        """
        return self._store.features(key, work, progress)[self._rows]

    def batches(
        self,
        key: tuple[Any, ...],
        work: Callable[[list[Any], list[str]], NDArray[Any]],
        size: int,
        *,
        progress: Progress = SILENT,
    ) -> NDArray[Any]:
        """Return what `work` makes of lists of at most `size` images, computed once for each `key`.

        As `features`, for work that wants several images at once: ``work(images, names) -> array`` with a row for
        each.
        """
        return self._store.batches(key, work, size, progress)[self._rows]

    def digests(self) -> NDArray[np.uint8]:
        """Return a 128-bit digest of each row, shape (n_rows, 16): equal for equal size and pixels.

        All missing images have one digest; unreadable ones that of their bytes, which no image has.
        """
        self._store.complete()
        return self._store.digests[self._rows]

    def hashes(self) -> NDArray[np.uint64]:
        """Return the first 64 bits of each digest."""
        return np.ascontiguousarray(self.digests()[:, :8]).view("<u8")[:, 0].astype(np.uint64, copy=False)

    def missing(self) -> NDArray[np.bool_] | None:
        """Return which rows have no image, or None when each has one."""
        mask = self._store.missing[self._rows]
        return mask if mask.any() else None

    def refuse_unreadable(self) -> None:
        """Raise, where an image cannot be read, as soon as that is known; without this there is a warning."""
        self._store.strict = True
        self._store.report()

    def unreadable(self) -> dict[int, str]:
        """Return why each row that cannot be decoded cannot be, by position."""
        self._store.complete()
        reasons = self._store.unreadable
        return {at: reasons[row] for at, row in enumerate(self._rows.tolist()) if row in reasons}


class _Column(Sequence[Any]):
    """The images of an Arrow column of paths, of bytes, or of Hugging Face's structs of both."""

    def __init__(self, column: Any, base: Path) -> None:
        self._column, self._base = column, base

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, row: Any) -> Any:
        value = self._column[row].as_py()
        if isinstance(value, dict):
            value = value["path"] if value["bytes"] is None else value["bytes"]
        return self._base / value if isinstance(value, str) else value


def is_image_struct(kind: Any) -> bool:
    """Return whether an Arrow type is that of Hugging Face's images: a struct of bytes and path."""
    if not pa.types.is_struct(kind) or kind.num_fields != 2:
        return False
    fields = {kind.field(i).name: kind.field(i).type for i in range(2)}
    return set(fields) == {"bytes", "path"} and pa.types.is_binary(fields["bytes"])


def column_images(column: Any, what: str, base: Path | None) -> Images:
    """Return the images of a column of paths (relative to `base`, or the working folder), bytes or structs.

    Raises
    ------
    InputError
        A column of something else.
    """
    from splitleak._tables.columns import plain, role_of

    column = plain(column)
    kind = column.type
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    if not (binary or is_image_struct(kind) or role_of(kind) == "text"):
        raise InputError(
            f"{what} cannot be compared as images: it holds {kind} values; give paths, or the bytes of image files"
        )
    names = column.to_pylist() if role_of(kind) == "text" else [None] * len(column)
    return Images(_Column(column, base or Path()), [name or f"row {row}" for row, name in enumerate(names)])


def is_image_item(value: Any) -> bool:
    """Return whether a value in a list is meant as an image: a path object, bytes, an array, a Pillow image."""
    if isinstance(value, (Path, bytes)):
        return True
    if isinstance(value, np.ndarray):
        return value.ndim in (2, 3)
    return type(value).__module__.startswith("PIL.")


def list_images(values: Sequence[Any]) -> Images:
    """Return the images of a list of path objects, bytes, arrays and Pillow images; None is missing.

    Raises
    ------
    InputError
        A value of another kind.
    """
    for row, value in enumerate(values):
        if value is not None and not is_image_item(value) and not isinstance(value, str):
            raise InputError(
                f"data is a list of images, and row {row} holds {type(value).__name__}; give paths, bytes, arrays of"
                " shape (height, width) or (height, width, channels), or Pillow images"
            )
    items = [Path(value) if isinstance(value, str) else value for value in values]
    names = [str(value) if isinstance(value, Path) else f"row {row}" for row, value in enumerate(items)]
    return Images(items, names)


_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")


def are_image_names(buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> bool:
    """Return whether every text (at least one, empty ones left out) ends as the names of image files do."""
    endings = tuple(ending.encode() for ending in ENDINGS)
    found = False
    for start, stop in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        if stop == start:
            continue
        if not buffer[max(start, stop - 5) : stop].tobytes().lower().endswith(endings):
            return False
        found = True
    return found


def are_image_bytes(column: pa.ChunkedArray) -> bool:
    """Return whether every value (at least one, missing ones left out) begins as an image file does."""
    if not any(test(column.type) for test in (pa.types.is_binary, pa.types.is_large_binary)):
        return False
    heads = [value.as_py()[:12] for value in column if value.is_valid]
    riff = (head[8:12] == b"WEBP" for head in heads if head.startswith(b"RIFF"))
    return len(heads) > 0 and all(head.startswith(_MAGIC) for head in heads) and all(riff)
