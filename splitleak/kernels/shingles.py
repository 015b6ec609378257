"""Shingle sets of texts: flat UTF-8 in, sorted 64-bit hashes out.

A shingle is n consecutive characters (Unicode code points) or n consecutive words. Up to seven bytes are
packed into one number and mixed by a bijection, so that such shingles never collide; longer ones are hashed
to 64 bits, where two given shingles collide with probability 2^-64.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from splitleak._threads import map_threads
from splitleak.kernels.compiling import njit
from splitleak.kernels.sorting import sort_range, uniform_levels

Unit = Literal["char", "word"]
_CHUNK = 1 << 20  # tokens that one call of a kernel makes room for


def read_only(array: NDArray) -> NDArray:
    """Return a read-only view, so that kernels are compiled once for the caller's arrays and for Arrow's."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def shingle_sets(
    buffer: NDArray[np.uint8], offsets: NDArray[np.int64], unit: Unit, n: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    r"""Return the set of hashed shingles of each text.

    A text that is shorter than n units, but not empty, has one shingle: all of it. Words are the longest runs
    of letters, digits and underscores, as ``re`` finds them with ``\w+``; what lies between does not count.

    Parameters
    ----------
    buffer, offsets : uint8 and int64 arrays
        Text i is ``buffer[offsets[i]:offsets[i + 1]]``, in UTF-8.
    unit : {"char", "word"}
        What is counted.
    n : int
        Units a shingle, at least 1.

    Returns
    -------
    tokens : uint64 array
        The hashes, ascending and unique within each row.
    starts : int64 array of shape (n_rows + 1,)
        Row i has the tokens ``tokens[starts[i]:starts[i + 1]]``.

    Examples
    --------
    >>> import numpy as np
    >>> text = np.frombuffer(b"abcabcabc", dtype=np.uint8)
    >>> tokens, starts = shingle_sets(text, np.array([0, 6, 9, 9]), "char", 3)
    >>> np.diff(starts).tolist()
    [3, 1, 0]
    """
    buffer, offsets = read_only(buffer), read_only(offsets)
    n_rows = len(offsets) - 1
    size = np.diff(offsets)
    # a word takes a byte, and a byte to the next one
    room = np.where(size > 0, np.maximum(size - n + 1, 1), 0) if unit == "char" else (size + 1) // 2
    first = np.concatenate([[0], np.cumsum(room)])
    edges = np.unique(np.append(np.searchsorted(first, np.arange(0, first[-1], _CHUNK)), [0, n_rows]))
    tokens = np.empty(first[-1], dtype=np.uint64)
    count = np.zeros(n_rows, dtype=np.int64)
    levels = uniform_levels()
    is_word = word_characters(0 if unit == "char" else 128 if buffer.max(initial=0) < 128 else 0x110000)

    def fill(chunk: tuple[int, int]) -> int:
        a, b = chunk
        spare = np.empty(room[a:b].max(initial=0), dtype=np.uint64)
        part, made = tokens[first[a] : first[b]], count[a:b]
        if unit == "char":
            return int(_char_sets(buffer, offsets[a : b + 1], n, levels, spare, part, made))
        return int(_word_sets(buffer, offsets[a : b + 1], n, is_word, levels, spare, part, made))

    chunks = [(int(a), int(b)) for a, b in pairwise(edges)]
    made = map_threads(fill, chunks)
    end = 0
    for (a, _), m in zip(chunks, made, strict=True):
        if end != first[a]:
            tokens[end : end + m] = tokens[first[a] : first[a] + m]
        end += m
    tokens.resize(end, refcheck=False)  # gives the room that was not needed back, without a copy
    return tokens, np.concatenate([[0], np.cumsum(count)])


@lru_cache(maxsize=3)
def word_characters(limit: int) -> NDArray[np.uint8]:
    r"""Return one byte per code point below `limit`: 1 where ``re`` has a word character (``\w``)."""
    table = np.zeros(limit, dtype=np.uint8)
    for run in re.finditer(r"\w+", "".join(map(chr, range(limit)))):
        table[run.start() : run.end()] = 1
    return table


@njit(nogil=True, cache=True, inline="always")
def mix(x):  # type: ignore[no-untyped-def]
    """Scramble 64 bits by a bijection (the finaliser of SplitMix64, Steele et al. 2014)."""
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(nogil=True, cache=True)
def hash_bytes(buffer, a, b):  # type: ignore[no-untyped-def]
    """Hash ``buffer[a:b]`` to 64 bits, without any collision among strings of up to seven bytes."""
    if b - a <= 7:
        packed = np.uint64(1)  # a leading one keeps the length, and so leading zero bytes
        for i in range(a, b):
            packed = (packed << np.uint64(8)) | np.uint64(buffer[i])
        return mix(packed)
    h = mix(~np.uint64(b - a))
    while a + 8 <= b:
        word = np.uint64(0)
        for i in range(8):
            word |= np.uint64(buffer[a + i]) << np.uint64(8 * i)
        h = mix(h ^ word)
        a += 8
    word = np.uint64(0)
    for i in range(b - a):
        word |= np.uint64(buffer[a + i]) << np.uint64(8 * i)
    return mix(h ^ word)


