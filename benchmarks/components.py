"""Connected components of a random graph: union-find against SciPy, CPU seconds in one run.

python benchmarks/components.py --rows 1000000 --edges 5000000
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from splitleak.components import _components_of_few, connected_components


def cpu_seconds(function, *arguments):
    started = time.process_time()
    result = function(*arguments)
    return time.process_time() - started, result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--edges", type=int, default=5_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, options.rows, (2, options.edges))
    connected_components(left[:60_000].copy(), right[:60_000].copy(), options.rows)  # loads the kernel
    ours = theirs = float("inf")
    for _ in range(options.repeats):
        seconds, labels = cpu_seconds(connected_components, left, right, options.rows)
        ours = min(ours, seconds)
        seconds, expected = cpu_seconds(_components_of_few, left, right, options.rows)
        theirs = min(theirs, seconds)
    print(f"rows {options.rows:,}  edges {options.edges:,}  components {labels.max() + 1:,}")
    print(f"union-find {ours:.3f} CPU s   SciPy {theirs:.3f} CPU s   ratio {ours / theirs:.2f}")
    print(f"same labels: {np.array_equal(labels, expected)}")


if __name__ == "__main__":
    main()
