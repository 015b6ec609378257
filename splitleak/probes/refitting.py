"""Fitting a step again on rows of the caller's choice, as its pipeline did: resamplers before it included."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class StepInput:
    """Rows as one step of a pipeline meets them.

    Attributes
    ----------
    x : table, array, sparse matrix or list
        All rows, after the steps before.
    y : array or None
        The target.
    base : object
        All rows before the first resampler (imbalanced-learn); None: there is none before.
    via : tuple
        That resampler, and the steps between it and this one: what rows go through before they are fitted on.
    """

    x: Any
    y: Any
    base: Any = None
    via: tuple[Any, ...] = ()

    def after(self, step: Any, x: Any) -> StepInput:
        """Return what the next step meets, `x` being what `step` made of all rows."""
        return replace(self, x=x, via=(*self.via, step) if self.via else ())

    def resampled(self, step: Any) -> StepInput:
        """Return what the next step meets after a resampler: the same rows, but fitted on others."""
        return replace(self, base=self.base if self.via else self.x, via=(*self.via, step))

    def fitted_on(self, rows: Ints, seed: int) -> tuple[Any, Any]:
        """Return the rows that a fit on `rows` sees, and their target."""
        x = take_rows(self.base if self.via else self.x, rows)
        y = None if self.y is None else take_rows(self.y, rows)
        for step in self.via:
            if hasattr(step, "fit_resample"):
                x, y = seeded_copy(step, seed, every=False).fit_resample(x, y)
            else:
                x = step.transform(x)
        return x, y

    def draws_lots(self, step: Any) -> bool:
        """Return whether a fit of `step` draws numbers that no seed fixes."""
        return any(unseeded(each) for each in (step, *self.via))


def fit_again(step: Any, given: StepInput, rows: Ints, seed: int = 0, *, every: bool = False) -> Any:
    """Return a copy of a step that is fitted on some rows, or None where it cannot be.

    `seed` stands for those that were not given, and with `every` for all.
    """
    copy = seeded_copy(step, seed, every=every)
    # steps that draw from NumPy's one generator must not move the caller's
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the refit: the caller has seen those of the fit
            try:
                x, y = given.fitted_on(rows, seed)
            except (TypeError, ValueError, AttributeError):
                return None
            for arguments in ((x,) if y is None else (x, y), (x,)):
                try:
                    return copy.fit(*arguments)
                except (TypeError, ValueError):
                    continue
        return None
    finally:
        np.random.set_state(state)  # noqa: NPY002


def seeded_copy(step: Any, seed: int, *, every: bool) -> Any:
    """Return an unfitted copy whose parameters `random_state` hold a seed where they held none (`every`: all)."""
    from sklearn.base import clone

    copy = clone(step)
    drawn = {
        name: seed for name, value in copy.get_params().items() if _is_seed(name) and (every or _none(value))
    }
    return copy.set_params(**drawn) if drawn else copy


def unseeded(step: Any) -> bool:
    """Return whether a step, or one within it, has a `random_state` that fixes nothing."""
    return any(_is_seed(name) and _none(value) for name, value in step.get_params().items())


def take_rows(x: Any, rows: Ints) -> Any:
    """Return some rows of a table, an array, a sparse matrix or a list."""
    if isinstance(x, (pd.DataFrame, pd.Series)):
        return x.iloc[rows]
    if isinstance(x, (list, tuple)):
        return [x[i] for i in rows]
    return x[rows]


def _is_seed(name: str) -> bool:
    return name.rpartition("__")[2] == "random_state"


def _none(value: Any) -> bool:
    return not isinstance(value, (int, np.integer))  # None, or a generator that the fit has moved on
