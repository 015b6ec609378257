"""Which rows are near-duplicates? similarity_graph()."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from splitleak._progress import Progress
from splitleak.graph import SimilarityGraph
from splitleak.search.prepare import prepare_search
from splitleak.search.single import Missing
from splitleak.similarity.views import Combine, Share

if TYPE_CHECKING:
    from collections.abc import Sequence


def similarity_graph(
    data: Any,
    *,
    on: str | Sequence[str] | None = None,
    similarity: Any = "auto",
    threshold: float | None = None,
    combine: Combine = "any",
    share: Share = "all",
    missing: Missing = "equal",
    seed: int = 0,
    progress: bool | None = None,
) -> SimilarityGraph:
    """Find all pairs of similar rows: which rows are near-duplicates?

    Parameters
    ----------
    data : table, list of str, 2-D array, sparse matrix, or path
        The rows.
    on : str or list of str, optional
        The compared column(s) of a table. Left out, the only column that can be meant is taken.
    similarity : str, backend, graph, matrix, path or function, or list of these
        What "similar" means; ``"auto"`` picks by kind of data and size. Of several, each may have its own columns and
        threshold: ``["text:jaccard(0.7)", splitleak.view(backend, on="vector", threshold=0.9)]``.
    threshold : float, optional
        Inclusive bound in (0, 1] (of E-values, the largest); the backend's default when left out. Of several
        similarities, for those without one.
    combine : {"any", "all"}
        Of several similarities: two rows are similar when any of them says so, or when all do.
    share : {"all", "any", "crossed"}
        Of several columns in `on`: compare them as one value ("all"), or join rows that are similar in any one of them
        ("any"), or in a value of any of these columns of the one and of the other ("crossed").
    missing : {"equal", "distinct", "error"}
        What a missing or empty value is: equal to every other such value, similar to nothing, or an error.
    seed : int
        For approximate backends.
    progress : bool, optional
        Bars on stderr; default: on a terminal.

    Returns
    -------
    SimilarityGraph

    Raises
    ------
    InputError
        Data, columns, a backend or a threshold that cannot be used.

    Examples
    --------
    >>> import splitleak
    >>> graph = splitleak.similarity_graph(["the same line", "The same  line", "another"], threshold=0.8)
    >>> graph.frame().values.tolist()
    [[0.0, 1.0, 1.0]]
    """
    search = prepare_search(
        data, on=on, similarity=similarity, threshold=threshold, combine=combine, share=share, missing=missing
    )
    return search.graph(seed=seed, progress=Progress(progress))
