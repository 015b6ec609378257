"""SDF files as tables, and those that are none."""

import gzip
from pathlib import Path

import numpy as np
import pytest

import splitleak
from splitleak.errors import InputError, SplitleakWarning
from splitleak.records import as_records, open_source

chem = pytest.importorskip("rdkit.Chem", reason="RDKit reads and writes SDF")
MOLECULES = ["CCO", "c1ccccc1", "C[C@H](N)C(=O)O", "OCC"]
NAMES = ["ethanol", "benzene", "alanine", "ethanol again"]


def entries() -> list[str]:
    made = []
    for row, (name, smiles) in enumerate(zip(NAMES, MOLECULES, strict=True)):
        molecule = chem.MolFromSmiles(smiles)
        block = chem.MolToMolBlock(molecule).split("\n", 1)[1]
        extra = f"> <note>\nsome text {row}\n\n" if row % 2 else ""
        made.append(
            f"{name}\n{block}> <logS>\n{row / 2}\n\n> <count>\n{row}\n\n> <name>\nx{row}\n\n{extra}$$$$\n"
        )
    return made


def write(path: Path, parts: list[str]) -> Path:
    text = "".join(parts).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


@pytest.mark.parametrize("ending", [".sdf", ".SDF", ".sdf.gz"])
def test_columns(ending: str, tmp_path: Path) -> None:
    source = open_source(write(tmp_path / ("molecules" + ending), entries()))
    assert source.column_names == ("name", "smiles", "logS", "count", "name (property)", "note")
    assert source.column("name").to_pylist() == NAMES
    canonical = [chem.MolToSmiles(chem.MolFromSmiles(smiles)) for smiles in MOLECULES]
    assert source.column("smiles").to_pylist() == canonical
    assert source.column("logS").to_pylist() == [0.0, 0.5, 1.0, 1.5]
    assert source.column("count").to_pylist() == [0, 1, 2, 3]
    assert source.column("note").to_pylist() == [None, "some text 1", None, "some text 3"]
    assert source.take(np.array([2])).column("name (property)").to_pylist() == ["x2"]


def test_a_split_of_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "molecules.sdf", entries())
    assert as_records(path).columns == ("smiles",)
    assert not as_records(path).sequences, "SMILES are not aligned"
    split = splitleak.split_by_similarity(path, similarity="tanimoto", sizes={"train": 2, "test": 2})
    assert split.codes[0] == split.codes[3]
    assert split.certificate is not None
    assert split.certificate.verdict == "separated"


def test_auto_compares_fingerprints(tmp_path: Path) -> None:
    path = write(tmp_path / "molecules.sdf", entries())
    assert as_records(path).molecules
    split = splitleak.split_by_similarity(path, threshold=1.0, sizes={"train": 2, "test": 2})
    assert splitleak.similarity_graph(path, threshold=1.0).measure.startswith("tanimoto")
    assert split.codes[0] == split.codes[3]
    graph = splitleak.similarity_graph(path, on=["logS", "count"], threshold=0.9)
    assert graph.measure.startswith("gower")


def test_entries_that_cannot_be_parsed(tmp_path: Path) -> None:
    parts = entries()
    parts.insert(1, "odd one\nno molecule\n\nat all\n$$$$\n")
    path = write(tmp_path / "molecules.sdf", parts)
    with pytest.warns(
        SplitleakWarning, match=r"1 of 5 entries cannot be parsed by RDKit: 'odd one' \(row 1\)"
    ):
        source = open_source(path)
    assert source.column("smiles").to_pylist()[1] is None
    with pytest.warns(SplitleakWarning) as told:
        splitleak.similarity_graph(path, on=["name", "smiles"], similarity="exact", share="any")
    assert len(told) == 1, "the file is read once"
    with pytest.raises(InputError, match="1 SMILES that cannot be read: row 1"):
        splitleak.similarity_graph(source, similarity="tanimoto")
    graph = splitleak.similarity_graph(source, similarity="tanimoto(invalid=distinct)", threshold=1.0)
    assert graph.frame()[["left", "right"]].values.tolist() == [[0, 4]]


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"1 of 1 entries cannot be parsed by RDKit: 'one'.*is it an SDF"):
        open_source(write(tmp_path / "a.sdf", ["one\ntwo\n\nthree\n$$$$\n"]))
    with pytest.raises(InputError, match="has no entry"):
        open_source(write(tmp_path / "a.sdf", ["one\ntwo\n"]))
    with pytest.raises(InputError, match="is an empty file"):
        open_source(write(tmp_path / "b.sdf", []))
