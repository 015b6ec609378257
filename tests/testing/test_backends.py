"""check_backend(): every built-in backend passes it, and each rule is broken by a backend that it catches."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from splitleak import SimilarityGraph, similarity_backend
from splitleak.errors import InputError
from splitleak.records import Records, as_records
from splitleak.similarity.base import IGNORED, Backend, Neighbours, backend_names, get_backend
from splitleak.similarity.combined import intersection, union
from splitleak.testing import check_backend
from tests.images import picture
from tests.oracles import cosine_of_rows, euclidean_of_rows, jaccard_of_sets, shingles
from tests.similarity.test_molecule import SMILES

RNG = np.random.default_rng(0)


def texts(n: int = 60) -> list[str]:
    words = ["red", "blue", "old", "new", "car", "bus", "train", "stops", "here", "there"]
    rows = [" ".join(RNG.choice(words, 8)) for _ in range(n // 3)]
    changed = [row.replace("red", "green", 1) for row in rows]
    return [*rows, *changed, *rows[: n - 2 * (n // 3)], ""]


def vectors(n: int = 60) -> np.ndarray:
    rows = RNG.integers(-5, 6, (n // 2, 6)).astype(np.float64)
    rows[rows.any(axis=1) == 0] = 1
    return np.concatenate([rows, rows + (RNG.random(rows.shape) < 0.1)])


def table(n: int = 50) -> pd.DataFrame:
    df = pd.DataFrame(
        {
            "age": RNG.integers(20, 60, n // 2).astype(float),
            "town": RNG.choice(["Oslo", "Rome", None], n // 2),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 90, n // 2), unit="D"),
        }
    )
    df.loc[3, "age"] = np.nan
    return pd.concat([df, df.assign(age=df.age + 0.3)], ignore_index=True)


def proteins(n: int = 24) -> list[str]:
    rows = [
        "".join(RNG.choice(list("ACDEFGHIKLMNPQRSTVWY"), int(RNG.integers(40, 70)))) for _ in range(n // 2)
    ]
    return [*rows, *("".join(c if RNG.random() < 0.7 else "A" for c in row) for row in rows)]


def pictures(n: int = 16) -> np.ndarray:
    rows = np.stack([picture(i, width=48, height=48) for i in range(n // 2)])
    return np.concatenate([rows, np.clip(rows.astype(int) + 12, 0, 255).astype(np.uint8), rows[:2]])


def mean_colours(images: list[Any]) -> np.ndarray:
    return np.stack([np.asarray(image.resize((4, 4)), dtype=float).ravel() - 127.5 for image in images])


def letter_counts(rows: list[str]) -> np.ndarray:
    return np.array(
        [[row.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz0123456789 "] for row in rows]
    )


def jaccard(a: str, b: str) -> float:
    return jaccard_of_sets(*(shingles(" ".join(t.casefold().split()), "char", 5) for t in (a, b)))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return max(0.0, cosine_of_rows(a.tolist(), b.tolist()))


def euclidean(a: np.ndarray, b: np.ndarray) -> float:
    return euclidean_of_rows(a.tolist(), b.tolist())


# name: rows, the backend with options, threshold, an oracle (None: the look-up says what is right)
CASES: dict[str, list[tuple[Any, str | Backend, float, Callable[[Any, Any], float] | None]]] = {
    "exact": [
        (texts(), "exact", 1.0, lambda a, b: float(a == b)),
        (vectors(), "exact", 0.5, lambda a, b: float((a == b).all())),
        (table(), "exact", 1.0, None),
        (pictures(), "exact", 1.0, None),
    ],
    "jaccard": [(texts(), "jaccard", 0.7, jaccard), (texts(), "jaccard(unit=word, n=2)", 0.5, None)],
    "minhash": [(texts(), "minhash", 0.7, jaccard)],
    "cosine": [(vectors(), "cosine", 0.9, cosine)],
    "euclidean": [(vectors(), "euclidean", 0.4, euclidean)],
    "cosine-faiss": [(vectors(), "cosine-faiss", 0.9, cosine)],
    "euclidean-faiss": [(vectors(), "euclidean-faiss", 0.4, euclidean)],
    "gower": [
        (table(), "gower", 0.95, None),
        (table(), "gower(missing=ignore, scale=rank)", 0.95, None),
        (vectors(), "gower(missing=different)", 0.95, None),
    ],
    "alignment": [(proteins(), "alignment", 0.4, None)],
    "tanimoto": [(SMILES, "tanimoto", 0.3, None)],
    "pixels": [(pictures(), "pixels", 1.0, None)],
    "phash": [(pictures(), "phash", 0.9, None), (pictures(), "phash(flips=True, turns=True)", 0.7, None)],
    "embedding": [(texts(), get_backend("embedding")(encoder=letter_counts), 0.98, None)],
    "embedding-faiss": [(texts(), get_backend("embedding-faiss")(encoder=letter_counts), 0.98, None)],
    "precomputed": [],  # its rows must have different names, the kit repeats rows: tests/similarity/test_hits.py
    "image-embedding": [
        (pictures(), get_backend("image-embedding")(encoder=mean_colours), 0.9, None),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", backend_names())
def test_built_in_backends_keep_the_rules(name: str) -> None:
    assert name in CASES, f"add rows for the backend {name} to CASES"
    if name == "tanimoto":
        pytest.importorskip("rdkit", reason="RDKit reads the molecules")
    for data, backend, threshold, oracle in CASES[name]:
        check_backend(backend, data, threshold=threshold, oracle=oracle)


def several(combine: Callable[..., SimilarityGraph]) -> Backend:
    """Combine two backends, each on a column of its own (across sides whoever asks tells the pairs apart)."""

    def both(records: Records, *, threshold: float) -> SimilarityGraph:
        named = zip(("jaccard", "exact"), records.parts, strict=True)
        graphs = [get_backend(name).graph(part, threshold=threshold) for name, part in named]
        return combine(graphs, ["title", "town"], measure="both")

    return Backend("both", frozenset({"views"}), both)


@pytest.mark.parametrize("way", ["any", "all"])
def test_several_similarities_keep_the_rules(way: str) -> None:
    rows = texts()
    towns = RNG.choice(["Oslo", "Rome", "Lima", "Bonn"], len(rows)).tolist()
    records = as_records({"title": rows, "town": towns}, on=["title", "town"], kind="views")
    join = any if way == "any" else all
    combine = union if way == "any" else intersection

    def oracle(a: dict[str, str], b: dict[str, str]) -> float:
        alike = [jaccard(a["title"], b["title"]), float(a["town"] == b["town"])]
        if not join(value >= 0.7 for value in alike):
            return 0.0
        return max(alike) if way == "any" else min(alike)

    check_backend(several(combine), records, threshold=0.7, oracle=oracle)


# --- a backend for each rule that it breaks ---------------------------------------------------------------------

LETTERS = [*"aabbbcd", "ef", "eg", "eh", "fe", "eklmn", "zz"]


def alike(a: str, b: str) -> float:
    return jaccard_of_sets(set(a), set(b))


def right(records: Records, *, threshold: float, sides: np.ndarray | None = None) -> SimilarityGraph:
    buffer, offsets = records.text()
    rows = [bytes(buffer[a:b]).decode() for a, b in pairwise(offsets)]
    pairs = [
        (i, j, alike(rows[i], rows[j]))
        for i in range(len(rows))
        for j in range(i)
        if alike(rows[i], rows[j]) >= threshold
        and (sides is None or (sides[i] != sides[j] and IGNORED not in (sides[i], sides[j])))
    ]
    left, right, similarity = zip(*pairs, strict=True) if pairs else ((), (), ())
    return SimilarityGraph.build(
        left, right, similarity, n_rows=len(rows), threshold=threshold, measure="right"
    )


def changed(graph: SimilarityGraph, **changes: Any) -> SimilarityGraph:
    return SimilarityGraph(**{**vars(graph), **changes})


def without(graph: SimilarityGraph, drop: np.ndarray) -> SimilarityGraph:
    kept = {name: getattr(graph, name)[~drop] for name in ("left", "right", "similarity")}
    return changed(graph, **kept)


def misses_a_pair(records: Records, *, threshold: float) -> SimilarityGraph:
    graph = right(records, threshold=threshold)
    return without(graph, np.arange(len(graph.left)) == 2)


def invents_a_pair(records: Records, *, threshold: float) -> SimilarityGraph:
    graph, n = right(records, threshold=threshold), records.n_rows
    more = [[], []] if n < 2 else [[0], [n - 1]]
    return SimilarityGraph.build(
        [*graph.left, *more[0]], [*graph.right, *more[1]], [*graph.similarity, *[1.0] * len(more[0])],
        n_rows=n, threshold=threshold, measure="m",
    )  # fmt: skip


def wrong_similarity(records: Records, *, threshold: float) -> SimilarityGraph:
    graph = right(records, threshold=threshold)
    return changed(graph, similarity=np.minimum(1, graph.similarity + 0.01))


def unsorted(records: Records, *, threshold: float) -> SimilarityGraph:
    graph = right(records, threshold=threshold)
    return changed(graph, left=graph.left[::-1], right=graph.right[::-1], similarity=graph.similarity[::-1])


def joins_itself(records: Records, *, threshold: float) -> SimilarityGraph:
    graph = right(records, threshold=threshold)
    return changed(graph, right=graph.left)


def below_its_threshold(records: Records, *, threshold: float) -> SimilarityGraph:
    return changed(right(records, threshold=threshold / 2), threshold=threshold)


def exclusive(records: Records, *, threshold: float) -> SimilarityGraph:
    graph = right(records, threshold=threshold)
    return without(graph, graph.similarity == threshold)


def by_position(records: Records, *, threshold: float) -> SimilarityGraph:
    """Look at the first row first, and find what resembles it: right on these rows, in this order."""
    graph, buffer = right(records, threshold=threshold), records.text()[0]
    return graph if not len(buffer) or buffer[0] == ord("a") else without(graph, graph.left == 2)


def by_seed(records: Records, *, threshold: float, seed: int) -> SimilarityGraph:
    graph = right(records, threshold=threshold)
    return graph if seed == 0 else without(graph, np.arange(len(graph.left)) == 0)


CALLS: list[int] = []


def by_call(records: Records, *, threshold: float) -> SimilarityGraph:
    CALLS.append(0)
    graph = right(records, threshold=threshold)
    return without(graph, graph.left == 0) if threshold == 0.3 and len(CALLS) > 1 else graph


def by_threads(records: Records, *, threshold: float) -> SimilarityGraph:
    from splitleak._threads import thread_count

    graph = right(records, threshold=threshold)
    return without(graph, graph.left == 0) if thread_count() == 3 else graph


def all_sides(records: Records, *, threshold: float, sides: np.ndarray | None = None) -> SimilarityGraph:
    return right(records, threshold=threshold)


def too_few_across(records: Records, *, threshold: float, sides: np.ndarray | None = None) -> SimilarityGraph:
    graph = right(records, threshold=threshold, sides=sides)
    return graph if sides is None else without(graph, np.arange(len(graph.left)) == 0)


def writes_sides(records: Records, *, threshold: float, sides: np.ndarray | None = None) -> SimilarityGraph:
    graph = right(records, threshold=threshold, sides=sides)
    if sides is not None:
        sides[:] = 0
    return graph


def falls_over(records: Records, *, threshold: float) -> SimilarityGraph:
    assert records.n_rows > 0
    return right(records, threshold=threshold)


def writes_rows(records: Records, *, threshold: float) -> SimilarityGraph:
    graph = right(records, threshold=threshold)
    records.text()[0][-1:] = ord("y")  # a letter of the last row, which resembles none
    return graph


def wrong_copies(records: Records, *, threshold: float) -> SimilarityGraph:
    graph = right(records, threshold=threshold)
    return changed(graph, copies=np.roll(np.arange(records.n_rows), 1))


def not_exact(records: Records, *, threshold: float) -> SimilarityGraph:
    return changed(right(records, threshold=threshold), exact=False)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (misses_a_pair, "every pair at or above.*are no pair .1 pairs are missed"),
        (invents_a_pair, "no pair below the threshold.*rows 0 and 12 ..a. . .zz."),
        (wrong_similarity, "similarities are right"),
        (unsorted, "well formed.*sorted"),
        (joins_itself, "no row with itself"),
        (below_its_threshold, "similarities in .threshold, 1"),
        (exclusive, "threshold is inclusive"),
        (by_position, "order of rows does not matter.*rows in reverse"),
        (by_seed, "seed"),
        (by_call, "same call gives the same graph"),
        (by_threads, "threads do not matter.*=3"),
        (all_sides, "sides are respected"),
        (too_few_across, "a search across sides finds the pairs across"),
        (writes_sides, "array of sides was written to"),
        (falls_over, "no row and one row.*0 rows raise AssertionError"),
        (writes_rows, "left as they were"),
        (wrong_copies, "well formed.*copies"),
        (not_exact, "exact is said once"),
    ],
)
def test_each_rule_is_caught(function: Callable[..., SimilarityGraph], message: str) -> None:
    CALLS.clear()
    with pytest.raises(AssertionError, match=message) as caught:
        check_backend(Backend("mine", frozenset({"text"}), function), LETTERS, threshold=0.3, oracle=alike)
    assert "get_backend('mine').graph(records, threshold=" in str(caught.value)


def test_a_star_of_equal_rows_is_not_every_pair() -> None:
    def star(records: Records, *, threshold: float) -> SimilarityGraph:
        graph = right(records, threshold=threshold)
        return without(graph, np.isin(graph.left, graph.right))

    with pytest.raises(AssertionError, match="every pair at or above the threshold"):
        check_backend(Backend("star", frozenset({"text"}), star), LETTERS, threshold=1.0, oracle=alike)


def test_the_right_backend_passes() -> None:
    check_backend(Backend("mine", frozenset({"text"}), right), LETTERS, threshold=0.3, oracle=alike)


def test_a_look_up_is_held_against_the_oracle() -> None:
    def nearest(records: Records, queries: np.ndarray, *, threshold: float, sides: np.ndarray) -> Neighbours:
        found = get_backend("jaccard")(n=1).neighbours(records, queries, threshold=threshold, sides=sides)
        found.nearest[3] += 0.01
        return found

    with pytest.raises(AssertionError, match="look-up is right.*row 3"):
        check_backend(Backend("m", frozenset({"text"}), right, nearest), LETTERS, threshold=0.3, oracle=alike)


def test_an_approximate_backend_states_its_recall() -> None:
    def some(records: Records, *, threshold: float) -> SimilarityGraph:
        return changed(right(records, threshold=threshold), exact=False)

    backend = Backend("some", frozenset({"text"}), some, exact=False)
    with pytest.raises(AssertionError, match="recall is stated"):
        check_backend(backend, LETTERS, threshold=0.3, oracle=alike)


def test_data_that_show_nothing_are_refused() -> None:
    backend = Backend("mine", frozenset({"text"}), right)
    with pytest.raises(InputError, match="pass oracle="):
        check_backend(backend, LETTERS)
    with pytest.raises(InputError, match="3 to 500 rows.*has 2"):
        check_backend(backend, ["a", "b"], oracle=alike)
    with pytest.raises(InputError, match="0 similar of 3 pairs"):
        check_backend(backend, ["a", "b", "c"], oracle=alike)
    with pytest.raises(AssertionError, match="symmetric.*the oracle"):
        check_backend(backend, LETTERS, oracle=lambda a, b: float(a < b))


def test_an_authors_decorated_function_passes() -> None:
    @similarity_backend("same-length", kinds={"text"}, threshold=1.0)
    def same_length(records: Records, *, threshold: float) -> SimilarityGraph:
        length = np.diff(records.text()[1])
        left, right = np.triu_indices(len(length), 1)
        same = length[left] == length[right]
        return SimilarityGraph.from_edges(left[same], right[same], n_rows=len(length), threshold=threshold)

    check_backend("same-length", ["a", "bb", "cc", "d"], oracle=lambda a, b: float(len(a) == len(b)))
