"""The reports of leakbench: on a table as it is, with each kind of leak planted in it, on controls and on cases."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from leakbench_cases import CASES
from leakbench_controls import CONTROLS
from leakbench_judging import ALARMS, Try, alarms, judge, worst
from leakbench_tables import load, random_split

from splitleak.planting import KINDS, NotPlantable, Planted, plant

ABOUT_EQUAL_ROWS = ("SPL101", "SPL102", "SPL103", "SPL115")
Report = Callable[..., Any]


def leakage_report(*arguments: Any, **options: Any) -> Any:
    """Call the report of splitleak, imported when it is first needed."""
    import splitleak

    return splitleak.leakage_report(*arguments, **options, impact=False, progress=False)


def audit_table(
    job: tuple[str, int],
    kinds: Sequence[str],
    strengths: Sequence[str],
    max_rows: int,
    report: Report = leakage_report,
    whole: bool = False,
) -> list[Try]:
    """Make the clean report of a table and a seed, and those of all kinds planted in it.

    No probe's status depends on another's, and a report asks those of its codes that can find the kind with the share
    of `alpha` that they have among all: they say the same as in a whole report, in a tenth of the time.
    """
    name, seed = job
    table = load(name, max_rows=max_rows)
    frame, target = table.frame, table.target
    split = random_split(frame, target, seed=seed, stratified=bool(seed % 2))
    tries: list[Try] = []
    before, seconds, reason = _called(report, frame, split, target, seed, {})
    found = {} if before is None else alarms(before)
    if table.copies:
        found = {code: status for code, status in found.items() if code not in ABOUT_EQUAL_ROWS}
    outcome = "failed" if before is None else worst(found)
    tries.append(
        Try(
            name,
            seed,
            "clean",
            "",
            "data",
            outcome,
            found,
            reason,
            seconds,
        )
    )
    if before is None:
        return tries
    for kind in kinds:
        for strength in strengths:
            try:
                leak = plant(kind, frame, target, split, strength=strength, seed=seed)
            except NotPlantable as refusal:
                tries.append(Try(name, seed, kind, strength, "data", "not plantable", {}, str(refusal)))
                continue
            told = {key: leak.extra[key] for key in ("time", "groups") if key in leak.extra}
            ways = [("data", leak.codes, told)] if KINDS[kind].in_data else []
            if "pipeline" in leak.extra:
                fitted = {"pipeline": leak.extra["pipeline"], "raw": leak.extra["raw"]}
                ways.append(("object", leak.extra["pipeline_codes"], {**told, **fitted}))
            for mode, codes, options in ways:
                options = options if whole else {**options, "probes": codes}
                tries.append(
                    _planted_try(report, leak, before, codes, options, (name, seed, kind, strength, mode))
                )
    return tries


def _planted_try(
    report: Report,
    leak: Planted,
    before: pd.DataFrame,
    codes: Sequence[str],
    options: dict[str, Any],
    who: tuple,
) -> Try:
    frame, seconds, reason = _called(report, leak.table, leak.split, leak.target, who[1], options)
    if frame is None:
        return Try(*who, "failed", {}, reason, seconds)
    found = alarms(frame)
    if leak.honest:
        new = sorted(set(found) & set(codes) - set(alarms(before)))
        return Try(*who, "false alarm" if new else "silent", found, ", ".join(new), seconds)
    return Try(*who, judge(frame, leak, before, codes), found, "", seconds)


def audit_control(job: tuple[str, int], report: Report = leakage_report) -> list[Try]:
    """Report on a hard clean control."""
    name, seed = job
    control = CONTROLS[name](np.random.default_rng([seed, 7]))
    frame, seconds, reason = _called(
        report, control.table, control.split, control.target, seed, control.options
    )
    found = {} if frame is None else alarms(frame)
    outcome = "failed" if frame is None else worst(found)
    return [
        Try(
            f"control:{name}",
            seed,
            "clean",
            "",
            "data",
            outcome,
            found,
            reason,
            seconds,
        )
    ]


def _called(
    report: Report, table: pd.DataFrame, split: np.ndarray, target: str, seed: int, options: dict[str, Any]
) -> tuple[pd.DataFrame | None, float, str]:
    """Return the frame of a report, its CPU seconds, and the error if it failed: a crash is a result here."""
    started = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = report(table, split, target=target, seed=seed, **options).frame()
    except Exception as error:
        return None, time.process_time() - started, f"{type(error).__name__}: {error}"[:300]
    return frame, time.process_time() - started, ""


def audit_cases(report: Report = leakage_report, seeds: Sequence[int] = (0,)) -> list[dict[str, Any]]:
    """Report on the real data whose answer is known."""
    answers = []
    for case in CASES:
        for seed in seeds if case.available else ():
            table = case.load()
            table = table[table[case.target].notna()].reset_index(drop=True)
            split = random_split(table, case.target, seed=seed)
            frame, seconds, reason = _called(report, table, split, case.target, seed, {})
            found = {} if frame is None else alarms(frame)
            if case.copies:
                found = {code: status for code, status in found.items() if code not in ABOUT_EQUAL_ROWS}
            if frame is None:
                outcome = "failed"
            elif not case.codes:
                allowed = ["clean"] if case.silent else ["clean", "caution"]
                outcome = "right" if worst(found) in allowed else "false alarm"
            else:
                loud = frame[frame["code"].isin(case.codes) & frame["status"].isin(ALARMS)]
                named = {str(name) for names in loud["columns"] for name in names}
                rows = any(len(rows) for rows in loud["rows"])
                right = rows if case.rows else set(case.columns) <= named
                outcome = "right" if right else "named wrongly" if len(loud) else "missed"
            answers.append({"case": case.name, "seed": seed, "outcome": outcome, "found": found, "reason": reason,
                            "seconds": seconds})  # fmt: skip
        if not case.available:
            answers.append(
                {"case": case.name, "outcome": "not here", "found": {}, "reason": f"needs {case.needs}"}
            )
    return answers
