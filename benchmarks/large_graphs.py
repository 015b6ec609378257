"""The graph work of a split at 1,000,000 rows and 5,000,000 similar pairs, and of a giant component of 100,000 rows.

    python benchmarks/large_graphs.py [--rows 1000000] [--edges 5000000] [--giant 100000]

Goals: components, allocation with ten classes and the certificate's graph work in at most 5 CPU s together; dropping
rows of the giant component in at most 10 CPU s. The graphs are given: the search for similar rows is not in it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from similarity_graphs import families

from splitleak.crossing import crossing_pairs
from splitleak.feasibility import Task
from splitleak.graph import SimilarityGraph
from splitleak.separation import separate
from splitleak.sizes import parse_sizes
from splitleak.strata import Strata, Stratum


def clustered(n: int, edges: int, seed: int) -> tuple[SimilarityGraph, np.ndarray]:
    """Clusters of uneven size, the largest of some hundred rows, and the class of each row, leaning by cluster."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(rng.zipf(1.9, n), 400)
    sizes = sizes[: np.searchsorted(np.cumsum(sizes), n) + 1]
    cluster = np.repeat(np.arange(len(sizes)), sizes)[:n]
    start = np.searchsorted(cluster, np.arange(len(sizes)))
    rows = rng.permutation(n)  # clusters are not next to each other in real data
    chain = np.flatnonzero(cluster[1:] == cluster[:-1])
    row = rng.integers(0, n, 4 * edges)
    row = row[sizes[cluster[row]] > 8][: int(1.1 * (edges - len(chain)))]  # some are drawn twice
    length = np.diff(np.append(start, n))[cluster[row]]
    other = start[cluster[row]] + (rng.random(len(row)) * length).astype(np.int64)
    left, right = np.append(chain, row), np.append(chain + 1, other)
    similarity = 0.8 + 0.2 * rng.random(len(left))
    graph = SimilarityGraph.from_edges(rows[left], rows[right], similarity, n_rows=n, threshold=0.8)
    leaning = rng.dirichlet(np.full(10, 0.5), len(sizes)).cumsum(axis=1)
    classes = np.empty(n, dtype=np.int64)
    classes[rows] = (rng.random(n)[:, None] > leaning[cluster]).sum(axis=1).clip(0, 9)
    return graph, classes


def timed(name: str, work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    found = work()
    seconds = time.process_time() - started
    print(f"  {name:34} {seconds:6.2f} CPU s", flush=True)
    return found, seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--edges", type=int, default=5_000_000)
    parser.add_argument("--giant", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    def task_of(n: int, edges: int) -> Task:
        graph, classes = clustered(n, edges, options.seed)
        hashes = np.random.default_rng(options.seed + 1).integers(0, 2**63, n).astype(np.uint64)
        sizes = parse_sizes(None, n)
        strata = Strata((Stratum.classes("class", classes, [str(label) for label in range(10)]),))
        return Task(
            graph=graph, groups=(), request=sizes, strata=strata, row_hashes=hashes, tolerance=0.02, seed=0
        )

    def split(task: Task) -> tuple[Any, ...]:
        clustering, one = timed("components", task.cluster)
        allocation, two = timed("allocation, ten classes", lambda: task.allocate(clustering))
        codes = allocation.codes[clustering.labels]
        # the certificate's search finds no pair across; worst for counting is that it found all pairs of the graph
        found, three = timed(
            "counting what crosses", lambda: crossing_pairs(task.graph, codes, 3, task.graph.threshold)
        )
        at_random = np.random.default_rng(0).permutation(codes)
        timed(
            "the same for a random split",
            lambda: crossing_pairs(task.graph, at_random, 3, task.graph.threshold),
        )
        assert task.is_met(allocation)
        assert found.n == 0
        return one + two + three, clustering, allocation

    print("loading compiled code")
    split(task_of(20_000, 100_000))
    path = np.arange(200)
    separate(path, path + 1, 201, [0.8, 0.2])
    task = task_of(options.rows, options.edges)
    print(f"{options.rows:,} rows, {len(task.graph.left):,} similar pairs")
    total, clustering, allocation = split(task)
    print(f"  together {total:.2f} CPU s (goal 5); {clustering}; summed deviation {allocation.deviation:.1e}")
    giant = families(options.giant, 8 * options.giant, options.seed)
    print(f"giant component of about {options.giant:,} rows, {len(giant.left):,} similar pairs")
    found, _ = timed(
        "rows dropped for 80/10/10 (goal 10)", lambda: separate(giant.left, giant.right, giant.n, [8, 1, 1])
    )
    print(f"  kept {100 * found.kept / giant.n:.2f} %, sizes {found.achieved.tolist()}")


if __name__ == "__main__":
    main()
