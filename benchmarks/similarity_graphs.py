"""Random graphs with the shapes that similarity graphs have, each made by a seed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class RandomGraph(NamedTuple):
    """Edges ``(left, right)`` among `n` rows, and the class of each row."""

    n: int
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    classes: NDArray[np.int64]


def _simple(
    n: int, left: NDArray[np.int64], right: NDArray[np.int64], classes: NDArray[np.int64]
) -> RandomGraph:
    keep = left != right
    low, high = np.minimum(left, right)[keep], np.maximum(left, right)[keep]
    codes = np.unique(low * np.int64(n) + high)
    return RandomGraph(n, codes // n, codes % n, classes)


def families(
    n: int = 6267, edges: int = 300_000, seed: int = 0, *, bridged: float = 0.12, apart: float = 0.03
) -> RandomGraph:
    """Families of sequences: dense communities of uneven size, a few members with relatives elsewhere.

    `bridged` is the share of rows with relatives in other families, `apart` the share outside the giant
    component; each family leans to one of two classes.
    """
    rng = np.random.default_rng(seed)
    inside = int(n * (1 - apart))
    sizes = []
    while sum(sizes) < inside:
        sizes.append(int(np.clip(rng.pareto(0.9) * 12 + 6, 6, inside / 18)))
    family = np.repeat(np.arange(len(sizes)), sizes)[:inside]
    members = [np.flatnonzero(family == f) for f in range(family[-1] + 1)]
    weight = np.array([len(m) ** 1.5 for m in members])
    of = rng.choice(len(members), int(edges * 1.35), p=weight / weight.sum())
    length = np.array([len(m) for m in members])[of]
    start = np.searchsorted(family, of)
    lefts = [start + (rng.random(len(of)) * length).astype(np.int64)]
    rights = [start + (rng.random(len(of)) * length).astype(np.int64)]
    chain = np.arange(1, inside)  # each family hangs together
    same = family[chain] == family[chain - 1]
    lefts.append(chain[same] - 1)
    rights.append(chain[same])
    # relatives elsewhere: nearby families more often, as in a tree of descent
    bridges = rng.choice(inside, int(bridged * inside), replace=False)
    reach = rng.geometric(0.15, len(bridges)) * rng.choice([-1, 1], len(bridges))
    other = np.clip(family[bridges] + reach, 0, len(members) - 1)
    for bridge, target in zip(bridges, other, strict=True):
        found = rng.choice(
            members[target], min(len(members[target]), int(rng.integers(1, 12))), replace=False
        )
        lefts.append(np.full(len(found), bridge))
        rights.append(found)
    first = np.array([m[0] for m in members])  # the giant component is one
    lefts.append(first[:-1])
    rights.append(first[1:])
    few = np.arange(inside, n - 1)
    few = few[rng.random(len(few)) < 0.4]
    lefts.append(few)
    rights.append(few + 1)
    leaning = rng.beta(0.6, 0.9, len(members))
    classes = np.append((rng.random(inside) < leaning[family]), rng.random(n - inside) < 0.4).astype(np.int64)
    return _simple(n, np.concatenate(lefts), np.concatenate(rights), classes)


def geometric(n: int = 6267, neighbours: float = 30, seed: int = 0) -> RandomGraph:
    """Points in the unit square, joined when near; the class leans with one coordinate."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    points = rng.random((n, 2))
    pairs = cKDTree(points).query_pairs(float(np.sqrt(neighbours / (np.pi * n))), output_type="ndarray")
    classes = (rng.random(n) < 0.2 + 0.6 * points[:, 0]).astype(np.int64)
    return _simple(n, pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64), classes)


def hubs(n: int = 20_000, hubs: int = 300, reach: int = 90, seed: int = 0) -> RandomGraph:
    """Small clusters that only a few generic rows hold together, each of them similar to many."""
    rng = np.random.default_rng(seed)
    cluster = np.sort(rng.integers(0, n // 12, n))
    generic = rng.choice(n, hubs, replace=False)
    chain = np.arange(1, n)
    same = cluster[chain] == cluster[chain - 1]
    lefts = [chain[same] - 1, np.repeat(generic, reach)]
    rights = [chain[same], rng.integers(0, n, hubs * reach)]
    extra = rng.integers(0, n - 4, 2 * n)
    step = rng.integers(2, 4, 2 * n)
    near = cluster[extra] == cluster[extra + step]
    lefts.append(extra[near])
    rights.append((extra + step)[near])
    classes = (rng.random(n) < 0.3).astype(np.int64)
    return _simple(n, np.concatenate(lefts), np.concatenate(rights), classes)


def large(n: int = 100_000, seed: int = 0) -> RandomGraph:
    """`families` of 100,000 rows."""
    return families(n, 8 * n, seed)


SHAPES: dict[str, Callable[..., RandomGraph]] = {
    "families": families,
    "geometric": geometric,
    "hubs": hubs,
    "large": large,
}


def _real(name: str) -> Path:
    return Path(os.environ["SPLITLEAK_DATA"]) / name


def rna(seed: int = 0) -> RandomGraph:
    """RNA sequences that proteins bind, by the Jaccard similarity of their 4-mers."""
    from splitleak import similarity_graph

    del seed
    entries = _real("nucleotides/rbd_rna.fasta").read_text().split(">")[1:]
    sequences = [entry.split("\n", 1)[1].replace("\n", "") for entry in entries]
    graph = similarity_graph(sequences, similarity="jaccard(n=4)", threshold=0.28, progress=False)
    length = np.array([len(sequence) for sequence in sequences])
    return RandomGraph(graph.n_rows, *graph.pairs()[:2], (length > np.median(length)).astype(np.int64))


def molecules(seed: int = 0) -> RandomGraph:
    """Drugs (the first structure of each) by the Tanimoto similarity of their fingerprints; unreadable ones alone."""
    import pandas as pd

    from splitleak import similarity_graph

    del seed
    drugs = pd.read_csv(_real("molecules/drh.tsv"), sep="\t").dropna(subset=["SMILES"])
    drugs["SMILES"] = drugs["SMILES"].str.split(",").str[0]
    drugs = drugs.drop_duplicates("SMILES")
    graph = similarity_graph(
        drugs, on="SMILES", similarity="tanimoto(invalid=distinct)", threshold=0.25, progress=False
    )
    return RandomGraph(
        graph.n_rows, *graph.pairs()[:2], (drugs["Phase"] == "Launched").to_numpy().astype(np.int64)
    )


REAL: dict[str, Callable[..., RandomGraph]] = {"rna": rna, "molecules": molecules}
