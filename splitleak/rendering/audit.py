"""The sentences and tables of a leakage report's summary, shared by all views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from splitleak.rendering.audit_values import values_hidden
from splitleak.rendering.tables import Summary, Table, count, share

ROWS_SHOWN = 20
_EVIDENCE_SHOWN = 15
_COLUMNS_SHOWN = 12
_REMEDY_SHOWN = 2_000
_NAME_SHOWN = 100  # letters of a column's name
_LETTERS_SHOWN = 400  # of the names of columns together
_SMALLEST_P = 1e-12
_CHANCES = ("p", "p_value")
_SELF_TEST = "Self-test: "  # begins what was not planted
_METRICS = {"roc_auc": "ROC AUC", "roc_auc_ovr": "ROC AUC", "r2": "R2"}


def audit_headline(summary: Summary) -> str:
    """Return the verdict in one sentence that needs no glossary."""
    found = audit_findings(summary)
    if summary["verdict"] == "leak":
        leaks = sum(r["status"] == "leak" for r in found)
        return f"Leak: a score on these data would not hold ({count(leaks, 'leak')})."
    if summary["verdict"] == "caution":
        ask = "1 finding needs" if len(found) == 1 else f"{len(found)} findings need"
        return f"Caution: no certain leak; {ask} the judgement of a person."
    if not any(r["status"] in ("clean", "leak", "caution") for r in summary["results"]):
        return "Nothing was checked: no probe could look at these data."
    return "Clean: no probe that could look found anything."


def audit_explanation(summary: Summary) -> list[str]:
    """Return the sentences behind the verdict: what was audited, and how the probes answered."""
    about = summary["about"]
    parts = [f"{count(about['n_rows'], 'row')}"]
    if about["partitions"]:
        first, *others = (f"{name} {rows:,}" for name, rows in about["partitions"].items())
        parts.append(", ".join([f"{first} (to train on)", *others]))
    else:
        parts.append("no split")
    target = about["target"]
    parts.append("no target" if target is None else f"target: {target['name']} ({target['task']})")
    total = sum(about["columns"].values())
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(about["columns"].items()))
    parts.append(f"{count(total, 'column')}" + (f" ({kinds})" if kinds else ""))
    looked = f"{count(len(summary['results']), 'probe')}: {tally(summary['results'])}."
    sentences = [f"{'; '.join(parts)}."]
    left_out = about.get("left_out")
    if left_out:
        verb = "is" if left_out == 1 else "are"
        sentences.append(f"{count(left_out, 'row')} in no partition (missing or -1) {verb} left out.")
    if about.get("stacked") and any(r["rows"] for r in audit_findings(summary)):
        sentences.append("Rows are counted through the partitions, in this order.")
    sentences += [*about.get("advice", ()), looked]
    joint = joint_impact_sentence(summary)
    sentences += [joint] if joint else []
    if of_status(summary, "caution"):
        sentences.append(
            "A caution is a question about how the data came about: where the answer is bad, do what the finding says;"
            " where it is good, write it down with ignore={code: reason}."
        )
    if summary["verdict"] == "clean":
        sentences.append("Clean says what these probes saw; the last sections say what nobody looked at.")
    tested = self_test_sentence(summary)
    sentences += [tested] if tested else []
    if about["fast"]:
        sentences.append("fast=True: probes that take long looked at samples.")
    return sentences


def tally(results: Sequence[Summary]) -> str:
    """Return how many results there are of each status: ``2 leaks, 1 caution, 14 clean``."""
    muted = sum(r["muted"] is not None for r in results)
    live = [r["status"] for r in results if r["muted"] is None]
    words = (("leak", "leak"), ("caution", "caution"))
    parts = [count(live.count(status), noun) for status, noun in words if status in live]
    parts += [f"{live.count('clean')} clean"] if "clean" in live else []
    parts += [f"{live.count('not_applicable')} not applicable"] if "not_applicable" in live else []
    parts += [f"{live.count('skipped')} skipped"] if "skipped" in live else []
    return ", ".join(parts + ([f"{muted} muted"] if muted else [])) or "none"


def audit_findings(summary: Summary) -> list[Summary]:
    """Return the leaks and cautions that are not muted, worst first."""
    return [r for r in summary["results"] if r["status"] in ("leak", "caution") and r["muted"] is None]


def of_status(summary: Summary, status: str) -> list[Summary]:
    """Return the results of a status that are not muted."""
    return [r for r in summary["results"] if r["status"] == status and r["muted"] is None]


def muted_results(summary: Summary) -> list[Summary]:
    """Return the results that the caller muted."""
    return [r for r in summary["results"] if r["muted"] is not None]


def not_checked(summary: Summary) -> list[tuple[str, str]]:
    """Return what no probe looked at, and why; of many columns that could not be used, the first."""
    entries = [(what, reason) for what, reason in summary["not_checked"] if not what.startswith(_SELF_TEST)]
    columns = [entry for entry in entries if entry[0].startswith("Column ")]
    rest = [entry for entry in entries if not entry[0].startswith("Column ")]
    more = len(columns) - _COLUMNS_SHOWN
    if more > 0:
        columns = [*columns[:_COLUMNS_SHOWN], (f"{more:,} more columns", "they cannot be used either")]
    return columns + rest


def by_reason(results: Sequence[Summary]) -> dict[str, list[Summary]]:
    """Return results by their explanation, in the order in which the reasons come."""
    grouped: dict[str, list[Summary]] = {}
    for result in results:
        grouped.setdefault(result["explanation"], []).append(result)
    return grouped


def measure_sentence(result: Summary) -> str | None:
    """Return effect, interval and chance: ``AUC of the column alone: 0.998 (95 % interval ...); p = 1e-05``."""
    parts = []
    if result["effect"] is not None:
        as_share = result["effect_name"].startswith("share")
        text = f"{result['effect_name'] or 'effect'}: {_effect(result['effect'], as_share)}"
        if result["interval"] is not None and None not in result["interval"]:
            low, high = (_effect(x, as_share) for x in result["interval"])
            text += f" (95 % interval {low} to {high})"
        parts.append(text)
    chance = [
        f"{name} {chance_text(result[key])}"
        for name, key in (("p", "p_value"), ("q", "q_value"))
        if result[key] is not None
    ]
    parts += [", ".join(chance)] if chance else []
    text = "; ".join(parts)
    if not parts:
        return None
    # p and q are written small
    return f"{text if result['effect'] is None else text[0].upper() + text[1:]}."


def chance_text(value: float) -> str:
    """Return ``= 0.012``, ``< 1e-12``: smaller ones say nothing more."""
    return f"< {_SMALLEST_P:.0e}" if value < _SMALLEST_P else f"= {value:.2g}"


def impact_sentence(result: Summary) -> str | None:
    """Return what a finding is worth in score, or None where that was not measured."""
    impact = result["impact"]
    if impact is None:
        return None
    left_out = f"without {impact['what']}"
    if _is_nothing(impact):
        text = (
            f"Worth nothing in score: {_model(impact, 'with_leak')} with and {left_out}"
            f"{_interval(impact, ' (', ')')}."
        )
    else:
        text = (
            f"Worth in score: {_model(impact, 'with_leak')} as it is, {_score(impact, 'without')} {left_out}"
            f" (difference {_score(impact, 'difference', '+')}{_interval(impact)})."
        )
    if impact.get("last") is not None:
        text += (
            " Other leaks say the same: where they are left out already, it is worth"
            f" {_score(impact, 'last', '+')}."
        )
    return text


def joint_impact_sentence(summary: Summary) -> str | None:
    """Return what all leaks together are worth in score, or None where that was not measured."""
    impact = summary.get("impact")
    if impact is None:
        return None
    of_all = "all leaks" if summary["verdict"] == "leak" else "all findings"
    if _is_nothing(impact):
        return (
            f"{of_all.capitalize()} together are worth nothing in score: {_model(impact, 'with_leak')} with and without"
            f" {impact['what']}{_interval(impact, ' (', ')')}. What is left tells the target as well."
        )
    return (
        f"Without {of_all} ({impact['what']}) {_model(impact, 'without')} instead of {_score(impact, 'with_leak')}"
        f" (difference {_score(impact, 'difference', '+')}{_interval(impact)})."
    )


def _model(impact: Summary, key: str) -> str:
    metric = _METRICS.get(impact["metric"], impact["metric"])
    return f"a quick model reaches {metric} {_score(impact, key)}"


def _is_nothing(impact: Summary) -> bool:
    """Say whether both scores are written alike."""
    return _score(impact, "with_leak") == _score(impact, "without") != "?"


def _interval(impact: Summary, before: str = ", ", after: str = "") -> str:
    low, high = impact["interval"]
    if low is None or high is None or (after and _figures(impact, low) == _figures(impact, high)):
        return ""
    of = "95 % interval" if before == ", " else "difference, 95 % interval:"
    return f"{before}{of} {_figures(impact, low, '+')} to {_figures(impact, high, '+')}{after}"


def _score(impact: Summary, key: str, sign: str = "") -> str:
    return _figures(impact, impact[key], sign)


def _figures(impact: Summary, value: float | None, sign: str = "") -> str:
    """Return a score with three decimals; one without an upper end, such as an error, with four figures."""
    if value is None:
        return "?"
    return f"{value:{sign}.3f}" if impact.get("best", 1.0) == 1 else f"{value:{sign},.4g}"


def where_sentence(result: Summary) -> str | None:
    """Return the columns and rows concerned; of many the first."""
    parts = []
    if result["columns"]:
        names = [_shortened(name) for name in result["columns"][:_COLUMNS_SHOWN]]
        while len(names) > 1 and sum(map(len, names)) > _LETTERS_SHOWN:
            names.pop()
        more = len(result["columns"]) - len(names)
        parts.append(f"Columns: {', '.join(names)}" + (f" and {more:,} more" if more > 0 else ""))
    rows, partners = result["rows"], result["partners"]
    if rows:
        most = ROWS_SHOWN // 2 if partners else ROWS_SHOWN
        if partners:
            shown = ", ".join(f"{a} with {b}" for a, b in zip(rows[:most], partners[:most], strict=True))
        else:
            shown = ", ".join(map(str, rows[:most]))
        parts.append(
            f"Rows, counted from 0: {shown}" + (f" and {len(rows) - most:,} more" if len(rows) > most else "")
        )
    return ". ".join(parts) + "." if parts else None


def _shortened(name: str) -> str:
    """Return a name of which the middle is left out where it is very long; the remedy has it whole."""
    return name if len(name) <= _NAME_SHOWN else f"{name[: _NAME_SHOWN // 2]}…{name[-_NAME_SHOWN // 2 + 1 :]}"


def remedy_text(result: Summary) -> str:
    """Return the code that helps; of one that names a thousand columns, where it stands."""
    remedy: str = result["remedy"]
    if len(remedy) <= _REMEDY_SHOWN:
        return remedy
    if remedy.startswith("df = df.drop(columns=") and "\n" not in remedy:
        return f'df = df.drop(columns=list(report["{result["code"]}"].columns))'
    return f'# {len(remedy):,} characters: report["{result["code"]}"].remedy, and in the JSON file'


def evidence_table(result: Summary) -> Table | None:
    """Return the small table behind a finding, or None without any; what all rows say alike stands in its title."""
    entries = result["evidence"]
    if not entries:
        return None
    keys = list(dict.fromkeys(key for entry in entries for key in entry))
    shown = entries[:_EVIDENCE_SHOWN]
    same = [k for k in keys if len(entries) > 2 and isinstance(shown[0].get(k), str) and _is_same(entries, k)]
    title = ["Evidence"]
    more = max(len(entries), len(result["rows"]) if "row" in keys else 0) - len(shown)
    title += [f"the first {len(shown)} of {len(shown) + more:,}"] if more > 0 else []
    title += [f"{key}: {shown[0][key]}" for key in same]
    keys = [key for key in keys if key not in same] or keys
    columns = [_cells([entry.get(key) for entry in shown], key) for key in keys]
    texts = {i for i, key in enumerate(keys) if any(isinstance(entry.get(key), str) for entry in entries)}
    heading = title[0] + (f" ({'; '.join(title[1:])})" if len(title) > 1 else "")
    return Table(heading, tuple(keys), list(zip(*columns, strict=True)), left=frozenset(texts))


def _is_same(entries: Sequence[Summary], key: str) -> bool:
    return len({entry.get(key) for entry in entries if not isinstance(entry.get(key), (list, dict))}) == 1


def self_test_table(summary: Summary) -> Table | None:
    """Return how often planted leaks would have been found, or None where that was not asked for."""
    entries = summary["self_test"]
    if not entries:
        return None
    rows = [(str(entry["title"]), _found(entry), _found_interval(entry)) for entry in entries]
    return Table("Self test", ("planted", "found", "95 % interval"), rows)


def self_test_groups(summary: Summary) -> list[tuple[str, list[str]]]:
    """Return the leaks that were planted by how often they were found: ``("19 of 20 (...)", [titles])``."""
    grouped: dict[str, list[str]] = {}
    for entry in sorted(summary["self_test"], key=lambda e: -e["share"]):
        grouped.setdefault(f"{_found(entry)} ({_found_interval(entry)})", []).append(str(entry["title"]))
    return list(grouped.items())


def _found(entry: Summary) -> str:
    return f"{entry['found']} of {entry['tries']}"


def _found_interval(entry: Summary) -> str:
    return f"{share(entry['low'], 0)} to {share(entry['high'], 0)}"


def not_planted(summary: Summary) -> list[tuple[str, list[str]]]:
    """Return what the self-test did not plant, by the reason."""
    grouped: dict[str, list[str]] = {}
    for what, reason in summary["not_checked"]:
        if what.startswith(_SELF_TEST):
            grouped.setdefault(reason, []).append(what.removeprefix(_SELF_TEST))
    return sorted(grouped.items(), key=lambda entry: -len(entry[1]))


def self_test_sentence(summary: Summary) -> str | None:
    """Return what a clean report means by the self test, or None."""
    told = summary["about"].get("self_test")
    return told if isinstance(told, str) and told else None


def about_table(summary: Summary) -> Table:
    """Return what was audited, as names and values."""
    about = summary["about"]
    rows = [("data", str(about["data"]))]
    for name in ("time", "groups", "alpha", "limits", "seed", "fast"):
        value = about.get(name)
        if value not in (None, [], {}):
            rows.append((name, _plain(value)))
    versions = about.get("versions")
    rows += [("versions", ", ".join(f"{k} {v}" for k, v in versions.items()))] if versions else []
    rows += [("note", note) for note in about["notes"][:_COLUMNS_SHOWN]]
    more = len(about["notes"]) - _COLUMNS_SHOWN
    rows += [("note", f"{more:,} more notes on columns")] if more > 0 else []
    return Table("How it was made", ("", ""), rows, left=frozenset({0, 1}))


def audit_call(summary: Summary) -> str:
    """Return the Python call that makes the report again."""
    given: Mapping[str, Any] = summary["about"].get("call") or {}
    arguments = "".join(f"\n    {name}={text}," for name, text in given.items())
    return f"splitleak.leakage_report(\n    data,{arguments}\n)"


def prepared(summary: Summary, *, show_values: bool) -> Summary:
    """Return the summary as it may be shown: values of the data hidden unless they were asked for."""
    return summary if show_values else values_hidden(summary)


def _effect(value: float | None, as_share: bool) -> str:
    if value is None:
        return "?"
    if as_share:
        return share(value)
    return f"{value:.3f}" if 0.001 <= abs(value) <= 1 and isinstance(value, float) else number(value)


def number(value: float) -> str:
    """Return a number with four figures; whole ones whole."""
    if isinstance(value, int) or (float(value).is_integer() and abs(value) >= 10):
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _cells(values: Sequence[Any], key: str) -> list[str]:
    """Return a column of the evidence; its shares and areas with as many decimals each."""
    known = [value for value in values if value is not None]
    decimals = known and all(isinstance(v, float) and 0 <= abs(v) <= 1 for v in known)
    if decimals and key not in _CHANCES and not key.startswith("share"):
        return ["-" if value is None else f"{value:.3f}" for value in values]
    return [_cell(value, key) for value in values]


def _cell(value: Any, key: str) -> str:
    """Return a value of the evidence as its name asks: positions whole, shares in percent, chances short."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return _plain(value)
    if key.endswith("row"):
        return str(value)
    if key in _CHANCES:
        return chance_text(value).removeprefix("= ")
    if key.startswith("share") and 0 <= value <= 1:
        return share(value)
    return f"{value:.3f}" if key == "similarity" else number(value)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    if isinstance(value, float):
        return number(value)
    return str(value)
