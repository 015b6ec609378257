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


@given(st.floats(1e-6, 1.0))
@example(0.7345238095238095)
@example(0.99999999)
@example(0.123456)
def test_a_share_is_shown_short_and_on_the_strict_side(threshold) -> None:
    shown = SHARES.shown(threshold)
    assert threshold <= float(shown) <= 1
    assert float(shown) < 1 or threshold > 1 - 1e-15
    assert len(shown.split("e")[0].strip("0.")) <= 6 or threshold > 0.9999
    assert SHARES.shown(float(shown)) == shown


@given(exponents)
@example(-3.1305)
def test_an_evalue_is_shown_short_and_on_the_strict_side(exponent) -> None:
    threshold = float(similarity_of_evalue(10.0**exponent))
    shown = EVALUES.shown(threshold)
    assert EVALUES.read(float(shown)) >= threshold - 1e-15
    assert float(shown) == pytest.approx(10.0**exponent, rel=2e-3)
    assert len(shown.split("e")[0].replace(".", "").strip("0")) <= 6


def test_what_was_typed_is_shown_as_it_was_typed() -> None:
    assert [SHARES.shown(t) for t in (0.5, 0.85, 0.123456, 1.0)] == ["0.5", "0.85", "0.123456", "1"]
    assert [EVALUES.shown(EVALUES.read(t)) for t in (1e-3, 0, 5, 1e-200)] == ["0.001", "0", "5", "1e-200"]
    assert (SHARES.shown(0.73452381), SHARES.bound(0.73452381)) == ("0.7346", ">= 0.7346")
    assert EVALUES.bound(EVALUES.read(0.00074126789)) == "E <= 0.0007412"


@given(st.floats(0.36, 0.96), st.floats(1e-9, 0.5))  # E-values from 1e6 down to 1e-290
@example(2 / 3, 1e-9)
def test_between_two_similarities_lies_a_number_of_few_digits(above, width) -> None:
    upto = min(0.965, above + width)
    for scale in (SHARES, EVALUES):
        found = scale.between(above, upto)
        assert above < found <= upto
        assert scale.read(scale.number(found)) == pytest.approx(found, abs=1e-15)
    if upto - above > 0.011:
        assert len(repr(SHARES.between(above, upto))) <= 4
