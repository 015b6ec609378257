"""Cut-offs in time with classes: within the tolerance the most even for two partitions, never worse for three."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import splitleak
from splitleak.allocation.trading import EVEN

N = 60
ROWS = [f"row {i}" for i in range(N)]


def gaps(codes: np.ndarray, classes: np.ndarray, shares: list[float]) -> tuple[float, float]:
    """Return the largest gap of a size and of a class, as shares."""
    targets = [round(share * N) for share in shares]
    sizes = [abs(int((codes == p).sum()) - target) / N for p, target in enumerate(targets)]
    whole = [np.mean(classes == c) for c in np.unique(classes)]
    parts = [[np.mean(classes[codes == p] == c) for c in np.unique(classes)] for p in range(len(shares))]
    return max(sizes), float(np.abs(np.array(parts) - whole).max())


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=N, max_size=N),
    st.lists(st.sampled_from("aaab"), min_size=N, max_size=N).filter(lambda c: len(set(c)) == 2),
    st.sampled_from([0.05, 0.1, 0.2]),
    st.sampled_from([[0.7, 0.3], [0.6, 0.2, 0.2]]),
)
@pytest.mark.filterwarnings("ignore:stratify cannot bring")
def test_classes_are_as_even_as_the_tolerance_allows(days, classes, tolerance, shares) -> None:  # type: ignore[no-untyped-def]
    arguments = {
        "similarity": "exact",
        "time": days,
        "sizes": shares,
        "tolerance": tolerance,
        "certify": False,
    }
    try:
        plain = splitleak.split_by_similarity(ROWS, **arguments)
    except splitleak.InfeasibleSplitError:
        return
    split = splitleak.split_by_similarity(ROWS, stratify=classes, **arguments)
    day, label = np.array(days), np.array(classes)
    before, after = (gaps(made.codes, label, shares) for made in (plain, split))
    assert after[0] <= tolerance + 1e-9
    assert all(day[split.codes == p].max() < day[split.codes == p + 1].min() for p in range(len(shares) - 1))
    if before[1] <= EVEN:
        assert split.codes.tolist() == plain.codes.tolist()
        return
    assert sum(after) <= sum(before) + 1e-9
    if len(shares) == 2:
        every = [gaps((day >= cut).astype(int), label, shares) for cut in np.unique(day)[1:]]
        assert sum(after) == pytest.approx(min(sum(g) for g in every if g[0] <= tolerance + 1e-9))


def test_pins_bound_the_cut_offs() -> None:
    classes = ["a"] * 40 + ["b"] * 20
    arguments = {"similarity": "exact", "time": list(range(N)), "stratify": classes, "tolerance": 0.3}
    free = splitleak.split_by_similarity(ROWS, sizes=[0.5, 0.5], **arguments)
    assert free.sizes == {"train": 30, "test": 30}  # both classes are equally far off wherever the cut is
    pinned = splitleak.split_by_similarity(ROWS, sizes=[0.5, 0.5], pinned={"train": [44]}, **arguments)
    assert pinned.codes[44] == 0
