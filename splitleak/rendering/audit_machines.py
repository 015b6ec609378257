"""A leakage report for machines: JUnit XML for test runners, SARIF 2.1.0 for code scanning."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any
from xml.etree import ElementTree

from splitleak.rendering.audit import (
    impact_sentence,
    measure_sentence,
    remedy_text,
    where_sentence,
)
from splitleak.rendering.audit_coverage import place_of, section_of
from splitleak.rendering.tables import Summary

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LEVELS = {"leak": "error", "caution": "warning"}
_IN_MEMORY = "data"  # code scanning refuses a log with a result that is at no file
_KINDS = {"clean": "pass", "not_applicable": "notApplicable", "skipped": "open"}


def message(result: Summary) -> str:
    """Return what a result says, as one paragraph."""
    parts = (
        result["explanation"],
        measure_sentence(result),
        impact_sentence(result),
        where_sentence(result),
    )
    return " ".join(part for part in parts if part)


def audit_junit(summary: Summary, *, fail_on: str) -> str:
    """Return the report as JUnit XML: a test case for each probe.

    Parameters
    ----------
    summary : dict
        Of a report, values hidden where they must be.
    fail_on : {"leak", "caution", "never"}
        From which status on a result is a failure.
    """
    failing = {"leak": ("leak",), "caution": ("leak", "caution"), "never": ()}[fail_on]
    results = summary["results"]
    suite = ElementTree.Element("testsuite", name="splitleak")
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("verdict", summary["verdict"]), ("data", summary["about"]["data"])):
        ElementTree.SubElement(properties, "property", name=name, value=_xml(str(value)))
    failures = skipped = 0
    for result in results:
        name = _xml(f"{result['code']} {result['title']}")
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"splitleak.{_section(result['code'])}", name=name, time="0"
        )
        if result["muted"] is not None:
            skipped += 1
            ElementTree.SubElement(case, "skipped", message=_xml(f"muted: {result['muted']}"))
        elif result["status"] in failing:
            failures += 1
            text = "\n\n".join(filter(None, (message(result), remedy_text(result))))
            failure = ElementTree.SubElement(
                case, "failure", type=result["status"], message=_xml(result["explanation"])
            )
            failure.text = _xml(text)
        elif result["status"] in ("not_applicable", "skipped"):
            skipped += 1
            reason = result["status"].replace("_", " ")
            ElementTree.SubElement(case, "skipped", message=_xml(f"{reason}: {result['explanation']}"))
        else:
            ElementTree.SubElement(case, "system-out").text = _xml(f"{result['status']}: {message(result)}")
    counts = {"tests": len(results), "failures": failures, "errors": 0, "skipped": skipped, "time": 0}
    for key, number in counts.items():
        suite.set(key, str(number))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=False) + "\n"


def audit_sarif(
    summary: Summary, *, version: str, artifact: str | None = None, all_results: bool = False
) -> dict[str, Any]:
    """Return the report as a SARIF 2.1.0 log in plain JSON types: a rule for each probe, a result for each finding.

    Parameters
    ----------
    summary : dict
        Of a report, values hidden where they must be.
    version : str
        Of splitleak.
    artifact : str, optional
        Path of the data relative to the repository, which code scanning shows the results at.
    all_results : bool
        Results for what was clean, not applicable, skipped and muted, too.
    """
    numbered = list(enumerate(summary["results"]))
    shown = [(i, r) for i, r in numbered if all_results or (r["status"] in _LEVELS and r["muted"] is None)]
    notes = [
        {"level": "note", "message": {"text": f"Not checked: {what}: {reason}"}}
        for what, reason in summary["not_checked"]
    ]
    run = {
        "tool": {
            "driver": {
                "name": "splitleak",
                "version": version,
                "semanticVersion": version,
                "rules": [_sarif_rule(r) for r in summary["results"]],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
        "results": [_sarif_result(i, r, artifact) for i, r in shown],
        "properties": {
            "verdict": summary["verdict"],
            "data": summary["about"]["data"],
            "answers": {
                r["code"]: r["status"] if r["muted"] is None else f"{r['status']}, muted: {r['muted']}"
                for r in summary["results"]
            },
        },
    }
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _sarif_rule(result: Summary) -> dict[str, Any]:
    told = [("How it is found", "how"), ("Why it matters", "why"), ("What bounds false alarms", "bound")]
    told = [(name, result[key]) for name, key in told if result.get(key)]
    title = f"{result['title']}."
    return {
        "id": result["code"],
        "name": "".join(word.capitalize() for word in re.findall(r"[A-Za-z0-9]+", result["title"])),
        "shortDescription": {"text": title},
        "fullDescription": {"text": result["why"] or title},
        "help": {
            "text": " ".join(f"{name}: {text}" for name, text in told) or title,
            "markdown": "\n\n".join(f"**{name}**: {text}" for name, text in told) or title,
        },
        "defaultConfiguration": {"level": _LEVELS.get(result["status"], "warning")},
        "properties": {
            "tags": ["leakage", section_of(result["code"]), place_of(result["code"])],
            "problem.severity": _LEVELS.get(result["status"], "warning"),
        },
    }


def _sarif_result(index: int, result: Summary, artifact: str | None) -> dict[str, Any]:
    found = result["status"] in _LEVELS
    level = _LEVELS[result["status"]] if found else "none"
    if result["status"] == "caution" and result["severity"] == "low":
        level = "note"
    made: dict[str, Any] = {
        "ruleId": result["code"],
        "ruleIndex": index,
        "kind": "fail" if found else _KINDS[result["status"]],
        "level": level,
        "message": {"text": message(result) or result["title"]},
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(result)},
        "properties": {
            key: result[key] for key in ("severity", "effect", "effect_name", "p_value", "q_value", "remedy")
        },
    }
    columns = [
        {"name": name, "fullyQualifiedName": f"columns/{name}", "kind": "member"}
        for name in result["columns"]
    ]
    place = {"artifactLocation": {"uri": _uri(artifact or _IN_MEMORY)}, "region": {"startLine": 1}}
    made["locations"] = [{"physicalLocation": place, **({"logicalLocations": columns} if columns else {})}]
    if result["muted"] is not None:
        made["suppressions"] = [{"kind": "external", "justification": result["muted"]}]
    return made


def _fingerprint(result: Summary) -> str:
    """Return by what code scanning knows an alert again when the file, or the numbers in the text, have changed."""
    told = "\0".join([result["code"], *sorted(result["columns"])])
    return f"{sha256(told.encode()).hexdigest()[:16]}:1"


def _section(code: str) -> str:
    return code[:4] if code.startswith("SPL") else code.rstrip("0123456789")


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path.replace("\\", "/"), safe="/:")


def _xml(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
