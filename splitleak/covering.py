"""The fewest rows to drop so that no two rows of different partitions are similar, or in one group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import SplitleakError
from splitleak.graph import SimilarityGraph
from splitleak.minimum_cut import Network
from splitleak.sampling import mix

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Cover:
    """Rows to drop.

    Attributes
    ----------
    dropped : bool array of shape (n_rows,)
    bound : int
        No fewer rows would do; equal to the rows dropped where the answer is proven to be the smallest, as it
        always is between two partitions.
    """

    dropped: Bools
    bound: int

    @property
    def n_dropped(self) -> int:
        """Number of rows dropped."""
        return int(self.dropped.sum())


@dataclass(frozen=True)
class Crossings:
    """Which rows are tied to rows of another partition.

    Rows of one partition that are equal for the measure, or in one group, share a hub, and arcs lead from hub to
    hub, so that a thousand copies on both sides of a border are two thousand numbers and not a million pairs.

    Attributes
    ----------
    rows, hubs : int64 arrays of shape (n_memberships,)
        Row and one of its hubs.
    tails, heads : int64 arrays of shape (n_arcs,)
        Hubs of different partitions whose rows are tied; each arc is there in both directions.
    code : int64 array of shape (n_hubs,)
        Partition of each hub.
    """

    rows: Ints
    hubs: Ints
    tails: Ints
    heads: Ints
    code: Ints

    @classmethod
    def of(cls, graph: SimilarityGraph, codes: Ints, groups: Sequence[Ints] = ()) -> Crossings:
        """Find the ties across partitions; rows of code -1 have none."""
        n = graph.n_rows
        copies = np.arange(n, dtype=np.int64) if graph.copies is None else graph.copies
        used = np.flatnonzero(codes >= 0)
        row, member = [used], [copies[used]]
        a, b = [graph.left, np.unique(copies[used])], [graph.right, np.unique(copies[used])]
        first = n
        for group in groups:
            inside = used[group[used] >= 0]
            numbers, of_row = np.unique(group[inside], return_inverse=True)
            row.append(inside)
            member.append(of_row.astype(np.int64) + first)
            a.append(np.arange(first, first + len(numbers), dtype=np.int64))
            b.append(a[-1])
            first += len(numbers)
        rows, sets = np.concatenate(row), np.concatenate(member)
        k = int(codes.max(initial=0)) + 1
        keys, hubs = np.unique(sets * k + codes[rows], return_inverse=True)
        tails, heads = _between_hubs(keys // k, keys % k, np.concatenate(a), np.concatenate(b))
        return cls(rows, hubs.astype(np.int64), tails, heads, keys % k).tied()

    def tied(self) -> Crossings:
        """Leave out rows and hubs without an arc."""
        keep = np.zeros(len(self.code), dtype=bool)
        keep[self.tails] = True
        number = np.cumsum(keep) - 1
        mine = keep[self.hubs]
        return Crossings(
            self.rows[mine], number[self.hubs[mine]], number[self.tails], number[self.heads], self.code[keep]
        )  # fmt: skip

    def among(self, kept: Bools) -> Crossings:
        """Return the ties among some rows, given as a mask over all rows."""
        mine = kept[self.rows]
        alive = np.zeros(len(self.code), dtype=bool)
        alive[self.hubs[mine]] = True
        arcs = alive[self.tails] & alive[self.heads]
        rest = Crossings(self.rows[mine], self.hubs[mine], self.tails[arcs], self.heads[arcs], self.code)
        return rest.tied()


def _between_hubs(of_set: Ints, code: Ints, a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """Return arcs, in both directions, between hubs of different partitions of the linked sets `a` and `b`."""
    start, end = np.searchsorted(of_set, a), np.searchsorted(of_set, a, "right")
    begin, stop = np.searchsorted(of_set, b), np.searchsorted(of_set, b, "right")
    wide = stop - begin
    total = (end - start) * wide
    link = np.repeat(np.arange(len(a)), total)
    within = np.arange(len(link)) - np.repeat(np.cumsum(total) - total, total)
    tail, head = start[link] + within // wide[link], begin[link] + within % wide[link]
    apart = code[tail] != code[head]
    tail, head = tail[apart], head[apart]
    key = np.unique(np.concatenate([tail * len(code) + head, head * len(code) + tail]))
    return key // max(1, len(code)), key % max(1, len(code))


def fewest_dropped(
    graph: SimilarityGraph,
    codes: Ints,
    *,
    groups: Sequence[Ints] = (),
    protected: Bools | None = None,
    row_hashes: NDArray[np.uint64] | None = None,
) -> Cover:
    """Find the fewest rows to drop so that rows of different partitions are no longer similar, or in one group.

    A smallest vertex cover of the crossing pairs. Between two partitions it is found exactly, as a minimum cut
    (König's theorem); of several smallest covers it is the one that takes most rows from the earlier partition.
    Among more partitions the problem is NP-hard: a minimum cut solves its half-integral relaxation, which gives a
    lower bound and settles most rows (Nemhauser & Trotter 1975); of the others one partition is kept whole, or rows
    are kept by ascending number of ties, and what then is free of ties comes back (Hochbaum 1983: at most
    2 - 2 / k times the smallest).

    Parameters
    ----------
    graph : SimilarityGraph
        Similar rows; only its pairs across partitions are used.
    codes : int64 array of shape (n_rows,)
        Partition of each row; -1: in none, not to be counted.
    groups : sequence of int64 arrays of shape (n_rows,)
        Group of each row, one array per grouping; negative: in no group.
    protected : bool array of shape (n_rows,), optional
        Rows that are never dropped; no two of them may be tied across partitions.
    row_hashes : uint64 array of shape (n_rows,), optional
        Content by which ties among three and more partitions are broken.

    Examples
    --------
    >>> graph = SimilarityGraph.from_edges([0, 0, 0], [1, 2, 3], n_rows=4, threshold=0.8)
    >>> cover = fewest_dropped(graph, np.array([0, 1, 1, 1]))
    >>> cover.dropped.tolist(), cover.bound
    ([True, False, False, False], 1)
    """
    graph._require_complete("dropping the fewest rows")
    n = graph.n_rows
    dropped = np.zeros(n, dtype=bool)
    held = np.zeros(n, dtype=bool) if protected is None else protected
    ties = Crossings.of(graph, codes, groups)
    if not len(ties.rows):
        return Cover(dropped, 0)
    present = np.unique(ties.code)
    if len(present) == 2:
        early = codes == present[0]
        bound, dropped, _ = _half_integral(ties, held, early, codes == present[1])
    else:
        everyone = np.ones(n, dtype=bool)
        value, once, twice = _half_integral(ties, held, everyone, everyone)
        bound = -(-value // 2)
        dropped = twice | _rest(ties.among(once & ~twice), held, codes, row_hashes)
    if (dropped & held).any() or len(ties.among(~dropped).rows):
        raise SplitleakError(
            "internal error in fewest_dropped(): protected rows are tied, or a tie is left; please report this"
        )
    return Cover(dropped, bound)


def _half_integral(ties: Crossings, held: Bools, lefts: Bools, rights: Bools) -> tuple[int, Bools, Bools]:
    """Return a minimum cut between left and right copies of rows, the rows cut once or twice, and those cut twice."""
    rows = np.unique(ties.rows)
    at = np.searchsorted(rows, ties.rows)
    r, h = len(rows), len(ties.code)
    source, sink = 2 * (r + h), 2 * (r + h) + 1
    weight = np.where(held[rows], int((~held[rows]).sum()) + 1, 1)
    endless = 2 * int(weight.sum()) + 1 if not held[rows].any() else 4 * (r + 1)
    left, right = np.flatnonzero(lefts[rows]), np.flatnonzero(rights[rows])
    out, into = lefts[ties.rows], rights[ties.rows]
    network = Network(2 * (r + h) + 2)
    network.add(source, left, weight[left])
    network.add(at[out], 2 * r + ties.hubs[out], endless)
    network.add(2 * r + ties.tails, 2 * r + h + ties.heads, endless)
    network.add(2 * r + h + ties.hubs[into], r + at[into], endless)
    network.add(r + right, sink, weight[right])
    value, reached = network.cut(source, sink)
    cut = np.zeros((2, len(held)), dtype=bool)
    cut[0, rows[left]] = ~reached[left]
    cut[1, rows[right]] = reached[r + right]
    return value, cut[0] | cut[1], cut[0] & cut[1]


def _rest(ties: Crossings, held: Bools, codes: Ints, row_hashes: NDArray[np.uint64] | None) -> Bools:
    """Drop rows of what the relaxation left open; nothing is tied to rows outside."""
    best = np.zeros(len(held), dtype=bool)
    rows = np.unique(ties.rows)
    if not len(rows):
        return best
    arcs = np.bincount(ties.tails, minlength=len(ties.code))
    degree = np.bincount(ties.rows, arcs[ties.hubs], minlength=len(held))
    content = np.zeros(len(held), dtype=np.uint64) if row_hashes is None else mix(row_hashes)
    first_kept = [codes[rows] == code for code in np.unique(codes[rows])[::-1]]  # of equals, test rows stay
    fewest = len(rows) + 1
    for kept in (*first_kept, np.zeros(len(rows), dtype=bool)):
        order = rows[np.lexsort((content[rows], degree[rows], ~(kept | held[rows]), ~held[rows]))]
        dropped = _all_but_untied(ties, order)
        if len(dropped) < fewest:
            fewest = len(dropped)
            best[:] = False
            best[dropped] = True
    return best


def _all_but_untied(ties: Crossings, order: Ints) -> Ints:
    """Keep rows one by one where they are tied to no row kept before, and return the others."""
    from splitleak.kernels.greedy_cover import untied

    by_row = np.argsort(ties.rows, kind="stable")
    first = np.searchsorted(ties.rows[by_row], order)
    last = np.searchsorted(ties.rows[by_row], order, "right")
    by_tail = np.argsort(ties.tails, kind="stable")
    start = np.searchsorted(ties.tails[by_tail], np.arange(len(ties.code) + 1))
    kept: Bools = untied(first, last, ties.hubs[by_row], start, ties.heads[by_tail])
    return order[~kept]
