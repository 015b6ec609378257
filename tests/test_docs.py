"""The site builds with warnings as errors, has a page for all that is registered, and its examples run."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import splitleak
from splitleak.leakage import LIMITS
from tests.test_readme import blocks, run_commands

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def site_pages() -> ModuleType:
    """Import the hook, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("site_pages", DOCS / "site_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site once."""
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_every_probe_has_its_page(site: Path) -> None:
    for code in site_pages().codes():
        text = (site / "probes" / code / "index.html").read_text("utf-8")
        for heading in (
            "Why it matters",
            "How it is detected",
            "What to do",
            "Parameters and limits",
            "Source",
        ):
            assert f">{heading}<" in text, (code, heading)
        assert f"LEAK {code}" in text or f"CAUTION {code}" in text, f"the example of {code} does not fire"


def test_every_backend_has_its_page(site: Path) -> None:
    names = site_pages().names()
    assert {p.stem for p in (DOCS / "backends").glob("*.md")} == set(names), "a page each, written by hand"
    for name in names:
        text = (site / "backends" / name / "index.html").read_text("utf-8")
        for heading in ("When to use it", "Parameters and limits", "Reference and source"):
            assert f">{heading}<" in text, (name, heading)


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    hook = site_pages()
    listed = [name for members in hook.API.values() for name in members]
    assert sorted(listed) == sorted([*splitleak.__all__, "datasets", "planting", "testing"])
    found = "".join(page.read_text("utf-8") for page in (site / "api").rglob("*.html"))
    for name in listed:
        assert f'id="splitleak.{name}"' in found, name


def test_every_limit_stands_on_a_page() -> None:
    notes = tomllib.loads((DOCS / "probes.toml").read_text("utf-8"))
    assert list(notes) == site_pages().codes()
    assert {name for entry in notes.values() for name in entry.get("limits", [])} == set(LIMITS)


def test_every_command_has_its_section(site: Path) -> None:
    text = (site / "command-line" / "index.html").read_text("utf-8")
    for name in ("split", "check", "repair", "extend", "duplicates", "report", "doctor", "demo"):
        assert f'<h2 id="{name}">' in text


def test_the_site_needs_no_network(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img)[^>]* src="(https?:[^"]*)"', page.read_text("utf-8"))
        loaded += re.findall(
            r'<link[^>]*rel="stylesheet"[^>]* href="(https?:[^"]*)"', page.read_text("utf-8")
        )
        assert not loaded, (page, loaded)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {"__name__": "docs"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in blocks("python", page):
            exec(compile(block, str(page.name), "exec"), scope)
    run_commands(page)


@pytest.fixture(autouse=True)
def _backends_of_one_page() -> Iterator[None]:
    from splitleak.similarity import base

    yield
    for name in [name for name in base._REGISTRY if name not in base._BUILT_IN]:
        del base._REGISTRY[name]


def test_examples_of_probes_are_python() -> None:
    hook = site_pages()
    notes = tomllib.loads((DOCS / "probes.toml").read_text("utf-8"))
    for code in hook.codes():  # they run, and what they print is shown, when the site is built
        ast.parse(hook.probe_example(code, notes[code]))
