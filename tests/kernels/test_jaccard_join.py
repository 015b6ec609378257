from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from splitleak.kernels import jaccard_join
from splitleak.kernels import prefix_index as prefix_index_module
from splitleak.kernels.jaccard_join import jaccard_pairs
from splitleak.kernels.prefix_index import prefix_index
from splitleak.kernels.sets import equal_sets, rarity
from tests.oracles import jaccard_pairs_by_brute_force

TIES = [0.2, 1 / 3, 0.5, 2 / 3, 0.75, 0.8, 0.9, 1.0]


def hashed(values: set[int]) -> set[int]:
    """Numbers as evenly spread 64-bit tokens."""
    return {(v + 1) * 0x9E3779B97F4A7C15 % 2**64 for v in values}


def flat(sets: list[set[int]]) -> tuple[np.ndarray, np.ndarray]:
    tokens = np.array([t for s in sets for t in sorted(s)], dtype=np.uint64)
    return tokens, np.cumsum([0, *map(len, sets)])


def found(sets, threshold, **options) -> dict[tuple[int, int], float]:
    pairs = jaccard_pairs(*flat(sets), threshold, **options)
    assert pairs.complete
    keys = [tuple(sorted(p)) for p in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, pairs.similarity.tolist(), strict=True))


def expected(sets, threshold, sides=None):
    pairs = jaccard_pairs_by_brute_force(sets, threshold, sides)
    return {(i, j): s for (i, j), s in pairs.items() if sets[i] and sets[j]}


SETS = st.lists(st.sets(st.integers(0, 14), max_size=12).map(hashed), max_size=25)


@settings(deadline=None)
@given(SETS, st.sampled_from(TIES) | st.floats(1e-6, 1))
def test_pairs_equal_brute_force(sets, threshold):
    assert found(sets, threshold) == expected(sets, threshold)


@settings(deadline=None)
@given(st.data(), SETS, st.sampled_from(TIES), st.integers(1, 4))
def test_pairs_across_sides_equal_brute_force(data, sets, threshold, n_sides):
    # one side with most rows is searched in another way than sides of like sizes
    codes = st.sampled_from([0] * 6 + list(range(n_sides)) + [-1, -2])
    sides = data.draw(st.lists(codes, min_size=len(sets), max_size=len(sets)))
    options = {"sides": np.array(sides, dtype=np.int64)}
    assert found(sets, threshold, **options) == expected(sets, threshold, sides)


