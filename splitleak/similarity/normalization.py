"""When two texts are the same text: the one normalisation that every measure on text shares."""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray

from splitleak.kernels.folding import NOT_ASCII, fold, folded_lengths
from splitleak.kernels.shingles import read_only


def normalize_one(text: str) -> str:
    """Return the normalised form of one text: what `normalize_text` means, row by row.

    Compatibility forms are unified (Unicode NFKC: full-width letters, ligatures, composed accents), case is
    folded (``str.casefold``: "ß" = "ss"), runs of whitespace become one space, and none is left at the ends.
    Punctuation, accents and the order of words stay.

    Examples
    --------
    >>> normalize_one("  Stra\u00dfe\u00a0\tOPEN ")
    'strasse open'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def normalize_text(
    buffer: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return texts in the form in which they are compared (see `normalize_one`).

    Parameters
    ----------
    buffer, offsets : uint8 and int64 arrays
        Text i is ``buffer[offsets[i]:offsets[i + 1]]``, in UTF-8.

    Returns
    -------
    buffer, offsets : uint8 and int64 arrays
        New arrays of the same meaning; offsets start at 0.
    """
    buffer, offsets = read_only(buffer), read_only(offsets)
    length = np.empty(len(offsets) - 1, dtype=np.int64)
    folded_lengths(buffer, offsets, length)
    is_other = length == NOT_ASCII
    # Python's own Unicode tables for the few rows that need them; all other rows never become objects
    others = [
        normalize_one(buffer[offsets[row] : offsets[row + 1]].tobytes().decode("utf-8", "replace")).encode()
        for row in np.flatnonzero(is_other)
    ]
    length[is_other] = [len(text) for text in others]
    starts = np.concatenate([[0], np.cumsum(length)])
    folded = np.empty(starts[-1], dtype=np.uint8)
    other = read_only(np.frombuffer(b"".join(others), dtype=np.uint8))
    fold(buffer, offsets, other, is_other, folded, starts)
    return folded, starts
