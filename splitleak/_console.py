"""How a command ends: errors as one paragraph on stderr, and exit codes that tell a leak from a fault."""

from __future__ import annotations

import os
import sys
import textwrap
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from splitleak.errors import SplitleakError, SplitleakWarning

LEAKS, UNUSABLE, FAULT, INTERRUPTED, PIPE_CLOSED = 1, 2, 3, 130, 141


@contextmanager
def session() -> Iterator[None]:
    """Turn errors into one paragraph on stderr and an exit code, warnings into a line."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", SplitleakWarning)
        warnings.showwarning = lambda message, *_, **__: complain("warning", message)
        try:
            yield
            sys.stdout.flush()
        except typer.Exit:
            raise
        except BrokenPipeError:
            # whoever read the output has gone: no more of it, also not when Python ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(PIPE_CLOSED) from None
        except (SplitleakError, OSError) as error:
            complain("error", error)
            raise typer.Exit(UNUSABLE) from None
        except KeyboardInterrupt:
            complain("interrupted", "files that were not finished are not there")
            raise typer.Exit(INTERRUPTED) from None
        except Exception:  # a fault of ours must not end with the exit code of a leak
            traceback.print_exc()
            raise typer.Exit(FAULT) from None


def complain(kind: str, message: object) -> None:
    text = f"{kind}: {' '.join(str(message).split())}"
    if sys.stderr.isatty():
        text = textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)
    print(text, file=sys.stderr, flush=True)
