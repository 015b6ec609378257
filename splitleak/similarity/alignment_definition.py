"""What "similar" means for two aligned sequences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._scale import similarity_of_log10
from splitleak.errors import InputError, unknown_option
from splitleak.kernels import alignment as kernel
from splitleak.kernels.banded_alignment import Scores, align, local_scores
from splitleak.kernels.composition import letter_shares, score_ratios
from splitleak.similarity.alignment import Scheme
from splitleak.similarity.karlin_altschul import AMINO_ACIDS, Evalues, published, ungapped_rate

Measure = Literal["identity", "score", "evalue"]
Composition = Literal["adjust", "standard"]
Denominator = Literal["alignment", "shorter", "longer"]
Mode = Literal["local", "semiglobal", "global"]

MODES = {"local": kernel.LOCAL, "semiglobal": kernel.SEMIGLOBAL, "global": kernel.GLOBAL}


class Pairs(NamedTuple):
    """Pairs of sequences (`left`, `right`: positions among the prepared ones) and their similarity."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    similarity: NDArray[np.float64]


@dataclass(frozen=True)
class Prepared:
    """Distinct sequences in order of side and length.

    Attributes
    ----------
    sequences : kernel.Sequences
        Their letters.
    lengths, self_scores : int64 arrays of shape (n,)
        Residues, and score of the alignment with itself.
    scheme : Scheme
        How they are scored.
    """

    sequences: kernel.Sequences
    lengths: NDArray[np.int64]
    self_scores: NDArray[np.int64]
    scheme: Scheme


