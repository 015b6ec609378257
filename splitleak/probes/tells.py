"""Which of many tokens give a side away, rather than lean to it as the words of a topic do?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.tokens import Side, apart, is_identity
from splitleak.statistics import normal_quantile

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Honest words come as a family: in 462 tasks of telling apart two packages by their documentation, the strongest pure
# word led the fifth independent one by a factor of 2.1 in one of twenty tasks, and never by more than 2.7.
_LEAD = 2.5
_LEAD_OVER_NOISE = 2.0  # where the fifth is no more than chance gives
_FIFTH = 4
_LEAST_LEAN = 2.5
_PURITY = 0.97
_RECALL = 0.05
_TESTED = 60  # tokens whose exact chance is computed


@dataclass(frozen=True)
class Tell:
    """A token that gives a side away.

    Attributes
    ----------
    token : int
        Its number.
    side : int
        Number of the side.
    recall, purity : float
        Share of that side's texts that hold it; share of that side among those that hold it, sides equally large.
    holders : int
        Texts of that side that hold it.
    lean : float
        Signed root of the likelihood ratio.
    p_value : float
        Adjusted for all tokens and sides.
    kind : {"name", "alone", ""}
        A link, @name or #tag; far ahead of all other tokens; neither (not a tell).
    """

    token: int
    side: int
    recall: float
    purity: float
    holders: int
    lean: float
    p_value: float
    kind: str

    @property
    def area(self) -> float:
        """Area under the ROC curve of whether a text holds it, that side against the rest."""
        outside = self.recall * (1 - self.purity) / max(self.purity, 1e-12)
        return 0.5 + abs(self.recall - min(outside, 1.0)) / 2


def strongest(holds: Any, names: NDArray[Any], sides: Sequence[Side], *, level: float) -> list[Tell]:
    """Return the tokens that lean most, those that occur beside a stronger one left out; tells have a `kind`."""
    leans = np.stack([side.lean for side in sides])
    best = np.argmax(leans, axis=0)
    lean = leans[best, np.arange(leans.shape[1])]
    order = apart(holds, lean, names)[:_TESTED]
    tests = leans.size
    noise = normal_quantile(1 - 0.05 / max(tests, 2))
    fifth = float(lean[order[_FIFTH]]) if len(order) > _FIFTH else 0.0
    lead = (_LEAD if fifth > noise else _LEAD_OVER_NOISE) * max(fifth, _LEAST_LEAN)
    found = []
    for place, token in enumerate(order.tolist()):
        k = int(best[token])
        side = sides[k]
        p = min(1.0, float(side.chance(np.array([token]))[0]) * tests)
        kind = ""
        if p < level and side.recall[token] >= _RECALL and side.purity[token] >= _PURITY:
            if is_identity(names[token]):
                kind = "name"
            elif place < _FIFTH and lean[token] >= lead:
                kind = "alone"
        found.append(
            Tell(
                token, k, float(side.recall[token]), float(side.purity[token]), int(side.inside[token]),
                float(lean[token]), p, kind,
            )
        )  # fmt: skip
    return found


def best_three(holds: Any, codes: Ints, candidates: Ints) -> tuple[Ints, Ints]:
    """Return up to three tokens that together explain most of the classes, and each text's pattern of them (0 to 7).

    Greedily, by the share of the classes' variance between patterns; the patterns of one, two and three tokens are
    the pattern's last one, two and three bits.
    """
    k = int(codes.max(initial=0)) + 1
    columns = [
        np.asarray(holds[:, [token]].todense()).ravel().astype(np.int64) for token in candidates.tolist()
    ]
    pattern = np.zeros(len(codes), dtype=np.int64)
    chosen: list[int] = []
    for step in range(min(3, len(columns))):
        scores = [_between(pattern + (column << step), codes, k) for column in columns]
        at = int(np.argmax(scores))
        chosen.append(int(candidates[at]))
        pattern = pattern + (columns[at] << step)
    return np.array(chosen, dtype=np.int64), pattern


def _between(pattern: Ints, codes: Ints, k: int) -> float:
    cells = np.bincount(pattern * k + codes, minlength=8 * k)[: 8 * k].reshape(8, k).astype(np.float64)
    return float(((cells**2).sum(axis=1) / np.maximum(cells.sum(axis=1), 1)).sum())
