"""Steps that draw lots: many refits with other seeds and row orders say how far fits on the same rows lie apart."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.learned_facts import BEHAVIOUR, Arrays, are_measured, behaviour, learned
from splitleak.probes.refitting import Ints, StepInput, fit_again, take_rows

_REFITS = 6  # of either kind
_SURE = 1e-4  # chance that a fit on the training rows is taken for one on all rows
_LIKELY = 0.005  # and that a fit of a kind is taken for none of it
_MOST_NUMBERS = 20_000  # of one fact
Floats = NDArray[np.float64]


def judged_by_refits(
    step: Any, given: StepInput, train: Ints, rows: Ints, shown: Ints
) -> Literal["train", "all", "unsure"]:
    """Say which refits a step is like, refits with other seeds and in other orders of the rows.

    The direction in which refits on train and on all rows differ is found from all but one of each, and the one left
    out is laid along it, as is the step: so all of them lie along directions that they had no part in. What tells the
    two kinds of refits apart best is asked, and it is chosen without a look at the step.
    """
    fits: list[list[Any]] = [[], []]
    for seed in range(1, _REFITS + 1):
        rng = np.random.default_rng(seed)
        for side, part in enumerate((train, rows)):
            fits[side].append(fit_again(step, given, rng.permutation(part), seed, every=True))
    if any(fit is None for side in fits for fit in side):
        return "unsure"
    x = take_rows(given.x, shown)
    mine = _numbers(step, x)
    sides = [[_numbers(fit, x) for fit in side] for side in fits]
    best, chosen = 0.0, None
    for name in sorted(mine):
        vectors = [[found.get(name) for found in side] for side in sides]
        if any(v is None or v.shape != mine[name].shape for side in vectors for v in side):
            continue
        along = _along(np.array(vectors[0]), np.array(vectors[1]), mine[name])
        if along is not None and along[2] > best:
            best, chosen = along[2], along
    return "unsure" if chosen is None else _verdict(chosen[0], chosen[1])


def _verdict(from_train: float, from_all: float) -> Literal["train", "all", "unsure"]:
    from scipy.stats import t

    freedom = 2 * (_REFITS - 1)
    sure, likely = float(t.isf(_SURE, freedom)), float(t.isf(_LIKELY, freedom))
    if abs(from_train) <= likely and from_all > sure:
        return "train"
    if abs(from_all) <= likely and from_train < -sure:
        return "all"
    return "unsure"


def _along(train: Floats, every: Floats, mine: Floats) -> tuple[float, float, float] | None:
    """Return how many standard errors the step lies from refits on train, on all rows, and these from one another.

    Positive is the side of the training rows.
    """
    scale = max(float(np.abs(train).max(initial=0)), float(np.abs(every).max(initial=0)))
    if not np.isfinite(scale) or scale <= 0 or not np.isfinite(mine).all():
        return None
    train, every, mine = train / scale, every / scale, mine / scale
    on_train, on_all, on_mine = (np.empty(_REFITS) for _ in range(3))
    for i in range(_REFITS):
        mean_train = np.delete(train, i, axis=0).mean(axis=0)
        mean_all = np.delete(every, i, axis=0).mean(axis=0)
        way = mean_train - mean_all
        length = float(way @ way)
        if length <= 1e-18:
            return None
        middle = (mean_train + mean_all) / 2
        on_train[i], on_all[i], on_mine[i] = ((v - middle) @ way / length for v in (train[i], every[i], mine))
    spread = float(np.sqrt((on_train.var(ddof=1) + on_all.var(ddof=1)) / 2))
    error = max(spread, 1e-9) * float(np.sqrt(1 + 1 / _REFITS))
    here = float(on_mine.mean())
    apart = float(on_train.mean() - on_all.mean())
    return (here - float(on_train.mean())) / error, (here - float(on_all.mean())) / error, apart / error


def _numbers(step: Any, x: Any) -> dict[str, Floats]:
    """Return what is measured in a step, one vector each, without counts and choices, which flip by chance."""
    found = {name: _vector(arrays) for name, arrays in learned(step).items() if are_measured(arrays)}
    chooses = hasattr(step, "get_support")  # what a selector makes of rows is its choice
    made = None if chooses else behaviour(step, x)
    if made is not None and are_measured(made):
        found[BEHAVIOUR] = _vector(made)
    for name, inner in vars(step).items():
        if name.endswith("_") and hasattr(inner, "predict"):
            made = _inner_behaviour(step, inner, x)
            if made is not None and are_measured(made):
                found[f"{name} {BEHAVIOUR}"] = _vector(made)
    return {name: vector for name, vector in found.items() if len(vector)}


def _inner_behaviour(step: Any, inner: Any, x: Any) -> Arrays | None:
    width = x.shape[1] if getattr(x, "ndim", 1) == 2 else None
    expected = getattr(inner, "n_features_in_", width)
    if width is not None and expected != width:
        support = (
            np.flatnonzero(step.get_support()) if hasattr(step, "get_support") else np.zeros(0, dtype=int)
        )
        if len(support) != expected:
            return None
        x = x.iloc[:, support] if hasattr(x, "iloc") else x[:, support]
    return behaviour(inner, x)


def _vector(arrays: Arrays) -> Floats:
    flat = [np.nan_to_num(a.astype(np.float64)).ravel() for a in arrays if a.dtype.kind == "f"]
    return np.concatenate(flat)[:_MOST_NUMBERS] if flat else np.zeros(0)
