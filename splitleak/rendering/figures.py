"""Pictures as inline SVG: text stays text, and the page's style sheet decides on the colours.

Every figure has the width of a phone's screen, so that letters keep their size; a wide page sets figures side
by side.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak._scale import SHARES, Scale, scale_of, similarity_of_evalue
from splitleak.rendering.tables import Summary, frequent_classes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 4.4  # inches
# Placeholders that no figure uses otherwise, each replaced by a variable of the page's style sheet with a
# default. The fills are of Okabe and Ito (2008), told apart by people with any kind of colour vision.
INK, FAINT = "#010203", "#010204"
FILLS = ("#010205", "#010206", "#010207", "#010208")
LINE = "#010209"
_VARIABLES = {
    INK: "var(--sl-ink, #222222)",
    FAINT: "var(--sl-faint, #bbbbbb)",
    FILLS[0]: "var(--sl-fill-1, #0072b2)",
    FILLS[1]: "var(--sl-fill-2, #e69f00)",
    FILLS[2]: "var(--sl-fill-3, #009e73)",
    FILLS[3]: "var(--sl-fill-4, #cc79a7)",
    LINE: "var(--sl-line, #b3400a)",
}
HATCHES = ("", "////", "||||", "xxxx")
_APART = 0.11  # of the axis, between the middles of two labels
_LONGEST = 18


@dataclass(frozen=True)
class Axis:
    """Where the horizontal axis of histograms starts, and how high the tallest bar is."""

    low: float
    most: float


def shared_axis(*certificates: Summary) -> Axis:
    """Return axes on which the histograms of all the certificates can be compared."""
    low = min(_low(c["nearest"], c["threshold"]) for c in certificates)
    tallest = [_bins(c["nearest"], c["threshold"], low)[1].sum(axis=0).max(initial=0) for c in certificates]
    return Axis(low, float(max(1, *tallest)))


def nearest_histogram(
    certificate: Summary, *, title: str, axis: Axis | None = None, identifier: str = "nearest"
) -> str:
    """Return a histogram of each held-out row's nearest training similarity, the threshold drawn as a line.

    Parameters
    ----------
    certificate : dict
        Summary of a certificate with ``nearest``.
    title : str
        Stands above the figure.
    axis : Axis, optional
        Of `shared_axis`, for figures that are compared.
    identifier : str
        Distinguishes the figures of a page.
    """
    nearest, threshold = certificate["nearest"], certificate["threshold"]
    axis = axis or shared_axis(certificate)
    edges, counts = _bins(nearest, threshold, axis.low)
    with plain_figure(2.7) as (figure, axes):
        below = np.zeros(len(edges) - 1)
        for i, name in enumerate(nearest["counts"]):
            k = i % len(FILLS)
            axes.bar(
                edges[:-1], counts[i], np.diff(edges), bottom=below, align="edge", label=short_label(name),
                color=FILLS[k], edgecolor=INK, linewidth=0.5, hatch=HATCHES[k],
            )  # fmt: skip
            below = below + counts[i]
        top = axis.most * 1.28
        scale = scale_of(certificate["similarity"])
        axes.set(xlim=(axis.low, 1), ylim=(0, top), xlabel=f"{scale.name} to the nearest training row")
        label_ticks(axes, scale)
        axes.set_ylabel("held-out rows" + (" (sample)" if nearest["sampled"] else ""))
        axes.axvline(threshold, color=LINE, linewidth=1.6, linestyle="--")
        toward_left = threshold - axis.low > 0.45 * (1 - axis.low)
        axes.annotate(
            f"threshold {scale.shown(threshold)}", (threshold, top), (-5 if toward_left else 5, -1), color=LINE,
            textcoords="offset points", ha="right" if toward_left else "left", va="top",
        )  # fmt: skip
        axes.set_title(title, loc="left")
        if len(nearest["counts"]) > 1:
            figure_legend(axes)
        return svg_text(figure, identifier, f"Histogram. {title}")


def class_balance(summary: Summary, stratum: Summary, *, identifier: str = "classes") -> str:
    """Return the share of each class within each partition as bars."""
    shown, partitions = frequent_classes(stratum), summary["partitions"]
    labels = [stratum["labels"][at] for at in shown]
    thick = 0.8 / len(partitions)
    with plain_figure(0.95 + len(labels) * max(0.26, 0.115 * len(partitions))) as (figure, axes):
        places = np.arange(len(labels))
        for i, part in enumerate(partitions):
            k = i % len(FILLS)
            shares = [100 * stratum["shares"][i][at] for at in shown]
            axes.barh(
                places - 0.4 + thick * (i + 0.5), shares, thick, label=short_label(part["name"]),
                color=FILLS[k], edgecolor=INK, linewidth=0.5, hatch=HATCHES[k],
            )  # fmt: skip
        axes.set_yticks(places, [short_label(label) for label in labels])
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        weighted = partitions[0]["weight_share"] is not None
        axes.set(xlabel=f"share of the partition's {'weight' if weighted else 'rows'} (%)", xlim=(0, None))
        if stratum["name"] != "stratify":
            axes.set_title(short_label(stratum["name"]), loc="left")
        figure_legend(axes)
        return svg_text(figure, identifier, "Bars: share of each class within each partition")


def image_pairs(
    pairs: Sequence[tuple[NDArray[Any], NDArray[Any], str]], *, columns: int = 3, identifier: str = "pairs"
) -> str:
    """Return pairs of small grey images side by side, each with a caption below it."""
    rows = -(-len(pairs) // columns)
    with bare_figure(0.98 * rows) as figure:
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for axes, (left, right, caption) in zip(grid.flat, pairs, strict=False):
            gap = np.full((left.shape[0], 1), np.nan)
            # ink on paper in a light page and in a dark one: the images bring their own background
            axes.imshow(np.hstack([left, gap, right]), cmap="gray_r", interpolation="none")
            axes.set_title(caption, y=-0.34, fontsize=8, color=INK)
        return svg_text(
            figure, identifier, f"{len(pairs)} pairs of images: " + "; ".join(c for *_, c in pairs)
        )


def _low(nearest: Summary, threshold: float) -> float:
    """Return where the horizontal axis starts: at 0, or later where little would be seen of the rest."""
    edges = np.asarray(nearest["edges"])
    filled = np.flatnonzero(np.sum(list(nearest["counts"].values()), axis=0))
    first = min(float(edges[filled[0]]) if len(filled) else 0.0, 2 * threshold - 1)
    return 0.0 if first < 0.3 else float(np.floor(first * 20) / 20)


def _bins(nearest: Summary, threshold: float, low: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return edges and counts (one line per partition) of at most about 25 bins, the threshold an edge."""
    edges = np.asarray(nearest["edges"], dtype=float)
    counts = np.asarray(list(nearest["counts"].values()), dtype=float)
    start = int(np.searchsorted(edges, low))
    step = max(1, -(-(len(edges) - 1 - start) // 25))
    at = int(np.searchsorted(edges, threshold))
    kept = sorted({start, len(edges) - 1, *range(at, start, -step), *range(at, len(edges), step)})
    # rows left of the axis are none: `low` is below the first of them
    return edges[kept], np.add.reduceat(counts, kept[:-1], axis=1)


def label_ticks(axes: Axes, scale: Scale) -> None:
    """Write the values that people read along an axis of similarities; shares stand there already."""
    if scale is SHARES:
        return
    low, high = axes.get_xlim()
    inside: dict[float, str] = {}
    for evalue in (1, 0, 1e-10, 1e-3, 1000, 1e-50, 1e-20):  # the most telling first: labels must not touch
        place = float(similarity_of_evalue(evalue))
        if low <= place <= high and all(abs(place - other) >= _APART * (high - low) for other in inside):
            inside[place] = f"{evalue:g}"
    axes.set_xticks(list(inside), list(inside.values()))


def short_label(text: str, longest: int = _LONGEST) -> str:
    text = " ".join(str(text).split()) or "(empty)"
    # a label that starts with an underscore would be left out of the legend
    text = f"\N{ZERO WIDTH SPACE}{text}" if text.startswith("_") else text
    return text if len(text) <= longest else text[: longest - 1] + "…"


def figure_legend(axes: Axes, columns: int = 4) -> None:
    axes.figure.legend(
        loc="outside upper right", ncols=columns, frameon=False, handlelength=1.2, columnspacing=1.0
    )


@contextmanager
def bare_figure(height: float) -> Iterator[Figure]:
    import matplotlib
    from matplotlib.figure import Figure

    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "splitleak",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 9,
        "axes.titlesize": 9.5,
        "text.color": INK,
        "text.parse_math": False,
        "axes.labelcolor": INK,
        "axes.edgecolor": FAINT,
        "xtick.color": INK,
        "ytick.color": INK,
        "hatch.linewidth": 0.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with warnings.catch_warnings(), matplotlib.rc_context(settings):
        # letters that the measuring font lacks are drawn by the reader's browser, which has them
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield Figure(figsize=(WIDTH, height), layout="constrained", facecolor="none")


@contextmanager
def plain_figure(height: float) -> Iterator[tuple[Figure, Axes]]:
    with bare_figure(height) as figure:
        axes = figure.add_subplot(facecolor="none")
        yield figure, axes


def svg_text(figure: Figure, identifier: str, description: str) -> str:
    """Return the figure as an ``<svg>`` element that can stand in a page beside others."""
    from html import escape

    out = StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    # its style sheet would hold for the whole page
    text = re.sub(r"<(metadata|style)\b.*?</\1>\s*", "", text, flags=re.DOTALL)
    for placeholder, variable in _VARIABLES.items():
        text = text.replace(placeholder, variable)
    text = re.sub(r"'DejaVu Sans'(, [^;\"]*)?", "sans-serif", text)
    # names of parts must differ between the figures of a page
    text = re.sub(r'\bid="', f'id="{identifier}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{identifier}-", text)
    label = f'role="img" aria-label="{escape(description)}"'
    return re.sub(r"<svg ", f'<svg {label} style="stroke-linejoin: round" ', text, count=1)
