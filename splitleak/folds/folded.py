"""Folds: which row is in which fold, as positions, splits, a table, and folds within folds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak.clustering import Clustering
from splitleak.errors import InputError
from splitleak.feasibility import Task
from splitleak.folds.assignment import (
    OnInfeasible,
    assign_folds,
    check_count,
    check_fold_options,
    equal_sizes,
    seed_of,
)
from splitleak.folds.certificate import certificate_of_fold
from splitleak.graph import SimilarityGraph
from splitleak.partition import Split
from splitleak.partition_names import fold_names
from splitleak.rendering.sentences import cluster_sentence, headline
from splitleak.rendering.tables import Table, count, share
from splitleak.rendering.text import table_text
from splitleak.strata import Strata, Stratum

if TYPE_CHECKING:
    import pandas as pd

    from splitleak.certificate import Certificate
    from splitleak.provenance import Provenance

Ints = NDArray[np.int64]
_WORST_FIRST = ("leaking", "separated_with_recall", "separated")


@dataclass(frozen=True, eq=False, repr=False)
class Folds:
    """Which row is in which fold; iterating gives ``(train, test)`` row positions, repeat by repeat.

    scikit-learn takes it as ``cv=`` for the rows that it was made from.

    Attributes
    ----------
    codes : int64 array of shape (repeats, n_rows)
        Fold of each row in each repeat, in [0, n_folds).
    n_folds : int
        Number of folds; none is empty.
    clusters : int64 array of shape (n_rows,) or None
        Cluster of each row, the same in all repeats.
    row_hashes : uint64 array of shape (n_rows,) or None
        Hash of each row's compared content.
    strata : tuple of Stratum
        What was balanced over the folds.
    rows : int64 array of shape (n_rows,) or None
        Inner folds: the position of each row in the data of the outer folds.
    provenance : Provenance or None
        How the folds were made.
    certificates : tuple of Certificate
        What the independent search across the folds found, one a repeat; empty: not certified.

    Examples
    --------
    >>> folds = Folds(np.array([[0, 1, 1, 0]]), 2)
    >>> [(train.tolist(), test.tolist()) for train, test in folds]
    [([1, 2], [0, 3]), ([0, 3], [1, 2])]
    >>> folds.fold(0).sizes
    {'train': 2, 'test': 2}
    """

    codes: Ints
    n_folds: int
    clusters: Ints | None = None
    row_hashes: NDArray[np.uint64] | None = None
    strata: tuple[Stratum, ...] = ()
    rows: Ints | None = None
    provenance: Provenance | None = None
    certificates: tuple[Certificate, ...] = ()

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.codes.shape[1])

    @property
    def repeats(self) -> int:
        """How often the clusters were handed to folds."""
        return int(self.codes.shape[0])

    @property
    def sizes(self) -> Ints:
        """Rows of each fold, shape (repeats, n_folds)."""
        return np.stack([np.bincount(codes, minlength=self.n_folds) for codes in self.codes]).astype(np.int64)

    @property
    def certificate(self) -> Certificate | None:
        """The certificate of the folds; of several repeats, the one with the worst verdict."""
        return min(self.certificates, key=lambda c: _WORST_FIRST.index(c.verdict), default=None)

    def __len__(self) -> int:
        return self.repeats * self.n_folds

    def __iter__(self) -> Iterator[tuple[Ints, Ints]]:
        for codes in self.codes:
            for i in range(self.n_folds):
                yield np.flatnonzero(codes != i).astype(np.int64), np.flatnonzero(codes == i).astype(np.int64)

    def fold(self, i: int, *, repeat: int = 0) -> Split:
        """Return the split whose partition ``test`` is fold `i`, and whose ``train`` is all others.

        Raises
        ------
        InputError
            A fold or a repeat that there is not.
        """
        self._check(i, repeat)
        inside = self.codes[repeat] == i
        asked = equal_sizes(self.n_rows, self.n_folds).targets
        return replace(
            self.as_split(repeat=repeat),
            names=("train", "test"),
            codes=inside.astype(np.int64),
            asked=np.array([self.n_rows - asked[i], asked[i]], dtype=np.int64),
            provenance=self._made(fold=int(i), repeat=int(repeat)),
            certificate=certificate_of_fold(self.certificates[repeat], f"fold {i}")
            if self.certificates
            else None,
        )

    def as_split(self, *, repeat: int = 0) -> Split:
        """Return the folds of a repeat as the partitions ``fold 0``, ``fold 1``, ... of one split."""
        self._check(0, repeat)
        return Split(
            names=fold_names(self.n_folds),
            codes=self.codes[repeat],
            clusters=self.clusters,
            asked=equal_sizes(self.n_rows, self.n_folds).targets,
            row_hashes=self.row_hashes,
            strata=self.strata,
            provenance=self._made(repeat=int(repeat)),
            certificate=self.certificates[repeat] if self.certificates else None,
        )

    def inner(
        self,
        i: int,
        *,
        folds: int = 3,
        repeat: int = 0,
        repeats: int = 1,
        tolerance: float = 0.02,
        on_infeasible: OnInfeasible = "error",
        seed: int = 0,
    ) -> Folds:
        """Return folds of the training rows of fold `i`, made from the same clusters, without a new search.

        Row k of the inner folds is the k-th training row, as in ``X[train][k]``; `Folds.rows` leads back to the
        positions in the whole data.

        Parameters
        ----------
        i, repeat : int
            The outer fold whose training rows are folded again.
        folds, repeats, tolerance, on_infeasible, seed
            As for `fold_by_similarity`.

        Raises
        ------
        InputError
            Options that cannot be used, and folds whose clusters are not known.
        InfeasibleSplitError
            More folds than clusters, or clusters too large for equal folds.

        Examples
        --------
        >>> from splitleak.folds import fold_by_similarity
        >>> outer = fold_by_similarity([f"number {i}" for i in range(40)], threshold=1, folds=4)
        >>> inner = outer.inner(0, folds=3)
        >>> inner.sizes.tolist(), [len(inner.rows[test]) for train, test in inner]
        ([[10, 10, 10]], [10, 10, 10])
        """
        self._check(i, repeat)
        check_fold_options(folds, repeats, tolerance, on_infeasible)
        seed = check_count("seed", seed, 0)
        if self.clusters is None or self.row_hashes is None:
            raise InputError(
                "inner() needs the clusters of the rows, and these folds have none; make them again"
            )
        train = np.flatnonzero(self.codes[repeat] != i).astype(np.int64)
        strata = Strata(self.strata).take(train) if self.strata else None
        clustering = Clustering.of(np.unique(self.clusters[train], return_inverse=True)[1].astype(np.int64))
        task = Task(
            graph=SimilarityGraph.from_edges([], [], n_rows=len(train), threshold=1),
            groups=[clustering.labels],
            request=equal_sizes(len(train), folds),
            strata=strata,
            row_hashes=self.row_hashes[train],
            tolerance=tolerance,
            seed=seed,
        )
        seeds = [seed_of(seed, r) for r in range(repeats)]
        return Folds(
            codes=assign_folds(
                task, clustering, seeds=seeds, on_infeasible=on_infeasible, inner=True, stacklevel=2
            ),
            n_folds=int(folds),
            clusters=clustering.labels,
            row_hashes=task.row_hashes,
            strata=() if strata is None else strata.columns,
            rows=train if self.rows is None else self.rows[train],
            provenance=self._made(
                inner_of={"fold": int(i), "repeat": int(repeat)},
                folds=int(folds),
                repeats=int(repeats),
                on_infeasible=on_infeasible,
                tolerance=tolerance,
                seed=seed,
            ),
        )

    def frame(self) -> pd.DataFrame:
        """Return a pandas table with a line a row: ``row``, ``fold`` (``fold_0``, ... of repeats), ``cluster``."""
        import pandas as pd

        columns: dict[str, Any] = {"row": np.arange(self.n_rows) if self.rows is None else self.rows}
        for repeat, codes in enumerate(self.codes):
            columns["fold" if self.repeats == 1 else f"fold_{repeat}"] = codes
        if self.clusters is not None:
            columns["cluster"] = self.clusters
        return pd.DataFrame(columns)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the folds of one repeat to a ``.parquet``, ``.csv`` or ``.json`` file, as `Split.save` does.

        Raises
        ------
        InputError
            Several repeats, inner folds, a path that cannot be written.
        """
        if self.repeats > 1:
            raise InputError(
                f"a file holds one fold a row, and there are {self.repeats} repeats; save each:"
                " folds.as_split(repeat=0).save(path)"
            )
        if self.rows is not None:
            raise InputError(
                "inner folds follow from the outer ones: save those, and call inner() with the same arguments"
            )
        self.as_split().save(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Folds:
        """Read folds that `save` wrote.

        Raises
        ------
        InputError
            A file that cannot be read, or holds a split of another kind.
        """
        split = Split.load(path)
        k = len(split.names)
        if sorted(split.names) != sorted(fold_names(k)) or (split.codes < 0).any():
            raise InputError(
                f"path={str(path)!r} holds a split with the partitions {', '.join(map(repr, split.names))}, and folds"
                " must be named 'fold 0', 'fold 1', ... with each row in one; read it with Split.load"
            )
        number = np.array([int(name.removeprefix("fold ")) for name in split.names], dtype=np.int64)
        return cls(
            codes=number[split.codes][None, :],
            n_folds=k,
            clusters=split.clusters,
            row_hashes=split.row_hashes,
            strata=split.strata,
            provenance=split.provenance,
            certificates=() if split.certificate is None else (split.certificate,),
        )

    def __repr__(self) -> str:
        lines = [f"{self.n_folds} folds of {count(self.n_rows, 'row')}"]
        if self.repeats > 1:
            lines[0] += f", {self.repeats} repeats; the first:"
        rows = []
        for i, size in enumerate(self.sizes[0].tolist()):
            row = [f"fold {i}", f"{size:,}", share(size / self.n_rows)]
            if self.clusters is not None:
                row.append(f"{len(np.unique(self.clusters[self.codes[0] == i])):,}")
            rows.append(tuple(row))
        header = ("fold", "rows", "share", "clusters")[: len(rows[0])]
        lines += ["", table_text(Table("Folds", header, rows))]
        clusters = cluster_sentence(self.as_split().summary())
        if clusters:
            lines += ["", clusters]
        certificate = self.certificate
        lines += ["", headline(None if certificate is None else certificate.summary())]
        if certificate is None:
            lines[-1] += " splitleak.certify(data, folds.as_split()) searches for similar rows across folds."
        return "\n".join(lines)

    def _check(self, i: int, repeat: int) -> None:
        for argument, value, number in (("fold", i, self.n_folds), ("repeat", repeat, self.repeats)):
            whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
            if not whole or not 0 <= value < number:
                raise InputError(f"{argument} must be a whole number in [0, {number}), got {value!r}")

    def _made(self, **options: Any) -> Provenance | None:
        if self.provenance is None:
            return None
        return replace(self.provenance, options={**self.provenance.options, **options})
