"""check_probe(): what every probe promises, tried on tables with its leak and on tables without."""

from __future__ import annotations

import ast
import json
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError, SplitleakWarning
from splitleak.leakage import leakage_report
from splitleak.partition import Split
from splitleak.planting import Planted
from splitleak.probe_result import ProbeResult
from splitleak.probes.base import Probe, get_probe
from splitleak.rendering.audit_values import values_hidden
from splitleak.report import LeakageReport
from splitleak.testing.tables import SECRET, as_arrow, as_polars, marked, odd_tables, reordered
from splitleak.testing.trial import with_threads

Arguments = Mapping[str, Any]
ALARMS = ("leak", "caution")

_SURE = 0.01  # alarms are too many when the bound makes them less likely than this
_OF_ROWS = ("rows", "partners", "evidence", "picture")


def check_probe(
    probe: str | Probe,
    planted: Arguments | Planted | Sequence[Arguments | Planted],
    clean: Callable[[int], Arguments | Planted],
    *,
    seeds: int = 20,
    bound: float = 0.01,
    row_order: bool = True,
) -> None:
    """Check everything that a probe of `leakage_report` promises; the whole test of its author.

    It gives one answer to each table, fires on every planted one and names what was planted, and is silent on clean
    ones (as often as `bound` says); neither the order of the rows nor the table library, the number of threads or a
    second call make a difference; no value of the data stands in what is shown unasked (texts in the tables are
    replaced by secret ones to see it); its numbers are in range, its evidence is plain data, its remedy is Python;
    tables that are tiny, constant, empty, infinite, nested, wide or of one column do not make it fall over or warn.

    Parameters
    ----------
    probe : str or Probe
        A code, or what `splitleak.probe` returned.
    planted : mapping of arguments, `splitleak.planting.Planted`, or a list of these
        Tables in which it must fire: ``{"data": df, "split": "fold", "target": "y", ...}`` as for `leakage_report`,
        `data` a pandas table. Of a `Planted`, the columns and rows that it names must be found, too.
    clean : callable
        ``clean(seed)`` returns a table in which it must be silent, in the same form.
    seeds : int
        Clean tables that are tried: ``clean(0)``, ``clean(1)``, ...
    bound : float
        Stated chance of a false alarm on such a table, in [0, 1). More alarms than it makes plausible (probability
        below 0.01) fail.
    row_order : bool
        False for a probe that looks at the order of the rows.

    Raises
    ------
    AssertionError
        The rule that is broken, and the arguments with which to see it again.
    InputError
        No planted table, one that is no pandas table, a bound outside [0, 1).

    Examples
    --------
    >>> import pandas as pd, splitleak
    >>> from splitleak.testing import check_probe
    >>> @splitleak.probe("DEMO001", "The first column is constant")
    ... def constant(context):
    ...     first = context.columns[min(context.columns)]
    ...     if len(first.levels) > 1:
    ...         return None
    ...     return splitleak.Finding("caution", "One value in all rows.", columns=[first.name])
    >>> bad = {"data": pd.DataFrame({"a": ["x"] * 30, "b": range(30)})}
    >>> check_probe("DEMO001", bad, lambda seed: {"data": pd.DataFrame({"a": range(30), "b": range(30)})})
    """
    found = get_probe(probe) if isinstance(probe, str) else get_probe(probe.code)
    cases = [planted] if isinstance(planted, (Mapping, Planted)) else list(planted)
    if not cases:
        raise InputError("planted names no table; give at least one in which the probe must fire")
    if isinstance(bound, bool) or not isinstance(bound, (int, float)) or not 0 <= bound < 1:
        raise InputError(f"bound must be a chance of a false alarm in [0, 1), got {bound!r}")
    for number, case in enumerate(cases):
        _check_planted(found, case, f"planted[{number}]", row_order=row_order)
    _check_alarms(found, clean, seeds, bound)
    _check_same(found, arguments_of(clean(0)), "clean(0)", row_order=row_order)
    for name, arguments in odd_tables():
        _ask(found, arguments, f"the odd table {name!r} of splitleak.testing.tables.odd_tables()")


