"""Scores that rule pairs of sequences out before they are aligned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.kernels import alignment as kernel
from splitleak.kernels import score_scan
from splitleak.kernels.banded_alignment import reach_narrowly
from splitleak.kernels.lane_sweep import SCORE_LANES
from splitleak.kernels.leaders import gains, leaders_of
from splitleak.similarity.alignment import Scheme
from splitleak.similarity.alignment_definition import Definition, Prepared, at_least

_BOUNDS = [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (4, 2), (8, 2)]
_BLOCK = 1 << 22  # pairs at a time
_FEW_LEADERS = 0.7  # of all sequences: more of them save nothing


@dataclass(frozen=True)
class Bound:
    """A score that similar pairs must reach when each identity earns `bonus` more and each column costs `toll`.

    Take the best alignment of a similar pair: score S >= 1, m identities, l columns. Under the changed numbers it
    scores S + bonus m - toll l, and the best alignment at least that. With m >= t l, and l >= the columns that the
    coverage asks for, that is at least 1 + (bonus t - toll) l. Besides, S >= w m - c (l - m), where an identity earns
    w at least and no other column costs more than c: so at least ((w + c + bonus) t - c - toll) l.
    """

    bonus: int
    toll: int

    def scan(
        self, prepared: Prepared, definition: Definition, threshold: float, **limits: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the pairs that reach the bound; all similar pairs are among them."""
        needs = self._needs(prepared, definition, threshold)
        return score_scan.scan(prepared.sequences, *self._scores(prepared.scheme), needs, **limits)

    def scan_by_leaders(
        self, prepared: Prepared, definition: Definition, threshold: float, *, rows_from: int = 0, **told: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Do what `scan` does, where sequences are alike by comparing the leaders of groups of them first.

        A follower gains up to a quarter of the score it needs over its leader; so two leaders that do not reach
        half of what their followers need rule out all pairs of these.
        """
        needs = self._needs(prepared, definition, threshold)
        n, lengths, sides = len(prepared.lengths), prepared.lengths, prepared.sequences.sides
        costs = self._scores(prepared.scheme)
        changed = (lengths[1:] != lengths[:-1]) | (np.arange(1, n) == rows_from)
        if len(sides):
            changed |= sides[1:] != sides[:-1]
        blocks = np.concatenate([[0], np.cumsum(changed)]).astype(np.int64)
        leader = leaders_of(
            prepared.sequences.codes,
            prepared.sequences.starts,
            blocks,
            gains(costs[0], prepared.scheme.complement),
            needs.score // 4,
        )
        heads = np.flatnonzero(leader == np.arange(n))
        if not needs.of_longer or self._follower_needs_differ(needs, leader) or len(heads) > _FEW_LEADERS * n:
            rows = np.arange(rows_from, n)
            return score_scan.scan(prepared.sequences, *costs, needs, rows=rows, **told)
        few = score_scan.Needs(-(-needs.score[heads] // 2), needs.matches[heads], True)
        rows = np.arange(np.searchsorted(heads, rows_from), len(heads))
        among = part_of(prepared, heads).sequences
        a, b = score_scan.scan(among, *costs, few, rows=rows, **told)
        own = rows[np.bincount(leader, minlength=n)[heads[rows]] > 1]
        if len(sides):  # followers are on the side of their leader
            own = own[sides[heads[own]] == kernel.MIXED]
        a, b = heads[np.concatenate([a, own])], heads[np.concatenate([b, own])]
        found = []
        for left, right in _followers(leader, a, b):
            narrow = reach_narrowly(prepared.sequences, *costs, needs, left, right)
            keep, rest = narrow, np.flatnonzero(~narrow)
            keep[rest] = score_scan.scan_pairs(prepared.sequences, *costs, needs, left[rest], right[rest])
            found.append((left[keep], right[keep]))
        none = np.empty(0, dtype=np.int64)
        return (
            np.concatenate([none, *(left for left, _ in found)]),
            np.concatenate([none, *(right for _, right in found)]),
        )

    @staticmethod
    def _follower_needs_differ(needs: score_scan.Needs, leader: NDArray[np.int64]) -> bool:
        # needs that go by more than the length (self-scores) are not those of the leader
        return bool(
            (needs.score != needs.score[leader]).any() or (needs.matches != needs.matches[leader]).any()
        )

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
        if definition.measure != "identity":
            score = np.maximum(definition.least_scores(prepared, threshold), 1)
        elif definition.denominator == "alignment":
            columns = definition.least_columns(prepared.lengths)
            plain = np.maximum(at_least((self.bonus * threshold - self.toll) * columns), 0) + 1
            score = np.maximum(plain, at_least(self._surplus(prepared.scheme, threshold) * columns))
        else:
            score = self.bonus * matches + 1
        return score_scan.Needs(score, matches, definition.of_longer)

    def _surplus(self, scheme: Scheme, threshold: float) -> float:
        """Return what a column earns at least, on average over an alignment of that identity."""
        earned = int(np.diag(scheme.weights)[scheme.identical].min())
        cost = max(-int(scheme.weights.min()), scheme.gap_open, scheme.gap_extend)
        return (earned + cost + self.bonus) * threshold - cost - self.toll

    def holds(self, scheme: Scheme, threshold: float) -> bool:
        """Whether this rules anything out by the columns of an alignment."""
        return max(self.bonus * threshold - self.toll, self._surplus(scheme, threshold)) > 0

    def _scores(self, scheme: Scheme) -> tuple[NDArray[np.int64], int, int]:
        weights = scheme.weights - self.toll + self.bonus * np.diag(scheme.identical.astype(np.int64))
        return weights, scheme.gap_open + self.toll, scheme.gap_extend + self.toll

    def fits(self, scheme: Scheme) -> bool:
        """Whether the scores fit the 8 bits of the scan, with room to tell pairs apart."""
        weights, opening, extending = self._scores(scheme)
        return bool(weights.max() - min(0, weights.min()) < 200 and max(opening, extending) <= 255)


def choose_bound(prepared: Prepared, definition: Definition, threshold: float) -> Bound | None:
    """Return the bound that leaves the fewest cells to align in a sample; which one cannot change the pairs.

    None where no bound holds: outside local alignments.
    """
    if definition.mode != "local":
        return None
    if definition.measure != "identity":
        known = [Bound(0, 0)]
    else:
        free = definition.denominator == "alignment"
        known = [Bound(x, y) for x, y in _BOUNDS]
        known = [b for b in known if (b.holds(prepared.scheme, threshold) if free else b.bonus > 0 == b.toll)]
    known = [bound for bound in known if bound.fits(prepared.scheme)]
    n = len(prepared.lengths)
    if len(known) < 2 or n < 2 * SCORE_LANES:
        return known[len(known) // 2] if known else None
    n_batches = -(-n // SCORE_LANES)
    batches = np.unique((np.arange(4) + 0.5) * n_batches // 4).astype(np.int64).tolist()
    rows = np.unique(np.linspace(0, n - 1, 8).astype(np.int64))

    def cells(bound: Bound) -> float:
        left, right = bound.scan(prepared, definition, threshold, batches=batches, rows=rows)
        return float((prepared.lengths[left] * prepared.lengths[right]).sum())

    return min(known, key=cells)


def _followers(
    leader: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the pairs (left < right) of followers of pairs of leaders, in blocks, by the right sequence."""
    order = np.argsort(leader, kind="stable")
    size = np.bincount(leader, minlength=len(leader))
    first = np.cumsum(size) - size
    by_right = np.lexsort((a, b))
    a, b = a[by_right], b[by_right]
    many = size[a] * size[b]
    cut = np.searchsorted(np.cumsum(many), np.arange(_BLOCK, many.sum() + _BLOCK, _BLOCK)) + 1
    for begin, end in pairwise([0, *np.unique(np.minimum(cut, len(a))).tolist()]):
        p, q, k = a[begin:end], b[begin:end], many[begin:end]
        within = np.arange(k.sum()) - np.repeat(np.cumsum(k) - k, k)
        wide = np.repeat(size[q], k)
        x = order[np.repeat(first[p], k) + within // wide]
        y = order[np.repeat(first[q], k) + within % wide]
        keep = (np.repeat(p != q, k)) | (x < y)
        left, right = np.minimum(x, y)[keep], np.maximum(x, y)[keep]
        by = np.lexsort((left, right))
        yield left[by], right[by]


def part_of(prepared: Prepared, which: NDArray[np.int64]) -> Prepared:
    """Return some of the prepared sequences, in the order given."""
    s = prepared.sequences
    sizes = prepared.lengths[which]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    at = np.arange(starts[-1]) - np.repeat(starts[:-1] - s.starts[which], sizes)
    reverse = s.reverse[at] if len(s.reverse) else s.reverse
    sides = s.sides[which] if len(s.sides) else s.sides
    sequences = kernel.Sequences(s.codes[at], reverse, starts, sides)
    return Prepared(sequences, sizes, prepared.self_scores[which], prepared.scheme)
