"""The certificate against brute force: crossing pairs, shares, nearest similarities, the random yardstick."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import splitleak
from splitleak import InputError
from splitleak.certificate import Certificate
from tests.oracles import jaccard_of_sets, shingles

NAMES = ["train", "dev", "test"]
rows = st.lists(st.text("abc", min_size=5, max_size=8), min_size=6, max_size=25)


def brute_force(texts: list[str], codes: list[int]) -> dict[tuple[int, int], float]:
    sets = [shingles(text, "char", 2) for text in texts]
    n = range(len(texts))
    return {(i, j): jaccard_of_sets(sets[i], sets[j]) for i in n for j in n if i < j and codes[i] != codes[j]}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows, st.sampled_from([0.3, 0.5, 0.8, 1.0]), st.data())
def test_against_brute_force(texts: list[str], threshold: float, data: st.DataObject) -> None:
    codes = [
        0,
        0,
        1,
        2,
        *data.draw(st.lists(st.integers(0, 2), min_size=len(texts) - 4, max_size=len(texts) - 4)),
    ]
    codes += [0] * 2 * len(texts)  # the training side is the largest
    texts = texts + [f"{i} filler {i}" for i in range(2 * len(texts))]
    found = splitleak.certify(
        texts, [NAMES[c] for c in codes], similarity="jaccard(n=2)", threshold=threshold
    )
    across = brute_force(texts, codes)
    crossing = {pair: s for pair, s in across.items() if s >= threshold}
    assert found.n_crossing == len(crossing)
    assert {(c.left, c.right): c.similarity for c in found.crossing} == crossing
    assert found.verdict == ("leaking" if crossing else "separated")
    for entry in found.across:
        sides = {NAMES.index(entry.left), NAMES.index(entry.right)}
        values = [s for (i, j), s in across.items() if {codes[i], codes[j]} == sides]
        assert entry.pairs == sum(s >= threshold for s in values)
        assert entry.largest is not None
        if entry.largest_is_bound:
            assert max(values) < entry.largest
        else:
            assert entry.largest == max(values)
    for part in found.held_out:
        k = NAMES.index(part.partition)
        touched = {i if codes[i] == k else j for (i, j) in crossing if {codes[i], codes[j]} == {0, k}}
        assert part.with_similar == len(touched)
        assert part.rows == codes.count(k)
        nearest = [
            max(s for (i, j), s in across.items() if r in (i, j) and 0 in (codes[i], codes[j]))
            for r in range(len(codes))
            if codes[r] == k
        ]
        assert found.nearest is not None
        assert found.nearest.counts[part.partition] == tuple(np.histogram(nearest, found.nearest.edges)[0])


def test_the_yardstick_is_the_mean_over_random_splits() -> None:
    texts = [f"line {i // 3 if i % 5 else i:03d}" for i in range(60)]
    labels = np.array(["train"] * 45 + ["test"] * 15)
    found = splitleak.certify(texts, labels, similarity="exact")
    random = np.random.default_rng(0)
    shares = []
    for _ in range(300):
        mixed = random.permutation(labels)
        similar = splitleak.similarity_graph(texts, similarity="exact")
        left, right, _ = similar.pairs()
        ends = np.concatenate([left, right]), np.concatenate([right, left])
        leaking = (mixed[ends[0]] == "test") & (mixed[ends[1]] == "train")
        shares.append(len(set(ends[0][leaking])) / 15)
    assert found.random is not None
    assert abs(found.random.share - np.mean(shares)) < 4 * np.std(shares) / np.sqrt(300)


def test_identical_rows_on_both_sides_are_counted_not_listed() -> None:
    texts = ["the same text"] * 40_000
    found = splitleak.certify(texts, ["train"] * 30_000 + ["test"] * 10_000)
    assert found.n_crossing == 30_000 * 10_000
    assert len(found.crossing) == 1_000
    assert found.held_out[0].share == 1


def test_a_leak_is_found_whatever_the_split_claims() -> None:
    split = splitleak.split_by_similarity([f"text {i} {i * i}" for i in range(50)], threshold=0.9)
    honest = [f"text {i} {i * i}" for i in range(50)]
    assert splitleak.certify(honest, split).verdict == "separated"
    honest[int(split["test"][0])] = honest[int(split["train"][0])]
    with pytest.raises(splitleak.DataMismatchError):
        splitleak.certify(honest, split)
    assert splitleak.certify(honest, split.labels(), threshold=0.9).verdict == "leaking"


def test_a_matrix_in_another_order_is_caught_by_the_measure_itself() -> None:
    """The split comes from a mislabelled matrix; certifying with the data's own measure shows it."""
    texts = [f"{word} {word} {word} {k}" for word in ("alpha", "beta", "gamma", "delta") for k in range(5)]
    block = np.kron(np.eye(4), np.ones((5, 5)))
    order = np.random.default_rng(0).permutation(20)
    split = splitleak.split_by_similarity(
        texts, similarity=block[np.ix_(order, order)], threshold=0.5, sizes={"train": 0.75, "test": 0.25}
    )
    assert splitleak.certify(texts, split, similarity="jaccard(n=3)", threshold=0.5).verdict == "leaking"


