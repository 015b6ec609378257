"""What an alignment compares and how it scores: alphabets, matrices, gap costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._optional import require
from splitleak.errors import InputError, unknown_option
from splitleak.records import Records

Alphabet = Literal["auto", "protein", "dna", "rna"]
Strands = Literal["auto", "both", "forward"]

PROTEIN = "ARNDCQEGHILKMFPSTWYVBZX*UOJ"
NUCLEOTIDE = "ACGTRYSWKMBDHVN"
_COMPLEMENT = "TGCAYRSWMKVHDBN"
_AMBIGUOUS = {"protein": "BZX*J", "nucleotide": "RYSWKMBDHVN"}
_BLANK, _STRANGE = 254, 255
_SHOWN = 3
_GAP_LETTERS = b"-."

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
    alphabet: str, *, matrix: str, gap_open: int | None, gap_extend: int | None, strands: Strands
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


def _protein_weights(matrix: str) -> NDArray[np.int64]:
    if matrix in ("auto", "BLOSUM62"):
        numbers = iter(_BLOSUM62.split())
        table = np.zeros((24, 24), dtype=np.int64)
        for i in range(24):
            for j in range(i + 1):
                table[i, j] = table[j, i] = int(next(numbers))
    else:
        table = _matrix_of_parasail(matrix)
    # selenocysteine scores as cysteine and pyrrolysine as lysine, from which they differ; J as any residue
    like = [*range(24), PROTEIN.index("C"), PROTEIN.index("K"), PROTEIN.index("X")]
    return table[np.ix_(like, like)]


def _matrix_of_parasail(name: str) -> NDArray[np.int64]:
    parasail = require("parasail", extra="sequence", feature=f"matrix={name!r}")
    known = [m for m in dir(parasail) if m.startswith(("blosum", "pam")) and m[-1].isdigit()]
    if not isinstance(name, str) or name.lower() not in known:
        raise unknown_option("matrix", name, ["BLOSUM62", *(m.upper() for m in known if m != "blosum62")])
    table = np.asarray(getattr(parasail, name.lower()).matrix, dtype=np.int64)
    return np.asarray(np.maximum(table[:24, :24], table[:24, :24].T))


def _nucleotide_weights(matrix: str) -> NDArray[np.int64]:
    match, mismatch = 2, -3
    if matrix not in ("auto", "dna"):
        try:
            match, mismatch = (int(part) for part in matrix.split("/"))
        except (ValueError, AttributeError):
            match = mismatch = 0
        if not 0 < match <= 100 or not -100 <= mismatch < 0:
            raise InputError(
                f"matrix={matrix!r} is not for nucleotides; write the scores of a match and a mismatch, such as"
                " '2/-3' (the default), both at most 100 wide"
            )
    table = np.full((len(NUCLEOTIDE), len(NUCLEOTIDE)), -1, dtype=np.int64)
    table[:4, :4] = mismatch
    table[np.arange(4), np.arange(4)] = match
    return table


def encode(records: Records, alphabet: Alphabet = "auto") -> tuple[NDArray[np.uint8], NDArray[np.int64], str]:
    """Return ``(codes, starts, alphabet)``: the sequences as numbers of their letters.

    Lower case is upper case, white space is left out, stop signs at the end of a protein are stripped, U is T in
    nucleotides. ``alphabet="auto"``: nucleotides when all letters are among A, C, G, T, U and N ("rna" when U
    occurs and T does not), else proteins.

    Raises
    ------
    InputError
        Letters that are no residues, gaps, and sequences without a residue; the first rows are named.
    """
    if alphabet not in get_args(Alphabet):
        raise unknown_option("alphabet", alphabet, get_args(Alphabet))
    buffer, offsets = records.text()
    if alphabet == "auto":
        alphabet = _guess(buffer)
    table = _letter_table(alphabet)
    codes = table[buffer]
    if (codes == _STRANGE).any():
        _refuse_letters(buffer, offsets, codes, alphabet)
    keep = codes != _BLANK
    starts = np.concatenate([[0], np.cumsum(keep)])[offsets].astype(np.int64)
    codes = codes[keep]
    if alphabet == "protein":
        codes, starts = _without_stops(codes, starts)
    empty = np.flatnonzero(np.diff(starts) == 0)
    if len(empty):
        raise InputError(
            f"data has {len(empty)} empty sequences, the first in rows {_list(empty)}; drop them, or give"
            " missing='distinct', which compares them with nothing"
        )
    return codes, starts, alphabet


def _guess(buffer: NDArray[np.uint8]) -> Literal["protein", "dna", "rna"]:
    used = {chr(c).upper() for c in np.flatnonzero(np.bincount(buffer, minlength=256))} - set(" \t\r\n")
    if not used <= set("ACGTUN"):
        return "protein"
    return "rna" if "U" in used and "T" not in used else "dna"


def _letter_table(alphabet: str) -> NDArray[np.uint8]:
    table = np.full(256, _STRANGE, dtype=np.uint8)
    table[list(b" \t\r\n")] = _BLANK
    letters = PROTEIN if alphabet == "protein" else NUCLEOTIDE
    for code, letter in enumerate(letters):
        table[[ord(letter), ord(letter.lower())]] = code
    if alphabet != "protein":
        table[list(b"Uu")] = letters.index("T")
    return table


def _without_stops(
    codes: NDArray[np.uint8], starts: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    stop = PROTEIN.index("*")
    residue = np.where(codes != stop, np.arange(1, len(codes) + 1), 0)
    last = np.maximum.accumulate(np.concatenate([[0], residue]))[starts[1:]]
    ends = np.maximum(
        last, starts[:-1]
    )  # one after the last residue; a sequence of stops alone becomes empty
    inside = np.zeros(len(codes) + 1, dtype=np.int64)
    np.add.at(inside, starts[:-1], 1)
    np.subtract.at(inside, ends, 1)
    kept = np.cumsum(inside)[:-1] > 0
    return codes[kept], np.concatenate([[0], np.cumsum(ends - starts[:-1])]).astype(np.int64)


def _refuse_letters(
    buffer: NDArray[np.uint8], offsets: NDArray[np.int64], codes: NDArray[np.uint8], alphabet: str
) -> None:
    places = np.flatnonzero(codes == _STRANGE)
    rows = np.unique(np.searchsorted(offsets, places, side="right") - 1)
    shown = []
    for row in rows[:_SHOWN]:
        text = bytes(buffer[offsets[row] : offsets[row + 1]]).decode(errors="replace")
        strange = codes[offsets[row] : offsets[row + 1]] == _STRANGE
        letters = bytes(buffer[offsets[row] : offsets[row + 1]][strange]).decode(errors="replace")
        shown.append(f"row {row} ({letters[:1]!r} in {text[:20]!r})")
    gaps = np.isin(buffer[places], list(_GAP_LETTERS)).all()
    way = "these are aligned sequences: take the gaps out" if gaps else "correct them, or give alphabet="
    kind = "protein residues" if alphabet == "protein" else "nucleotides"
    raise InputError(f"data has {len(rows)} rows with letters that are no {kind}: {', '.join(shown)}; {way}")


def _list(rows: NDArray[np.int64]) -> str:
    return ", ".join(str(int(r)) for r in rows[:_SHOWN]) + (", ..." if len(rows) > _SHOWN else "")
