"""What a finding is worth in score: right sign and size, honest intervals, and silence where nothing can be said."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak.auditing import prepare_context
from splitleak.errors import InputError
from splitleak.impact import measure_impact, with_joint_impact
from splitleak.leakage import LIMITS
from splitleak.probe_result import Impact, ProbeResult
from splitleak.probes.base import Finding
from splitleak.probes.context import AuditContext
from splitleak.probes.metrics import metric_of
from tests.probes.audits import classes, halves


def context_of(df: pd.DataFrame, split: object = None, **arguments: object) -> AuditContext:
    from splitleak._progress import SILENT
    from splitleak._tables import open_source

    given = {
        "target": "y", "on": None, "similarity": "auto", "threshold": None, "groups": None, "time": None, "raw": None,
        "pipeline": None, "ledger": None, "metric": None, "alpha": 0.01, "limits": LIMITS, "seed": 0,
        "fast": False, "progress": SILENT,
    } | arguments  # fmt: skip
    return prepare_context(open_source(df), split, **given)


def with_proxy(n: int = 400, seed: int = 0) -> pd.DataFrame:
    df = classes(n, seed=seed)
    return df.assign(proxy=(df.y == "ill") + np.random.default_rng([seed, 1]).normal(0, 0.2, n))


def impact_of(df: pd.DataFrame, finding: Finding, split: object = None, **arguments: object) -> Impact | None:
    return measure_impact(context_of(df, split, **arguments), finding)


PROXY = Finding("leak", "a proxy", columns=["proxy"], impact_of="columns")


@pytest.mark.parametrize("split", [None, halves(400)])
@pytest.mark.parametrize("metric", [None, "accuracy", "neg_log_loss"])
def test_a_proxy_is_worth_what_the_score_loses_without_it(split: object, metric: str | None) -> None:
    found = impact_of(with_proxy(), PROXY, split, metric=metric)
    assert found is not None
    assert found.metric == (metric or "roc_auc")
    assert found.difference == found.with_leak - found.without
    assert found.interval[0] > 0.05
    if metric is None:
        assert found.with_leak > 0.97
        assert found.without < 0.85


def test_numbers_texts_classes_and_vectors() -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame({"a": rng.normal(size=300), "proxy": 0.0, "y": rng.normal(size=300)})
    df["proxy"] = df.y + rng.normal(0, 0.1, 300)
    found = impact_of(df, PROXY, halves(300))
    assert found is not None
    assert (found.metric, found.with_leak > 0.9, found.without < 0.2) == ("r2", True, True)
    df["y"] = rng.choice(["a", "b", "c"], 300)
    df["proxy"] = [f"the row {i} says it is {y} of {rng.integers(99)} all in all" for i, y in enumerate(df.y)]
    df["vector"] = list(rng.normal(size=(300, 4)))
    for metric in (None, "roc_auc", "f1_macro"):
        found = impact_of(df, PROXY, halves(300), metric=metric)
        assert found is not None
        assert found.with_leak > 0.95
        assert found.without < 0.7


def test_copies_in_training_are_worth_what_was_known_by_heart() -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame(rng.normal(size=(400, 5)), columns=list("abcde"))
    df["y"] = rng.choice(["ill", "well"], 400)
    df = pd.concat([df, df.iloc[:60]], ignore_index=True)
    split = np.where(np.arange(460) < 400, "train", "test")
    split[300:400] = "test"
    context = context_of(df, split)
    where = np.argsort(context.positions)
    finding = Finding(
        "leak", "copies", rows=where[np.arange(400, 460)], partners=where[np.arange(60)], impact_of="rows"
    )
    found = measure_impact(context, finding)
    assert found is not None
    assert found.what == "60 training rows"
    assert found.with_leak > 0.75
    assert abs(found.without - 0.5) < 0.15
    assert found.interval[0] > 0
    alone = measure_impact(
        context, Finding("leak", "copies", rows=where[np.arange(400, 460)], impact_of="rows")
    )
    assert alone is not None
    assert alone.what == "60 held-out rows, in scoring"
    assert alone.with_leak == found.with_leak
    assert alone.difference > 0.15


def test_the_interval_covers_the_truth() -> None:
    """Of the difference between two fixed sets of predictions, over samples of rows."""
    from splitleak.score_difference import Pair, compared

    for metric, units, tries in ((None, False, 120), (None, True, 120), ("accuracy", False, 30)):
        n, of_unit = 160, 4 if units else 1
        group = np.arange(n) // of_unit
        df = pd.DataFrame(
            {"x": np.arange(n), "g": [f"g{g}" for g in group], "y": np.arange(n) // of_unit % 2}
        )
        context = context_of(df, metric=metric, fast=True, groups="g" if units else None)
        y, at, inside = np.asarray(df.y), context.positions, 0
        for seed in range(tries):
            rng = np.random.default_rng([seed, 3])
            one = 1 / (1 + np.exp(-(2 * y - 1 + rng.normal(size=n // of_unit)[group])))
            two = 1 / (1 + np.exp(-(0.5 * y - 0.25 + rng.normal(size=n))))
            told = [np.stack([1 - p, p], axis=1)[at] for p in (one, two)]
            pair = Pair(np.arange(n), *told, np.ones(n, bool))
            found = compared(context, metric_of(metric, context.target), pair, "")
            assert found is not None
            inside += found.interval[0] <= TRUTH[metric] <= found.interval[1]
        assert inside / tries > 0.87, (metric, units)


def _truth() -> dict[str | None, float]:
    rng = np.random.default_rng(0)
    y = np.arange(400_000) % 2
    one = 2 * y - 1 + rng.normal(size=len(y))
    two = 0.5 * y - 0.25 + rng.normal(size=len(y))
    from splitleak.statistics import auc

    return {
        None: auc(one, y == 1).value - auc(two, y == 1).value,
        "accuracy": float(((one > 0) == y).mean() - ((two > 0) == y).mean()),
    }


TRUTH = _truth()


def test_the_area_and_its_error_are_those_of_the_literature() -> None:
    from sklearn.metrics import r2_score, roc_auc_score

    from splitleak.statistics import auc

    df = pd.DataFrame({"x": np.arange(90.0), "y": np.arange(90) % 3, "z": np.arange(90) * 1.5})
    rng = np.random.default_rng(0)
    target = context_of(df).target
    assert target is not None
    p = rng.dirichlet(np.ones(3), 90)
    metric = metric_of(None, target)
    assert metric.value(p, target.codes) == pytest.approx(roc_auc_score(target.codes, p, multi_class="ovr"))
    two = context_of(df.assign(y=df.y > 0)).target
    assert two is not None
    metric = metric_of(None, two)
    assert metric.influence is not None
    error = np.sqrt((metric.influence(p[:, :2], two.codes) ** 2).sum())
    assert error == pytest.approx(auc(p[:, 1], two.codes == 1).error, rel=1e-9)
    numbers = context_of(df, target="z").target
    assert numbers is not None
    guess = numbers.values + rng.normal(0, 20, 90)
    metric = metric_of(None, numbers)
    assert metric.value(guess, numbers.values) == pytest.approx(r2_score(numbers.values, guess))
    assert metric.influence is not None
    draws = [
        metric.value(guess[rows], numbers.values[rows])
        for rows in (rng.integers(0, 90, 90) for _ in range(800))
    ]
    assert np.sqrt((metric.influence(guess, numbers.values) ** 2).sum()) == pytest.approx(
        np.std(draws), rel=0.2
    )


def test_a_metric_of_numbers_on_few_whole_numbers() -> None:
    df = classes(400).drop(columns="y")
    df["grade"] = 10 * np.random.default_rng(0).integers(1, 4, 400)
    df["proxy"] = df.grade + np.random.default_rng(1).normal(0, 2, 400)
    found = impact_of(df, PROXY, halves(400), target="grade", metric="neg_mean_absolute_error")
    assert found is not None
    assert -2 < found.with_leak < -0.1
    assert -8 < found.without < -6


def test_row_order_does_not_matter() -> None:
    df, split = with_proxy(), halves(400)
    order = np.random.default_rng(1).permutation(400)
    for metric in (None, "f1"):
        one = splitleak.leakage_report(df, split, target="y", probes=["SPL201"], metric=metric)
        two = splitleak.leakage_report(
            df.iloc[order], split[order], target="y", probes=["SPL201"], metric=metric
        )
        assert one["SPL201"].impact is not None
        assert one["SPL201"].impact == two["SPL201"].impact


def test_what_cannot_be_measured_has_no_impact() -> None:
    df = with_proxy()
    assert impact_of(df, PROXY, halves(400), target=None) is None
    assert impact_of(df, Finding("leak", "", columns=["elsewhere"], impact_of="columns"), halves(400)) is None
    assert impact_of(df, Finding("leak", "", impact_of="rows"), halves(400)) is None
    assert impact_of(df, Finding("leak", ""), halves(400)) is None
    assert impact_of(df[:24], PROXY, halves(24)) is None  # too few to fit
    one_class = np.where((df.y == "ill") & (np.arange(400) % 2 == 0), "test", "train")
    assert impact_of(df, PROXY, one_class) is None
    only = df[["proxy", "y"]]
    found = impact_of(only, PROXY, halves(400))
    assert found is not None
    assert found.without == 0.5  # a model without any column


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(12, 80),
    seed=st.integers(0, 99),
    target=st.sampled_from(["two", "rare", "many", "number"]),
    split=st.booleans(),
    kind=st.sampled_from(["columns", "rows", "partners"]),
    metric=st.sampled_from([None, "accuracy"]),
)
def test_odd_tables_never_crash(
    n: int, seed: int, target: str, split: bool, kind: str, metric: str | None
) -> None:
    rng = np.random.default_rng(seed)
    df = pd.DataFrame(
        {
            "gaps": np.where(rng.random(n) < 0.9, np.nan, rng.normal(size=n)),
            "huge": rng.normal(size=n) * 1e300,
            "infinite": np.where(rng.random(n) < 0.5, np.inf, 1.0),
            "colour": rng.choice(["red", None], n),
            "two": np.arange(n) % 2,
            "rare": np.where(np.arange(n) == 3, "a", "b"),
            "many": np.arange(n) % 7,
            "number": rng.normal(size=n),
        }
    )
    metric = None if target == "number" else metric
    parts = halves(n, seed)
    parts[:2] = ["train", "test"]
    context = context_of(df, parts if split else None, target=target, metric=metric, fast=True)
    rows = rng.integers(0, n, 5)
    finding = {
        "columns": Finding("leak", "", columns=["gaps", "two"], impact_of="columns"),
        "rows": Finding("leak", "", rows=rows, impact_of="rows"),
        "partners": Finding("leak", "", rows=rows, partners=rng.integers(0, n, 5), impact_of="rows"),
    }[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure_impact(context, finding)
    assert found is None or np.isfinite([found.with_leak, found.without, *found.interval]).all()


@pytest.mark.parametrize(
    ("metric", "target", "message"),
    [
        ("roc_uac", "y", "did you mean 'roc_auc'"),
        (3, "y", "scorer's name"),
        ("r2", "colour", "cannot score target='colour', which is 3 classes"),
        ("f1", "colour", "use 'roc_auc_ovr', 'accuracy' or 'f1_macro'"),
        ("accuracy", "x0", "which is a number"),
    ],
)
def test_a_metric_that_does_not_fit_is_refused(metric: object, target: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        splitleak.leakage_report(classes(), halves(400), target=target, metric=metric)


def redundant(n: int = 400) -> pd.DataFrame:
    df = with_proxy(n)
    rng = np.random.default_rng(9)
    return df.assign(second=df.proxy * 3 + 1 + rng.normal(0, 0.01, n))


def test_redundant_leaks_are_worth_something_together() -> None:
    df = redundant()
    report = splitleak.leakage_report(df, halves(400), target="y", probes=["SPL201", "SPL203"])
    assert report["SPL201"].columns == ("proxy", "second")
    assert report.impact is None  # one finding alone says it by itself
    context = context_of(df, halves(400))
    findings = {
        code: Finding("leak", "", columns=[name], impact_of="columns")
        for code, name in (("AAA001", "proxy"), ("AAA002", "second"), ("AAA003", "colour"))
    }
    results = [
        replace(ProbeResult.of(code, "", "", f, context.positions), impact=measure_impact(context, f))
        for code, f in findings.items()
    ]
    given, together = with_joint_impact(context, results, findings)
    assert together is not None
    assert together.what == "3 columns"
    assert together.difference > 0.1
    for result in given[:2]:
        assert result.impact is not None
        assert abs(result.impact.difference) < 0.02  # the other one remains
        assert result.impact.last is not None
        assert result.impact.last > 0.1
        assert result.severity == "high"
    assert given[2].severity == "low"  # of three leaks this one is worth nothing, with the others or without
    again, nothing = with_joint_impact(context, [replace(r, muted="known") for r in results], findings)
    assert nothing is None
    assert [r.impact for r in again] == [r.impact for r in results]


def test_the_summary_says_what_all_leaks_are_worth(tmp_path: Path) -> None:
    df = pd.concat([with_proxy(), with_proxy()[:40]], ignore_index=True)
    split = np.append(np.where(halves(400) == "test", "dev", "train"), ["test"] * 40)
    report = splitleak.leakage_report(df, split, target="y", probes=["SPL101", "SPL201"])
    assert {r.code for r in report.findings} == {"SPL101", "SPL201"}
    assert report.impact is not None
    assert report.impact.what.startswith("1 column and ")
    assert report.impact.without < 0.85
    read = splitleak.LeakageReport.from_json
    report.to_json(tmp_path / "report.json")
    assert read(tmp_path / "report.json").impact == report.impact
    told = f"ROC AUC {report.impact.without:.3f} instead of {report.impact.with_leak:.3f}"
    assert told in " ".join(str(report).split())
    assert told in report.to_html().replace("\n", " ")


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(
    "metric",
    ["neg_mean_squared_error", "neg_mean_absolute_error", "neg_root_mean_squared_error", "neg_max_error"],
)
def test_errors_are_judged_by_what_the_mean_would_make(metric: str, factor: float) -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame(rng.normal(size=(400, 4)), columns=list("abcd"))
    df["y"] = (df.a + df.b + rng.normal(0, 0.5, 400)) * factor
    df["proxy"] = df.y + rng.normal(0, 0.1 * factor, 400)
    df["noise"] = rng.normal(size=400)
    for column, severity in (("proxy", {"high"}), ("noise", {"low", "medium"})):
        finding = Finding("leak", "", columns=[column], impact_of="columns")
        context = context_of(df, halves(400), metric=metric)
        found = measure_impact(context, finding)
        assert found is not None
        assert found.best == 0
        assert found.scale is not None
        if metric == "neg_mean_squared_error":
            held = df.y[halves(400) == "test"]
            mean = df.y[halves(400) == "train"].mean()
            assert found.scale == pytest.approx(((held - mean) ** 2).mean())
        if metric == "neg_max_error" and column == "noise":
            continue  # one row decides
        result = replace(ProbeResult.of("AAA001", "", "", finding, context.positions), impact=found)
        assert result.severity in severity, found


def test_log_loss_is_judged_by_what_the_shares_of_the_classes_would_make() -> None:
    found = impact_of(with_proxy(), PROXY, halves(400), metric="neg_log_loss")
    assert found is not None
    assert found.scale == pytest.approx(np.log(2), rel=0.05)
    assert found.share == pytest.approx(found.difference / found.scale)
    assert found.tells


def test_copies_of_pictures_are_worth_nobody_knows_what() -> None:
    images = np.random.default_rng(0).integers(0, 256, (60, 16, 16, 3), dtype=np.uint8)
    split = np.repeat(["train", "test"], 60)
    report = splitleak.leakage_report(
        np.concatenate([images, images]), split, target=np.tile([0, 1], 60), probes=["SPL101"]
    )
    assert report["SPL101"].status == "leak"
    assert report["SPL101"].impact is None  # the quick model sees no pictures
    assert report["SPL101"].severity == "high"
