"""The scale on which similarities are typed and read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from splitleak._scale import EVALUES, SHARES, log10_of_similarity, scale_of, similarity_of_evalue
from splitleak.errors import InputError

exponents = st.floats(-290, 6)


@given(exponents, exponents)
def test_a_smaller_evalue_is_a_larger_similarity(a, b) -> None:
    one, other = similarity_of_evalue(10.0**a), similarity_of_evalue(10.0**b)
    assert 0 < one < 1
    if abs(a - b) > 1e-9:
        assert (one > other) == (a < b)


@given(exponents)
def test_what_is_typed_is_read_again(exponent) -> None:
    typed = float(f"{10.0**exponent:.3g}")
    similarity = EVALUES.read(typed)
    assert EVALUES.number(similarity) == typed
    assert log10_of_similarity(similarity) == pytest.approx(np.log10(typed), abs=1e-9)


@given(exponents, exponents)
@example(-1.5124468214927353e-14, -1.5124468214927353e-14)
@example(-1e-15, 0.0)
def test_texts_tell_on_which_side_of_the_threshold_they_are(evalue, limit) -> None:
    similarity, threshold = float(similarity_of_evalue(10.0**evalue)), EVALUES.read(10.0**limit)
    text = EVALUES.text(similarity, threshold)
    assert (EVALUES.read(float(text)) >= threshold) == (similarity >= threshold)


def test_the_ends_of_the_scale() -> None:
    assert [float(s) for s in similarity_of_evalue(np.array([0.0, 1.0, np.inf]))] == [1, 0.5, 0]
    assert [EVALUES.text(1.0), EVALUES.text(0.0), EVALUES.number(1.0)] == ["0", "inf", 0.0]
    assert EVALUES.text(0.9901) == "8.9e-496"
    assert EVALUES.read(0) == 1.0
    assert (SHARES.read(0.5), SHARES.number(0.5), SHARES.text(0.25)) == (0.5, 0.5, "0.25")


@pytest.mark.parametrize("threshold", [-1, 1e7, True, "much", None, float("nan")])
def test_what_is_no_evalue(threshold) -> None:
    with pytest.raises(InputError, match="the largest E-value of a similar pair, a number from 0 to 1e6"):
        EVALUES.read(threshold)


@given(st.lists(st.floats(0.3, 0.97), min_size=1))
def test_steps_lose_the_pair_that_they_follow(similarities) -> None:
    for scale in (SHARES, EVALUES):
        steps = scale.steps(np.array(similarities))
        assert all((steps > s).any() for s in similarities)
        assert [scale.read(scale.number(s)) for s in steps if s <= 1] == [s for s in steps if s <= 1]


def test_measures_have_their_scale() -> None:
    assert scale_of("alignment(engine='filtered', measure='evalue') on sequence") is EVALUES
    assert scale_of("precomputed(format='m8', matrix='hits.m8', score='evalue')") is EVALUES
    assert scale_of("alignment(measure='score')") is SHARES
    assert scale_of("alignment(measure='evalue') >= 1 or jaccard") is EVALUES