def test_equal_rows_apart_hint_at_a_matrix_in_another_order() -> None:
    texts = [word for word in ("alpha", "beta", "gamma", "delta") for _ in range(5)]
    block = np.kron(np.eye(4), np.ones((5, 5)))
    order = np.random.default_rng(0).permutation(20)
    sizes = {"train": 0.75, "test": 0.25}
    right = splitleak.split_by_similarity(texts, similarity=block, threshold=0.5, sizes=sizes)
    wrong = splitleak.split_by_similarity(
        texts, similarity=block[np.ix_(order, order)], threshold=0.5, sizes=sizes
    )
    assert "given by the caller" in right.certificate.notes[0]  # type: ignore[union-attr]
    assert len(right.certificate.notes) == 1  # type: ignore[union-attr]
    assert "equal content are in different partitions" in wrong.certificate.notes[1]  # type: ignore[union-attr]


def test_a_graph_made_before_is_searched_anew() -> None:
    texts = [f"text number {i // 2} {i // 2 * 7919} and more{'!' * (i % 2)}" for i in range(40)]
    graph = splitleak.similarity_graph(texts, threshold=0.9)
    empty = splitleak.SimilarityGraph.build([], [], [], n_rows=40, threshold=0.9, measure=graph.measure)
    honest = splitleak.split_by_similarity(texts, similarity=graph)
    lying = splitleak.split_by_similarity(texts, similarity=empty)
    assert honest.certificate.verdict == "separated"  # type: ignore[union-attr]
    assert honest.certificate.notes == ()  # type: ignore[union-attr]
    assert lying.certificate.verdict == "leaking"  # type: ignore[union-attr]


def test_split_as_a_column_and_rows_without_partition() -> None:
    table = pd.DataFrame({"text": ["one text", "one text", "other", "more"], "fold": ["a", None, "b", "a"]})
    found = splitleak.certify(table, "fold", on="text")
    assert found.verdict == "separated"
    table.loc[1, "fold"] = "b"
    assert splitleak.certify(table, "fold").n_crossing == 1


def test_bad_splits() -> None:
    with pytest.raises(InputError, match="at least two partitions"):
        splitleak.certify(["a", "b"], ["train", "train"])
    with pytest.raises(InputError, match="split"):
        splitleak.certify(["a", "b"], ["train", "test", "test"])
    with pytest.raises(InputError, match="split names 101 partitions in 202 rows"):
        splitleak.certify([f"text {i}" for i in range(202)], [f"fold {i % 101}" for i in range(202)])
    with pytest.raises(InputError, match="did you mean 'fold'"):
        splitleak.certify(pd.DataFrame({"t": ["a", "b"], "fold": ["x", "y"]}), "fald", on="t")


def test_approximate_search_says_so() -> None:
    texts = [f"message number {i} of many: {i * 7919 % 1000}" for i in range(300)]
    found = splitleak.certify(texts, ["train"] * 200 + ["test"] * 100, similarity="minhash", threshold=0.95)
    assert not found.exhaustive
    assert found.verdict in ("separated_with_recall", "leaking")
    assert not any(entry.largest_is_bound for entry in found.across)  # it proves no bound


def test_the_recall_of_a_clean_split_is_measured() -> None:
    texts = [f"message {i // 2} of {i // 2 * 7919} and some more text{'!' * (i % 2)}" for i in range(400)]
    split = splitleak.split_by_similarity(texts, similarity="minhash", threshold=0.9)
    found = split.certificate
    assert found is not None
    assert found.verdict == "separated_with_recall"
    assert found.recall is not None
    assert found.recall.total >= 200
    assert found.recall.estimate > 0.99


def test_summary_round_trip() -> None:
    texts = ["one text", "one text", "other text", "more of it"] * 10
    found = splitleak.certify(texts, ["train", "test"] * 20, similarity="minhash", threshold=0.9)
    again = Certificate.from_summary(json.loads(json.dumps(found.summary())))
    assert again.summary() == found.summary()
    assert again.frame().equals(found.frame())
    assert "Leaking" in repr(found)
