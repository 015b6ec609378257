"""Rows kept, sizes, class balance and CPU seconds when a giant component has to be separated.

python benchmarks/giant_components.py                        random graphs in the shapes of similarity graphs
python benchmarks/giant_components.py --edges FILE.npz       a graph of your own: arrays n, left, right, classes
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from similarity_graphs import SHAPES, RandomGraph

from splitleak.separation import separate


def report(name: str, graph: RandomGraph, sizes: list[float], *, stratified: bool, seed: int) -> None:
    classes = np.stack([graph.classes == c for c in np.unique(graph.classes)], axis=1).astype(np.int64)
    started = time.process_time()
    found = separate(
        graph.left, graph.right, graph.n, sizes, classes=classes if stratified else None, seed=seed
    )
    seconds = time.process_time() - started
    a, b = found.codes[graph.left], found.codes[graph.right]
    crossing = int(((a >= 0) & (b >= 0) & (a != b)).sum())
    kept = found.codes >= 0
    shares = [graph.classes[found.codes == p].mean() for p in range(len(sizes))]
    gap = 100 * float(np.abs(np.array(shares) - graph.classes[kept].mean()).max())
    achieved = "/".join(f"{100 * rows / found.kept:.1f}" for rows in found.achieved)
    print(
        f"{name:10} {graph.n:7,} rows {len(graph.left):9,} edges  {'stratified' if stratified else '':10}"
        f" kept {100 * found.kept / graph.n:6.2f} % (dropped {found.dropped:5,})  sizes {achieved:15}"
        f" class gap {gap:5.2f} points  crossing {crossing}  {seconds:5.2f} CPU s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shapes", nargs="*", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--edges", help="an .npz file with n, left, right and classes")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    path = np.arange(200)
    ones = np.ones((201, 2), dtype=np.int64)
    separate(path, path + 1, 201, [0.8, 0.2], weights=2 * ones[:, 0], classes=ones)  # loads the kernels
    if options.edges:
        with np.load(options.edges) as file:
            graphs = {"file": RandomGraph(int(file["n"]), file["left"], file["right"], file["classes"])}
    else:
        graphs = {name: SHAPES[name](seed=options.seed) for name in options.shapes}
    for name, graph in graphs.items():
        for sizes in ([0.8, 0.2], [0.8, 0.1, 0.1]):
            for stratified in (False, True):
                report(name, graph, sizes, stratified=stratified, seed=options.seed)


if __name__ == "__main__":
    main()
