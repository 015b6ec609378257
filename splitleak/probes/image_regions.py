"""Where in the image is the class? The area under the ROC curve of each patch; corners and edges that stand out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.image_facts import GRID
from splitleak.statistics import hanley_mcneil_error, normal_tail

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_LAST = GRID - 1
_CORNERS = {"top left": 0, "top right": _LAST, "bottom left": GRID * _LAST, "bottom right": GRID * GRID - 1}
_CELLS = np.arange(GRID * GRID).reshape(GRID, GRID)
_EDGES = {
    "top": _CELLS[0, 1:-1],
    "bottom": _CELLS[-1, 1:-1],
    "left": _CELLS[1:-1, 0],
    "right": _CELLS[1:-1, -1],
}
_CENTRE = _CELLS[2:-2, 2:-2].ravel()
_RING = np.setdiff1d(_CELLS, _CELLS[1:-1, 1:-1])
_BESIDE = 0.02
_MOST_MARKED = 2  # corners; where three tell, so does the background
_SILENT_CORNER = 0.6  # what the other corners may reach, beside those that tell
_SILENT = 0.65  # what the centre and the other edges may reach, beside an edge or a frame that tells
_WORTH = 0.7
# where the background as a whole is brighter, that share of the outermost ring and all corners reach that area
_OF_RING, _BRIGHTER = 0.75, 0.9
BACKGROUND = "brightness of the background"


@dataclass(frozen=True, eq=False)
class Region:
    """A part of the image that tells a side apart.

    Attributes
    ----------
    where : str
        Such as "top left corner", "bottom edge", "frame", `BACKGROUND`.
    side : int
        Which class.
    area, error : float
        Area under the ROC curve of the region alone, and its standard error.
    elsewhere : float
        The best that the parts it was compared with reach.
    """

    where: str
    side: int
    area: float
    error: float
    elsewhere: float

    def p_above(self, limit: float) -> float:
        """Return the p-value of "the true area is at most `limit`"."""
        return normal_tail((self.area - limit) / self.error)


def areas(values: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Return the signed area under the ROC curve of each column of values; 0.5: says nothing."""
    from scipy.stats import rankdata

    m, n = int(inside.sum()), int((~inside).sum())
    ranks = rankdata(values, axis=0)
    return np.asarray((ranks[inside].sum(axis=0) - m * (m + 1) / 2) / (m * n))


def folded(area: Floats) -> Floats:
    """Return areas whichever way they point, in [0.5, 1]."""
    return np.maximum(area, 1 - area)


def standing_out(
    mean: Floats, spread: Floats, inside: NDArray[np.bool_], side: int
) -> tuple[list[Region], Floats]:
    """Return the parts that tell a side while their likes do not, and the area of each patch, shape (8, 8).

    Parameters
    ----------
    mean, spread : float arrays of shape (n_images, 64)
        Of the gray values of each patch.
    inside : bool array of shape (n_images,)
        Which images are of that side.
    side : int
        Its number.
    """
    m, n = int(inside.sum()), int((~inside).sum())
    by_mean = areas(mean, inside)
    best = np.maximum(folded(by_mean), folded(areas(spread, inside)))

    def region(where: str, area: float, elsewhere: float) -> Region:
        error = hanley_mcneil_error(min(area, 1 - 0.5 / (m + n)), m, n)
        return Region(where, side, area, error, elsewhere)

    found = []
    # a mark ends in the corner; content that reaches into it tells more beside it
    marked = {
        name: cell
        for name, cell in _CORNERS.items()
        if best[cell] >= max(_WORTH, float(best[_beside(cell)].max()) - _BESIDE)
    }
    # two sources may mark a corner each, and must not hide each other
    others = max((float(best[cell]) for name, cell in _CORNERS.items() if name not in marked), default=1.0)
    if len(marked) <= _MOST_MARKED and others <= _SILENT_CORNER:
        found += [region(f"{name} corner", float(best[cell]), others) for name, cell in marked.items()]
    centre = float(best[_CENTRE].max())
    edges = {name: _of_part(mean, spread, cells, inside) for name, cells in _EDGES.items()}
    for name, area in edges.items():
        others = max([a for other, a in edges.items() if other != name] + [centre])
        if area >= _WORTH and others <= _SILENT:
            found.append(region(f"{name} edge", area, others))
    weakest = min(edges.values())
    if weakest >= _WORTH and centre <= _SILENT:
        found.append(region("frame", weakest, centre))
    for direction in (by_mean, 1 - by_mean):
        ring = direction[_RING]
        corners = direction[list(_CORNERS.values())]
        if corners.min() >= _BRIGHTER and (ring >= _BRIGHTER).mean() >= _OF_RING:
            found.append(region(BACKGROUND, float(np.median(ring)), centre))
    return found, best.reshape(GRID, GRID)


def _beside(cell: int) -> Ints:
    row, column = divmod(cell, GRID)
    near = _CELLS[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].ravel()
    return np.asarray(near[near != cell], dtype=np.int64)


def _of_part(mean: Floats, spread: Floats, cells: Ints, inside: NDArray[np.bool_]) -> float:
    both = np.stack([mean[:, cells].mean(axis=1), spread[:, cells].mean(axis=1)], axis=1)
    return float(folded(areas(both, inside)).max())
