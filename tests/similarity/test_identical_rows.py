"""A list of identical rows stays linear in each search: one row is stored, the pairs within are implied."""

import re
from typing import Any

import numpy as np
import pytest

import splitleak

N = 50_000
TEXT = ["the same line of text over and over"]
VECTOR = np.array([[1.0, 2.0, 3.0, 4.0]])
PROTEIN = ["MKVLAAGIVGLLLAQWERTYPLKMNHGFDSCVAAGKL"]


@pytest.mark.parametrize(
    ("similarity", "row", "n"),
    [
        *[(name, TEXT, N) for name in ("exact", "jaccard", "minhash")],
        *[(name, VECTOR, N) for name in ("cosine", "euclidean", "cosine-faiss", "euclidean-faiss", "exact")],
        *[(name, PROTEIN, N) for name in ("alignment", "alignment(engine=filtered)")],
        ("tanimoto", ["CCOc1ccccc1"], N // 10),
    ],
)
def test_identical_rows_are_stored_once(similarity: str, row: Any, n: int) -> None:
    rows = np.repeat(row, n, axis=0) if isinstance(row, np.ndarray) else row * n
    graph = splitleak.similarity_graph(rows, similarity=similarity, progress=False)
    assert graph.complete
    assert (len(graph.left), graph.n_pairs) == (0, n * (n - 1) // 2)
    assert graph.copies is not None
    assert not graph.copies.any()
    assert not graph.components().any()


def test_approximate_searches_state_their_recall_in_the_same_words() -> None:
    rng = np.random.default_rng(0)
    letters = rng.choice(list("ACDEFGHIKLMNPQRSTVWY"), (60, 50))
    proteins = ["".join(row) for row in np.concatenate([letters, letters])]
    changed = [row[:20] + "A" + row[21:] for row in proteins[60:]]
    table: dict[str, list[Any]] = {
        "text": [f"{a} number {i} of many" for a in ("this is", "this is!") for i in range(60)],
        "vector": np.tile(rng.normal(size=(60, 8)), (2, 1)).tolist(),
        "sequence": proteins[:60] + changed,
    }
    table["vector"] = (np.array(table["vector"]) + rng.normal(size=(120, 8)) * 0.01).tolist()
    views = [
        "text:minhash(0.7)", "vector:cosine-faiss(0.9)", "vector:euclidean-faiss(0.5)",
        "sequence:alignment(0.8, engine=filtered)",
    ]  # fmt: skip
    parts = ["train"] * 60 + ["test"] * 60
    words = (
        r"it finds [\d.]+ % of such pairs \(95 % interval [\d.]+ % to [\d.]+ %; measured on \d+ true pairs\)"
    )
    for one in views:
        graph = splitleak.similarity_graph(table, similarity=one, progress=False)
        assert not graph.exact
        assert str(graph.recall) in repr(graph)
        assert re.fullmatch(words, str(graph.recall))
        found = splitleak.certify(table, parts, similarity=one, progress=False)
        assert found.recall is not None
        assert str(found.recall)[1:] in repr(found).replace("\n", " ")
    several = splitleak.similarity_graph(table, similarity=views, progress=False)
    assert several.recall_text().count(": it finds ") == 4
    assert several.recall_text() in repr(several)
    told = repr(splitleak.certify(table, parts, similarity=views, progress=False)).replace("\n", " ")
    assert told.count("the search was approximate: it finds ") == 4
