"""How an alignment scores: matrices, gap costs, strands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._optional import require
from splitleak.errors import InputError, unknown_option
from splitleak.similarity.alphabets import NUCLEOTIDE, PROTEIN
from splitleak.similarity.matrices import given_weights, is_matrix_file

Strands = Literal["auto", "both", "forward"]
Matrix = str | Path | Mapping[str, Mapping[str, int]]

_COMPLEMENT = "TGCAYRSWMKVHDBN"
_AMBIGUOUS = {"protein": "BZX*J", "nucleotide": "RYSWKMBDHVN"}

# Henikoff and Henikoff 1992, in half bits, as NCBI distributes it; letters as the first 24 of PROTEIN
_BLOSUM62 = """
 4
-1  5
-2  0  6
-2 -2  1  6
 0 -3 -3 -3  9
-1  1  0  0 -3  5
-1  0  0  2 -4  2  5
 0 -2  0 -1 -3 -2 -2  6
-2  0  1 -1 -3  0  0 -2  8
-1 -3 -3 -3 -1 -3 -3 -4 -3  4
-1 -2 -3 -4 -1 -2 -3 -4 -3  2  4
-1  2  0 -1 -3  1  1 -2 -1 -3 -2  5
-1 -1 -2 -3 -1  0 -2 -3 -2  1  2 -1  5
-2 -3 -3 -3 -2 -3 -3 -3 -1  0  0 -3  0  6
-1 -2 -2 -1 -3 -1 -1 -2 -2 -3 -3 -1 -2 -4  7
 1 -1  1  0 -1  0  0  0 -1 -2 -2  0 -1 -2 -1  4
 0 -1  0 -1 -1 -1 -1 -2 -2 -1 -1 -1 -1 -2 -1  1  5
-3 -3 -4 -4 -2 -2 -3 -2 -2 -3 -2 -3 -1  1 -4 -3 -2 11
-2 -2 -2 -3 -2 -1 -2 -3  2 -1 -1 -2 -1  3 -3 -2 -2  2  7
 0 -3 -3 -3 -1 -2 -2 -3 -3  3  1 -2  1 -1 -2 -2  0 -3 -1  4
-2 -1  3  4 -3  0  1 -1  0 -3 -4  0 -3 -3 -2  0 -1 -4 -3 -3  4
-1  0  0  1 -3  3  4 -2  0 -3 -3  1 -1 -3 -1  0 -1 -3 -2 -2  1  4
 0 -1 -1 -1 -2 -1 -1 -1 -1 -1 -1 -1 -1 -1 -2  0  0 -2 -1 -1 -1 -1 -1
-4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4  1
"""


@dataclass(frozen=True)
class Scheme:
    """How two sequences are scored.

    Attributes
    ----------
    alphabet : {"protein", "dna", "rna"}
        What the letters are.
    weights : int64 array of shape (n_letters, n_letters)
        Score of each pair of letters, symmetric.
    identical : bool array of shape (n_letters,)
        Whether two of this letter count as identical: ambiguous letters do not.
    gap_open, gap_extend : int
        Cost of the first and of each further column of a gap.
    complement : uint8 array of shape (n_letters,) or None
        The complement of each letter where both strands count.
    """

    alphabet: str
    weights: NDArray[np.int64]
    identical: NDArray[np.bool_]
    gap_open: int
    gap_extend: int
    complement: NDArray[np.uint8] | None


def make_scheme(
    alphabet: str, *, matrix: Matrix, gap_open: int | None, gap_extend: int | None, strands: Strands
) -> Scheme:
    """Return the scheme of a known alphabet; see `splitleak.similarity.sequence.alignment` for the options."""
    protein = alphabet == "protein"
    if strands not in get_args(Strands):
        raise unknown_option("strands", strands, get_args(Strands))
    if strands == "both" and protein:
        raise InputError(
            "strands='both' needs nucleotides, and the sequences are proteins; leave strands out"
        )
    letters = PROTEIN if protein else NUCLEOTIDE
    ambiguous = _AMBIGUOUS["protein" if protein else "nucleotide"]
    both = strands == "both" or (strands == "auto" and alphabet == "dna")
    return Scheme(
        alphabet,
        _protein_weights(matrix) if protein else _nucleotide_weights(matrix),
        np.array([letter not in ambiguous for letter in letters]),
        _cost("gap_open", gap_open, 11 if protein else 7),
        _cost("gap_extend", gap_extend, 1 if protein else 2),
        np.array([letters.index(c) for c in _COMPLEMENT], dtype=np.uint8) if both else None,
    )


def _cost(argument: str, value: int | None, default: int) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value <= 1_000:
        raise InputError(f"{argument} must be a whole number from 0 to 1000 (a cost), got {value!r}")
    return int(value)


def _protein_weights(matrix: Matrix) -> NDArray[np.int64]:
    if matrix in ("auto", "BLOSUM62"):
        numbers = iter(_BLOSUM62.split())
        table = np.zeros((24, 24), dtype=np.int64)
        for i in range(24):
            for j in range(i + 1):
                table[i, j] = table[j, i] = int(next(numbers))
    elif isinstance(matrix, Mapping) or is_matrix_file(matrix):
        return given_weights(matrix, PROTEIN, {"U": "C", "O": "K", "J": "X"})
    else:
        table = _matrix_of_parasail(matrix)
    # selenocysteine scores as cysteine and pyrrolysine as lysine, from which they differ; J as any residue
    like = [*range(24), PROTEIN.index("C"), PROTEIN.index("K"), PROTEIN.index("X")]
    return table[np.ix_(like, like)]


def _matrix_of_parasail(name: Matrix) -> NDArray[np.int64]:
    if not isinstance(name, str):
        raise InputError(
            f"matrix must be a name, a file or a mapping of letters to scores, got {type(name).__name__}"
        )
    parasail = require("parasail", extra="sequence", feature=f"matrix={name!r}")
    known = [m for m in dir(parasail) if m.startswith(("blosum", "pam")) and m[-1].isdigit()]
    if name.lower() not in known:
        raise unknown_option("matrix", name, ["BLOSUM62", *(m.upper() for m in known if m != "blosum62")])
    table = np.asarray(getattr(parasail, name.lower()).matrix, dtype=np.int64)
    return np.asarray(np.maximum(table[:24, :24], table[:24, :24].T))


def _nucleotide_weights(matrix: Matrix) -> NDArray[np.int64]:
    if isinstance(matrix, Mapping) or is_matrix_file(matrix):
        return given_weights(matrix, NUCLEOTIDE, {})
    match, mismatch = 2, -3
    if matrix not in ("auto", "dna"):
        try:
            match, mismatch = (int(part) for part in str(matrix).split("/"))
        except ValueError:
            match = mismatch = 0
        if not 0 < match <= 100 or not -100 <= mismatch < 0:
            raise InputError(
                f"matrix={matrix!r} is not for nucleotides; write the scores of a match and a mismatch, such as"
                " '2/-3' (the default), both at most 100 wide, or give a file or a mapping of letters to scores"
            )
    table = np.full((len(NUCLEOTIDE), len(NUCLEOTIDE)), -1, dtype=np.int64)
    table[:4, :4] = mismatch
    table[np.arange(4), np.arange(4)] = match
    return table
