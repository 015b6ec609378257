"""The pictures of a leakage report, from the plain data that probes hand over.

A probe's picture is a mapping of plain values, of one of these kinds; keys in brackets may be left out:

``bars``
    ``labels`` (list of str), ``values`` (list of numbers), [``low``, ``high``: ends of intervals], [``limits``: list of
    ``{"value": number, "name": str}``], [``band``: two numbers between which chance lies], [``unit``: str],
    [``labels_are``: "values" when the labels are values of the data, which are hidden unless asked for].
``histogram``
    ``edges`` (n + 1 numbers), ``counts`` (name to n numbers, stacked), [``marks``: list of ``{"value", "name"}`` or of
    numbers], [``unit``].
``ribbon``
    ``series`` (partition to [minimum, lower quartile, median, upper quartile, maximum]), [``unit``; "seconds since
    1970" is shown as dates].
``pairs``
    ``pairs``: list of [row, row, similarity]; shown as a table.
``images``
    ``pairs``: list of ``{"left": picture, "right": picture, "labels": [str, str], "similarity": number}``, pictures as
    JPEG or PNG (bytes, or their base64 text); shown only where values of the data are.
``heatmaps``
    ``maps``: list of ``{"name": str, "values": rows of numbers}``, or a mapping of title to rows of numbers.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from splitleak.rendering.contact_sheet import ImagePair, contact_sheet
from splitleak.rendering.figures import (
    FILLS,
    HATCHES,
    INK,
    LINE,
    bare_figure,
    figure_legend,
    plain_figure,
    short_label,
    svg_text,
)
from splitleak.rendering.tables import Summary, Table

Draw = Callable[[Summary, str, str], list[str]]
_BARS_SHOWN = 20
_SERIES_SHOWN = 12
_MAPS_SHOWN = 6
_MAP_NAME = 30
_NAME_LENGTH = 45  # in the legend of a histogram
_LONG_NAME = 14  # from which on each name has a line of its own
_PAIRS_SHOWN = 20


def audit_figures(picture: Summary | None, *, title: str, identifier: str) -> list[str]:
    """Return a picture as pieces of HTML (inline SVG); of a kind that is not known, none.

    Parameters
    ----------
    picture : mapping or None
        Plain data, see above.
    title : str
        What a screen reader says of it.
    identifier : str
        Distinguishes the figures of a page.
    """
    draw = _KINDS.get(picture["kind"]) if picture is not None else None
    return [] if draw is None or picture is None else draw(picture, title, identifier)


def pairs_table(picture: Summary | None) -> Table | None:
    """Return the pairs of a picture of kind "pairs" as a table, the first 20 of many; None: another kind."""
    if picture is None or picture["kind"] != "pairs" or not picture["pairs"]:
        return None
    pairs = picture["pairs"]
    rows = [(f"{a}", f"{b}", f"{similarity:.3f}") for a, b, similarity in pairs[:_PAIRS_SHOWN]]
    more = f" (the first {_PAIRS_SHOWN} of {len(pairs):,})" if len(pairs) > _PAIRS_SHOWN else ""
    return Table(f"Pairs{more}", ("row", "with row", "similarity"), rows, left=frozenset())


def hidden_images(picture: Summary | None) -> int:
    """Return how many pairs of images a picture would show if values of the data were shown."""
    return int(picture.get("hidden", 0)) if picture is not None and picture["kind"] == "images" else 0


def _bars(picture: Summary, title: str, identifier: str) -> list[str]:
    labels, values = picture["labels"][:_BARS_SHOWN], _numbers(picture["values"][:_BARS_SHOWN])
    if not labels:
        return []
    places = np.arange(len(labels))
    with plain_figure(1.0 + 0.27 * len(labels)) as (figure, axes):
        axes.barh(places, values, 0.68, color=FILLS[0], edgecolor=INK, linewidth=0.5)
        if picture.get("low") and picture.get("high"):
            low, high = (_numbers(picture[key][:_BARS_SHOWN]) for key in ("low", "high"))
            around = np.maximum(0, np.vstack([values - low, high - values]))
            axes.errorbar(values, places, xerr=around, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
        axes.set_yticks(places, [short_label(label) for label in labels])
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        limits = _marks(picture.get("limits"))
        unit = str(picture.get("unit") or "")
        if unit.startswith("AUC"):  # 0.5 says nothing: bars start there
            axes.set_xlim(min(0.5, float(np.nanmin(values))), 1.0)
        if picture.get("band"):
            low, high = picture["band"]
            axes.axvspan(low, high, color=LINE, alpha=0.16, linewidth=0, zorder=0)
            unit += "; shaded: by chance"
        _draw_marks(axes, limits)
        axes.set_xlabel(unit)
        return [svg_text(figure, identifier, f"Bars. {title}: {unit}")]


def _histogram(picture: Summary, title: str, identifier: str) -> list[str]:
    edges = _numbers(picture["edges"])
    with plain_figure(2.6) as (figure, axes):
        below = np.zeros(len(edges) - 1)
        for i, (name, counts) in enumerate(picture["counts"].items()):
            k = i % len(FILLS)
            axes.bar(
                edges[:-1], _numbers(counts), np.diff(edges), bottom=below, align="edge",
                label=short_label(name, _NAME_LENGTH), color=FILLS[k], edgecolor=INK, linewidth=0.5, hatch=HATCHES[k],
            )  # fmt: skip
            below = below + _numbers(counts)
        axes.set(xlabel=str(picture.get("unit") or ""), ylabel="rows")
        axes.set_xlim(edges[0], edges[-1])
        _draw_marks(axes, _marks(picture.get("marks")))
        if len(picture["counts"]) > 1:
            figure_legend(axes, 1 if max(map(len, picture["counts"])) > _LONG_NAME else 4)
        return [svg_text(figure, identifier, f"Histogram. {title}")]


def _ribbon(picture: Summary, title: str, identifier: str) -> list[str]:
    series = list(picture["series"].items())[:_SERIES_SHOWN]
    series = [(name, five) for name, five in series if None not in five]
    unit = str(picture.get("unit") or "")
    dates = unit.startswith("seconds since 1970")
    if not series:
        return []
    with plain_figure(0.75 + 0.36 * len(series)) as (figure, axes):
        for place, (_, five) in enumerate(series):
            low, quarter, median, three, high = (_date(x) if dates else x for x in five)
            k = place % len(FILLS)
            axes.plot([low, high], [place, place], color=INK, linewidth=1.2, solid_capstyle="butt")
            axes.fill_betweenx(
                [place - 0.28, place + 0.28], quarter, three, color=FILLS[k], hatch=HATCHES[k],
                edgecolor=INK, linewidth=0.5,
            )  # fmt: skip
            axes.plot([median, median], [place - 0.28, place + 0.28], color=INK, linewidth=2)
        axes.set_yticks(range(len(series)), [short_label(name) for name, _ in series])
        axes.set_ylim(len(series) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        if dates:
            from matplotlib import dates as calendar

            made: Any = calendar  # it has no types
            locator = made.AutoDateLocator(maxticks=6)
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(made.ConciseDateFormatter(locator))
        axes.set_xlabel("earliest to latest; box: middle half; bar: median" if dates else unit)
        return [svg_text(figure, identifier, f"Ranges by partition. {title}")]


def _images(picture: Summary, title: str, identifier: str) -> list[str]:
    del identifier
    pairs = [
        ImagePair(
            _picture_bytes(pair["left"]),
            _picture_bytes(pair["right"]),
            (str(pair["labels"][0]), str(pair["labels"][1])),
            float(pair["similarity"]),
        )
        for pair in picture.get("pairs", ())
    ]
    return list(contact_sheet(pairs, title=title).figures)


def _heatmaps(picture: Summary, title: str, identifier: str) -> list[str]:
    maps = picture["maps"]
    if isinstance(maps, Mapping):
        maps = [{"name": name, "values": values} for name, values in maps.items()]
    maps = maps[:_MAPS_SHOWN]
    columns = min(3, len(maps))
    if not maps:
        return []
    lines = -(-len(maps) // columns)
    with bare_figure(1.7 * lines) as figure:
        grid = figure.subplots(lines, columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for axes, entry in zip(grid.flat, maps, strict=False):
            axes.imshow(np.array(entry["values"], dtype=float), cmap="cividis", interpolation="none")
            axes.set_title(short_label(entry.get("name") or "", _MAP_NAME), fontsize=8, color=INK)
        if picture.get("unit"):
            figure.supxlabel(str(picture["unit"]), fontsize=8, color=INK)
        return [svg_text(figure, identifier, f"Heat maps, bright where it counts. {title}")]


_KINDS: Mapping[str, Draw] = {
    "bars": _bars,
    "histogram": _histogram,
    "ribbon": _ribbon,
    "images": _images,
    "heatmaps": _heatmaps,
}


def _numbers(values: Any) -> Any:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _marks(marks: Any) -> list[tuple[float, str]]:
    plain = [mark if isinstance(mark, Mapping) else {"value": mark} for mark in marks or ()]
    return [(float(m["value"]), str(m.get("name") or "")) for m in plain if m.get("value") is not None]


def _draw_marks(axes: Any, marks: list[tuple[float, str]]) -> None:
    """Draw vertical lines, each with its name above the axes; names on neighbouring lines go to both sides."""
    low, high = axes.get_xlim()
    for i, (value, name) in enumerate(sorted(marks)):
        if not low <= value <= high:
            continue
        axes.axvline(value, color=LINE, linewidth=1.4, linestyle="--")
        last = i == len(marks) - 1
        toward_left = not last or (len(marks) == 1 and value - low > 0.5 * (high - low))
        near_end = last and (high - value) < 0.12 * (high - low)
        axes.annotate(
            name, (value, 1.0), xycoords=("data", "axes fraction"), color=LINE, fontsize=8,
            xytext=(-3 if toward_left else 0 if near_end else 3, 2 + (9 if near_end and len(marks) > 1 else 0)),
            textcoords="offset points", ha="right" if toward_left or near_end else "left", va="bottom",
        )  # fmt: skip


def _date(seconds: float) -> Any:
    # matplotlib's dates end at the years 1 and 9999, margins included; what lies beyond is a fault of the data
    return np.datetime64(int(np.clip(seconds, -4.5e10, 2.3e11)), "s").item()


def _picture_bytes(picture: Any) -> bytes:
    if isinstance(picture, bytes):
        return picture
    try:
        return base64.b64decode(str(picture).rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        return b""
