"""Exact Jaccard similarity of the shingle sets of texts."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.errors import InputError, unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.kernels.jaccard_join import jaccard_pairs
from splitleak.kernels.jaccard_scan import scan_nearest
from splitleak.kernels.shingles import shingle_sets
from splitleak.records import Records
from splitleak.similarity.base import Neighbours, similarity_backend
from splitleak.similarity.copies import distinct_sets
from splitleak.similarity.normalization import normalize_text

Unit = Literal["char", "word"]


def text_shingles(
    records: Records, *, unit: Unit = "char", n: int = 5, normalize: bool = True
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the shingle set of each text as ``(tokens, starts)``: see `splitleak.kernels.shingles`.

    Parameters
    ----------
    records : Records
        Texts.
    unit : {"char", "word"}
        Shingles of n characters (Unicode code points) or of n words (runs of letters, digits, underscores).
    n : int
        Units a shingle, at least 1. A shorter text has one shingle, an empty one has none.
    normalize : bool
        Whether texts are normalised first (Unicode NFKC, case folding, whitespace).

    Raises
    ------
    InputError
        An unknown unit, an n that is not a whole number of at least 1.
    """
    if unit not in ("char", "word"):
        raise unknown_option("unit", unit, ("char", "word"))
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise InputError(f"n must be a whole number of at least 1 ({unit}s a shingle), got {n!r}; 5 is usual")
    if not isinstance(normalize, (bool, np.bool_)):
        raise InputError(f"normalize must be True or False, got {normalize!r}")
    buffer, offsets = records.text()
    if normalize:
        buffer, offsets = normalize_text(buffer, offsets)
    return shingle_sets(buffer, offsets, unit, int(n))


def jaccard_nearest(
    records: Records,
    queries: NDArray[np.int64],
    *,
    threshold: float,
    sides: NDArray[np.int64],
    unit: Unit = "char",
    n: int = 5,
    normalize: bool = True,
) -> Neighbours:
    """Look up some texts by brute force, without any filter of the join.

    Parameters
    ----------
    records : Records
        All texts.
    queries : int64 array of shape (n_queries,)
        Rows looked up.
    threshold : float
        Rows with similarity >= threshold count as similar.
    sides : int64 array of shape (n_rows,)
        Side of each row; rows of side -1 are left out.
    unit, n, normalize
        See `jaccard`.
    """
    tokens, starts = text_shingles(records, unit=unit, n=n, normalize=normalize)
    return Neighbours(*scan_nearest(tokens, starts, queries, threshold, sides))


@similarity_backend("jaccard", kinds={"text"}, nearest=jaccard_nearest, threshold=0.8, exact=True)
def jaccard(
    records: Records,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None = None,
    progress: Progress = SILENT,
    unit: Unit = "char",
    n: int = 5,
    normalize: bool = True,
) -> SimilarityGraph:
    """Return all pairs of texts whose shingle sets have Jaccard similarity >= threshold; none is missed.

    The Jaccard similarity of two sets is the size of their intersection over that of their union (Jaccard
    1901), in [0, 1], 1 = equal sets; two empty sets have 1. Texts with equal sets are stored as copies.

    Parameters
    ----------
    records : Records
        Texts.
    threshold : float
        Inclusive bound in (0, 1].
    sides : int64 array of shape (n_rows,), optional
        Search only between rows of different sides; rows of side -1 are left out.
    progress : Progress
        Where long stages are told.
    unit : {"char", "word"}
        Shingles of n characters (Unicode code points) or of n words (runs of letters, digits, underscores). Words
        leave punctuation out: "Wait, what?!" and "wait what" have similarity 1; characters count it.
    n : int
        Units a shingle, at least 1. A shorter text has one shingle, an empty one has none.
    normalize : bool
        Whether texts are normalised first (Unicode NFKC, case folding, whitespace).

    Raises
    ------
    InputError
        An unknown unit, an n that is not a whole number of at least 1.

    Examples
    --------
    >>> import splitleak
    >>> splitleak.similarity_graph(["Wait, what?!", "wait what"], similarity="jaccard(1, unit=word, n=1)").n_pairs
    1
    """
    with progress.stage("shingling texts"):
        tokens, starts = text_shingles(records, unit=unit, n=n, normalize=normalize)
    firsts, copies, sides = distinct_sets(tokens, starts, sides)
    with progress.stage("joining texts", total=1000) as stage:
        pairs = jaccard_pairs(tokens, starts, threshold, rows=firsts, sides=sides, advance=stage.advance)
    return SimilarityGraph.build(
        pairs.left,
        pairs.right,
        pairs.similarity,
        n_rows=records.n_rows,
        threshold=threshold,
        measure="jaccard",
        copies=copies,
        complete=pairs.complete,
        details={"unit": unit, "n": n, "normalize": normalize},
    )
