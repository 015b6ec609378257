"""Near-duplicate clusters of texts at a Jaccard threshold: splitleak, datasketch and rensa, one thread each.

python benchmarks/near_duplicates.py --data texts.parquet --n 600000 --unique-ascii
python benchmarks/near_duplicates.py --data texts.parquet --n 20000 --engines jaccard minhash
python benchmarks/near_duplicates.py --data texts.parquet --n 100000 --unique-ascii --signatures

Each engine runs in a process of its own on the same list of texts, from the list to clusters (connected
components), on sets of character 5-grams. Libraries are imported, and splitleak's kernels loaded, by a run on 300
texts before the clock starts. Printed are CPU seconds, wall time, peak memory above the loaded texts, pairs,
clusters, recall and precision against the exact join, and how many times the CPU and the memory of splitleak's
minhash the others take. datasketch and rensa are driven as their documentation shows: 128 permutations, xxh32
hashes for datasketch, candidates kept when their estimated similarity reaches the threshold.

With --signatures: texts and megabytes a second from a list of texts to signatures of 128 permutations, for the
short texts of FILE (character 5-grams) and for the source files of Python's standard library (word 5-grams);
the best of three runs; no engine normalises or lower-cases.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ENGINES = ("jaccard", "minhash", "datasketch", "rensa")
SIGNERS = ("splitleak", "rensa", "datasketch")
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "SPLITLEAK_NUM_THREADS",
)
NUM_PERM = 128
Pairs = tuple[np.ndarray, np.ndarray]


def read_texts(path: Path, column: str, n: int | None, unique_ascii: bool) -> list[str]:
    """Read a column of texts; `unique_ascii` keeps the different lower-cased ASCII ones of 20 characters or more."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        texts = pq.read_table(path, columns=[column])[column].to_pylist()
    else:
        import pandas as pd

        texts = pd.read_csv(path, usecols=[column], sep="\t" if path.suffix == ".tsv" else ",")[
            column
        ].tolist()
    texts = [text for text in texts if isinstance(text, str)]
    if unique_ascii:
        lower = (text.lower() for text in texts)
        texts = list(dict.fromkeys(text for text in lower if len(text) >= 20 and text.isascii()))
    return texts[:n]


def character_5_grams(text: str) -> list[str]:
    """Cut a text as users of datasketch and rensa do."""
    return [text[i : i + 5] for i in range(max(1, len(text) - 4))]


