"""The splitters keep scikit-learn's contract (checks after its own tests of splitters) and the promise."""

import copy
import inspect
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.model_selection import (
    GridSearchCV,
    check_cv,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from splitleak import InfeasibleSplitError, InputError, SimilarityGraph, SplitleakWarning
from splitleak.folds import fold_by_similarity
from splitleak.model_selection import SimilarityKFold, SimilarityShuffleSplit, StratifiedSimilarityKFold

SPLITTERS = [SimilarityKFold, StratifiedSimilarityKFold, SimilarityShuffleSplit]
X, Y = (values[:400] for values in load_digits(return_X_y=True))
Pairs = list[tuple[NDArray[np.int64], NDArray[np.int64]]]


def check_valid_split(train: NDArray[np.int64], test: NDArray[np.int64], n_rows: int | None = None) -> None:
    """Positions that are unique, in range and on one side; with `n_rows`, all of them."""
    assert train.dtype == test.dtype == np.int64
    assert len(set(train)) == len(train) > 0
    assert len(set(test)) == len(test) > 0
    assert not set(train) & set(test)
    if n_rows is not None:
        assert set(train) | set(test) == set(range(n_rows))


def check_cv_coverage(cv, rows, y, groups, expected: int) -> Pairs:  # type: ignore[no-untyped-def]
    """As many splits as promised; each row in one test fold."""
    n = rows.shape[0] if hasattr(rows, "shape") else len(rows)
    assert cv.get_n_splits(rows, y, groups) == cv.get_n_splits() == expected
    found = list(cv.split(rows, y, groups))
    assert len(found) == expected
    for train, test in found:
        check_valid_split(train, test, n)
    assert sorted(np.concatenate([test for _, test in found])) == list(range(n))
    return found


def check_separated(found: Pairs, similar: NDArray[np.bool_]) -> None:
    for train, test in found:
        assert not similar[np.ix_(train, test)].any()


@pytest.mark.parametrize("kfold", SPLITTERS[:2])
@pytest.mark.parametrize("n_splits", [2, 5])
def test_folds_of_digits(kfold, n_splits) -> None:  # type: ignore[no-untyped-def]
    groups = np.arange(len(X)) // 2
    cv = kfold(n_splits, threshold=0.985)
    found = check_cv_coverage(cv, X, Y, groups, n_splits)
    check_separated(found, (cosine_similarity(X) >= 0.985) | (groups[:, None] == groups))
    if kfold is StratifiedSimilarityKFold:
        share = np.bincount(Y) / len(Y)
        assert max(abs(np.bincount(Y[test]) / len(test) - share).max() for _, test in found) < 0.03


def test_shuffled_splits_of_digits() -> None:
    cv = SimilarityShuffleSplit(4, test_size=0.25, threshold=0.975, stratify=True)
    assert cv.get_n_splits() == 4
    found = list(cv.split(X, Y))
    for train, test in found:
        check_valid_split(train, test, len(X))
        assert len(test) == 100
        assert abs(np.bincount(Y[test]) / 100 - np.bincount(Y) / len(Y)).max() < 0.03
    check_separated(found, cosine_similarity(X) >= 0.975)
    assert len({test.tobytes() for _, test in found}) == 4
    part = SimilarityShuffleSplit(1, test_size=50, train_size=0.5, threshold=0.975)
    ((train, test),) = part.split(X)
    check_valid_split(train, test)
    assert (len(train), len(test)) == (200, 50)


edges = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=14)


