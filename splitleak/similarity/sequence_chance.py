"""The chance level of alignments: the same search between sequences and shuffled ones."""

from __future__ import annotations

import numpy as np

from splitleak.chance import Chance
from splitleak.kernels import alignment as kernel
from splitleak.kernels.strands import reverse_complements
from splitleak.similarity.aligned_pairs import exhaustive_pairs
from splitleak.similarity.alignment_definition import Definition, Prepared
from splitleak.similarity.score_bounds import Bound
from splitleak.similarity.sequence_input import Input

REAL = 64  # sequences ...
SHUFFLED = 128, 1_024  # ... and shuffled ones that they are compared with: as many as the cells allow
_CELLS = 2e10


def chance_level(
    data: Input, definition: Definition, threshold: float, seed: int, *, bound: Bound | None = None
) -> Chance | None:
    """Compare a sample of the sequences with a sample of shuffled ones: each keeps its length and composition.

    None where there is no sequence. `bound` is that of the search, which spares choosing one.
    """
    sequences, lengths = data.prepared.sequences, data.prepared.lengths
    if not len(lengths):
        return None
    keys = data.drawn(seed)
    drawn = np.argsort(keys, kind="stable")
    strands = 2 if len(sequences.reverse) else 1
    many = int(np.clip(_CELLS / (strands * REAL * float(lengths.mean()) ** 2), *SHUFFLED))
    real, shuffled = (d[np.argsort(lengths[d], kind="stable")] for d in (drawn[:REAL], drawn[:many]))
    parts = []
    for s in shuffled:
        letters = sequences.codes[sequences.starts[s] : sequences.starts[s + 1]]
        parts.append(np.random.default_rng(int(keys[s])).permutation(letters))
    parts += [sequences.codes[sequences.starts[s] : sequences.starts[s + 1]] for s in real]
    rows = np.concatenate([shuffled, real])  # each part by length, where neighbours share vector lanes
    side = np.repeat(np.array([0, 1]), [len(shuffled), len(real)])
    starts = np.concatenate([[0], np.cumsum(lengths[rows])]).astype(np.int64)
    codes = np.concatenate(parts)
    complement = data.prepared.scheme.complement
    reverse = sequences.reverse if complement is None else reverse_complements(codes, starts, complement)
    sample = Prepared(
        kernel.Sequences(codes, reverse, starts, side),
        lengths[rows],
        data.prepared.self_scores[rows],
        data.prepared.scheme,
    )
    found = exhaustive_pairs(sample, definition, threshold, rows_from=len(shuffled), bound=bound)
    return Chance(len(real) * len(shuffled), np.sort(found.similarity), threshold)
