"""The contexts of many copies of one table that differ in little: what is the same is read and computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._progress import SILENT
from splitleak._tables import open_source
from splitleak.auditing.declared import target_of, time_of
from splitleak.auditing.reading import prepare_context
from splitleak.probes.columns import audit_column
from splitleak.probes.context import AuditContext

if TYPE_CHECKING:
    import pandas as pd

Labels = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Copies:
    """A table whose copies are audited.

    Attributes
    ----------
    frame : pandas.DataFrame
        Features and target. A copy has as many rows; the rows of all of them stand in the order of this one, which
        therefore must not tell anything.
    context : AuditContext
        Of the table as it is, without a split.
    order : int64 array
        Where each row of `frame` stood in the table that was given.
    """

    frame: pd.DataFrame
    context: AuditContext
    order: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        target: str,
        *,
        alpha: float,
        limits: Mapping[str, float],
        seed: int,
        fast: bool,
    ) -> Copies:
        """Read a table of which copies will be audited.

        Raises
        ------
        InputError
            No feature, a target that cannot be predicted.
        """
        context = prepare_context(
            open_source(frame), None, target=target, on=None, similarity="auto", threshold=None, groups=None,
            time=None, raw=None, pipeline=None, ledger=None, metric=None, alpha=alpha, limits=limits, seed=seed,
            fast=fast, progress=SILENT,
        )  # fmt: skip
        order = context.positions
        frame = frame.iloc[order].reset_index(drop=True)
        own = replace(context, positions=np.arange(len(order)), source=open_source(frame))
        return cls(frame, own, order)

    def context_of(
        self, table: pd.DataFrame, split: Labels | None, *, time: str | None = None, groups: str | None = None
    ) -> AuditContext:
        """Return the context of a copy: columns that hold what they held in `frame` are not read again.

        What was computed from such columns and the target alone (`AuditContext.once`) is shared, too.
        """
        base = self.context
        assert base.target is not None
        arrow: dict[str, Any] = {}
        columns = {}
        target = base.target
        declared = {}
        for name in map(str, table.columns):
            known = name in self.frame.columns and self.frame[name].equals(table[name])
            assert base.table is not None
            arrow[name] = base.table[name] if known else _arrow(table[name])
            if name == target.name:
                target = target if known else target_of(audit_column(name, arrow[name]))
            elif name in (time, groups):
                declared[name] = audit_column(name, arrow[name])
            else:
                columns[name] = base.columns[name] if known else audit_column(name, arrow[name])
        names: tuple[str, ...] = () if split is None else ("train", *sorted({*split} - {"train"}))
        codes = np.zeros(len(table), dtype=np.int64)
        for i, name in enumerate(names):
            codes[split == name] = i
        same = target is base.target and not groups
        whole = pa.table(arrow)
        return replace(
            base,
            columns=columns,
            target=target,
            names=names,
            codes=codes,
            time=None if time is None else time_of(declared[time]),
            groups=() if groups is None else (declared[groups],),
            source=open_source(whole),
            table=whole,
            memo={"once": base.memo.setdefault("once", {})} if same else {},
        )


def _arrow(column: pd.Series[Any]) -> Any:
    return pa.chunked_array([pa.Array.from_pandas(column)])
