"""SPL208: a column about how the row was made (source, site, device, file) tells the target."""

from __future__ import annotations

import re

import pyarrow.compute as pc

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.scores import column_scores
from splitleak.statistics import holm

_HONEST_AUC = 0.65  # above which a column about the making of a row is worth a question
_HONEST_R2 = 0.15
_LEAK_AUC = 0.9  # how a row was made has no honest reason to tell the target that well
_LEAK_R2 = 0.8
_WORDS = frozenset({
    "source", "site", "device", "scanner", "camera", "machine", "sensor", "instrument", "hospital",
    "center", "centre", "clinic", "ward", "lab", "laboratory", "batch", "plate", "lane", "operator",
    "annotator", "rater", "labeler", "reader", "uploader", "client", "agent", "browser", "platform",
    "app", "url", "uri", "link", "domain", "host", "file", "filename", "path", "folder", "directory",
    "filepath", "extension", "format", "version", "exif", "author", "user", "username", "account",
    "handle", "nickname", "country_code", "import",
})  # fmt: skip
_NEVER = frozenset({"age", "type", "income", "score"})
_LOOKS = r"(?i)^(https?://|www\.|/|[a-z]:\\|\./)|\.(jpe?g|png|tiff?|dcm|csv|txt|wav|mp3|pdf|html?|json)$"
_LOOKS_SHARE = 0.5


@probe(
    "SPL208",
    "Metadata gives the target away",
    needs=["target"],
    why="Where, with what and by whom a row was recorded differs between the classes here, and will not in use.",
    bound="Only columns named (or written) as metadata; AUC above 0.65 (a leak: 0.9), Holm over them.",
)
def metadata(context: AuditContext) -> Finding:
    """Score the columns that tell how a row was made."""
    assert context.target is not None
    scores = column_scores(context)
    found = [s for name, s in scores.items() if is_metadata(s.column)]
    if not found:
        raise NotApplicable("no column is named as metadata (source, site, device, file, url, user, ...)")
    regression = context.target.task == "regression"
    limit, measure = (_HONEST_R2, "R2") if regression else (_HONEST_AUC, "AUC")
    found.sort(key=lambda s: (-s.value, s.column.name))
    adjusted = holm([s.p_above(limit, regression=regression) for s in found])
    hits = [s for s, p in zip(found, adjusted, strict=True) if p < context.alpha]
    evidence = [{"column": s.column.name, measure: round(s.value, 4)} for s in found[:10]]
    if not hits:
        return Finding(
            "clean",
            f"{len(found)} column{'s' if len(found) > 1 else ''} of metadata looked at; {found[0].column.name} comes"
            f" nearest to the target ({measure} {found[0].value:.3f}).",
            found[0].value,
            f"{measure} of the column alone",
            p_value=float(adjusted.min()),
            evidence=evidence,
        )
    names = [s.column.name for s in hits]
    surest = holm([s.p_above(_LEAK_R2 if regression else _LEAK_AUC, regression=regression) for s in found])
    return Finding(
        "leak" if surest.min() < context.level else "caution",
        f"{', '.join(names[:5])} tells the target ({measure} {hits[0].value:.3f}) and describes how the row was"
        " made, not what is to be learned.",
        hits[0].value,
        f"{measure} of the column alone",
        interval=(
            max(0.0, hits[0].value - 1.96 * hits[0].error),
            min(1.0, hits[0].value + 1.96 * hits[0].error),
        ),
        p_value=float(adjusted.min()),
        columns=names,
        remedy=f"df = df.drop(columns={names!r})",
        evidence=evidence,
        impact_of="columns",
    )


def is_metadata(column: AuditColumn) -> bool:
    """Return whether a column's name, or the look of its values (links, paths, file names), says metadata."""
    words = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.name).lower()))
    if words & _WORDS and not words & _NEVER:
        return True
    if column.kind != "category" or column.column is None or not column.levels:
        return False
    if not isinstance(column.levels[0], str):
        return False
    import pyarrow as pa

    looks = pc.match_substring_regex(pa.array(column.levels[:1000], pa.large_string()), _LOOKS)
    return float(pc.mean(looks.cast("int8")).as_py() or 0.0) >= _LOOKS_SHARE
