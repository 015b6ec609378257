"""Columns of a table as coordinates: numbers over a spread, categories as codes, missing values by a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError, did_you_mean
from splitleak.records import Records

Scale = Literal["robust", "range", "rank"]
MissingPair = Literal["equal", "ignore", "different"]

_FAR = 2.0**52  # spreads from the centre: coordinates beyond are no finer than 1
_MISSING = 2.0**60
_SHOWN = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Coordinates:
    """Rows as lines of coordinates, columns without weight left out.

    Attributes
    ----------
    values : float64 array of shape (n_rows, n_columns)
        Two values of a column are ``min(1, |a - b|)`` apart; NaN is missing.
    weights : float64 array of shape (n_columns,)
        Each above 0.
    levels : int64 array of shape (n_columns,)
        Number of codes of a column of categories, 0 for numbers.
    names : tuple of str
        Names of the columns.
    spreads : dict of str to float
        What a column of numbers was divided by.
    """

    values: Floats
    weights: Floats
    levels: NDArray[np.int64]
    names: tuple[str, ...]
    spreads: Mapping[str, float]


def coordinates(
    records: Records,
    *,
    scale: Scale,
    missing: MissingPair,
    weights: Mapping[str, float] | None,
    ignore: str | Sequence[str],
    nominal: str | Sequence[str],
) -> Coordinates:
    """Return the coordinates of the rows; the columns' weights are checked first."""
    names, read = _columns(records)
    weight = _weights(names, weights, ignore)
    as_codes = _known_names("nominal", nominal, names)
    used = [j for j in range(len(names)) if weight[j] > 0]
    columns, levels, spreads, tells = [], [], {}, []
    for j in used:
        found = read(j)
        if found.dtype.kind == "f" and names[j] in as_codes:
            found = _number_codes(found)
        absent = np.isnan(found) if found.dtype.kind == "f" else found < 0
        if found.dtype.kind == "f":
            column, spread = _scaled(found, scale)
            levels.append(0)
            spreads[names[j]] = spread
            values = found[~absent]
            varies = len(values) > 0 and bool((values != values[0]).any())
            column[absent] = _MISSING if missing == "equal" else np.nan
        else:
            n_codes = int(found.max(initial=-1)) + 1
            column = found.astype(np.float64)
            column[absent] = n_codes if missing == "equal" else np.nan
            levels.append(n_codes + 1)
            varies = n_codes > 1
        some_absent = bool(absent.any()) and not absent.all() and missing != "ignore"
        columns.append(column + 0.0)  # -0.0 is 0.0
        tells.append(varies or some_absent)
    # columns that tell no rows apart would only make rows look alike
    kept = np.flatnonzero(tells) if any(tells) else np.arange(len(used))
    n = records.n_rows
    return Coordinates(
        np.column_stack([columns[i] for i in kept]) if n else np.empty((0, len(kept))),
        weight[used][kept],
        np.array(levels, dtype=np.int64)[kept],
        tuple(names[used[i]] for i in kept),
        {names[used[i]]: spreads[names[used[i]]] for i in kept if names[used[i]] in spreads},
    )


def _columns(records: Records) -> tuple[list[str], Callable[[int], NDArray[Any]]]:
    """Return the names of the columns, and how each is read: floats, or codes (integers, -1: missing)."""
    if records.kind == "table":
        table = records.table
        assert table is not None
        known = list(table.column_names)  # pyarrow makes the list anew each time it is asked
        return known, lambda j: _read(table.column(j), known[j])
    vectors = records.vectors
    if not isinstance(vectors, np.ndarray):
        raise InputError("similarity='gower' compares dense columns, and the data is sparse; use 'cosine'")
    width = vectors.shape[1]
    names = list(records.columns) if len(records.columns) == width else [str(j) for j in range(width)]
    return names, lambda j: np.asarray(vectors[:, j], dtype=np.float64)


def _read(column: Any, name: str) -> NDArray[Any]:
    import pyarrow as pa

    from splitleak._tables.columns import null_mask, plain, role_of

    column = plain(column)
    kind = column.type
    role = role_of(kind)
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if role == "text" or pa.types.is_boolean(kind) or "binary" in str(kind):
        return _codes(column)
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        column = column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
    elif role != "number":
        raise InputError(
            f"column {name!r} holds {kind} values, which similarity='gower' cannot compare; leave it out with"
            f" ignore={name!r}, or make it text or numbers"
        )
    absent = null_mask(column)
    if absent is not None:
        column = column.fill_null(0.0 if pa.types.is_floating(column.type) else 0)
    numbers = column.to_numpy()
    if numbers.dtype.kind in "iu":
        numbers = _centred(numbers, absent)
    numbers = numbers.astype(np.float64)
    if absent is not None:
        numbers[absent] = np.nan
    return np.asarray(numbers)


