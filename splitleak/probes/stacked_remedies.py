"""Remedies of data that came as a mapping of partitions: put together before, taken apart after."""

from __future__ import annotations

import re

import numpy as np

from splitleak.probes.context import AuditContext

_CHANGES = re.compile(r"^df\b[^=\n]* = ", re.MULTILINE)
_APART = "data = {name: part.droplevel(0) for name, part in df.groupby(level=0, sort=False)}"
_MADE = "data = {name: data[df.index.get_level_values(0) == name] for name in df.index.unique(0)}"


def of_partitions(remedy: str, context: AuditContext) -> str:
    """Return a remedy for the mapping that the caller has, called `data` (and `raw`, `groups`, `time`, `target`).

    Rows are counted through its partitions, in their order, as the report does.
    """
    if not context.stacked or not re.search(r"\bdf\b", remedy):
        return remedy
    if not context.source.column_names:
        return _of_bare(remedy, context)
    again = "split = splitleak.split_by_similarity(" in remedy
    lines = ["import pandas as pd", f"df = pd.concat(data{', ignore_index=True' if again else ''})"]
    lines += _arrays(remedy, context)
    if re.search(r"\braw\b", remedy):
        lines.append("raw = pd.concat(raw) if isinstance(raw, dict) else raw")
    lines.append(remedy.replace(".reset_index(drop=True)", ""))
    if again:
        lines += _taken(remedy)
    elif re.search(r"^data = ", remedy, re.MULTILINE):
        lines.append(_MADE)
    elif _CHANGES.search(remedy):
        lines.append(_APART)
    return "\n".join(lines)


def _of_bare(remedy: str, context: AuditContext) -> str:
    joined = "df = [value for part in data.values() for value in part]"
    if isinstance(context.source.bare, np.ndarray):
        joined = "import numpy as np\ndf = np.concatenate(list(data.values()))"
    return "\n".join([joined, *_arrays(remedy, context), remedy, *_taken(remedy)])


def _taken(remedy: str) -> list[str]:
    return [] if "folds=" in remedy else ["data = split.take(df)"]


def _arrays(remedy: str, context: AuditContext) -> list[str]:
    """Return lines that put together what was handed over as values and not as a column."""
    declared = {
        "groups": [column.name for column in context.groups],
        "time": [] if context.time is None else [context.time.name],
        "target": [] if context.target is None else [context.target.name],
    }
    given = [
        name
        for name, columns in declared.items()
        if columns and not set(columns) <= set(context.source.column_names)
        if re.search(rf"(=|\s){name}\b(?! ?=)", remedy)
    ]
    lines = [
        f"{name} = np.concatenate(list({name}.values())) if isinstance({name}, dict) else {name}"
        for name in given
    ]
    return ["import numpy as np", *lines] if lines else []
