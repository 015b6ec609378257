"""A split made before, as scikit-learn's PredefinedSplit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import PredefinedSplit


class HeldOutSplit(PredefinedSplit):  # type: ignore[misc]  # scikit-learn has no types
    """A `PredefinedSplit` that trains on the training partition only.

    scikit-learn's own trains on every row that is not in the fold at hand: on the rows of other held-out
    partitions and on dropped rows, too. Those are left out here.

    Parameters
    ----------
    test_fold : int array of shape (n_rows,)
        Fold in which a row is a test row; -1: in none.
    train : bool array of shape (n_rows,)
        The training rows, the same for each fold.

    Examples
    --------
    >>> splitter = HeldOutSplit([-1, -1, 0, -1], [True, True, False, False])
    >>> [(train.tolist(), test.tolist()) for train, test in splitter.split()]
    [([0, 1], [2])]
    """

    def __init__(
        self, test_fold: Sequence[int] | NDArray[np.int64], train: Sequence[bool] | NDArray[np.bool_]
    ) -> None:
        super().__init__(test_fold)
        self.train = np.asarray(train, dtype=bool)

    def split(
        self,
        X: Any = None,  # noqa: N803
        y: Any = None,
        groups: Any = None,
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Generate the row positions of training and test rows, as for `PredefinedSplit`.

        Raises
        ------
        ValueError
            `X` with another number of rows.
        """
        del y, groups
        if X is not None:
            rows = X.shape[0] if hasattr(X, "shape") else len(X)
            if rows != len(self.train):
                raise ValueError(
                    f"X has {rows:,} rows, and the split has {len(self.train):,}; hand in all rows of the split"
                )
        for fold in self.unique_folds:
            yield (
                np.flatnonzero(self.train).astype(np.int64),
                np.flatnonzero(self.test_fold == fold).astype(np.int64),
            )
