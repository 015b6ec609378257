"""FASTA files as tables, and those that are none."""

import gzip
from pathlib import Path

import numpy as np
import pytest

import splitleak
from splitleak.errors import InputError
from splitleak.records import as_records, open_source

TEXT = ">P1 first protein\nMKT\nAYI \n\n>P2\nmkw*\r\n>P3|x=1\tthird one\nA-C.\n"


@pytest.mark.parametrize("ending", [".fasta", ".fa", ".faa", ".fna", ".FASTA", ".fasta.gz", ".fa.gz"])
def test_columns(ending: str, tmp_path: Path) -> None:
    path = tmp_path / ("proteins" + ending)
    data = TEXT.encode()
    path.write_bytes(gzip.compress(data) if ending.endswith(".gz") else data)
    source = open_source(path)
    assert source.column_names == ("name", "description", "sequence")
    assert source.column("name").to_pylist() == ["P1", "P2", "P3|x=1"]
    assert source.column("description").to_pylist() == ["first protein", "", "third one"]
    assert source.column("sequence").to_pylist() == ["MKTAYI", "mkw*", "A-C."]
    assert as_records(path).columns == ("sequence",)
    assert as_records(path, on="name").columns == ("name",)
    assert source.take(np.array([2])).column("name").to_pylist() == ["P3|x=1"]


def test_a_split_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "proteins.fasta"
    path.write_text("".join(f">P{i}\n{'ACDEFGHIKLMNPQRSTVWY'[i // 2] * 9}\n" for i in range(40)))
    split = splitleak.split_by_similarity(path, similarity="alignment", threshold=0.9)
    assert split.certificate.verdict == "separated"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("MKT\n>P1\nMKT\n", r"line 1 stands before the first header \('MKT'\)"),
        ("\n\n", "has no record"),
        (">P1\nMKT\n>P1 again\nMK\n", r"1 records whose name was used before: 'P1' \(row 1, line 3\)"),
        (
            ">P1\n>P2\nMK\n>P3\n \n",
            r"2 records without a sequence: 'P1' \(row 0, line 1\), 'P3' \(row 2, line 4\)",
        ),
        (">P1\nMK\n> \nMK\n", r"1 records without a name: '' \(row 1, line 3\)"),
        (">P1\nMK1\n", r"characters that stand for no residue: 'P1' \(row 0, line 1, '1'\)"),
        (">P1\nMKÄ\n", "row 0, line 1, 'Ä'"),
        ("".join(f">P{i}\n\n" for i in range(5)), "5 records without a sequence: .*, ...; take them out"),
    ],
)
def test_bad_files(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.fasta"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        open_source(path)


def test_files_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "bad.fasta.gz"
    path.write_bytes(gzip.compress(TEXT.encode())[:-9])
    with pytest.raises(InputError, match="cannot be read"):
        open_source(path)
    path = tmp_path / "bad.fa"
    path.write_bytes(b">P1\nMK\xff\n")
    with pytest.raises(InputError, match="UTF-8"):
        open_source(path)
