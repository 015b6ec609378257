"""Held-out rows closer to a training row than training rows are to one another, all columns together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.equal_rows import equal_rows, is_identifier, moderate, underived
from splitleak.probes.near_neighbours import informative, robust

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
_FALSE = 0.1  # share of the rows that training rows explain, to be tested
_SURE, _LIKELY = (
    0.01,
    0.2,
)  # local false discovery rates of rows beyond doubt, and of the last that may be named
_APART = 0.3  # chance of being as close in a column, from which two rows differ in it
_SAME = 0.001  # robust standard deviations; what is closer is no more of a copy
_MISSING = np.float32(1e9)
_VIEWS = (("chance", 0), ("lead", 0), ("distance", 1), ("equal", 2))  # and by which measure the row was found
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
    closest row itself, and its lead over the next one, where some rows have more neighbours than others; the plain
    distance, whose logarithm has an exponential tail in any number of dimensions: noise leaves a copy near in every
    column, siblings stand apart in some; and the number of equal columns, which a copy keeps whatever was changed
    elsewhere (columns that say little alone count there too). The smallest p-value counts four times.
    """
    columns = [c for c in informative(context) if not is_identifier(c)]
    columns = [columns[i] for i in underived(context, columns)][:_MOST_COLUMNS]
    others = [c for c in context.of_kind("numeric", "time", "category") if c not in columns]
    others = [c for c in others if not is_identifier(c)][: _MOST_COLUMNS - len(columns)]
    train = context.train
    width = max(1, len(columns) + len(others))
    budget = (_FAST_CELLS if context.fast else _CELLS) / (width * max(1, len(train)))
    most = int(min(_QUERIES, budget))
    held, asked = context.sample(context.held_out, most, "close rows"), train
    if len(train) > most:
        asked = np.sort(context.rng("close rows of train").choice(train, most, replace=False))
    if len(columns) < _LEAST_COLUMNS or len(train) < _LEAST_TRAIN or len(held) < _LEAST_QUERIES:
        return None
    table = _Table(*_ranks(columns, others), _spread(columns, others), equal_rows(context, across=True).group)
    place, measure = _closest(table, held, train)
    _, usual = _closest(table, asked, train)
    rows, partners, p = _shown(measure, usual, place, context.level)
    rows, partners = held[rows], train[partners]
    off = np.abs(table.ranks[rows] - table.ranks[partners])[:, : len(columns)]
    apart = (off > 0) & (2 * off + table.ties[rows][:, : len(columns)] > _APART)
    return Close(rows, partners, p, len(held), apart)


def _shown(measure: Floats, usual: Floats, place: Ints, level: float) -> tuple[Ints, Ints, float]:
    """Return the rows that the measure of the smallest p-value shows, or two others do; what they are close to; p."""
    seen = [_excess(_view(measure, name), _view(usual, name), whole=name == "equal") for name, _ in _VIEWS]
    best, *others = sorted(range(len(seen)), key=lambda i: seen[i][1])
    votes = np.zeros(len(measure), np.int64)
    closest = np.zeros(len(measure), np.int64)
    for i in [*(i for i in others if len(seen) * seen[i][1] < level), best]:
        found = seen[i][0]
        votes[found] += 2 if i == best else 1
        closest[found] = place[found, _VIEWS[i][1]]
    rows = np.flatnonzero(votes >= 2)
    return rows, closest[rows], min(1.0, len(seen) * seen[best][1])


def _view(measure: Floats, name: str) -> Floats:
    """Return one of the numbers that rows are compared by; the larger, the closer."""
    if name == "distance":
        return np.asarray(-0.5 * np.log(np.clip(-measure[:, 1], _SAME**2, 1.0)))
    if name == "equal":
        return np.maximum(measure[:, 2], 0)
    lead = measure[:, 0] - measure[:, 3] if name == "lead" else measure[:, 0]
    return np.where(np.isfinite(lead), lead, 0.0)


@dataclass(frozen=True, eq=False)
class _Table:
    """What the rows are compared by: ranks, shares of their values, values in units of their spread, equal rows."""

    ranks: Floats32
    ties: Floats32
    values: Floats32
    group: Ints


def _ranks(columns: Sequence[AuditColumn], others: Sequence[AuditColumn]) -> tuple[Floats32, Floats32]:
    """Return the rank in [0, 1] and the share of each row's value; categories are far from one another.

    Values are missing together: that both miss one is no evidence in its column, but which ones a row misses is that of
    one more column, where any is missing. Of `others` it is known only whether they are equal.
    """
    n = columns[0].n_rows
    gone = np.zeros(n, np.int64)
    if any(c.missing.any() for c in columns):
        masks = np.packbits(np.stack([c.missing for c in columns], axis=1), axis=1)
        gone = np.unique(masks, axis=0, return_inverse=True)[1].ravel().astype(np.int64)
    width = len(columns) + bool(gone.max()) + len(others)
    ranks, ties = np.empty((n, width), np.float32), np.ones((n, width), np.float32)
    for i, column in enumerate(columns):
        counts = np.append(column.counts, int(column.missing.sum()))
        middle, share = (np.cumsum(counts) - counts / 2) / n, counts / n
        if column.kind == "category":
            middle = np.arange(len(counts), dtype=np.float64)
        else:
            middle[-1] = 2.0  # missing is near to nothing
        share[-1] = 1.0
        ranks[:, i], ties[:, i] = middle[column.codes], share[column.codes]
    if gone.any():
        ranks[:, len(columns)], ties[:, len(columns)] = gone, (np.bincount(gone) / n)[gone]
    for i, column in enumerate(others):
        ranks[:, width - len(others) + i] = column.codes
    return ranks, ties


