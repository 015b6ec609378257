"""Small pictures of images, for pages that show pairs of them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from splitleak._tables.images import Images

_SIDE = 128  # pixels
_BYTES = 3_400  # of one picture, where lower quality can do that
_QUALITIES = (80, 65, 50, 35, 20)


def thumbnail(images: Images, row: int) -> bytes:
    """Return a small JPEG of an image; of one that cannot be read, a gray one."""
    from PIL import Image

    image = images[row] or Image.new("RGB", (_SIDE, _SIDE), "gray")
    image = image.copy()
    image.thumbnail((_SIDE, _SIDE))
    data = b""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True)
        data = buffer.getvalue()
        if len(data) <= _BYTES:
            break
    return data
