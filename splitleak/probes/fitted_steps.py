"""Which rows did a fitted step learn from? It is compared with copies of it that are fitted again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from splitleak.probes.drawn_steps import judged_by_refits
from splitleak.probes.learned_facts import BEHAVIOUR, Arrays, are_measured, distance, facts
from splitleak.probes.refitting import Ints, StepInput, fit_again, take_rows

Kind = Literal["train", "all", "part", "same", "neither", "unsure", "unknown"]
Facts = Mapping[str, Arrays]

# distance to a refit as a share of that of the two refits: it is that one, it is not
_MATCH, _OFF = 0.01, 0.3
_EQUAL = 1e-9  # relative distance at which the two refits are the same
_NEAR = 1e-6  # and at which a step is the same as a refit: another processor rounds otherwise
_SHOWN = 100  # rows of either side that steps are applied to
_SEEDS = (1, 2, 3)  # of refits that say whether lots matter
_MOST_DRAWN = 20_000  # rows, beyond which a step that draws lots is not fitted a dozen times


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that a step may have learned from, each in the caller's order.

    Attributes
    ----------
    train, all : int64 arrays
        The training rows, and those of all partitions.
    parts : mapping of tuple of str to int64 array
        Rows of other partitions and unions of partitions, by their names.
    """

    train: Ints
    all: Ints
    parts: Mapping[tuple[str, ...], Ints]

    @property
    def shown(self) -> Ints:
        """Some rows of train, and some that are held out."""
        held = np.setdiff1d(self.all, self.train)
        sides = [_spread(np.sort(side)) for side in (self.train, held) if len(side)]
        return np.concatenate(sides)


@dataclass(frozen=True)
class Learned:
    """Which rows a step learned from: `partitions` where it is some of them ("part")."""

    kind: Kind
    partitions: tuple[str, ...] = ()


def _spread(rows: Ints) -> Ints:
    return rows[np.linspace(0, len(rows) - 1, min(_SHOWN, len(rows))).astype(np.int64)]


def learned_from(step: Any, given: StepInput, rows: Rows) -> Learned:
    """Say whether a fitted step learned from the training rows, from all rows, or from other partitions.

    It is fitted again on either, and what the three have learned and what they make of the same rows is compared. A
    solver stops a little elsewhere when rows come in another order, so a step is taken for the refit that it is a
    hundred times nearer to than the two refits are to one another. What changes with the seed or the order of the rows
    is compared with refits of several seeds and orders.
    """
    of_train, of_all = fit_again(step, given, rows.train), fit_again(step, given, rows.all)
    if of_train is None or of_all is None:
        return Learned("unknown")
    x = take_rows(given.x, rows.shown)
    mine, train, every = (facts(each, x) for each in (step, of_train, of_all))
    lots = given.draws_lots(step)
    if lots and _all_equal(train, every):
        return Learned("same")  # what it draws does not depend on the rows
    verdict = _vote(mine, train, every)
    if verdict in ("train", "all") and (
        not lots or _is_exactly(mine, train if verdict == "train" else every)
    ):
        return Learned(verdict)
    if verdict in ("same", "unknown"):
        return Learned(verdict)
    part = _of_parts(step, given, rows, x, mine, train, every) if verdict == "neither" else None
    if part is not None:
        return Learned("part", part)
    wavering = _wavering(step, given, rows, x, train, every)
    if wavering is None:
        return Learned("unknown")
    if not wavering:
        return Learned(verdict)
    return _of_lots(
        step, given, rows, _vote(*(_without(f, wavering) for f in (mine, train, every)), measured=True)
    )


def _is_exactly(mine: Facts, other: Facts) -> bool:
    """Return whether all numbers are those of a refit, which lots do not bring about."""
    return mine.keys() == other.keys() and all(distance(mine[name], other[name]) <= _EQUAL for name in mine)


def _all_equal(train: Facts, every: Facts) -> bool:
    return bool(train) and all(
        distance(train[name], every[name]) <= _EQUAL if name in every else False for name in train
    )


