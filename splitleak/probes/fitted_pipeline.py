"""SPL116: a fitted transformer that learned from more than the training rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak.errors import InputError
from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.probes.fitted_steps import fit_again, learned, learned_from
from splitleak.probes.remedies import target_values, training_rows

Ints = NDArray[np.int64]
_VERDICTS = {
    "train": "learned from the training rows",
    "all": "learned from all rows",
    "same": "learns the same from both",
    "neither": "matches neither",
    "unknown": "learned attributes cannot be compared",
}


@probe(
    "SPL116",
    "A fitted step saw more than the training rows",
    needs=["split", "pipeline", "raw"],
    why="What a step learned from the test rows is in every training row that it transforms.",
    bound="Each step is fitted again on train and on all rows, and must be the second within 1 % of their distance.",
)
def fitted_pipeline(context: AuditContext) -> Finding:
    """Refit each step in its own input space and say which rows its learned attributes match."""
    train, rows = context.train, np.flatnonzero(context.codes >= 0)
    y = None if context.target is None else _target_values(context)
    steps: list[dict[str, Any]] = []
    _visit(context.pipeline, context.raw, y, train, rows, "", steps)
    if not steps:
        raise NotApplicable("the pipeline has no step that learns anything")
    leaking = [step for step in steps if step["verdict"] == _VERDICTS["all"]]
    unknown = [step for step in steps if step["verdict"] in (_VERDICTS["unknown"], _VERDICTS["neither"])]
    columns = list(dict.fromkeys(name for step in leaking for name in step["names"]))
    steps = [{"step": step["step"], "verdict": step["verdict"]} for step in steps]
    note = (
        f" {len(unknown)} could not be told: {', '.join(s['step'] for s in unknown[:5])}." if unknown else ""
    )
    common: dict[str, Any] = {"evidence": steps, "effect_name": "share of the steps"}
    if not leaking:
        return Finding(
            "clean", f"None of {len(steps)} fitted steps matches a fit on all rows.{note}", 0.0, **common
        )
    return Finding(
        "leak",
        f"{len(leaking)} of {len(steps)} fitted steps ({', '.join(s['step'] for s in leaking[:5])}) learned"
        f" exactly what a fit on training and held-out rows together gives, and not what training rows give.{note}",
        len(leaking) / len(steps),
        columns=columns,
        remedy=_remedy(context),
        **common,
    )


def _remedy(context: AuditContext) -> str:
    outcome = "" if context.target is None else f", {target_values(context)}[train]"
    return (
        f"import numpy as np\n{training_rows(context)}\npipeline.fit(raw[train]{outcome})  # the training rows only\n"
        "data = pipeline.transform(raw)"
    )


def _target_values(context: AuditContext) -> Any:
    target = context.target
    assert target is not None
    if target.task == "regression":
        return target.values
    levels = np.array(target.levels, dtype=object if _named(target.levels) else None)
    return levels[np.maximum(target.codes, 0)]


def _named(levels: tuple[Any, ...]) -> bool:
    return any(isinstance(level, str) for level in levels)


def _visit(step: Any, x: Any, y: Any, train: Ints, rows: Ints, path: str, found: list[dict[str, Any]]) -> Any:
    """Compare a step, or the steps in it, and return the transformed rows (None: cannot go on)."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import FeatureUnion, Pipeline

    if step is None or isinstance(step, str):  # "passthrough", "drop"
        return x
    if isinstance(step, Pipeline):
        for name, inner in step.steps:
            if x is None:
                found.append(_answer(_join(path, name), "unknown", None))
                continue
            x = _visit(inner, x, y, train, rows, _join(path, name), found)
        return x
    if isinstance(step, ColumnTransformer):
        _check_fitted(step, "transformers_", path)
        for name, inner, columns in step.transformers_:
            if not isinstance(inner, str):
                _visit(inner, _columns(x, columns), y, train, rows, _join(path, name), found)
        return _transformed(step, x)
    if isinstance(step, FeatureUnion):
        for name, inner in step.transformer_list:
            _visit(inner, x, y, train, rows, _join(path, name), found)
        return _transformed(step, x)
    if hasattr(step, "best_estimator_"):  # a search: what it chose was fitted again on the same rows
        return _visit(step.best_estimator_, x, y, train, rows, _join(path, "best_estimator_"), found)
    return _compare(step, x, y, train, rows, path or type(step).__name__, found)


def _compare(
    step: Any, x: Any, y: Any, train: Ints, rows: Ints, path: str, found: list[dict[str, Any]]
) -> Any:
    if not hasattr(step, "fit"):
        raise InputError(
            f"pipeline must be a fitted scikit-learn transformer, Pipeline or ColumnTransformer; {path} is a"
            f" {type(step).__name__} without fit"
        )
    has_learned = bool(learned(step))
    expected = getattr(step, "n_features_in_", None)
    if not has_learned and expected is None:
        if learned(fit_again(step, x, y, train)):
            raise InputError(f"pipeline step {path} is not fitted; fit it as you did for data, then pass it")
        return _transformed(step, x)  # a step that learns nothing
    width = x.shape[1] if getattr(x, "ndim", 1) == 2 else None
    if expected is not None and width is not None and width != expected:
        raise InputError(
            f"pipeline step {path} was fitted on {expected} columns and raw gives it {width}; raw must be the table"
            " that the pipeline was fitted on"
        )
    if not has_learned:
        return _transformed(step, x)
    found.append(_answer(path, learned_from(step, x, y, train, rows), x, step))
    return _transformed(step, x)


def _answer(path: str, verdict: str, x: Any, step: Any = None) -> dict[str, Any]:
    names = [str(name) for name in x.columns] if isinstance(x, pd.DataFrame) else []
    if names and hasattr(step, "get_support"):
        names = [name for name, kept in zip(names, step.get_support(), strict=True) if kept]
    return {"step": path, "verdict": _VERDICTS[verdict], "names": names}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _check_fitted(step: Any, attribute: str, path: str) -> None:
    if not hasattr(step, attribute):
        raise InputError(
            f"pipeline{' step ' + path if path else ''} is a {type(step).__name__} that is not fitted; fit it as you"
            " did for data, then pass it"
        )


def _columns(x: Any, columns: Any) -> Any:
    if isinstance(x, pd.DataFrame):
        named = isinstance(columns, str) or (
            isinstance(columns, (list, tuple, np.ndarray, pd.Index))
            and len(columns)
            and isinstance(columns[0], str)
        )
        return x[columns] if named else x.iloc[:, columns]
    return x[:, columns]


def _transformed(step: Any, x: Any) -> Any:
    if not hasattr(step, "transform"):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return step.transform(x)
        except ValueError as error:
            raise InputError(
                f"pipeline cannot transform raw: {error}; raw must be the table that it was fitted on"
            ) from error
