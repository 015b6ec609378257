"""Karlin-Altschul parameters of scores that nobody has published, from alignments of random sequences.

Best local scores of pairs of random sequences of one length are fitted by the discrete extreme value law with effective
lengths, ``P(S >= x) = 1 - exp(-K (L - a x - b)^2 exp(-lambda x))``, by maximum likelihood; a and b from a regression of
the lengths of alignments on their scores (Altschul, Bundschuh, Olsen and Hwa 2001).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError
from splitleak.kernels.alignment import LOCAL, Sequences
from splitleak.kernels.banded_alignment import Scores, align, local_scores
from splitleak.similarity.karlin_altschul import AMINO_ACIDS, Gumbel

_LENGTH = 1_200  # letters of the random sequences
_PAIRS = 20_480  # whose scores are fitted: lambda to within a percent
_ALIGNED = 1_024  # of them in full, for the lengths of alignments
_LANES = 64
_GROWTH = 2.0  # mean score at four times the length: 1.3-1.5 where scores grow with the logarithm, 4 with the length


class _Random(NamedTuple):
    """Random sequences and pairs of them: of each right sequence 64 left ones."""

    sequences: Sequences
    left: NDArray[np.int64]
    right: NDArray[np.int64]


def fitted(
    weights: NDArray[np.int64], identical: NDArray[np.bool_], gap_open: int, gap_extend: int
) -> Gumbel:
    """Return the parameters of a matrix of scores (its first 20 letters are amino acids, or 4 nucleotides).

    Raises
    ------
    InputError
        Scores of unrelated sequences grow with their lengths: there are no E-values then.
    """
    return _fitted(weights.tobytes(), identical.tobytes(), gap_open, gap_extend)


@lru_cache(maxsize=8)
def _fitted(weights: bytes, identical: bytes, gap_open: int, gap_extend: int) -> Gumbel:
    same = np.frombuffer(identical, dtype=np.bool_)
    table = np.frombuffer(weights, dtype=np.int64).reshape(len(same), len(same))
    scores = Scores(table, same, gap_open, gap_extend)
    frequencies = np.array(AMINO_ACIDS if len(same) > 20 else [1.0] * 4)
    rng = np.random.default_rng(0)
    _check_phase(scores, frequencies, rng)
    made = _random(frequencies, rng, _LENGTH, _PAIRS)
    score = local_scores(made.sequences, scores, made.left, made.right)
    part = slice(0, _ALIGNED)
    aligned = align(made.sequences, scores, LOCAL, made.left[part], made.right[part])
    alpha, beta = np.polyfit(aligned.score, aligned.columns, 1)
    rate, log_k = _most_likely(score, float(alpha), float(beta))
    return Gumbel(rate, float(np.exp(log_k)), float(alpha), float(beta), source="estimated")


def _check_phase(scores: Scores, frequencies: NDArray[np.float64], rng: np.random.Generator) -> None:
    means = []
    for length in (200, 800):
        made = _random(frequencies, rng, length, 4 * _LANES)
        means.append(local_scores(made.sequences, scores, made.left, made.right).mean())
    if means[0] <= 0 or means[1] > _GROWTH * means[0]:
        raise InputError(
            "measure='evalue' needs scores at which unrelated sequences align by short stretches only; with this"
            f" matrix= and gap_open={scores.gap_open}, gap_extend={scores.gap_extend} random sequences of 200 letters"
            f" score {means[0]:.0f} and of 800 letters {means[1]:.0f}: raise the costs of gaps, or take measure='score'"
        )


def _random(frequencies: NDArray[np.float64], rng: np.random.Generator, length: int, n_pairs: int) -> _Random:
    rights = n_pairs // _LANES
    lefts = min(10 * _LANES, n_pairs)
    n = lefts + rights
    codes = rng.choice(len(frequencies), size=n * length, p=frequencies / frequencies.sum()).astype(np.uint8)
    none = np.empty(0, dtype=np.int64)
    right = np.repeat(np.arange(rights) + lefts, _LANES)
    left = (np.arange(rights)[:, None] * _LANES + np.arange(_LANES)).reshape(-1) % lefts
    starts = np.arange(n + 1, dtype=np.int64) * length
    return _Random(Sequences(codes, none.astype(np.uint8), starts, none), left, right)


def _most_likely(score: NDArray[np.int64], alpha: float, beta: float) -> tuple[float, float]:
    """Return lambda and ln K of the highest likelihood."""
    from scipy.optimize import minimize

    value, count = np.unique(score, return_counts=True)

    def exceeding(x: NDArray[np.int64], rate: float, log_k: float) -> NDArray[np.float64]:
        free = np.maximum(_LENGTH - np.maximum(alpha * x + beta, 0), 1)
        return np.asarray(np.exp(np.minimum(log_k + 2 * np.log(free) - rate * x, 50)))

    def loss(parameters: NDArray[np.float64]) -> float:
        rate, log_k = float(np.exp(parameters[0])), float(parameters[1])
        share = np.exp(-exceeding(value + 1, rate, log_k)) - np.exp(-exceeding(value, rate, log_k))
        return -float((count * np.log(np.maximum(share, 1e-300))).sum())

    rate = np.pi / (np.sqrt(6) * score.std())
    start = [np.log(rate), rate * (score.mean() - 0.5772 / rate) - 2 * np.log(_LENGTH)]
    found = minimize(
        loss, start, method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-4, "maxiter": 2000}
    )
    return float(np.exp(found.x[0])), float(found.x[1])
