"""Similarity of proteins, DNA and RNA by alignment, with the definition of identity stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.errors import InputError, unknown_option
from splitleak.graph import Recall, SimilarityGraph, check_threshold
from splitleak.kernels import alignment as kernel
from splitleak.kernels.hashing import hash_bytes
from splitleak.kernels.strands import first_strands, reverse_complements
from splitleak.records import Records
from splitleak.sampling import mix
from splitleak.similarity.aligned_pairs import (
    Definition,
    Denominator,
    Measure,
    Mode,
    Prepared,
    exhaustive_pairs,
)
from splitleak.similarity.alignment import Alphabet, Scheme, Strands, encode, make_scheme
from splitleak.similarity.base import Neighbours, similarity_backend
from splitleak.similarity.copies import sides_of
from splitleak.similarity.exact import exact
from splitleak.similarity.filtered_pairs import filtered_pairs
from splitleak.similarity.lookups import neighbours_of_pairs

Engine = Literal["auto", "exhaustive", "filtered"]

EXHAUSTIVE_CELLS = 1e13  # letters times letters over all pairs: some eight minutes of one core
LOOKUP_FLOOR = 0.3  # look-ups do not tell similarities below it, where chance reaches
CHANCE_SAMPLE = 64, 256  # sequences, and shuffled ones that they are compared with


@dataclass(frozen=True)
class _Input:
    """Prepared sequences and the rows they come from."""

    prepared: Prepared
    rows: NDArray[np.int64]  # the row of each prepared sequence
    copies: NDArray[np.int64]  # the representative of each row
    hashes: NDArray[
        np.uint64
    ]  # content of each prepared sequence: for samples whatever the order of the rows


def alignment_nearest(
    records: Records,
    queries: NDArray[np.int64],
    *,
    threshold: float,
    sides: NDArray[np.int64],
    measure: Measure = "identity",
    denominator: Denominator = "alignment",
    coverage: float = 0.5,
    mode: Mode = "local",
    matrix: str = "auto",
    gap_open: int | None = None,
    gap_extend: int | None = None,
    alphabet: Alphabet = "auto",
    strands: Strands = "auto",
) -> Neighbours:
    """Compare some rows with all rows, exhaustively; similarities below 0.3 and the threshold are told as 0."""
    definition = Definition.checked(measure, denominator, coverage, mode)
    data = _read(records, None, alphabet, matrix, gap_open, gap_extend, strands, last=queries)
    rows_from = len(data.rows) - len(np.unique(data.copies[queries]))  # the queries stand after all others
    pairs = exhaustive_pairs(data.prepared, definition, min(threshold, LOOKUP_FLOOR), rows_from=rows_from)
    left, right = data.rows[pairs.left], data.rows[pairs.right]
    return neighbours_of_pairs(
        queries, sides, data.copies, left, right, pairs.similarity, threshold=threshold
    )


@similarity_backend("alignment", kinds={"text"}, nearest=alignment_nearest, threshold=0.3)
def alignment(
    records: Records,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
    measure: Measure = "identity",
    denominator: Denominator = "alignment",
    coverage: float = 0.5,
    mode: Mode = "local",
    matrix: str = "auto",
    gap_open: int | None = None,
    gap_extend: int | None = None,
    alphabet: Alphabet = "auto",
    strands: Strands = "auto",
    engine: Engine = "auto",
) -> SimilarityGraph:
    """Join sequences that align well.

    The alignment of a pair is the one of the best score; of several such the one with the most identical pairs of
    residues, and of these the shortest. So a similarity depends on the two sequences only, not on their order or
    on an aligner's way with ties. Equal sequences have similarity 1.

    Parameters
    ----------
    records : Records
        Sequences as text: lower case is upper case, white space and stop signs at the end are left out. Ambiguous
        letters (B, Z, J, X; N and the other IUPAC codes of nucleotides) are aligned and are identical to nothing.
    threshold : float
        Inclusive bound in (0, 1].
    sides : int64 array, optional
        Search only between rows of different sides.
    seed : int
        Of the samples behind the chance level and the measured recall.
    progress : Progress
        Where long stages are told.
    measure : {"identity", "score"}
        Share of identical pairs, or score over the smaller self-score, in [0, 1].
    denominator : {"alignment", "shorter", "longer"}
        What identical pairs are a share of: the columns of the alignment (gaps within it count, free gaps at the
        ends do not), or the residues of the shorter or the longer sequence. Chance reaches 0.3 of the shorter
        sequence easily when lengths differ.
    coverage : float
        Least share in [0, 1] of the longer sequence that the columns of the alignment make up; pairs below it
        have similarity 0.
    mode : {"local", "semiglobal", "global"}
        Smith-Waterman; Needleman-Wunsch with free gaps at all ends; Needleman-Wunsch.
    matrix : str
        "BLOSUM62" (default for proteins), another BLOSUM or PAM by name (with the extra `sequence`); for nucleotides
        the scores of match and mismatch, "2/-3" by default.
    gap_open, gap_extend : int, optional
        Costs of the first and of each further column of a gap; 11 and 1 for proteins, 7 and 2 for nucleotides.
    alphabet : {"auto", "protein", "dna", "rna"}
        "auto": nucleotides when there are no letters but A, C, G, T, U and N. U and T are one letter there; in
        proteins U (selenocysteine) scores as C, and O as K.
    strands : {"auto", "both", "forward"}
        Whether a sequence is also compared with the reverse complement of the other; "auto": of DNA, where a
        reverse complement is a copy.
    engine : {"auto", "exhaustive", "filtered"}
        "exhaustive" misses no pair. "filtered" aligns only pairs that share similar words, and states its recall,
        measured on an exhaustive sample. "auto": exhaustive up to some minutes of work.

    Returns
    -------
    SimilarityGraph
        ``details["chance"]``: the share of pairs at the threshold among shuffled sequences (a sample), and the
        sample's pairs; ``details["alphabet"]``, ``details["engine"]``.

    Raises
    ------
    InputError
        Letters that are no residues, empty sequences, options that do not fit.

    Notes
    -----
    Exhaustive local search: every alignment with m identities in l columns scores at least ``S + x m - y l`` where
    each identity earns x more and each column costs y, so that pairs whose best score under these numbers is lower
    than similar pairs must have are ruled out by a score alone; the rest are aligned in full.

    Smith and Waterman 1981, Gotoh 1982; Henikoff and Henikoff 1992 (BLOSUM62); Rognes 2011 (one target a lane).

    Examples
    --------
    >>> import splitleak
    >>> proteins = ["MKTAYIAKQRQISFVKSHFSRQ", "MKTAYIAKQRQISFVKAHFSRQ", "GAVLIPFWMSTCYNQDEKRH"]
    >>> graph = splitleak.similarity_graph(proteins, similarity="alignment", threshold=0.3)
    >>> graph.left.tolist(), graph.right.tolist(), graph.similarity.round(3).tolist()
    ([0], [1], [0.955])
    """
    definition = Definition.checked(measure, denominator, coverage, mode)
    if engine not in get_args(Engine):
        raise unknown_option("engine", engine, get_args(Engine))
    data = _read(records, sides, alphabet, matrix, gap_open, gap_extend, strands)
    exhaustive = engine == "exhaustive" or (engine == "auto" and _cells(data.prepared) <= EXHAUSTIVE_CELLS)
    recall: Recall | None = None
    if exhaustive:
        pairs = exhaustive_pairs(data.prepared, definition, threshold, progress=progress)
    else:
        pairs, recall = filtered_pairs(
            data.prepared, definition, threshold, _drawn(data, seed), progress=progress
        )
    return SimilarityGraph.build(
        data.rows[pairs.left],
        data.rows[pairs.right],
        pairs.similarity,
        n_rows=records.n_rows,
        threshold=threshold,
        measure="alignment",
        exact=exhaustive,
        recall=recall,
        copies=data.copies,
        details={
            "alphabet": data.prepared.scheme.alphabet,
            "engine": "exhaustive" if exhaustive else "filtered",
            "chance": _chance(data, definition, threshold, seed),
        },
    )


def _drawn(data: _Input, seed: int) -> NDArray[np.uint64]:
    """Return a random number of each sequence, by its content."""
    return mix(data.hashes ^ mix(np.full(len(data.hashes), seed % 2**64, dtype=np.uint64)))


def _cells(prepared: Prepared) -> float:
    strands = 2 if len(prepared.sequences.reverse) else 1
    return strands * float(prepared.lengths.sum()) ** 2 / 2


def _read(
    records: Records,
    sides: NDArray[np.int64] | None,
    alphabet: Alphabet,
    matrix: str,
    gap_open: int | None,
    gap_extend: int | None,
    strands: Strands,
    *,
    last: NDArray[np.int64] | None = None,
) -> _Input:
    """Encode the rows and keep one of each distinct sequence, by side and length, those of `last` at the end."""
    codes, starts, alphabet_taken = encode(records, alphabet)
    scheme = make_scheme(
        alphabet_taken, matrix=matrix, gap_open=gap_open, gap_extend=gap_extend, strands=strands
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
    lengths = np.diff(starts)[rows]
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
    return _Input(prepared, rows[order], copies, hashes[order])


def _check_lengths(lengths: NDArray[np.int64], scheme: Scheme) -> None:
    widest = max(int(np.abs(scheme.weights).max()), scheme.gap_open, scheme.gap_extend, 1)
    limit = min(1 << 19, (1 << 22) // (2 * widest))  # scores and columns have their places in 64 bits
    if lengths.max(initial=0) > limit:
        row = int(lengths.argmax())
        raise InputError(
            f"sequences of up to {limit:,} letters can be aligned, and row {row} has {lengths[row]:,}; cut it, or"
            " compare shared words: similarity='jaccard'"
        )


def chance_level(
    records: Records,
    threshold: float,
    *,
    seed: int = 0,
    measure: Measure = "identity",
    denominator: Denominator = "alignment",
    coverage: float = 0.5,
    mode: Mode = "local",
    matrix: str = "auto",
    gap_open: int | None = None,
    gap_extend: int | None = None,
    alphabet: Alphabet = "auto",
    strands: Strands = "auto",
) -> dict[str, Any]:
    """Return how often unrelated sequences of the same lengths and compositions reach a threshold.

    A sample of up to 64 sequences is compared with up to 256 shuffled ones.

    Parameters
    ----------
    records : Records
        Sequences as text.
    threshold : float
        Inclusive bound in (0, 1].
    seed : int
        Of the sample and the shuffles; they do not depend on the order of the rows.
    measure, denominator, coverage, mode, matrix, gap_open, gap_extend, alphabet, strands
        As for `alignment`.

    Returns
    -------
    dict
        ``share`` in [0, 1] of the ``pairs`` compared that reach the threshold, and their number ``at_or_above``.

    Examples
    --------
    >>> from splitleak.records import as_records
    >>> chance_level(as_records(["MKTAYIAKQRQISFVKSHFSRQ", "GAVLIPFWMSTCYNQDEKRH"]), 0.9)
    {'share': 0.0, 'pairs': 4, 'at_or_above': 0}
    """
    definition = Definition.checked(measure, denominator, coverage, mode)
    data = _read(records, None, alphabet, matrix, gap_open, gap_extend, strands)
    return _chance(data, definition, check_threshold(threshold), seed)


def _chance(data: _Input, definition: Definition, threshold: float, seed: int) -> dict[str, Any]:
    sequences = data.prepared.sequences
    keys = _drawn(data, seed)
    drawn = np.argsort(keys, kind="stable")
    lengths = data.prepared.lengths
    real, shuffled = (
        d[np.argsort(lengths[d], kind="stable")]
        for d in (drawn[: CHANCE_SAMPLE[0]], drawn[: CHANCE_SAMPLE[1]])
    )
    parts = []
    for s in shuffled:
        letters = sequences.codes[sequences.starts[s] : sequences.starts[s + 1]]
        parts.append(np.random.default_rng(int(keys[s])).permutation(letters))
    parts += [sequences.codes[sequences.starts[s] : sequences.starts[s + 1]] for s in real]
    rows = np.concatenate([shuffled, real])  # each part by length, where neighbours share vector lanes
    side = np.repeat(np.array([0, 1]), [len(shuffled), len(real)])
    starts = np.concatenate([[0], np.cumsum(lengths[rows])]).astype(np.int64)
    codes = np.concatenate(parts)
    complement = data.prepared.scheme.complement
    reverse = sequences.reverse if complement is None else reverse_complements(codes, starts, complement)
    sample = Prepared(
        kernel.Sequences(codes, reverse, starts, side),
        lengths[rows],
        data.prepared.self_scores[rows],
        data.prepared.scheme,
    )
    found = len(exhaustive_pairs(sample, definition, threshold, rows_from=len(shuffled)).left)
    compared = len(real) * len(shuffled)
    return {"share": found / compared, "pairs": compared, "at_or_above": found}
