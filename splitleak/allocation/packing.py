"""How many clusters of each size go to each partition, so that the sizes are met to the row.

Only sizes count here. A random fill in proportion to what each partition still lacks comes close; the rest is
exact: parts of the packing, growing ones, are taken apart and packed again by subset sums, at last all of it where
that is affordable.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

import numpy as np
from numpy.typing import NDArray

from splitleak.allocation.packing_bounds import caps, draw, least_excess, least_rounding
from splitleak.allocation.subset_sum import Bits, Lists, bundles, coordinates, reachable, strides

# bits of all tables of one exact search together: 200 MB, about half a second
EXACT_BITS = 1_600_000_000
# cells of all its lists together, where clusters are few and large: about 0.2 s
EXACT_CELLS = 2_000_000
# growing parts of a packing that are taken apart and packed again, before all of it is
REPAIR_BITS = (100_000, 3_000_000, 60_000_000)
FILLS = 6
SEQUENCES = 4
LARGEST = 5  # clusters that a quick bound tries in every partition

Counts = list[list[int]]  # clusters of each size in each partition


@dataclass(frozen=True)
class Packing:
    """Clusters of each size in each partition.

    Attributes
    ----------
    counts : int64 array of shape (n_sizes, n_partitions)
    deviation : int
        Summed absolute deviation from the targets, in rows.
    proven : bool
        Whether no packing has a smaller deviation.
    """

    counts: NDArray[np.int64]
    deviation: int
    proven: bool


def pack(
    sizes: Sequence[int],
    counts: Sequence[int],
    targets: Sequence[int],
    *,
    filled: Sequence[bool],
    random: Random,
    known: int | None = None,
) -> Packing:
    """Return a random packing whose partition sizes are nearest to the targets.

    Parameters
    ----------
    sizes : sequence of int
        The distinct cluster sizes in rows, descending.
    counts : sequence of int
        Clusters of each size.
    targets : sequence of int
        Rows that each partition still lacks; they sum to the rows of all clusters, and may be negative.
    filled : sequence of bool
        Partitions that already hold a cluster, so that none of these has to go there.
    random : Random
        Only its ``random()`` is called: that stream is the same on every platform and Python version.
    known : int, optional
        Deviation of an earlier answer. Then another one is sought without the dearest search, and may be worse.
    """
    problem = _Problem(list(sizes), list(counts), list(targets), list(filled))
    best = problem.fill(random)
    for improve in _improvements(problem, random):
        if problem.deviation(best) <= (known or 0):
            break
        best = min(best, improve(best), key=problem.cost)
    least = problem.least_deviation()
    if problem.deviation(best) == 0 or known is not None:
        return problem.packing(best, proven=problem.deviation(best) <= least)
    # at the bound, the exact search could only spread the deviation more evenly: not worth long tables
    bits, cells = (EXACT_BITS, EXACT_CELLS) if problem.deviation(best) > least else (REPAIR_BITS[-1], 0)
    whole = problem.solve(problem.deviation(best), random, bits, cells)
    if whole is not None:
        # where both are as near, the one that was filled in proportion is kept
        return problem.packing(min(best, whole, key=problem.cost), proven=True)
    return problem.packing(best, proven=problem.deviation(best) <= least)


def _improvements(problem: _Problem, random: Random) -> Iterator[Callable[[Counts], Counts]]:
    """Yield ways to a nearer packing, from cheap to dear."""
    for _ in range(FILLS - 1):
        yield lambda best: problem.fill(random)
    for bits in REPAIR_BITS:
        for smallest_first in (True, False, False):
            yield partial(problem.repair, bits=bits, random=random, smallest_first=smallest_first)
    for _ in range(SEQUENCES if len(problem.targets) > 2 else 0):
        yield (
            lambda best: (
                best if problem.deviation(best) <= problem.least_deviation() else problem.one_by_one(random)
            )
        )


class _Problem:
    def __init__(self, sizes: list[int], counts: list[int], targets: list[int], filled: list[bool]) -> None:
        self.sizes, self.counts, self.targets = sizes, counts, targets
        needed = [not f for f in filled]
        if sum(counts) < sum(needed):
            # some partition stays empty anyway: never the first, on which models are trained; then only rows count
            needed = [needed[0] and sum(counts) > 0] + [False] * (len(targets) - 1)
        self.needed = needed
        self.partitions = range(len(targets))
        self._least: int | None = None

    def sums(self, x: Counts) -> list[int]:
        return [sum(size * row[s] for size, row in zip(self.sizes, x, strict=True)) for s in self.partitions]

    def cost(self, x: Counts) -> tuple[int, int, float]:
        """Partitions wrongly empty, rows off, and how unevenly: a row weighs more where few were asked for."""
        return self.cost_of_sums(self.sums(x))

    def deviation(self, x: Counts) -> int:
        return self.cost(x)[1]

    def cost_of_sums(self, sums: Sequence[int]) -> tuple[int, int, float]:
        off = [got - target for got, target in zip(sums, self.targets, strict=True)]
        empty = sum(need and got == 0 for need, got in zip(self.needed, sums, strict=True))
        uneven = sum(o * o / max(1, t) for o, t in zip(off, self.targets, strict=True))
        return empty, sum(abs(o) for o in off), uneven

    def least_deviation(self) -> int:
        """Return a bound: the largest clusters must go somewhere, and sums are multiples of the common divisor."""
        if self._least is None:
            unit = math.gcd(*self.sizes) if self.sizes else 1
            each = itertools.chain.from_iterable(map(itertools.repeat, self.sizes, self.counts))
            largest = list(itertools.islice(each, LARGEST))
            self._least = max(
                2 * least_excess(largest, self.targets),
                least_rounding(self.targets, unit),
            )
        return self._least

    def packing(self, x: Counts, *, proven: bool) -> Packing:
        counts = np.array(x, dtype=np.int64).reshape(len(self.sizes), len(self.targets))
        return Packing(counts, self.deviation(x), proven)

    def fill(self, random: Random) -> Counts:
        """Hand out clusters, largest first, in proportion to what each partition still lacks."""
        lacking = list(self.targets)
        x = []
        for size, count in zip(self.sizes, self.counts, strict=True):
            room = [max(0, rows) for rows in lacking]
            total = max(1, sum(room))
            row = [min(count * rows // total, rows // size) for rows in room]
            fractions = [count * rows / total - got + 1e-9 for rows, got in zip(room, row, strict=True)]
            for _ in range(count - sum(row)):
                fits = [f if lacking[s] >= size * (row[s] + 1) else 0.0 for s, f in enumerate(fractions)]
                if not any(fits):
                    most = max(lacking[s] - size * row[s] for s in self.partitions)
                    fits = [float(lacking[s] - size * row[s] == most) for s in self.partitions]
                s = draw(fits, random)
                row[s] += 1
                fractions[s] = max(1e-9, fractions[s] - 1)
            lacking = [rows - size * got for rows, got in zip(lacking, row, strict=True)]
            x.append(row)
        self._leave_none_empty(x)
        return x

    def _leave_none_empty(self, x: Counts) -> None:
        for s in self.partitions:
            if self.needed[s] and not any(row[s] for row in x):
                donors = [u for u in self.partitions if sum(row[u] for row in x) > self.needed[u]]
                z, u = max((z, u) for z, row in enumerate(x) for u in donors if row[u])
                x[z][u] -= 1
                x[z][s] += 1

    def repair(self, x: Counts, bits: int, random: Random, smallest_first: bool) -> Counts:
        """Take a part of the packing apart, as much as `bits` allow, and pack that part exactly."""
        order = sorted(range(len(x)), key=lambda z: self.sizes[z] if smallest_first else random.random())
        free = [[0] * len(self.targets) for _ in x]
        sums = self.sums(x)
        targets = [t - got for t, got in zip(self.targets, sums, strict=True)]
        deviation, pieces = sum(abs(t) for t in targets), 0
        for z in order:
            taken = [min(3, got) for got in x[z]]
            more = [t + self.sizes[z] * got for t, got in zip(targets, taken, strict=True)]
            pieces += len(bundles(sum(taken), len(targets)))
            if pieces * math.prod(caps(more, deviation, 1)[1]) > bits:
                if smallest_first:
                    break
                continue
            free[z], targets = taken, more
        used = [z for z in range(len(x)) if any(free[z])]
        kept = [any(x[z][s] > free[z][s] for z in range(len(x))) for s in self.partitions]
        part = _Problem(
            [self.sizes[z] for z in used],
            [sum(free[z]) for z in used],
            targets,
            [k or not need for k, need in zip(kept, self.needed, strict=True)],
        )
        solved = part.solve(deviation, random, bits)
        if solved is None:
            return x
        result = [[got - f for got, f in zip(*rows, strict=True)] for rows in zip(x, free, strict=True)]
        for z, row in zip(used, solved, strict=True):
            result[z] = [got + new for got, new in zip(result[z], row, strict=True)]
        return result

    def one_by_one(self, random: Random) -> Counts:
        """Fill one partition after the other, smallest first, each exactly from what is left."""
        left = list(self.counts)
        x = [[0] * len(self.targets) for _ in self.sizes]
        smallest_first = sorted(self.partitions, key=lambda s: (self.targets[s], s))
        for position, s in enumerate(smallest_first[:-1]):
            others = sum(self.targets[u] for u in smallest_first[position + 1 :])
            used = [z for z, count in enumerate(left) if count]
            chosen = pack(
                [self.sizes[z] for z in used],
                [left[z] for z in used],
                [self.targets[s], others],
                filled=[not self.needed[s], False],
                random=random,
            )
            for z, count in zip(used, chosen.counts[:, 0].tolist(), strict=True):
                x[z][s] = count
                left[z] -= count
        for z, count in enumerate(left):
            x[z][smallest_first[-1]] = count
        self._leave_none_empty(x)
        return x

    def solve(self, deviation: int, random: Random, bits: int, cells: int = 0) -> Counts | None:
        """Return a random one of the best packings, or None if that takes more than `bits` or `cells`.

        `deviation` is that of a known packing: none that is as good exceeds a target by more than half of it.
        """
        if not self.sizes:
            return []
        unit = math.gcd(*self.sizes)
        rest, dims = caps(self.targets, deviation, unit)
        pieces = [
            (z, number, size // unit * number)
            for z, size in reversed(list(enumerate(self.sizes)))
            for number in bundles(self.counts[z], len(self.targets))
        ]
        tables = reachable([weight for *_, weight in pieces], dims, bits=bits, cells=cells)
        if tables is None:
            return None
        axes = [s for s in self.partitions if s != rest]
        cell = self._best_cell(tables, dims, axes, rest, unit, random)
        return self._trace(tables, pieces, cell, dims, axes, rest, random)

    def _trace(
        self,
        tables: Bits | Lists,
        pieces: list[tuple[int, int, int]],
        cell: int,
        dims: list[int],
        axes: list[int],
        rest: int,
        random: Random,
    ) -> Counts:
        """Walk back from a cell, largest clusters first, on a random one of the ways that lead to it."""
        x = [[0] * len(self.targets) for _ in self.sizes]
        step_of = dict(zip(axes, strides(dims), strict=True))
        needs = [0] * len(self.targets)
        for axis, place in zip(axes, coordinates(cell, dims), strict=True):
            needs[axis] = place
        needs[rest] = sum(weight for *_, weight in pieces) - sum(needs)
        for step, (z, number, weight) in reversed(list(enumerate(pieces))):
            ways = [0.0] * len(self.targets)
            ways[rest] = (needs[rest] + 1e-9) * tables.has(step, cell)
            for axis in axes:
                if needs[axis] >= weight:
                    ways[axis] = needs[axis] * tables.has(step, cell - weight * step_of[axis])
            s = draw(ways, random)
            x[z][s] += number
            needs[s] -= weight
            cell -= weight * step_of.get(s, 0)
        return x

    def _best_cell(
        self, tables: Bits | Lists, dims: list[int], axes: list[int], rest: int, unit: int, random: Random
    ) -> int:
        total = sum(size * count for size, count in zip(self.sizes, self.counts, strict=True))
        best, tied = (math.inf, math.inf), [0]
        for cells in tables.cells():
            places = [place * unit for place in coordinates(cells, dims)]
            worth, uneven = np.zeros(len(cells)), np.zeros(len(cells))
            for s, got in zip([*axes, rest], [*places, total - sum(places)], strict=True):
                off = np.abs(got - self.targets[s])
                # what is wrongly empty weighs more than any deviation
                worth += off + ((2 * total + 1) * self.needed[s]) * (got == 0)
                uneven += off.astype(np.float64) ** 2 / max(1, self.targets[s])
            nearest = worth == worth.min()
            even = uneven[nearest].min()
            found = float(worth.min()), float(even)
            if found <= best:
                cells = cells[nearest][uneven[nearest] == even].tolist()
                best, tied = found, cells if found < best else tied + cells
        return tied[int(random.random() * len(tied))]
