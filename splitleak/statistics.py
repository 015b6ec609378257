"""What chance would do: adjusted p-values, intervals, and the area under the ROC curve with its error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_OUT_OF_REACH = 0.99865  # p-value of a test three standard errors on the innocent side


def holm(p_values: ArrayLike) -> Floats:
    """Return Holm's adjusted p-values, which control the chance of any false alarm (Holm 1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, steps)
    return adjusted


def holm_in_reach(p_values: ArrayLike) -> Floats:
    """Return Holm's adjusted p-values over the tests of a composite null that are near its limit; 1 for the others.

    Of "the true value is at most a limit", a test more than three standard errors below the limit cannot raise a false
    alarm and need not be paid for (Hansen 2005 leaves such hypotheses out for the same reason).

    Examples
    --------
    >>> holm_in_reach([0.01, 0.5, 0.9999, 1.0]).tolist()
    [0.02, 0.5, 1.0, 1.0]
    """
    p = np.asarray(p_values, dtype=np.float64)
    near = p <= _OUT_OF_REACH
    adjusted = np.ones(len(p))
    adjusted[near] = holm(p[near])
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Return q-values: the false discovery rate at which each test would be called (Benjamini & Hochberg 1995).

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    p = np.asarray(p_values, dtype=np.float64)
    n = len(p)
    order = np.argsort(p, kind="stable")
    steps = np.minimum.accumulate((p[order] * n / np.arange(1, n + 1))[::-1])[::-1]
    adjusted = np.empty(n)
    adjusted[order] = np.minimum(1.0, steps)
    return adjusted


def wilson_interval(successes: float, trials: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a proportion (Wilson 1927).

    Examples
    --------
    >>> tuple(round(x, 3) for x in wilson_interval(8, 10))
    (0.49, 0.943)
    """
    if trials <= 0:
        return (0.0, 1.0)
    z = normal_quantile(0.5 + level / 2)
    share = successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    return (max(0.0, middle - half), min(1.0, middle + half))


def normal_quantile(share: float) -> float:
    """Return the quantile of the standard normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(share))


def normal_tail(z: float) -> float:
    """Return P(N(0, 1) > z)."""
    return 0.5 * math.erfc(z / math.sqrt(2))


