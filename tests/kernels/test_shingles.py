from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from splitleak.kernels.shingles import hash_bytes, shingle_sets, word_characters
from tests.oracles import shingles

TEXTS = st.lists(
    st.text(
        st.one_of(
            st.sampled_from("ab \t_.\x00é\u0301\u00a0\u0130ß\u4e2d\u2028\U0001f600"),
            st.characters(codec="utf-8"),
        ),
        max_size=40,
    )
    | st.sampled_from(
        ["", "a", "\x00", "aaaaaaaaaaaaaaaaaaaa", "one two three", "one two  three!", "two three"]
    ),
    min_size=1,
    max_size=8,
)


def flat(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    encoded = [text.encode() for text in texts]
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), np.cumsum([0, *map(len, encoded)])


def check_sets(texts: list[str], unit: str, n: int) -> None:
    tokens, starts = shingle_sets(*flat(texts), unit, n)
    assert tokens.dtype == np.uint64
    assert starts.tolist()[-1] == len(tokens)
    rows = [tokens[a:b] for a, b in pairwise(starts)]
    for text, row in zip(texts, rows, strict=True):
        assert (row[1:] > row[:-1]).all()
        assert len(row) == len(shingles(text, unit, n))
    # the same shingle has the same hash everywhere, others have others: so all intersections are right
    for text, row in zip(texts, rows, strict=True):
        for other, row2 in zip(texts, rows, strict=True):
            assert len(np.intersect1d(row, row2)) == len(shingles(text, unit, n) & shingles(other, unit, n))


@settings(deadline=None)
@given(TEXTS, st.sampled_from(["char", "word"]), st.sampled_from([1, 2, 3, 5, 7, 8, 9, 30]))
@example(["\x00", "\x00\x00", ""], "char", 5)
def test_sets_are_those_of_slicing(texts, unit, n):
    check_sets(texts, unit, n)


@pytest.mark.parametrize("length", [20, 100, 500, 1_500, 100_000])
def test_long_rows_are_sorted_and_unique(length):
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(list("abcdefghijklmnop  é"), length))
    check_sets([text, text[: length // 2], ""], "char", 5)
    check_sets([text, text[: length // 2], ""], "word", 2)


def test_rows_need_not_start_at_zero_and_may_be_read_only():
    buffer, offsets = flat(["skipped", "abcdef", "bcdefg"])
    tokens, starts = shingle_sets(buffer, offsets[1:], "char", 5)
    assert starts.tolist() == [0, 2, 4]
    assert len(np.unique(tokens)) == 3
    tokens, starts = shingle_sets(buffer[:0], np.zeros(1, np.int64), "char", 5)
    assert (len(tokens), starts.tolist()) == (0, [0])


def test_the_threads_do_not_matter(monkeypatch):
    monkeypatch.setattr("splitleak.kernels.shingles._CHUNK", 50)
    rng = np.random.default_rng(1)
    texts = ["".join(rng.choice(list("ab cé"), rng.integers(0, 60))) for _ in range(300)]
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("SPLITLEAK_NUM_THREADS", threads)
        found.append(shingle_sets(*flat(texts), "char", 3))
    monkeypatch.setattr("splitleak.kernels.shingles._CHUNK", 1 << 20)
    found.append(shingle_sets(*flat(texts), "char", 3))
    for tokens, starts in found[1:]:
        np.testing.assert_array_equal(tokens, found[0][0])
        np.testing.assert_array_equal(starts, found[0][1])


def test_invalid_utf8_stays_inside_its_row():
    buffer = np.array([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0xFF, 0xF4, 0xBF], dtype=np.uint8)
    for unit in ("char", "word"):
        _, starts = shingle_sets(buffer, np.array([0, 6, 7, 9]), unit, 2)
        assert len(starts) == 4


def test_word_characters_are_those_of_re():
    table = word_characters(0x110000)
    for character in "a_9é中\u0301 -\u00a0²\U0001f600\ud800":
        assert bool(table[ord(character)]) == bool(re.match(r"\w", character))


@settings(deadline=None)
@given(st.binary(max_size=20), st.binary(max_size=20))
def test_other_bytes_have_other_hashes(a, b):
    joined = np.frombuffer(a + b, dtype=np.uint8)
    same = hash_bytes(joined, 0, len(a)) == hash_bytes(joined, len(a), len(a) + len(b))
    assert same == (a == b)
