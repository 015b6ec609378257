"""Sizes to the row, against every way to hand out a few clusters."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitleak.allocation.packing import pack
from splitleak.allocation.subset_sum import Bits, bundles, coordinates, reachable
from tests.oracles import allocation_by_brute_force


@st.composite
def requests(draw, *, most_clusters=8, most_rows=40):
    """Cluster sizes, and targets that sum to them."""
    p = draw(st.integers(2, 4))
    k = draw(st.integers(p, {2: most_clusters, 3: most_clusters, 4: 6}[p]))
    unit = draw(st.sampled_from([1, 1, 2, 5]))
    sizes = [unit * draw(st.integers(1, draw(st.sampled_from([2, 4, most_rows])))) for _ in range(k)]
    n = sum(sizes)
    cuts = sorted(draw(st.sets(st.integers(1, n - 1), min_size=p - 1, max_size=p - 1)))
    return sizes, [b - a for a, b in zip([0, *cuts], [*cuts, n], strict=True)]


def packed(sizes, targets, seed=0, **options):
    counted = sorted(Counter(sizes).items(), reverse=True)
    distinct, counts = [s for s, _ in counted], [c for _, c in counted]
    options.setdefault("filled", [False] * len(targets))
    packing = pack(distinct, counts, targets, random=Random(seed), **options)
    assert packing.counts.sum(axis=1).tolist() == counts
    assert packing.counts.min() >= 0
    sums = np.array(distinct) @ packing.counts
    assert packing.deviation == np.abs(sums - targets).sum()
    return packing, sums.tolist()


@given(requests(), st.integers(0, 3))
def test_the_nearest_sizes_of_all(request_, seed):
    sizes, targets = request_
    packing, sums = packed(sizes, targets, seed)
    assert packing.deviation == allocation_by_brute_force(sizes, targets)[0]
    assert packing.proven
    assert min(sums) > 0


@given(requests(), st.data())
def test_partitions_that_are_filled_already_may_stay_empty(request_, data):
    sizes, targets = request_
    filled = data.draw(st.lists(st.booleans(), min_size=len(targets), max_size=len(targets)))
    shift = data.draw(st.integers(-60, 60))  # what was pinned may exceed a target
    targets = [targets[0] + shift, *targets[1:-1], targets[-1] - shift]
    packing, sums = packed(sizes, targets, filled=filled)
    best = min(
        sum(abs(got - target) for got, target in zip(reached, targets, strict=True))
        for reached in every_sum(sizes, len(targets))
        if all(got > 0 or fine for got, fine in zip(reached, filled, strict=True))
    )
    assert packing.deviation == best
    assert all(got > 0 or fine for got, fine in zip(sums, filled, strict=True))


def every_sum(sizes, p):
    reached = {(0,) * p}
    for size in sizes:
        reached = {(*sums[:s], sums[s] + size, *sums[s + 1 :]) for sums in reached for s in range(p)}
    return reached


@given(st.lists(st.integers(1, 12), min_size=1, max_size=7), st.integers(1, 3), st.data())
def test_both_tables_hold_every_sum(weights, n_axes, data):
    dims = data.draw(st.lists(st.integers(1, 25), min_size=n_axes, max_size=n_axes))
    expected = {
        sums[:-1]
        for sums in every_sum(weights, n_axes + 1)
        if all(got < dim for got, dim in zip(sums, dims, strict=False))
    }
    for options in ({"bits": 10**9}, {"bits": 0, "cells": 10**6}):
        tables = reachable(weights, dims, **options)
        cells = np.concatenate(list(tables.cells()))
        assert isinstance(tables, Bits) == ("cells" not in options)
        assert set(zip(*(c.tolist() for c in coordinates(cells, dims)), strict=True)) == expected
        for cell in range(math.prod(dims)):
            assert tables.has(len(weights), cell) == (tuple(coordinates(cell, dims)) in expected)


def test_tables_that_would_take_too_much():
    assert reachable([1, 2, 4], [8, 8], bits=100, cells=5) is None
    assert reachable([1] * 3, [2**31, 2**31], bits=100, cells=100) is None


@given(st.integers(0, 40), st.integers(2, 4))
def test_bundles_can_be_shared_in_every_way(count, partitions):
    found = bundles(count, partitions)
    assert sum(found) == count
    ways = every_sum(found, partitions)
    assert len(ways) == math.comb(count + partitions - 1, partitions - 1)
    assert len(found) <= partitions * (1 + math.log2(count + 1))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("sizes", "shares"),
    [
        (
            [100_003 + 7_919 * i for i in range(60)],
            [0.8, 0.1, 0.1],
        ),  # few and large: one partition after the other
        ([2 + i % 30 for i in range(5_000)], [0.8, 0.1, 0.1]),
        ([2] * 500 + [301, 255], [0.7, 0.3]),  # only two clusters are odd
        ([1] * 100_000 + [30_000, 60_000], [0.5, 0.3, 0.2]),
        ([5 + i % 50 for i in range(400)], [0.2] * 5),
    ],
)
def test_met_to_the_row(sizes, shares, seed):
    n = sum(sizes)
    targets = [int(share * n) for share in shares]
    targets[0] += n - sum(targets)
    packing, sums = packed(sizes, targets, seed)
    assert sums == targets
    assert packing.proven


@pytest.mark.parametrize(
    ("sizes", "targets", "deviation"),
    [
        ([970_000] + [1] * 30_000, [800_000, 100_000, 100_000], 340_000),
        ([450_000, 400_000] + [3] * 50_000, [800_000, 100_000, 100_000], 100_000),
        ([50 * (1 + i % 7) for i in range(4_000)], [639_720, 79_990, 79_990], 40),
    ],
)
def test_large_and_infeasible_is_proven_by_bounds(sizes, targets, deviation):
    packing, sums = packed(sizes, targets)
    assert packing.deviation == deviation
    assert packing.proven
    assert abs(sums[1] - sums[2]) <= 20  # what is missing is shared


def test_few_large_clusters_are_solved_by_lists():
    sizes = [100_003, 87_654, 345_678, 199_999, 23_456, 78_901, 150_151, 270_270, 61_616]
    n = sum(sizes)
    targets = [n - 2 * (n // 10), n // 10, n // 10]
    packing, _ = packed(sizes, targets)
    assert packing.proven
    assert packing.deviation == allocation_by_brute_force(sizes, targets)[0]


def test_another_packing_of_the_same_worth():
    sizes = [2 + i % 9 for i in range(200)]
    targets = [sum(sizes) - 200, 100, 100]
    first, _ = packed(sizes, targets, 0)
    again = [packed(sizes, targets, seed, known=first.deviation)[0] for seed in range(1, 6)]
    assert {packing.deviation for packing in again} == {0}
    assert any((packing.counts != first.counts).any() for packing in again)
