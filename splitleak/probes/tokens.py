"""Which texts hold which tokens: words, phrases of two, names, links and marks; and how tokens lean to a side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.columns import AuditColumn
from splitleak.probes.context import AuditContext, Target

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# links count by their site; @names and #tags whole; runs of marks are tokens, too
TOKEN = r"https?://[^\s/]+|www\.[^\s/]+|[@#]?\w+(?:['\u2019]\w+)*|[^\w\s]+"
_IDENTITY = re.compile(r"https?://\w|www\.\w|@\w|#\w")
_PATH = re.compile(r"((?:https?://|www\.)[^\s/]+)/\S*")
_MOST_ROWS = 20_000
_FAST_ROWS = 5_000
_MOST_CHARACTERS = 4_000_000  # of all texts together
_FAST_CHARACTERS = 1_000_000
_HEAD, _TAIL = 1_500, 500  # of a long text: signatures stand at its end
_LEAST_HOLDERS = 4
_LEAST_SHARE = 0.002
_NAME_LEVELS = 20
_NAME_SHARE = 0.3
_LEAST_OF_CLASS = 10
_LEADING = 200  # tokens that are compared with each other
_OVERLAP = 0.7  # share of their texts in which two tokens are together


@dataclass(frozen=True, eq=False)
class Tokens:
    """The tokens of a column of texts.

    Attributes
    ----------
    column : AuditColumn
        The column.
    rows : int64 array of shape (n_texts,)
        Positions of the texts in the context: those that are not missing, or a sample of them.
    texts : list of str
        As they are.
    names : str array of shape (n_tokens,)
        The tokens, lower case, sorted.
    holds : scipy csr_array of shape (n_texts, n_tokens)
        1 where a text holds a token.
    """

    column: AuditColumn
    rows: Ints
    texts: list[str]
    names: NDArray[Any]
    holds: Any

    @cached_property
    def wording(self) -> Ints:
        """Number of each text's wording: sentences that differ in case, white space and digits alone share one."""
        if self.column.kind != "text":
            return self.column.codes[self.rows]
        plain = [re.sub(r"\d", "0", " ".join(text.lower().split())) for text in self.texts]
        return np.unique(np.array(plain, dtype=object), return_inverse=True)[1].astype(np.int64)

    @property
    def sampled(self) -> str:
        """What to say where not all texts were looked at."""
        known = int((~self.column.missing).sum())
        return f" (on {len(self.rows):,} texts drawn by chance)" if len(self.rows) < known else ""


@dataclass(frozen=True, eq=False)
class Side:
    """How often each token occurs on one side of a question (a class, the held-out rows) and on the other.

    Attributes
    ----------
    inside, outside : int64 arrays of shape (n_tokens,)
        Texts of that side, and of the others, that hold the token.
    n_inside, n_outside : int
        Texts of that side, and of the others.
    """

    inside: Ints
    outside: Ints
    n_inside: int
    n_outside: int

    @property
    def recall(self) -> Floats:
        """Share of the texts of that side that hold the token."""
        return np.asarray(self.inside / self.n_inside)

    @property
    def purity(self) -> Floats:
        """Share of that side among the texts that hold the token, were both sides equally large."""
        other = self.outside / self.n_outside
        return np.asarray(self.recall / np.maximum(self.recall + other, 1e-300))

    @property
    def lean(self) -> Floats:
        """Signed root of the likelihood ratio, about standard normal where a token knows nothing of the side."""
        total, held = self.n_inside + self.n_outside, self.inside + self.outside
        share = self.n_inside / total

        def part(seen: Any, expected: Any) -> Any:
            return np.where(
                seen > 0, seen * np.log(np.maximum(seen, 1e-300) / np.maximum(expected, 1e-300)), 0
            )

        deviance = part(self.inside * 1.0, held * share) + part(self.outside * 1.0, held * (1 - share))
        deviance += part(self.n_inside - self.inside * 1.0, (total - held) * share)
        deviance += part(self.n_outside - self.outside * 1.0, (total - held) * (1 - share))
        sign = np.sign(self.recall - self.outside / self.n_outside)
        return np.asarray(sign * np.sqrt(np.maximum(2 * deviance, 0)))

    def chance(self, tokens: Ints) -> Floats:
        """Return for tokens the chance that at least so many of their texts are of that side (Fisher 1922)."""
        from scipy.stats import hypergeom

        held = (self.inside + self.outside)[tokens]
        found = hypergeom.sf(self.inside[tokens] - 1, self.n_inside + self.n_outside, self.n_inside, held)
        return np.asarray(found, dtype=np.float64)


def text_columns(context: AuditContext) -> list[AuditColumn]:
    """Return the columns of sentences."""
    return context.of_kind("text")


def name_columns(context: AuditContext) -> list[AuditColumn]:
    """Return the categories whose values are mostly of one row: names, links, addresses."""
    return [
        column
        for column in context.of_kind("category")
        if len(column.levels) > max(_NAME_LEVELS, _NAME_SHARE * int((~column.missing).sum()))
        and isinstance(column.levels[0], str)
    ]


