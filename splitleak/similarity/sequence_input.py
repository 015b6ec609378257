"""From rows of text to distinct, encoded sequences that can be aligned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError
from splitleak.kernels import alignment as kernel
from splitleak.kernels.hashing import hash_bytes
from splitleak.kernels.strands import first_strands, reverse_complements
from splitleak.records import Records
from splitleak.sampling import mix
from splitleak.similarity.alignment import Matrix, Scheme, Strands, make_scheme
from splitleak.similarity.alignment_definition import Prepared
from splitleak.similarity.alphabets import Alphabet, Gaps, encode
from splitleak.similarity.copies import sides_of
from splitleak.similarity.exact import exact


@dataclass(frozen=True)
class Reading:
    """The options of the backend that decide how sequences are read and scored."""

    alphabet: Alphabet
    matrix: Matrix
    gap_open: int | None
    gap_extend: int | None
    strands: Strands
    gaps: Gaps
    protein_gap_open: int = 11  # where gap_open is left out


@dataclass(frozen=True)
class Input:
    """Prepared sequences and the rows they come from.

    Attributes
    ----------
    prepared : Prepared
        One of each distinct sequence.
    rows : int64 array of shape (n,)
        The row of each prepared sequence.
    copies : int64 array of shape (n_rows,)
        The representative of each row.
    hashes : uint64 array of shape (n,)
        Content of each prepared sequence: for samples whatever the order of the rows.
    lengths : int64 array of shape (n_rows,)
        Letters of each row.
    """

    prepared: Prepared
    rows: NDArray[np.int64]
    copies: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    lengths: NDArray[np.int64]

    def drawn(self, seed: int) -> NDArray[np.uint64]:
        """Return a random number of each sequence, by its content."""
        return mix(self.hashes ^ mix(np.full(len(self.hashes), seed % 2**64, dtype=np.uint64)))

    @property
    def cells(self) -> float:
        """Cells of the matrices of all pairs."""
        strands = 2 if len(self.prepared.sequences.reverse) else 1
        return strands * float(self.prepared.lengths.sum()) ** 2 / 2


def read_sequences(
    records: Records,
    sides: NDArray[np.int64] | None,
    reading: Reading,
    *,
    last: NDArray[np.int64] | None = None,
) -> Input:
    """Encode the rows and keep one of each distinct sequence, by side and length, those of `last` at the end."""
    codes, starts, alphabet = encode(records, reading.alphabet, reading.gaps)
    scheme = make_scheme(
        alphabet,
        matrix=reading.matrix,
        gap_open=reading.protein_gap_open
        if reading.gap_open is None and alphabet == "protein"
        else reading.gap_open,
        gap_extend=reading.gap_extend,
        strands=reading.strands,
    )
    _check_lengths(np.diff(starts), scheme)
    if scheme.complement is not None:
        # a sequence and its reverse complement are copies: both stand as the one that comes first
        codes = first_strands(codes, reverse_complements(codes, starts, scheme.complement), starts)
    texts = Records("text", records.n_rows, buffer=codes, offsets=starts)
    copies = exact(normalize=False).graph(texts).copies
    if copies is None:
        copies = np.arange(records.n_rows)
    rows = np.flatnonzero(copies == np.arange(records.n_rows))
    side, none = sides_of(copies, rows, sides), np.empty(0, dtype=np.int64)
    all_lengths = np.diff(starts)
    lengths = all_lengths[rows]
    later = np.isin(rows, copies[none if last is None else last])
    hashes = hash_bytes(codes, starts)[rows]  # ties by content: the order of the rows must not matter
    order = np.lexsort((hashes, lengths, later if side is None else side, later))
    distinct = texts.take(rows[order])
    codes, starts = distinct.text()
    reverse = np.empty(0, dtype=np.uint8)
    if scheme.complement is not None:
        reverse = reverse_complements(codes, starts, scheme.complement)
    sequences = kernel.Sequences(codes, reverse, starts, none if side is None else side[order])
    self_scores = np.add.reduceat(np.diag(scheme.weights)[codes], starts[:-1])
    prepared = Prepared(sequences, lengths[order], self_scores, scheme)
    return Input(prepared, rows[order], copies, hashes[order], all_lengths)


def _check_lengths(lengths: NDArray[np.int64], scheme: Scheme) -> None:
    widest = max(int(np.abs(scheme.weights).max()), scheme.gap_open, scheme.gap_extend, 1)
    limit = min(1 << 19, (1 << 22) // (2 * widest))  # scores and columns have their places in 64 bits
    if lengths.max(initial=0) > limit:
        row = int(lengths.argmax())
        raise InputError(
            f"sequences of up to {limit:,} letters can be aligned, and row {row} has {lengths[row]:,}; cut it, or"
            " compare shared words: similarity='jaccard'"
        )
