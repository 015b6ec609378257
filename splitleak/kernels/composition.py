"""How much the composition of two sequences adds to the scores of their alignments.

Schäffer et al. 2001, "Improving the accuracy of PSI-BLAST protein database searches with composition-based
statistics": scores are scaled by the lambda (without gaps) of the two compositions over that of the standard one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads
from splitleak.kernels.compiling import njit

_LEAST = 0.5  # as BLAST: sequences of two letters are not scaled down without end
_STEPS = 40  # of bisection
_ADDED = 20
_JOB = 1 << 14


def letter_shares(
    codes: NDArray[np.uint8],
    starts: NDArray[np.int64],
    rows: NDArray[np.int64],
    standard: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the share of each letter in each of some sequences, shape (n_rows, n_letters).

    20 letters of the composition `standard`, shape (n_letters,), are added to each, as BLAST does where it adjusts its
    matrices: a short sequence tells little of how its kin are composed.
    """
    return np.asarray(_shares(codes, starts, rows, _ADDED * standard / standard.sum()))


def score_ratios(
    shares: NDArray[np.float64],
    weights: NDArray[np.int64],
    standard: float,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the factor in [0.5, 1] for the scores of each pair.

    Parameters
    ----------
    shares : float64 array of shape (n, n_letters)
        Of `letter_shares`.
    weights : int64 array of shape (n_letters, n_letters)
        Scores, symmetric.
    standard : float
        lambda of the standard composition, without gaps.
    left, right : int64 arrays
        Rows of `shares`.
    """
    values, place = np.unique(weights, return_inverse=True)
    place = place.reshape(weights.shape)

    def work(at: int) -> NDArray[np.float64]:
        part = slice(at, at + _JOB)
        return np.asarray(
            _ratios(shares, place, values.astype(np.float64), standard, left[part], right[part])
        )

    return np.concatenate([np.empty(0), *map_threads(work, list(range(0, len(left), _JOB)))])


@njit(nogil=True, cache=True)
def _shares(codes, starts, rows, added):  # type: ignore[no-untyped-def]
    n_letters = len(added)
    out = np.empty((len(rows), n_letters), dtype=np.float64)
    for k in range(len(rows)):
        out[k] = added
        for i in range(starts[rows[k]], starts[rows[k] + 1]):
            if codes[i] < n_letters:
                out[k, codes[i]] += 1
        out[k] /= out[k].sum()
    return out


@njit(nogil=True, cache=True)
def _ratios(shares, place, values, standard, left, right):  # type: ignore[no-untyped-def]
    n = shares.shape[1]
    weight = np.empty(len(values), dtype=np.float64)
    out = np.ones(len(left), dtype=np.float64)
    for k in range(len(left)):
        a, b = shares[left[k]], shares[right[k]]
        weight[:] = 0
        for i in range(n):
            weight[place[i, i]] += a[i] * b[i]
            for j in range(i):  # both ways at once: the same whichever sequence comes first
                weight[place[i, j]] += a[i] * b[j] + a[j] * b[i]
        if _excess(weight, values, standard) <= 0:
            continue  # a lambda of at least the standard one
        low, high = _LEAST * standard, standard
        if _excess(weight, values, low) > 0:
            out[k] = _LEAST
            continue
        for _ in range(_STEPS):
            middle = 0.5 * (low + high)
            if _excess(weight, values, middle) > 0:
                high = middle
            else:
                low = middle
        out[k] = low / standard
    return out


@njit(nogil=True, cache=True)
def _excess(weight, values, rate):  # type: ignore[no-untyped-def]
    """Return ``sum p exp(rate s) - 1``: above 0 where `rate` is larger than lambda."""
    total = -1.0
    for v in range(len(values)):
        total += weight[v] * np.exp(rate * values[v])
    return total
