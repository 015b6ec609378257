"""SDF: one row a molecule, with the columns name, smiles and a column for each property.

The name is the first line of an entry, the SMILES is RDKit's canonical one, with stereo. A property that holds numbers
alone is a column of numbers; an entry without it has none. An entry that cannot be parsed has no SMILES (and no
properties), and is named in a warning: ``tanimoto`` refuses it, or sets it aside with ``invalid=distinct``.
"""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from splitleak._optional import require
from splitleak.errors import InputError, SplitleakWarning

ENDINGS = (".sdf",)
SMILES = "smiles"  # the column meant when none is named
_SHOWN = 5


def read_sdf(path: Path, ending: str) -> pa.Table:
    """Read an SDF file, ``.gz`` or not.

    Raises
    ------
    InputError
        No entry, or none that can be parsed.
    MissingDependencyError
        RDKit is not installed.
    """
    chem = require("rdkit.Chem", extra="molecule", feature="an SDF file")
    base = require("rdkit.rdBase", extra="molecule", feature="an SDF file")
    opened = gzip.open if ending.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as file:
        text = file.read()
    names: list[str] = []
    smiles: list[str | None] = []
    found: list[dict[str, str]] = []
    with base.BlockLogs():
        supplier = chem.SDMolSupplier()
        supplier.SetData(text)
        for row in range(len(supplier)):
            names.append(supplier.GetItemText(row).split("\n", 1)[0].strip())
            molecule = supplier[row]
            smiles.append(None if molecule is None else chem.MolToSmiles(molecule))
            found.append(
                {} if molecule is None else {n: molecule.GetProp(n) for n in molecule.GetPropNames()}
            )
    _check(path, names, smiles)
    properties = list(dict.fromkeys(name for one in found for name in one))
    columns = {"name": pa.array(names, pa.large_string()), SMILES: pa.array(smiles, pa.large_string())}
    for name in properties:
        title = name
        while title in columns:  # a property of that name stands beside ours
            title += " (property)"
        columns[title] = _column([one.get(name) for one in found])
    return pa.table(columns)


def _check(path: Path, names: Sequence[str], smiles: Sequence[str | None]) -> None:
    if not names:
        raise InputError(f"data={str(path)!r} has no entry; each ends with a line '$$$$'")
    bad = [row for row, one in enumerate(smiles) if not one]
    if not bad:
        return
    shown = ", ".join(f"{names[row]!r} (row {row})" for row in bad[:_SHOWN])
    more = ", ..." if len(bad) > _SHOWN else ""
    told = f"{len(bad):,} of {len(names):,} entries cannot be parsed by RDKit: {shown}{more}"
    if len(bad) == len(names):
        raise InputError(f"data={str(path)!r}: {told}; is it an SDF file?")
    warnings.warn(f"data={str(path)!r}: {told}; they have no SMILES", SplitleakWarning, stacklevel=2)


def _column(values: Sequence[str | None]) -> pa.Array:
    """Return whole numbers, numbers or texts: the first that holds all values."""
    kinds: list[tuple[Callable[[str], Any], pa.DataType]] = [(int, pa.int64()), (float, pa.float64())]
    for read, kind in kinds:
        try:
            return pa.array([None if value is None else read(value) for value in values], kind)
        except (ValueError, OverflowError):
            continue
    return pa.array(values, pa.large_string())
