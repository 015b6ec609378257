"""The scripts in benchmarks/ start, run on something small, and stand in their README."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
SCRIPTS = sorted(
    path.name for path in BENCHMARKS.glob("*.py") if '__name__ == "__main__"' in path.read_text()
)


def run(monkeypatch: pytest.MonkeyPatch, script: str, *arguments: str) -> int:
    monkeypatch.setenv("SPLITLEAK_NUM_THREADS", "1")  # scripts set it: the fixture takes it back
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    try:
        runpy.run_path(str(BENCHMARKS / script), run_name="__main__")
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    except ModuleNotFoundError as missing:
        pytest.skip(f"{missing.name} (extra bench) is absent")
    return 0


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_says_what_it_takes(
    script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, script, "--help") == 0
    assert capsys.readouterr().out.startswith(f"usage: {script}")


def test_the_readme_names_every_script_and_no_other() -> None:
    named = set(re.findall(r"`(\w+\.py)", (BENCHMARKS / "README.md").read_text(encoding="utf-8")))
    assert set(SCRIPTS) <= named
    assert named <= {path.name for path in BENCHMARKS.glob("*.py")}


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("components.py --rows 2000 --edges 6000 --repeats 1", "same labels: True"),
        ("hits.py --hits 2000 --rows 200", "similar pairs among 200 rows"),
        ("allocation.py --clusters 50 --seeds 1", "deviation"),
        ("large_graphs.py --rows 2000 --edges 6000 --giant 500", "sizes ["),
        ("tables.py --rows 60 --columns 300 --thresholds 0.9", "same pairs for the sampled rows: True"),
        ("near_identical.py --rows 400 --similarities gower cosine", "largest cluster 400"),
    ],
)
def test_scripts_run(
    command: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *command.split()) == 0
    assert told in capsys.readouterr().out


def test_nucleotides_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    genes = ["".join(rng.choice(list("ACGT"), 90)) for _ in range(15)]
    rows = [*genes, *(gene[:40] + "A" + gene[41:] for gene in genes)]
    (tmp_path / "genes.fasta").write_text("".join(f">{i}\n{row}\n" for i, row in enumerate(rows)))
    arguments = ["--data", str(tmp_path / "genes.fasta"), "--peer-pairs", "100"]
    assert run(monkeypatch, "nucleotides.py", *arguments) == 0
    assert "30 sequences, 2,700 letters" in (out := capsys.readouterr().out)
    assert "15 pairs, largest cluster 2" in out
    monkeypatch.setenv("SPLITLEAK_DATA", str(tmp_path))
    assert run(monkeypatch, "nucleotides.py") == 0
    assert capsys.readouterr().out.count("left out") == 2
