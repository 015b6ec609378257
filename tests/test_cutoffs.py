"""Cut-offs against all choices of cut-offs."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from splitleak.cutoffs import Timeline, nearest_clean
from splitleak.sizes import largest_remainder


@settings(max_examples=300)
@given(
    st.lists(st.integers(0, 12), min_size=4, max_size=16),
    st.sampled_from([0, 0, 1, 2.5]),
    st.integers(2, 4),
    st.lists(st.integers(1, 9), min_size=4, max_size=4),
    st.lists(st.integers(0, 7), min_size=16, max_size=16),
    st.integers(0, 3),
)
def test_nearest_clean_cuts_are_nearest(ticks, embargo, k, weights, cluster, allowed) -> None:  # type: ignore[no-untyped-def]
    n = len(ticks)
    targets = np.array(largest_remainder([w * n / sum(weights[:k]) for w in weights[:k]], n))
    timeline = Timeline.of(np.array(ticks), embargo)
    _, labels = np.unique(cluster[:n], return_inverse=True)
    times = sorted(set(ticks))
    best: tuple[bool, int] | None = None
    for cuts in itertools.combinations(range(1, len(times)), k - 1):
        bounds = [times[c] for c in cuts]
        codes = np.array([sum(t >= b for b in bounds) for t in ticks])
        whole = all(len(set(codes[labels == c])) == 1 for c in set(labels))
        apart = all(
            max(t for t, p in zip(ticks, codes, strict=True) if p == j) + embargo
            < min(t for t, p in zip(ticks, codes, strict=True) if p == j + 1)
            for j in range(k - 1)
        )
        if whole and apart:
            off = np.abs(np.bincount(codes, minlength=k) - targets)
            found = (bool((off > allowed).any()), int(off.sum()))
            best = found if best is None else min(best, found)
    ranges = [(1, timeline.n_times - 1)] * (k - 1)
    cuts_found = nearest_clean(timeline, timeline.clean(labels), targets, ranges, allowed)
    if best is None:
        assert cuts_found is None
        return
    assert cuts_found is not None
    codes = timeline.windows(cuts_found)
    assert codes.min() >= 0
    off = np.abs(np.bincount(codes, minlength=k) - targets)
    assert (bool((off > allowed).any()), int(off.sum())) == best


@given(st.lists(st.integers(0, 12), min_size=2, max_size=16), st.integers(0, 4), st.data())
def test_windows_leave_the_embargo_out(ticks, embargo, data) -> None:  # type: ignore[no-untyped-def]
    timeline, times = Timeline.of(np.array(ticks), embargo), sorted(set(ticks))
    places = data.draw(st.sets(st.integers(1, max(1, len(times) - 1)), max_size=3))
    cuts = sorted(c for c in places if c < len(times))
    bounds = [times[c] for c in cuts]
    expected = []
    for t in ticks:
        later = [b for b in bounds if b > t]
        expected.append(-1 if later and t + embargo >= later[0] else sum(b <= t for b in bounds))
    assert timeline.windows(cuts).tolist() == expected
