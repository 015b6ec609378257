"""Pairs of sequences with several spaced words in common near one diagonal of their alignment.

Two related sequences share short words, and share them at nearly the same distance, save for gaps; unrelated ones
share as many words, scattered over all diagonals. Spaced words (Ma et al. 2002, PatternHunter) are hit more
independently of each other than words of neighbouring letters.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads
from splitleak.kernels.compiling import njit

_TARGETS = 512  # sequences indexed together: their counters stay in the cache
_BAND = 4  # neighbouring diagonals counted as one


class Extension(NamedTuple):
    """An ungapped alignment around a word (Altschul et al. 1990).

    Attributes
    ----------
    weights : int64 array of shape (n_letters, n_letters)
        Score of each pair of letters.
    least : int
        Score that it must reach.
    drop : int
        It ends where it falls that far behind its best.
    """

    weights: NDArray[np.int64]
    least: int
    drop: int


def word_pairs(
    codes: NDArray[np.uint8],
    starts: NDArray[np.int64],
    sides: NDArray[np.int64],
    n_letters: int,
    patterns: list[list[int]],
    needed: NDArray[np.int64],
    *,
    queries: NDArray[np.uint8] | None = None,
    rows_from: int = 0,
    extension: Extension | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs (left < right) with enough words in common within some eight neighbouring diagonals.

    Parameters
    ----------
    codes, starts, sides
        As in `splitleak.kernels.alignment.Sequences`.
    n_letters : int
        Words hold only the letters below this code (not ambiguous ones).
    patterns : list of list of int
        The places of the letters of a word, from 0; all patterns have the same number of letters.
    needed : int64 array of shape (n,)
        Words that a pair must share: the larger number of its two sequences.
    queries : uint8 array, optional
        Other letters for the right sequences, at the same places (their reverse complements).
    rows_from : int
        First of the right sequences.
    extension : Extension, optional
        What the ungapped alignment around the last of these words must score besides.
    """
    weights, least, drop = extension or (np.zeros((0, 0), dtype=np.int64), 0, 0)
    n = len(starts) - 1
    rows = codes if queries is None else queries
    shape = np.array(patterns, dtype=np.int64)
    target_keys = [_word_keys(codes, starts, place, n_letters) for place in shape]
    query_keys = (
        target_keys if queries is None else [_word_keys(rows, starts, place, n_letters) for place in shape]
    )
    n_keys = n_letters ** shape.shape[1]

    def work(first: int) -> Any:
        last = min(n, first + _TARGETS)
        begin, end = starts[first], starts[last]
        owner = np.repeat(np.arange(first, last, dtype=np.int32), np.diff(starts[first : last + 1]))
        place = (np.arange(begin, end) - starts[owner]).astype(np.int32)
        key_starts = np.empty((len(shape), n_keys + 1), dtype=np.int32)
        postings = np.empty((len(shape), end - begin, 2), dtype=np.int32)
        for p, keys in enumerate(target_keys):
            _index(keys[begin:end], owner, place, key_starts[p], postings[p])
        return _matches(
            np.stack(query_keys), starts, sides, needed, key_starts, postings, first, last, rows_from, codes, rows,
            weights, least, drop,
        )  # fmt: skip

    found = [np.empty((0, 2), dtype=np.int64), *map_threads(work, list(range(0, n, _TARGETS)))]
    pairs = np.concatenate(found)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


@njit(nogil=True, cache=True)
def _word_keys(codes, starts, places, n_letters):  # type: ignore[no-untyped-def]
    """Return the number of the word that starts at each letter; -1: none."""
    keys = np.full(len(codes), -1, dtype=np.int32)
    for s in range(len(starts) - 1):
        for i in range(starts[s], starts[s + 1] - places[-1]):
            key = 0
            for p in places:
                code = codes[i + p]
                if code >= n_letters:
                    key = -1
                    break
                key = key * n_letters + code
            keys[i] = key
    return keys


@njit(nogil=True, cache=True)
def _index(keys, owner, place, key_starts, postings):  # type: ignore[no-untyped-def]
    """Fill in where each word's postings start, and the postings: sequence and place, ascending."""
    key_starts[:] = 0
    for key in keys:
        if key >= 0:
            key_starts[key + 1] += 1
    for k in range(len(key_starts) - 1):
        key_starts[k + 1] += key_starts[k]
    filled = key_starts.copy()
    for at in range(len(keys)):
        if keys[at] >= 0:
            postings[filled[keys[at]], 0] = owner[at]
            postings[filled[keys[at]], 1] = place[at]
            filled[keys[at]] += 1


@njit(nogil=True, cache=True)
def _matches(  # type: ignore[no-untyped-def]
    query_keys,
    starts,
    sides,
    needed,
    key_starts,
    postings,
    first,
    last,
    rows_from,
    codes,
    rows,
    weights,
    least,
    drop,
):
    n = len(starts) - 1
    length = np.diff(starts)
    # target t counts in the bands from base[t], one empty band at either end
    base = np.zeros(last - first + 1, dtype=np.int64)
    most = (length[first:last] + length.max()).sum() // _BAND + 3 * (last - first)
    count = np.zeros(most, dtype=np.uint16)
    state = np.empty(last - first, dtype=np.int64)  # words still asked for; 0: not to be found (again)
    pairs = np.empty((1024, 2), dtype=np.int64)
    m = 0
    for r in range(max(first + 1, rows_from), n):
        for t in range(first, last):
            base[t - first + 1] = base[t - first] + (length[t] + length[r]) // _BAND + 3
            meets = t < r
            if meets and len(sides):
                a, b = sides[t], sides[r]
                meets = a != -1 and b != -1 and (a != b or a == -2)
            state[t - first] = max(needed[t], needed[r]) if meets else 0
        count[: base[-1]] = 0
        for p in range(len(query_keys)):
            for i in range(length[r]):
                key = query_keys[p, starts[r] + i]
                if key < 0:
                    continue
                for at in range(key_starts[p, key], key_starts[p, key + 1]):
                    t = postings[p, at, 0]
                    if t >= r:
                        break  # places ascend
                    asked = state[t - first]
                    if asked == 0:
                        continue
                    band = base[t - first] + 1 + (i - postings[p, at, 1] + length[t]) // _BAND
                    count[band] += np.uint16(1)
                    if count[band] + max(count[band - 1], count[band + 1]) >= asked and (
                        least == 0
                        or _extends(codes, rows, starts, weights, least, drop, t, r, postings[p, at, 1], i)
                    ):
                        state[t - first] = 0
                        if m == len(pairs):
                            grown = np.empty((2 * m, 2), dtype=np.int64)
                            grown[:m] = pairs
                            pairs = grown
                        pairs[m, 0] = t
                        pairs[m, 1] = r
                        m += 1
    return pairs[:m].copy()


@njit(nogil=True, cache=True)
def _extends(codes, rows, starts, weights, least, drop, t, r, at, i):  # type: ignore[no-untyped-def]
    """Tell whether the ungapped alignment through place `at` of sequence t and place `i` of r scores enough."""
    x, y = starts[t] + at, starts[r] + i
    best = 0
    for step in (1, -1):
        forward = min(starts[t + 1] - x, starts[r + 1] - y)
        room = forward if step == 1 else min(at, i)
        score = best
        for k in range(room):
            shift = k if step == 1 else -1 - k
            score += weights[codes[x + shift], rows[y + shift]]
            if score > best:
                best = score
                if best >= least:
                    return True
            elif score < best - drop:
                break
    return False