@settings(max_examples=30)
@given(
    edges,
    st.lists(st.integers(0, 12), min_size=16, max_size=16),
    st.sampled_from(SPLITTERS),
    st.integers(0, 9),
)
def test_the_promise(pairs, groups, splitter, seed) -> None:  # type: ignore[no-untyped-def]
    left, right = np.array(pairs, dtype=int).reshape(-1, 2).T
    graph = SimilarityGraph.from_edges(left, right, n_rows=16, threshold=1)
    groups = np.array(groups)
    similar = groups[:, None] == groups
    similar[left, right] = similar[right, left] = True
    rows = np.arange(32.0).reshape(16, 2)
    cv = splitter(3, similarity=graph, on_infeasible="nearest", random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SplitleakWarning)
        try:
            found = list(cv.split(rows, np.arange(16) % 2, groups))
        except InfeasibleSplitError as error:
            assert "clusters" in str(error) or "cluster" in str(error)
            return
        if splitter is not SimilarityShuffleSplit:
            found = check_cv_coverage(cv, rows, np.arange(16) % 2, groups, 3)
    check_separated(found, similar)


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_same_seed_same_splits_whatever_the_order_of_the_rows(splitter) -> None:  # type: ignore[no-untyped-def]
    order = np.random.default_rng(0).permutation(len(X))
    cv = splitter(3, threshold=0.97, tolerance=0.05)
    first, again = list(cv.split(X, Y)), list(cv.split(X, Y))
    moved = list(cv.split(X[order], Y[order]))
    for (train, test), (train_again, test_again), (_, test_moved) in zip(first, again, moved, strict=True):
        assert train.tolist() == train_again.tolist()
        assert test.tolist() == test_again.tolist()
        assert sorted(order[test_moved]) == test.tolist()
    other = list(splitter(3, threshold=0.97, tolerance=0.05, random_state=1).split(X, Y))
    assert [test.tolist() for _, test in other] != [test.tolist() for _, test in first]


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_kinds_of_rows(splitter) -> None:  # type: ignore[no-untyped-def]
    small = X[:120]
    cv = splitter(3, threshold=0.97, tolerance=0.1, similarity="cosine")
    expected = [test.tolist() for _, test in cv.split(small, Y[:120])]
    frame = pd.DataFrame(small, columns=[f"pixel {i}" for i in range(64)])
    frame.index = frame.index[::-1]
    for rows in (frame, pl.DataFrame(frame.to_dict("list")), small.tolist()):
        assert [test.tolist() for _, test in cv.split(rows, Y[:120])] == expected
    sparse = list(cv.split(csr_matrix(small), Y[:120].tolist()))
    check_separated(sparse, cosine_similarity(small) >= 0.97)
    some = splitter(
        3, threshold=0.97, tolerance=0.1, on=["pixel 1", "pixel 2", "pixel 3"], similarity="exact"
    )
    values = frame[["pixel 1", "pixel 2", "pixel 3"]].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SplitleakWarning)
        some.on_infeasible = "nearest"
        found = list(some.split(frame, Y[:120]))
    check_separated(found, (values[:, None] == values).all(axis=2))


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_texts(splitter) -> None:  # type: ignore[no-untyped-def]
    texts = [f"{word} and {word} number {i}" for i in range(20) for word in ("alpha", "beta", "gamma")]
    doubled = texts + [text.upper() for text in texts]
    classes = [text.split()[0].lower() for text in doubled]
    similar = np.array([[a.lower() == b.lower() for b in doubled] for a in doubled])
    for rows in (doubled, pd.Series(doubled), np.array(doubled), pd.DataFrame({"text": doubled})):
        found = list(splitter(3, threshold=1.0).split(rows, classes))
        check_separated(found, similar)
        assert len(found) == 3
    score = cross_val_score(
        make_pipeline(TfidfVectorizer(), LogisticRegression()),
        doubled,
        classes,
        cv=splitter(3, threshold=1.0),
    )
    assert score.shape == (3,)


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_scikit_learn_takes_it_as_cv(splitter) -> None:  # type: ignore[no-untyped-def]
    cv = splitter(3, threshold=0.97, tolerance=0.05)
    assert check_cv(cv) is cv
    model = KNeighborsClassifier(1)
    scores = cross_val_score(model, X, Y, cv=cv)
    by_hand = [model.fit(X[train], Y[train]).score(X[test], Y[test]) for train, test in cv.split(X, Y)]
    assert scores.tolist() == by_hand
    search = GridSearchCV(
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
        {"kneighborsclassifier__n_neighbors": [1, 3]},
        cv=cv,
    )
    assert search.fit(X, Y).n_splits_ == 3
    assert clone(search).cv.get_n_splits() == 3
    grouped = cross_validate(model, X, Y, groups=np.arange(len(X)) // 3, cv=splitter(3, threshold=0.985))
    assert len(grouped["test_score"]) == 3
    if splitter is not SimilarityShuffleSplit:
        assert cross_val_predict(model, X, Y, cv=cv).shape == Y.shape


def test_folds_are_a_cv_themselves_and_nest() -> None:
    outer = fold_by_similarity(X, threshold=0.97, stratify=Y, folds=3)
    model = KNeighborsClassifier(1)
    same = cross_val_score(model, X, Y, cv=StratifiedSimilarityKFold(3, threshold=0.97))
    assert cross_val_score(model, X, Y, cv=outer).tolist() == same.tolist()
    assert check_cv(outer).get_n_splits() == 3
    for i, (train, test) in enumerate(outer):
        search = GridSearchCV(model, {"n_neighbors": [1, 3]}, cv=outer.inner(i, folds=3))
        assert search.fit(X[train], Y[train]).score(X[test], Y[test]) > 0.8


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_metadata_routing(splitter) -> None:  # type: ignore[no-untyped-def]
    groups = np.arange(len(X)) // 4
    model = KNeighborsClassifier(1)
    with config_context(enable_metadata_routing=True):
        cv = splitter(3, threshold=0.98)
        scores = cross_validate(model, X, Y, params={"groups": groups}, cv=cv)["test_score"]
        by_hand = [model.fit(X[a], Y[a]).score(X[b], Y[b]) for a, b in cv.split(X, Y, groups)]
        assert scores.tolist() == by_hand
        renamed = splitter(3, threshold=0.98).set_split_request(groups="author")
        again = cross_validate(model, X, Y, params={"author": groups}, cv=renamed)["test_score"]
        assert again.tolist() == by_hand
        search = GridSearchCV(model, {"n_neighbors": [1]}, cv=cv).fit(X, Y, groups=groups)
        assert search.cv_results_["mean_test_score"][0] == np.mean(by_hand)


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_parameters_are_kept_as_given(splitter) -> None:  # type: ignore[no-untyped-def]
    cv = splitter(4, threshold=0.9, similarity="cosine", random_state=3)
    for name in inspect.signature(splitter).parameters:
        assert hasattr(cv, name)
    assert repr(cv).startswith(f"{splitter.__name__}(")
    assert "threshold=0.9" in repr(cv)
    assert repr(copy.deepcopy(cv)) == repr(clone(cv, safe=False)) == repr(cv)
    before = dict(vars(cv))
    list(cv.split(np.repeat(np.eye(20), 2, axis=0), np.arange(40) % 2))
    assert vars(cv) == before
    assert cv.get_n_splits() == 4


def test_the_repr_is_that_of_scikit_learn() -> None:
    assert repr(SimilarityKFold()) == (
        "SimilarityKFold(combine='any', missing='equal', n_splits=5, on=None,\n"
        "        on_infeasible='error', random_state=0, share='all',\n"
        "        similarity='auto', threshold=None, tolerance=0.02)"
    )


@pytest.mark.parametrize("splitter", SPLITTERS)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_splits": 0}, "n_splits must be a whole number"),
        ({"n_splits": 2.5}, "n_splits must be a whole number"),
        ({"random_state": None}, "random_state must be a whole number of at least 0, got None"),
        ({"random_state": np.random.RandomState(0)}, "random_state must be"),
        ({"tolerance": -1}, "tolerance must be a share"),
        ({"on_infeasible": "drop"}, "on_infeasible='drop' is not known"),
    ],
)
def test_bad_parameters(splitter, options, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        splitter(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_size": 0}, "test_size must be a share in .0, 1. or a number of rows"),
        ({"test_size": 1.0}, "test_size must be"),
        ({"train_size": True}, "train_size must be"),
        ({"test_size": "half"}, "test_size must be"),
    ],
)
def test_bad_sizes(options, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        SimilarityShuffleSplit(**options)


@pytest.mark.parametrize("sizes", [{"test_size": 400}, {"test_size": 0.6, "train_size": 0.5}])
def test_sizes_that_do_not_fit(sizes) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="fit in the 400 rows"):
        next(SimilarityShuffleSplit(threshold=0.99, **sizes).split(X))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "y must hold the class of each row"),
        (np.linspace(0, 1, 400), "continuous numbers; bin them"),
        (np.eye(400, 3, dtype=int), "multilabel-indicator"),
        (Y[:-1], "one value for each of the 400 rows"),
    ],
)
def test_classes_that_cannot_be_balanced(y, message) -> None:  # type: ignore[no-untyped-def]
    for cv in (
        StratifiedSimilarityKFold(threshold=0.98),
        SimilarityShuffleSplit(threshold=0.98, stratify=True),
    ):
        with pytest.raises(InputError, match=message):
            next(cv.split(X, y))