@dataclass(frozen=True)
class Auc:
    """An area under the ROC curve in [0, 1], with its standard error (DeLong et al. 1988).

    `influence` is that of each row on the area; the sum of its squares is DeLong's variance. `least` is what the error
    is at least: that of an area half a pair short of one.
    """

    value: float
    error: float
    influence: Floats
    least: float = 0.5

    @classmethod
    def unknown(cls, n: int) -> Auc:
        """Return the area of no pair at all."""
        return cls(0.5, 0.5, np.zeros(n))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the normal interval, cut to [0, 1]."""
        half = normal_quantile(0.5 + level / 2) * self.error
        return (max(0.0, self.value - half), min(1.0, self.value + half))

    def p_above(self, limit: float) -> float:
        """Return the p-value of "the true area is at most `limit`"."""
        return normal_tail((self.value - limit) / max(self.error, 1e-9))


def auc(scores: ArrayLike, positive: ArrayLike) -> Auc:
    """Return the area under the ROC curve; ties count one half.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Higher means more likely positive.
    positive : bool array-like of shape (n,)
        At least one positive and one negative.

    Notes
    -----
    The error is DeLong's, but at least that of an area half a pair short of one: a perfect ranking of few rows is
    no certainty.

    Examples
    --------
    >>> found = auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    >>> found.value
    0.75
    """
    from scipy.stats import rankdata

    s = np.asarray(scores, dtype=np.float64)
    y = np.asarray(positive, dtype=bool)
    m, n = int(y.sum()), int((~y).sum())
    ranks = rankdata(s)
    placed = np.empty(len(s))
    placed[y] = (ranks[y] - rankdata(s[y])) / n
    placed[~y] = 1 - (ranks[~y] - rankdata(s[~y])) / m
    return _area(placed, y, float(placed[y].mean()), np.ones(len(s), dtype=bool))


def _area(placed: Floats, y: NDArray[np.bool_], value: float, counted: NDArray[np.bool_]) -> Auc:
    """Return an area from the placement of each row among those of the other side."""
    influence = np.zeros(len(placed))
    sizes = []
    for side in (y & counted, ~y & counted):
        m = int(side.sum())
        sizes.append(m)
        if m > 1:
            influence[side] = (placed[side] - placed[side].mean()) / math.sqrt(m * (m - 1))
    least = hanley_mcneil_error(min(value, 1 - 0.5 / len(placed)), sizes[0], sizes[1]) / 2
    return Auc(value, max(math.sqrt(float((influence**2).sum())), least), influence, least)


def auc_within(scores: ArrayLike, positive: ArrayLike, strata: ArrayLike) -> Auc:
    """Return the area under the ROC curve over pairs of one stratum each, as of rows scored out of fold by fold.

    Across folds, rows of one level of a category do not tie: a positive that is held out lowers the level's mean for
    itself, not for the others, which pulls the pooled area down. Strata without a pair count for nothing.

    Examples
    --------
    >>> auc_within([0.1, 0.4, 0.9, 0.8], [False, True, True, False], [0, 0, 1, 1]).value
    1.0
    """
    from scipy.stats import rankdata

    s = np.asarray(scores, dtype=np.float64)
    y = np.asarray(positive, dtype=bool)
    label = np.asarray(strata)
    placed, counted = np.zeros(len(s)), np.zeros(len(s), dtype=bool)
    for stratum in np.unique(label):
        inside = np.flatnonzero(label == stratum)
        side = y[inside]
        m, n = int(side.sum()), int((~side).sum())
        if m and n:
            above, below = inside[side], inside[~side]
            ranks = rankdata(s[inside])
            placed[above] = (ranks[side] - rankdata(s[above])) / n
            placed[below] = 1 - (ranks[~side] - rankdata(s[below])) / m
            counted[inside] = True
    if not counted.any():
        return Auc.unknown(len(s))
    value = float((placed[y & counted].mean() + placed[~y & counted].mean()) / 2)
    return _area(placed, y, value, counted)


def mean_auc(scores: Floats, codes: NDArray[np.int64], strata: ArrayLike | None = None) -> Auc:
    """Return the area under the ROC curve: of two classes that of the second, of more the mean of one against the rest.

    The error of a mean is that of the rows' joint influence on all of its areas. Classes with fewer than two rows, or
    with all but one, are left out. With `strata`, pairs of rows of one stratum are compared.

    Examples
    --------
    >>> mean_auc(np.eye(3)[[0, 0, 1, 1, 2, 2]], np.array([0, 0, 1, 1, 2, 2])).value
    1.0
    """
    found = [
        auc(scores[:, k], codes == k) if strata is None else auc_within(scores[:, k], codes == k, strata)
        for k in ([1] if scores.shape[1] == 2 else range(scores.shape[1]))
        if 2 <= np.count_nonzero(codes == k) <= len(codes) - 2
    ]
    if not found:
        return Auc.unknown(len(codes))
    influence = np.mean([a.influence for a in found], axis=0)
    least = float(np.mean([a.least for a in found]))
    error = max(math.sqrt(float((influence**2).sum())), least)
    return Auc(float(np.mean([a.value for a in found])), error, influence, least)


def hanley_mcneil_error(area: float, positives: int, negatives: int) -> float:
    """Return the standard error of an area under the ROC curve by its value alone (Hanley & McNeil 1982)."""
    q1, q2 = area / (2 - area), 2 * area * area / (1 + area)
    variance = area * (1 - area) + (positives - 1) * (q1 - area**2) + (negatives - 1) * (q2 - area**2)
    return math.sqrt(max(variance, 1e-12) / (positives * negatives))


def permutation_p(observed: float, drawn: Sequence[float] | Floats) -> float:
    """Return the share of draws at least as large as what was observed, that itself counted (Phipson & Smyth 2010)."""
    values = np.asarray(drawn, dtype=np.float64)
    return float((1 + np.count_nonzero(values >= observed)) / (1 + len(values)))
