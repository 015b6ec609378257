"""check_probe(): the built-in probes pass it, and each rule is broken by a probe that it catches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from splitleak import Finding, probe
from splitleak._threads import thread_count
from splitleak.errors import InputError
from splitleak.planting import KINDS, NotPlantable, plant
from splitleak.probes.base import _BUILT_IN
from splitleak.probes.context import AuditContext
from splitleak.testing import check_probe
from tests.probes.audits import classes, halves

PLANTED = sorted(
    {code for kind in KINDS.values() if not kind.honest for code in kind.codes[:1]} & set(_BUILT_IN)
)


def honest(seed: int, n: int = 160) -> dict[str, Any]:
    return {"data": classes(n, seed=seed), "split": halves(n, seed), "target": "y"}


def planted(code: str) -> list[Any]:
    found: list[Any] = []
    for name, kind in KINDS.items():
        if kind.honest or kind.codes[0] != code or not kind.in_data:
            continue
        table = classes(400)
        try:
            found.append(plant(name, table, "y", halves(len(table)), strength="strong"))
        except NotPlantable:
            continue
    if code == "SPL205":  # a leak where the split follows the order, too, which planting leaves as it is
        table = classes(400).sort_values("y", ignore_index=True)
        return [{"data": table, "split": ["train"] * 300 + ["test"] * 100, "target": "y"}]
    return found


@pytest.mark.parametrize("code", PLANTED)
def test_built_in_probes_keep_the_rules(code: str) -> None:
    cases = planted(code)
    if not cases:
        pytest.skip(f"nothing that {code} finds can be planted in this table; its own tests have one")
    check_probe(code, cases[:1], honest, seeds=3, row_order=code != "SPL205")


# --- a probe for each rule that it breaks -----------------------------------------------------------------------


def table_of(share: float, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    colour = np.where(rng.random(80) < share, "red", "blue")
    return pd.DataFrame(
        {"colour": colour, "number": rng.normal(size=80).round(4), "y": rng.integers(0, 2, 80)}
    )


def case(share: float, seed: int = 0) -> dict[str, Any]:
    return {"data": table_of(share, seed), "split": halves(80), "target": "y"}


def reds(context: AuditContext) -> np.ndarray:
    """Rows of a text column's most frequent value, where that has nearly all rows."""
    column = context.columns.get("colour")
    if column is None or column.kind != "category" or not len(column.levels):
        return np.zeros(0, dtype=np.int64)
    count = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels))
    many = count.max() > 0.9 * context.n_rows
    return np.flatnonzero(column.codes == count.argmax()) if many else np.zeros(0, dtype=np.int64)


def finding(context: AuditContext, **changes: Any) -> Finding | None:
    rows = reds(context)
    told = {"columns": ["colour"], "rows": rows, "remedy": "df = df.drop(columns=['colour'])", **changes}
    return (
        Finding("caution", told.pop("explanation", f"One colour has {len(rows)} rows."), **told)
        if len(rows)
        else None
    )


def always(context: AuditContext) -> Finding | None:
    return finding(context) or Finding("caution", "Looks wrong.")


def by_the_first_row(context: AuditContext) -> Finding | None:
    return finding(context, explanation=f"Row {context.positions[0]} is the first.")


def by_position(context: AuditContext) -> Finding | None:
    return finding(context, rows=np.argsort(context.positions)[:3])


def by_library(context: AuditContext) -> Finding | None:
    return finding(context, effect=float(len(str(context.source.describe()))))


CALLS: list[int] = []


def by_call(context: AuditContext) -> Finding | None:
    CALLS.append(1)
    return finding(context, effect=float(len(CALLS)))


def by_threads(context: AuditContext) -> Finding | None:
    return finding(context, effect=float(thread_count() == 3))


def tells_values(context: AuditContext) -> Finding | None:
    column = context.columns.get("colour")
    return finding(
        context,
        explanation=f"Most are {column.levels[column.codes[reds(context)][0]]}."
        if len(reds(context))
        else "",
    )


