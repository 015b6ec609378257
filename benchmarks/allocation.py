"""Clusters to three partitions with ten classes: deviation from the targets, and CPU seconds.

    python benchmarks/allocation.py --clusters 200 1000 10000 1000000
    python benchmarks/allocation.py --digits        # a split of real images with one large cluster

The clusters have sizes with a heavy tail and classes mixed differently in each. The bound is what rounding alone
costs: a class of 64 rows cannot put 6.4 of them into test. Goals: sizes met to the row, 10,000 clusters at a summed
deviation of at most 2.4e-4 of the rows in at most 0.2 s, 200 clusters at at most 1.15e-2.

With --digits: scikit-learn's digits at cosine 0.96, 80/20 and 80/10/10, for five seeds at exact sizes and within
--tolerance. Printed are the largest difference of a class's share between a partition and all rows, and of a
partition's size from the size that was asked for, in points.
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


def print_digits(most: float, seeds: int = 5, threshold: float = 0.96) -> None:
    from sklearn.datasets import load_digits

    import splitleak
    from splitleak.strata.balance import balance_of

    images, digit = load_digits(return_X_y=True)
    graph = splitleak.similarity_graph(images, similarity="cosine", threshold=threshold)
    largest = np.bincount(graph.components()).max()
    print(f"digits, cosine >= {threshold}: {len(digit):,} rows, {largest:,} in one cluster; points")
    for asked in ({"train": 0.8, "test": 0.2}, {"train": 0.8, "dev": 0.1, "test": 0.1}):
        for tolerance in (0.0, most):
            gaps, off = [], []
            for seed in range(seeds):
                split = splitleak.split_by_similarity(
                    images, similarity=graph, threshold=threshold, sizes=asked, stratify=digit,
                    tolerance=tolerance, seed=seed,
                )  # fmt: skip
                gaps.append(100 * max(balance_of(split.strata[0], split.codes, split.names, None)["gaps"]))
                off.append(100 * max(abs(split.sizes[name] / len(digit) - asked[name]) for name in asked))
            told = ", ".join(f"{gap:.1f}" for gap in gaps)
            print(
                f"  {len(asked)} partitions, tolerance {tolerance:g}: worst class gap {max(gaps):.1f}"
                f" (by seed: {told}), sizes off by at most {max(off):.2f}"
            )


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
    parser.add_argument("--digits", action="store_true", help="a split of scikit-learn's digits instead")
    options = parser.parse_args()
    if options.digits:
        print_digits(options.tolerance)
        return
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
