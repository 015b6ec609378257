"""The sizes asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitleak.errors import InputError
from splitleak.sizes import parse_sizes, parse_sizes_text


@pytest.mark.parametrize(
    ("sizes", "n_rows", "expected"),
    [
        (None, 100, {"train": 80, "dev": 10, "test": 10}),
        (None, 3, {"train": 1, "dev": 1, "test": 1}),
        (None, 55, {"train": 44, "dev": 6, "test": 5}),
        ("auto", 9_999, {"train": 7_999, "dev": 1_000, "test": 1_000}),
        ("auto", 10_000, {"train": 8_000, "dev": 1_000, "test": 1_000}),
        ("auto", 784_692, {"train": 782_692, "dev": 1_000, "test": 1_000}),
        ({"a": 0.3, "b": 0.7}, 10, {"a": 3, "b": 7}),
        ({"a": 3, "b": 7}, 10, {"a": 3, "b": 7}),
        ({"a": np.int64(3), "b": "rest"}, 10, {"a": 3, "b": 7}),
        ({"a": np.float32(0.25), "b": "rest"}, 100, {"a": 25, "b": 75}),
        ({"a": 0.999, "b": 0.001}, 10, {"a": 9, "b": 1}),
        ([0.8, 0.2], 10, {"train": 8, "test": 2}),
        ((0.8, 0.1, 0.1), 10, {"train": 8, "dev": 1, "test": 1}),
        (np.array([8, 2]), 10, {"train": 8, "test": 2}),
        ({"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4}, 30, {"a": 3, "b": 6, "c": 9, "d": 12}),
        ({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, 10, {"a": 4, "b": 3, "c": 3}),
    ],
)
def test_what_is_asked(sizes, n_rows, expected):
    result = parse_sizes(sizes, n_rows)
    assert dict(zip(result.names, result.targets.tolist(), strict=True)) == expected
    assert result.targets.dtype == np.int64
    assert result.asked is sizes


@given(st.lists(st.integers(1, 1_000_000), min_size=2, max_size=6), st.integers(6, 10_000_000))
def test_fractions_are_met_to_the_row(weights, n_rows):
    total = sum(weights)
    result = parse_sizes({f"p{i}": w / total for i, w in enumerate(weights)}, n_rows)
    assert result.targets.sum() == n_rows
    assert result.targets.min() >= 1
    quotas = np.array(weights) / total * n_rows
    if quotas.min() >= 1:
        assert np.abs(result.targets - quotas).max() < 1 + 1e-6


@given(st.lists(st.integers(1, 1_000), min_size=2, max_size=6))
def test_exact_fractions_give_exact_counts(counts):
    n_rows = sum(counts)
    result = parse_sizes({f"p{i}": c / n_rows for i, c in enumerate(counts)}, n_rows)
    assert result.targets.tolist() == counts


@pytest.mark.parametrize(
    ("sizes", "n_rows", "message"),
    [
        (None, 0, "data has no rows"),
        (None, 2, r"asks for 3 partitions \(train, dev, test\), and data has 2 rows"),
        ([0.5, 0.5], 1, "2 partitions .* data has 1 row;"),
        ({"train": 1.2, "test": -0.2}, 10, r"sizes\['test'\] must be above 0, got -0.2"),
        ({"train": 10, "test": 0}, 10, r"sizes\['test'\] must be above 0, got 0; leave out"),
        (
            {"train": True, "test": 9},
            10,
            r"sizes\['train'\] must be a fraction or a whole number .* got True",
        ),
        ({"train": math.nan, "test": 0.5}, 10, r"sizes\['train'\] must be .* got nan"),
        ({"train": math.inf, "test": 0.5}, 10, r"sizes\['train'\] must be .* got inf"),
        ({"train": None, "test": 0.5}, 10, r"sizes\['train'\] must be .* got None"),
        ({"train": "most", "test": 0.5}, 10, r"sizes\['train'\]='most' must be a number, or 'rest'"),
        ({"train": "rest", "test": "rest"}, 10, "'rest' to train, test; only one"),
        (
            {"train": 0.8, "test": 0.1},
            10,
            r"adds up to 0.9 \(train=0.8, test=0.1\), and fractions must add up to 1",
        ),
        ({"train": 0.8, "test": 0.3}, 10, "adds up to 1.1 .* divide each by 1.1"),
        (
            {"train": 0.8, "dev": 0.2, "test": "rest"},
            10,
            "nothing for 'rest': the other fractions add up to 1",
        ),
        ({"train": 6, "test": 3}, 10, "adds up to 9 rows .* data has 10; write 'rest'"),
        ({"train": 8, "test": 3}, 10, "asks for 11 rows .* data has 10"),
        ({"train": "rest", "test": 10}, 10, "leaves no row for 'train'"),
        ({"train": "rest", "test": 1_000}, 10, "asks for 1,000 rows .* data has 10"),
        ({"train": 8, "test": 0.2}, 10, r"mixes counts and fractions \(train=8, test=0.2\)"),
        ({"train": 1.0}, 10, "at least two partitions, got 1"),
        ({}, 10, "at least two partitions, got 0"),
        ({"": 0.5, "test": 0.5}, 10, "non-empty string, got ''"),
        ({" ": 0.5, "test": 0.5}, 10, "non-empty string, got ' '"),
        ({1: 0.5, "test": 0.5}, 10, "non-empty string, got 1"),
        ({"test": 0.5, "test ": 0.5}, 10, "names 'test' twice"),
        ([0.25] * 4, 10, r"2 numbers \(train, test\) or 3 .* got 4"),
        ("80/20", 10, "sizes='80/20' is not known; write \"auto\""),
        (0.8, 10, "must be a mapping .* got float"),
    ],
)
def test_bad_sizes(sizes, n_rows, message):
    with pytest.raises(InputError, match=message):
        parse_sizes(sizes, n_rows)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train=0.8,dev=0.1,test=0.1", {"train": 0.8, "dev": 0.1, "test": 0.1}),
        (" train = 0.8 , test = .2 ", {"train": 0.8, "test": 0.2}),
        ("train=80,test=20", {"train": 80, "test": 20}),
        ("train=rest,test=20", {"train": "rest", "test": 20}),
        ("auto", "auto"),
        ("0.8,0.1,0.1", [0.8, 0.1, 0.1]),
    ],
)
def test_text(text, expected):
    result = parse_sizes_text(text)
    assert result == expected
    parse_sizes(result, 100)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train=0.8,train=0.2", "names 'train' twice"),
        ("train=0.8,0.2", "cannot be read at '0.2'; write name=value"),
        ("train=0.8,", "cannot be read at ''"),
        ("train=0.8,test=most", "has 'most' where a fraction, a count or rest"),
        ("=1,test=2", "cannot be read at '=1'"),
        ("", "has '' where"),
    ],
)
def test_bad_text(text, message):
    with pytest.raises(InputError, match=message):
        parse_sizes_text(text)


def test_repr():
    assert repr(parse_sizes(None, 10_000)) == "train=8,000, dev=1,000, test=1,000"
