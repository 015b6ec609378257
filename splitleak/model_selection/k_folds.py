"""SimilarityKFold and StratifiedSimilarityKFold: folds in which no two similar rows are on different sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from splitleak.errors import InfeasibleSplitError, InputError
from splitleak.folds import fold_by_similarity
from splitleak.folds.assignment import OnInfeasible, check_count
from splitleak.model_selection.base import Positions, SimilaritySplitter
from splitleak.search import Combine, Missing, Share


class SimilarityKFold(SimilaritySplitter):
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
    >>> import numpy as np
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
        self._keep(
            n_splits=n_splits, similarity=similarity, threshold=threshold, on=on, combine=combine, share=share,
            missing=missing, tolerance=tolerance, on_infeasible=on_infeasible, random_state=random_state,
        )  # fmt: skip

    def _split(
        self, rows: Any, classes: NDArray[Any] | None, groups: NDArray[Any] | None
    ) -> Iterator[tuple[Positions, Positions]]:
        try:
            folds = fold_by_similarity(
                rows,
                **self._search(rows),
                folds=self.n_splits,
                stratify=classes,
                groups=groups,
                on_infeasible=self.on_infeasible,
                tolerance=self.tolerance,
                certify=False,  # nobody would see the certificate here
                seed=self.random_state,
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
    >>> import numpy as np
    >>> X, y = np.repeat(np.eye(8), 2, axis=0), np.repeat([0, 1], 8)
    >>> [np.bincount(y[test]).tolist() for _, test in StratifiedSimilarityKFold(n_splits=2, threshold=0.9).split(X, y)]
    [[4, 4], [4, 4]]
    """

    stratified = True
