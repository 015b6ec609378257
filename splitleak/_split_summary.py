"""What all views of a split show, as one dict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak.provenance import plain_value
from splitleak.strata.balance import balance_of, unreachable

if TYPE_CHECKING:
    from splitleak.partition import Split


def summarise(split: Split) -> dict[str, Any]:
    """Return the summary of a split: one dict for all views."""
    n = split.n_rows
    asked = None if split.asked is None else np.asarray(split.asked).tolist()
    weights = None if split.weights is None or not split.weights.sum() > 0 else split.weights
    partitions = []
    for i, (name, rows) in enumerate(split.sizes.items()):
        inside = split.codes == i
        partitions.append(
            {
                "name": name,
                "rows": rows,
                "share": rows / n if n else 0.0,
                "weight_share": None if weights is None else float(weights[inside].sum() / weights.sum()),
                "asked_rows": asked and asked[i],
                "asked_share": asked and (asked[i] / n if n else 0.0),
                "clusters": None if split.clusters is None else len(np.unique(split.clusters[inside])),
                "period": None if split.periods is None else plain_value(split.periods[i]),
            }
        )
    lonely = (
        []
        if split.clusters is None
        else unreachable(split.strata, split.clusters, split.codes, len(partitions))
    )
    return {
        "n_rows": n,
        "dropped": int((split.codes < 0).sum()),
        "reasons": _reason_counts(split),
        "partitions": partitions,
        "strata": [balance_of(stratum, split.codes, split.names, weights) for stratum in split.strata],
        "unreachable": lonely,
        "clusters": None if split.clusters is None else _cluster_counts(split.clusters),
        "provenance": None if split.provenance is None else split.provenance.summary(),
        "certificate": None if split.certificate is None else plain_value(split.certificate.summary()),
    }


def _reason_counts(split: Split) -> list[dict[str, Any]]:
    """Return rows per reason, dropped and moved ones apart."""
    if split.reason_codes is None or split.reasons is None:
        return []
    found = []
    for dropped in (True, False):
        codes = split.reason_codes[(split.codes < 0) == dropped]
        count = np.bincount(codes[codes >= 0], minlength=len(split.reasons)).tolist()
        found += [
            {"reason": reason, "rows": rows, "dropped": dropped}
            for reason, rows in zip(split.reasons, count, strict=True)
            if rows
        ]
    return found


def _cluster_counts(clusters: NDArray[np.int64]) -> dict[str, Any]:
    size = np.bincount(clusters) if len(clusters) else np.zeros(1, dtype=np.int64)
    size = size[size > 0]
    largest = int(size.max(initial=0))
    return {
        "count": len(size),
        "largest": largest,
        "largest_share": largest / len(clusters) if len(clusters) else 0.0,
        "singletons": int((size == 1).sum()),
    }
