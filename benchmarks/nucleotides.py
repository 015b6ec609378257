"""Pairs of DNA or RNA by identity of their alignment: splitleak against parasail, CPU seconds.

    SPLITLEAK_DATA=... python benchmarks/nucleotides.py [--jobs genes rna] [--every 10]
    python benchmarks/nucleotides.py --data genes.fasta --thresholds 0.8

One run, one thread. With SPLITLEAK_DATA: resistance genes at 0.8 (2,021, many of them alleles of one gene) and every
second RNA bound by proteins at 0.65 (7,500). parasail (extra `sequence`) aligns a random sample of the pairs in full
with the same scores (match 2, mismatch -3, gaps 7 and 2), DNA also with the other strand; its time is scaled to all
pairs by the number of cells. --every takes fewer sequences.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from sequences import cpu_seconds

import splitleak

JOBS = {"genes": ("nucleotides/beta_lactam.fasta", 1, 0.8), "rna": ("nucleotides/rbd_rna.fasta", 2, 0.65)}


def parasail_seconds(rows: list[str], n_pairs: int, strands: int) -> float:
    """Seconds for all pairs, estimated from random queries against random rows."""
    import parasail

    scores = parasail.matrix_create("ACGT", 2, -3)
    rng = np.random.default_rng(0)
    queries = [rows[i] for i in rng.integers(0, len(rows), max(1, n_pairs // 100))]
    others = [rows[i] for i in rng.integers(0, len(rows), 100)]
    lengths = np.array([len(row) for row in rows], dtype=float)
    all_cells = (lengths.sum() ** 2 - (lengths**2).sum()) / 2
    cells = float(sum(map(len, queries))) * sum(map(len, others))

    def aligned() -> None:
        for query in queries:
            made = parasail.profile_create_stats_sat(query, scores)
            for other in others:
                parasail.sw_stats_striped_profile_sat(made, other, 7, 2)

    return cpu_seconds(aligned)[0] * strands * all_cells / cells


def compare(name: str, rows: list[str], threshold: float, n_pairs: int) -> None:
    splitleak.similarity_graph(rows[:100], similarity="alignment", threshold=threshold)  # loads the kernels
    seconds, graph = cpu_seconds(
        lambda: splitleak.similarity_graph(rows, similarity="alignment", threshold=threshold)
    )
    dna = not any("U" in row for row in rows)
    peer = parasail_seconds([row.replace("U", "T") for row in rows], n_pairs, 2 if dna else 1)
    largest = np.bincount(graph.components()).max()
    print(
        f"{name}: {len(rows):,} sequences, {sum(map(len, rows)):,} letters, identity >= {threshold}:"
        f" {seconds:.1f} CPU s, {peer / seconds:.1f}x less than parasail for all pairs ({peer:.1f}, from {n_pairs:,});"
        f" {graph.n_pairs:,} pairs, largest cluster {largest:,}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="a FASTA file of your own")
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.8], help="for --data")
    parser.add_argument("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS))
    parser.add_argument("--every", type=int, default=1, help="take every so many-th sequence")
    parser.add_argument("--peer-pairs", type=int, default=20_000)
    options = parser.parse_args()
    from splitleak.records import open_source

    def rows_of(path: str | Path, every: int) -> list[str]:
        rows = open_source(str(path)).column("sequence").to_pylist()[:: every * options.every]
        return [row.upper() for row in rows]

    if options.data:
        for threshold in options.thresholds:
            compare(options.data, rows_of(options.data, 1), threshold, options.peer_pairs)
        return
    if "SPLITLEAK_DATA" not in os.environ:
        sys.exit("SPLITLEAK_DATA names no folder of real data; --data takes a FASTA file")
    for job in options.jobs:
        path, every, threshold = JOBS[job]
        file = Path(os.environ["SPLITLEAK_DATA"]) / path
        if not file.exists():
            print(f"{job}: left out, the folder of SPLITLEAK_DATA has no {path}")
            continue
        compare(job, rows_of(file, every), threshold, options.peer_pairs)


if __name__ == "__main__":
    main()
