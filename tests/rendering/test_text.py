"""Plain-text views."""

from splitleak._scale import SHARES
from splitleak.rendering.tables import Table, call_text, provenance_table, share
from splitleak.rendering.text import certificate_text, classes_text, filled, split_text, table_text
from tests.rendering import summaries


def test_split_text() -> None:
    lines = split_text(summaries.split(summaries.certificate())).splitlines()
    assert lines[0] == "Split of 500 rows on text by jaccard(n=5), threshold 0.8, seed 0"
    assert lines[2].split() == ["partition", "rows", "share", "asked", "for", "clusters"]
    assert lines[4].split() == ["train", "400", "80.0", "%", "400", "(80.0", "%)", "390"]
    assert lines[-1] == "Separated: no two similar rows are in different partitions."


def test_a_split_that_nobody_certified_says_how_to() -> None:
    assert split_text(summaries.split()).endswith(
        "Not certified. splitleak.certify(data, split) searches it for similar rows across partitions."
    )


def test_a_split_from_elsewhere() -> None:
    summary = summaries.split()
    summary.update(provenance=None, clusters=None, dropped=20)
    for part in summary["partitions"]:
        part.update(asked_rows=None, asked_share=None, clusters=None)
    text = split_text(summary)
    assert text.startswith("Split of 500 rows\n")
    assert "asked" not in text
    assert "(dropped)    20   4.0 %" in text


def test_leaking_certificate() -> None:
    text = certificate_text(summaries.certificate("leaking", n_crossing=1200, notes=["of some use"]))
    assert text.startswith("Leaking: 1,200 pairs of similar rows cross between partitions.")
    assert "test: 1 of 50 rows (2.0 %) have a similar training row." in text
    assert "95 % interval 10.0 % to 12.6 %" in text
    assert "Crossing pairs (the worst 1 of 1,200):" in text
    assert "     0.930    3  train    7  test" in text
    assert "Note: of some use." in text


def test_bounds_and_unknown_similarities() -> None:
    lines = certificate_text(summaries.certificate()).splitlines()
    assert [line.split()[-1] for line in lines[-3:]] == ["0.79996", "0.75", "?"]
    assert lines[-2].endswith("< 0.75")


def test_recall_is_stated() -> None:
    text = certificate_text(summaries.certificate("separated_with_recall"))
    assert (
        "99.93 % of such pairs (95 % interval 99.80 % to 99.99 %; measured on 3,000 true pairs)"
        in " ".join(text.split())
    )
    unknown = summaries.certificate("separated_with_recall", random=None)
    unknown["recall"].update(estimate=None, total=0)
    assert "could not be measured" in certificate_text(unknown)


def test_numbers_do_not_hide_a_remainder() -> None:
    assert [share(v) for v in (0, 0.0001, 0.5, 0.99999, 1)] == [
        "0.0 %",
        "< 0.1 %",
        "50.0 %",
        "> 99.9 %",
        "100.0 %",
    ]
    assert SHARES.text(0.79999, 0.8) == "0.79999"
    assert SHARES.text(0.8, 0.8) == "0.800"
    assert float(SHARES.text(0.8 - 1e-16, 0.8)) < 0.8


def test_tables_align_wide_letters_and_disarm_control_characters() -> None:
    lines = table_text(Table("", ("name", "n"), [("犬犬", "1"), ("a\x1b[31m", "22")])).splitlines()
    assert lines[2] == "犬犬     1"
    assert lines[3] == "a\N{REPLACEMENT CHARACTER}[31m  22"


def test_class_balance() -> None:
    assert classes_text(summaries.split()) is None
    text = classes_text(summaries.split(classes=("ham", "spam")))
    assert text is not None
    assert text.splitlines()[3].split() == [
        "ham",
        "200",
        "(50.0",
        "%)",
        "25",
        "(50.0",
        "%)",
        "25",
        "(50.0",
        "%)",
        "250",
        "(50.0",
        "%)",
        "0.0",
    ]
    many = classes_text(summaries.split(classes=tuple(f"class {i:02d}" for i in range(20))))
    assert many is not None
    assert many.splitlines()[-1].startswith("(8 more)")


def test_the_call_can_be_typed_again() -> None:
    text = call_text(summaries.split()["provenance"])
    compile(text, "call", "exec")
    assert "similarity='jaccard(n=5)'" in text
    assert "stratify" not in text
    assert "threshold_is_default" not in text
    assert ("sizes", "train=400, dev=50, test=50") in list(
        provenance_table(summaries.split()["provenance"]).rows
    )


def test_paragraphs_keep_percent_signs() -> None:
    assert all(not line.startswith("%") for line in filled("word " * 18 + "98.8 % and so on").splitlines())
