"""What is audited, as one table, and the partition of each of its rows, however a caller hands them over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._split_files import ENDINGS
from splitleak._tables import Source, open_source
from splitleak._tables.arrays import arrow_column, only_column
from splitleak._tables.image_columns import image_columns
from splitleak._tables.images import Images
from splitleak._tables.source import list_names
from splitleak.auditing.positions import labels_of_positions
from splitleak.certification import partition_codes
from splitleak.errors import DataMismatchError, InputError
from splitleak.folds import Folds
from splitleak.partition import Split

Ints = NDArray[np.int64]
PARTITIONS = frozenset({"train", "test", "dev", "valid", "validation", "val", "eval", "calibration"})


@dataclass(frozen=True, eq=False)
class Audited:
    """The data as one source, the split, and values that were handed over per partition, stacked as the data are."""

    source: Source
    split: Any
    parts: tuple[str, ...] = ()

    def stacked(self, value: Any, argument: str) -> Any:
        """Return `value`; of a mapping of partition to values, the values in the order of the stacked rows.

        Raises
        ------
        InputError
            A mapping where the data are none, or with other partitions.
        """
        if not isinstance(value, Mapping):
            return value
        if {str(name) for name in value} != set(self.parts):
            rule = (
                f"have the partitions of data ({list_names(self.parts)})"
                if self.parts
                else "be a column name or one value a row, since data is one table"
            )
            raise InputError(
                f"{argument} is a mapping with the keys {list_names(str(k) for k in value)}; it must {rule}"
            )
        by_name = {str(name): values for name, values in value.items()}
        columns = [arrow_column(only_column(by_name[name]), f"{argument}=") for name in self.parts]
        try:
            tables = [pa.table({"value": column}) for column in columns]
            return pa.concat_tables(tables, promote_options="permissive")["value"]
        except pa.ArrowException as error:
            raise InputError(f"{argument} holds values of different kinds by partition: {error}") from None

    def stacked_tables(self, raw: Any) -> Any:
        """Return a table beside the data; of a mapping of partition to table, one in the order of the stacked rows."""
        if not isinstance(raw, Mapping) or not self.parts:
            return raw
        by_name = {str(name): part for name, part in raw.items()}
        if set(by_name) != set(self.parts):
            raise InputError(
                f"raw has the partitions {list_names(by_name)} and data has {list_names(self.parts)}; they must be the"
                " same"
            )
        parts = [by_name[name] for name in self.parts]
        if all(hasattr(part, "iloc") for part in parts):
            import pandas as pd

            return pd.concat(parts)
        sources = {name: open_source(part) for name, part in by_name.items()}
        if all(source.column_names for source in sources.values()):
            return _stack_tables({name: sources[name] for name in self.parts})
        return _stack_bare({name: sources[name] for name in self.parts})


def open_audited(data: Any, split: Any, target: Any = None) -> Audited:
    """Return the data as one source, and the split; a mapping of partition to table is stacked, in its order.

    Held-out partitions may lack the column `target`: its values are missing there.

    Raises
    ------
    InputError
        Both a mapping and a split, partitions whose columns differ in kind, a partition without rows.
    """
    if not _is_partitioned(data):
        return Audited(open_source(data), split)
    if split is not None:
        raise InputError("data is a mapping of partition to table, so it is split already; leave split= out")
    sources = {str(name): _opened_part(str(name), part) for name, part in data.items()}
    if len(sources) < 2:
        raise InputError(f"data is a mapping with one partition ({list_names(sources)}); give at least two")
    order = list(sources)
    codes = np.repeat(np.arange(len(order), dtype=np.int64), [source.n_rows for source in sources.values()])
    bare = not next(iter(sources.values())).column_names
    stacked = (
        _stack_bare(sources) if bare else _stack_tables(sources, target if isinstance(target, str) else None)
    )
    source = open_source(stacked)
    if not bare:
        meant = next(iter(sources.values())).meant
        source = replace(source, images=_stacked_images(list(sources.values())), meant=meant)
    return Audited(source, Split(tuple(order), codes), tuple(order))


def _stacked_images(sources: list[Source]) -> dict[str, Images]:
    """Return the columns that are images in all partitions: paths start from the folder of their own table."""
    found = [image_columns(source) for source in sources]
    names = [name for name in found[0] if all(name in each for each in found)]
    return {name: Images.joined([each[name] for each in found]) for name in names}


def partitions_of(source: Source, split: Any) -> tuple[list[str], Ints, str | None, Split | None]:
    """Return the partitions, the code of each row (-1: in none), the column they came from, and a `Split`.

    Raises
    ------
    InputError
        No split at all, folds, fewer than two partitions.
    DataMismatchError
        A split of other data.
    """
    if split is None:
        return [], np.zeros(source.n_rows, dtype=np.int64), None, None
    if isinstance(split, Folds):
        raise InputError(
            f"split is a Folds of {split.n_folds} folds, and a report is about one division; audit them one by one:"
            f" [leakage_report(data, folds.fold(i), ...) for i in range({split.n_folds})], or the first, folds.fold(0)"
        )
    split = saved_split(source, split)
    if isinstance(split, Split):
        _check_made_from(source, split)
        return list(split.names), split.codes.astype(np.int64), None, split
    names, codes = partition_codes(source, labels_of_positions(split, source.n_rows))
    return names, codes, split if isinstance(split, str) else None, None


def saved_split(source: Source, split: Any) -> Any:
    """Return the split that a path names; anything else as it is."""
    if isinstance(split, Path):
        return Split.load(split)
    if isinstance(split, str) and split not in source.column_names and split.lower().endswith(ENDINGS):
        return Split.load(split)
    return split


def _check_made_from(source: Source, split: Split) -> None:
    if split.n_rows != source.n_rows:
        raise DataMismatchError(
            f"split has {split.n_rows:,} rows and data has {source.n_rows:,}; hand in the data that was split"
        )
    filled = sum(rows > 0 for rows in split.sizes.values())
    if filled < 2:
        raise InputError(f"split must have rows in at least two partitions, and has them in {filled}")
    compared = split.provenance.columns if split.provenance is not None else ()
    gone = [name for name in compared if name not in source.column_names]
    if gone and source.column_names:
        raise DataMismatchError(
            f"data lacks {list_names(gone)}, which the split was made from, so nothing tells whether these are its"
            " rows; audit the table that was split, or go by row position alone with split=split.labels()"
        )
    split.check_source(source)


def _is_partitioned(data: Any) -> bool:
    if not isinstance(data, Mapping) or not data:
        return False
    tables = all(_is_table(part) for part in data.values())
    return tables or {str(name).lower() for name in data} <= PARTITIONS


def _is_table(part: Any) -> bool:
    if isinstance(part, Mapping) or getattr(part, "ndim", 0) == 2:
        return True
    return hasattr(part, "column_names") or (
        hasattr(part, "__arrow_c_stream__") and not hasattr(part, "to_list")
    )


def _opened_part(name: str, part: Any) -> Source:
    if isinstance(part, tuple):
        raise InputError(
            f"partition {name!r} of data is a tuple of {len(part)}; give its features alone, and the rest beside them:"
            ' {"train": X_train, "test": X_test}, target={"train": y_train, "test": y_test}'
        )
    try:
        return open_source(part)
    except InputError as error:
        raise InputError(f"partition {name!r} of data: {error}") from None


def _stack_tables(sources: Mapping[str, Source], target: str | None = None) -> pa.Table:
    names = list(next(iter(sources.values())).column_names)
    for partition, source in sources.items():
        odd = sorted(set(source.column_names) ^ set(names))
        if odd and odd != [target]:
            raise InputError(
                f"the partitions of data must have the same columns; {partition!r} differs in {list_names(odd)}; leave"
                " out the partition, or these columns (only the target may be missing in held-out partitions)"
            )
    tables = [
        pa.table({name: source.column(name) for name in names if name in source.column_names})
        for source in sources.values()
    ]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise InputError(
            f"the partitions of data hold columns of different kinds: {error}; read them alike, or cast one"
        ) from None


def _stack_bare(sources: Mapping[str, Source]) -> Any:
    parts = [source.take(np.arange(source.n_rows)) for source in sources.values()]
    if all(isinstance(part, (list, tuple)) for part in parts):
        return [value for part in parts for value in part]
    if any(getattr(part, "ndim", 0) == 2 and hasattr(part, "tocsr") for part in parts):
        from scipy.sparse import vstack

        return vstack(parts).tocsr()
    return np.concatenate([np.asarray(part) for part in parts])
