"""check_backend(): what every similarity backend promises, tried on an author's own data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.records import Records
from splitleak.search.single import Search
from splitleak.similarity.base import IGNORED, Backend, get_backend
from splitleak.testing.trial import Trial, similarity_matrix, with_threads

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_ROWS = 500
_LOOSE = 0.1  # how far below its stated interval the recall may lie: pairs are few in a test


def check_backend(
    backend: str | Backend,
    data: Any,
    *,
    on: str | Sequence[str] | None = None,
    threshold: float | None = None,
    oracle: Callable[[Any, Any], float] | None = None,
    tolerance: float = 1e-9,
) -> None:
    """Check everything that a similarity backend promises, on a few rows; the whole test of its author.

    The graph is well formed (each pair once, ``left < right``, no row with itself, similarities in
    [threshold, 1]); it has all pairs at or above the threshold when the backend is exact, and no pair below it in any
    case; a pair exactly at the threshold counts; the order of the rows, the number of threads and, of an exact
    backend, the seed do not matter; `sides`, where the backend takes them, leave the pairs across sides and no
    others, and no row of side -1; equal rows, one row and no row are dealt with; the rows handed in are left as they
    were. A look-up (``nearest=``) must say the same as the graph. An approximate backend must state a recall that it
    has.

    Parameters
    ----------
    backend : str or Backend
        As in ``similarity=``.
    data : Records, table, list of str, array or path
        At most 500 rows, with pairs on both sides of the threshold; about 50 make a quick and sharp test.
    on : str or list of str, optional
        The compared columns of a table.
    threshold : float, optional
        In (0, 1]; default: the backend's.
    oracle : callable, optional
        ``oracle(a, b) -> similarity`` in [0, 1] of two rows (two texts, vectors, dicts of columns, or images), as
        simple and slow as you like. Left out, the backend's own look-up (``nearest=``) says what is right.
    tolerance : float
        How far the similarities of the backend and of the oracle may differ.

    Raises
    ------
    AssertionError
        The rule that is broken, the rows concerned, and how to see it again.
    InputError
        Data that would prove nothing: too many rows, no pair at the threshold, or nothing but pairs; neither an oracle
        nor a look-up.

    Examples
    --------
    >>> from splitleak.testing import check_backend
    >>> words = ["red car", "red  car", "blue car", "Red Car", "green bus"]
    >>> check_backend("exact", words, oracle=lambda a, b: float(a.split() == b.split()))
    Traceback (most recent call last):
    ...
    AssertionError: check_backend('exact'), rule 'no pair below the threshold': rows 0 and 3 ...
    >>> check_backend("exact", words, oracle=lambda a, b: float(a.lower().split() == b.lower().split()))
    """
    trial = _trial(backend, data, on, threshold, oracle, tolerance)
    truth = trial.truth(trial.records)
    similar = np.triu(truth >= trial.threshold, 1)
    pairs = len(truth) * (len(truth) - 1) // 2
    if not similar.any() or similar.sum() == pairs:
        raise InputError(
            f"data has {int(similar.sum())} similar of {pairs} pairs at threshold={trial.threshold:g}, so a check on it"
            " would show little; give rows with pairs above and below the threshold"
        )
    before = _content(trial.records)
    found = trial.graph()
    _check_untouched(trial, before)
    trial.agree(found, truth, "all rows")
    _check_recall(trial, found, truth)
    _check_look_up(trial, truth)
    _check_ties(trial, found)
    _check_repeats(trial, found)
    _check_order(trial, found)
    _check_sides(trial, found, truth)
    _check_few_rows(trial)
    _check_untouched(trial, before)


def _trial(
    backend: str | Backend,
    data: Any,
    on: str | Sequence[str] | None,
    threshold: float | None,
    oracle: Callable[[Any, Any], float] | None,
    tolerance: float,
) -> Trial:
    backend = get_backend(backend)
    if not isinstance(data, Records):
        data = Search.prepare(data, on=on, similarity=backend, threshold=threshold).records
    backend.check_kind(data)
    if not 2 < data.n_rows <= MOST_ROWS:
        raise InputError(
            f"data must have 3 to {MOST_ROWS} rows, since all pairs are compared one by one; it has {data.n_rows:,}"
        )
    trial = Trial(backend, data, backend.threshold if threshold is None else threshold, oracle, tolerance)
    if oracle is None and trial.looked_up(data) is None:
        raise InputError(
            f"backend {backend.name!r} has no look-up (nearest=), so nobody knows which pairs are right: pass oracle= a"
            " function of two rows that returns their similarity"
        )
    return trial


def _check_recall(trial: Trial, graph: SimilarityGraph, truth: Floats) -> None:
    if trial.backend.exact or not graph.complete:
        return
    if graph.recall is None:
        raise trial.broken("recall is stated", "the backend is approximate and its graph has recall=None")
    true = int(np.triu(truth >= trial.threshold, 1).sum())
    share = int(np.isfinite(similarity_matrix(graph)[np.triu_indices(len(truth), 1)]).sum()) / true
    if share < graph.recall.low - _LOOSE:
        raise trial.broken(
            "the stated recall is reached",
            f"it states {graph.recall}, and found {share:.1%} of {true} similar pairs",
        )


def _check_look_up(trial: Trial, truth: Floats) -> None:
    """Hold the look-up of several rows under sides of several rows against the truth."""
    n = len(truth)
    sides = _some_sides(n)
    queries = np.arange(n, dtype=np.int64)
    found = trial.backend.neighbours(trial.records, queries, threshold=trial.threshold, sides=sides)
    if found is None:
        return
    others = np.where(np.eye(n, dtype=bool), np.nan, truth)
    for side in range(int(sides.max()) + 1):
        here = np.where((sides == side)[None, :], others, np.nan)
        best = np.where(np.isnan(here), -np.inf, here).max(axis=1)
        best = np.where(np.isfinite(best), best, np.nan)
        told = np.where(best < max(found.floor, 0.0), 0.0, best)
        wrong = ~np.isclose(found.nearest[:, side], told, rtol=0, atol=trial.tolerance, equal_nan=True)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise trial.broken(
                "the look-up is right",
                f"nearest= says {found.nearest[row, side]} for row {row} and side {side}; the most similar other row"
                f" there has {told[row]}",
                rows=[row],
            )
    if found.degree is None:
        return
    count = (others[:, np.flatnonzero(sides != IGNORED)] >= trial.threshold).sum(axis=1)
    degree = np.asarray(found.degree)
    if not np.array_equal(degree, count):
        row = int(np.flatnonzero(degree != count)[0])
        raise trial.broken(
            "the look-up is right",
            f"degree of row {row} is {degree[row]}, and {count[row]} other rows are similar to it",
            rows=[row],
        )


def _check_ties(trial: Trial, graph: SimilarityGraph) -> None:
    """Search again at similarities that the backend itself reports: these pairs must stay."""
    matrix = similarity_matrix(graph)
    values = np.unique(matrix[np.isfinite(matrix)])
    for value in values[[0, len(values) // 2, -1]]:
        again = similarity_matrix(trial.graph(threshold=float(value)))
        lost = (matrix == value) & ~np.isfinite(again)
        if trial.backend.exact and lost.any():
            raise trial.broken(
                "the threshold is inclusive",
                f"at threshold={float(value)!r}, which is their similarity, {trial.pair(lost)} are no pair",
                rows=np.argwhere(lost)[0].tolist(),
                threshold=float(value),
            )
        low = again < value
        if low.any():
            raise trial.broken(
                "no pair below the threshold",
                f"at threshold={float(value)!r} {trial.pair(low)} have {again[low][0]}",
                rows=np.argwhere(low)[0].tolist(),
                threshold=float(value),
            )


def _check_repeats(trial: Trial, graph: SimilarityGraph) -> None:
    trial.same(trial.graph(), graph, "the same call gives the same graph", "a second call")
    if trial.backend.exact:
        trial.same(trial.graph(seed=1), graph, "an exact backend does not depend on the seed", "seed=1")
    for threads in (1, 3):
        with with_threads(threads):
            found = trial.graph()
        trial.same(found, graph, "threads do not matter", f"SPLITLEAK_NUM_THREADS={threads}")


def _check_order(trial: Trial, graph: SimilarityGraph) -> None:
    n = graph.n_rows
    orders = {
        "the rows in reverse": np.arange(n)[::-1],
        **{
            f"the rows in the order np.random.default_rng({seed}).permutation({n})": np.random.default_rng(
                seed
            ).permutation(n)
            for seed in (0, 1)
        },
    }
    for what, order in orders.items():
        moved = similarity_matrix(trial.graph(trial.records.take(order.astype(np.int64))))
        back = np.argsort(order)
        trial.same_matrix(
            moved[np.ix_(back, back)], similarity_matrix(graph), "the order of rows does not matter", what
        )


def _check_sides(trial: Trial, graph: SimilarityGraph, truth: Floats) -> None:
    if not trial.takes_sides:
        return
    n = graph.n_rows
    for sides in (_some_sides(n), np.arange(n, dtype=np.int64) % 2, np.full(n, IGNORED, dtype=np.int64)):
        given = sides.copy()
        found = trial.graph(sides=given)
        if not np.array_equal(given, sides):
            raise trial.broken("the rows are left as they were", "the array of sides was written to")
        trial.well_formed(found, trial.records)
        across = (
            (sides[:, None] != sides[None, :]) & (sides[:, None] != IGNORED) & (sides[None, :] != IGNORED)
        )
        copies = np.arange(n) if found.copies is None else found.copies
        for left, right in zip(found.left.tolist(), found.right.tolist(), strict=True):
            if not across[np.ix_(copies == left, copies == right)].any():
                raise trial.broken(
                    "sides are respected",
                    f"rows {left} and {right} (sides {sides[left]} and {sides[right]}) are a stored pair that does not"
                    f" lie across sides; sides={sides.tolist()}",
                    rows=[left, right],
                )
        matrix = np.where(across, similarity_matrix(found), np.nan)
        if trial.backend.exact:
            expected = np.where(across, similarity_matrix(graph), np.nan)
            trial.same_matrix(
                matrix, expected, "a search across sides finds the pairs across", f"sides={sides.tolist()}"
            )
        else:
            low = np.isfinite(matrix) & (truth < trial.threshold - trial.tolerance)
            if low.any():
                raise trial.broken("no pair below the threshold", f"{trial.pair(low)}, under sides=")


def _check_few_rows(trial: Trial) -> None:
    for n_rows in (0, 1):
        few = trial.records.take(np.arange(n_rows, dtype=np.int64))
        for sides in (None, np.zeros(n_rows, dtype=np.int64)):
            try:
                found = trial.graph(few, sides=sides if trial.takes_sides else None)
            except Exception as error:
                raise trial.broken(
                    "no row and one row are dealt with",
                    f"{n_rows} rows raise {error!r}",
                    rows=list(range(n_rows)),
                ) from error
            if found.n_pairs:
                raise trial.broken("no row and one row are dealt with", f"{n_rows} rows have a pair")
    few_rows = np.arange(min(12, trial.records.n_rows), dtype=np.int64)
    twice = np.concatenate([few_rows, few_rows, few_rows[:2], few_rows[:2]])
    repeated = trial.records.take(twice)
    trial.agree(trial.graph(repeated), trial.truth(repeated), f"the rows {twice.tolist()}", repeated)


def _some_sides(n: int) -> Ints:
    """Return three sides of different sizes and some rows of none."""
    return np.random.default_rng(n).choice([0, 0, 0, 1, 1, 2, IGNORED], n).astype(np.int64)


def _check_untouched(trial: Trial, before: list[bytes]) -> None:
    if _content(trial.records) != before:
        raise trial.broken("the rows are left as they were", "a buffer of the records was written to")


def _content(records: Records) -> list[bytes]:
    vectors = records.vectors
    parts = [records.buffer, records.offsets, records.missing]
    parts += (
        [vectors]
        if vectors is None or isinstance(vectors, np.ndarray)
        else [
            vectors.data,
            vectors.indices,
            vectors.indptr,
        ]
    )
    return [part.tobytes() for part in parts if part is not None]
