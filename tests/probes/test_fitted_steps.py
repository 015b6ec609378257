"""SPL116: steps of many kinds, fitted on all rows and on the training rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA, FastICA, KernelPCA, TruncatedSVD
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  makes IterativeImputer importable
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, VarianceThreshold
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.random_projection import GaussianRandomProjection
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from splitleak.errors import InputError
from splitleak.probe_result import ProbeResult
from tests.probes.audits import ask, halves

N = 240
SPLIT = halves(N, 5)
TRAIN = SPLIT == "train"


def _tables() -> dict[str, pd.DataFrame]:
    cancer = load_breast_cancer(as_frame=True).frame.sample(n=N, random_state=0).reset_index(drop=True)
    rng = np.random.default_rng(0)
    numbers = cancer.iloc[:, :6]
    gaps = numbers.mask(rng.random(numbers.shape) < 0.1)
    levels = pd.DataFrame(
        {"town": rng.choice([f"t{i}" for i in range(90)], N), "kind": rng.choice(list("uvw"), N)}
    )
    words = [f"w{i}" for i in range(300)]
    texts = pd.DataFrame({"text": [" ".join(rng.choice(words, 6)) for _ in range(N)]})
    y = cancer[["target"]]
    return {"numbers": numbers, "gaps": gaps, "levels": levels, "texts": texts, "y": y}


TABLES = _tables()
CASES = {
    "power": (PowerTransformer(), "numbers"),
    "quantiles": (QuantileTransformer(n_quantiles=50), "numbers"),
    "bins": (KBinsDiscretizer(5, strategy="kmeans"), "numbers"),
    "categories": (OneHotEncoder(handle_unknown="ignore"), "levels"),
    "categories as a table": (
        OneHotEncoder(handle_unknown="ignore", sparse_output=False).set_output(transform="pandas"), "levels",
    ),
    "target means": (TargetEncoder(), "levels"),
    "neighbours": (KNNImputer(), "gaps"),
    "chained imputation": (IterativeImputer(max_iter=3, tol=10.0), "gaps"),
    "components": (PCA(3, svd_solver="randomized"), "numbers"),
    "independent components": (FastICA(2, random_state=0, max_iter=1000), "numbers"),
    "kernel components": (KernelPCA(2), "numbers"),
    "selection": (SelectKBest(k=3), "numbers"),
    "elimination": (RFE(DecisionTreeClassifier(random_state=0)), "numbers"),
    "variance": (VarianceThreshold(0.01), "numbers"),
    "counts": (make_pipeline(FunctionTransformer(lambda t: t["text"]), CountVectorizer()), "texts"),
    "tf-idf in columns": (ColumnTransformer([("text", TfidfVectorizer(min_df=2), "text")]), "texts"),
    "sparse steps": (
        make_pipeline(ColumnTransformer([("text", TfidfVectorizer(), "text")]), TruncatedSVD(4, algorithm="arpack")),
        "texts",
    ),
    "union": (make_union(StandardScaler(), PCA(2), FunctionTransformer(np.sqrt)), "numbers"),
    "remainder": (ColumnTransformer([("a", StandardScaler(), [0, 1])], remainder=MinMaxScaler()), "numbers"),
    "columns as a table": (
        ColumnTransformer(
            [("n", make_pipeline(SimpleImputer(), RobustScaler()), make_column_selector(dtype_include="number"))],
        ).set_output(transform="pandas"), "gaps",
    ),
    "logistic regression": (make_pipeline(StandardScaler(), LogisticRegression()), "numbers"),
    "support vectors": (SVC(), "numbers"),
    "tree": (DecisionTreeClassifier(random_state=0), "numbers"),
    "forest": (RandomForestClassifier(20), "numbers"),
    "forest with a seed": (RandomForestClassifier(20, random_state=3), "numbers"),
    "boosting": (GradientBoostingClassifier(n_estimators=10), "numbers"),
    "boosting of histograms": (HistGradientBoostingClassifier(max_iter=10), "gaps"),
    "neighbours' classes": (KNeighborsClassifier(), "numbers"),
    "naive Bayes": (GaussianNB(), "numbers"),
    "search": (GridSearchCV(Ridge(), {"alpha": [1.0, 10.0]}, cv=3), "numbers"),
    "scaled target": (TransformedTargetRegressor(LinearRegression(), transformer=StandardScaler()), "numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_step_fitted_on_all_rows_is_told_from_one_fitted_on_train(name: str) -> None:
    step, table = CASES[name]
    raw, y = TABLES[table], TABLES["y"]
    data = pd.concat([raw, y], axis=1)
    for rows, expected in ((np.ones(N, dtype=bool), "leak"), (TRAIN, "clean")):
        fitted = clone(step).fit(raw[rows], y["target"][rows])
        found = ask(data, "SPL116", SPLIT, target="target", pipeline=fitted, raw=raw)
        assert found.status == expected, found.evidence
        wanted = "learned from all rows" if expected == "leak" else "learned from the training rows"
        assert wanted in {entry["verdict"] for entry in found.evidence}
        assert {entry["verdict"] for entry in found.evidence} <= {wanted, "learns the same from both"}


def asked(step: object, rows: np.ndarray, table: str = "numbers", split: np.ndarray = SPLIT) -> ProbeResult:
    """Fit a step on some rows and return what the probe says of it."""
    raw, y = TABLES[table], TABLES["y"]
    fitted = clone(step).fit(raw[rows], y["target"][rows])
    return ask(pd.concat([raw, y], axis=1), "SPL116", split, target="target", pipeline=fitted, raw=raw)


THREE = np.where((np.arange(N) % 7 == 0) & TRAIN, "dev", SPLIT)


@pytest.mark.parametrize(
    "step", [StandardScaler(), LogisticRegression(max_iter=5000), PCA(2), SelectKBest(k=3)]
)
def test_a_step_fitted_on_other_partitions_is_told(step: object) -> None:
    found = asked(step, THREE != "test", split=THREE)
    assert found.status == "caution"
    assert "learned from train and dev" in found.explanation
    for rows in (THREE == "test", np.isin(THREE, ["train", "test"]), THREE == "dev"):
        assert asked(step, rows, split=THREE).status == "leak"
    assert asked(step, ~TRAIN).evidence[0]["verdict"] == "learned from test"


@pytest.mark.parametrize("step", [StandardScaler(), LogisticRegression(max_iter=5000), PCA(2)])
def test_a_step_fitted_with_another_split_is_no_clean_one(step: object) -> None:
    found = asked(step, halves(N, 6) == "train")
    assert found.status == "caution"
    assert "another split" in found.explanation
    assert found.evidence[0]["verdict"] == "matches no rows of this split"


@pytest.mark.parametrize("step", [DecisionTreeClassifier(), SelectFromModel(ExtraTreesClassifier(10))])
def test_steps_without_a_seed_are_told_by_many_refits(step: BaseEstimator) -> None:
    for rows, status in ((TRAIN, "clean"), (np.ones(N, dtype=bool), "leak")):
        lots = np.random.RandomState(3)
        drawn = {name: lots for name in step.get_params() if name.endswith("random_state")}
        assert asked(clone(step).set_params(**drawn), rows).status == status


def test_what_cannot_be_told_is_not_clean() -> None:
    found = asked(MLPClassifier((2,), max_iter=1000, tol=1.0, random_state=np.random.RandomState(5)), TRAIN)
    assert found.status == "skipped"
    assert "set random_state" in found.explanation


def test_seeded_steps_on_shuffled_rows_raise_no_alarm() -> None:
    raw, y = TABLES["numbers"], TABLES["y"]
    data = pd.concat([raw, y], axis=1)
    shuffled = np.random.default_rng(0).permutation(np.flatnonzero(TRAIN))
    for step in (RandomForestClassifier(20, random_state=0), KMeans(2, n_init=5, random_state=0), PCA(2)):
        fitted = clone(step).fit(raw.iloc[shuffled], y["target"].iloc[shuffled])
        found = ask(data, "SPL116", SPLIT, target="target", pipeline=fitted, raw=raw)
        assert found.status in ("clean", "skipped"), step


def test_what_draws_lots_without_a_look_at_the_rows_is_no_leak() -> None:
    for rows in (TRAIN, np.ones(N, dtype=bool), ~TRAIN):
        assert asked(GaussianRandomProjection(3), rows).evidence[0]["verdict"] == "learns the same from both"


class Centred(TransformerMixin, BaseEstimator):
    """A step that keeps what it learned under a name of its own."""

    def fit(self, x: pd.DataFrame, y: object = None) -> Centred:
        self.centre = x.mean().to_dict()
        return self

    def transform(self, x: pd.DataFrame) -> pd.DataFrame:
        return x - pd.Series(self.centre)


def test_a_step_of_ones_own_is_compared() -> None:
    assert asked(Centred(), TRAIN).status == "clean"
    assert asked(Centred(), np.ones(N, dtype=bool)).status == "leak"


class Doubled(BaseEstimator):
    """A resampler in the manner of imbalanced-learn: rows of the first class twice."""

    def fit_resample(self, x: pd.DataFrame, y: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
        rows = np.concatenate([np.arange(len(x)), np.flatnonzero(np.asarray(y) == 0)])
        return x.iloc[rows], np.asarray(y)[rows]


def test_steps_after_a_resampler_are_compared_with_resampled_rows() -> None:
    raw, y = TABLES["numbers"], TABLES["y"]["target"]
    for rows, status in ((TRAIN, "clean"), (np.ones(N, dtype=bool), "leak")):
        x, _labels = Doubled().fit_resample(raw[rows], y[rows].to_numpy())
        scaler = StandardScaler().set_output(transform="pandas").fit(x)
        columns = ColumnTransformer([("two", PCA(2), ["mean radius", "mean texture"])])
        columns.fit(scaler.transform(x))
        steps = [("again", Doubled()), ("scaler", scaler), ("columns", columns)]
        found = ask(raw.assign(y=y), "SPL116", SPLIT, target="y", pipeline=Pipeline(steps), raw=raw)
        assert (found.status, len(found.evidence)) == (status, 2), found.evidence


def test_a_step_that_learns_the_same_from_both_is_no_leak() -> None:
    data = pd.DataFrame({"kind": ["u", "v"] * (N // 2), "y": TABLES["y"]["target"]})
    fitted = OneHotEncoder().fit(data[["kind"]])
    found = ask(data, "SPL116", SPLIT, target="y", pipeline=fitted, raw=data[["kind"]])
    assert found.status == "clean"
    assert found.evidence[0]["verdict"] == "learns the same from both"


def test_columns_that_raw_lacks_are_named() -> None:
    raw = TABLES["numbers"]
    fitted = ColumnTransformer([("a", StandardScaler(), ["mean radius"])]).fit(raw)
    with pytest.raises(InputError, match="lacks .*mean radius"):
        ask(raw, "SPL116", SPLIT, pipeline=fitted, raw=raw.rename(columns={"mean radius": "r"}))
