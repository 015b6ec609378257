"""Summaries to be rendered: plain dicts, as a split and a certificate give them."""

from typing import Any

import numpy as np

EVIL = '<script>alert("x")</script>'
EDGES = [round(0.01 * i, 2) for i in range(101)]


def certificate(verdict: str = "separated", **changes: Any) -> dict[str, Any]:
    leaking, approximate = verdict == "leaking", verdict == "separated_with_recall"
    counts = np.histogram(np.linspace(0.2, 0.99 if leaking else 0.79, 50), EDGES)[0].tolist()
    pair = {"left": 3, "right": 7, "left_partition": "train", "right_partition": "test", "similarity": 0.93}
    return {
        "verdict": verdict,
        "similarity": "jaccard(n=5)",
        "threshold": 0.8,
        "exhaustive": not approximate,
        "recall": {"estimate": 0.9993, "low": 0.998, "high": 0.9999, "found": 2998, "total": 3000}
        if approximate
        else None,
        "across": [
            {"left": "train", "right": "dev", "pairs": 0, "largest": 0.79996, "largest_is_bound": False},
            {
                "left": "train",
                "right": "test",
                "pairs": 1 if leaking else 0,
                "largest": 0.93,
                "largest_is_bound": False,
            }
            if leaking
            else {"left": "train", "right": "test", "pairs": 0, "largest": 0.75, "largest_is_bound": True},
            {"left": "dev", "right": "test", "pairs": 0, "largest": None, "largest_is_bound": False},
        ],
        "n_crossing": 1 if leaking else 0,
        "crossing": [pair] if leaking else [],
        "held_out": [
            {"partition": "dev", "rows": 50, "with_similar": 0, "share": 0.0},
            {
                "partition": "test",
                "rows": 50,
                "with_similar": int(leaking),
                "share": 0.02 if leaking else 0.0,
            },
        ],
        "random": {"share": 0.113, "low": 0.1, "high": 0.126},
        "nearest": {
            "edges": EDGES,
            "counts": {"dev": counts, "test": counts},
            "rows": {"dev": 50, "test": 50},
            "sampled": False,
        },
        "notes": [],
        **changes,
    }


def stratum(labels: tuple[str, ...], rows: list[int]) -> dict[str, Any]:
    each = [[n // len(labels)] * len(labels) for n in rows]
    return {
        "name": "stratify",
        "kind": "classes",
        "labels": list(labels),
        "rows": each,
        "shares": [[n / sum(part) for n in part] for part in each],
        "all_rows": [sum(part[i] for part in each) for i in range(len(labels))],
        "all_shares": [1 / len(labels)] * len(labels),
        "gaps": [0.0] * len(labels),
        "numbers": None,
    }


def split(
    found: dict[str, Any] | None = None,
    *,
    classes: tuple[str, ...] = (),
    names: tuple[str, ...] = ("train", "dev", "test"),
) -> dict[str, Any]:
    rows = [400, 50, 50]
    return {
        "n_rows": 500,
        "dropped": 0,
        "partitions": [
            {
                "name": name,
                "rows": n,
                "share": n / 500,
                "asked_rows": n,
                "asked_share": n / 500,
                "weight_share": None,
                "clusters": n - 10,
            }
            for name, n in zip(names, rows, strict=True)
        ],
        "strata": [stratum(classes, rows)] if classes else [],
        "unreachable": [],
        "clusters": {"count": 470, "largest": 12, "largest_share": 0.024, "singletons": 450},
        "provenance": {
            "splitleak": "0.1.0",
            "versions": {"python": "3.12.1", "numpy": "2.1.0"},
            "data": "sms.tsv, 500 rows",
            "columns": ["text"],
            "fingerprint": "00ff",
            "options": {
                "on": ["text"],
                "similarity": "jaccard(n=5)",
                "threshold": 0.8,
                "threshold_is_default": False,
                "sizes": {"train": 400, "dev": 50, "test": 50},
                "stratify": None,
                "seed": 0,
            },
            "notes": ["similarity jaccard: few rows"],
        },
        "certificate": found,
    }
