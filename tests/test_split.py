"""The promise: no similar pair crosses, each row in one partition, same seed same split, whatever the row order."""

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import splitleak
from splitleak import InfeasibleSplitError, InputError, Split, SplitleakWarning
from tests.oracles import jaccard_pairs_by_brute_force, shingles

slow = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
words = st.sampled_from(["ab", "abc", "b", "", "Ünï", "a b", "xyz", "xyzw", "日本語", "👍🏽"])
texts = st.lists(st.lists(words, min_size=0, max_size=4).map(" ".join), min_size=6, max_size=40)
THIRDS = {"train": 0.6, "test": 0.4}


def holds(split: Split, rows: int, similar: set[tuple[int, int]]) -> None:
    """Each row is in one partition and no similar pair is apart."""
    together = np.concatenate([split[name] for name in split.names])
    assert sorted(together) == list(range(rows))
    assert not [(i, j) for i, j in similar if split.codes[i] != split.codes[j]]


def text_oracle(rows: list[str], threshold: float) -> set[tuple[int, int]]:
    normal = [" ".join(_normal(row).split()) for row in rows]
    return set(jaccard_pairs_by_brute_force([shingles(row, "char", 5) for row in normal], threshold))


def _normal(row: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", row).casefold())


@slow
@given(texts, st.sampled_from([0.2, 0.5, 2 / 3, 0.8, 1.0]), st.integers(0, 3))
def test_no_similar_texts_are_apart(rows: list[str], threshold: float, seed: int) -> None:
    similar = text_oracle(rows, threshold)
    try:
        split = splitleak.split_by_similarity(
            rows, similarity="jaccard", threshold=threshold, sizes=THIRDS, seed=seed, tolerance=0.2
        )
    except InfeasibleSplitError as error:
        assert sum(error.nearest.values()) == len(rows)
        return
    holds(split, len(rows), similar)
    assert split.certificate is not None
    assert split.certificate.verdict == "separated"


@slow
@pytest.mark.filterwarnings("ignore:stratify cannot bring")  # some of these classes have one cluster
@given(texts, st.sampled_from([0.5, 0.8, 1.0]), st.integers(0, 3), st.randoms(use_true_random=False))
def test_the_split_of_a_shuffled_table_is_the_shuffled_split(rows, threshold, seed, random) -> None:  # type: ignore[no-untyped-def]
    order = np.array(random.sample(range(len(rows)), len(rows)))
    labels = np.array([len(row) % 2 for row in rows])
    options = {"threshold": threshold, "sizes": THIRDS, "seed": seed, "tolerance": 0.9}
    try:
        first = splitleak.split_by_similarity(rows, stratify=labels, **options)
    except InfeasibleSplitError as error:
        with pytest.raises(InfeasibleSplitError) as again:
            splitleak.split_by_similarity([rows[i] for i in order], stratify=labels[order], **options)
        assert again.value.nearest == error.nearest
        return
    second = splitleak.split_by_similarity([rows[i] for i in order], stratify=labels[order], **options)
    assert second.codes.tolist() == first.codes[order].tolist()


@slow
@given(
    st.integers(4, 40),
    st.sampled_from([0.5, 0.6, 0.8, 1.0]),
    st.integers(0, 2),
    st.sampled_from(["cosine", "euclidean"]),
)
def test_no_similar_vectors_are_apart(rows: int, threshold: float, seed: int, similarity: str) -> None:
    x = np.random.default_rng(seed).integers(1, 4, (rows, 3)).astype(float)
    split = _nearest(x, similarity=similarity, threshold=threshold, sizes=THIRDS, seed=seed)
    similar = {
        (i, j)
        for i in range(rows)
        for j in range(i + 1, rows)
        if _measure(similarity, x[i], x[j]) >= threshold
    }
    holds(split, rows, similar)


def _measure(similarity: str, a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    value = (
        a @ b / np.sqrt((a @ a) * (b @ b))
        if similarity == "cosine"
        else 1 / (1 + np.sqrt(((a - b) ** 2).sum()))
    )
    return float(np.round(value, 12))


def _nearest(data, **options) -> Split:  # type: ignore[no-untyped-def]
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SplitleakWarning)
        return splitleak.split_by_similarity(data, on_infeasible="nearest", **options)


@slow
@given(
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19), st.floats(0, 1)), max_size=25),
    st.lists(st.integers(-1, 5), min_size=20, max_size=20),
    st.floats(0.1, 1),
)
def test_edges_and_groups_stay_together(edges, groups, threshold) -> None:  # type: ignore[no-untyped-def]
    left, right, similarity = zip(*edges, strict=True) if edges else ((), (), ())
    graph = splitleak.SimilarityGraph.from_edges(
        np.array(left, dtype=int), np.array(right, dtype=int), similarity, n_rows=20, threshold=threshold
    )
    table = pd.DataFrame(
        {"name": [f"row {i}" for i in range(20)], "group": [None if g < 0 else f"g{g}" for g in groups]}
    )
    split = _nearest(table, on="name", similarity=graph, groups="group", sizes=THIRDS)
    similar = {(a, b) for a, b, s in edges if s >= threshold}
    similar |= {(i, j) for i in range(20) for j in range(i) if groups[i] == groups[j] >= 0}
    holds(split, 20, similar)


