"""Every error that splitleak raises on purpose.

::

    SplitleakError
    ├── InputError (ValueError)          an argument, a file or a table that cannot be used
    │   ├── DataMismatchError            a split and data that do not belong together
    │   └── MissingDependencyError       a feature whose extra is not installed (ImportError, too)
    ├── InfeasibleSplitError             whole clusters cannot meet the sizes asked for
    ├── LeakageError                     a report that was asked to raise when it finds a leak
    └── NotPlantable                     a leak that cannot be planted in this table, with the reason
    SplitleakWarning (UserWarning)       something that the caller should know, and that did not stop the work
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class SplitleakError(Exception):
    """Base of all errors raised on purpose."""


class InputError(SplitleakError, ValueError):
    """An argument, a file or a table that cannot be used."""


class DataMismatchError(InputError):
    """A split and data that do not belong together."""


class MissingDependencyError(InputError, ImportError):
    """A feature was chosen whose optional dependency is not installed."""


class InfeasibleSplitError(SplitleakError):
    """Whole clusters cannot meet the sizes asked for.

    Attributes
    ----------
    nearest : dict of str to int
        Rows per partition in the nearest feasible split.
    largest_cluster : int
        Rows in the largest cluster.
    ways_out : list of str
        What could be done, each with its price.
    """

    def __init__(
        self,
        message: str,
        *,
        nearest: dict[str, int] | None = None,
        largest_cluster: int = 0,
        ways_out: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        self.nearest = dict(nearest or {})
        self.largest_cluster = largest_cluster
        self.ways_out = list(ways_out)


class LeakageError(SplitleakError):
    """A leakage report found what it was asked to raise for.

    Attributes
    ----------
    codes : list of str
        The probes that found it.
    """

    def __init__(self, message: str, *, codes: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.codes = list(codes)


class NotPlantable(SplitleakError):  # noqa: N818 - an answer about a table, as StopIteration is about a loop
    """A leak that cannot be planted in this table; the message says why."""


class SplitleakWarning(UserWarning):
    """Something that the caller should know, and that did not stop the work."""


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest known name, or an empty string."""
    names = [str(k) for k in known]
    close = [k for k in names if k.lower() == str(name).lower()]
    close = close or difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def unknown_option(argument: str, value: Any, known: Iterable[object]) -> InputError:
    """Return the error for an option string that is not one of `known`."""
    known = list(known)
    choices = ", ".join(repr(k) for k in known)
    return InputError(
        f"{argument}={value!r} is not known{did_you_mean(value, known)} (choose one of: {choices})"
    )
