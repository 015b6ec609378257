"""njit() for the kernels: compiled code is kept on disk where a folder can be written, and long waits are announced."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

import numba
from numba.core import event

from splitleak import _progress

_SECONDS = 10  # of an unloaded core, for all kernels of one search
_lock = Lock()
_told: set[str] = set()
_unkept: list[str] = []  # why compiled code cannot be kept


def njit(**options: Any) -> Callable[[Any], Any]:
    """Compile a function as `numba.njit` does; without a cache on disk where no folder for it can be written."""

    def decorate(function: Any) -> Any:
        try:
            return numba.njit(**options)(function)
        except RuntimeError as error:
            if not options.get("cache") or "cannot cache" not in str(error):
                raise
            _unkept.append(str(error))
            return numba.njit(**{**options, "cache": False})(function)

    return decorate


class _Announcer(event.Listener):  # type: ignore[misc]
    """Says once, where progress is shown, what is being waited for."""

    def on_start(self, event: Any) -> None:
        function = getattr(event.data["dispatcher"], "py_func", None)
        if not getattr(function, "__module__", "").startswith("splitleak."):
            return
        with _lock:
            if "compiling" in _told or not _progress.shown():
                return
            _told.add("compiling")
        if _unkept:
            _progress.say_where_shown(
                f"compiling the search (about {_SECONDS} s), in each process anew: no folder for compiled code can be"
                " written; name one that can in the environment variable NUMBA_CACHE_DIR"
            )
        else:
            _progress.say_where_shown(f"compiling the search, once per machine (about {_SECONDS} s)")

    def on_end(self, event: Any) -> None:
        """Nothing to say."""


event.register("numba:compile", _Announcer())
