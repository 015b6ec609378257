"""Equal rows: against a dictionary of normalised values."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import splitleak
from splitleak.records import as_records
from splitleak.similarity import copies as copies_module
from splitleak.similarity.base import get_backend

texts = st.lists(st.text("aAäÄ \tﬁfißS\n", max_size=5), min_size=1, max_size=30)


def normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())


@given(texts)
def test_equal_texts(rows: list[str]) -> None:
    graph = splitleak.similarity_graph(rows, similarity="exact")
    keys = [normal(row) for row in rows]
    assert graph.components().tolist() == pd.factorize(np.array(keys, dtype=object))[0].tolist()


@given(texts)
def test_without_normalisation(rows: list[str]) -> None:
    graph = splitleak.similarity_graph(rows, similarity="exact(normalize=False)")
    assert graph.components().tolist() == pd.factorize(np.array(rows, dtype=object))[0].tolist()


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, -0.0, 1.5, float("nan")]), st.integers(0, 1)), min_size=1, max_size=20
    )
)
def test_equal_vectors(rows: list[tuple[float, int]]) -> None:
    graph = splitleak.similarity_graph(np.array(rows, dtype=float), similarity="exact")
    keys = [f"{a + 0.0} {b}" for a, b in rows]
    assert graph.components().tolist() == pd.factorize(np.array(keys, dtype=object))[0].tolist()


def test_equal_rows_of_a_table_compare_all_columns() -> None:
    table = pd.DataFrame(
        {
            "text": ["a", "a", "A", None, None, "a"],
            "number": [1.0, 1.0, 1.0, np.nan, np.nan, 2.0],
            "day": pd.to_datetime(["2020-01-01"] * 6),
            "kind": pd.Categorical(["x", "x", "x", None, None, "x"]),
        }
    )
    graph = splitleak.similarity_graph(table, similarity="exact")
    assert graph.components().tolist() == [0, 0, 1, 2, 2, 3]


def test_hashes_are_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    same = np.array([3, 1, 3, 1, 2])
    found = copies_module.equal_rows(np.zeros(5, np.uint64), lambda a, b: same[a] == same[b])
    assert found.tolist() == [0, 1, 0, 1, 4]


def test_a_hundred_thousand_identical_rows_are_linear() -> None:
    graph = splitleak.similarity_graph(["same"] * 100_000, similarity="exact")
    assert len(graph.left) == 0
    assert graph.n_pairs == 100_000 * 99_999 // 2


def test_neighbours_count_equal_rows_per_side() -> None:
    records = as_records(["a", "a", "b", "A", "c"])
    found = get_backend("exact").neighbours(
        records, np.arange(5), threshold=1.0, sides=np.array([0, 1, 1, 0, -1])
    )
    assert found is not None
    assert found.nearest.tolist() == [[1, 1], [1, 0], [0, 0], [1, 1], [0, 0]]
    assert found.degree.tolist() == [2, 2, 0, 2, 0]
