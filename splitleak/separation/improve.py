"""The search for a separation: starts of several kinds, annealing, minimum cuts, repacking."""

from __future__ import annotations

from random import Random

import numpy as np

from splitleak._threads import map_threads
from splitleak.kernels.separation import anneal
from splitleak.kernels.separation_pieces import restore
from splitleak.separation.polish import polish, repack
from splitleak.separation.problem import PROTECTED, Part, Problem
from splitleak.separation.starts import largest_first, multilevel, without_hubs

WORK = 12_000_000
MANY_EDGES = 500_000
FIRST_CUTS = 4


def search(problem: Problem, seed: int) -> Part:
    """Return the best state found from nothing."""
    random = Random(seed)
    whole = repack(
        problem, largest_first(problem, np.zeros(problem.n, dtype=bool)), _draw(random), longest=200_000
    )
    if problem.feasible(whole) and problem.cost_of(whole) < 1.0:
        return whole
    size = len(problem.ends) // 2 + 5 * problem.n
    steps = min(200_000, 2_000 * problem.n) + 6 * problem.n
    count = min(32, max(4, WORK // size))
    pool = [whole, *_annealed_starts(problem, count, 4 if size >= MANY_EDGES else 8, steps, random)]
    pool = _best(problem, [repack(problem, part, _draw(random)) for part in _best(problem, pool, 3)], 3)
    for round_number in range(2):
        few = 2 if round_number == 0 and size < MANY_EDGES else 1
        longer = 6 if round_number == 0 and size < MANY_EDGES else 3
        seeds = [_draw(random) for _ in range(few)]
        warm = (1.0, 0.6)[round_number]

        jobs = [
            (part, warm, longer * steps, job_seed) for part, job_seed in zip(pool[:few], seeds, strict=False)
        ]
        pool = _best(problem, pool + map_threads(lambda job: _round(problem, *job), jobs), 4)
    best = repack(problem, min(pool, key=problem.score), _draw(random), longest=400_000)
    return restored(problem, best)


def improve(problem: Problem, part: Part, seed: int) -> Part:
    """Return a state at least as good as `part`, a valid one: for a graph that has lost some edges."""
    random = Random(seed)
    steps = 3 * (min(200_000, 2_000 * problem.n) + 6 * problem.n)
    part = repack(problem, restored(problem, part), _draw(random))
    pool = [part, _round(problem, part, 0.6, steps, _draw(random))]
    return restored(problem, min(pool, key=problem.score))


def _round(problem: Problem, part: Part, warm: float, steps: int, seed: int) -> Part:
    part = annealed(problem, part, warm, 0.12, steps, seed)
    return polish(problem, repack(problem, part, seed), seed)


def annealed(problem: Problem, part: Part, warm: float, cool: float, steps: int, seed: int) -> Part:
    """Improve a state by annealing; temperatures in nodes of average weight."""
    scale = max(1.0, float(problem.weights.sum()) / problem.n)
    found: Part = anneal(
        problem.starts, problem.ends, problem.cost, problem.class_starts, problem.class_ids, problem.class_rows,
        problem.n_classes, part, problem.shares, problem.aim * 0.97, problem.prices, warm * scale, cool * scale,
        steps, seed, PROTECTED,
    )  # fmt: skip
    return found


def restored(problem: Problem, part: Part) -> Part:
    """Put back every removed node that no edge and no size holds out, those with most rows first."""
    part = part.copy()
    gone = np.flatnonzero(part == problem.k)
    order = gone[np.argsort(-problem.weights[gone], kind="stable")]
    restore(
        problem.starts, problem.ends, problem.class_starts, problem.class_ids, problem.class_rows,
        problem.n_classes, order, part, problem.shares, problem.aim, problem.prices,
    )  # fmt: skip
    return part


def _cuts(problem: Problem, seeds: list[int]) -> list[Part]:
    """Return states from balanced cuts; the first few tell the others how many rows removal takes of each part."""
    first = map_threads(lambda job: multilevel(problem, *job), list(enumerate(seeds[:FIRST_CUTS])))
    _, lost = min(first, key=lambda cut: int(cut[1].sum()))
    jobs = [(number, seed, lost * (number // 4 % 3) // 2) for number, seed in enumerate(seeds)][FIRST_CUTS:]
    return [part for part, _ in first + map_threads(lambda job: multilevel(problem, *job), jobs)]


def _annealed_starts(problem: Problem, count: int, best: int, steps: int, random: Random) -> list[Part]:
    cuts = _cuts(problem, [_draw(random) for _ in range(count)])
    fewest = min(int(problem.weights[part == problem.k].sum()) for part in cuts)
    # far more rows than the best cut: such a start is not worth its annealing
    most = 1.5 * fewest + 10
    shares = (float(problem.shares.max()), float(problem.shares.min()))
    tried = [without_hubs(problem, share, most) for share in dict.fromkeys(shares)]
    hubs = [repack(problem, part, _draw(random)) for part in tried if part is not None]
    jobs = [(part, 0.8, steps, _draw(random)) for part in _best(problem, cuts, best)]
    jobs += [(part, 0.5, 3 * steps, _draw(random)) for part in hubs]
    found = map_threads(lambda job: annealed(problem, job[0], job[1], 0.15, job[2], job[3]), jobs)
    return cuts + hubs + found


def _best(problem: Problem, pool: list[Part], count: int) -> list[Part]:
    """Return the `count` cheapest states, and the cheapest feasible one where it is not among them."""
    costs = [problem.cost_of(part) for part in pool]
    ranked = sorted(range(len(pool)), key=lambda i: (costs[i], i))
    best = ranked[:count]
    feasible = next((i for i in ranked if problem.feasible(pool[i])), best[0])
    return [pool[i] for i in (best if feasible in best else [*best, feasible])]


def _draw(random: Random) -> int:
    return random.getrandbits(60)
