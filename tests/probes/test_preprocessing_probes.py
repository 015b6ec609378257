"""SPL110-114, SPL116: what was fitted on all rows is found, and the same work done on the training rows is not."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

import splitleak
from splitleak.errors import InputError
from splitleak.planting import KINDS
from tests.probes.audits import ask, classes, halves

FITTED = {
    "standard_scaler": "SPL110",
    "minmax_scaler": "SPL110",
    "robust_scaler": "SPL110",
    "imputer_mean": "SPL111",
    "imputer_median": "SPL111",
    "pca": "SPL112",
    "target_means": "SPL113",
    "target_means_smoothed": "SPL113",
}


def cancer() -> pd.DataFrame:
    return load_breast_cancer(as_frame=True).frame.sample(frac=1, random_state=0).reset_index(drop=True)


def planted(kind: str, seed: int = 0) -> splitleak.planting.Planted:
    df = cancer()
    rng = np.random.default_rng(seed)
    return KINDS[kind](df, "target", halves(len(df), seed), rng, KINDS[kind].strengths["ordinary"])


@pytest.mark.parametrize("name", FITTED)
@pytest.mark.parametrize("seed", [0, 1])
def test_from_the_data_alone(name: str, seed: int) -> None:
    if name + "_on_all" not in KINDS:
        pytest.fail(f"{name} is not planted any more")
    case = planted(f"{name}_on_all", seed)
    found = ask(case.table, FITTED[name], case.split, target="target")
    assert found.status in ("leak", "caution")
    assert set(found.columns) & set(map(str, case.columns))
    honest = planted(f"{name}_honest", seed)
    silent = ask(honest.table, FITTED[name], honest.split, target="target")
    assert silent.status in ("clean", "not_applicable")


@pytest.mark.parametrize("name", [*FITTED, "imputer_knn", "quantile_bins", "feature_selection"])
def test_from_the_fitted_object(name: str) -> None:
    for way, expected in (("on_all", "leak"), ("honest", "clean")):
        case = planted(f"{name}_{way}")
        given = {"pipeline": case.extra["pipeline"], "raw": case.extra["raw"]}
        found = ask(case.table, "SPL116", case.split, target="target", **given)
        assert found.status == expected, (way, found.evidence)


def test_each_step_of_a_pipeline_is_judged_in_its_own_space() -> None:
    df = cancer().drop(columns="target")
    split = halves(len(df))
    train = split == "train"
    scaler = StandardScaler().fit(df)
    pca = PCA(3).fit(scaler.transform(df)[train])
    pipe = make_pipeline(SimpleImputer().fit(df[train]), StandardScaler(), PCA(3))
    pipe.steps[1] = ("scaler", scaler)
    pipe.steps[2] = ("pca", pca)
    found = ask(df, "SPL116", split, pipeline=pipe, raw=df)
    verdicts = {entry["step"]: entry["verdict"] for entry in found.evidence}
    assert verdicts["simpleimputer"] == "learned from the training rows"
    assert verdicts["scaler"] == "learned from all rows"
    assert verdicts["pca"] == "learned from the training rows"


def test_selected_columns_are_told_from_raw() -> None:
    case = planted("feature_selection_on_all")
    given = {"raw": case.extra["raw"]}
    assert ask(case.table, "SPL114", case.split, target="target", **given).status == "leak"
    case = planted("feature_selection_honest")
    given = {"raw": case.extra["raw"]}
    assert ask(case.table, "SPL114", case.split, target="target", **given).status == "clean"


def test_filled_cells_are_told_from_raw() -> None:
    raw = cancer()
    raw.loc[np.arange(len(raw)) % 9 == 0, "mean radius"] = np.nan
    split = halves(len(raw))
    for rows, expected in ((raw, "leak"), (raw[split == "train"], "clean")):
        df = raw.fillna({"mean radius": rows["mean radius"].mean()})
        assert ask(df, "SPL111", split, target="target", raw=raw).status == expected


def test_neighbours_of_an_imputer_are_compared() -> None:
    df = cancer().drop(columns="target")
    split = halves(len(df))
    assert ask(df, "SPL116", split, pipeline=KNNImputer().fit(df), raw=df).status == "leak"
    honest = KNNImputer().fit(df[split == "train"])
    assert ask(df, "SPL116", split, pipeline=honest, raw=df).status == "clean"


@pytest.mark.parametrize("code", ["SPL110", "SPL111", "SPL112", "SPL113", "SPL114"])
def test_honest_tables_raise_no_alarm(code: str) -> None:
    for seed in range(15):
        df = classes(160, 12, effect=0.5, seed=seed)
        df["whole"] = np.random.default_rng(seed).integers(0, 30, len(df))
        df["unit"] = np.random.default_rng(seed).random(len(df)).round(2)
        df.loc[np.random.default_rng([seed, 1]).random(len(df)) < 0.2, "x2"] = 0.0
        assert ask(df, code, halves(len(df), seed), target="y").status in ("clean", "not_applicable")


@pytest.mark.parametrize(
    ("pipeline", "raw", "message"),
    [
        (StandardScaler(), "same", "not fitted"),
        (object(), "same", "must be a fitted"),
        ("fitted", "narrow", "fitted on 30 columns"),
    ],
)
def test_pipelines_that_do_not_belong_are_refused(pipeline: object, raw: str, message: str) -> None:
    df = cancer().drop(columns="target")
    given = StandardScaler().fit(df) if pipeline == "fitted" else pipeline
    with pytest.raises(InputError, match=message):
        ask(df, "SPL116", halves(len(df)), pipeline=given, raw=df if raw == "same" else df.iloc[:, :5])


def iris() -> pd.DataFrame:
    """Four columns of few values: statistics of all rows and of the training rows are often the same."""
    return load_iris(as_frame=True).frame.sample(frac=1, random_state=0).reset_index(drop=True)


@pytest.mark.parametrize("scaler", [MinMaxScaler(), MinMaxScaler((-1, 1)), RobustScaler()], ids=str)
def test_scalers_of_columns_of_few_values_are_told_from_all_columns_together(scaler: object) -> None:
    df = iris().drop(columns="target")
    names = list(df.columns)
    told = 0
    for seed in range(8):
        split = halves(len(df), seed)
        train = split == "train"
        of_all, of_train = clone(scaler).fit(df), clone(scaler).fit(df[train])
        honest = pd.DataFrame(of_train.transform(df), columns=names)
        assert ask(honest, "SPL110", split).status == "clean"
        leaky = pd.DataFrame(of_all.transform(df), columns=names)
        if np.allclose(leaky, honest):
            continue  # nothing leaked
        found = ask(leaky, "SPL110", split)
        assert found.status in ("caution", "leak")
        assert set(found.columns) == set(names)
        told += 1
    assert told > 4


def test_limits_of_shares_are_no_scaler() -> None:
    rng = np.random.default_rng(0)
    for seed in range(10):
        shares = pd.DataFrame({f"share{i}": rng.beta(0.4, 0.4, 200).round(2) for i in range(4)})
        shares["count"] = rng.poisson(0.7, 200)
        assert ask(shares, "SPL110", halves(200, seed)).status == "clean"


@pytest.mark.parametrize("decimals", [0, 1, 2])
def test_medians_filled_into_rounded_numbers(decimals: int) -> None:
    """A fill value that is a common value of the column as well: columns are judged together."""
    spoke = {"all": 0, "train": 0}
    tries = 12
    for seed in range(tries):
        rng = np.random.default_rng(seed)
        width = 10.0 ** (1 - decimals) * 2
        x = pd.DataFrame(rng.normal(50, width, (300, 12)).round(decimals)).add_prefix("x")
        split = halves(len(x), seed)
        gaps = x.mask(rng.random(x.shape) < 0.1)
        for rows in spoke:
            known = gaps if rows == "all" else gaps[split == "train"]
            found = ask(gaps.fillna(known.median()), "SPL111", split)
            spoke[rows] += found.status in ("leak", "caution")
    assert spoke["all"] >= tries - 1
    assert spoke["train"] == 0


def test_means_of_train_and_common_values_are_no_medians_of_all_rows() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        x = pd.DataFrame(rng.normal(50, 2, (300, 12)).round(1)).add_prefix("x")
        split = halves(len(x), seed)
        gaps = x.mask(rng.random(x.shape) < 0.1)
        assert ask(gaps.fillna(gaps[split == "train"].mean()), "SPL111", split).status == "clean"
        heaped = pd.DataFrame({f"x{i}": np.where(rng.random(300) < 0.3, 10 * x[f"x{i}"].round(-1), x[f"x{i}"] * 10)
                               for i in range(6)})  # fmt: skip
        assert ask(heaped, "SPL111", split).status in ("clean", "not_applicable")


def test_honest_limits_beyond_which_held_out_rows_lie_are_no_largest_absolute_value() -> None:
    df = cancer().drop(columns="target")
    for seed in range(6):
        split = halves(len(df), seed)
        honest = MinMaxScaler().set_output(transform="pandas").fit(df[split == "train"]).transform(df)
        assert ask(honest, "SPL110", split).status == "clean"
        spread = df - df.mean()
        leaky = MaxAbsScaler().set_output(transform="pandas").fit(spread).transform(spread)
        assert ask(leaky, "SPL110", split).status == "caution"


def test_common_values_of_two_scaled_columns_are_no_medians_filled_in() -> None:
    """Of full precision, and yet of few values: a scaler was applied to rounded numbers."""
    df = load_diabetes(as_frame=True).data
    for seed in range(10):
        split = halves(len(df), seed)
        raw = df.mask(np.random.default_rng(seed).random(df.shape) < 0.1)
        filled = KNNImputer().set_output(transform="pandas").fit(raw[split == "train"]).transform(raw)
        assert ask(filled, "SPL111", split).status in ("clean", "not_applicable")


def test_limits_of_two_numbers_are_a_scaler_where_they_are_most_of_the_numbers() -> None:
    rng = np.random.default_rng(3)
    x = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200), "count": rng.poisson(9, 200)})
    split = halves(200, 3)
    split[x["a"].argmax()] = "test"
    x[["a", "b"]] = MinMaxScaler().fit_transform(x[["a", "b"]])
    found = ask(x, "SPL110", split)
    assert (found.status, found.columns) == ("caution", ("a", "b"))
    others = pd.DataFrame(rng.poisson(9, (200, 3))).add_prefix("n")
    assert ask(pd.concat([x, others], axis=1), "SPL110", split).status == "clean"


@pytest.mark.parametrize("levels", [3, 4])
def test_smoothed_target_means_of_few_levels(levels: int) -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        level, split = rng.integers(0, levels, 300), halves(300, seed)
        df = pd.DataFrame({"y": (rng.random(300) < 0.2 + 0.15 * level) * 1.0})
        for rows, expected in ((split != "", "leak"), (split == "train", "clean")):
            y, known = df["y"][rows], level[rows]
            number = np.bincount(known, minlength=levels)
            means = (np.bincount(known, y, minlength=levels) + 10 * y.mean()) / (number + 10)
            assert ask(df.assign(code=means[level]), "SPL113", split, target="y").status == expected


def test_medians_of_numbers_of_which_some_are_written_and_some_computed() -> None:
    """Rounded values are common there by themselves: they are compared with each other."""
    told = 0
    for seed in range(8):
        rng, split = np.random.default_rng(seed), halves(600, seed)
        x = pd.DataFrame(rng.normal(0, 3, (600, 6))).add_prefix("x")
        x = x.where(rng.random(x.shape) < 0.2, x.round(1))
        assert ask(x, "SPL111", split).status in ("clean", "not_applicable")
        gaps = x.mask(rng.random(x.shape) < 0.1)
        honest = gaps.fillna(gaps[split == "train"].median())
        assert ask(honest, "SPL111", split).status in ("clean", "not_applicable")
        told += ask(gaps.fillna(gaps.median()), "SPL111", split).status in ("leak", "caution")
    assert told > 5


def test_quartiles_of_two_numbers_of_few_values_are_a_scaler_where_it_left_none_out() -> None:
    """Ages and grades: by itself neither says enough."""
    told = 0
    for seed in range(20):
        rng, split = np.random.default_rng(seed), halves(400, seed)
        raw = pd.DataFrame({"age": np.round(rng.normal(50, 17, 400)), "grade": rng.integers(0, 11, 400)})
        scaled = pd.DataFrame(RobustScaler().fit_transform(raw), columns=raw.columns)
        honest = pd.DataFrame(RobustScaler().fit(raw[split == "train"]).transform(raw), columns=raw.columns)
        assert ask(honest, "SPL110", split).status == "clean"
        if np.allclose(scaled["age"], honest["age"]):
            continue  # nothing leaked into the number that says most
        found = ask(scaled, "SPL110", split)
        assert found.status in ("leak", "caution")
        assert found.columns == ("age", "grade")
        told += 1
    assert told > 3
