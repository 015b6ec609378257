"""doctor(): what it says is what is declared and what happens."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import splitleak
from splitleak.cli import app
from splitleak.installation import EXTRAS, REQUIRED
from splitleak.probes.base import probe_codes
from splitleak.similarity.base import backend_names
from tests.test_plugins import write_plugin

DECLARED = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]


def package(requirement: str) -> str:
    return re.split(r"[<>=\[]", requirement)[0]


def test_what_is_declared_is_looked_at() -> None:
    assert list(REQUIRED) == [package(requirement) for requirement in DECLARED["dependencies"]]
    optional = DECLARED["optional-dependencies"]
    assert set(EXTRAS) == set(optional) - {"all", "bench", "docs", "test"}
    for extra, (name, _, _) in EXTRAS.items():
        assert name == package(optional[extra][0])


def test_everything_here_is_told() -> None:
    found = splitleak.doctor()
    assert all(part.usable and part.version for part in found.libraries)
    assert [part.name for part in found.backends] == backend_names()
    assert [part.name for part in found.probes] == probe_codes()
    for part in (*found.extras, *found.programs, *found.backends, *found.probes):
        assert part.usable or part.about
    assert all(
        part.install == f'pip install "splitleak[{part.name}]"' for part in found.extras if not part.usable
    )


def test_a_missing_extra_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    found = splitleak.doctor()
    parts = {part.name: part for part in (*found.extras, *found.backends)}
    assert not parts["image"].usable
    for name in ("pixels", "phash", "image-embedding"):
        assert (parts[name].usable, parts[name].install) == (False, 'pip install "splitleak[image]"')
    assert parts["jaccard"].usable
    line = next(line for line in repr(found).splitlines() if re.match(r" +NO +phash", line))
    assert line.endswith('->  pip install "splitleak[image]"')


def test_broken_plugins_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_plugin(tmp_path, "acme-broken", "import nothing_of_this_name", "similarity", "broken-one")
    monkeypatch.syspath_prepend(tmp_path)
    (part,) = (part for part in splitleak.doctor().backends if part.name == "broken-one")
    assert not part.usable
    assert "acme-broken 3.0" in part.about


def test_in_the_shell() -> None:
    text = CliRunner().invoke(app, ["doctor"])
    assert text.exit_code == 0, text.output
    assert f"splitleak {splitleak.__version__}, Python" in text.output
    assert "Similarity backends" in text.output
    found = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).output)
    assert found == splitleak.doctor().summary()