def near_duplicates(n: int, seed: int, low: int = 5, high: int = 80) -> list[set[int]]:
    """Sets of many sizes, each but the first few made of an earlier one by a few changes."""
    rng = np.random.default_rng(seed)
    sets: list[set[int]] = []
    for i in range(n):
        if i < 20 or rng.random() < 0.3:
            made = set(rng.zipf(1.3, rng.integers(low, high)).clip(max=5_000).tolist())
        else:
            made = set(sets[rng.integers(len(sets))])
            changes = int(rng.integers(1, max(2, len(made) // 4)))
            made -= set(rng.permutation(sorted(made))[:changes].tolist())
            made |= set(rng.integers(0, 5_000, changes).tolist())
        sets.append(made)
    return [hashed(s) for s in sets]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 2 / 3, 0.8, 0.95])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_larger_collections_and_threads(threshold, threads, monkeypatch):
    monkeypatch.setenv("SPLITLEAK_NUM_THREADS", threads)
    sets = near_duplicates(400, seed=3)
    assert found(sets, threshold) == expected(sets, threshold)
    for shares in ([0.8, 0.1, 0.1], [0.4, 0.3, 0.3], [0.9, 0.1, 0.0]):
        sides = np.random.default_rng(1).choice(3, len(sets), p=shares)
        assert found(sets, threshold, sides=sides) == expected(sets, threshold, sides.tolist())


def test_long_sets():
    sets = near_duplicates(40, seed=4, low=1_000, high=5_000)
    big = set(range(100_000))
    sets += [hashed(big), hashed(big | {200_000}), hashed(set(range(80_000))), hashed(set(range(79_999)))]
    assert found(sets, 0.8) == expected(sets, 0.8)
    assert found(sets, 0.5) == expected(sets, 0.5)


def test_chosen_rows_only():
    sets = near_duplicates(100, seed=5)
    rows = np.array([3, 5, 8, 13, 21, 34, 55, 89])
    small = expected([sets[r] for r in rows], 0.3)
    assert found(sets, 0.3, rows=rows) == {(int(rows[i]), int(rows[j])): s for (i, j), s in small.items()}


@pytest.mark.parametrize("sides", [None, [0, 0, 0, 0, 1] * 20, [0, 1] * 50])
@pytest.mark.parametrize("limit", [0, 10, 200])
def test_too_many_pairs_still_join_the_right_components(sides, limit, monkeypatch):
    sets = [hashed(set(range(60)) - {i} | {100 + i}) for i in range(60)]
    sets += [hashed({*range(300, 320), 400 + i}) for i in range(20)]
    sets += near_duplicates(20, seed=6)
    codes = None if sides is None else np.array(sides)
    full = expected(sets, 0.8, sides)
    assert len(full) > limit
    monkeypatch.setattr(jaccard_join, "MAX_PAIRS", limit)
    results = []
    for threads in ("1", "2"):
        monkeypatch.setenv("SPLITLEAK_NUM_THREADS", threads)
        pairs = jaccard_pairs(*flat(sets), 0.8, sides=codes)
        assert not pairs.complete
        assert len(pairs.left) < len(sets)
        found_pairs = zip(pairs.left.tolist(), pairs.right.tolist(), pairs.similarity.tolist(), strict=True)
        assert all(full[min(a, b), max(a, b)] == s for a, b, s in found_pairs)
        np.testing.assert_array_equal(
            components(pairs.left, pairs.right, len(sets)), components(*np.array(list(full)).T, len(sets))
        )
        results.append(pairs)
    np.testing.assert_array_equal(results[0].left, results[1].left)
    np.testing.assert_array_equal(results[0].right, results[1].right)


def components(left, right, n):
    return connected_components(coo_array((np.ones(len(left)), (left, right)), shape=(n, n)), directed=False)[
        1
    ]


@settings(deadline=None)
@given(st.lists(st.sets(st.integers(0, 3)).map(hashed), max_size=20), st.booleans())
def test_equal_sets_are_grouped_under_the_first(sets, skip):
    rows = np.arange(1 if skip and sets else 0, len(sets))
    first = [min(r for r in rows.tolist() if sets[r] == sets[row]) for row in rows.tolist()]
    assert equal_sets(*flat(sets), rows).tolist() == first


def test_equal_hashes_are_not_trusted(monkeypatch):
    from splitleak.kernels import sets as module

    monkeypatch.setattr(module, "_hash_sets", lambda tokens, starts, rows, hashes: hashes.fill(7))
    sets = [hashed(s) for s in ({1, 2}, {3}, {1, 2}, {3, 4}, {3}, set(), {1, 2}, set())]
    assert equal_sets(*flat(sets), np.arange(8)).tolist() == [0, 1, 0, 3, 1, 5, 0, 5]


def test_prefixes_hold_the_rarest_tokens():
    sets = near_duplicates(50, seed=7)
    tokens, starts = flat(sets)
    index = prefix_index(tokens, starts, np.arange(50), 0.7, None)
    rank, _ = rarity(tokens, starts, np.arange(50))
    shift = 65 - len(rank).bit_length()
    for x, row in enumerate(index.rows):
        size = len(sets[row])
        keys = sorted((int(rank[t >> shift]) << shift) | (t & ((1 << shift) - 1)) for t in sets[row])
        wanted = keys[: size - int(np.ceil(0.7 * size - 1e-9)) + 1]
        hashes = [((k ^ (k >> 32)) * 0x9E3779B97F4A7C15 % 2**64) >> 32 for k in wanted]
        assert index.probes[index.probe_start[x] : index.probe_start[x + 1]].tolist() == hashes
    assert all(a <= b for a, b in pairwise(np.diff(index.span).ravel().tolist()))


def test_small_blocks_find_the_same(monkeypatch):
    sets = near_duplicates(300, seed=8)
    sides = np.random.default_rng(2).choice(3, len(sets), p=[0.7, 0.2, 0.1])
    monkeypatch.setattr(prefix_index_module, "_BLOCK", 40)
    monkeypatch.setattr(prefix_index_module, "_MAX_BLOCKS", 10_000)
    monkeypatch.setattr(jaccard_join, "_PROBES", 7)
    assert found(sets, 0.6) == expected(sets, 0.6)
    assert found(sets, 0.6, sides=sides) == expected(sets, 0.6, sides.tolist())
    monkeypatch.setattr(jaccard_join, "_ROOM", 1)
    assert found(sets, 0.3) == expected(sets, 0.3)
    monkeypatch.setattr(jaccard_join, "MAX_PAIRS", 20)
    pairs = jaccard_pairs(*flat(sets), 0.3)
    links = np.array(list(expected(sets, 0.3))).T
    np.testing.assert_array_equal(components(pairs.left, pairs.right, 300), components(*links, 300))
