"""Brute-force oracles, about ten lines each."""

from __future__ import annotations

import re


def shingles(text: str, unit: str, n: int) -> set[object]:
    """The shingle set of one text, by slicing."""
    if unit == "char":
        return {text[i : i + n] for i in range(max(1, len(text) - n + 1))} if text else set()
    words = re.findall(r"\w+", text)
    return {tuple(words[i : i + n]) for i in range(max(1, len(words) - n + 1))} if words else set()


def jaccard_of_sets(a: set[object], b: set[object]) -> float:
    """The Jaccard similarity of two sets; two empty sets are equal."""
    return len(a & b) / len(a | b) if a or b else 1.0


def jaccard_pairs_by_brute_force(
    sets: list[set[object]], threshold: float, sides: list[int] | None = None
) -> dict[tuple[int, int], float]:
    """All pairs of rows with Jaccard >= threshold, on different sides (-1 is ignored, -2 meets every row)."""
    found = {}
    for i in range(len(sets)):
        for j in range(i + 1, len(sets)):
            if sides is not None and not sides_may_meet(sides[i], sides[j]):
                continue
            similarity = jaccard_of_sets(sets[i], sets[j])
            if similarity >= threshold:
                found[i, j] = similarity
    return found


def sides_may_meet(a: int, b: int) -> bool:
    """Whether rows (or representatives) of sides a and b are compared."""
    return -1 not in (a, b) and (a != b or a == -2)
