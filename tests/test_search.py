"""similarity_graph() and deduplicate() as a user calls them."""

import numpy as np
import pandas as pd
import pytest

import splitleak
from splitleak import InputError

LINES = [
    "one line of text",
    "One  line of text",
    "something else",
    "one line of text!",
    "longer: something else",
]


def test_duplicates_are_listed_most_similar_first() -> None:
    frame = splitleak.similarity_graph(LINES, threshold=0.5).frame()
    assert frame[["left", "right"]].to_numpy().tolist() == [[0, 1], [0, 3], [1, 3], [2, 4]]
    assert frame["similarity"].is_monotonic_decreasing


@pytest.mark.parametrize(("keep", "kept"), [("first", [0, 2]), ("last", [3, 4]), ("longest", [1, 4])])
def test_deduplicate(keep: str, kept: list[int]) -> None:
    found = splitleak.deduplicate(LINES, threshold=0.5, keep=keep)  # type: ignore[arg-type]
    assert found.kept.tolist() == kept
    assert found.take(LINES) == [LINES[i] for i in kept]
    assert sorted([*found.kept, *found.dropped]) == list(range(5))
    assert set(found.frame()["kept_instead"]) <= set(kept)
    assert "2 rows kept, 3 dropped from 2 groups" in repr(found)


def test_deduplicate_a_table_in_its_own_type() -> None:
    table = pd.DataFrame({"text": LINES, "n": range(5)}, index=list("vwxyz"))
    assert splitleak.deduplicate(table, on="text", threshold=0.5).take(table).index.tolist() == ["v", "x"]
    with pytest.raises(InputError, match="data has 4 rows, the deduplicated data had 5"):
        splitleak.deduplicate(table, on="text").take(table[:4])


def test_deduplicated_rows_are_taken_from_the_same_data_only() -> None:
    found = splitleak.deduplicate(["aaaaaaaaa", "aaaaaaaaa", "b", "c"])
    other = ["b", "c", "aaaaaaaaa", "aaaaaaaaa"]
    with pytest.raises(splitleak.DataMismatchError, match=r"row 0 differs \(4 rows do\)"):
        found.take(other)
    assert found.take(other, check=False) == ["b", "aaaaaaaaa", "aaaaaaaaa"]


def test_bad_options() -> None:
    with pytest.raises(InputError, match="keep='longst' is not known; did you mean 'longest'"):
        splitleak.deduplicate(LINES, keep="longst")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="keep='longest' is for texts"):
        splitleak.deduplicate(np.eye(3), keep="longest")


def test_missing_texts_are_equal_or_distinct() -> None:
    rows = {"text": ["a text", None, "", "a text", None]}
    assert splitleak.similarity_graph(rows, on="text").components().tolist() == [0, 1, 1, 0, 1]
    assert splitleak.similarity_graph(rows, on="text", missing="distinct").components().tolist() == [
        0,
        1,
        2,
        0,
        3,
    ]


def test_auto_says_what_it_took() -> None:
    assert "jaccard" in splitleak.similarity_graph(LINES).measure
    assert splitleak.similarity_graph(np.eye(3)).measure == "cosine"
    assert "word" in splitleak.similarity_graph(["long text " * 200, "other"]).measure


def test_auto_compares_measured_columns_as_such_and_vectors_by_direction() -> None:
    measured = {"metres": [1.0, 2.0, 4.0, 1.02, 8.0], "grams": [10.0, 2e4, 4e4, 10.1, 8e4]}
    split = splitleak.similarity_graph(measured, on=["metres", "grams"])
    assert split.measure == "gower"
    assert split.frame()[["left", "right"]].to_numpy().tolist() == [[0, 3]]  # rows 1, 2, 4 have one direction
    matrix = np.column_stack(list(measured.values()))
    assert splitleak.similarity_graph(matrix).measure == "cosine"
    vectors = {"vector": matrix.tolist(), "grams": measured["grams"]}
    assert splitleak.similarity_graph(vectors, on="vector").measure == "cosine"
    missing = {"metres": [1.0, None, 4.0], "grams": [1.0, None, 3.0]}
    assert splitleak.similarity_graph(missing, on=["metres", "grams"]).n_pairs == 0


def test_auto_takes_a_column_of_image_files_as_images() -> None:
    import io

    image = pytest.importorskip("PIL.Image", reason="Pillow writes the images")
    files = []
    for seed in range(4):
        file = io.BytesIO()
        pixels = np.random.default_rng(seed % 3).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        image.fromarray(pixels).save(file, "PNG" if seed else "BMP")
        files.append(file.getvalue())
    graph = splitleak.similarity_graph({"file": [*files, None]}, on="file", missing="distinct")
    assert graph.measure == "phash"
    assert graph.frame()[["left", "right"]].to_numpy().tolist() == [[0, 3]]
    assert splitleak.similarity_graph({"file": [*files, b"none"]}, on="file").measure == "gower"
    assert splitleak.similarity_graph({"file": [b"RIFF", b"RIFF"]}, on="file").measure == "gower"