def tells_values_in_the_evidence(context: AuditContext) -> Finding | None:
    column = context.columns.get("colour")
    levels = () if column is None else column.levels
    return finding(context, evidence=[{"colour": str(level), "rows": 1} for level in levels])


def keeps_values_apart(context: AuditContext) -> Finding | None:
    column = context.columns.get("colour")
    levels = () if column is None else column.levels
    return finding(context, evidence=[{"value": str(level), "rows": 1} for level in levels])


def falls_over(context: AuditContext) -> Finding | None:
    context.columns["number"].values.mean()
    return finding(context)


def warns(context: AuditContext) -> Finding | None:
    number = context.columns.get("number")
    if number is not None:
        number.values[np.isfinite(number.values)].mean()
    return finding(context)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda context: None, "fires.*planted.0. is 'clean'"),
        (always, "silent on clean tables.*10 of 10"),
        (by_the_first_row, "order of rows does not matter.*explanation"),
        (by_position, "order of rows does not matter.*other rows"),
        (by_library, "table library does not matter"),
        (by_call, "gives another"),
        (by_threads, "threads do not matter.*=3"),
        (tells_values, "no value of the data.*explanation"),
        (tells_values_in_the_evidence, "no value of the data.*evidence"),
        (falls_over, "never falls over.*KeyError"),
        (warns, "nor warns.*RuntimeWarning"),
        (lambda c: finding(c, columns=["color"]), "the table does not have"),
        (lambda c: finding(c, p_value=1.5), "p_value"),
        (lambda c: finding(c, interval=(2.0, 1.0)), "interval"),
        (lambda c: finding(c, remedy="drop colour"), "no Python"),
        (lambda c: finding(c, explanation=" "), "no explanation"),
    ],
)
def test_each_rule_is_caught(function: Any, message: str) -> None:
    CALLS.clear()
    made = probe("MINE001", "One colour")(function)
    with pytest.raises(AssertionError, match=message) as caught:
        check_probe(made, case(0.97), lambda seed: case(0.5, seed), seeds=10)
    assert "probes=['MINE001']" in str(caught.value)


@pytest.mark.parametrize("function", [finding, keeps_values_apart])
def test_the_right_probe_passes(function: Any) -> None:
    made = probe("MINE001", "One colour", needs=["split"])(function)
    check_probe(made, [case(0.97), case(0.95, 1)], lambda seed: case(0.5, seed))


def test_what_was_planted_must_be_named() -> None:
    table = classes(200)
    leak = plant("new_category", table, "y", halves(len(table)), strength="strong")
    made = probe("MINE001", "Wrong")(lambda context: Finding("leak", "Wrong.", columns=["x0"]))
    with pytest.raises(AssertionError, match="names what was planted.*not .'colour'"):
        check_probe(made, leak, honest)
    made = probe("MINE001", "Wrong")(lambda context: Finding("leak", "Wrong.", columns=leak.columns))
    with pytest.raises(AssertionError, match="names what was planted.*none of the"):
        check_probe(made, leak, honest)


def test_alarms_within_the_bound_pass() -> None:
    made = probe("MINE001", "One colour")(finding)
    check_probe(made, case(0.97), lambda seed: case(0.97 if seed == 3 else 0.5, seed), bound=0.05)
    with pytest.raises(AssertionError, match="1 of 20 clean tables.*bound of 0.0001"):
        check_probe(made, case(0.97), lambda seed: case(0.97 if seed == 3 else 0.5, seed), bound=0.0001)


def test_arguments_that_show_nothing_are_refused() -> None:
    made = probe("MINE001", "One colour")(finding)
    with pytest.raises(InputError, match="planted names no table"):
        check_probe(made, [], honest)
    with pytest.raises(InputError, match="bound must be a chance"):
        check_probe(made, case(0.97), honest, bound=1)
    with pytest.raises(InputError, match="a pandas table under 'data', got list"):
        check_probe(made, {"data": ["a", "b"]}, honest)
    with pytest.raises(InputError, match="NONE001.*not known"):
        check_probe("NONE001", case(0.97), honest)
