"""Each remedy is code that works when pasted: it is run, and the finding is gone."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import splitleak
from splitleak.planting import plant
from splitleak.probes.base import probe_codes
from tests.probes.audits import classes, halves

# kinds of leaks, and the probe whose remedy is run
PLANTED = {
    "copies_of_rows": "SPL101", "near_copies_0.01": "SPL102", "conflicting_targets": "SPL103",
    "oversampling_before_split": "SPL115", "proxy": "SPL201", "missing_follows_target": "SPL202",
    "value_of_one_class": "SPL203", "identifier_follows_target": "SPL204", "row_order_follows_target": "SPL205",
    "xor_of_two_columns": "SPL206", "tokens_tell_target": "SPL207", "source_follows_target": "SPL208",
    "train_after_test": "SPL301", "undeclared_time": "SPL302", "declared_groups_cross": "SPL303",
    "undeclared_entity": "SPL304", "undeclared_composite_key": "SPL304", "split_predictable": "SPL305",
    "label_shift": "SPL306", "new_category": "SPL307", "range_not_in_train": "SPL308", "tokens_tell_split": "SPL309",
    "test_too_small": "SPL401",
}  # fmt: skip
FITTED = {
    "standard_scaler_on_all": "SPL110", "minmax_scaler_on_all": "SPL110", "robust_scaler_on_all": "SPL110",
    "imputer_mean_on_all": "SPL111", "imputer_median_on_all": "SPL111", "pca_on_all": "SPL112",
    "target_means_on_all": "SPL113",
}  # fmt: skip
NOT_BY_CODE = {
    "SPL209": "pictures must be cropped or converted by whoever knows the cameras",
    "SPL210": "the remedy is a second score, of a model that reads one part only",
    "SPL402": "the remedy lists the rows; a person corrects the labels",
    "SPL403": "only new rows help",
}
ELSEWHERE = {"SPL114": "test_selected_columns", "SPL116": "test_a_fitted_pipeline"}


def table(kind: str) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    df = classes(600, seed=3)
    if kind.startswith("tokens"):
        words = np.array([f"word{i}" for i in range(300)])
        df["text"] = [" ".join(rng.choice(words, 12)) for _ in range(600)]
    return df


def run(code: str, df: pd.DataFrame, **names: Any) -> tuple[pd.DataFrame, Any, bool]:
    """Run a remedy; return the table, its split (the column "fold", or a new one), and whether it made one."""
    space: dict[str, Any] = {"df": df, "splitleak": splitleak, **names}
    exec(code, space)
    made = space.get("split") is not names.get("split")
    return space["df"], space["split"] if made else "fold", made


def test_every_probe_is_here() -> None:
    codes = {*PLANTED.values(), *FITTED.values(), *NOT_BY_CODE, *ELSEWHERE}
    assert codes == {code for code in probe_codes() if code.startswith("SPL")}


@pytest.mark.parametrize(("kind", "code"), PLANTED.items())
@pytest.mark.filterwarnings("ignore::splitleak.errors.SplitleakWarning")
def test_the_finding_is_gone(kind: str, code: str) -> None:
    df = table(kind)
    split = halves(600, seed=1)
    leak = plant(kind, df, "y", split, strength="ordinary" if code == "SPL205" else "strong", seed=0)
    before = leak.table.assign(fold=leak.split).reset_index(drop=True)
    asked = {"target": "y", "probes": [code], "impact": False} | {
        name: value for name, value in leak.extra.items() if name in ("time", "groups")
    }
    report = splitleak.leakage_report(before, "fold", **asked)
    assert report[code].status in ("leak", "caution"), report[code].explanation
    after, made, is_new = run(report[code].remedy, before.copy(), report=report)
    if is_new and isinstance(made, splitleak.Split):
        after = after.drop(columns="fold")
        assert set(made.sizes) == {"train", "dev", "test"}
    if not isinstance(made, (str, splitleak.Split)):  # folds
        after, made = after.drop(columns="fold"), made.fold(0)
    again = splitleak.leakage_report(after, made, **asked)
    assert again[code].status in ("clean", "not_applicable"), (report[code].remedy, again[code].explanation)


@pytest.mark.parametrize(("kind", "code"), FITTED.items())
def test_a_step_that_was_fitted_on_all_rows_is_fitted_again(kind: str, code: str) -> None:
    df = classes(600, 9, seed=3)
    leak = plant(kind, df, "y", halves(600, seed=1), strength="strong", seed=0)
    raw = leak.extra["raw"]
    raw = raw if isinstance(raw, pd.DataFrame) else df
    before = leak.table.assign(fold=leak.split)
    asked = {"target": "y", "probes": [code], "impact": False}
    report = splitleak.leakage_report(before, "fold", **asked)
    assert report[code].status in ("leak", "caution"), report[code].explanation
    for split, names in (("fold", {}), (leak.split, {"split": leak.split})):
        given = before if isinstance(split, str) else before.drop(columns="fold")
        remedy = splitleak.leakage_report(given, split, **asked)[code].remedy
        space: dict[str, Any] = {"df": given.copy(), "raw": raw.copy(), **names}
        exec(remedy, space)
        again = splitleak.leakage_report(space["df"], split, **asked)
        assert again[code].status in ("clean", "not_applicable"), (remedy, again[code].explanation)


def test_a_fitted_pipeline() -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    df = classes(300).assign(fold=halves(300))
    raw = df[["x0", "x1"]]
    pipeline = make_pipeline(StandardScaler()).fit(raw)
    asked = {"target": "y", "probes": ["SPL116"], "raw": raw, "impact": False}
    report = splitleak.leakage_report(df, "fold", pipeline=pipeline, **asked)
    assert report["SPL116"].status == "leak"
    exec(report["SPL116"].remedy, {"df": df, "raw": raw, "pipeline": pipeline})
    assert splitleak.leakage_report(df, "fold", pipeline=pipeline, **asked)["SPL116"].status == "clean"


def test_selected_columns() -> None:
    df = classes(150, 4, effect=0.0)
    leak = plant("feature_selection_on_all", df, "y", halves(150), strength="strong", seed=0)
    raw, given = leak.extra["raw"], leak.table.assign(fold=leak.split)
    report = splitleak.leakage_report(given, "fold", target="y", raw=raw, probes=["SPL114"], impact=False)
    assert report["SPL114"].status in ("leak", "caution"), report["SPL114"].explanation
    space: dict[str, Any] = {"df": given, "raw": raw.select_dtypes("number")}
    exec(report["SPL114"].remedy, space)
    honest = space["data"].assign(y=given.y, fold=given.fold)
    again = splitleak.leakage_report(honest, "fold", target="y", raw=raw, probes=["SPL114"], impact=False)
    assert again["SPL114"].status in ("clean", "not_applicable")


@pytest.mark.parametrize("given", ["arrays", "texts", "nested", "named"])
@pytest.mark.filterwarnings("ignore::splitleak.errors.SplitleakWarning")
def test_calls_fit_how_the_data_were_handed_over(given: str) -> None:
    df = classes(300)
    groups, target = np.arange(300) % 60, df.y.to_numpy()
    data: Any = df.drop(columns="y")
    if given == "texts":
        rng = np.random.default_rng(0)
        data = [" ".join(rng.choice(list("abcdefghij"), 12)) for _ in range(300)]
    if given == "nested":
        data = data.assign(odd=[{"a": 1}] * 300)
    asked: dict[str, Any] = {"groups": groups, "target": target}
    if given == "named":
        data, asked = (
            df.assign(who=groups),
            {"groups": "who", "target": "y", "on": "x0", "similarity": "exact"},
        )
    report = splitleak.leakage_report(data, halves(300), probes=["SPL303"], impact=False, **asked)
    assert report["SPL303"].status == "leak"
    space: dict[str, Any] = {"df": data, "splitleak": splitleak, "groups": groups, "target": target}
    exec(report["SPL303"].remedy, space)
    again = splitleak.leakage_report(data, space["split"], probes=["SPL303"], impact=False, **asked)
    assert again["SPL303"].status == "clean"


@pytest.mark.parametrize(("kind", "code"), PLANTED.items())
@pytest.mark.filterwarnings("ignore::splitleak.errors.SplitleakWarning")
def test_remedies_for_a_mapping_of_partitions(kind: str, code: str) -> None:
    if kind == "tokens_tell_split":
        pytest.skip("tells texts of partitions apart, as in one table")
    leak = plant(
        kind, table(kind), "y", halves(600, seed=1), strength="ordinary" if code == "SPL205" else "strong"
    )
    data = {name: leak.table[leak.split == name] for name in ("train", "test")}
    asked = {"target": "y", "probes": [code], "impact": False} | {
        name: value for name, value in leak.extra.items() if name in ("time", "groups")
    }
    report = splitleak.leakage_report(data, **asked)
    if code == "SPL205" and report[code].status == "clean":
        return  # the order of the rows of one table is not that of its partitions
    assert report[code].status in ("leak", "caution"), report[code].explanation
    space: dict[str, Any] = {"data": data, "splitleak": splitleak, "report": report}
    exec(report[code].remedy, space)
    made = space.get("split")
    if made is not None and not isinstance(made, splitleak.Split):
        again = splitleak.leakage_report(space["df"], made.fold(0), **asked)
    else:
        assert isinstance(space["data"], dict)
        again = splitleak.leakage_report(space["data"], **asked)
    assert again[code].status in ("clean", "not_applicable"), (report[code].remedy, again[code].explanation)


@pytest.mark.parametrize(("kind", "code"), FITTED.items())
def test_steps_are_fitted_again_for_a_mapping_of_partitions(kind: str, code: str) -> None:
    df = classes(600, 9, seed=3)
    leak = plant(kind, df, "y", halves(600, seed=1), strength="strong", seed=0)
    raw = leak.extra["raw"]
    raw = raw if isinstance(raw, pd.DataFrame) else df
    data, before = ({name: t[leak.split == name] for name in ("train", "test")} for t in (leak.table, raw))
    asked = {"target": "y", "probes": [code], "impact": False}
    remedy = splitleak.leakage_report(data, **asked)[code].remedy
    space: dict[str, Any] = {"data": data, "raw": before}
    exec(remedy, space)
    again = splitleak.leakage_report(space["data"], **asked)
    assert again[code].status in ("clean", "not_applicable"), (remedy, again[code].explanation)


@pytest.mark.filterwarnings("ignore::splitleak.errors.SplitleakWarning")
def test_bare_values_and_arrays_by_partition() -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(list("abcdefghij"), 12)) for _ in range(300)]
    for rows in (texts, rng.normal(size=(300, 40))):
        data = {"train": rows[:200], "test": rows[200:]}
        groups = {"train": np.arange(200) % 60, "test": np.arange(100) % 60}
        report = splitleak.leakage_report(data, groups=groups, probes=["SPL303"], impact=False)
        assert report["SPL303"].status == "leak"
        assert "Rows are counted through the partitions" in str(report)
        space: dict[str, Any] = {"data": data, "splitleak": splitleak, "groups": groups}
        exec(report["SPL303"].remedy, space)
        again = splitleak.leakage_report(
            space["df"], space["split"], groups=space["groups"], probes=["SPL303"], impact=False
        )
        assert again["SPL303"].status == "clean"
        assert sorted(map(len, space["data"].values())) == sorted(space["split"].sizes.values())


def test_sorted_partitions_are_no_split_that_follows_the_order() -> None:
    df, split = classes(600).sort_values("y", ignore_index=True), halves(600)
    data = {name: df[split == name] for name in ("train", "test")}
    result = splitleak.leakage_report(data, target="y", probes=["SPL205"], impact=False)["SPL205"]
    assert result.status == "clean"
    assert result.explanation.startswith("The training rows are sorted by the target")


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("bare", ["texts", "array"])
def test_copies_among_bare_values(bare: str, stacked: bool) -> None:
    rng = np.random.default_rng(0)
    rows: Any = rng.normal(size=(300, 5))
    rows[200:220] = rows[:20]
    if bare == "texts":
        rows = [" ".join(rng.choice([f"w{i}" for i in range(200)], 12)) for _ in range(300)]
        rows[200:220] = rows[:20]
    split = np.repeat(["train", "test"], [200, 100])
    given = {"train": rows[:200], "test": rows[200:]} if stacked else rows
    report = splitleak.leakage_report(given, None if stacked else split, probes=["SPL101"], impact=False)
    assert report["SPL101"].status == "leak"
    space: dict[str, Any] = {"data": given, "df": given, "report": report}
    exec(report["SPL101"].remedy, space)
    after, labels = (space["data"], None) if stacked else (space["df"], split[space["keep"]])
    again = splitleak.leakage_report(after, labels, probes=["SPL101"], impact=False)
    assert again["SPL101"].status == "clean"


def test_columns_of_an_array_are_left_out_by_number() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    x = np.column_stack([rng.normal(size=(300, 3)), y + 0.01 * rng.normal(size=300), rng.normal(size=300)])
    asked: dict[str, Any] = {"target": y, "probes": ["SPL201"], "impact": False}
    report = splitleak.leakage_report(x, halves(300), **asked)
    assert report["SPL201"].columns == ("x3",)
    space: dict[str, Any] = {"df": x}
    exec(report["SPL201"].remedy, space)
    assert space["df"].shape == (300, 4)
    assert splitleak.leakage_report(space["df"], halves(300), **asked)["SPL201"].status == "clean"
