"""From texts to letters of an alphabet: proteins, DNA, RNA."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError, unknown_option
from splitleak.records import Records

Alphabet = Literal["auto", "protein", "dna", "rna"]
Gaps = Literal["error", "drop"]

PROTEIN = "ARNDCQEGHILKMFPSTWYVBZX*UOJ"
NUCLEOTIDE = "ACGTRYSWKMBDHVN"
_PLAIN = b"ACGTUNacgtun"
_PLAIN_SHARE = 0.9  # of nucleotides with IUPAC codes, so many letters at least are A, C, G, T, U or N
_TELLING = 30  # letters: a protein as long as that has others than A, C, G, T, U and N
_LIKE_RESIDUES = 20  # letters on average: texts of capitals alone are seldom as long
_BLANK, _STRANGE = 254, 255
_SHOWN = 3
_GAP_LETTERS = b"-."
_SPACE = b" \t\r\n"


def encode(
    records: Records, alphabet: Alphabet = "auto", gaps: Gaps = "error"
) -> tuple[NDArray[np.uint8], NDArray[np.int64], str]:
    """Return ``(codes, starts, alphabet)``: the sequences as numbers of their letters.

    Lower case is upper case, white space is left out, stop signs at the end of a protein are stripped, U is T in
    nucleotides. ``alphabet="auto"``: nucleotides when all letters are IUPAC codes of nucleotides, and nine in ten
    of them A, C, G, T, U or N ("rna" when U occurs and T does not), else proteins. ``gaps="drop"`` leaves ``-`` and
    ``.`` out.

    Raises
    ------
    InputError
        Letters that are no residues, gaps, sequences without a residue, nucleotides among proteins; the first rows
        are named.
    """
    if alphabet not in get_args(Alphabet):
        raise unknown_option("alphabet", alphabet, get_args(Alphabet))
    if gaps not in get_args(Gaps):
        raise unknown_option("gaps", gaps, get_args(Gaps))
    buffer, offsets = records.text()
    if alphabet == "auto":
        alphabet = guess_alphabet(buffer)
        if alphabet == "protein":
            _refuse_mixed(buffer, offsets)
    table = _letter_table(alphabet)
    if gaps == "drop":
        table[list(_GAP_LETTERS)] = _BLANK
    codes = table[buffer]
    if (codes == _STRANGE).any():
        _refuse_letters(buffer, offsets, codes, alphabet)
    keep = codes != _BLANK
    starts = np.concatenate([[0], np.cumsum(keep)])[offsets].astype(np.int64)
    codes = codes[keep]
    if alphabet == "protein":
        codes, starts = _without_stops(codes, starts)
    empty = np.diff(starts) == 0
    if empty.any():
        _refuse_empty(empty, np.diff(offsets) > 0)
    return codes, starts, alphabet


def guess_alphabet(buffer: NDArray[np.uint8]) -> Literal["protein", "dna", "rna"]:
    """Return what the letters of all sequences together look like."""
    counts = _letter_counts(buffer)
    counts[[*_SPACE, *_GAP_LETTERS]] = 0
    folded = counts[:128].copy()
    folded[ord("A") : ord("Z") + 1] += folded[ord("a") : ord("z") + 1]
    folded[ord("a") : ord("z") + 1] = 0
    used = {chr(c) for c in np.flatnonzero(folded)}
    plain = int(counts[list(_PLAIN)].sum())
    if not used <= set(NUCLEOTIDE + "U") or plain < _PLAIN_SHARE * int(counts.sum()):
        return "protein"
    return "rna" if "U" in used and "T" not in used else "dna"


def look_like_sequences(records: Records) -> bool:
    """Tell whether all texts are capitals without space, 20 of them on average: residues, not words."""
    buffer, offsets = records.text()
    if len(buffer) < _LIKE_RESIDUES * max(1, records.n_rows) or not len(offsets):
        return False
    used = _letter_counts(buffer[: 1 << 16])
    table = _letter_table("protein")
    capitals = np.zeros(256, dtype=bool)
    capitals[[c for c in range(256) if table[c] < _BLANK and not chr(c).islower()]] = True
    if used[~capitals].any():
        return False
    counts = _letter_counts(buffer)
    return bool(not counts[~capitals].any() and np.count_nonzero(counts) >= 4)


def _letter_counts(buffer: NDArray[np.uint8]) -> NDArray[np.int64]:
    # in parts, since counting takes eight bytes a letter
    counts = np.zeros(256, dtype=np.int64)
    for at in range(0, len(buffer), 1 << 22):
        counts += np.bincount(buffer[at : at + (1 << 22)], minlength=256)
    return counts


def _refuse_mixed(buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
    """Raise where some rows of proteins are nucleotides by their looks."""
    plain = np.zeros(256, dtype=bool)
    plain[list(_PLAIN + _SPACE)] = True
    other = np.concatenate([[0], np.cumsum(~plain[buffer])])[offsets]
    looks = (np.diff(other) == 0) & (np.diff(offsets) >= _TELLING)
    if looks.any():
        rows = np.flatnonzero(looks)
        raise InputError(
            f"data mixes alphabets: {len(rows)} of {len(looks)} rows hold nothing but A, C, G, T, U and N, as"
            f" nucleotides do (rows {_list(rows)}), and others do not; compare each kind by itself, or give"
            " alphabet='protein' if all are proteins"
        )


def _letter_table(alphabet: str) -> NDArray[np.uint8]:
    table = np.full(256, _STRANGE, dtype=np.uint8)
    table[list(_SPACE)] = _BLANK
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
    way = (
        "these are aligned sequences: take the gaps out, or give gaps='drop'"
        if gaps
        else "correct them, or give alphabet="
    )
    kind = "protein residues" if alphabet == "protein" else "nucleotides"
    raise InputError(f"data has {len(rows)} rows with letters that are no {kind}: {', '.join(shown)}; {way}")


def _refuse_empty(empty: NDArray[np.bool_], written: NDArray[np.bool_]) -> None:
    rows = np.flatnonzero(empty & written)
    if len(rows):
        raise InputError(
            f"data has {len(rows)} sequences without a residue, of stop signs, gaps or blanks alone (rows"
            f" {_list(rows)}); drop them"
        )
    rows = np.flatnonzero(empty)
    raise InputError(
        f"data has {len(rows)} empty sequences (rows {_list(rows)}); drop them, or give missing='distinct', which"
        " compares them with nothing"
    )


def _list(rows: NDArray[np.int64]) -> str:
    return ", ".join(str(int(r)) for r in rows[:_SHOWN]) + (", ..." if len(rows) > _SHOWN else "")
