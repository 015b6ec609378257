"""What `stratify=` and `weights=` may be: column names, arrays, tables, and what kind of column each is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._tables import Source, given_column, resolve_factor
from splitleak.errors import InputError, unknown_option
from splitleak.strata.stratum import Strata, Stratum

Kind = Literal["auto", "classes", "labels", "continuous", "distribution"]
FEW_NUMBERS = 20  # numbers with at most so many values are classes
BINS = 10


@dataclass(frozen=True, eq=False)
class StratifyBy:
    """A column to balance, and how.

    Parameters
    ----------
    values : str or array-like of shape (n_rows,) or (n_rows, n_labels)
        A column, or the values by row position; a matrix of 0 and 1 says which row has which label.
    kind : {"auto", "classes", "labels", "continuous", "distribution"}
        "classes": one class a row. "labels": any number of labels a row (lists, or texts cut at `separator`).
        "continuous": numbers, each of `bins` quantile bins is balanced like a class. "distribution": numbers, the
        distribution function is matched at the edges of these bins, so that partitions agree over the whole
        range rather than in each bin. "auto": lists and matrices are labels; numbers with fractions and more than
        20 distinct values are continuous; all else is classes.
    bins : int
        Quantile bins of numbers, at least 2.
    separator : str, optional
        What stands between the labels of a text.
    name : str, optional
        What reports call values that were given themselves.

    Examples
    --------
    >>> StratifyBy("income", kind="continuous", bins=4).kind
    'continuous'
    """

    values: Any
    kind: Kind = "auto"
    bins: int = BINS
    separator: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise unknown_option("kind", self.kind, get_args(Kind))
        whole = isinstance(self.bins, (int, np.integer)) and not isinstance(self.bins, bool)
        if not whole or self.bins < 2:
            raise InputError(f"bins must be a whole number of at least 2, got {self.bins!r}")
        if self.separator is not None and (not isinstance(self.separator, str) or not self.separator):
            raise InputError(f"separator must be a text of at least one letter, got {self.separator!r}")

    def _text(self) -> str:
        shown = repr(self.values) if isinstance(self.values, str) else self.name or "stratify"
        bins = f", bins={self.bins}" if self.kind in ("continuous", "distribution") else ""
        cut = "" if self.separator is None else f", separator={self.separator!r}"
        return f"StratifyBy({shown}, kind={self.kind!r}{bins}{cut})"


def named_strata(stratify: Any) -> list[str]:
    """Return the column names in a value of `stratify=`."""
    if isinstance(stratify, StratifyBy):
        stratify = stratify.values
    if isinstance(stratify, str):
        return [stratify]
    if isinstance(stratify, Mapping):
        return [name for name in stratify if isinstance(name, str)]
    if isinstance(stratify, (list, tuple)):
        return [
            name for part in stratify if isinstance(part, (str, StratifyBy)) for name in named_strata(part)
        ]
    return []


def described(stratify: Any, strata: Strata | None) -> Any:
    """Return what was asked for in plain JSON types, as provenance keeps it; arrays go by the argument's name."""
    if strata is None:
        return None
    if isinstance(stratify, Mapping):
        return dict(stratify)
    parts = stratify if isinstance(stratify, (list, tuple)) else [stratify]
    if any(isinstance(part, StratifyBy) for part in parts):
        return ", ".join(part._text() if isinstance(part, StratifyBy) else repr(part) for part in parts)
    names = [column.name for column in strata.columns]
    if hasattr(stratify, "columns"):
        return "stratify"
    return names[0] if len(names) == 1 else names


def resolve_strata(source: Source, stratify: Any) -> Strata | None:
    """Return what `stratify=` asks to balance, or None for nothing.

    Parameters
    ----------
    source : Source
        The data.
    stratify : str, StratifyBy, mapping, array-like, or list of these
        As for `split_by_similarity`.

    Raises
    ------
    InputError
        Unknown columns, values of another length, columns that are not of the kind asked for.
    """
    if stratify is None:
        return None
    parts = _parts(source, stratify)
    if not parts:
        raise InputError("stratify= names no column; leave it out, or name one")
    columns = tuple(_resolve(source, part) for part in parts)
    return Strata(columns)


