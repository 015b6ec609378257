"""SPL203: a code that one class holds, beside honest ends of scales and names; each rule with its honest twin."""

import numpy as np
import pandas as pd

from splitleak.probes.one_class_values import _is_code
from tests.probes.audits import ask, classes


def ill(df: pd.DataFrame) -> np.ndarray:
    return (df.y == "ill").to_numpy()


def test_a_code_beside_the_range_needs_its_neighbours_less_than_the_end_of_the_range() -> None:
    """-1 stands apart and many rows hold it; 0 is the end of an amount, and a range may be cut off at its end."""
    rng = np.random.default_rng(3)
    df = classes(600, seed=3)
    df["length"] = (rng.normal(30, 3, 600) - 3 * ill(df)).round(1)
    pure = ill(df) & (np.arange(600) % 8 == 0)
    smallest = df[~pure].nsmallest(30, "length")
    assert 0.6 < (smallest.y == "ill").mean() < 0.8
    code = df.assign(length=df.length.where(~pure, df.length.min() - 2))
    found = ask(code, "SPL203", target="y")
    assert (found.status, found.columns) == ("caution", ("length",))
    amount = code.assign(length=code.length - code.length.min())  # the same numbers, but the code is 0
    assert ask(amount, "SPL203", target="y").status == "clean"
    cut = df.assign(length=df.length.where(~pure, df.length.min() - 0.1))
    assert ask(cut, "SPL203", target="y").status == "clean"


def test_a_number_is_a_code_where_it_stands_apart_and_many_hold_it() -> None:
    away = np.array([2.0, 2.5, 2.5, 3.0, 4.0, 5.0])
    assert _is_code(away, 6, -1.0)
    assert not _is_code(away, 6, 0.0)  # none of what is counted
    assert not _is_code(away, 5, -1.0)  # 2.5 is held by two: five may be the end of such numbers
    assert not _is_code(away - 1.9, 6, -1.0)  # no gap before it: cut off


def test_a_name_of_one_class_among_names_that_tell_a_little() -> None:
    """Two names with 60 % and 34 % of ill rows: a third with ill rows only is none of their kind."""
    rng = np.random.default_rng(0)
    df = classes(800)
    df["kind"] = np.where(rng.random(800) < np.where(ill(df), 0.64, 0.36), "p", "q")
    assert ask(df, "SPL203", target="y").status == "clean"
    df.loc[ill(df) & (np.arange(800) % 9 == 0), "kind"] = "z"
    found = ask(df, "SPL203", target="y")
    assert (found.status, found.columns, found.evidence[0]["value"]) == ("caution", ("kind",), "z")
    told = np.where(
        rng.random(800) < np.where(ill(df), 0.9, 0.1), "p", "q"
    )  # as a trait of the class: honest
    df["kind"] = np.where(df["kind"] == "z", "z", told)
    assert ask(df, "SPL203", target="y").status == "clean"


def test_numbers_inside_a_range_do_not_take_the_level_of_names() -> None:
    """Hundred columns of rounded numbers have a thousand frequent values: a name is not judged by those."""
    rng = np.random.default_rng(0)
    df = classes(330)
    df["kind"] = rng.choice(["p", "q", "r"], 330, p=[0.4, 0.4, 0.2])
    for i in range(60):
        df[f"n{i}"] = rng.normal(size=330).round(1)
    assert ask(df, "SPL203", target="y").status == "clean"
    df.loc[np.flatnonzero(ill(df))[:17], "kind"] = "z"
    assert ask(df, "SPL203", target="y").columns == ("kind",)
