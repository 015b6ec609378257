"""A contact sheet: pairs of images side by side, as small pictures inside the page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from splitleak.rendering.html import Section

MOST_PAIRS = 24
MOST_BYTES = 170_000  # of all pictures; a third more as text: the page stays under 300 kB


@dataclass(frozen=True)
class ImagePair:
    """Two images that are shown side by side.

    Attributes
    ----------
    left, right : bytes
        Small pictures, JPEG or PNG.
    labels : (str, str)
        What the images are called.
    similarity : float
        In [0, 1].
    """

    left: bytes
    right: bytes
    labels: tuple[str, str]
    similarity: float


def contact_sheet(pairs: Sequence[ImagePair], *, title: str, paragraphs: Sequence[str] = ()) -> Section:
    """Return the section of a page that shows pairs of images: the first 24, and no more than 170 kB of pictures.

    Parameters
    ----------
    pairs : sequence of ImagePair
        In the order in which they are shown.
    title : str
        Heading of the section.
    paragraphs : sequence of str
        Shown above the pictures; that pairs were left out is added.
    """
    shown, size = [], 0
    for pair in pairs[:MOST_PAIRS]:
        size += len(pair.left) + len(pair.right)
        if size > MOST_BYTES:
            break
        shown.append(_figure(pair))
    more = [f"The first {len(shown)} of {len(pairs):,} pairs."] if len(shown) < len(pairs) else []
    return Section(title, [*paragraphs, *more], figures=shown)


def _figure(pair: ImagePair) -> str:
    from markupsafe import escape

    pictures = "".join(
        f'<div><img src="{_data_uri(picture)}" alt="{escape(label)}"><span>{escape(label)}</span></div>'
        for picture, label in zip((pair.left, pair.right), pair.labels, strict=True)
    )
    caption = f"<figcaption>similarity {pair.similarity:.3f}</figcaption>"
    return f'<figure class="sl-pair"><div class="sl-images">{pictures}</div>{caption}</figure>'


def _data_uri(picture: bytes) -> str:
    form = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{form};base64,{base64.b64encode(picture).decode()}"
