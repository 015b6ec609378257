"""Which columns of a source are images: told by their type, by their file names, or by how their bytes begin."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from splitleak._tables.columns import plain, role_of
from splitleak._tables.decoding import ENDINGS
from splitleak._tables.images import Images, column_images
from splitleak._tables.source import Source
from splitleak.errors import InputError

_LOOKED_AT = 20  # values of a column
_BEGINNINGS = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
BARE = "image"


def image_columns(source: Source) -> dict[str, Images]:
    """Return the columns of images by name; bare images under "image".

    A column of texts counts when all its values end as image files do and the first of them exist, one of bytes when
    the first begin as image files do.
    """
    if not source.column_names:
        bare = source.bare
        if isinstance(bare, pa.ChunkedArray) and _is_image(source, bare):
            bare = source.images.setdefault("", column_images(bare, "data", source.base))
        return {BARE: bare} if isinstance(bare, Images) else {}
    found = {}
    for name in source.column_names:
        if name in source.images or _holds_images(source, name):
            found[name] = source.column_images(name)
    return found


def _holds_images(source: Source, name: str) -> bool:
    try:
        kind = source.column_type(name)
        looks = role_of(kind) in ("image", "text") or _is_binary(kind)
        return looks and _is_image(source, source.column(name))
    except InputError:
        return False


def _is_binary(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_image(source: Source, column: Any) -> bool:
    role = role_of(column.type)
    if role == "image":
        return True
    if role == "text":
        first = plain(column).drop_null()[:_LOOKED_AT].to_pylist()
        if not first or not all(text.lower().endswith(ENDINGS) for text in first):
            return False
        try:
            files = [
                column_images(plain(column), "data", source.base).item(row)
                for row in range(min(_LOOKED_AT, len(column)))
            ]
            return all(file is None or bool(file.is_file()) for file in files)
        except (OSError, ValueError):
            return False
    if not _is_binary(column.type):
        return False
    first = column.drop_null()[:_LOOKED_AT].to_pylist()
    return bool(first) and all(_begins(value) for value in first)


def _begins(value: bytes) -> bool:
    return value.startswith(_BEGINNINGS) or (value[:4] == b"RIFF" and value[8:12] == b"WEBP")
