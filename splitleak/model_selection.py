"""Splitters for scikit-learn: cross-validation in which no two similar rows are on different sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils.multiclass import type_of_target

from splitleak._tables import open_source
from splitleak._tables.columns import role_of
from splitleak.errors import InfeasibleSplitError, InputError
from splitleak.folds import fold_by_similarity
from splitleak.folds.assignment import OnInfeasible, check_count, check_fold_options, seed_of
from splitleak.search import Combine, Missing, Share, similarity_graph
from splitleak.split import split_by_similarity

__all__ = ["SimilarityKFold", "SimilarityShuffleSplit", "StratifiedSimilarityKFold"]

Positions = NDArray[np.int64]


class _SimilaritySplitter(BaseCrossValidator):  # type: ignore[misc]  # scikit-learn has no types
    """What the splitters share: `groups` are further joins, and are asked for when metadata is routed."""

    __metadata_request__split = {"groups": True}  # noqa: RUF012 (scikit-learn's own way to say so)

    n_splits: int
    stratified = False

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: N803
        """Return the number of splits; the arguments are not looked at."""
        del X, y, groups
        return self.n_splits

    def split(
        self,
        X: Any,  # noqa: N803
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Iterator[tuple[Positions, Positions]]:
        """Generate the row positions of training and test rows.

        Parameters
        ----------
        X : array-like, sparse matrix, table or sequence of str, of n_rows rows
            The rows that are compared (of a table those in `on`; without `on`, a table of numbers as a whole).
        y : array-like of shape (n_rows,), optional
            Classes, where they are balanced; else not looked at.
        groups : array-like of shape (n_rows,), optional
            Rows of one group stay together, too; a missing value is in no group.

        Yields
        ------
        train, test : int64 arrays
            Row positions, ascending.

        Raises
        ------
        InputError
            Rows, classes or groups that cannot be used.
        InfeasibleSplitError
            Sizes that whole clusters cannot meet.
        """
        yield from self._split(X, self._classes(y), groups if groups is None else np.asarray(groups))

    def _split(
        self, rows: Any, classes: NDArray[Any] | None, groups: NDArray[Any] | None
    ) -> Iterator[tuple[Positions, Positions]]:
        raise NotImplementedError

    def _classes(self, y: ArrayLike | None) -> NDArray[Any] | None:
        if not self.stratified:
            return None
        name = type(self).__name__
        if y is None:
            raise InputError(f"y must hold the class of each row for {name} to balance; give y, got None")
        kind = type_of_target(y)
        if kind in ("binary", "multiclass"):
            return np.asarray(y).reshape(-1)
        if kind.startswith("continuous"):
            raise InputError(
                f"y must hold classes for {name} to balance, and holds continuous numbers; bin them for the folds:"
                " list(splitter.split(X, pandas.qcut(y, 10, labels=False))) goes as cv=, or use SimilarityKFold"
            )
        raise InputError(
            f"y must hold one class a row for {name} to balance, and is of the kind {kind!r}; give one column, e.g."
            " one class for each combination, or use SimilarityKFold"
        )


class SimilarityKFold(_SimilaritySplitter):
    """K-fold cross-validation in which no two similar rows are in different folds.

    Rows with similarity at or above the threshold are joined, and rows of one group; whole connected components
    go to folds of equal size. The similar pairs are searched for in each call of `split`; nothing is kept between
    calls. `splitleak.fold_by_similarity` makes the same folds with a certificate, and goes as ``cv=`` itself.

    Parameters
    ----------
    n_splits : int
        Number of folds, at least 2.
    similarity, threshold, on, combine, share, missing
        As for `splitleak.split_by_similarity`, of the rows in `X`.
    tolerance : float
        Allowed deviation of each fold from an equal share, as a share of all rows, in [0, 1).
    on_infeasible : {"error", "nearest"}
        When clusters are too large for equal folds: raise, or take the nearest sizes and warn. A fold that would
        be empty is always an error.
    random_state : int
        The same number gives the same folds, whatever the order of the rows.

    Raises
    ------
    InputError
        Parameters that cannot be used.

    Examples
    --------
    >>> X = np.repeat(np.eye(6), 2, axis=0)
    >>> for train, test in SimilarityKFold(n_splits=3, threshold=0.9).split(X):
    ...     print(len(train), sorted(set(test // 2)), len(test))  # doctest: +ELLIPSIS
    8 [...] 4
    8 [...] 4
    8 [...] 4
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
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
        check_count("n_splits", n_splits, 2)
        check_fold_options(n_splits, 1, tolerance, on_infeasible)
        _check_random_state(random_state)
        self.n_splits = n_splits
        self.similarity = similarity
        self.threshold = threshold
        self.on = on
        self.combine = combine
        self.share = share
        self.missing = missing
        self.tolerance = tolerance
        self.on_infeasible = on_infeasible
        self.random_state = random_state

    def _split(
        self, rows: Any, classes: NDArray[Any] | None, groups: NDArray[Any] | None
    ) -> Iterator[tuple[Positions, Positions]]:
        try:
            folds = fold_by_similarity(
                rows,
                on=_compared_columns(rows, self.on),
                similarity=self.similarity,
                threshold=self.threshold,
                combine=self.combine,
                share=self.share,
                folds=self.n_splits,
                stratify=classes,
                groups=groups,
                missing=self.missing,
                on_infeasible=self.on_infeasible,
                tolerance=self.tolerance,
                certify=False,  # nobody would see the certificate here
                seed=self.random_state,
                progress=False,
            )
        except (InputError, InfeasibleSplitError) as error:
            error.args = (str(error).replace("folds=", "n_splits="),)  # as the argument is called here
            raise
        yield from folds


class StratifiedSimilarityKFold(SimilarityKFold):
    """K-fold cross-validation in which no two similar rows are in different folds, classes balanced.

    As `SimilarityKFold`, and the classes in `y` are balanced over the folds as far as whole clusters allow. A
    class that is in one cluster only, so that one fold trains without it, is warned of.

    Parameters
    ----------
    n_splits, similarity, threshold, on, combine, share, missing, tolerance, on_infeasible, random_state
        As for `SimilarityKFold`.

    Examples
    --------
    >>> X, y = np.repeat(np.eye(8), 2, axis=0), np.repeat([0, 1], 8)
    >>> [np.bincount(y[test]).tolist() for _, test in StratifiedSimilarityKFold(n_splits=2, threshold=0.9).split(X, y)]
    [[4, 4], [4, 4]]
    """

    stratified = True


class SimilarityShuffleSplit(_SimilaritySplitter):
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
        check_fold_options(2, 1, tolerance, on_infeasible)
        _check_random_state(random_state)
        for name, size in (("test_size", test_size), ("train_size", train_size)):
            if size is not None:
                _check_size(name, size)
        self.n_splits = n_splits
        self.test_size = test_size
        self.train_size = train_size
        self.stratify = stratify
        self.similarity = similarity
        self.threshold = threshold
        self.on = on
        self.combine = combine
        self.share = share
        self.missing = missing
        self.tolerance = tolerance
        self.on_infeasible = on_infeasible
        self.random_state = random_state

    @property
    def stratified(self) -> bool:  # type: ignore[override]
        """Whether `y` is looked at."""
        return self.stratify

    def _split(
        self, rows: Any, classes: NDArray[Any] | None, groups: NDArray[Any] | None
    ) -> Iterator[tuple[Positions, Positions]]:
        on = _compared_columns(rows, self.on)
        graph = similarity_graph(
            rows,
            on=on,
            similarity=self.similarity,
            threshold=self.threshold,
            combine=self.combine,
            share=self.share,
            missing=self.missing,
            seed=self.random_state,
            progress=False,
        )
        sizes = self._sizes(graph.n_rows)
        for number in range(self.n_splits):
            split = split_by_similarity(
                rows,
                on=on,
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


def _compared_columns(rows: Any, on: str | Sequence[str] | None) -> str | Sequence[str] | None:
    """Return `on`; without it all columns of a table of numbers, since `X` holds nothing but features."""
    if on is not None:
        return on
    source = open_source(rows)
    names = list(source.column_names)
    numbers = all(role_of(source.column_type(name)) == "number" for name in names)
    return names if names and numbers else None


def _check_random_state(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise InputError(
            f"random_state must be a whole number of at least 0, got {value!r}; the same number gives the same splits"
            " in each call, which scikit-learn's comparisons rely on"
        )


def _check_size(name: str, value: object) -> None:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    share = isinstance(value, (float, np.floating))
    if not (whole and value >= 1) and not (share and 0 < value < 1):  # type: ignore[operator]
        raise InputError(f"{name} must be a share in (0, 1) or a number of rows of at least 1, got {value!r}")


def _rows_of(size: float, n_rows: int) -> int:
    return int(size) if isinstance(size, (int, np.integer)) else max(1, round(size * n_rows))
