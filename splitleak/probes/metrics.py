"""The caller's metric of predictions, and how far each row moves it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError, did_you_mean
from splitleak.probes.context import Target

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

AREAS = ("roc_auc", "roc_auc_ovr")


@dataclass(frozen=True)
class Metric:
    """A score of predictions, higher is better.

    Attributes
    ----------
    name : str
        scikit-learn's name of it.
    value : callable
        ``(predictions, outcome) -> float``; classes: probabilities and class codes. Raises ValueError where it is
        not defined, such as for one class.
    influence : callable or None
        ``(predictions, outcome) -> array`` with one number per row, whose sum of squares is the variance of the
        score; None: by bootstrap.
    """

    name: str
    value: Callable[[Floats, Any], float]
    influence: Callable[[Floats, Any], Floats] | None


def metric_of(name: str | None, target: Target) -> Metric:
    """Return the metric of a scorer's name; without one the area under the ROC curve, or R2."""
    regression = target.task == "regression"
    if not regression and (name is None or name in AREAS):
        own = "roc_auc" if target.task == "binary" else "roc_auc_ovr"
        return Metric(own, lambda p, y: float(_areas(p, y)[0]), lambda p, y: _areas(p, y)[1])
    if regression and name in (None, "r2"):
        return Metric("r2", lambda p, y: _explained(p, y)[0], lambda p, y: _explained(p, y)[1])
    assert name is not None
    if regression or not _of_numbers(name):
        return Metric(name, _scored(name, regression=regression, n_classes=len(target.levels)), None)
    if not all(isinstance(level, (int, float)) for level in target.levels):
        raise ValueError("it scores numbers")
    # few whole numbers are classes to the model, and numbers to the metric: it scores their expectation
    levels, scored = np.array(target.levels, dtype=np.float64), _scored(name, regression=True, n_classes=0)
    return Metric(name, lambda p, y: scored(p @ levels, levels[y]), None)


def _of_numbers(name: str) -> bool:
    return name in ("r2", "explained_variance", "max_error", "neg_max_error") or (
        name.startswith(("neg_mean_", "neg_median_", "neg_root_mean_", "d2_"))
        and name not in ("d2_log_loss_score", "d2_brier_score")
    )


def check_metric_name(name: Any) -> None:
    """Refuse what is no scorer's name of scikit-learn."""
    if name is None:
        return
    from sklearn.metrics import get_scorer_names

    known = get_scorer_names()
    if not isinstance(name, str) or name not in known:
        raise InputError(
            f"metric must be a scorer's name of scikit-learn such as 'roc_auc', 'accuracy', 'f1_macro' or 'r2', got"
            f" {name!r}{did_you_mean(name, known)}"
        )


def check_metric_fits(name: str | None, target: Target | None) -> None:
    """Refuse a metric that cannot score this kind of target, by scoring predictions made up for it."""
    if name is None or target is None:
        return
    rng = np.random.default_rng(0)
    if target.task == "regression":
        what, instead = "a number", "'r2' or 'neg_mean_absolute_error'"
        outcome: Any = rng.uniform(1, 2, 30)
        predictions = outcome + rng.uniform(0, 0.1, 30)
    else:
        k = len(target.levels)
        what = f"{k} classes"
        instead = "'roc_auc' or 'accuracy'" if k == 2 else "'roc_auc_ovr', 'accuracy' or 'f1_macro'"
        outcome = np.tile(np.arange(k), 10)
        predictions = rng.dirichlet(np.ones(k), len(outcome))
    reason = ""
    try:
        if np.isfinite(metric_of(name, target).value(predictions, outcome)):
            return
    except (ValueError, TypeError, AttributeError) as error:  # what scikit-learn raises for the wrong kind
        reason = f" ({str(error).splitlines()[0][:120]})"
    raise InputError(
        f"metric={name!r} cannot score target={target.name!r}, which is {what}{reason}; use {instead}"
    )


def _areas(probabilities: Floats, codes: Ints) -> tuple[float, Floats]:
    """Return the mean area under the ROC curve of each class against the rest, and the rows' influence on it.

    Two classes: that of the second. Classes without rows, or with all of them, are left out. The sum of squares of
    the influences is DeLong's variance (DeLong et al. 1988), for several classes that of the mean of their areas.
    """
    from splitleak.statistics import auc

    ks = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    areas = [
        auc(probabilities[:, k], codes == k) for k in ks if 0 < np.count_nonzero(codes == k) < len(codes)
    ]
    if not areas:
        raise ValueError("only one class is there")
    return float(np.mean([a.value for a in areas])), np.mean([a.influence for a in areas], axis=0)


def _explained(predictions: Floats, outcome: Floats) -> tuple[float, Floats]:
    """Return R2 and the rows' influence on it."""
    n = len(outcome)
    spread = (outcome - outcome.mean()) ** 2
    variance = spread.mean()
    if n < 2 or variance <= 0:
        raise ValueError("the outcome is constant")
    errors = (outcome - predictions) ** 2
    ratio = errors.mean() / variance
    return float(1 - ratio), (-(errors - errors.mean()) + ratio * (spread - variance)) / variance / n


def _scored(name: str, *, regression: bool, n_classes: int) -> Callable[[Floats, Any], float]:
    """Return a scorer of scikit-learn as a function of predictions."""
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.metrics import get_scorer

    class Told(BaseEstimator):  # type: ignore[misc]
        """A fitted model that predicts what it was told: its input is the prediction."""

        def __sklearn_is_fitted__(self) -> bool:
            return True

    class ToldNumbers(RegressorMixin, Told):  # type: ignore[misc]
        def predict(self, x: Floats) -> Floats:
            return x[:, 0]

    class ToldClasses(ClassifierMixin, Told):  # type: ignore[misc]
        classes_ = np.arange(n_classes)

        def predict(self, x: Floats) -> Ints:
            return np.asarray(np.argmax(x, axis=1), dtype=np.int64)

        def predict_proba(self, x: Floats) -> Floats:
            return x

    scorer, model = get_scorer(name), ToldNumbers() if regression else ToldClasses()

    def value(predictions: Floats, outcome: Any) -> float:
        with warnings.catch_warnings():  # such as a class that is never predicted: a score of 0, no news
            warnings.simplefilter("ignore")
            return float(scorer(model, predictions.reshape(len(outcome), -1), outcome))

    return value
