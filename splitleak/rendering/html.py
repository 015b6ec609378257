"""A split's summary as HTML: one self-contained page, and the fragment that notebooks show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from splitleak.rendering.sentences import (
    cluster_sentence,
    explanation,
    headline,
    reason_sentences,
    split_explanation,
    split_headline,
    unreachable_note,
)
from splitleak.rendering.tables import (
    Summary,
    Table,
    across_table,
    call_text,
    class_tables,
    crossing_table,
    provenance_table,
    size_table,
)

_CROSSING_SHOWN = 100


@dataclass(frozen=True)
class Section:
    """A part of a page: a title, paragraphs, pictures (inline SVG) and tables."""

    title: str
    paragraphs: Sequence[str] = ()
    figures: Sequence[str] = ()
    tables: Sequence[Table] = ()
    code: str = ""


def split_page(
    summary: Summary, *, title: str = "", before: Sequence[Section] = (), histogram: bool = True
) -> str:
    """Return a page about a split: no scripts, nothing loaded from elsewhere.

    Parameters
    ----------
    summary : dict
        Of a split.
    title : str
        Heading of the page; default: the number of rows.
    before : sequence of Section
        Shown between the verdict and the sizes.
    histogram : bool
        Show the histogram of nearest similarities (a caller may have shown it in `before`).
    """
    title = title or f"Split of {summary['n_rows']:,} rows"
    sections = [s for s in _sections(summary) if histogram or s.title != _NEAREST]
    return render("page.html", title=title, **_split_verdict(summary), sections=[*before, *sections])


def pairs_page(section: Section, *, title: str) -> str:
    """Return a page of one section, without a verdict."""
    return render("page.html", title=title, verdict="none", headline="", explanation=[], sections=[section])


def split_fragment(summary: Summary) -> str:
    """Return the part of a split that a notebook shows: verdict, sizes, class balance, histogram."""
    sections = [s for s in _sections(summary, identifier="cell") if s.title in ("Sizes", "Classes", _NEAREST)]
    return render("fragment.html", **_split_verdict(summary), sections=sections)


def certificate_fragment(certificate: Summary) -> str:
    """Return what a notebook shows of a certificate: verdict, pairs across partitions, histogram."""
    return render(
        "fragment.html", **_verdict(certificate), sections=_certificate_sections(certificate, "cell")
    )


_NEAREST = "How near held-out rows come to the training rows"


def _verdict(certificate: Summary | None) -> dict[str, Any]:
    verdict = "none" if certificate is None else certificate["verdict"]
    return {"verdict": verdict, "headline": headline(certificate), "explanation": explanation(certificate)}


def _split_verdict(summary: Summary) -> dict[str, Any]:
    return _verdict(summary["certificate"]) | {
        "headline": split_headline(summary),
        "explanation": split_explanation(summary),
    }


def _sections(summary: Summary, identifier: str = "page") -> list[Section]:
    from splitleak.rendering.figures import class_balance

    clusters = cluster_sentence(summary)
    paragraphs = [f"{clusters} Rows of one cluster stay together."] if clusters else []
    paragraphs += reason_sentences(summary)
    sections = [Section("Sizes", paragraphs, tables=[size_table(summary)])]
    if summary["strata"]:
        pictures = [
            class_balance(summary, stratum, identifier=f"{identifier}-classes-{i}")
            for i, stratum in enumerate(summary["strata"])
        ]
        note = unreachable_note(summary)
        notes = [note] if note else []
        sections.append(Section("Classes", notes, figures=pictures, tables=class_tables(summary)))
    if summary["certificate"] is not None:
        sections += _certificate_sections(summary["certificate"], identifier)
    made = summary["provenance"]
    if made is not None:
        note = "With the same data, these options and this seed, the same call gives the same split:"
        table = provenance_table(made)
        sections.append(Section("How it was made", [note], tables=[table], code=call_text(made)))
    return sections


def _certificate_sections(certificate: Summary, identifier: str) -> list[Section]:
    from splitleak.rendering.figures import nearest_histogram

    sections = [Section("Across partitions", tables=[across_table(certificate)])]
    crossing = crossing_table(certificate, _CROSSING_SHOWN)
    if crossing is not None:
        sections.insert(0, Section(crossing.title, ["Rows are counted from 0."], tables=[crossing]))
    figures, texts = [], []
    for number, view in enumerate(certificate.get("views") or [certificate]):
        nearest = view["nearest"]
        if nearest is None:
            continue
        looked = ", ".join(f"{rows:,} of {name}" for name, rows in nearest["rows"].items())
        texts = [
            f"Similarity of each held-out row to its nearest training row ({looked}"
            + (", a sample drawn by chance)." if nearest["sampled"] else ", all of them).")
        ]
        name = f"{identifier}-nearest" + (f"-{number}" if number else "")
        figures.append(nearest_histogram(view, title=view.get("view") or "This split", identifier=name))
    if figures:
        sections.append(Section(_NEAREST, texts, figures=figures))
    return sections


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("splitleak.rendering"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # a number and its percent sign stay on one line
    environment.filters["joined"] = lambda text: text.replace(" %", "\N{NO-BREAK SPACE}%")
    return environment


def render(template: str, **values: Any) -> str:
    """Return a template filled with values; texts are escaped."""
    text: str = _environment().get_template(template).render(**values)
    return text
