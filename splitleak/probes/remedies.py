"""Remedies as code that works when pasted: `df` is the data as handed over, other names those of the arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from splitleak.probes.context import AuditContext

_USABLE = ("numeric", "category", "time", "text", "constant")
_LINE = 90


def split_again(context: AuditContext, **options: Any) -> str:
    """Return a call that splits the data anew, by what was compared, else by whole rows.

    `options` are those of `split_by_similarity`; a text is a column, or, where the caller gave an array, the name of
    the argument. Declared groups stay together.
    """
    given = {**_search(context), **options}
    if context.groups:
        given.setdefault("groups", [column.name for column in context.groups])
    arguments = [f"{name}={_named(context, name, value)}" for name, value in given.items()]
    # the old split must not tell copies apart; nested values and the like cannot be compared
    unlike = [] if context.split_column is None else [context.split_column]
    if given.get("similarity") == "exact":
        unlike += [column.name for column in context.columns.values() if column.kind not in _USABLE]
    data = f"df.drop(columns={unlike!r})" if unlike else "df"
    call = f"split = splitleak.split_by_similarity({', '.join([data, *arguments])})"
    if len(call) <= _LINE:
        return call
    lines = "".join(f"    {argument},\n" for argument in [data, *arguments])
    return f"split = splitleak.split_by_similarity(\n{lines})"


def _search(context: AuditContext) -> dict[str, Any]:
    if not context.source.column_names:
        return {}
    if context.compared and isinstance(context.similarity, str):
        found: dict[str, Any] = {"on": list(context.compared)}
        return found if context.similarity == "auto" else {**found, "similarity": context.similarity}
    if len(context.columns) == 1 and context.of_kind("text", "vector", "image"):
        return {"on": next(iter(context.columns))}
    return {"similarity": "exact"}


def _named(context: AuditContext, argument: str, value: Any) -> str:
    """Return a value as code; columns that the caller gave as arrays go by the name of their argument."""
    known = context.source.column_names
    if argument in ("groups", "time", "stratify"):
        names = [value] if isinstance(value, str) else list(value)
        if not set(names) <= set(known):
            return "target" if argument == "stratify" else argument
    return repr(value)


def target_values(context: AuditContext) -> str:
    """Return code for the target of all rows."""
    assert context.target is not None
    name = context.target.name
    return f"df[{name!r}]" if name in context.source.column_names else "target"


def training_rows(context: AuditContext) -> str:
    """Return a line that makes `train`: whether each row is a training row."""
    name = context.names[0]
    if context.stacked:
        return f"train = df.index.get_level_values(0) == {name!r}"
    if context.split_column is not None:
        return f"train = (df[{context.split_column!r}].astype(str) == {name!r}).to_numpy()"
    labels = "split.labels() if hasattr(split, 'labels') else split"
    return f"train = np.asarray({labels}).astype(str) == {name!r}"


def fit_on_train(
    context: AuditContext,
    columns: Sequence[str],
    estimator: str,
    module: str,
    *,
    supervised: bool = False,
    from_all: bool = False,
) -> str:
    """Return code that fits an estimator on the training rows of `raw` (the table before it) and fills the columns.

    `supervised`: it sees the target; `from_all`: it makes the columns of all numbers of `raw`.
    """
    made = estimator if "(" in estimator else f"{estimator}()"
    lines = [
        f"from sklearn.{module} import {estimator.partition('(')[0]}",
        "import numpy as np",
        training_rows(context),
        f"columns = {list(columns)!r}",
        "before = raw.select_dtypes('number')" if from_all else "before = raw[columns]",
    ]
    lines[-1] += "  # raw: the table before this step, same rows"
    if not supervised:
        lines += [
            f"fitted = {made}.fit(before[train])",
            "df[columns] = fitted.transform(before)",
        ]
        return "\n".join(lines)
    return "\n".join(
        [
            *lines,
            f"fitted = {made}",
            f"df.loc[train, columns] = fitted.fit_transform(before[train], {target_values(context)}[train])",
            "df.loc[~train, columns] = fitted.transform(before[~train])",
        ]
    )