def test_y_is_not_looked_at_where_it_is_not_balanced() -> None:
    y = np.linspace(0, 1, 400)
    assert len(list(SimilarityKFold(threshold=0.98).split(X, y))) == 5


def test_groups_of_another_length() -> None:
    with pytest.raises(InputError, match="groups= must have one value for each of the 400 rows"):
        next(SimilarityKFold(threshold=0.98).split(X, Y, [1, 2, 3]))


@pytest.mark.parametrize("kfold", SPLITTERS[:2])
def test_no_empty_fold(kfold) -> None:  # type: ignore[no-untyped-def]
    rows, y = np.repeat(np.eye(3), 4, axis=0), np.arange(12) % 2
    for policy in ("error", "nearest"):
        with pytest.raises(
            InfeasibleSplitError, match="n_splits=5 needs at least 5 clusters.* 3 clusters.*n_splits=3"
        ):
            next(kfold(5, threshold=0.9, on_infeasible=policy).split(rows, y))
    with pytest.raises(InputError, match="more folds than there are rows"):
        next(kfold(5, threshold=0.9).split(rows[:4], y[:4]))
    with pytest.raises(InfeasibleSplitError, match="all 4 rows form one cluster"):
        next(kfold(2, threshold=0.9).split(rows[:4], y[:4]))


def test_the_nearest_folds_come_with_a_warning() -> None:
    rows = np.concatenate([np.repeat(np.eye(8)[:1], 9, axis=0), np.eye(8)[1:]])
    with pytest.warns(SplitleakWarning, match="Taking the nearest"):
        found = list(SimilarityKFold(4, threshold=0.9, on_infeasible="nearest").split(rows))
    assert [len(test) for _, test in found] == [9, 3, 2, 2]
