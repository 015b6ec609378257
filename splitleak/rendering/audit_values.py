"""Values of the data in a report's summary: hidden unless the reader asked for them.

Names of columns, of partitions and of the classes of the target are shown; what stands in the cells of the table is
not. Probes keep such values apart: in the evidence under keys that are or end in "value" or "values", and as labels of
pictures.
"""

from __future__ import annotations

import re
from typing import Any

from splitleak.rendering.tables import Summary

HIDDEN = "(hidden)"
_VALUE_KEY = re.compile(r"(^|[ _])(value|values|token|tokens|text|texts)$")


def values_hidden(summary: Summary) -> dict[str, Any]:
    """Return a copy of a report's summary without values of the data."""
    shown = {str(name) for name in summary["about"]["partitions"]}
    return {**summary, "results": [_result_hidden(r, shown) for r in summary["results"]]}


def is_value(key: str) -> bool:
    """Say whether an entry of the evidence of this name holds values of the data."""
    return _VALUE_KEY.search(key) is not None


def _result_hidden(result: Summary, partitions: set[str]) -> dict[str, Any]:
    evidence = [
        {key: HIDDEN if is_value(key) and value is not None else value for key, value in entry.items()}
        for entry in result["evidence"]
    ]
    return {**result, "evidence": evidence, "picture": _picture_hidden(result, partitions)}


def _picture_hidden(result: Summary, partitions: set[str]) -> dict[str, Any] | None:
    picture = result["picture"]
    if picture is None:
        return None
    if picture.get("kind") == "images":  # the pictures are the data
        return {"kind": "images", "hidden": len(picture.get("pairs") or ())}
    return _labels_hidden(picture, _known_names(result, partitions))


def _known_names(result: Summary, partitions: set[str]) -> set[str] | None:
    """Return the texts that may label a picture, or None where the probe deals with no values at all."""
    names = {*result["columns"], *partitions}
    values = False
    for entry in result["evidence"]:
        for key, value in entry.items():
            if is_value(key):
                values = True
            elif isinstance(value, str):
                names.add(value)
    return names if values else None


def _labels_hidden(picture: Summary, names: set[str] | None) -> dict[str, Any]:
    of_values = picture.get("labels_are") == "values"
    hide = of_values or names is not None
    if not hide or "labels" not in picture:
        return dict(picture)
    allowed = set() if of_values else names or set()
    labels = [label if label in allowed else f"{HIDDEN} {i + 1}" for i, label in enumerate(picture["labels"])]
    return {**picture, "labels": labels}
