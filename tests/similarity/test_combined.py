"""Several similarities at once, against all pairs one by one."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak import InputError
from splitleak.similarity import combined
from splitleak.similarity.base import get_backend
from splitleak.similarity.views import view_text
from tests.oracles import cosine_of_rows, jaccard_of_sets, shingles

WORDS = st.sampled_from(["", "ab", "abc", "abcd", "xyz", "xyzzy", "q"])
VECTORS = st.sampled_from([(1.0, 0.0), (0.9, 0.1), (0.0, 1.0), (0.1, 0.9), (1.0, 1.0), (2.0, 0.0)])
JACCARD, COSINE = "jaccard(0.5, n=2)", 0.95


@st.composite
def tables(draw: Any) -> dict[str, list[Any]]:
    n = draw(st.integers(1, 12))
    # a column without any value holds no texts
    texts = st.tuples(WORDS, *[st.one_of(st.none(), WORDS)] * (n - 1)).map(list)
    vectors = draw(st.lists(VECTORS, min_size=n, max_size=n))
    return {"a": draw(texts), "b": draw(texts), "v": [list(v) for v in vectors]}


def of_texts(x: str | None, y: str | None, missing: str) -> float:
    if missing == "distinct" and not (x and y):
        return 0.0
    return jaccard_of_sets(shingles(x or "", "char", 2), shingles(y or "", "char", 2))


def of_columns(table: dict[str, list[Any]], i: int, j: int, missing: str) -> dict[str, float]:
    found = {c: of_texts(table[c][i], table[c][j], missing) for c in ("a", "b")}
    cosine = cosine_of_rows(table["v"][i], table["v"][j])
    values = {c: s if s >= 0.5 else np.nan for c, s in found.items()}
    return {**values, "v": cosine if cosine >= COSINE else np.nan}


def pairs_of(graph: splitleak.SimilarityGraph) -> set[tuple[int, int]]:
    left, right, _ = graph.pairs()
    return set(zip(left.tolist(), right.tolist(), strict=True))


VIEWS = [
    f"a:{JACCARD}",
    splitleak.view(get_backend("jaccard")(0.5, n=2), on="b"),
    {"similarity": "cosine", "on": "v", "threshold": COSINE},
]


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(["any", "all"]), st.sampled_from(["equal", "distinct"]), st.data())
def test_any_and_all_are_what_each_says(
    table: dict[str, list[Any]], combine: Any, missing: Any, data: Any
) -> None:
    order = data.draw(st.permutations(range(len(table["a"]))))
    rule = any if combine == "any" else all
    truth = {
        (i, j): said
        for i, j in combinations(range(len(table["a"])), 2)
        for said in [of_columns(table, i, j, missing)]
        if rule(np.isfinite(s) for s in said.values())
    }
    graph = splitleak.similarity_graph(table, similarity=VIEWS, combine=combine, missing=missing)
    frame = graph.frame()
    found = {(int(row[0]), int(row[1])): row[3:] for row in frame.to_numpy(dtype=float)}
    assert set(found) == set(truth) == pairs_of(graph)
    for pair, said in truth.items():
        np.testing.assert_allclose(found[pair], list(said.values()), atol=1e-9)
    assert graph.n_pairs == len(truth)
    degree = np.bincount([end for pair in truth for end in pair], minlength=graph.n_rows)
    assert graph.degrees().tolist() == degree.tolist()
    shuffled = {name: [values[i] for i in order] for name, values in table.items()}
    again = splitleak.similarity_graph(shuffled, similarity=VIEWS, combine=combine, missing=missing)
    assert {(min(order[i], order[j]), max(order[i], order[j])) for i, j in pairs_of(again)} == set(truth)


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(["any", "crossed"]), st.sampled_from(["equal", "distinct"]))
def test_rows_that_share_a_part(table: dict[str, list[Any]], share: Any, missing: Any) -> None:
    truth = set()
    for i, j in combinations(range(len(table["a"])), 2):
        compared = [("a", "a"), ("b", "b")] + ([("a", "b"), ("b", "a")] if share == "crossed" else [])
        if max(of_texts(table[x][i], table[y][j], missing) for x, y in compared) >= 0.5:
            truth.add((i, j))
    graph = splitleak.similarity_graph(table, on=["a", "b"], similarity=JACCARD, share=share, missing=missing)
    assert pairs_of(graph) == truth
    assert graph.n_pairs == len(truth)


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(["any", "all"]), st.sampled_from([None, "any", "crossed"]), st.data())
def test_certificates_of_any_partitions(
    table: dict[str, list[Any]], combine: Any, share: Any, data: Any
) -> None:
    n = len(table["a"])
    codes = data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    if len(set(codes)) < 2:
        return
    views = [splitleak.view(JACCARD, on=["a", "b"], share=share), VIEWS[2]]
    truth, alone = 0, [0, 0, 0, 0]
    for i, j in combinations(range(n), 2):
        if codes[i] == codes[j]:
            continue
        same = [of_texts(table[x][i], table[y][j], "equal") >= 0.5 for x, y in ("aa", "bb", "ab", "ba")]
        whole = [" ".join(table[x][r] for x in "ab" if table[x][r]) for r in (i, j)]
        joined = of_texts(*whole, "equal") >= 0.5
        text = {None: joined, "any": any(same[:2]), "crossed": any(same)}[share]
        cosine = cosine_of_rows(table["v"][i], table["v"][j]) >= COSINE
        truth += text | cosine if combine == "any" else text & cosine
        flat = [*same[:2], cosine] if share == "any" and combine == "any" else [text, cosine]
        alone = [k + said for k, said in zip(alone, flat, strict=False)]
    found = splitleak.certify(
        table, [f"p{code}" for code in codes], similarity=views, combine=combine, progress=False
    )
    assert found.n_crossing == truth == len(found.crossing)
    assert (found.verdict == "leaking") == (truth > 0)
    assert [view.n_crossing for view in found.views] == alone[: len(found.views)]
    assert sum(a.pairs for a in found.across) == truth
    for pair in found.crossing:
        assert len(pair.views) == len(found.views) if combine == "all" else len(pair.views) >= 1
    assert splitleak.Certificate.from_summary(found.summary()) == found


@settings(max_examples=30, deadline=None)
@given(tables(), st.sampled_from(["any", "all"]))
def test_what_is_too_much_to_list_is_linked(table: dict[str, list[Any]], combine: Any) -> None:
    whole = splitleak.similarity_graph(table, similarity=VIEWS, combine=combine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(combined, "MOST_LISTED", 3)
        try:
            few = splitleak.similarity_graph(table, similarity=VIEWS, combine=combine)
        except InputError as error:
            assert combine == "all"
            assert "begins with the pairs of one similarity" in str(error)
            return
        crossed = splitleak.similarity_graph(table, on=["a", "b"], similarity=JACCARD, share="crossed")
    assert few.components().tolist() == whole.components().tolist()
    full = splitleak.similarity_graph(table, on=["a", "b"], similarity=JACCARD, share="crossed")
    assert crossed.components().tolist() == full.components().tolist()
    if few.complete:
        assert pairs_of(few) == pairs_of(whole)


def test_a_higher_threshold_is_a_floor_for_each() -> None:
    rng = np.random.default_rng(0)
    table = {"x": rng.normal(size=(60, 2)).tolist(), "y": rng.normal(size=(60, 2)).tolist()}
    for combine in ("any", "all"):
        graphs = [
            splitleak.similarity_graph(
                table, similarity=[f"x:cosine({t})", f"y:cosine({max(t, 0.8)})"], combine=combine
            )
            for t in (0.6, 0.7, 0.9)
        ]
        for graph, t in zip(graphs[1:], (0.7, 0.9), strict=True):
            at = graphs[0].at(t)
            pd.testing.assert_frame_equal(at.frame(), graph.frame())
    assert graphs[0].threshold == 0.6


def test_identical_rows_stay_linear() -> None:
    n = 50_000
    table = pd.DataFrame({"a": ["the same"] * n, "b": ["that too"] * n, "kind": ["x", "y"] * (n // 2)})
    for combine in ("any", "all"):
        graph = splitleak.similarity_graph(table, similarity=["a:jaccard", "b:exact"], combine=combine)
        assert graph.complete
        assert len(graph.left) == 0
        assert graph.n_pairs == n * (n - 1) // 2
    # half of the rows each: 2 x 312 million pairs in one similarity, linked
    graph = splitleak.similarity_graph(
        table.assign(b=[f"{i:07d}" for i in range(n)]), similarity=["kind:exact", "b:exact"]
    )
    assert not graph.complete
    assert len(graph.left) == n - 2
    assert len(np.unique(graph.components())) == 2
    both = splitleak.similarity_graph(table, similarity=["kind:exact", "a:exact"], combine="all")
    assert both.n_pairs == 2 * (n // 2) * (n // 2 - 1) // 2
    crossed = splitleak.similarity_graph(table, on=["a", "b"], similarity="exact", share="crossed")
    assert (crossed.n_pairs, len(crossed.left)) == (n * (n - 1) // 2, 0)


def test_all_needs_every_pair() -> None:
    whole = splitleak.SimilarityGraph.from_edges([0, 1], [1, 2], n_rows=4, threshold=1)
    with pytest.raises(
        InputError, match="combine='all' needs every pair of each similarity, and b has too many"
    ):
        combined.intersection([whole, replace(whole, complete=False)], ["a", "b"], measure="a and b")
    linked = combined.union([whole, replace(whole, complete=False)], ["a", "b"], measure="a or b")
    assert not linked.complete
    assert linked.components().tolist() == [0, 0, 0, 1]


def test_texts_name_views() -> None:
    table = {"a": ["one two", "one two", "x"], "b,c": ["p", "q", "p"], "d:e": [1, 2, 3]}
    graph = splitleak.similarity_graph(table, similarity="a:jaccard(0.9, unit=word, n=1)")
    assert (graph.threshold, pairs_of(graph)) == (0.9, {(0, 1)})
    assert pairs_of(splitleak.similarity_graph(table, similarity=["a|b,c:exact"])) == {(0, 1), (0, 2)}
    assert pairs_of(splitleak.similarity_graph(table, similarity="b,c: exact")) == {(0, 2)}
    assert splitleak.similarity_graph(table, similarity="d:e:euclidean(0.5)").n_pairs == 2
    crossed = splitleak.similarity_graph({"a": ["x", "y"], "b": ["z", "x"]}, similarity=["a||b:exact"])
    assert pairs_of(crossed) == {(0, 1)}
    assert view_text("exact", [], 1) == "exact(1.0)"
    assert get_backend("jaccard(threshold=0.7, n=3)") == get_backend("jaccard(0.7, n=3)")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"similarity": []}, "names no similarity"),
        ({"similarity": [["exact"]]}, "a list within a list"),
        ({"similarity": ["t:exact", "x:exact"]}, r"on='t' is not a column of the data"),
        (
            {"similarity": ["a:exact(1)", "b:exact(1)"], "threshold": 0.5},
            "each of the similarities has its own",
        ),
        (
            {"similarity": splitleak.view("exact", on="a", threshold=0.5), "threshold": 0.5},
            "the view has its own",
        ),
        ({"similarity": ["a:exact", "b:exact"], "combine": "both"}, "combine='both' is not known"),
        ({"on": ["a", "b"], "share": "some"}, "share='some' is not known"),
        ({"on": "a", "share": "any"}, "share='any' is for several columns"),
        ({"similarity": ["a:exact"], "share": "any"}, "each similarity has columns of its own"),
        (
            {"similarity": [{"similarity": "exact", "column": "a"}]},
            "key of a similarity='column' is not known",
        ),
        ({"similarity": ["jaccard(0.7, 0.8)"], "on": "a"}, "one number before them is the threshold"),
        ({"similarity": ["a:jaccard(2)", "b:exact"]}, r"threshold must be a number in \(0, 1\]"),
        ({"on": ["a", "n"], "share": "crossed", "similarity": "exact"}, "cannot be compared with each other"),
        (
            {"on": ["a", "b"], "share": "crossed", "similarity": np.eye(2)},
            "needs one measure that reads values",
        ),
    ],
)
def test_bad_views(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        splitleak.similarity_graph({"a": ["x", "y"], "b": ["x", "z"], "n": [1.0, 2.0]}, **options)


def test_bad_view_arguments() -> None:
    with pytest.raises(InputError, match="on must be a column name or a list"):
        splitleak.view("exact", on=3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="share='none' is not known"):
        splitleak.view("exact", share="none")  # type: ignore[arg-type]


def nli() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "premise": [f"premise number {i // 3} stands here" for i in range(240)],
            "hypothesis": [f"hypothesis {rng.integers(400):04d} follows" for _ in range(240)],
            "vector": rng.normal(size=(240, 3)).tolist(),
            "label": ["a", "b"] * 120,
        }
    )


LIST = ["premise:jaccard(0.95)", splitleak.view("cosine", on="vector", threshold=0.999)]


def test_a_split_by_several_similarities(tmp_path: Any) -> None:
    table = nli()
    split = splitleak.split_by_similarity(table, similarity=LIST, stratify="label")
    assert split.certificate is not None
    assert split.certificate.verdict == "separated"
    assert [view.view for view in split.certificate.views] == ["jaccard on premise", "cosine on vector"]
    assert all(view.verdict == "separated" and view.random is not None for view in split.certificate.views)
    told = " ".join(repr(split.certificate.views[1]).split())
    assert (
        "By cosine on vector alone, one of several similarities: a fresh search across the partitions" in told
    )
    order = np.random.default_rng(2).permutation(len(table))
    again = splitleak.split_by_similarity(table.iloc[order], similarity=LIST, stratify="label")
    assert np.array_equal(again.codes, split.codes[order])
    split.save(tmp_path / "split.parquet")
    loaded = splitleak.Split.load(tmp_path / "split.parquet")
    assert loaded.certificate == split.certificate
    assert splitleak.certify(table, loaded) == split.certificate  # the views are read from the provenance
    assert sum(len(part) for part in split.take(table).values()) == 240
    with pytest.raises(splitleak.DataMismatchError, match="row 0 and 239 more"):
        split.take(table.assign(vector=table["vector"].to_list()[::-1]))
    page = split._repr_html_()
    assert "cosine on vector, 0.999 or more: no pair crosses" in page
    assert "jaccard &gt;= 0.95 on premise, cosine" in page or "jaccard on premise" in page
    random = splitleak.certify(table, ["train", "test"] * 120, similarity=LIST)
    assert random.verdict == "leaking"
    assert "jaccard on premise" in repr(random)
    assert random.frame()["views"].map(len).min() >= 1
    assert random._repr_html_()


def test_every_door_takes_several() -> None:
    table = nli()
    folds = splitleak.fold_by_similarity(table, similarity=LIST, folds=3, on_infeasible="nearest")
    assert folds.certificate.verdict == "separated"
    assert [v.verdict for v in folds.fold(0).certificate.views] == ["separated", "separated"]
    unique = splitleak.deduplicate(table, similarity=LIST)
    assert len(unique.take(table)) == len(unique.kept) < 80
    compared = splitleak.compare_splits(table, {"chance": ["train", "test"] * 120}, similarity=LIST)
    assert compared["chance"].certificate.views[0].verdict == "leaking"
    assert "jaccard on premise >= 0.95 or cosine" in repr(compared)
    assert compared._repr_html_()
    parts = splitleak.split_by_similarity(
        table,
        on=["premise", "hypothesis"],
        similarity="exact",
        share="any",
        on_infeasible="nearest",
        sizes=[0.5, 0.5],
    )
    for column in ("premise", "hypothesis"):
        train, test = (set(part[column]) for part in parts.take(table).values())
        assert not train & test
    assert splitleak.certify(table, parts).verdict == "separated"
    curve = splitleak.threshold_curve(
        splitleak.similarity_graph(table, similarity=["premise:jaccard(0.5)", "vector:cosine(0.9)"])
    )
    assert curve.thresholds[0] == 0.5


def test_crossed_splits_are_certified_again() -> None:
    rng = np.random.default_rng(3)
    asked = [f"question {i} or so" for i in range(200)]
    table = pd.DataFrame({"q1": rng.choice(asked, 120), "q2": rng.choice(asked, 120)})
    options: dict[str, Any] = {"on": ["q1", "q2"], "similarity": "jaccard(0.99)", "share": "crossed"}
    split = splitleak.split_by_similarity(
        table, **options, on_infeasible="nearest", sizes={"train": 60, "test": 60}
    )
    train, test = ({*part["q1"], *part["q2"]} for part in split.take(table).values())
    assert not train & test
    assert split.certificate is not None
    assert splitleak.certify(table, split) == split.certificate
    graph = splitleak.similarity_graph(table, **options)
    given_again = splitleak.split_by_similarity(
        table, similarity=graph, on_infeasible="nearest", sizes={"train": 60, "test": 60}
    )
    assert np.array_equal(given_again.codes, split.codes)
    assert split.certificate.random is None


def test_raised_thresholds_are_floors() -> None:
    rng = np.random.default_rng(4)
    table = {"x": rng.normal(size=(80, 2)).tolist(), "y": rng.normal(size=(80, 2)).tolist()}
    split = splitleak.split_by_similarity(
        table, similarity=["x:cosine(0.9)", "y:cosine(0.99)"], on_infeasible="raise_threshold"
    )
    assert split.provenance is not None
    limits = [view["threshold"] for view in split.provenance.options["similarity"]]
    assert limits[0] > 0.9
    assert limits[1] >= max(0.99, limits[0])
    assert split.certificate is not None
    assert split.certificate.verdict == "separated"


def test_splitters_take_several() -> None:
    splitter = splitleak.SimilarityKFold(3, similarity=["premise:jaccard(0.95)"], on_infeasible="nearest")
    assert len(list(splitter.split(nli()))) == 3
    shuffled = splitleak.SimilarityShuffleSplit(2, similarity=LIST, random_state=1)
    assert len(list(shuffled.split(nli()))) == 2
    both = splitleak.SimilarityKFold(
        3, on=["premise", "hypothesis"], share="any", similarity="exact", tolerance=0.5
    )
    assert len(list(both.split(nli()))) == 3
