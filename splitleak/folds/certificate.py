"""What the certificate of all folds says about one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from splitleak.certificate import Across, Certificate

if TYPE_CHECKING:
    from collections.abc import Sequence

TRAIN, TEST = "train", "test"


def certificate_of_fold(certificate: Certificate, name: str) -> Certificate:
    """Return the certificate of the split that holds out the fold `name` and trains on all others.

    The search across all folds has covered every pair of rows that this split separates, so nothing is searched
    again: pairs add up over the other folds, and the largest similarity is the largest of those to them.
    """
    across = [a for a in certificate.across if name in (a.left, a.right)]
    pairs = sum(a.pairs for a in across)
    nearest = certificate.nearest
    if nearest is not None:
        nearest = replace(nearest, counts={TEST: nearest.counts[name]}, rows={TEST: nearest.rows[name]})
    return replace(
        certificate,
        verdict="leaking" if pairs else ("separated" if certificate.exhaustive else "separated_with_recall"),
        across=(_joined(across, pairs),),
        n_crossing=pairs,
        crossing=tuple(
            replace(
                pair,
                left_partition=TEST if pair.left_partition == name else TRAIN,
                right_partition=TEST if pair.right_partition == name else TRAIN,
            )
            for pair in certificate.crossing
            if name in (pair.left_partition, pair.right_partition)
        ),
        held_out=tuple(replace(h, partition=TEST) for h in certificate.held_out if h.partition == name),
        nearest=nearest,
        views=tuple(certificate_of_fold(view, name) for view in certificate.views),
    )


def _joined(across: Sequence[Across], pairs: int) -> Across:
    known = [a.largest for a in across if a.largest is not None and not a.largest_is_bound]
    bounds = [a.largest for a in across if a.largest is not None]
    # what is known lies above what was searched down to, so that a bound never exceeds it
    return Across(TRAIN, TEST, pairs, max(known or bounds, default=None), bool(bounds) and not known)
