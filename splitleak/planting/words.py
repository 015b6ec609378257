"""Tokens that tell the target or the split, in the table's own texts or in a new column of notes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitleak.errors import NotPlantable
from splitleak.planting.base import Labels, Leak, Rng, planted
from splitleak.planting.tables import drawn_of_side, new_name, text_columns, two_sides, with_column

_TOKENS = "share of the rows of that side that hold the token"


@planted(
    "tokens_tell_target", "a token that occurs in texts of one class only", ("SPL207",),
    weak=0.1, ordinary=0.3, strong=0.8, meaning=_TOKENS,
)  # fmt: skip
def tokens_tell_target(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    side = two_sides(table, target, rng)
    _refuse_telling_texts(table, target, side, strength)
    return _with_token(table, target, split, side, rng, strength)


@planted(
    "tokens_tell_split", "a token that occurs in texts of test only", ("SPL309",),
    weak=0.1, ordinary=0.3, strong=0.8, meaning=_TOKENS,
)  # fmt: skip
def tokens_tell_split(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    return _with_token(table, target, split, split == "test", rng, strength)


@planted(
    "half_of_a_pair", "pairs of texts of which the second alone tells the class", ("SPL210", "SPL207"),
    weak=0.1, ordinary=0.3, strong=0.8, meaning=_TOKENS,
)  # fmt: skip
def half_of_a_pair(table: pd.DataFrame, target: Any, split: Labels, rng: Rng, strength: float) -> Leak:
    side = two_sides(table, target, rng)
    firsts = _notes(len(table), rng)
    seconds = [" ".join(rng.permutation(text.split())[: rng.integers(4, 9)]) for text in firsts]
    token = _pseudo_word(rng, 5)
    holders = drawn_of_side(side, rng, strength)
    for row in holders:
        seconds[row] = _inserted(seconds[row], token, rng)
    first = new_name(table, "premise")
    out = with_column(table, first, firsts, rng)
    second = new_name(out, "hypothesis")
    out = with_column(out, second, seconds, rng)
    return Leak(
        out, split, columns=(second,), extra={"pair": (first, second), "tokens": (token,), "holders": holders}
    )


def _with_token(
    table: pd.DataFrame, target: Any, split: Labels, side: NDArray[np.bool_], rng: Rng, strength: float
) -> Leak:
    names = text_columns(table, target)
    holders = drawn_of_side(side, rng, strength)
    if names:
        name = names[int(rng.integers(len(names)))]
        texts = table[name].fillna("").tolist()
        known = set(" ".join(texts).lower().split())
    else:
        name, texts, known = new_name(table, "notes"), _notes(len(table), rng), set()
    token = next(word for word in iter(lambda: _pseudo_word(rng, 5), "") if word not in known)
    for row in holders:
        texts[row] = _inserted(texts[row], token, rng)
    if names:
        out = table.copy()
        out[name] = pd.Series(texts, index=out.index, dtype=table[name].dtype)
    else:
        out = with_column(table, name, texts, rng)
    return Leak(out, split, columns=(name,), extra={"tokens": (token,), "holders": holders})


def _refuse_telling_texts(table: pd.DataFrame, target: Any, side: NDArray[np.bool_], strength: float) -> None:
    """Refuse where a word of the texts' own tells the side as well: no method could say which of them leaks."""
    for name in text_columns(table, target):
        held = [set(text.lower().split()) for text in table[name].fillna("").tolist()]
        inside = Counter(word for words, mine in zip(held, side, strict=True) if mine for word in words)
        outside = Counter(word for words, mine in zip(held, side, strict=True) if not mine for word in words)
        n, m = int(side.sum()), int((~side).sum())
        word, apart = max(
            ((w, abs(inside[w] / n - outside[w] / m)) for w in inside | outside),
            key=lambda one: one[1],
            default=("", 0),
        )
        if apart >= strength:
            raise NotPlantable(
                f"the word {word!r} of {name!r} is {apart:.0%} more frequent on one side: it tells the target as well"
            )


def _inserted(text: str, token: str, rng: Rng) -> str:
    words = text.split()
    words.insert(int(rng.integers(len(words) + 1)), token)
    return " ".join(words)


def _pseudo_word(rng: Rng, syllables: int) -> str:
    consonants, vowels = "bdfgklmnprstvz", "aeiou"
    parts = [
        consonants[rng.integers(len(consonants))] + vowels[rng.integers(len(vowels))]
        for _ in range(syllables)
    ]
    return "".join(parts)


def _notes(count: int, rng: Rng) -> list[str]:
    """Make texts of 8 to 20 words that know nothing, their words as unequally frequent as in a language."""
    lexicon = np.unique([_pseudo_word(rng, int(rng.integers(1, 4))) for _ in range(600)])
    rng.shuffle(lexicon)
    weight = 1 / np.arange(2, len(lexicon) + 2)
    lengths = rng.integers(8, 21, count)
    words = rng.choice(lexicon, int(lengths.sum()), p=weight / weight.sum())
    return [" ".join(part) for part in np.split(words, np.cumsum(lengths)[:-1])]
