"""A split as torch subsets, a Hugging Face DatasetDict and scikit-learn's cv=."""

import datasets
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, PredefinedSplit, check_cv, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

import splitleak
from splitleak import DataMismatchError, InputError, MissingDependencyError, Split
from splitleak.interop import predefined, to_hf, to_torch

LABELS = ["train", "dev", "train", "test", None, "train", "dev"]
SPLIT = Split.from_labels(LABELS, names=["train", "dev", "test"])


def test_torch_subsets_have_the_rows_of_the_partitions() -> None:
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader, Subset, TensorDataset

    dataset = TensorDataset(torch.arange(7), torch.arange(7) ** 2)
    parts = to_torch(SPLIT, dataset)
    assert list(parts) == ["train", "dev", "test"]
    for name, part in parts.items():
        assert isinstance(part, Subset)
        assert [int(item[0]) for item in part] == SPLIT[name].tolist()
    (batch,) = DataLoader(parts["train"], batch_size=3)
    assert batch[1].tolist() == [0, 4, 25]
    assert list(to_torch(SPLIT, list("abcdefg"))["dev"]) == ["b", "g"]
    assert list(SPLIT.to_torch(list("abcdefg"))["dev"]) == ["b", "g"]


def test_torch_datasets_that_do_not_fit() -> None:
    torch_data = pytest.importorskip("torch.utils.data")

    class Stream(torch_data.IterableDataset):  # type: ignore[misc, name-defined]
        def __iter__(self):  # type: ignore[no-untyped-def]
            return iter(range(7))

    with pytest.raises(InputError, match=r"dataset must be map-style, with len\(\).*got Stream"):
        to_torch(SPLIT, Stream())
    with pytest.raises(DataMismatchError, match="dataset has 6 items and the split was made from 7 rows"):
        to_torch(SPLIT, list("abcdef"))


def test_torch_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", without)
    with pytest.raises(MissingDependencyError, match=r"to_torch\(\) needs torch.*splitleak\[torch\]"):
        to_torch(SPLIT, list("abcdefg"))


def test_hugging_face_datasets() -> None:
    texts = [f"the text of row {i}" for i in range(40)]
    dataset = datasets.Dataset.from_dict({"text": texts, "label": list(range(40))})
    split = splitleak.split_by_similarity(dataset, on="text", similarity="exact")
    parts = split.to_hf(dataset)
    assert isinstance(parts, datasets.DatasetDict)
    for name in split.names:
        assert parts[name]["label"][:] == split[name].tolist()
    assert to_hf(split, dataset).num_rows == split.sizes
    shuffled = dataset.select(range(39, -1, -1))
    with pytest.raises(DataMismatchError, match="in another order"):
        to_hf(split, shuffled)
    assert to_hf(split, shuffled, check=False)["test"].num_rows == 4
    with pytest.raises(DataMismatchError, match="39 rows"):
        to_hf(split, dataset.select(range(39)))


def test_what_is_no_hugging_face_dataset() -> None:
    dataset = datasets.Dataset.from_dict({"n": list(range(7))})
    with pytest.raises(InputError, match=r"is a DatasetDict with the keys 'train'.*concatenate_datasets"):
        to_hf(SPLIT, datasets.DatasetDict({"train": dataset}))
    with pytest.raises(InputError, match="got IterableDataset: rows need positions"):
        to_hf(SPLIT, dataset.to_iterable_dataset())
    with pytest.raises(InputError, match=r"got DataFrame; for other tables: split.take"):
        to_hf(SPLIT, pd.DataFrame({"n": range(7)}))


def test_predefined_trains_on_the_training_partition_only() -> None:
    cv = SPLIT.predefined()
    assert isinstance(cv, PredefinedSplit)
    assert check_cv(cv) is cv
    assert cv.get_n_splits() == 1
    assert cv.test_fold.tolist() == [-1, 0, -1, -1, -1, -1, 0]
    ((train, test),) = cv.split(np.zeros((7, 2)), np.zeros(7))
    assert train.tolist() == [0, 2, 5]
    assert test.tolist() == [1, 6]
    both = predefined(SPLIT, held_out=("test", "dev"))
    assert both.get_n_splits() == 2
    assert [(a.tolist(), b.tolist()) for a, b in both.split()] == [([0, 2, 5], [3]), ([0, 2, 5], [1, 6])]
    assert predefined(SPLIT, held_out="test").test_fold.tolist() == [-1, -1, -1, 0, -1, -1, -1]


def test_predefined_of_two_partitions_is_that_of_scikit_learn() -> None:
    split = Split.from_labels(["train", "test", "train", "train", "test"])
    ours = predefined(split)
    theirs = PredefinedSplit(ours.test_fold)
    for (a, b), (c, d) in zip(ours.split(), theirs.split(), strict=True):
        assert a.tolist() == c.tolist()
        assert b.tolist() == d.tolist()


def test_predefined_in_a_search() -> None:
    random = np.random.default_rng(0)
    rows, y = random.normal(size=(60, 2)), random.integers(0, 2, 60)
    split = splitleak.split_by_similarity(rows, threshold=1.0)
    model = KNeighborsClassifier(1)
    expected = model.fit(rows[split["train"]], y[split["train"]]).score(rows[split["dev"]], y[split["dev"]])
    assert cross_val_score(model, rows, y, cv=split.predefined()).tolist() == [expected]
    search = GridSearchCV(model, {"n_neighbors": [1]}, cv=split.predefined(), refit=False).fit(rows, y)
    assert search.cv_results_["mean_test_score"].tolist() == [expected]


@pytest.mark.parametrize(
    ("held_out", "message"),
    [
        ("tset", "held_out='tset' is not a held-out partition.*did you mean 'test'"),
        ("train", "'train' is trained on"),
        ((), "held_out must name each partition to score on once"),
        (("dev", "dev"), "held_out must name each partition to score on once"),
    ],
)
def test_partitions_that_cannot_be_held_out(held_out, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        predefined(SPLIT, held_out=held_out)


def test_predefined_without_rows_or_with_other_rows() -> None:
    empty = Split.from_labels(["train", "train"], names=["train", "test"])
    with pytest.raises(InputError, match="partition 'test' has no rows"):
        predefined(empty)
    with pytest.raises(ValueError, match="X has 6 rows, and the split has 7"):
        list(predefined(SPLIT).split(np.zeros((6, 1))))
