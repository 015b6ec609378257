"""SPL102: copies of which no column tells much, and rows that are merely alike."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.probes.audits import ask, halves


def _few_numbers(n: int, seed: int) -> pd.DataFrame:
    """Return rounded numbers, categories and gaps: no column says much about a pair of rows."""
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(n, 2))
    df = pd.DataFrame(
        {f"x{i}": (50 + 10 * base[:, i % 2] + 6 * rng.normal(size=n)).round() for i in range(6)}
    )
    for i, levels in enumerate((2, 3, 4)):
        df[f"c{i}"] = np.array(list("abcd"))[rng.integers(0, levels, n)]
    df.loc[rng.random(n) < 0.1, "x5"] = np.nan
    return df


def test_near_copies_of_rounded_numbers_and_categories_stand_out_together() -> None:
    for seed in range(4):
        df, split = _few_numbers(240, seed), halves(240, seed)
        assert ask(df, "SPL102", split).status == "clean"
        rng = np.random.default_rng([seed, 1])
        rows = rng.choice(np.flatnonzero(split == "test"), 4, replace=False)
        sources = rng.choice(np.flatnonzero(split == "train"), 4, replace=False)
        df.iloc[rows] = df.iloc[sources].to_numpy()
        df.loc[rows, "x0"] += 1
        df.loc[rows, "x3"] -= 1
        found = ask(df, "SPL102", split)
        assert found.status == "caution"
        assert set(found.rows) & set(rows)
        assert len(set(found.rows) - set(rows)) <= 1


def test_copies_with_a_fifth_of_their_numbers_changed() -> None:
    from sklearn.datasets import load_wine

    df = load_wine(as_frame=True).data
    split = halves(len(df))
    rng = np.random.default_rng(3)
    rows = rng.choice(np.flatnonzero(split == "test"), 4, replace=False)
    sources = rng.choice(np.flatnonzero(split == "train"), 4, replace=False)
    assert ask(df, "SPL102", split).status == "clean"
    copied = df.copy()
    copied.iloc[rows] = df.iloc[sources].to_numpy()
    for row in rows:
        for column in rng.choice(13, 2, replace=False):
            copied.iloc[row, column] = df.iloc[rng.integers(len(df)), column]
    found = ask(copied, "SPL102", split)
    assert found.status == "caution"
    assert set(found.rows) >= set(rows)


def test_rows_of_families_on_both_sides_are_no_copies() -> None:
    """Training rows are as close to one another: siblings, repeated measurements of one kind, are usual here."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        family = rng.integers(0, 60, 300)
        centre = rng.normal(size=(60, 8))
        df = pd.DataFrame(centre[family] + 0.05 * rng.normal(size=(300, 8))).add_prefix("x")
        assert close_rows_of(df, halves(300, seed)) is None


def close_rows_of(df: pd.DataFrame, split: np.ndarray) -> str | None:
    """Return what the comparison with training rows' own neighbours says when it speaks."""
    told = ask(df, "SPL102", split).explanation
    return None if "0 agree with a training row" in told or "agree with a training row" not in told else told


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_closest_rows_against_brute_force(seed: int) -> None:
    from splitleak.kernels.closeness import closest_rows

    rng = np.random.default_rng(seed)
    n, known, columns = int(rng.integers(1, 8)), int(rng.integers(2, 9)), int(rng.integers(1, 5))
    ranks = rng.integers(0, 5, (n, columns)).astype(np.float32) / 4
    ties = rng.random((n, columns)).astype(np.float32) / 4
    others = rng.integers(0, 5, (known, columns)).astype(np.float32) / 4
    own = rng.integers(-1, known, n)
    best, first, second = np.empty(n, np.int64), np.empty(n), np.empty(n)
    closest_rows(ranks, ties, others, own, 0, n, best, first, second)
    for i in range(n):
        chances = [
            (float(np.prod(np.minimum(1, 2 * np.abs(ranks[i] - others[j]) + ties[i]), dtype=np.float64)), j)
            for j in range(known)
            if j != own[i]
        ]
        lowest = sorted(chances)
        assert first[i] == pytest.approx(-np.log(max(lowest[0][0], 1e-300)), abs=1e-4)
        assert {j: c for c, j in chances}[int(best[i])] == pytest.approx(lowest[0][0], rel=1e-4)
        if len(lowest) > 1:
            assert second[i] == pytest.approx(-np.log(max(lowest[1][0], 1e-300)), abs=1e-4)
