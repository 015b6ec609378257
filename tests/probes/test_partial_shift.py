"""Shifts of one column given the others: the chance is what it says, and the column that moved is named."""

import numpy as np
import pandas as pd
from sklearn.datasets import load_iris, load_wine

from splitleak.probes.columns import AuditColumn
from splitleak.probes.partial_shift import partial_shifts
from tests.probes.audits import ask


def columns(x: np.ndarray) -> list[AuditColumn]:
    return [
        AuditColumn(f"x{i}", "numeric", np.isnan(x[:, i]), _values=x[:, i].astype(np.float64))
        for i in range(x.shape[1])
    ]


def test_chances_are_what_they_say_on_real_columns_and_random_splits() -> None:
    for load in (load_iris, load_wine):
        x = load().data
        found = columns(x)
        rows = np.arange(len(x))
        chances = []
        for seed in range(300):
            held = np.random.default_rng(seed).permutation(len(x)) < len(x) // 5
            chances.append(partial_shifts(found, rows, held, level=0.0))
        below = np.array(chances) < 0.05
        assert 0.03 < below.mean() < 0.07
        assert (np.array(chances) < 1e-3).mean() < 4e-3


def test_a_shift_among_columns_that_go_together_is_seen_and_named_alone() -> None:
    rng = np.random.default_rng(0)
    common = rng.normal(size=160)
    x = common[:, None] + 0.3 * rng.normal(size=(160, 6))
    held = np.arange(160) % 5 == 0
    x[held, 2] += 0.5  # half a deviation: too little to see in the column alone
    p = partial_shifts(columns(x), np.arange(160), held, level=1e-3)
    assert p[2] < 1e-6
    assert np.delete(p, 2).min() > 1e-3
    table = pd.DataFrame(x, columns=[f"x{i}" for i in range(6)])
    found = ask(table, "SPL305", np.where(held, "test", "train"))
    assert (found.status, found.columns) == ("caution", ("x2",))


def test_columns_that_follow_from_others_and_constant_ones_are_no_stumbling_block() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(100, 4))
    x = np.column_stack(
        [x, x[:, 0] + x[:, 1], np.ones(100), np.where(rng.random(100) < 0.2, np.nan, x[:, 2])]
    )
    held = np.arange(100) % 4 == 0
    p = partial_shifts(columns(x), np.arange(100), held, level=1e-3)
    assert ((p >= 0) & (p <= 1)).all()
    assert p[5] == 1
    assert p.min() > 1e-4
