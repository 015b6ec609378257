"""SimilarityGraph: every pair of rows at or above a threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splitleak._scale import SHARES, Scale, scale_of
from splitleak.components import connected_components, expanded_pairs
from splitleak.errors import InputError
from splitleak.recall import Recall as Recall

if TYPE_CHECKING:
    import pandas as pd

MAX_EXPANDED_PAIRS = 50_000_000


_UNKNOWN = Recall.measured(0, 0)


@dataclass(frozen=True)
class SimilarityGraph:
    """Every pair of rows with similarity at or above a threshold.

    Rows that are equal for the measure (similarity 1) are stored once: `copies` names the representative of
    each row, `left` and `right` hold pairs of representatives only, and the pairs among copies, and between
    the copies of two joined representatives, are implied. So a thousand identical rows cost a thousand
    numbers, not half a million pairs.

    Attributes
    ----------
    left, right : int64 array of shape (n_stored,)
        Row positions of the stored pairs, ``left < right``, sorted by (left, right), unique.
    similarity : float64 array of shape (n_stored,)
        Similarity of each stored pair in [threshold, 1]; 1 = identical.
    n_rows : int
        Number of rows of the data.
    threshold : float
        Inclusive bound in (0, 1].
    measure : str
        The backend and its options.
    exact : bool
        True when no pair can be missing.
    recall : Recall or None
        Measured recall where pairs may be missing.
    copies : int64 array of shape (n_rows,) or None
        Position of each row's representative (the first row with equal content); None: no row has a copy.
    complete : bool
        False when there were too many pairs to list: the stored pairs then still join the right components,
        but do not list each pair within them: the others are implied.
    views : tuple of str
        Of several similarities: their names. `similarity` is then, of each pair, the largest of those that join
        it (``combine="any"``) or the smallest (``"all"``), and `threshold` the smallest of theirs.
    by_view : float64 array of shape (n_stored, n_views) or None
        Of several similarities: each one's similarity of each stored pair; NaN where it does not join the pair.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    similarity: NDArray[np.float64]
    n_rows: int
    threshold: float
    measure: str = "precomputed"
    exact: bool = True
    recall: Recall | None = None
    copies: NDArray[np.int64] | None = None
    complete: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)
    views: tuple[str, ...] = ()
    by_view: NDArray[np.float64] | None = None

    @classmethod
    def build(
        cls,
        left: ArrayLike,
        right: ArrayLike,
        similarity: ArrayLike,
        *,
        n_rows: int,
        threshold: float,
        measure: str,
        exact: bool = True,
        recall: Recall | None = None,
        copies: NDArray[np.int64] | None = None,
        complete: bool = True,
        details: Mapping[str, Any] | None = None,
    ) -> SimilarityGraph:
        """Orient, sort and deduplicate pairs that are already known to be valid (the door for backends)."""
        a, b = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
        s = np.asarray(similarity, dtype=np.float64)
        lo, hi = np.minimum(a, b), np.maximum(a, b)
        del a, b
        if n_rows < 2**31:
            order = np.argsort(lo * np.int64(n_rows) + hi, kind="stable")
        else:
            order = np.lexsort((hi, lo))
        lo, hi, s = lo[order], hi[order], s[order]
        if len(lo):
            new = np.ones(len(lo), dtype=bool)
            new[1:] = (lo[1:] != lo[:-1]) | (hi[1:] != hi[:-1])
            if not new.all():
                best = np.maximum.reduceat(s, np.flatnonzero(new))
                lo, hi, s = lo[new], hi[new], best
        if copies is not None and np.array_equal(copies, np.arange(n_rows)):
            copies = None
        return cls(
            lo, hi, s, n_rows, float(threshold), measure, exact, recall, copies, complete, dict(details or {})
        )

    @classmethod
    def from_edges(
        cls,
        left: ArrayLike,
        right: ArrayLike,
        similarity: ArrayLike | None = None,
        *,
        n_rows: int,
        threshold: float,
    ) -> SimilarityGraph:
        """Make a graph of an edge list of your own.

        Parameters
        ----------
        left, right : array-like of int, shape (n_edges,)
            Row positions in [0, n_rows). Orientation and repeats do not matter; an edge from a row to itself
            is ignored; of repeats with different similarities the largest counts.
        similarity : array-like of float, shape (n_edges,), optional
            Similarity of each edge in [0, 1]; left out, every edge has similarity 1.
        n_rows : int
            Number of rows of the data.
        threshold : float
            Inclusive bound in (0, 1]; edges below it are left out.

        Raises
        ------
        InputError
            Arrays of other lengths, positions outside the data, similarities that are not finite or outside
            [0, 1].

        Examples
        --------
        >>> graph = SimilarityGraph.from_edges([0, 2], [1, 0], [0.9, 0.7], n_rows=4, threshold=0.8)
        >>> graph.n_pairs, graph.components().tolist()
        (1, [0, 0, 1, 2])
        """
        threshold = check_threshold(threshold)
        if isinstance(n_rows, bool) or not isinstance(n_rows, (int, np.integer)) or n_rows < 0:
            raise InputError(f"n_rows must be a whole number of at least 0, got {n_rows!r}")
        a, b = _positions(left, "left", int(n_rows)), _positions(right, "right", int(n_rows))
        s = np.ones(len(a)) if similarity is None else np.atleast_1d(np.asarray(similarity, dtype=np.float64))
        if not len(a) == len(b) == len(s) or s.ndim != 1:
            raise InputError(
                f"left, right and similarity must have one length, got {len(a)}, {len(b)} and {s.shape}"
            )
        bad = ~np.isfinite(s) | (s < 0) | (s > 1)
        if bad.any():
            at = int(np.flatnonzero(bad)[0])
            raise InputError(
                f"similarity must be finite and in [0, 1]; edge {at} ({a[at]}, {b[at]}) has {s[at]}"
                " (a distance d can be turned into a similarity by 1 / (1 + d))"
            )
        keep = (a != b) & (s >= threshold)
        return cls.build(a[keep], b[keep], s[keep], n_rows=int(n_rows), threshold=threshold, measure="edges")

    @property
    def n_pairs(self) -> int:
        """Number of pairs at or above the threshold, implied ones included."""
        if self.copies is None:
            return len(self.left)
        size = np.bincount(self.copies, minlength=self.n_rows)
        return int((size * (size - 1) // 2).sum() + (size[self.left] * size[self.right]).sum())

    def degrees(self) -> NDArray[np.int64]:
        """Return the number of similar rows of each row, shape (n_rows,)."""
        ends = np.concatenate([self.left, self.right])
        if self.copies is None:
            return np.bincount(ends, minlength=self.n_rows).astype(np.int64)
        size = np.bincount(self.copies, minlength=self.n_rows)
        other = np.concatenate([size[self.right], size[self.left]])
        of_representative = np.bincount(ends, weights=other, minlength=self.n_rows).astype(np.int64)
        return (of_representative + size - 1)[self.copies].astype(np.int64)

    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Return ``(left, right, similarity)`` of all pairs, implied ones included.

        Raises
        ------
        InputError
            More than 50 million pairs, or a graph that could not list its pairs.
        """
        left, right, stored = self._listed()
        return left, right, np.append(self.similarity, 1.0)[stored]  # the last entry serves -1: copies

    def _listed(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return ``(left, right, stored)``: all pairs, sorted, each with the stored pair it is of (-1: copies)."""
        self._require_complete("pairs()")
        if self.n_pairs > MAX_EXPANDED_PAIRS:
            raise InputError(
                f"the graph has {self.n_pairs:,} pairs, too many to list (limit {MAX_EXPANDED_PAIRS:,});"
                f" use components(), degrees(), at({self.scale.stricter}), or the stored pairs in"
                " left, right and copies"
            )
        if self.copies is None:
            return self.left, self.right, np.arange(len(self.left))
        a, b, stored = expanded_pairs(self.left, self.right, self.copies)
        left, right = np.minimum(a, b), np.maximum(a, b)
        order = np.lexsort((right, left))
        return left[order], right[order], stored[order]

    def frame(self) -> pd.DataFrame:
        """Return all pairs as a pandas table with columns ``left``, ``right``, ``similarity``, most similar first.

        Of several similarities there is a column for each besides: missing where that one does not join the pair.
        Where E-values are compared there is a column ``evalue``.
        """
        import pandas as pd

        left, right, stored = self._listed()
        similarity = np.append(self.similarity, 1.0)[stored]
        order = np.lexsort((right, left, -similarity))
        columns = {"left": left[order], "right": right[order], "similarity": similarity[order]}
        if self.by_view is not None:
            each = np.vstack([self.by_view, np.ones(len(self.views))])[stored[order]]
            columns |= {name: each[:, v] for v, name in enumerate(self.views)}
        elif self.scale is not SHARES:
            columns["evalue"] = np.array([self.scale.number(s) for s in columns["similarity"]])
        return pd.DataFrame(columns)

    @property
    def scale(self) -> Scale:
        """How its similarities are typed and read; several at once are shares."""
        return SHARES if self.views else scale_of(self.measure)

    def at(self, threshold: float) -> SimilarityGraph:
        """Return the graph at a higher threshold (of E-values: a smaller one), without searching again.

        Of several similarities, each one's threshold is raised to `threshold`, where it is lower.

        Raises
        ------
        InputError
            A threshold below the graph's own: those pairs were never searched for.
        """
        return self.raised(self.scale.read(threshold))

    def raised(self, threshold: float) -> SimilarityGraph:
        """Return the graph at a higher similarity in (0, 1], whatever the scale on which people read it."""
        if threshold < self.threshold:
            asked, own = self.scale.number(threshold), self.scale.number(self.threshold)
            raise InputError(
                f"threshold={asked!r} asks for pairs that are less similar than the graph's own threshold of {own!r},"
                " which were not searched for: make a new graph at that threshold"
            )
        self._require_complete("at()")
        keep = self.similarity >= threshold
        by_view = None
        if self.by_view is not None:
            by_view = np.where(self.by_view[keep] >= threshold, self.by_view[keep], np.nan)
        return replace(
            self,
            left=self.left[keep],
            right=self.right[keep],
            similarity=self.similarity[keep],
            threshold=threshold,
            by_view=by_view,
        )

    def components(self) -> NDArray[np.int64]:
        """Return the component of each row, shape (n_rows,), numbered 0, 1, ... by first row."""
        left, right = self.links()
        return connected_components(left, right, self.n_rows)

    def links(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return edges ``(left, right)`` that join the same components as all pairs do, in linear space."""
        if self.copies is None:
            return self.left, self.right
        rows = np.flatnonzero(self.copies != np.arange(self.n_rows))
        return np.concatenate([self.left, self.copies[rows]]), np.concatenate([self.right, rows])

    def recall_text(self) -> str:
        """Return the measured recall in words; of several similarities, that of each approximate one."""
        views = self.details.get("views")
        if self.recall is None and views:
            told = [f"{name}: {one['recall'] or _UNKNOWN}" for name, one in views.items() if not one["exact"]]
            return "; ".join(told)
        return str(self.recall or _UNKNOWN)

    def _require_complete(self, what: str) -> None:
        if not self.complete:
            raise InputError(
                f"{what} needs every pair, and this graph had too many to list; its components are right:"
                f" use components(), or make the graph at {self.scale.stricter}"
            )

    def __repr__(self) -> str:
        kind = "exact" if self.exact else f"approximate: {self.recall_text()}"
        limit = "" if self.views else f", {self.scale.typed(self.threshold)}"
        return (
            f"SimilarityGraph({self.measure}{limit}: {self.n_pairs:,} similar"
            f" {'pair' if self.n_pairs == 1 else 'pairs'} among"
            f" {self.n_rows:,} rows, {kind})"
        )


def check_threshold(threshold: object) -> float:
    """Return `threshold` as a float in (0, 1], or raise."""
    return SHARES.read(threshold)


def _positions(rows: ArrayLike, argument: str, n_rows: int) -> NDArray[np.int64]:
    array = np.asarray(rows)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise InputError(
            f"{argument} must be a 1-D array of row positions (whole numbers), got {array.dtype} of shape"
            f" {array.shape}"
        )
    array = array.astype(np.int64)
    bad = (array < 0) | (array >= n_rows)
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise InputError(f"{argument} must be row positions in [0, {n_rows}); entry {at} is {array[at]}")
    return array
