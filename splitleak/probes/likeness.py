"""How alike rows with one label are in another column, beyond what trends explain: the evidence that labels name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

LEAST_ENTITIES = 10
LEAST_ALIKE = 0.1  # intraclass correlation below which nobody cares
ONE_TEST = 0.01  # chance of as alike an outcome, where others are witnesses as well
_BY_NAME = 0.8  # share of the variance between labels that must be left when trend or parts are taken out
_SPREAD = 8.0  # labels that carry the likeness (participation ratio): a few odd ones are no entities
_DOUBT = 0.2  # of that variance may be missing by chance
_BACKFITS = 8


@dataclass(frozen=True)
class Likeness:
    """Intraclass correlation of an outcome within labels, its chance, and the variance of the labels with its error."""

    alike: float
    chance: float
    variance: float = 0.0
    error: float = 0.0


def likeness(codes: Ints, outcome: NDArray[np.float64], parts: list[Ints]) -> Likeness | None:
    """Return how alike an outcome is within labels beyond the trends `parts`; None: no more than the trends explain.

    A trend, or its parts, explain much of what an honest column explains, and nothing of what a name does.
    """
    raw = _alike(codes, outcome, [])
    if raw.alike < LEAST_ALIKE or raw.chance > ONE_TEST:  # most columns: no need to ask the trends
        return None
    beyond = _alike(codes, outcome, parts) if parts else raw
    missing = _BY_NAME * raw.variance - beyond.variance
    if missing > min(beyond.error, _DOUBT * raw.variance) or _carried_by(codes, outcome, parts) < _SPREAD:
        return None
    return beyond


def _carried_by(codes: Ints, outcome: NDArray[np.float64], parts: list[Ints]) -> float:
    """Return the number of labels that carry the differences between labels: (sum c)^2 / sum c^2."""
    count = np.bincount(codes)
    shares = np.zeros(len(count))
    for y in _residual(outcome, parts).T:
        shares += count * (np.bincount(codes, y) / count) ** 2
    return float(shares.sum() ** 2 / max(float((shares**2).sum()), 1e-300))


def _alike(codes: Ints, outcome: NDArray[np.float64], parts: list[Ints]) -> Likeness:
    """Return the intraclass correlation of rows with one label, when the means of the parts' levels are taken out.

    One-way analysis of variance; with `parts`, of which each label has one level, Henderson's third method (1953):
    what large labels lose to the fitted means is allowed for.
    """
    from scipy.stats import f

    count = np.bincount(codes)
    groups, n = len(count), len(codes)
    if n - groups < 5:
        return Likeness(0.0, 1.0)
    between = within = 0.0
    for y in (_residual(outcome, parts) if parts else outcome - outcome.mean(axis=0)).T:
        means = np.bincount(codes, y) / count
        between += float((count * means**2).sum())
        within += float(((y - means[codes]) ** 2).sum())
    w = max(within / (n - groups), 1e-12 * between, 1e-300)
    lost, absorbed = 1 + sum(int(part.max()) for part in parts), float((count**2).sum()) / n
    if parts:
        if groups <= lost or float(f.sf(between / (groups - lost) / w, groups - lost, n - groups)) > ONE_TEST:
            return Likeness(0.0, 1.0)  # most: no need of the exact numbers
        lost, absorbed = _absorbed(codes, count, parts)
    freedom = groups - lost
    size = (n - absorbed) / max(freedom, 1)  # mean rows of a label, unequal sizes allowed for
    if freedom < LEAST_ENTITIES - 1 or size < 1:
        return Likeness(0.0, 1.0)
    b = between / freedom
    alike = max(0.0, (b - w) / (b + (size - 1) * w))
    error = (
        np.sqrt(2 / freedom * b**2 + 2 / (n - groups) * w**2) / size
    )  # of a difference of two mean squares
    return Likeness(alike, float(f.sf(b / w, freedom, n - groups)), max(0.0, (b - w) / size), float(error))


def _absorbed(codes: Ints, count: Ints, parts: list[Ints]) -> tuple[int, float]:
    """Return the rank of the parts' level means, and tr(Z'PZ): rows whose label they stand for."""
    from scipy.linalg import cho_factor, cho_solve

    if not parts:
        return 1, float((count**2).sum()) / len(codes)
    first = np.unique(codes, return_index=True)[1]
    design = np.concatenate(
        [np.eye(int(part.max()) + 1)[part[first]] for part in parts], axis=1
    )  # labels x levels
    weighted = design * count[:, None]
    gram = design.T @ weighted
    # constants are in every part, so that the matrix is singular: a ridge leaves the traces as they are
    factor = cho_factor(gram + 1e-9 * float(np.trace(gram)) / len(gram) * np.eye(len(gram)))
    rank = round(float(np.trace(cho_solve(factor, gram))))
    return rank, float(np.trace(cho_solve(factor, weighted.T @ weighted)))


def _residual(outcome: NDArray[np.float64], parts: list[Ints]) -> NDArray[np.float64]:
    """Return what is left of an outcome when the means of each part's levels are taken out (backfitting)."""
    left: NDArray[np.float64] = outcome - outcome.mean(axis=0)
    for _ in range(_BACKFITS if len(parts) > 1 else 1):
        for codes in parts:
            count = np.maximum(np.bincount(codes), 1)
            means = np.stack([np.bincount(codes, y) / count for y in left.T], axis=1)
            left = left - means[codes]
    return left
