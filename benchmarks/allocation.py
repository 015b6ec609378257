"""Clusters to three partitions with ten classes: deviation from the targets, and CPU seconds.

    python benchmarks/allocation.py --clusters 200 1000 10000 1000000

The clusters have sizes with a heavy tail and classes mixed differently in each. The bound is what rounding alone
costs: a class of 64 rows cannot put 6.4 of them into test. Goals: sizes met to the row, 10,000 clusters at a summed
deviation of at most 2.4e-4 of the rows in at most 0.2 s, 200 clusters at at most 1.15e-2.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from splitleak.allocation import allocate
from splitleak.allocation.balancing import least_deviation

SHARES = np.array([0.8, 0.1, 0.1])


def clusters(k: int, n_classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sizes with a heavy tail, at most a twentieth of the number of clusters, and rows per class."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(1 + rng.zipf(2.0, k), max(2, k // 20))
    return sizes, rng.multinomial(sizes, rng.dirichlet(np.full(n_classes, 0.5), k))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clusters", type=int, nargs="+", default=[200, 1_000, 10_000, 1_000_000])
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--tolerance", type=float, default=0.02, help="for the sake of classes; 0: exact sizes"
    )
    options = parser.parse_args()
    started = time.process_time()
    allocate(*_request(*clusters(50, 3, 0)), seed=0, **_rest(*clusters(50, 3, 0)))
    print(f"first call (loads or compiles the kernel): {time.process_time() - started:.2f} CPU s")
    print(f"{'clusters':>9} {'rows':>10} {'seed':>4} {'met':>5} {'deviation':>10} {'bound':>10} {'CPU s':>7}")
    for k in options.clusters:
        for seed in range(options.seeds):
            sizes, classes = clusters(k, options.classes, seed + 1)
            n = int(sizes.sum())
            bound = least_deviation(_request(sizes, classes)[1], classes.sum(axis=0), n) / n / n
            started = time.process_time()
            found = allocate(
                *_request(sizes, classes), seed=seed, tolerance=options.tolerance, **_rest(sizes, classes)
            )
            seconds = time.process_time() - started
            print(
                f"{k:>9,} {n:>10,} {seed:>4} {found.met!s:>5} {found.deviation:>10.3g} {bound:>10.3g} {seconds:>7.3f}",
                flush=True,
            )


def _request(sizes: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = int(sizes.sum())
    targets = np.floor(SHARES * n).astype(np.int64)
    targets[0] += n - targets.sum()
    return sizes, targets


def _rest(sizes: np.ndarray, classes: np.ndarray) -> dict[str, np.ndarray]:
    keys = np.random.default_rng(0).integers(0, 2**63, len(sizes)).astype(np.uint64)
    return {"classes": classes, "keys": keys}


if __name__ == "__main__":
    main()
