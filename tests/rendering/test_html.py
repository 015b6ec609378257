"""Pages and fragments: their structure, and that nothing in the data can become markup."""

from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from splitleak.rendering.figures import Axis, class_balance, image_pairs, nearest_histogram, shared_axis
from splitleak.rendering.html import Section, certificate_fragment, split_fragment, split_page
from tests.rendering import summaries
from tests.rendering.summaries import EVIL

VOID = {"meta", "link", "br", "img"}


class Outline(HTMLParser):
    """Tags, headings and addresses of a page; fails on tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.headings: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        named = dict(attributes)
        self.addresses += [v for k, v in attributes if k in ("src", "href", "xlink:href") and v]
        self.ids += [named["id"] or ""] if "id" in named else []
        assert not any(name.startswith("on") for name in named)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data.strip())


def test_page() -> None:
    page = split_page(summaries.split(summaries.certificate(), classes=("ham", "spam")))
    outline = Outline(page)
    assert outline.headings == [
        "Split of 500 rows",
        "Sizes",
        "Classes",
        "Across partitions",
        "How near held-out rows come to the training rows",
        "How it was made",
    ]
    assert page.index("Separated: no two similar rows") < page.index("<h2>")
    assert "script" not in outline.tags
    assert all(a.startswith("#") for a in outline.addresses)
    assert len(outline.ids) == len(set(outline.ids))
    assert "fingerprint of the data" in page
    assert len(page.encode()) < 300_000


def test_leaking_page_lists_pairs() -> None:
    page = split_page(summaries.split(summaries.certificate("leaking")))
    assert "Crossing pairs" in Outline(page).headings
    assert "sl-leaking" in page


def test_page_without_anything() -> None:
    summary = summaries.split()
    summary.update(provenance=None, clusters=None)
    assert Outline(split_page(summary)).headings == ["Split of 500 rows", "Sizes"]


def test_nothing_becomes_markup() -> None:
    found = summaries.certificate("leaking", similarity=EVIL, notes=[EVIL])
    found["crossing"][0]["right_partition"] = EVIL
    found["nearest"]["counts"] = {
        EVIL: found["nearest"]["counts"]["dev"],
        "_x": found["nearest"]["counts"]["dev"],
    }
    summary = summaries.split(found, classes=("ham", EVIL), names=("train", EVIL, "test"))
    summary["provenance"]["data"] = EVIL
    for text in (
        split_page(summary, title=EVIL, before=[Section(EVIL, [EVIL], code=EVIL)]),
        split_fragment(summary),
        certificate_fragment(found),
    ):
        assert "script" not in Outline(text).tags
        assert "<script" not in text


def test_fragments() -> None:
    summary = summaries.split(summaries.certificate("separated_with_recall"), classes=("ham", "spam"))
    assert Outline(split_fragment(summary)).headings == [
        "Sizes",
        "Classes",
        "How near held-out rows come to the training rows",
    ]
    assert Outline(certificate_fragment(summaries.certificate())).headings[0] == "Across partitions"


def test_the_same_summary_gives_the_same_page() -> None:
    summary = summaries.split(summaries.certificate(), classes=("ham", "spam"))
    assert split_page(summary) == split_page(summary)


@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.8, 0.905, 1.0])
def test_histogram_keeps_sides_of_the_threshold_apart(threshold: float) -> None:
    found = summaries.certificate("leaking", threshold=threshold)
    edges = sorted({*found["nearest"]["edges"], threshold})
    found["nearest"].update(edges=edges, counts={"dev": [1] * (len(edges) - 1)})
    figure = ElementTree.fromstring(nearest_histogram(found, title="a < b"))
    texts = [e.text for e in figure.iter("{http://www.w3.org/2000/svg}text")]
    assert f"threshold {threshold:g}" in texts
    assert "a < b" in texts


def test_compared_histograms_share_axes() -> None:
    low, high = summaries.certificate(), summaries.certificate("leaking")
    axis = shared_axis(low, high)
    assert axis == Axis(0.0, max(shared_axis(low).most, shared_axis(high).most))


def test_no_held_out_rows_looked_up() -> None:
    found = summaries.certificate()
    found["nearest"].update(counts={"dev": [0] * 100}, rows={"dev": 0}, sampled=True)
    assert "held-out rows (sample)" in nearest_histogram(found, title="none")


def test_class_names_of_any_kind() -> None:
    summary = summaries.split(classes=("$x^2", "_hidden", "", "犬", "a\nb", "x" * 100))
    figure = ElementTree.fromstring(class_balance(summary, summary["strata"][0]))
    texts = [e.text for e in figure.iter("{http://www.w3.org/2000/svg}text")]
    assert {"$x^2", "犬", "a b", "(empty)", "x" * 17 + "…"} <= set(texts)


def test_image_pairs() -> None:
    import numpy as np

    image = np.arange(64.0).reshape(8, 8)
    figure = image_pairs([(image, image, "0.99")] * 4)
    assert ElementTree.fromstring(figure).tag.endswith("svg")
    assert figure.count("<image") == 4
