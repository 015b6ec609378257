"""Karlin-Altschul statistics of gapped local alignments: published parameters, effective lengths, E-values.

The best local scores of unrelated sequences follow an extreme value distribution: a search of a query of m letters in a
database of N letters finds ``K m' N' exp(-lambda S)`` alignments of score S and more by chance, the E-value of S.
For gapped alignments that is an observation, well tested, with parameters that only simulation gives. Scores of global
alignments follow no such known law.

Karlin and Altschul 1990; Altschul and Gish 1996; Altschul et al. 1997 and 2001 (length adjustment).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from splitleak._scale import log10_of_similarity

# existence/extension, lambda (nats a score), K, alpha, beta: the values that BLAST+ has (blast_stat.c, by S. Altschul)
_PUBLISHED = """
BLOSUM45: 13/3 .207 .049 1.5 -22; 12/3 .199 .039 1.8 -34; 11/3 .190 .031 2.0 -38; 10/3 .179 .023 2.4 -51
BLOSUM45: 16/2 .210 .051 1.5 -24; 15/2 .203 .041 1.7 -31; 14/2 .195 .032 1.9 -36; 13/2 .185 .024 2.2 -45
BLOSUM45: 12/2 .171 .016 2.8 -65; 19/1 .205 .040 1.9 -43; 18/1 .198 .032 2.0 -43; 17/1 .189 .024 2.4 -57
BLOSUM45: 16/1 .176 .016 2.8 -67
BLOSUM50: 13/3 .212 .063 1.1 -16; 12/3 .206 .055 1.2 -18; 11/3 .197 .042 1.4 -25; 10/3 .186 .031 1.7 -34
BLOSUM50: 9/3 .172 .022 2.1 -48; 16/2 .215 .066 1.05 -15; 15/2 .210 .058 1.2 -20; 14/2 .202 .045 1.4 -27
BLOSUM50: 13/2 .193 .035 1.6 -32; 12/2 .181 .025 1.9 -41; 19/1 .212 .057 1.2 -21; 18/1 .207 .050 1.4 -28
BLOSUM50: 17/1 .198 .037 1.6 -33; 16/1 .186 .025 1.9 -42; 15/1 .171 .015 2.7 -76
BLOSUM62: 11/2 .297 .082 1.1 -10; 10/2 .291 .075 1.3 -15; 9/2 .279 .058 1.5 -19; 8/2 .264 .045 1.8 -26
BLOSUM62: 7/2 .239 .027 2.5 -46; 6/2 .201 .012 3.3 -58; 13/1 .292 .071 1.2 -11; 12/1 .283 .059 1.5 -19
BLOSUM62: 11/1 .267 .041 1.9 -30; 10/1 .243 .024 2.5 -44; 9/1 .206 .010 4.0 -87
BLOSUM80: 25/2 .342 .17 .52 -1.6; 13/2 .336 .15 .59 -3; 9/2 .319 .11 .76 -6; 8/2 .308 .090 .89 -9
BLOSUM80: 7/2 .293 .070 1.1 -14; 6/2 .268 .045 1.4 -19; 11/1 .314 .095 .90 -9; 10/1 .299 .071 1.1 -14
BLOSUM80: 9/1 .279 .048 1.4 -19
BLOSUM90: 9/2 .310 .12 .67 -6; 8/2 .300 .099 .76 -7; 7/2 .283 .072 .93 -11; 6/2 .259 .048 1.2 -16
BLOSUM90: 11/1 .302 .093 .78 -8; 10/1 .290 .075 1.04 -15; 9/1 .265 .044 1.3 -19
PAM30: 7/2 .305 .15 .35 -3; 6/2 .287 .11 .42 -4; 5/2 .264 .079 .59 -7; 10/1 .309 .15 .35 -3
PAM30: 9/1 .294 .11 .48 -6; 8/1 .270 .072 .68 -10
PAM70: 8/2 .301 .12 .56 -5; 7/2 .286 .093 .67 -7; 6/2 .264 .064 .90 -12; 11/1 .305 .12 .59 -6
PAM70: 10/1 .291 .091 .71 -9; 9/1 .270 .060 .97 -14
PAM250: 15/3 .205 .049 1.6 -23; 14/3 .200 .043 1.7 -26; 13/3 .194 .036 1.9 -31; 12/3 .186 .029 2.2 -41
PAM250: 11/3 .174 .020 2.5 -48; 17/2 .204 .047 1.7 -28; 16/2 .198 .038 1.8 -29; 15/2 .191 .031 2.2 -44
PAM250: 14/2 .182 .024 2.5 -53; 13/2 .171 .017 2.9 -64; 21/1 .205 .045 1.8 -34; 20/1 .199 .037 1.9 -35
PAM250: 19/1 .192 .029 2.3 -52; 18/1 .183 .021 2.6 -60; 17/1 .171 .014 3.3 -86
1/-4: 1/2 1.36 .67 1.1 0; 0/2 1.26 .43 1.4 -1; 2/1 1.35 .61 1.2 -1; 1/1 1.22 .35 1.7 -3
1/-3: 2/2 1.37 .70 1.1 0; 1/2 1.35 .64 1.2 -1; 0/2 1.25 .42 1.5 -2; 2/1 1.34 .60 1.2 -1; 1/1 1.21 .34 1.7 -2
1/-2: 2/2 1.33 .62 1.2 0; 1/2 1.30 .52 1.4 -2; 0/2 1.19 .34 1.8 -3; 3/1 1.32 .57 1.3 -1; 2/1 1.29 .49 1.4 -1
1/-2: 1/1 1.14 .26 2.2 -5
2/-3: 4/4 .63 .42 .75 -2; 2/4 .615 .37 .85 -3; 0/4 .55 .21 1.2 -5; 3/3 .615 .37 .9 -3; 6/2 .63 .42 .75 -2
2/-3: 5/2 .625 .41 .8 -2; 4/2 .61 .35 .9 -3; 2/2 .515 .14 1.55 -9
1/-1: 3/2 1.09 .31 2.0 -2; 2/2 1.07 .27 2.2 -3; 1/2 1.02 .21 2.8 -6; 0/2 .80 .064 4.8 -16; 4/1 1.08 .28 2.0 -2
1/-1: 3/1 1.06 .25 2.3 -4; 2/1 .99 .17 3.3 -10
4/-5: 6/5 .28 .21 .6 -7; 5/5 .27 .17 .7 -9; 4/5 .25 .10 .8 -10; 3/5 .23 .065 .9 -11
5/-4: 10/6 .163 .068 1.0 -19; 8/6 .146 .039 1.3 -29
"""
# lambda without gaps: matrices of one name come in other units (parasail's BLOSUM80 is in thirds of a bit)
_UNGAPPED = {
    "BLOSUM45": 0.2291, "BLOSUM50": 0.2318, "BLOSUM62": 0.3176, "BLOSUM80": 0.3430, "BLOSUM90": 0.3346, "PAM30": 0.3400,
    "PAM70": 0.3345, "PAM250": 0.2252,
}  # fmt: skip
# Robinson and Robinson 1991, per thousand, in the order ARNDCQEGHILKMFPSTWYV
AMINO_ACIDS = (
    78.05, 51.29, 44.87, 53.64, 19.25, 42.64, 62.95, 73.77, 21.99, 51.42, 90.19, 57.44, 22.43, 38.56, 52.03, 71.20,
    58.41, 13.30, 32.16, 64.41,
)  # fmt: skip
_EVEN = ("2/-3",)  # measured on even scores: an odd one counts as the even one below it


@dataclass(frozen=True)
class Gumbel:
    """The parameters of a scheme of scores and gap costs.

    Attributes
    ----------
    rate : float
        lambda, in nats a unit of score.
    k : float
        K.
    alpha, beta : float
        An alignment of score S of unrelated sequences is ``alpha S + beta`` letters long on average.
    even : bool
        Whether odd scores count as the even ones below them.
    source : str
        Where the numbers are from.
    """

    rate: float
    k: float
    alpha: float
    beta: float
    even: bool = False
    source: str = "published"


def published(matrix: str, weights: NDArray[np.int64], gap_open: int, gap_extend: int) -> Gumbel | None:
    """Return the published parameters of a matrix (a name, or ``match/mismatch``) and gap costs, or None.

    `gap_open` is the cost of the first column of a gap: existence and extension of BLAST's way of writing. None, too,
    where `weights` are not those that the name stands for with BLAST.
    """
    known = _UNGAPPED.get(matrix)
    if known is not None and abs(ungapped_rate(weights[:20, :20]) / known - 1) > 0.02:
        return None
    wanted = f"{gap_open - gap_extend}/{gap_extend}"
    for line in _PUBLISHED.strip().splitlines():
        name, _, rows = line.partition(": ")
        for row in rows.split("; ") if name == matrix else ():
            costs, *numbers = row.split()
            if costs == wanted:
                rate, k, alpha, beta = map(float, numbers)
                return Gumbel(rate, k, alpha, beta, matrix in _EVEN)
    return None


def ungapped_rate(weights: NDArray[np.int64]) -> float:
    """Return lambda without gaps: the positive root of ``sum p_i p_j exp(lambda s_ij) = 1``; 0: there is none."""
    from scipy.optimize import brentq

    share = np.array(AMINO_ACIDS if len(weights) == 20 else [1.0] * len(weights))
    share = np.outer(share, share) / share.sum() ** 2
    if (share * weights).sum() >= 0 or weights.max() <= 0:
        return 0.0

    def excess(rate: float) -> float:
        return float((share * np.exp(rate * weights)).sum() - 1)

    high = 1.0 / float(weights.max())
    while excess(high) <= 0:
        high *= 2
    return float(brentq(excess, high * 1e-6, high))


@dataclass(frozen=True)
class Evalues:
    """From scores of pairs to E-values, and back to the scores that an E-value asks for.

    Attributes
    ----------
    gumbel : Gumbel
        The parameters.
    residues : float
        Letters of the database, N.
    sequences : float
        Sequences of the database, each of which loses an effective length.
    strands : int
        2 where the better of two strands counts: twice as many alignments may be hits by chance.
    """

    gumbel: Gumbel
    residues: float
    sequences: float
    strands: int = 1

    def of_database(self, residues: float) -> Evalues:
        """Return the same with a database of so many letters, in sequences as long as these on average."""
        return replace(self, residues=residues, sequences=self.sequences * residues / max(1.0, self.residues))

    def log10(
        self,
        score: NDArray[np.int64],
        left: NDArray[np.int64],
        right: NDArray[np.int64],
        ratio: NDArray[np.float64] | float = 1.0,
    ) -> NDArray[np.float64]:
        """Return the powers of ten of the E-values of pairs with these scores and lengths.

        `ratio` scales the scores, in [0, 1], for the composition of the pair. Each sequence of a pair can be the
        query. The smaller E-value of the two counts (nearly always that of the shorter one as the query): a pair is a
        hit if either search reports it.
        """
        score = score - score % 2 if self.gumbel.even else score
        lengths, place = np.unique(np.concatenate([left, right]), return_inverse=True)
        space = self.log_space(lengths)[place.reshape(-1)]
        space = np.minimum(space[: len(left)], space[len(left) :])
        return np.asarray((space - self.gumbel.rate * ratio * score) / np.log(10))

    def least_scores(self, lengths: NDArray[np.int64], threshold: float) -> NDArray[np.float64]:
        """Return the score that a similarity asks for with a query of each length; of a pair, the smaller holds."""
        exponent = log10_of_similarity(threshold)
        distinct, place = np.unique(lengths, return_inverse=True)
        score = (self.log_space(distinct) - exponent * np.log(10)) / self.gumbel.rate
        return np.asarray(np.minimum(score, 2.0**40)[place])

    def log_space(self, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return ln(K m' N'), the logarithm of the E-value of score 0, with a query of each length."""
        cut = self.length_adjustment(lengths)
        query = np.maximum(lengths - cut, 1)
        database = np.maximum(self.residues - self.sequences * cut, 1)
        return np.asarray(np.log(self.strands * self.gumbel.k) + np.log(query) + np.log(database))

    def length_adjustment(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many letters at the ends of query and database sequences cannot start a hit.

        The largest whole l that is at most the expected length of an alignment found by chance in the space that it
        leaves, ``alpha / lambda ln(K (m - l) (N - n l)) + beta``, and leaves a space that chance can hit at all,
        ``K (m - l) (N - n l) > max(m, N)``; as BLAST does.
        """
        g = self.gumbel
        low, high = np.zeros(len(lengths), dtype=np.int64), np.asarray(lengths, dtype=np.int64)
        while (high - low > 1).any():
            middle = (low + high) // 2
            space = (
                g.k * np.maximum(lengths - middle, 0) * np.maximum(self.residues - self.sequences * middle, 0)
            )
            holds = space > np.maximum(lengths, self.residues)
            expected = g.alpha / g.rate * np.log(np.maximum(space, 1e-300)) + g.beta
            holds &= middle <= expected
            low, high = np.where(holds, middle, low), np.where(holds, high, middle)
        return low