def arguments_of(case: Arguments | Planted) -> dict[str, Any]:
    """Return the arguments of `leakage_report` for a planted leak, or those given.

    Raises
    ------
    InputError
        Data that are no pandas table.
    """
    if isinstance(case, Planted):
        told = ("time", "groups", "pipeline", "raw")
        arguments: dict[str, Any] = {name: value for name, value in case.extra.items() if name in told}
        arguments |= {"data": case.table, "split": case.split, "target": case.target}
    else:
        arguments = dict(case)
    import pandas as pd

    if not isinstance(arguments.get("data"), pd.DataFrame):
        raise InputError(
            "tables for check_probe are mappings of arguments with a pandas table under 'data', got"
            f" {type(arguments.get('data')).__name__}"
        )
    split = arguments.get("split")
    if isinstance(split, Split):  # without what it knows the rows by: they are moved, and their texts changed
        arguments["split"] = Split(split.names, split.codes, split.clusters)
    return arguments


def _check_planted(probe: Probe, case: Arguments | Planted, name: str, *, row_order: bool) -> None:
    arguments = arguments_of(case)
    result = _ask(probe, arguments, name)[probe.code]
    if result.status not in ALARMS:
        raise _broken(probe, "fires", f"the answer to {name} is {result.status!r}: {result.explanation}")
    if isinstance(case, Planted):
        _check_named(probe, result, case, name)
    _check_same(probe, arguments, name, row_order=row_order)


def _check_named(probe: Probe, result: ProbeResult, case: Planted, name: str) -> None:
    columns = {str(column) for column in case.columns}
    if columns and not columns & set(result.columns):
        raise _broken(
            probe,
            "names what was planted",
            f"of {name} it names the columns {result.columns}, not {sorted(columns)}",
        )
    if len(case.rows) and not np.isin(np.concatenate([result.rows, result.partners]), case.rows).any():
        raise _broken(
            probe,
            "names what was planted",
            f"of {name} it names none of the {len(case.rows)} rows that were planted",
        )


def _check_same(probe: Probe, arguments: dict[str, Any], name: str, *, row_order: bool) -> None:
    """Ask in other ways that must not matter, and once with secret values."""
    first = _ask(probe, arguments, name)
    shown = first.summary()["results"]
    for what, other in _others(arguments):
        if _ask(probe, other, f"{name} {what}").summary()["results"] != shown:
            raise _broken(probe, "the table library does not matter", f"{name} {what} gives another answer")
    if _ask(probe, arguments, name).summary()["results"] != shown:
        raise _broken(
            probe, "the same call gives the same answer", f"a second call on {name} gives another one"
        )
    for threads in (1, 3):
        with with_threads(threads):
            again = _ask(probe, arguments, name).summary()["results"]
        if again != shown:
            raise _broken(
                probe, "threads do not matter", f"{name} with SPLITLEAK_NUM_THREADS={threads} differs"
            )
    if row_order:
        for seed in (0, 1):
            order = np.random.default_rng(seed).permutation(len(arguments["data"]))
            moved = _ask(probe, reordered(arguments, order), f"{name}, rows permuted")
            _check_moved(
                probe, first[probe.code], moved[probe.code], order, f"{name} in another order (seed {seed})"
            )
    _check_values(probe, arguments, name)


