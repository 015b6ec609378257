"""Pinned rows that stand in the way of the sizes: what to say, and which free rows to drop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation import allocate
from splitleak.clustering import Clustering
from splitleak.covering import fewest_dropped
from splitleak.errors import InfeasibleSplitError
from splitleak.graph import SimilarityGraph
from splitleak.linking import Web, fewest_between
from splitleak.pinning import pins_of_clusters
from splitleak.sampling import mix
from splitleak.sizes import largest_remainder

if TYPE_CHECKING:
    from splitleak.feasibility import Task

Ints = NDArray[np.int64]

ROUNDS = 4  # of partitions for the free rows


def explain_torn(task: Task, clustering: Clustering) -> str:
    """Say which pinned rows hang together through others, and how."""
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import breadth_first_order

    assert task.pinned is not None
    names, torn = task.request.names, task.torn(clustering)
    rows = np.flatnonzero((clustering.labels == torn[0]) & (task.pinned >= 0))
    start = int(rows[0])
    web = Web(task.graph, task.groups)
    n = web.n_rows + web.n_hubs
    left = np.concatenate([web.rows, web.tails + web.n_rows])
    right = np.concatenate([web.hubs + web.n_rows, web.heads + web.n_rows])
    joined = csr_array(coo_array((np.ones(len(left)), (left, right)), shape=(n, n)))
    order, before = breadth_first_order(joined, start, directed=False)
    reached = order[order < web.n_rows]
    other = int(next(r for r in reached if task.pinned[r] not in (-1, task.pinned[start])))
    path = [other]
    while path[-1] != start:
        path.append(int(before[path[-1]]))
    rows_of = [
        node % web.n_rows for node in path[::-1] if node < 2 * web.n_rows
    ]  # a hub goes by its first row
    chain = [str(row) for i, row in enumerate(rows_of) if i == 0 or row != rows_of[i - 1]]
    shown = chain if len(chain) <= 7 else [*chain[:3], "...", *chain[-3:]]
    return (
        f"The pinned rows cannot stay where they are: rows {start} (pinned to {names[task.pinned[start]]!r})"
        f" and {other} (pinned to {names[task.pinned[other]]!r}) hang together through similar rows, or rows of one"
        f" group ({' - '.join(shown)}), and whole clusters go to partitions; {len(torn):,} such cluster"
        f"{' holds' if len(torn) == 1 else 's hold'} {int(clustering.sizes[torn].sum()):,} rows."
    )


def explain_pinned(task: Task, clustering: Clustering) -> str:
    """Say which partition the pinned rows overfill, or nothing."""
    if task.pinned is None:
        return ""
    fixed, _ = pins_of_clusters(task.pinned, clustering.labels, clustering.n_clusters)
    held = np.bincount(fixed[fixed >= 0], clustering.sizes[fixed >= 0], len(task.request.targets))
    over = np.flatnonzero(held > task.request.targets + task.tolerance * task.graph.n_rows)
    return "".join(
        f" Pinned rows and those that hang together with them already put {int(held[p]):,} rows in"
        f" {task.request.names[p]} (asked {int(task.request.targets[p]):,})."
        for p in over
    )


def drop_around_pins(task: Task, max_dropped: int | None) -> Ints:
    """Drop few free rows so that pinned rows stay where they are, the rest meets the sizes and nothing crosses.

    Two ways are tried: the fewest rows between rows that are pinned apart, and then whole clusters; or partitions
    for the free rows by themselves, and then the fewest rows that are tied across. The one that drops fewer rows at
    sizes within tolerance is taken; it need not be the fewest of all.

    Raises
    ------
    InfeasibleSplitError
        Neither way meets the sizes, or more than `max_dropped` rows would have to go.
    """
    best, dropped = None, 0
    nearest, off = None, np.inf
    for codes in _answers(task):
        gone = int((codes < 0).sum())
        sizes = np.bincount(codes[codes >= 0], minlength=len(task.request.names))
        share = task.request.targets / task.request.targets.sum()
        deviation = float(np.abs(sizes - share * sizes.sum()).max())
        if _is_met(task, codes) and (best is None or gone < dropped):
            best, dropped = codes, gone
        if deviation < off:
            nearest, off = sizes, deviation
    if best is not None and (max_dropped is None or dropped <= max_dropped):
        return best
    if best is not None:
        raise InfeasibleSplitError(
            f"max_dropped={max_dropped:,} rows are not enough: {dropped:,} rows would have to be dropped around the"
            f" pinned rows. Ways out: max_dropped={dropped}, {task.graph.scale.stricter}, or other sizes.",
            ways_out=[f"max_dropped={dropped}"],
        )
    assert nearest is not None
    listed = ", ".join(f"{n} {rows:,}" for n, rows in zip(task.request.names, nearest.tolist(), strict=True))
    raise InfeasibleSplitError(
        f"no way was found to drop rows around the pinned ones so that the sizes are met within {task.tolerance:g} of"
        f" the kept rows. Nearest found: {listed} rows. Ways out: ask for sizes= like those, pin fewer rows, a higher"
        " threshold=, or raise tolerance=.",
        nearest=dict(zip(task.request.names, nearest.tolist(), strict=True)),
    )


def _asked(task: Task, kept: int) -> Ints:
    """Return the sizes asked for as rows of those that are kept."""
    shares = task.request.targets / task.request.targets.sum()
    return np.array(largest_remainder((shares * kept).tolist(), kept), dtype=np.int64)


def _answers(task: Task) -> Iterator[Ints]:
    """Yield partitions without a crossing pair, -1 where a row is dropped."""
    pinned = task.pinned
    assert pinned is not None
    web = Web(task.graph, task.groups)
    kept = ~fewest_between(task.graph, pinned, groups=task.groups, row_hashes=task.row_hashes).dropped
    if kept.sum() >= len(task.request.names):
        yield _whole_clusters(task, web, kept, pinned, _asked(task, int(kept.sum())))
    free = pinned < 0
    if not free.any():
        return
    k = len(task.request.names)
    held = np.bincount(pinned[~free], minlength=k)
    lost, kept_rows = np.zeros(k, dtype=np.int64), task.graph.n_rows
    for _ in range(ROUNDS):  # each time, partitions are given as many rows more as they lost before
        lacking = np.maximum(_asked(task, kept_rows) - held, 0) + lost
        placed = np.where(free, _free_rows(task, web, free, lacking), pinned)
        cover = fewest_dropped(
            task.graph, placed, groups=task.groups, protected=~free, row_hashes=task.row_hashes
        )
        codes = np.where(cover.dropped, -1, placed)
        yield codes
        if _is_met(task, codes):
            return
        kept_rows = int((codes >= 0).sum())
        lost = np.bincount(placed[cover.dropped], minlength=k)


def _is_met(task: Task, codes: Ints) -> bool:
    """Whether the sizes of the kept rows are within tolerance, and no partition is empty."""
    sizes = np.bincount(codes[codes >= 0], minlength=len(task.request.names))
    kept = int(sizes.sum())
    allowed = max(task.tolerance * kept + 1e-9, 1 - 1e-9)
    return kept >= len(sizes) and bool(
        np.abs(sizes - _asked(task, kept)).max() <= allowed and sizes.min() > 0
    )


def _whole_clusters(task: Task, web: Web, kept: NDArray[np.bool_], pinned: Ints, targets: Ints) -> Ints:
    """Hand whole clusters of the kept rows to partitions."""
    _, labels = np.unique(web.labels(kept)[kept], return_inverse=True)
    clustering = Clustering.of(labels.astype(np.int64))
    keys = np.zeros(clustering.n_clusters, dtype=np.uint64)
    np.add.at(keys, labels, mix(task.row_hashes[kept]))
    among = replace(task, strata=None if task.strata is None else task.strata.take(np.flatnonzero(kept)))
    found = allocate(
        clustering.sizes,
        targets,
        classes=among.label_table(clustering.labels, clustering.n_clusters),
        keys=keys,
        seed=task.seed,
        fixed=pins_of_clusters(pinned[kept], clustering.labels, clustering.n_clusters)[0],
    )
    codes = np.full(len(kept), -1, dtype=np.int64)
    codes[kept] = found.codes[clustering.labels]
    return codes


def _free_rows(task: Task, web: Web, free: NDArray[np.bool_], lacking: Ints) -> Ints:
    """Hand the free rows to the partitions that lack rows, as if no row were pinned."""
    from splitleak.separation import separate_rows

    open_ones, n_free = np.flatnonzero(lacking), int(free.sum())
    codes = np.full(len(free), -1, dtype=np.int64)
    if len(open_ones) == 1 or n_free < len(open_ones):
        codes[free] = open_ones[np.argmax(lacking[open_ones])]
        return codes
    share = lacking[open_ones] / lacking[open_ones].sum()
    targets = np.array(largest_remainder((share * n_free).tolist(), n_free), dtype=np.int64)
    nobody = np.full(len(free), -1, dtype=np.int64)
    found = _whole_clusters(task, web, free, nobody, targets)
    sizes = np.bincount(found[free], minlength=len(targets))
    if (np.abs(sizes - targets) <= task.tolerance * n_free).all():
        codes[free] = open_ones[found[free]]
        return codes
    try:
        parted = separate_rows(
            _among(task.graph, free),
            targets,
            groups=[group[free] for group in task.groups],
            classes=None if task.strata is None else task.strata.crossing()[free],
            row_hashes=task.row_hashes[free],
            tolerance=task.tolerance,
            seed=task.seed,
        ).codes
    except InfeasibleSplitError:
        parted = found[free]
    codes[free] = np.where(parted < 0, -1, open_ones[parted])
    return codes


def _among(graph: SimilarityGraph, rows: NDArray[np.bool_]) -> SimilarityGraph:
    """Return the graph of some rows only, numbered anew."""
    number = np.cumsum(rows) - 1
    inside = np.flatnonzero(rows)
    n = graph.n_rows
    of = np.arange(n) if graph.copies is None else graph.copies
    first = np.full(n, -1, dtype=np.int64)
    first[of[inside][::-1]] = inside[::-1]  # a representative among these rows
    a, b = first[graph.left], first[graph.right]
    both = (a >= 0) & (b >= 0)
    return SimilarityGraph.build(
        number[a[both]],
        number[b[both]],
        graph.similarity[both],
        n_rows=len(inside),
        threshold=graph.threshold,
        measure=graph.measure,
        exact=graph.exact,
        copies=None if graph.copies is None else number[first[of[inside]]],
    )
