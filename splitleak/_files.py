"""Files that appear whole or not at all, in folders that are checked before the work starts."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from splitleak.errors import InputError


def check_writable(path: str | os.PathLike[str], argument: str, *, endings: Sequence[str] = ()) -> Path:
    """Return `path` when a file can be written there, or raise; to be called before long work.

    Parameters
    ----------
    path : path-like
        The file to be written.
    argument : str
        Name of the argument that brought it, for the message.
    endings : sequence of str
        Allowed endings, such as ``".parquet"``; none: any.

    Raises
    ------
    InputError
        Another ending, a folder in its place, a folder that does not exist or cannot be written.
    """
    path = Path(path)
    if endings and path.suffix.lower() not in endings:
        raise InputError(
            f"{argument}={str(path)!r} must end in {' or '.join(endings)}, which says how it is written"
        )
    if path.is_dir():
        raise InputError(f"{argument}={str(path)!r} must be a file, and a folder of that name exists")
    check_folder(path.resolve().parent, argument)
    return path


def check_folder(folder: Path, argument: str) -> None:
    """Raise when `folder` does not exist or cannot be written."""
    if not folder.is_dir():
        raise InputError(
            f"{argument}: the folder {str(folder)!r} does not exist; make it first, or write elsewhere"
        )
    # trying is the only test that also holds on read-only mounts and for administrators
    trial = folder / f".splitleak-{secrets.token_hex(8)}.tmp"
    try:
        os.close(os.open(trial, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        trial.unlink()
    except OSError as error:
        raise InputError(
            f"{argument}: the folder {str(folder)!r} cannot be written ({error.strerror}); write elsewhere"
        ) from error


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the path of a temporary file in the same folder; it takes the place of `path` at the end.

    After an error or an interruption the temporary file is gone and `path` is what it was before.
    """
    target = Path(path).resolve()
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8 with plain newlines, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
