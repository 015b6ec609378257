"""The certificate of several searches: one for each, and one for what any or all of them say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak.certificate import Across, Certificate, Crossing
from splitleak.certification.single import (
    certify_single,
    crossing_of,
    held_out_of,
    notes_on_listing,
    verdict_of,
)
from splitleak.crossing import crossing_pairs
from splitleak.graph import SimilarityGraph
from splitleak.search import CombinedSearch
from splitleak.similarity.combined import similarity_of


def certify_combined(
    search: CombinedSearch,
    names: Sequence[str],
    codes: NDArray[np.int64],
    *,
    folds: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Certificate, SimilarityGraph]:
    """Return the certificate of several searches, each of which has its own in `views`, and their joint graph.

    Each search is made once; a pair crosses when any, or all, of them found it across.
    """
    views: list[Certificate] = []
    graphs: list[SimilarityGraph] = []
    for name, member in zip(search.names, search.members, strict=True):
        if isinstance(member, CombinedSearch):
            own, graph = certify_combined(member, names, codes, folds=folds, seed=seed, progress=progress)
        else:
            own, graph = certify_single(member, names, codes, folds=folds, seed=seed, progress=progress)
        views.append(replace(own, view=name))
        # the search may have gone somewhat below the threshold
        graphs.append(graph.raised(member.threshold) if graph.threshold < member.threshold else graph)
    joint = search.joined(graphs)
    crossing = crossing_pairs(joint, codes, len(names), search.threshold)
    across = [
        Across(names[i], names[j], int(crossing.pairs[i, j]), None, False)
        for i in range(len(names))
        for j in range(i + 1, len(names))
    ]
    certificate = Certificate(
        verdict_of(crossing.n, joint.exact),
        search.measure,
        search.threshold,
        joint.exact,
        None,
        tuple(across),
        crossing.n,
        _with_views(crossing_of(crossing, names, codes), graphs, search.names),
        held_out_of(crossing, names, codes, folds=folds),
        None,
        None,
        tuple(notes_on_listing(joint)),
        combine=search.combine,
        views=tuple(views),
    )
    return certificate, joint


def _with_views(
    pairs: Sequence[Crossing], graphs: Sequence[SimilarityGraph], names: Sequence[str]
) -> tuple[Crossing, ...]:
    """Name the searches that found each pair."""
    left, right = (
        np.array([getattr(pair, end) for pair in pairs], dtype=np.int64) for end in ("left", "right")
    )
    found = np.array([np.isfinite(similarity_of(graph, left, right)) for graph in graphs])
    return tuple(
        replace(pair, views=tuple(name for name, yes in zip(names, found[:, i], strict=True) if yes))
        for i, pair in enumerate(pairs)
    )
