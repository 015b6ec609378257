"""The join under Hamming distance, held against comparing all pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from splitleak.kernels.hamming_join import hamming_nearest, hamming_pairs
from tests.oracles import sides_may_meet


def distance(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> int:
    """The smallest distance of the first variant of one to any variant of the other, bit by bit."""

    def one(x: NDArray[np.uint64], y: NDArray[np.uint64]) -> int:
        return sum(bin(int(p) ^ int(q)).count("1") for p, q in zip(x, y, strict=True))

    return min(min(one(a[0], v) for v in b), min(one(b[0], v) for v in a))


def pairs_by_brute_force(
    variants: NDArray[np.uint64], most: int, sides: list[int] | None
) -> dict[tuple[int, int], int]:
    n = len(variants)
    return {
        (i, j): d
        for i in range(n)
        for j in range(i + 1, n)
        if (sides is None or sides_may_meet(sides[i], sides[j]))
        and (d := distance(variants[i], variants[j])) <= most
    }


@st.composite
def near_strings(draw: st.DrawFn) -> NDArray[np.uint64]:
    """Bit strings of which many are few bits apart."""
    n, variants, words = (
        draw(st.integers(0, 12)),
        draw(st.sampled_from([1, 3])),
        draw(st.sampled_from([1, 4])),
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    centres = rng.integers(0, 2**64, (3, words), dtype=np.uint64)
    strings = centres[rng.integers(0, 3, (n, variants))]
    for _ in range(draw(st.integers(0, 12))):
        flipped = np.uint64(1) << rng.integers(0, 64, strings.shape, dtype=np.uint64)
        strings = np.where(rng.random(strings.shape) < 0.5, strings ^ flipped, strings)
    return np.ascontiguousarray(strings, dtype=np.uint64)


@given(near_strings(), st.integers(0, 40), st.booleans(), st.data())
def test_join_is_that_of_all_pairs(
    variants: NDArray[np.uint64], most: int, banded: bool, data: st.DataObject
) -> None:
    n = len(variants)
    if banded:
        most = min(most, 4 * variants.shape[2] * 2 + 1)  # more key differences take too long
    sides = data.draw(st.none() | st.lists(st.sampled_from([-2, -1, 0, 1, 2]), min_size=n, max_size=n))
    given_sides = None if sides is None else np.array(sides, dtype=np.int64)
    left, right, found = hamming_pairs(variants, most, sides=given_sides, banded=banded)
    pairs = dict(zip(zip(left.tolist(), right.tolist(), strict=True), found.tolist(), strict=True))
    assert len(pairs) == len(left)
    assert pairs == pairs_by_brute_force(variants, most, sides)


@given(near_strings(), st.integers(0, 64), st.data())
def test_look_up_is_that_of_all_pairs(variants: NDArray[np.uint64], most: int, data: st.DataObject) -> None:
    n = len(variants)
    sides = np.array(data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=n, max_size=n)), dtype=np.int64)
    nearest, degree = hamming_nearest(variants, np.arange(n), sides, 2, most)
    for q in range(n):
        others = [
            (sides[r], distance(variants[q], variants[r])) for r in range(n) if r != q and sides[r] >= 0
        ]
        assert degree[q] == sum(d <= most for _, d in others)
        for side in range(2):
            assert nearest[q, side] == min((d for s, d in others if s == side), default=-1)


@pytest.mark.parametrize(("words", "most"), [(1, 12), (4, 40)])
def test_bands_find_what_the_scan_finds(words: int, most: int) -> None:
    rng = np.random.default_rng(1)
    variants = rng.integers(0, 2**64, (3_000, 1, words), dtype=np.uint64)
    near = variants[:500].copy()
    for _ in range(most):
        near[:, :, rng.integers(words)] ^= np.uint64(1) << rng.integers(0, 64, (500, 1), dtype=np.uint64)
    variants = np.concatenate([variants, near])
    scanned, looked_up = (hamming_pairs(variants, most, banded=banded) for banded in (False, True))
    assert len(scanned[0]) >= 500
    for a, b in zip(scanned, looked_up, strict=True):
        assert a.tolist() == b.tolist()
