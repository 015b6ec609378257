"""Vectors of texts on disk: a folder for each encoder, in it files of digests and vectors.

A file is a .npz archive, whose checksums tell a damaged one: it is left out and taken away, and its texts are encoded
again. Files are written whole or not at all, so that several processes may use one folder.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splitleak._files import replacing
from splitleak.errors import InputError

DIGEST_BYTES = 16
MOST_FILES = 8  # beyond these they are made one
_ENDING = ".vectors.npz"
_BROKEN = (zipfile.BadZipFile, ValueError, KeyError, OSError, EOFError)


def cache_folder() -> Path:
    """Return the folder of the cache: what SPLITLEAK_CACHE names, else the system's folder for caches."""
    given = os.environ.get("SPLITLEAK_CACHE")
    if given:
        return Path(given).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("splitleak", appauthor=False)


def cache_size(folder: str | Path | None = None) -> int:
    """Return the bytes of all vectors in a cache (default: `cache_folder`); delete the folder to be rid of them."""
    root = cache_folder() if folder is None else Path(folder)
    return sum(file.stat().st_size for file in root.glob(f"*/*{_ENDING}"))


class EmbeddingCache:
    """The vectors that one encoder made, by the digests of the texts.

    Parameters
    ----------
    root : path
        Folder of all encoders; made when something is written.
    key : str
        What the encoder is.
    """

    def __init__(self, root: Path, key: str) -> None:
        self.folder = root / hashlib.blake2b(key.encode(), digest_size=16).hexdigest()

    def prepare(self) -> None:
        """Make the folder, or raise when it cannot be written; to be called before long work."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            trial = self.folder / f".{secrets.token_hex(8)}.tmp"
            trial.touch()
            trial.unlink()
        except OSError as error:
            raise InputError(
                f"cache: the folder {str(self.folder.parent)!r} cannot be written ({error.strerror}); give another with"
                " cache= or SPLITLEAK_CACHE, or cache=False"
            ) from error

    def read(self, digests: NDArray[np.uint64]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Return which texts are known, and their vectors.

        Parameters
        ----------
        digests : uint64 array of shape (n, 2)

        Returns
        -------
        known : bool array of shape (n,)
        vectors : float32 array of shape (n_known, n_features)
            In the order of `digests`.
        """
        known = np.zeros(len(digests), dtype=bool)
        places: list[NDArray[np.int64]] = []
        parts: list[NDArray[np.float32]] = []
        for file in self._files():
            wanted = np.flatnonzero(~known)
            if not len(wanted):
                break
            found = _read(file, digests[wanted])
            if found is None:
                with suppress(OSError):  # a folder that may only be read
                    file.unlink()
                continue
            hits, vectors = found
            if parts and len(vectors) and vectors.shape[1] != parts[0].shape[1]:
                continue  # of another encoder under the same name: what comes first counts, the rest is made anew
            if len(vectors):
                known[wanted[hits]] = True
                places.append(wanted[hits])
                parts.append(vectors)
        if not parts:
            return known, np.empty((0, 0), dtype=np.float32)
        return known, np.concatenate(parts)[np.argsort(np.concatenate(places), kind="stable")]

    def write(self, digests: NDArray[np.uint64], vectors: NDArray[np.float32]) -> None:
        """Add vectors, shape (n, n_features), of texts with `digests`, shape (n, 2)."""
        if not len(digests):
            return
        order = np.lexsort((digests[:, 1], digests[:, 0]))
        with (
            replacing(self.folder / f"{secrets.token_hex(8)}{_ENDING}") as temporary,
            temporary.open("wb") as to,
        ):
            np.savez(to, digests=digests[order], vectors=vectors[order])

    def join_files(self) -> None:
        """Make one file of many small ones (several runs, or one that was long)."""
        files = self._files()
        if len(files) <= MOST_FILES:
            return
        try:
            parts = []
            for file in files:
                with file.open("rb") as raw, np.load(raw, allow_pickle=False) as stored:
                    parts.append((stored["digests"], stored["vectors"]))
            digests, vectors = (np.concatenate(each) for each in zip(*parts, strict=True))
        except _BROKEN:  # damaged, of several lengths, or another process did it: reading tells which
            return
        _, first = np.unique(digests, axis=0, return_index=True)
        self.write(digests[first], vectors[first])
        for file in files:
            file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{_ENDING}"))


def _read(file: Path, digests: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.float32]] | None:
    """Return which of `digests` a file has, and their vectors; None: it is damaged."""
    try:
        with file.open("rb") as raw, np.load(raw, allow_pickle=False) as stored:
            own = stored["digests"]
            if own.ndim != 2 or own.shape[1] != 2 or own.dtype != np.uint64:
                return None
            at = np.searchsorted(own[:, 0], digests[:, 0])
            at[at == len(own)] = 0
            hits = np.flatnonzero((own[at] == digests).all(axis=1)) if len(own) else np.empty(0, np.int64)
            if not len(hits):
                return hits, np.empty((0, 0), dtype=np.float32)
            vectors = stored["vectors"]
            if vectors.ndim != 2 or len(vectors) != len(own) or vectors.dtype != np.float32:
                return None
            return hits, vectors[at[hits]]
    except FileNotFoundError:  # another process joined it with others
        return np.empty(0, np.int64), np.empty((0, 0), dtype=np.float32)
    except _BROKEN:
        return None
