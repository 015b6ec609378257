"""Every view of a leakage report: structure, escaping, sizes, and that values stay hidden."""

import json
import re
import sys
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak.errors import InputError
from splitleak.probe_result import ProbeResult
from splitleak.probes.base import probe_codes
from splitleak.rendering.audit import chance_text, number
from splitleak.rendering.audit_coverage import coverage_table, place_of
from splitleak.rendering.audit_figures import audit_figures
from splitleak.rendering.audit_terminal import show_audit
from splitleak.rendering.audit_values import HIDDEN
from splitleak.report import LeakageReport
from tests.rendering.audits import EVIL, PICTURES, SECRET, made_up, planted, table
from tests.rendering.test_html import Outline


def views(report: LeakageReport) -> dict[str, str]:
    """Return every view that hides values."""
    return {
        "repr": repr(report),
        "text": str(report),
        "notebook": report._repr_html_(),
        "html": report.to_html(),
        "json": report.to_json(),
        "junit": report.to_junit(fail_on="caution"),
        "sarif": report.to_sarif(),
    }


def test_text_says_verdict_first_then_the_worst() -> None:
    report = planted()
    lines = str(report).splitlines()
    assert lines[0].startswith("Leak: ")
    assert all(len(line) <= 100 for line in lines if "x" * 20 not in line)
    text = str(report)
    order = [text.index(f"{r.status.upper()} {r.code}") for r in report.findings]
    assert order == sorted(order)
    assert "df = df.drop(columns=" in text
    assert "Muted:\n  SPL303" in text
    assert "patients come back" in text
    for result in report.results:
        assert result.code in text
    assert "Column nested" in text[text.index("Not checked:") :]


def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show_audit(planted().summary())
    shown = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out)
    assert shown.startswith("Leak: ")
    code = "df = df.drop("
    assert all(len(line) <= 60 for line in shown.splitlines() if code not in line and EVIL not in line)
    assert shown.split() == str(planted()).split()
    assert any(line.startswith(f"    {code}") for line in shown.splitlines())


def test_repr_is_short_and_says_the_next_step() -> None:
    shown = repr(planted())
    assert len(shown.splitlines()) < 12
    assert "to_html(" in shown
    assert shown.startswith("LeakageReport: leak; ")


def test_clean_and_empty_reports_say_so() -> None:
    df = table()[["x1", "x2", "y"]]
    split = np.where(np.arange(len(df)) % 4 == 0, "test", "train")
    clean = splitleak.leakage_report(df, split, target="y", probes=["SPL307", "SPL308"])
    assert str(clean).startswith("Clean: ")
    assert "Looked for and not found:\n  SPL308 Held-out rows lie outside the range seen in training" in str(
        clean
    )
    nothing = splitleak.leakage_report(df, probes=["SPL307"])
    assert str(nothing).startswith("Nothing was checked")
    assert "not_applicable" not in str(nothing)
    made = made_up("caution")
    assert str(made).startswith("Caution: no certain leak; 1 finding needs")


def test_self_test() -> None:
    made = made_up()
    assert f"{EVIL} would have been seen." in str(made)
    for row in (str(made), made.to_html().replace("\N{NO-BREAK SPACE}", " ")):
        assert "19 of 20" in row
        assert "76 % to 99 %" in row


def test_page() -> None:
    page = planted().to_html()
    outline = Outline(page)
    assert outline.headings[0].startswith("Leakage report: ")
    expected = ["Findings", "Muted", "Found nothing", "Not applicable", "Not checked"]
    assert [h for h in outline.headings if h in expected] == expected
    assert outline.headings[-2:] == ["What this report covers", "How it was made"]
    assert page.index("Leak: a score") < page.index("<h2>Findings")
    assert "script" not in outline.tags
    assert all(a.startswith("#") for a in outline.addresses)
    assert len(outline.ids) == len(set(outline.ids))
    assert {r.code for r in planted().findings} <= set(outline.ids)
    assert {a[1:] for a in outline.addresses} <= set(outline.ids)
    assert "svg" in outline.tags
    assert "target=&#39;y&#39;" in page
    assert "Kapoor" in page
    assert len(page.encode()) < 300_000
    assert Outline(planted()._repr_html_()).ids.count("SPL201") == 0


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("show", [False, True])
def test_pictures_of_each_kind(kind: str, show: bool) -> None:
    page = made_up(picture=PICTURES[kind]).to_html(show_values=show)
    outline = Outline(page)
    assert "script" not in outline.tags
    assert "<script" not in page
    drawn = outline.tags & {"svg", "img"}
    assert drawn == {"images": {"img"} if show else set(), "pairs": set()}.get(kind, {"svg"})
    assert len(outline.ids) == len(set(outline.ids))


