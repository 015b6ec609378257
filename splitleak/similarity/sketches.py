"""MinHash sketches that interoperate with datasketch 2: permutations, signatures, and the choice of bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError

if TYPE_CHECKING:
    from datasketch import MinHash

SCHEME = "affine32"


def permutations(num_perm: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the factors ``a`` (odd) and summands ``b`` that datasketch 2 draws for its ``affine32`` scheme.

    Parameters
    ----------
    num_perm : int
        Number of permutations, at least 1.
    seed : int
        In [0, 2**32).

    Examples
    --------
    >>> a, b = permutations(4, seed=1)
    >>> bool((a % 2 == 1).all()), a.dtype.name
    (True, 'uint32')
    """
    if isinstance(num_perm, bool) or not isinstance(num_perm, (int, np.integer)) or num_perm < 1:
        raise InputError(f"num_perm must be a whole number of at least 1, got {num_perm!r}")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise InputError(f"seed must be a whole number in [0, 2**32), got {seed!r}")
    # the legacy generator, because its stream is frozen: the same numbers in every NumPy
    draw = np.random.RandomState(int(seed))
    a = draw.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return a, draw.randint(0, 1 << 32, num_perm, dtype=np.uint32)


def signatures(
    tokens: NDArray[np.uint32], starts: NDArray[np.int64], *, num_perm: int = 128, seed: int = 1
) -> NDArray[np.uint32]:
    """Return the MinHash signatures of rows of token hashes, equal to datasketch 2's bit by bit.

    Parameters
    ----------
    tokens : uint32 array
        32-bit token hashes of all rows, one row after the other (what datasketch's ``hashfunc`` returns).
    starts : int64 array of shape (n_rows + 1,)
        Row i has the tokens ``tokens[starts[i]:starts[i + 1]]``; order and repeats do not matter.
    num_perm : int
        Number of permutations, at least 1.
    seed : int
        In [0, 2**32); datasketch's default is 1.

    Returns
    -------
    uint32 array of shape (n_rows, num_perm)
        The share of columns in which two rows agree estimates their Jaccard similarity. A row without tokens
        is all 2**32 - 1.

    Raises
    ------
    InputError
        Tokens that are not 32-bit hashes, starts that do not fit them.

    Examples
    --------
    >>> import numpy as np
    >>> from datasketch import MinHash
    >>> hashes = np.array([7, 8, 9], dtype=np.uint32)
    >>> sketch = MinHash(num_perm=16, seed=1, hashfunc=int)
    >>> sketch.update_batch(hashes.tolist())
    >>> bool((signatures(hashes, np.array([0, 3]), num_perm=16)[0] == sketch.hashvalues).all())
    True
    """
    from splitleak.kernels.minhash import minhash_signatures

    tokens, starts = np.asarray(tokens), np.asarray(starts)
    if tokens.dtype != np.uint32 or tokens.ndim != 1:
        raise InputError(
            f"tokens must be a 1-D array of 32-bit hashes (uint32), got {tokens.dtype} of shape {tokens.shape};"
            " of a 64-bit hash h take (h >> 32).astype('uint32')"
        )
    fits = starts.ndim == 1 and len(starts) > 0 and np.issubdtype(starts.dtype, np.integer)
    if not fits or starts[0] != 0 or starts[-1] != len(tokens) or (np.diff(starts) < 0).any():
        raise InputError(
            f"starts must ascend from 0 to the number of tokens ({len(tokens)}), one entry more than rows, got"
            f" {starts!r}"
        )
    a, b = permutations(num_perm, seed)
    return minhash_signatures(np.ascontiguousarray(tokens), starts.astype(np.int64), a, b)


def to_datasketch(signatures: NDArray[np.uint32], *, seed: int = 1) -> list[MinHash]:
    """Return one ``datasketch.MinHash`` a row; `seed` is the one that the signatures were made with."""
    from datasketch import MinHash

    shared = np.stack(permutations(signatures.shape[1], seed))  # drawn once, not once a sketch
    return [MinHash(seed=seed, hashvalues=row, permutations=shared, scheme=SCHEME) for row in signatures]


def from_datasketch(sketches: Sequence[MinHash]) -> NDArray[np.uint32]:
    """Return the signatures of ``datasketch.MinHash`` sketches, uint32 of shape (n_sketches, num_perm).

    Raises
    ------
    InputError
        No sketches; sketches of another scheme than ``affine32`` (the default of datasketch 2), of several
        seeds, or of several numbers of permutations.
    """
    kinds = {(getattr(s, "scheme", None), s.seed, len(s)) for s in sketches}
    if len(kinds) != 1 or next(iter(kinds))[0] != SCHEME:
        found = (
            ", ".join(f"scheme={c!r} seed={s} num_perm={k}" for c, s, k in sorted(kinds, key=str)) or "none"
        )
        raise InputError(
            f"sketches must all be of datasketch 2's scheme {SCHEME!r}, one seed and one num_perm, got {found};"
            " make the others again from their tokens"
        )
    return np.stack([s.hashvalues for s in sketches])


class Banding(NamedTuple):
    """How the permutations are cut into bands: a pair is a candidate when all rows of one band agree."""

    bands: int
    rows: int

    def recall_at(self, similarity: float) -> float:
        """Return the chance in [0, 1] that a pair of this similarity becomes a candidate."""
        return (
            float(-math.expm1(self.bands * math.log1p(-(similarity**self.rows)))) if similarity < 1 else 1.0
        )


def bandings(threshold: float, recall: float, num_perm: int) -> list[Banding]:
    """Return the bandings that reach `recall` at the threshold with at most `num_perm` permutations.

    One for each number of rows a band, ascending, with the fewest bands. More rows propose fewer dissimilar
    pairs, and take more permutations for the same recall, ``1 - (1 - threshold**rows) ** bands``.

    Parameters
    ----------
    threshold : float
        Similarity in (0, 1].
    recall : float
        In (0, 1): wanted share of the pairs *at* the threshold; pairs above it are found more surely.
    num_perm : int
        Number of permutations, at least 1.

    Raises
    ------
    InputError
        A recall that so few permutations cannot reach.

    Examples
    --------
    >>> bandings(0.8, 0.999, 128)[-1]
    Banding(bands=18, rows=5)
    """
    if isinstance(recall, bool) or not isinstance(recall, (int, float)) or not 0 < recall < 1:
        raise InputError(
            f"recall must be a number in (0, 1), the wanted share of the pairs at the threshold, got {recall!r}"
            " (for all of them use similarity='jaccard')"
        )
    found = []
    for rows in range(1, num_perm + 1):
        bands = _bands_needed(threshold, rows, recall)
        if bands * rows > num_perm:
            break
        found.append(Banding(bands, rows))
    if not found:
        needed, best = _bands_needed(threshold, 1, recall), Banding(num_perm, 1).recall_at(threshold)
        raise InputError(
            f"recall={recall} at threshold={threshold} cannot be reached with num_perm={num_perm}: it needs"
            f" num_perm={needed} or more; {num_perm} reach recall={math.floor(best * 10000) / 10000}"
        )
    return found


def _bands_needed(threshold: float, rows: int, recall: float) -> int:
    p = threshold**rows
    if p >= 1:
        return 1
    if p < 1e-15:
        return 1 << 62  # more than anybody can have
    bands = max(1, math.ceil(math.log1p(-recall) / math.log1p(-p)))
    while Banding(bands, rows).recall_at(threshold) < recall:  # rounding may leave it one short
        bands += 1
    return bands
