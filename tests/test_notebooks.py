"""Every notebook runs from top to bottom, and is committed as it ran: with outputs, small, without traces of a machine.

What a notebook needs stands in its metadata: ``"splitleak": {"needs_data": true, "needs_torch": true}``.
"""

import ast
import importlib.util
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from splitleak.datasets import FOLDER_VARIABLE

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CELL_SECONDS = 180
CELL_LINES = 30  # a screen
FILE_BYTES = 1_000_000
MACHINE = re.compile(
    r"/(?:home|tmp|work|root|opt|usr|var|mnt|Users|private)/|[A-Z]:\\|site-packages|ipykernel_"
)

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def skip_unless_it_can_run(notebook: Any) -> None:
    needs = notebook.metadata.get("splitleak", {})
    assert set(needs) <= {"needs_data", "needs_torch"}, needs
    folder = os.environ.get(FOLDER_VARIABLE)
    if needs.get("needs_data") and not (folder and Path(folder).is_dir()):
        pytest.skip(f"real data: {FOLDER_VARIABLE} names no folder")
    if needs.get("needs_torch") and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed (extra torch)")


def kinds_of_output(cell: Any) -> set[str]:
    """Return what a reader sees below a cell: text, pictures, tables; warnings do not count."""
    kinds: set[str] = set()
    for output in cell.outputs:
        if output.output_type == "stream":
            kinds |= {"text"} if output.name == "stdout" else set()
        else:
            kinds |= set(output.get("data", {}))
    return kinds


def test_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, with this copy of the library; each cell shows what the committed one shows."""
    from nbclient import NotebookClient

    committed = read(path)
    skip_unless_it_can_run(committed)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):  # tests run side by side
        monkeypatch.setenv(variable, str(tmp_path / variable))
    folder = tmp_path / "notebook"
    folder.mkdir()
    executed = read(path)
    client = NotebookClient(
        executed, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    for was, now in zip(code_cells(committed), code_cells(executed), strict=True):
        assert kinds_of_output(was) == kinds_of_output(now), was.source


def test_is_committed_as_it_ran(path: Path) -> None:
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert any("image/png" in kinds_of_output(cell) for cell in cells), "a notebook has pictures"


def test_shows_no_machine(path: Path) -> None:
    notebook = read(path)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) <= {"kernelspec", "language_info", "splitleak"}
    assert "version" not in notebook.metadata.get("language_info", {})
    for cell in notebook.cells:
        assert "execution" not in cell.metadata, "timestamps of the run"
        assert not MACHINE.search(cell.source), cell.source
        for output in cell.get("outputs", []):
            shown = {kind: text for kind, text in output.get("data", {}).items() if "image" not in kind}
            found = MACHINE.search(str(shown) + output.get("text", ""))
            assert not found, (cell.source, found)


def test_is_small(path: Path) -> None:
    assert path.stat().st_size < FILE_BYTES
    for cell in code_cells(read(path)):
        assert cell.source.count("\n") < CELL_LINES, cell.source


def test_asks_and_answers(path: Path) -> None:
    """Words before each step, and questions whose answers are folded."""
    notebook = read(path)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert text.count("<details>") == text.count("</details>") >= 2
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")


def test_has_fixed_seeds(path: Path) -> None:
    source = "\n".join(cell.source for cell in code_cells(read(path)))
    for call in [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]:
        if ast.unparse(call.func).endswith("default_rng"):
            assert call.args or call.keywords, "default_rng() takes a seed"
    if re.search(r"^(import|from) torch", source, re.MULTILINE):
        assert "torch.manual_seed(" in source


def test_is_linked_from_the_readme(path: Path) -> None:
    assert f"(notebooks/{path.name})" in (ROOT / "README.md").read_text()
