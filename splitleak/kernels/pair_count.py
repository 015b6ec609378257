"""Whether data have surely more similar pairs than can be listed, from the partners of a few rows.

A search that finds out by listing them has wasted most of its time; so the partners of some rows are counted first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

LEAST, MOST = 64, 1024  # rows looked at before the answer is no, and at all
_STEP = 16


def surely_more_pairs(
    count: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    keys: NDArray[np.uint64],
    limit: int,
) -> bool:
    """Return whether there are surely more than `limit` pairs; False where the sample leaves it open.

    Parameters
    ----------
    count : callable
        ``count(places)`` returns the number of partners of the rows at these places, among all rows.
    keys : uint64 array of shape (n_rows,)
        A hash of each row's content: the rows of the smallest are looked at, so that the order of the rows does not
        count.
    limit : int
        Number of pairs that can be listed.

    Examples
    --------
    >>> keys = np.arange(1000, dtype=np.uint64)
    >>> surely_more_pairs(lambda places: np.full(len(places), 999), keys, 10_000)
    True
    """
    n = len(keys)
    if n * (n - 1) // 2 <= limit:
        return False
    chosen = np.argpartition(keys, min(MOST, n) - 1)[:MOST]
    chosen = chosen[np.argsort(keys[chosen], kind="stable")].astype(np.int64)
    partners = np.empty(0, dtype=np.int64)
    for at in range(0, len(chosen), _STEP):
        partners = np.append(partners, count(chosen[at : at + _STEP]))
        seen = len(partners)
        pairs, error = n * partners.mean() / 2, 3 * n * partners.std() / 2 / np.sqrt(seen)
        if seen < n:  # four rows in `seen` may be unlike those that were met
            if pairs * (1 - 4 / seen) - error > limit:
                return True
            if seen >= LEAST and pairs + error < limit / 2:
                return False
    return bool(len(chosen) == n and pairs > limit)
