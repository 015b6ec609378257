"""The exhaustive search for pairs of sequences that align well."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import SILENT, Progress
from splitleak.kernels import alignment as kernel
from splitleak.kernels.lane_sweep import SCORE_LANES
from splitleak.similarity.alignment_definition import Definition, Pairs, Prepared
from splitleak.similarity.score_bounds import Bound, choose_bound

_BLOCK = 1 << 20  # pairs at a time


def exhaustive_pairs(
    prepared: Prepared,
    definition: Definition,
    threshold: float,
    *,
    rows_from: int = 0,
    bound: Bound | None = None,
    progress: Progress = SILENT,
) -> Pairs:
    """Return all pairs with similarity >= threshold; with `rows_from`, those whose right is at or after it.

    `bound` spares choosing one: it holds for all sequences of a scheme, and cannot change the pairs.
    """
    bound = bound or choose_bound(prepared, definition, threshold)
    if bound is None:
        parts = [
            _similar(prepared, definition, threshold, left, right)
            for left, right in _all_pairs(prepared, definition, threshold, rows_from)
        ]
        return _joined(parts)
    with progress.stage("scores of all pairs", -(-len(prepared.lengths) // SCORE_LANES)) as stage:
        left, right = bound.scan_by_leaders(
            prepared, definition, threshold, rows_from=rows_from, advance=stage.advance
        )
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
