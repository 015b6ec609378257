"""Tables and shortcuts for the tests of probes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import splitleak
from splitleak.probe_result import ProbeResult


def ask(df: Any, code: str, split: Any = None, **arguments: Any) -> ProbeResult:
    """Return one probe's answer."""
    return splitleak.leakage_report(df, split, probes=[code], impact=False, **arguments)[code]


def classes(n: int = 400, columns: int = 6, *, effect: float = 0.7, seed: int = 0) -> pd.DataFrame:
    """Return independent rows of honest numbers, a category, and a label that they tell in part."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    df = pd.DataFrame({f"x{i}": rng.normal(size=n) + effect * y * (i % 3 == 0) for i in range(columns)})
    df["colour"] = rng.choice(["red", "green", "blue"], n)
    df["y"] = np.where(y == 1, "ill", "well")
    return df


def halves(n: int, seed: int = 0, share: float = 0.25) -> np.ndarray:
    """Return a random split."""
    return np.where(np.random.default_rng([seed, 7]).random(n) < share, "test", "train")
