"""Pairs of entities: no similar entity on both sides, every pair in one named set, few pairs mixed."""

import itertools
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitleak import InfeasibleSplitError, InputError, SimilarityGraph, SplitleakWarning
from splitleak.interaction import split_interactions
from splitleak.interaction.allocation import MASS_WEIGHT, Mass, PairSizes, allocate_pairs, unit_of
from splitleak.interaction.result import InteractionSplit
from splitleak.similarity.precomputed import precomputed

quick = settings(max_examples=20)
DATA = os.environ.get("SPLITLEAK_DATA")
FOUR_TO_ONE = {"train": 0.8, "test": 0.2}


def matrix(n: int, seed: int, names: str) -> pd.DataFrame:
    """Similarities of two decimals, most of them small."""
    rng = np.random.default_rng(seed)
    half = np.triu(np.round(rng.random((n, n)) ** 3, 2), 1)
    labels = [f"{names}{i:02d}" for i in range(n)]
    return pd.DataFrame(half + half.T + np.eye(n), index=labels, columns=labels)


def random_pairs(drugs: pd.DataFrame, targets: pd.DataFrame, seed: int, share: float = 0.6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    every = list(itertools.product(drugs.index, targets.index))
    kept = [pair for pair in every if rng.random() < share] or every[:1]
    return pd.DataFrame(kept, columns=["drug", "target"])


def holds(
    split: InteractionSplit, pairs: pd.DataFrame, similar: dict[str, pd.DataFrame], threshold: float
) -> None:
    """The promise for entities, and the set of each pair, by brute force."""
    partition = {}
    for side in split.sides:
        assert side.codes is not None
        mine = dict(zip(side.ids, side.codes.tolist(), strict=True))
        table = similar[side.column]
        for a, b in itertools.combinations(side.ids, 2):
            assert mine[a] == mine[b] or table.loc[a, b] < threshold
        partition[side.column] = mine
    label = split.split.labels()
    together = np.concatenate([split[name] for name in split.names])
    assert sorted(together) == list(range(len(pairs)))
    for row, (drug, target) in enumerate(zip(pairs["drug"], pairs["target"], strict=True)):
        a, b = partition["drug"][drug], partition["target"][target]
        assert label[row] == ({(0, 0): "train", (1, 1): "test", (1, 0): "new-old", (0, 1): "old-new"}[a, b])


@quick
@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.5, 0.8, 1.0]), st.integers(3, 12), st.integers(3, 9))
def test_no_similar_entities_are_apart_and_no_pair_is_lost(
    seed: int, threshold: float, n: int, m: int
) -> None:
    drugs, targets = matrix(n, seed, "d"), matrix(m, seed + 1, "t")
    pairs = random_pairs(drugs, targets, seed)
    try:
        split = split_interactions(
            pairs, left="drug", right="target", left_similarity=drugs, right_similarity=targets,
            left_threshold=threshold, right_threshold=threshold, sizes=FOUR_TO_ONE, tolerance=0.15, seed=seed % 3,
        )  # fmt: skip
    except InfeasibleSplitError as error:
        assert sum(error.nearest.values()) <= len(pairs)
        return
    holds(split, pairs, {"drug": drugs, "target": targets}, threshold)
    assert split.verdict == "separated"


@pytest.mark.filterwarnings("ignore:The sizes cannot be met")
@quick
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(seed, random) -> None:  # type: ignore[no-untyped-def]
    drugs, targets = matrix(8, seed, "d"), matrix(7, seed + 1, "t")
    pairs = random_pairs(drugs, targets, seed)
    table = pd.DataFrame({"target": targets.index, "text": [f"text {i % 4}" for i in range(7)]})

    def sets(pairs: pd.DataFrame, drugs: pd.DataFrame, table: pd.DataFrame) -> dict[tuple[str, str], str]:
        split = split_interactions(
            pairs, left="drug", right="target", left_similarity=drugs, left_threshold=0.5, right_entities=table,
            right_on="text", right_similarity="exact", on_infeasible="nearest", tolerance=0.9, certify=False,
        )  # fmt: skip
        return dict(zip(zip(pairs["drug"], pairs["target"], strict=True), split.split.labels(), strict=True))

    names = random.sample(list(drugs.index), len(drugs))
    shuffled = pairs.sample(frac=1, random_state=seed), drugs.loc[names, names], table.iloc[::-1]
    assert sets(pairs, drugs, table) == sets(*shuffled)


