"""Rows drawn by content and seed, so that their order does not matter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLED_ROWS = 500


def sample_rows(hashes: NDArray[np.uint64], rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return up to 500 of `rows`, ascending, drawn by content and seed so that row order does not matter."""
    if len(rows) <= SAMPLED_ROWS:
        return rows
    order = np.argsort(hashes[rows], kind="stable")
    h = hashes[rows][order]
    start = np.flatnonzero(np.append(True, h[1:] != h[:-1]))
    occurrence = np.arange(len(h)) - np.repeat(start, np.diff(np.append(start, len(h))))
    key = mix(
        h ^ mix(occurrence.astype(np.uint64) + np.uint64(1) + (np.uint64(seed % 2**32) << np.uint64(32)))
    )
    return np.sort(rows[order[np.argpartition(key, SAMPLED_ROWS)[:SAMPLED_ROWS]]])


def mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))
