"""Similarity of proteins, DNA and RNA by alignment, with the definition of identity stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak._scale import similarity_of_evalue
from splitleak.errors import InputError, unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.recall import Recall
from splitleak.records import Records
from splitleak.similarity import base
from splitleak.similarity.aligned_pairs import exhaustive_pairs
from splitleak.similarity.alignment import Matrix, Strands
from splitleak.similarity.alignment_definition import Composition, Definition, Denominator, Measure, Mode
from splitleak.similarity.alphabets import Alphabet, Gaps
from splitleak.similarity.base import Backend, Neighbours, similarity_backend
from splitleak.similarity.filtered_pairs import filtered_pairs
from splitleak.similarity.lookups import neighbours_of_pairs
from splitleak.similarity.mmseqs import mmseqs_candidates
from splitleak.similarity.score_bounds import choose_bound
from splitleak.similarity.sequence_chance import chance_level
from splitleak.similarity.sequence_input import Reading, read_sequences

Engine = Literal["auto", "exhaustive", "filtered", "mmseqs"]

EXHAUSTIVE_CELLS = 1e13  # letters times letters over all pairs: some eight minutes of one core
_EVALUE_CELLS = 4 * EXHAUSTIVE_CELLS  # the filter saves next to nothing where far relatives count
LOOKUP_FLOOR = 0.3  # look-ups do not tell similarities below it, where chance reaches
LOOKUP_EVALUE = float(similarity_of_evalue(10.0))  # the same for E-values
_PROTEIN_GAP_OPEN = {"identity": 11, "score": 11, "evalue": 12}  # 12 and 1: what BLAST writes as 11 and 1


def alignment_nearest(
    records: Records,
    queries: NDArray[np.int64],
    *,
    threshold: float,
    sides: NDArray[np.int64],
    measure: Measure = "identity",
    denominator: Denominator = "alignment",
    coverage: float | None = None,
    mode: Mode = "local",
    matrix: Matrix = "auto",
    gap_open: int | None = None,
    gap_extend: int | None = None,
    alphabet: Alphabet = "auto",
    strands: Strands = "auto",
    gaps: Gaps = "error",
    database_size: int | None = None,
    composition: Composition = "adjust",
) -> Neighbours | None:
    """Compare some rows with all rows, exhaustively; similarities below 0.3 and the threshold are told as 0.

    Of E-values those above 10 and the threshold. None where that takes too long: more than `EXHAUSTIVE_CELLS`.
    """
    definition = Definition.checked(measure, denominator, coverage, mode, database_size, composition)
    reading = Reading(
        alphabet, matrix, gap_open, gap_extend, strands, gaps, _PROTEIN_GAP_OPEN[definition.measure]
    )
    data = read_sequences(records, None, reading, last=queries)
    definition = definition.of(data.prepared, matrix, data.lengths)
    rows_from = len(data.rows) - len(np.unique(data.copies[queries]))  # the queries stand after all others
    if data.cells * min(1, 2 * (1 - rows_from / len(data.rows))) > EXHAUSTIVE_CELLS:
        return None
    floor = min(threshold, LOOKUP_FLOOR if definition.evalues is None else LOOKUP_EVALUE)
    pairs = exhaustive_pairs(data.prepared, definition, floor, rows_from=rows_from)
    left, right = data.rows[pairs.left], data.rows[pairs.right]
    found = neighbours_of_pairs(
        queries, sides, data.copies, left, right, pairs.similarity, threshold=threshold
    )
    return found._replace(floor=floor)


@similarity_backend("alignment", kinds={"text"}, nearest=alignment_nearest, threshold=0.4)
def _alignment(
    records: Records,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
    measure: Measure = "identity",
    denominator: Denominator = "alignment",
    coverage: float | None = None,
    mode: Mode = "local",
    matrix: Matrix = "auto",
    gap_open: int | None = None,
    gap_extend: int | None = None,
    alphabet: Alphabet = "auto",
    strands: Strands = "auto",
    gaps: Gaps = "error",
    database_size: int | None = None,
    composition: Composition = "adjust",
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
        A stop sign within a protein is a letter of its own.
    threshold : float
        Inclusive bound in (0, 1].
    sides : int64 array, optional
        Search only between rows of different sides.
    seed : int
        Of the samples behind the chance level and the measured recall.
    progress : Progress
        Where long stages are told.
    measure : {"identity", "score", "evalue"}
        Share of identical pairs, or score over the smaller self-score, in [0, 1]; or the E-value, then the threshold is
        the largest E-value of a similar pair (``alignment(max_evalue=1e-3)`` says both). See the notes.
    denominator : {"alignment", "shorter", "longer"}
        What identical pairs are a share of: the columns of the alignment (gaps within it count, free gaps at the
        ends do not), or the residues of the shorter or the longer sequence. Chance reaches 0.3 of the shorter
        sequence easily when lengths differ.
    coverage : float, optional
        Least share in [0, 1] of the longer sequence that the columns of the alignment make up; pairs below it
        have similarity 0. Default: 0.5, of E-values 0.
    mode : {"local", "semiglobal", "global"}
        Smith-Waterman; Needleman-Wunsch with free gaps at all ends; Needleman-Wunsch.
    matrix : str
        "BLOSUM62" (default for proteins), another BLOSUM or PAM by name (with the extra `sequence`); for nucleotides
        the scores of match and mismatch, "2/-3" by default.
    gap_open, gap_extend : int, optional
        Costs of the first and of each further column of a gap; 11 and 1 for proteins (of E-values 12 and 1, which
        BLAST calls existence 11, extension 1), 7 and 2 for nucleotides.
    alphabet : {"auto", "protein", "dna", "rna"}
        "auto": nucleotides when all letters are IUPAC codes of nucleotides, nine in ten of them A, C, G, T, U or N.
        U and T are one letter there; in proteins U (selenocysteine) scores as C, and O as K. Rows of 30 letters and
        more that look like nucleotides among proteins are refused unless the alphabet is named.
    strands : {"auto", "both", "forward"}
        Whether a sequence is also compared with the reverse complement of the other; "auto": of DNA, where a
        reverse complement is a copy.
    gaps : {"error", "drop"}
        What ``-`` and ``.`` are (aligned sequences): refused, or left out.
    database_size : int, optional
        Residues that E-values are counted over; default: those of all rows. E-values grow in proportion, so that those
        of data of different sizes compare only at one size.
    composition : {"adjust", "standard"}
        Of E-values of proteins: "adjust" scales the scores of a pair down where its amino acids score well by
        chance, as BLAST does; "standard" takes all proteins to be composed alike.
    engine : {"auto", "exhaustive", "filtered", "mmseqs"}
        "exhaustive" misses no pair. "filtered" aligns only pairs that share similar words, and states its recall,
        measured on an exhaustive sample. "mmseqs" does the same with the candidates of MMseqs2's prefilter (proteins
        only; extra `mmseqs`, or the program on the PATH). "auto": exhaustive up to some eight minutes of
        one core, of E-values half an hour: there the filter saves little.

    Returns
    -------
    SimilarityGraph
        ``details["chance"]``: a `splitleak.chance.Chance`, the similarities of a sample of the sequences to
        shuffled ones (each of its own length and composition), with the `share` of pairs that reach a threshold;
        ``details["alphabet"]``, ``details["engine"]``.

    Raises
    ------
    InputError
        Letters that are no residues, empty sequences, options that do not fit.

    Notes
    -----
    Exhaustive local search: every alignment with m identities in l columns scores at least ``S + x m - y l`` where
    each identity earns x more and each column costs y, so that pairs whose best score under these numbers is lower
    than similar pairs must have are ruled out by a score alone; the rest are aligned in full.

    E-values: ``K m' N' exp(-lambda S)`` with the published parameters of the matrix and the costs of gaps where there
    are some (those of BLAST), else with fitted ones, see `splitleak.similarity.karlin_altschul`; lengths less BLAST's
    length adjustment; scores scaled by the composition of the pair (Schaeffer et al. 2001); of the two sequences as
    queries the smaller E-value. Where both strands count, twice that. Inside, the similarity of an E-value is
    ``(1 - y / (10 + |y|)) / 2`` with y = log10 E: strictly decreasing in E, so that E = 1 is 0.5, 1e-10 is 0.75 and
    0 is 1.

    Smith and Waterman 1981, Gotoh 1982; Henikoff and Henikoff 1992 (BLOSUM62); Rognes 2011 (one target a lane).

    Examples
    --------
    >>> import splitleak
    >>> proteins = ["MKTAYIAKQRQISFVKSHFSRQ", "MKTAYIAKQRQISFVKAHFSRQ", "GAVLIPFWMSTCYNQDEKRH"]
    >>> graph = splitleak.similarity_graph(proteins, similarity="alignment", threshold=0.3)
    >>> graph.left.tolist(), graph.right.tolist(), graph.similarity.round(3).tolist()
    ([0], [1], [0.955])
    >>> graph = splitleak.similarity_graph(proteins, similarity="alignment(max_evalue=1e-3)")
    >>> [f"{evalue:.1e}" for evalue in graph.frame().evalue]
    ['2.1e-09']
    """
    definition = Definition.checked(measure, denominator, coverage, mode, database_size, composition)
    if engine not in get_args(Engine):
        raise unknown_option("engine", engine, get_args(Engine))
    reading = Reading(
        alphabet, matrix, gap_open, gap_extend, strands, gaps, _PROTEIN_GAP_OPEN[definition.measure]
    )
    data = read_sequences(records, sides, reading)
    definition = definition.of(data.prepared, matrix, data.lengths)
    affordable = EXHAUSTIVE_CELLS if definition.evalues is None else _EVALUE_CELLS
    exhaustive = engine == "exhaustive" or (engine == "auto" and data.cells <= affordable)
    bound = choose_bound(data.prepared, definition, threshold)
    recall: Recall | None = None
    if exhaustive:
        pairs = exhaustive_pairs(data.prepared, definition, threshold, bound=bound, progress=progress)
    else:
        find = mmseqs_candidates if engine == "mmseqs" else None
        pairs, recall = filtered_pairs(
            data.prepared, definition, threshold, data.drawn(seed), find=find, bound=bound, progress=progress
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
            "engine": "exhaustive" if exhaustive else "mmseqs" if engine == "mmseqs" else "filtered",
            "chance": chance_level(data, definition, threshold, seed, bound=bound),
        },
    )


@dataclass(frozen=True)
class AlignmentBackend(Backend):
    """The backend of alignments: ``max_evalue`` is another way to state measure and threshold."""

    def __call__(self, threshold: float | None = None, /, **options: Any) -> Backend:
        """Return this backend with a default threshold (of E-values, the largest) and options."""
        if options.get("max_evalue") is None:
            return super().__call__(threshold, **{k: v for k, v in options.items() if k != "max_evalue"})
        largest = options.pop("max_evalue")
        if threshold is not None:
            raise InputError(f"give a threshold ({threshold!r}) or max_evalue ({largest!r}), not both")
        if options.get("measure", "evalue") != "evalue":
            raise InputError(f"max_evalue= is for measure='evalue', got measure={options['measure']!r}")
        return super().__call__(largest, **{**options, "measure": "evalue"})

    def _option_names(self) -> list[str]:
        return [*super()._option_names(), "max_evalue"]


alignment = AlignmentBackend(**vars(_alignment))
base._REGISTRY["alignment"] = alignment
