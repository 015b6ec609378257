"""Entry points: a real second package is installed beside splitleak and used by name; a bad one is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

import splitleak
from splitleak.errors import InputError
from splitleak.probes.base import get_probe, probe_codes
from splitleak.similarity.base import _REGISTRY, backend_names, get_backend

PACKAGE = Path(__file__).parent / "plugin_package"
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the second package into a folder of its own."""
    for tool in ("pip", "setuptools"):
        if find_spec(tool) is None:
            pytest.skip(f"{tool} installs the second package, and is not here")
    folder = tmp_path_factory.mktemp("plugins")
    source = shutil.copytree(PACKAGE, folder / "source")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check"]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *options,
        "--target",
        str(folder / "site"),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def run(site: Path, *command: str, cwd: Path) -> str:
    places = os.pathsep.join([str(site), str(ROOT)])
    done = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def addresses() -> pd.DataFrame:
    rows = [f"user{i}@host{i % 25}.org" for i in range(100)]
    return pd.DataFrame({"address": rows, "is_test": [i % 2 for i in range(100)], "size": range(100)})


PYTHON = """
import pandas as pd, splitleak
from splitleak.testing import check_backend, check_probe
df = pd.read_csv("addresses.csv")
split = splitleak.split_by_similarity(df, on="address", similarity="same-domain", sizes={"train": .8, "test": .2})
domain = df.address.str.partition("@")[2]
assert not set(domain[split["train"]]) & set(domain[split["test"]])
assert split.certificate.verdict == "separated"
assert split.provenance.options["similarity"] == "same-domain"
split.save("split.parquet")
report = splitleak.leakage_report(df, split, impact=False)
assert report["ACME001"].columns == ("is_test",), report["ACME001"]
check_backend("same-domain", df.address.tolist(), oracle=lambda a, b: float(a.split("@")[1] == b.split("@")[1]))
clean = df.drop(columns="is_test")
check_probe("ACME001", {"data": df, "split": split}, lambda seed: {"data": clean, "split": split}, seeds=3)
"""


def test_a_second_package_is_used_by_name(installed: Path, tmp_path: Path) -> None:
    addresses().to_csv(tmp_path / "addresses.csv", index=False)
    run(installed, "-W", "error::UserWarning", "-c", PYTHON, cwd=tmp_path)
    told = run(installed, "-m", "splitleak", "check", "split.parquet", "addresses.csv", cwd=tmp_path)
    assert "train / test 0 < 1" in " ".join(told.split())
    made = ["split", "addresses.csv", "--on", "address", "--similarity", "same-domain", "--out", "two.csv"]
    assert "wrote two.csv" in run(installed, "-m", "splitleak", *made, cwd=tmp_path)


def write_plugin(folder: Path, name: str, code: str, group: str, entry: str) -> None:
    """Write a module and the dist-info that an installer would have written."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-3.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 3.0\n")
    (info / "entry_points.txt").write_text(f"[splitleak.{group}]\n{entry} = {module}:made\n")


GOOD = """
import splitleak
@splitleak.similarity_backend({name!r}, kinds={{"text"}})
def made(records, *, threshold): ...
"""


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "import nothing_of_this_name",
            "'odd-one', an entry point of acme-odd 3.0.*cannot be loaded: ModuleNotFound",
        ),
        ("1 / 0", "acme-odd 3.0.*ZeroDivisionError.*uninstall"),
        ("other = 1", "acme-odd 3.0.*cannot be loaded: AttributeError"),
        (
            "def made(records, *, threshold): ...",
            "acme-odd 3.0.*is a function, not a Backend.*similarity_backend",
        ),
        (GOOD.format(name="another"), "acme-odd 3.0.*calls itself 'another'"),
    ],
)
def test_bad_backends_are_named(
    code: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plugin(tmp_path, "acme-odd", code, "similarity", "odd-one")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        assert "odd-one" in backend_names()
        with pytest.raises(InputError, match=message):
            splitleak.similarity_graph(["a", "b"], similarity="odd-one(0.7)")
    finally:
        sys.modules.pop("acme_odd", None)
        _REGISTRY.pop("another", None)


def test_bad_probes_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_plugin(tmp_path, "acme-odd", "def made(context): ...", "probes", "ODD001")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        assert "ODD001" in probe_codes()
        with pytest.raises(
            InputError, match="'ODD001', an entry point of acme-odd 3.0.*not a Probe.*@splitleak.probe"
        ):
            get_probe("ODD001")
    finally:
        sys.modules.pop("acme_odd", None)


def test_two_packages_with_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("acme-odd", "beta-odd"):
        write_plugin(tmp_path, name, GOOD.format(name="odd-one"), "similarity", "odd-one")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        InputError, match="registered by .*acme-odd 3.0.*beta-odd 3.0|beta-odd 3.0.*acme-odd 3.0"
    ):
        get_backend("odd-one")
