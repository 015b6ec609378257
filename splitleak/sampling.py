"""Rows drawn by content and seed, so that their order does not matter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_ROWS = 500
LOOKED_UP = 100_000_000  # rows looked up times rows of the data: a second or two of work


def sample_rows(hashes: NDArray[np.uint64], rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return some of `rows`, ascending, drawn by content and seed so that row order does not matter.

    All of them in data of up to 10,000 rows, and as many as a bounded effort allows beyond, at least 500.
    """
    most = max(LEAST_ROWS, LOOKED_UP // max(1, len(hashes)))
    if len(rows) <= most:
        return rows
    order = np.argsort(hashes[rows], kind="stable")
    h = hashes[rows][order]
    start = np.flatnonzero(np.append(True, h[1:] != h[:-1]))
    occurrence = np.arange(len(h)) - np.repeat(start, np.diff(np.append(start, len(h))))
    key = mix(
        h ^ mix(occurrence.astype(np.uint64) + np.uint64(1) + (np.uint64(seed % 2**32) << np.uint64(32)))
    )
    return np.sort(rows[order[np.argpartition(key, most)[:most]]])


def mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))
