"""SPL403: held-out rows that were used before, by the caller's ledger."""

from __future__ import annotations

import math
import zlib
from datetime import UTC, datetime
from typing import Any

import numpy as np

from splitleak._tables.content import column_hashes
from splitleak.errors import InputError
from splitleak.ledger import Use, earlier_uses, record_use, use_of
from splitleak.probes.base import Finding, NotApplicable, probe
from splitleak.probes.context import AuditContext
from splitleak.sampling import mix

MOST_USES = 10  # a convention: by the tenth choice all 95 % intervals hold together with 60 % only
_SAME = 0.5  # share of the rows that makes it the same set


@probe(
    "SPL403",
    "The test set was used before",
    needs=["split", "ledger"],
    why="Each choice made by a test score fits the test set a little; the best of many models looks better than it is.",
    bound=f"Counts equal rows in the ledger; it cannot fire by chance. A caution from {MOST_USES} earlier uses on.",
)
def test_set_used_before(context: AuditContext) -> Finding:
    """Write this use into the ledger, and count the earlier ones of the same rows."""
    use = _this_use(context)
    if use is None:
        raise NotApplicable("no held-out row with values that can be compared")
    found = earlier_uses(use, record_use(context.ledger, use), share=_SAME)
    k = len(found)
    together = 0.95 ** (k + 1)
    common: dict[str, Any] = {
        "effect": float(k),
        "effect_name": "earlier uses of these held-out rows",
        "evidence": [
            {
                "used": other.used,
                "share of these rows": round(share, 3),
                "rows": other.rows,
                "target": other.target,
            }
            for other, share in reversed(found[-20:])
        ],
    }
    if k == 0:
        return Finding(
            "clean", "The ledger has no earlier use of these held-out rows; this one is noted.", **common
        )
    since = f"since {found[0][0].used[:10]}"
    text = (
        f"The ledger has {k:,} earlier use{'s' * (k != 1)} of these held-out rows ({since}); this one is noted. After"
        f" {k + 1:,} looks all of their 95 % intervals hold together with {together:.0%} where looks are independent;"
        f" intervals of {1 - 0.05 / (k + 1):.2%} would make it 95 %."
    )
    if k < MOST_USES:
        return Finding("clean", text, **common)
    lift = math.sqrt(2 * math.log(k + 1))
    return Finding(
        "caution",
        f"{text} The best of so many equally good models looks better than it is by about {lift:.1f} standard errors.",
        remedy="# no code helps: collect new rows, and score the final model on them once",
        **common,
    )


def _this_use(context: AuditContext) -> Use | None:
    held = context.held_out
    named = {c.name: c for c in (*context.columns.values(), *context.groups) if c.column is not None}
    for column in (context.target.column if context.target else None, context.time):
        if column is not None and column.column is not None:
            named[column.name] = column
    total = np.zeros(len(held), dtype=np.uint64)
    values = {}
    for name in sorted(named):
        try:
            hashed = column_hashes(named[name].column.take(held), "a column")
        except InputError:  # nested values: the other columns tell rows apart
            continue
        values[name] = hashed
        total += mix(hashed ^ mix(np.full(len(held), zlib.crc32(name.encode()), dtype=np.uint64)))
    if not values or not len(held):
        return None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    target = None if context.target is None else context.target.name
    return use_of(mix(total), values, target=target, used=now)
