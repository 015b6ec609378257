"""New rows of a split in order of time: each may go to the partition in whose period it lies, to no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._tables import Source
from splitleak.chronology import Chronology
from splitleak.errors import DataMismatchError, InputError
from splitleak.partition import Split

Ints = NDArray[np.int64]

OUTSIDE = "new, and within the embargo between two partitions"
OF_ANOTHER_TIME = "new, and similar to, or in one group with, rows of a partition of another time"


def read_times(split: Split, both: Source, time: Any, embargo: Any) -> Chronology | None:
    """Return the times of old and new rows, by the arguments or as the split was made; None: it has no order in time.

    Raises
    ------
    InputError
        Times that were given as an array, and are not given again.
    """
    made = {} if split.provenance is None else split.provenance.options
    if time is None and split.periods is None:
        return Chronology.read(both, None, embargo)
    if time is None:
        time = made.get("time")
        if time is None or time not in both.column_names:
            raise InputError(
                "the split is in order of time, and the times were "
                + (
                    "given as an array"
                    if time in (None, "time")
                    else f"in a column {time!r} that is not there"
                )
                + "; give time= again, one value for each old row and then for each new one, or a column of both"
            )
    return Chronology.read(both, time, made.get("embargo") if embargo is None else embargo)


def windows(chronology: Chronology, codes: Ints, names: Sequence[str]) -> Ints:
    """Return the partition in whose period each new row lies; -1: within an embargo.

    The period of a partition ends with its last old row, and begins where the embargo of the partition before it ends;
    the first one has no beginning, the last one no end.

    Parameters
    ----------
    chronology : Chronology
        Times of the old rows, then of the new ones.
    codes : int64 array of shape (n_old,)
    names : sequence of str
        The partitions, in order of time.

    Raises
    ------
    DataMismatchError
        Old rows that are not in that order.
    """
    timeline, n_old = chronology.timeline, len(codes)
    old, new = timeline.rank[:n_old], timeline.rank[n_old:]
    found = np.full(len(new), -1, dtype=np.int64)
    held = [p for p in range(len(names)) if (codes == p).any()]
    begins = 0
    for p, following in zip(held, [*held[1:], None], strict=True):
        rows = np.flatnonzero(codes == p)
        first, last = rows[np.argmin(old[rows])], rows[np.argmax(old[rows])]
        if old[first] < begins:
            raise DataMismatchError(
                f"the old rows are not in order of time: row {first} ({chronology.moments.text(int(first))}) is in"
                f" {names[p]!r}, and an earlier partition has a row of that time or later, or within the embargo of"
                " it; name the times that the split was made with (time=), and its embargo="
            )
        ends = timeline.n_times if following is None else int(old[last]) + 1
        found[(new >= begins) & (new < ends)] = p
        begins = int(timeline.free[old[last]])
    return found