def test_bad_pictures_are_not_drawn() -> None:
    assert audit_figures(None, title="", identifier="a") == []
    assert audit_figures({"kind": "new"}, title="", identifier="a") == []
    empty = ({"kind": "bars", "labels": [], "values": []}, {"kind": "heatmaps", "maps": {}})
    assert [audit_figures(p, title="", identifier="a") for p in empty] == [[], []]
    assert audit_figures({"kind": "ribbon", "series": {}}, title="", identifier="a") == []


def test_dates_of_any_year_are_drawn() -> None:
    picture = {"kind": "ribbon", "unit": "seconds since 1970", "series": {"a": [-1e13, -1e9, 0, 1e9, 1e13]}}
    assert len(audit_figures(picture, title="", identifier="a")) == 1


@pytest.mark.parametrize("picture", [None, *PICTURES.values()])
def test_nothing_becomes_markup(picture: dict | None) -> None:
    report = made_up(picture=picture, evidence=[{"column": EVIL, "value": SECRET, "n": 1.5, "sure": True}])
    assert "<script" not in report.to_html()
    assert "<script" not in report._repr_html_()
    ElementTree.fromstring(report.to_junit())
    assert all(SECRET not in text for text in views(report).values())
    assert SECRET in report.to_html(show_values=True)
    assert SECRET in report.to_json(show_values=True)


def test_labels_that_are_values_are_hidden() -> None:
    bars = {"kind": "bars", "labels": [SECRET, "b"], "values": [1.0, 2.0], "unit": "z"}
    evidence = [{"token": SECRET, "z": 3.0}]
    page = made_up(picture=bars, evidence=evidence).to_html()
    assert SECRET not in page
    assert HIDDEN in page
    assert SECRET not in made_up(picture={**bars, "labels_are": "values"}).to_html()
    shown = made_up(picture={**bars, "labels": ["step", "b"]}).to_html()  # no values at all: names of steps
    assert "step" in shown


@settings(max_examples=8, deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8),
    st.integers(0, 2**20),
    st.sampled_from(["value", "groups", "entity"]),
)
def test_values_of_the_table_are_in_no_view(tail: str, seed: int, place: str) -> None:
    """A category that occurs in one class, crosses the split, or is never seen in training."""
    rng = np.random.default_rng(seed)
    df = table(160, seed)
    split = np.where(rng.random(160) < 0.25, "test", "train")
    marked = (df["y"] == "ill") & (rng.random(160) < 0.5)
    df["note"] = np.where(marked, SECRET + tail, rng.choice(["a", "b"], 160))
    df["new"] = np.where(split == "test", SECRET + tail, "old")
    df["patient"] = df["patient"] + SECRET
    groups = "patient" if place == "groups" else None
    report = splitleak.leakage_report(df, split, target="y", groups=groups, impact=False)
    for name, text in views(report).items():
        assert SECRET not in text, name


def test_many_findings_stay_small() -> None:
    rng = np.random.default_rng(0)
    wide = [{f"column {i}": float(x) for i, x in enumerate(rng.normal(size=8))} for _ in range(1000)]
    maps = {"kind": "heatmaps", "maps": {str(i): rng.random((60, 60)).tolist() for i in range(6)}}
    one = made_up(picture=maps, evidence=wide).results[0]
    many = [type(one)(**{**vars(one), "code": f"ACME{i:03d}"}) for i in range(12)]
    report = LeakageReport(tuple(many), made_up().about)
    page = report.to_html()
    assert len(page.encode()) < 300_000
    assert "The picture is left out" in page
    assert Outline(page).headings[1] == "Findings"


def test_many_columns_that_cannot_be_used() -> None:
    columns = tuple((f"Column c{i}", "nested") for i in range(5000))
    one = made_up()
    report = LeakageReport(
        one.results, {**one.about, "notes": [f"c{i}: nested" for i in range(5000)]}, columns
    )
    assert "4,988 more columns" in str(report)
    assert len(report.to_html().encode()) < 100_000


