"""The house is in order: style, types, direction of imports, what importing costs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import splitleak

ROOT = Path(__file__).parent.parent
HEAVY = [
    "numba", "pandas", "scipy", "sklearn", "pyarrow", "faiss", "datasketch", "matplotlib", "jinja2", "typer",
    "torch", "rdkit", "PIL", "polars", "datasets",
]  # fmt: skip


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_style() -> None:
    run(sys.executable, "-m", "ruff", "check", "--no-cache", ".")
    run(sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".")


def test_types(tmp_path: Path) -> None:
    run(sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path))


def test_direction_of_imports(tmp_path: Path) -> None:
    run(
        sys.executable, "-c", "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())",
        "--no-cache",
    )  # fmt: skip


def test_importing_is_light() -> None:
    run(
        sys.executable,
        "-c",
        f"import sys, splitleak; bad = [m for m in {HEAVY!r} if m in sys.modules]; assert not bad, bad",
    )


def test_importing_prints_nothing() -> None:
    assert run(sys.executable, "-c", "import splitleak") == ""


@pytest.mark.parametrize("name", splitleak.__all__)
def test_public_names_exist_and_are_documented(name: str) -> None:
    assert getattr(splitleak, name).__doc__
    assert not (ROOT / "splitleak" / f"{name}.py").exists(), (
        "a module would hide the name once it is imported"
    )


def test_public_names_are_sorted() -> None:
    assert splitleak.__all__ == sorted(splitleak.__all__)
    assert set(splitleak.__all__) <= set(dir(splitleak))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = splitleak.nothing


def test_version_stands_once() -> None:
    assert f'version = "{splitleak.__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_readme_names_the_probes_of_the_registry() -> None:
    from splitleak.probes.base import get_probe, probe_codes

    built_in = [code for code in probe_codes() if code.startswith("SPL")]
    wanted = [f"| {code} | {get_probe(code).title} |" for code in built_in]
    found = re.findall(r"^\| SPL[0-9]{3} .*\|$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert found == wanted, "the table of probes in README.md should be:\n" + "\n".join(wanted)


def test_readme_names_the_backends_of_the_registry() -> None:
    from splitleak.similarity.base import _BUILT_IN

    page = (ROOT / "README.md").read_text("utf-8")
    table = page[page.index("| name | compares |") :].split("\n\n")[0]
    named = set(re.findall(r"`([a-z-]+)`", table))
    assert set(_BUILT_IN) - named - {"precomputed"} == set(), (
        "the table of backends in README.md leaves these out"
    )