def cost(
    codes: tuple[int, ...], pairs: list[tuple[int, int]], wanted: list[int], kinds: list[int] | None
) -> float:
    """What an allocation costs, in pairs: mixed, off the sizes, off the classes (nothing beyond the tolerance)."""
    inside = [[i for i, (a, b) in enumerate(pairs) if codes[a] == codes[b] == k] for k in range(len(wanted))]
    unmixed, n = sum(map(len, inside)), len(pairs)
    total = n - unmixed + sum(50 * n for rows in inside if not rows)
    total += sum(abs(len(rows) - want / n * unmixed) for rows, want in zip(inside, wanted, strict=True))
    for rows in inside if kinds else []:
        for kind in set(kinds or []):
            total += abs(sum(kinds[i] == kind for i in rows) - kinds.count(kind) / n * len(rows))  # type: ignore[union-attr, index]
    return total


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.booleans(), st.booleans(), st.sampled_from([2, 3]))
def test_few_clusters_are_allocated_as_well_as_any(seed: int, symmetric: bool, strata: bool, p: int) -> None:
    rng = np.random.default_rng(seed)
    n, k = 40, 6
    side = k if symmetric else k // 2
    low, high = np.triu_indices(side, 1)
    tied = [Mass(low, high, rng.integers(0, 1_000, len(low)), 5_000) for _ in range(1 if symmetric else 2)]
    left, right = (
        rng.integers(0, k if symmetric else k // 2, n),
        rng.integers(0, k if symmetric else k // 2, n),
    )
    kinds = rng.integers(0, 2, n)
    wanted = np.array([30, 10] if p == 2 else [24, 8, 8])
    found = allocate_pairs(
        left, right, (k, k) if symmetric else (k // 2, k // 2), PairSizes(wanted * (unit_of(n) // n), True, 0.99, n),
        classes=kinds if strata else None, mass=tied, symmetric=symmetric, seed=seed,
    )  # fmt: skip
    pairs = list(zip(left.tolist(), (right if symmetric else right + k // 2).tolist(), strict=True))
    classes = kinds.tolist() if strata else None
    codes = tuple(found.left) if symmetric else (*found.left, *found.right)

    def whole_cost(codes: tuple[int, ...]) -> float:
        parts = [np.array(codes)] if symmetric else [np.array(codes[:side]), np.array(codes[side:])]
        crossing = [
            (m.amount * (c[m.left] != c[m.right])).sum() / m.total for m, c in zip(tied, parts, strict=True)
        ]
        return cost(codes, pairs, wanted.tolist(), classes) + MASS_WEIGHT * n * float(np.mean(crossing))

    best = min(map(whole_cost, itertools.product(range(p), repeat=k)))
    assert whole_cost(codes) == pytest.approx(best, abs=1e-3)
    assert found.inside.sum() == sum(codes[a] == codes[b] for a, b in pairs)


def grid(n: int, m: int) -> pd.DataFrame:
    return pd.DataFrame(
        list(itertools.product([f"d{i}" for i in range(n)], [f"t{i}" for i in range(m)])),
        columns=["drug", "target"],
    )


def test_counts_are_numbers_of_pairs_and_rest_takes_what_it_can() -> None:
    pairs = grid(10, 10)
    split = split_interactions(pairs, left="drug", right="target", sizes={"train": 36, "test": 16})
    assert (split.sizes["train"], split.sizes["test"]) == (36, 16)
    split = split_interactions(pairs, left="drug", right="target", sizes={"train": "rest", "test": 9})
    assert (split.sizes["train"], split.sizes["test"]) == (49, 9)


def test_sizes_in_all_their_forms() -> None:
    pairs = grid(10, 10)
    for sizes in ([0.8, 0.2], np.array([0.8, 0.2]), {"train": "rest", "test": 0.2}, None):
        split = split_interactions(pairs, left="drug", right="target", sizes=sizes, tolerance=0.05)  # type: ignore[arg-type]
        both = split.sizes["train"] + split.sizes["test"]
        assert split.sizes["test"] / both == pytest.approx(0.2, abs=0.05)
    split = split_interactions(pairs, left="drug", right="target", sizes=[36, 16])
    assert (split.sizes["train"], split.sizes["test"]) == (36, 16)
    split = split_interactions(pairs, left="drug", right="target", sizes="auto", tolerance=0.1)
    assert split.names[:3] == ("train", "dev", "test")


def test_three_partitions_name_the_mixed_sets_by_both() -> None:
    split = split_interactions(
        grid(12, 12), left="drug", right="target", sizes={"fit": 0.6, "tune": 0.2, "test": 0.2}, tolerance=0.1
    )
    assert split.names[:3] == ("fit", "tune", "test")
    assert set(split.names[3:]) == {"tune-fit", "fit-tune", "test-fit", "fit-test", "test-tune", "tune-test"}
    assert sum(split.sizes.values()) == 144


def test_one_cold_side_meets_the_sizes_with_all_pairs() -> None:
    pairs = grid(10, 4)
    split = split_interactions(pairs, left="drug", right="target", mode="left", sizes=FOUR_TO_ONE)
    assert split.sizes == {"train": 32, "test": 8}
    assert not set(pairs["drug"][split["train"]]) & set(pairs["drug"][split["test"]])
    assert split.right.codes is None
    split = split_interactions(
        pairs, left="drug", right="target", mode="right", sizes={"train": 0.75, "test": 0.25}
    )
    assert not set(pairs["target"][split["train"]]) & set(pairs["target"][split["test"]])
    assert "target in test" in repr(split)


def test_symmetric_pairs_share_one_assignment() -> None:
    names = [f"p{i:02d}" for i in range(20)]
    pairs = pd.DataFrame(
        [(a, b) if i % 2 else (b, a) for i, (a, b) in enumerate(itertools.combinations(names, 2))],
        columns=["a", "b"],
    )
    similar = SimilarityGraph.from_edges(range(0, 20, 2), range(1, 20, 2), n_rows=20, threshold=0.5)
    split = split_interactions(
        pairs, left="a", right="b", symmetric=True, left_entities=pd.DataFrame({"protein": names}), left_id="protein",
        left_similarity=similar, sizes=FOUR_TO_ONE, tolerance=0.1,
    )  # fmt: skip
    assert split.names == ("train", "test", "new-old")
    assert split.left is split.right
    assert split.left.codes is not None
    partition = dict(zip(split.left.ids, split.left.codes, strict=True))
    assert all(partition[names[i]] == partition[names[i + 1]] for i in range(0, 20, 2))
    for row, (a, b) in enumerate(pairs.itertuples(index=False)):
        ends = partition[a] + partition[b]
        assert split.split.labels()[row] == {0: "train", 2: "test", 1: "new-old"}[ends]
    assert "a and no" not in repr(split)


def test_classes_of_pairs_are_balanced() -> None:
    pairs = grid(20, 20)
    pairs["active"] = [int(d[1:]) % 4 == 0 for d in pairs["drug"]]
    split = split_interactions(
        pairs, left="drug", right="target", stratify="active", sizes=FOUR_TO_ONE, tolerance=0.05
    )
    for name in ("train", "test"):
        assert pairs["active"][split[name]].mean() == pytest.approx(0.25, abs=0.07)
    assert "active" in repr(split) or "True" in repr(split)


def test_entities_without_pairs_join_nobody() -> None:
    table = pd.DataFrame({"drug": [*"abcdef", "unused"]})
    edges = SimilarityGraph.from_edges([0, 1, 2, 3, 4, 5], [6] * 6, n_rows=7, threshold=0.5)
    pairs = pd.DataFrame(list(itertools.product("abcdef", "uvwxyz")), columns=["drug", "target"])
    split = split_interactions(pairs, left="drug", right="target", left_entities=table, left_similarity=edges)
    assert split.sizes == {"train": 16, "test": 4, "new-old": 8, "old-new": 8}


def test_edges_name_the_entities_of_their_table() -> None:
    pairs = grid(6, 6)
    edges = pd.DataFrame({"left": ["d5", "d1"], "right": ["d0", "d2"], "similarity": [0.9, 0.7]})
    table = pd.DataFrame({"drug": [f"d{i}" for i in (3, 5, 1, 0, 2, 4)]})
    split = split_interactions(
        pairs, left="drug", right="target", left_entities=table, left_similarity=edges, left_threshold=0.8,
        on_infeasible="nearest", tolerance=0.2,
    )  # fmt: skip
    assert split.left.clusters is not None
    assert split.left.clusters.tolist() == [0, 1, 2, 3, 4, 0]


def test_values_in_the_table_of_pairs_are_compared() -> None:
    names = [f"the drug of number {i} {c}" for i in range(8) for c in "ab"]
    pairs = pd.DataFrame(list(itertools.product(names, range(8))), columns=["drug", "item"])
    split = split_interactions(
        pairs, left="drug", right="item", left_similarity="jaccard", left_threshold=0.85, tolerance=0.1
    )
    assert split.left.clusters is not None
    assert split.left.clusters.max() == 7
    assert split.right.clusters is not None
    assert split.right.clusters.max() == 7  # ids alone: an item is similar to itself only


def test_the_result_can_be_taken_shown_and_saved(tmp_path: Path) -> None:
    pairs = grid(6, 6)
    split = split_interactions(pairs, left="drug", right="target", stratify=["x", "y"] * 18, tolerance=0.2)
    parts = split.take(pairs)
    assert sum(map(len, parts.values())) == 36
    assert list(split.frame(pairs).columns) == ["row", "set", "drug", "target"]
    assert split.entities()["partition"].isin(["train", "test"]).all()
    text = repr(split)
    assert "new-old" in text
    assert "No pair is lost" in text
    assert "Separated" in text
    assert "No pair is lost" in split._repr_html_()
    split.split.save(tmp_path / "split.parquet")
    again = type(split.split).load(tmp_path / "split.parquet")
    assert again.sizes == split.sizes
    assert sum(map(len, again.take(pairs).values())) == 36


def test_sizes_that_cannot_be_met_are_explained() -> None:
    pairs = grid(6, 6)
    one = SimilarityGraph.from_edges([0] * 5, range(1, 6), n_rows=6, threshold=0.5)
    table = pd.DataFrame({"drug": [f"d{i}" for i in range(6)]})
    arguments = {"left": "drug", "right": "target", "left_entities": table, "left_similarity": one}
    with pytest.raises(
        InfeasibleSplitError, match=r"largest of 1 clusters of drug takes part in 36 of 36 pairs"
    ) as e:
        split_interactions(pairs, **arguments)  # type: ignore[arg-type]
    assert any("mode='right' meets them" in way for way in e.value.ways_out) or e.value.ways_out
    with pytest.warns(SplitleakWarning, match="Taking the nearest sizes"):
        split = split_interactions(pairs, **arguments, on_infeasible="nearest")  # type: ignore[arg-type]
    assert sum(split.sizes.values()) == 36


SQUARE = np.eye(6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"left": "drgu"}, "left='drgu' is not a column of the data; did you mean 'drug'"),
        ({"left": "target"}, "both name the column 'target'"),
        ({"left_entities": {"drug": ["d0", "d1", "d2", "d3"]}}, r"2 of 6 entities .*\('d4', 'd5'; 12 pairs\)"),
        ({"left_entities": {"drug": [0, 1, 2, 3, 4, 5]}}, "make both of one type"),
        ({"left_entities": {"drug": ["d0", "d0", "d1", "d2", "d3", "d4", "d5"]}}, r"1 of 6 are repeated \('d0'\)"),
        ({"left_entities": {"drug": ["d0", None]}}, "has no value in 1 of 2 rows"),
        ({"left_entities": {"name": ["d0"]}}, "left_entities has no column 'drug'"),
        ({"left_entities": {"name": ["d0"]}, "left_id": "nmae"}, "did you mean 'name'"),
        ({"left_similarity": SQUARE}, "left_similarity= goes by row position"),
        ({"left_on": "text"}, "left_on='text' names a column of left_entities="),
        ({"left_similarity": matrix(6, 0, "x")}, "6 of 6 entities have no row in left_similarity="),
        ({"left_similarity": matrix(6, 0, "d").iloc[:, :3]}, "must have the same labels"),
        ({"mode": "rigth"}, "did you mean 'right'"),
        ({"symmetric": True, "mode": "left"}, "leave one of the two out"),
        ({"symmetric": True, "right_id": "x"}, "takes both columns as entities of one kind"),
        ({"on_infeasible": "drop"}, "on_infeasible='drop' is not known"),
        ({"tolerance": 2}, "tolerance must be a share"),
        ({"seed": -1}, "seed must be"),
        ({"sizes": {"train": 30, "test": 30}}, "asks for 60 rows"),
        ({"sizes": {"train": 0.8, "test": 0.3}}, "fractions must add up to 1"),
        ({"sizes": [1, 2, 3, 4]}, "sizes without names must be 2 numbers"),
        ({"sizes": 5}, "sizes must be a mapping"),
        ({"sizes": {"train": True, "test": 3}}, "must be a fraction or a whole number"),
    ],
)  # fmt: skip
def test_bad_input_is_named(change: dict[str, object], message: str) -> None:
    arguments = {"left": "drug", "right": "target", **change}
    with pytest.raises(InputError, match=message):
        split_interactions(grid(6, 6), **arguments)  # type: ignore[arg-type]


def test_pairs_without_an_entity_are_refused() -> None:
    pairs = grid(3, 3)
    pairs.loc[[1, 4], "target"] = None
    with pytest.raises(
        InputError, match=r"right='target' has no value in 2 of 9 rows \(the first is row 1\)"
    ):
        split_interactions(pairs, left="drug", right="target")


def test_mixed_kinds_of_ids_are_refused() -> None:
    pairs = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    with pytest.raises(InputError, match="of different types"):
        split_interactions(pairs, left="a", right="b", symmetric=True)


@pytest.mark.skipif(DATA is None, reason="SPLITLEAK_DATA names no folder of real data")
def test_drugs_and_proteins() -> None:
    folder = Path(str(DATA)) / "pairs" / "drug_protein"

    def read(name: str) -> pd.DataFrame:
        lines = [line.rstrip().split("\t") for line in (folder / name).read_text().splitlines()]
        values = [[float(x) for x in line[1:]] for line in lines[1:]]
        return pd.DataFrame(values, index=[line[0] for line in lines[1:]], columns=lines[0][1:])

    pairs = pd.read_csv(folder / "inter.tsv", sep="\t")
    split = split_interactions(
        pairs, left="Drug_ID", right="Target_ID", left_similarity=read("drug_sim.tsv"),
        right_similarity=read("prot_sim.tsv"), left_threshold=0.8, right_threshold=0.8, tolerance=0.05,
    )  # fmt: skip
    assert sum(split.sizes.values()) == 1248
    assert split.sizes["train"] + split.sizes["test"] >= 700  # DataSAIL's C2 keeps 646 to 689
    assert split.verdict == "separated"


def test_files_with_the_ids_as_names_need_no_table_of_entities(tmp_path: Path) -> None:
    pairs = pd.DataFrame(
        {"drug": [f"d{i % 6:02d}" for i in range(36)], "target": [f"t{i // 6}" for i in range(36)]}
    )
    near = matrix(6, 0, "d")
    path = tmp_path / "near.tsv"
    near.to_csv(path, sep="\t")
    arguments = {"left": "drug", "right": "target", "sizes": {"train": 0.5, "test": 0.5}, "tolerance": 0.5}
    for similarity in (precomputed(path), f"precomputed(matrix={str(path)!r}, format=matrix)"):
        for table in (None, pd.DataFrame({"drug": [f"d{i:02d}" for i in range(6)], "size": range(6)})):
            split = split_interactions(
                pairs, **arguments, left_entities=table, left_similarity=similarity, left_threshold=0.8
            )
            assert split.left.ids == tuple(near.index)
            assert split.left.codes[1] == split.left.codes[3], "their similarity is 0.82"
            assert len(set(split.left.clusters.tolist())) == 5


@pytest.mark.filterwarnings("ignore:The sizes cannot be met")
@quick
@given(st.integers(0, 10_000), st.sampled_from(["both", "left", "right"]), st.booleans())
def test_entities_of_one_group_stay_together(seed: int, mode: str, several: bool) -> None:
    rng = np.random.default_rng(seed)
    drugs, targets = matrix(12, seed, "d"), matrix(8, seed + 1, "t")
    pairs = random_pairs(drugs, targets, seed)
    of_drugs = pd.DataFrame(
        {
            "drug": drugs.index,
            "scaffold": [None if s == 0 else f"s{s}" for s in rng.integers(0, 6, 12)],
            "maker": [None if m < 6 else int(m) for m in rng.integers(0, 9, 12)],
        }
    ).sample(frac=1, random_state=seed)
    of_targets = pd.DataFrame({"target": targets.index, "family": rng.integers(0, 4, 8)})
    columns = {"drug": ["scaffold", "maker"] if several else ["scaffold"], "target": ["family"]}
    split = split_interactions(
        pairs, left="drug", right="target", left_entities=of_drugs, right_entities=of_targets,
        left_groups=columns["drug"] if several else "scaffold",
        right_groups=of_targets["family"].to_numpy(), left_similarity="exact", right_similarity=targets,
        left_on="drug", right_threshold=0.9, mode=mode, sizes=FOUR_TO_ONE, on_infeasible="nearest", seed=seed % 3,
    )  # fmt: skip
    tables = {"drug": of_drugs.set_index("drug"), "target": of_targets.set_index("target")}
    for side in split.sides:
        if side.codes is None:
            continue
        for (a, p), (b, q) in itertools.combinations(zip(side.ids, side.codes.tolist(), strict=True), 2):
            for name in columns[side.column]:
                one, other = tables[side.column].loc[a, name], tables[side.column].loc[b, name]
                assert p == q or one != other or pd.isna(one)
    assert split.verdict == "separated"
    made = split.split.provenance
    assert made is not None
    assert made.options.get("left_groups") == (None if mode == "right" else columns["drug"])


def test_groups_need_the_table_that_holds_them() -> None:
    pairs = {"drug": ["a", "b", "c", "a"], "target": ["x", "y", "x", "y"]}
    with pytest.raises(InputError, match="left_groups='scaffold' names a column of left_entities="):
        split_interactions(pairs, left="drug", right="target", left_groups="scaffold")
    with pytest.raises(
        InputError, match="right_groups= goes by the columns or rows of right_entities=, which is not"
    ):
        split_interactions(pairs, left="drug", right="target", right_groups=[1, 1])
    with pytest.raises(InputError, match="symmetric=True takes both columns as entities of one kind"):
        split_interactions(pairs, left="drug", right="target", symmetric=True, right_groups="scaffold")
    entities = {"drug": ["a", "b", "c"], "scaffold": ["s", "s", "t"]}
    with pytest.raises(InputError, match="left_groups='scafold' is not a column of the data"):
        split_interactions(pairs, left="drug", right="target", left_entities=entities, left_groups="scafold")
