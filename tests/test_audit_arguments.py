"""leakage_report(): arguments as users give them, and what is refused before any probe looks."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak.certification import partition_codes
from splitleak.errors import DataMismatchError, InputError
from splitleak.probes.base import probe_codes
from tests.probes.audits import classes, halves


def audit(data: Any, split: Any = None, **arguments: Any) -> splitleak.LeakageReport:
    return splitleak.leakage_report(
        data, split, **({"probes": ["SPL101", "SPL301"], "impact": False} | arguments)
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([-1, 0, 1, 2]), min_size=2, max_size=40))
def test_the_code_of_dropped_rows_is_no_partition(codes: list[int]) -> None:
    from splitleak._tables import open_source

    source = open_source({"x": list(range(len(codes)))})
    filled = {code for code in codes if code >= 0}
    if len(filled) < 2:
        with pytest.raises(InputError, match="at least two partitions"):
            partition_codes(source, np.array(codes))
        return
    names, found = partition_codes(source, np.array(codes))
    assert [names[code] if code >= 0 else "-1" for code in found] == [str(code) for code in codes]
    labels = ["" if code < 0 else f"part {code}" for code in codes]
    assert (partition_codes(source, labels)[1] < 0).tolist() == [code < 0 for code in codes]


def test_rows_in_no_partition_are_left_out_and_said() -> None:
    df = classes(200)
    df.loc[150:] = df.loc[:49].to_numpy()  # copies that stand in no partition
    made = splitleak.Split(("train", "test"), np.where(np.arange(200) < 150, np.arange(200) % 2, -1))
    gaps = [None if code < 0 else made.names[code] for code in made.codes]
    answers = []
    for split in (made, made.codes, made.labels(), gaps, pl.Series(gaps)):
        report = audit(df, split, target="y", probes="all")
        assert sum(report.about["partitions"].values()) == report.about["n_rows"] == 150
        assert report.about["left_out"] == 50
        assert "50 rows in no partition (missing or -1) are left out." in str(report)
        assert all(result.rows.max(initial=0) < 150 for result in report.results)
        answers.append([(r.code, r.status) for r in report.results])
    assert all(answer == answers[0] for answer in answers)
    alone = audit(df[:150], made.codes[:150], target="y", probes="all")
    assert [(r.code, r.status) for r in alone.results] == answers[0]
    assert "left out" not in str(alone)


def test_positions_are_the_callers_where_rows_are_left_out() -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame({"text": ["".join(rng.choice(list("abcdefgh jklmn"), 50)) for _ in range(60)]})
    df.loc[50:57, "text"] = df.loc[10:17, "text"].to_numpy()
    df["note"] = rng.choice([f"n{i}" for i in range(9)], 60)
    df.loc[50:57, "note"] = "m"  # equal rows would be those of SPL101
    df.loc[58, "text"] = df.loc[3, "text"]  # row 3 is in no partition
    codes = np.r_[np.full(10, -1), np.zeros(35), np.ones(15)].astype(int)
    matrix = (df.text.to_numpy()[:, None] == df.text.to_numpy()).astype(float)
    for similarity in ("auto", "exact", matrix):
        found = audit(df, codes, on="text", similarity=similarity, probes=["SPL102"])["SPL102"]
        assert found.rows.tolist() == list(range(50, 58)), similarity
        assert found.partners.tolist() == list(range(10, 18))


def test_folds_are_audited_one_by_one() -> None:
    df = classes(60)
    folds = splitleak.fold_by_similarity(df, on="x0", similarity="exact", folds=3)
    with pytest.raises(InputError, match=r"Folds of 3 folds.*folds.fold\(0\)"):
        audit(df, folds)
    reports = [audit(df, folds.fold(i)) for i in range(3)]
    assert sum(report.about["partitions"]["test"] for report in reports) == 60


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".json"])
def test_a_saved_split_is_read(tmp_path: Path, ending: str) -> None:
    df = classes(60)
    split = splitleak.split_by_similarity(df, on="x0", similarity="exact", sizes={"train": 0.5, "test": 0.5})
    path = tmp_path / f"split{ending}"
    split.save(path)
    for given_path in (path, str(path)):
        assert audit(df, given_path).about["partitions"] == {"train": 30, "test": 30}
    with pytest.raises(InputError, match=r"does not exist; did you mean 'split\."):
        audit(df, tmp_path / f"splt{ending}")
    if ending != ".csv":  # which does not keep what was compared
        with pytest.raises(DataMismatchError, match=r"lacks 'x0'.*split.labels\(\)"):
            audit(df.drop(columns="x0"), path)
        assert audit(df.drop(columns="x0"), split.labels()).about["n_rows"] == 60


def test_targets_by_partition(tmp_path: Path) -> None:
    df = classes(100).assign(day=pd.date_range("2024", periods=100))
    x, raw = df.drop(columns=["y", "day"]), df[["x0", "x1"]]
    parts = {"train": slice(0, 60), "test": slice(60, 100)}
    codes = [code for code in probe_codes() if code != "SPL205"]  # partitions have no order in common
    apart = audit(
        {name: x[rows] for name, rows in parts.items()},
        target={name: df.y[rows].to_numpy() for name, rows in reversed(parts.items())},
        time={name: pl.Series(df.day[rows].tolist()) for name, rows in parts.items()},
        raw={name: raw[rows] for name, rows in reversed(parts.items())},
        probes=codes,
    )
    labels = np.repeat(["train", "test"], [60, 40])
    joined = audit(x, labels, target=df.y.to_numpy(), time=df.day, raw=raw, probes=codes)
    for a, b in zip(apart.summary()["results"], joined.summary()["results"], strict=True):
        assert {**a, "remedy": ""} == {**b, "remedy": ""}
    data = {name: x[rows] for name, rows in parts.items()}
    with pytest.raises(
        InputError, match="target is a mapping with the keys 'train', 'tset'; it must have the part"
    ):
        audit(data, target={"train": df.y[:60], "tset": df.y[60:]})
    with pytest.raises(InputError, match="since data is one table"):
        audit(x, labels, target={"train": df.y[:60], "test": df.y[60:]})
    with pytest.raises(InputError, match="values of different kinds by partition"):
        audit(data, target={"train": df.y[:60], "test": np.arange(40)})
    with pytest.raises(InputError, match="raw has the partitions"):
        audit(data, raw={"a": raw[:60], "b": raw[60:]})
    with pytest.raises(InputError, match="partition 'test' of data.*no rows"):
        audit({"train": x, "test": x[:0]})


def test_raw_is_a_table_a_mapping_or_a_path(tmp_path: Path) -> None:
    from sklearn.preprocessing import StandardScaler

    df = classes(200)
    numbers = [name for name in df if name.startswith("x")]
    split = halves(200)
    scaler = StandardScaler().fit(df[numbers])
    df[numbers].to_parquet(tmp_path / "raw.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"no table")
    scaled = pd.DataFrame(scaler.transform(df[numbers]), columns=numbers).assign(y=df.y)
    for raw in (df[numbers], tmp_path / "raw.parquet", str(tmp_path / "raw.parquet")):
        assert audit(scaled, split, pipeline=scaler, raw=raw, probes=["SPL116"])["SPL116"].status == "leak"
    with pytest.raises(InputError, match="raw=.*cannot be read.*no such file"):
        audit(scaled, split, pipeline=scaler, raw=tmp_path / "elsewhere.parquet")
    with pytest.raises(InputError, match="raw=.*cannot be read"):
        audit(scaled, split, pipeline=scaler, raw=tmp_path / "broken.parquet")
    with pytest.raises(InputError, match="raw must be a table, an array or a path, got int"):
        audit(scaled, split, pipeline=scaler, raw=5)


def test_names_that_are_numbers_or_tuples() -> None:
    df = classes(60).assign(fold=halves(60))
    numbered = df.set_axis(range(df.shape[1]), axis=1)
    column = {name: i for i, name in enumerate(df)}
    report = audit(numbered, column["fold"], target=column["y"])
    assert report.about["target"]["name"] == str(column["y"])
    several = df.set_axis(pd.MultiIndex.from_product([["of"], df.columns]), axis=1)
    report = audit(several, ("of", "fold"), target=("of", "y"))
    assert set(report.about["partitions"]) == {"train", "test"}


class Junk:
    pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pipeline": "x", "raw": "x"}, "pipeline must be a fitted scikit-learn transformer.*got str"),
        ({"pipeline": Junk(), "raw": "x"}, "got Junk"),
        ({"pipeline": Junk, "raw": "x"}, "got the class Junk; pass the object that was fitted"),
        ({"metric": "r2", "target": None}, "metric='r2' scores predictions of a target; pass target="),
        ({"metric": "r2"}, "cannot score target='y'"),
        ({"limits": {"auc_leak": 0.9, "auc_caution": 0.95}}, "auc_caution = 0.95 lies above auc_leak = 0.9"),
        ({"limits": {"r2_caution": 0.995}}, "r2_caution = 0.995 lies above r2_leak = 0.99"),
        ({"limits": [0.9]}, "limits must map a name to a number"),
        ({"limits": {"auc_leak": True}}, "must be a number in"),
        ({"threshold": 2}, "threshold must be a number in"),
        ({"similarity": "jacard"}, "did you mean 'jaccard'"),
        ({"similarity": ["exact", "jacard"]}, "did you mean 'jaccard'"),
        ({"on": "y"}, "on names the target 'y'"),
        ({"on": ["x0", "xx"]}, "xx"),
        ({"target": "fold"}, "target='fold' is the column of split=, too"),
        ({"groups": "y"}, "groups='y' is the column of target=, too"),
        ({"time": "y"}, "time='y' is the column of target=, too"),
        ({"time": "word"}, "time='word' must hold dates, times or numbers.*120 values do not parse"),
        ({"groups": "nested"}, "groups='nested' must hold one plain value"),
        ({"groups": "empty"}, "groups='empty' is missing in every row"),
    ],
)
def test_refused_before_any_probe_looks(
    arguments: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    df = classes(120).assign(fold=halves(120), word="hello", nested=[[1]] * 120, empty=None)

    def looks(*_: Any, **__: Any) -> None:
        raise AssertionError("a probe was asked")

    monkeypatch.setattr("splitleak.leakage.run_probe", looks)
    with pytest.raises(InputError, match=message):
        audit(df, "fold", **({"target": "y"} | arguments))


def test_a_pipeline_needs_raw() -> None:
    from sklearn.preprocessing import StandardScaler

    with pytest.raises(InputError, match="pass raw= the table before it"):
        audit(classes(60), halves(60), pipeline=StandardScaler())
    with pytest.raises(InputError, match=r"data \(pandas.DataFrame, 5 rows\) has no columns"):
        audit(pd.DataFrame(index=range(5)))


def test_days_may_be_groups_and_times_with_zones_are_compared() -> None:
    zones = ["2024-01-01T00:30:00+01:00", "2024-01-01T00:00:00Z"] * 30
    df = classes(60).assign(day=zones)
    report = audit(df, ["train", "test"] * 30, time="day", groups="day", probes=["SPL301", "SPL303"])
    assert report["SPL301"].status == "clean"  # half past midnight in Berlin is before midnight in London
    assert audit(df, ["test", "train"] * 30, time="day")["SPL301"].status == "leak"


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("fold", ["train", "test"], True),
        ("set", ["Train", "Test"], True),
        ("cv_fold", [0, 1, 2, 3, 4], True),
        ("split", ["fold 1", "fold 2"], True),
        ("group", [0, 1, 2], False),
        ("manifold", [0, 1, 2], False),
        ("split", ["7-10", "4-6"], False),
        ("colour", ["red", "green"], False),
    ],
)
def test_a_column_that_looks_like_a_split_is_told(name: str, values: list[Any], told: bool) -> None:
    df = classes(60).assign(**{name: np.resize(np.array(values, dtype=object), 60)})
    alone = str(audit(df, target="y"))
    beside = str(audit(df, halves(60), target="y"))
    assert (
        f"Column {name} looks like a split, and was audited as a feature: pass split='{name}'." in alone
    ) == told
    assert (f"Column {name} looks like another split" in beside) == told
    assert "train 4" in beside
    assert "(to train on), test" in beside


def test_weights_that_sum_to_more_than_a_number_can_hold() -> None:
    df = classes(60).assign(w=np.linspace(0.5, 1, 60) * 1e307)
    with pytest.raises(InputError, match="sum to more than a float64 can hold.*divide them"):
        splitleak.split_by_similarity(df, on="x0", similarity="exact", weights="w")
    assert splitleak.split_by_similarity(df, on="x0", similarity="exact", weights=df.w / 1e307).n_rows == 60


def test_an_unknown_similarity_is_told_before_columns_are_asked_for() -> None:
    df = pd.DataFrame({"a": ["one text", "two texts"], "b": ["x y", "y z"]})
    with pytest.raises(InputError, match="did you mean 'jaccard'"):
        splitleak.similarity_graph(df, similarity="jacard")
