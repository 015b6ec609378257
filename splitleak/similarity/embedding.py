"""Similarity of texts by the vectors of an encoder that the caller gives: finds paraphrases, which n-grams cannot.

Examples
--------
>>> def letters(texts):  # an encoder: one vector a text
...     return [[text.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]
>>> import splitleak
>>> similar = splitleak.embedding(0.99, encoder=letters)
>>> splitleak.similarity_graph(["listen to him", "silent to him", "a dog"], similarity=similar).n_pairs
1
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.graph import SimilarityGraph
from splitleak.records import Records
from splitleak.similarity.base import IGNORED, Neighbours, get_backend, similarity_backend
from splitleak.similarity.text_encoding import Encoder, text_vectors


def embedding_look_up(
    records: Records,
    queries: NDArray[np.int64],
    *,
    threshold: float,
    sides: NDArray[np.int64],
    encoder: Any = None,
    tokenizer: Any = None,
    batch_size: int = 64,
    half: bool | None = None,
    cache: bool | str | Path | None = None,
    cache_key: str | None = None,
) -> Neighbours:
    """Look up the nearest vectors of some texts by brute force; one of zeros is near its own copies only."""
    options = Encoder(encoder, tokenizer, batch_size, half, cache, cache_key)
    found = text_vectors(records, options, SILENT)
    empty = ~np.any(found.vectors, axis=1)[found.of_row]
    n_sides = int(sides.max(initial=0)) + 1
    nearest, degree = np.full((len(queries), n_sides), np.nan), np.zeros(len(queries), dtype=np.int64)
    rows = np.flatnonzero(~empty)
    inside = np.flatnonzero(~empty[queries])
    if len(inside):
        place = np.cumsum(~empty) - 1
        vectors = Records("vector", len(rows), vectors=found.vectors[found.of_row[rows]])
        near = get_backend("cosine").neighbours(
            vectors, place[queries[inside]], threshold=threshold, sides=sides[rows]
        )
        assert near is not None
        assert near.degree is not None
        nearest[inside, : near.nearest.shape[1]], degree[inside] = near.nearest, near.degree
    for at in np.flatnonzero(empty[queries]):
        same = np.flatnonzero(found.of_row == found.of_row[queries[at]])
        same = same[(same != queries[at]) & (sides[same] != IGNORED)]
        nearest[at, sides[same]], degree[at] = 1.0, len(same)
    size = np.bincount(sides[sides != IGNORED], minlength=n_sides)
    others = size[None, :] - (sides[queries][:, None] == np.arange(n_sides))
    return Neighbours(np.where(np.isnan(nearest) & (others > 0), 0.0, nearest), degree)


@similarity_backend("embedding", kinds={"text"}, nearest=embedding_look_up, threshold=0.9)
def embedding(
    records: Records,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None = None,
    progress: Progress = SILENT,
    encoder: Any = None,
    tokenizer: Any = None,
    batch_size: int = 64,
    half: bool | None = None,
    cache: bool | str | Path | None = None,
    cache_key: str | None = None,
) -> SimilarityGraph:
    """Join texts whose vectors, made by an encoder of the caller's, have a large cosine; no pair is missed.

    Each distinct text is encoded once, in batches of like length. Vectors are scaled to length 1 (float32). Equal
    texts have similarity 1; a text for which the encoder gives zeros is similar to its copies only.

    Parameters
    ----------
    records : Records
        Texts, given to the encoder as they are.
    threshold : float
        Inclusive bound in (0, 1] of the cosine; what is alike depends on the encoder.
    sides : int64 array of shape (n_rows,), optional
        Search only between rows of different sides; rows of side -1 are left out.
    progress : Progress
        Where long stages are told.
    encoder : object with ``encode``, callable, torch.nn.Module, or "package.module:name"
        Called with a list of texts, returns one vector a text: an array, tensor or list of shape (n, n_features).
        Of a text as ``"package.module:name()"`` the encoder is what that function returns. A module is called in
        evaluation mode, without gradients, on the device of its parameters.
    tokenizer : callable, optional
        Of a torch module without ``encode``: from a list of texts to what the module takes (a tensor, or a mapping of
        names to tensors). Token vectors (``last_hidden_state``) are averaged by the attention mask.
    batch_size : int
        Texts per call of the encoder.
    half : bool, optional
        Whether a torch module computes in half precision (autocast); default: when it is on a GPU.
    cache : bool or path, optional
        Whether vectors are kept on disk, so that a text that was encoded once is never again; a path is the folder
        for them, default: that of SPLITLEAK_CACHE, else the system's for caches. None: where the encoder is known.
    cache_key : str, optional
        Names the encoder and its version. Left out, the encoder is known by its weights, its settings and the versions
        of its packages; with code of your own in it it is not known, and nothing is kept on disk.

    Raises
    ------
    InputError
        No encoder, one that returns another number of rows, of features, or numbers that are not finite; a cache
        asked for with an encoder that is not known.
    """
    options = Encoder(encoder, tokenizer, batch_size, half, cache, cache_key)
    return _joined("cosine", records, options, threshold, sides, 0, progress)


@similarity_backend("embedding-faiss", kinds={"text"}, nearest=embedding_look_up, threshold=0.9, exact=False)
def embedding_faiss(
    records: Records,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
    encoder: Any = None,
    tokenizer: Any = None,
    batch_size: int = 64,
    half: bool | None = None,
    cache: bool | str | Path | None = None,
    cache_key: str | None = None,
    recall: float = 0.99,
) -> SimilarityGraph:
    """Join texts as ``embedding`` does, by a FAISS index: some pairs may be missed, and how many is measured.

    Parameters are those of ``embedding``, and

    recall : float
        Share of the true pairs aimed at, in (0, 1].
    """
    options = Encoder(encoder, tokenizer, batch_size, half, cache, cache_key)
    return _joined("cosine-faiss", records, options, threshold, sides, seed, progress, recall=recall)


def _joined(
    search: str,
    records: Records,
    options: Encoder,
    threshold: float,
    sides: NDArray[np.int64] | None,
    seed: int,
    progress: Progress,
    **search_options: float,
) -> SimilarityGraph:
    found = text_vectors(records, options, progress)
    rows = np.flatnonzero(np.any(found.vectors, axis=1)[found.of_row]).astype(np.int64)
    first = np.full(len(found.vectors), records.n_rows, dtype=np.int64)
    np.minimum.at(first, found.of_row, np.arange(records.n_rows))
    copies = first[found.of_row]
    details: dict[str, Any] = {"vectors": found.note}
    if not len(rows):
        none = np.empty(0, dtype=np.int64)
        return SimilarityGraph.build(
            none, none, none, n_rows=records.n_rows, threshold=threshold, measure="", copies=copies,
            details=details,
        )  # fmt: skip
    joined = get_backend(search)(**search_options).graph(
        Records("vector", len(rows), vectors=found.vectors[found.of_row[rows]]),
        threshold=threshold,
        sides=None if sides is None else sides[rows],
        seed=seed,
        progress=progress,
    )
    if joined.copies is not None:
        copies[rows] = rows[joined.copies]
    return replace(
        joined,
        left=rows[joined.left],
        right=rows[joined.right],
        n_rows=records.n_rows,
        copies=None if np.array_equal(copies, np.arange(records.n_rows)) else copies,
        details={**joined.details, **details},
    )
