"""What the splitters for scikit-learn share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils.multiclass import type_of_target

from splitleak._tables import open_source
from splitleak._tables.columns import role_of
from splitleak.errors import InputError
from splitleak.folds.assignment import OnInfeasible, check_fold_options
from splitleak.search import Combine, Missing, Share

Positions = NDArray[np.int64]


class SimilaritySplitter(BaseCrossValidator):  # type: ignore[misc]  # scikit-learn has no types
    """What the splitters share: `groups` are further joins, and are asked for when metadata is routed."""

    __metadata_request__split = {"groups": True}  # noqa: RUF012 (scikit-learn's own way to say so)

    n_splits: int
    on: str | Sequence[str] | None
    similarity: Any
    threshold: float | None
    combine: Combine
    share: Share
    missing: Missing
    tolerance: float
    on_infeasible: OnInfeasible
    random_state: int
    stratified = False

    def _keep(self, **parameters: Any) -> None:
        """Keep the parameters under their names, as scikit-learn reads them again, and check what all have."""
        for name, value in parameters.items():
            setattr(self, name, value)
        check_fold_options(2, 1, self.tolerance, self.on_infeasible)
        check_random_state(self.random_state)

    def _search(self, rows: Any) -> dict[str, Any]:
        """Return the arguments that say which rows are similar."""
        return {
            "on": compared_columns(rows, self.on),
            "similarity": self.similarity,
            "threshold": self.threshold,
            "combine": self.combine,
            "share": self.share,
            "missing": self.missing,
            "progress": False,
        }

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


def compared_columns(rows: Any, on: str | Sequence[str] | None) -> str | Sequence[str] | None:
    """Return `on`; without it all columns of a table of numbers, since `X` holds nothing but features."""
    if on is not None:
        return on
    source = open_source(rows)
    names = list(source.column_names)
    numbers = all(role_of(source.column_type(name)) == "number" for name in names)
    return names if names and numbers else None


def check_random_state(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise InputError(
            f"random_state must be a whole number of at least 0, got {value!r}; the same number gives the same splits"
            " in each call, which scikit-learn's comparisons rely on"
        )
