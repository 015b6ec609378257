"""MinHash LSH: exact similarities, measured recall, invariance, sketches of datasketch."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from splitleak.errors import InputError
from splitleak.records import Records
from splitleak.similarity import banding
from splitleak.similarity import minhash as module
from splitleak.similarity.banding import band_hashes, banded_pairs, choose_banding
from splitleak.similarity.base import get_backend
from splitleak.similarity.ranked_sets import RankedSets
from splitleak.similarity.sketches import (
    Banding,
    bandings,
    from_datasketch,
    permutations,
    signatures,
    to_datasketch,
)
from tests.oracles import jaccard_pairs_by_brute_force

WORDS = [f"w{i}" for i in range(40)]


def records(texts):
    encoded = [text.encode() for text in texts]
    buffer = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return Records(
        "text", len(texts), buffer=buffer, offsets=np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    )


def near_duplicates(n, seed=0, families=None):
    """Texts in families: one text each, and copies with some words changed."""
    rng = np.random.default_rng(seed)
    bases = [rng.choice(WORDS, rng.integers(0, 14)).tolist() for _ in range(families or n // 5)]
    texts = []
    for _ in range(n):
        words = list(bases[rng.integers(len(bases))])
        for _ in range(rng.integers(0, 3)):
            if words:
                words[rng.integers(len(words))] = str(rng.choice(WORDS))
        texts.append(" ".join(words))
    return texts


def stored(graph):
    return {
        (i, j): s
        for i, j, s in zip(graph.left.tolist(), graph.right.tolist(), graph.similarity.tolist(), strict=True)
    }


SETS = st.lists(st.sets(st.integers(0, 25), max_size=9), min_size=1, max_size=25, unique_by=frozenset)


def flat(sets):
    # spread over 64 bits as hashes are
    rows = [sorted((token + 1) * 0x9E3779B97F4A7C15 % 2**64 for token in row) for row in sets]
    tokens = np.array([token for row in rows for token in row], dtype=np.uint64)
    return tokens, np.cumsum([0, *map(len, rows)])


@given(SETS, st.sampled_from([0.3, 1 / 3, 0.5, 2 / 3, 0.75, 0.8]), st.data())
def test_pairs_are_those_of_brute_force_that_agree_in_a_band(sets, threshold, data):
    tokens, starts = flat(sets)
    sides = data.draw(
        st.none() | st.lists(st.sampled_from([-2, -1, 0, 1]), min_size=len(sets), max_size=len(sets))
    )
    ranked = RankedSets.of(tokens, starts, np.arange(len(sets)), None if sides is None else np.array(sides))
    bands = band_hashes(ranked, Banding(3, 2), 0)
    left, right, similarity = banded_pairs(ranked, bands, threshold).arrays()
    rank = {int(row): place for place, row in enumerate(ranked.order)}
    expected = {
        (i, j): s
        for (i, j), s in jaccard_pairs_by_brute_force(sets, threshold, sides).items()
        if sets[i] and sets[j] and (bands[rank[i]] == bands[rank[j]]).any()
    }
    found = {
        (min(i, j), max(i, j)): s for i, j, s in zip(left.tolist(), right.tolist(), similarity, strict=True)
    }
    assert found == expected
    assert len(left) == len(expected)  # each once


@given(SETS, st.sampled_from([0.3, 0.5, 2 / 3, 0.75, 0.8, 1.0]), st.integers(1, 25), st.data())
def test_look_up_of_sampled_rows_is_exact(sets, threshold, n_sampled, data):
    tokens, starts = flat(sets)
    sides = data.draw(
        st.none() | st.lists(st.sampled_from([-2, -1, 0, 1]), min_size=len(sets), max_size=len(sets))
    )
    ranked = RankedSets.of(tokens, starts, np.arange(len(sets)), None if sides is None else np.array(sides))
    sample = ranked.sample(n_sampled, 3)
    ours, theirs = module.exact_pairs_of(ranked, sample, threshold)
    rows = set(ranked.order[sample].tolist())
    expected = {
        (i, j)
        for i, j in jaccard_pairs_by_brute_force(sets, threshold, sides)
        if sets[i] and sets[j] and (i in rows or j in rows)
    }
    assert {(min(p), max(p)) for p in zip(ours.tolist(), theirs.tolist(), strict=True)} == expected


@pytest.mark.parametrize("options", [{}, {"unit": "word", "n": 2}, {"n": 3, "normalize": False}])
@pytest.mark.parametrize("with_sides", [False, True])
def test_graph_is_nearly_the_exact_one_and_never_more(options, with_sides, monkeypatch):
    monkeypatch.setattr(
        module, "RECALL_PAIRS", 10**9
    )  # all rows are looked up, so the recall is the true one
    data = records(near_duplicates(3000))
    sides = np.random.default_rng(1).integers(-1, 3, 3000) if with_sides else None
    exact = get_backend("jaccard")(**options).graph(data, threshold=0.6, sides=sides)
    graph = get_backend("minhash")(**options).graph(data, threshold=0.6, sides=sides)
    ours, theirs = stored(graph), stored(exact)
    assert ours.items() <= theirs.items()
    assert len(theirs) > 200
    assert len(ours) >= 0.995 * len(theirs)
    assert np.array_equal(graph.copies, exact.copies)
    assert not graph.exact
    if sides is not None:  # measured on pairs of any side: across a clean split there would be none
        anyone = np.where(sides < 0, -1, np.arange(3000))
        ours = stored(get_backend("minhash")(**options).graph(data, threshold=0.6, sides=anyone))
        theirs = stored(get_backend("jaccard")(**options).graph(data, threshold=0.6, sides=anyone))
    assert (graph.recall.found, graph.recall.total) == (len(ours), len(theirs))


def test_pairs_and_recall_do_not_depend_on_the_order_of_the_rows_or_on_threads(monkeypatch):
    monkeypatch.setattr(module, "RECALL_ROWS", 400)
    monkeypatch.setattr(module, "RECALL_PAIRS", 300)
    monkeypatch.setattr(banding, "TRIAL_ROWS", 500)
    texts = sorted(set(near_duplicates(2500)))
    order = np.random.default_rng(5).permutation(len(texts))
    backend = get_backend("minhash")
    monkeypatch.setenv("SPLITLEAK_NUM_THREADS", "1")
    one = backend.graph(records(texts), threshold=0.7, seed=4)
    monkeypatch.setenv("SPLITLEAK_NUM_THREADS", "2")
    two = backend.graph(records([texts[i] for i in order]), threshold=0.7, seed=4)
    assert one.n_pairs > 300
    ours = {frozenset((texts[i], texts[j])) for i, j in stored(one)}
    theirs = {frozenset((texts[order[i]], texts[order[j]])) for i, j in stored(two)}
    assert ours == theirs
    assert one.recall == two.recall
    assert 0 < one.recall.total < one.n_pairs
    assert one.details == two.details


def test_large_buckets_lose_no_pair(monkeypatch):
    # one family: nearly every row meets nearly every other in some band
    data = records(near_duplicates(1500, families=2))
    backend = get_backend("minhash")
    small = backend.graph(data, threshold=0.5)
    monkeypatch.setattr(banding, "LARGE_BUCKET", 8)
    large = backend.graph(data, threshold=0.5)
    assert len(small.left) > 5000
    assert stored(large) == stored(small)
    sides = np.arange(1500) % 3 - 1
    monkeypatch.undo()
    small = backend.graph(data, threshold=0.5, sides=sides)
    monkeypatch.setattr(banding, "LARGE_BUCKET", 8)
    assert stored(backend.graph(data, threshold=0.5, sides=sides)) == stored(small)


def test_a_full_buffer_loses_no_pair(monkeypatch):
    data = records(near_duplicates(1500, families=2))
    backend = get_backend("minhash")
    expected = stored(backend.graph(data, threshold=0.5))
    monkeypatch.setattr(banding, "LARGE_BUCKET", 200)
    monkeypatch.setattr(banding, "_BUFFER", 200)
    monkeypatch.setattr(module, "_BUFFER", 1)
    assert stored(backend.graph(data, threshold=0.5)) == expected


def test_more_pairs_than_can_be_listed_still_join_the_right_components(monkeypatch):
    data = records(near_duplicates(1500, families=20))
    backend = get_backend("minhash")
    full = backend.graph(data, threshold=0.5)
    monkeypatch.setattr(banding, "MAX_PAIRS", 1000)
    graph = backend.graph(data, threshold=0.5)
    assert full.complete
    assert not graph.complete
    assert len(graph.left) <= 1000 < len(full.left)
    assert np.array_equal(graph.components(), full.components())
    assert graph.recall.estimate == 1.0
    assert graph.recall.total > 1000


@pytest.mark.parametrize(
    "texts", [[""], ["", ""], ["a"], ["same"] * 5, ["", "a", "a b", "completely different"]]
)
def test_few_empty_and_equal_rows(texts):
    for threshold in (0.3, 1.0):
        graph = get_backend("minhash").graph(records(texts), threshold=threshold)
        exact = get_backend("jaccard").graph(records(texts), threshold=threshold)
        assert graph.components().tolist() == exact.components().tolist()
        assert graph.n_pairs == exact.n_pairs


def test_very_low_threshold_takes_the_bands_it_needs():
    graph = get_backend("minhash").graph(records(["one two three", "one too tree", "four"]), threshold=0.01)
    assert graph.details["rows"] == 1
    assert graph.details["expected_recall"] >= 0.999


def test_details_say_what_was_done():
    graph = get_backend("minhash(num_perm=128)").graph(records(near_duplicates(200)), threshold=0.8)
    details = graph.details
    assert details["num_perm"] == details["bands"] * details["rows"] <= 128
    p = 0.8 ** details["rows"]
    assert details["expected_recall"] == pytest.approx(1 - (1 - p) ** details["bands"])
    assert details["expected_recall"] >= 0.999


@given(st.floats(0.05, 1), st.floats(0.5, 0.99999), st.integers(1, 300))
def test_bandings_reach_the_recall_with_the_fewest_bands(threshold, recall, num_perm):
    try:
        options = bandings(threshold, recall, num_perm)
    except InputError:
        assert Banding(num_perm, 1).recall_at(threshold) < recall
        return
    assert [b.rows for b in options] == list(range(1, len(options) + 1))
    for option in options:
        assert option.bands * option.rows <= num_perm
        assert option.recall_at(threshold) >= recall
        assert option.bands == 1 or Banding(option.bands - 1, option.rows).recall_at(threshold) < recall


def test_more_rows_of_data_ask_for_more_rows_a_band():
    rng = np.random.default_rng(0)
    n = 20_000
    tokens = np.sort(rng.integers(0, 300, (n, 12)) * 0x9E3779B97F4A7C1, axis=1).astype(np.uint64).ravel()
    starts = np.arange(0, 12 * n + 1, 12)
    options = bandings(0.8, 0.999, 512)
    few = choose_banding(RankedSets.of(tokens, starts, np.arange(500)), options, 0)
    many = choose_banding(RankedSets.of(tokens, starts, np.arange(n)), options, 0)
    assert few.rows < many.rows


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recall": 1.0}, r"recall must be a number in \(0, 1\).*got 1\.0.*jaccard"),
        ({"recall": 0}, r"recall must be a number in \(0, 1\)"),
        ({"recall": True}, r"recall must be a number in \(0, 1\)"),
        ({"num_perm": 0}, r"num_perm must be a whole number of at least 1, or None, got 0"),
        ({"num_perm": 2.5}, r"num_perm must be a whole number"),
        (
            {"num_perm": 3},
            r"recall=0\.9999 at threshold=0\.8 cannot be reached with num_perm=3: it needs num_perm=6",
        ),
        ({"unit": "letter"}, r"unit='letter'"),
        ({"n": 0}, r"n must be a whole number of at least 1"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(InputError, match=message):
        get_backend("minhash")(**options).graph(records(["a b", "c"]), threshold=0.8)


def test_a_threshold_too_low_for_any_number_of_bands():
    with pytest.raises(InputError, match=r"threshold=0\.0001 cannot be reached with num_perm=4096"):
        get_backend("minhash").graph(records(["a b", "c"]), threshold=0.0001)


def test_sketches_go_to_datasketch_and_back():
    hashes = np.random.default_rng(0).integers(0, 2**32, 60, dtype=np.uint32)
    starts = np.array([0, 25, 25, 60])
    ours = signatures(hashes, starts, num_perm=64, seed=9)
    sketches = to_datasketch(ours, seed=9)
    for row, sketch in enumerate(sketches):
        theirs = MinHash(num_perm=64, seed=9, hashfunc=int)
        theirs.update_batch(hashes[starts[row] : starts[row + 1]].tolist())
        assert sketch == theirs
        assert sketch.jaccard(theirs) == 1.0
        sketch.merge(theirs)  # it goes on as datasketch's own do
    assert np.array_equal(from_datasketch(to_datasketch(ours, seed=9)), ours)


def test_sketches_that_cannot_be_compared():
    ours = signatures(np.arange(4, dtype=np.uint32), np.array([0, 4]), num_perm=8)
    with pytest.raises(InputError, match=r"one seed and one num_perm, got .*seed=1.*seed=2"):
        from_datasketch(to_datasketch(ours, seed=1) + to_datasketch(ours, seed=2))
    with pytest.raises(InputError, match=r"scheme='legacy'"):
        from_datasketch([MinHash(num_perm=8, scheme="legacy")])
    with pytest.raises(InputError, match=r"got none"):
        from_datasketch([])


def test_signatures_of_wrong_arrays():
    with pytest.raises(
        InputError, match=r"tokens must be a 1-D array of 32-bit hashes \(uint32\), got uint64"
    ):
        signatures(np.arange(3, dtype=np.uint64), np.array([0, 3]))
    for starts in ([0, 2], [1, 3], [0, 4, 3], [], [0.0, 3.0]):
        with pytest.raises(InputError, match=r"starts must ascend from 0 to the number of tokens \(3\)"):
            signatures(np.arange(3, dtype=np.uint32), np.array(starts))
    with pytest.raises(InputError, match=r"num_perm must be a whole number of at least 1, got 0"):
        permutations(0, 1)
    with pytest.raises(InputError, match=r"seed must be a whole number in \[0, 2\*\*32\), got -1"):
        permutations(4, -1)


@pytest.mark.skipif("SPLITLEAK_DATA" not in os.environ, reason="SPLITLEAK_DATA does not name the real data")
def test_recall_on_real_short_texts():
    import pyarrow.parquet as pq

    table = pq.read_table(
        Path(os.environ["SPLITLEAK_DATA"]) / "text" / "short_texts.parquet", columns=["text"]
    )
    data = records(table["text"].slice(0, 60_000).to_pylist())
    exact = get_backend("jaccard").graph(data, threshold=0.8)
    graph = get_backend("minhash").graph(data, threshold=0.8)
    ours, theirs = stored(graph), stored(exact)
    assert ours.items() <= theirs.items()
    assert len(theirs) > 10_000
    assert len(ours) >= 0.999 * len(theirs)
    assert graph.recall.low <= len(ours) / len(theirs) <= graph.recall.high
