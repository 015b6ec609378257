"""Which rows did a fitted step learn from? It is compared with copies of it that are fitted again."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Verdict = Literal["train", "all", "same", "neither", "unknown"]

_NOT_LEARNED = frozenset(
    {"feature_names_in_", "n_features_in_", "n_samples_seen_", "n_iter_", "n_features_", "n_samples_", "labels_",
     "cv_results_", "refit_time_", "loss_curve_", "scores_", "n_iterations_"}
)  # fmt: skip
_MATCH, _OFF = (
    0.01,
    0.3,
)  # distance to a refit as a share of that of the two refits: it is that one, it is not
_EQUAL = 1e-9  # relative distance at which the two refits are the same
_SHOWN = 100  # rows of either side that steps are applied to
_DEPTH = 8
_SEEDS = (1, 2, 3)
_MOST_SEEDED = 20_000  # rows, beyond which a step that draws lots is not fitted six times
_LIKE, _UNLIKE = 1.5, 1.2  # of how far refits with other seeds are from one another


def fit_again(step: Any, x: Any, y: Any, rows: Ints, seed: int | None = None) -> Any:
    """Return a copy of a step that is fitted on some rows, or None where it cannot be; `seed` in place of its own."""
    from sklearn.base import clone

    step = clone(step)
    drawn = {
        name: seed or 0
        for name, value in step.get_params().items()
        if _is_random(name) and (value is None or seed is not None)
    }
    if drawn:
        step.set_params(**drawn)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the refit: the caller has seen those of the fit
        for arguments in (
            (take_rows(x, rows),) if y is None else (take_rows(x, rows), take_rows(y, rows)),
            (take_rows(x, rows),),
        ):
            try:
                return step.fit(*arguments)
            except (TypeError, ValueError):
                continue
    return None


def take_rows(x: Any, rows: Ints) -> Any:
    """Return some rows of a table, an array, a sparse matrix or a list."""
    if isinstance(x, (pd.DataFrame, pd.Series)):
        return x.iloc[rows]
    if isinstance(x, (list, tuple)):
        return [x[i] for i in rows]
    return x[rows]


def learned_from(step: Any, x: Any, y: Any, train: Ints, rows: Ints) -> Verdict:
    """Say whether a fitted step learned from the training rows, or from all rows.

    It is fitted again on either, and what the three have learned and what they make of the same rows is compared. A
    solver stops a little elsewhere when rows come in another order, so a step is taken for the refit that it is a
    hundred times nearer to than the two refits are to one another. Steps that draw lots draw others when rows come in
    another order; they are compared with refits of several seeds.
    """
    of_train, of_all = fit_again(step, x, y, train), fit_again(step, x, y, rows)
    if of_train is None or of_all is None:
        return "unknown"
    shown = _shown(train, rows)
    verdict = _vote(_facts(step, x, shown), _facts(of_train, x, shown), _facts(of_all, x, shown))
    if verdict == "neither" and _draws_lots(step) and len(rows) <= _MOST_SEEDED:
        return _vote_of_seeds(step, x, y, train, rows)
    return verdict


def learned(step: Any, depth: int = 0) -> dict[str, list[NDArray[Any]]]:
    """Return what a fitted step has learned: its attributes that end in one underscore, as arrays."""
    found: dict[str, list[NDArray[Any]]] = {}
    if step is None:
        return found
    for name, value in vars(step).items():
        if name.startswith("_") or not name.endswith("_") or name.endswith("__") or name in _NOT_LEARNED:
            continue
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


def _is_random(name: str) -> bool:
    return name.rpartition("__")[2] == "random_state"


def _draws_lots(step: Any) -> bool:
    return any(_is_random(name) for name in step.get_params())


def _shown(train: Ints, rows: Ints) -> Ints:
    held = np.setdiff1d(rows, train)
    return np.concatenate([side[np.linspace(0, len(side) - 1, min(_SHOWN, len(side))).astype(np.int64)]
                           for side in (train, held) if len(side)])  # fmt: skip


def _facts(step: Any, x: Any, shown: Ints) -> dict[str, list[NDArray[Any]]]:
    found = learned(step)
    made = _made(step, x, shown)
    if made is not None:
        found["what it makes of rows"] = [made]
    return found


def _made(step: Any, x: Any, shown: Ints) -> NDArray[np.float64] | None:
    """Return what a step makes of some rows, as inner products of these: signs and the order of axes fall out."""
    for name in ("transform", "predict_proba", "decision_function", "predict"):
        if not hasattr(step, name):
            continue
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                out = _numbers(getattr(step, name)(take_rows(x, shown)))
            except (ValueError, TypeError, AttributeError, KeyError):
                continue
        if not hasattr(out, "tocsr"):
            out = np.nan_to_num(out.reshape(len(shown), -1))
        product = out @ out.T
        return np.asarray(product.toarray() if hasattr(product, "toarray") else product, dtype=np.float64)
    return None


def _numbers(x: Any) -> Any:
    if hasattr(x, "tocsr"):
        return x.tocsr().astype(np.float64)
    return np.asarray(x, dtype=np.float64)


def _vote(
    mine: dict[str, list[NDArray[Any]]],
    train: dict[str, list[NDArray[Any]]],
    everything: dict[str, list[NDArray[Any]]],
) -> Verdict:
    votes: set[str] = set()
    looked = False
    for name in mine.keys() & train.keys() & everything.keys():
        looked = True
        near_train, near_all, between = (
            _distance(mine[name], train[name]),
            _distance(mine[name], everything[name]),
            _distance(train[name], everything[name]),
        )
        if between <= _EQUAL:
            votes.add("same" if near_all <= _EQUAL else "other")
        elif near_all < _MATCH * between and near_train > _OFF * between:
            votes.add("all")
        elif near_train < _MATCH * between and near_all > _OFF * between:
            votes.add("train")
        else:
            votes.add("other")
    if not looked:
        return "unknown"
    if {"all", "train"} <= votes:
        return "neither"
    if "all" in votes:
        return "all"
    if "train" in votes:
        return "train"
    return "neither" if "other" in votes else "same"


def _vote_of_seeds(step: Any, x: Any, y: Any, train: Ints, rows: Ints) -> Verdict:
    """Compare what is made of held-out rows with what refits of several seeds make of them."""
    held = np.setdiff1d(rows, train)
    shown = held[: 2 * _SHOWN]
    mine = _made(step, x, shown)
    refits = [
        [made for seed in _SEEDS if (made := _made(fit_again(step, x, y, part, seed), x, shown)) is not None]
        for part in (train, rows)
    ]
    if mine is None or any(len(of_part) < len(_SEEDS) for of_part in refits):
        return "neither"
    near = [[_distance([mine], [made]) for made in of_part] for of_part in refits]
    apart = [
        max(_distance([a], [b]) for i, a in enumerate(of_part) for b in of_part[:i]) for of_part in refits
    ]  # fmt: skip
    for verdict, this, other in (("train", 0, 1), ("all", 1, 0)):
        if max(near[this]) <= _LIKE * apart[this] and min(near[other]) > _UNLIKE * max(near[this]):
            return "train" if verdict == "train" else "all"
    return "neither"


def _distance(a: list[NDArray[Any]], b: list[NDArray[Any]]) -> float:
    """Return the relative distance of two lists of arrays; 1 where they are of another form."""
    if len(a) != len(b) or any(x.shape != y.shape for x, y in zip(a, b, strict=True)):
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


def _flat(value: Any, depth: int) -> list[NDArray[Any]] | None:
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
    if isinstance(value, dict):
        keys = sorted(value, key=str)
        return [np.array([str(key) for key in keys]), *_joined([value[key] for key in keys], depth)]
    if isinstance(value, (list, tuple, np.ndarray)):
        return _joined(list(value), depth)
    if hasattr(value, "get_params") and hasattr(value, "fit"):
        inner = learned(value, depth)
        return [array for name in sorted(inner) for array in inner[name]]
    return _flat_object(value, depth)


def _flat_object(value: Any, depth: int) -> list[NDArray[Any]] | None:
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


def _joined(values: list[Any], depth: int) -> list[NDArray[Any]]:
    parts = [_flat(entry, depth + 1) for entry in values]
    return [array for part in parts if part is not None for array in part]
