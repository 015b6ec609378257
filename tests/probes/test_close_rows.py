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
    place, measure = np.empty((n, 3), np.int64), np.empty((n, 4))
    closest_rows(ranks, ties, ranks, own, others, others, np.arange(known), 1e9, 0, n, place, measure)
    best, first, second = place[:, 0], measure[:, 0], measure[:, 3]
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


def test_closest_by_distance_and_by_equal_columns_against_brute_force() -> None:
    from splitleak.kernels.closeness import closest_rows

    rng = np.random.default_rng(5)
    for _ in range(20):
        n, known, columns = int(rng.integers(1, 8)), int(rng.integers(2, 9)), int(rng.integers(1, 5))
        gone = np.float32(1e9)
        x, y = (rng.integers(0, 4, (rows, columns)).astype(np.float32) / 3 for rows in (n, known))
        x[rng.random(x.shape) < 0.2], y[rng.random(y.shape) < 0.2] = gone, gone
        mine, theirs = rng.integers(0, 3, n), rng.integers(0, 3, known)
        place, measure = np.empty((n, 3), np.int64), np.empty((n, 4))
        closest_rows(x, np.full_like(x, 0.1), x, mine, y, y, theirs, gone, 0, n, place, measure)
        for i in range(n):
            both = (x[i] == gone) & (y == gone)
            able = theirs != mine[i]
            equal = np.where(able, ((x[i] == y) & ~both).sum(axis=1), -1)
            apart = np.where(both, 0, np.minimum(1, np.abs(x[i] - y)) ** 2).sum(axis=1)
            able &= 2 * (~both).sum(axis=1) >= columns
            near = np.where(able, apart / np.maximum(1, (~both).sum(axis=1)), np.inf)
            assert measure[i, 1] == pytest.approx(-near.min(), rel=1e-5)
            assert (place[i, 1] == -1) == np.isinf(near.min())
            if equal.max() >= 0:
                assert (measure[i, 2], place[i, 2]) == (equal.max(), equal.argmax())
            else:
                assert (measure[i, 2], place[i, 2]) == (-np.inf, -1)


def _towns(n: int, seed: int) -> pd.DataFrame:
    """Return rows that share half of their columns with others of their town, and have numbers of their own."""
    rng = np.random.default_rng(seed)
    town = rng.integers(0, n // 8, n)
    shared = pd.DataFrame(rng.normal(size=(n // 8, 6)).round(3)).add_prefix("t").iloc[town]
    own = pd.DataFrame(rng.normal(size=(n, 5)) * [1, 1, 1, 1, 0.3] + shared.iloc[:, [0]].to_numpy()).round(3)
    return pd.concat([shared.reset_index(drop=True), own.add_prefix("x")], axis=1)


@pytest.mark.parametrize("changed", [False, True])
def test_copies_stand_out_among_siblings_and_all_of_them_are_named(changed: bool) -> None:
    for seed in range(3):
        df, split = _towns(400, seed), halves(400, seed)
        assert ask(df, "SPL102", split).status == "clean"
        rng = np.random.default_rng([seed, 2])
        rows = rng.choice(np.flatnonzero(split == "test"), 5, replace=False)
        df.iloc[rows] = df.iloc[rng.choice(np.flatnonzero(split == "train"), 5, replace=False)].to_numpy()
        for row in rows:
            if changed:
                for column in rng.choice(11, 2, replace=False):
                    df.iloc[row, column] = df.iloc[rng.integers(400), column]
            else:
                df.iloc[row] += 0.01 * rng.normal(size=11)
        found = ask(df, "SPL102", split)
        assert found.status in ("caution", "leak")
        assert set(rows) <= set(found.rows)
        assert len(set(found.rows) - set(rows)) <= 1


def test_rows_that_miss_the_same_values_are_not_close_for_it() -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        df = pd.DataFrame(rng.normal(size=(300, 8)).round(1)).add_prefix("x")
        split = halves(300, seed)
        blank = [*np.flatnonzero(split == "test")[:4], *np.flatnonzero(split == "train")[:1]]
        df.iloc[blank, :6] = np.nan
        df.iloc[blank, 6] = np.arange(5) / 2
        assert ask(df, "SPL102", split).status == "clean"


def test_a_tail_of_ties_is_taken_for_none_and_counts_are_never_sure() -> None:
    from splitleak.probes.close_rows import _excess

    usual = np.r_[np.full(60, 3.0), np.full(140, 2.0)]
    for whole in (False, True):
        found, p = _excess(np.r_[3.5 if not whole else 4.0, np.full(49, 2.0)], usual, whole=whole)
        assert p > 0.01
    found, p = _excess(np.r_[np.full(5, 6.0), np.full(45, 2.0)], usual, whole=True)
    assert p < 1e-4
    assert found.tolist() == [0, 1, 2, 3, 4]


def test_chance_of_an_excess_is_not_understated() -> None:
    from splitleak.probes.close_rows import _excess

    rng = np.random.default_rng(0)
    for whole, draw in (
        (False, rng.exponential),
        (False, rng.normal),
        (True, lambda size: rng.poisson(4, size)),
    ):
        small = [_excess(draw(size=60), draw(size=240), whole=whole)[1] for _ in range(1500)]
        assert np.mean(np.array(small) <= 0.01) <= 0.012


def test_the_last_one_named_is_where_copies_end() -> None:
    """A row that chance can explain and that lies nearer to the usual ones than to the copies is not theirs."""
    from splitleak.probes.close_rows import _excess

    rng = np.random.default_rng(1)
    usual = rng.exponential(size=400)
    top = usual.max()
    values = np.r_[rng.exponential(size=90).clip(0, 4), top + 1, top + np.array([6.0, 6.5, 7, 7.2])]
    found, p = _excess(values, usual, whole=False)
    assert p < 1e-6
    assert sorted(found) == [91, 92, 93, 94]
