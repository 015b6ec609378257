"""SPL102 compares what columns hold: words, residues, molecules, and records by their values."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import splitleak
from splitleak.probes.columns import audit_column
from splitleak.probes.text_kinds import record_values, text_kind
from tests.probes.audits import ask, halves

N = 200
RNG = np.random.default_rng(0)
SPLIT = halves(N)
WORDS = [f"word{i}" for i in range(400)]
SENTENCES = [" ".join(RNG.choice(WORDS, 12)) for _ in range(N)]
PROTEINS = ["".join(RNG.choice(list("ACDEFGHIKLMNPQRSTVWY"), 60)) for _ in range(N)]


def records(write: Any) -> list[str]:
    """Return records that share their form and little else."""
    return [
        write({"user": {"id": int(RNG.integers(10**9)), "name": str(RNG.choice(WORDS))}, "media": [], "symbols": [],
               "urls": [{"display_url": str(RNG.choice(WORDS)), "indices": [int(i) for i in RNG.integers(0, 99, 2)]}]})
        for _ in range(N)
    ]  # fmt: skip


def copies(texts: list[str], change: Any) -> list[str]:
    """Return texts of which ten held-out ones are training texts, changed a little."""
    texts = list(texts)
    train, test = np.flatnonzero(SPLIT == "train"), np.flatnonzero(SPLIT == "test")
    for here, there in zip(test[:10], train[:10], strict=True):
        texts[here] = change(texts[there])
    return texts


@pytest.mark.parametrize(
    ("values", "name", "kind"),
    [
        (SENTENCES, "text", "words"),
        (PROTEINS, "protein", "sequences"),
        (records(json.dumps), "entities", "records"),
        (records(str), "entities", "records"),
        (["c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "C1CCCCC1N"], "Canonical_SMILES", "molecules"),
        (["c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "C1CCCCC1N"], "code", "words"),
        (["SHORT", "CODES"], "code", "words"),
        (["[see below]", "[as above]"], "remark", "words"),
        (["one", None, "two"], "text", "words"),
    ],
)
def test_what_a_column_holds(values: list[str], name: str, kind: str) -> None:
    assert text_kind(audit_column(name, pa.chunked_array([values]))) == kind


def test_the_form_of_records_is_left_out() -> None:
    record = {"a": [1, 2], "who": {"name": 'it\'s me: "you"', "n": None}}
    for text in (
        json.dumps({"a": [1, 2], "who": {"name": "me", "n": 3}}),
        str({"a": [1, 2], "who": {"name": "me", "n": 3}}),
    ):
        assert record_values(pa.chunked_array([[text]])).to_pylist() == ["1 2 me 3"]
    assert "you" in record_values(pa.chunked_array([[json.dumps(record)]])).to_pylist()[0]


def test_records_that_share_their_form_are_no_copies() -> None:
    for write in (json.dumps, str):
        for table in ({"entities": records(write)}, {"entities": records(write), "text": SENTENCES}):
            assert ask(pd.DataFrame(table), "SPL102", SPLIT).status == "clean"
    again = copies(records(json.dumps), lambda text: text.replace('"media": []', '"media": [1]'))
    found = ask(pd.DataFrame({"entities": again}), "SPL102", SPLIT)
    assert found.status != "clean"
    assert len(found.rows) == 10


def test_premises_that_repeat_across_the_split_are_a_question() -> None:
    premises = [SENTENCES[i // 3] for i in range(N)]
    table = pd.DataFrame({"premise": premises, "hypothesis": SENTENCES[::-1]})
    found = ask(table, "SPL102", SPLIT)
    assert found.status == "caution"
    assert "jaccard on premise" in found.explanation
    assert "groups=" in found.explanation
    made: dict[str, Any] = {"splitleak": splitleak, "df": table}
    exec(found.remedy, made)
    assert ask(table, "SPL102", made["split"]).status == "clean"
    whole = np.where(np.arange(N) < 3 * N // 4, "train", "test")
    assert ask(table, "SPL102", whole).status == "clean"
    forms = table.assign(
        premise=[SENTENCES[i % 70] for i in range(N)], note=[SENTENCES[i % 3] for i in range(N)]
    )
    assert "note" not in ask(forms, "SPL102", SPLIT).explanation


def test_sequences_beside_other_columns_are_aligned() -> None:
    table = pd.DataFrame({"name": [f"P{i}" for i in range(N)], "length": RNG.integers(50, 70, N)})
    table["protein"] = copies(PROTEINS, lambda text: text[:30] + "W" + text[30:])
    found = ask(table, "SPL102", SPLIT)
    assert found.status == "leak"
    assert "alignment on protein" in found.explanation
    assert len(found.rows) == 10
    assert ask(table.assign(protein=PROTEINS), "SPL102", SPLIT).status == "clean"


def test_molecules_written_otherwise_are_found() -> None:
    pytest.importorskip("rdkit")
    parts = [
        "C",
        "N",
        "O",
        "CC",
        "C(=O)O",
        "c1ccccc1",
        "C(F)(F)F",
        "S(=O)(=O)C",
        "C#N",
        "C1CCCCC1",
        "Cl",
        "OC",
    ]
    smiles = [f"c1cc({a})cc({b})c1CC(=O)N{c}" for a in parts for b in parts[:5] for c in parts[:4] if a > b][
        :N
    ]
    train = np.arange(len(smiles)) % 4 > 0
    table = pd.DataFrame({"smiles": smiles, "mass": RNG.random(len(smiles))})
    held, kept = np.flatnonzero(~train)[:5], np.flatnonzero(train)[:5]
    from rdkit import Chem

    again = [Chem.MolToSmiles(Chem.MolFromSmiles(smiles[i]), canonical=False, rootedAtAtom=5) for i in kept]
    table.loc[held, "smiles"] = again
    found = ask(table, "SPL102", np.where(train, "train", "test"))
    assert found.status == "leak"
    assert "tanimoto on smiles" in found.explanation
    assert set(held) <= set(found.rows.tolist())
