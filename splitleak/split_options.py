"""The options of split_by_similarity(), checked before work starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError, unknown_option
from splitleak.strata.weighing import units_to_drop

OnInfeasible = Literal["error", "nearest", "drop", "cut", "raise_threshold"]


def rows_to_drop(
    max_dropped: float | None, n_rows: int, on_infeasible: str, weights: NDArray[np.float64] | None
) -> int | None:
    """Return the budget in rows or, with weights, in whole units of weight."""
    if max_dropped is None:
        return None
    if on_infeasible != "drop":
        raise InputError(f"max_dropped= goes with on_infeasible='drop', got on_infeasible={on_infeasible!r}")
    whole = isinstance(max_dropped, (int, np.integer)) and not isinstance(max_dropped, bool)
    if not (whole and max_dropped >= 0) and not (isinstance(max_dropped, float) and 0 <= max_dropped < 1):
        raise InputError(
            f"max_dropped must be a number of rows, or a share of them in [0, 1), got {max_dropped!r}"
        )
    if weights is None:
        return int(max_dropped) if whole else int(max_dropped * n_rows)
    if max_dropped >= 1:
        raise InputError(
            f"max_dropped= is a share of the weight in [0, 1) with weights=, got {max_dropped!r}"
        )
    return int(max_dropped * int(units_to_drop(weights).sum()))


def check_weights(weights: Any, on_infeasible: str, time: Any, pinned: Any) -> None:
    if weights is not None and time is not None:
        raise InputError("time= goes by rows: cut-offs are not weighed; leave weights= out")
    if weights is not None and pinned is not None and on_infeasible == "drop":
        raise InputError(
            "on_infeasible='drop' goes by rows where rows are pinned; leave weights= or pinned= out, or take"
            " on_infeasible='nearest', 'cut' or 'raise_threshold'"
        )


def check_folds(folds: int, given: Sequence[str], on_infeasible: str) -> None:
    given = [
        *given,
        *([f"on_infeasible={on_infeasible!r}"] if on_infeasible not in ("error", "nearest") else []),
    ]
    if given:
        forward = (
            f"; folds in order of time are sizes={{f'block {{i}}': 1 / {folds + 1} for i in range({folds + 1})}} with"
            " time=, and then split.forward_folds()"
        )
        raise InputError(
            f"folds={folds!r} makes folds of equal size that hold every row, which leaves no room for"
            f" {' and '.join(given)}: leave them out, and take"
            f" on_infeasible='error' or 'nearest'{forward if 'time=' in given else ''}"
        )


def check_options(on_infeasible: str, tolerance: float, seed: int) -> None:
    if on_infeasible not in get_args(OnInfeasible):
        raise unknown_option("on_infeasible", on_infeasible, get_args(OnInfeasible))
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not 0 <= tolerance < 1:
        raise InputError(f"tolerance must be a share of the rows in [0, 1), got {tolerance!r}")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed must be a whole number of at least 0, got {seed!r}")
