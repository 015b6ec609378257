"""Scores from elsewhere: a matrix between all rows; the door for hits and labelled matrices."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak.errors import InputError, unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.records import Records
from splitleak.similarity.base import IGNORED, Backend, Neighbours
from splitleak.similarity.named_matrix import check_same_names

if TYPE_CHECKING:
    from splitleak.similarity.hit_tables import Format

MatrixKind = Literal["similarity", "distance", "dissimilarity"]
ALL_KINDS = frozenset({"text", "vector", "table", "image", "views"})
_SYMMETRY_TOLERANCE = 1e-9
_HITS = "'m8', 'mmseqs', 'foldseek', 'hhblits', 'tmalign', 'usalign'"
UNSAID = (
    "Without format= a file is a square matrix with names, and .m8 are hits of BLAST; of other hits say whose they are:"
    f" format= ({_HITS})"
)


def precomputed(
    matrix: Any,
    *,
    kind: MatrixKind = "similarity",
    labels: Sequence[Hashable] | None = None,
    row_labels: Sequence[Hashable] | None = None,
    format: Format | None = None,  # noqa: A002
    score: str | None = None,
    columns: Sequence[str] | None = None,
    names: str | Sequence[Hashable] | None = None,
    combine: Literal["max", "min", "mean"] = "max",
    min_coverage: float | None = None,
    strangers: Literal["error", "warn", "ignore"] = "error",
) -> Backend:
    """Use scores from elsewhere: a matrix between all rows, or a table of hits of an aligner.

    Parameters
    ----------
    matrix : array, scipy sparse matrix or pandas DataFrame of shape (n_rows, n_rows); path; or table of hits
        Symmetric, finite, in the order of the data. In a sparse matrix an entry that is not stored means "not
        similar". Index and columns of a DataFrame are its labels. With `format`, or as a path, its rows have names,
        which are matched to the data, in any order.
    kind : {"similarity", "distance", "dissimilarity"}
        "similarity": values in [0, 1], 1 = identical. "distance" d >= 0: similarity 1 / (1 + d).
        "dissimilarity" d in [0, 1]: similarity 1 - d. Both are rounded to 12 decimals.
    labels, row_labels : sequence, optional
        Names of the matrix's rows, and of the data's rows. When both are given they must agree in order.
    format : str, optional
        What the scores are. "m8" ("blast", "diamond"): BLAST -outfmt 6, identity in percent; "mmseqs", "foldseek",
        "hhblits" (-blasttab, identity over the target's length): identity in [0, 1]; "tmalign", "usalign"
        (-outfmt 2); each with a header or without, also .gz, or as a table with such columns. "matrix": a square
        one with names (.tsv, .csv, .parquet, .npy with `labels`, a frame); "condensed": SciPy's vector of pairs.
        Default: of a path ending in .m8 or .m8.gz "m8", of any other "matrix", here and in the shell; else an array
        as above.
    score : str, optional
        "identity", "tm" (both TM-scores), "coverage" (both coverages), "bits" (bit score over the smaller self hit),
        "evalue" (the threshold is then the largest E-value of a similar pair, by default 0.001; see ``alignment``), or
        a column of numbers in [0, 1]; default: "tm" of TM-align and US-align, else "identity".
    columns : sequence of str, optional
        Columns of a file without a header that are not the format's own.
    names : str or sequence, optional
        The column that holds the rows' names, or the names. Default: names of a FASTA file, the compared column, the
        index: whichever has most. Names match as they are, else up to the first blank; of structures without folder,
        file ending and chain.
    combine : {"max", "min", "mean"}
        Of a pair with several hits in one direction the best counts; then the two directions (two TM-scores, a hit
        each way) are combined by this. A direction that is not reported does not count.
    min_coverage : float, optional
        Hits whose smaller coverage (of query, of target) is below this are left out, in (0, 1]. From qcov and tcov, or
        starts, ends and lengths (columns qlen and tlen, else the data's texts).
    strangers : {"error", "warn", "ignore"}
        What happens to names that are not in the data. Rows without hits are similar to none; both are counted in the
        provenance.

    Raises
    ------
    InputError
        Names that cannot be matched, columns that are absent or not numeric, scores out of range;
        A matrix that is not square, not symmetric, not finite, out of range, labelled in another order than the
        data, or whose diagonal says that it is of the other kind.

    Examples
    --------
    >>> import numpy as np, splitleak
    >>> matrix = np.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]])
    >>> splitleak.similarity_graph(["a", "b", "c"], similarity=precomputed(matrix), threshold=0.8).n_pairs
    1
    """
    if kind not in get_args(MatrixKind):
        raise unknown_option("kind", kind, get_args(MatrixKind))
    options = {
        "score": score, "columns": columns, "names": names, "min_coverage": min_coverage,
        "combine": None if combine == "max" else combine, "strangers": None if strangers == "error" else strangers,
    }  # fmt: skip
    given = {name: value for name, value in options.items() if value is not None}
    if format is not None or isinstance(matrix, (str, Path)):
        return _of_names(matrix, format, kind, labels, row_labels, given)
    if given:
        raise InputError(
            f"{', '.join(given)}: these are for scores with names; say what they are with format="
        )
    if hasattr(matrix, "columns") and hasattr(matrix, "index"):
        names = list(matrix.index)
        check_same_names(list(matrix.columns), names, "the matrix")
        labels, matrix = labels if labels is not None else names, matrix.to_numpy()
    _check_labels(labels, row_labels)
    values = _checked_matrix(matrix, kind)

    def search(
        records: Records, *, threshold: float, sides: NDArray[np.int64] | None = None
    ) -> SimilarityGraph:
        check_rows(values.shape[0], records.n_rows)
        left, right, similarity = _matrix_pairs(values, kind, threshold)
        keep = across(left, right, sides)
        return SimilarityGraph.build(
            left[keep],
            right[keep],
            similarity[keep],
            n_rows=records.n_rows,
            threshold=threshold,
            measure="matrix",
        )

    def nearest(
        records: Records, queries: NDArray[np.int64], *, threshold: float, sides: NDArray[np.int64]
    ) -> Neighbours:
        rows = [_to_similarity(_dense_row(values, q, kind), kind) for q in queries]
        return nearest_of_rows(rows, queries, threshold, sides)

    return Backend("matrix", ALL_KINDS, search, nearest, threshold=0.8, given=True)


def _of_names(
    matrix: Any, form: str | None, kind: MatrixKind, labels: Any, row_labels: Any, given: dict[str, Any]
) -> Backend:
    """Return the backend of scores whose rows have names."""
    from splitleak.similarity.base import get_backend

    if form is None and "score" in given:
        form_of(matrix, given["score"])  # refuse now, not when the file is read
    if row_labels is not None:
        given = {"names": row_labels, **given}
    if labels is not None:
        given["labels"] = labels
    if kind != "similarity":
        given["kind"] = kind
    if form is not None:
        given["format"] = form
    where = str(matrix) if isinstance(matrix, Path) else matrix
    return get_backend("precomputed")(matrix=where, **given)


def form_of(matrix: Any, score: str | None) -> Literal["m8", "matrix"]:
    """Return what scores are of which nobody said the format: hits of BLAST by the ending .m8, else a matrix.

    Raises
    ------
    InputError
        A score is named, which hits have, and the format is not known.
    """
    if str(matrix).lower().endswith((".m8", ".m8.gz")):
        return "m8"
    if score is None:
        return "matrix"
    named = repr(str(matrix)) if isinstance(matrix, (str, Path)) else "the table"
    raise InputError(
        f"score={score!r} names a column of a table of hits, and nothing tells whose {named} is: say it"
        f" with format= ({_HITS}), and name other columns with"
        " columns=; a list of edges with the columns left, right and similarity goes into similarity= as it is"
    )


def matching_labels(matrix: Any, candidates: Sequence[Sequence[Hashable]]) -> Sequence[Hashable] | None:
    """Return the candidate names of the rows that the labels of a matrix (a frame) mean."""
    labels = list(matrix.index)
    for names in candidates:
        if list(names) == labels:
            return names
    for names in candidates:
        if set(names) == set(labels):
            return names
    return candidates[0] if candidates else None


def nearest_of_rows(
    rows: Sequence[NDArray[np.float64]],
    queries: NDArray[np.int64],
    threshold: float,
    sides: NDArray[np.int64],
) -> Neighbours:
    """Reduce full rows of similarities (shape (n_rows,) each) to `Neighbours`."""
    n_sides = int(sides.max(initial=0)) + 1
    nearest = np.full((len(queries), n_sides), np.nan)
    degree = np.zeros(len(queries), dtype=np.int64)
    members = [np.flatnonzero(sides == side) for side in range(n_sides)]
    for at, (query, row) in enumerate(zip(queries, rows, strict=True)):
        for side, rows_of_side in enumerate(members):
            others = row[rows_of_side[rows_of_side != query]]
            if len(others):
                nearest[at, side] = others.max()
                degree[at] += int((others >= threshold).sum())
    return Neighbours(nearest, degree)


def across(left: NDArray[np.int64], right: NDArray[np.int64], sides: NDArray[np.int64] | None) -> Any:
    if sides is None:
        return slice(None)
    a, b = sides[left], sides[right]
    return (a != b) & (a != IGNORED) & (b != IGNORED)


def check_rows(found: int, n_rows: int) -> None:
    if found != n_rows:
        raise InputError(
            f"similarity has {found} rows, the data {n_rows}; give one row for each, in the same order"
        )


def _check_labels(labels: Sequence[Hashable] | None, rows: Sequence[Hashable] | None) -> None:
    if labels is None or rows is None or list(labels) == list(rows):
        return
    if len(labels) == len(rows) and set(labels) == set(rows):
        at = next(i for i, (a, b) in enumerate(zip(labels, rows, strict=True)) if a != b)
        raise InputError(
            f"the matrix is labelled in another order than the data: row {at} is {labels[at]!r} in the matrix and"
            f" {rows[at]!r} in the data; reorder it (matrix.loc[names, names])"
        )
    strangers = [x for x in labels if x not in set(rows)]
    raise InputError(
        f"the labels of the matrix are not those of the data: {len(labels)} labels, {len(rows)} rows,"
        f" {len(strangers)} labels unknown to the data"
        + (f", the first {strangers[0]!r}" if strangers else "")
        + "; name the column that holds them with on=, or give the matrix without labels (matrix.to_numpy())"
    )


def _checked_matrix(matrix: Any, kind: MatrixKind) -> Any:
    from scipy import sparse

    is_sparse = sparse.issparse(matrix)
    values: Any = sparse.csr_array(matrix) if is_sparse else np.asarray(matrix)
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise InputError(f"a similarity matrix must be square (n_rows x n_rows), got shape {values.shape}")
    if values.dtype.kind not in "fiub":
        raise InputError(f"a similarity matrix must be numeric, got {values.dtype}")
    stored = values.data if is_sparse else values
    for at in range(0, len(stored), 4096):
        _check_range(stored[at : at + 4096], kind, None if is_sparse else at)
    _check_symmetric(values, is_sparse)
    diagonal = values.diagonal()
    wanted, other = (1, 0) if kind == "similarity" else (0, 1)
    if len(diagonal) > 1 and not is_sparse and np.all(diagonal == other) and np.any(values != other):
        hint = 'kind="distance"' if kind == "similarity" else 'kind="similarity"'
        raise InputError(
            f"the diagonal of the matrix is all {other}, and a row's {kind} to itself is {wanted}: is it of the other"
            f" kind ({hint})?"
        )
    return values


def _check_range(values: NDArray[Any], kind: MatrixKind, first: int | None) -> None:
    """Raise for values out of range; `first` is the first of these rows, None: they are not rows."""
    top = np.inf if kind == "distance" else 1
    if not np.isfinite(values).all() or (values < 0).any() or (values > top).any():
        at = np.argwhere(~(np.isfinite(values) & (values >= 0) & (values <= top)))[0].tolist()
        bad = values[tuple(at)]
        place = "" if first is None else f" at [{first + at[0]}, {at[1]}]"
        span = "at least 0" if kind == "distance" else "in [0, 1]"
        raise InputError(
            f"a {kind} matrix must be finite and {span}, got {bad}{place}"
            + (
                '; distances are given as precomputed(matrix, kind="distance")'
                if kind == "similarity"
                else ""
            )
        )


def _check_symmetric(values: Any, is_sparse: bool) -> None:
    n = values.shape[0]
    for at in range(0, n, 1024):
        rows, columns = values[at : at + 1024], values[:, at : at + 1024]
        gap = abs(rows - columns.T)
        if is_sparse:
            gap = gap.tocoo()
            gap, where = gap.data, (gap.row, gap.col)
        else:
            where = None
        if gap.size and gap.max() > _SYMMETRY_TOLERANCE:
            worst = int(gap.argmax())
            i, j = (int(where[0][worst]), int(where[1][worst])) if where else divmod(worst, n)
            i += at
            raise InputError(
                f"a similarity matrix must be symmetric: [{i}, {j}] is {values[i, j]} and [{j}, {i}] is"
                f" {values[j, i]}; combine the two by a rule of your choice, as np.maximum(m, m.T)"
            )


def _to_similarity(values: NDArray[Any], kind: MatrixKind) -> NDArray[np.float64]:
    # what a person wrote as 0.9 is 0.89999998 in single precision: read it as the decimal that was meant
    decimals = {"float16": 3, "float32": 7}.get(str(values.dtype))
    values = np.asarray(values, dtype=np.float64)
    if decimals is not None:
        values = np.round(values, decimals)
    if kind == "similarity":
        return values
    return np.asarray(np.round(1 / (1 + values) if kind == "distance" else 1 - values, 12))


def _dense_row(values: Any, row: int, kind: MatrixKind) -> NDArray[Any]:
    if isinstance(values, np.ndarray):
        return np.asarray(values[row])
    absent = np.inf if kind == "distance" else (0.0 if kind == "similarity" else 1.0)
    full = np.full(values.shape[1], absent, dtype=values.dtype if values.dtype.kind == "f" else np.float64)
    part = slice(values.indptr[row], values.indptr[row + 1])
    full[values.indices[part]] = values.data[part]
    return full


def _matrix_pairs(values: Any, kind: MatrixKind, threshold: float) -> tuple[Any, Any, Any]:
    if not isinstance(values, np.ndarray):
        coo = values.tocoo()
        left, right, similarity = coo.row, coo.col, _to_similarity(coo.data, kind)
        keep = (left < right) & (similarity >= threshold)
        return left[keep].astype(np.int64), right[keep].astype(np.int64), similarity[keep]
    parts = []
    for at in range(0, values.shape[0], 1024):  # a block of rows at a time: no second n x n array
        similarity = _to_similarity(values[at : at + 1024, at:], kind)
        left, right = np.nonzero(similarity >= threshold)
        upper = left < right
        left, right = left[upper], right[upper]
        parts.append((left + at, right + at, similarity[left, right]))
    left, right, similarity = (np.concatenate(p) for p in zip(*parts, strict=True))
    return left, right, similarity
