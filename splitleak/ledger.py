"""A record of the uses of test sets: one JSON line per use, appended under a lock, whole or not at all.

A test set that is looked at again and again is fitted to, one choice at a time (Dwork et al. 2015). The file holds
hashes and column names, no values.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._files import check_writable, write_text
from splitleak.errors import InputError

Words = NDArray[np.uint64]

FORMAT = 1
SAMPLE = 512  # row hashes kept of a use, the smallest: enough to tell a share of rows to 0.05
_WAIT = 10.0  # seconds for another run to finish its line


@dataclass(frozen=True)
class Use:
    """One use of a set of held-out rows.

    Attributes
    ----------
    used : str
        When, in UTC, as ISO 8601.
    rows : int
        Different rows.
    target : str or None
        What was predicted.
    fingerprint : str
        Hash of all rows, whatever their order.
    sample : tuple of str
        The smallest row hashes (of up to `SAMPLE` rows: all), ascending.
    columns : mapping of str to str
        Hash of all values of each column that all but names its rows: the same rows are known again when other
        columns were added or changed.
    """

    used: str
    rows: int
    target: str | None
    fingerprint: str
    sample: tuple[str, ...]
    columns: Mapping[str, str]

    def share_in(self, other: Use) -> float:
        """Return the share of these rows that the other use had, in [0, 1]; from samples where there are many."""
        if self.fingerprint == other.fingerprint:
            return 1.0
        if any(other.columns.get(name) == value for name, value in self.columns.items()):
            return 1.0
        ends = [use.sample[-1] for use in (self, other) if use.rows > len(use.sample)]
        mine = [h for h in self.sample if not ends or h <= min(ends)]
        return len(set(mine) & set(other.sample)) / len(mine) if mine else 0.0


def use_of(rows: Words, columns: Mapping[str, Words], *, target: str | None, used: str) -> Use:
    """Return the use of rows, given their hashes and those of the values of some columns."""
    distinct = np.unique(rows)
    telling = {}
    for name, values in sorted(columns.items()):
        if len(np.unique(values)) >= max(10, len(distinct) / 2):
            telling[name] = _order_free(values)
    return Use(
        used,
        len(distinct),
        target,
        _order_free(rows),
        tuple(f"{h:016x}" for h in distinct[:SAMPLE].tolist()),
        telling,
    )


def _order_free(hashes: Words) -> str:
    import hashlib

    return hashlib.blake2b(np.sort(hashes).astype("<u8").tobytes(), digest_size=16).hexdigest()


def check_ledger(path: Any) -> None:
    """Refuse a ledger that cannot be read or written, before long work.

    Raises
    ------
    InputError
        No path, a folder, a folder that does not exist or cannot be written, a file that is no ledger.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(
            f"ledger must be the path of a file such as 'test_set_uses.jsonl', got {type(path).__name__}"
        )
    check_writable(path, "ledger")
    read_ledger(path)


def read_ledger(path: str | os.PathLike[str]) -> list[Use]:
    """Return the uses that a ledger holds, oldest first; none where there is no file yet.

    Raises
    ------
    InputError
        A file that is no ledger, or is damaged; the message names the line.
    """
    file = Path(path)
    if not file.exists():
        return []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"ledger={str(file)!r} cannot be read ({error}); give another file") from None
    return [_parsed(line, str(file), i) for i, line in enumerate(lines, start=1) if line.strip()]


def _parsed(line: str, file: str, number: int) -> Use:
    wrong = f"ledger={file!r}, line {number}, is no record of a use"
    out = "; give a file of its own, or restore it from a copy"
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{wrong} ({error.msg}){out}") from None
    if not isinstance(entry, dict) or "format" not in entry:
        raise InputError(f"{wrong} (no format){out}")
    if entry["format"] != FORMAT:
        raise InputError(
            f"{wrong} of format {FORMAT} (it says {entry['format']!r}): a newer splitleak wrote it; update, or give"
            " another file"
        )
    kinds: dict[str, Any] = {
        "used": str,
        "rows": int,
        "target": (str, type(None)),
        "fingerprint": str,
        "sample": list,
        "columns": dict,
    }
    odd = [name for name, kind in kinds.items() if name not in entry or not isinstance(entry[name], kind)]
    if odd:
        raise InputError(f"{wrong} ({', '.join(odd)} missing or of another kind){out}")
    return Use(
        entry["used"], entry["rows"], entry["target"], entry["fingerprint"],
        tuple(str(h) for h in entry["sample"]), {str(k): str(v) for k, v in entry["columns"].items()},
    )  # fmt: skip


def record_use(path: str | os.PathLike[str], use: Use) -> list[Use]:
    """Append a use, and return those that were there before.

    Raises
    ------
    InputError
        Another run holds the lock for too long; a file that is no ledger.
    """
    file = Path(path)
    with _locked(file):
        before = read_ledger(file)
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        if text and not text.endswith("\n"):
            text += "\n"
        write_text(file, text + json.dumps({"format": FORMAT} | asdict(use), sort_keys=True) + "\n")
    return before


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock file beside `file`: creating one that exists fails on every system."""
    lock = file.resolve().with_name(file.name + ".lock")
    give_up = time.monotonic() + _WAIT
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            if time.monotonic() > give_up:
                raise InputError(
                    f"ledger: another run has held {str(lock)!r} for {_WAIT:.0f} seconds; delete that file if none is"
                    " running"
                ) from None
            time.sleep(0.02)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def earlier_uses(use: Use, before: Sequence[Use], *, share: float) -> list[tuple[Use, float]]:
    """Return the earlier uses that had more than `share` of these rows, with their share."""
    found = [(other, use.share_in(other)) for other in before]
    return [(other, had) for other, had in found if had > share]