def _centred(numbers: NDArray[Any], absent: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Return whole numbers less the least of them, exactly: instants in nanoseconds leave float64's range."""
    if numbers.dtype.itemsize < 8 or not len(numbers):
        return numbers
    known = numbers if absent is None else numbers[~absent]
    low = known.min() if len(known) else numbers.dtype.type(0)
    # the difference of two's complements is right modulo 2**64
    return np.asarray(numbers.view(np.uint64) - low.view(np.uint64))


def _codes(column: Any) -> NDArray[np.int64]:
    codes = column.combine_chunks().dictionary_encode().indices
    return np.asarray(codes.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _number_codes(numbers: Floats) -> NDArray[np.int64]:
    known = ~np.isnan(numbers)
    codes = np.full(len(numbers), -1, dtype=np.int64)
    codes[known] = np.unique(numbers[known], return_inverse=True)[1]
    return codes


def _scaled(numbers: Floats, scale: Scale) -> tuple[Floats, float]:
    """Return numbers over their spread, and the spread; NaN stays."""
    known = numbers[~np.isnan(numbers)]
    finite = known[np.isfinite(known)]
    if scale == "rank":
        return _ranks(numbers), 1.0
    if not len(finite):  # infinity equals itself, and is as far as can be from the other
        scaled = np.full(len(numbers), np.nan)
        scaled[~np.isnan(numbers)] = 2.0 * np.sign(known)
        return scaled, 1.0
    # by a power of two, so that no difference overflows
    exponent = int(np.frexp(np.abs(finite).max())[1])
    small = np.ldexp(finite, -exponent)
    low, high = np.quantile(small, [0.05, 0.95]) if scale == "robust" else (small.min(), small.max())
    if not high > low:
        low, high = small.min(), small.max()
    spread = float(high - low) or 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = (np.ldexp(numbers, -exponent) - low) / spread
    far = ~np.isnan(numbers) & ~(np.abs(scaled) < _FAR)
    if far.any():  # as well infinity: equal to itself, as far as can be from all else
        scaled[far] = 2 * _FAR + 2.0 * np.unique(numbers[far], return_inverse=True)[1]
    with np.errstate(over="ignore"):
        return scaled, float(np.ldexp(spread, exponent))


def _ranks(numbers: Floats) -> Floats:
    """Return the mean rank of each number among all, in [0, 1]."""
    known = ~np.isnan(numbers)
    ranks = np.full(len(numbers), np.nan)
    _, inverse, size = np.unique(numbers[known], return_inverse=True, return_counts=True)
    middle = np.cumsum(size) - (size + 1) / 2
    ranks[known] = (middle / max(1, int(known.sum()) - 1))[inverse]
    return ranks


def _weights(names: list[str], weights: Mapping[str, float] | None, ignore: str | Sequence[str]) -> Floats:
    found = np.ones(len(names))
    if weights is not None:
        if not isinstance(weights, Mapping):
            raise InputError(
                f"weights must be a mapping of column name to weight, got {type(weights).__name__} {weights!r}"
            )
        _known_names("weights", list(weights), names)
        for name, weight in weights.items():
            number = isinstance(weight, (int, float, np.integer, np.floating)) and not isinstance(
                weight, bool
            )
            if not number or not 0 <= weight < np.inf:
                raise InputError(
                    f"weights[{name!r}] must be a finite number of at least 0 (0: ignored), got {weight!r}"
                )
            found[names.index(name)] = weight
    for name in _known_names("ignore", ignore, names):
        found[names.index(name)] = 0.0
    if not found.any():
        raise InputError(
            f"no column is left to compare: all of {', '.join(map(repr, names[:_SHOWN]))} are ignored or have weight 0;"
            " leave one out of ignore= and weights="
        )
    return np.asarray(found / found.max())


def _known_names(argument: str, given: Any, names: list[str]) -> list[str]:
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, (list, tuple, set, frozenset)) or not all(isinstance(n, str) for n in listed):
        raise InputError(f"{argument} must be a column name or a list of column names, got {given!r}")
    for name in listed:
        if name not in names:
            more = ", ..." if len(names) > _SHOWN else ""
            raise InputError(
                f"{argument} names {name!r}, which is not a compared column{did_you_mean(name, names)}"
                f" (compared: {', '.join(map(repr, names[:_SHOWN]))}{more}; columns of stratify=, groups=, time= and"
                " pinned= are left out by themselves)"
            )
    return list(listed)
