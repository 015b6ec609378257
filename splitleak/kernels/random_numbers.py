"""Random numbers for compiled searches: whole numbers only, the same stream on every platform."""

from __future__ import annotations

import numpy as np

from splitleak.kernels.compiling import njit

LN2_PER_STEP = 0.6931471805599453 / 1024


@njit(cache=True, nogil=True, inline="always")
def random_bits(state: np.ndarray) -> np.uint64:
    """Return 64 random bits (splitmix64, Steele et al. 2014); `state` is a uint64 array of one element."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z: np.uint64 = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True, inline="always")
def random_below(state: np.ndarray, n: int) -> np.int64:
    """Return a random whole number in [0, n), n < 2**31."""
    return np.int64(((random_bits(state) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@njit(cache=True, nogil=True, inline="always")
def patience(state: np.ndarray) -> np.int64:
    """Return -log2 of a random number in (0, 1), in 1024ths, linear between powers of two.

    It takes the place of the logarithm in the rule of Metropolis, whose last bit depends on the C library.
    """
    bits = random_bits(state) | np.uint64(1)
    halvings = 0
    while bits < np.uint64(1) << np.uint64(63):
        bits <<= np.uint64(1)
        halvings += 1
    return 1024 * halvings + 1023 - np.int64((bits >> np.uint64(53)) & np.uint64(1023))


@njit(cache=True, nogil=True, inline="always")
def natural_patience(state: np.ndarray) -> float:
    """Return about -ln of a random number in (0, 1), linear between powers of two."""
    return patience(state) * LN2_PER_STEP
