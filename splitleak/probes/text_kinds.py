"""What columns of long texts hold: words, residues, molecules, or records that a program wrote."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from splitleak.probes.columns import AuditColumn

TextKind = Literal["words", "sequences", "molecules", "records"]

_LOOKED_AT = 500  # distinct values
_MOSTLY = 0.95
_LEAST_LETTERS = 20  # of a sequence, on average
_KEY = r"""(?:"[^"\\]*"|'[^'\\]*')\s*:"""  # JSON, and a dict of Python as it prints itself
_MARKS = r"""[{}\[\],"']+"""
_RECORD = r"""^\s*[\[{].*[\]}]\s*$"""
_RESIDUES = r"^[A-Z]+[*]?$"
_SMILES = r"^[A-Za-z0-9@+\-\[\]()=#$/\\%.:*~]+$"  # the characters of a SMILES
_BONDS = r"[=#()\[\]]|[a-z]1"


def text_kind(column: AuditColumn) -> TextKind:
    """Return what the values of a column look like; molecules also by the name of the column."""
    distinct = _some_values(column)
    if not len(distinct):
        return "words"
    if _share(distinct, _RECORD) >= _MOSTLY and _share(distinct, _KEY) >= 0.5:
        return "records"
    if (
        _share(distinct, _RESIDUES) == 1
        and float(pc.mean(pc.utf8_length(distinct)).as_py()) >= _LEAST_LETTERS
    ):
        return "sequences"
    if (
        "smiles" in column.name.lower()
        and _share(distinct, _SMILES) >= _MOSTLY
        and _share(distinct, _BONDS) >= 0.5
    ):
        return "molecules"
    return "words"


def record_values(column: Any) -> Any:
    """Return records as texts of their values: names of fields and brackets are the form, which all rows share."""
    texts = pc.replace_substring_regex(column.cast(pa.large_string()), _KEY, " ")
    texts = pc.replace_substring_regex(texts, _MARKS, " ")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, r"\s+", " "))


def _some_values(column: AuditColumn) -> Any:
    levels = [level for level in column.levels if isinstance(level, str)]
    some = np.linspace(0, max(0, len(levels) - 1), min(_LOOKED_AT, len(levels))).astype(int)
    return pa.array([levels[i] for i in some], pa.large_string())


def _share(values: Any, pattern: str) -> float:
    return float(pc.mean(pc.match_substring_regex(values, pattern).cast(pa.float64())).as_py())
