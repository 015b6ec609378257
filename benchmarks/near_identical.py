"""Rows that are nearly all alike, so that nearly all pairs are similar: CPU seconds beside as many rows that differ.

    python benchmarks/near_identical.py [--rows 100000] [--similarities jaccard minhash cosine gower]

Texts of one template with a number each (jaccard, minhash), vectors around one point (cosine), copies of one row of ten
numbers and ten categories with one of the 20 changed (gower): 100,000 have up to 5 billion similar pairs. The rows that
differ are texts of random words, vectors in random directions, random numbers and categories. The split is of --alike
of the rows that are alike (one cluster, whole in train) and the rest that differ, with its certificate. One run, one
thread; what is printed is the second of two goes, the first loads the kernels.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

os.environ["SPLITLEAK_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd

import splitleak

Made = tuple[Any, Any]  # rows that are alike, rows that differ
THRESHOLDS = {"jaccard": 0.8, "minhash": 0.8, "cosine": 0.95, "gower": 0.95}


def texts(n: int, rng: np.random.Generator) -> Made:
    template = "Dear customer, your parcel is on its way and arrives tomorrow between 8 and 12; its number is {:07d}."
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(["".join(word) for word in rng.choice(letters, (20_000, 6))])
    return [template.format(i) for i in rng.permutation(n)], [
        " ".join(row) for row in rng.choice(words, (n, 15))
    ]


def vectors(n: int, rng: np.random.Generator) -> Made:
    around = rng.normal(size=64) + 0.1 * rng.normal(size=(n, 64))
    return around.astype(np.float32), rng.normal(size=(n, 64)).astype(np.float32)


def tables(n: int, rng: np.random.Generator) -> Made:
    def table(numbers: np.ndarray, categories: np.ndarray) -> pd.DataFrame:
        columns = {f"number {j}": numbers[:, j] for j in range(10)}
        return pd.DataFrame(columns | {f"category {j}": categories[:, j].astype(str) for j in range(10)})

    numbers, levels = rng.random((n, 10)), rng.integers(0, 8, (n, 10))
    changed = rng.integers(0, 20, n)[:, None] == np.arange(20)
    alike = table(np.where(changed[:, :10], numbers, 0.5), np.where(changed[:, 10:], levels, 0))
    return alike, table(numbers, levels)


MAKERS = {"jaccard": texts, "minhash": texts, "cosine": vectors, "gower": tables}


def graph_of(rows: Any, similarity: str) -> tuple[float, splitleak.SimilarityGraph]:
    started = time.process_time()
    graph = splitleak.similarity_graph(rows, similarity=similarity, threshold=THRESHOLDS[similarity])
    graph.components()
    return time.process_time() - started, graph


def split_of(rows: Any, similarity: str) -> tuple[float, splitleak.Split]:
    started = time.process_time()
    split = splitleak.split_by_similarity(rows, similarity=similarity, threshold=THRESHOLDS[similarity])
    return time.process_time() - started, split


def mixed(alike: Any, differ: Any, many: int) -> Any:
    if isinstance(alike, pd.DataFrame):
        return pd.concat([alike.iloc[:many], differ.iloc[many:]], ignore_index=True)
    if isinstance(alike, np.ndarray):
        return np.concatenate([alike[:many], differ[many:]])
    return [*alike[:many], *differ[many:]]


def compare(similarity: str, n: int, share: float) -> None:
    alike, differ = MAKERS[similarity](n, np.random.default_rng(0))
    for _ in range(2):  # small tables use other kernels, so the first go is of all rows, too
        ours, graph = graph_of(alike, similarity)
        theirs, _graph = graph_of(differ, similarity)
        whole, split = split_of(mixed(alike, differ, int(share * n)), similarity)
    largest = np.bincount(graph.components()).max()
    print(
        f"{similarity} >= {THRESHOLDS[similarity]}: graph {ours:.2f} CPU s, {ours / theirs:.1f} times that of rows that"
        f" differ ({theirs:.2f}); largest cluster {largest:,}, all pairs listed: {graph.complete};"
        f" split with certificate {whole:.2f} CPU s ({split.certificate.verdict}, sizes {split.sizes})",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--similarities", nargs="+", choices=list(MAKERS), default=list(MAKERS))
    parser.add_argument("--alike", type=float, default=0.7, help="share of the split's rows that are alike")
    options = parser.parse_args()
    for similarity in options.similarities:
        compare(similarity, options.rows, options.alike)


if __name__ == "__main__":
    main()
