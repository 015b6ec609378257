"""The sizes asked for: fractions, counts or "auto", as rows per partition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError

SizesLike = Mapping[str, "float | str"] | Sequence[float] | Literal["auto"] | None

DEFAULT = {"train": 0.8, "dev": 0.1, "test": 0.1}
NAMES = {2: ("train", "test"), 3: ("train", "dev", "test")}
ENOUGH_ROWS = 10_000  # from here on "auto" holds out a fixed number of rows
HELD_OUT = 1_000
WHOLE = 2**40  # the whole weight, in parts that shares are counted in
SUM_TOLERANCE = 1e-6  # 0.1 + 0.2 + 0.7 is not 1 in binary


@dataclass(frozen=True)
class Sizes:
    """Rows asked for in each partition.

    Attributes
    ----------
    names : tuple of str
        Partitions, in the order asked for.
    targets : int64 array of shape (n_partitions,)
        Rows of each partition, at least 1; they sum to the rows of the data.
    asked : object
        What the caller wrote.
    """

    names: tuple[str, ...]
    targets: NDArray[np.int64]
    asked: Any

    def __repr__(self) -> str:
        return ", ".join(f"{name}={target:,}" for name, target in zip(self.names, self.targets, strict=True))


def parse_sizes(sizes: SizesLike, n_rows: int) -> Sizes:
    """Return the rows of each partition.

    Parameters
    ----------
    sizes : mapping, sequence, "auto" or None
        A mapping of partition name to fraction (floats that sum to 1 within 1e-6) or to count (whole numbers
        that sum to `n_rows`); in both, one value may be ``"rest"``. A sequence of 2 (train, test) or 3
        (train, dev, test) fractions or counts. ``"auto"``: from 10,000 rows on, 1,000 each for dev and test,
        the rest train; 80/10/10 below. None: 80/10/10 over train, dev and test.
    n_rows : int
        Rows of the data.

    Returns
    -------
    Sizes
        Fractions are turned into counts by largest remainder (the earlier partition wins a tie), and every
        partition gets at least one row.

    Raises
    ------
    InputError
        Sizes that cannot be read or do not add up, and data with fewer rows than partitions.

    Examples
    --------
    >>> parse_sizes({"train": 0.8, "test": 0.2}, 101)
    train=81, test=20
    >>> parse_sizes({"train": "rest", "test": 500}, 2_000)
    train=1,500, test=500
    """
    if n_rows < 1:
        raise InputError("data has no rows; there is nothing to split")
    named = _named(sizes, n_rows)
    names = tuple(named)
    _check_names(names)
    if len(names) > n_rows:
        raise InputError(
            f"sizes asks for {len(names)} partitions ({', '.join(names)}), and data has {n_rows:,}"
            f" row{'s' * (n_rows > 1)}; each partition needs at least one row: ask for fewer partitions"
        )
    targets = _counts(named, n_rows) if _are_counts(named) else _from_fractions(named, n_rows)
    return Sizes(names, np.array(targets, dtype=np.int64), sizes)


def parse_shares(sizes: SizesLike, n_rows: int) -> Sizes:
    """Return the shares of the weight asked for, as targets that sum to 2**40.

    Parameters
    ----------
    sizes : mapping, sequence, "auto" or None
        As for `parse_sizes`; counts are refused, since they would be of rows. "auto" asks for the shares of the
        weight that its counts are of the rows.
    n_rows : int
        Rows of the data.

    Raises
    ------
    InputError
        As `parse_sizes`, and counts.

    Examples
    --------
    >>> (parse_shares([0.75, 0.25], 10).targets / WHOLE).tolist()
    [0.75, 0.25]
    """
    rows = parse_sizes(sizes, n_rows)
    if sizes == "auto":
        return parse_sizes({n: int(t) / n_rows for n, t in zip(rows.names, rows.targets, strict=True)}, WHOLE)
    named = _named(sizes, n_rows)
    if _are_counts(named):
        raise InputError(
            f"sizes asks for counts of rows ({_listed(named)}), and with weights= sizes are shares of the weight;"
            " write fractions that sum to 1"
        )
    return parse_sizes(named, WHOLE)


def shares_or_rows(sizes: Sizes) -> list[float]:
    """Return the targets as they would be asked for again: rows, or fractions of the weight."""
    targets = sizes.targets.tolist()
    return [round(t / WHOLE, 10) for t in targets] if sum(targets) == WHOLE else targets


def parse_sizes_text(text: str) -> SizesLike:
    """Read sizes as a shell user writes them: ``train=0.8,dev=0.1,test=0.1``, counts, ``rest``, ``auto``.

    Returns
    -------
    mapping, sequence or "auto"
        For `parse_sizes`.

    Raises
    ------
    InputError
        Text that cannot be read, and names given twice.

    Examples
    --------
    >>> parse_sizes_text("train=rest,test=500")
    {'train': 'rest', 'test': 500}
    >>> parse_sizes_text("0.8,0.2")
    [0.8, 0.2]
    """
    if text.strip() == "auto":
        return "auto"
    parts = [part.strip() for part in text.split(",")]
    if not any("=" in part for part in parts):
        return [_number(part, text) for part in parts]  # type: ignore[misc]
    named: dict[str, float | str] = {}
    for part in parts:
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name:
            raise InputError(f"sizes={text!r} cannot be read at {part!r}; write name=value, {_EXAMPLE}")
        if name in named:
            raise InputError(f"sizes={text!r} names {name!r} twice; give each partition a name of its own")
        named[name] = _number(value, text)
    return named


_EXAMPLE = "as in train=0.8,dev=0.1,test=0.1"


def _number(value: str, text: str) -> float | str:
    if value == "rest":
        return value
    for read in (int, float):
        try:
            return read(value)
        except ValueError:
            continue
    raise InputError(f"sizes={text!r} has {value!r} where a fraction, a count or rest must stand, {_EXAMPLE}")


def _named(sizes: Any, n_rows: int) -> dict[Any, Any]:
    if sizes is None:
        return dict(DEFAULT)
    if isinstance(sizes, str):
        if sizes != "auto":
            raise InputError(
                f'sizes={sizes!r} is not known; write "auto", or a mapping such as'
                ' {"train": 0.8, "dev": 0.1, "test": 0.1}'
            )
        if n_rows < ENOUGH_ROWS:
            return dict(DEFAULT)
        return {"train": n_rows - 2 * HELD_OUT, "dev": HELD_OUT, "test": HELD_OUT}
    if isinstance(sizes, Mapping):
        return dict(sizes)
    if isinstance(sizes, (Sequence, np.ndarray)):
        values = list(sizes)
        if len(values) not in NAMES:
            raise InputError(
                f"sizes without names must be 2 numbers (train, test) or 3 (train, dev, test), got"
                f" {len(values)}; name the partitions in a mapping"
            )
        return dict(zip(NAMES[len(values)], values, strict=True))
    raise InputError(
        f'sizes must be a mapping of name to fraction or count, 2 or 3 numbers, "auto" or None, got'
        f" {type(sizes).__name__}"
    )


def _check_names(names: tuple[Any, ...]) -> None:
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"sizes must name each partition with a non-empty string, got {name!r}")
    stripped = [name.strip() for name in names]
    for name in stripped:
        if stripped.count(name) > 1:
            raise InputError(f"sizes names {name!r} twice; give each partition a name of its own")
    if len(names) < 2:
        raise InputError(f"sizes must name at least two partitions, got {len(names)}; add one, such as test")


def _are_counts(named: Mapping[str, Any]) -> bool:
    """Check each value, and say whether they are counts (True) or fractions (False)."""
    rest = [name for name, value in named.items() if isinstance(value, str)]
    for name, value in named.items():
        if isinstance(value, str):
            if value != "rest":
                raise InputError(f"sizes[{name!r}]={value!r} must be a number, or 'rest' for what is left")
        elif isinstance(value, (bool, np.bool_)) or not isinstance(value, Real) or not math.isfinite(value):
            raise InputError(f"sizes[{name!r}] must be a fraction or a whole number of rows, got {value!r}")
        elif value <= 0:
            raise InputError(
                f"sizes[{name!r}] must be above 0, got {value!r}; leave out a partition that is not wanted"
            )
    if len(rest) > 1:
        raise InputError(f"sizes gives 'rest' to {', '.join(rest)}; only one partition can take what is left")
    kinds = {isinstance(value, Integral) for value in named.values() if not isinstance(value, str)}
    if len(kinds) > 1:
        raise InputError(
            f"sizes mixes counts and fractions ({_listed(named)}); write all as fractions that sum to 1, or"
            " all as counts (one may be 'rest')"
        )
    return kinds.pop()


def _counts(named: Mapping[str, Any], n_rows: int) -> list[int]:
    rest = [name for name, value in named.items() if isinstance(value, str)]
    total = sum(int(value) for name, value in named.items() if name not in rest)
    if total > n_rows:
        raise InputError(
            f"sizes asks for {total:,} rows ({_listed(named)}), and data has {n_rows:,}; ask for fewer"
        )
    if rest and total == n_rows:
        raise InputError(
            f"sizes leaves no row for {rest[0]!r}: the other counts sum to all {n_rows:,} rows; ask for fewer"
        )
    if not rest and total < n_rows:
        raise InputError(
            f"sizes adds up to {total:,} rows ({_listed(named)}), and data has {n_rows:,}; write 'rest' for"
            " one of the partitions, or fractions"
        )
    return [n_rows - total if name in rest else int(value) for name, value in named.items()]


def _from_fractions(named: Mapping[str, Any], n_rows: int) -> list[int]:
    known = [float(value) for value in named.values() if not isinstance(value, str)]
    total = math.fsum(known)
    if len(known) < len(named):
        if total >= 1 - SUM_TOLERANCE:
            raise InputError(f"sizes leaves nothing for 'rest': the other fractions add up to {total:.6g}")
        fractions = [1 - total if isinstance(value, str) else float(value) for value in named.values()]
    else:
        if abs(total - 1) > SUM_TOLERANCE:
            raise InputError(
                f"sizes adds up to {total:.6g} ({_listed(named)}), and fractions must add up to 1; change"
                f" one, or divide each by {total:.6g}"
            )
        fractions = known
    return largest_remainder([fraction / math.fsum(fractions) * n_rows for fraction in fractions], n_rows)


def largest_remainder(quotas: Sequence[float], total: int) -> list[int]:
    """Round `quotas` to whole numbers of at least 1 that sum to `total`, which is at least their number.

    Examples
    --------
    >>> largest_remainder([1.5, 1.5, 0.2], 3)
    [1, 1, 1]
    """
    # a quota of 8.999999999999998 is 9 that went through binary fractions
    cleaned = [round(q) if abs(q - round(q)) < 1e-9 * max(1.0, q) else q for q in quotas]
    counts = [max(1, math.floor(q)) for q in cleaned]
    while sum(counts) < total:
        short = max(range(len(counts)), key=lambda i: (cleaned[i] - counts[i], -i))
        counts[short] += 1
    while sum(counts) > total:
        over = max(
            (i for i in range(len(counts)) if counts[i] > 1), key=lambda i: (counts[i] - cleaned[i], i)
        )
        counts[over] -= 1
    return counts


def _listed(named: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in named.items())
