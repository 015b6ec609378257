"""The kernels of MinHash LSH against datasketch and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from splitleak.kernels.banding import linking_pairs, summarize_sets
from splitleak.kernels.minhash import fill_band_hashes, minhash_signatures
from splitleak.similarity.sketches import permutations

HASHES = st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=40), min_size=1, max_size=6)


def flat(rows, dtype):
    starts = np.cumsum([0, *map(len, rows)])
    return np.array([token for row in rows for token in row], dtype=dtype), starts


@given(HASHES, st.sampled_from([1, 2, 3, 16, 50, 128]), st.integers(0, 2**32 - 1))
def test_signatures_equal_datasketch_bit_by_bit(rows, num_perm, seed):
    tokens, starts = flat(rows, np.uint32)
    ours = minhash_signatures(tokens, starts, *permutations(num_perm, seed))
    theirs = MinHash.bulk(rows, num_perm=num_perm, seed=seed, hashfunc=int)
    assert ours.dtype == np.uint32
    assert ours.tolist() == [sketch.hashvalues.tolist() for sketch in theirs]


@pytest.mark.parametrize("size", [2045, 2046, 2047, 2048, 2049, 4095, 4097, 10_000])
def test_signatures_of_long_rows_cross_block_borders(size):
    tokens = np.random.default_rng(size).integers(0, 2**32, size, dtype=np.uint32)
    ours = minhash_signatures(tokens, np.array([0, size]), *permutations(128, 1))
    sketch = MinHash(num_perm=128, seed=1, hashfunc=int)
    sketch.update_batch(tokens.tolist())
    assert ours[0].tolist() == sketch.hashvalues.tolist()


def test_one_band_hash_stands_for_the_signature_values_of_its_band():
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 2**64, 3000, dtype=np.uint64)
    starts = np.arange(0, 3001, 3)
    tokens[300:600] = tokens[:300]  # rows 100 to 199 repeat rows 0 to 99 ...
    tokens[300:450] = rng.integers(0, 2**64, 150, dtype=np.uint64)  # ... half of them no longer
    a, b = permutations(12, 7)
    signature = minhash_signatures((tokens >> np.uint64(32)).astype(np.uint32), starts, a, b)
    rows = np.arange(1000)
    places = rng.permutation(1000)
    out = np.empty((1000, 4), dtype=np.uint32)
    fill_band_hashes(tokens, starts, rows, places, a, b, 3, out)
    for band in range(4):
        _, ours = np.unique(out[places, band], return_inverse=True)
        _, theirs = np.unique(signature[:, 3 * band : 3 * band + 3], axis=0, return_inverse=True)
        # the same partition of the rows
        assert len(set(zip(ours.tolist(), theirs.ravel().tolist(), strict=True))) == len(set(ours.tolist()))
        assert len(set(ours.tolist())) == len(set(theirs.ravel().tolist())) < 1000


@given(st.lists(st.sets(st.integers(0, 2**64 - 1), min_size=1, max_size=300), min_size=2, max_size=4))
def test_bitmaps_differ_in_no_more_bits_than_the_sets_in_tokens(rows):
    tokens, starts = flat([sorted(row) for row in rows], np.uint64)
    n = len(rows)
    bitmap, key = np.empty((n, 2), np.uint64), np.empty(n, np.uint64)
    summarize_sets(tokens, starts, np.arange(n), np.arange(n), bitmap, key)
    for i in range(n):
        for j in range(n):
            apart = sum(int(x).bit_count() for x in bitmap[i] ^ bitmap[j])
            assert apart <= len(rows[i] ^ rows[j])
            assert (key[i] == key[j]) == (rows[i] == rows[j])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_linking_pairs_are_a_forest_that_joins_the_same_components(pairs):
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    kept = linking_pairs(left, right, np.arange(10))
    label = list(range(10))
    for (a, b), keep in zip(pairs, kept, strict=True):
        assert keep == (label[a] != label[b])
        label = [label[a] if x == label[b] else x for x in label]
