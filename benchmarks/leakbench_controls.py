"""Clean tables that look suspicious: what a report must not call a leak."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd


class Control(NamedTuple):
    """A clean table with its split; `options` are further arguments of the report."""

    table: pd.DataFrame
    split: np.ndarray
    target: str
    description: str
    options: dict[str, str] = {}  # noqa: RUF012 - never changed


Make = Callable[[np.random.Generator], Control]
CONTROLS: dict[str, Make] = {}


def control(make: Make) -> Make:
    CONTROLS[make.__name__] = make
    return make


def _split(n: int, rng: np.random.Generator) -> np.ndarray:
    split = np.full(n, "train", dtype=object)
    split[rng.permutation(n)[: max(2, round(0.2 * n))]] = "test"
    return split


def _classes(score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(len(score)) < 1 / (1 + np.exp(-score))).astype(int)


@control
def honest_strong_features(rng: np.random.Generator) -> Control:
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer(as_frame=True).frame
    return Control(
        table, _split(len(table), rng), "target", "breast cancer: measurements with an AUC of up to 0.975"
    )


@control
def discrete_rows(rng: np.random.Generator) -> Control:
    n = 800
    x = pd.DataFrame(rng.integers(0, 3, (n, 5)), columns=list("abcde"))
    x["y"] = _classes(x["a"].to_numpy() - 1.0, rng)
    return Control(
        x, _split(n, rng), "y", "independent rows of 5 columns of 3 values: most rows are equal to others"
    )


@control
def discrete_rows_of_many_columns(rng: np.random.Generator) -> Control:
    n = 1500
    latent = rng.integers(0, 4, n)  # a type of respondent: columns depend on each other, some rows are equal
    x = pd.DataFrame(
        {f"q{i}": (rng.random(n) < 0.05 + 0.9 * ((latent + i) % 4 == 0)).astype(int) for i in range(12)}
    )
    x["y"] = _classes(latent - 1.5, rng)
    return Control(x, _split(n, rng), "y", "yes-no questions that depend on four types of respondents")


@control
def imbalanced_classes(rng: np.random.Generator) -> Control:
    n = 2000
    x = pd.DataFrame(rng.standard_normal((n, 8)), columns=[f"x{i}" for i in range(8)])
    x["y"] = _classes(1.5 * x["x0"].to_numpy() - 5, rng)
    return Control(x, _split(n, rng), "y", "about 2 % of the rows in one class")


@control
def many_columns(rng: np.random.Generator) -> Control:
    n = 300
    x = pd.DataFrame(rng.standard_normal((n, 500)), columns=[f"gene{i}" for i in range(500)])
    return Control(x.assign(y=rng.integers(0, 2, n)), _split(n, rng), "y", "500 columns of noise, 300 rows")


@control
def tiny(rng: np.random.Generator) -> Control:
    n = int(rng.integers(12, 61))
    x = pd.DataFrame(
        {"a": rng.standard_normal(n), "b": rng.integers(0, 5, n), "c": rng.choice(list("pq"), n)}
    )
    return Control(x.assign(y=np.arange(n) % 2), _split(n, rng), "y", "12 to 60 rows")


@control
def groups_apart(rng: np.random.Generator) -> Control:
    n, size = 900, 5
    patient = np.arange(n) // size
    own = rng.standard_normal((n // size, 4))[patient]
    x = pd.DataFrame(own + 0.3 * rng.standard_normal((n, 4)), columns=list("abcd"))
    x["patient"] = rng.permutation(n // size)[patient] + 100
    x["y"] = _classes(own[:, 0], rng)
    test = rng.permutation(n // size)[: n // size // 5]
    split = np.where(np.isin(patient, test), "test", "train").astype(object)
    return Control(x, split, "y", "rows of a patient are alike, patients stay whole", {"groups": "patient"})


@control
def later_is_test(rng: np.random.Generator) -> Control:
    n = 1000
    date = pd.Timestamp("2021-03-01") + pd.to_timedelta(
        np.sort(rng.choice(600 * 24, n, replace=False)), unit="h"
    )
    x = pd.DataFrame(rng.standard_normal((n, 5)), columns=list("abcde")).assign(date=date)
    x["y"] = _classes(x["a"].to_numpy(), rng)
    split = np.where(np.arange(n) < 800, "train", "test").astype(object)
    return Control(x, split, "y", "the latest fifth is test, nothing drifts", {"time": "date"})


@control
def dependent_columns(rng: np.random.Generator) -> Control:
    n = 700
    a, b, c = rng.gamma(2, 10, (3, n)).round(1)
    kind = rng.choice(["red", "green", "blue"], n)
    x = pd.DataFrame(
        {"a": a, "b": b, "c": c, "sum": a + b + c, "mean": (a + b + c) / 3, "twice": 2 * a, "kind": kind}
    )
    for level in ("red", "green", "blue"):
        x[f"is_{level}"] = (kind == level).astype(int)
    x["y"] = _classes((a - b) / 10, rng)
    return Control(x, _split(n, rng), "y", "sums, multiples and a one-hot category beside their sources")


@control
def heavy_tails(rng: np.random.Generator) -> Control:
    n = 1000
    x = pd.DataFrame(rng.standard_t(1.5, (n, 6)), columns=[f"x{i}" for i in range(6)])
    x["amount"] = np.exp(rng.normal(3, 2, n)).round(2)
    x["y"] = _classes(np.sign(x["x0"].to_numpy()), rng)
    return Control(x, _split(n, rng), "y", "Student t with 1.5 degrees of freedom, lognormal amounts")


@control
def honest_physics(rng: np.random.Generator) -> Control:
    n = 800
    x = pd.DataFrame(rng.uniform(1, 5, (n, 5)), columns=["mass", "speed", "height", "angle", "temperature"])
    energy = 0.5 * x["mass"] * x["speed"] ** 2 + 9.81 * x["mass"] * x["height"]
    y = energy * (1 + 0.005 * rng.standard_normal(n))
    return Control(
        x.assign(energy=y), _split(n, rng), "energy", "a law of three columns with 0.5 % noise, none alone"
    )


@control
def rule_of_three_columns(rng: np.random.Generator) -> Control:
    n = 1000
    x = pd.DataFrame(rng.integers(0, 4, (n, 6)), columns=[f"answer{i}" for i in range(6)])
    y = ((x["answer0"] > 1).astype(int) + (x["answer1"] > 1) + (x["answer2"] > 1) >= 2).astype(int)
    return Control(
        x.assign(passed=y), _split(n, rng), "passed", "the target is a rule of three discrete columns"
    )


@control
def texts(rng: np.random.Generator) -> Control:
    n = 800
    lexicon = np.array(
        [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "r", "st", "l", "", "k")]
    )
    weight = 1 / np.arange(2, len(lexicon) + 2)
    tilted = weight * np.where(
        np.arange(len(lexicon)) % 9 == 4, 2.0, 1.0
    )  # words of one class, twice as frequent
    y = rng.integers(0, 2, n)
    shares = [tilted / tilted.sum() if c else weight / weight.sum() for c in y]
    rows = [" ".join(rng.choice(lexicon, int(rng.integers(8, 25)), p=share)) for share in shares]
    return Control(
        pd.DataFrame({"text": rows, "y": y}),
        _split(n, rng),
        "y",
        "words lean to a class, none tells it",
    )


@control
def ordinal_scales(rng: np.random.Generator) -> Control:
    n = 900
    mood = rng.standard_normal(n)
    x = pd.DataFrame(
        {
            f"item{i}": np.clip(np.round(3 + mood + rng.standard_normal(n)), 1, 5).astype(int)
            for i in range(10)
        }
    )
    x["score"] = x.sum(axis=1)
    x["age"] = rng.integers(18, 80, n)
    return Control(
        x.assign(y=_classes(mood, rng)), _split(n, rng), "y", "a questionnaire of ten items and their sum"
    )


@control
def scaled_on_train(rng: np.random.Generator) -> Control:
    n = 600
    x = rng.gamma(2, 3, (n, 6)) @ rng.standard_normal((6, 6))
    split = _split(n, rng)
    train = x[split == "train"]
    x = (x - train.mean(axis=0)) / train.std(axis=0)
    table = pd.DataFrame(x, columns=[f"z{i}" for i in range(6)])
    return Control(table.assign(y=_classes(x[:, 0], rng)), split, "y", "mean 0 and deviation 1 on train only")


@control
def serial_numbers(rng: np.random.Generator) -> Control:
    n = 700
    x = pd.DataFrame({"id": np.arange(5000, 5000 + n), "code": [f"K{i:05d}" for i in rng.permutation(n)]})
    x["a"], x["b"] = rng.standard_normal((2, n))
    return Control(
        x.assign(y=_classes(x["a"].to_numpy(), rng)), _split(n, rng), "y", "identifiers that know nothing"
    )


@control
def missing_at_random(rng: np.random.Generator) -> Control:
    n = 900
    x = pd.DataFrame(rng.standard_normal((n, 5)), columns=list("abcde"))
    y = _classes(2 * x["a"].to_numpy(), rng)
    for i, name in enumerate("abcd"):
        x.loc[rng.random(n) < 0.1 * (i + 1) * np.where(y == 1, 1.2, 1.0), name] = np.nan
    return Control(x.assign(y=y), _split(n, rng), "y", "10 to 40 % missing, a fifth more often in one class")