@dataclass(frozen=True)
class Definition:
    """What "similar" means: the options of the backend that decide a similarity."""

    measure: Measure
    denominator: Denominator
    coverage: float
    mode: Mode
    database_size: int | None = None
    composition: Composition = "adjust"
    evalues: Evalues | None = None

    @classmethod
    def checked(
        cls,
        measure: Any,
        denominator: Any,
        coverage: Any,
        mode: Any,
        database_size: Any = None,
        composition: Any = "adjust",
    ) -> Definition:
        """Return the definition, or raise when an option cannot be used."""
        for name, value, known in (
            ("measure", measure, Measure), ("denominator", denominator, Denominator), ("mode", mode, Mode),
            ("composition", composition, Composition),
        ):  # fmt: skip
            if value not in get_args(known):
                raise unknown_option(name, value, get_args(known))
        if coverage is None:  # an E-value tells how long an alignment must be; identity does not
            coverage = 0.0 if measure == "evalue" else 0.5
        if isinstance(coverage, bool) or not isinstance(coverage, (int, float)) or not 0 <= coverage <= 1:
            raise InputError(
                f"coverage must be a number in [0, 1] (aligned columns over the longer sequence), got {coverage!r}"
            )
        _check_evalues(measure, mode, database_size)
        return cls(measure, denominator, float(coverage), mode, database_size, composition)

    def of(self, prepared: Prepared, matrix: Any, lengths: NDArray[np.int64]) -> Definition:
        """Return the definition with what E-values need to know: the scores, and the lengths of all rows."""
        if self.measure != "evalue":
            return self
        s = prepared.scheme
        name = {"auto": "2/-3", "dna": "2/-3"}.get(matrix, matrix) if isinstance(matrix, str) else ""
        if s.alphabet == "protein" and isinstance(matrix, str):
            name = "BLOSUM62" if matrix == "auto" else matrix.upper()
        gumbel = published(name, s.weights, s.gap_open, s.gap_extend)
        if gumbel is None:
            from splitleak.similarity.gumbel_fit import fitted

            gumbel = fitted(s.weights, s.identical, s.gap_open, s.gap_extend)
        found = Evalues(gumbel, float(lengths.sum()), len(lengths), 1 if s.complement is None else 2)
        size = self.database_size
        return replace(self, evalues=found if size is None else found.of_database(float(size)))

    def align(
        self, prepared: Prepared, left: NDArray[np.int64], right: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the similarities of pairs of sequences."""
        s, scheme = prepared.sequences, prepared.scheme
        scores = Scores(scheme.weights, scheme.identical, scheme.gap_open, scheme.gap_extend)
        if self.mode == "local" and self.measure != "identity" and self.coverage == 0:
            return self._of_scores(prepared, local_scores(s, scores, left, right), left, right)
        found = align(s, scores, MODES[self.mode], left, right)
        a, b = prepared.lengths[left], prepared.lengths[right]
        longer = np.maximum(a, b)
        if self.measure != "identity":
            value = self._of_scores(prepared, found.score, left, right)
        else:
            below = {"alignment": found.columns, "shorter": np.minimum(a, b), "longer": longer}
            value = found.identities / np.maximum(below[self.denominator], 1)
        return np.where(found.columns / longer >= self.coverage, np.minimum(value, 1.0), 0.0)

    def _of_scores(
        self,
        prepared: Prepared,
        score: NDArray[np.int64],
        left: NDArray[np.int64],
        right: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        if self.evalues is not None:
            ratio = _composition(prepared, left, right) if self.composition == "adjust" else 1.0
            lengths = prepared.lengths[left], prepared.lengths[right]
            found = similarity_of_log10(self.evalues.log10(score, *lengths, ratio))
            return np.where(score > 0, found, 0.0)  # no alignment at all
        most = np.minimum(prepared.self_scores[left], prepared.self_scores[right])
        return np.asarray(np.minimum(np.maximum(score, 0) / np.maximum(most, 1), 1.0))

    def least_scores(self, prepared: Prepared, threshold: float) -> NDArray[np.int64]:
        """Return what similarity asks of the score of a pair; the smaller number of its two sequences holds."""
        if self.evalues is None:
            return at_least(threshold * prepared.self_scores)
        return at_least(self.evalues.least_scores(prepared.lengths, threshold))

    def least_matches(self, lengths: NDArray[np.int64], threshold: float) -> NDArray[np.int64]:
        """Return how many identical pairs similarity asks of a pair with this shorter or longer length."""
        if self.measure != "identity":
            return np.zeros(len(lengths), dtype=np.int64)
        if self.denominator == "alignment":
            lengths = self.least_columns(lengths)
        return at_least(threshold * lengths)

    def least_columns(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many columns the coverage asks of a pair with this longer length."""
        return np.maximum(at_least(self.coverage * lengths), 1)

    @property
    def of_longer(self) -> bool:
        """Whether `least_matches` goes by the longer sequence."""
        return self.measure == "identity" and self.denominator != "shorter"


def _composition(
    prepared: Prepared, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64] | float:
    """Return the factors of the scores of pairs by the composition of their sequences; of nucleotides, 1."""
    if prepared.scheme.alphabet != "protein":
        return 1.0
    weights = prepared.scheme.weights[:20, :20]
    rows, place = np.unique(np.concatenate([left, right]), return_inverse=True)
    place = place.reshape(-1)
    shares = letter_shares(prepared.sequences.codes, prepared.sequences.starts, rows, np.array(AMINO_ACIDS))
    return score_ratios(shares, weights, ungapped_rate(weights), place[: len(left)], place[len(left) :])


def _check_evalues(measure: Any, mode: Any, database_size: Any) -> None:
    if measure == "evalue" and mode != "local":
        raise InputError(
            f"measure='evalue' needs mode='local', got mode={mode!r}: the scores of local alignments of unrelated"
            " sequences follow a known law, those of global and semi-global ones do not; use measure='score' or"
            " 'identity'"
        )
    if database_size is None:
        return
    if measure != "evalue":
        raise InputError(f"database_size is for measure='evalue' (or max_evalue=), got measure={measure!r}")
    whole = isinstance(database_size, (int, float, np.integer)) and not isinstance(database_size, bool)
    if not whole or not 1 <= database_size < 1e15:
        raise InputError(
            f"database_size must be a number of residues (at least 1), those of all sequences searched,"
            f" got {database_size!r}"
        )


def at_least(bound: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the least whole number that is not below a bound."""
    # a bound on whole numbers must not be too high by a rounding error; the quotients decide ties
    return np.asarray(np.ceil(bound * (1 - 1e-12) - 1e-9), dtype=np.int64)
