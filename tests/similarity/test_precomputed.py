"""Similarities from elsewhere: matrices, edge lists, files, functions; orientation and labels are checked."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import splitleak
from splitleak import InputError, SimilarityGraph, precomputed

NAMES = ["a", "b", "c", "d"]
MATRIX = np.array([[1, 0.9, 0.1, 0], [0.9, 1, 0.8, 0], [0.1, 0.8, 1, 0.3], [0, 0, 0.3, 1]])


def pairs(
    similarity: object, threshold: float, data: object = NAMES, **options: object
) -> dict[tuple[int, int], float]:
    graph = splitleak.similarity_graph(data, similarity=similarity, threshold=threshold, **options)  # type: ignore[arg-type]
    left, right, value = graph.pairs()
    return dict(zip(zip(left.tolist(), right.tolist(), strict=True), value.tolist(), strict=True))


@given(st.integers(1, 12), st.integers(0, 99), st.sampled_from([0.25, 0.5, 0.75, 1.0]))
def test_matrices_against_brute_force(n: int, seed: int, threshold: float) -> None:
    half = np.triu(np.random.default_rng(seed).integers(0, 5, (n, n)) / 4, 1)
    matrix = half + half.T + np.eye(n)
    rows = [str(i) for i in range(n)]
    expected = {(i, j): matrix[i, j] for i in range(n) for j in range(i + 1, n) if matrix[i, j] >= threshold}
    assert pairs(matrix, threshold, rows) == expected
    assert pairs(matrix.astype(np.float32), threshold, rows) == expected
    assert pairs(sparse.csr_array(matrix), threshold, rows) == expected
    assert pairs(sparse.coo_matrix(matrix), threshold, rows) == expected
    assert pairs(precomputed(1 - matrix, kind="dissimilarity"), threshold, rows) == expected
    assert pairs(lambda a, b: matrix[int(a), int(b)], threshold, rows) == expected


def test_single_precision_means_the_decimal() -> None:
    assert (0, 1) in pairs(MATRIX.astype(np.float32), 0.9)


def test_distances() -> None:
    distance = np.array([[0, 0.25, 3], [0.25, 0, 3], [3, 3, 0]])
    assert pairs(precomputed(distance, kind="distance"), 0.8, NAMES[:3]) == {(0, 1): 0.8}
    close = sparse.csr_array(([0.25, 0.25], ([0, 1], [1, 0])), shape=(3, 3))  # not stored: far apart
    assert pairs(precomputed(close, kind="distance"), 0.8, NAMES[:3]) == {(0, 1): 0.8}


def test_labels_are_checked() -> None:
    frame = pd.DataFrame(MATRIX, NAMES, NAMES)
    table = pd.DataFrame({"name": NAMES, "x": range(4)})
    assert pairs(frame, 0.85, table, on="name") == {(0, 1): 0.9}
    assert pairs(frame, 0.85, table.set_index(pd.Index(NAMES)), on="x") == {(0, 1): 0.9}
    other = frame.loc[NAMES[::-1], NAMES[::-1]]
    with pytest.raises(
        InputError, match="labelled in another order than the data: row 0 is 'd' in the matrix"
    ):
        pairs(other, 0.85, table, on="name")
    with pytest.raises(InputError, match="labels of the matrix are not those of the data"):
        pairs(frame.rename(index={"a": "z"}, columns={"a": "z"}), 0.85, table, on="name")
    with pytest.raises(
        InputError,
        match="the matrix has its columns in another order than its rows: column 0 is 'd', row 0 'a'",
    ):
        pairs(frame[NAMES[::-1]], 0.85, table, on="name")


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (MATRIX[:3], "must be square"),
        (MATRIX[:3, :3], "similarity has 3 rows, the data 4"),
        (np.triu(MATRIX), r"must be symmetric: \[0, 1\] is 0.9 and \[1, 0\] is 0.0"),
        (sparse.csr_array(np.triu(MATRIX)), r"must be symmetric: \[0, 1\] is 0.9"),
        (1 - MATRIX, "the diagonal of the matrix is all 0"),
        (MATRIX * 2, r"finite and in \[0, 1\], got 2.0"),
        (np.where(MATRIX == 0.3, np.nan, MATRIX), "finite"),
        (MATRIX.astype(str), "must be numeric"),
    ],
)
def test_bad_matrices(matrix: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pairs(matrix, 0.8)


def test_bad_kind() -> None:
    with pytest.raises(InputError, match="kind='distances' is not known; did you mean 'distance'"):
        precomputed(MATRIX, kind="distances")  # type: ignore[arg-type]


def test_a_graph_is_taken_at_its_threshold_or_above() -> None:
    graph = SimilarityGraph.from_edges([0, 1], [1, 2], [0.9, 0.8], n_rows=4, threshold=0.8)
    split = splitleak.split_by_similarity(NAMES, similarity=graph, sizes={"train": 3, "test": 1})
    assert split["test"].tolist() == [3]
    assert pairs(graph, 0.85) == {(0, 1): 0.9}
    with pytest.raises(InputError, match="less similar than the graph's own threshold of 0.8"):
        pairs(graph, 0.5)


def test_files(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", MATRIX)
    sparse.save_npz(tmp_path / "m.npz", sparse.csr_matrix(MATRIX))
    edges = pd.DataFrame({"left": ["b", "a"], "right": ["a", "c"], "similarity": [0.9, 0.1]})
    edges.to_csv(tmp_path / "edges.tsv", sep="\t", index=False)
    edges.replace({"a": 0, "b": 1, "c": 2}).infer_objects().to_parquet(tmp_path / "edges.parquet")
    table = {"name": NAMES}
    for name in ("m.npy", "m.npz", "edges.tsv", "edges.parquet"):
        assert pairs(str(tmp_path / name), 0.85, table, on="name") == {(0, 1): 0.9}, name


def test_edge_tables() -> None:
    import polars
    import pyarrow

    edges = {"left": ["b", "a"], "right": ["a", "c"], "similarity": [0.9, 0.1]}
    for table in (edges, pd.DataFrame(edges), polars.DataFrame(edges), pyarrow.table(edges)):
        assert pairs(table, 0.85, {"name": NAMES}, on="name") == {(0, 1): 0.9}
    assert pairs({"left": [1], "right": [3]}, 0.85) == {(1, 3): 1.0}


def test_bad_files(tmp_path: Path) -> None:
    (tmp_path / "broken.npy").write_bytes(b"nothing")
    pd.DataFrame({"left": ["a"], "right": ["z"]}).to_csv(tmp_path / "stranger.csv", index=False)
    pd.DataFrame({"a": [1], "b": [2]}).to_csv(tmp_path / "columns.csv", index=False)
    pd.DataFrame({"left": [0], "right": [1], "similarity": ["x"]}).to_csv(tmp_path / "words.csv", index=False)
    for name, message in {
        "none.npy": "no such file",
        "broken.npy": "not a matrix file that can be read",
        "stranger.csv": "1 ends are not in the data, the first 'z'",
        "columns.csv": "an edge list needs the columns left, right",
        "words.csv": "similarity is not numeric",
    }.items():
        with pytest.raises(InputError, match=message):
            pairs(str(tmp_path / name), 0.8, {"name": NAMES}, on="name")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda a, b: 2.0, r"must return a number in \[0, 1\], got 2.0 for rows 0 and 1"),
        (lambda a, b: 1 / 0, r"raised ZeroDivisionError .division by zero. for rows 0 and 1"),
        (lambda a, b: float(a < b), "is not symmetric: rows 0 and 1 give 1.0 and 0.0"),
    ],
)
def test_bad_functions(function: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pairs(function, 0.5)


def test_a_function_of_too_many_rows() -> None:
    with pytest.raises(InputError, match="is called for each pair"):
        splitleak.similarity_graph(["x"] * 6_000, similarity=lambda a, b: 1.0)
