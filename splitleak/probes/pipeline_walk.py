"""Through a fitted pipeline, step by step: each step that learns is compared in the space of its own input."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from splitleak.errors import InputError
from splitleak.probes.fitted_steps import Learned, Rows, learned_from
from splitleak.probes.learned_facts import learned
from splitleak.probes.refitting import StepInput, fit_again


@dataclass(frozen=True, eq=False)
class Answer:
    """What is known of one step: which rows it learned from, and the columns of its input."""

    path: str
    learned: Learned
    columns: tuple[str, ...] = ()


@dataclass(eq=False)
class PipelineWalk:
    """The steps of a pipeline that learn something, in order, each compared with refits.

    Attributes
    ----------
    rows : Rows
        What a step may have learned from.
    answers : list of Answer
        One for each step that learns.
    """

    rows: Rows
    answers: list[Answer] = field(default_factory=list)

    def visit(self, step: Any, given: StepInput | None, path: str = "") -> StepInput | None:
        """Compare a step, or the steps in it, and return what the next one meets (None: that cannot be told)."""
        from sklearn.compose import ColumnTransformer
        from sklearn.pipeline import FeatureUnion, Pipeline

        if step is None or isinstance(step, str):  # "passthrough", "drop"
            return given
        if isinstance(step, Pipeline):
            for name, inner in step.steps:
                given = self.visit(inner, given, _join(path, name))
            return given
        if given is None:
            self.answers.append(Answer(path, Learned("unknown")))
            return None
        if isinstance(step, ColumnTransformer):
            _check_fitted(step, "transformers_", path)
            for name, inner, columns in step.transformers_:
                if not isinstance(inner, str):
                    self.visit(inner, _columns_of(given, columns), _join(path, name))
            return _transformed(step, given)
        if isinstance(step, FeatureUnion):
            for name, inner in step.transformer_list:
                self.visit(inner, given, _join(path, name))
            return _transformed(step, given)
        if hasattr(step, "best_estimator_"):  # a search: what it chose was fitted again on the same rows
            return self.visit(step.best_estimator_, given, _join(path, "best_estimator_"))
        return self._compare(step, given, path or type(step).__name__)

    def _compare(self, step: Any, given: StepInput, path: str) -> StepInput | None:
        if hasattr(
            step, "fit_resample"
        ):  # it changes the rows that later steps are fitted on, and is no part of use
            return given.resampled(step)
        if not hasattr(step, "fit"):
            raise InputError(
                f"pipeline must be a fitted scikit-learn transformer, Pipeline or ColumnTransformer; {path} is a"
                f" {type(step).__name__} without fit"
            )
        has_learned = bool(learned(step))
        expected = getattr(step, "n_features_in_", None)
        if not has_learned and expected is None:
            if learned(fit_again(step, given, self.rows.train)):
                raise InputError(
                    f"pipeline step {path} is not fitted; fit it as you did for data, then pass it"
                )
            return _transformed(step, given)  # a step that learns nothing
        width = given.x.shape[1] if getattr(given.x, "ndim", 1) == 2 else None
        if expected is not None and width is not None and width != expected:
            raise InputError(
                f"pipeline step {path} was fitted on {expected} columns and raw gives it {width}; raw must be the table"
                " that the pipeline was fitted on"
            )
        if has_learned:
            self.answers.append(Answer(path, learned_from(step, given, self.rows), _names(step, given.x)))
        return _transformed(step, given)


def _names(step: Any, x: Any) -> tuple[str, ...]:
    names = [str(name) for name in x.columns] if isinstance(x, pd.DataFrame) else []
    if names and hasattr(step, "get_support"):
        names = [name for name, kept in zip(names, step.get_support(), strict=True) if kept]
    return tuple(names)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _check_fitted(step: Any, attribute: str, path: str) -> None:
    if not hasattr(step, attribute):
        raise InputError(
            f"pipeline{' step ' + path if path else ''} is a {type(step).__name__} that is not fitted; fit it as you"
            " did for data, then pass it"
        )


def _columns_of(given: StepInput, columns: Any) -> StepInput:
    through = [] if not given.via else [*given.via, _Chosen(columns)]
    return replace(given, x=_columns(given.x, columns), via=tuple(through))


@dataclass(frozen=True)
class _Chosen:
    """Some columns, as a step between a resampler and what is fitted on the columns."""

    columns: Any

    def transform(self, x: Any) -> Any:
        """Return them."""
        return _columns(x, self.columns)

    def get_params(self) -> dict[str, Any]:
        """Return none: there is nothing to draw."""
        return {}


def _columns(x: Any, columns: Any) -> Any:
    if not isinstance(x, pd.DataFrame):
        return x[:, columns]
    named = isinstance(columns, str) or (
        isinstance(columns, (list, tuple, np.ndarray, pd.Index))
        and len(columns)
        and isinstance(columns[0], str)
    )
    try:
        return x[columns] if named else x.iloc[:, columns]
    except (KeyError, IndexError) as error:
        raise InputError(
            f"pipeline takes columns that raw lacks ({error.args[0] if error.args else error}); raw must be the table"
            " that it was fitted on"
        ) from None


def _transformed(step: Any, given: StepInput) -> StepInput | None:
    if not hasattr(step, "transform"):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return given.after(step, step.transform(given.x))
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"pipeline cannot transform raw: {error}; raw must be the table that it was fitted on"
            ) from error


def columns_of(answers: Sequence[Answer]) -> list[str]:
    """Return the columns that these steps take, each once, in order."""
    return list(dict.fromkeys(name for answer in answers for name in answer.columns))
