"""Tanimoto pairs of molecules: splitleak's join against RDKit's BulkTanimotoSimilarity over all pairs, CPU seconds.

    python benchmarks/molecules.py --data drugs.tsv --on SMILES --thresholds 0.4 0.6

One run, one thread; reading the SMILES and making the fingerprints is told apart, since both need it. A row that
lists several SMILES, separated by a comma and a space, counts by its first.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ["SPLITLEAK_NUM_THREADS"] = "1"

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from splitleak.kernels.bit_join import tanimoto_pairs
from splitleak.records import as_records, open_source
from splitleak.similarity.base import get_backend


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--on", default="SMILES")
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.4])
    options = parser.parse_args()
    column = open_source(options.data).column(options.on).to_pylist()
    texts = [text.split(", ")[0].strip(' "') for text in column if text]
    molecules = [(text, Chem.MolFromSmiles(text)) for text in texts]
    molecules = [(text, molecule) for text, molecule in molecules if molecule is not None]
    texts = [text for text, _ in molecules]
    started = time.process_time()
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = [generator.GetFingerprint(molecule) for _, molecule in molecules]
    print(f"{len(texts):,} molecules, fingerprints {time.process_time() - started:.2f} CPU s")
    words = np.stack([np.frombuffer(DataStructs.BitVectToBinaryText(p), dtype="<u8") for p in prints])
    tanimoto_pairs(words[:600], 0.4)  # loads the kernel
    started = time.process_time()
    rows = [DataStructs.BulkTanimotoSimilarity(prints[i], prints[i + 1 :]) for i in range(len(prints) - 1)]
    theirs = time.process_time() - started
    print(f"BulkTanimotoSimilarity over all pairs: {theirs:.2f} CPU s")
    records = as_records(texts)
    for threshold in options.thresholds:
        started = time.process_time()
        left, right, similarity = tanimoto_pairs(words, threshold)
        ours = time.process_time() - started
        same = sum(len(np.flatnonzero(np.array(row) >= threshold)) for row in rows) == len(left)
        same &= all(
            rows[a][b - a - 1] == s for a, b, s in zip(left.tolist(), right.tolist(), similarity, strict=True)
        )
        started = time.process_time()
        graph = get_backend("tanimoto").graph(records, threshold=threshold)
        whole = time.process_time() - started
        print(
            f"Tanimoto >= {threshold}: join {ours:.3f} CPU s ({theirs / ours:.1f}x less), {len(left):,} pairs,"
            f" same pairs and numbers: {same}; the backend from SMILES to graph {whole:.2f} CPU s"
            f" ({graph.n_pairs:,} pairs)"
        )


if __name__ == "__main__":
    main()