def _parts(source: Source, stratify: Any) -> list[StratifyBy]:
    if isinstance(stratify, StratifyBy):
        return [stratify]
    if isinstance(stratify, Mapping):
        for name, kind in stratify.items():
            if not isinstance(name, str) or not isinstance(kind, str):
                raise InputError(
                    'stratify= as a mapping says the kind of each column, as in {"income": "continuous"}, got'
                    f" {name!r}: {kind!r}; for options write splitleak.StratifyBy(column, kind=..., bins=...)"
                )
        return [StratifyBy(name, kind) for name, kind in stratify.items()]
    if isinstance(stratify, (list, tuple)) and any(isinstance(part, StratifyBy) for part in stratify):
        return [found for part in stratify for found in _parts(source, part)]
    if isinstance(stratify, (list, tuple)) and stratify and all(isinstance(s, str) for s in stratify):
        named = all(name in source.column_names for name in stratify)
        if named or (source.column_names and len(stratify) != source.n_rows):
            return [StratifyBy(name) for name in stratify]
    if hasattr(stratify, "columns") and getattr(stratify, "ndim", 2) == 2:  # a table: its columns together
        from splitleak._tables import open_source

        table = open_source(stratify)
        return [StratifyBy(table.column(name), name=name) for name in table.column_names]
    return [StratifyBy(stratify)]


def _resolve(source: Source, part: StratifyBy) -> Stratum:
    import pyarrow as pa

    from splitleak._tables.columns import role_of

    if getattr(part.values, "ndim", 1) == 2 and not isinstance(part.values, str):
        return _indicators(source, part)
    _, column = given_column(source, part.values, argument="stratify")
    name = part.values if isinstance(part.values, str) else (part.name or "stratify")
    role, kind = role_of(column.type), part.kind
    listed = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
    if kind == "auto":
        fractions = role == "number" and pa.types.is_floating(column.type) and _has_fractions(column)
        kind = "labels" if listed else "continuous" if fractions else "classes"
    if kind == "labels":
        return _label_sets(name, column, part.separator, listed=listed)
    if kind in ("continuous", "distribution"):
        if role != "number":
            raise InputError(
                f"stratify={name!r} as {kind} must hold numbers, got {column.type}; leave kind out for classes"
            )
        return _continuous(name, _numbers(column), part.bins, cumulative=kind == "distribution")
    factor = resolve_factor(source, part.values, argument="stratify")
    if not factor.levels:
        raise InputError(f"stratify={name!r} has no value in any row: every one is missing")
    return Stratum.classes(name, factor.codes, [str(level) for level in factor.levels])


def _numbers(column: Any) -> NDArray[np.float64]:
    from splitleak._tables.columns import number_matrix, plain

    return number_matrix([plain(column)])[:, 0].astype(np.float64)


def _has_fractions(column: Any) -> bool:
    values = _numbers(column)
    known = values[np.isfinite(values)]
    return len(np.unique(known)) > FEW_NUMBERS and bool((known != np.floor(known)).any())


def _continuous(name: str, values: NDArray[np.float64], bins: int, *, cumulative: bool) -> Stratum:
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        raise InputError(f"stratify={name!r} has no number at all: every value is missing")
    if not np.isfinite(known[[0, -1]]).all():
        rows = np.flatnonzero(np.isinf(values))
        raise InputError(f"stratify={name!r} must be finite; row {rows[0]} has {values[rows[0]]}")
    places = np.arange(1, bins) * len(known) // bins
    edges = np.unique(known[places] + 0.0)
    edges = edges[edges > known[0]]  # else the first bin would be empty
    return Stratum.continuous(name, values, edges.tolist(), cumulative=cumulative)