def _others(arguments: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for what, change in (("as a pyarrow table", as_arrow), ("as a polars table", as_polars)):
        changed = change(arguments["data"])
        if changed is not None:
            yield what, {**arguments, "data": changed}


def _check_moved(
    probe: Probe, first: ProbeResult, moved: ProbeResult, order: NDArray[np.int64], what: str
) -> None:
    rule = "the order of rows does not matter"
    one, two = first.summary(), moved.summary()
    for key in one:
        if key not in _OF_ROWS and one[key] != two[key]:
            raise _broken(probe, rule, f"{key} of {what} is {two[key]!r}, and was {one[key]!r}")
    if sorted(order[moved.rows].tolist()) != sorted(first.rows.tolist()):
        raise _broken(probe, rule, f"{what} it names other rows")


def _check_values(probe: Probe, arguments: dict[str, Any], name: str) -> None:
    secret = _ask(probe, marked(arguments), f"{name} with secret values")
    shown = values_hidden(secret.summary())["results"][0]
    for key, value in shown.items():
        if SECRET in json.dumps(value, ensure_ascii=False):
            raise _broken(
                probe,
                "no value of the data is shown unasked",
                f"{key} of the answer to {name} holds one: {value!r:.300}; values go to the evidence, under a key that"
                " is or ends in 'value'",
            )


def _check_alarms(
    probe: Probe, clean: Callable[[int], Arguments | Planted], seeds: int, bound: float
) -> None:
    alarms = []
    for seed in range(seeds):
        result = _ask(probe, arguments_of(clean(seed)), f"clean({seed})")[probe.code]
        if result.status in ALARMS:
            alarms.append((seed, result.explanation))
    many = sum(
        math.comb(seeds, k) * bound**k * (1 - bound) ** (seeds - k) for k in range(len(alarms), seeds + 1)
    )
    if alarms and many < _SURE:
        seed, explanation = alarms[0]
        raise _broken(
            probe,
            "is silent on clean tables",
            f"{len(alarms)} of {seeds} clean tables raise an alarm, more than the stated bound of {bound:g} allows;"
            f" first clean({seed}): {explanation}",
        )


def _ask(probe: Probe, arguments: Arguments, name: str) -> LeakageReport:
    """Return the report of the one probe, its answer checked."""
    given = {"impact": False, **arguments}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", SplitleakWarning)
            report = leakage_report(given.pop("data"), given.pop("split", None), probes=[probe.code], **given)
    except InputError as error:
        if "in probe" not in "".join(getattr(error, "__notes__", [])):
            raise
        raise _broken(probe, "never falls over", f"{name} raises {error!r}") from error
    except Exception as error:
        raise _broken(probe, "never falls over, nor warns", f"{name} raises {error!r}") from error
    answers = [result for result in report.results if result.code == probe.code]
    if len(answers) != 1 or len(report.results) != 1:
        raise _broken(probe, "one answer", f"{name} gets {len(answers)} answers")
    _check_answer(probe, answers[0], arguments, name)
    return report


def _check_answer(probe: Probe, result: ProbeResult, arguments: Arguments, name: str) -> None:
    """Raise unless what is said is in range, plain, and about this table."""
    rule = "the answer can be used"
    if not result.explanation.strip():
        raise _broken(probe, rule, f"the answer to {name} ({result.status}) has no explanation")
    if result.p_value is not None and not 0 <= result.p_value <= 1:
        raise _broken(probe, rule, f"p_value of {name} is {result.p_value}, and must be in [0, 1]")
    if result.interval is not None and not result.interval[0] <= result.interval[1]:
        raise _broken(probe, rule, f"the interval of {name} is {result.interval}, low and high in this order")
    data = arguments["data"]
    names = getattr(data, "column_names", None) or list(getattr(data, "columns", ()))
    unknown = set(result.columns) - {str(column) for column in names}
    if unknown:
        raise _broken(
            probe, rule, f"columns of {name} names {sorted(unknown)}, which the table does not have"
        )
    try:
        json.dumps(result.summary(), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise _broken(probe, rule, f"the answer to {name} cannot be written as JSON: {error}") from error
    try:
        ast.parse(result.remedy)
    except SyntaxError as error:
        raise _broken(probe, rule, f"the remedy of {name} is no Python: {result.remedy!r}") from error


def _broken(probe: Probe, rule: str, what: str) -> AssertionError:
    return AssertionError(
        f"check_probe({probe.code!r}), rule {rule!r}: {what}. See it again: splitleak.leakage_report(data, split,"
        f" probes=[{probe.code!r}], ...) with the arguments of that table"
    )