def test_pairs_name_the_rows_of_the_caller() -> None:
    positions = np.array([30, 10, 20])
    picture = {"kind": "pairs", "pairs": [[0, 2, 0.9]]}
    finding = splitleak.Finding("leak", "x", rows=np.array([0]), partners=np.array([2]), picture=picture)
    result = ProbeResult.of("ACME001", "x", "", finding, positions)
    assert (result.rows.tolist(), result.partners.tolist()) == ([30], [20])
    assert result.picture == {"kind": "pairs", "pairs": [[30, 20, 0.9]]}


def test_a_remedy_of_a_thousand_columns_is_not_printed() -> None:
    columns = [f"column {i}" for i in range(5000)]
    report = made_up(columns=tuple(columns), remedy=f"df = df.drop(columns={columns})")
    assert 'df = df.drop(columns=list(report["ACME001"].columns))' in str(report)
    other = made_up(columns=tuple(columns), remedy=f"columns = {columns}\ndel columns")
    assert f'# {len(other["ACME001"].remedy):,} characters: report["ACME001"].remedy' in str(other)
    assert len(str(report)) < 3000
    assert len(report.to_html().encode()) < 50_000
    assert json.loads(report.to_json())["results"][0]["remedy"] == report["ACME001"].remedy


def test_json_comes_back(tmp_path) -> None:
    report = made_up(picture=PICTURES["bars"], evidence=[{"value": SECRET}])
    path = tmp_path / "report.json"
    text = report.to_json(path, show_values=True)
    assert path.read_text(encoding="utf-8") == text
    again = LeakageReport.from_json(path)
    assert again.summary() == report.summary() == json.loads(text)
    assert again.verdict == "leak"
    assert again["ACME001"].severity == report["ACME001"].severity
    assert again.to_html() == report.to_html()
    planted().to_json(path)
    assert LeakageReport.from_json(path).frame().equals(planted().frame())


