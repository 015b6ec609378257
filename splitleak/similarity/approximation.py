"""An approximate search made honest: its hits decided exactly, its recall measured by brute force."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.recall import Recall
from splitleak.similarity import faiss_search
from splitleak.similarity.base import IGNORED, MIXED
from splitleak.similarity.faiss_search import Engine
from splitleak.similarity.pair_store import Found, PairStore
from splitleak.similarity.vector_nearest import pairs_of_rows

MAX_PENDING = 20_000_000  # candidates between two checks
SAMPLE_STEP = 500  # rows looked up by brute force at a time ...
SAMPLE_PAIRS = 400  # ... until they have this many pairs
SAMPLE_ROWS = 2_000  # ... or are this many

Ints = NDArray[np.int64]


class Approximation:
    """All pairs that an engine finds between representatives of allowed sides.

    Parameters
    ----------
    engine : Engine
        A filled index.
    copies : int64 array of shape (n_rows,)
        The representative of each row.
    side : int64 array of shape (n_rows,)
        Side of each representative; `IGNORED` for all other rows.
    threshold : float
        Inclusive bound in (0, 1].
    """

    def __init__(self, engine: Engine, copies: Ints, side: Ints, threshold: float) -> None:
        self.engine, self.copies, self.side, self.threshold = engine, copies, side, threshold
        self.n_rows = len(copies)
        self.one_search = bool(np.isin(side, (MIXED, IGNORED)).all())  # no sides: every row meets every row

    def tune(self, sample: Ints, recall: float) -> int:
        """Raise the effort of the index until a sample of rows finds `recall` of its true pairs."""
        index = self.engine.index
        sample, truth = self._true_pairs(sample)
        if len(truth) == 0:  # nothing to learn from: more than most data need
            return faiss_search.set_effort(index, 128)
        # a sample with few pairs proves little, so not from the very least
        start, effort = 8 if hasattr(index, "nlist") else 32, 0
        while True:
            before, effort = effort, faiss_search.set_effort(index, max(start, 2 * effort))
            if effort == before or np.isin(truth, self._hits_of(sample)).mean() >= recall:
                return effort

    def all_pairs(self, rows: Ints, progress: Progress = SILENT) -> PairStore:
        """Return the pairs of `rows` that the engine finds and that count."""
        store = PairStore(self.n_rows)
        queries = rows[self._asks(rows)]
        pending, size = [np.empty(0, dtype=np.int64)], 0
        with progress.stage("comparing vectors", len(queries)) as stage:
            for query, other in self._hits(queries):
                apart = self._may_meet(query, other)
                keys = np.unique(self._keys(query[apart], other[apart]))
                pending.append(keys)
                size += len(keys)
                stage.advance(faiss_search.BATCH)
                if size > MAX_PENDING:
                    self._decide(np.unique(np.concatenate(pending)), store)
                    pending, size = [], 0
            self._decide(np.unique(np.concatenate([*pending, np.empty(0, dtype=np.int64)])), store)
        return store

    def measure_recall(self, sample: Ints, store: PairStore) -> Recall:
        """Return the share of the true pairs of sampled rows that the search finds.

        Between sides there may be no similar pair at all (that is what a split is for), which says nothing about
        the search; so with sides, pairs within a side are looked for in the same way and count, too.
        """
        sample, truth = self._true_pairs(sample)
        if self.one_search and store.complete:
            left, right, _ = store.pairs()
            found = self._keys(left, right)
        else:  # such pairs are not all listed: ask again, from one end
            found = self._hits_of(sample)
        return Recall.measured(int(np.isin(truth, found).sum()), len(truth))

    def _true_pairs(self, rows: Ints) -> tuple[Ints, Ints]:
        """Return as many of `rows` as have enough pairs, and these pairs (as keys)."""
        targets = np.flatnonzero(self.side != IGNORED)
        keys, used = np.empty(0, dtype=np.int64), 0
        while used < min(len(rows), SAMPLE_ROWS) and len(keys) < SAMPLE_PAIRS:
            part = rows[used : used + SAMPLE_STEP]
            query, other = pairs_of_rows(self.engine.measure, part, targets, self.threshold)
            others = query != other
            keys = np.union1d(keys, self._keys(query[others], other[others]))
            used += len(part)
        return rows[:used], keys

    def _hits_of(self, rows: Ints) -> Ints:
        """Return the keys of all candidates of some rows, on any side."""
        found = [np.empty(0, dtype=np.int64)]
        for query, other in self._hits(rows):
            used = (query != other) & (self.side[other] != IGNORED)
            found.append(self._keys(query[used], other[used]))
        return np.concatenate(found)

    def _hits(self, queries: Ints) -> Iterator[tuple[Ints, Ints]]:
        """Yield ``(query, representative of a candidate)`` of batches of queries."""
        for query, found in self.engine.search(queries):
            yield query, self.copies[found]

    def _may_meet(self, a: Ints, b: Ints) -> NDArray[np.bool_]:
        s, t = self.side[a], self.side[b]
        return np.asarray((a != b) & (s != IGNORED) & (t != IGNORED) & ((s != t) | (s == MIXED)))

    def _keys(self, a: Ints, b: Ints) -> Ints:
        return np.asarray(np.minimum(a, b) * np.int64(self.n_rows) + np.maximum(a, b))

    def _asks(self, rows: Ints) -> NDArray[np.bool_]:
        """Return which rows need to be searched for: each pair across sides has an end outside the largest side."""
        side = self.side[rows]
        names, sizes = np.unique(side[side >= 0], return_counts=True)
        return side != names[sizes.argmax()] if len(names) else np.ones(len(rows), dtype=bool)

    def _decide(self, keys: Ints, store: PairStore) -> None:
        for a in range(0, len(keys), 1 << 20):
            left, right = np.divmod(keys[a : a + (1 << 20)], self.n_rows)
            store.add(*store.settle(left, right, self._check))

    def _check(self, left: Ints, right: Ints) -> Found:
        similarity = self.engine.measure.similarity(left, right)
        keep = similarity >= self.threshold
        return left[keep], right[keep], similarity[keep]