def _label_sets(name: str, column: Any, separator: str | None, *, listed: bool) -> Stratum:
    from splitleak._tables.columns import plain, role_of

    values = plain(column).to_pylist()
    if not listed:
        if role_of(column.type) != "text" or separator is None:
            raise InputError(
                f"stratify={name!r} as labels must be a column of lists, or of texts with separator= between the"
                f" labels, got {column.type}"
            )
        values = [None if v is None else [t.strip() for t in v.split(separator) if t.strip()] for v in values]
    rows = np.repeat(np.arange(len(values)), [len(v or ()) for v in values]).astype(np.int64)
    found = [label for v in values for label in v or ()]
    bad = next((label for label in found if isinstance(label, (list, dict))), None)
    if bad is not None:
        raise InputError(f"stratify={name!r} must hold lists of plain labels, got the label {bad!r}")
    distinct = sorted({label for label in found if label is not None}, key=lambda v: (str(type(v)), v))
    number = {label: i for i, label in enumerate(distinct)}
    number[None] = -1
    codes = np.array([number[label] for label in found], dtype=np.int64)
    pairs = np.unique(np.stack([rows, codes], axis=1)[codes >= 0], axis=0)  # a label twice counts once
    if not len(pairs):
        raise InputError(f"stratify={name!r} has no label in any row")
    labels = tuple(str(label) for label in distinct)
    return Stratum(name, "labels", labels, pairs[:, 0], pairs[:, 1], len(values))


def _indicators(source: Source, part: StratifyBy) -> Stratum:
    name = part.name or "stratify"
    matrix = part.values.toarray() if hasattr(part.values, "toarray") else np.asarray(part.values)
    if part.kind not in ("auto", "labels"):
        raise InputError(f"stratify= as {part.kind} must be 1-D, got an array of shape {matrix.shape}")
    if len(matrix) != source.n_rows:
        raise InputError(
            f"stratify= must have one line for each of the {source.n_rows:,} rows, got an array of shape"
            f" {matrix.shape}"
        )
    zero_or_one = np.asarray((matrix == 0) | (matrix == 1), dtype=bool)
    if not zero_or_one.all():
        row, column = np.argwhere(~zero_or_one)[0]
        raise InputError(
            "stratify= as a matrix says with 0 and 1 which row has which label; row"
            f" {row} has {matrix[row, column]!r} in column {column}; for several columns of classes give a list"
            " of them, or a table"
        )
    rows, codes = np.nonzero(matrix)
    if not len(rows):
        raise InputError("stratify= is a matrix of zeros only: no row has a label")
    labels = tuple(str(i) for i in range(matrix.shape[1]))
    return Stratum(name, "labels", labels, rows.astype(np.int64), codes.astype(np.int64), len(matrix))


def resolve_weights(source: Source, weights: Any) -> NDArray[np.float64] | None:
    """Return the weight of each row, or None for rows that all count the same.

    Parameters
    ----------
    source : Source
        The data.
    weights : str or array-like of shape (n_rows,), optional
        A column, or values by row position: finite numbers of at least 0, not all of them 0.

    Raises
    ------
    InputError
        Anything else.
    """
    if weights is None:
        return None
    from splitleak._tables.columns import role_of

    _, column = given_column(source, weights, argument="weights")
    what = f"weights={weights!r}" if isinstance(weights, str) else "weights="
    if role_of(column.type) != "number":
        raise InputError(f"{what} must hold numbers, got {column.type}")
    values = _numbers(column)
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if len(bad):
        had = "a missing value" if np.isnan(values[bad[0]]) else f"{values[bad[0]]:g}"
        raise InputError(
            f"{what} must be finite numbers of at least 0; row {bad[0]} has {had}"
            f"{f' ({len(bad):,} such rows)' if len(bad) > 1 else ''}: give it 0, or leave the row out"
        )
    try:
        total = math.fsum(values)
    except OverflowError:
        raise InputError(
            f"{what} sum to more than a float64 can hold (the largest is {values.max():.3g}); only shares of the sum"
            " count: divide them by their largest value"
        ) from None
    if total == 0:
        raise InputError(f"{what} must sum to a finite number above 0, got 0")
    return values