def near_duplicates(n: int, seed: int = 0) -> pd.DataFrame:
    """Lines of random letters, each with zero to three copies that differ in a letter."""
    random = np.random.default_rng(seed)
    letters = np.array(list("abcdefghij "))
    lines = []
    while len(lines) < n:
        line = random.choice(letters, 60)
        for _ in range(1 + random.integers(4)):
            copy = line.copy()
            copy[random.integers(60)] = "X"
            lines.append("".join(copy))
    label = random.choice(["common", "rare"], n, p=[0.8, 0.2])
    return pd.DataFrame({"text": lines[:n], "label": label, "author": random.integers(0, n // 5, n)})


def test_sizes_are_met_to_the_row_and_classes_are_balanced() -> None:
    table = near_duplicates(1_000)
    split = splitleak.split_by_similarity(table, on="text", threshold=0.7, stratify="label")
    assert split.sizes == {"train": 800, "dev": 100, "test": 100}
    share = (table["label"] == "rare").mean()
    for part in split.take(table).values():
        assert abs((part["label"] == "rare").mean() - share) < 0.01


def test_same_seed_same_split_and_other_seed_other_split() -> None:
    table = near_duplicates(500)
    first, again, other = (splitleak.split_by_similarity(table, on="text", seed=seed) for seed in (1, 1, 2))
    assert (first.codes == again.codes).all()
    assert (first.codes != other.codes).mean() > 0.1


def test_threads_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    table = near_duplicates(3_000)
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("SPLITLEAK_NUM_THREADS", threads)
        found.append(splitleak.split_by_similarity(table, on="text", threshold=0.7))
    assert (found[0].codes == found[1].codes).all()
    assert repr(found[0]) == repr(found[1])


@pytest.mark.filterwarnings("ignore:stratify cannot bring")  # the rare class has two clusters
def test_table_libraries_do_not_matter() -> None:
    import polars
    import pyarrow

    table = near_duplicates(300)
    options = {"on": "text", "threshold": 0.7, "stratify": "label", "groups": "author", "tolerance": 0.2}
    first = splitleak.split_by_similarity(table, **options)
    for other in (polars.from_pandas(table), pyarrow.Table.from_pandas(table)):
        split = splitleak.split_by_similarity(other, **options)
        assert (split.codes == first.codes).all()
        assert type(split.take(other)["test"]) is type(other)


def test_the_column_that_can_be_meant_is_taken() -> None:
    table = near_duplicates(100)[["text", "label"]]
    split = splitleak.split_by_similarity(table, stratify="label")
    assert split.provenance is not None
    assert split.provenance.columns == ("text",)


def test_missing_values() -> None:
    rows = [None if i % 3 else f"line {i} of its own: {i * 7919}" for i in range(60)]
    with pytest.raises(InfeasibleSplitError, match="largest cluster"):
        splitleak.split_by_similarity({"text": rows}, on="text", sizes={"train": 0.5, "test": 0.5})
    split = splitleak.split_by_similarity(
        {"text": rows}, on="text", sizes={"train": 0.5, "test": 0.5}, missing="distinct"
    )
    assert split.sizes == {"train": 30, "test": 30}
    assert split.certificate.verdict == "separated"  # type: ignore[union-attr]
    with pytest.raises(InputError, match="missing"):
        splitleak.split_by_similarity({"text": rows}, on="text", missing="error")


def test_identical_rows_get_the_infeasibility_answer() -> None:
    with pytest.raises(InfeasibleSplitError, match="all 20,000 rows form one cluster") as error:
        splitleak.split_by_similarity(["the same"] * 20_000)
    assert error.value.nearest["train"] == 20_000
    assert error.value.largest_cluster == 20_000


def test_the_error_prices_a_higher_threshold() -> None:
    chain = [f"{'abcdefghij' * 6}{i:03d}{'klmnopqrst' * 2}" for i in range(40)]
    with pytest.raises(InfeasibleSplitError, match=r"threshold=\d.* meets them: train 80.0 %") as error:
        splitleak.split_by_similarity(chain, threshold=0.5)
    price = [way for way in error.value.ways_out if way.startswith("threshold=")]
    threshold = float(price[0].split()[0].removeprefix("threshold="))
    split = splitleak.split_by_similarity(chain, threshold=threshold)
    assert split.sizes == {"train": 32, "dev": 4, "test": 4}


def test_nearest_takes_the_nearest_and_warns() -> None:
    rows = ["one"] * 50 + ["two, which is another"] * 30 + ["three is not like these"] * 20
    with pytest.warns(SplitleakWarning, match="Taking the nearest feasible sizes"):
        split = splitleak.split_by_similarity(rows, on_infeasible="nearest")
    assert split.sizes == {"train": 50, "dev": 20, "test": 30} or split.sizes == {
        "train": 50,
        "dev": 30,
        "test": 20,
    }


def test_without_groups_is_named_as_a_way_out() -> None:
    table = near_duplicates(100).assign(author=[0] * 90 + [1] * 10)
    with pytest.raises(InfeasibleSplitError, match="without groups="):
        splitleak.split_by_similarity(table, on="text", groups="author")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 0}, r"threshold must be a number in \(0, 1\]"),
        ({"threshold": 1.5}, r"threshold must be a number in \(0, 1\]"),
        ({"threshold": float("nan")}, r"threshold must be a number in \(0, 1\]"),
        ({"similarity": "jacard"}, "did you mean 'jaccard'"),
        ({"similarity": "jaccard(m=3)"}, "option of jaccard='m' is not known"),
        ({"similarity": "cosine"}, "compares vector rows, and the data has text rows"),
        ({"similarity": 3}, "similarity must be a name"),
        ({"on": "txt"}, "did you mean 'text'"),
        ({"stratify": "lable"}, "did you mean 'label'"),
        ({"groups": ["author", "autor"]}, "did you mean 'author'"),
        ({"groups": [1, 2, 3]}, "length|rows"),
        ({"sizes": {"train": 0.8, "test": 0.1}}, "add up|sum"),
        ({"sizes": {"train": -0.8, "test": 1.8}}, "train"),
        ({"sizes": {"train": 80, "test": 40}}, "120|100"),
        ({"missing": "drop"}, "missing='drop' is not known"),
        ({"on_infeasible": "crop"}, "on_infeasible='crop' is not known"),
        ({"tolerance": 2}, "tolerance must be"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_bad_input_is_one_clear_error(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        splitleak.split_by_similarity(near_duplicates(100), **{"on": "text", **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [[], {"text": []}, np.empty((0, 3))])
def test_no_rows(data: object) -> None:
    with pytest.raises(InputError, match="no rows"):
        splitleak.split_by_similarity(data)


def test_fewer_rows_than_partitions() -> None:
    with pytest.raises(InputError, match="2 rows|partitions"):
        splitleak.split_by_similarity(["one", "two"])


@pytest.mark.parametrize(
    "x", [np.array([[1.0, np.nan], [1, 2], [2, 1]]), np.array([[0.0, 0], [1, 2], [2, 1]])]
)
def test_vectors_that_have_no_cosine(x: NDArray[np.float64]) -> None:
    with pytest.raises(InputError, match="finite|zero"):
        splitleak.split_by_similarity(x, similarity="cosine")


@pytest.mark.skipif("SPLITLEAK_DATA" not in os.environ, reason="SPLITLEAK_DATA names no folder of real data")
def test_real_messages() -> None:
    path = os.path.join(os.environ["SPLITLEAK_DATA"], "text", "sms.tsv")  # noqa: PTH118
    split = splitleak.split_by_similarity(path, on="text", threshold=0.8, stratify="label")
    table = split.frame(path)
    similar = text_oracle_sample(table["text"].tolist())
    holds(split, 5574, similar)
    assert split.certificate.verdict == "separated"  # type: ignore[union-attr]


def text_oracle_sample(rows: list[str]) -> set[tuple[int, int]]:
    """All true pairs of every tenth row, by brute force."""
    sets = [shingles(" ".join(_normal(row).split()), "char", 5) for row in rows]
    from tests.oracles import jaccard_of_sets

    return {
        (i, j)
        for i in range(0, len(rows), 10)
        for j in range(len(rows))
        if i != j and jaccard_of_sets(sets[i], sets[j]) >= 0.8
    }
