"""What a fitted step has learned, and what it makes of rows, as arrays that can be compared."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Arrays = list[NDArray[Any]]

BEHAVIOUR = "what it makes of rows"
_NOT_LEARNED = frozenset(
    {"feature_names_in_", "n_features_in_", "n_samples_seen_", "n_iter_", "n_features_", "n_samples_", "labels_",
     "cv_results_", "refit_time_", "loss_curve_", "n_iterations_", "fitted"}
)  # fmt: skip
_DEPTH = 8
_TEXT_COLUMNS = 50


def learned(step: Any, depth: int = 0) -> dict[str, Arrays]:
    """Return what a fitted step has learned: attributes that it has beside its parameters, as arrays."""
    found: dict[str, Arrays] = {}
    if step is None:
        return found
    for name, value in _fitted_attributes(step).items():
        flat = _flat(value, depth + 1)
        if flat is not None:
            found[name] = flat
    if getattr(step, "_fit_X", None) is not None:  # neighbours (KNNImputer): what was learned are the rows
        found["rows"] = [np.sort(_numbers(step._fit_X), axis=0)]
    if hasattr(step, "get_support"):
        found["support"] = [np.asarray(step.get_support())]
    if "idf_" not in found and getattr(step, "_tfidf", None) is not None and hasattr(step._tfidf, "idf_"):
        found["idf"] = [np.asarray(step._tfidf.idf_)]
    return found


def _fitted_attributes(step: Any) -> dict[str, Any]:
    """Return attributes of a name that ends in one underscore, and of steps from elsewhere any that are public."""
    named = {
        name: value
        for name, value in vars(step).items()
        if not name.startswith("_") and not name.endswith("__") and name not in _NOT_LEARNED
    }
    if type(step).__module__.partition(".")[0] == "sklearn":
        return {name: value for name, value in named.items() if name.endswith("_")}
    given = set(step.get_params(deep=False))
    return {name: value for name, value in named.items() if name.endswith("_") or name not in given}


def facts(step: Any, x: Any) -> dict[str, Arrays]:
    """Return what a step has learned, and under `BEHAVIOUR` what it makes of rows, where it takes them."""
    found = learned(step)
    made = behaviour(step, x)
    if made is not None:
        found[BEHAVIOUR] = made
    return found


def behaviour(step: Any, x: Any) -> Arrays | None:
    """Return predictions of rows, or inner products of what they become: signs and the order of axes fall out."""
    for name in ("transform", "predict_proba", "decision_function", "predict"):
        if not hasattr(step, name):
            continue
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                out = getattr(step, name)(x)
                return _products(out) if name == "transform" else _predictions(out)
            except (ValueError, TypeError, AttributeError, KeyError, IndexError):
                continue
    return None


def _predictions(out: Any) -> Arrays:
    if isinstance(out, list):  # several outputs
        return [array for part in out for array in _predictions(part)]
    values = np.asarray(out)
    return [values.astype(np.float64) if values.dtype.kind in "biuf" else values.astype(str)]


def _products(out: Any) -> Arrays:
    numbers, texts = _numbers_and_texts(out)
    made: Arrays = []
    if numbers is not None:
        numbers = np.arcsinh(numbers)  # a column of large numbers must not hide the others
        product = numbers @ numbers.T
        made.append(np.asarray(product.toarray() if hasattr(product, "toarray") else product, dtype=float))
    if len(texts):
        made.append(np.mean([text[:, None] == text[None, :] for text in texts[:_TEXT_COLUMNS]], axis=0))
    return made


def _numbers_and_texts(out: Any) -> tuple[Any, list[NDArray[Any]]]:
    """Return the numeric columns of what a step made, side by side, and all others as texts."""
    if hasattr(out, "tocsr"):
        return out.tocsr().astype(np.float64), []
    if hasattr(out, "to_pandas"):
        out = out.to_pandas()
    if not isinstance(out, pd.DataFrame):
        values = np.asarray(out)
        values = values.reshape(len(values), -1)
        if values.dtype != object:
            return np.nan_to_num(values.astype(np.float64)), []
        out = pd.DataFrame(values).infer_objects()
    numeric = [i for i in range(out.shape[1]) if pd.api.types.is_numeric_dtype(out.dtypes.iloc[i])]
    rest = [i for i in range(out.shape[1]) if i not in set(numeric)]
    numbers = np.nan_to_num(out.iloc[:, numeric].to_numpy(dtype=np.float64, na_value=np.nan))
    return numbers if numeric else None, [out.iloc[:, i].astype(str).to_numpy(dtype=object) for i in rest]


def distance(a: Arrays, b: Arrays) -> float:
    """Return the relative distance of two lists of arrays; 1 where they are of another form."""
    if not same_form(a, b):
        return 1.0
    square = size = 0.0
    for x, y in zip(a, b, strict=True):
        if x.dtype.kind not in "fciub" or y.dtype.kind not in "fciub":
            if not np.array_equal(x, y):
                return 1.0
            continue
        x, y = (np.nan_to_num(z.astype(np.float64), posinf=1e300, neginf=-1e300) for z in (x, y))
        scale = max(float(np.abs(x).max(initial=0)), float(np.abs(y).max(initial=0)), 1e-300)
        square += float(((x / scale - y / scale) ** 2).sum())
        size += max(float(((x / scale) ** 2).sum()), float(((y / scale) ** 2).sum()))
    return float(np.sqrt(square / size)) if size else 0.0


def same_form(a: Arrays, b: Arrays) -> bool:
    """Return whether two lists of arrays have the same shapes."""
    return len(a) == len(b) and all(x.shape == y.shape for x, y in zip(a, b, strict=True))


def are_measured(arrays: Arrays) -> bool:
    """Return whether there are numbers with fractions, which do not agree by chance as counts and names may."""
    return any(array.dtype.kind == "f" and array.size for array in arrays)


def _numbers(x: Any) -> Any:
    if hasattr(x, "tocsr"):
        return x.tocsr().astype(np.float64)
    return np.asarray(x, dtype=np.float64)


def _flat(value: Any, depth: int) -> Arrays | None:
    """Return a learned attribute as a list of arrays, or None where it is no value."""
    if depth > _DEPTH:
        return None
    if value is None or isinstance(value, (bool, int, float, str, np.generic)):
        return [np.asarray("none" if value is None else value)]
    if isinstance(value, np.ndarray) and value.dtype.names:
        return [value[name] for name in value.dtype.names]
    if isinstance(value, np.ndarray) and value.dtype != object:
        return [value]
    if hasattr(value, "tocsr"):
        rows = value.tocsr()
        rows.sort_indices()
        return [rows.data, rows.indices, rows.indptr]
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        return _flat_frame(value, depth)
    if isinstance(value, dict):
        keys = sorted(value, key=str)
        return [np.array([str(key) for key in keys]), *_joined([value[key] for key in keys], depth)]
    if isinstance(value, (set, frozenset)):
        return [np.array(sorted(str(entry) for entry in value))]
    if isinstance(value, (list, tuple, np.ndarray)):
        return _joined(list(value), depth)
    if hasattr(value, "get_params") and hasattr(value, "fit"):
        inner = learned(value, depth)
        return [array for name in sorted(inner) for array in inner[name]]
    return _flat_object(value, depth)


def _flat_frame(value: Any, depth: int) -> Arrays:
    if isinstance(value, pd.Index):
        return _joined([value.to_numpy()], depth)
    if isinstance(value, pd.Series):
        return _joined([value.index.to_numpy(), value.to_numpy()], depth)
    return _joined([value.index.to_numpy(), *(value.iloc[:, i] for i in range(value.shape[1]))], depth)


def _flat_object(value: Any, depth: int) -> Arrays | None:
    """Return what other objects hold: the nodes of a tree, the knots of a spline."""
    if callable(value) and not hasattr(value, "__array_ufunc__") and not hasattr(value, "t"):
        return None
    try:
        state = value.__getstate__()
    except Exception:
        return None
    if not isinstance(state, dict):
        return None
    return _joined([state[name] for name in sorted(state, key=str)], depth)


def _joined(values: list[Any], depth: int) -> Arrays:
    parts = [_flat(entry, depth + 1) for entry in values]
    return [array for part in parts if part is not None for array in part]
