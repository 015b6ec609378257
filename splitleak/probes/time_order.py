"""SPL301: training rows that are later than held-out rows, by the declared time."""

from __future__ import annotations

from typing import Any

import numpy as np

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.remedies import split_again
from splitleak.statistics import wilson_interval


@probe(
    "SPL301",
    "Training rows are later than held-out rows",
    needs=["split", "time"],
    why="A model that has seen the future of the rows it is tested on scores better than it will in use.",
    bound="Compares times; it cannot fire by chance.",
)
def time_order(context: AuditContext) -> Finding:
    """Count the held-out rows that are earlier than the last training row."""
    assert context.time is not None
    values = context.time.values
    train = values[context.train]
    held = context.held_out[~np.isnan(values[context.held_out])]
    if not (~np.isnan(train)).any() or not len(held):
        raise NotApplicable("the time is missing in all training or all held-out rows")
    last = float(np.nanmax(train))
    early = held[values[held] < last]
    share = len(early) / len(held)
    missing = int(np.isnan(values[context.codes >= 0]).sum())
    note = f" {missing:,} rows without a time were left out." if missing else ""
    common: dict[str, Any] = {
        "effect": share,
        "effect_name": "share of held-out rows before the last training row",
        "picture": _ribbon(context),
    }
    if not len(early):
        return Finding(
            "clean", f"All {len(held):,} held-out rows are at or after the last training row.{note}", **common
        )
    return Finding(
        "leak",
        f"{len(early):,} of {len(held):,} held-out rows are earlier than the last training row, by"
        f" {context.time.name}.{note}",
        interval=wilson_interval(len(early), len(held)),
        columns=[context.time.name],
        rows=early,
        remedy=split_again(context, time=context.time.name, on_infeasible="drop"),
        **common,
    )


def _ribbon(context: AuditContext) -> dict[str, Any]:
    assert context.time is not None
    series = {}
    for i, name in enumerate(context.names):
        values = context.time.values[context.codes == i]
        values = values[~np.isnan(values)]
        if len(values):
            series[name] = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
    return {
        "kind": "ribbon",
        "series": series,
        "unit": "seconds since 1970" if context.time.kind == "time" else context.time.name,
    }
