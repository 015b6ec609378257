"""Pairs as a search finds them: listed, or, when they are too many, only those that join two components."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

MAX_PAIRS = 50_000_000
_CHUNK = 1_000_000

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Found = tuple[Ints, Ints, Floats]


class PairStore:
    """Collects pairs of row positions.

    Beyond `MAX_PAIRS` it goes over to links: of each set of pairs that is added only a spanning forest of what was
    not joined yet stays (the most similar pairs of the set first), so the components stay right in linear space.

    Parameters
    ----------
    n_rows : int
        Number of rows of the data.

    Attributes
    ----------
    labels : int64 array of shape (n_rows,) or None
        In link mode: a number per component of what was added so far.
    """

    def __init__(self, n_rows: int) -> None:
        self.n_rows = n_rows
        self.labels: Ints | None = None
        self._chunks: list[Found] = []
        self._stored = 0

    @property
    def complete(self) -> bool:
        """Whether every pair added is still listed."""
        return self.labels is None

    def add(self, left: Ints, right: Ints, similarity: Floats) -> None:
        """Add pairs that count; the order of calls must not depend on the number of threads."""
        if len(left) == 0:
            return
        if self.labels is not None:
            left, right, similarity = self._links(left, right, similarity)
        self._chunks.append((left, right, similarity))
        self._stored += len(left)
        if self.labels is None and self._stored > MAX_PAIRS:
            self.go_over_to_links()

    def go_over_to_links(self) -> None:
        """From now on keep only what joins components, of what was added so far as well."""
        chunks, self._chunks, self._stored = self._chunks, [], 0
        self.labels = np.arange(self.n_rows, dtype=np.int64)
        taken: list[Found] = []
        for at, chunk in enumerate(chunks):
            taken.append(chunk)
            if sum(len(t[0]) for t in taken) >= _CHUNK or at == len(chunks) - 1:
                left, right, similarity = (np.concatenate(part) for part in zip(*taken, strict=True))
                self.add(left, right, similarity)
                taken = []

    def settle(self, left: Ints, right: Ints, check: Callable[[Ints, Ints], Found]) -> Found:
        """Return the candidates that count; in link mode, enough of them to join what they all join.

        `check` returns those of the pairs it is given that count, with their similarity. The store is left as it is.
        """
        if self.labels is None:
            return check(left, right)
        local, size = PairStore(self.n_rows), 4096
        local.labels = self.labels
        while True:
            apart = local.labels[left] != local.labels[right]
            left, right = left[apart], right[apart]
            if len(left) == 0:
                return local.pairs()
            local.add(*check(left[:size], right[:size]))
            left, right, size = left[size:], right[size:], 2 * size

    def joined(self, left: Ints, right: Ints) -> bool:
        """Whether all of these rows are in one component already (never, while pairs are listed)."""
        if self.labels is None:
            return False
        first = self.labels[left[0]]
        return bool((self.labels[left] == first).all() and (self.labels[right] == first).all())

    def pairs(self) -> Found:
        """Return ``(left, right, similarity)`` of what is stored."""
        if not self._chunks:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        left, right, similarity = (np.concatenate(part) for part in zip(*self._chunks, strict=True))
        return left, right, similarity

    def _links(self, left: Ints, right: Ints, similarity: Floats) -> Found:
        """Return a maximum spanning forest of the pairs between components, and merge these."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

        assert self.labels is not None
        a, b = self.labels[left], self.labels[right]
        key = np.minimum(a, b) * np.int64(self.n_rows) + np.maximum(a, b)
        order = np.lexsort((right, left, -similarity, key))
        order = order[(a != b)[order]]
        first = np.ones(len(order), dtype=bool)
        first[1:] = key[order[1:]] != key[order[:-1]]
        best = order[first]  # one pair, the most similar, for each pair of components
        if len(best) == 0:
            return left[:0], right[:0], similarity[:0]
        names, ends = np.unique(np.divmod(key[best], self.n_rows), return_inverse=True)
        ends = ends.reshape(2, -1)
        weights = csr_array((2.0 - similarity[best], (ends[0], ends[1])), shape=(len(names), len(names)))
        tree = minimum_spanning_tree(weights).tocoo()
        _, first_name, group = np.unique(
            connected_components(tree, directed=False)[1], return_index=True, return_inverse=True
        )
        renamed = np.arange(self.n_rows, dtype=np.int64)
        renamed[names] = names[first_name[group]]
        self.labels = renamed[self.labels]
        kept = best[np.searchsorted(key[best], names[tree.row] * np.int64(self.n_rows) + names[tree.col])]
        return left[kept], right[kept], similarity[kept]
