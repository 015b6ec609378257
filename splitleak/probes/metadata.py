"""SPL208: a column about how the row was made (source, site, device, file) tells the target."""

from __future__ import annotations

import re
from typing import Any

import pyarrow.compute as pc

from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext
from splitleak.probes.scores import clearest_side
from splitleak.statistics import holm_in_reach

_WORDS = frozenset({
    "source", "site", "device", "scanner", "camera", "machine", "sensor", "instrument", "hospital",
    "center", "centre", "clinic", "ward", "lab", "laboratory", "batch", "plate", "lane", "operator",
    "annotator", "rater", "labeler", "reader", "uploader", "client", "useragent", "browser", "platform",
    "app", "url", "uri", "link", "domain", "host", "file", "filename", "path", "folder", "directory",
    "filepath", "extension", "format", "version", "exif", "author", "user", "username", "account",
    "handle", "nickname",
})  # fmt: skip
_ENDS = frozenset(
    {"id", "ids", "name", "names", "no", "nr", "number", "code", "key", "kind", "model", "make"}
)
_NEVER = frozenset({"age", "type", "income", "score"})
_LOOKS = r"(?i)^(https?://|www\.|/|[a-z]:\\|\./)|\.(jpe?g|png|tiff?|dcm|csv|txt|wav|mp3|pdf|html?|json)$"
_LOOKS_SHARE = 0.5


@probe(
    "SPL208",
    "Metadata gives the target away",
    needs=["target"],
    why="Where, with what and by whom a row was recorded differs between the classes here, and will not in use.",
    bound="Only columns named (or written) as metadata; AUC above the limit, Holm over columns and classes.",
)
def metadata(context: AuditContext) -> Finding:
    """Score the columns that tell how a row was made."""
    assert context.target is not None
    columns = [c for c in context.of_kind("numeric", "category", "time") if is_metadata(c)]
    if not columns:
        raise NotApplicable("no column is named as metadata (source, site, device, file, url, user, ...)")
    found = [(*clearest_side(context, column), column.name) for column in columns]
    found.sort(key=lambda entry: (-entry[0].value, entry[2]))
    caution, leak = context.limits["metadata_auc_caution"], context.limits["metadata_auc_leak"]
    p_caution, p_leak = (
        holm_in_reach([min(1.0, sides * area.p_above(limit)) for area, sides, _ in found])
        for limit in (caution, leak)
    )
    hits = [(area, name) for (area, _, name), p in zip(found, p_caution, strict=True) if p < context.alpha]
    best = hits[0][0] if hits else found[0][0]
    common: dict[str, Any] = {
        "effect": best.value,
        "effect_name": "AUC of the column alone",
        "interval": best.interval(),
        "p_value": float(p_caution.min()),
        "evidence": [{"column": name, "AUC": round(area.value, 4)} for area, _, name in found[:10]],
    }
    if not hits:
        return Finding(
            "clean",
            f"{len(found)} column{'s' if len(found) > 1 else ''} of metadata looked at; {found[0][2]} comes nearest to"
            f" the target (AUC {best.value:.3f}).",
            **common,
        )
    names = [name for _, name in hits]
    which = _told(context)
    return Finding(
        "leak" if p_leak.min() < context.level else "caution",
        f"{', '.join(names[:5])} tells {which} (AUC {best.value:.3f}) and describes how the row was made, not what is"
        " to be learned.",
        columns=names,
        remedy=f"df = df.drop(columns={names!r})",
        impact_of="columns",
        **common,
    )


def _told(context: AuditContext) -> str:
    assert context.target is not None
    return {
        "binary": "the target",
        "multiclass": "one class of the target from the others",
        "regression": "whether the target is above its median",
    }[context.target.task]


def is_metadata(column: AuditColumn) -> bool:
    """Return whether a column's name, or the look of its values (links, paths, file names), says metadata."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.name).lower())
    while words and words[-1] in _ENDS:
        words.pop()
    if words and words[-1] in _WORDS and not set(words) & _NEVER:
        return True
    if column.kind != "category" or column.column is None or not column.levels:
        return False
    if not isinstance(column.levels[0], str):
        return False
    import pyarrow as pa

    looks = pc.match_substring_regex(pa.array(column.levels[:1000], pa.large_string()), _LOOKS)
    return float(pc.mean(looks.cast("int8")).as_py() or 0.0) >= _LOOKS_SHARE
