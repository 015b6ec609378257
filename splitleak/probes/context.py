"""AuditContext: everything that a probe may look at, read once, in an order that the rows' own order does not set."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.probes.columns import AuditColumn

if TYPE_CHECKING:
    import pyarrow as pa

    from splitleak._tables import Source
    from splitleak._tables.images import Images

Ints = NDArray[np.int64]
Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True, eq=False)
class Target:
    """The column that is predicted.

    Attributes
    ----------
    name : str
        Its name; "target" where an array was given.
    task : {"binary", "multiclass", "regression"}
        Two classes, more, or a number.
    codes : int64 array of shape (n_rows,)
        Class of each row as an index into `levels`; -1 where missing. Regression: -1 everywhere.
    levels : tuple
        The classes, ascending.
    values : float64 array of shape (n_rows,)
        Regression: the number; classes: the code. NaN where missing.
    column : AuditColumn
        As read.
    """

    name: str
    task: Task
    codes: Ints
    levels: tuple[Any, ...]
    values: NDArray[np.float64]
    column: AuditColumn

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Rows whose target is not missing."""
        return np.asarray(~np.isnan(self.values))

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Share of each class among the rows whose target is known."""
        count = np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))
        return np.asarray(count / max(1, count.sum()))


@dataclass(frozen=True, eq=False)
class AuditContext:
    """What is audited: columns, target, split, time, groups, and the level at which a probe may speak.

    Rows stand in an order that depends on their contents alone (a hash of all their values, split and target), so
    a probe may draw, fold and break ties by position, and gives the same answer whatever the caller's order. Findings
    name positions in this order; the report turns them back (`positions`).

    Attributes
    ----------
    n_rows : int
        Number of rows.
    columns : mapping of str to AuditColumn
        The features: all columns but the target, the split, the time and the groups.
    target : Target or None
        What is predicted.
    names : tuple of str
        Partitions, the one that models are trained on first; empty without a split.
    codes : int64 array of shape (n_rows,)
        Partition of each row as an index into `names`; -1: in none.
    time : AuditColumn or None
        Declared time: seconds or numbers in its `values`.
    groups : tuple of AuditColumn
        Declared groups; rows with equal `codes` belong together.
    positions : int64 array of shape (n_rows,)
        Position of each row in the caller's data.
    source : Source
        The caller's data, rows in the caller's order.
    table : pyarrow.Table or None
        All columns, rows in this context's order; None: bare vectors.
    images : mapping of str to Images
        The columns of images, rows in this context's order; bare images are called "image".
    stacked : bool
        Whether the caller handed over a mapping of partition to table; rows are counted through them.
    clusters : int64 array of shape (n_rows,) or None
        Clusters that the split was made of, where it says so: its unit is a cluster, not a row.
    split_column : str or None
        Column that the partitions came from, if one did.
    compared : tuple of str
        Columns that near-duplicates are searched in; empty: the features.
    similarity, threshold : object
        What the caller gave for near-duplicates ("auto", None: the probe chooses).
    pipeline : object or None
        A fitted scikit-learn transformer, Pipeline or ColumnTransformer.
    raw : pandas.DataFrame, array or None
        The table before `pipeline`, rows in this context's order.
    ledger : path or None
        Record of earlier uses of the test set.
    metric : str or None
        The caller's scorer, by its scikit-learn name.
    alpha : float
        Chance of any false alarm in the report, in (0, 1).
    level : float
        Share of `alpha` that one probe may spend.
    limits : mapping of str to float
        The conventions above which a feature counts as too good, see `splitleak.leakage.LIMITS`.
    seed : int
        Of everything drawn.
    fast : bool
        Whether to look at samples where a full look takes long.
    memo : dict
        What probes of one family have computed and share.
    """

    n_rows: int
    columns: Mapping[str, AuditColumn]
    target: Target | None
    names: tuple[str, ...]
    codes: Ints
    time: AuditColumn | None
    groups: tuple[AuditColumn, ...]
    positions: Ints
    source: Source
    table: pa.Table | None
    images: Mapping[str, Images] = field(default_factory=dict)
    stacked: bool = False
    clusters: Ints | None = None
    split_column: str | None = None
    compared: tuple[str, ...] = ()
    similarity: Any = "auto"
    threshold: float | None = None
    pipeline: Any = None
    raw: Any = None
    ledger: Any = None
    metric: str | None = None
    alpha: float = 0.01
    level: float = 0.01
    limits: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    fast: bool = False
    progress: Progress = SILENT
    memo: dict[str, Any] = field(default_factory=dict, repr=False)

    def has(self, need: str) -> bool:
        """Return whether the context has what a probe needs (see `splitleak.probes.base.Need`)."""
        known = {
            "split": len(self.names) >= 2,
            "target": self.target is not None,
            "classes": self.target is not None and self.target.task != "regression",
            "time": self.time is not None,
            "groups": bool(self.groups),
            "pipeline": self.pipeline is not None,
            "raw": self.raw is not None,
            "texts": bool(self.of_kind("text")),
            "images": bool(self.images),
            "ledger": self.ledger is not None,
        }
        return known[need]

    def of_kind(self, *kinds: str) -> list[AuditColumn]:
        """Return the feature columns of these kinds, in the table's order."""
        return [column for column in self.columns.values() if column.kind in kinds]

    @cached_property
    def train(self) -> Ints:
        """Positions of the training rows (without a split: all rows)."""
        return np.flatnonzero(self.codes == 0) if self.names else np.arange(self.n_rows)

    @cached_property
    def held_out(self) -> Ints:
        """Positions of the rows of all other partitions; empty without a split."""
        return np.flatnonzero(self.codes > 0)

    @cached_property
    def is_held_out(self) -> NDArray[np.bool_]:
        """Whether each row is in a partition other than the training one."""
        return np.asarray(self.codes > 0)

    def rng(self, name: str) -> np.random.Generator:
        """Return a generator of its own for `name` (a probe's code), fixed by the seed."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def sample(self, rows: Ints, most: int, name: str) -> Ints:
        """Return at most `most` of `rows`, drawn by chance, ascending."""
        if len(rows) <= most:
            return rows
        self.looked("rows", most, len(rows))
        return np.sort(self.rng(name).choice(rows, most, replace=False))

    def looked(self, what: str, at: int, of: int) -> None:
        """Note that a probe looks at fewer rows or columns than there are; the report says so."""
        self.memo.setdefault("looked", {})[what] = (at, of)

    def once(self, what: str, columns: Sequence[AuditColumn], compute: Callable[[], Any]) -> Any:
        """Return what follows from the target, the groups and these columns alone, computed once.

        Copies of a table in which these stay the same share it, whatever else was changed in them.
        """
        known = self.memo.setdefault("once", {})
        key = (what, *map(id, columns))
        if key not in known:
            known[key] = (columns, compute())  # an id is a column's own as long as the column is kept
        return known[key][1]

    def folds(self, count: int, name: str, *, rows: Ints | None = None) -> Ints:
        """Return a fold in [0, count) for each of `rows` (default: all), balanced over the classes of the target.

        Rows of one declared group share a fold.
        """
        rows = np.arange(self.n_rows) if rows is None else rows
        rng = self.rng(name)
        if self.groups:
            label = self.group_codes[rows]
            return np.asarray(rng.permutation(int(label.max(initial=0)) + 1) % count)[label]
        folds = np.empty(len(rows), dtype=np.int64)
        codes = np.zeros(len(rows), dtype=np.int64) if self.target is None else self.target.codes[rows]
        start = 0
        for code in np.unique(codes):
            inside = rng.permutation(np.flatnonzero(codes == code))
            folds[inside] = (np.arange(len(inside)) + start) % count
            start += len(inside)
        return folds

    @cached_property
    def units(self) -> Ints | None:
        """What the split was drawn of, where that is not rows: declared groups, else clusters; None: rows."""
        return self.group_codes if self.groups else self.clusters

    @cached_property
    def group_codes(self) -> Ints:
        """Connected declared groups: rows that share a value of any group column have one number; others one each."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n = self.n_rows
        ends, starts = [], []
        offset = n
        for column in self.groups:
            known = np.flatnonzero(column.codes >= 0)
            starts.append(known)
            ends.append(column.codes[known] + offset)
            offset += len(column.levels)
        if not starts:
            return np.arange(n)
        left, right = np.concatenate(starts), np.concatenate(ends)
        graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(offset, offset))
        return np.asarray(connected_components(graph, directed=False)[1][:n], dtype=np.int64)

    def matrix(self, columns: Sequence[AuditColumn], rows: Ints | None = None) -> NDArray[np.float32]:
        """Return columns side by side for a forest: numbers as they are, categories by frequency, missing far below.

        Shape (len(rows), len(columns)); constant, text, vector and unusable columns must be left out.
        """
        rows = np.arange(self.n_rows) if rows is None else rows
        out = np.empty((len(rows), len(columns)), dtype=np.float32)
        for i, column in enumerate(columns):
            whole = column.frequency_codes if column.kind == "category" else column.values
            values = whole[rows].astype(np.float64)
            known = values[np.isfinite(values)]
            low = known.min() - max(1.0, np.ptp(known)) if len(known) else 0.0
            values[~np.isfinite(values)] = low
            out[:, i] = np.clip(values, -1e30, 1e30)  # a sum of many must stay finite in float32
        return out