def word_5_grams(text: str) -> list[str]:
    """Cut a text into runs of five words."""
    words = re.findall(r"\w+", text)
    return [" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))]


def clusters_of(left: np.ndarray, right: np.ndarray, n: int) -> int:
    """Return the number of connected components."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
    return int(connected_components(graph, directed=False)[0])


def by_splitleak(backend: str) -> Callable[..., tuple[Pairs, int, str]]:
    """Return the engine of one of splitleak's backends."""

    def search(texts: list[str], threshold: float, bands: int) -> tuple[Pairs, int, str]:
        import splitleak

        graph = splitleak.similarity_graph(texts, similarity=backend, threshold=threshold)
        clusters = int(graph.components().max()) + 1
        left, right, _ = graph.pairs()
        note = "exact" if graph.recall is None else f"measured recall {graph.recall}"
        if "bands" in graph.details:
            note = f"{graph.details['bands']} bands x {graph.details['rows']}, {note}"
        return (left, right), clusters, note

    return search


def by_datasketch(texts: list[str], threshold: float, bands: int) -> tuple[Pairs, int, str]:
    """Search by MinHashLSH, with the bands that datasketch chooses for the threshold."""
    import xxhash
    from datasketch import MinHash, MinHashLSH

    tokens = [[token.encode() for token in character_5_grams(text)] for text in texts]
    sketches = MinHash.bulk(tokens, num_perm=NUM_PERM, hashfunc=xxhash.xxh32_intdigest)
    del tokens
    index = MinHashLSH(threshold=threshold, num_perm=NUM_PERM)
    with index.insertion_session() as session:
        for row, sketch in enumerate(sketches):
            session.insert(row, sketch)
    found = [
        (row, other)
        for row, sketch in enumerate(sketches)
        for other in index.query(sketch)
        if other > row and sketch.jaccard(sketches[other]) >= threshold
    ]
    left, right = np.array(found, dtype=np.int64).reshape(-1, 2).T
    return (left, right), clusters_of(left, right, len(texts)), f"{index.b} bands x {index.r}"


def by_rensa(texts: list[str], threshold: float, bands: int) -> tuple[Pairs, int, str]:
    """Search by RMinHashLSH."""
    import rensa

    tokens = [character_5_grams(text) for text in texts]
    sketches = rensa.RMinHash.from_token_sets(tokens, NUM_PERM, 42)
    del tokens
    index = rensa.RMinHashLSH(threshold=threshold, num_perm=NUM_PERM, num_bands=bands)
    index.insert_many(sketches)
    found = [
        (row, other)
        for row, candidates in enumerate(index.query_all(sketches))
        for other in candidates
        if other > row and sketches[row].jaccard(sketches[other]) >= threshold
    ]
    left, right = np.array(found, dtype=np.int64).reshape(-1, 2).T
    return (left, right), clusters_of(left, right, len(texts)), f"{bands} bands x {NUM_PERM // bands}"


SEARCHES: dict[str, Callable[..., tuple[Pairs, int, str]]] = {
    "jaccard": by_splitleak("jaccard"),
    "minhash": by_splitleak("minhash"),
    "datasketch": by_datasketch,
    "rensa": by_rensa,
}


def sign(engine: str, texts: list[str], unit: str) -> None:
    """Make the signatures of texts by one engine."""
    if engine == "splitleak":
        from splitleak.records import as_records
        from splitleak.similarity.jaccard import text_shingles
        from splitleak.similarity.minhash import signatures

        records = as_records(texts)
        tokens, starts = text_shingles(
            records, unit="char" if unit == "char" else "word", n=5, normalize=False
        )
        signatures((tokens >> np.uint64(32)).astype(np.uint32), starts, num_perm=NUM_PERM)
        return
    cut = character_5_grams if unit == "char" else word_5_grams
    if engine == "rensa":
        import rensa

        rensa.RMinHash.from_token_sets([cut(text) for text in texts], NUM_PERM, 42)
    else:
        import xxhash
        from datasketch import MinHash

        tokens = [[token.encode() for token in cut(text)] for text in texts]
        MinHash.bulk(tokens, num_perm=NUM_PERM, hashfunc=xxhash.xxh32_intdigest)


def memory_now() -> float:
    """Return the MiB this process holds; from here on, `memory_peak` counts anew where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return memory_peak()  # no Linux: the peak so far, which loading may have set


def memory_peak() -> float:
    """Return the most MiB this process has held."""
    import resource

    try:  # getrusage() does not forget, and starts from what the parent held
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 2**10
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
            2**20 if sys.platform == "darwin" else 2**10
        )


def child(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run one engine on the texts that the parent has put down, and measure it."""
    texts: list[str] = pickle.loads((folder / f"{task['texts']}.pickle").read_bytes())
    if "unit" in task:
        cpus = []
        for _ in range(3):
            cpu = time.process_time()
            sign(task["engine"], texts, task["unit"])
            cpus.append(time.process_time() - cpu)
        return {"cpu": min(cpus)}
    search = SEARCHES[task["engine"]]
    search(texts[:300], task["threshold"], task["bands"])
    loaded = memory_now()
    cpu, wall = time.process_time(), time.perf_counter()
    (left, right), clusters, note = search(texts, task["threshold"], task["bands"])
    measured = {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "memory": memory_peak() - loaded,
        "pairs": len(left),
        "clusters": clusters,
        "note": note,
    }
    keys = np.unique(np.minimum(left, right) * np.int64(len(texts)) + np.maximum(left, right))
    np.save(folder / f"{task['engine']}.npy", keys)
    return measured


def run(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run a child with one thread and return what it measured."""
    command = [sys.executable, __file__, "--child", json.dumps(task), str(folder)]
    done = subprocess.run(
        command,
        env={**os.environ, **dict.fromkeys(THREADS, "1")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(texts: list[str], threshold: float, engines: list[str], bands: int, folder: Path) -> None:
    """Print the table of the engines."""
    (folder / "short.pickle").write_bytes(pickle.dumps(texts))
    print(f"{len(texts):,} texts, {sum(map(len, texts)):,} characters, Jaccard >= {threshold}, one thread\n")
    results = {}
    for engine in engines:
        task = {"engine": engine, "texts": "short", "threshold": threshold, "bands": bands}
        results[engine] = run(task, folder)
    truth = np.load(folder / "jaccard.npy") if "jaccard" in results else None
    base = results.get("minhash") or next(iter(results.values()))
    rows = []
    for engine, found in results.items():
        recall = precision = "-"
        if truth is not None:
            keys = np.load(folder / f"{engine}.npy")
            hits = int(np.isin(keys, truth).sum())
            recall = f"{hits / max(1, len(truth)):.4f}"
            precision = f"{hits / max(1, len(keys)):.4f}"
        rows.append(
            [
                engine if engine in ("datasketch", "rensa") else f"splitleak {engine}",
                f"{found['cpu']:.2f}",
                f"{found['wall']:.2f}",
                f"{found['memory']:,.0f}",
                f"{found['pairs']:,}",
                f"{found['clusters']:,}",
                recall,
                precision,
                f"{found['cpu'] / base['cpu']:.1f}x",
                f"{found['memory'] / max(1.0, base['memory']):.2f}x",
                found["note"],
            ]
        )
    heads = [
        "engine",
        "CPU s",
        "wall s",
        "peak MiB",
        "pairs",
        "clusters",
        "recall",
        "precision",
        "CPU",
        "memory",
        "",
    ]
    print_table(heads, rows)


def compare_signatures(texts: list[str], engines: list[str], folder: Path) -> None:
    """Print how quickly the engines make signatures of short texts and of long documents."""
    library = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(p for p in library.rglob("*.py") if "site-packages" not in p.parts)
    long = [p.read_text(encoding="utf-8", errors="replace") for p in files]
    rows = []
    for title, some, unit in (
        ("short texts, character 5-grams", texts, "char"),
        ("sources, word 5-grams", long, "word"),
    ):
        (folder / "texts.pickle").write_bytes(pickle.dumps(some))
        megabytes = sum(len(text.encode()) for text in some) / 1e6
        base = 0.0
        for engine in engines:
            cpu = run({"engine": engine, "texts": "texts", "unit": unit}, folder)["cpu"]
            base = base or cpu
            rows.append(
                [title, engine, f"{len(some):,}", f"{megabytes:,.1f}", f"{cpu:.2f}", f"{len(some) / cpu:,.0f}",
                 f"{megabytes / cpu:.1f}", f"{cpu / base:.1f}x"]
            )  # fmt: skip
    print_table(["texts", "engine", "number", "MB", "CPU s", "texts/s", "MB/s", "CPU"], rows)


def print_table(heads: list[str], rows: list[list[str]]) -> None:
    """Print a plain table, numbers to the right."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    last = len(heads) - 1
    for row in [heads, *rows]:
        cells = zip(row, widths, strict=True)
        line = [cell.ljust(w) if i in (0, last) else cell.rjust(w) for i, (cell, w) in enumerate(cells)]
        print("  ".join(line).rstrip())


def main() -> None:
    """Read the options and compare."""
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(child(json.loads(sys.argv[2]), Path(sys.argv[3]))))
        return
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="Parquet, CSV or TSV with a column of texts")
    parser.add_argument("--column", default="text")
    parser.add_argument("--n", type=int, help="the first N texts (default: all)")
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument(
        "--engines", nargs="+", help=f"of {', '.join(ENGINES)}; with --signatures of {', '.join(SIGNERS)}"
    )
    parser.add_argument("--bands", type=int, default=16, help="bands of rensa, of 128 permutations")
    parser.add_argument(
        "--unique-ascii",
        action="store_true",
        help="only different lower-cased ASCII texts of 20 characters or more",
    )
    parser.add_argument("--signatures", action="store_true", help="compare the making of signatures only")
    args = parser.parse_args()
    known = SIGNERS if args.signatures else ENGINES
    engines = args.engines or list(known)
    if unknown := set(engines) - set(known):
        parser.error(f"--engines: {', '.join(sorted(unknown))} not known (choose of: {', '.join(known)})")
    texts = read_texts(args.data, args.column, args.n, args.unique_ascii)
    with tempfile.TemporaryDirectory() as folder:
        if args.signatures:
            compare_signatures(texts, engines, Path(folder))
        else:
            compare(texts, args.threshold, engines, args.bands, Path(folder))


if __name__ == "__main__":
    main()
