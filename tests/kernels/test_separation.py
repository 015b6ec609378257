"""The kernels of the separation against definitions in a few lines."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from splitleak.kernels.dismantling import dismantle
from splitleak.kernels.separation import anneal, cover, penalty, rows_per_part
from splitleak.kernels.separation_pieces import kept_components, pack, restore
from splitleak.kernels.separation_starts import contract, label_clusters, refine

PRICES = np.array([2.0, 0.05, 0.01, 10.0])
SHARES = np.array([0.5, 0.3, 0.2])


@st.composite
def graphs(draw):
    n = draw(st.integers(2, 25))
    pairs = draw(
        st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1]))
    )
    both = sorted(pairs | {(b, a) for a, b in pairs})
    starts = np.searchsorted([a for a, _ in both], np.arange(n + 1)).astype(np.int64)
    return starts, np.array([b for _, b in both], dtype=np.int64)


def edges(starts, ends):
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts)), ends


def crossing(starts, ends, part, k):
    a, b = (part[x] for x in edges(starts, ends))
    return int(((a < k) & (b < k) & (a != b)).sum())


def class_rows(weights):
    n = len(weights)
    return np.arange(n + 1), np.arange(n, dtype=np.int64) % 2, weights


@given(graphs(), st.integers(0, 5), st.data())
def test_every_state_keeps_the_promise(graph, seed, data):
    starts, ends = graph
    n, k = len(starts) - 1, 3
    weights = np.array(data.draw(st.lists(st.integers(1, 4), min_size=n, max_size=n)), dtype=np.int64)
    part = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), dtype=np.int8)
    cover(starts, ends, weights, part, k)
    assert crossing(starts, ends, part, k) == 0
    first, ids, rows = class_rows(weights)

    def cost(state):
        table = rows_per_part(state, k, 2, first, ids, rows)
        assert table.sum() == weights[state < k].sum()
        return weights[state == k].sum() + penalty(table, SHARES, 0.01, PRICES)[0]

    def beyond(state):
        return penalty(rows_per_part(state, k, 2, first, ids, rows), SHARES, 0.01, PRICES)[1]

    found = anneal(
        starts, ends, weights, first, ids, rows, 2, part, SHARES, 0.01, PRICES, 1.0, 0.1, 2000, seed, 1 << 40
    )
    assert crossing(starts, ends, found, k) == 0
    assert cost(found) <= cost(part) + 1e-9 or beyond(part) > 0
    before = found.copy()
    order = np.flatnonzero(found == k)
    back = restore(starts, ends, first, ids, rows, 2, order, found, SHARES, 0.01, PRICES)
    assert crossing(starts, ends, found, k) == 0
    assert back == (before == k).sum() - (found == k).sum()
    assert cost(found) <= cost(before) + 1e-9


@given(graphs(), st.data())
def test_components_of_the_kept_graph(graph, data):
    starts, ends = graph
    n = len(starts) - 1
    part = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), dtype=np.int8)
    label, found = kept_components(starts, ends, part, 2)
    a, b = edges(starts, ends)
    kept = (part[a] < 2) & (part[b] < 2)
    assert (label[a[kept]] == label[b[kept]]).all()
    assert ((label < 0) == (part == 2)).all()
    expected = np.arange(n)  # the smallest reachable node, by relaxation
    for _ in range(n):
        np.minimum.at(expected, a[kept], expected[b[kept]])
    assert found == len(set(expected[part < 2]))


@given(graphs(), st.integers(0, 5), st.integers(1, 8))
def test_clusters_are_bounded_and_contracted(graph, seed, most):
    starts, ends = graph
    n = len(starts) - 1
    rows, strength = np.ones(n, dtype=np.int64), np.ones(len(ends), dtype=np.int64)
    _, label = np.unique(label_clusters(starts, ends, strength, rows, most, 3, seed), return_inverse=True)
    assert np.bincount(label).max() <= most
    coarse_starts, coarse_ends, coarse_strength = contract(starts, ends, strength, label, label.max() + 1)
    matrix = np.zeros((label.max() + 1,) * 2, dtype=np.int64)
    a, b = edges(starts, ends)
    np.add.at(matrix, (label[a], label[b]), 1)
    np.fill_diagonal(matrix, 0)
    found = np.zeros_like(matrix)
    found[edges(coarse_starts, coarse_ends)] = coarse_strength
    assert (found == matrix).all()


@given(graphs(), st.data())
def test_refining_cuts_no_more_at_sizes_that_are_no_worse(graph, data):
    starts, ends = graph
    n = len(starts) - 1
    part = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), dtype=np.int64)
    rows, strength, wanted = (
        np.ones(n, dtype=np.int64),
        np.ones(len(ends), dtype=np.int64),
        np.array([n - 2, 1, 1]),
    )

    def state(part):
        a, b = edges(starts, ends)
        off = np.maximum(np.abs(np.bincount(part, minlength=3) - wanted) - 1, 0).sum()
        return off, int((part[a] != part[b]).sum())

    before = state(part)
    refine(starts, ends, strength, rows, part, wanted, 1, 4)
    assert state(part) <= before


@given(graphs(), st.integers(1, 10))
def test_dismantling_bounds_components(graph, limit):
    starts, ends = graph
    n = len(starts) - 1
    ones = np.ones(n, dtype=np.int64)
    gone = dismantle(starts, ends, ones, ones, limit, 1 << 40)
    label, _ = kept_components(starts, ends, gone.astype(np.int8), 1)
    assert np.bincount(label[label >= 0], minlength=1).max() <= limit
    # none of the removed could have stayed
    for v in np.flatnonzero(gone):
        near = {label[u] for u in ends[starts[v] : starts[v + 1]] if not gone[u]}
        assert 1 + sum((label == c).sum() for c in near) > limit


def test_packing_meets_sizes_and_classes():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 6, (60, 2)).astype(np.int64)
    where = pack(
        rows, np.zeros(60, dtype=np.int64), SHARES, 0.005, np.array([100.0, 1.0, 0.01, 10.0]), 3.0, 60_000, 1
    )
    table = np.array([rows[where == p].sum(axis=0) for p in range(3)])
    assert np.abs(table.sum(axis=1) / table.sum() - SHARES).max() <= 0.006
    assert np.abs(table[:, 0] / table.sum(axis=1) - rows[:, 0].sum() / rows.sum()).max() <= 0.02
