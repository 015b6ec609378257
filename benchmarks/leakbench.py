"""How much leakage_report() finds of leaks planted in real tables, and how often it speaks about clean ones.

    python benchmarks/leakbench.py --quick                      # 3 tables, 2 seeds, ordinary strength
    python benchmarks/leakbench.py --seeds 20 --json found.json
    python benchmarks/leakbench.py --kinds proxy copies_of_rows --tables sklearn:iris --strengths weak ordinary strong
    python benchmarks/leakbench.py --unseen --kinds none        # false alarms on tables no threshold was set on
    python benchmarks/leakbench.py --quick --probes SPL2        # only these probes, and the kinds that they find
    python benchmarks/leakbench.py --cases --kinds none --tables none --controls none

Kinds are those of `splitleak.planting`, tables those of leakbench_tables.py, controls those of
leakbench_controls.py, cases those of leakbench_cases.py. Every table gets a new random split per seed (odd seeds:
stratified), the report is made once without a leak and once per kind and strength.

Detected: one of the kind's codes is a leak or a caution. Right: it also names the planted column (of several at
least half, of two both) with at most 2 others, or rows of which 80 % are planted and among which 80 % of the planted
are; columns and rows that the report names without the leak do not count against it. A kind that a table does not
allow is not counted; --why prints the reasons. A code that the report names without the leak, too, cannot be
detected where nothing is to be named; such tries are left out.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from leakbench_cases import CASES
from leakbench_controls import CONTROLS
from leakbench_tables import TUNING, UNSEEN, available, load, random_split

from splitleak.planting import KINDS, NotPlantable, Planted, plant

ALARMS = ("leak", "caution")
ABOUT_EQUAL_ROWS = ("SPL101", "SPL102", "SPL103", "SPL115")
Report = Callable[..., Any]


@dataclass(frozen=True)
class Try:
    """One report on one table: what was planted, and what was said."""

    table: str
    seed: int
    kind: str  # "clean" where nothing was planted
    strength: str
    mode: str  # "data", or "object" where the fitted pipeline was handed over
    outcome: str  # "right", "named wrongly", "missed", "not plantable", "masked", "failed"; of clean: the worst status
    statuses: dict[str, str]  # code -> leak or caution
    reason: str = ""
    seconds: float = 0.0


def leakage_report(*arguments: Any, **options: Any) -> Any:
    """Call the report of splitleak, imported when it is first needed."""
    import splitleak

    return splitleak.leakage_report(*arguments, **options, impact=False, progress=False)


def alarms(frame: pd.DataFrame) -> dict[str, str]:
    """Return the status of each code that is a leak or a caution."""
    loud = frame[frame["status"].isin(ALARMS)]
    return dict(zip(loud["code"], loud["status"], strict=True))


def judge(frame: pd.DataFrame, leak: Planted, before: pd.DataFrame, codes: Sequence[str]) -> str:
    """Say how a report did on a planted leak: "right", "named wrongly", "missed" or "masked"."""
    loud = frame[frame["status"].isin(ALARMS) & frame["code"].isin(codes)]
    if not leak.columns and not len(leak.rows) and set(codes) & set(alarms(before)):
        return "masked"
    if not len(loud):
        return "missed"
    known = before[before["status"].isin(ALARMS)]
    known_columns = {str(name) for names in known["columns"] for name in names}
    known_rows = {int(row) for rows in known["rows"] for row in rows} if _same_rows(leak) else set()
    for _, result in loud.iterrows():
        if _names_columns(result["columns"], leak, known_columns) or _names_rows(
            result["rows"], leak, known_rows
        ):
            return "right"
        if not leak.columns and not len(leak.rows):
            return "right"
    return "named wrongly"


def _same_rows(leak: Planted) -> bool:
    """Whether positions mean the same rows as before the leak was planted."""
    return "order" not in leak.extra


def _names_columns(named: Iterable[Any], leak: Planted, known: set[str]) -> bool:
    planted, named = {str(name) for name in leak.columns}, {str(name) for name in named}
    if not planted:
        return False
    needed = len(planted) if len(planted) <= 2 else len(planted) / 2
    return len(planted & named) >= needed and len(named - planted - known) <= 2


def _names_rows(named: Iterable[int], leak: Planted, known: set[int]) -> bool:
    if not len(leak.rows):
        return False
    named, planted = {int(row) for row in named}, set(leak.rows.tolist())
    allowed = planted | {int(row) for row in leak.extra.get("partners", ())} | known
    return (
        bool(named)
        and len(named & allowed) >= 0.8 * len(named)
        and len(named & planted) >= 0.8 * len(planted)
    )


def audit_table(
    job: tuple[str, int],
    kinds: Sequence[str],
    strengths: Sequence[str],
    max_rows: int,
    report: Report = leakage_report,
) -> list[Try]:
    """Make the clean report of a table and a seed, and those of all kinds planted in it."""
    name, seed = job
    table = load(name, max_rows=max_rows)
    frame, target = table.frame, table.target
    split = random_split(frame, target, seed=seed, stratified=bool(seed % 2))
    tries: list[Try] = []
    before, seconds, reason = _called(report, frame, split, target, seed, {})
    found = {} if before is None else alarms(before)
    if table.copies:
        found = {code: status for code, status in found.items() if code not in ABOUT_EQUAL_ROWS}
    outcome = "failed" if before is None else _worst(found)
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
    outcome = "failed" if frame is None else _worst(found)
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


def _worst(found: dict[str, str]) -> str:
    return "leak" if "leak" in found.values() else "caution" if found else "clean"


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
            if frame is None:
                outcome = "failed"
            elif not case.codes:
                allowed = ["clean"] if case.silent else ["clean", "caution"]
                outcome = "right" if _worst(found) in allowed else "false alarm"
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


def power_table(tries: Sequence[Try]) -> pd.DataFrame:
    """Return one row per kind, mode and strength: tries, share right, share detected, CPU seconds of a report."""
    groups: dict[tuple[str, str, str], list[Try]] = defaultdict(list)
    for one in tries:
        if (
            one.kind != "clean"
            and one.outcome not in ("not plantable", "masked")
            and not KINDS[one.kind].honest
        ):
            groups[one.kind, one.mode, one.strength].append(one)
    rows = []
    for (kind, mode, strength), members in groups.items():
        count = Counter(one.outcome for one in members)
        n = len(members)
        rows.append((kind, mode, strength, KINDS[kind].strengths[strength], n, count["right"] / n,
                     (count["right"] + count["named wrongly"]) / n, count["failed"],
                     float(np.mean([one.seconds for one in members]))))  # fmt: skip
    columns = ["kind", "mode", "strength", "value", "tries", "right", "detected", "failed", "CPU s"]
    return pd.DataFrame(rows, columns=columns)


def alarm_table(tries: Sequence[Try]) -> pd.DataFrame:
    """Return, per set of clean tables, reports, shares with a leak and a caution, and alarms per code."""
    sets: dict[str, list[Try]] = defaultdict(list)
    for one in tries:
        if one.kind == "clean":
            where = (
                "controls"
                if one.table.startswith("control:")
                else "unseen"
                if one.table in UNSEEN
                else "tuning"
            )
            sets[where].append(one)
        elif KINDS[one.kind].honest and one.outcome != "not plantable":
            sets["honest " + one.mode].append(one)
    rows = []
    for where, members in sets.items():
        n = len(members)
        # of a table that was prepared honestly only the alarms about the preparation are false
        spoke = [
            [
                code
                for code in one.statuses
                if not where.startswith("honest") or code in one.reason.split(", ")
            ]
            for one in members
        ]
        leaks = sum(
            any(one.statuses[code] == "leak" for code in codes)
            for one, codes in zip(members, spoke, strict=True)
        )
        any_alarm = sum(bool(codes) for codes in spoke)
        codes = Counter(code for codes in spoke for code in codes)
        said = "  ".join(f"{code} {count / n:.3f}" for code, count in sorted(codes.items()))
        failed = sum(one.outcome == "failed" for one in members)
        rows.append((where, n, leaks / n, (any_alarm - leaks) / n, failed, said))
    return pd.DataFrame(
        rows, columns=["clean set", "reports", "leak", "caution only", "failed", "alarms per probe"]
    )


def worst_tables(tries: Sequence[Try]) -> list[str]:
    """Return one line per clean table with an alarm, to be looked at and explained."""
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    reports = Counter(one.table for one in tries if one.kind == "clean")
    for one in tries:
        if one.kind == "clean":
            groups[one.table].update(f"{code} {status}" for code, status in one.statuses.items())
            groups[one.table].update([f"failed: {one.reason}"] if one.outcome == "failed" else [])
    return [
        f"{table} ({reports[table]} reports): "
        + ", ".join(f"{what} x{count}" for what, count in said.most_common())
        for table, said in groups.items()
        if said
    ]


def _chosen(given: Sequence[str] | None, known: Sequence[str], what: str) -> list[str]:
    if given is None:
        return list(known)
    if list(given) == ["none"]:
        return []
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise SystemExit(f"unknown {what}: {', '.join(unknown)}; known: {', '.join(known)}")
    return list(given)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="3 tables, 2 seeds, ordinary strength, up to 1,000 rows"
    )
    parser.add_argument("--kinds", nargs="+", help="names in splitleak.planting.KINDS, or none")
    parser.add_argument("--probes", nargs="+", help="codes or their beginnings (SPL1): ask only these")
    parser.add_argument("--tables", nargs="+", help="names in TUNING or UNSEEN, or none")
    parser.add_argument("--controls", nargs="+", help="names in leakbench_controls.CONTROLS, or none")
    parser.add_argument("--unseen", action="store_true", help="also report on the clean tables of UNSEEN")
    parser.add_argument("--cases", action="store_true", help="also report on real data with a known answer")
    parser.add_argument(
        "--strengths", nargs="+", choices=["weak", "ordinary", "strong"], default=["ordinary"]
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--max-rows", type=int, default=4000, help="rows drawn of a longer table")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--why", action="store_true", help="print why kinds could not be planted")
    parser.add_argument("--json", type=Path, help="where all tries are written to")
    return parser.parse_args()


def main() -> None:
    options = _options()
    if options.quick:
        options.tables = options.tables or ["sklearn:breast_cancer", "sklearn:iris", "sklearn:diabetes"]
        options.seeds, options.max_rows = min(options.seeds, 2), min(options.max_rows, 1000)
    kinds = _chosen(options.kinds, list(KINDS), "kinds")
    names = _chosen(options.tables, [*TUNING, *UNSEEN], "tables")
    if options.tables is None:
        names = list(TUNING)
    missing = [name for name in [*names, *(UNSEEN if options.unseen else ())] if not available(name)]
    if missing:
        print(
            f"{len(missing)} tables are left out, their package is not installed: {', '.join(missing[:3])} ..."
        )
    seeds = range(options.seeds)
    report: Report = leakage_report
    if options.probes:
        report = partial(leakage_report, probes=options.probes)
        kinds = [
            kind for kind in kinds if any(c.startswith(tuple(options.probes)) for c in KINDS[kind].codes)
        ]
    planted = partial(
        audit_table, kinds=kinds, strengths=options.strengths, max_rows=options.max_rows, report=report
    )
    clean = partial(audit_table, kinds=(), strengths=(), max_rows=options.max_rows, report=report)
    work: list[tuple[Callable[..., list[Try]], tuple[str, int]]] = []
    work += [(planted, (name, seed)) for name in names if available(name) for seed in seeds]
    unseen = [name for name in UNSEEN if options.unseen and name not in names and available(name)]
    work += [(clean, (name, seed)) for name in unseen for seed in seeds]
    controls = _chosen(options.controls, list(CONTROLS), "controls")
    work += [(partial(audit_control, report=report), (name, seed)) for name in controls for seed in seeds]
    tries: list[Try] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for future in [pool.submit(function, job) for function, job in work]:
            tries += future.result()
    answers = audit_cases(seeds=seeds) if options.cases else []
    _print(tries, answers, why=options.why)
    if options.json:
        found = {"tries": [asdict(one) for one in tries], "cases": answers}
        options.json.write_text(json.dumps(found, indent=1))


def _print(tries: Sequence[Try], answers: Sequence[dict[str, Any]], *, why: bool) -> None:
    power = power_table(tries)
    if len(power):
        print("\nPlanted leaks: share detected, and share detected with the right columns or rows")
        print(power.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
        for strength, part in power.groupby("strength"):
            n = part["tries"]
            print(f"{strength}: {n.sum()} tries, right {np.average(part['right'], weights=n):.3f}")
    alarm = alarm_table(tries)
    if len(alarm):
        print("\nClean tables: share of reports with a leak, with a caution at most, and alarms per probe")
        print(alarm.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
        for line in worst_tables(tries):
            print("  " + line)
    for one in {
        f"{t.kind} ({t.table}): {t.reason}" for t in tries if t.kind != "clean" and t.outcome == "failed"
    }:
        print("FAILED " + one)
    for answer in answers:
        print(f"{answer['case']:<32} {answer['outcome']:<14} {answer['found']} {answer['reason']}")
    if why:
        for line in sorted(
            {f"{t.kind} ({t.table}): {t.reason}" for t in tries if t.outcome == "not plantable"}
        ):
            print("not planted: " + line)


if __name__ == "__main__":
    main()
