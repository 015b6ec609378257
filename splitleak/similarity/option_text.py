"""Options of a backend as people write them, ``jaccard(0.7, unit=word, n=3)``, and as provenance keeps them."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from splitleak.errors import InputError


def written(value: Any) -> str:
    """Return an option's value as `parse_options` reads it; other objects by their type."""
    # an object's own repr may hold its address, and provenance must be the same each time
    if isinstance(value, (np.bool_, np.number)):
        value = value.item()
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=repr)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{written(k)}: {written(v)}' for k, v in value.items())}}}"
    plain = isinstance(value, (str, int, float, bool, type(None)))
    return repr(value) if plain else f"<{type(value).__name__}>"


# Python's own words are bare words here as well: alignment(mode=global)
_RESERVED = "|".join(sorted(set(keyword.kwlist) - {"True", "False", "None"}))
_KEYWORD = re.compile(rf"(?<==)\s*({_RESERVED})\s*(?=,|$)")


def _quoted(word: re.Match[str]) -> str:
    return repr(word.group(1))


def parse_options(name: str, arguments: str) -> dict[str, Any]:
    """Return the options of ``name(arguments)``, a number before them as ``threshold``, or raise."""
    try:
        call = ast.parse(f"f({_KEYWORD.sub(_quoted, arguments)})", mode="eval").body
        assert isinstance(call, ast.Call)
        options = {str(k.arg): _literal(k.value) for k in call.keywords}
        if len(call.args) > 1 or (call.args and "threshold" in options):
            raise ValueError("options are written as option=value (one number before them is the threshold)")
        if call.args:
            options["threshold"] = _literal(call.args[0])
        return options
    except (SyntaxError, ValueError) as error:
        raise InputError(
            f"the options of similarity={name + '(' + arguments + ')'!r} cannot be read: {error}"
        ) from None


def _literal(node: ast.expr) -> Any:
    # a bare word is a string, so that a shell needs no second pair of quotes: jaccard(unit=word)
    if isinstance(node, ast.List):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {
            _literal(k): _literal(v) for k, v in zip(node.keys, node.values, strict=True) if k is not None
        }
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)
