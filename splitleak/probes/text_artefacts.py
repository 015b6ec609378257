"""What a text looks like, whatever it says: its length, case, digits, marks, first and last character, white space."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from splitleak.probes.columns import AuditColumn

# nobody means to write these: they tell who saved the text, and with what
INVISIBLE = frozenset({
    "leading white space", "trailing white space", "repeated spaces", "carriage returns", "odd white space",
})  # fmt: skip
_ODD = re.compile("[\u00a0\u2000-\u200d\u2028\u2029\u202f\u3000\ufeff\t\v\f]")
_MARKUP = re.compile(
    r"</?[a-zA-Z][^<>]{0,200}>|&[a-z]{2,8};|\[[^\]]{1,200}\]\(|\*\*|^#{1,6} |```", re.MULTILINE
)
_LONGEST = 10_000


def artefacts(texts: Sequence[str]) -> list[AuditColumn]:
    """Return columns made of the texts, one value for each text."""
    cut = [
        text if len(text) <= _LONGEST else text[: _LONGEST // 2] + text[-_LONGEST // 2 :] for text in texts
    ]
    made = {"length": np.array([len(text) for text in texts], dtype=np.float64)}
    for name, measure in _MEASURES.items():
        made[name] = np.fromiter((measure(text) for text in cut), dtype=np.float64, count=len(cut))
    none = np.zeros(len(texts), dtype=bool)
    return [
        AuditColumn(name, "numeric", none, integer=name == "length", _values=values)
        for name, values in made.items()
        if np.ptp(values) > 0
    ]


def _share(count: Callable[[str], int]) -> Callable[[str], float]:
    return lambda text: count(text) / max(1, len(text))


def _character(at: int) -> Callable[[str], float]:
    def kind(text: str) -> float:
        inner = text.strip()
        if not inner:
            return 0.0
        c = inner[at]
        if c.isalpha():
            return 1.0 if c.islower() else 2.0 if c.isupper() else 3.0
        if c.isdigit():
            return 4.0
        return 5.0 + min(ord(c), 0xFFFF)

    return kind


_MEASURES: dict[str, Callable[[str], float]] = {
    "words": lambda text: float(len(text.split())),
    "share of capitals": _share(lambda text: sum(map(str.isupper, text))),
    "share of digits": _share(lambda text: sum(map(str.isdigit, text))),
    "share of marks": _share(lambda text: sum(not (c.isalnum() or c.isspace()) for c in text)),
    "share beyond ASCII": _share(lambda text: 0 if text.isascii() else sum(c > "\x7f" for c in text)),
    "markup": lambda text: float(len(_MARKUP.findall(text))),
    "lines": lambda text: float(text.count("\n")),
    "first character": _character(0),
    "last character": _character(-1),
    "leading white space": lambda text: float(text[:1].isspace()),
    "trailing white space": lambda text: float(text[-1:].isspace()),
    "repeated spaces": lambda text: float("  " in text.strip()),
    "carriage returns": lambda text: float("\r" in text),
    "odd white space": lambda text: float(_ODD.search(text) is not None),
}
