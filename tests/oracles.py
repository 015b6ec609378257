"""Brute-force oracles, about ten lines each."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from fractions import Fraction


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


def cosine_of_rows(x: list[float], y: list[float]) -> float:
    """The cosine in exact rational arithmetic up to the root, rounded to 12 decimals."""
    a, b = [Fraction(v) for v in x], [Fraction(v) for v in y]
    dot = sum(p * q for p, q in zip(a, b, strict=True))
    squared = dot * dot / (sum(p * p for p in a) * sum(q * q for q in b))
    return round(math.copysign(math.sqrt(squared), dot), 12)


def euclidean_of_rows(x: list[float], y: list[float], scale: float = 1.0) -> float:
    """1 / (1 + distance / scale), the squared distance exact, rounded to 12 decimals."""
    squared = sum((Fraction(p) - Fraction(q)) ** 2 for p, q in zip(x, y, strict=True))
    shift = max(0, (squared.numerator.bit_length() - squared.denominator.bit_length()) // 2)
    distance = math.ldexp(math.sqrt(squared / 4**shift), shift)
    return round(1 / (1 + distance / scale), 12)


def vector_pairs_by_brute_force(
    rows: list[list[float]],
    similarity: Callable[..., float],
    threshold: float,
    sides: list[int] | None = None,
) -> dict[tuple[int, int], float]:
    """All pairs of rows at or above the threshold, on different sides (-1 is ignored)."""
    found = {}
    for i in range(len(rows)):
        for j in range(i + 1, len(rows)):
            if sides is None or sides_may_meet(sides[i], sides[j]):
                value = similarity(rows[i], rows[j])
                if value >= threshold:
                    found[i, j] = value
    return found


def allocation_by_brute_force(
    cluster_sizes: list[int],
    targets: list[int],
    classes: list[list[int]] | None = None,
    fixed: list[int] | None = None,
) -> tuple[int, Fraction]:
    """The least summed deviation in rows, and among those allocations the least one over classes."""
    k, p, n = len(cluster_sizes), len(targets), sum(targets)
    rows = classes or [[] for _ in cluster_sizes]
    totals = [sum(column) for column in zip(*rows, strict=True)]
    free = [range(p) if fixed is None or fixed[q] < 0 else [fixed[q]] for q in range(k)]
    can_fill_all = any(len(set(codes)) == p for codes in itertools.product(*free))
    can_fill_first = any(0 in codes for codes in itertools.product(*free))
    best = []
    for codes in itertools.product(*free):
        if (can_fill_all and len(set(codes)) < p) or (can_fill_first and 0 not in codes):
            continue
        own = [[q for q in range(k) if codes[q] == s] for s in range(p)]
        off = sum(abs(sum(cluster_sizes[q] for q in own[s]) - targets[s]) for s in range(p))
        strata = sum(
            abs(sum(rows[q][c] for q in own[s]) - Fraction(targets[s] * total, n))
            for s in range(p)
            for c, total in enumerate(totals)
        )
        best.append((off, Fraction(strata)))
    return min(best)


def best_alignment(a, b, weight, same, gap_open, gap_extend, mode):  # type: ignore[no-untyped-def]
    """The best ``(score, identities, -columns)`` of all alignments of two sequences (Gotoh 1982)."""
    low, n, m = (-(10**9), 0, 0), len(a), len(b)

    def gap(value, cost):  # type: ignore[no-untyped-def]
        return (value[0] - cost, value[1], value[2] - 1)

    h = [[low] * (m + 1) for _ in range(n + 1)]
    e, f = [row[:] for row in h], [row[:] for row in h]
    for i in range(n + 1):
        for j in range(m + 1):
            if i == j == 0 or (mode != "global" and 0 in (i, j)):
                h[i][j] = (0, 0, 0)
                continue
            e[i][j] = max(gap(h[i][j - 1], gap_open), gap(e[i][j - 1], gap_extend)) if j else low
            f[i][j] = max(gap(h[i - 1][j], gap_open), gap(f[i - 1][j], gap_extend)) if i else low
            paired = low
            if i and j:
                s, k, c = h[i - 1][j - 1]
                paired = (s + weight(a[i - 1], b[j - 1]), k + same(a[i - 1], b[j - 1]), c - 1)
            h[i][j] = max(paired, e[i][j], f[i][j], *([(0, 0, 0)] if mode == "local" else []))
    if mode == "global":
        return h[n][m]
    ends = [x for row in h for x in row] if mode == "local" else h[n] + [row[m] for row in h]
    return max(ends)


def reverse_complement(sequence: str) -> str:
    """The other strand of a DNA sequence."""
    return sequence.translate(str.maketrans("ACGT", "TGCA"))[::-1]
