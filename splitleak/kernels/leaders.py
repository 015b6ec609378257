"""Sequences stood for by a leader that differs in few letters.

Put one letter for another in a sequence, and no alignment gains more than the best of the differences that the two
letters score. So the score of a leader bounds those of its followers, and one comparison of two leaders can rule out
all pairs of their followers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak.kernels.compiling import njit

_LOOKED_AT = 512  # the latest leaders of a block: keeps the search linear in the number of sequences


def gains(weights: NDArray[np.int64], complement: NDArray[np.uint8] | None) -> NDArray[np.int64]:
    """Return how much a score can be higher with letter x than with letter y in its place, on either strand."""
    found = np.maximum(weights[:, :, None] - weights[:, None, :], 0).max(axis=0)
    if complement is not None:
        found = np.maximum(found, found[np.ix_(complement, complement)])
    return np.asarray(found)


@njit(nogil=True, cache=True)
def leaders_of(  # type: ignore[no-untyped-def]
    codes, starts, blocks, gain, budget
):
    """Return the position of the leader of each sequence (itself: it leads).

    Parameters
    ----------
    codes : uint8 array
        Letters of all sequences.
    starts : int64 array of shape (n + 1,)
        Where each begins.
    blocks : int64 array of shape (n,)
        Leaders are of the same block; sequences of a block stand together and have one length.
    gain : int64 array of shape (n_letters, n_letters)
        Of `gains`.
    budget : int64 array of shape (n,)
        Most that a follower may gain over its leader.
    """
    n = len(starts) - 1
    leader = np.arange(n)
    known = np.empty(n, dtype=np.int64)
    first, many = 0, 0
    for s in range(n):
        if s > 0 and blocks[s] != blocks[s - 1]:
            first = many
        for at in range(many - 1, max(first, many - _LOOKED_AT) - 1, -1):
            left, shift = budget[s], starts[known[at]] - starts[s]
            for i in range(starts[s], starts[s + 1]):
                if codes[i] != codes[i + shift]:
                    left -= gain[codes[i], codes[i + shift]]
                    if left < 0:
                        break
            if left >= 0:
                leader[s] = known[at]
                break
        if leader[s] == s:
            known[many] = s
            many += 1
    return leader
