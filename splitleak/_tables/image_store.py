"""Images that are decoded when they are needed, one a thread; what was computed of them is kept, they are not."""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak._tables.decoding import UnreadableImageError, decode, decoding, pillow, raw_bytes
from splitleak._threads import map_threads
from splitleak.errors import InputError, SplitleakWarning

_DIGEST = 16  # bytes: equal digests are equal pixels
_NAMED = 20  # unreadable images named in a message
_MISSING = hashlib.blake2b(b"missing", digest_size=_DIGEST).digest()


class ImageStore:
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
