"""How even the strata of a finished split are, and which classes no split could bring everywhere."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import SplitleakWarning
from splitleak.strata.stratum import Stratum

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MISSING = "(missing)"
NAMED = 5  # classes that a warning names


def balance_of(stratum: Stratum, codes: Ints, names: Sequence[str], weights: Floats | None) -> dict[str, Any]:
    """Return rows and shares of each label in each partition, in plain JSON types.

    Shares are of the partition's rows, or of its weight; those of labels that rows may have several of need not
    sum to 1. The gap is the largest difference between a label's share in a partition and among all kept rows.
    """
    each = np.ones(stratum.n_rows) if weights is None else weights
    k = len(names)
    inside = codes >= 0
    whole = np.bincount(codes[inside], each[inside], minlength=k)
    rows = _table(stratum, codes, np.ones(stratum.n_rows), k)
    amount = rows if weights is None else _table(stratum, codes, each, k)
    labels = list(stratum.labels)
    if stratum.kind != "labels":
        missing = np.bincount(codes[inside], minlength=k) - rows.sum(axis=1)
        if missing.any():
            labels.append(MISSING)
            rows = np.column_stack([rows, missing])
            amount = np.column_stack([amount, whole - amount.sum(axis=1)])
    shares = amount / np.where(whole > 0, whole, 1)[:, None]
    of_all = amount.sum(axis=0) / max(whole.sum(), 1e-300)
    gaps = np.abs(shares - of_all)[whole > 0].max(axis=0, initial=0)
    found: dict[str, Any] = {
        "name": stratum.name,
        "kind": stratum.kind,
        "labels": labels,
        "rows": rows.astype(np.int64).tolist(),
        "shares": shares.tolist(),
        "all_rows": rows.sum(axis=0).astype(np.int64).tolist(),
        "all_shares": of_all.tolist(),
        "gaps": gaps.tolist(),
        "numbers": None,
    }
    if stratum.values is not None:
        found["numbers"] = [_numbers(stratum.values, each, codes == i, inside) for i in range(k)]
        found["numbers"].append(_numbers(stratum.values, each, inside, inside))
    return found


def _table(stratum: Stratum, codes: Ints, each: Floats, k: int) -> Floats:
    """Return the amount of each label in each partition, shape (k, n_labels)."""
    kept = codes[stratum.rows] >= 0
    row, label = stratum.rows[kept], stratum.codes[kept]
    n = len(stratum.labels)
    table = np.bincount(codes[row] * n + label, each[row], minlength=k * n)
    return table.reshape(k, n).astype(np.float64)


def _numbers(
    values: Floats, each: Floats, part: NDArray[np.bool_], whole: NDArray[np.bool_]
) -> dict[str, Any]:
    """Return mean and standard deviation of a part, and its Kolmogorov-Smirnov distance to the whole, in [0, 1]."""
    known = whole & ~np.isnan(values) & (each > 0)
    x, w = values[known], each[known]
    order = np.argsort(x, kind="stable")
    x, w = x[order], w[order]
    mine = np.where(part[known][order], w, 0.0)
    if mine.sum() <= 0:
        return {"mean": None, "sd": None, "ks": None}
    last = np.append(x[1:] != x[:-1], True)
    below_all, below = np.cumsum(w)[last] / w.sum(), np.cumsum(mine)[last] / mine.sum()
    mean = float(x @ mine / mine.sum())
    variance = float((x - mean) ** 2 @ mine / mine.sum())
    return {"mean": mean, "sd": variance**0.5, "ks": float(np.abs(below_all - below).max())}


def unreachable(
    strata: Sequence[Stratum], clusters: Ints, codes: Ints | None, n_partitions: int
) -> list[dict[str, Any]]:
    """Return the classes and labels whose rows are in fewer clusters than there are partitions.

    Parameters
    ----------
    strata : sequence of Stratum
        Numbers are left out: their bins are not what a user asked for by name.
    clusters : int64 array of shape (n_rows,)
    codes : int64 array of shape (n_rows,), optional
        Rows of code -1 do not count.
    n_partitions : int

    Returns
    -------
    list of dict
        ``stratum``, ``label``, ``clusters`` (at least 1, below `n_partitions`), ``rows``; fewest clusters first.
    """
    found = []
    for stratum in strata:
        if stratum.kind == "continuous":
            continue
        kept = slice(None) if codes is None else codes[stratum.rows] >= 0
        row, label = stratum.rows[kept], stratum.codes[kept]
        n = int(clusters.max(initial=0)) + 1
        met = np.unique(label * n + clusters[row]) // n
        count, rows = (np.bincount(of, minlength=len(stratum.labels)) for of in (met, label))
        for i in np.flatnonzero((count > 0) & (count < n_partitions)).tolist():
            found.append(
                {
                    "stratum": stratum.name,
                    "label": stratum.labels[i],
                    "clusters": int(count[i]),
                    "rows": int(rows[i]),
                }
            )
    return sorted(found, key=lambda entry: entry["clusters"])


def unreachable_sentences(found: Sequence[dict[str, Any]], n_partitions: int, *, most: int) -> list[str]:
    """Return why each of these classes cannot be in every partition, the first `most` of them."""
    sentences = []
    for entry in found[:most]:
        of = "" if entry["stratum"] == "stratify" else f" of {entry['stratum']}"
        where = "one cluster" if entry["clusters"] == 1 else f"{entry['clusters']} clusters"
        limit = (
            "in one partition only"
            if entry["clusters"] == 1
            else f"in {entry['clusters']} of {n_partitions} partitions at most"
        )
        sentences.append(f"class {entry['label']!r}{of} has rows in {where} only, so it can be {limit}")
    return sentences


def warn_of_unreachable(
    strata: Sequence[Stratum], clusters: Ints, codes: Ints | None, n_partitions: int, *, stacklevel: int = 1
) -> None:
    """Warn of classes that cannot be in every partition."""
    found = unreachable(strata, clusters, codes, n_partitions)
    if not found:
        return
    told = "; ".join(unreachable_sentences(found, n_partitions, most=NAMED))
    more = f"; and {len(found) - NAMED:,} more (summary()['unreachable'])" if len(found) > NAMED else ""
    warnings.warn(
        f"stratify cannot bring every class to every partition: {told}{more}",
        SplitleakWarning,
        stacklevel=stacklevel + 1,
    )
