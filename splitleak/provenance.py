"""Provenance: how a split was made."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from splitleak.records import Kind, Records

_LIBRARIES = ("numpy", "pyarrow", "numba")


@dataclass(frozen=True)
class Provenance:
    """How a split was made: enough to make it again.

    There is no time in it: the same data, options and seed give the same file.

    Attributes
    ----------
    splitleak : str
        Version of splitleak.
    versions : dict of str to str
        Versions of Python and of the libraries that the result could depend on.
    data : str
        What was opened, and its number of rows.
    columns : tuple of str
        The columns compared; empty for a bare list or array.
    fingerprint : str
        Hash of the compared content of all rows, in hexadecimal digits.
    options : dict
        The options of the call as plain values, what was chosen for the caller filled in.
    notes : tuple of str
        Choices that were made for the caller, and why; rows that could not be read.
    kind : {"text", "vector", "table", "image", "views"} or None
        What the compared rows are ("views": columns of several similarities); None: not known.
    """

    splitleak: str
    versions: Mapping[str, str]
    data: str
    columns: tuple[str, ...]
    fingerprint: str
    options: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    kind: str | None = None

    @classmethod
    def of(
        cls, options: Mapping[str, Any], records: Records, data: str, *, notes: Sequence[str] = ()
    ) -> Provenance:
        """Return the provenance of a call on `records`; its ``similarity_reason`` becomes the first note."""
        import splitleak

        versions = {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}
        plain = plain_value(options)
        reason = plain.pop("similarity_reason", None)
        return cls(
            splitleak=splitleak.__version__,
            versions=versions,
            data=data,
            columns=tuple(records.columns),
            fingerprint=str(records.fingerprint),
            options=plain,
            notes=((str(reason),) if reason else ()) + records.notes + tuple(notes),
            kind=records.kind,
        )

    def search_options(self) -> dict[str, Any]:
        """Return the options that say which rows are similar, by name."""
        names = ("on", "similarity", "threshold", "combine", "share", "missing")
        return {**{name: self.options.get(name) for name in names}, "kind": self.whole_kind}

    @property
    def whole_kind(self) -> Kind | None:
        """The kind of rows where the columns alone do not tell it: whole rows, paths of images, several views."""
        return self.kind if self.kind in ("table", "image", "views") else None  # type: ignore[return-value]

    def summary(self) -> dict[str, Any]:
        """Return everything in plain JSON types."""
        plain: dict[str, Any] = plain_value(asdict(self))
        return plain

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any]) -> Provenance:
        """Return what `summary` described; keys of later versions are ignored."""
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {
            k: tuple(v) if k in ("columns", "notes") else v for k, v in summary.items() if k in known
        }
        return cls(**values)


def plain_value(value: Any) -> Any:
    """Return `value` in plain JSON types; what JSON cannot hold becomes a description.

    Examples
    --------
    >>> plain_value({"sizes": (np.int64(3), float("nan")), "groups": np.zeros((2, 2))})
    {'sizes': [3, None], 'groups': '<ndarray of shape (2, 2)>'}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): plain_value(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_value(v) for v in value]
    shape = getattr(value, "shape", None)
    kind = type(value).__name__
    return f"<{kind} of shape {tuple(shape)}>" if shape is not None else f"<{kind}>"
