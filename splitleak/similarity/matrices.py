"""Matrices of scores that the caller gives: a file in NCBI's form, or a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError

_WIDEST = 100


def is_matrix_file(matrix: object) -> bool:
    """Tell whether this names a file: a Path, or a text with a dot or a separator of folders in it."""
    if isinstance(matrix, Path):
        return True
    return isinstance(matrix, str) and ("." in matrix or "\\" in matrix or Path(matrix).is_file())


def given_weights(matrix: Any, letters: str, like: Mapping[str, str]) -> NDArray[np.int64]:
    """Return the scores of all pairs of `letters`, symmetric.

    Parameters
    ----------
    matrix : mapping or path
        ``matrix[x][y]``: a whole number within -100 to 100; or a text file with a line of letters and a line of
        scores for each letter, as NCBI distributes them (lines that start with # are left out).
    letters : str
        The letters of the alphabet. Those that the matrix does not hold score as `like` says, or else the lowest
        score of the matrix with all others.
    like : mapping
        A letter that stands for another.
    """
    table = matrix if isinstance(matrix, Mapping) else _read(Path(matrix))
    scores: dict[tuple[str, str], int] = {}
    for x, row in table.items():
        if not isinstance(row, Mapping):
            raise InputError(
                f"matrix[{x!r}] must be a mapping of letters to scores, got {type(row).__name__}"
            )
        for y, score in row.items():
            whole = isinstance(score, (int, np.integer)) and not isinstance(score, bool)
            if not whole or abs(score) > _WIDEST:
                raise InputError(
                    f"matrix[{x!r}][{y!r}] must be a whole number from -100 to 100, got {score!r}"
                )
            pair = str(x).upper().replace("U", "T" if "U" not in letters else "U"), str(y).upper()
            pair = pair[0], pair[1].replace("U", "T" if "U" not in letters else "U")
            if scores.setdefault(pair, int(score)) != score:
                raise InputError(f"matrix scores {x!r} with {y!r} twice, and not the same; take one out")
    for (x, y), score in list(scores.items()):
        if scores.setdefault((y, x), score) != score:
            raise InputError(
                f"matrix must be symmetric, and scores {x!r} with {y!r} {score}, {y!r} with {x!r} {scores[y, x]}"
            )
    _check(scores, letters)
    lowest = min(scores.values())

    def score_of(x: str, y: str) -> int:
        a, b = (c if (c, c) in scores else like.get(c, c) for c in (x, y))
        return scores.get((a, b), lowest)

    return np.array([[score_of(x, y) for y in letters] for x in letters], dtype=np.int64)


def _check(scores: Mapping[tuple[str, str], int], letters: str) -> None:
    plain = letters[:20] if len(letters) > 20 else letters[:4]
    absent = [x for x in plain if (x, x) not in scores]
    if absent:
        raise InputError(f"matrix must score every residue with itself, and lacks {', '.join(absent)}")
    if any(scores[x, x] <= 0 for x in plain):
        raise InputError("matrix must score each residue with itself above 0: equal residues are similar")


def _read(path: Path) -> dict[str, dict[str, int]]:
    if not path.is_file():
        raise InputError(f"matrix={str(path)!r}: no such file")
    lines = [
        line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()[:1] not in ("", "#")
    ]
    try:
        columns = lines[0].split()
        table = {}
        for line in lines[1:]:
            letter, *scores = line.split()
            table[letter] = {c: int(s) for c, s in zip(columns, scores, strict=True)}
    except (ValueError, IndexError) as error:
        raise InputError(
            f"matrix={str(path)!r} is no matrix of scores ({error}); its first line holds the letters, each further"
            " line a letter and its scores, whole numbers"
        ) from error
    return table
