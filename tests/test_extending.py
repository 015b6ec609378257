"""extend(): old rows never move, no pair crosses, and what cannot be placed is set aside with a reason."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import splitleak
from splitleak import DataMismatchError, InfeasibleSplitError, InputError, SimilarityGraph, Split

texts = st.lists(st.text("ab", min_size=3, max_size=9), min_size=30, max_size=60)


@settings(max_examples=10, deadline=None)
@given(texts, st.sampled_from([0.5, 0.7, 1.0]), st.sampled_from(["jaccard(n=2)", "exact"]))
def test_ten_batches_move_no_old_row_and_end_with_no_crossing_pair(rows, threshold, similarity) -> None:  # type: ignore[no-untyped-def]
    try:
        split = splitleak.split_by_similarity(
            rows[:10], similarity=similarity, threshold=threshold, sizes=(0.5, 0.3, 0.2), tolerance=0.99,
            on_infeasible="drop", certify=False,
        )  # fmt: skip
    except InfeasibleSplitError:
        reject()
    for batch in np.array_split(np.arange(10, len(rows)), 10):
        if not len(batch):
            continue
        first = int(batch[0])
        wider = splitleak.extend(split, rows[:first], [rows[i] for i in batch], certify=False)
        assert wider.codes[:first].tolist() == split.codes.tolist()
        assert wider.n_rows == first + len(batch)
        split = wider
    assert splitleak.certify(rows, split).verdict == "separated"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20),
    st.lists(st.sampled_from([0, 0, 1, -1]), min_size=6, max_size=6),
    st.none() | st.lists(st.sampled_from([None, None, 0, 1]), min_size=12, max_size=12),
)
def test_the_fewest_rows_are_set_aside(pairs, old, grouping) -> None:  # type: ignore[no-untyped-def]
    if not {0, 1} <= set(old):
        old = [0, 1, *old[2:]]
    pairs = [(a, b) for a, b in pairs if max(a, b) >= 6 or min(old[a], old[b]) < 0 or old[a] == old[b]]
    graph = SimilarityGraph.from_edges([a for a, _ in pairs], [b for _, b in pairs], n_rows=12, threshold=0.5)
    names = [f"row {i}" for i in range(12)]
    split = Split.from_labels([["train", "test", None][c] for c in old], names=["train", "test"])
    wider = splitleak.extend(split, names[:6], names[6:], similarity=graph, groups=grouping)
    ties = {(a, b) for a, b in pairs if a != b}
    groups = grouping or [None] * 12
    ties |= {
        (a, b)
        for a, b in itertools.combinations(range(12), 2)
        if groups[a] is not None and groups[a] == groups[b]
    }
    ties = {(a, b) for a, b in ties if max(a, b) >= 6}
    codes = wider.codes
    assert codes[:6].tolist() == split.codes.tolist()
    assert not any(min(codes[a], codes[b]) >= 0 and codes[a] != codes[b] for a, b in ties)
    gone = [row for row in range(6) if old[row] < 0]
    used = {(a, b) for a, b in ties if not {a, b} & set(gone)}
    fixed = np.array([*old, *[-1] * 6])
    least = next(
        size
        for size in range(7)
        for rows in itertools.combinations(range(6, 12), size)
        if _apart(used, fixed, rows)
    )
    assert (codes[6:] < 0).sum() == least
    changes = wider.changes()
    assert changes["row"].tolist() == [6 + i for i in np.flatnonzero(codes[6:] < 0)]


def _apart(pairs: set[tuple[int, int]], fixed: np.ndarray, gone: tuple[int, ...]) -> bool:
    """As `tests.test_linking.apart`, for twelve rows."""
    labels = list(range(12))
    for a, b in pairs:
        if a not in gone and b not in gone:
            labels = [labels[a] if label == labels[b] else label for label in labels]
    return all(
        len({fixed[r] for r in range(12) if labels[r] == label and fixed[r] >= 0}) < 2 for label in labels
    )


def table(first: int, last: int, **columns: object) -> pd.DataFrame:
    rows = [f"{i} is a number that stands alone {i * i}" for i in range(first, last)]
    return pd.DataFrame({"text": rows, "pair": [i // 2 for i in range(first, last)], **columns})


@pytest.mark.parametrize("ending", ["parquet", "json", "csv"])
def test_a_saved_split_is_extended_and_filled_towards_its_sizes(tmp_path, ending: str) -> None:  # type: ignore[no-untyped-def]
    old, new = table(0, 100), table(100, 140)
    new.loc[0, "text"] = old["text"][0] + "!"
    split = splitleak.split_by_similarity(old, on="text", threshold=0.95, groups="pair", seed=1)
    split.save(tmp_path / f"split.{ending}")
    options = (
        {}
        if ending != "csv"
        else {"on": "text", "similarity": "jaccard", "threshold": 0.95, "groups": "pair"}
    )
    wider = splitleak.extend(Split.load(tmp_path / f"split.{ending}"), old, new, **options)
    assert wider.sizes == {"train": 112, "dev": 14, "test": 14}
    assert wider.clusters is not None
    assert wider.clusters[100] == wider.clusters[0] == wider.clusters[1] == wider.clusters[101]
    assert len(set(wider.clusters)) == 69
    assert wider.codes[100] == wider.codes[0] == wider.codes[101]  # 101 is in one group with 100
    assert wider.certificate is not None
    assert wider.certificate.verdict == "separated"
    both = pd.concat([old, new], ignore_index=True)
    assert len(wider.take(both)["dev"]) == 14
    wider.save(tmp_path / "wider.parquet")
    third = splitleak.extend(Split.load(tmp_path / "wider.parquet"), both, table(140, 160))
    assert third.sizes == {"train": 128, "dev": 16, "test": 16}
    assert third.codes[:140].tolist() == wider.codes.tolist()


def test_rows_between_partitions_are_set_aside_with_the_reason() -> None:
    names = [f"row {i}" for i in range(9)]
    split = Split.from_labels(["train", "test", "train", "test"], names=["train", "test"])
    graph = SimilarityGraph.from_edges([0, 1, 2, 5, 3], [4, 4, 5, 6, 6], n_rows=9, threshold=0.5)
    wider = splitleak.extend(split, names[:4], names[4:], similarity=graph)
    changes = wider.changes()
    assert (wider.codes[4], (wider.codes[5:7] < 0).sum()) == (-1, 1)
    assert changes["reason"].tolist() == [
        "new, and similar to, or in one group with, rows of several partitions",
        "new, and links rows of several partitions through other new rows",
    ]
    assert changes["to"].isna().all()
    assert "1 row dropped: new, and links rows" in repr(wider)


def test_what_cannot_be_used() -> None:
    old, new = table(0, 20), table(20, 30)
    split = splitleak.split_by_similarity(old, on="text", threshold=0.95)
    with pytest.raises(DataMismatchError, match="data has 19 rows and the split was made from 20"):
        splitleak.extend(split, old[:19], new)
    with pytest.raises(
        DataMismatchError, match="data has the rows that the split was made from in another order"
    ):
        splitleak.extend(split, old[::-1], new)
    with pytest.raises(InputError, match="split must be a Split, got str"):
        splitleak.extend("split.parquet", old, new)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="must both be tables, or both be bare values"):
        splitleak.extend(split, old, new["text"].tolist())
    with pytest.raises(InputError, match="on='text' is not a column of the data"):
        splitleak.extend(split, old, new[["pair"]])
    with pytest.raises(
        InputError, match=r"sizes= must name the partitions of the split \(train, dev, test\)"
    ):
        splitleak.extend(split, old, new, sizes=(0.5, 0.5))
    by_array = splitleak.split_by_similarity(old, on="text", threshold=0.95, groups=old["pair"])
    with pytest.raises(InputError, match="give groups= again, one value for each old"):
        splitleak.extend(by_array, old, new)
    bare = Split.from_labels(split.labels())
    with pytest.raises(InputError, match="several columns|text"):
        splitleak.extend(bare, old[["pair"]], new, on="text")


@pytest.mark.parametrize("kind", ["vectors", "sparse", "list"])
def test_kinds_of_data(kind: str) -> None:
    from scipy.sparse import csr_array

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 5))
    rows[50:] = rows[:10]
    data = {
        "vectors": rows,
        "sparse": csr_array(rows),
        "list": [f"{row[0]:.3f} {row[1]:.5f}" for row in rows],
    }[kind]
    split = splitleak.split_by_similarity(data[:40], threshold=0.999, sizes=(0.8, 0.2))
    wider = splitleak.extend(split, data[:40], data[40:])
    assert wider.codes[50:].tolist() == split.codes[:10].tolist()
    assert wider.sizes == {"train": 48, "test": 12}
