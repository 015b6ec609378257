"""What kinds find out about a table before they plant in it: computed once for many leaks in one table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

_Fact = TypeVar("_Fact")
_KNOWN: ContextVar[dict[Hashable, object] | None] = ContextVar("known facts", default=None)


@contextmanager
def one_table(known: dict[Hashable, object]) -> Iterator[None]:
    """While this is open, `plant` is called with one table, one target and one split, all left as they are.

    `known` is filled with what is found out; a caller hands it in again for the same table.
    """
    token = _KNOWN.set(known)
    try:
        yield
    finally:
        _KNOWN.reset(token)


def fact(key: Hashable, compute: Callable[[], _Fact]) -> _Fact:
    """Return what follows from the table, the target and the split alone: computed, or known from an earlier leak.

    `key` names the fact and whatever else it depends on, such as the strength.
    """
    known = _KNOWN.get()
    if known is None:
        return compute()
    if key not in known:
        known[key] = compute()
    found: _Fact = known[key]  # type: ignore[assignment]
    return found
