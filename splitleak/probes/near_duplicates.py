"""SPL102: held-out rows that are nearly equal to a row that the model is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, Skipped, probe
from splitleak.probes.close_rows import Close, close_rows
from splitleak.probes.context import AuditContext
from splitleak.probes.equal_rows import equal_rows, nothing_known
from splitleak.probes.near_images import SAME, NearImages, nearest_images
from splitleak.probes.near_neighbours import CLOSE, Nearest, nearest_rows
from splitleak.probes.near_texts import Similar, find_similar, is_auto, searches
from splitleak.probes.remedies import split_again
from splitleak.statistics import wilson_interval

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_LEAST_ROWS, _LEAST_SHARE = 2, 0.01
_LEAST_CLOSE = 5  # fewer that are only close may be rows of one speaker, plant or day
_LEAST_CAUTION = 0.015  # where a leak is out of the question, a few rows are not worth a person's time
_MOST_PICTURES = 12
_MOST_PAIRS = 24
_BARS = 20


@dataclass(frozen=True, eq=False)
class _Look:
    """What one way of looking found."""

    status: Literal["leak", "caution", "clean"]
    told: str
    searched: int
    rows: Ints
    partners: Ints
    similarity: Floats  # in (0, 1]
    how: str
    picture: dict[str, Any] | None = None
    groups: str = ""  # the column whose equal texts belong together, where that is all it found


@probe(
    "SPL102",
    "Near-duplicates across partitions",
    needs=["split"],
    why="The model is asked about rows that it has all but seen, so the score measures memory.",
    bound="Nearest rows against the next ones (false discovery rate 0.01) and training rows' own (p); 1 % of rows.",
)
def near_duplicates(context: AuditContext) -> Finding:
    """Look at numbers, at columns that agree, and at texts, sequences, vectors and images."""
    looks: list[_Look] = []
    reasons: list[str] = []
    asked = searches(context)
    for options in asked:
        try:
            looks.append(_by_measure(context, find_similar(context, options)))
        except NotApplicable as reason:
            reasons.append(str(reason))
        except Skipped as reason:
            if len(asked) == 1 and not context.of_kind("numeric"):
                raise
            reasons.append(str(reason))
    for name in sorted(context.images) if is_auto(context.similarity) else ():
        pictures = nearest_images(context, name)
        if pictures is not None:
            looks.append(_by_pixels(context, pictures))
    nearest, close = nearest_rows(context), close_rows(context)
    chance = None if close is None else _by_chance(context, close)
    if nearest is not None:
        proved = chance.rows if chance is not None and chance.status != "clean" else None
        looks.append(_by_distance(context, nearest, proved))
    if chance is not None:
        looks.append(chance)
    if not looks:
        raise NotApplicable(
            "; ".join(reasons)
            or "needs two numbers of many values, five columns, or texts of 20 characters; name a measure with"
            " similarity="
        )
    return _together(context, looks)


def _by_distance(context: AuditContext, nearest: Nearest, proved: Ints | None) -> _Look:
    """Judge the spacing of neighbours; where copies are proved, rows that are merely near are their siblings."""
    hit = nearest.copies() & _unequal(context, nearest.rows, nearest.partners)
    if proved is not None:
        hit &= (nearest.distance <= CLOSE) | np.isin(nearest.rows, proved)
    close = hit & (nearest.distance <= CLOSE)
    tested = len(nearest.rows)
    status: Literal["leak", "caution", "clean"] = "clean"
    entity = nearest.one_entity(hit)
    if _enough(int(close.sum()), tested) and close.sum() >= _LEAST_CLOSE and not entity:
        status = "leak"
    elif _enough(int(hit.sum()), tested, _LEAST_CAUTION):
        status = "caution"
    told = (
        f"{int(hit.sum()):,} are far closer to a training row than its neighbours foretell"
        f" ({int(close.sum()):,} within {CLOSE} robust standard deviations)"
    ) + (", equal in most columns and different in one: rows of one entity" if entity else "")
    return _Look(
        status,
        told,
        tested,
        nearest.rows[hit],
        nearest.partners[hit],
        1 / (1 + nearest.distance[hit]),
        "distance of numbers",
        _histogram(nearest, hit),
    )


def _by_pixels(context: AuditContext, nearest: NearImages) -> _Look:
    other = _unequal(context, nearest.rows, nearest.partners)
    same, alike = other & nearest.same(), other & nearest.alike()
    status: Literal["leak", "caution", "clean"] = "clean"
    if _enough(int(same.sum()), len(nearest.rows)):
        status = "leak"
    elif _enough(int(alike.sum()), len(nearest.rows), _LEAST_CAUTION):
        status = "caution"
    how = (
        "saved anew, mirrored or turned"
        if nearest.turned
        else "saved anew (mirrored and turned ones are looked for among up to 10,000 training images only)"
    )
    told = (
        f"{int(alike.sum()):,} show a training image again, {how} ({int(same.sum()):,} with a"
        f" correlation of the pixels of {1 - SAME**2 / 2:.3f} and more)"
    )
    return _Look(
        status, told, len(nearest.rows), nearest.rows[alike], nearest.partners[alike],
        1 - nearest.distance[alike] ** 2 / 2, "gray pixels",
    )  # fmt: skip


def _by_chance(context: AuditContext, close: Close) -> _Look:
    other = _unequal(context, close.rows, close.partners)
    rows, partners = close.rows[other], close.partners[other]
    rare = close.p_value < context.level and not close.one_entity()
    enough = rare and _enough(len(rows), close.tested, _LEAST_CAUTION)
    if not enough:
        rows, partners = rows[:0], partners[:0]
    told = (
        f"{len(rows):,} agree with a training row, nearly or but for some columns, as no two training rows do"
    )
    return _Look(
        "caution" if enough else "clean", told, close.tested, rows, partners, close.share[other][: len(rows)],
        "columns that agree",
    )  # fmt: skip


def _by_measure(context: AuditContext, found: Similar) -> _Look:
    other = _unequal(context, found.rows, found.partners)
    rows = found.rows[other]
    status: Literal["leak", "caution", "clean"] = "clean"
    sure = int((found.similarity[other] >= found.sure).sum())
    if _enough(sure, found.searched) and not (found.templates or found.repeated or found.titles):
        status = "leak"
    elif _enough(len(rows), found.searched) or sure >= _LEAST_ROWS:
        status = "caution"
    told = (
        f"{len(rows):,} have a similarity of at least {found.threshold:g} ({found.what}) with a row elsewhere, equal"
        " rows left out"
    )
    if found.templates:
        told += ", most of them with many: a form or a family rather than copies"
    elif found.titles and len(rows):
        told += ", short ones beside other columns: one name or title may stand for several things"
    elif found.repeated and len(rows):
        told += (
            ", and texts of this column repeat: if rows of one text belong together, declare it with groups="
        )
    return _Look(
        status, told, found.searched, rows, found.partners[other], found.similarity[other], found.what,
        _similarities(context, found, other), found.repeated,
    )  # fmt: skip


def _unequal(context: AuditContext, rows: Ints, partners: Ints) -> NDArray[np.bool_]:
    """Return which pairs are not equal in all features (those are another probe's), nor missing them all."""
    found = equal_rows(context, across=True)
    empty = nothing_known(found.columns, context.n_rows)
    return np.asarray((found.group[rows] != found.group[partners]) & ~empty[rows])


def _enough(count: int, tested: int, share: float = _LEAST_SHARE) -> bool:
    return count >= max(_LEAST_ROWS, share * tested)


def _together(context: AuditContext, looks: list[_Look]) -> Finding:
    rank = {"leak": 0, "caution": 1, "clean": 2}
    looks = sorted(looks, key=lambda look: (rank[look.status], -len(look.rows) / max(1, look.searched)))
    worst = looks[0]
    loud = [look for look in looks if look.status != "clean"]
    shown = loud or looks
    rows = np.concatenate([look.rows for look in shown])
    partners = np.concatenate([look.partners for look in shown])
    similarity = np.concatenate([look.similarity for look in shown])
    how = np.repeat([look.how for look in shown], [len(look.rows) for look in shown])
    _, first = np.unique(rows, return_index=True)
    rows, partners, similarity, how = rows[first], partners[first], similarity[first], how[first]
    best = np.lexsort((rows, -similarity))[:_MOST_PAIRS]
    total = len(context.held_out)
    of = (
        f"{worst.searched:,} of {total:,} held-out rows"
        if worst.searched < total
        else f"{total:,} held-out rows"
    )
    picture = worst.picture
    if context.images and loud:
        shown_first = best[:_MOST_PICTURES]
        picture = _side_by_side(context, rows[shown_first], partners[shown_first], similarity[shown_first])
    count = len(worst.rows)
    return Finding(
        worst.status,
        f"Of {of} looked at, {'; '.join(look.told for look in shown)}.",
        count / max(1, worst.searched),
        "share of the held-out rows looked at",
        interval=wilson_interval(count, worst.searched),
        rows=rows if loud else rows[:0],
        partners=partners if loud else partners[:0],
        remedy=_remedy(context, loud) if loud else "",
        evidence=[
            {
                "row": int(rows[i]),
                "near row": int(partners[i]),
                "similarity": round(float(similarity[i]), 4),
                "found by": str(how[i]),
            }
            for i in best
        ]
        if loud
        else [],
        picture=picture if loud else None,
        impact_of="rows" if loud else "none",
    )


def _remedy(context: AuditContext, loud: list[_Look]) -> str:
    if all(look.groups for look in loud):
        declared = [column.name for column in context.groups]
        return split_again(context, groups=[*declared, *(look.groups for look in loud)])
    return 'df = df.drop(index=df.index[report["SPL102"].rows])'


def _histogram(nearest: Nearest, hit: NDArray[np.bool_]) -> dict[str, Any]:
    distance = nearest.distance
    edges = np.linspace(0, max(float(np.quantile(distance, 0.99)), 1e-9), _BARS + 1)
    clipped = np.minimum(distance, edges[-1])
    return {
        "kind": "histogram",
        "edges": edges.tolist(),
        "counts": {
            "far closer than its neighbours": np.histogram(clipped[hit], edges)[0].tolist(),
            "as close as its neighbours": np.histogram(clipped[~hit], edges)[0].tolist(),
        },
        "marks": [{"value": CLOSE, "name": "a leak up to here"}],
        "unit": "distance to the nearest training row, in robust standard deviations",
    }


def _similarities(context: AuditContext, found: Similar, other: NDArray[np.bool_]) -> dict[str, Any]:
    """Return how similar held-out rows are to the most similar row elsewhere, by partition."""
    rows, similarity = found.rows[other], found.similarity[other]
    edges = np.linspace(min(found.threshold, 1 - 1e-6), 1, _BARS + 1)
    counts = {
        context.names[code]: np.histogram(similarity[context.codes[rows] == code], edges)[0].tolist()
        for code in np.unique(context.codes[rows])
    }
    below = found.searched - int(other.sum())
    return (
        {
            "kind": "histogram",
            "edges": edges.tolist(),
            "counts": counts,
            "marks": [{"value": found.sure, "name": "copies from here on"}]
            if found.sure > found.threshold
            else [],
            "unit": f"similarity to the most similar row elsewhere ({below:,} held-out rows have none)",
        }
        if counts
        else {}
    )


def _side_by_side(context: AuditContext, rows: Ints, partners: Ints, similarity: Floats) -> dict[str, Any]:
    """Return the most similar pairs of pictures."""
    from splitleak._tables.thumbnails import thumbnail

    images = context.images[sorted(context.images)[0]]

    def name(row: int) -> str:
        return f"row {context.positions[row]:,} ({context.names[context.codes[row]]})"

    pairs = [
        {
            "left": thumbnail(images, row),
            "right": thumbnail(images, other),
            "labels": [name(row), name(other)],
            "similarity": float(value),
        }
        for row, other, value in zip(rows.tolist(), partners.tolist(), similarity, strict=True)
    ]
    return {"kind": "images", "pairs": pairs}
