"""SPL116: steps of many kinds, fitted on all rows and on the training rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA, FastICA, KernelPCA, TruncatedSVD
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  makes IterativeImputer importable
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import RFE, SelectKBest, VarianceThreshold
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline, make_union
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
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from splitleak.probes.fitted_steps import learned_from
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
        assert "matches neither" not in {entry["verdict"] for entry in found.evidence}


def test_a_step_fitted_on_other_rows_matches_neither() -> None:
    x = TABLES["numbers"]
    train, rows = np.flatnonzero(TRAIN), np.arange(N)
    for step in (StandardScaler(), LogisticRegression(max_iter=5000), DecisionTreeClassifier(), PCA(2)):
        other = clone(step).fit(x[:100], TABLES["y"]["target"][:100])
        assert learned_from(other, x, TABLES["y"]["target"].to_numpy(), train, rows) == "neither"


def test_a_step_that_learns_the_same_from_both_is_no_leak() -> None:
    x = pd.DataFrame({"kind": ["u", "v"] * (N // 2)})
    fitted = OneHotEncoder().fit(x)
    assert learned_from(fitted, x, None, np.flatnonzero(TRAIN), np.arange(N)) == "same"
