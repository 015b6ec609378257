"""Scores of aligners and labelled matrices: formats, names, combination, coverage."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import splitleak
from splitleak import InputError, SplitleakWarning, precomputed
from splitleak.similarity.naming import match_names

NAMES = ["p1", "p2", "p3", "p4"]
DATA = {"id": NAMES, "sequence": ["MKVLAT" * 5, "MKVLAS" * 5, "GGHHEE" * 5, "WWYYFF" * 5]}
# query, target, identity, query and target from 1 to, bits
HITS = [
    ("p1", "p1", 1.0, 30, 30, 60), ("p2", "p2", 1.0, 30, 30, 50), ("p3", "p3", 1.0, 30, 30, 40),
    ("p1", "p2", 0.9, 30, 15, 45), ("p1", "p2", 0.5, 10, 10, 20), ("p2", "p1", 0.7, 30, 30, 40),
    ("p3", "p2", 0.4, 12, 30, 10),
]  # fmt: skip


def lines(percent: bool) -> list[str]:
    return [
        f"{q}\t{t}\t{s * 100 if percent else s:g}\t30\t0\t0\t1\t{a}\t1\t{b}\t1e-5\t{bits}"
        for q, t, s, a, b, bits in HITS
    ]


def pairs(similarity: Any, threshold: float = 0.01, data: Any = DATA, on: str = "id") -> dict[Any, float]:
    graph = splitleak.similarity_graph(data, on=on, similarity=similarity, threshold=threshold)
    left, right, value = graph.pairs()
    return dict(zip(zip(left.tolist(), right.tolist(), strict=True), value.tolist(), strict=True))


@pytest.mark.parametrize("form", ["m8", "blast", "diamond", "mmseqs", "foldseek", "hhblits"])
def test_formats(form: str, tmp_path: Path) -> None:
    body = lines(form in ("m8", "blast", "diamond"))
    path = tmp_path / "hits.tsv"
    path.write_text("\n".join(body) + "\n")
    assert pairs(precomputed(path, format=form)) == {(0, 1): 0.9, (1, 2): 0.4}  # type: ignore[arg-type]
    packed = tmp_path / "hits.tsv.gz"
    packed.write_bytes(
        gzip.compress(("# a comment\n" + body[0] + "\n# and more\n" + "\n".join(body)).encode())
    )
    assert pairs(precomputed(str(packed), format=form)) == {(0, 1): 0.9, (1, 2): 0.4}  # type: ignore[arg-type]
    text = f"precomputed(0.8, matrix='{path}', format={form}, combine=min, names=id)"
    assert pairs(text, 0.8, on="sequence") == {}
    assert pairs(text, 0.7, on="sequence") == {(0, 1): 0.7}


def test_headers_and_tables(tmp_path: Path) -> None:
    frame = pd.DataFrame([h[:3] for h in HITS], columns=["query", "target", "fident"])
    frame.assign(alntmscore=0.5, note="x").to_csv(tmp_path / "hits.m8", sep="\t", index=False)
    assert pairs(precomputed(tmp_path / "hits.m8", format="foldseek", score="alntmscore")) == {
        (0, 1): 0.5,
        (1, 2): 0.5,
    }
    assert pairs(str(tmp_path / "hits.m8")) == {(0, 1): 0.9, (1, 2): 0.4}
    assert pairs(precomputed(frame, format="mmseqs", combine="mean")) == {(0, 1): 0.8, (1, 2): 0.4}
    frame.to_parquet(tmp_path / "hits.parquet")
    assert pairs(precomputed(tmp_path / "hits.parquet", format="mmseqs")) == {(0, 1): 0.9, (1, 2): 0.4}
    frame.to_csv(tmp_path / "bare.tsv", sep="\t", index=False, header=False)
    given = precomputed(tmp_path / "bare.tsv", format="mmseqs", columns=["query", "target", "fident"])
    assert pairs(given, 0.5) == {(0, 1): 0.9}


def test_two_tm_scores(tmp_path: Path) -> None:
    path = tmp_path / "tm.tsv"
    path.write_text(
        "#PDBchain1\tPDBchain2\tTM1\tTM2\tRMSD\tID1\tID2\tIDali\tL1\tL2\tLali\n"
        "/data/p1.pdb:A\t/data/p2.pdb:B\t0.9\t0.5\t1.2\t0.3\t0.2\t0.4\t30\t60\t28\n"
        "/data/p3.cif.gz:A\t/data/p2.pdb:B\t0.25\t0.35\t4.2\t0.1\t0.1\t0.2\t30\t60\t20\n"
        "#Total CPU time is  0.01 seconds\n"
    )
    for rule, wanted in (("max", [0.9, 0.35]), ("min", [0.5, 0.25]), ("mean", [0.7, 0.3])):
        found = pairs(precomputed(path, format="usalign", combine=rule))  # type: ignore[arg-type]
        assert found == {(0, 1): wanted[0], (1, 2): wanted[1]}
    assert pairs(precomputed(path, format="tmalign", score="IDali")) == {(0, 1): 0.4, (1, 2): 0.2}


def test_bits_over_the_smaller_self_hit(tmp_path: Path) -> None:
    path = tmp_path / "hits.m8"
    path.write_text("\n".join(lines(True)))
    assert pairs(precomputed(path, score="bits")) == {(0, 1): 45 / 50, (1, 2): 10 / 40}
    path.write_text("\n".join(lines(True)[1:]))
    with pytest.raises(InputError, match="hit of each name with itself, and 1 have none .'p1'"):
        pairs(precomputed(path, score="bits"))


def test_coverage(tmp_path: Path) -> None:
    path = tmp_path / "hits.m8"
    path.write_text("\n".join(lines(True)))
    # lengths from the sequences: 30 each; the best hit covers half of p2
    similar = precomputed(path, min_coverage=0.6, names="id")
    assert pairs(similar, on="sequence") == {(0, 1): 0.7}
    assert pairs(precomputed(path, min_coverage=0.5, names="id"), on="sequence") == {(0, 1): 0.9}
    with pytest.raises(InputError, match="covers more letters than the row has"):
        pairs(precomputed(path, min_coverage=0.5))
    frame = pd.DataFrame(HITS, columns=["query", "target", "fident", "a", "b", "bits"])
    covered = frame.assign(qcov=frame.a / 30, tcov=frame.b / 30)
    assert pairs(precomputed(covered, format="mmseqs", min_coverage=0.6)) == {(0, 1): 0.7}
    assert pairs(precomputed(covered, format="mmseqs", score="coverage", combine="min"))[1, 2] == 0.4
    spans = frame.assign(qstart=1, qend=frame.a, tstart=1, tend=frame.b, qlen=30, tlen=30)
    assert pairs(precomputed(spans, format="mmseqs", min_coverage=0.6)) == {(0, 1): 0.7}


def test_strangers_and_absentees(tmp_path: Path) -> None:
    path = tmp_path / "hits.m8"
    path.write_text("\n".join([*lines(True), lines(True)[3].replace("p2", "q9")]))
    with pytest.raises(InputError, match=r"1 of its 4 names is not in the data \('q9'\); strangers="):
        pairs(precomputed(path))
    with pytest.warns(SplitleakWarning, match="'q9'.*left out"):
        pairs(precomputed(path, strangers="warn"))
    split = splitleak.split_by_similarity(
        DATA, on="id", similarity=precomputed(path, strangers="ignore")(0.5), sizes={"train": 2, "test": 2}
    )
    assert split.provenance is not None
    assert (
        "8 hits, 2 pairs of rows; 1 of its 4 names is not in the data ('q9'); 1 of 4 rows are not in it ('p4')"
        in (split.provenance.notes[0])
    )
    assert split.certificate is not None
    assert split.certificate.verdict == "separated"
    split.save(tmp_path / "s.parquet")
    again = splitleak.certify(DATA, splitleak.Split.load(tmp_path / "s.parquet"))
    assert again.verdict == "separated"
    with pytest.raises(InputError, match="none of its 4 names is in the data .'p1'"):
        pairs(precomputed(path), on="sequence")


def test_names_of_a_fasta_file(tmp_path: Path) -> None:
    fasta = tmp_path / "p.fasta"
    fasta.write_text("".join(f">{n} some protein\n{s}\n" for n, s in zip(*DATA.values(), strict=True)))
    path = tmp_path / "hits.m8"
    path.write_text("\n".join(lines(True)))
    graph = splitleak.similarity_graph(fasta, similarity=path, threshold=0.3)
    assert graph.frame().values.tolist() == [[0, 1, 0.9], [1, 2, 0.4]]


@given(
    st.lists(st.text("ab |", min_size=1, max_size=4), min_size=1, max_size=8, unique=True),
    st.lists(st.text("ab |", min_size=1, max_size=4), min_size=1, max_size=8, unique=True),
)
def test_matching_of_names(names: list[str], rows: list[str]) -> None:
    def word(name: str) -> str:
        return (name.split() or [""])[0]

    wanted = []
    for name in names:
        same = [i for i, row in enumerate(rows) if row == name]
        near = same or [i for i, row in enumerate(rows) if word(row) == word(name)]
        wanted.append(near)
    if any(len(near) > 1 for near in wanted):
        with pytest.raises(InputError, match="stands for more than one row"):
            match_names(names, [rows], what="x", strangers="ignore")
        return
    if not any(wanted):
        with pytest.raises(InputError, match="none of its"):
            match_names(names, [rows], what="x", strangers="ignore")
        return
    found = match_names(names, [rows], what="x", strangers="ignore")
    assert found.rows.tolist() == [near[0] if near else -1 for near in wanted]
    assert f"{len(rows) - len({n[0] for n in wanted if n})} of {len(rows)} rows are not in it" in found.note


@given(st.integers(2, 8), st.integers(0, 40), st.sampled_from(["max", "min", "mean"]), st.integers(0, 99))
def test_combination_against_brute_force(n: int, m: int, rule: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    q, t, s = rng.integers(0, n, m + 1), rng.integers(0, n, m + 1), rng.integers(0, 11, m + 1) / 10
    q[0] = 0  # at least one name is known
    best: dict[tuple[int, int], float] = {}
    for a, b, value in zip(q.tolist(), t.tolist(), s.tolist(), strict=True):
        best[a, b] = max(best.get((a, b), 0.0), value)
    wanted = {}
    for a in range(n):
        for b in range(a + 1, n):
            both = [best[x] for x in ((a, b), (b, a)) if x in best]
            if both:
                value = {"max": max(both), "min": min(both), "mean": sum(both) / len(both)}[rule]
                if value >= 0.3:
                    wanted[a, b] = pytest.approx(value)
    rows = [f"r{i}" for i in range(n)]
    hits = {"query": [rows[i] for i in q], "target": [rows[i] for i in t], "fident": s}
    found = pairs(precomputed(hits, format="mmseqs", combine=rule), 0.3, {"id": rows})  # type: ignore[arg-type]
    assert found == wanted


def test_matrices_with_names(tmp_path: Path) -> None:
    matrix = np.array([[1, 0.9, 0.1, 0], [0.9, 1, 0.8, 0], [0.1, 0.8, 1, 0.3], [0, 0, 0.3, 1]])
    order = [2, 0, 3, 1]
    frame = pd.DataFrame(matrix, NAMES, NAMES).iloc[order, order]
    wanted = {(0, 1): 0.9, (1, 2): 0.8}
    frame.to_csv(tmp_path / "m.tsv", sep="\t")
    frame.to_csv(tmp_path / "m.csv")
    frame.reset_index(names="name").to_parquet(tmp_path / "m.parquet")
    frame.reset_index(drop=True).to_parquet(tmp_path / "bare.parquet")
    for name in ("m.tsv", "m.csv", "m.parquet", "bare.parquet"):
        assert pairs(precomputed(tmp_path / name), 0.5) == wanted, name
    np.save(tmp_path / "m.npy", frame.to_numpy())
    assert pairs(precomputed(tmp_path / "m.npy", labels=list(frame.index)), 0.5) == wanted
    assert pairs(precomputed(frame, format="matrix"), 0.5) == wanted
    distance = frame.to_numpy()[np.triu_indices(4, 1)]
    far = precomputed(1 - distance, format="condensed", kind="dissimilarity", labels=list(frame.index))
    assert pairs(far, 0.5) == wanted
    np.save(tmp_path / "ordered.npy", matrix)
    assert pairs(precomputed(tmp_path / "ordered.npy"), 0.5) == wanted
    bad = frame.copy()
    bad.iloc[0, 1] += 0.1
    bad.to_csv(tmp_path / "bad.tsv", sep="\t")
    with pytest.raises(InputError, match="must be symmetric"):
        pairs(precomputed(tmp_path / "bad.tsv"))
    frame.iloc[:, ::-1].to_csv(tmp_path / "bad.tsv", sep="\t")
    with pytest.raises(
        InputError, match="'bad.tsv' has its columns in another order than its rows: column 0 is"
    ):
        pairs(precomputed(tmp_path / "bad.tsv"))
    frame.astype(object).replace(frame.iloc[0, 1], "high").to_csv(tmp_path / "bad.tsv", sep="\t")
    with pytest.raises(InputError, match=r"'bad.tsv' must hold numbers, and row '.*' has 'high' in column '"):
        pairs(precomputed(tmp_path / "bad.tsv"))
    lines = frame.to_csv(sep="\t").splitlines()
    text = "\n".join([lines[0], *(line + "\t" for line in lines[1:])])  # an empty field ends each row
    (tmp_path / "more.tsv").write_text(text)
    assert pairs(precomputed(tmp_path / "more.tsv"), 0.5) == wanted
    (tmp_path / "more.tsv").write_text("\n".join([lines[0].lstrip("\t"), *lines[1:]]))  # R's write.table
    assert pairs(precomputed(tmp_path / "more.tsv"), 0.5) == wanted
    with pytest.raises(InputError, match="labels 3 names"):
        pairs(precomputed(tmp_path / "m.npy", labels=NAMES[:3]))
    with pytest.raises(InputError, match="a name twice"):
        pairs(precomputed(tmp_path / "m.npy", labels=["a", "a", "b", "c"]))
    with pytest.raises(InputError, match="5 numbers are not the n"):
        pairs(precomputed(np.ones(5), format="condensed"))


@pytest.mark.parametrize(
    ("options", "change", "told"),
    [
        ({"format": "m9"}, None, "format='m9' is not known"),
        ({"combine": "sum"}, None, "combine='sum' is not known"),
        ({"strangers": "drop"}, None, "strangers='drop' is not known"),
        ({"min_coverage": 2}, None, "min_coverage must be a number in"),
        ({"score": "lddt"}, None, "has no score 'lddt'.*it has qseqid"),
        ({"score": "qseqid"}, None, "must be numbers"),
        (
            {"score": "evalue"},
            ("1e-5", "-7"),
            "an E-value is at least 0, and 7 are not, the first -7 in hit 0",
        ),
        ({"format": "mmseqs"}, None, "the first 100 in hit 0; percentages"),
        ({}, ("\t90\t", "\tninety\t"), "must be numbers: .*ninety"),
        ({}, ("\t90\t", "\tnan\t"), "no finite numbers, the first in hit 3"),
        ({}, ("\t30\t0\t0\t", "\t"), "has 9 columns .split by tabs., and m8 without a header has 12"),
        ({"names": ["p1"]}, None, "names must be one for each of the 4 rows of the data, got 1"),
        ({"names": "nom"}, None, "names='nom' is not a column"),
        ({"names": ["p1", "p1", "p2", "p3"]}, None, "the name 'p1' stands for more than one row .0 and 1"),
        ({"kind": "distance"}, None, "needs the column of the distances"),
    ],
)
def test_what_is_refused(options: dict[str, Any], change: Any, told: str, tmp_path: Path) -> None:
    path = tmp_path / "hits.m8"
    text = "\n".join(lines(True)) + "\n"
    path.write_text(text.replace(*change) if change else text)
    with pytest.raises(InputError, match=told):
        pairs(precomputed(path, **options))


def test_shares_read_as_percentages(tmp_path: Path) -> None:
    path = tmp_path / "hits.m8"
    path.write_text("\n".join(lines(False)))
    with pytest.raises(InputError, match=r'holds percentages, and none here is above 1.*format="mmseqs"'):
        pairs(precomputed(path))
    with pytest.raises(InputError, match="no such file"):
        pairs(precomputed(tmp_path / "none.m8"))
    path.write_text("# nothing\n")
    with pytest.raises(InputError, match="has no hits"):
        pairs(precomputed(path))
    with pytest.raises(InputError, match="score, combine: these are for scores with names"):
        precomputed(np.eye(2), score="bits", combine="min")
    with pytest.raises(InputError, match="needs scores: precomputed"):
        pairs("precomputed")


def test_a_path_without_a_format_means_the_same_in_the_shell_and_in_python(tmp_path: Path) -> None:
    matrix, hits, blast = tmp_path / "scores.tsv", tmp_path / "hits.tsv", tmp_path / "hits.m8"
    names = DATA["id"]
    values = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
    values.iloc[0, 1] = values.iloc[1, 0] = 0.6
    values.to_csv(matrix, sep="\t")
    hits.write_text("query\ttarget\tfident\n" + f"{names[0]}\t{names[1]}\t0.6\n")
    blast.write_text("\n".join(lines(True)) + "\n")
    for path, wanted in ((matrix, {(0, 1): 0.6}), (blast, {(0, 1): 0.9, (1, 2): 0.4})):
        for similarity in (precomputed(path), precomputed(str(path)), f"precomputed(matrix={str(path)!r})"):
            assert pairs(similarity) == wanted
    for similarity in (precomputed(hits), f"precomputed(matrix={str(hits)!r})"):
        with pytest.raises(
            InputError, match=r"Without format= a file is a square matrix .* format= \('m8', 'mms"
        ):
            pairs(similarity)
    with pytest.raises(
        InputError, match="score='fident' names a column of a table of hits, and nothing tells"
    ):
        pairs(f"precomputed(matrix={str(hits)!r}, score=fident)")
    with pytest.raises(
        InputError, match="score='fident' names a column of a table of hits, and nothing tells"
    ):
        precomputed(hits, score="fident")
    assert pairs(f"precomputed(matrix={str(hits)!r}, format=mmseqs)") == {(0, 1): 0.6}
    with pytest.raises(InputError, match="min_coverage=0.5 is of hits, and scores 'scores.tsv' are a matrix"):
        pairs(precomputed(matrix, min_coverage=0.5))
