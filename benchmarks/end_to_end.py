"""The whole of split_by_similarity, certificate included, beside the graph alone; and a small job as a whole process.

python benchmarks/end_to_end.py --data FILE [--column text] [--threshold 0.8] [--similarity jaccard] [--small 5000]

Each run is a process of its own with one thread. Printed are CPU seconds, peak memory, what the split took as a
multiple of the graph, and the wall time of a process that splits and certifies the first rows, compiled code warm.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

GRAPH = """
import json, resource, sys, time
import splitleak
from splitleak.records import as_records
from splitleak.similarity.base import get_backend
path, column, threshold, similarity, rows = json.loads(sys.argv[1])
get_backend(similarity).graph(as_records(["one text", "another text", "one  text!"]), threshold=threshold)
begin = time.process_time()
graph = splitleak.similarity_graph(path, on=column, similarity=similarity, threshold=threshold)
graph.components()
seconds = time.process_time() - begin
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, repr(graph)]))
"""

SPLIT = """
import json, resource, sys, time
import splitleak
path, column, threshold, similarity, rows = json.loads(sys.argv[1])
data = path
if rows:
    import pyarrow.parquet
    data = pyarrow.parquet.read_table(path, columns=[column]).slice(0, rows)
else:
    splitleak.split_by_similarity(
        [f"text {i} {i * 7919}" for i in range(50)], similarity=similarity, threshold=threshold, on_infeasible="nearest"
    )
begin = time.process_time()
split = splitleak.split_by_similarity(data, on=column, similarity=similarity, threshold=threshold)
seconds = time.process_time() - begin
found = [seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, split.certificate.verdict]
print(json.dumps(found))
"""


def run(script: str, options: list[object]) -> tuple[list[object], float]:
    """Run a script in a process of its own; return what it printed, and its wall time."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "SPLITLEAK_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(threads, "1"), "PYTHONWARNINGS": "ignore"}
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(options)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1]), time.perf_counter() - begin


def main() -> None:
    """Run the graph, the split and the small job."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="a Parquet file with a column of texts")
    parser.add_argument("--column", default="text")
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument("--similarity", default="jaccard")
    parser.add_argument("--small", type=int, default=5_000, help="rows of the small job")
    asked = parser.parse_args()
    options = [asked.data, asked.column, asked.threshold, asked.similarity]
    (graph, graph_mib, what), _ = run(GRAPH, [*options, 0])
    print(what)
    print(f"graph and components: {graph:6.2f} CPU s, peak {graph_mib:,.0f} MiB")
    (split, split_mib, verdict), _ = run(SPLIT, [*options, 0])
    print(f"split and certificate: {split:5.2f} CPU s, peak {split_mib:,.0f} MiB ({verdict})")
    print(f"ratio: {split / graph:.2f} times the graph")
    run(SPLIT, [*options, asked.small])
    walls = [run(SPLIT, [*options, asked.small])[1] for _ in range(3)]
    print(f"{asked.small:,} rows as a whole process: {min(walls):.2f} to {max(walls):.2f} s of wall time")


if __name__ == "__main__":
    main()
