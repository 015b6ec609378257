"""How near a packing can come at best, and how far its tables must reach."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random


def least_excess(clusters: Sequence[int], targets: Sequence[int]) -> int:
    """Return the fewest rows beyond the targets that these clusters alone can cause."""
    if not clusters:
        return 0
    ways = []
    for s, target in enumerate(targets):
        cluster = clusters[0]
        left = [*targets[:s], max(0, target - cluster), *targets[s + 1 :]]
        ways.append(max(0, cluster - max(0, target)) + least_excess(clusters[1:], left))
    return min(ways)


def least_rounding(targets: Sequence[int], unit: int) -> int:
    """Return the summed distance of the targets from multiples of `unit` with the same sum."""
    over = sorted(target % unit for target in targets)
    down = len(over) - sum(over) // unit  # so many are rounded down, those nearest below
    return sum(over[:down]) + sum(unit - o for o in over[down:])


def draw(weights: Sequence[float], random: Random) -> int:
    """Return a position with probability in proportion to its weight, never one of weight 0."""
    left = random.random() * sum(weights)
    last = 0
    for position, weight in enumerate(weights):
        if weight > 0:
            last = position
            left -= weight
            if left < 0:
                break
    return last


def caps(targets: Sequence[int], deviation: int, unit: int) -> tuple[int, list[int]]:
    """Return the partition that takes the rest, and how many multiples of `unit` each other may reach."""
    rest = max(range(len(targets)), key=lambda s: (targets[s], -s))
    limits = [max(0, target + deviation // 2) for s, target in enumerate(targets) if s != rest]
    return rest, [limit // unit + 1 for limit in limits]
