"""The promise of folds: no similar pair in two folds, no empty fold, each row in one; also within the training rows."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak import InfeasibleSplitError, InputError, SimilarityGraph, Split, SplitleakWarning
from splitleak.crossing import crossing_pairs
from splitleak.folds import fold_by_similarity
from splitleak.folds.folded import Folds

quick = settings(max_examples=40)
edges = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=18)
ROWS = [f"row {i}" for i in range(20)]


def graph_of(pairs: list[tuple[int, int]], n_rows: int = 20, similarity: float = 1.0) -> SimilarityGraph:
    left, right = np.array(pairs, dtype=int).reshape(-1, 2).T
    values = np.full(len(pairs), similarity)
    return SimilarityGraph.from_edges(left, right, values, n_rows=n_rows, threshold=0.5)


def clusters_by_brute_force(pairs: list[tuple[int, int]], rows: list[int]) -> int:
    left = {row: row for row in rows}
    for _ in rows:
        for a, b in pairs:
            left[a] = left[b] = min(left[a], left[b])
    return len(set(left.values()))


def holds(folds: Folds, pairs: set[tuple[int, int]]) -> None:
    for codes in folds.codes:
        assert set(codes) == set(range(folds.n_folds))
        assert not [(a, b) for a, b in pairs if codes[a] != codes[b]]
    seen = list(folds)
    assert len(seen) == len(folds) == folds.repeats * folds.n_folds
    for train, test in seen:
        assert train.dtype == test.dtype == np.int64
        assert sorted([*train, *test]) == list(range(folds.n_rows))


def nearest(data: object, **options: object) -> Folds:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SplitleakWarning)
        return fold_by_similarity(data, on_infeasible="nearest", **options)  # type: ignore[arg-type]


@quick
@given(edges, st.lists(st.integers(-1, 9), min_size=20, max_size=20), st.integers(2, 8), st.integers(0, 3))
def test_no_similar_rows_and_no_group_in_two_folds(pairs, groups, n_folds, seed) -> None:  # type: ignore[no-untyped-def]
    given_groups = [None if g < 0 else f"g{g}" for g in groups]
    together = {*pairs, *((i, j) for i in range(20) for j in range(i) if groups[i] == groups[j] >= 0)}
    k = clusters_by_brute_force(sorted(together), list(range(20)))
    options = {
        "similarity": graph_of(pairs),
        "groups": given_groups,
        "folds": n_folds,
        "repeats": 2,
        "seed": seed,
    }
    if k < n_folds:
        with pytest.raises(InfeasibleSplitError, match=f"{k} clusters|one cluster"):
            nearest(ROWS, **options)
        return
    folds = nearest(ROWS, **options)
    holds(folds, together)
    assert folds.certificate is not None
    assert folds.certificate.verdict == "separated"
    inner_k = len(np.unique(folds.clusters[folds.codes[0] != 0]))  # type: ignore[index]
    if inner_k < 2:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SplitleakWarning)
        inner = folds.inner(0, folds=2, on_infeasible="nearest")
    assert inner.rows is not None
    assert inner.rows.tolist() == np.flatnonzero(folds.codes[0] != 0).tolist()
    place = {row: k for k, row in enumerate(inner.rows.tolist())}
    holds(inner, {(place[a], place[b]) for a, b in together if a in place and b in place})


@quick
@given(edges, st.integers(2, 5), st.integers(0, 3), st.randoms(use_true_random=False))
def test_the_folds_of_shuffled_rows_are_the_shuffled_folds(pairs, n_folds, seed, random) -> None:  # type: ignore[no-untyped-def]
    order = np.array(random.sample(range(20), 20))
    place = np.argsort(order)
    options = {"folds": n_folds, "repeats": 2, "seed": seed, "certify": False}
    classes = np.arange(20) % 3
    try:
        first = nearest(ROWS, similarity=graph_of(pairs), stratify=classes, **options)
    except InfeasibleSplitError:
        return
    moved = graph_of([(place[a], place[b]) for a, b in pairs])
    second = nearest([ROWS[i] for i in order], similarity=moved, stratify=classes[order], **options)
    assert second.codes.tolist() == first.codes[:, order].tolist()


def near_duplicates(n: int = 300) -> pd.DataFrame:
    random = np.random.default_rng(0)
    lines: list[str] = []
    while len(lines) < n:
        line = random.choice(list("abcdefghij "), 60)
        for _ in range(1 + random.integers(4)):
            line[random.integers(60)] = "X"
            lines.append("".join(line))
    label = random.choice(["common", "rare"], n, p=[0.8, 0.2])
    return pd.DataFrame({"text": lines[:n], "label": label, "author": np.arange(n) // 6})


def test_folds_of_texts_are_equal_balanced_and_certified() -> None:
    table = near_duplicates()
    folds = fold_by_similarity(table, on="text", threshold=0.7, stratify="label", repeats=3)
    assert folds.sizes.tolist() == [[60] * 5] * 3
    rare = [(table["label"].to_numpy()[test] == "rare").sum() for _, test in folds]
    assert max(rare) - min(rare) <= 2
    assert len({codes.tobytes() for codes in folds.codes}) == 3
    assert [c.verdict for c in folds.certificates] == ["separated"] * 3
    again = fold_by_similarity(table, on="text", threshold=0.7, stratify="label", seed=1, certify=False)
    assert again.codes.tolist() != folds.codes[:1].tolist()
    assert again.certificate is None
    first = fold_by_similarity(table, on="text", threshold=0.7, stratify="label", certify=False)
    assert first.codes[0].tolist() == folds.codes[0].tolist()


def test_a_fold_is_a_split_of_its_own() -> None:
    table = near_duplicates()
    folds = fold_by_similarity(table, on="text", threshold=0.7, stratify="label", groups="author")
    split = folds.fold(2)
    assert split.names == ("train", "test")
    train, test = list(folds)[2]
    assert split["train"].tolist() == train.tolist()
    assert split["test"].tolist() == test.tolist()
    assert len(split.take(table)["test"]) == len(test)
    own = split.certificate
    assert own is not None
    fresh = splitleak.certify(table, split)
    assert own.verdict == fresh.verdict == "separated"
    assert own.held_out == fresh.held_out
    assert own.nearest == fresh.nearest
    assert own.across[0].pairs == 0
    if not own.across[0].largest_is_bound and not fresh.across[0].largest_is_bound:
        assert own.across[0].largest == fresh.across[0].largest
    assert split.provenance is not None
    assert split.provenance.options["fold"] == 2
    assert "60" in repr(split)


class Leaky:
    """Edges that the search for clusters sees and the certificate does not, or the other way round."""

    def __init__(self, pairs: list[tuple[int, int]]) -> None:
        self.pairs = pairs

    def backend(self):  # type: ignore[no-untyped-def]
        @splitleak.similarity_backend("misses-pairs-at-first", kinds={"text"}, threshold=0.5)
        def search(records, *, threshold, sides=None):  # type: ignore[no-untyped-def]
            pairs = [] if sides is None else [(a, b) for a, b in self.pairs if sides[a] != sides[b]]
            return graph_of(pairs, records.n_rows)

        return search


def test_pairs_that_cross_are_found_and_told_per_fold() -> None:
    pairs = [(0, 1), (0, 2), (3, 4), (5, 6), (7, 8), (9, 10)]
    folds = fold_by_similarity(ROWS, similarity=Leaky(pairs).backend(), folds=4)
    crossing = [(a, b) for a, b in pairs if folds.codes[0, a] != folds.codes[0, b]]
    assert crossing
    certificate = folds.certificate
    assert certificate is not None
    assert certificate.verdict == "leaking"
    assert certificate.n_crossing == len(crossing)
    assert "Leaking" in repr(folds)
    for i in range(4):
        own = folds.fold(i).certificate
        assert own is not None
        mine = [(a, b) for a, b in crossing if (folds.codes[0, a] == i) != (folds.codes[0, b] == i)]
        assert own.n_crossing == own.across[0].pairs == len(mine) == len(own.crossing)
        assert own.verdict == ("leaking" if mine else "separated")
        assert {(c.left_partition, c.right_partition) for c in own.crossing} <= {
            ("train", "test"),
            ("test", "train"),
        }
        touched = {row for pair in mine for row in pair if folds.codes[0, row] == i}
        assert [h.with_similar for h in own.held_out] == [len(touched)]


@quick
@given(st.lists(st.sampled_from(["a b c", "a b d", "x y", "x z", "q"]), min_size=4, max_size=16), st.data())
def test_rows_with_a_similar_row_elsewhere(texts, data) -> None:  # type: ignore[no-untyped-def]
    codes = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=len(texts), max_size=len(texts))))
    graph = splitleak.similarity_graph(texts, similarity="jaccard(unit=word, n=1)", threshold=0.5)
    found = crossing_pairs(graph, codes, 3, 0.5)
    words = [set(text.split()) for text in texts]
    for k in range(3):
        similar = [
            {codes[j] for j, b in enumerate(words) if len(a & b) >= 0.5 * len(a | b)} - {k, -1}
            for i, a in enumerate(words)
            if codes[i] == k
        ]
        assert found.with_other[k] == sum(bool(others) for others in similar)
        assert found.with_training[k] == sum(0 in others for others in similar)


def test_more_folds_than_clusters_is_an_error_whatever_the_policy() -> None:
    three = graph_of([(0, 1), (2, 3), (3, 4)], 6)
    for policy in ("error", "nearest"):
        with pytest.raises(
            InfeasibleSplitError, match="folds=5 needs at least 5 clusters.* 3 clusters.*folds=3"
        ):
            fold_by_similarity(ROWS[:6], similarity=three, folds=5, on_infeasible=policy)  # type: ignore[arg-type]
    one = graph_of([(0, 1), (1, 2)], 3)
    with pytest.raises(InfeasibleSplitError, match="all 3 rows form one cluster"):
        fold_by_similarity(ROWS[:3], similarity=one, folds=2)
    with pytest.raises(InfeasibleSplitError, match="leave groups= out"):
        fold_by_similarity(ROWS, similarity="exact", groups=["same"] * 20, folds=2)
    weak = graph_of([(0, 1), (1, 2), (2, 3)], 4, similarity=0.7)
    with pytest.raises(InfeasibleSplitError, match=r"threshold=0\.71"):
        fold_by_similarity(ROWS[:4], similarity=weak, folds=2)


def test_clusters_too_large_for_equal_folds() -> None:
    large = graph_of([(0, i) for i in range(1, 10)])
    with pytest.raises(
        InfeasibleSplitError, match="largest cluster holds 10 of 20.*folds=2 can be equal"
    ) as caught:
        fold_by_similarity(ROWS, similarity=large, folds=5)
    assert caught.value.largest_cluster == 10
    assert sum(caught.value.nearest.values()) == 20
    with pytest.warns(SplitleakWarning, match="Taking the nearest") as seen:
        folds = fold_by_similarity(ROWS, similarity=large, folds=5, on_infeasible="nearest", repeats=2)
    assert seen[0].filename == __file__
    assert len(seen) == 1
    assert folds.sizes.tolist() == [[10, 3, 3, 2, 2]] * 2
    fold_by_similarity(ROWS, similarity=large, folds=5, tolerance=0.4)


@quick
@given(edges, st.integers(2, 6))
def test_folds_are_as_even_as_the_largest_cluster_lets_them(pairs, n_folds) -> None:  # type: ignore[no-untyped-def]
    try:
        folds = nearest(ROWS, similarity=graph_of(pairs), folds=n_folds, certify=False)
    except InfeasibleSplitError:
        return
    clusters = np.sort(np.bincount(folds.clusters))  # type: ignore[arg-type]
    assert folds.sizes.max() >= clusters[-1]
    if clusters[-n_folds] == 1:  # a fold for each larger cluster, and single rows to level them with
        assert folds.sizes.max() == max(clusters[-1], -(-20 // n_folds))


def test_classes_in_one_cluster_are_warned_of() -> None:
    classes = ["a"] * 10 + ["b"] * 9 + ["lonely"]
    with pytest.warns(SplitleakWarning, match="1 class with all rows in one cluster .'lonely'.") as seen:
        fold_by_similarity(ROWS, similarity="exact", stratify=classes, folds=2)
    assert seen[0].filename == __file__
    missing = ["a", "b"] * 9 + ["a", None]
    folds = fold_by_similarity(ROWS, similarity="exact", stratify=missing, folds=2)
    assert folds.strata[0].per_row()[-1] == -1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "folds must be a whole number of at least 2, got 1"),
        ({"folds": 2.0}, "folds must be a whole number"),
        ({"folds": True}, "folds must be a whole number"),
        ({"folds": 21}, "folds=21 asks for more folds than there are rows .20."),
        ({"repeats": 0}, "repeats must be a whole number of at least 1"),
        ({"tolerance": 1}, "tolerance must be a share"),
        ({"on_infeasible": "drop"}, "on_infeasible='drop' is not known"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"seed": None}, "seed must be a whole number"),
        ({"stratify": ["a"]}, "one value for each of the 20 rows"),
        ({"groups": ["a"]}, "one value for each of the 20 rows"),
        ({"threshold": 0}, "threshold must be"),
        ({"missing": "drop"}, "missing='drop' is not known"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fold_by_similarity(ROWS, **options)  # type: ignore[arg-type]


def test_bad_fold_numbers_and_inner_options() -> None:
    folds = fold_by_similarity(ROWS, similarity="exact", folds=4)
    for call in (
        lambda: folds.fold(4),
        lambda: folds.fold(-1),
        lambda: folds.inner(4),
        lambda: folds.fold(True),
    ):
        with pytest.raises(InputError, match=r"fold must be a whole number in \[0, 4\)"):
            call()
    with pytest.raises(InputError, match=r"repeat must be a whole number in \[0, 1\)"):
        folds.fold(0, repeat=1)
    with pytest.raises(InputError, match="folds must be a whole number of at least 2"):
        folds.inner(0, folds=1)
    with pytest.raises(InputError, match="needs the clusters"):
        Folds(np.array([[0, 1]]), 2).inner(0)
    with pytest.raises(InputError, match="more folds than there are rows"):
        folds.inner(0, folds=16)


def test_inner_folds_know_their_rows() -> None:
    table = near_duplicates()
    outer = fold_by_similarity(table, on="text", threshold=0.7, stratify="label", repeats=2)
    inner = outer.inner(1, folds=3, repeat=1, repeats=2, seed=5)
    train = np.flatnonzero(outer.codes[1] != 1)
    assert inner.rows is not None
    assert inner.rows.tolist() == train.tolist()
    assert inner.codes.shape == (2, 240)
    assert inner.sizes.tolist() == [[80] * 3] * 2
    assert inner.certificate is None
    assert "certify(data, folds.as_split())" in repr(inner)
    assert splitleak.certify(table.iloc[train], inner.as_split()).verdict == "separated"
    assert inner.frame()["row"].tolist() == train.tolist()
    assert inner.provenance is not None
    assert inner.provenance.options["inner_of"] == {"fold": 1, "repeat": 1}
    deeper = inner.inner(0, folds=2)
    assert deeper.rows is not None
    assert set(deeper.rows) == set(train[inner.codes[0] != 0])
    with pytest.raises(InputError, match="inner folds follow from the outer ones"):
        outer.inner(0).save("folds.parquet")


def test_inner_folds_without_enough_clusters() -> None:
    folds = fold_by_similarity(ROWS[:6], similarity=graph_of([(0, 1), (2, 3), (4, 5)], 6), folds=3)
    with pytest.raises(InfeasibleSplitError, match="folds=3 needs at least 3 clusters.* 2 clusters.*folds=2"):
        folds.inner(0, folds=3)


def test_frames_views_and_files(tmp_path: Path) -> None:
    table = near_duplicates(100)
    folds = fold_by_similarity(table, on="text", threshold=0.7, stratify="label", folds=4)
    frame = folds.frame()
    assert list(frame.columns) == ["row", "fold", "cluster"]
    assert frame["fold"].tolist() == folds.codes[0].tolist()
    twice = fold_by_similarity(table, on="text", threshold=0.7, folds=4, repeats=2, certify=False)
    assert list(twice.frame().columns) == ["row", "fold_0", "fold_1", "cluster"]
    assert "4 folds of 100 rows, 2 repeats" in repr(twice)
    assert "fold 3" in repr(folds)
    assert "Separated" in repr(folds)
    for ending in ("parquet", "json", "csv"):
        path = tmp_path / f"folds.{ending}"
        folds.save(path)
        again = Folds.load(path)
        assert again.codes.tolist() == folds.codes.tolist()
        assert again.n_folds == 4
        if ending != "csv":
            assert again.certificate == folds.certificate
            assert again.inner(0).codes.tolist() == folds.inner(0).codes.tolist()
    with pytest.raises(InputError, match="there are 2 repeats; save each"):
        twice.save(tmp_path / "twice.parquet")
    other = tmp_path / "split.json"
    Split.from_labels(["train", "test"]).save(other)
    with pytest.raises(InputError, match="folds must be named 'fold 0'"):
        Folds.load(other)


def test_folds_of_split_by_similarity_are_those_of_fold_by_similarity() -> None:
    data = pd.DataFrame(
        {"text": [f"{w} {i}" for i in range(40) for w in ("a cat", "a dog")], "label": [0, 1] * 40}
    )
    options = {"on": "text", "threshold": 0.95, "stratify": "label", "seed": 3}
    by_split = splitleak.split_by_similarity(data, folds=4, **options)  # type: ignore[call-overload]
    assert isinstance(by_split, Folds)
    made = fold_by_similarity(data, folds=4, **options)  # type: ignore[arg-type]
    assert by_split.codes.tolist() == made.codes.tolist()
    assert by_split.certificate.summary() == made.certificate.summary()
    assert by_split.provenance.options == made.provenance.options


@pytest.mark.parametrize(
    "option",
    [
        {"sizes": [0.5, 0.5]},
        {"on_infeasible": "drop", "max_dropped": 3},
        {"on_infeasible": "cut"},
        {"weights": [1, 2, 3]},
    ],
)
def test_folds_leave_no_room_for_sizes(option: dict[str, object]) -> None:
    with pytest.raises(
        InputError, match="folds=2 makes folds of equal size that hold every row, which leaves no room for"
    ):
        splitleak.split_by_similarity(["a", "b", "c"], folds=2, **option)  # type: ignore[call-overload]
