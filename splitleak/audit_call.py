"""How a report was made: the call, with its options as they would be written, and the versions."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version
from inspect import signature
from typing import Any

_LIBRARIES = ("numpy", "pyarrow", "scikit-learn")
_PER_ROW = ("split", "target", "groups", "time")  # a list may hold values of the data


def call_record(function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the arguments of a call that are not the function's defaults, as Python that could be pasted.

    An array, a table or a fitted object goes by the name of its argument: it is the caller's to hand in again.
    """
    return {
        name: _written(name, arguments[name])
        for name, parameter in signature(function).parameters.items()
        if name not in ("data", "progress") and not _same(arguments[name], parameter.default)
    }


def versions() -> dict[str, str]:
    """Return the versions of splitleak, of Python and of what a result could depend on."""
    import splitleak

    found = {name: version(name) for name in _LIBRARIES}
    return {"splitleak": splitleak.__version__, "python": platform.python_version(), **found}


def _same(value: Any, default: Any) -> bool:
    return value is default or (isinstance(value, (str, int, float)) and value == default)


def _written(name: str, value: Any) -> str:
    one_per_row = name in _PER_ROW and not isinstance(value, str)
    return repr(value) if not one_per_row and _is_plain(value) else name


def _is_plain(value: Any) -> bool:
    if value is None or isinstance(value, (str, int, float)):
        return True
    if isinstance(value, Mapping):
        return all(_is_plain(k) and _is_plain(v) for k, v in value.items())
    return isinstance(value, (list, tuple)) and len(value) <= 20 and all(map(_is_plain, value))
