"""Images: rows that are decoded when they are needed, one a thread; what was computed of them is kept, they are not."""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak._tables.decoding import ENDINGS, UnreadableImageError, decode, decoding, pillow, raw_bytes
from splitleak._threads import map_threads
from splitleak.errors import InputError, SplitleakWarning

_DIGEST = 16  # bytes: equal digests are equal pixels
_NAMED = 20  # unreadable images named in a message
_MISSING = hashlib.blake2b(b"missing", digest_size=_DIGEST).digest()


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
        self._store = _Store(items, names)
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


class _Store:
    """The items, and what was computed of them."""

    def __init__(self, items: Sequence[Any], names: Sequence[str]) -> None:
        self.items, self.names = items, names
        n = len(items)
        self.digests = np.zeros((n, _DIGEST), dtype=np.uint8)
        self.known = np.zeros(n, dtype=bool)
        self.missing = np.fromiter((items[row] is None for row in range(n)), dtype=bool, count=n)
        self.unreadable: dict[int, str] = {}
        self._features: dict[tuple[Any, ...], NDArray[Any]] = {}
        self._told = self.strict = False
        self._lock = threading.Lock()

    def decode(self, row: int) -> Any:
        item = self.items[row]
        if item is None:
            return None
        try:
            return decode(item)
        except UnreadableImageError as error:
            self.unreadable[row] = str(error)
            return None

    def features(
        self, key: tuple[Any, ...], work: Callable[[Any], NDArray[Any]], progress: Progress
    ) -> NDArray[Any]:
        if key not in self._features:
            found = self.visit(np.arange(len(self.items)), work, progress)
            self.report()
            first = next((f for f in found if f is not None), np.zeros(0))
            out = np.zeros((len(found), *first.shape), dtype=first.dtype)
            for row, value in enumerate(found):
                if value is not None:
                    out[row] = value
            self._features[key] = out
        return self._features[key]

    def batches(
        self,
        key: tuple[Any, ...],
        work: Callable[[list[Any], list[str]], NDArray[Any]],
        size: int,
        progress: Progress,
    ) -> NDArray[Any]:
        if key not in self._features:
            n = len(self.items)
            out: NDArray[Any] | None = None
            with progress.stage("images", n) as stage:
                for first in range(0, n, size):
                    rows = np.arange(first, min(first + size, n))
                    images = self.visit(rows, lambda image: image)
                    there = [k for k, image in enumerate(images) if image is not None]
                    if there:
                        made = work([images[k] for k in there], [self.names[first + k] for k in there])
                        if out is None:
                            out = np.zeros((n, *made.shape[1:]), dtype=made.dtype)
                        out[rows[there]] = made
                    stage.advance(len(rows))
            self.report()
            self._features[key] = np.zeros((n, 0)) if out is None else out
        return self._features[key]

    def complete(self) -> None:
        """Know the digest of each row."""
        rows = np.flatnonzero(~self.known)
        if len(rows):
            self.visit(rows, lambda _: None)
        self.report()

    def visit(
        self, rows: NDArray[np.int64], work: Callable[[Any], Any], progress: Progress = SILENT
    ) -> list[Any]:
        """Return what `work` makes of each image (None: not readable); their digests are known from then on."""
        pillow()
        with decoding(), progress.stage("images", len(rows)) as stage:

            def one(row: int) -> Any:
                image = self.decode(row)
                if not self.known[row]:
                    digest = self._digest(row, image)
                    self.digests[row] = np.frombuffer(digest, dtype=np.uint8)
                    self.known[row] = True
                with self._lock:
                    stage.advance()
                return None if image is None else work(image)

            return map_threads(one, rows.tolist())

    def _digest(self, row: int, image: Any) -> bytes:
        if image is None:
            if self.missing[row]:
                return _MISSING
            return hashlib.blake2b(b"unreadable " + raw_bytes(self.items[row]), digest_size=_DIGEST).digest()
        digest = hashlib.blake2b("{} x {} RGB\n".format(*image.size).encode(), digest_size=_DIGEST)
        digest.update(image.tobytes())
        return digest.digest()

    def report(self) -> None:
        """Warn once of the images that cannot be read, or raise when none can, or none may be unreadable."""
        if not self.unreadable or not self.known.all() or (self._told and not self.strict):
            return
        self._told = True
        if len(self.unreadable) + self.missing.sum() == len(self.items):
            raise InputError(
                f"data has no image that can be read: {list_unreadable(self.unreadable, self.names)}; give paths of"
                " image files (relative ones are looked up in the working folder), bytes or arrays"
            )
        if self.strict:
            n = len(self.unreadable)
            raise InputError(
                f"data has {n:,} image{'' if n == 1 else 's'} that cannot be read:"
                f" {list_unreadable(self.unreadable, self.names)}; repair or remove them, or set them aside with"
                " invalid='distinct' (similar to no image)"
            )
        warnings.warn(unreadable_sentence(self.unreadable, self.names), SplitleakWarning, stacklevel=2)


def list_unreadable(reasons: dict[int, str], names: Sequence[str]) -> str:
    """Return the unreadable images with their names and reasons."""
    shown = [f"{names[row]} ({reasons[row]})" for row in sorted(reasons)[:_NAMED]]
    more = f", ... {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    return ", ".join(shown) + more


def unreadable_sentence(reasons: dict[int, str], names: Sequence[str]) -> str:
    """Say which images cannot be read, and what follows."""
    return (
        f"{len(reasons):,} of {len(names):,} images cannot be read and count as similar to none:"
        f" {list_unreadable(reasons, names)}"
    )


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
