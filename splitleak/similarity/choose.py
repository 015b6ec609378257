"""From what the caller gave as ``similarity=`` to a backend; ``"auto"`` picks by kind of data and size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from splitleak.errors import InputError
from splitleak.graph import SimilarityGraph
from splitleak.records import Records
from splitleak.similarity.base import Backend, get_backend, is_backend_name

EXACT_TEXT_BYTES = 200_000_000
EXACT_VECTOR_ROWS = 300_000
EXACT_TABLE_ROWS = 1_000_000
LONG_TEXT_BYTES = 1_000
_EDGE_FILES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")
_MATRIX_FILES = (".npy", ".npz")
_HIT_FILES = (".m8", ".m8.gz")


class Choice(NamedTuple):
    """A backend, and why it was taken."""

    backend: Backend
    reason: str


def automatic(records: Records) -> Choice:
    """Pick a backend by the kind and size of the records."""
    if records.kind == "image":
        return Choice(
            get_backend("phash"), "images: perceptual hashes, which re-encoding and resizing hardly change"
        )
    if records.kind == "table":
        if records.n_rows <= EXACT_TABLE_ROWS:
            return Choice(get_backend("gower"), "rows of several columns: alike in nearly all of them")
        return Choice(
            get_backend("exact"),
            f"{records.n_rows:,} rows of several columns, more than {EXACT_TABLE_ROWS:,}: equal rows",
        )
    if records.kind == "vector":
        if records.n_rows <= EXACT_VECTOR_ROWS:
            return Choice(
                get_backend("cosine"), f"{records.n_rows:,} vectors: the exact search is affordable"
            )
        return Choice(
            get_backend("cosine-faiss"),
            f"{records.n_rows:,} vectors, more than {EXACT_VECTOR_ROWS:,}: approximate, recall measured",
        )
    if records.molecules:
        return Choice(
            get_backend("tanimoto")(invalid="distinct"),
            "molecules of an SDF file: fingerprints, as chemists compare",
        )
    from splitleak.similarity.alphabets import look_like_sequences

    if records.sequences or look_like_sequences(records):
        return _aligned(records)
    n_bytes = int(records.text()[1][-1])
    long = n_bytes > LONG_TEXT_BYTES * max(1, records.n_rows)
    options: dict[str, Any] = {"unit": "word", "n": 5} if long else {}
    grams = "long texts: word 5-grams" if long else "short texts: character 5-grams"
    if n_bytes <= EXACT_TEXT_BYTES:
        return Choice(
            get_backend("jaccard")(**options), f"{grams}; {n_bytes:,} bytes: the exact join is affordable"
        )
    return Choice(
        get_backend("minhash")(**options),
        f"{grams}; {n_bytes:,} bytes, more than {EXACT_TEXT_BYTES:,}: approximate, recall measured",
    )


def _aligned(records: Records) -> Choice:
    from splitleak.similarity.alphabets import guess_alphabet
    from splitleak.similarity.sequence import EXHAUSTIVE_CELLS

    buffer, _ = records.text()
    alphabet = guess_alphabet(buffer)
    known = "sequences of a FASTA file" if records.sequences else "texts of residue letters alone"
    cells = (2 if alphabet == "dna" else 1) * len(buffer) ** 2 / 2
    how = (
        "the exhaustive search is affordable"
        if cells <= EXHAUSTIVE_CELLS
        else "filtered unless copies are many, recall measured"
    )
    told = {"protein": "proteins", "dna": "DNA", "rna": "RNA"}[alphabet]
    return Choice(get_backend("alignment"), f"{known} ({told}): aligned; {len(buffer):,} letters: {how}")


def check_named(similarity: Any) -> None:
    """Refuse a name that no backend has, before anything is read; what is no name passes.

    Raises
    ------
    InputError
        A text that is neither a backend's name, nor ``"module:function"``, nor the path of a file.
    """
    if not isinstance(similarity, str) or similarity == "auto" or ":" in similarity:
        return
    if (
        similarity.lower().endswith(_HIT_FILES)
        or _looks_like_a_file(similarity)
        or is_backend_name(similarity)
    ):
        return
    get_backend(similarity)  # raises


def choose(
    similarity: Any,
    records: Records,
    *,
    row_values: Callable[[], Any],
    row_labels: Sequence[Sequence[Any]] = (),
    column: Callable[[str], Sequence[Any]] | None = None,
    threshold: float | None = None,
) -> Choice:
    """Return the backend for ``similarity=``.

    Parameters
    ----------
    similarity : str, Backend, SimilarityGraph, square matrix, edge list, path, or callable
        ``"auto"``; a backend's name with options; a backend; a graph made before; a similarity matrix (dense,
        sparse or a DataFrame whose labels are checked); an edge list (a table with the columns left, right and,
        optionally, similarity); the path of an edge list or of a matrix (.npy, .npz); or a function of two row
        values.
    records : Records
        The compared rows.
    row_values : callable
        Returns the row values, for a function of two rows.
    row_labels : sequence of sequences
        What the rows may be called; the labels of a matrix must be one of these, in order.
    column : callable, optional
        Returns the values of a column, for scores whose names are in one.
    threshold : float, optional
        The threshold asked for (edge lists are read at it).
    """
    from splitleak.similarity import given, precomputed

    if isinstance(similarity, str) and similarity == "auto":
        return automatic(records)
    if isinstance(similarity, SimilarityGraph):
        return Choice(given.from_graph(similarity), "a graph given by the caller")
    if isinstance(similarity, (str, Path)) and str(similarity).lower().endswith(_HIT_FILES):
        similarity = precomputed.precomputed(similarity)
    if isinstance(similarity, Path) or (isinstance(similarity, str) and _looks_like_a_file(similarity)):
        return Choice(_from_file(similarity, records, row_labels, threshold), "a file given by the caller")
    if isinstance(similarity, (str, Backend)):
        return _named(get_backend(similarity), records, row_labels, column)
    if _is_edge_table(similarity):
        return Choice(
            _from_edges(similarity, records, row_labels, threshold), "an edge list given by the caller"
        )
    if hasattr(similarity, "shape"):
        labels = precomputed.matching_labels(similarity, row_labels) if hasattr(similarity, "index") else None
        return Choice(precomputed.precomputed(similarity, row_labels=labels), "a matrix given by the caller")
    if callable(similarity):
        return Choice(given.from_function(similarity, row_values), "a function given by the caller")
    raise InputError(
        "similarity must be a name, a backend, a SimilarityGraph, a square matrix, a path or a function of two rows,"
        f" got {type(similarity).__name__}"
    )


def _named(
    backend: Backend,
    records: Records,
    row_labels: Sequence[Sequence[Any]],
    column: Callable[[str], Sequence[Any]] | None,
) -> Choice:
    if backend.name != "precomputed":
        return Choice(backend, "asked for")
    from splitleak.similarity.hits import NamedBackend

    assert isinstance(backend, NamedBackend)
    found = backend.matched(records, row_labels, column or (lambda name: [name]))
    assert found.pairs is not None
    return Choice(found, f"scores given by the caller: {found.pairs.note}")


def _looks_like_a_file(name: str) -> bool:
    return name.lower().endswith(_EDGE_FILES + _MATRIX_FILES)


def _is_edge_table(similarity: Any) -> bool:
    if isinstance(similarity, dict):
        return True
    names: Any = getattr(similarity, "column_names", None)  # pyarrow, Hugging Face
    if names is None:
        names = getattr(similarity, "columns", ())  # pandas, polars
    return {"left", "right"} <= set(names)


def _from_edges(
    edges: Any, records: Records, row_labels: Sequence[Sequence[Any]], threshold: float | None
) -> Backend:
    from splitleak.similarity import given

    names = row_labels[0] if row_labels else None
    limit = 0.8 if threshold is None else threshold
    return given.from_graph(given.read_edges(edges, names=names, n_rows=records.n_rows, threshold=limit))


def _from_file(
    path: str | Path, records: Records, row_labels: Sequence[Sequence[Any]], threshold: float | None
) -> Backend:
    from splitleak.similarity import given, precomputed

    path = Path(path)
    if not path.is_file():
        raise InputError(f"similarity={str(path)!r}: no such file")
    if path.suffix.lower() not in _MATRIX_FILES:
        limit = 0.8 if threshold is None else threshold
        return given.from_graph(
            given.read_edges(
                path, names=row_labels[0] if row_labels else None, n_rows=records.n_rows, threshold=limit
            )
        )
    try:
        if path.suffix.lower() == ".npz":
            from scipy import sparse

            return precomputed.precomputed(sparse.load_npz(path))
        return precomputed.precomputed(np.load(path, allow_pickle=False))
    except (ValueError, OSError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"similarity={str(path)!r} is not a matrix file that can be read: {error}"
        ) from error