def _spread(columns: Sequence[AuditColumn], others: Sequence[AuditColumn]) -> Floats32:
    """Return values in robust standard deviations; categories differ by one and more, and `others` are left out."""
    n = columns[0].n_rows
    width = len(columns) + any(c.missing.any() for c in columns) + len(others)
    values = np.zeros((n, width), np.float32)
    for i, column in enumerate(columns):
        if column.kind == "category":
            values[:, i] = column.codes
        else:
            known = moderate(column.values)
            middle, unit = robust(known[~column.missing])
            values[:, i] = (np.where(column.missing, 0.0, known) - middle) / unit
        values[column.missing, i] = _MISSING
    return values


def _closest(table: _Table, rows: Ints, train: Ints) -> tuple[Ints, Floats]:
    from splitleak._threads import map_threads
    from splitleak.kernels.closeness import closest_rows

    known = [np.ascontiguousarray(x[train]) for x in (table.ranks, table.values, table.group)]
    mine = [np.ascontiguousarray(x[rows]) for x in (table.ranks, table.ties, table.values, table.group)]
    place, measure = np.empty((len(rows), 3), np.int64), np.empty((len(rows), 4))
    map_threads(
        lambda s: closest_rows(*mine, *known, _MISSING, s, min(s + 64, len(rows)), place, measure),
        list(range(0, len(rows), 64)),
    )
    return place, measure


def _excess(closeness: Floats, usual: Floats, *, whole: bool) -> tuple[Ints, float]:
    """Return the places of the values beyond the tail of the usual ones, and the p-value of there being so many.

    Those that belong to them go on to the last one of a local false discovery rate of 0.2 (the slope of the greatest
    convex minorant of the number expected); or end at a gap in the second half of these, the widest one below which
    values are nearer to the usual ones: copies that were made in one way lie together.
    """
    from scipy.stats import nbinom

    order = np.argsort(-closeness, kind="stable")
    values = closeness[order]
    top = np.sort(usual)[::-1]
    k = _LEAST_TAIL if whole else max(_LEAST_TAIL, int(_TAIL * len(usual)))
    if not whole and len(np.unique(top[: k + 1])) <= k // 4:
        return order[:0], 1.0  # a tail of a few values, each of many rows, is not exponential
    beyond = int((values > top[k]).sum())
    fitted, shape = (_counts_beyond if whole else _beyond)(values[:beyond], top, k)
    seen = np.searchsorted(-top, -values[:beyond], side="right")
    expected = np.maximum(fitted, seen) * len(order) / len(usual)
    rank = np.arange(1, beyond + 1)
    few = np.flatnonzero(expected <= _FALSE * rank)
    if not len(few):
        return order[:0], 1.0
    chances = np.asarray(nbinom.sf(rank[few] - 1, shape[few], shape[few] / (shape[few] + expected[few])))
    p = float(min(1.0, chances.min() * min(len(np.unique(values[:beyond])), _MOST_COUNTS)))
    likely = max(1, beyond - int(np.argmin(np.append(0, expected - _LIKELY * rank)[::-1])))
    gaps = values[:beyond] - np.append(values[1:beyond], top[k])
    reach = top[len(usual) // len(order)]  # about one of the rows goes as far by chance
    ends = np.arange((likely + 1) // 2, likely)
    ends = ends[values[ends] - reach < gaps[ends - 1]]
    last = int(ends[np.argmax(gaps[ends - 1])]) if len(ends) else likely
    return order[:last], p


def _beyond(values: Floats, top: Floats, k: int) -> tuple[Floats, Floats]:
    """Return how many of the usual values an exponential tail has beyond each, and how sure that is (a gamma shape)."""
    total = max(float((top[:k] - top[k]).sum()), 1e-9)
    return k * (1 + (values - top[k]) / total) ** -float(k), np.full(len(values), float(k))


def _counts_beyond(values: Floats, top: Floats, k: int) -> tuple[Floats, Floats]:
    """Return the same of counts, whose tail is geometric: its ratio is beta distributed, and is never taken for 0."""
    from scipy.special import betaln

    tail = top[top >= top[k]] - top[k]
    more, steps = 1 + float(tail.sum()), values - top[k]
    fitted = len(tail) * np.exp(betaln(more + steps, len(tail)) - betaln(more, len(tail)))
    return np.asarray(fitted), np.asarray(more / steps**2)
