"""SPL111, means: counts and grades of a few values are told too, and rounded means that chance gives are not."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from tests.probes.audits import ask, halves


@pytest.mark.parametrize("share", [0.03, 0.1])
def test_means_filled_into_counts_of_which_most_are_zero(share: float) -> None:
    for seed in range(6):
        rng, split = np.random.default_rng(seed), halves(300, seed)
        x = pd.DataFrame(rng.poisson(0.6, (300, 4)) * 1.0).add_prefix("n")
        gaps = x.mask(rng.random(x.shape) < share)
        found = ask(gaps.fillna(gaps.mean()), "SPL111", split)
        assert found.status == "leak"
        assert len(found.columns) >= 3  # a mean may be a number of two decimals
        honest = gaps.fillna(gaps[split == "train"].mean())
        assert ask(honest, "SPL111", split).status in ("clean", "not_applicable")


def of_whole_mean(rows: int, columns: int) -> pd.DataFrame:
    """Whole numbers whose mean is one of them, five times and more."""
    x = np.random.default_rng(0).integers(0, 40, (rows - 1, 4000))
    last = -x.sum(axis=0) % rows
    fair = np.vstack([x, last])[:, last < 40].astype(float)
    often = (fair == fair.mean(axis=0)).sum(axis=0) >= 5
    return pd.DataFrame(fair[:, often][:, :columns]).add_prefix("x")


def test_one_proved_column_names_those_whose_mean_is_a_common_value_too() -> None:
    table, split = of_whole_mean(100, 1), halves(100)
    gaps = pd.Series(np.random.default_rng(1).normal(5, 1, 100).round(1)).mask(np.arange(100) % 7 == 0)
    assert ask(table, "SPL111", split).status == "clean"
    table["grade"] = gaps.fillna(gaps.mean())
    assert set(ask(table, "SPL111", split).columns) == {"x0", "grade"}


def test_a_rounded_mean_that_is_a_common_value_is_chance() -> None:
    """The mean of 100 whole numbers is whole once in 100 times; scaling does not make it another number."""
    table, split = of_whole_mean(100, 20), halves(100)
    assert table.shape == (100, 20)
    assert ask(table, "SPL111", split).status == "clean"
    scaled = StandardScaler().set_output(transform="pandas").fit_transform(table)
    assert ask(scaled, "SPL111", split).status == "clean"
    skew = np.random.default_rng(2).geometric(0.1, 200).astype(float)
    skew[0] += 200 * 14.5 - skew.sum()
    rated = pd.DataFrame({"rate": np.r_[skew, np.full(10, 14.5)]})  # between two, as people write
    assert rated["rate"].mean() == 14.5
    assert ask(rated, "SPL111", halves(210)).status == "clean"


def test_a_mean_of_train_that_is_the_median_of_all_rows_is_honest() -> None:
    raw = pd.DataFrame(
        {"x": np.r_[np.full(10, np.nan), np.repeat([2.0, 4, 6, 20], 10), np.repeat([8.0, 9], 25)]}
    )
    split = np.array(["train"] * 50 + ["test"] * 50)
    assert raw["x"][:50].mean() == raw["x"].median() == 8
    assert ask(raw.fillna(8.0), "SPL111", split, raw=raw).status == "clean"
    assert ask(raw.fillna(raw["x"].mean()), "SPL111", split, raw=raw).status == "leak"


def test_a_median_half_way_between_two_numbers_of_six_decimals_is_no_number_of_theirs() -> None:
    x = np.random.default_rng(0).integers(0, 500_000, 600) * 2 / 1e6
    x[60 + np.argsort(x[60:])[269]] += 1e-6  # of those in the middle one is odd
    x[:60] = np.median(x[60:])
    split = np.array(["train"] * 450 + ["test"] * 150)[np.random.default_rng(1).permutation(600)]
    assert abs(x[0] * 1e6 - round(x[0] * 1e6)) == pytest.approx(0.5, abs=1e-3)
    table = pd.DataFrame({"x": x})
    assert ask(table, "SPL111", split).status in ("leak", "caution")
    table["x"] = table["x"].replace(x[0], np.median(x[60:][split[60:] == "train"]))
    assert ask(table, "SPL111", split).status == "clean"
