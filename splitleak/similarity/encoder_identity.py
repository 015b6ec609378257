"""What an encoder is, as a key of the vectors it made: its weights, its settings, the versions of its code.

An encoder is known by itself when all of its code comes from installed packages, which their versions stand for, and
all that it holds are weights, arrays and plain values. Code of the caller's own can change without a trace that could
be relied on, so such an encoder is unknown, and its caller names it (``cache_key=``).
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np

# private attributes there are caches that a call fills; settings and weights are public, or torch's own dictionaries
_FILLED_IN_USE = {"torch", "transformers", "sentence_transformers"}
_WEIGHTS = ("_parameters", "_buffers", "_modules")
_ONLY_TOLD = {"training", "model_card_data"}  # how a module stands, and its documentation
_DEEPEST = 60


class UnknownEncoderError(Exception):
    """Something in an encoder that no key can be made of; the message says what."""


def identity_of(encoder: Any, tokenizer: Any = None) -> str:
    """Return a hexadecimal digest of all that an encoder and its tokenizer hold, and of the versions of their code.

    Raises
    ------
    UnknownEncoderError
        One that is, or holds, code of the caller's own or a value of no known content.

    Examples
    --------
    >>> import operator
    >>> identity_of(operator.itemgetter) == identity_of(operator.itemgetter) != identity_of(operator.neg)
    True
    """
    return (_digest(encoder, "encoder", 0) + _digest(tokenizer, "tokenizer", 0)).hex()


def _digest(value: Any, where: str, depth: int) -> bytes:
    """Return a digest of one value; `where` is its path of attributes, for the message."""
    if depth > _DEEPEST:
        raise UnknownEncoderError(f"{where} lies too deep")
    kind = type(value)
    if value is None or kind in (bool, int, float, complex, str, bytes) or value is Ellipsis:
        return _hash(kind.__name__, repr(value).encode())
    if isinstance(value, (np.ndarray, np.generic)):
        return _array(np.asarray(value), where)
    if isinstance(value, Mapping):
        pairs = [
            (_digest(k, where, depth + 1), _digest(v, f"{where}[{k!r}]", depth + 1)) for k, v in value.items()
        ]
        return _hash(kind.__name__, *(part for pair in sorted(pairs) for part in pair))
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_digest(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)]
        return _hash(kind.__name__, *(sorted(items) if isinstance(value, (set, frozenset)) else items))
    if isinstance(value, PurePath):
        return _hash("path", str(value).encode())
    if isinstance(value, MethodType):
        return _hash("method", value.__name__.encode(), _digest(value.__self__, where, depth + 1))
    if isinstance(value, (type, FunctionType, BuiltinFunctionType)):
        return _hash("code", _code(value, where))
    if kind.__module__.partition(".")[0] == "torch" and hasattr(value, "untyped_storage"):
        return _tensor(value, where)
    return _object(value, where, depth)


def _object(value: Any, where: str, depth: int) -> bytes:
    code = _code(type(value), where)
    package = type(value).__module__.partition(".")[0]
    tokenizer = getattr(value, "backend_tokenizer", value)
    if package in ("tokenizers", "transformers") and hasattr(tokenizer, "to_str"):
        told = json.loads(tokenizer.to_str())
        settings = {k: told[k] for k in told if k not in ("truncation", "padding")}  # set anew by each call
        longest = getattr(value, "model_max_length", None)
        return _hash("tokenizer", code, _digest([settings, longest], where, depth + 1))
    if package == "torch" and not hasattr(value, "parameters"):  # a dtype, a device
        return _hash("torch", code, repr(value).encode())
    try:
        held = dict(vars(value))
    except TypeError:
        raise UnknownEncoderError(
            f"{where} is a {type(value).__qualname__}, whose content is not known"
        ) from None
    if package in _FILLED_IN_USE or hasattr(value, "_parameters"):
        held = {k: v for k, v in held.items() if k in _WEIGHTS or not (k.startswith("_") or k in _ONLY_TOLD)}
    return _hash("object", code, _digest(held, where, depth + 1))


def _code(code: Any, where: str) -> bytes:
    """Return the name of a class or function with the version of its package."""
    module = str(getattr(code, "__module__", None) or "")
    package = module.partition(".")[0]
    name = f"{module}.{code.__qualname__}"
    if "<locals>" in name or "<lambda>" in name:
        raise UnknownEncoderError(f"{where} is code of your own ({code.__qualname__})")
    if package in sys.stdlib_module_names and package != "__main__":
        return f"{name} python {sys.version_info[:3]}".encode()
    version = _installed_version(package)
    if version is None:
        raise UnknownEncoderError(
            f"{where} is code of your own ({code.__qualname__}), which can change at any time"
        )
    return f"{name} {version}".encode()


@cache
def _installed_version(package: str) -> str | None:
    """Return the version of a package that lies where its distribution was installed (None: it does not)."""
    file = getattr(sys.modules.get(package), "__file__", None)
    for name in metadata.packages_distributions().get(package, ()) if file else ():
        found = metadata.distribution(name)
        place = Path(str(found.locate_file(package)))
        if Path(str(file)).resolve().parent == place.resolve():  # not so where it is being worked on
            return f"{name} {found.version}"
    return None


def _array(values: Any, where: str) -> bytes:
    if values.dtype.hasobject:
        return _digest([values.shape, values.ravel().tolist()], where, 1)
    return _hash(
        "array",
        f"{values.dtype.str} {values.shape}".encode(),
        np.ascontiguousarray(values).reshape(-1).view(np.uint8).data,
    )


def _tensor(value: Any, where: str) -> bytes:
    import torch

    try:
        flat = value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
    except (RuntimeError, TypeError, NotImplementedError) as error:  # sparse, quantised, on no device
        raise UnknownEncoderError(f"{where} is a tensor that cannot be read: {error}") from error
    return _hash("tensor", f"{value.dtype} {tuple(value.shape)}".encode(), memoryview(flat))


def _hash(kind: str, *parts: bytes | memoryview) -> bytes:
    digest = hashlib.blake2b(kind.encode(), digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()
