"""SPL101: copies among rows of rounded numbers, where equal rows are possible by chance."""

import numpy as np
import pandas as pd

from splitleak.probes.smoothed_rows import _near, _pairs, smoothed_pairs
from tests.probes.audits import ask, halves
from tests.test_impact import context_of


def flowers(n: int, seed: int) -> pd.DataFrame:
    """Return four measurements of some forty levels each, that depend on one another, and two categories."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=(n, 1))
    x = (40 + 9 * size + 7 * rng.normal(size=(n, 4))).round()
    return (
        pd.DataFrame(x)
        .add_prefix("x")
        .assign(sex=rng.choice(["f", "m"], n), year=rng.integers(2007, 2010, n))
    )


def test_two_copies_of_coarse_rows_are_told_from_chance() -> None:
    found = 0
    for seed in range(8):
        df, split = flowers(350, seed), halves(350, seed)
        assert ask(df, "SPL101", split).status == "clean"
        rng = np.random.default_rng([seed, 1])
        rows = rng.choice(np.flatnonzero(split == "test"), 2, replace=False)
        df.iloc[rows] = df.iloc[rng.choice(np.flatnonzero(split == "train"), 2, replace=False)].to_numpy()
        answer = ask(df, "SPL101", split)
        found += answer.status == "leak" and set(answer.rows) == set(rows)
    assert found >= 7


def test_equal_rows_of_coarser_numbers_stay_silent() -> None:
    for seed in range(15):
        df = flowers(350, seed)
        df = (df[["x0", "x1", "x2"]] / 2).round().assign(sex=df["sex"])
        assert ask(df, "SPL101", halves(350, seed)).status == "clean"


def test_rows_of_one_product_are_no_chance_that_moving_values_could_tell() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        products = rng.integers(0, 400, (60, 4))
        df = pd.DataFrame(products[rng.integers(0, 60, 400)]).add_prefix("x")
        df["sold"], df["week"] = rng.integers(0, 6, 400), rng.integers(0, 12, 400)
        assert ask(df, "SPL101", halves(400, seed)).status == "clean"


def test_pairs_of_columns_are_not_gone_through_in_wide_tables() -> None:
    rng = np.random.default_rng(0)
    for width, asked in ((60, True), (61, False)):
        df = pd.DataFrame(rng.integers(0, 12, (80, width))).add_prefix("x")
        context = context_of(df, halves(80), target=None)
        columns = context.of_kind("numeric")
        rows = np.arange(context.n_rows)
        found = smoothed_pairs(context, columns, range(width), rows, context.codes, True)
        assert (found is not None) == asked


def test_nearly_equal_pairs_against_brute_force() -> None:
    rng = np.random.default_rng(0)
    for across in (True, False):
        codes = rng.integers(0, 3, (4, 40))
        sides = rng.integers(0, 2, 40) if across else np.zeros(40, dtype=np.int64)
        differ = (codes[:, :, None] != codes[:, None, :]).sum(axis=0)
        able = np.triu(np.ones((40, 40), dtype=bool), 1) & ((sides[:, None] != sides) | (not across))
        assert _near(codes, sides, across) == (((differ == 1) & able).sum(), ((differ == 2) & able).sum())
        keys = np.unique(codes, axis=1, return_inverse=True)[1].ravel().astype(np.uint64)
        assert _pairs(keys, sides, across) == ((differ == 0) & able).sum()