def tokens_of(context: AuditContext, column: AuditColumn) -> Tokens | None:
    """Return the tokens of a column, computed once per audit; None where no token occurs often enough."""
    key = f"tokens of {column.name}"
    if key not in context.memo:
        context.memo[key] = _tokens_of(context, column)
    found: Tokens | None = context.memo[key]
    return found


def _tokens_of(context: AuditContext, column: AuditColumn) -> Tokens | None:
    from sklearn.feature_extraction.text import CountVectorizer

    rows = context.sample(
        np.flatnonzero(~column.missing), _FAST_ROWS if context.fast else _MOST_ROWS, f"tokens {column.name}"
    )
    texts = texts_at(column, rows)
    length = np.mean([min(len(text), _HEAD + _TAIL) for text in texts]) if texts else 1.0
    most = int((_FAST_CHARACTERS if context.fast else _MOST_CHARACTERS) / max(float(length), 1.0))
    if most < len(rows):
        chosen = context.sample(np.arange(len(rows)), most, f"long texts {column.name}")
        rows, texts = rows[chosen], [texts[i] for i in chosen.tolist()]
    least = max(_LEAST_HOLDERS, int(np.ceil(_LEAST_SHARE * len(texts))))
    if len(texts) < 2 * least:
        return None
    counter = CountVectorizer(token_pattern=TOKEN, ngram_range=(1, 2), binary=True, min_df=least)
    try:
        holds = counter.fit_transform([_shortened(text) for text in texts])
    except ValueError:  # no token is in so many texts
        return None
    return Tokens(column, rows, texts, counter.get_feature_names_out(), holds.tocsr())


def texts_at(column: AuditColumn, rows: Ints) -> list[str]:
    """Return the texts of some rows; missing ones are empty."""
    import pyarrow as pa

    assert column.column is not None
    return ["" if text is None else str(text) for text in column.column.take(pa.array(rows)).to_pylist()]


def _shortened(text: str) -> str:
    text = _PATH.sub(r"\1 ", text)
    return text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]} {text[-_TAIL:]}"


def is_identity(token: str) -> bool:
    """Return whether a token (or phrase) names someone or somewhere: a link, an @name, a #tag."""
    return _IDENTITY.search(token) is not None


def side_of(holds: Any, inside: NDArray[np.bool_], unit: Ints) -> Side:
    """Count the texts that hold each token on one side and on the other; texts of one unit and side count once."""
    from scipy.sparse import csr_array

    of_unit = np.unique(unit * 2 + inside, return_inverse=True)[1]
    n = int(of_unit.max(initial=-1)) + 1
    gather = csr_array(
        (np.ones(len(unit), dtype=np.int32), (of_unit, np.arange(len(unit)))), shape=(n, len(unit))
    )
    merged = gather @ csr_array(holds).astype(np.int32)
    merged.data[:] = 1
    within = np.zeros(n, dtype=bool)
    within[of_unit] = inside
    held_in = np.asarray(merged[np.flatnonzero(within)].sum(axis=0)).ravel().astype(np.int64)
    held_out = np.asarray(merged[np.flatnonzero(~within)].sum(axis=0)).ravel().astype(np.int64)
    return Side(held_in, held_out, int(within.sum()), int((~within).sum()))


def sides_of(holds: Any, codes: Ints, unit: Ints) -> list[Side]:
    """Return each class against the rest; a class of few rows gives no witness and is left out."""
    sizes = np.bincount(codes)
    enough = (sizes >= _LEAST_OF_CLASS) & (len(codes) - sizes >= _LEAST_OF_CLASS)
    return [side_of(holds, codes == k, unit) for k in np.flatnonzero(enough)]


def classes_of(target: Target, rows: Ints) -> Ints:
    """Return the class of each row; of numbers, whether they are above their median."""
    if target.task != "regression":
        return np.unique(target.codes[rows], return_inverse=True)[1].astype(np.int64)
    values = target.values[rows]
    return (values > np.median(values)).astype(np.int64)


def apart(holds: Any, strength: Floats, names: NDArray[Any]) -> Ints:
    """Return tokens by descending strength, without those that are much the same as a stronger one.

    That is a phrase and its word, or tokens of nearly the same texts.
    """
    plain = np.fromiter((not is_identity(name) for name in names), dtype=bool, count=len(names))
    order = np.lexsort((np.asarray(names, dtype=str), plain, -strength))[:_LEADING]
    leading = holds.tocsc()[:, order].astype(np.int64)
    together = np.asarray((leading.T @ leading).todense())
    own = np.diag(together)
    words = [set(str(names[token]).split()) for token in order.tolist()]
    kept: list[int] = []
    for i in range(len(order)):
        same = any(
            together[i, j] >= _OVERLAP * max(own[i], own[j])
            or (words[i] & words[j] and together[i, j] >= _OVERLAP * min(own[i], own[j]))
            for j in kept
        )
        if not same:
            kept.append(i)
    return np.asarray(order[kept], dtype=np.int64)
