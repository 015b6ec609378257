"""SPL209: files, corners, edges or brightness of images tell the target, or the split."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.base import Finding, NotApplicable, Skipped, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext, Target
from splitleak.probes.image_attention import attention
from splitleak.probes.image_facts import GRID, Facts, image_facts
from splitleak.probes.image_regions import BACKGROUND, areas, standing_out
from splitleak.probes.remedies import split_again
from splitleak.probes.scores import clearest_side_of_rows, score_column
from splitleak.probes.split_prediction import column_test
from splitleak.probes.tokens import classes_of
from splitleak.statistics import normal_tail

Ints = NDArray[np.int64]
_LEAST = 40
_LEAST_OF_CLASS = 10
_FOLDS = 5
_HONEST_AUC, _HONEST_R2 = 0.75, 0.3  # of how a file was made: format, camera, size
_CONTENT = frozenset(
    {"width", "height", "aspect", "bytes", "bytes per pixel"}
)  # what is shown may set them, too
_ONLY_NAMED = frozenset({"file name"})  # a model does not see it
_DIFFERENCE = 0.15  # between training and held-out images
_SHOWN = 12


@dataclass(frozen=True)
class _Sign:
    """Something of the images that tells the target or the split."""

    grade: str  # "leak", "caution" or "" (silent)
    against: str
    what: str
    value: float
    p_value: float


@probe(
    "SPL209",
    "Images give the target away by something else than their content",
    needs=["images"],
    why="A format, a camera, a tag in the corner or a scanner's brightness tells the class here, and will not in use.",
    bound="Limits of an honest AUC with Bonferroni over all that is tried; a corner or an edge counts where its likes"
    " are silent; against the split tests by ranks.",
)
def image_artefacts(context: AuditContext) -> Finding:
    """Score what is known of the files, the whole images and 8 x 8 patches, against the target and the split."""
    if importlib.util.find_spec("PIL") is None:
        raise Skipped("images cannot be decoded: pip install splitleak[image]")
    if context.target is None and not context.has("split"):
        raise NotApplicable("needs a target or a split: pass target= or split=")
    signs: list[tuple[str, _Sign]] = []
    maps: list[dict[str, Any]] = []
    read = []
    for name in context.images:
        facts = image_facts(context, name)
        if facts is None or len(facts.rows) < _LEAST:
            continue
        read.append(facts)
        if context.target is not None:
            found, shown = _against_target(context, context.target, facts)
            signs += [(name, sign) for sign in found]
            maps += shown
        signs += [(name, sign) for sign in _against_split(context, facts)]
    if not read:
        raise NotApplicable(f"fewer than {_LEAST} images can be read")
    return _judged(context, signs, maps, read)


def _against_target(
    context: AuditContext, target: Target, facts: Facts
) -> tuple[list[_Sign], list[dict[str, Any]]]:
    known = np.flatnonzero(target.known[facts.rows])
    rows = facts.rows[known]
    if len(rows) < _LEAST:
        return [], []
    signs = _scored(context, target, facts, known)
    mean, spread = (part[known] for part in facts.patches())
    codes = classes_of(target, rows)
    labels = _labels(target, rows)
    sizes = np.bincount(codes)
    sides = [k for k in range(len(sizes)) if min(sizes[k], len(codes) - sizes[k]) >= _LEAST_OF_CLASS]
    tests = 2 * GRID * GRID * max(1, len(sides))
    maps = []
    for k in sides:
        if k == sides[0] and len(sides) == 2:
            continue  # of two classes one map says all
        regions, areas_of = standing_out(mean, spread, codes == k, k)
        maps.append({"name": labels[k], "values": np.round(areas_of, 3).tolist()})
        for region in regions:
            sure = region.p_above(context.limits["auc_caution"]) * tests < context.level
            some = region.p_above(0.5) * tests < context.level
            grade = "leak" if sure and region.where != BACKGROUND else "caution" if some else ""
            p = min(1.0, region.p_above(0.5) * tests)
            signs.append(_Sign(grade, "target", region.where, region.area, p))
    seen = attention(context, facts, known, codes, labels)
    if seen is not None:
        maps += seen.maps
        signs.append(_Sign("", "target", "attention of a small network on the border", seen.border, 1.0))
    return signs, maps


def _labels(target: Target, rows: Ints) -> list[str]:
    """Return what to call each class of `classes_of`."""
    if target.task == "regression":
        return ["up to the median", "above the median"]
    levels = [target.levels[code] for code in np.unique(target.codes[rows]).tolist()]
    return [str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in levels]


def _scored(context: AuditContext, target: Target, facts: Facts, known: Ints) -> list[_Sign]:
    """Score what is known of the files and of the whole images, out of fold; of many classes each against the rest."""
    rows = facts.rows[known]
    folds = context.folds(_FOLDS, "SPL209", rows=rows)
    regression = target.task == "regression"
    kind = "r2" if regression else "auc"
    caution = context.limits[f"{kind}_caution"]
    made = _HONEST_R2 if regression else _HONEST_AUC
    columns = [*facts.files, *facts.wholes]
    signs = []
    for column in columns:
        if regression:
            score = score_column(_taken(column, known), target, rows, folds)
            value, tests = score.value, len(columns)
            p_high, p_made = (score.p_above(limit, regression=True) for limit in (caution, made))
        else:
            area, sides = clearest_side_of_rows(_taken(column, known), target, rows, folds)
            value, tests = area.value, len(columns) * max(1, sides)
            p_high, p_made = area.p_above(caution), area.p_above(made)
        p_high, p_made = min(1.0, p_high * tests), min(1.0, p_made * tests)
        by_file = column in facts.files and column.name not in _CONTENT
        grade = ""
        if by_file and p_high < context.level and column.name not in _ONLY_NAMED:
            grade = "leak"
        elif (by_file and p_made < context.level) or (column in facts.files and p_high < context.level):
            grade = "caution"
        signs.append(_Sign(grade, "target", column.name, value, p_made if by_file else p_high))
    return signs


def _against_split(context: AuditContext, facts: Facts) -> list[_Sign]:
    """Test files, whole images and patches against a split by chance; a split by time is not judged."""
    if not context.has("split") or context.time is not None:
        return []
    inside = np.flatnonzero(context.codes[facts.rows] >= 0)
    if context.units is not None:
        order = context.rng("SPL209 units").permutation(inside)
        inside = np.sort(order[np.unique(context.units[facts.rows[order]], return_index=True)[1]])
    held = context.is_held_out[facts.rows[inside]]
    m, n = int(held.sum()), int((~held).sum())
    if min(m, n) < _LEAST_OF_CLASS:
        return []
    columns = [_taken(column, inside) for column in [*facts.files, *facts.wholes]]
    mean, spread = (part[inside] for part in facts.patches())
    tests = len(columns) + 2 * GRID * GRID
    signs = []
    for column in columns:
        p, size = column_test(column, np.arange(len(inside)), held)
        grade = "caution" if p * tests < context.level and size >= _DIFFERENCE else ""
        signs.append(_Sign(grade, "split", column.name, size, min(1.0, p * tests)))
    patch = np.concatenate([areas(mean, held), areas(spread, held)])
    at = int(np.argmax(np.abs(patch - 0.5)))
    difference = float(abs(patch[at] - 0.5))
    p = min(1.0, 2 * normal_tail(difference / np.sqrt((m + n + 1) / (12 * m * n))) * tests)
    grade = "caution" if p < context.level and difference >= _DIFFERENCE else ""
    where = f"patch {at % (GRID * GRID) // GRID + 1} from the top, {at % GRID + 1} from the left"
    signs.append(_Sign(grade, "split", where, 2 * difference, p))
    return signs


def _taken(column: AuditColumn, at: Ints) -> AuditColumn:
    import pyarrow as pa

    if column.kind == "numeric":
        return AuditColumn(column.name, "numeric", column.missing[at], _values=column.values[at])
    assert column.column is not None
    return AuditColumn(column.name, column.kind, column.missing[at], column.column.take(pa.array(at)))


def _judged(
    context: AuditContext, signs: list[tuple[str, _Sign]], maps: list[dict[str, Any]], read: list[Facts]
) -> Finding:
    n = sum(len(facts.rows) for facts in read)
    rank = {"leak": 0, "caution": 1, "": 2}
    signs = sorted(
        signs, key=lambda s: (rank[s[1].grade], s[1].against != "target", -s[1].value, s[0], s[1].what)
    )
    hits = [(name, sign) for name, sign in signs if sign.grade]
    against_target = [sign for _, sign in signs if sign.against == "target"]
    top = (
        (hits[0][1] if hits else max(against_target or [s for _, s in signs], key=lambda s: s.value))
        if signs
        else None
    )
    common: dict[str, Any] = {
        "effect": None if top is None else top.value,
        "effect_name": "" if top is None else _measure(context, top),
        "p_value": min((sign.p_value for _, sign in hits), default=None),
        "evidence": [
            {"column": name, "what": s.what, "against": s.against, "score": round(s.value, 4), "p": s.p_value}
            for name, s in signs[:_SHOWN]
        ],
        "picture": {"kind": "heatmaps", "maps": maps, "unit": "AUC of each patch alone"} if maps else None,
    }
    broken = sum(facts.unreadable for facts in read)
    seen = f" ({n:,} images were looked at" + (f", {broken:,} cannot be read)" if broken else ")")
    if not hits:
        text = (
            "Neither files nor corners, edges or brightness tell the target or the split beyond the content"
            + seen
        )
        return Finding("clean", text + ".", **common)
    told = [
        f"{sign.what} tells the {sign.against} ({_measure(context, sign)} {sign.value:.3f})"
        for _, sign in hits[:4]
    ]
    return Finding(
        str(hits[0][1].grade),  # type: ignore[arg-type]
        "; ".join(told) + seen + ". Would it be so where the model is used?",
        columns=list(dict.fromkeys(name for name, _ in hits)),
        remedy=f"# after converting, cropping or masking all images alike:\n{split_again(context)}",
        **common,
    )


def _measure(context: AuditContext, sign: _Sign) -> str:
    if sign.against == "split":
        return "distance of the distributions"
    if "attention" in sign.what:
        return "share"
    regression = context.target is not None and context.target.task == "regression"
    return "R2" if regression else "AUC"
