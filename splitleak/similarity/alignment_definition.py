"""What "similar" means for two aligned sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError, unknown_option
from splitleak.kernels import alignment as kernel
from splitleak.kernels.banded_alignment import Scores, align
from splitleak.similarity.alignment import Scheme

Measure = Literal["identity", "score"]
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

    @classmethod
    def checked(cls, measure: Any, denominator: Any, coverage: Any, mode: Any) -> Definition:
        """Return the definition, or raise when an option cannot be used."""
        given = {"measure": measure, "denominator": denominator, "mode": mode}
        for name, known in (("measure", Measure), ("denominator", Denominator), ("mode", Mode)):
            if given[name] not in get_args(known):
                raise unknown_option(name, given[name], get_args(known))
        if isinstance(coverage, bool) or not isinstance(coverage, (int, float)) or not 0 <= coverage <= 1:
            raise InputError(
                f"coverage must be a number in [0, 1] (aligned columns over the longer sequence), got {coverage!r}"
            )
        return cls(measure, denominator, float(coverage), mode)

    def align(
        self, prepared: Prepared, left: NDArray[np.int64], right: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the similarities of pairs of sequences."""
        s, scheme = prepared.sequences, prepared.scheme
        scores = Scores(scheme.weights, scheme.identical, scheme.gap_open, scheme.gap_extend)
        found = align(s, scores, MODES[self.mode], left, right)
        a, b = prepared.lengths[left], prepared.lengths[right]
        longer = np.maximum(a, b)
        if self.measure == "score":
            most = np.minimum(prepared.self_scores[left], prepared.self_scores[right])
            value = np.maximum(found.score, 0) / np.maximum(most, 1)
        else:
            below = {"alignment": found.columns, "shorter": np.minimum(a, b), "longer": longer}
            value = found.identities / np.maximum(below[self.denominator], 1)
        return np.where(found.columns / longer >= self.coverage, np.minimum(value, 1.0), 0.0)

    def least_matches(self, lengths: NDArray[np.int64], threshold: float) -> NDArray[np.int64]:
        """Return how many identical pairs similarity asks of a pair with this shorter or longer length."""
        if self.measure == "score":
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


def at_least(bound: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the least whole number that is not below a bound."""
    # a bound on whole numbers must not be too high by a rounding error; the quotients decide ties
    return np.asarray(np.ceil(bound * (1 - 1e-12) - 1e-9), dtype=np.int64)
