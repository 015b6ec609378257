"""SimilarityShuffleSplit: random splits in which no two similar rows are on different sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError
from splitleak.folds.assignment import OnInfeasible, check_count, seed_of
from splitleak.model_selection.base import Positions, SimilaritySplitter
from splitleak.search import Combine, Missing, Share, similarity_graph
from splitleak.split import split_by_similarity


class SimilarityShuffleSplit(SimilaritySplitter):
    """Repeated random splits in which no two similar rows are on different sides.

    The similar pairs are searched for once in each call of `split`; each split hands the same clusters out anew.
    Unlike folds, the test rows of different splits may overlap. A cluster larger than the test size is in the
    training rows of every split.

    Parameters
    ----------
    n_splits : int
        Number of splits, at least 1.
    test_size : float or int
        Share of the rows in (0, 1), or number of rows.
    train_size : float, int or None
        Likewise; None: all other rows. What is in neither is left out of that split.
    stratify : bool
        Balance the classes in `y`.
    similarity, threshold, on, combine, share, missing
        As for `splitleak.split_by_similarity`, of the rows in `X`.
    tolerance : float
        Allowed deviation from the sizes, as a share of all rows, in [0, 1).
    on_infeasible : {"error", "nearest"}
        When whole clusters cannot meet the sizes: raise, or take the nearest and warn.
    random_state : int
        The same number gives the same splits, whatever the order of the rows.

    Raises
    ------
    InputError
        Parameters that cannot be used.

    Examples
    --------
    >>> X = np.repeat(np.eye(10), 2, axis=0)
    >>> [(len(train), len(test)) for train, test in SimilarityShuffleSplit(n_splits=3, threshold=0.9).split(X)]
    [(16, 4), (16, 4), (16, 4)]
    """

    def __init__(
        self,
        n_splits: int = 10,
        *,
        test_size: float = 0.2,
        train_size: float | None = None,
        stratify: bool = False,
        similarity: Any = "auto",
        threshold: float | None = None,
        on: str | Sequence[str] | None = None,
        combine: Combine = "any",
        share: Share = "all",
        missing: Missing = "equal",
        tolerance: float = 0.02,
        on_infeasible: OnInfeasible = "error",
        random_state: int = 0,
    ) -> None:
        check_count("n_splits", n_splits, 1)
        for name, size in (("test_size", test_size), ("train_size", train_size)):
            if size is not None:
                _check_size(name, size)
        self.test_size, self.train_size, self.stratify = test_size, train_size, stratify
        self._keep(
            n_splits=n_splits, similarity=similarity, threshold=threshold, on=on, combine=combine, share=share,
            missing=missing, tolerance=tolerance, on_infeasible=on_infeasible, random_state=random_state,
        )  # fmt: skip

    @property
    def stratified(self) -> bool:  # type: ignore[override]
        """Whether `y` is looked at."""
        return self.stratify

    def _split(
        self, rows: Any, classes: NDArray[Any] | None, groups: NDArray[Any] | None
    ) -> Iterator[tuple[Positions, Positions]]:
        search = self._search(rows)
        graph = similarity_graph(rows, **search, seed=self.random_state)
        sizes = self._sizes(graph.n_rows)
        for number in range(self.n_splits):
            split = split_by_similarity(
                rows,
                on=search["on"],
                similarity=graph,
                sizes=sizes,
                stratify=classes,
                groups=groups,
                missing=self.missing,
                on_infeasible=self.on_infeasible,
                tolerance=self.tolerance,
                certify=False,
                seed=seed_of(self.random_state, number),
                progress=False,
            )
            yield split["train"], split["test"]

    def _sizes(self, n_rows: int) -> dict[str, int]:
        test = _rows_of(self.test_size, n_rows)
        train = n_rows - test if self.train_size is None else _rows_of(self.train_size, n_rows)
        if train < 1 or train + test > n_rows:
            raise InputError(
                f"test_size={self.test_size!r} and train_size={self.train_size!r} must leave at least one training"
                f" row and fit in the {n_rows:,} rows; they come to {test:,} and {max(train, 0):,}: ask for less"
            )
        unused = n_rows - train - test
        return {"train": train, "test": test, **({"unused": unused} if unused else {})}


def _check_size(name: str, value: object) -> None:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    share = isinstance(value, (float, np.floating))
    if not (whole and value >= 1) and not (share and 0 < value < 1):  # type: ignore[operator]
        raise InputError(f"{name} must be a share in (0, 1) or a number of rows of at least 1, got {value!r}")


def _rows_of(size: float, n_rows: int) -> int:
    return int(size) if isinstance(size, (int, np.integer)) else max(1, round(size * n_rows))
