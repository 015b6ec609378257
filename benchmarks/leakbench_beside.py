"""Our report beside other tools on the same planted and clean tables: who says what, and who speaks of clean ones."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from leakbench_controls import CONTROLS
from leakbench_judging import ALARMS
from leakbench_peers import CONCERNS, concerned
from leakbench_running import Report
from leakbench_tables import load, random_split

from splitleak.planting import KINDS, NotPlantable, plant

Issues = list[tuple[str, str]]
_OURS = "splitleak"


def beside(
    python: str,
    names: Sequence[str],
    seeds: int,
    kinds: Sequence[str],
    controls: Sequence[str],
    max_rows: int,
    report: Report,
) -> pd.DataFrame:
    """Return one row per tool and kind, and one per tool of clean tables.

    Columns: tables asked; share in which the tool named an issue that concerns the kind ("said"); share in which that
    issue, or a column of it, was not named before the leak was planted ("new").
    """
    with tempfile.TemporaryDirectory() as folder:
        jobs = _jobs(Path(folder), names, seeds, kinds, controls, max_rows)
        (Path(folder) / "jobs.json").write_text(json.dumps(jobs))
        script = Path(__file__).with_name("leakbench_peers.py")
        subprocess.run([python, str(script), folder], check=False, capture_output=True)
        path = Path(folder) / "answers.json"
        answers: dict[str, list[dict[str, Any]]] = json.loads(path.read_text()) if path.exists() else {}
        answers[_OURS] = [_ours(Path(folder), job, report) for job in jobs]
    for tool in [*CONCERNS, _OURS]:
        errors = sorted({a["error"] for a in answers.get(tool, []) if "error" in a})
        if not any("issues" in a for a in answers.get(tool, [])):
            print(f"{tool} is left out: {errors[0] if errors else 'it did not run'}")
        elif errors:
            print(f"{tool} stopped on some tables: {errors[0]}")
    return counted(jobs, answers)


def _jobs(
    folder: Path,
    names: Sequence[str],
    seeds: int,
    kinds: Sequence[str],
    controls: Sequence[str],
    max_rows: int,
) -> list[dict[str, Any]]:
    """Write down the tables: clean ones first, then those with a leak; "before" is the clean table of a planted one."""
    jobs: list[dict[str, Any]] = []

    def add(table: pd.DataFrame, split: Any, target: str, **facts: Any) -> None:
        file = f"{len(jobs)}.parquet"
        plain = table.assign(__split__=np.asarray(split, dtype=object).astype(str)).reset_index(drop=True)
        plain.columns = plain.columns.map(str)
        try:
            plain.to_parquet(folder / file)
        except (ValueError, TypeError, OverflowError):  # mixed values
            return
        jobs.append({"file": file, "target": target, "told": {}, "before": None, **facts})

    for name in names:
        for seed in range(seeds):
            table = load(name, max_rows=max_rows)
            split = random_split(table.frame, table.target, seed=seed, stratified=bool(seed % 2))
            clean = len(jobs)
            add(table.frame, split, table.target, kind="clean", codes=[])
            for kind in kinds:
                if KINDS[kind].honest or not KINDS[kind].in_data:
                    continue
                try:
                    leak = plant(kind, table.frame, table.target, split, seed=seed)
                except NotPlantable:
                    continue
                told = {key: leak.extra[key] for key in ("time", "groups") if key in leak.extra}
                add(
                    leak.table,
                    leak.split,
                    leak.target,
                    kind=kind,
                    codes=list(leak.codes),
                    told=told,
                    before=clean,
                )
    for name in controls:
        control = CONTROLS[name](np.random.default_rng([0, 7]))
        add(control.table, control.split, control.target, kind="hard clean", codes=[], told=control.options)
    return jobs


def _ours(folder: Path, job: dict[str, Any], report: Report) -> dict[str, Any]:
    table = pd.read_parquet(folder / job["file"])
    split = table.pop("__split__").to_numpy(dtype=object)
    frame = report(table, split, target=job["target"], **job["told"]).frame()
    loud = frame[frame["status"].isin(ALARMS)]
    return {"issues": [(r["code"], str(c)) for _, r in loud.iterrows() for c in (list(r["columns"]) or [""])]}


def counted(jobs: list[dict[str, Any]], answers: dict[str, list[dict[str, Any]]]) -> pd.DataFrame:
    """Return shares per kind and tool; an issue is an (issue, column) of the answer of one job."""
    rows = []
    for tool, said in answers.items():
        for job, answer in zip(jobs, said, strict=False):
            if "issues" not in answer:
                continue
            codes = job["codes"] or list(_all_codes())
            issues = {(i, c) for i, c in answer["issues"] if _about(tool, i, codes)}
            before = said[job["before"]].get("issues", []) if job["before"] is not None else []
            fresh = issues - {(i, c) for i, c in before}
            rows.append((tool, job["kind"], bool(issues), bool(fresh), answer.get("seconds", np.nan)))
    found = pd.DataFrame(rows, columns=["tool", "kind", "said", "new", "CPU s"])
    grouped = found.groupby(["kind", "tool"]).agg(
        tables=("said", "size"), said=("said", "mean"), new=("new", "mean")
    )
    return grouped.reset_index()


def _all_codes() -> set[str]:
    return {code for kind in KINDS.values() for code in kind.codes}


def _about(tool: str, issue: str, codes: Sequence[str]) -> bool:
    return issue in codes if tool == _OURS else concerned(tool, issue, codes)


def print_beside(table: pd.DataFrame) -> None:
    """Print power per kind and tool ("new"), then of all kinds together, and how often clean tables are spoken of."""
    clean = table["kind"].isin(["clean", "hard clean"])
    power = table[~clean]
    print("\nDetected by something that was not said before the leak was planted, per kind and tool")
    wide = power.pivot(index="kind", columns="tool", values="new")
    print(wide.to_string(float_format=lambda x: f"{x:.2f}", na_rep="-"))
    total = power.groupby("tool")[["said", "new"]].mean()
    for kind in ("clean", "hard clean"):
        total[f"alarm on {kind}"] = table[table["kind"] == kind].set_index("tool")["said"]
    print("\nMean over the kinds; share of clean tables (and hard ones) with an alarm of these kinds")
    print(total.to_string(float_format=lambda x: f"{x:.2f}"))
