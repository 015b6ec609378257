"""The scale on which people type and read a similarity: a share from 0 to 1, or an E-value.

Inside, a similarity is a number in [0, 1] and more is more alike. An E-value is the number of hits that chance
gives, so less is more alike, and it spans hundreds of powers of ten. `similarity_of_evalue` maps one onto the other
strictly monotonically, and everything that a person types (``threshold=``) or reads goes through the `Scale` of the
measure.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError

SHOWN_DIGITS = 4  # significant digits of a threshold that a person reads; more only where they were typed
HALF_WAY = 10.0  # powers of ten from E = 1 to the similarity 0.75
_EVALUES = re.compile(r"(alignment|precomputed)\(.*\b(measure|score)='evalue'", re.DOTALL)


def similarity_of_log10(exponent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the similarity of E-values given as powers of ten: ``(1 - y / (10 + |y|)) / 2``, y = log10 E."""
    y = np.asarray(exponent, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        found = 0.5 * (1 - y / (HALF_WAY + np.abs(y)))
    return np.where(np.isneginf(y), 1.0, np.where(np.isposinf(y), 0.0, found))


def similarity_of_evalue(evalue: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the similarity in [0, 1] of E-values of at least 0; 1: E = 0, 0.5: E = 1.

    Examples
    --------
    >>> [round(float(similarity_of_evalue(e)), 3) for e in (0, 1e-200, 1e-10, 1e-3, 1, 10)]
    [1.0, 0.976, 0.75, 0.615, 0.5, 0.455]
    """
    with np.errstate(divide="ignore"):
        return similarity_of_log10(np.log10(np.asarray(evalue, dtype=np.float64)))


def log10_of_similarity(similarity: float) -> float:
    """Return the power of ten of the E-value that a similarity stands for; -inf: E = 0, inf: similarity 0."""
    towards = 1 - 2 * similarity  # y / (10 + |y|)
    if abs(towards) >= 1:
        return math.copysign(math.inf, towards)
    return HALF_WAY * towards / (1 - abs(towards))


@dataclass(frozen=True)
class Scale:
    """How the similarities of a measure are typed and read: shares in [0, 1], 1 = identical."""

    name = "similarity"
    best = "largest similarity"
    stricter = "a higher threshold"  # what asks for more
    first = "lowest"  # of the thresholds that are strict enough, the one that asks for least
    default: float | None = None  # threshold of a measure on this scale, where it has none of its own

    def read(self, threshold: object) -> float:
        """Return the similarity that a threshold stands for, or raise."""
        value = _number(threshold)
        if not 0 < value <= 1:
            raise InputError(
                f"threshold must be a number in (0, 1] (similarity, 1 = identical, pairs at the threshold count"
                f" as similar), got {threshold!r}"
            )
        return value

    def number(self, similarity: float) -> float:
        """Return what a person types for a similarity."""
        return similarity

    def shown(self, threshold: float) -> str:
        """Return a threshold as a person reads it and may type it back.

        A threshold of many digits is rounded to the strict side, so that of what holds at the threshold itself all
        holds at the number shown: no pair reaches it that does not reach the threshold.
        """
        if float(f"{threshold:g}") == threshold:
            return f"{threshold:g}"
        for digits in range(SHOWN_DIGITS, 17):  # a threshold below 1 is not shown as 1
            number = _rounded(threshold, digits, ROUND_CEILING)
            if number < 1:
                break
        return f"{number:.{digits}g}"

    def between(self, above: float, upto: float) -> float:
        """Return the similarity in ``(above, upto]`` that a person types with the fewest digits."""
        for digits in range(1, 17):
            number = _rounded(upto, digits, ROUND_FLOOR)
            if number > above:
                return number
        return upto

    def text(self, similarity: float, threshold: float | None = None) -> str:
        """Return what a person reads, with as many digits as tell on which side of the threshold it lies."""
        if threshold is None:
            return f"{similarity:g}"
        for digits in range(3, 17):
            text = f"{similarity:.{digits}f}"
            if (float(text) >= threshold) == (similarity >= threshold):
                return text
        return repr(similarity)

    def cell(self, similarity: float) -> str:
        """Return what a person reads in a list of pairs."""
        return f"{similarity:.3f}"

    def bound(self, similarity: float) -> str:
        """Return the inclusive bound that a threshold is."""
        return f">= {self.shown(similarity)}"

    def beyond(self, similarity: float) -> str:
        """Return that nothing was found down to a similarity."""
        return f"< {similarity:g}"

    def typed(self, similarity: float) -> str:
        """Return the threshold as an argument."""
        return f"threshold={self.shown(similarity)}"

    def wanted(self, measure: str, threshold: float) -> str:
        """Return which rows a search looks for."""
        return f"rows with {measure} similarity of {self.shown(threshold)} or more (1 = identical)"

    def steps(self, similarities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the next thresholds above each similarity that a person would type, ascending: hundredths."""
        # never onto the similarity itself: the pair that is to go must go
        return np.unique(np.ceil(np.unique(similarities) * 100 + 1e-9) / 100)


class EvalueScale(Scale):
    """E-values, typed and read as such."""

    name = "E-value"
    best = "smallest E-value"
    stricter = "a smaller E-value as threshold"
    first = "largest"

    def read(self, threshold: object) -> float:
        """Return the similarity that an E-value stands for, or raise."""
        value = _number(threshold)
        if not 0 <= value <= 1e6:
            raise InputError(
                "the threshold of E-values is the largest E-value of a similar pair, a number from 0 to 1e6 such as"
                f" 0.001 (0: only equal sequences), got {threshold!r}"
            )
        return float(similarity_of_evalue(value))

    def number(self, similarity: float) -> float:
        """Return the E-value, with as few digits as stand for the same similarity."""
        exponent = log10_of_similarity(similarity)
        if exponent < -307:
            return 0.0
        value = float(10.0 ** min(exponent, 300.0))
        for digits in range(1, 17):
            short = float(f"{value:.{digits}g}")
            if abs(float(similarity_of_evalue(short)) - similarity) < 1e-15:
                return short
        return value

    def shown(self, threshold: float) -> str:
        """Return the largest E-value as a person reads it and may type it back: rounded, down where it must be."""
        value = self.number(threshold)
        if value == 0 or float(f"{value:g}") == value:
            return f"{value:g}"
        return f"{_rounded(value, SHOWN_DIGITS, ROUND_FLOOR):g}"

    def between(self, above: float, upto: float) -> float:
        """Return the similarity in ``(above, upto]`` whose E-value a person types with the fewest digits."""
        exponent = log10_of_similarity(upto)
        if not -300 < exponent < 300:
            return upto
        for digits in range(1, 17):
            similarity = float(similarity_of_evalue(_rounded(self.number(upto), digits, ROUND_CEILING)))
            if above < similarity <= upto:
                return similarity
        return upto

    def text(self, similarity: float, threshold: float | None = None) -> str:
        """Return the E-value in two digits, or in as many as tell on which side of the threshold it lies."""
        exponent = log10_of_similarity(similarity)
        if math.isinf(exponent):
            return "0" if exponent < 0 else "inf"
        if threshold is None or exponent < -300:
            return _power_of_ten(exponent, 2)
        alike = similarity >= threshold
        for digits in range(2, 17):
            text = _power_of_ten(exponent, digits)
            if (float(similarity_of_evalue(float(text))) >= threshold) == alike:
                return text
        value = 10.0**exponent  # a rounding error away from the threshold: the next number on its side
        while (float(similarity_of_evalue(value)) >= threshold) != alike:
            value = math.nextafter(value, 0.0 if alike else math.inf)
        return repr(value)

    def cell(self, similarity: float) -> str:
        """Return what a person reads in a list of pairs."""
        return self.text(similarity)

    def bound(self, similarity: float) -> str:
        """Return the inclusive bound that a threshold is."""
        return f"E <= {self.shown(similarity)}"

    def beyond(self, similarity: float) -> str:
        """Return that nothing was found down to a similarity."""
        return f"> {self.text(similarity)}"

    def wanted(self, measure: str, threshold: float) -> str:
        """Return which rows a search looks for."""
        return (
            f"rows with an E-value of {self.shown(threshold)} or less by {measure} (0 = identical; so many such hits"
            " would each row have by chance)"
        )

    def steps(self, similarities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the next powers of ten below each E-value, as similarities, ascending."""
        exponents = np.array([log10_of_similarity(float(s)) for s in np.unique(similarities)])
        below = np.unique(np.ceil(exponents[np.isfinite(exponents)] - 1e-6) - 1)
        # 10.0 ** y as a person types it, not the exponent itself: both must name the same similarity
        steps = [float(similarity_of_evalue(float(f"1e{int(y)}"))) for y in below if y >= -300]
        return np.unique(np.array(steps, dtype=np.float64))


SHARES = Scale()
EVALUES = EvalueScale(float(similarity_of_evalue(1e-3)))


def scale_of(measure: str) -> Scale:
    """Return the scale of a measure, by its description as ``similarity=`` takes it.

    Examples
    --------
    >>> scale_of("alignment(measure='evalue')").name, scale_of("jaccard(n=3)").name
    ('E-value', 'similarity')
    """
    return EVALUES if _EVALUES.match(measure) else SHARES


def _number(threshold: object) -> float:
    if isinstance(threshold, (bool, np.bool_)):
        return math.nan
    try:
        return float(threshold)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan


def _rounded(value: float, digits: int, rounding: str) -> float:
    """Return a number above 0 in so many significant digits."""
    written = Decimal(repr(float(value)))  # 0.71, not the 0.70999... that the machine holds
    return float(written.quantize(Decimal((0, (1,), written.adjusted() - digits + 1)), rounding=rounding))


def _power_of_ten(exponent: float, digits: int) -> str:
    """Return a power of ten in scientific notation, or plainly where that is short, beyond the range of floats too."""
    if -300 < exponent < 300:
        return f"{10.0**exponent:.{digits}g}"
    whole = math.floor(exponent)
    mantissa = f"{10.0 ** (exponent - whole):.{digits - 1}f}"
    if float(mantissa) >= 10:
        mantissa, whole = f"{1:.{digits - 1}f}", whole + 1
    return f"{mantissa}e{whole:+d}"
