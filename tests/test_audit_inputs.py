"""leakage_report(): tables, splits and targets in the forms that users hold them in."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.model_selection import KFold

import splitleak
from splitleak.auditing.positions import labels_of_positions
from splitleak.errors import InputError
from tests.probes.audits import classes, halves

DF = classes(120)
SPLIT = halves(120)
TRAIN, TEST = np.flatnonzero(SPLIT == "train"), np.flatnonzero(SPLIT == "test")


def audit(data: Any = DF, split: Any = None, **arguments: Any) -> splitleak.LeakageReport:
    return splitleak.leakage_report(
        data, split, **({"probes": ["SPL101", "SPL302"], "impact": False} | arguments)
    )


def test_a_split_may_be_row_positions() -> None:
    sizes = audit(split=SPLIT).about["partitions"]
    mask = SPLIT == "test"
    for split in ({"train": TRAIN, "test": TEST}, (TRAIN, TEST), {"train": ~mask, "test": TEST.tolist()}):
        assert audit(split=split).about["partitions"] == sizes
    train, test = next(KFold(4, shuffle=True, random_state=0).split(DF))
    assert audit(split=(train, test)).about["partitions"] == {"train": 90, "test": 30}
    assert audit(split={"train": TRAIN, "test": TEST[:20]}).about["left_out"] == len(TEST) - 20


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"train": [0, 1], "test": [1, 2]}, "row 1 in 'train' and in 'test'"),
        ({"train": [0, 1], "test": [2, 120]}, "row position 120; data has rows 0 to 119"),
        ({"train": [0, 1], "test": [-1]}, "row position -1"),
        ({"train": [0.5], "test": [1]}, "must be row positions"),
        ({"train": np.ones(3, dtype=bool), "test": [1]}, "a mask of 3 entries"),
        (KFold(4), r"KFold, which makes splits.*next\(splitter.split"),
        ((TRAIN.tolist(), TEST.tolist()), "one value for each of the 120 rows"),
    ],
)
def test_what_is_no_split_is_refused(split: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        audit(split=split)


def test_labels_and_columns_pass_by() -> None:
    for split in ("fold", SPLIT, SPLIT.tolist(), None):
        assert labels_of_positions(split, 120) is split


def test_held_out_rows_may_lack_the_target() -> None:
    parts = {"train": DF.iloc[TRAIN], "test": DF.iloc[TEST].drop(columns="y")}
    report = audit(parts, target="y", probes="all")
    assert report.about["partitions"] == {"train": len(TRAIN), "test": len(TEST)}
    assert report.verdict != "leak"
    assert "made of them elsewhere" in report["SPL401"].explanation
    parts["dev"] = DF.iloc[TEST]
    assert [
        entry["partition"] for entry in audit(parts, target="y", probes=["SPL401"])["SPL401"].evidence
    ] == ["Partition 'dev'"]
    with pytest.raises(InputError, match="'test' differs in 'y'; leave out the partition"):
        audit(parts)
    with pytest.raises(InputError, match="'y' is not a column"):
        audit({"train": parts["test"], "test": parts["train"]}, target="y")


def test_a_partition_that_is_a_pair_is_refused() -> None:
    with pytest.raises(InputError, match="'train' of data is a tuple of 2; give its features alone"):
        audit({"train": (DF, DF["y"]), "test": (DF, DF["y"])})


def test_a_column_as_a_table_is_a_column() -> None:
    x = DF.drop(columns="y")
    for y in (DF["y"], DF[["y"]], DF[["y"]].to_numpy(), pl.from_pandas(DF[["y"]])):
        assert audit(x, SPLIT, target=y, groups=DF[["colour"]]).about["target"]["task"] == "binary"
    parts = {"train": x.iloc[TRAIN], "test": x.iloc[TEST]}
    by_part = {"train": DF[["y"]].iloc[TRAIN], "test": DF[["y"]].iloc[TEST]}
    assert audit(parts, target=by_part).about["target"]["task"] == "binary"


def test_column_names_that_are_numbers_of_numpy() -> None:
    df = DF.set_axis(range(DF.shape[1]), axis=1)
    assert audit(df, SPLIT, target=np.int64(DF.shape[1] - 1)).about["target"]["name"] == str(DF.shape[1] - 1)


def test_a_name_in_other_case_is_meant() -> None:
    with pytest.raises(InputError, match="did you mean 'y'"):
        audit(target="Y")


def test_lengths_of_time_and_hours_are_numbers_not_points_in_time() -> None:
    rng = np.random.default_rng(7)
    seconds = rng.integers(0, 80_000, 120)
    df = DF.assign(
        stay=pd.to_timedelta(seconds, unit="s"), at=(pd.Timestamp(0) + pd.to_timedelta(seconds, "s")).time
    )
    report = audit(df, SPLIT)
    assert report["SPL302"].status == "not_applicable"
    shown = splitleak.leakage_report(
        df.assign(stay=pd.to_timedelta((df["y"] == "ill") * 90 + rng.random(120), unit="s")),
        SPLIT, target="y", probes=["SPL201"], impact=False,
    )["SPL201"]  # fmt: skip
    assert (shown.status, shown.columns) == ("leak", ("stay",))


def test_intervals_are_categories() -> None:
    df = DF.assign(bin=pd.cut(DF["x1"], 4), part=pd.cut(DF["x2"], 3).astype(object))
    df["told"] = pd.cut((df["y"] == "ill") * 1.0, 2)
    found = audit(df, SPLIT, target="y", probes=["SPL201"])["SPL201"]
    assert found.columns == ("told",)
    assert not any("bin" in str(entry) for entry in audit(df, SPLIT, target="y").not_checked)


def test_a_column_that_arrow_does_not_read_is_named_and_the_others_audited() -> None:
    df = pl.DataFrame({"x": range(120), "wide": pl.Series(range(120)).cast(pl.Int128)})
    report = audit(df, SPLIT)
    assert any("wide" in str(entry) for entry in report.not_checked)
    with pytest.raises(InputError, match="Int128.*of a kind that Arrow does not read"):
        audit(df, SPLIT, on="wide", probes=["SPL102"])


def test_several_labels_a_row_are_refused_with_a_way_out() -> None:
    with pytest.raises(InputError, match="audit one at a time"):
        audit(DF.assign(tags=[["a", "b"], ["b"]] * 60), SPLIT, target="tags")
