"""The table that leaks are planted in: a draw of the caller's rows and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]
Labels = NDArray[np.object_]
_ROWS, _FAST_ROWS = 2_000, 1_000
_COLUMNS = 30
_USABLE = ("numeric", "category", "time", "text")
_UNUSABLE = ("vector", "image")


class Drawn(NamedTuple):
    """Features and target, the partition of each row ("train", "test"), and what was drawn or left out, in words."""

    frame: pd.DataFrame
    split: Labels
    note: str


def drawn_table(context: AuditContext) -> Drawn | str:
    """Return at most 2,000 rows (``fast``: 1,000) and 30 columns, drawn by chance, or why there is no such table."""
    import pandas as pd

    target = context.target
    if target is None:
        return "needs a target: pass target= the column that is predicted"
    usable = context.of_kind(*_USABLE)
    if not usable:
        return (
            "needs a column of numbers, categories, times or texts; there is none in which leaks are planted"
        )
    rows = np.flatnonzero(target.known & (context.codes >= 0))
    most = _FAST_ROWS if context.fast else _ROWS
    kept = rows
    if len(rows) > most:
        kept = np.sort(context.rng("self test").choice(rows, most, replace=False))
    columns = usable
    if len(usable) > _COLUMNS:
        chosen = context.rng("self test columns").choice(len(usable), _COLUMNS, replace=False)
        columns = [usable[i] for i in np.sort(chosen)]
    held_out = context.codes[kept] > 0
    if not context.names:  # planting wants a split; probes are not told of it
        held_out = context.rng("self test split").random(len(kept)) < 0.2
    if not held_out.any() or held_out.all():
        return "needs rows with a known target in training and held out"
    if len(np.unique(target.values[kept])) < 2:
        return "needs two different targets among the rows"
    series = {column.name: _series(column, kept) for column in (*columns, target.column)}
    note = _note(context, (len(kept), len(rows)), (len(columns), len(usable)))
    return Drawn(pd.DataFrame(series), np.where(held_out, "test", "train").astype(object), note)


def _note(context: AuditContext, rows: tuple[int, int], columns: tuple[int, int]) -> str:
    drawn = []
    if rows[0] < rows[1]:
        drawn.append(f"{rows[0]:,} of {rows[1]:,} rows")
    if columns[0] < columns[1]:
        drawn.append(f"{columns[0]} of {columns[1]:,} columns")
    parts = [f"On {' and '.join(drawn)}, drawn by chance."] if drawn else []
    if columns[0] < columns[1]:
        parts.append("Among all of them a planted column stands out less.")
    left_out = [kind + "s" for kind in _UNUSABLE if context.of_kind(kind)]
    parts += [f"Columns of {' and '.join(left_out)} are left out of the copy."] if left_out else []
    return f" ({' '.join(parts)})" if parts else ""


def _series(column: AuditColumn, rows: Ints) -> pd.Series[Any]:
    """Return a column as pandas would hold it, whatever library it came from."""
    import pandas as pd

    missing = column.missing[rows]
    if column.kind == "numeric":
        values = column.values[rows]
        whole = column.integer and not missing.any() and bool(np.abs(values).max(initial=0) < 2**53)
        return pd.Series(values.astype(np.int64) if whole else values)
    if column.kind == "time":
        return pd.Series(pd.to_datetime(column.values[rows], unit="s"))
    assert column.column is not None
    values = np.array(column.column.take(rows).to_pylist(), dtype=object)
    if not missing.any() and all(isinstance(value, bool) for value in values):
        return pd.Series(values.astype(bool))
    texts = np.array(
        [None if gone else str(v) for v, gone in zip(values, missing, strict=True)], dtype=object
    )
    return pd.Series(texts, dtype=object)