def _wavering(step: Any, given: StepInput, rows: Rows, x: Any, train: Facts, every: Facts) -> set[str] | None:
    """Return the facts that another seed and another order of the rows change; None where it cannot be fitted."""
    found: set[str] = set()
    for seed in _SEEDS if given.draws_lots(step) else _SEEDS[:1]:
        for part, first in ((rows.train, train), (rows.all, every)):
            order = np.random.default_rng(seed).permutation(part)
            again = fit_again(step, given, order, seed, every=True)
            if again is None:
                return None
            other = facts(again, x)
            for name in first:
                apart = distance(train[name], every[name]) if name in train.keys() & every.keys() else 0.0
                moved = distance(first[name], other[name]) if name in other else 1.0
                if moved > max(_MATCH * apart, _NEAR):
                    found.add(name)
        if BEHAVIOUR in found:
            break
    return found


def _without(found: Facts, names: set[str]) -> Facts:
    return {name: arrays for name, arrays in found.items() if name not in names}


def _of_lots(step: Any, given: StepInput, rows: Rows, settled: Kind) -> Learned:
    """Join what no lot decides with what refits by other lots say."""
    if len(rows.all) > _MOST_DRAWN:
        return Learned(settled if settled in ("train", "all") else "unsure")
    drawn = judged_by_refits(step, given, rows.train, rows.all, rows.shown)
    verdicts = {v for v in (settled, drawn) if v in ("train", "all")}
    if len(verdicts) == 2:
        return Learned("neither")
    return Learned(verdicts.pop()) if verdicts else Learned("unsure")


def _of_parts(
    step: Any, given: StepInput, rows: Rows, x: Any, mine: Facts, train: Facts, every: Facts
) -> tuple[str, ...] | None:
    """Return the partitions that a step learned from which is neither of train nor of all rows."""
    apart = {name: distance(train[name], every[name]) for name in mine.keys() & train.keys() & every.keys()}
    asked = [name for name in apart if apart[name] > _EQUAL]
    asked = [name for name in asked if are_measured(mine[name])] or asked
    for names, part in rows.parts.items():
        fitted = fit_again(step, given, part)
        if fitted is None:
            continue
        theirs = facts(fitted, x)
        if asked and all(
            distance(mine[name], theirs.get(name, [])) <= max(_MATCH * apart[name], _NEAR) for name in asked
        ):
            return names
    return None


def _vote(mine: Facts, train: Facts, every: Facts, *, measured: bool = False) -> Kind:
    """Say which of two refits a step is; `measured`: by numbers with fractions alone.

    What it makes of rows decides, where that differs; else what it has learned, numbers with fractions before others,
    since counts and choices agree by chance.
    """
    votes = {n: _one_vote(mine[n], train[n], every[n]) for n in mine.keys() & train.keys() & every.keys()}
    if not votes:
        return "unknown"
    told = {name for name, vote in votes.items() if vote in ("train", "all", "other")}
    if not told:  # what differs beside what both refits hold alike may be a memory of the rows transformed
        return "neither" if "odd" in votes.values() and votes.get(BEHAVIOUR, "odd") == "odd" else "same"
    exact = {name for name in told if are_measured(mine[name])}
    for names in (exact & {BEHAVIOUR}, exact, set() if measured else told):
        if not names:
            continue
        found = {votes[name] for name in names} | ({votes[name] for name in exact} - {"other"})
        if {"train", "all"} <= found or found == {"other"} or {votes[n] for n in names} == {"other"}:
            return "neither"
        return "all" if "all" in found else "train"
    return "same"


def _one_vote(mine: Arrays, train: Arrays, every: Arrays) -> Literal["train", "all", "same", "other", "odd"]:
    near_train, near_all, between = distance(mine, train), distance(mine, every), distance(train, every)
    if between <= _EQUAL:
        return "same" if near_all <= _NEAR else "odd"
    if near_all < _MATCH * between and near_train > _OFF * between:
        return "all"
    if near_train < _MATCH * between and near_all > _OFF * between:
        return "train"
    return "other"
