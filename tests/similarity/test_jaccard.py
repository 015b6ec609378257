from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitleak._progress import Progress
from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.kernels import jaccard_join
from splitleak.records import Records
from splitleak.similarity.base import get_backend
from splitleak.similarity.jaccard import jaccard, jaccard_nearest
from tests.oracles import jaccard_of_sets, jaccard_pairs_by_brute_force, shingles

TIES = st.sampled_from([1 / 3, 0.5, 2 / 3, 0.75, 0.8, 0.9, 1.0])
ALPHABET = "abAB \t_.\x00\u00e9e\u0301\u00c9\u00a0\u0130\u00df\u4e2d\ufb01\U0001f600"
# few letters and repeated pieces, so that near-duplicates and ties come often
TEXT = st.text(st.sampled_from(ALPHABET), max_size=14) | st.lists(
    st.sampled_from(["", "a", "ab", "one ", "two ", "three ", "\u00e9t\u00e9 ", "one two three "]), max_size=5
).map("".join)
TEXTS = st.lists(TEXT | st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=14)
OPTIONS = st.fixed_dictionaries(
    {
        "unit": st.sampled_from(["char", "word"]),
        "n": st.sampled_from([1, 2, 3, 5, 8]),
        "normalize": st.booleans(),
    }
)


def records(texts: list[str]) -> Records:
    encoded = [text.encode() for text in texts]
    buffer = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return Records(kind="text", n_rows=len(texts), buffer=buffer, offsets=offsets)


def sets_of(texts: list[str], unit: str, n: int, normalize: bool) -> list[set[object]]:
    if normalize:
        texts = [" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in texts]
    return [shingles(text, unit, n) for text in texts]


def listed(graph: SimilarityGraph) -> dict[tuple[int, int], float]:
    left, right, similarity = graph.pairs()
    return dict(zip(zip(left.tolist(), right.tolist(), strict=True), similarity.tolist(), strict=True))


@settings(deadline=None)
@given(TEXTS, TIES | st.floats(0.01, 1), OPTIONS)
def test_graph_equals_brute_force(texts, threshold, options):
    graph = jaccard.graph(records(texts), threshold=threshold)
    assert listed(graph) == jaccard_pairs_by_brute_force(sets_of(texts, "char", 5, True), threshold)
    graph = jaccard(**options).graph(records(texts), threshold=threshold)
    assert listed(graph) == jaccard_pairs_by_brute_force(sets_of(texts, **options), threshold)
    assert graph.exact
    assert graph.complete


@settings(deadline=None)
@given(st.data(), TEXTS, TIES, OPTIONS)
def test_no_pair_across_sides_is_missed(data, texts, threshold, options):
    sides = data.draw(
        st.lists(st.sampled_from([-1, 0, 0, 0, 0, 1, 2]), min_size=len(texts), max_size=len(texts))
    )
    graph = jaccard(**options).graph(records(texts), threshold=threshold, sides=np.array(sides))
    full = jaccard_pairs_by_brute_force(sets_of(texts, **options), threshold)
    crossing = jaccard_pairs_by_brute_force(sets_of(texts, **options), threshold, sides)
    found = listed(graph)
    # pairs within a side may come along as copies, true ones, and never with rows that are left out
    assert found.items() <= full.items()
    assert {p: s for p, s in found.items() if sides[p[0]] != sides[p[1]]} == crossing
    assert not any(sides[i] == -1 or sides[j] == -1 for i, j in found)


@settings(deadline=None)
@given(st.data(), TEXTS, TIES, OPTIONS)
def test_nearest_equals_brute_force(data, texts, threshold, options):
    n = len(texts)
    sides = data.draw(st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=n, max_size=n))
    queries = data.draw(st.lists(st.integers(0, n - 1), max_size=6))
    found = jaccard_nearest(
        records(texts),
        np.array(queries, dtype=np.int64),
        threshold=threshold,
        sides=np.array(sides),
        **options,
    )
    sets = sets_of(texts, **options)
    for i, q in enumerate(queries):
        others = [r for r in range(n) if r != q and sides[r] != -1]
        for side in range(max([*sides, 0]) + 1):
            there = [jaccard_of_sets(sets[q], sets[r]) for r in others if sides[r] == side]
            np.testing.assert_equal(found.nearest[i, side], max(there) if there else np.nan)
        assert found.degree[i] == sum(jaccard_of_sets(sets[q], sets[r]) >= threshold for r in others)


def test_the_threads_and_the_order_of_rows_do_not_matter(monkeypatch):
    rng = np.random.default_rng(0)
    words = ["alpha", "beta", "gamma", "delta", "\u00e9psilon", "zeta"]
    texts = [" ".join(rng.choice(words, rng.integers(0, 9))) for _ in range(500)]
    graphs = []
    for threads in ("1", "2"):
        monkeypatch.setenv("SPLITLEAK_NUM_THREADS", threads)
        graphs.append(jaccard.graph(records(texts), threshold=0.7))
    for name in ("left", "right", "similarity", "copies"):
        np.testing.assert_array_equal(getattr(graphs[0], name), getattr(graphs[1], name))
    order = rng.permutation(500)
    shuffled = listed(jaccard.graph(records([texts[r] for r in order]), threshold=0.7))
    assert {tuple(sorted((int(order[i]), int(order[j])))): s for (i, j), s in shuffled.items()} == listed(
        graphs[0]
    )


