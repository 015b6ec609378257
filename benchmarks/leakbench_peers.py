"""What other tools say about the tables of leakbench: one small function per tool, and their answers beside ours.

    python -m venv peers
    peers/bin/pip install leaklint mlpreflight targetleak dataset-doctor-audit "cleanlab[datalab]" deepchecks pyarrow
    peers/bin/pip install "pandas<3" "scikit-learn<1.6" "category-encoders<2.7"     # some stop with newer ones
    python benchmarks/leakbench.py --quick --peers peers/bin/python

The tools run in a Python of their own: this file, called as a script there, reads tables from a folder and writes down
what each tool said. It imports nothing of splitleak. A tool that is absent, or does not import, is named and left out.

Each function maps what its tool calls an issue to probe codes, generously: an issue that concerns a kind at all counts
as its detection, whatever columns it names, at the tool's own defaults and above its lowest grade. "new" counts only
issues, or columns of one, that the tool did not name on the same table before the leak was planted. Only what can be
seen in the data is asked; the object of preprocessing is not handed over.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

Issues = list[tuple[str, str]]  # what the tool calls it, and the column ("": the table)
Peer = Callable[[pd.DataFrame, str, dict[str, str]], Issues]

_EQUAL = ("SPL101", "SPL103", "SPL115")
_COPIES = ("SPL101", "SPL102", "SPL115")
_FEATURE = ("SPL201", "SPL202", "SPL203", "SPL204", "SPL206", "SPL208", "SPL210")
_NAMES = ("SPL204", "SPL304")
_GROUPS = ("SPL303", "SPL304")
_TIME = ("SPL301", "SPL302")
_DRIFT = ("SPL305", "SPL308")

# tool -> what it calls an issue -> probe codes that are about the same thing
CONCERNS: dict[str, dict[str, tuple[str, ...]]] = {
    "leaklint": {
        "cross_split_duplicates": _COPIES, "cross_split_near_duplicates": _COPIES, "within_train_duplicates": _EQUAL,
        "group_leakage": _GROUPS, "temporal_leakage": _TIME, "leaky_feature": _FEATURE,
        "target_encoding_leakage": ("SPL113",),
    },
    "mlpreflight": {
        "health.duplicate_rows": _EQUAL, "leakage.row_overlap": _COPIES, "leakage.target_association": _FEATURE,
        "patterns.target_patterns": _FEATURE, "leakage.identifier_columns": _NAMES, "feature.high_cardinality": _NAMES,
        "leakage.entity_overlap": _GROUPS, "leakage.temporal": _TIME, "compat.new_categories": ("SPL307",),
        "compat.numeric_shift": _DRIFT, "compat.target_shift": ("SPL306",), "health.sample_size": ("SPL401",),
        "health.target_quality": ("SPL402",),
    },
    "targetleak": {
        "target-proxy": _FEATURE, "suspiciously-predictive": _FEATURE, "pure-categories": _FEATURE,
        "missingness-leak": _FEATURE, "suspicious-name": _FEATURE, "dead-on-labelled-rows": _FEATURE,
        "identifier-like": _NAMES, "duplicate-rows": _EQUAL, "train-test-contamination": _COPIES,
        "group-overlap": _GROUPS, "temporal-column": _TIME,
    },
    "dataset-doctor-audit": {
        "DD002": ("SPL401",), "DD003": _COPIES, "DD004": _COPIES, "DD005": _GROUPS, "DD006": _TIME, "DD007": _FEATURE,
        "DD008": _NAMES, "DD009": ("SPL103", "SPL402"), "DD012": _DRIFT, "DD013": ("SPL306",), "DD015": ("SPL305",),
    },
    "cleanlab": {
        "label": ("SPL402", "SPL103"), "near_duplicate": (*_COPIES, "SPL103"), "non_iid": ("SPL205", "SPL305"),
        "outlier": ("SPL308",),
    },
    "deepchecks": {
        "Train Test Samples Mix": _COPIES, "Data Duplicates": _EQUAL, "Conflicting Labels": ("SPL103", "SPL402"),
        "Feature Drift": _DRIFT, "Multivariate Drift": _DRIFT, "Label Drift": ("SPL306",), "New Label": ("SPL306",),
        "New Category Train Test": ("SPL307",), "Feature Label Correlation": _FEATURE,
        "Feature Label Correlation Change": _FEATURE, "Identifier Label Correlation": _NAMES,
        "Date Train Test Leakage Duplicates": _TIME, "Date Train Test Leakage Overlap": _TIME,
        "Datasets Size Comparison": ("SPL401",), "Index Train Test Leakage": _GROUPS,
    },
}  # fmt: skip


def leaklint(table: pd.DataFrame, target: str, told: dict[str, str]) -> Issues:
    from leaklint import detect_leakage

    train, test = _parts(table)
    options = {}
    for name, column in told.items():
        options |= {f"{name}_train": train[column], f"{name}_test": test[column]}
    found = detect_leakage(
        train.drop(columns=target), train[target], test.drop(columns=target), test[target],
        enable_near_dup=True, **options,
    )  # fmt: skip
    return [(f.detector, str(f.details.get("feature", ""))) for f in found.findings if f.severity != "low"]


def mlpreflight(table: pd.DataFrame, target: str, told: dict[str, str]) -> Issues:
    from mlpreflight import inspect

    train, test = _parts(table)
    found = inspect(train, target, test, time_col=told.get("time"), entity_col=told.get("groups"))
    loud = [f for f in found.findings if f.severity.value in ("critical", "warning")]
    return [(f.check_id, str(column)) for f in loud for column in f.affected_columns or [""]]


def targetleak(table: pd.DataFrame, target: str, told: dict[str, str]) -> Issues:
    from targetleak import analyse

    found = analyse(table, target, split="__split__", group=told.get("groups"))
    return [(f.kind, str(f.column or "")) for f in found if f.severity != "info"]


def dataset_doctor(table: pd.DataFrame, target: str, told: dict[str, str]) -> Issues:
    from dataset_doctor_audit import audit_dataset, load_config

    with tempfile.TemporaryDirectory() as folder:
        for name, part in zip(("train", "test"), _parts(table), strict=True):
            part.to_csv(Path(folder) / f"{name}.csv", index=False)
        config = load_config(Path(folder))
        config.labels.column, config.labels.source = target, "column"
        if "groups" in told:
            config.groups.columns = [told["groups"]]
        if "time" in told:
            config.temporal.column = told["time"]
        found = audit_dataset(folder, config=config).findings
    loud = [f for f in found if f.status.value != "PASS" and f.severity.value != "INFO"]
    return [
        (f.rule_id, next(iter(re.findall("'([^']*)'", f.title)), "")) for f in loud
    ]  # titles hold counts, too


def cleanlab(table: pd.DataFrame, target: str, told: dict[str, str]) -> Issues:
    from cleanlab import Datalab
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_predict

    x = pd.get_dummies(table.drop(columns=[target, "__split__"]), dtype=float)
    x = x.select_dtypes("number").astype(float)
    x = ((x - x.mean()) / x.std().replace(0, 1)).fillna(0).to_numpy()
    y = pd.factorize(table[target], sort=True)[0]
    if len(set(y)) > 20:
        laboratory = Datalab(data={"x": x[:, 0]}, verbosity=0)
        laboratory.find_issues(features=x)
    else:
        odds = cross_val_predict(
            RandomForestClassifier(60, random_state=0), x, y, method="predict_proba", cv=3
        )
        laboratory = Datalab(data={"y": y}, label_name="y", verbosity=0)
        laboratory.find_issues(features=x, pred_probs=odds)
    summary = laboratory.get_issue_summary()
    return [
        (kind, "") for kind, count in zip(summary["issue_type"], summary["num_issues"], strict=True) if count
    ]


def deepchecks(table: pd.DataFrame, target: str, told: dict[str, str]) -> Issues:
    from deepchecks.tabular import Dataset
    from deepchecks.tabular.suites import data_integrity, train_test_validation

    options: dict[str, Any] = {"label": target, "cat_features": None}
    if table[target].nunique() <= 20:
        options["label_type"] = "binary" if table[target].nunique() == 2 else "multiclass"
    if "time" in told:
        options["datetime_name"] = told["time"]
    if "groups" in told:
        options["index_name"] = told["groups"]
    train, test = (Dataset(part.reset_index(drop=True), **options) for part in _parts(table))
    results = [train_test_validation().run(train, test), data_integrity().run(train)]
    return [(check.check.name(), "") for found in results for check in found.get_not_passed_checks()]


PEERS: dict[str, Peer] = {
    "leaklint": leaklint,
    "mlpreflight": mlpreflight,
    "targetleak": targetleak,
    "dataset-doctor-audit": dataset_doctor,
    "cleanlab": cleanlab,
    "deepchecks": deepchecks,
}


def _parts(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    train, test = (table[table["__split__"] == name].drop(columns="__split__") for name in ("train", "test"))
    return train.reset_index(drop=True), test.reset_index(drop=True)


def concerned(tool: str, issue: str, codes: Iterable[str]) -> bool:
    """Say whether an issue of a tool is about what one of our codes is about."""
    about = CONCERNS[tool]
    name = next((known for known in about if issue == known or issue.startswith(known)), None)
    return name is not None and bool(set(about[name]) & set(codes))


def main() -> None:
    """Ask every tool about every table of a folder (jobs.json, a Parquet file each), and write answers.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", type=Path, help="with jobs.json and its tables; leakbench.py --peers makes it"
    )
    folder = parser.parse_args().folder
    jobs = json.loads((folder / "jobs.json").read_text())
    warnings.simplefilter("ignore")
    answers: dict[str, list[Any]] = {}
    for name, peer in PEERS.items():
        answers[name] = []
        for job in jobs:
            table = pd.read_parquet(folder / job["file"])
            started = time.process_time()
            try:
                issues = peer(table, job["target"], job["told"])
                answers[name].append({"issues": issues, "seconds": time.process_time() - started})
            except Exception as error:  # a tool that stops is told, whatever stops it
                answers[name].append({"error": f"{type(error).__name__}: {error}"[:200]})
                if isinstance(error, ImportError) or "max_error" in str(error):
                    break
        (folder / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main()
