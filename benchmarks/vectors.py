"""Exact cosine join of vectors: splitleak, faiss IndexFlatIP.range_search and plain sgemm, one thread each.

python benchmarks/vectors.py --n 100000 --threshold 0.9
python benchmarks/vectors.py --data embeddings.npy --sample 2000

Each engine runs in a process of its own on the same rows. Printed are CPU seconds, ratios to splitleak, peak memory
above the loaded rows (Linux), and whether the pairs are the same; where they are not, how far from the threshold
the others lie. With --sample, faiss searches that many of the rows only, its time of search is extrapolated, and its
pairs are compared for these rows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ENGINES = ("splitleak", "faiss", "sgemm")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "SPLITLEAK_NUM_THREADS")


def embeddings(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Make unit rows as encoders of text give them: topics, a spectrum that falls off, 5 % near-duplicates."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0].astype(np.float32)
    spread = ((np.arange(d) + 1.0) ** -0.45).astype(np.float32)

    def draw(rows: int) -> np.ndarray:
        return (rng.standard_normal((rows, d), dtype=np.float32) * spread) @ axes

    topics = draw(max(1, n // 100))
    x = draw(n)
    for a in range(0, n, 10_000):
        x[a : a + 10_000] += 1.2 * topics[rng.integers(0, len(topics), len(x[a : a + 10_000]))]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    near = rng.choice(n, n // 20, replace=False)
    noise = rng.standard_normal((len(near), d), dtype=np.float32) / np.float32(np.sqrt(d))
    x[near] = x[rng.integers(0, n, len(near))] + noise * rng.uniform(0.05, 0.6, (len(near), 1)).astype(
        np.float32
    )
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def by_splitleak(x: np.ndarray, threshold: float, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Search by the backend."""
    from splitleak.records import Records
    from splitleak.similarity.base import get_backend

    graph = get_backend("cosine").graph(Records("vector", len(x), vectors=x), threshold=threshold)
    left, right, _ = graph.pairs()
    return left, right


def by_faiss(x: np.ndarray, threshold: float, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Search each of `rows` among all."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(x.shape[1])
    index.add(x)  # copies the rows: hardly any time beside the search
    left, right = [rows[:0]], [rows[:0]]
    for a in range(0, len(rows), 4096):
        part = rows[a : a + 4096]
        limits, _, found = index.range_search(x[part], threshold)
        left.append(np.repeat(part, np.diff(limits.astype(np.int64))))
        right.append(found)
    return np.concatenate(left), np.concatenate(right)


def by_sgemm(x: np.ndarray, threshold: float, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Multiply blocks of the upper triangle."""
    left, right = [], []
    for a in range(0, len(x), 1024):
        for b in range(a, len(x), 2048):
            found = np.flatnonzero(x[a : a + 1024] @ x[b : b + 2048].T >= threshold)
            row, column = np.divmod(found, len(x[b : b + 2048]))
            left.append(row + a)
            right.append(column + b)
    return np.concatenate(left), np.concatenate(right)


def memory_mb(name: str) -> float:
    """Return VmRSS (now) or VmHWM (peak) of this process; `resource` would count the parent's peak, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    return next(
        int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith(name)
    )


def run_engine(options: argparse.Namespace) -> None:
    """Run one engine on stored rows; write its pairs, print its costs."""
    x = np.load(options.data)
    rows = np.arange(len(x))
    if options.sample:
        rows = np.sort(np.random.default_rng(0).choice(len(x), min(options.sample, len(x)), replace=False))
    engine = {"splitleak": by_splitleak, "faiss": by_faiss, "sgemm": by_sgemm}[options.engine]
    engine(x[:3000], options.threshold, np.arange(3000))  # loads libraries
    loaded = memory_mb("VmRSS")
    started = time.process_time()
    left, right = engine(x, options.threshold, rows)
    seconds = time.process_time() - started
    if options.engine == "faiss" and options.sample:
        before = time.process_time()
        engine(x, options.threshold, rows[:0])
        fixed = time.process_time() - before
        seconds = fixed + (seconds - fixed) * len(x) / len(rows)
    peak = memory_mb("VmHWM") - loaded
    apart = left != right
    low, high = np.minimum(left, right)[apart], np.maximum(left, right)[apart]
    np.save(options.out, np.unique(low * len(x) + high))
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


def compare(name: str, ours: np.ndarray, theirs: np.ndarray, x: np.ndarray, threshold: float) -> None:
    """Say whether the pairs are the same, and how far from the threshold those lie that are not."""
    for label, only in (("splitleak", np.setdiff1d(ours, theirs)), (name, np.setdiff1d(theirs, ours))):
        if len(only):
            left, right = np.divmod(only, len(x))
            a, b = x[left].astype(np.float64), x[right].astype(np.float64)
            cosine = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
            gap = np.abs(cosine - threshold).max()
            print(
                f"  {len(only)} pairs found by {label} only, at most {gap:.1e} from the threshold (in float64)"
            )
    if np.array_equal(ours, theirs):
        print(f"  the same {len(ours):,} pairs as {name}")


def main() -> None:
    """Run all engines and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, help="rows (default: 100000, or all of --data)")
    parser.add_argument("--d", type=int, default=384)
    parser.add_argument("--threshold", type=float, default=0.9)
    parser.add_argument("--data", type=Path, help="a .npy file of rows of your own")
    parser.add_argument("--sample", type=int, default=0, help="rows that faiss searches (default: all)")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        run_engine(options)
        return
    x = (
        embeddings(options.n or 100_000, options.d)
        if options.data is None
        else np.load(options.data)[: options.n]
    )
    x = x.astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    print(f"{len(x):,} rows x {x.shape[1]}, cosine >= {options.threshold:g}, one thread")
    results, pairs = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "rows.npy"
        np.save(data, x)
        for engine in options.engines:
            out = Path(folder) / f"{engine}.npy"
            command = [sys.executable, __file__, "--engine", engine, "--data", str(data), "--out", str(out)]
            command += ["--threshold", str(options.threshold), "--sample", str(options.sample)]
            environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
            done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            results[engine] = json.loads(done.stdout)
            pairs[engine] = np.load(out)
    first = results[options.engines[0]]["seconds"]
    for engine, r in results.items():
        note = f"  (extrapolated from {options.sample} rows)" if engine == "faiss" and options.sample else ""
        print(
            f"{engine:10} {r['seconds']:8.2f} CPU s  {r['seconds'] / first:6.2f}x  peak +{r['peak_mb']:.0f} MB"
            f"{note}"
        )
    if "splitleak" not in pairs:
        return
    for engine in options.engines:
        if engine == "splitleak":
            continue
        ours = pairs["splitleak"]
        if engine == "faiss" and options.sample:
            asked = np.zeros(len(x), dtype=bool)
            asked[np.random.default_rng(0).choice(len(x), min(options.sample, len(x)), replace=False)] = True
            ours = ours[asked[ours // len(x)] | asked[ours % len(x)]]
        compare(engine, ours, pairs[engine], x, options.threshold)


if __name__ == "__main__":
    main()