def test_long_texts():
    rng = np.random.default_rng(1)
    long = " ".join(rng.choice(["spam", "egg", "ham", "\u00e9t\u00e9", *map(str, range(9_000))], 22_000))
    assert len(long) > 100_000
    texts = [long, long[:90_000], long[:-1] + "!", long.upper(), "spam", "", "x"]
    for unit, n in (("char", 5), ("char", 40), ("word", 3)):
        graph = jaccard(unit=unit, n=n).graph(records(texts), threshold=0.8)
        assert listed(graph) == jaccard_pairs_by_brute_force(sets_of(texts, unit, n, True), 0.8)
        assert graph.n_pairs >= 3


@pytest.mark.parametrize("text", ["the same sentence, over and over", "", "a", "\u00e9"])
def test_identical_rows_cost_linear_space(text):
    graph = jaccard.graph(records([text] * 100_000), threshold=0.8)
    assert len(graph.left) == 0
    assert graph.n_pairs == 100_000 * 99_999 // 2
    sides = np.repeat([0, 1], 50_000)
    graph = jaccard.graph(records([text] * 100_000), threshold=0.8, sides=sides)
    assert graph.n_pairs == 100_000 * 99_999 // 2


def test_empty_texts_are_like_each_other_only():
    graph = jaccard.graph(records(["", "abc", " \n", "abd"]), threshold=0.01)
    assert listed(graph) == {(0, 2): 1.0}
    found = jaccard_nearest(
        records(["", "abc", ""]), np.array([0, 1]), threshold=0.5, sides=np.array([0, 1, 1], dtype=np.int64)
    )
    assert found.nearest[:, 1].tolist() == [1.0, 0.0]
    assert found.degree.tolist() == [1, 0]


def test_too_many_pairs_are_linked(monkeypatch):
    monkeypatch.setattr(jaccard_join, "MAX_PAIRS", 1_000)
    texts = [f"Dear customer number {i:05d}, your order is on its way to your home." for i in range(300)]
    graph = jaccard.graph(records([*texts, "something else", "quite different"]), threshold=0.7)
    assert not graph.complete
    assert len(graph.left) == 299
    assert (graph.similarity >= 0.7).all()


def test_no_rows_on_any_other_side():
    graph = jaccard.graph(records(["same text", "same text"]), threshold=0.5, sides=np.array([-1, -1]))
    assert graph.n_pairs == 0
    found = jaccard_nearest(
        records(["same text", "same text"]), np.array([0]), threshold=0.5, sides=np.array([0, -1])
    )
    assert np.isnan(found.nearest[0, 0])
    assert found.degree.tolist() == [0]


def test_backend_is_found_by_name_and_named_in_the_graph():
    backend = get_backend("jaccard(unit=word, n=2)")
    graph = backend.graph(records(["a b c", "b c d", "x"]), threshold=1 / 3)
    assert listed(graph) == {(0, 1): 1 / 3}
    assert graph.measure == "jaccard(n=2, unit='word')"


def test_stages_are_told():
    told: list[str] = []

    class Recording(Progress):
        def stage(self, title, total=None):
            told.append(title)
            return super().stage(title, total)

    jaccard.graph(records(["abcdef", "abcdeg"]), threshold=0.5, progress=Recording(False))
    assert told == ["shingling texts", "joining texts"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"unit": "words"},
            r"unit='words' is not known; did you mean 'word'\? \(choose one of: 'char', 'word'\)",
        ),
        ({"n": 0}, r"n must be a whole number of at least 1 .*got 0"),
        ({"n": 2.5}, r"n must be a whole number .*got 2.5"),
        ({"n": True}, r"n must be a whole number .*got True"),
        ({"normalize": "no"}, r"normalize must be True or False, got 'no'"),
    ],
)
def test_options_that_cannot_be_used(options, message):
    with pytest.raises(InputError, match=message):
        jaccard(**options).graph(records(["a", "b"]))


@pytest.mark.skipif(
    "SPLITLEAK_DATA" not in os.environ, reason="SPLITLEAK_DATA names no folder with real data"
)
def test_real_texts_equal_brute_force():
    lines = (Path(os.environ["SPLITLEAK_DATA"]) / "text" / "sms.tsv").read_text(encoding="utf-8").splitlines()
    texts = [line.split("\t", 1)[1] for line in lines[:800]]
    sets = sets_of(texts, "char", 5, True)
    everything = listed(jaccard.graph(records(texts), threshold=0.5))
    assert everything == jaccard_pairs_by_brute_force(sets, 0.5)
    sides = np.random.default_rng(0).choice(3, len(texts), p=[0.8, 0.1, 0.1])
    crossing = listed(jaccard.graph(records(texts), threshold=0.5, sides=sides))
    assert {p for p in crossing if sides[p[0]] != sides[p[1]]} == {
        p for p in everything if sides[p[0]] != sides[p[1]]
    }
