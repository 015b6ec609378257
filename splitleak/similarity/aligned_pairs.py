"""Pairs of sequences that align well: what "similar" means, and the exhaustive search for such pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.errors import InputError, unknown_option
from splitleak.kernels import alignment as kernel
from splitleak.kernels import score_scan
from splitleak.kernels.lane_sweep import SCORE_LANES
from splitleak.similarity.alignment import Scheme

Measure = Literal["identity", "score"]
Denominator = Literal["alignment", "shorter", "longer"]
Mode = Literal["local", "semiglobal", "global"]

MODES = {"local": kernel.LOCAL, "semiglobal": kernel.SEMIGLOBAL, "global": kernel.GLOBAL}
_BLOCK = 1 << 20  # pairs at a time
_ALIGN_COST = 12  # CPU time of a cell in full alignment, over that of a cell in the scan
_BOUNDS = [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (6, 1), (8, 2)]


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
        costs = scheme.gap_open, scheme.gap_extend, MODES[self.mode]
        found = kernel.align(s, scheme.weights, scheme.identical, *costs, left, right)
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
        return _at_least(threshold * lengths)

    def least_columns(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many columns the coverage asks of a pair with this longer length."""
        return np.maximum(_at_least(self.coverage * lengths), 1)

    @property
    def of_longer(self) -> bool:
        """Whether `least_matches` goes by the longer sequence."""
        return self.measure == "identity" and self.denominator != "shorter"


