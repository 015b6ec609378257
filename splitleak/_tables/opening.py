"""open_source(): which of the known kinds of data is this?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from splitleak._tables import arrays, frames
from splitleak._tables.files import open_file
from splitleak._tables.folders import open_folder
from splitleak._tables.source import Source
from splitleak.errors import InputError

_KINDS = (
    "a table (pandas, polars, pyarrow, anything with __arrow_c_stream__, a Hugging Face Dataset, a dict of columns),"
    " a list of texts or images, a NumPy array, a scipy sparse matrix, or a path"
)


def open_source(data: Any, *, columns: Sequence[str] | None = None) -> Source:
    """Open a dataset of any known kind.

    Parameters
    ----------
    data : table, sequence, array or path
        pandas or polars DataFrame, pyarrow Table or RecordBatch, anything with the Arrow PyCapsule interface,
        Hugging Face Dataset, dict of columns; list, tuple, Series or 1-D array of texts; 2-D NumPy array; scipy
        sparse matrix; path to ``.parquet``, ``.feather``, ``.arrow``, ``.csv``, ``.tsv``, ``.jsonl`` or ``.ndjson``
        (text also as ``.gz``), or to a folder of Parquet files.
        Images: the path of a folder; a list of path objects, bytes, arrays or Pillow images; an array of shape
        (n, height, width) or (n, height, width, channels). A `Source` is returned as it is.
    columns : sequence of str, optional
        Only for CSV and TSV files without a header line: names for their columns.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        Data of no known kind, without rows, with repeated column names, a file that cannot be read.

    Examples
    --------
    >>> source = open_source({"text": ["one", "two", "three"], "label": [0, 1, 0]})
    >>> source.n_rows, source.column_names
    (3, ('text', 'label'))
    >>> source.take([2, 0])
    {'text': ['three', 'one'], 'label': [0, 0]}
    """
    if isinstance(data, Source):
        return data
    if isinstance(data, (str, Path)) and _is_folder(data):
        return open_folder(Path(data).expanduser())
    if isinstance(data, (str, Path)):
        return open_file(data, columns=columns)
    if columns is not None:
        raise InputError(
            f"columns= names the columns of a CSV or TSV file without a header line, and data is"
            f" {type_name(data)}; rename its columns instead"
        )
    return _open_object(data)


def _is_folder(data: str | Path) -> bool:
    try:
        return bool(str(data)) and Path(data).expanduser().is_dir()
    except (ValueError, OSError, RuntimeError):  # a text too long for a path, or of an unknown user's home
        return False


def _open_object(data: Any) -> Source:
    origin = type_name(data)
    if frames.is_hugging_face(data):
        return frames.open_hugging_face(data, origin)
    if isinstance(data, Mapping):
        return frames.open_mapping(data, origin)
    if isinstance(data, np.ndarray):
        return arrays.open_array(data, origin)
    if isinstance(data, (list, tuple)):
        return arrays.open_sequence(data, origin)
    if type(data).__module__.startswith("scipy.sparse"):
        return arrays.open_sparse(data, origin)
    found = frames.open_frame(data, origin)
    if found is None:
        raise InputError(f"data must be {_KINDS}; got {origin}")
    return found


def type_name(data: Any) -> str:
    """Return the name by which users know a type: ``pandas.DataFrame``, ``list``."""
    kind = type(data)
    package = kind.__module__.partition(".")[0]
    return kind.__name__ if package == "builtins" else f"{package}.{kind.__name__}"
