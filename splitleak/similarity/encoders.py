"""Encoders that the caller gives: how they are found and called, and what they must return."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._optional import require
from splitleak.errors import InputError, SplitleakError


class SameObject:
    """A key that is equal for one object only, and keeps it alive."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameObject) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@lru_cache(maxsize=4)  # a search asks more than once, and loading a model takes long
def imported_encoder(reference: str) -> Any:
    """Return what ``"package.module:name"`` names, or of ``"package.module:name()"`` what it returned first.

    Raises
    ------
    InputError
        A text of another form, a module or a name that does not exist.

    Examples
    --------
    >>> imported_encoder("math:sqrt")(4)
    2.0
    """
    module, _, attribute = reference.partition(":")
    if not module or not attribute:
        raise InputError(
            f"encoder={reference!r} is not known; in text an encoder is 'package.module:name', or"
            " 'package.module:name()' for a function that returns it"
        )
    try:
        found = getattr(importlib.import_module(module), attribute.removesuffix("()"))
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"encoder={reference!r} cannot be imported: {error}") from error
    return found() if attribute.endswith("()") else found


def check_count(name: str, number: Any) -> int:
    """Return `number` as an int, or raise when it is no whole number of at least 1."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
        raise InputError(f"{name} must be a whole number of at least 1, got {number!r}")
    return int(number)


def is_module(encoder: Any) -> bool:
    """Return whether this is a torch module, without importing torch."""
    return any(kind.__module__ == "torch.nn.modules.module" for kind in type(encoder).__mro__)


def device_of(module: Any) -> Any:
    """Return the device of a module's parameters (None: it has none)."""
    parameter = next(iter(module.parameters()), None)
    return None if parameter is None else parameter.device


@contextmanager
def evaluating(module: Any, *, half: bool = False) -> Iterator[None]:
    """Hold a module in evaluation mode, without gradients; with `half` its products are of half precision."""
    torch = require("torch", extra="embedding", feature="a torch encoder")
    device = device_of(module)
    kind = "cpu" if device is None else device.type
    cast = torch.autocast(kind, dtype=torch.float16) if half else nullcontext()
    modes = [(part, part.training) for part in module.modules()]  # parts may differ: a frozen one, say
    module.eval()
    try:
        with torch.inference_mode(), cast:
            yield
    finally:
        for part, training in modes:
            part.training = training


def encoded(
    encode: Callable[[list[Any]], Any],
    items: list[Any],
    *,
    of: str,
    names: Sequence[str],
    width: int | None = None,
    flatten: bool = False,
) -> NDArray[np.float32]:
    """Return what an encoder makes of some items, as a float32 array of shape (n, n_features).

    Parameters
    ----------
    encode : callable
        The encoder.
    items : list
        What it is called with.
    of : str
        What they are, for messages: "image", "text".
    names : sequence of str
        What each is called in messages.
    width : int, optional
        n_features of the vectors before.
    flatten : bool
        Whether the axes beyond the second are one with it (feature maps), or refused.

    Raises
    ------
    InputError
        An encoder that raises, another shape or width, values that are no numbers or not finite.
    """
    n = len(items)
    try:
        vectors = encode(items)
    except (SplitleakError, MemoryError):
        raise
    except Exception as error:  # the caller's own code, which may raise anything
        raise InputError(
            f"the encoder raised {type(error).__name__} ({error}) when called with {n} {of}{'s' * (n != 1)}, the first"
            f" {names[0]}"
        ) from error
    found = _as_array(vectors, of)
    if found.dtype.kind not in "fiub":
        raise InputError(
            f"the encoder must return an array of numbers of shape (n, n_features) for n {of}s, got"
            f" {type(vectors).__name__} of {found.dtype} values"
        )
    if flatten and found.ndim > 2:
        found = found.reshape(len(found), -1)
    if found.ndim != 2 or len(found) != n or not found.shape[1]:
        raise InputError(
            f"the encoder must return an array of shape (n, n_features) for n {of}s, got shape {found.shape} for"
            f" {n} {of}s"
        )
    if width is not None and found.shape[1] != width:
        raise InputError(
            f"the encoder returned vectors of {width} features, then of {found.shape[1]}; they must have one length"
        )
    with np.errstate(over="ignore"):  # told below, as what it becomes
        found = found.astype(np.float32, copy=False)
    bad = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(bad):
        raise InputError(
            f"the encoder returned numbers that are not finite for {len(bad)} of {n} {of}s of a batch, the first"
            f" {names[bad[0]]}"
        )
    return found


def _as_array(vectors: Any, of: str) -> NDArray[Any]:
    if hasattr(vectors, "detach"):
        return np.asarray(vectors.detach().float().cpu().numpy())
    if isinstance(vectors, (list, tuple)) and any(hasattr(v, "detach") for v in vectors):
        vectors = [v.detach().float().cpu().numpy() if hasattr(v, "detach") else v for v in vectors]
    try:
        return np.asarray(vectors)
    except (TypeError, ValueError) as error:
        lengths = sorted({len(v) for v in vectors if hasattr(v, "__len__")})
        got = f"{type(vectors).__name__}: {error}"
        if len(lengths) > 1:
            got = f"vectors of {lengths[0]} to {lengths[-1]} numbers"
        raise InputError(
            f"the encoder must return an array of shape (n, n_features) for n {of}s, got {got}"
        ) from error
