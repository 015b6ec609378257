"""Import an optional dependency when its feature is chosen, or name the extra that brings it."""

from __future__ import annotations

import importlib
from types import ModuleType

from splitleak.errors import MissingDependencyError


def require(module: str, *, extra: str, feature: str) -> ModuleType:
    """Import and return `module`, or raise an error that names the extra to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f'{feature} needs {module.partition(".")[0]}, which is not installed: pip install "splitleak[{extra}]"'
        ) from error
