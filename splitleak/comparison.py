"""compare_splits(): several splits side by side, each with its certificate and its leakage numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak._scale import scale_of
from splitleak.certificate import Certificate
from splitleak.certification import certify_search, partition_codes
from splitleak.crossing_mass import LEAST, Leakage, leakage_of
from splitleak.errors import InputError, did_you_mean
from splitleak.graph import SimilarityGraph
from splitleak.partition import DROPPED, Split
from splitleak.sampling import mix
from splitleak.search import AnySearch, Combine, Missing, Search, Share, prepare_search

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Ints = NDArray[np.int64]
RANDOM = "random"
_MATRIX_ROWS = 5_000  # of larger matrices, only the pairs at the threshold are weighed unless asked for


@dataclass(frozen=True)
class Compared:
    """One split of a comparison.

    Attributes
    ----------
    name : str
        What the caller calls it.
    sizes : dict of str to int
        Rows in each partition, the training partition first.
    dropped : int
        Rows in no partition.
    certificate : Certificate
        What the search across its partitions found.
    leakage : Leakage or None
        None: too many pairs to weigh.
    """

    name: str
    sizes: Mapping[str, int]
    dropped: int
    certificate: Certificate
    leakage: Leakage | None

    @property
    def share_with_similar(self) -> float:
        """Share of the held-out rows that have a similar training row."""
        rows = sum(held.rows for held in self.certificate.held_out)
        return sum(held.with_similar for held in self.certificate.held_out) / max(1, rows)

    @property
    def largest(self) -> tuple[float | None, bool]:
        """The largest similarity across any two partitions, and whether that is only an upper bound."""
        known = [(a.largest, a.largest_is_bound) for a in self.certificate.across if a.largest is not None]
        return max(known, key=lambda x: (x[0], not x[1])) if known else (None, False)

    def summary(self) -> dict[str, Any]:
        """Return everything in plain JSON types."""
        largest, is_bound = self.largest
        leakage = None if self.leakage is None else {**vars(self.leakage)}
        if leakage is not None and math.isnan(leakage["ratio"]):
            leakage["ratio"] = None
        return {
            "name": self.name,
            "sizes": dict(self.sizes),
            "dropped": self.dropped,
            "verdict": self.certificate.verdict,
            "n_crossing": self.certificate.n_crossing,
            "share_with_similar": self.share_with_similar,
            "largest": largest,
            "largest_is_bound": is_bound,
            "leakage": leakage,
            "certificate": self.certificate.summary(),
        }


@dataclass(frozen=True, eq=False, repr=False)
class SplitComparison:
    """Several splits of the same rows, each with its certificate.

    Attributes
    ----------
    splits : tuple of Compared
        In the order given.
    n_rows : int
    similarity : str
        The measure that all are searched with.
    threshold : float
        Inclusive bound in (0, 1].
    notes : tuple of str
        What a reader must know besides.
    """

    splits: tuple[Compared, ...]
    n_rows: int
    similarity: str
    threshold: float
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Compared:
        """Return one split by its name."""
        for split in self.splits:
            if split.name == name:
                return split
        names = [split.name for split in self.splits]
        raise InputError(
            f"no split is called {name!r}{did_you_mean(name, names)} (there are: {', '.join(names)})"
        )

    def frame(self) -> pd.DataFrame:
        """Return one line a split: sizes, verdict, crossing pairs, leakage numbers."""
        import pandas as pd

        names = list(dict.fromkeys(name for split in self.splits for name in split.sizes))
        lines = []
        for split in self.splits:
            largest, is_bound = split.largest
            found = split.leakage
            lines.append(
                {
                    "split": split.name,
                    "verdict": split.certificate.verdict,
                    "crossing_pairs": split.certificate.n_crossing,
                    "share_with_similar": split.share_with_similar,
                    "scaled_leakage": np.nan if found is None else found.scaled,
                    "leakage_vs_random": np.nan if found is None else found.ratio,
                    "largest_similarity": np.nan if largest is None else largest,
                    "largest_is_bound": is_bound,
                    **{f"rows_{name}": split.sizes.get(name, 0) for name in names},
                    "rows_dropped": split.dropped,
                }
            )
        return pd.DataFrame(lines)

    def plot(self) -> Figure:
        """Return a matplotlib figure: how near held-out rows come to the training rows, one row of it a split."""
        from splitleak.rendering.comparison import nearest_figure

        return nearest_figure(self.summary())

    def summary(self) -> dict[str, Any]:
        """Return everything that the views show, in plain JSON types."""
        return {
            "n_rows": self.n_rows,
            "similarity": self.similarity,
            "threshold": self.threshold,
            "splits": [split.summary() for split in self.splits],
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        from splitleak.rendering.comparison import comparison_text

        return comparison_text(self.summary())

    def _repr_html_(self) -> str:
        from splitleak.rendering.comparison import comparison_fragment

        return comparison_fragment(self.summary())


def compare_splits(
    data: Any,
    splits: Mapping[str, Any],
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = "auto",
    threshold: float | None = None,
    combine: Combine = "any",
    share: Share = "all",
    leakage_from: float | None = None,
    missing: Missing = "equal",
    seed: int = 0,
    progress: bool | None = None,
) -> SplitComparison:
    """Put several splits of the same rows side by side, each with its certificate.

    Parameters
    ----------
    data : table, list of str, 2-D array, sparse matrix, or path
        The rows.
    splits : mapping of name to Split, column name, array-like of shape (n_rows,), or "random"
        As for `certify`; ``"random"`` draws a random split of the sizes of the first other one.
    on, similarity, threshold, combine, share, missing
        As for `similarity_graph`; one measure for all.
    leakage_from : float, optional
        Pairs of at least this similarity, in (0, 1], count in the scaled leakage; default: the threshold, and of a
        matrix of up to 5,000 rows all pairs.
    seed : int
        For approximate backends and the random splits, which do not depend on the order of the rows.
    progress : bool, optional
        Bars on stderr; default: on a terminal.

    Raises
    ------
    InputError
        Splits or other arguments that cannot be used.
    DataMismatchError
        A `Split` that was made from other data.

    Examples
    --------
    >>> texts = [f"text number {i}" for i in range(20) for _ in range(2)]
    >>> by_pair = np.repeat(["train", "train", "train", "train", "test"], 2).tolist() * 4
    >>> found = compare_splits(texts, {"by pair": by_pair, "chance": "random"}, threshold=1.0)
    >>> found.frame()[["split", "verdict", "crossing_pairs"]].values.tolist()
    [['by pair', 'separated', 0], ['chance', 'leaking', 8]]
    """
    if not isinstance(splits, Mapping) or not splits:
        raise InputError(
            f'splits must be a mapping such as {{"mine": split, "chance": "random"}}, got {type(splits).__name__}'
            f" {splits!r:.60}"
        )
    columns = {value for value in splits.values() if isinstance(value, str) and value != RANDOM}
    search = prepare_search(
        data, on=on, similarity=similarity, threshold=threshold, combine=combine, share=share, exclude=columns,
        missing=missing,
    )  # fmt: skip
    given = {
        str(name): _resolve(search, name, value) for name, value in splits.items() if not _is_random(value)
    }
    if not given:
        raise InputError('splits has "random" only; add a split whose sizes it shall have')
    names, codes = next(iter(given.values()))
    bars = Progress(progress)
    graph, least, notes = _weighed(search, leakage_from, seed, bars)
    compared = []
    for number, (name, value) in enumerate(splits.items()):
        if _is_random(value):
            parts = (
                names,
                random_codes(search.records.row_hashes, np.bincount(codes[codes >= 0]), seed + number),
            )
        else:
            parts = given[str(name)]
        sizes = np.bincount(parts[1][parts[1] >= 0], minlength=len(parts[0])).tolist()
        leakage = None
        if graph is not None:
            leakage = leakage_of(graph, parts[1], np.ones(graph.n_rows), least)
        compared.append(
            Compared(
                str(name),
                dict(zip(parts[0], sizes, strict=True)),
                int((parts[1] < 0).sum()),
                certify_search(search, parts[0], parts[1], seed=seed, progress=bars),
                leakage,
            )
        )
    return SplitComparison(
        tuple(compared), search.records.n_rows, search.measure, search.threshold, tuple(notes)
    )


def _is_random(value: Any) -> bool:
    return isinstance(value, str) and value == RANDOM


def _resolve(search: AnySearch, name: str, value: Any) -> tuple[list[str], Ints]:
    if isinstance(value, Split):
        value.check_data(search.records)
        return list(value.names), value.codes
    try:
        return partition_codes(search.source, value)
    except InputError as error:
        raise InputError(f"splits[{name!r}]: {error}") from None


def random_codes(hashes: NDArray[np.uint64], sizes: Ints, seed: int) -> Ints:
    """Return partitions of these sizes, drawn by content and seed; what is left over is in no partition."""
    order = np.argsort(hashes, kind="stable")
    first = np.flatnonzero(np.append(True, hashes[order][1:] != hashes[order][:-1]))
    occurrence = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    salt = mix(np.array([seed + 1], dtype=np.uint64))
    key = mix(mix(hashes[order] ^ salt) + occurrence.astype(np.uint64))
    codes = np.full(len(hashes), DROPPED, dtype=np.int64)
    drawn = np.repeat(np.arange(len(sizes)), sizes)
    codes[order[np.argsort(key, kind="stable")[: len(drawn)]]] = drawn
    return codes


def _weighed(
    search: AnySearch, leakage_from: float | None, seed: int, bars: Progress
) -> tuple[SimilarityGraph | None, float, list[str]]:
    """Return the graph whose pairs count in the scaled leakage, from which similarity on, and notes on it."""
    least = search.threshold if leakage_from is None else scale_of(search.measure).read(leakage_from)
    matrix = isinstance(search, Search) and search.backend.name == "matrix"
    whole = leakage_from is None and matrix and search.records.n_rows <= _MATRIX_ROWS
    graph = search.graph(threshold=LEAST if whole else least, seed=seed, progress=bars)
    if not graph.complete:
        return (
            None,
            least,
            ["the scaled leakage is not given: too many pairs to list; leakage_from= takes fewer"],
        )
    if not graph.exact:
        return (
            graph,
            least,
            [f"the scaled leakage misses pairs that the approximate search missed ({graph.recall_text()})"],
        )
    return graph, 0.0 if whole else least, []
