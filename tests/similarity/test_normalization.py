from __future__ import annotations

import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitleak.similarity.normalization import normalize_text

ODD = "aAZz09_@[`{ \t\n\x0b\x1c\x1f\x7f\x85\u00a0\u3000ßÉe\u0301ﬁ\uff21"
ALPHABET = st.sampled_from(ODD) | st.characters(codec="utf-8")


def normalized(texts: list[str]) -> list[str]:
    encoded = [text.encode() for text in texts]
    buffer, offsets = normalize_text(
        np.frombuffer(b"".join(encoded), dtype=np.uint8), np.cumsum([0, *map(len, encoded)])
    )
    assert offsets[0] == 0
    assert offsets[-1] == len(buffer)
    return [buffer[a:b].tobytes().decode() for a, b in pairwise(offsets)]


@settings(deadline=None)
@given(st.lists(st.text(ALPHABET, max_size=30), max_size=8))
def test_rows_equal_the_definition(texts):
    assert normalized(texts) == [" ".join(unicodedata.normalize("NFKC", t).casefold().split()) for t in texts]


@pytest.mark.parametrize("code", range(0, 128, 16))
def test_every_ascii_character(code):
    texts = [f"x{chr(c)}Y" for c in range(code, code + 16)]
    assert normalized(texts) == [" ".join(t.lower().split()) for t in texts]


def test_examples():
    assert normalized(["", "  ", " A  b\n", "\uff21\u00a0C"]) == ["", "", "a b", "a c"]
    assert normalized(["e\u0301", "\u00c9"]) == ["é", "é"]


def test_a_long_text():
    text = "Word  " * 20_000
    assert normalized([text, text + "é"]) == [" ".join(["word"] * 20_000), "word " * 20_000 + "é"]
