"""Progress bars on stderr: only for stages longer than a second, only on a terminal or when asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

_shown: WeakSet[Progress] = WeakSet()  # those of the calls that are running


class Progress:
    """Tells a person what a long stage is doing.

    Parameters
    ----------
    enabled : bool or None
        True shows bars always, False never, None (default) only when stderr is a terminal.
    delay : float
        Seconds that a stage must have lasted before its bar appears.
    """

    def __init__(self, enabled: bool | None = None, *, delay: float = 1.0) -> None:
        self.enabled = sys.stderr.isatty() if enabled is None else enabled
        self.delay = delay
        if self.enabled:
            _shown.add(self)

    @contextmanager
    def stage(self, title: str, total: int | None = None) -> Iterator[Stage]:
        """Open a stage; call ``advance()`` on what it yields."""
        stage = Stage(title, total, self.delay if self.enabled else None)
        try:
            yield stage
        finally:
            stage.close()

    def say(self, message: str) -> None:
        """Print one line to stderr, when enabled."""
        if self.enabled:
            print(message, file=sys.stderr, flush=True)


class Stage:
    """One stage of a `Progress`; cheap to advance."""

    def __init__(self, title: str, total: int | None, delay: float | None) -> None:
        self.title, self.total, self.done = title, total, 0
        self._opens_at = None if delay is None else time.monotonic() + delay
        self._bar: Any = None
        self._task: Any = None

    def advance(self, by: int = 1) -> None:
        """Count `by` more units as done."""
        self.done += by
        if self._opens_at is None or time.monotonic() < self._opens_at:
            return
        if self._bar is None:
            self._open()
        self._bar.update(self._task, completed=self.done)

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bars

        self._bar = Bars(console=Console(stderr=True), transient=True)
        self._bar.start()
        self._task = self._bar.add_task(self.title, total=self.total)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


def shown() -> bool:
    """Return whether a call is running that shows its progress."""
    return len(_shown) > 0


def say_where_shown(message: str) -> None:
    """Print one line to stderr, when a call that shows its progress is running."""
    if shown():
        print(message, file=sys.stderr, flush=True)


SILENT = Progress(False)