@dataclass(frozen=True)
class Bound:
    """A score that similar pairs must reach when each identity earns `bonus` more and each column costs `toll`.

    Take the best alignment of a similar pair: score S >= 1, m identities, l columns. Under the changed numbers it
    scores S + bonus m - toll l, and the best alignment at least that. With m >= t l, and l >= the columns that the
    coverage asks for, that is at least 1 + (bonus t - toll) l.
    """

    bonus: int
    toll: int

    def scan(
        self, prepared: Prepared, definition: Definition, threshold: float, **limits: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the pairs that reach the bound; all similar pairs are among them."""
        needs = self._needs(prepared, definition, threshold)
        return score_scan.scan(prepared.sequences, *self._scores(prepared.scheme), needs, **limits)

    def reached(
        self,
        prepared: Prepared,
        definition: Definition,
        threshold: float,
        left: NDArray[np.int64],
        right: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        """Tell which of some pairs reach the bound."""
        needs = self._needs(prepared, definition, threshold)
        scores = self._scores(prepared.scheme)
        return score_scan.scan_pairs(prepared.sequences, *scores, needs, left, right)

    def _needs(self, prepared: Prepared, definition: Definition, threshold: float) -> score_scan.Needs:
        matches = definition.least_matches(prepared.lengths, threshold)
        if definition.measure == "score":
            score = np.maximum(_at_least(threshold * prepared.self_scores), 1)
        elif definition.denominator == "alignment":
            gain = (self.bonus * threshold - self.toll) * definition.least_columns(prepared.lengths)
            score = np.maximum(_at_least(gain), 0) + 1
        else:
            score = self.bonus * matches + 1
        return score_scan.Needs(score, matches, definition.of_longer)

    def _scores(self, scheme: Scheme) -> tuple[NDArray[np.int64], int, int]:
        weights = scheme.weights - self.toll + self.bonus * np.diag(scheme.identical.astype(np.int64))
        return weights, scheme.gap_open + self.toll, scheme.gap_extend + self.toll

    def fits(self, scheme: Scheme) -> bool:
        """Whether the scores fit the 8 bits of the scan, with room to tell pairs apart."""
        weights, opening, extending = self._scores(scheme)
        return bool(weights.max() - min(0, weights.min()) < 200 and max(opening, extending) <= 255)


def _at_least(bound: NDArray[np.floating]) -> NDArray[np.int64]:
    # a bound on whole numbers must not be too high by a rounding error; the quotients decide ties
    return np.asarray(np.ceil(bound * (1 - 1e-12) - 1e-9), dtype=np.int64)


def choose_bound(prepared: Prepared, definition: Definition, threshold: float) -> Bound | None:
    """Return the bound that leaves the fewest cells to align in a sample; which one cannot change the pairs.

    None where no bound holds: outside local alignments.
    """
    if definition.mode != "local":
        return None
    if definition.measure == "score":
        known = [Bound(0, 0)]
    else:
        free = definition.denominator == "alignment"
        known = [Bound(x, y) for x, y in _BOUNDS if (y == 0 or free) and x * threshold > y]
    known = [bound for bound in known if bound.fits(prepared.scheme)]
    n = len(prepared.lengths)
    if len(known) < 2 or n < 2 * SCORE_LANES:
        return known[len(known) // 2] if known else None
    n_batches = -(-n // SCORE_LANES)
    batches = np.unique((np.arange(4) + 0.5) * n_batches // 4).astype(np.int64).tolist()
    rows = np.unique(np.linspace(0, n - 1, 24).astype(np.int64))

    def cells(bound: Bound) -> float:
        left, right = bound.scan(prepared, definition, threshold, batches=batches, rows=rows)
        return float((prepared.lengths[left] * prepared.lengths[right]).sum())

    return min(known, key=cells)


def exhaustive_pairs(
    prepared: Prepared,
    definition: Definition,
    threshold: float,
    *,
    rows_from: int = 0,
    progress: Progress = SILENT,
) -> Pairs:
    """Return all pairs with similarity >= threshold; with `rows_from`, those whose right is at or after it."""
    bound = choose_bound(prepared, definition, threshold)
    if bound is None:
        parts = [
            _similar(prepared, definition, threshold, left, right)
            for left, right in _all_pairs(prepared, definition, threshold, rows_from)
        ]
        return _joined(parts)
    n = len(prepared.lengths)
    rows = np.arange(rows_from, n)
    with progress.stage("scores of all pairs", -(-n // SCORE_LANES)) as stage:
        left, right = bound.scan(prepared, definition, threshold, rows=rows, advance=stage.advance)
    return verified(prepared, definition, threshold, left, right, progress=progress)


def verified(
    prepared: Prepared,
    definition: Definition,
    threshold: float,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    *,
    progress: Progress = SILENT,
) -> Pairs:
    """Align pairs and return those with similarity >= threshold."""
    order = np.lexsort((left, right))
    left, right = left[order], right[order]
    parts = []
    with progress.stage("alignments", len(left)) as stage:
        for at in range(0, len(left), _BLOCK // 16):
            part = slice(at, at + _BLOCK // 16)
            parts.append(_similar(prepared, definition, threshold, left[part], right[part]))
            stage.advance(len(left[part]))
    return _joined(parts)


def _similar(
    prepared: Prepared,
    definition: Definition,
    threshold: float,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
) -> Pairs:
    similarity = definition.align(prepared, left, right)
    keep = similarity >= threshold
    return Pairs(left[keep], right[keep], similarity[keep])


def _joined(parts: list[Pairs]) -> Pairs:
    none = np.empty(0, dtype=np.int64)
    return Pairs(*(np.concatenate(p) for p in zip(Pairs(none, none, np.empty(0)), *parts, strict=True)))


def _all_pairs(
    prepared: Prepared, definition: Definition, threshold: float, rows_from: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield all pairs that may meet and are long enough, in blocks, by the right sequence."""
    lengths, sides = prepared.lengths, prepared.sequences.sides
    matches = definition.least_matches(lengths, threshold)
    combine = np.maximum if definition.of_longer else np.minimum
    lefts, begin = np.arange(len(lengths))[None, :], rows_from
    while begin < len(lengths):
        end = begin + max(1, _BLOCK // lefts.size)
        rights = np.arange(begin, min(end, len(lengths)))[:, None]
        meet = lefts < rights
        meet &= combine(matches[lefts], matches[rights]) <= np.minimum(lengths[lefts], lengths[rights])
        if len(sides):
            a, b = sides[lefts], sides[rights]
            meet &= (a != kernel.IGNORED) & (b != kernel.IGNORED) & ((a != b) | (a == kernel.MIXED))
        at, left = np.nonzero(meet)
        yield left, at + begin
        begin = end
