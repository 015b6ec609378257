"""Held-out rows closer to a training row than training rows are to one another, all columns together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.equal_rows import is_identifier, underived
from splitleak.probes.near_neighbours import informative

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

_QUERIES = 1_000  # held-out rows, and as many training rows that say what is usual
_CELLS, _FAST_CELLS = 3e8, 1e8  # values compared, of either
_LEAST_TRAIN, _LEAST_QUERIES, _LEAST_COLUMNS = 50, 20, 4
_MOST_COLUMNS = 60  # chances of more, multiplied, would be too small to write
_TAIL = 0.1  # share of the training rows that the tail is fitted to
_LEAST_TAIL = 8
_MOST_COUNTS = 50
_FALSE, _FALSE_NAMED = 0.1, 0.03  # share of the rows that training rows explain: to be tested, to be named
_APART = 0.3  # chance of being as close in a column, from which two rows differ in it
_ENTITY = 0.8  # a column that differs in more of the pairs tells rows of one entity apart


@dataclass(frozen=True, eq=False)
class Close:
    """Held-out rows and the training row that each is closest to.

    Attributes
    ----------
    rows, partners : int64 arrays of shape (n_found,)
        Held-out rows that are closer than usual, and training rows.
    p_value : float
        Of "training rows are as close to one another".
    tested : int
        Held-out rows looked at.
    apart : bool array of shape (n_found, n_columns)
        Columns in which the two are no closer than random rows are.
    """

    rows: Ints
    partners: Ints
    p_value: float
    tested: int
    apart: NDArray[np.bool_]

    @property
    def share(self) -> Floats:
        """Share of the columns in which the two are close."""
        return np.asarray(1 - self.apart.mean(axis=1))

    def one_entity(self) -> bool:
        """Return whether nearly all pairs differ in the same column: rows of one entity rather than copies."""
        return bool(len(self.rows) and self.apart.mean(axis=0).max() > _ENTITY)


def close_rows(context: AuditContext) -> Close | None:
    """Compare held-out rows' closest training rows with those of training rows; None: too few rows or columns.

    How improbable a pair is: in each column the chance that a random row is as close, multiplied over the columns. A
    changed column takes away its own part only. Columns depend on one another, and rows have siblings; so the closest
    pairs are compared with those within the training rows, whose tail is exponential (of products of chances the
    logarithms are nearly so), its scale being uncertain by the number of rows that it is fitted to. Asked are the
    closest row itself, and its lead over the next one, where some rows have more neighbours than others.
    """
    columns = [c for c in informative(context) if not is_identifier(c)]
    columns = [columns[i] for i in underived(context, columns)][:_MOST_COLUMNS]
    train = context.train
    budget = (_FAST_CELLS if context.fast else _CELLS) / (max(1, len(columns)) * max(1, len(train)))
    most = int(min(_QUERIES, budget))
    held, asked = context.sample(context.held_out, most, "close rows"), train
    if len(train) > most:
        asked = np.sort(context.rng("close rows of train").choice(train, most, replace=False))
    if len(columns) < _LEAST_COLUMNS or len(train) < _LEAST_TRAIN or len(held) < _LEAST_QUERIES:
        return None
    ranks, ties = _ranks(columns)
    best, closeness, second = _closest(ranks, ties, held, train)
    _, usual, usual_second = _closest(ranks, ties, asked, train)
    found, p = _excess(closeness, usual)
    by_gap, p_gap = _excess(closeness - second, usual - usual_second)
    if p_gap < p:
        found, p = by_gap, p_gap
    rows, partners = held[found], train[best[found]]
    off = np.abs(ranks[rows] - ranks[partners])
    return Close(rows, partners, min(1.0, 2 * p), len(held), (off > 0) & (2 * off + ties[rows] > _APART))


def _ranks(columns: Sequence[AuditColumn]) -> tuple[Floats32, Floats32]:
    """Return the rank in [0, 1] and the share of each row's value; categories are far from one another."""
    n = columns[0].n_rows
    ranks, ties = np.empty((n, len(columns)), np.float32), np.empty((n, len(columns)), np.float32)
    for i, column in enumerate(columns):
        counts = np.append(column.counts, int(column.missing.sum()))
        middle = (np.cumsum(counts) - counts / 2) / n
        if column.kind == "category":
            middle = np.arange(len(counts), dtype=np.float64)
        else:
            middle[-1] = 2.0  # missing is near to nothing
        ranks[:, i], ties[:, i] = middle[column.codes], (counts / n)[column.codes]
    return ranks, ties


def _closest(ranks: Floats32, ties: Floats32, rows: Ints, train: Ints) -> tuple[Ints, Floats, Floats]:
    from splitleak._threads import map_threads
    from splitleak.kernels.closeness import closest_rows

    known = np.ascontiguousarray(ranks[train])
    mine, share = np.ascontiguousarray(ranks[rows]), np.ascontiguousarray(ties[rows])
    place = np.searchsorted(train, rows)
    own = np.where(train[np.minimum(place, len(train) - 1)] == rows, place, -1).astype(np.int64)
    best, closeness, second = np.empty(len(rows), np.int64), np.empty(len(rows)), np.empty(len(rows))
    starts = list(range(0, len(rows), 64))
    map_threads(
        lambda s: closest_rows(mine, share, known, own, s, min(s + 64, len(rows)), best, closeness, second),
        starts,
    )
    return best, closeness, second


def _excess(closeness: Floats, usual: Floats) -> tuple[Ints, float]:
    """Return the places of the values beyond the tail of the usual ones, and the p-value of there being so many."""
    from scipy.stats import nbinom

    k = max(_LEAST_TAIL, int(_TAIL * len(usual)))
    top = np.sort(usual)[::-1]
    start, total = top[k], float((top[:k] - top[k]).sum())
    order = np.argsort(-closeness, kind="stable")
    beyond = closeness[order] - start
    beyond = beyond[beyond > 0]
    rank = np.arange(1, len(beyond) + 1)
    fitted = k * (1 + beyond / max(total, 1e-9)) ** -float(k)
    seen = np.searchsorted(-top, -closeness[order[: len(beyond)]], side="right")
    expected = np.maximum(fitted, seen) * len(order) / len(usual)
    few = np.flatnonzero(expected <= _FALSE * rank)
    if not len(few):
        return order[:0], 1.0
    chances = nbinom.sf(rank[few] - 1, k, k / (k + expected[few]))
    named = few[expected[few] <= _FALSE_NAMED * rank[few]]
    last = int(named[-1] if len(named) else few[chances.argmin()])
    return order[: last + 1], float(min(1.0, chances.min() * min(len(rank), _MOST_COUNTS)))
