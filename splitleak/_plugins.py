"""Backends and probes that other packages bring: found by entry point, loaded by name, refused with a name."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from splitleak.errors import InputError

Kind = TypeVar("Kind")


def plugin_names(group: str) -> set[str]:
    """Return the names that installed packages register in a group of entry points."""
    return {entry.name for entry in entry_points(group=group)}


def load_plugin(group: str, name: str, kind: type[Kind], key: str) -> Kind | None:
    """Return what an installed package registers under a name; None: no package does.

    Parameters
    ----------
    group : str
        ``splitleak.similarity`` or ``splitleak.probes``.
    name : str
        What users write.
    kind : type
        What it must be.
    key : str
        Its attribute that must be `name`, too: what is written down is found again by it.

    Raises
    ------
    InputError
        A package that cannot be imported, that brings something else, or two packages with one name.
    """
    found = {entry.value: entry for entry in entry_points(group=group) if entry.name == name}
    if not found:
        return None
    entries = list(found.values())
    if len(entries) > 1:
        raise InputError(
            f"{name!r} is registered by {' and by '.join(map(package_of, entries))} (entry points of {group});"
            " uninstall one of them"
        )
    (entry,) = entries
    where = f"{name!r}, an entry point of {package_of(entry)} ({entry.value}),"
    try:
        made = entry.load()
    except Exception as error:  # whatever a package of someone else's does when it is imported
        raise InputError(
            f"{where} cannot be loaded: {type(error).__name__}: {error}; repair that package or uninstall it"
        ) from error
    if not isinstance(made, kind):
        raise InputError(
            f"{where} is a {type(made).__name__}, not a {kind.__name__}; its author decorates the function with"
            f" @splitleak.{'similarity_backend' if key == 'name' else 'probe'}"
        )
    if getattr(made, key) != name:
        raise InputError(
            f"{where} calls itself {getattr(made, key)!r}; its author gives the entry point and the {kind.__name__} one"
            " name"
        )
    return made


def package_of(entry: EntryPoint) -> str:
    """Return the package of an entry point, with its version."""
    package = entry.dist
    return "an unnamed package" if package is None else f"{package.name} {package.version}"
