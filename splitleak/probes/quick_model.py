"""A quick model of mixed columns: what a score would be, and which labels it would contradict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

USABLE = ("numeric", "category", "time", "text", "vector")
_MOST_COLUMNS = 200  # of a wider table as many are drawn by chance
_MOST_DIMENSIONS = 256  # of a vector column
_HASHED = 2**14  # words of a text column are counted in as many bins,
_WORDS = 60  # of which the forest sees those that say most about the target in the rows it is fitted on
_CHARACTERS = 2_000  # of a text


def usable_columns(context: AuditContext, always: Sequence[str] = ()) -> list[AuditColumn]:
    """Return the columns a quick model sees, in an order that their names set: all, or a draw with `always` in it."""
    columns = sorted(context.of_kind(*USABLE), key=lambda column: column.name)
    if len(columns) <= _MOST_COLUMNS:
        return columns
    drawn = context.rng("quick model").choice(len(columns), _MOST_COLUMNS, replace=False)
    kept = set(drawn.tolist()) | {i for i, column in enumerate(columns) if column.name in always}
    return [columns[i] for i in sorted(kept)]


def predict(
    context: AuditContext,
    columns: Sequence[AuditColumn],
    fit: Ints,
    score: Ints,
    *,
    trees: int = 80,
    leaf: int = 1,
) -> Floats:
    """Fit extremely randomised trees (Geurts et al. 2006) on some rows and predict others.

    Parameters
    ----------
    context : AuditContext
        With a target.
    columns : sequence of AuditColumn
        Of `usable_columns`; without any, what is predicted is the same for all rows.
    fit, score : int64 arrays
        Rows with a known target; rows to predict.
    trees, leaf : int
        Number of trees, least rows of a leaf.

    Returns
    -------
    float64 array
        Classes: shape (len(score), n_classes), probabilities (0 for a class that no fitted row has). Numbers: shape
        (len(score),).
    """
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    target = context.target
    assert target is not None
    regression = target.task == "regression"
    x_fit, x_score = _features(context, columns, fit, score)
    options: dict[str, Any] = {
        "n_estimators": trees,
        "min_samples_leaf": leaf,
        "max_features": 0.5 if x_fit.shape[1] < 30 else max(1, round(2 * x_fit.shape[1] ** 0.5)),
        "random_state": context.seed % 2**32,
    }
    if regression:
        if not x_fit.shape[1]:
            return np.full(len(score), target.values[fit].mean())
        # in units of their spread: trees stop where what is left of the variance is tiny, and it may be so at first
        middle, spread = target.values[fit].mean(), target.values[fit].std() or 1.0
        model = ExtraTreesRegressor(**options).fit(x_fit, (target.values[fit] - middle) / spread)
        return np.asarray(model.predict(x_score) * spread + middle, dtype=np.float64)
    out = np.zeros((len(score), len(target.levels)))
    present, counts = np.unique(target.codes[fit], return_counts=True)
    if not x_fit.shape[1] or len(present) < 2:
        out[:, present] = counts / counts.sum()
        return out
    classifier = ExtraTreesClassifier(**options).fit(x_fit, target.codes[fit])
    out[:, present] = classifier.predict_proba(x_score)
    return out


def predict_out_of_fold(
    context: AuditContext, columns: Sequence[AuditColumn], rows: Ints, folds: Ints, **options: int
) -> Floats:
    """Predict each of `rows` by a model of the rows of other folds; shapes as in `predict`."""
    found: Floats | None = None
    for fold in np.unique(folds):
        inside = folds == fold
        part = predict(context, columns, rows[~inside], rows[inside], **options)
        if found is None:
            found = np.zeros((len(rows), *part.shape[1:]))
        found[inside] = part
    assert found is not None
    return found


def _features(
    context: AuditContext, columns: Sequence[AuditColumn], fit: Ints, score: Ints
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows = np.concatenate([fit, score])  # coded together: a missing value has one code
    plain = [column for column in columns if column.kind in ("numeric", "category", "time")]
    parts = [context.matrix(plain, rows)] if plain else []
    for column in columns:
        if column.kind == "vector":
            parts.append(vector_features(context, column)[rows])
        elif column.kind == "text":
            parts.append(_words(context, column, fit, rows))
    if not parts:
        empty = np.zeros((len(rows), 0), dtype=np.float32)
        return empty[: len(fit)], empty[len(fit) :]
    x = np.hstack(parts)
    return x[: len(fit)], x[len(fit) :]


def vector_features(context: AuditContext, column: AuditColumn) -> NDArray[np.float32]:
    """Return a vector column as numbers side by side for a forest; of many dimensions a draw."""
    key = f"quick model vectors {column.name}"
    if key not in context.memo:
        matrix = column.matrix()
        dense = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
        if dense.shape[1] > _MOST_DIMENSIONS:
            kept = context.rng("quick model vectors").choice(dense.shape[1], _MOST_DIMENSIONS, replace=False)
            dense = dense[:, np.sort(kept)]
        finite = np.nan_to_num(dense.astype(np.float64), nan=0.0, posinf=1e30, neginf=-1e30)
        context.memo[key] = np.clip(finite, -1e30, 1e30).astype(np.float32)
    found: NDArray[np.float32] = context.memo[key]
    return found


def _words(context: AuditContext, column: AuditColumn, fit: Ints, rows: Ints) -> NDArray[np.float32]:
    """Return how often the words that tell most about the target stand in each row, per words of the row."""
    from sklearn.feature_extraction.text import HashingVectorizer

    assert column.column is not None
    assert context.target is not None
    texts = [("" if t is None else str(t))[:_CHARACTERS] for t in column.column.take(rows).to_pylist()]
    vectorizer = HashingVectorizer(
        n_features=_HASHED, alternate_sign=False, norm="l2", token_pattern=r"(?u)\b\w+\b"
    )
    counted = vectorizer.transform(texts)
    fitted = counted[: len(fit)]
    if context.target.task == "regression":
        outcome = context.target.values[fit][:, None]
    else:
        outcome = np.eye(len(context.target.levels))[context.target.codes[fit]]
    centred = outcome - outcome.mean(axis=0)
    weight = np.asarray(fitted.power(2).sum(axis=0)).ravel()
    told = (np.asarray(fitted.T @ centred) ** 2).sum(axis=1) / np.maximum(weight, 1.0)
    best = np.sort(np.argsort(-told, kind="stable")[:_WORDS])
    return np.asarray(counted[:, best].toarray(), dtype=np.float32)
