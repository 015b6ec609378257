"""The arguments of separate(), checked, and the checks of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splitleak.errors import InputError, SplitleakError

if TYPE_CHECKING:
    from splitleak.separation.problem import Problem

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Request:
    """Checked arguments: see `separate`."""

    left: Ints
    right: Ints
    n_nodes: int
    shares: NDArray[np.float64]
    weights: Ints
    classes: Ints
    keys: NDArray[np.uint64]
    protected: NDArray[np.bool_]
    tolerance: float
    start: Ints | None

    @classmethod
    def of(
        cls,
        left: ArrayLike,
        right: ArrayLike,
        n_nodes: int,
        sizes: ArrayLike,
        weights: ArrayLike | None,
        classes: ArrayLike | None,
        keys: ArrayLike | None,
        protected: ArrayLike | None,
        tolerance: float,
        start: ArrayLike | None,
    ) -> Request:
        """Check and convert the arguments of `separate`."""
        if isinstance(n_nodes, bool) or not isinstance(n_nodes, (int, np.integer)) or n_nodes < 1:
            raise InputError(f"n_nodes must be a whole number of at least 1, got {n_nodes!r}")
        if not 0 <= tolerance < 1:
            raise InputError(f"tolerance must be a share of the kept rows in [0, 1), got {tolerance!r}")
        n = int(n_nodes)
        rows = np.ones(n, dtype=np.int64) if weights is None else _whole(weights, "weights", (n,))
        counts = rows[:, None] if classes is None else _classes(classes, rows)
        request = cls(
            *_edges(left, right, n),
            n,
            _shares(sizes),
            rows,
            counts,
            np.zeros(n, dtype=np.uint64) if keys is None else np.asarray(keys, dtype=np.uint64),
            rows == 0 if protected is None else np.array(protected, dtype=bool),
            float(tolerance),
            None if start is None else np.asarray(start, dtype=np.int64),
        )
        for name in ("keys", "protected", "start"):
            values = getattr(request, name)
            if values is not None and values.shape != (n,):
                raise InputError(f"{name} must have one entry per node ({n}), got shape {values.shape}")
        request.protected[rows == 0] = True
        if (n_rows := int(rows.sum())) < len(request.shares):
            raise InputError(f"sizes asks for {len(request.shares)} partitions of only {n_rows} rows")
        request._check_start()
        return request

    def _check_start(self) -> None:
        if self.start is None:
            return
        k = len(self.shares)
        bad = np.flatnonzero((self.start < -1) | (self.start >= k) | ((self.start < 0) & self.protected))
        if len(bad):
            raise InputError(
                f"start must hold partitions in [0, {k}) or -1 (dropped, never for a protected node); node"
                f" {bad[0]} has {self.start[bad[0]]}"
            )
        crossing = np.flatnonzero(self._crossing(self.start))
        if len(crossing):
            a, b = self.left[crossing[0]], self.right[crossing[0]]
            raise InputError(f"start must have no edge between partitions; nodes {a} and {b} are joined")

    def _crossing(self, codes: Ints) -> NDArray[np.bool_]:
        a, b = codes[self.left], codes[self.right]
        return np.asarray((a >= 0) & (b >= 0) & (a != b))

    def problem(self) -> tuple[Problem, Ints]:
        """Return the problem in canonical order, and the node at each place of that order."""
        from splitleak.separation.problem import (
            AIM,
            PROTECTED,
            Problem,
            adjacency,
            blocks_of,
            canonical_order,
        )

        order = canonical_order(self.left, self.right, self.weights, self.keys)
        place = np.empty(self.n_nodes, dtype=np.int64)
        place[order] = np.arange(self.n_nodes)
        starts, ends = adjacency(place[self.left], place[self.right], self.n_nodes)
        classes, protected = self.classes[order], self.protected[order]
        node, kind = np.nonzero(classes)
        problem = Problem(
            starts,
            ends,
            self.weights[order],
            np.where(protected, PROTECTED, self.weights[order]),
            np.searchsorted(node, np.arange(self.n_nodes + 1)).astype(np.int64),
            kind.astype(np.int64),
            classes[node, kind],
            classes.shape[1],
            self.shares,
            self.tolerance,
            min(self.tolerance, AIM),
            blocks_of(starts, ends, protected),
        )
        return problem, order

    def verify(self, codes: Ints) -> None:
        """Raise when an answer breaks the promise; that is a bug here, never the caller's doing."""
        crossing = np.flatnonzero(self._crossing(codes))
        if len(crossing):
            raise SplitleakError(
                f"internal error in separate(): nodes {self.left[crossing[0]]} and {self.right[crossing[0]]} are"
                " joined and in different partitions; please report this"
            )
        if (self.protected & (codes < 0)).any():
            raise SplitleakError(
                "internal error in separate(): a protected node was dropped; please report this"
            )


def _edges(left: ArrayLike, right: ArrayLike, n: int) -> tuple[Ints, Ints]:
    a, b = (_whole(x, name, None) for x, name in ((left, "left"), (right, "right")))
    if a.shape != b.shape or a.ndim != 1:
        raise InputError(f"left and right must be 1-D and of one length, got shapes {a.shape} and {b.shape}")
    bad = np.flatnonzero((a >= n) | (b >= n))
    if len(bad):
        raise InputError(
            f"left and right must be nodes in [0, {n}); edge {bad[0]} is ({a[bad[0]]}, {b[bad[0]]})"
        )
    return a, b


def _whole(values: ArrayLike, argument: str, shape: tuple[int, ...] | None) -> Ints:
    array = np.asarray(values)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"{argument} must hold whole numbers, got {array.dtype}")
    array = array.astype(np.int64)
    if shape is not None and array.shape != shape:
        raise InputError(f"{argument} must have shape {shape}, one entry per node, got {array.shape}")
    if (array < 0).any():
        raise InputError(f"{argument} must not be negative, got {array.min()}")
    return array


def _classes(classes: ArrayLike, weights: Ints) -> Ints:
    counts = _whole(classes, "classes", None)
    if counts.ndim != 2 or len(counts) != len(weights):
        raise InputError(f"classes must have shape ({len(weights)}, n_classes), got {counts.shape}")
    bad = np.flatnonzero(counts.sum(axis=1) != weights)
    if len(bad):
        raise InputError(
            f"classes must sum to the weights; node {bad[0]} has {counts[bad[0]].sum()} rows in classes and"
            f" weight {weights[bad[0]]}"
        )
    return counts


def _shares(sizes: ArrayLike) -> NDArray[np.float64]:
    asked = np.asarray(sizes, dtype=np.float64)
    if asked.ndim != 1 or not 2 <= len(asked) <= 100 or not np.isfinite(asked).all() or (asked <= 0).any():
        raise InputError(f"sizes must be two to 100 positive numbers, got {sizes!r}")
    return np.asarray(asked / asked.sum())