@njit(nogil=True, cache=True)
def _char_sets(buffer, offsets, n, levels, spare, tokens, count):  # type: ignore[no-untyped-def]
    """Write the sets of some rows one after the other into `tokens`; return how many tokens were written."""
    bins = np.zeros(257, np.int64)
    end = np.int64(0)  # a literal would have what it is handed to compiled once more
    for row in range(len(offsets) - 1):
        a, stop = offsets[row], offsets[row + 1]
        last = np.uint8(0)
        for i in range(a, stop):
            last |= buffer[i]
        m = 0
        if last < 128 and n <= 7 and stop - a >= n:
            bits = np.uint64(8 * n)
            keep, marker = (np.uint64(1) << bits) - np.uint64(1), np.uint64(1) << bits
            packed = np.uint64(0)
            for i in range(a, stop):
                packed = ((packed << np.uint64(8)) | np.uint64(buffer[i])) & keep
                if i >= a + n - 1:
                    tokens[end + m] = mix(packed | marker)
                    m += 1
        elif stop > a:
            b, seen = a, 0
            while seen < n and b < stop:
                b = _next_character(buffer, b, stop)
                seen += 1
            tokens[end] = hash_bytes(buffer, a, b)
            m = 1
            while b < stop:
                a, b = _next_character(buffer, a, stop), _next_character(buffer, b, stop)
                tokens[end + m] = hash_bytes(buffer, a, b)
                m += 1
        count[row] = _make_set(tokens, end, m, levels, spare, bins)
        end += count[row]
    return end


@njit(nogil=True, cache=True)
def _word_sets(buffer, offsets, n, is_word, levels, spare, tokens, count):  # type: ignore[no-untyped-def]
    """Do for words what `_char_sets` does for characters."""
    bins = np.zeros(257, np.int64)
    end = np.int64(0)
    for row in range(len(offsets) - 1):
        i, stop = offsets[row], offsets[row + 1]
        words, begin = 0, np.int64(-1)
        while i < stop:
            after = i + 1 if buffer[i] < 128 else _next_character(buffer, i, stop)
            if is_word[_code_point(buffer, i, after)]:
                if begin < 0:
                    begin = i
            elif begin >= 0:
                tokens[end + words] = hash_bytes(buffer, begin, i)
                words += 1
                begin = np.int64(-1)
            i = after
        if begin >= 0:
            tokens[end + words] = hash_bytes(buffer, begin, stop)
            words += 1
        width = min(n, words)
        m = words - width + 1 if words else 0
        for first in range(m):  # shingle `first` needs no earlier word, so it may take that word's place
            h = np.uint64(width)
            for k in range(width):
                h = mix(h ^ tokens[end + first + k]) + np.uint64(0x9E3779B97F4A7C15)
            tokens[end + first] = h
        count[row] = _make_set(tokens, end, m, levels, spare, bins)
        end += count[row]
    return end


@njit(nogil=True, cache=True)
def _make_set(tokens, first, m, levels, spare, bins):  # type: ignore[no-untyped-def]
    sort_range(tokens, first, m, levels, spare, bins)
    kept = min(m, 1)
    for i in range(first + 1, first + m):
        if tokens[i] != tokens[first + kept - 1]:
            tokens[first + kept] = tokens[i]
            kept += 1
    return kept


@njit(nogil=True, cache=True, inline="always")
def _next_character(buffer, i, stop):  # type: ignore[no-untyped-def]
    # steps over continuation bytes instead of trusting the lead byte: invalid UTF-8 cannot leave its row
    i += 1
    while i < stop and (buffer[i] & 0xC0) == 0x80:
        i += 1
    return i


@njit(nogil=True, cache=True, inline="always")
def _code_point(buffer, i, after):  # type: ignore[no-untyped-def]
    width = after - i
    if width == 1:
        return np.int64(buffer[i])
    if width > 4:
        return np.int64(0)
    code = np.int64(buffer[i] & (0xFF >> (width + 1)))
    for k in range(i + 1, after):
        code = (code << 6) | np.int64(buffer[k] & 0x3F)
    return code if code < 0x110000 else np.int64(0)
