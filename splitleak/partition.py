"""Split: which row is in which partition, and how that came about."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak._split_checks import check_records, check_rows, check_source
from splitleak._split_files import (
    DROPPED,
    label_text,
    read_split,
    restored,
    strata_columns,
    strata_metadata,
    write_split,
)
from splitleak._split_rows import pandas_columns, take_rows
from splitleak._split_summary import summarise
from splitleak.errors import InputError, did_you_mean
from splitleak.partition_names import are_folds, partition_order
from splitleak.provenance import Provenance, plain_value
from splitleak.strata.stratum import Stratum

if TYPE_CHECKING:
    import pandas as pd

    from splitleak._tables import Source
    from splitleak.certificate import Certificate
    from splitleak.held_out import HeldOutSplit
    from splitleak.records import Records

FORMAT = 1  # of the metadata in files; raised when an older reader would misread a newer file


__all__ = ["DROPPED", "Provenance", "Split"]


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Which row is in which partition.

    Attributes
    ----------
    names : tuple of str
        The partitions; the first is the one that models are trained on.
    codes : int64 array of shape (n_rows,)
        Partition of each row as an index into `names`; -1: dropped.
    clusters : int64 array of shape (n_rows,) or None
        Cluster of each row, numbered from 0; None: not known (a split made elsewhere).
    asked : int64 array of shape (n_partitions,) or None
        Rows asked for in each partition; with weights, as many parts of the rows as were asked of the weight.
    row_hashes : uint64 array of shape (n_rows,) or None
        Hash of each row's compared content, by which `take` knows the data again.
    strata : tuple of Stratum
        What was balanced over the partitions.
    weights : float64 array of shape (n_rows,) or None
        What each row counted in the sizes and the balance; None: all the same.
    provenance : Provenance or None
        How the split was made.
    certificate : Certificate or None
        What the independent search across the partitions found.
    periods : sequence of (str, str) or None
        First and last time of each partition, of a split in order of time.
    reasons : sequence of str or None
        Why rows were dropped or moved.
    reason_codes : int64 array of shape (n_rows,) or None
        Reason of each row as an index into `reasons`; -1: nothing was done to it.
    before : int64 array of shape (n_rows,) or None
        Partition of each row before it was dropped or moved, as an index into `names`; -1: it had none.

    Examples
    --------
    >>> split = Split.from_labels(["train", "test", "train", "train"])
    >>> split.names, split["train"].tolist(), split.sizes
    (('train', 'test'), [0, 2, 3], {'train': 3, 'test': 1})
    >>> split.take(["a", "b", "c", "d"])["test"]
    ['b']
    """

    names: tuple[str, ...]
    codes: NDArray[np.int64]
    clusters: NDArray[np.int64] | None = None
    asked: NDArray[np.int64] | None = None
    row_hashes: NDArray[np.uint64] | None = None
    strata: tuple[Stratum, ...] = ()
    weights: NDArray[np.float64] | None = None
    provenance: Provenance | None = None
    certificate: Certificate | None = None
    periods: Sequence[tuple[str, str] | None] | None = None
    reasons: Sequence[str] | None = None
    reason_codes: NDArray[np.int64] | None = None
    before: NDArray[np.int64] | None = None

    @classmethod
    def from_labels(cls, labels: Iterable[Any], *, names: Sequence[str] | None = None) -> Split:
        """Make a split of one partition name per row, for splits that were made elsewhere.

        Parameters
        ----------
        labels : iterable of str or int, one per row
            Partition names; None, NaN or an empty text: the row is in no partition.
        names : sequence of str, optional
            The partitions, the one to train on first; default: those met, in `partition_order` (so a CSV file,
            which does not keep their order, comes back in this one).

        Raises
        ------
        InputError
            No partition at all, or a label that is not among `names`.
        """
        texts = [label_text(value) for value in labels]
        count: dict[str, int] = {}
        for text in texts:
            if text is not None:
                count[text] = count.get(text, 0) + 1
        if not count:
            raise InputError("split names no partition: every label is missing or empty")
        order = partition_order(count) if names is None else [str(n) for n in names]
        code: dict[str | None, int] = {name: i for i, name in enumerate(order)}
        unknown = [name for name in count if name not in code]
        if unknown:
            raise InputError(f"split has the label {unknown[0]!r}, which is not one of names={order}")
        code[None] = DROPPED
        return cls(tuple(order), np.array([code[text] for text in texts], dtype=np.int64))

    @property
    def n_rows(self) -> int:
        """Number of rows of the data, dropped ones included."""
        return len(self.codes)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Rows in each partition."""
        count = np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))
        return dict(zip(self.names, count.tolist(), strict=True))

    def __getitem__(self, name: str) -> NDArray[np.int64]:
        """Return the row positions of a partition, sorted."""
        if name not in self.names:
            raise InputError(
                f"the split has no partition {name!r}{did_you_mean(name, self.names)} (it has:"
                f" {', '.join(map(repr, self.names))})"
            )
        return np.flatnonzero(self.codes == self.names.index(name)).astype(np.int64)

    def labels(self) -> NDArray[np.str_]:
        """Return the partition name of each row, shape (n_rows,); empty for dropped rows."""
        return np.array([*self.names, ""])[self.codes]

    def take(self, data: Any, *, check: bool = True) -> dict[str, Any]:
        """Return the rows of each partition, in the type of `data`.

        Parameters
        ----------
        data : table, list, array or path
            The data that the split was made from; or, with ``check=False``, anything with as many rows, such as
            an array or a list of labels.
        check : bool
            Compare the content of the rows with that of the data that the split was made from.

        Raises
        ------
        DataMismatchError
            Another number of rows, a column that is missing, rows with other content or in another order.
        """
        return take_rows(self, data, check=check)

    def to_torch(self, dataset: Any) -> dict[str, Any]:
        """Return a `torch.utils.data.Subset` of `dataset` for each partition (see `interop.to_torch`)."""
        from splitleak.interop import to_torch

        return to_torch(self, dataset)

    def to_hf(self, dataset: Any, *, check: bool = True) -> Any:
        """Return a Hugging Face `DatasetDict` with a `Dataset` for each partition (see `interop.to_hf`)."""
        from splitleak.interop import to_hf

        return to_hf(self, dataset, check=check)

    def predefined(self, *, held_out: Sequence[str] | str | None = None) -> HeldOutSplit:
        """Return a scikit-learn `PredefinedSplit` that trains on the first partition (see `interop.predefined`)."""
        from splitleak.interop import predefined

        return predefined(self, held_out=held_out)

    def forward_folds(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Return ``(train, test)`` rows of each partition after the first by time (see `interop.forward_folds`)."""
        from splitleak.interop import forward_folds

        return forward_folds(self)

    def frame(self, data: Any = None) -> pd.DataFrame:
        """Return a pandas table with columns ``row``, ``partition``, ``cluster``, and those of `data`."""
        import pandas as pd

        columns: dict[str, Any] = {
            "row": np.arange(self.n_rows),
            "partition": pd.Categorical.from_codes(self.codes, categories=pd.Index(self.names)),
        }
        if self.clusters is not None:
            columns["cluster"] = self.clusters
        frame = pd.DataFrame(columns)
        if data is None:
            return frame
        added = pandas_columns(self, data, without=frozenset(columns))
        return pd.concat([frame, pd.DataFrame(added, index=frame.index)], axis=1)

    def changes(self) -> pd.DataFrame:
        """Return the rows that were dropped or moved: columns ``row``, ``from``, ``to``, ``reason``.

        ``to`` is missing for a dropped row, ``from`` for a row that was in no partition before.
        """
        import pandas as pd

        rows = np.flatnonzero(self.codes < 0 if self.reason_codes is None else self.reason_codes >= 0)
        names = np.array([*self.names, None], dtype=object)
        reasons = np.array([*(self.reasons or ()), None], dtype=object)
        none = np.full(self.n_rows, -1)
        before, reason = (none if x is None else x for x in (self.before, self.reason_codes))
        columns = {"row": rows, "from": names[before[rows]], "to": names[self.codes[rows]]}
        return pd.DataFrame({**columns, "reason": reasons[reason[rows]]})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the split to a ``.parquet``, ``.csv`` or ``.json`` file, whole or not at all.

        The columns are ``row``, ``partition`` and the like; of folds, ``fold`` has their numbers (-1: in none).
        Parquet and JSON keep everything. CSV keeps the columns ``row``, ``partition``, ``cluster``, ``row_hash``,
        ``weight``, what was balanced (``class``, ``labels``, ``value``), ``reason`` and ``before`` only; a split
        read from it knows a table by its number of rows alone, since the names of the compared columns are gone.
        The same split gives the same bytes.

        Raises
        ------
        InputError
            Another ending, a folder that does not exist or cannot be written.
        """
        columns: dict[str, Any] = {
            "row": np.arange(self.n_rows),
            "partition": np.array([*self.names, None], dtype=object)[self.codes],
        }
        if are_folds(self.names):
            columns["fold"] = self.codes
        if self.clusters is not None:
            columns["cluster"] = self.clusters
        if self.row_hashes is not None:
            columns["row_hash"] = self.row_hashes
        if self.weights is not None:
            columns["weight"] = self.weights
        columns.update(strata_columns(self.strata))
        if self.reason_codes is not None and self.reasons is not None:
            columns["reason"] = np.array([*self.reasons, None], dtype=object)[self.reason_codes]
        if self.before is not None:
            columns["before"] = np.array([*self.names, None], dtype=object)[self.before]
        metadata = {
            "format": FORMAT,
            "names": list(self.names),
            "asked": None if self.asked is None else np.asarray(self.asked).tolist(),
            "strata": strata_metadata(self.strata),
            "provenance": None if self.provenance is None else self.provenance.summary(),
            "certificate": None if self.certificate is None else plain_value(self.certificate.summary()),
            "reasons": None if self.reasons is None else list(self.reasons),
            "periods": plain_value(self.periods),
        }
        write_split(path, columns, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Split:
        """Read a split from a ``.parquet``, ``.csv`` or ``.json`` file.

        A file that something else wrote is read, too, when it has a column ``partition``, and either a column
        ``row`` with each row position once or one line per row in the order of the data.

        Raises
        ------
        InputError
            A file that is missing, truncated, not what its ending says, or not a split.
        """
        from splitleak.certificate import Certificate

        columns, metadata = read_split(path)
        made, certificate = metadata.get("provenance"), metadata.get("certificate")
        try:
            values = restored(columns, metadata, FORMAT)
            split = cls.from_labels(values.pop("labels"), names=metadata.get("names"))
            before = values.pop("before_labels", None)
            if before is not None:
                values["before"] = np.array([-1 if b is None else split.names.index(b) for b in before])
            return replace(
                split,
                provenance=None if made is None else Provenance.from_summary(made),
                certificate=None if certificate is None else Certificate.from_summary(certificate),
                **values,
            )
        except InputError as error:
            raise InputError(f"split={str(path)!r}: {error}") from None
        except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
            raise InputError(f"split={str(path)!r} is not a split that can be read: {error!r}") from error

    def summary(self) -> dict[str, Any]:
        """Return everything that the views show, in plain JSON types."""
        return summarise(self)

    def __repr__(self) -> str:
        from splitleak.rendering.text import split_text

        return split_text(self.summary())

    def _repr_html_(self) -> str:
        from splitleak.rendering.html import split_fragment

        return split_fragment(self.summary())

    def check_data(self, records: Records) -> None:
        """Raise unless `records` are those that the split was made from.

        Records of other columns have other content by intent; of those only the number of rows is checked.

        Raises
        ------
        DataMismatchError
            Another number of rows, rows with other content or in another order.
        """
        check_records(self, records)

    def check_rows(self, n_rows: int) -> None:
        """Raise unless data have as many rows as the split."""
        check_rows(self, n_rows)

    def check_source(self, source: Source) -> None:
        """Raise when a source does not hold the rows that the split was made from (as far as it knows)."""
        check_source(self, source)
