"""The fewest free rows to drop so that rows of different partitions no longer hang together through them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from splitleak.covering import Cover
from splitleak.errors import SplitleakError
from splitleak.graph import SimilarityGraph
from splitleak.minimum_cut import Network
from splitleak.sampling import mix

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Web:
    """Rows and what ties them together: hubs for equal rows and for groups, arcs from hub to hub.

    A path runs from a row out through one of its hubs, along an arc and into another row, so that dropping
    rows is all that can break it.
    """

    def __init__(self, graph: SimilarityGraph, groups: Sequence[Ints]) -> None:
        n = graph.n_rows
        every = np.arange(n, dtype=np.int64)
        copies = every if graph.copies is None else graph.copies
        rows, hubs = [every], [copies]
        several = np.flatnonzero(np.bincount(copies, minlength=n) > 1)
        tails, heads = [graph.left, graph.right, several], [graph.right, graph.left, several]
        first = n
        for group in groups:
            inside = np.flatnonzero(group >= 0)
            numbers, of_row = np.unique(group[inside], return_inverse=True)
            rows.append(inside)
            hubs.append(of_row.astype(np.int64) + first)
            tails.append(np.arange(first, first + len(numbers), dtype=np.int64))
            heads.append(tails[-1])
            first += len(numbers)
        self.rows, self.hubs = np.concatenate(rows), np.concatenate(hubs)
        self.tails, self.heads = np.concatenate(tails), np.concatenate(heads)
        self.n_rows, self.n_hubs = n, first

    def labels(self, kept: Bools) -> Ints:
        """Return the component of each row among the kept ones (dropped rows: one of their own)."""
        from splitleak.components import connected_components

        mine = kept[self.rows]
        alive = np.zeros(self.n_hubs, dtype=bool)
        alive[self.hubs[mine]] = True
        arcs = alive[self.tails] & alive[self.heads] & (self.tails != self.heads)
        # a hub of equal rows joins them only if they are similar to each other, and those always are
        n = self.n_rows
        left = np.concatenate([self.rows[mine], self.tails[arcs] + n])
        right = np.concatenate([self.hubs[mine] + n, self.heads[arcs] + n])
        return connected_components(left, right, n + self.n_hubs)[:n]

    def cut(self, inside: Bools, ends: Ints, others: Ints, fixed: Bools) -> tuple[int, Bools]:
        """Return the fewest rows (not `fixed`) that part `ends` from `others` among some: how many, and which."""
        n, h = self.n_rows, self.n_hubs
        mine, among = inside[self.rows], np.flatnonzero(inside)
        rows, hubs = self.rows[mine], self.hubs[mine]
        alive = np.zeros(h, dtype=bool)
        alive[hubs] = True
        arcs = alive[self.tails] & alive[self.heads]
        source, sink = 2 * (n + h), 2 * (n + h) + 1
        endless = n + 1
        network = Network(2 * (n + h) + 2)
        network.add(among, n + among, np.where(fixed[among], endless, 1))
        network.add(n + rows, 2 * n + hubs, endless)
        network.add(2 * n + self.tails[arcs], 2 * n + h + self.heads[arcs], endless)
        network.add(2 * n + h + hubs, rows, endless)
        network.add(source, ends, endless)
        network.add(n + others, sink, endless)
        value, reached = network.cut(source, sink)
        return value, reached[:n] & ~reached[n : 2 * n]


def fewest_between(
    graph: SimilarityGraph,
    fixed: Ints,
    *,
    groups: Sequence[Ints] = (),
    row_hashes: NDArray[np.uint64] | None = None,
) -> Cover:
    """Find the fewest free rows to drop so that fixed rows of different partitions do not hang together.

    A vertex multiway cut. Between two partitions it is found exactly, as a minimum cut; among more (NP-hard) minimum
    cuts part each partition from the others, all but the dearest one are taken (Dahlhaus et al. 1994), and rows that
    turn out not to be needed come back.

    Parameters
    ----------
    graph : SimilarityGraph
    fixed : int64 array of shape (n_rows,)
        Partition of each row that must stay where it is; -1: free. No two of them may be tied directly.
    groups : sequence of int64 arrays of shape (n_rows,)
    row_hashes : uint64 array of shape (n_rows,), optional
        Content by which ties among three and more partitions are broken.

    Examples
    --------
    >>> path = SimilarityGraph.from_edges([0, 1, 2], [1, 2, 3], n_rows=4, threshold=0.8)
    >>> cover = fewest_between(path, np.array([0, -1, -1, 1]))
    >>> cover.n_dropped, cover.bound
    (1, 1)
    """
    graph._require_complete("dropping the fewest rows")
    web = Web(graph, groups)
    dropped = np.zeros(graph.n_rows, dtype=bool)
    inside = _entangled(web, fixed, dropped)
    present = np.unique(fixed[inside & (fixed >= 0)])
    if len(present) < 2:
        return Cover(dropped, 0)
    cuts = []
    held = fixed >= 0
    for code in present[:1] if len(present) == 2 else present:
        mine, others = (np.flatnonzero(inside & held & ((fixed == code) == here)) for here in (True, False))
        cuts.append(web.cut(inside, mine, others, held))
    values = [value for value, _ in cuts]
    if len(present) == 2:
        dropped, bound = cuts[0][1], values[0]
    else:
        dearest = int(np.argmax(values))
        for i, (_, cut) in enumerate(cuts):
            if i != dearest:
                dropped |= cut
        dropped = _needed(web, fixed, dropped, row_hashes)
        bound = max(values[dearest], -(-sum(values) // len(present)))
    if (dropped & held).any() or _entangled(web, fixed, dropped).any():
        raise SplitleakError(
            "internal error in fewest_between(): partitions still hang together; please report this"
        )
    return Cover(dropped, bound)


def _entangled(web: Web, fixed: Ints, dropped: Bools) -> Bools:
    """Return the kept rows whose component holds fixed rows of two partitions."""
    labels = web.labels(~dropped)
    rows = np.flatnonzero(fixed >= 0)
    n = int(labels.max()) + 1
    first, last = np.full(n, np.iinfo(np.int64).max), np.full(n, -1, dtype=np.int64)
    np.minimum.at(first, labels[rows], fixed[rows])
    np.maximum.at(last, labels[rows], fixed[rows])
    several = (last >= 0) & (first != last)
    return np.asarray(several[labels] & ~dropped)


def _needed(web: Web, fixed: Ints, dropped: Bools, row_hashes: NDArray[np.uint64] | None) -> Bools:
    """Bring rows back, in the order of their content, where that joins no two partitions."""
    labels = web.labels(~dropped)
    parent = list(range(int(labels.max()) + 1))
    colour = [-1] * len(parent)
    for label, code in zip(labels[fixed >= 0].tolist(), fixed[fixed >= 0].tolist(), strict=True):
        colour[label] = code

    def root(x: int) -> int:
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    def join(nodes: Sequence[int]) -> bool:
        roots = {root(x) for x in nodes}
        if len({colour[r] for r in roots} - {-1}) > 1:
            return False
        top = min(roots)
        colour[top] = max(colour[r] for r in roots)
        for r in roots:
            parent[r] = top
        return True

    by_hub = np.argsort(web.hubs, kind="stable")
    members, start = web.rows[by_hub], np.searchsorted(web.hubs[by_hub], np.arange(web.n_hubs + 1))
    by_row = np.argsort(web.rows, kind="stable")
    hubs, first = web.hubs[by_row], np.searchsorted(web.rows[by_row], np.arange(web.n_rows + 1))
    by_tail = np.argsort(web.tails, kind="stable")
    heads, out = web.heads[by_tail], np.searchsorted(web.tails[by_tail], np.arange(web.n_hubs + 1))
    gone = dropped.copy()
    rows = np.flatnonzero(dropped)
    content = np.zeros(len(gone), dtype=np.uint64) if row_hashes is None else mix(row_hashes)
    for row in rows[np.argsort(content[rows], kind="stable")].tolist():
        around = np.concatenate(
            [
                members[start[head] : start[head + 1]]
                for hub in hubs[first[row] : first[row + 1]]
                for head in heads[out[hub] : out[hub + 1]]
            ]
            or [np.zeros(0, dtype=np.int64)]
        )
        around = around[~gone[around]]
        if join([int(labels[row]), *labels[around].tolist()]):
            gone[row] = False
    return gone