def test_what_other_programs_hand_over_is_read_or_refused_by_name(tmp_path) -> None:
    names = {"id": ["p1", "p2", "p3"]}
    hits = tmp_path / "hits.tsv"
    hits.write_text("a\tb\tscore\np1\tp2\thigh\n")
    with pytest.raises(
        InputError, match="score='score' names a column of a table of hits, and nothing tells whose"
    ):
        splitleak.precomputed(str(hits), score="score")
    edges = pd.DataFrame({"left": ["p1"], "right": ["p2"], "similarity": ["high"]})
    with pytest.raises(InputError, match=r"the column similarity is not numeric \(.*\): row 0 \('high'\)"):
        splitleak.similarity_graph(names, on="id", similarity=edges, threshold=0.5)


def test_positions_in_the_details_are_those_of_the_data() -> None:
    pytest.importorskip("rdkit", reason="RDKit reads the molecules")
    drugs = {"smiles": ["", "CCO", None, "C1CC", "OCC"], "other": ["CCO", "xyz", "CCN", "CCC", "C1CC"]}
    options = {"similarity": "tanimoto(invalid=distinct)", "missing": "distinct"}
    graph = splitleak.similarity_graph(drugs, on="smiles", **options)
    assert graph.details["invalid"] == [3]
    assert graph.components().tolist() == [0, 1, 2, 3, 1]
    crossed = splitleak.similarity_graph(drugs, on=["smiles", "other"], share="crossed", **options)
    assert crossed.details["invalid"] == [1, 3, 4]


def test_a_backend_of_your_own() -> None:
    @splitleak.similarity_backend("same-length", kinds={"text"}, threshold=1.0)
    def same_length(records, *, threshold):  # type: ignore[no-untyped-def]
        _, offsets = records.text()
        length = np.diff(offsets)
        left, right = np.nonzero(np.triu(length[:, None] == length, 1))
        return splitleak.SimilarityGraph.from_edges(left, right, n_rows=records.n_rows, threshold=threshold)

    assert splitleak.similarity_graph(["ab", "cd", "e"], similarity="same-length").n_pairs == 1
    split = splitleak.split_by_similarity(["ab", "cd", "e", "xyz"], similarity="same-length", sizes=(2, 2))
    assert split.codes[0] == split.codes[1]
    assert split.certificate.verdict == "separated"  # type: ignore[union-attr]


def test_a_backend_must_return_a_graph_over_the_rows() -> None:
    wrong = splitleak.similarity_backend("wrong", kinds={"text"})(lambda records, *, threshold: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(InputError, match="must return a SimilarityGraph over 2 rows, got None"):
        splitleak.similarity_graph(["a", "b"], similarity=wrong)


def test_backends_by_reference() -> None:
    assert splitleak.similarity_graph(LINES, similarity="splitleak.similarity.exact:exact").n_pairs == 1
    with pytest.raises(InputError, match="cannot be imported"):
        splitleak.similarity_graph(LINES, similarity="no.such.module:thing")
    with pytest.raises(InputError, match="not a backend; decorate"):
        splitleak.similarity_graph(LINES, similarity="math:sqrt")
    with pytest.raises(InputError, match="cannot be read"):
        splitleak.similarity_graph(LINES, similarity="jaccard(n=")


def test_whole_rows_are_compared_column_by_column() -> None:
    table = pd.DataFrame({"a": ["x", "x y", "x"], "b": ["y z", "z", "y z"]})
    assert splitleak.similarity_graph(table, similarity="exact").components().tolist() == [0, 1, 0]


@pytest.mark.parametrize("function", [lambda a: 1.0, lambda a, b: "x", lambda a, b: None])
def test_functions_that_are_no_similarity(function: object) -> None:
    with pytest.raises(InputError, match="must take two rows and return a number"):
        splitleak.similarity_graph(["a", "b"], similarity=function)


def test_columns_that_are_named_wrongly() -> None:
    table = pd.DataFrame({"text": LINES, "g": range(5)})
    with pytest.raises(InputError, match="groups='nope' is not a column"):
        splitleak.split_by_similarity(table, on="text", groups=["nope"])
    with pytest.raises(InputError, match="must be 1-D"):
        splitleak.split_by_similarity(table, on="text", groups=table[["g"]])
