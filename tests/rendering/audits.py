"""Leakage reports to be rendered: of a small table with planted leaks, and made up where a part is rare."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import splitleak
from splitleak.planting import plant
from splitleak.probe_result import Impact, ProbeResult
from splitleak.probes.base import Finding
from splitleak.report import LeakageReport

EVIL = '<script>alert("x")</script>'
SECRET = "token-that-nobody-may-see"


def table(n: int = 400, seed: int = 0) -> pd.DataFrame:
    """Return honest columns, a group and a time."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    df = pd.DataFrame({f"x{i}": rng.normal(size=n) + 0.6 * y * (i == 0) for i in range(4)})
    df["colour"] = rng.choice(["red", "green", "blue"], n)
    df["patient"] = rng.choice([f"p{i}" for i in range(60)], n)
    df["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, n), unit="D")
    df["y"] = np.where(y == 1, "ill", "well")
    return df


@cache
def planted() -> LeakageReport:
    """Return the report of a table with several leaks, a muted one and a column whose name is markup."""
    df = table()
    split = np.where(np.random.default_rng(1).random(len(df)) < 0.25, "test", "train")
    df = plant("proxy", df, "y", split, strength="strong").table
    df[EVIL] = np.where(df["y"] == "ill", SECRET, f"other {SECRET}")
    df["nested"] = [{"a": 1}] * len(df)
    return splitleak.leakage_report(
        df, split, target="y", groups="patient", time="day", ignore={"SPL303": "patients come back"}
    )


PICTURES: dict[str, dict[str, Any]] = {
    "bars": {"kind": "bars", "labels": ["a", EVIL, "_c"], "values": [1.0, 0.6, None], "unit": "AUC",
             "low": [0.9, 0.5, None], "high": [1.0, 0.7, None],
             "limits": [{"value": 0.97, "name": "caution"}, {"value": 0.99, "name": "leak"}]},
    "histogram": {"kind": "histogram", "edges": [0, 0.5, 1], "counts": {"test": [3, 4], EVIL: [0, 1]},
                  "marks": [0.9, {"value": 0.4, "name": "chance"}], "unit": "similarity"},
    "ribbon": {"kind": "ribbon", "series": {"train": [0, 1e9, 1.1e9, 1.2e9, 1.3e9], EVIL: [1e9] * 5,
               "empty": [None] * 5}, "unit": "seconds since 1970"},
    "pairs": {"kind": "pairs", "pairs": [[i, i + 1, 0.99] for i in range(25)]},
    "images": {"kind": "images", "pairs": [{"left": "iVBORw0KGgo=", "right": "iVBORw0KGgo=",
               "labels": [SECRET, EVIL], "similarity": 0.98}]},
    "heatmaps": {"kind": "heatmaps", "maps": [{"title": "ill", "values": [[0, 1], [0.5, None]]}]},
}  # fmt: skip


def made_up(
    status: str = "leak", *, picture: Any = None, evidence: Any = (), **changes: Any
) -> LeakageReport:
    """Return a report of one result that has every field."""
    finding = Finding(
        status, f"Found {EVIL}.", effect=0.5, effect_name="share of held-out rows", interval=(0.4, 0.6),  # type: ignore[arg-type]
        p_value=1e-20, columns=[EVIL, "b"], rows=np.arange(30), partners=np.arange(30)[::-1],
        remedy=f"df = df.drop(columns=[{EVIL!r}])", evidence=evidence, picture=picture,
    )  # fmt: skip
    result = ProbeResult.of("ACME001", f"Made {EVIL} up", "It is a test.", finding, np.arange(30))
    impact = Impact("roc_auc", 0.95, 0.71, 0.24, (0.2, 0.28), f"the column {EVIL}")
    fields = {**vars(result), "impact": impact, "q_value": 0.001, **changes}
    about = {
        "data": f"{EVIL}, 30 rows", "n_rows": 30, "partitions": {"train": 20, EVIL: 10}, "columns": {"text": 2},
        "notes": [EVIL], "target": {"name": EVIL, "task": "binary"}, "time": None, "groups": [], "probes": ["ACME001"],
        "known": ["ACME001", "SPL101"], "alpha": 0.01, "limits": {}, "seed": 0, "fast": True,
        "call": {"target": repr(EVIL)}, "self_test": f"{EVIL} would have been seen.", "versions": {"splitleak": "0"},
    }  # fmt: skip
    tested = (
        {"kind": "proxy", "title": EVIL, "strength": 0.95, "meaning": "AUC", "tries": 20, "found": 19, "share": 0.95,
         "low": 0.764, "high": 0.991},
    )  # fmt: skip
    return LeakageReport((ProbeResult(**fields),), about, ((EVIL, "why"),), tested)
