"""Reading hits of an aligner: CPU seconds for a table of N hits between R names, matched and combined.

python benchmarks/hits.py --hits 1000000 --rows 50000
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import splitleak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--hits", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=50_000)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    ends = rng.integers(0, arguments.rows, (arguments.hits, 2)).tolist()
    identity = rng.integers(200, 1000, arguments.hits).tolist()
    rows = [f"protein{i:07d}" for i in range(arguments.rows)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hits.m8"
        with path.open("w") as file:
            for (a, b), share in zip(ends, identity, strict=True):
                line = f"{rows[a]}\t{rows[b]}\t{share / 10}\t250\t10\t1\t1\t250\t1\t250\t1e-20\t300\n"
                file.write(line)
        start = time.process_time()
        graph = splitleak.similarity_graph(rows, similarity=splitleak.precomputed(path), threshold=0.9)
        seconds = time.process_time() - start
        print(f"{arguments.hits:,} hits, {path.stat().st_size / 1e6:.0f} MB: {seconds:.2f} s CPU; {graph!r}")


if __name__ == "__main__":
    main()
