"""The tables that leakbench prints: power per kind, alarms per set of clean tables, what to look at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from leakbench_explained import AVOIDABLE, TRUE
from leakbench_judging import Try
from leakbench_tables import LISTS

from splitleak.planting import KINDS


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
    """Return, per set of clean tables, reports, shares with a leak and a caution, and alarms per code.

    "false leak" and "avoidable" (cautions) leave out what was looked at and found true, see leakbench_explained.py.
    """
    sets: dict[str, list[Try]] = defaultdict(list)
    for one in tries:
        if one.kind == "clean":
            where = (
                "controls"
                if one.table.startswith("control:")
                else next((name for name, tables in LISTS.items() if one.table in tables), "other").lower()
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
        open_ = [
            [one.statuses[code] for code in codes if (one.table, code) not in TRUE]
            for one, codes in zip(members, spoke, strict=True)
        ]
        avoidable = sum(bool(statuses) and "leak" not in statuses for statuses in open_)
        codes = Counter(code for codes in spoke for code in codes)
        said = "  ".join(f"{code} {count / n:.3f}" for code, count in sorted(codes.items()))
        failed = sum(one.outcome == "failed" for one in members)
        false_leaks = sum("leak" in statuses for statuses in open_)
        shares = (leaks / n, (any_alarm - leaks) / n, false_leaks / n, avoidable / n)
        rows.append((where, n, *shares, failed, said))
    return pd.DataFrame(
        rows,
        columns=[
            "clean set",
            "reports",
            "leak",
            "caution only",
            "false leak",
            "avoidable",
            "failed",
            "alarms per probe",
        ],
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
        + ", ".join(f"{what} x{count}{_explained(table, what)}" for what, count in said.most_common())
        for table, said in groups.items()
        if said
    ]


def _explained(table: str, what: str) -> str:
    """Return what was found when an alarm was looked at, in brackets."""
    key = (table, what.partition(" ")[0])
    if key in TRUE:
        return f" (true: {TRUE[key]})"
    return f" (avoidable: {AVOIDABLE[key]})" if key in AVOIDABLE else ""


def print_results(tries: Sequence[Try], answers: Sequence[dict[str, Any]], *, why: bool) -> None:
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
