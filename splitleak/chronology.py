"""Partitions in order of time: earlier rows train, later rows test, and no cluster is on both sides of a cut-off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak._tables import Moments, Source, parse_embargo, resolve_moments
from splitleak.allocation import allowed_rows, within
from splitleak.bracketing import Bracket
from splitleak.covering import fewest_dropped
from splitleak.cutoffs import Losses, Timeline, nearest_clean, promising, reach, weigh
from splitleak.errors import InputError
from splitleak.even_cutoffs import more_even
from splitleak.feasibility import Task
from splitleak.provenance import plain_value

if TYPE_CHECKING:
    from splitleak.clustering import Clustering

Ints = NDArray[np.int64]

IN_EMBARGO = "within the embargo before a cut-off"
ACROSS = "similar to, or in one group with, a row on the other side of a cut-off"
# cut-offs whose smallest number of dropped rows is computed, not estimated; fewer where pairs are many
TRIED, FEW_TRIED, MANY_PAIRS = 12, 3, 200_000
HOPELESS = 1 / 3  # share of the rows beyond which nothing more is tried, where pairs are many


@dataclass(frozen=True)
class Chronology:
    """The time of each row, and the gap that partitions must keep.

    Attributes
    ----------
    moments : Moments
    timeline : Timeline
    embargo : object
        What the caller wrote, in plain types; None: no gap.
    """

    moments: Moments
    timeline: Timeline
    embargo: Any

    @classmethod
    def read(cls, source: Source, time: Any, embargo: Any) -> Chronology | None:
        """Read the arguments ``time=`` and ``embargo=``, or raise; None: no time was given."""
        if time is None:
            if embargo is not None:
                raise InputError(
                    f"embargo={embargo!r} is a gap in time, and there is no time=; name the column of times"
                )
            return None
        moments = resolve_moments(source, time)
        gap = 0 if embargo is None else parse_embargo(embargo, moments)
        written = embargo if embargo is None or isinstance(embargo, (str, int, float)) else str(embargo)
        return cls(moments, Timeline.of(moments.ticks, gap), plain_value(written))

    def ranges(self, pinned: Ints | None, names: Sequence[str]) -> list[tuple[int, int]]:
        """Return the first and the last index that each cut-off may have, given pinned rows."""
        n, rank, free = self.timeline.n_times, self.timeline.rank, self.timeline.free
        found = []
        for j in range(1, len(names)):
            low, high = j, n - len(names) + j
            early, late = (np.zeros(0, dtype=np.int64),) * 2
            if pinned is not None:
                early, late = np.flatnonzero((pinned >= 0) & (pinned < j)), np.flatnonzero(pinned >= j)
            a = int(early[np.argmax(free[rank[early]])]) if len(early) else -1
            b = int(late[np.argmin(rank[late])]) if len(late) else -1
            least = int(free[rank[a]]) if a >= 0 else low
            most = int(rank[b]) if b >= 0 else high
            if least > high or most < low or least > most:
                raise self._contradiction(
                    pinned, names, a if least > min(high, most) else -1, b if most < max(low, least) else -1
                )
            found.append((max(low, least), min(high, most)))
        return found

    def _contradiction(self, pinned: Ints | None, names: Sequence[str], a: int, b: int) -> InputError:
        """Say which rows are pinned against the order of time."""
        if pinned is None or (a < 0 and b < 0):
            return InputError(
                f"time={self.moments.name!r} has {self.timeline.n_times} distinct times, and {len(names)} partitions"
                " need one each; ask for fewer partitions"
            )
        gap = "" if self.embargo is None else f", with an embargo of {self.embargo}"
        told = [
            f"row {r} ({self.moments.text(r)}) is pinned to {names[pinned[r]]!r}" for r in (a, b) if r >= 0
        ]
        why = "the other partitions need times of their own before or after it"
        if len(told) == 2:
            why = f"{names[pinned[a]]!r} must end before {names[pinned[b]]!r} begins{gap}"
        return InputError(f"pinned= and time= contradict each other: {' and '.join(told)}, and {why}")

    def periods(self, codes: Ints, n_partitions: int) -> tuple[tuple[str, str] | None, ...]:
        """Return the first and the last time of each partition; None: it has no rows."""
        found: list[tuple[str, str] | None] = []
        for k in range(n_partitions):
            rows = np.flatnonzero(codes == k)
            ranks = self.timeline.rank[rows]
            text = self.moments.text
            found.append((text(rows[ranks.argmin()]), text(rows[ranks.argmax()])) if len(rows) else None)
        return tuple(found)

    def begins(self, cuts: Sequence[int], names: Sequence[str]) -> str:
        """Return ``"dev from 2024-03-01, test from 2024-04-01"``."""
        rank = self.timeline.rank
        return ", ".join(
            f"{name} from {self.moments.text(int(np.argmax(rank == cut)))}"
            for name, cut in zip(names[1:], cuts, strict=True)
        )


@dataclass(frozen=True)
class InTime:
    """Rows handed to partitions in order of time.

    Attributes
    ----------
    codes : int64 array of shape (n_rows,)
        Partition of each row; -1: dropped.
    cuts : list of int
        The cut-offs, as indices into the distinct times.
    reason : int64 array of shape (n_rows,)
        Why a row was dropped: 0 in an embargo, 1 tied to a row across a cut-off; -1: it was not.
    bound : int
        At these cut-offs no fewer rows can be dropped.
    met : bool
        Whether the sizes of the rows kept are within tolerance.
    """

    codes: Ints
    cuts: list[int]
    reason: Ints
    bound: int
    met: bool

    def notes(self) -> tuple[str, ...]:
        """Return what is not proven of the number of dropped rows."""
        if self.bound == self.dropped:
            return ()
        return (
            f"{self.dropped:,} rows were dropped; at these cut-offs at least {self.bound:,} must be (three or more"
            " partitions: the smallest number is not computed)",
        )

    def sizes(self, n_partitions: int) -> NDArray[np.float64]:
        """Return the rows of each partition."""
        return np.bincount(self.codes[self.codes >= 0], minlength=n_partitions).astype(np.float64)

    @property
    def dropped(self) -> int:
        """Number of rows dropped."""
        return int((self.codes < 0).sum())


def keeping_all(task: Task, chronology: Chronology, clustering: Clustering) -> InTime | None:
    """Cut where no cluster and no embargo lies, as near to the sizes as that allows; None: there is no such place.

    Sizes within tolerance give way for the balance of strata, by the rule of `allocation.allocate`.
    """
    timeline, targets, n = chronology.timeline, task.request.targets, len(task.row_hashes)
    allowed = allowed_rows(task.tolerance, n)
    clean = timeline.clean(clustering.labels)
    ranges = chronology.ranges(task.pinned, task.request.names)
    cuts = nearest_clean(timeline, clean, targets, ranges, allowed)
    if cuts is None:
        return None
    codes = timeline.windows(cuts)
    met = within(np.bincount(codes, minlength=len(targets)), targets, task.tolerance, n)
    if met and task.strata is not None:
        cuts = more_even(timeline, cuts, clean, targets, ranges, allowed, task.strata)
        codes = timeline.windows(cuts)
    return InTime(codes, cuts, np.full(n, -1, dtype=np.int64), 0, bool(met))


def dropping_fewest(task: Task, chronology: Chronology) -> InTime | None:
    """Cut where few rows must go and the sizes of the rest are met, and drop those rows; None: no place to cut.

    At given cut-offs the rows in the embargo go, and of the others the fewest that leave no two rows of different
    partitions similar or in one group (exactly, for two partitions). Of the cut-offs at which the sizes are within
    tolerance, those are taken at which the rows dropped plus the rows in the wrong place are fewest, among the most
    promising by an estimate from above.
    """
    timeline, n = chronology.timeline, len(task.row_hashes)
    shares = task.request.targets / task.request.targets.sum()
    ranges = chronology.ranges(task.pinned, task.request.names)
    tried: dict[tuple[int, ...], tuple[float, InTime]] = {}

    def attempt(cuts: list[int]) -> InTime:
        if tuple(cuts) not in tried:
            found = _at(task, timeline, cuts)
            cost = float(weigh(found.sizes(len(shares))[:, None], shares, task.tolerance, n)[0])
            tried[tuple(cuts)] = cost, replace(found, met=cost < 4 * n)
        return tried[tuple(cuts)][1]

    def best() -> InTime:
        return min(tried.values(), key=lambda answer: answer[0])[1]

    most = TRIED if len(task.graph.left) <= MANY_PAIRS else FEW_TRIED
    estimates = Losses.of(timeline, *reach(timeline, task.graph, task.groups))
    nobody = Losses.known(timeline, np.zeros(n, dtype=bool))
    for losses, tries in ((estimates, most), (nobody, 1)):
        for cuts in promising(losses, shares, ranges, task.tolerance, tries)[:tries]:
            attempt(cuts)
    if not tried:
        return None
    if len(task.graph.left) > MANY_PAIRS and best().dropped > HOPELESS * n:
        return best()
    for _ in range(most):  # cut again as if the rows that went would go wherever the cut-offs are
        seen, losses = len(tried), Losses.known(timeline, best().reason == 1)
        for cuts in promising(losses, shares, ranges, task.tolerance, 1)[:1]:
            attempt(cuts)
        if len(tried) == seen:
            break
    cuts, bracket = list(best().cuts), Bracket.of(timeline, shares, ranges)
    for _ in range(0 if best().met else most + FEW_TRIED):
        following = bracket.narrowed(cuts, attempt(cuts).sizes(len(shares)))
        if following == cuts or best().met:
            break
        cuts = following
    return best()


def _at(task: Task, timeline: Timeline, cuts: list[int]) -> InTime:
    codes = timeline.windows(cuts)
    cover = fewest_dropped(
        task.graph,
        codes,
        groups=task.groups,
        protected=None if task.pinned is None else task.pinned >= 0,
        row_hashes=task.row_hashes,
    )
    in_embargo = codes < 0
    reason = np.where(in_embargo, 0, np.where(cover.dropped, 1, -1)).astype(np.int64)
    return InTime(
        np.where(cover.dropped, -1, codes), cuts, reason, int(in_embargo.sum()) + cover.bound, False
    )  # fmt: skip