def test_files_that_hold_no_report_are_refused(tmp_path) -> None:
    path = tmp_path / "x.json"
    for text, message in (("{", "cannot be read"), ("[]", "no report"), ('{"format": 1}', "no report")):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            LeakageReport.from_json(path)
    path.write_text('{"format": 99, "results": [], "about": {}}')
    with pytest.raises(InputError, match="later version"):
        LeakageReport.from_json(path)
    with pytest.raises(InputError, match="cannot be read"):
        LeakageReport.from_json(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("view", "ending"),
    [("to_html", ".html"), ("to_json", ".json"), ("to_junit", ".xml"), ("to_sarif", ".sarif")],
)
def test_files(view: str, ending: str, tmp_path) -> None:
    write = getattr(made_up(), view)
    path = tmp_path / f"report{ending}"
    assert path.write_text("old")
    assert write(path) == path.read_text(encoding="utf-8")
    assert write() == write(path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    with pytest.raises(InputError, match="must end in"):
        write(tmp_path / "report.doc")
    with pytest.raises(InputError, match="does not exist"):
        write(tmp_path / "none" / path.name)


def test_junit() -> None:
    report = planted()
    for fail_on in ("leak", "caution", "never"):
        suite = ElementTree.fromstring(report.to_junit(fail_on=fail_on)).find("testsuite")
        cases = {case.get("name")[:6]: case for case in suite.iter("testcase")}
        assert sorted(cases) == sorted(r.code for r in report.results)
        statuses = {"leak": ["leak"], "caution": ["leak", "caution"], "never": []}[fail_on]
        failing = {r.code for r in report.findings if r.status in statuses}
        assert {code for code, case in cases.items() if case.find("failure") is not None} == failing
        assert int(suite.get("failures")) == len(failing)
        skipped = {code for code, case in cases.items() if case.find("skipped") is not None}
        could_not = {r.code for r in report.results if r.status in ("not_applicable", "skipped")}
        assert skipped == could_not | {"SPL303"}
        assert int(suite.get("skipped")) == len(skipped)
    with pytest.raises(InputError, match="did you mean 'caution'"):
        report.to_junit(fail_on="cautoin")  # type: ignore[arg-type]
    control = made_up(muted="a\x00b\x1b[31m￿")
    assert ElementTree.fromstring(control.to_junit()) is not None


def test_sarif_has_a_result_for_each_probe() -> None:
    report = planted()
    log = json.loads(report.to_sarif(artifact="data/my table.csv", all_results=True))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "splitleak"
    assert len(driver["rules"]) == len(run["results"]) == len(report.results)
    assert len({rule["id"] for rule in driver["rules"]}) == len(driver["rules"])
    for rule in driver["rules"]:
        assert rule["help"]["text"]
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning")
    for result, made in zip(report.results, run["results"], strict=True):
        assert made["ruleId"] == driver["rules"][made["ruleIndex"]]["id"] == result.code
        assert made["message"]["text"]
        assert made["kind"] in ("fail", "pass", "notApplicable", "open")
        assert (made["level"] == "none") == (made["kind"] != "fail")
        assert ("suppressions" in made) == (result.muted is not None)
        (place,) = made["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == "data/my%20table.csv"
        names = [entry["name"] for entry in place.get("logicalLocations", [])]
        assert names == list(result.columns)
    levels = {"leak": {"error"}, "caution": {"warning", "note"}}
    for result, made in zip(report.results, run["results"], strict=True):
        assert made["level"] in levels.get(result.status, {"none"})


def test_sarif_for_code_scanning_holds_findings_only() -> None:
    report = planted()
    (run,) = json.loads(report.to_sarif())["runs"]
    assert [made["ruleId"] for made in run["results"]] == [r.code for r in report.findings]
    assert len({made["partialFingerprints"]["primaryLocationLineHash"] for made in run["results"]}) == len(
        report.findings
    )
    rules = run["tool"]["driver"]["rules"]
    for made in run["results"]:
        assert rules[made["ruleIndex"]]["id"] == made["ruleId"]
        assert "suppressions" not in made
        (place,) = made["locations"]
        assert place["physicalLocation"] == {"artifactLocation": {"uri": "data"}, "region": {"startLine": 1}}
    answers = run["properties"]["answers"]
    assert set(answers) == {r.code for r in report.results}
    assert answers["SPL303"] == f"{report['SPL303'].status}, muted: patients come back"


@pytest.mark.parametrize("all_results", [False, True])
def test_sarif_is_valid(all_results: bool) -> None:
    from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Log

    for report in (planted(), made_up(), made_up("caution", muted="no")):
        Log.model_validate_json(report.to_sarif(artifact="a b.csv", all_results=all_results))


def test_coverage_names_each_probe_once() -> None:
    shown = coverage_table(planted().summary())
    codes = [code for row in shown.rows for code in row[2].split(", ") if code != "-"]
    assert sorted(codes) == sorted(set(probe_codes()) | {r.code for r in planted().results})
    assert place_of("SPL199") == "L1"
    assert place_of("SPL110") == "L1.2"
    assert place_of("ACME001") == "other"
    few = splitleak.leakage_report(table(), target="y", probes=["SPL201"])
    answers = {row[0]: row[3] for row in coverage_table(few.summary()).rows}
    assert answers["L1.1"] == "no split was given"
    assert "not selected" in answers["L3.1"]


def test_call_can_be_pasted_and_holds_no_values() -> None:
    df = table(60)
    split = ["train", "test"] * 30
    report = splitleak.leakage_report(
        df, split, target="y", probes=["SPL307"], alpha=0.02, ignore={"SPL307": "known"}
    )
    call = report.about["call"]
    assert call == {
        "split": "split",
        "target": "'y'",
        "probes": "['SPL307']",
        "ignore": "{'SPL307': 'known'}",
        "alpha": "0.02",
    }
    given = {name: eval(text, {"split": split}) for name, text in call.items()}
    again = splitleak.leakage_report(df, **given)
    assert again.summary() == report.summary()


def test_numbers() -> None:
    assert [number(x) for x in (3, 1234.0, 0.99746, 1e-9)] == ["3", "1,234", "0.9975", "1e-09"]
    assert [chance_text(x) for x in (0.0, 1e-30, 0.0123)] == ["< 1e-12", "< 1e-12", "= 0.012"]


def test_frames_do_not_change() -> None:
    frame = planted().frame()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns[:4]) == ["code", "title", "status", "severity"]
