"""Pairs of proteins by identity (alignment covering half of the longer): splitleak against parasail, CPU seconds.

    python benchmarks/sequences.py --data proteins.fasta [--peer-pairs 20000] [--engines exhaustive filtered mmseqs]
    python benchmarks/sequences.py --data proteins.fasta --evalues

One run, one thread; the CPU seconds of programs that are started (MMseqs2) count. parasail (extra `sequence`) aligns
a random sample of the pairs in full, and its time is scaled to all pairs by the number of cells; the sample also shows
how often its identity differs where several alignments have the best score. With --evalues: E-values of the exhaustive
and the filtered search, and how many hits a shuffled protein has at E <= x, over x.
"""

from __future__ import annotations

import argparse
import os
import resource
import time

os.environ["SPLITLEAK_NUM_THREADS"] = "1"

import numpy as np

import splitleak


def cpu_seconds(function):
    started, of_children = time.process_time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    result = function()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    children = spent.ru_utime + spent.ru_stime - of_children.ru_utime - of_children.ru_stime
    return time.process_time() - started + children, result


def parasail_seconds(rows, n_pairs):
    """Seconds of two of parasail's functions for all pairs, estimated from random queries against random rows."""
    import parasail

    def plain(a, others):
        return [parasail.sw_stats_striped_16(a, b, 11, 1, parasail.blosum62).matches for b in others]

    def profiled(a, others):
        made = parasail.profile_create_stats_sat(a, parasail.blosum62)
        return [parasail.sw_stats_striped_profile_sat(made, b, 11, 1).matches for b in others]

    rng = np.random.default_rng(0)
    queries = [rows[i] for i in rng.integers(0, len(rows), max(1, n_pairs // 100))]
    others = [rows[i] for i in rng.integers(0, len(rows), 100)]
    lengths = np.array([len(row) for row in rows], dtype=float)
    all_cells = (lengths.sum() ** 2 - (lengths**2).sum()) / 2
    cells = float(sum(map(len, queries))) * sum(map(len, others))
    seconds = {}
    for name, function in (("sw_stats_striped_16", plain), ("sw_stats_striped_profile_sat", profiled)):
        spent, _ = cpu_seconds(lambda f=function: [f(query, others) for query in queries])
        seconds[name] = spent * all_cells / cells
    return seconds


def mutated_families(n_rows, seed=0):
    """Return proteins that no setting was tuned on: random ancestors, substituted and cut to all degrees."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("ARNDCQEGHILKMFPSTWYV"))
    rows = []
    while len(rows) < n_rows:
        ancestor = rng.choice(letters, rng.integers(80, 700))
        for share in rng.uniform(0.1, 0.75, rng.integers(1, 6)):
            row = np.where(rng.random(len(ancestor)) < share, rng.choice(letters, len(ancestor)), ancestor)
            for _ in range(rng.integers(0, 4)):
                at = rng.integers(0, len(row))
                row = np.delete(row, slice(at, at + rng.integers(1, 12)))
            rows.append("".join(row))
    return rows[:n_rows]


def print_held_out_recall(thresholds):
    rows = mutated_families(800)
    for threshold in thresholds:
        found = {}
        for engine in ("exhaustive", "filtered"):
            similarity = f"alignment(engine={engine})"
            graph = splitleak.similarity_graph(rows, similarity=similarity, threshold=threshold)
            found[engine] = set(zip(*(x.tolist() for x in graph.pairs()[:2]), strict=True))
        share = len(found["filtered"] & found["exhaustive"]) / max(1, len(found["exhaustive"]))
        print(
            f"not tuned on (800 mutated proteins), identity >= {threshold}: filtered finds {share:.4f} of"
            f" {len(found['exhaustive']):,} pairs"
        )


def pairs_of(graph):
    return set(zip(*(x.tolist() for x in graph.pairs()[:2]), strict=True))


def print_evalues(rows, limits=(10, 1, 0.1)):
    """Print hits by chance over those that an E-value promises, then cost and recall on the proteins."""
    rng = np.random.default_rng(0)
    some = rows[::4]
    shuffled = ["".join(rng.permutation(list(row))) for row in some]
    for composition in ("adjust", "standard"):
        similarity = f"alignment(max_evalue={max(limits)}, engine=exhaustive, composition={composition})"
        found = splitleak.similarity_graph(shuffled, similarity=similarity).frame().evalue.to_numpy()
        told = ", ".join(f"E <= {x:g}: {2 * (found <= x).sum() / len(some) / x:.2f}" for x in limits)
        print(f"hits of a shuffled protein over x (composition={composition}, {len(some)} proteins): {told}")
    graphs = {}
    for engine in ("exhaustive", "filtered"):
        seconds, graphs[engine] = cpu_seconds(
            lambda e=engine: splitleak.similarity_graph(
                rows, similarity=f"alignment(max_evalue=1e-3, engine={e})"
            )
        )
        print(f"E <= 0.001: {engine:10s} {seconds:7.1f} CPU s, {graphs[engine].n_pairs:,} pairs")
    found, truth = pairs_of(graphs["filtered"]), pairs_of(graphs["exhaustive"])
    print(
        f"    filtered: {len(found & truth) / max(1, len(truth)):.4f} of the pairs; {graphs['filtered'].recall}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--every", type=int, default=1, help="take every so many-th sequence")
    parser.add_argument("--peer-pairs", type=int, default=20_000)
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.3, 0.4, 0.5])
    parser.add_argument("--engines", nargs="+", default=["exhaustive", "filtered"], help="exhaustive first")
    parser.add_argument("--evalues", action="store_true")
    options = parser.parse_args()
    import parasail

    from splitleak.records import open_source

    rows = open_source(options.data).column("sequence").to_pylist()[:: options.every]
    rows = [row.upper() for row in rows]
    for engine in options.engines:  # loads the kernels
        splitleak.similarity_graph(rows[:150], similarity=f"alignment(engine={engine})")
    print(f"{len(rows):,} sequences, {sum(map(len, rows)):,} residues", flush=True)
    if options.evalues:
        print_evalues(rows)
        return
    print_held_out_recall(options.thresholds)
    peers = parasail_seconds(rows, options.peer_pairs)
    for name, seconds in peers.items():
        print(f"parasail {name}, all pairs: {seconds:8.1f} CPU s (from {options.peer_pairs:,} pairs)")
    for threshold in options.thresholds:
        graphs = {}
        for engine in options.engines:
            similarity = f"alignment(engine={engine})"
            seconds, graph = cpu_seconds(
                lambda s=similarity, t=threshold: splitleak.similarity_graph(rows, similarity=s, threshold=t)
            )
            graphs[engine] = graph
            ratios = ", ".join(f"{other / seconds:.1f}x less than {name}" for name, other in peers.items())
            print(
                f"identity >= {threshold}: {engine:10s} {seconds:7.1f} CPU s, {graph.n_pairs:,} pairs; {ratios}",
                flush=True,
            )
        truth = pairs_of(graphs["exhaustive"])
        for engine in options.engines[1:]:
            found = pairs_of(graphs[engine])
            share = f"{len(found & truth) / len(truth):.4f} of the pairs; " if truth else "there are none; "
            print(f"    {engine}: {share}{graphs[engine].recall}")
        print(f"    chance {graphs['exhaustive'].details['chance'].share(threshold):.2g}")
        exhaustive = graphs["exhaustive"]
        same = 0
        for a, b in zip(exhaustive.left, exhaustive.right, strict=True):
            r = parasail.sw_stats_striped_16(rows[a], rows[b], 11, 1, parasail.blosum62)
            longer = max(len(rows[a]), len(rows[b]))
            same += r.matches / r.length >= threshold and r.length / longer >= 0.5
        print(
            f"    parasail agrees on {same:,} of {len(exhaustive.left):,} stored pairs (ties of alignments)"
        )


if __name__ == "__main__":
    main()
