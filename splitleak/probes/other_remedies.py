"""Remedies of data that are no table: a mapping of partitions, put together and taken apart again; bare values."""

from __future__ import annotations

import ast
import re

import numpy as np

from splitleak.probes.context import AuditContext

_CHANGES = re.compile(r"^df\b[^=\n]* = ", re.MULTILINE)
_DROPPED_ROWS = re.compile(r"^df = df\.drop\(index=df\.index\[(report\[\"\w+\"\]\.rows)\]\)")
_DROPPED_COLUMNS = re.compile(r"^df = df\.drop\(columns=(\[.*?\])\)")
_APART = "data = {name: part.droplevel(0) for name, part in df.groupby(level=0, sort=False)}"
_MADE = "data = {name: data[df.index.get_level_values(0) == name] for name in df.index.unique(0)}"


def for_data(remedy: str, context: AuditContext) -> str:
    """Return a remedy, written for a pandas table `df`, for what the caller has.

    Of a mapping of partitions, called `data` (beside `raw`, `groups`, `time`, `target`), rows are counted through them
    in their order, as the report does. Of bare values (texts, an array) rows and columns are left out by position.
    """
    if not re.search(r"\bdf\b", remedy):
        return remedy
    if not context.source.column_names:
        return _of_bare(remedy, context)
    if not context.stacked:
        return remedy
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
    array = isinstance(
        context.source.bare, np.ndarray
    )  # texts and images: by a list, which holds for arrays too
    again = "split = splitleak.split_by_similarity(" in remedy
    rows, columns = _DROPPED_ROWS.match(remedy), _DROPPED_COLUMNS.match(remedy)
    if rows:
        kept = "df[keep]" if array else "[df[i] for i in np.flatnonzero(keep)]"
        remedy = f"import numpy as np\nkeep = ~np.isin(np.arange(len(df)), {rows[1]})\ndf = {kept}"
    elif columns and array and all(re.fullmatch(r"x\d+", name) for name in ast.literal_eval(columns[1])):
        numbers = [int(name[1:]) for name in ast.literal_eval(columns[1])]
        remedy = f"import numpy as np\ndf = np.delete(df, {numbers}, axis=1)  # columns counted from 0"
    if not context.stacked:
        return remedy
    joined = "df = [value for part in data.values() for value in part]"
    if array:
        joined = "import numpy as np\ndf = np.concatenate(list(data.values()))"
    lines = [joined, *_arrays(remedy, context)]
    if rows:
        lines.append(
            "import numpy as np\nnames = np.repeat(list(data), [len(part) for part in data.values()])"
        )
    lines.append(remedy)
    if again:
        lines += _taken(remedy)
    elif rows and array:
        lines.append("data = {name: df[names[keep] == name] for name in data}")
    elif rows:
        lines.append("data = {name: [df[i] for i in np.flatnonzero(names[keep] == name)] for name in data}")
    return "\n".join(lines)


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
