"""CPU seconds of leakage_report() on a wide mixed table with a split, in all and by probe.

python benchmarks/report_speed.py --n 100000
python benchmarks/report_speed.py --n 100000 --fast
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd

import splitleak
import splitleak.leakage as leakage


def table(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return 50 columns: numbers, whole numbers, categories, a name, a date and the target; and a random split."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n)
    columns = {f"x{i}": rng.normal(size=n) + 0.3 * y * (i % 5 == 0) for i in range(25)}
    columns |= {f"i{i}": rng.integers(0, 50, n) for i in range(10)}
    columns |= {f"c{i}": rng.choice([f"v{j}" for j in range(3 + i * 10)], n) for i in range(12)}
    columns["name"] = np.array([f"u{j}" for j in range(n // 5)])[rng.integers(0, n // 5, n)]
    df = pd.DataFrame(columns)
    df["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1000, n), unit="D")
    df.loc[rng.random(n) < 0.1, "x3"] = np.nan
    df["y"] = np.where(y, "a", "b")
    return df, np.where(rng.random(n) < 0.2, "test", "train")


def main() -> None:
    """Print the total, the peak of memory, and the probes by their cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--fast", action="store_true")
    asked = parser.parse_args()
    df, split = table(asked.n)
    splitleak.leakage_report(
        df.iloc[:500], split[:500], target="y", impact=False
    )  # what is compiled is compiled
    spent: dict[str, float] = {}
    run_probe = leakage.run_probe

    def timed(probe, context, **options):
        start = time.process_time()
        result = run_probe(probe, context, **options)
        spent[probe.code] = time.process_time() - start
        return result

    leakage.run_probe = timed
    start = time.process_time()
    report = splitleak.leakage_report(df, split, target="y", fast=asked.fast)
    total = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{asked.n:,} x {df.shape[1]}: {total:.1f} CPU s, {peak:,} MiB at most, verdict {report.verdict}")
    for code, seconds in sorted(spent.items(), key=lambda entry: -entry[1])[:12]:
        print(f"  {code} {seconds:6.2f}")


if __name__ == "__main__":
    main()
