"""Molecules: against RDKit's own similarity, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak.errors import InputError
from splitleak.kernels.bit_join import tanimoto_pairs
from splitleak.records import as_records
from splitleak.similarity.base import IGNORED, MIXED, get_backend
from tests.oracles import sides_may_meet

SMILES = [
    "CCO", "OCC", "CCCO", "CCCCO", "c1ccccc1", "c1ccccc1C", "c1ccccc1CC", "c1ccccc1O", "Cc1ccccc1O", "C1CCCCC1",
    "CC(=O)O", "CC(=O)[O-].[Na+]", "CC(=O)OC", "N[C@@H](C)C(=O)O", "N[C@H](C)C(=O)O", "NC(C)C(=O)O",
    "CC(=O)Oc1ccccc1C(=O)O", "O=C(O)c1ccccc1O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "Cn1cnc2c1c(=O)[nH]c(=O)n2C", "[He]",
]  # fmt: skip


def pairs_of(graph):
    left, right, similarity = graph.pairs()
    return dict(zip(zip(left.tolist(), right.tolist(), strict=True), similarity.tolist(), strict=True))


def fingerprint_of(smiles, kind, bits, stereo=False):
    chem = pytest.importorskip("rdkit.Chem", reason="RDKit reads the molecules")
    from rdkit.Chem import MACCSkeys, rdFingerprintGenerator

    molecule = chem.MolFromSmiles(smiles)
    if kind == "maccs":
        return MACCSkeys.GenMACCSKeys(molecule)
    features = {"atomInvariantsGenerator": rdFingerprintGenerator.GetMorganFeatureAtomInvGen()}
    return rdFingerprintGenerator.GetMorganGenerator(
        radius=3 if kind == "ecfp6" else 2,
        fpSize=bits,
        includeChirality=stereo,
        **(features if kind == "fcfp4" else {}),
    ).GetFingerprint(molecule)


def expected_pairs(rows, threshold, kind="ecfp4", bits=2048, stereo=False):
    pytest.importorskip("rdkit", reason="RDKit reads the molecules")
    from rdkit.DataStructs import TanimotoSimilarity

    prints = [fingerprint_of(row, kind, bits, stereo) for row in rows]
    found = {}
    for i in range(len(rows)):
        for j in range(i + 1, len(rows)):
            similarity = (
                1.0 if list(prints[i]) == list(prints[j]) else TanimotoSimilarity(prints[i], prints[j])
            )
            if similarity >= threshold:
                found[i, j] = similarity
    return found


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(SMILES), min_size=1, max_size=15),
    st.sampled_from([0.2, 1 / 3, 0.4, 0.5, 0.75, 1.0]),
    st.sampled_from(["ecfp4", "ecfp6", "fcfp4", "maccs"]),
    st.sampled_from([64, 100, 2048]),
)
def test_pairs_are_those_of_rdkit(rows, threshold, kind, bits) -> None:
    pytest.importorskip("rdkit", reason="RDKit reads the molecules")
    graph = get_backend("tanimoto")(fingerprint=kind, bits=bits).graph(as_records(rows), threshold=threshold)
    assert pairs_of(graph) == expected_pairs(rows, threshold, kind, bits)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sets(st.integers(0, 11)), st.sampled_from([MIXED, IGNORED, 0, 1])),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([0.1, 1 / 3, 0.5, 2 / 3, 0.8, 1.0]),
    st.booleans(),
)
def test_the_join_of_bits(rows, threshold, with_sides) -> None:
    words = np.array([[sum(1 << b for b in bits), 0] for bits, _ in rows], dtype=np.uint64)
    sides = [side for _, side in rows] if with_sides else None
    found = tanimoto_pairs(words, threshold, sides=None if sides is None else np.array(sides))
    expected = {}
    for j, (b, _) in enumerate(rows):
        for i, (a, _) in enumerate(rows[:j]):
            if (sides is None or sides_may_meet(sides[i], sides[j])) and a & b:
                similarity = len(a & b) / len(a | b)
                if similarity >= threshold:
                    expected[i, j] = similarity
    listed = [x.tolist() for x in found]
    assert dict(zip(zip(*listed[:2], strict=True), listed[2], strict=True)) == expected


@pytest.mark.parametrize("n_bits", [200, 700])  # counters of one byte and of two
def test_the_join_of_many_fingerprints(n_bits) -> None:
    rng = np.random.default_rng(0)
    centres = rng.random((40, 2048)) < rng.random((40, 1)) * n_bits / 2048 * 1.5
    flips = rng.random((1500, 2048)) < 0.01
    bits = centres[rng.integers(0, 40, 1500)] ^ flips
    words = np.packbits(bits, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    sides = rng.integers(-1, 3, 1500)
    shared = bits.astype(np.float64) @ bits.T.astype(np.float64)
    similarity = shared / (bits.sum(1)[:, None] + bits.sum(1)[None] - shared)
    for threshold, given_sides in ((0.4, None), (0.7, sides), (0.9, None)):
        meet = np.ones_like(similarity, dtype=bool)
        if given_sides is not None:
            meet = (sides[:, None] != sides) & (sides[:, None] >= 0) & (sides >= 0)
        expected = np.argwhere(np.triu((similarity >= threshold) & meet, 1))
        left, right, found = tanimoto_pairs(words, threshold, sides=given_sides)
        assert np.array_equal(np.column_stack([left, right]), expected)
        assert np.array_equal(found, similarity[left, right])
        assert len(found) > 100


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from([*SMILES, "no"]), st.integers(IGNORED, 2)), min_size=1, max_size=10)
)
def test_look_ups(rows) -> None:
    pytest.importorskip("rdkit", reason="RDKit reads the molecules")
    texts, sides = [text for text, _ in rows], np.array([side for _, side in rows])
    backend = get_backend("tanimoto(invalid=distinct)")
    queries = np.arange(0, len(rows), 2)
    found = backend.neighbours(as_records(texts), queries, threshold=0.4, sides=sides)
    read = [i for i, text in enumerate(texts) if text != "no"]
    near = expected_pairs([texts[i] for i in read], 0)
    near = {(read[a], read[b]): s for (a, b), s in near.items()}
    for at, q in enumerate(queries):
        others = {
            i: near.get((min(q, i), max(q, i)), 0.0) for i in range(len(rows)) if i != q and sides[i] >= 0
        }
        assert found.degree[at] == sum(s >= 0.4 for s in others.values())
        for side in range(found.nearest.shape[1]):
            values = [s for i, s in others.items() if sides[i] == side]
            assert found.nearest[at, side] == max(values) if values else np.isnan(found.nearest[at, side])


def components(rows, options=""):
    return (
        splitleak.similarity_graph(rows, similarity=f"tanimoto({options})", threshold=1.0)
        .components()
        .tolist()
    )


def test_salts_and_stereo() -> None:
    pytest.importorskip("rdkit", reason="RDKit reads the molecules")
    acetates = ["CC(=O)[O-]", "CC(=O)[O-].[Na+]", "CC(=O)[O-].[K+]"]
    assert components(acetates) == [0, 1, 2]
    assert components(acetates, "salts=strip") == [0, 0, 0]
    alanines = ["N[C@@H](C)C(=O)O", "N[C@H](C)C(=O)O"]
    assert components(alanines) == [0, 0]
    assert components(alanines, "stereo=True") == [0, 1]


def test_unreadable_rows() -> None:
    pytest.importorskip("rdkit", reason="RDKit reads the molecules")
    rows = ["CCO", "C1CC", "xyz", "", "OCC", "xyz"]
    with pytest.raises(
        InputError,
        match=r"4 SMILES that cannot be read: row 1 \('C1CC'\), row 2 \('xyz'\), row 3 \(''\), \.\.\.",
    ):
        components(rows)
    with pytest.raises(InputError, match=r"1 of them hold several, separated by commas: keep one of each"):
        components(["CCO", "CCO, CCN", "xyz"])
    graph = splitleak.similarity_graph(rows, similarity="tanimoto(invalid=distinct)")
    assert graph.components().tolist() == [0, 1, 2, 3, 0, 4]
    assert graph.details["invalid"] == [1, 2, 3, 5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("fingerprint=ecfp5", "fingerprint='ecfp5' is not known; did you mean"),
        ("bits=10", "bits must be a whole number from 64 to 16384, got 10"),
        ("salts=drop", "salts='drop' is not known"),
        ("stereo=yes", "stereo must be True or False, got 'yes'"),
        ("fingerprint=maccs, stereo=True", "MACCS keys do not know mirror images"),
        ("invalid=skip", "invalid='skip' is not known"),
    ],
)
def test_bad_options(options, message) -> None:
    pytest.importorskip("rdkit", reason="RDKit reads the molecules")
    with pytest.raises(InputError, match=message):
        components(["CCO"], options)


def test_order_of_rows_and_threads_do_not_matter(monkeypatch) -> None:
    pytest.importorskip("rdkit", reason="RDKit reads the molecules")
    rows = SMILES * 30 + ["C" * k + "O" for k in range(1, 60)]
    order = np.random.default_rng(0).permutation(len(rows))
    graph = splitleak.similarity_graph(rows, similarity="tanimoto")
    monkeypatch.setenv("SPLITLEAK_NUM_THREADS", "3")
    other = splitleak.similarity_graph([rows[i] for i in order], similarity="tanimoto")
    moved = {tuple(sorted((int(order[a]), int(order[b])))): s for (a, b), s in pairs_of(other).items()}
    assert moved == pairs_of(graph)


def test_a_split_with_scaffolds_as_groups() -> None:
    pytest.importorskip("rdkit", reason="RDKit reads the molecules")
    from splitleak.similarity.molecule import scaffolds

    rows = (
        ["c1ccccc1" + "C" * k for k in range(9)]
        + ["C1CCCCC1" + "O" * k for k in range(2)]
        + ["CCO", "OCC", "CCN"]
    )
    cores = scaffolds(rows)
    assert cores == ["c1ccccc1"] * 9 + ["C1CCCCC1"] * 2 + ["CCO", "CCO", "CCN"]
    assert scaffolds({"s": rows, "n": rows}, on="s", acyclic="together")[-3:] == ["", "", ""]
    assert scaffolds(["no", "c1ccccc1"], invalid="distinct") == ["unreadable row 0", "c1ccccc1"]
    with pytest.raises(InputError, match="acyclic='none' is not known"):
        scaffolds(rows, acyclic="none")
    with pytest.raises(InputError, match=r"row 0 \('no'\)"):
        scaffolds(["no"])
    split = splitleak.split_by_similarity(
        {"smiles": rows, "core": cores}, on="smiles", similarity="tanimoto", threshold=0.9, groups="core",
        on_infeasible="nearest", sizes={"train": 0.7, "test": 0.3}, tolerance=0.3,
    )  # fmt: skip
    assert len({split.codes[i] for i in range(9)}) == 1
    assert split.certificate.verdict == "separated"
