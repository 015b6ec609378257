"""Pinned rows: how they are given, what contradicts them, and rows that are dropped around them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak import InfeasibleSplitError, InputError, SimilarityGraph

TEXTS = [f"row {i}" for i in range(40)]
PATH = SimilarityGraph.from_edges([0, 1, 2], [1, 2, 3], [0.9, 0.7, 0.8], n_rows=40, threshold=0.5)


def make(pinned: object, **options: object) -> splitleak.Split:
    given = {"similarity": PATH, "sizes": {"train": 0.8, "test": 0.2}, **options}
    return splitleak.split_by_similarity(TEXTS, pinned=pinned, **given)  # type: ignore[arg-type]


def test_ways_to_pin_give_the_same_split() -> None:
    mask = np.zeros(40, dtype=bool)
    mask[[3, 9]] = True
    names = np.array([None] * 40, dtype=object)
    names[[3, 9]], names[5] = "test", "train"
    table = pd.DataFrame({"text": TEXTS, "official": names})
    first = make({"test": mask, "train": [5]})
    assert set(first.labels()[[3, 9, 0, 1, 2]]) == {"test"}
    assert first.labels()[5] == "train"
    assert first.sizes == {"train": 32, "test": 8}
    for other in ({"train": np.array([5]), "test": [9, 3]}, names, [n or "" for n in names]):
        assert make(other).codes.tolist() == first.codes.tolist()
    by_column = splitleak.split_by_similarity(
        table, pinned="official", similarity=PATH, sizes={"train": 0.8, "test": 0.2}
    )
    assert by_column.codes.tolist() == first.codes.tolist()
    assert by_column.provenance is not None
    assert by_column.provenance.options["pinned"] == "official"


@pytest.mark.parametrize(
    ("pinned", "options", "message"),
    [
        ({"tset": [1]}, {}, r"pinned= names the partition 'tset', which is not one of sizes=\[.*did you mean 'test'"),
        ([None] * 40, {}, "pinned= pins no row"),
        (["x"] * 40, {}, "pinned= names the partition 'x'"),
        ({"test": [40]}, {}, "has the row position 40; data has rows 0 to 39"),
        ({"test": [-1]}, {}, "has the row position -1"),
        ({"test": [0.5]}, {}, "must be row positions"),
        ({"test": np.ones(3, dtype=bool)}, {}, "is a mask of 3 entries, and data has 40 rows"),
        ({"test": [1], "train": [1]}, {}, "pinned= has row 1 in 'test' and in 'train'"),
        ({"test": [0], "train": [1]}, {}, "rows 0 .pinned to 'test'. and 1 .pinned to 'train'. have similarity 0.9"),
        (
            {"test": [7], "train": [8]},
            {"groups": ["g" if i in (7, 8) else None for i in range(40)]},
            "rows 7 and 8 are of one group .groups='g'. and pinned to 'test' and 'train'",
        ),
    ],
)  # fmt: skip
def test_contradictions(pinned: object, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make(pinned, **options)


def test_pins_that_hang_together_are_told_with_the_chain_and_a_way_out() -> None:
    with pytest.raises(InfeasibleSplitError) as raised:
        make({"train": [0], "test": [3]})
    text = str(raised.value)
    assert r"rows 0 (pinned to 'train') and 3 (pinned to 'test') hang together" in text
    assert "(0 - 1 - 2 - 3)" in text
    assert "on_infeasible='drop' drops 1 row (2.5 %)" in text
    assert "threshold=0.71 meets them" in text
    split = make({"train": [0], "test": [3]}, on_infeasible="drop")
    assert (split.codes < 0).sum() == 1
    assert split.labels()[[0, 3]].tolist() == ["train", "test"]
    higher = make({"train": [0], "test": [3]}, on_infeasible="raise_threshold")
    assert higher.provenance is not None
    assert higher.provenance.options["threshold"] == 0.71
    with pytest.raises(InfeasibleSplitError, match="max_dropped=0 rows are not enough: 1 rows"):
        make({"train": [0], "test": [3]}, on_infeasible="drop", max_dropped=0)


def test_pins_that_overfill_a_partition_are_named() -> None:
    with pytest.raises(InfeasibleSplitError, match=r"already put 20 rows in test \(asked 8\)"):
        make({"test": np.arange(10, 30)})


def test_an_official_test_set_in_a_giant_component() -> None:
    rng = np.random.default_rng(0)
    n = 400
    left, right = np.arange(n - 1), np.arange(1, n)  # a chain of all rows, and some more links
    more = rng.integers(0, n, (2, 40))
    graph = SimilarityGraph.from_edges(
        np.append(left, more[0]), np.append(right, more[1]), n_rows=n, threshold=0.5
    )
    test = np.arange(0, 80)
    split = splitleak.split_by_similarity(
        [f"row {i}" for i in range(n)],
        similarity=graph,
        sizes={"train": 0.8, "test": 0.2},
        pinned={"test": test},
        on_infeasible="drop",
    )
    assert (split.codes[test] == 1).all()
    assert 0 < (split.codes < 0).sum() <= 30
    a, b = split.codes[graph.left], split.codes[graph.right]
    assert not ((a != b) & (a >= 0) & (b >= 0)).any()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_pinned_rows_stay_in_dense_graphs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    a, b = rng.integers(0, n, (2, int(rng.integers(10, 150))))
    pins = rng.choice([-1] * 8 + [0, 1, 2], n)
    apart = (pins[a] >= 0) & (pins[b] >= 0) & (pins[a] != pins[b])
    graph = SimilarityGraph.from_edges(a[~apart], b[~apart], n_rows=n, threshold=0.5)
    names = np.array(["train", "dev", "test", ""])[pins]
    try:
        split = splitleak.split_by_similarity(
            [f"row {i}" for i in range(n)],
            similarity=graph,
            sizes={"train": 0.6, "dev": 0.2, "test": 0.2},
            pinned=names if (pins >= 0).any() else None,
            on_infeasible="drop",
            tolerance=0.1,
        )
    except InfeasibleSplitError:
        return
    assert (split.codes[pins >= 0] == pins[pins >= 0]).all()
    kept = split.codes >= 0
    sizes = np.bincount(split.codes[kept], minlength=3)
    assert (np.abs(sizes - np.array([0.6, 0.2, 0.2]) * kept.sum()) <= 0.1 * kept.sum() + 1).all()
    assert split.certificate is not None
    assert split.certificate.verdict == "separated"
