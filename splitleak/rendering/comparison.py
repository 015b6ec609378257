"""Several splits side by side: as text, as the fragment that notebooks show, as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from splitleak._scale import scale_of
from splitleak.rendering.figures import label_ticks
from splitleak.rendering.tables import Summary, Table, count, share
from splitleak.rendering.text import filled, printable, table_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_VERDICTS = {"separated": "separated", "separated_with_recall": "separated (recall)", "leaking": "LEAKING"}
# of Okabe and Ito (2008), told apart by people with any kind of colour vision
_FAR, _NEAR, _LINE, _INK, _FAINT = "#0072b2", "#e69f00", "#b3400a", "#222222", "#bbbbbb"
_MOST_BINS = 40


def comparison_text(summary: Summary) -> str:
    """Return the comparison as text."""
    return "\n".join(
        [title(summary), "", table_text(comparison_table(summary)), "", *map(filled, notes(summary))]
    )


def comparison_fragment(summary: Summary) -> str:
    """Return what a notebook shows of a comparison: the table, and a histogram of each split."""
    from splitleak.rendering.figures import nearest_histogram, shared_axis
    from splitleak.rendering.html import Section, render

    drawn = [s for s in summary["splits"] if s["certificate"]["nearest"] is not None]
    sections = [Section("Splits", notes(summary), tables=[comparison_table(summary)])]
    if drawn:
        axis = shared_axis(*(s["certificate"] for s in drawn))
        pictures = [
            nearest_histogram(s["certificate"], title=s["name"], axis=axis, identifier=f"compared-{i}")
            for i, s in enumerate(drawn)
        ]
        sections.append(Section("How near held-out rows come to the training rows", figures=pictures))
    leaking = [s["name"] for s in summary["splits"] if s["verdict"] == "leaking"]
    verdict = "leaking" if leaking else "separated"
    story = [f"Leaking: {', '.join(leaking)}."] if leaking else ["None of them leaks."]
    return render(
        "fragment.html", verdict=verdict, headline=title(summary), explanation=story, sections=sections
    )


def title(summary: Summary) -> str:
    """Return what is compared."""
    return printable(
        f"{count(len(summary['splits']), 'split')} of {count(summary['n_rows'], 'row')}, searched by"
        f" {summary['similarity']}, threshold {scale_of(summary['similarity']).shown(summary['threshold'])}"
    )


def comparison_table(summary: Summary) -> Table:
    """Return one line a split."""
    header = (
        "split",
        "sizes",
        "verdict",
        "crossing pairs",
        "held-out with similar",
        "L(pi)",
        "of random",
        "largest",
    )
    rows, scale = [], scale_of(summary["similarity"])
    for s in summary["splits"]:
        sizes = " / ".join(f"{name} {rows:,}" for name, rows in s["sizes"].items())
        if s["dropped"]:
            sizes += f" / dropped {s['dropped']:,}"
        found, largest = s["leakage"], "?"
        if s["largest"] is not None:
            largest = (
                scale.beyond(s["largest"])
                if s["largest_is_bound"]
                else scale.text(s["largest"], summary["threshold"])
            )
        rows.append(
            (
                s["name"],
                sizes,
                _VERDICTS.get(s["verdict"], s["verdict"]),
                f"{s['n_crossing']:,}",
                share(s["share_with_similar"]),
                "?" if found is None else f"{found['scaled']:.4f}",
                "?" if found is None or found["ratio"] is None else f"{found['ratio']:.2f}",
                largest,
            )
        )
    return Table("Splits", header, rows, left=frozenset({0, 1, 2}))


def notes(summary: Summary) -> list[str]:
    """Return what the columns mean, and what a reader must know besides."""
    known = [s["leakage"] for s in summary["splits"] if s["leakage"] is not None]
    sentences = [
        f"held-out with similar: share of held-out rows with a training row at"
        f" {scale_of(summary['similarity']).bound(summary['threshold'])}."
    ]
    if known:
        least = known[0]["similarity_from"]
        bound = scale_of(summary["similarity"]).bound(least) if least else ""
        counted = f"pairs of similarity {bound}" if least else "all pairs"
        sentences.append(
            f"L(pi): share of the similarity of {counted} that crosses between partitions; of random: that share over"
            " its expectation in random splits of the same sizes (1 = as leaky as chance)."
        )
    return sentences + [f"Note: {note}." for note in summary["notes"]]


def nearest_figure(summary: Summary) -> Figure:
    """Return histograms of each held-out row's nearest training similarity, one below the other on one scale."""
    import matplotlib
    from matplotlib.figure import Figure

    scale = scale_of(summary["similarity"])
    drawn = [s for s in summary["splits"] if s["certificate"]["nearest"] is not None]
    settings: Any = {
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": _FAINT,
        "text.parse_math": False,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(6.4, 0.9 + 1.35 * max(1, len(drawn))), layout="constrained")
        if not drawn:
            figure.text(
                0.5, 0.5, "This measure cannot look up nearest similarities.", ha="center", color=_INK
            )
            return figure
        panels = figure.subplots(len(drawn), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        edges = _edges(drawn, summary["threshold"])
        for axes, split in zip(panels, drawn, strict=True):
            _panel(axes, split, edges, summary["threshold"])
        # room above the tallest bar for the threshold's label
        panels[0].set_ylim(0, panels[0].get_ylim()[1] * 1.12)
        toward_left = summary["threshold"] - edges[0] > 0.45 * (1 - edges[0])
        panels[0].annotate(
            f"threshold {scale.shown(summary['threshold'])}", (summary["threshold"], 1),
            (-4 if toward_left else 4, -2), color=_LINE, xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="right" if toward_left else "left", va="top",
        )  # fmt: skip
        panels[-1].set_xlabel(f"{scale.name} to the nearest training row")
        label_ticks(panels[-1], scale)
        figure.supylabel("held-out rows (%)", fontsize=9)
    return figure


def _panel(axes: Axes, split: Summary, edges: Any, threshold: float) -> None:
    nearest = split["certificate"]["nearest"]
    counts = np.sum([np.asarray(c) for c in nearest["counts"].values()], axis=0)
    places = np.searchsorted(edges, np.asarray(nearest["edges"])[:-1], side="right") - 1
    # rows of bins left of the axis go to the first
    heights = np.bincount(np.clip(places, 0, None), weights=counts, minlength=len(edges) - 1)
    heights = 100 * heights / max(1, counts.sum())
    colours = [_NEAR if left >= threshold else _FAR for left in edges[:-1]]
    axes.bar(
        edges[:-1], heights, np.diff(edges), align="edge", color=colours, edgecolor="white", linewidth=0.4
    )
    axes.axvline(threshold, color=_LINE, linewidth=1.4, linestyle="--")
    axes.set_xlim(edges[0], 1)
    found = split["leakage"]
    ratio = "" if found is None or found["ratio"] is None else f", L(pi) {found['ratio']:.2f} of random"
    sampled = " (sample)" if nearest["sampled"] else ""
    name = split["name"] if len(split["name"]) <= 26 else split["name"][:25] + "…"
    axes.set_title(printable(name) + sampled, loc="left", color=_INK, fontweight="bold")
    text = f"{share(split['share_with_similar'])} have a similar training row{ratio}"
    axes.set_title(text, loc="right", color=_INK, fontsize=8.5)


def _edges(splits: list[Summary], threshold: float) -> Any:
    """Return edges of at most about 40 bins that hold all rows, the threshold one of them."""
    edges = np.asarray(splits[0]["certificate"]["nearest"]["edges"], dtype=float)
    counts = np.sum([c for s in splits for c in s["certificate"]["nearest"]["counts"].values()], axis=0)
    filled_bins = np.flatnonzero(counts)
    first = min(float(edges[filled_bins[0]]) if len(filled_bins) else 0.0, 2 * threshold - 1)
    start = 0 if first < 0.3 else int(np.searchsorted(edges, np.floor(first * 20) / 20))
    step = max(1, -(-(len(edges) - 1 - start) // _MOST_BINS))
    at = int(np.searchsorted(edges, threshold))
    return edges[sorted({start, len(edges) - 1, *range(at, start, -step), *range(at, len(edges), step)})]
