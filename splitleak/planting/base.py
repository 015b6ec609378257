"""What a planted leak is, the register of its kinds, and the door through which one is planted."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from splitleak.errors import InputError, NotPlantable, unknown_option

Rows: TypeAlias = NDArray[np.int64]
Labels: TypeAlias = NDArray[np.object_]
Rng: TypeAlias = np.random.Generator
StrengthName = Literal["weak", "ordinary", "strong"]
_NO_ROWS = np.zeros(0, np.int64)


class Leak(NamedTuple):
    """What the function of one kind hands back; `codes` where they differ from those of the kind."""

    table: pd.DataFrame
    split: Labels
    columns: tuple[Any, ...] = ()
    rows: Rows = _NO_ROWS
    extra: Mapping[str, Any] = MappingProxyType({})
    codes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Planted:
    """A table with a leak in it, and what a right report names.

    Attributes
    ----------
    table : pandas.DataFrame
        The table with the leak. The table that was given is left as it was.
    split : numpy.ndarray of object, one per row of `table`
        Partition of each row.
    target : hashable
        The target's column.
    kind : str
        One of `KINDS`.
    codes : tuple of str
        Probe codes that count as a detection; where `honest`, the codes that must stay silent.
    columns : tuple
        Columns that a right report names; empty where no column is at fault.
    rows : numpy.ndarray of int64
        Row positions in `table` that a right report names, of test where a leak lies between train and test; empty
        where no row is at fault.
    strength : float
        How strong it is, in the unit that ``KINDS[kind].meaning`` says.
    honest : bool
        A control: the same work done the right way, so that there is nothing to find.
    extra : dict
        What the report needs to be told (``time``, ``groups``: a column; ``pipeline``, ``raw``: a fitted object and
        the table before it, with ``pipeline_codes``: what counts as a detection then), and what helps to judge it
        (``partners``: rows that may be named as well; ``unchanged``: those of `columns` into which nothing leaked,
        since the work done the right way gives them as well; ``tokens``).
    """

    table: pd.DataFrame
    split: Labels
    target: Any
    kind: str
    codes: tuple[str, ...]
    columns: tuple[Any, ...]
    rows: Rows
    strength: float
    honest: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


PlantFunction: TypeAlias = Callable[[pd.DataFrame, Any, Labels, Rng, float], Leak]


@dataclass(frozen=True)
class PlantedKind:
    """A kind of leak: call it with ``(table, target, split, rng, strength)`` to get a `Planted`.

    Attributes
    ----------
    name, title : str
        Its name in `KINDS`, and what was done in a few words.
    codes : tuple of str
        Probe codes that count as a detection; where `honest`, the codes that must stay silent.
    strengths : dict of str to float
        The numbers behind ``"weak"``, ``"ordinary"`` and ``"strong"``.
    meaning : str
        What the number is.
    honest : bool
        A control: nothing to find.
    in_data : bool
        False where the table alone cannot show it, only the fitted object in ``extra["pipeline"]``.
    """

    name: str
    title: str
    codes: tuple[str, ...]
    strengths: Mapping[StrengthName, float]
    meaning: str
    function: PlantFunction = field(repr=False)
    honest: bool = False
    in_data: bool = True

    def __call__(
        self, table: pd.DataFrame, target: Any, split: ArrayLike, rng: Rng, strength: float
    ) -> Planted:
        """Plant it; raise NotPlantable with the reason where the table does not allow it."""
        labels = _checked(table, target, split)
        leak = self.function(table, target, labels, rng, strength)
        return Planted(
            table=leak.table,
            split=leak.split,
            target=target,
            kind=self.name,
            codes=self.codes if leak.codes is None else leak.codes,
            columns=tuple(leak.columns),
            rows=np.unique(leak.rows).astype(np.int64),
            strength=float(strength),
            honest=self.honest,
            extra=dict(leak.extra),
        )


KINDS: dict[str, PlantedKind] = {}


def planted(
    name: str,
    title: str,
    codes: tuple[str, ...],
    *,
    weak: float,
    ordinary: float,
    strong: float,
    meaning: str,
    honest: bool = False,
    in_data: bool = True,
) -> Callable[[PlantFunction], PlantFunction]:
    """Register the function of a kind."""

    def register(function: PlantFunction) -> PlantFunction:
        strengths: dict[StrengthName, float] = {"weak": weak, "ordinary": ordinary, "strong": strong}
        KINDS[name] = PlantedKind(name, title, codes, strengths, meaning, function, honest, in_data)
        return function

    return register


def plant(
    kind: str,
    table: pd.DataFrame,
    target: Any,
    split: ArrayLike,
    *,
    strength: float | StrengthName = "ordinary",
    seed: int = 0,
) -> Planted:
    """Plant a leak of one kind in a copy of a table.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    table : pandas.DataFrame
        Inputs and target; left as it is.
    target : hashable
        The target's column.
    split : array of str, one per row
        Partitions; ``"train"`` and ``"test"`` are used, rows of others stay as they are where the kind allows it.
    strength : float, "weak", "ordinary" or "strong"
        A number in the unit of ``KINDS[kind].meaning``, or one of the kind's three.
    seed : int
        The same seed on the same table plants the same leak. Rows are drawn by position.

    Raises
    ------
    NotPlantable
        With the reason why this kind cannot be planted in this table.
    InputError
        Unknown kind, strength or target; a split of another length, or without train or test rows.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"x": range(100), "y": [0, 1] * 50})
    >>> leak = plant("copies_of_rows", table, "y", ["train"] * 80 + ["test"] * 20, strength=0.1)
    >>> leak.codes, leak.rows.size
    (('SPL101',), 2)
    """
    if kind not in KINDS:
        raise unknown_option("kind", kind, KINDS)
    chosen = KINDS[kind]
    if isinstance(strength, str):
        if strength not in chosen.strengths:
            raise unknown_option("strength", strength, chosen.strengths)
        strength = chosen.strengths[strength]
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])  # the kinds of one seed draw independently
    return chosen(table, target, split, rng, float(strength))


def _checked(table: pd.DataFrame, target: Any, split: ArrayLike) -> Labels:
    if target not in table.columns:
        raise InputError(
            f"target={target!r} is not a column of the table; columns: {list(table.columns)[:10]}"
        )
    if not table.columns.is_unique:
        raise InputError(
            "the table has several columns of one name; rename them, so that a leak can be named"
        )
    labels = np.array(split, dtype=object)
    if labels.shape != (len(table),):
        raise InputError(
            f"split must be one label per row: the table has {len(table)} rows, split has shape {labels.shape}"
        )
    for name in ("train", "test"):
        if not (labels == name).any():
            raise InputError(f"split has no row of {name!r}; leaks are planted between 'train' and 'test'")
    if table[target].isna().any():
        raise NotPlantable("the target has missing values; drop these rows first")
    return labels
