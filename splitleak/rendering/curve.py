"""The picture of a threshold curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito (2008): told apart by people with any kind of colour vision
_LARGEST, _LEAK, _DROPPED, _FEASIBLE, _CHANCE = "#0072b2", "#d55e00", "#cc79a7", "#009e73", "#000000"


def draw_curve(summary: Mapping[str, Any]) -> Figure:
    """Return a figure of the shares by threshold; the range in which the sizes can be met is shaded.

    Parameters
    ----------
    summary : dict
        ``thresholds``, ``largest_share``, ``random_leak``, ``feasible``, ``dropped_share`` (or None) and
        ``chance_explains`` (or None), lists of one length, shares in [0, 1].
    """
    from matplotlib.figure import Figure

    x = np.asarray(summary["thresholds"], dtype=float)
    if summary.get("unit") == "E-value":
        x = np.maximum(x, 1e-300)
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    _shade(axes, x, np.asarray(summary["feasible"], dtype=bool))
    _line(axes, x, summary["largest_share"], "o-", _LARGEST, "rows in the largest cluster")
    _line(
        axes,
        x,
        summary["random_leak"],
        "s--",
        _LEAK,
        "held-out rows with a similar training row,\nrandom split",
    )
    if summary["dropped_share"] is not None:
        _line(axes, x, summary["dropped_share"], "^:", _DROPPED, "rows to drop for the sizes asked for")
    explained = summary.get("chance_explains")
    if explained is not None:
        _line(axes, x, explained, "x-.", _CHANCE, "of the similar pairs: as many are\nsimilar by chance")
    if summary.get("unit") == "E-value":  # those that no float can hold stand at its smallest
        axes.set_xscale("log")
        axes.invert_xaxis()
        axes.set_xlabel("E-value up to which rows stay together")
    else:
        axes.set_xlabel("threshold (similarity from which on rows stay together)")
    axes.set_ylabel("share of rows (%)" if explained is None else "share of rows, of pairs (%)")
    axes.set_ylim(-2, 104)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=8.5)
    return figure


def _line(axes: Any, x: Any, shares: Any, style: str, colour: str, label: str) -> None:
    y = 100 * np.array([np.nan if share is None else share for share in shares], dtype=float)
    axes.plot(x, y, style, color=colour, label=label, markersize=4, linewidth=1.5)


def _shade(axes: Any, x: Any, feasible: Any) -> None:
    """Shade from each threshold at which the sizes can be met to the next one."""
    edges = np.append(x, x[-1] + (x[-1] - x[0]) * 0.02 if len(x) > 1 else x[-1] + 0.01)
    edges = np.maximum(edges, x[-1] / 10 if x[-1] < x[0] else 0)
    label = "sizes can be met, nothing dropped"
    for i in np.flatnonzero(feasible):
        axes.axvspan(edges[i], edges[i + 1], color=_FEASIBLE, alpha=0.15, linewidth=0, label=label)
        label = "_again"
