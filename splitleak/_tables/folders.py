"""A folder of images: one row a file, in the order of their names, with the columns path and folder; or a table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from splitleak._tables.arrow_files import open_parquet_parts, parquet_parts
from splitleak._tables.decoding import ENDINGS
from splitleak._tables.images import Images
from splitleak._tables.source import Source
from splitleak.errors import InputError

PATH, FOLDER = "path", "folder"


def open_folder(folder: Path) -> Source:
    """Open all images below a folder; where there are none, its Parquet files as one table.

    Files whose names end otherwise, and hidden files and folders, are left out. `path` is the name relative to the
    folder, with ``/``; `folder` is the part of it before the last ``/`` (``.``: none), for use as a class. Rows are
    handed out as lists of paths.

    Raises
    ------
    InputError
        A folder with neither.
    """
    files = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(ENDINGS) and not name.startswith("."):
                path = Path(place, name)
                files[_text(path.relative_to(folder).as_posix())] = path
    if not files:
        parts = parquet_parts(folder)
        if parts:
            return open_parquet_parts(folder, parts)
        raise InputError(
            f"data={str(folder)!r} is a folder without images (endings that count: {', '.join(ENDINGS)}) and without"
            " Parquet files; name a folder of either, or a file with a table"
        )
    names = sorted(files)
    paths = [files[name] for name in names]
    columns = {
        PATH: pa.chunked_array([pa.array(names, pa.large_string())]),
        FOLDER: pa.chunked_array(
            [pa.array([name.rpartition("/")[0] or "." for name in names], pa.large_string())]
        ),
    }

    def select(rows: NDArray[np.int64]) -> Any:
        return [str(paths[row]) for row in rows.tolist()]

    return Source(
        len(paths),
        (PATH, FOLDER),
        f"folder {folder.resolve().name}",
        read=lambda name: columns[name],
        select=select,
        types=lambda name: columns[name].type,
        meant=PATH,
        images={PATH: Images(paths, names)},
    )


def _text(name: str) -> str:
    # names that are no UTF-8 are shown with a mark
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
