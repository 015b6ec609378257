"""repair(): as little as possible is dropped or moved, against all ways to do it."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import splitleak
from splitleak import InfeasibleSplitError, InputError, SimilarityGraph, Split
from splitleak.rendering.html import split_page
from tests.test_covering import N, edges, fewest, graph_of, tied

TEXTS = [f"row {i}" for i in range(N)]
NAMES = ("train", "dev", "test")
labels = st.lists(st.sampled_from(["train", "train", "test", "dev", None]), min_size=N, max_size=N)
groupings = st.none() | st.lists(st.sampled_from([None, None, 0, 1]), min_size=N, max_size=N)


def codes_of(names: list[str | None]) -> np.ndarray:
    return np.array([-1 if name is None else NAMES.index(name) for name in names])


def as_groups(grouping: list[int | None] | None) -> list[np.ndarray]:
    return [] if grouping is None else [np.array([-1 if g is None else g for g in grouping])]


def repaired(names: list[str | None], graph: SimilarityGraph, **options: object) -> Split:
    split = Split.from_labels(names, names=NAMES)
    return splitleak.repair(split, TEXTS, similarity=graph, **options)  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(edges, labels, groupings, st.sampled_from([(), ("test",), ("train", "test")]))
def test_drop_is_smallest_and_protected_rows_stay(pairs, names, grouping, protect) -> None:  # type: ignore[no-untyped-def]
    assume(any(names))
    graph, codes = graph_of(pairs, False), codes_of(names)
    across = tied(graph, codes, as_groups(grouping))
    held = [name in protect for name in names]
    least = fewest(across, held)
    try:
        split = repaired(names, graph, groups=grouping, protect=protect)
    except InputError:
        assert least is None
        return
    except InfeasibleSplitError:
        return
    assert least is not None
    gone = (split.codes < 0) & (codes >= 0)
    assert not tied(graph, split.codes, as_groups(grouping))
    assert not gone[np.array(held)].any()
    assert (split.codes[~gone] == codes[~gone]).all()
    if len({codes[row] for pair in across for row in pair}) <= 2:
        assert gone.sum() == least
    assert split.certificate is not None
    assert split.certificate.verdict == "separated"
    assert split.changes()["row"].tolist() == np.flatnonzero(gone).tolist()


@settings(max_examples=60, deadline=None)
@given(edges, labels, groupings)
def test_move_moves_as_few_rows_as_any_way_does(pairs, names, grouping) -> None:  # type: ignore[no-untyped-def]
    assume(any(names))
    graph, codes = graph_of(pairs, False), codes_of(names)
    try:
        split = repaired(names, graph, groups=grouping, by="move")
    except InfeasibleSplitError:
        return
    assert not tied(graph, split.codes, as_groups(grouping))
    assert ((split.codes < 0) == (codes < 0)).all()
    moved = int((split.codes != codes).sum())
    used = np.flatnonzero(codes >= 0)
    for rows in (c for size in range(min(moved, 3)) for c in itertools.combinations(used, size)):
        for places in itertools.product(range(3), repeat=len(rows)):
            other = codes.copy()
            other[list(rows)] = places
            assert tied(graph, other, as_groups(grouping)), "fewer moves would do"
    changes = split.changes()
    assert changes["row"].tolist() == np.flatnonzero(split.codes != codes).tolist()
    assert changes["from"].tolist() == [NAMES[c] for c in codes[changes["row"]]]
    assert changes["to"].tolist() == [NAMES[c] for c in split.codes[changes["row"]]]


def test_moving_around_a_protected_partition() -> None:
    graph = SimilarityGraph.from_edges([0, 1, 4, 4], [1, 2, 5, 6], n_rows=N, threshold=0.5)
    names = ["test", "train", "train", "train", "dev", "train", "train", "dev", "train"]
    split = repaired(names, graph, by="move", protect="test")
    assert split.labels().tolist() == ["test", "", "train", "train", "train", *names[5:]]
    assert split.changes().fillna("").values.tolist() == [
        [1, "train", "", "similar to, or in one group with, a row of a protected partition"],
        [4, "dev", "train", "its cluster is mostly in the other partition"],
    ]
    text = repr(split)
    assert "1 row dropped: similar to, or in one group with, a row of a protected partition." in text
    assert "1 row moved: its cluster is mostly in the other partition." in text


def test_columns_saved_splits_and_the_options_they_were_made_with(tmp_path) -> None:  # type: ignore[no-untyped-def]
    texts = [f"{i} is a number that stands alone {i * i}" for i in range(40)]
    table = pd.DataFrame({"text": [*texts, texts[0] + "!"], "fold": [*["a"] * 30, *["b"] * 11]})
    split = splitleak.repair("fold", table, similarity="jaccard", threshold=0.95)
    assert split.labels()[[0, 40]].tolist() == ["", "b"]
    assert split.provenance is not None
    assert "1 rows were dropped, and fewer would not do" in split.provenance.notes
    split.save(tmp_path / "repaired.parquet")
    again = splitleak.repair(Split.load(tmp_path / "repaired.parquet"), table)
    assert again.codes.tolist() == split.codes.tolist()
    assert again.provenance is not None
    assert again.provenance.options["threshold"] == 0.95
    page = split_page(split.summary())
    assert "splitleak.repair(\n    split,\n    data," in page
    assert "made_by=" not in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "mve"}, "by='mve' is not known; did you mean 'move'"),
        ({"protect": "tset"}, "protect= names the partition 'tset', which the split does not have; did you mean"),
        ({"protect": ("train", "test")}, r"rows 0 \('train'\) and 8 \('test'\) have similarity 0.9"),
        (
            {"protect": ("train", "test"), "similarity": SimilarityGraph.from_edges([], [], n_rows=N, threshold=1.0),
             "groups": [1, None, None, None, None, None, None, None, 1]},
            r"protect= names partitions that share a group: rows 0 \('train'\) and 8 \('test'\)",
        ),
        ({"on": "text"}, "on='text' names a column"),
    ],
)  # fmt: skip
def test_what_cannot_be_used(options: dict, message: str) -> None:
    graph = SimilarityGraph.from_edges([0], [8], [0.9], n_rows=N, threshold=0.5)
    names = [*["train"] * 8, "test"]
    with pytest.raises(InputError, match=message):
        splitleak.repair(names, TEXTS, **{"similarity": graph, **options})


def test_a_partition_is_not_emptied() -> None:
    graph = SimilarityGraph.from_edges([0], [8], n_rows=N, threshold=0.5)
    names = [*["train"] * 8, "test"]
    with pytest.raises(InfeasibleSplitError, match="by='move' would take all 1 rows of 'test' away"):
        splitleak.repair(names, TEXTS, similarity=graph, by="move")
    assert splitleak.repair(names, TEXTS, similarity=graph).codes.tolist() == [-1, *[0] * 7, 1]
